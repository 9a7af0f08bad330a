"""Reports on runs: what they say of a small set of records."""

import re
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from records_of import SIX, batch, failed, gradient_record, reading, record, steps_of

from gsm_cli.estimator_settings import OwnSettings
from gsm_cli.records.cost import StepRecord
from gsm_cli.records.gradients import GradientRecord
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.run import RunRecord
from gsm_cli.reports.markdown import NOTHING
from gsm_cli.reports.page import Report
from gsm_cli.reports.run_report import render_runs
from gsm_cli.settings import build

GOLDEN = Path(__file__).parent / "golden" / "report.md"


def rendered(
    records: list[RunRecord],
    problems: tuple[str, ...] = (),
    gradients: Sequence[GradientRecord] = (),
    steps: StepRecord | None = None,
) -> Report:
    return render_runs(ReportFolder(Path("reports/digits-100")), records, problems, gradients, steps=steps)


def whole(*given, **named) -> str:
    """The page and the details."""
    report = rendered(*given, **named)
    return report.text + report.details_text


def section(text: str, heading: str) -> str:
    return text.split(f"## {heading}\n")[1].split("\n## ")[0]


def cells(text: str, first: str) -> list[str]:
    """The cells of the table row whose first cell is `first`."""
    return re.search(rf"^\| {re.escape(first)} \| (.*) \|$", text, re.MULTILINE).group(1).split(" | ")


def read_again(
    whole: RunRecord, last: float | None = None, wrong: Sequence[int] | None = None, bound: float | None = None
) -> RunRecord:
    """The same run with a last epoch that is so much worse, these of ten images wrong, and this mean of the bound."""
    test = whole.test
    if wrong is not None:
        flags = np.isin(np.arange(10), wrong)
        bits = b64encode(np.packbits(flags).tobytes()).decode()
        chosen = msgspec.structs.replace(test.chosen, images=10, modal=1, wrong=bits)
        same = msgspec.structs.replace(chosen, epoch=test.last.epoch)
        test = msgspec.structs.replace(test, chosen=chosen, last=same)
    if bound is not None:
        test = msgspec.structs.replace(test, bound=msgspec.structs.replace(test.bound, mean=bound))
    if last is not None:
        test = msgspec.structs.replace(test, last=reading(3, test.chosen.accuracy - last))
    return msgspec.structs.replace(whole, test=test)


def test_golden_report():
    """To change it on purpose, write what `render` gives into the golden file, and read the difference."""
    records = batch(SIX)
    assert rendered(records, steps=steps_of(records, (0.98, 1.0, 1.02))).text == GOLDEN.read_text("utf-8")


def test_order_of_the_records_changes_nothing():
    assert rendered(batch(SIX)[::-1]).text == rendered(batch(SIX)).text


def test_one_objective_names_the_command_that_adds_the_other():
    report = rendered([record("gumbel", seed) for seed in (0, 1, 2, 5)])
    assert report.answer == "There is nothing to compare yet: no finished run of marginalize."
    assert cells(report.text, "gumbel")[1] == "79.00 [78.80, 79.20]"
    assert "$ gsm train-ssl --dataset digits --objective marginalize --seeds 0-2,5 --epochs 3\n" in report.text


def test_the_sum_alone_asks_for_gumbel():
    report = rendered([record("marginalize", 0), record("supervised", 0)])
    assert report.answer == "There is nothing to compare yet: no finished run of gumbel."
    assert "--objective gumbel --seeds 0 --epochs 3\n" in report.text


def test_the_labels_alone_are_a_question_of_their_own():
    report = rendered([record("supervised", seed) for seed in range(3)])
    assert report.title == "Digits with 100 labels: how accurate is the classifier on the labels alone?"
    assert report.answer == "The labels alone reach 79.00 [78.64, 79.36] % of the test images."
    assert "--objective" not in report.text


def test_numbers_of_the_table():
    """Gumbel by hand: test 0.9 + 0.0058 on average; 2 s an epoch; 4 s for marginalize; 6 runs each."""
    report = rendered(batch(SIX), steps=steps_of(batch(SIX)))
    row = dict(zip(cells(report.text, "objective"), cells(report.text, "gumbel"), strict=True))
    assert row["test % [95 %]"] == "90.58 [90.07, 91.10]"
    assert (row["seeds"], row["s / epoch"], row["speed-up [95 %]"]) == ("6", "2", "2.00 [2.00, 2.00]")
    assert row["points [95 %]"] == "-0.21 [-0.63, +0.21]"
    assert row["verdict"] == "no worse"
    gain = section(report.details_text, "Every part of the images")
    headings = cells(gain, "objective")
    assert cells(gain, "gumbel")[headings.index("gain [95 %]")].startswith("+11.38 [")


def test_what_the_choice_of_the_epoch_is_worth_is_told():
    """The last epoch is two points below the chosen one for one seed, and one for the other."""
    runs = [
        read_again(each, last=[0.02, 0.01][each.config.seed])
        for each in batch({"marginalize": [0.0, 0.0], "gumbel": [0.0, 0.04]})
    ]
    report = rendered(runs)
    headings, row = (cells(report.text, first) for first in ("objective", "gumbel"))
    assert row[headings.index("test % [95 %]")].startswith("90.50")
    parts = report.details_text.partition("## Every part of the images")[2]
    headings, row = (cells(parts, first) for first in ("objective", "gumbel"))
    last, chosen = (row[headings.index(name)] for name in ("test %", "by validation's epoch"))
    assert (last, chosen) == ("90.50", "92.00")


def test_the_bound_is_that_of_the_last_weights():
    runs = [read_again(record("gumbel", seed), bound=-25.5 - seed) for seed in (0, 1)]
    runs += [record(name, seed) for name in ("marginalize", "supervised") for seed in (0, 1)]
    text = rendered(runs).text
    headings = cells(text, "objective")
    assert cells(text, "gumbel")[headings.index("log p(x)")] == "-26.00"
    assert cells(text, "supervised")[headings.index("log p(x)")] == NOTHING


def test_a_failed_seed_is_shown_and_not_averaged():
    report = rendered([*batch(SIX), failed("gumbel", 7)])
    row = cells(report.text, "gumbel")
    assert row[0] == "6 (+ 1 failed)"
    assert row[1].startswith("90.58")
    assert "gumbel seed 7 failed at step 17" in report.details_text


def test_an_objective_that_only_failed_is_shown():
    text = rendered([*batch({"marginalize": [0.0, 0.0]}), failed("gumbel", 0)]).text
    assert cells(text, "gumbel")[0] == "0 (+ 1 failed)"


def test_nothing_but_failures():
    report = rendered([failed("gumbel", 0)])
    assert "no finished run of gumbel and marginalize" in report.answer
    assert report.pictures == []


def test_runs_that_all_collapsed_are_called_so_too():
    runs = [record(name, 0) for name in ("marginalize", "gumbel")]
    last = [msgspec.structs.replace(each.test.last, modal=400) for each in runs]
    tests = [msgspec.structs.replace(each.test, last=one) for each, one in zip(runs, last, strict=True)]
    collapsed = [msgspec.structs.replace(each, test=test) for each, test in zip(runs, tests, strict=True)]
    text = section(rendered(collapsed).details_text, "Every part of the images")
    assert [cells(text, name)[-1] for name in ("marginalize", "gumbel")] == ["0", "0"]


def test_a_collapsed_run_is_called_collapsed():
    whole = record("gumbel", 3)
    test = msgspec.structs.replace(whole.test, last=msgspec.structs.replace(whole.test.last, modal=400))
    collapsed = msgspec.structs.replace(whole, test=test)
    assert cells(section(rendered([collapsed]).details_text, "Every part of the images"), "gumbel")[-1] == "3"


def test_other_settings_are_rows_of_the_details():
    longer = [record("gumbel", seed, (0.5, 0.6, 0.7, 0.99)) for seed in range(2)]
    report = rendered([*batch(SIX), *longer])
    assert "98.00" not in report.text
    assert report.text.split("\n\n")[2].startswith("*The page is of the runs with epochs 3; the details have others.")
    assert "The page is of" not in rendered(batch(SIX)).text
    assert "The main group is the runs with epochs 3." in report.details_text
    further = section(report.details_text, "Runs with other settings")
    assert cells(further, "gumbel, epochs 4")[1].startswith("98.00 [")
    assert [picture.name for picture in report.pictures] == ["answer", "accuracy", "frontier"]


@pytest.mark.parametrize("task", [{"labels": 200}, {"classes": 5}])
def test_others_are_shown_beside_their_own_task_alone(task):
    assert "What others report" not in whole([record("gumbel", 0, dataset="mnist", **task)])
    both = [record("gumbel", 0, dataset="mnist"), record("gumbel", 0, dataset="mnist", **task)]
    assert "What others report" in whole(both)


def test_mnist_shows_what_others_report_and_how_they_chose():
    text = whole([record("gumbel", 0, dataset="mnist")])
    assert "Jang et al. 2017" in text
    assert "a setting chosen on the test set" in text
    assert "Jang et al. 2017" not in whole([record("gumbel", 0)])


def test_the_answer_is_plain_text_and_stands_first():
    report = rendered(batch(SIX))
    assert report.answer == "Yes: one Gumbel-Softmax sample loses less than 1 point of test accuracy on these images."
    assert report.text.startswith(f"# {report.title}\n\n**{report.answer}**\n\n![")


def test_the_page_is_short_and_in_order():
    text = rendered(batch(SIX)).text
    order = [
        "](answer.png)",
        "| objective |",
        "*The sum* (`marginalize`)",
        "## Keep in mind",
        "More: [details](details.md)",
    ]
    assert [text.index(each) for each in order] == sorted(text.index(each) for each in order)
    assert len(text.split()) < 450


def test_own_settings_are_all_shown():
    text = whole([record("gumbel", 0, tau=0.1 + 0.2), record("sparse-marginalize", 0, threshold=0)])
    assert (
        "* gumbel: tau 0.30000000000000004, tau_min 0, tau_rate 0, tau_by_epoch false, entropy_weight 1, draws 1\n"
        in text
    )
    assert "* sparse-marginalize: threshold 0\n" in text


def test_what_is_somebodys_own_is_shown_with_its_digest_and_never_looked_for():
    whole = record("gumbel", 0)
    schedule = {"tau": 0.5, "tau_min": 0.0, "tau_rate": 0.0, "tau_by_epoch": False}
    values = {**schedule, "kind": "a|b"}
    own = OwnSettings(of="nowhere/mine.py:Mine", sha256="0123456789abcdef" * 4, values=values)
    images = {"dataset": "nowhere/shapes.npz", "dataset_sha256": "fedcba9876543210" * 4}
    config = msgspec.structs.replace(whole.config, estimator=own, **images)
    report = rendered([msgspec.structs.replace(whole, config=config)])
    assert report.title.startswith("shapes with 100 labels")
    assert "dataset shapes" in report.details_text
    assert "dataset_sha256 fedcba987654" in report.details_text
    own = "* Mine: tau 0.5, tau_min 0, tau_rate 0, tau_by_epoch false, kind a\\x7cb, SHA-256 0123456789ab"
    assert own in report.details_text
    assert cells(report.text, "Mine")[0] == "1"
    assert "--objective nowhere/mine.py:Mine" in report.details_text
    assert report.pictures[0].encode("png")[:4] == b"\x89PNG"


def test_every_picture_of_a_report_is_in_its_text():
    report = rendered([*batch(SIX), record("gumbel", 0, (0.1, 0.2))], (), [gradient_record(("gumbel", 0.5))])
    names = [picture.name for picture in report.pictures]
    assert names == ["answer", "accuracy", "frontier", "gradients-tau"]
    assert re.findall(r"\]\(([\w-]+)\.png\)", report.text + report.details_text) == names


class TestLimits:
    def test_images_of_somebodys_own_are_not_those_of_their_namesake(self):
        own = {"dataset": "mnist.npz", "dataset_sha256": "a" * 64}
        runs = [record(name, seed) for name in ("gumbel", "marginalize") for seed in (0, 1)]
        own_runs = [
            msgspec.structs.replace(run, config=msgspec.structs.replace(run.config, **own), split=f"{n:064x}")
            for n, run in enumerate(runs)
        ]
        assert "all seeds have the same test images" not in whole(own_runs)

    def test_drawn_classes_have_no_correction_for_all_of_them(self):
        runs = [record(name, seed, classes=5) for name in ("gumbel", "marginalize") for seed in (0, 1)]
        text = whole(runs)
        assert "share some" in text
        assert "Nadeau" not in text
        words = "The images of 10 classes that the seed draws, 999 unlabelled ones at seed 0, and their share of 100"
        assert f"{words} labelled ones, a stratified split" in text

    def test_images_of_somebodys_own_may_be_split_from_one_pool(self):
        own = {"dataset": "mine.npz", "dataset_sha256": "a" * 64}
        runs = [record(name, seed) for name in ("gumbel", "marginalize") for seed in (0, 1)]
        moved = [msgspec.structs.replace(run, config=msgspec.structs.replace(run.config, **own)) for run in runs]
        assert "where the data have no test images of their own, those of two seeds share some" in whole(moved)

    def test_splits_of_one_pool_overlap_and_a_test_set_of_its_own_is_fixed(self):
        digits, mnist = (
            [record(name, seed, dataset=dataset) for name in ("gumbel", "marginalize") for seed in (0, 1)]
            for dataset in ("digits", "mnist")
        )
        assert "Nadeau and Bengio (2003)" in whole(digits)
        assert "those of two seeds share some" in whole(digits)
        assert "Nadeau" not in whole(mnist)
        assert "more seeds do not remove it" in whole(mnist)

    def test_pairs_are_counted_in_their_single_digits(self):
        """400 test digits; 100 labelled pairs of 200 digits, and 1,000 pairs in which 400 digits stand five times."""
        pairs = [
            record(name, seed, dataset="digits-pairs", labels=100)
            for name in ("gumbel", "marginalize")
            for seed in range(4)
        ]
        last = reading(3, 0.81)
        better = msgspec.structs.replace(pairs[0], test=msgspec.structs.replace(pairs[0].test, last=last))
        text = whole([better, *pairs[1:]])
        half = 3.18245 * 0.01 * (1 / 4 + 400 / 600) ** 0.5  # a quantile of Student's t with three degrees of freedom
        assert f"| +0.50 [{100 * (0.005 - half):+.2f}, {100 * (0.005 + half):+.2f}] |" in text

    def test_the_error_of_a_finite_test_set(self):
        """79 % of 400: 1.96 sqrt(0.79 0.21 / 400) is 3.99 points."""
        assert "one run's accuracy on all images of the kind lies between 74.74 and 82.71 % (binomial" in whole(
            [record("gumbel", 0)]
        )


def test_what_is_missing_has_the_settings_of_the_same_preset():
    """Also those that are an objective's own, as the temperatures of the article."""
    preset = build({"dataset": "mnist", "objective": "marginalize"}, preset="article")
    run = record("marginalize", 0, [0.5] * preset.epochs)
    folder = ReportFolder(Path("reports/mnist-100"))
    text = render_runs(folder, [msgspec.structs.replace(run, config=preset)]).text
    assert "$ gsm train-ssl --dataset mnist --objective gumbel --seeds 0 --preset article\n" in text


class TestCodes:
    @pytest.mark.parametrize(
        ("codes", "sentence"),
        [
            ([16 * "a"], f"The runs are of the code {16 * 'a'}."),
            ([16 * "a", 16 * "b", 16 * "b"], "The runs are of 2 codes."),
            ([16 * "a", None, None], f"The runs are of the code {16 * 'a'}, and 2 of an unknown one."),
            ([16 * "a", 16 * "b", None], "The runs are of 2 codes, and 1 of an unknown one."),
            ([None, None], "No run says which code made it."),
        ],
    )
    def test_a_report_says_of_how_many_codes_its_runs_are(self, codes, sentence):
        runs = [msgspec.structs.replace(record("gumbel", seed), code=code) for seed, code in enumerate(codes)]
        assert f"threads 1. {sentence}\n" in whole(runs)
