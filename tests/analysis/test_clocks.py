"""Seconds of training: updates times a step that was timed, with the interval of a ratio over rounds."""

import re
from math import exp, log
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from records_of import ABACUS, batch, record, steps_of, timed
from scipy import stats

from gsm_cli.analysis.groups import sort_records
from gsm_cli.analysis.series import Clock, Series, clocks
from gsm_cli.analysis.statistics import summarize_ratios
from gsm_cli.records.cost import step_key
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.curves import accuracy_panels
from gsm_cli.reports.run_report import render_runs

PAIR = batch({"marginalize": [0.0, 0.0], "gumbel": [0.0, 0.04]})
FACTORS = (0.9, 1.0, 1.2)  # of Gumbel's steps in three rounds, against the sum's


def series(records, steps) -> dict[str, Series]:
    return {each.label: each for group in sort_records(records, steps) for each in group.series}


def rendered(records, steps=None) -> str:
    report = render_runs(ReportFolder(Path("reports/digits-100")), records, steps=steps)
    return report.text + report.details_text


def slow(run):
    """The same run, whose training took a hundred times as long."""
    long = [100 * each for each in run.epochs.seconds]
    return timed(run, long, long)


class TestSeries:
    def test_seconds_are_updates_times_the_step(self):
        found = series(PAIR, steps_of(PAIR))
        assert [found[name].seconds_per_epoch for name in ("marginalize", "gumbel")] == pytest.approx([4.0, 2.0])
        assert found["gumbel"].seconds_so_far == pytest.approx([2.0, 4.0, 6.0])

    def test_they_are_geometric_means_over_rounds(self):
        found = series(PAIR, steps_of(PAIR, FACTORS))
        assert found["gumbel"].seconds_per_epoch == pytest.approx(2.0 * float(stats.gmean(FACTORS)))

    def test_a_speed_up_is_a_ratio_round_by_round(self):
        found = series(PAIR, steps_of(PAIR, FACTORS))
        faster = found["gumbel"].times_as_fast(found["marginalize"])
        logs = [log(2 / factor) for factor in FACTORS]
        low, high = stats.ttest_1samp(logs, 0.0).confidence_interval(0.95)
        expected = (exp(np.mean(logs)), exp(low), exp(high))
        assert (faster.mean, faster.low, faster.high) == pytest.approx(expected)
        slower = found["marginalize"].times_as_fast(found["gumbel"])
        assert (slower.mean, slower.low) == pytest.approx((1 / faster.mean, 1 / faster.high))

    def test_one_round_has_no_interval(self):
        found = series(PAIR, steps_of(PAIR, (1.0,)))
        faster = found["gumbel"].times_as_fast(found["marginalize"])
        assert (faster.mean, faster.low, faster.high) == (pytest.approx(2.0), None, None)

    def test_without_a_step_there_are_none(self):
        known = [run for run in PAIR if run.config.objective == "gumbel"]
        for steps, known_of in ((None, []), (steps_of(known), ["gumbel"])):
            found = series(PAIR, steps)
            assert [name for name, each in found.items() if each.seconds_per_epoch] == known_of
            assert found["marginalize"].seconds_so_far == []
            assert found["gumbel"].times_as_fast(found["marginalize"]) is None
            assert found["gumbel"].times_as_fast(None) is None

    def test_what_leaves_a_step_as_it_is_shares_its_time(self):
        steps = steps_of([record("gumbel", 0), record("sparse-marginalize", 0)])
        same = [record("gumbel", 7, [0.5] * 9, tau=0.1, kl_start=3.0), record("sparse-marginalize", 0, threshold=0.1)]
        assert all(each.seconds_per_epoch for each in series(same, steps).values())
        for other in ({"batch_size": 100}, {"mc_samples": 2}, {"draws": 3}, {"latent": 8}, {"precision": "bf16"}):
            assert step_key(record("gumbel", 0, **other).config) != step_key(record("gumbel", 0).config)
            (alone,) = series([record("gumbel", 0, **other)], steps).values()
            assert alone.seconds_per_epoch is None

    def test_a_sparse_sum_is_read_off_at_its_own_evaluations(self):
        """Its step takes s at one class and e s at e of them, and its epochs evaluate 4, 1.25 and 1."""
        run = record("sparse-marginalize", 0)
        run = replace(run, epochs=replace(run.epochs, evaluations=[4.0, 1.25, 1.0]))
        (found,) = series([run], steps_of([run])).values()
        assert found.seconds_so_far == pytest.approx([8.0, 10.5, 12.5])
        assert found.seconds_per_epoch == pytest.approx(12.5 / 3)

    @pytest.mark.parametrize(("device", "threads", "share"), [("cpu", 1, 0.99), ("cpu", 2, 1.0), ("cuda", 1, 1.0)])
    def test_one_thread_is_timed_by_its_processor(self, device, threads, share):
        """Which works 99 % of the time of the clock."""
        steps = steps_of(PAIR, machine=replace(ABACUS, device=device, threads=threads))
        assert series(PAIR, steps)["gumbel"].seconds_per_epoch == pytest.approx(2.0 * share / 0.99)


class TestClock:
    CLOCK = Clock([[(1.0, 0.1), (2.0, 0.3)], [(1.0, 0.2), (2.0, 0.4)]], "")

    def test_between_two_measurements_lies_a_straight_line(self):
        assert self.CLOCK.seconds([1.0, 1.5, 2.0]) == pytest.approx(np.array([[0.1, 0.2, 0.3], [0.2, 0.3, 0.4]]))

    def test_outside_it_stays_what_was_measured_last(self):
        assert self.CLOCK.seconds([0.5, 9.0]) == pytest.approx(np.array([[0.1, 0.3], [0.2, 0.4]]))

    def test_rows_may_stand_in_any_order(self):
        steps = steps_of([record("sparse-marginalize", 0)], FACTORS)
        assert clocks(steps) == clocks(replace(steps, rows=steps.rows[::-1]))


def test_the_interval_of_a_ratio_holds_in_95_of_100_measurements():
    """The machine drifts by a tenth between rounds, which both steps share, and each turn by 3 % of its own."""
    rng, trials, rounds = np.random.default_rng(0), 4_000, 5
    drift = np.exp(0.1 * rng.standard_normal((trials, rounds)))
    dear, cheap = (mean * drift * np.exp(0.03 * rng.standard_normal((trials, rounds))) for mean in (2.0, 1.0))
    found = [summarize_ratios(one.tolist(), other.tolist()) for one, other in zip(dear, cheap, strict=True)]
    covered = np.mean([each.low < 2.0 < each.high for each in found])
    assert abs(covered - 0.95) < 4 * (0.95 * 0.05 / trials) ** 0.5
    wide = float(np.mean([each.high - each.low for each in found]))
    assert wide < 0.25  # drift is in no interval: unpaired it would be three times as wide


class TestReport:
    def test_the_clocks_of_trainings_decide_nothing(self):
        steps = steps_of(PAIR)
        assert rendered([*map(slow, PAIR)], steps) == rendered(PAIR, steps)
        assert rendered([*map(slow, PAIR)]) == rendered(PAIR)

    def test_without_steps_it_has_epochs_and_the_command_that_brings_seconds(self):
        text = rendered(PAIR)
        assert "Seconds: on an idle machine `gsm cost --for reports/digits-100` times" in text
        lacking = text.replace("Seconds: on an idle", "")
        assert not [word for word in ("s / epoch", "speed-up", "econds", "as fast") if word in lacking]

    def test_runs_of_other_settings_than_the_steps_are_named(self):
        others = [record("gumbel", seed, batch_size=100) for seed in (0, 1)]
        text = rendered([*PAIR, *others, record("reinforce", 0)], steps_of(PAIR))
        names = "reinforce (batch_size 50) and gumbel (batch_size 100)"
        assert (
            f"Seconds of {names}, whose settings steps.json does not have: on an idle machine "
            "`gsm cost --for reports/digits-100 --force` times all steps anew."
        ) in text
        assert re.search(r"^\| reinforce \| 1 \| 79.00 \|.*\| – \| – \|$", text, re.MULTILINE)

    def test_a_busy_machine_is_told(self):
        steps = steps_of(PAIR)
        busy = replace(steps, load=2.5, rows=[replace(row, seconds=2 * row.seconds) for row in steps.rows])
        assert "An idle machine" not in rendered(PAIR, steps)
        assert "it had a load of 2.5 before and gave the steps 50 % of the time; on an idle" in rendered(PAIR, busy)
        several = replace(busy, environment=replace(ABACUS, threads=2), load=None)
        assert several.disturbances == []

    def test_the_command_and_the_machine_of_the_steps_are_told(self):
        text = rendered(PAIR, steps_of(PAIR, machine=replace(ABACUS, kernels="COGS")))
        assert "\n$ gsm cost --for reports/digits-100 --rounds 2\n" in text
        assert "Of the steps that were timed: gsm 0.0.0, python 3.11," in text
        assert "each as long as its step, measured in turns, 2 rounds, on cpu (COGS), 1 thread" in text

    def test_facts_have_the_speed_up_with_its_interval(self):
        report = render_runs(ReportFolder(Path("reports/digits-100")), PAIR, steps=steps_of(PAIR, FACTORS))
        (group,) = report.facts["groups"]
        faster = group["speed_ups"]["gumbel"]
        assert (group["seconds"]["marginalize"], group["speed_ups"]["marginalize"]["mean"]) == pytest.approx((4.0, 1.0))
        assert faster["low"] < faster["mean"] < faster["high"]
        untimed = render_runs(ReportFolder(Path("reports/digits-100")), PAIR).facts["groups"][0]
        assert (untimed["seconds"]["gumbel"], untimed["speed_ups"]["gumbel"]) == (None, None)

    def test_curves_of_steps_that_were_not_timed_are_in_the_left_half(self):
        known = [run for run in PAIR if run.config.objective == "gumbel"]
        (group,) = sort_records(PAIR, steps_of(known))
        assert [len(panel.lines) for panel in accuracy_panels(group)] == [2, 1]
