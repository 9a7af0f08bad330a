"""`gsm compare`: two folders of records, series by series and seed by seed."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace
from records_of import SIX, batch, cost_record, failed, record
from scipy import stats

from gsm_cli.analysis.compare import Matches, match
from gsm_cli.records.layout import ReportFolder

LOSS = [0.02, 0.01, 0.02, 0.03, 0.02, 0.01]  # of the second folder's gumbel, seed by seed


def save(folder: Path, runs) -> None:
    for each in runs:
        each.save(ReportFolder(folder).record(each.config.name))


def worse():
    """The runs of SIX, with less log p(x) and a gumbel that is less accurate."""
    losses = {"gumbel": [one - loss for one, loss in zip(SIX["gumbel"], LOSS, strict=True)]}
    return [
        replace(
            run, test=replace(run.test, bound=run.test.bound and replace(run.test.bound, mean=-25.5 - run.config.seed))
        )
        for run in batch({**SIX, **losses})
    ]


@pytest.fixture
def two(folder) -> None:
    save(folder / "reports/digits-100", batch(SIX))
    runs = [run for run in worse() if run.config.objective != "supervised"]
    save(folder / "try", [*runs, *batch({"reinforce": [0.0]})])


def test_differences_are_those_of_scipy_over_common_seeds():
    first, second = batch(SIX), [*worse()[:-1], record("supervised", 9)]
    pairs = {pair.label: pair for pair in match(first, second[3:]).pairs}
    assert list(pairs) == list(SIX)
    gumbel = pairs["gumbel"]
    low, high = stats.t.interval(0.95, 5, -np.mean(LOSS), stats.sem(LOSS))
    assert gumbel.comparison.seeds == (0, 1, 2, 3, 4, 5)
    assert (gumbel.comparison.summary.low, gumbel.comparison.summary.high) == pytest.approx((low, high))
    assert gumbel.second - gumbel.first == pytest.approx(-np.mean(LOSS))
    differences = [-0.5 - seed for seed in range(6)]
    low, high = stats.t.interval(0.95, 5, np.mean(differences), stats.sem(differences))
    assert (gumbel.log_p.mean, gumbel.log_p.low, gumbel.log_p.high) == pytest.approx((np.mean(differences), low, high))
    assert pairs["marginalize"].comparison.seeds == (3, 4, 5)
    assert pairs["supervised"].log_p is None
    assert {label: pair.worse for label, pair in pairs.items()} == {label: label == "gumbel" for label in SIX}


def test_the_first_and_the_second_are_mirrored():
    ours, theirs = match(batch(SIX), worse()), match(worse(), batch(SIX))
    for one, other in zip(ours.pairs, theirs.pairs, strict=True):
        assert one.comparison.summary.mean == -other.comparison.summary.mean
        assert (one.first, one.second) == (other.second, other.first)
    assert not any(pair.worse for pair in theirs.pairs)


def test_what_only_one_has():
    """A seed of another split or a failed run is in common with nothing, nor is a series of other settings."""
    runs = [record("gumbel", seed) for seed in range(4)]
    others = [replace(runs[0], split="1" * 64), failed("gumbel", 1), *runs[2:], record("gumbel", 5, tau=0.9)]
    found = match(runs, others)
    (pair,) = found.pairs
    assert (pair.label, pair.comparison.seeds) == ("gumbel (tau 0.5)", (2, 3))
    assert found.only_first == {"gumbel (tau 0.5)": [0, 1]}
    assert found.only_second == {"gumbel (tau 0.5)": [0], "gumbel (tau 0.9)": [5]}


def test_runs_of_other_lengths_are_other_series():
    found = match([record("gumbel", 0), record("gumbel", 0, (0.5, 0.7))], [record("gumbel", 0)])
    assert [pair.label for pair in found.pairs] == ["gumbel (epochs 3)"]
    assert found.only_first == {"gumbel (epochs 2)": [0]}


def test_one_seed_is_never_worse():
    (pair,) = match([record("gumbel", 0, (0.5, 0.9))], [record("gumbel", 0, (0.5, 0.6))]).pairs
    assert (pair.comparison.summary.low, pair.worse) == (None, False)


def test_a_table_and_a_sentence_for_each(gsm, two):
    result = gsm("compare", "digits-100", "try")
    assert (result.exit_code, result.stderr.count("\n")) == (0, 1)
    blocks = result.stdout.rstrip().split("\n\n")
    assert blocks[0] == "A is reports/digits-100, and B is try."
    rows = dict(line[2:-2].split(" | ", 1) for line in blocks[1].splitlines())
    assert rows["gumbel"].startswith("6 | 90.58 | 88.75 | -1.83 [-2.62, -1.04] | -3.00 [")
    assert list(rows)[2:] == ["marginalize", "gumbel", "straight-through-gumbel"]
    assert blocks[3:] == [
        "Only reports/digits-100 has supervised (seeds 0-5).",
        "Only try has reinforce (seed 0).",
    ]


def test_json_has_its_numbers_and_both_folders(gsm, two):
    result = gsm("compare", "reports/digits-100", "try", "--json")
    found = json.loads(result.stdout)
    matches = msgspec.convert(found["results"], Matches)
    assert (found["command"], found["files"]) == ("compare", ["reports/digits-100", "try"])
    assert [(pair.label, pair.worse) for pair in matches.pairs if pair.worse] == [("gumbel", True)]
    assert matches.only_first == {"supervised": [0, 1, 2, 3, 4, 5]}
    assert found["results"]["pairs"][1]["comparison"]["summary"]["mean"] == -0.0183333


def test_fail_if_worse_prints_the_table_all_the_same(gsm, two):
    result = gsm("compare", "digits-100", "try", "--fail-if-worse")
    assert result.exit_code == 1
    assert "| gumbel | 6 |" in result.stdout
    assert result.stderr.endswith(
        "gsm: no series of try may be worse than in reports/digits-100, and gumbel is: see why\n"
    )
    assert gsm("compare", "try", "digits-100", "--fail-if-worse").exit_code == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("digits-100", "nowhere"),
            "needs records of runs, and nowhere has none: name the folder of a report on runs",
        ),
        (("empty", "try"), "needs records of runs, and empty has none: name the folder of a report on runs"),
        (("try", "cost"), "needs records of runs, and reports/cost has none"),
        (
            ("try", "other"),
            "in common, with the same data set, settings, seeds and splits, and try and other",
        ),
        (("damaged", "try"), "must be a whole record, and is not"),
    ],
)
def test_errors_are_a_sentence(gsm, folder, two, words, sentence):
    (folder / "empty").mkdir()
    save(folder / "other", [record("gumbel", 77)])
    costs = cost_record(gumbel={2: [1, 2]})
    costs.save(ReportFolder(folder / "reports/cost").record(costs.plan.name))
    (folder / "damaged/records").mkdir(parents=True)
    (folder / "damaged/records/gumbel-07e74f12-0.json").write_text("{")
    result = gsm("compare", *words)
    assert (result.exit_code, result.stdout) == (2 if "in common" in sentence else 3, "")
    *_, line = result.stderr.splitlines()
    assert sentence in line
