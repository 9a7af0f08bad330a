"""A search for settings: found in the records, answered on validation, with a row for every change."""

from itertools import product
from pathlib import Path

import pytest
from legible import assert_legible
from msgspec.structs import replace
from records_of import failed, record, steps_of, timed

from gsm_cli.analysis.choices import find_searches
from gsm_cli.analysis.contrasts import trained
from gsm_cli.analysis.groups import sort_records
from gsm_cli.estimator_settings import OwnSettings
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.run import RunRecord
from gsm_cli.reports.choices import HEADING
from gsm_cli.reports.run_report import render_runs
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


def rendered(records: list[RunRecord], kind: str = "settings"):
    return render_runs(ReportFolder(Path("reports/recipe")), records, kind=kind, steps=steps_of(records))


def found_in(records: list[RunRecord]):
    return find_searches(trained(sort_records(records, steps_of(records))))


def slower(records: list[RunRecord], factor: float) -> list[RunRecord]:
    """The same runs, whose epochs took so many times as long."""
    return [timed(each, processor_seconds=[factor * one for one in each.epochs.processor_seconds]) for each in records]


def test_the_base_is_what_the_others_depart_from_least():
    (found,) = found_in(searched())
    assert found.identity.label == "gumbel"
    assert found.base.config == runs("gumbel")[0].config
    assert found.settings == {"latent": 4, "learning_rate": 0.002, "weight_decay": 0.0}
    assert [trial.identity.label for trial in found.trials] == [
        "gumbel, learning_rate 0.004",
        "gumbel, latent 8",
        "gumbel, weight_decay 0.1",
    ]


def test_of_several_bases_that_with_the_most_runs():
    """In a grid over three settings every point could be the base."""
    points = product((4, 8), (0.002, 0.004), (0.0, 0.1))
    grid = [runs("gumbel", latent=a, learning_rate=b, weight_decay=c) for a, b, c in points]
    few = [run for own in grid[:-1] for run in own[:2]]
    (found,) = found_in([*few, *grid[-1]])
    assert found.base.config == grid[-1][0].config


def test_differences_are_of_validation_and_by_seed():
    records = searched()
    (found,) = found_in([*records[:3], *slower(records[3:], 1.5)])
    fast = found.trials[0]
    assert fast.differences == pytest.approx({0: 0.01, 1: 0.02, 2: 0.03})
    assert fast.difference.mean == pytest.approx(0.02)
    assert fast.difference.low == pytest.approx(0.02 - 4.302653 * 0.01 / 3**0.5)
    assert fast.series.validation.mean == pytest.approx(0.82)
    assert fast.faster.mean == 1.0  # whatever its rate, a step is the same
    assert found.trials[1].faster.mean == pytest.approx(1 / 1.5)
    assert found.best is fast


def test_the_base_may_be_the_best():
    records = [each for each in searched() if each.config.learning_rate != 0.004]
    worse = [run for change in ({"kl_start": 3}, {"clip": 1}) for run in runs("gumbel", (-0.01,) * 3, **change)]
    (found,) = found_in([*records, *worse])
    assert found.best is None


def test_a_tie_with_the_base_is_the_base():
    """Gains that come to nothing are none, whatever floating point makes of them."""
    changed = [run for name, value in CHANGES.items() for run in runs("gumbel", (0.01, 0.09, -0.1), **{name: value})]
    (found,) = found_in([*runs("gumbel"), *changed])
    assert found.trials[0].difference.mean > 0
    assert found.best is None


def test_a_lucky_seed_is_not_the_best():
    records = [each for each in searched() if each.config.latent == 4]
    lucky = record("gumbel", 1, (0.5, 0.95), latent=8)
    (found,) = found_in([*records, lucky])
    assert found.trials[0].identity.label == "gumbel, latent 8"
    assert found.best.identity.label == "gumbel, learning_rate 0.004"


def test_equal_differences_are_no_certainty():
    (found,) = found_in(searched())
    sure = found.trials[-1].difference
    assert sure.mean == pytest.approx(-0.04)
    assert sure.low < sure.mean < sure.high


def test_a_change_may_be_of_several_settings_and_of_the_objectives_own():
    records = [*searched(), *runs("gumbel", (0.05, 0.05, 0.05), tau=0.7, draws=2, batch_size=25)]
    (found,) = found_in(records)
    assert found.best.identity.label == "gumbel, batch_size 25, tau 0.7, draws 2"


def test_what_has_no_axis_is_a_search_too():
    """Of a grid every point could be the base, and the preset's is; of `none` and numbers no line has all."""
    grid = [(None, "layer"), (None, "batch"), (0.001, "layer"), (0.001, "batch")]
    points = [runs("gumbel", (0.01 * n,) * 3, weight_std=std, norm=norm) for n, (std, norm) in enumerate(grid)]
    (found,) = found_in([run for own in points for run in own])
    assert found.settings == {"norm": "layer", "weight_std": None}
    assert found.best.identity.label == "gumbel, norm batch, weight_std 0.001"
    stds = [runs("gumbel", weight_std=std) for std in (None, 0.001, 0.01, 0.1)]
    (found,) = found_in([run for own in stds for run in own])
    assert [trial.changed for trial in found.trials] == [{"weight_std": std} for std in (0.001, 0.01, 0.1)]
    assert found_in([run for own in stds[1:] for run in own]) == []


def test_versions_of_an_estimator_are_no_search():
    runs_of = {digit: OwnSettings(of="mine.py:Mine", sha256=64 * digit, values={}) for digit in "ab"}
    records = [(each, replace(each.config, estimator=own)) for own in runs_of.values() for each in runs("reinforce")]
    assert found_in([replace(each, config=config) for each, config in records]) == []


@pytest.mark.parametrize("fewer", CHANGES)
def test_fewer_changes_are_a_sweep(fewer):
    records = [each for each in searched() if getattr(each.config, fewer) != CHANGES[fewer]]
    assert found_in(records) == []
    together = {name: value for name, value in CHANGES.items() if name != fewer}
    assert found_in([*records, *runs("gumbel", **together)]) == []
    assert len(found_in([*records, *runs("gumbel", **CHANGES)])) == 1


def test_fewer_kinds_of_changes_are_none_however_many_settings_they_have():
    annealed = [runs("gumbel", tau=1, tau_min=0.5, tau_rate=rate) for rate in (1e-4, 1e-3)]
    taus = [runs("gumbel", tau=tau) for tau in (0.1, 0.5, 1)]
    assert found_in([run for own in (*annealed, *taus) for run in own]) == []


def test_a_grid_over_two_settings_is_a_map():
    grid = product((0.1, 0.2, 0.5, 1.0), (1, 2, 3))
    assert found_in([run for tau, draws in grid for run in runs("gumbel", tau=tau, draws=draws)]) == []


@pytest.mark.parametrize(
    ("other", "name"),
    [
        ({"labels": 50}, "labels 50"),
        ({"precision": "bf16"}, "precision bf16"),
        ({"classes": 5}, "classes 5"),
        ({"dataset": "mnist", "hidden": "128,128"}, "dataset mnist"),
    ],
)
def test_what_is_not_alike_is_not_compared(other, name):
    """Runs on other data or at another precision are a search of their own, and are named so."""
    found = found_in([*searched(), *searched(**other)])
    assert len(found) == 2
    assert f"gumbel, {name}" in {each.identity.label for each in found}
    assert len({trial.identity.label for each in found for trial in each.trials}) == 6
    assert found_in([*searched()[:9], *searched(**other)[9:]]) == []


def test_other_lengths_are_not_compared():
    longer = [record("gumbel", seed, (0.5, 0.6, 0.9)) for seed in range(3)]
    (found,) = found_in([*searched(), *longer])
    assert len(found.trials) == 3


def test_other_splits_and_seeds_are_not_compared():
    *records, last = searched()
    (found,) = found_in([*records, replace(last, split=64 * "1"), record("gumbel", 7, (0.5, 0.99), clip=1)])
    assert {trial.identity.label: sorted(trial.differences) for trial in found.trials} == {
        "gumbel, learning_rate 0.004": [0, 1, 2],
        "gumbel, latent 8": [0, 1, 2],
        "gumbel, weight_decay 0.1": [0, 1],
    }


class TestReport:
    def test_it_answers_first_where_the_name_was_chosen(self):
        found = rendered([*searched(), *searched("sum-and-sample")])
        assert found.title == "Digits with 100 labels: which settings are best?"
        assert found.answer == "2 of 6 changes of settings are told apart from the base on validation, none as better."
        row = "| gumbel | 12 | 1 of 3 | 2.48 | 80.00 [75.03, 84.97] | learning_rate 0.004 | 3 | +2.00 [-0.48, +4.48] |"
        assert row in found.text
        assert f"## {HEADING}" in found.details_text
        assert "The base of gumbel: latent 4, learning_rate 0.002 and weight_decay 0." in found.details_text
        assert "| gumbel | 3 | 80.00 [75.03, 84.97] | – | – |" in found.details_text
        row = "| gumbel, latent 8 | 3 | 80.00 [75.70, 84.30] | +0.00 [-2.48, +2.48] | 1.00 [1.00, 1.00] |"
        assert row in found.details_text

    def test_a_base_that_is_best_is_said_with_what_ties(self):
        records = [each for each in searched() if each.config.learning_rate != 0.004]
        found = rendered([*records, *runs("gumbel", (-0.03, -0.03, -0.03), kl_start=3)])
        assert found.answer == "2 of 3 changes of settings are told apart from the base on validation, none as better."
        assert "| a tie with gumbel, latent 8 |" in found.text

    def test_it_says_how_many_are_told_apart(self):
        unsure = runs("gumbel", (-0.02, 0.0, -0.02), kl_start=3)
        records = [each for each in searched() if each.config.weight_decay != 0.1]
        assert "None of 3 changes of settings is told apart" in rendered([*records, *unsure]).answer
        surely = runs("gumbel", (0.06, 0.06, 0.06), kl_start=3)
        told = rendered([*records, *surely]).answer
        assert told.startswith("1 of 3 changes of settings is told apart from the base on validation; ")
        assert told.endswith("the greatest gain is +6.00 points, gumbel (kl_start 3).")
        assert "None of 2 changes of settings is told apart" in rendered([*records, surely[0]]).answer

    def test_one_seed_of_each_change_gives_no_interval(self):
        alone = [each for each in searched() if each.config.seed == 0]
        assert rendered(alone).answer == "Undecided: one seed of a change gives no interval."
        assert "| gumbel | 4 | 0 of 3 | 80.00 |" in rendered(alone).text

    def test_what_has_a_row_has_no_other_and_no_line_of_two_values(self):
        found = rendered(searched()).details_text
        assert "## Runs with other" not in found
        assert "## Runs with other" in rendered([*searched(), *runs("marginalize", labels=50)]).details_text

    def test_what_failed_or_collapsed_is_shown(self):
        records = [each for each in searched() if (each.config.latent, each.config.seed) != (8, 2)]
        bad = replace(failed("gumbel", 2), config=runs("gumbel", latent=8)[2].config)
        assert "| 2 (+ 1 failed) |" in rendered([*records, bad]).details_text
        whole = searched()[-1]
        stuck = replace(whole, test=replace(whole.test, last=replace(whole.test.last, modal=400)))
        named = "| gumbel, latent 4, learning_rate 0.002, weight_decay 0.1 |"
        assert named in rendered([*searched()[:-1], stuck]).details_text

    def test_three_values_of_a_setting_are_rows_of_it_alone(self):
        found = rendered([*searched(), *runs("gumbel", learning_rate=0.008)])
        assert "gumbel, learning_rate 0.008" in found.details_text
        assert found.title.endswith("which settings are best?")

    def test_a_sweep_beside_it_is_in_the_details(self):
        taus = [run for tau in (0.1, 0.5) for run in runs("straight-through-gumbel", (tau / 10,) * 3, tau=tau)]
        found = rendered([*searched(), *taus])
        assert found.title.endswith("which settings are best?")
        assert "## Against the temperature" in found.details_text
        lengths = [record("gumbel", seed, (0.5, 0.6, 0.9)) for seed in range(3)]
        assert "The first to reach a test accuracy" in rendered([*searched(), *lengths]).details_text

    def test_a_chosen_name_alone_makes_it_a_search(self):
        found = rendered(searched(), "comparison")
        assert HEADING not in found.details_text
        assert "## Runs with other" in found.details_text

    def test_the_sum_is_compared_as_well_where_it_was_trained(self):
        found = rendered([*searched(), *searched("marginalize")])
        assert "## Differences from the sum" in found.details_text

    def test_a_picture_of_no_difference_at_all(self):
        equal = [run for name, value in CHANGES.items() for run in runs("gumbel", **{name: value})]
        with house_style():
            (picture,) = [each for each in rendered([*runs("gumbel"), *equal]).pictures if each.name == "changes"]
            low, high = picture.draw().axes[0].get_xlim()
        assert low < -0.2
        assert high > 0.2

    def test_its_picture_has_a_row_for_every_change(self):
        with house_style():
            found = rendered([*searched(), *searched("sum-and-sample")])
            (picture,) = [each for each in found.pictures if each.name == "changes"]
            figure = picture.draw()
            assert [row.identity.label for row in picture.facts[0].lines][:2] == [
                "gumbel, learning_rate 0.004",
                "gumbel, latent 8",
            ]
            assert len(picture.facts[0].lines) == 6
            assert figure.axes[0].get_xlabel() == "points of validation accuracy, minus the base's"
            assert_legible(figure)
