"""Reports on runs: what they say of a small set of records."""

import re
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from statistics import stdev

import msgspec
import numpy as np
import pytest
from records_of import SIX, batch, failed, gradient_record, reading, record, steps_of

from gsm_cli.estimator_settings import OwnSettings
from gsm_cli.records.gradients import GradientRecord
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.run import RunRecord
from gsm_cli.records.steps import StepRecord
from gsm_cli.reports.markdown import NOTHING, anchor
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
    assert report.answer == (
        "There is nothing to compare yet: no finished run of marginalize. "
        "Test accuracy so far: gumbel 79.00 [78.80, 79.20] %."
    )
    assert "`gsm train-ssl --dataset digits --objective marginalize --seeds 0-2,5 --epochs 3`" in report.text


def test_the_sum_alone_asks_for_gumbel():
    report = rendered([record("marginalize", 0), record("supervised", 0)])
    assert report.answer == (
        "There is nothing to compare yet: no finished run of gumbel. "
        "Test accuracy so far: marginalize 79.00 % and supervised 79.00 %."
    )
    assert "--objective gumbel --seeds 0 --epochs 3`" in report.text


def test_numbers_of_the_table():
    """Gumbel by hand: test 0.9 + 0.0058 on average; 2 s an epoch; 4 s for marginalize; 6 runs each."""
    text = section(rendered(batch(SIX), steps=steps_of(batch(SIX))).text, "Results")
    row = dict(zip(cells(text, "objective"), cells(text, "gumbel"), strict=True))
    assert row["test % [95 %]"] == "90.58 [90.07, 91.10]"
    assert (row["gain"], row["s / epoch"], row["evaluations"]) == ("+11.38", "2", "1")
    assert row["speed-up [95 %]"] == "2.00 [2.00, 2.00]"


def test_columns_that_say_the_same_everywhere_are_left_out_and_told():
    """What is measured stays, whatever it says."""
    text = section(rendered(batch(SIX)).text, "Results")
    headings = cells(text, "objective")
    assert "runs" not in headings
    assert "6 finished runs of each objective." in text


def test_what_newer_records_say_is_shown():
    """The last epoch is two points below the chosen one for one seed, and one for the other."""
    runs = [
        read_again(each, last=[0.02, 0.01][each.config.seed])
        for each in batch({"marginalize": [0.0, 0.0], "gumbel": [0.0, 0.04]})
    ]
    text = rendered(runs).text
    headings, row = (cells(section(text, "Results"), first) for first in ("objective", "gumbel"))
    assert row[headings.index("test % [95 %]")].startswith("90.50")
    assert "the labels of 300 validation images could choose the epoch, and do not" in text
    assert "minus the last one's is +1.50 points on average (marginalize +1.50 and gumbel +1.50)" in text


def test_the_bound_carries_its_interval_over_seeds():
    """Two runs whose means are one apart: the quantile of one degree of freedom is 12.706, and its half."""
    runs = [read_again(record("gumbel", seed), bound=-25.5 - seed) for seed in (0, 1)]
    runs += [record(name, seed) for name in ("marginalize", "supervised") for seed in (0, 1)]
    text = section(rendered(runs).text, "Results")
    assert "| -26.00 [-32.35, -19.65] |" in text
    headings, row = (cells(text, first) for first in ("objective", "supervised"))
    assert row[headings.index("log p(x) [95 %]")] == NOTHING


def test_a_failed_seed_is_shown_and_not_averaged():
    text = rendered([*batch(SIX), failed("gumbel", 7)]).text
    row = cells(section(text, "Results"), "gumbel")
    assert row[0] == "6 (+ 1 failed)"
    assert row[1].startswith("90.58")
    assert "gumbel seed 7 failed at step 17" in text


def test_an_objective_that_only_failed_is_shown():
    text = rendered([*batch({"marginalize": [0.0, 0.0]}), failed("gumbel", 0)]).text
    assert cells(section(text, "Results"), "gumbel")[0] == "0 (+ 1 failed)"


def test_nothing_but_failures():
    report = rendered([failed("gumbel", 0)])
    assert "no finished run of gumbel and marginalize" in report.answer
    assert report.pictures == []


def test_runs_that_all_collapsed_are_called_so_too():
    runs = [record(name, 0) for name in ("marginalize", "gumbel")]
    last = [msgspec.structs.replace(each.test.last, modal=400) for each in runs]
    tests = [msgspec.structs.replace(each.test, last=one) for each, one in zip(runs, last, strict=True)]
    collapsed = [msgspec.structs.replace(each, test=test) for each, test in zip(runs, tests, strict=True)]
    text = rendered(collapsed).text.split("Temperature, entropy, collapse")[1]
    assert text.count("| seeds 0 |") == 2


def test_images_are_hard_only_where_every_objective_was_tried():
    """Of ten seeds of one and one of the other, whose runs are wrong in the same images, one counts."""
    lone = [record("marginalize", seed) for seed in range(10)]
    splits = [msgspec.structs.replace(each, split=f"{each.config.seed}" * 64) for each in lone]
    other = msgspec.structs.replace(record("gumbel", 3, (0.5, 0.7, 0.9)), split="3" * 64)
    assert "**Hard images.** 11.00 % of" in rendered([*splits, other]).text
    unlike = msgspec.structs.replace(other, split="a" * 64)
    assert "Hard images" not in rendered([*splits, unlike]).text


def test_a_collapsed_run_is_called_collapsed():
    whole = record("gumbel", 3)
    test = msgspec.structs.replace(whole.test, last=msgspec.structs.replace(whole.test.last, modal=400))
    collapsed = msgspec.structs.replace(whole, test=test)
    text = rendered([collapsed]).text.split("Temperature, entropy, collapse")[1]
    assert cells(text, "gumbel")[-1] == "seeds 3"


def test_other_settings_form_another_group_named_after_them():
    longer = [record("gumbel", seed, (0.5, 0.6, 0.7, 0.99)) for seed in range(2)]
    report = rendered([*batch(SIX), *longer])
    first, second = report.text.split("## Runs with 4 epochs\n")
    assert "99.00" not in first
    assert "These are the runs with 3 epochs;" in first
    assert "### Results" in second
    assert "Settings of the runs with 4 epochs" in second
    assert [picture.name for picture in report.pictures] == ["differences", "accuracy", "accuracy-2", "frontier"]


@pytest.mark.parametrize("task", [{"labels": 200}, {"classes": 5}])
def test_others_are_shown_beside_their_own_task_alone(task):
    assert "What others report" not in rendered([record("gumbel", 0, dataset="mnist", **task)]).text
    both = [record("gumbel", 0, dataset="mnist"), record("gumbel", 0, dataset="mnist", **task)]
    assert "What others report" in rendered(both).text


def test_mnist_shows_what_others_report_and_how_they_chose():
    text = rendered([record("gumbel", 0, dataset="mnist")]).text
    assert "Jang et al. 2017" in text
    assert "Jang et al. chose a setting on the test set" in text
    assert "Jang et al. 2017" not in rendered([record("gumbel", 0)]).text


def test_the_answer_is_plain_text_and_stands_first():
    report = rendered(batch(SIX))
    assert report.answer == (
        "One Gumbel-Softmax sample may replace the sum over classes on these images: if it costs test accuracy, then "
        "less than 1 point (gumbel − marginalize: -0.21 [-0.63, +0.21] points, 6 seeds). Of the other objectives, "
        "straight-through-gumbel (-5.79 [-6.58, -5.01]) is worse."
    )
    assert report.text.startswith(f"# {report.title}\n\n**{report.answer}**\n\n")


def test_the_forest_plot_stands_second_and_the_contents_before_it():
    text = rendered(batch(SIX)).text
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings[:2] == ["Differences from the sum", "Results"]
    links = re.findall(r"^\* \[(.*)\]\(#(.*)\)$", text, re.MULTILINE)
    assert [name for name, _ in links] == headings
    assert links[1] == ("Results", "results")
    assert text.index("(#results)") < text.index("## Differences from the sum") < text.index("## Results")


@pytest.mark.parametrize(
    ("heading", "link"),
    [
        ("Runs with kl_start 0.2, float32", "runs-with-kl_start-02-float32"),
        ("What p(x|y, z) is", "what-pxy-z-is"),
        ("A – B", "a--b"),
    ],
)
def test_links_to_headings_are_made_as_on_github(heading, link):
    assert anchor(heading) == link


def test_images_that_are_trained_on_are_counted():
    records = batch(SIX)
    text = rendered(records, steps=steps_of(records)).text
    assert "19 updates with 950 unlabelled images (whole batches, of 999), each as long as its step" in text
    whole = msgspec.structs.replace(record("gumbel", 0, batch_size=100), unlabelled=1000)
    assert "10 updates with 1,000 unlabelled images, each" in rendered([whole], steps=steps_of([whole])).text


def test_own_settings_are_all_shown():
    text = rendered([record("gumbel", 0, tau=0.1 + 0.2), record("sparse-marginalize", 0, threshold=0)]).text
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
    assert "| dataset | shapes |" in report.text
    assert "| dataset_sha256 | fedcba987654 |" in report.text
    assert "* Mine: tau 0.5, tau_min 0, tau_rate 0, tau_by_epoch false, kind a|b, SHA-256 0123456789ab" in report.text
    assert cells(section(report.text, "Results"), "Mine")[0] == "1"
    assert "--objective nowhere/mine.py:Mine" in report.text
    assert report.pictures[0].encode("png")[:4] == b"\x89PNG"


def test_every_picture_of_a_report_is_in_its_text():
    report = rendered([*batch(SIX), record("gumbel", 0, (0.1, 0.2))], (), [gradient_record(("gumbel", 0.5))])
    names = [picture.name for picture in report.pictures]
    assert names == ["differences", "accuracy", "accuracy-2", "frontier", "gradients"]
    assert re.findall(r"\]\(([\w-]+)\.png\)", report.text) == names


class TestTime:
    def test_what_is_saved_is_said_of_gumbel_and_of_what_is_no_worse(self):
        """One is five points worse, another is equal, a third is five points worse too."""
        losses = {"gumbel": -0.05, "straight-through-gumbel": -0.05, "reinforce": 0.0}
        by_seed = {name: [0.002 * seed + loss for seed in range(8)] for name, loss in losses.items()}
        records = batch({"marginalize": [0.002 * seed for seed in range(8)], **by_seed})
        timed, untimed = (
            rendered(records, steps=steps).text.partition("**What it saves:** ")[2].partition("Evaluations")[0]
            for steps in (steps_of(records), None)
        )
        assert timed == (
            "with the sum an epoch takes 4 s, with gumbel (2.00 [2.00, 2.00] times as fast) 2 s and reinforce (2.00 "
            "[2.00, 2.00] times as fast) 2 s. "
        )
        assert untimed.startswith(
            "evaluations of the decoder for each unlabelled image: 10 with the sum, 1 with gumbel"
        )


class TestLimits:
    def test_images_of_somebodys_own_are_not_those_of_their_namesake(self):
        own = {"dataset": "mnist.npz", "dataset_sha256": "a" * 64}
        runs = [record(name, seed) for name in ("gumbel", "marginalize") for seed in (0, 1)]
        own_runs = [
            msgspec.structs.replace(run, config=msgspec.structs.replace(run.config, **own), split=f"{n:064x}")
            for n, run in enumerate(runs)
        ]
        assert "all seeds have the same test images" not in rendered(own_runs).text

    def test_the_first_classes_have_no_correction_for_all_of_them(self):
        runs = [record(name, seed, classes=5) for name in ("gumbel", "marginalize") for seed in (0, 1)]
        text = rendered(runs).text
        assert "share some" in text
        assert "Nadeau" not in text
        assert "999 unlabelled images of 10 classes, and their share of 100 labelled ones, a stratified" in text

    def test_images_of_somebodys_own_may_be_split_from_one_pool(self):
        own = {"dataset": "mine.npz", "dataset_sha256": "a" * 64}
        runs = [record(name, seed) for name in ("gumbel", "marginalize") for seed in (0, 1)]
        moved = [msgspec.structs.replace(run, config=msgspec.structs.replace(run.config, **own)) for run in runs]
        assert "Where the file has no test images of its own, every seed splits the same images" in rendered(moved).text

    def test_hard_images_are_those_of_several_objectives(self):
        assert "Hard images" not in rendered([record("gumbel", seed) for seed in (0, 1)]).text
        assert "Hard images" in rendered([record(name, 0) for name in ("gumbel", "marginalize")]).text

    def test_splits_of_one_pool_overlap_and_a_test_set_of_its_own_is_fixed(self):
        digits, mnist = (
            [record(name, seed, dataset=dataset) for name in ("gumbel", "marginalize") for seed in (0, 1)]
            for dataset in ("digits", "mnist")
        )
        assert "Nadeau and Bengio (2003)" in rendered(digits).text
        assert "as test images differ between seeds, in part" in rendered(digits).text
        assert "Nadeau" not in rendered(mnist).text
        assert "more seeds do not remove it" in rendered(mnist).text

    def test_pairs_are_counted_in_their_single_digits(self):
        """400 test digits; 100 labelled pairs of 200 digits, and 1,000 pairs in which 400 digits stand five times."""
        pairs = [
            record(name, seed, dataset="digits-pairs", labels=100)
            for name in ("gumbel", "marginalize")
            for seed in range(4)
        ]
        last = reading(3, 0.81)
        better = msgspec.structs.replace(pairs[0], test=msgspec.structs.replace(pairs[0].test, last=last))
        text = rendered([better, *pairs[1:]]).text
        assert "the labels of 300 validation images, in pairs, could choose the epoch, and do not" in text
        half = 3.18245 * 0.01 * (1 / 4 + 400 / 600) ** 0.5  # a quantile of Student's t with three degrees of freedom
        assert f"in points: gumbel +0.50 [{100 * (0.005 - half):+.2f}, {100 * (0.005 + half):+.2f}]." in text

    def test_the_error_of_a_finite_test_set(self):
        """79 % of 400: 1.96 sqrt(0.79 0.21 / 400) is 3.99 points."""
        assert (
            "one run's accuracy on all images of the kind lies between 74.74 and 82.71 % (binomial"
            in rendered([record("gumbel", 0)]).text
        )

    def test_images_that_every_run_gets_wrong(self):
        """Of ten images each run has three wrong, and one of them is wrong in all."""
        runs = [
            read_again(record(name, seed, dataset="mnist"), wrong=wrong)
            for name, seed, wrong in (
                *(("gumbel", 0, [0, 1, 2]), ("gumbel", 1, [2, 3, 4])),
                *(("marginalize", 0, [1, 2, 3]), ("marginalize", 1, [2, 5, 6])),
            )
        ]
        text = rendered(runs).text
        assert "10.00 % of the test images are wrong in all 4 runs" in text
        # by hand: means over seeds of (the sum is wrong - gumbel is wrong), image by image
        means = [-0.5, 0, 0, 0, -0.5, 0.5, 0.5, 0, 0, 0]
        assert f"in points (95 %): gumbel ± {196 * stdev(means) / 10**0.5:.2f}." in text

    def test_on_splits_of_one_pool_the_images_of_a_seed_are_counted(self):
        runs = [
            msgspec.structs.replace(read_again(record(name, seed), wrong=[seed, 9 - place]), split=f"{seed:064x}")
            for seed in (0, 1)
            for place, name in enumerate(("gumbel", "marginalize"))
        ]
        assert "10.00 % of the test images are wrong in all runs of a seed" in rendered(runs).text


def test_what_is_missing_has_the_settings_of_the_same_preset():
    """Also those that are an objective's own, as the temperatures of the article."""
    preset = build({"dataset": "mnist", "objective": "marginalize"}, preset="article")
    run = record("marginalize", 0, [0.5] * preset.epochs)
    folder = ReportFolder(Path("reports/mnist-100"))
    text = render_runs(folder, [msgspec.structs.replace(run, config=preset)]).text
    assert "Add gumbel with `gsm train-ssl --dataset mnist --objective gumbel --seeds 0 --preset article`." in text


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
        assert f"threads 1. {sentence}\n" in rendered(runs).text
