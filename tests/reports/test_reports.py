"""Reports on runs: what they say of a small set of records."""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from records_of import SIX, batch, failed, gradient_record, record

from gsm_cli.records.gradients import GradientRecord
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.run import RunRecord
from gsm_cli.reports.report import Report
from gsm_cli.reports.runs import render_runs
from gsm_cli.reports.statistics import Comparison, Summary
from gsm_cli.reports.verdict import judge

GOLDEN = Path(__file__).parent / "golden" / "report.md"


def rendered(
    records: list[RunRecord], problems: tuple[str, ...] = (), gradients: Sequence[GradientRecord] = ()
) -> Report:
    return render_runs(ReportFolder(Path("reports/digits-100")), records, problems, gradients)


def section(text: str, heading: str) -> str:
    return text.split(f"## {heading}\n")[1].split("\n## ")[0]


def cells(text: str, first: str) -> list[str]:
    """The cells of the table row whose first cell is `first`."""
    return re.search(rf"^\| {re.escape(first)} \| (.*) \|$", text, re.MULTILINE).group(1).split(" | ")


def test_golden_report():
    """To change it on purpose, write what `render` gives into the golden file, and read the difference."""
    assert rendered(batch(SIX)).text == GOLDEN.read_text("utf-8")


def test_order_of_the_records_changes_nothing():
    assert rendered(batch(SIX)[::-1]).text == rendered(batch(SIX)).text


@pytest.mark.parametrize(
    ("low", "high", "p_value", "words"),
    [
        (-0.002, 0.004, 0.5, "Yes: the two are equal within 1 point."),
        (-0.006, -0.002, 0.01, "equal within 1 point, if a little worse"),
        (0.002, 0.006, 0.01, "equal within 1 point, if a little better"),
        (-0.02, -0.001, 0.05, "less accurate"),
        (0.001, 0.02, 0.05, "more accurate"),
        (-0.02, -0.001, 0.06, "lean towards a loss"),
        (0.001, 0.02, 0.06, "lean towards a gain"),
        (-0.02, 0.001, 0.01, "cannot tell"),
        (-0.001, 0.02, 0.01, "cannot tell"),
        (-0.01, 0.01, 0.5, "cannot tell"),
    ],
)
def test_nothing_is_claimed_beyond_the_interval_and_the_test(low, high, p_value, words):
    assert words in judge(Comparison(tuple(range(10)), (), Summary(0.0, low, high), p_value, 0.002))


@pytest.mark.parametrize(("seeds", "words"), [(1, "one seed"), (2, "2 seeds"), (5, "5 seeds")])
def test_few_seeds_conclude_nothing(seeds, words):
    text = rendered(batch({name: values[:seeds] for name, values in SIX.items()})).text
    assert f"Nothing can be concluded from {words}." in text
    assert "which may be chance: run at least 6 seeds." in text


def test_one_objective_names_the_command_that_adds_the_other():
    report = rendered([record("gumbel", seed) for seed in (0, 1, 2, 5)])
    assert report.answer == "There is nothing to compare yet: no finished run of marginalize."
    assert "`gsm train-ssl --dataset digits --objective marginalize --seeds 0-2,5 --epochs 3`" in report.text


def test_numbers_of_the_table():
    """Gumbel by hand: test 0.9 + 0.006 on average; 2 s an epoch for 950 of 1,000 images; 4 s for marginalize."""
    row = cells(section(rendered(batch(SIX)).text, "Results"), "gumbel")
    runs, validation, test, gain, bound, seconds, rate, evaluations, speed_up = row
    assert (runs, validation, gain, bound, seconds) == ("6", "91.60", "+11.40", "-25.00", "2")
    assert test.startswith("90.60 [")
    assert (rate, evaluations, speed_up) == ("475", "1", "2.00")


def test_equal_accuracies_differ_by_nothing():
    text = rendered(batch({"marginalize": [0.01] * 6, "gumbel": [0.01] * 6})).text
    assert cells(text, "gumbel − marginalize") == ["6", "+0.00 [+0.00, +0.00]", "1", "0.0312"]


def test_a_failed_seed_is_shown_and_not_averaged():
    text = rendered([*batch(SIX), failed("gumbel", 7)]).text
    assert cells(text, "gumbel")[0] == "6 (+ 1 failed)"
    assert cells(text, "gumbel")[2].startswith("90.60")
    assert "gumbel seed 7 failed at step 17" in text


def test_an_objective_that_only_failed_is_shown():
    text = rendered([*batch({"marginalize": [0.0, 0.0]}), failed("gumbel", 0)]).text
    assert cells(text, "gumbel")[0] == "0 (+ 1 failed)"


def test_a_collapsed_run_is_called_collapsed():
    whole = record("gumbel", 3)
    test = msgspec.structs.replace(whole.test, chosen=msgspec.structs.replace(whole.test.chosen, modal_share=1.0))
    collapsed = msgspec.structs.replace(whole, test=test)
    assert cells(section(rendered([collapsed]).text, "Temperature, entropy, collapse"), "gumbel")[-1] == "seeds 3"


def test_other_settings_form_another_group():
    longer = [record("gumbel", seed, (0.5, 0.6, 0.7, 0.99)) for seed in range(2)]
    report = rendered([*batch(SIX), *longer])
    first, second = report.text.split("# Settings 2\n")
    assert "99.00" not in first
    assert "As above, but epochs 4." in second
    assert [picture.name for picture in report.pictures] == ["accuracy", "accuracy-2"]


def test_mnist_shows_what_others_report():
    assert "Jang et al. 2017" in rendered([record("gumbel", 0, dataset="mnist")]).text
    assert "Jang et al. 2017" not in rendered([record("gumbel", 0)]).text


def test_the_answer_is_plain_text_and_stands_first():
    report = rendered(batch(SIX))
    assert report.answer == (
        "May one Gumbel-Softmax sample replace the sum over classes? Yes: the two are equal within 1 point."
    )
    assert report.text.startswith(f"# {report.title}\n\n**{report.answer}**\n\n")


def test_both_objectives_may_be_missing():
    report = rendered([record("reinmax", 0)])
    assert report.answer == "There is nothing to compare yet: no finished run of gumbel and marginalize."
    assert "--objective gumbel --seeds 0 --epochs 3` and marginalize with `gsm train-ssl" in report.text


def test_images_per_second_are_those_trained_on():
    text = rendered(batch(SIX)).text
    assert "training on the 950 unlabelled images of an epoch (whole batches, of 1,000)" in text
    whole = msgspec.structs.replace(record("gumbel", 0), images_per_epoch=1000)
    assert "training on the 1,000 unlabelled images of an epoch; images" in rendered([whole]).text


def test_own_settings_are_all_shown():
    text = rendered([record("gumbel", 0, tau=0.1 + 0.2), record("sparse-marginalize", 0, threshold=0)]).text
    assert "* gumbel: tau 0.30000000000000004, tau_min 0, tau_rate 0, draws 1\n" in text
    assert "* sparse-marginalize: threshold 0\n" in text


def test_what_is_somebodys_own_is_shown_with_its_digest_and_never_looked_for():
    whole = record("gumbel", 0)
    own = {"objective": "nowhere/mine.py:Mine", "own": {"tau": 0.5, "kind": "a|b"}, "dataset": "nowhere/shapes.npz"}
    digests = {"objective_sha256": "0123456789abcdef" * 4, "dataset_sha256": "fedcba9876543210" * 4}
    config = msgspec.structs.replace(whole.config, **own, **digests)
    report = rendered([msgspec.structs.replace(whole, config=config)])
    assert report.title.startswith("shapes with 100 labels")
    assert "| dataset | shapes |" in report.text
    assert "| dataset_sha256 | fedcba987654 |" in report.text
    assert "* Mine: tau 0.5, kind a|b, SHA-256 0123456789ab" in report.text
    assert cells(report.text, "Mine")[0] == "1"
    assert "--objective nowhere/mine.py:Mine" in report.text
    assert report.pictures[0].encode("png")[:4] == b"\x89PNG"


def test_every_picture_of_a_report_is_in_its_text():
    report = rendered([*batch(SIX), record("gumbel", 0, (0.1, 0.2))], (), [gradient_record(("gumbel", 0.5))])
    assert [picture.name for picture in report.pictures] == ["accuracy", "accuracy-2", "gradients"]
    assert re.findall(r"\]\(([\w-]+)\.png\)", report.text) == ["accuracy", "accuracy-2", "gradients"]
