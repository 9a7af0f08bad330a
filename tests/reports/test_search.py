"""A search for settings: found in the records, answered on validation, with a row for every change."""

from itertools import product
from pathlib import Path

import pytest
from legible import assert_legible
from msgspec.structs import replace
from records_of import record

from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.run import RunRecord
from gsm_cli.reports.groups import sort_records
from gsm_cli.reports.runs import render_runs
from gsm_cli.reports.sweeps.search import HEADING, find_searches
from gsm_cli.style import house_style

SHIFTS = (0.0, 0.02, -0.02)  # of the seeds, the same with all settings
CHANGES = {"learning_rate": 0.004, "latent": 8, "weight_decay": 0.1}
GAINS = {"learning_rate": (0.01, 0.02, 0.03), "latent": (-0.01, 0.0, 0.01), "weight_decay": (-0.04, -0.04, -0.04)}


def runs(objective: str, gains: tuple[float, ...] = (0.0, 0.0, 0.0), **settings: object) -> list[RunRecord]:
    """Three seeds whose validation accuracy is 0.8 and a gain."""
    return [
        record(objective, seed, (0.5, 0.8 + shift + gain), **settings)
        for seed, (shift, gain) in enumerate(zip(SHIFTS, gains, strict=True))
    ]


def searched(objective: str = "gumbel", **settings: object) -> list[RunRecord]:
    """The base, and each change by itself."""
    changed = [runs(objective, GAINS[name], **{name: value}, **settings) for name, value in CHANGES.items()]
    return [*runs(objective, **settings), *(run for own in changed for run in own)]


def rendered(records: list[RunRecord], name: str = "recipe"):
    return render_runs(ReportFolder(Path("reports") / name), records)


def test_the_base_is_what_the_others_depart_from_least():
    for records in (searched(), searched()[::-1]):
        (found,) = find_searches(sort_records(records))
        assert found.base.name == "gumbel"
        assert found.base.series.config == runs("gumbel")[0].config
        assert {trial.name for trial in found.others} == {
            "gumbel, learning_rate 0.004",
            "gumbel, latent 8",
            "gumbel, weight_decay 0.1",
        }


def test_differences_are_of_validation_and_by_seed():
    (found,) = find_searches(sort_records(searched()))
    trials = {trial.name: trial for trial in found.others}
    fast = trials["gumbel, learning_rate 0.004"]
    assert fast.differences == pytest.approx({0: 0.01, 1: 0.02, 2: 0.03})
    assert fast.difference.mean == pytest.approx(0.02)
    assert fast.difference.low == pytest.approx(0.02 - 4.302653 * 0.01 / 3**0.5)
    assert fast.validation.mean == pytest.approx(0.82)
    assert fast.factor == 1.0
    assert found.best is fast


def test_the_base_may_be_the_best():
    records = [each for each in searched() if each.config.learning_rate != 0.004]
    (found,) = find_searches(sort_records([*records, *runs("gumbel", (-0.01, -0.01, -0.01), kl_start=3)]))
    assert found.best is found.base


def test_a_change_may_be_of_several_settings_and_of_the_objectives_own():
    records = [*searched(), *runs("gumbel", (0.05, 0.05, 0.05), tau=0.7, draws=2, batch_size=25)]
    (found,) = find_searches(sort_records(records))
    assert found.best.name == "gumbel, batch_size 25, tau 0.7, draws 2"


@pytest.mark.parametrize("fewer", CHANGES)
def test_fewer_changes_are_a_sweep(fewer):
    records = [each for each in searched() if getattr(each.config, fewer) != CHANGES[fewer]]
    assert find_searches(sort_records(records)) == []


def test_a_grid_over_two_settings_is_a_map():
    grid = product((0.1, 0.2, 0.5, 1.0), (1, 2, 3))
    records = [run for tau, draws in grid for run in runs("gumbel", tau=tau, draws=draws)]
    assert find_searches(sort_records(records)) == []


@pytest.mark.parametrize("other", [{"labels": 50}, {"precision": "bf16"}, {"classes": 5}])
def test_what_is_not_alike_is_not_compared(other):
    """Runs on other data or at another precision are a search of their own."""
    assert len(find_searches(sort_records([*searched(), *searched(**other)]))) == 2
    assert find_searches(sort_records([*searched()[:9], *searched(**other)[9:]])) == []


def test_other_splits_are_not_compared():
    *records, last = searched()
    (found,) = find_searches(sort_records([*records, replace(last, split=64 * "1")]))
    assert [sorted(trial.differences) for trial in found.others if "weight_decay" in trial.name] == [[0, 1]]


class TestReport:
    def test_it_answers_first_where_the_name_was_chosen(self):
        found = rendered([*searched(), *searched("sum-and-sample")])
        assert found.title == "Digits with 100 labels: which settings are best?"
        assert found.answer == (
            "Best on validation: gumbel, learning_rate 0.004, +2.00 [-0.48, +4.48] points from the base (3 seeds), of "
            "4 settings; sum-and-sample, learning_rate 0.004, +2.00 [-0.48, +4.48] points from the base (3 seeds), of "
            "4 settings."
        )
        assert f"## {HEADING}" in found.text
        assert "The base of gumbel: latent 4, learning_rate 0.002 and weight_decay 0." in found.text
        assert "| gumbel | 3 | 80.00 [75.03, 84.97] | – | – |" in found.text
        assert "| gumbel, latent 8 | 3 | 80.00 [75.70, 84.30] | +0.00 [-2.48, +2.48] | 1.00 |" in found.text
        assert "nothing to compare" not in found.text

    def test_the_base_that_is_best_is_said_with_its_accuracy(self):
        records = [each for each in searched() if each.config.learning_rate != 0.004]
        found = rendered([*records, *runs("gumbel", (-0.01, -0.01, -0.01), kl_start=3)])
        assert found.answer == (
            "Best on validation: gumbel with the settings of the base, 80.00 [75.03, 84.97] %, of 4 settings."
        )

    def test_what_has_a_row_has_no_section_and_no_line_of_two_values(self):
        found = rendered(searched())
        assert "## Runs with" not in found.text
        assert "## What was swept" not in found.text
        assert "## Runs with" in rendered([*searched(), *runs("marginalize", labels=50)]).text

    def test_a_chosen_name_alone_makes_it_a_search(self):
        found = rendered(searched(), "digits-100")
        assert HEADING not in found.text
        assert "## Runs with" in found.text

    def test_the_sum_is_compared_as_well_where_it_was_trained(self):
        found = rendered([*searched(), *searched("marginalize")])
        assert "One Gumbel-Softmax sample" in found.text

    def test_its_picture_has_a_row_for_every_change(self):
        with house_style():
            found = rendered([*searched(), *searched("sum-and-sample")])
            (picture,) = [each for each in found.pictures if each.name == "changes"]
            figure = picture.draw()
            assert len(picture.facts.rows) == 6
            assert figure.axes[0].get_xlabel() == "points of validation accuracy, minus the base's"
            assert_legible(figure)
