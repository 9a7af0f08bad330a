"""What a group of runs decides: rulings, margins, roles, the seeds that are missing, and the words for them."""

import dataclasses
import re
from math import inf, sqrt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from records_of import SIX, batch, failed, reading, record, steps_of
from scipy import stats

from gsm_cli.analysis.groups import Group, sort_records
from gsm_cli.analysis.statistics import Comparison, Summary, fewest_seeds, holm, summarize
from gsm_cli.analysis.verdict import Judgement, analyse_group, deciding_seeds, default_margin, rule
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.run import RunRecord
from gsm_cli.reports.page import Report
from gsm_cli.reports.run_report import render_runs


def group_of(*records: RunRecord) -> Group:
    (group,) = sort_records(records)
    return group


def judged(records: list[RunRecord], margin: float = 0.01) -> dict[str, Judgement]:
    return {each.series.label: each for each in analyse_group(group_of(*records), margin).judgements}


def rendered(records: list[RunRecord], margin: float | None = None) -> Report:
    return render_runs(ReportFolder(Path("reports/digits-100")), records, margin=margin)


def whole(records: list[RunRecord], margin: float | None = None) -> str:
    """The page and the details."""
    report = rendered(records, margin)
    return report.text + report.details_text


@pytest.mark.parametrize(
    ("low", "high", "p_value", "ruling"),
    [
        (-0.0099, 0.02, 1.0, "no worse"),
        (-0.005, 0.002, 1.0, "no worse"),
        (-0.009, -0.001, 0.001, "no worse"),  # a loss, and less than the margin
        (0.001, 0.02, 0.05, "no worse"),
        (-0.01, 0.02, 1.0, "undecided"),
        (-0.009951, 0.02, 1.0, "undecided"),  # reads -1.00
        (-0.02, -0.001, 0.05, "worse"),
        (-0.02, -0.001, 0.051, "undecided"),  # the test does not agree
        (-0.02, 0.0, 0.01, "undecided"),  # the interval does not agree
        (-0.02, -0.00004, 0.01, "undecided"),  # reads -0.00
        (None, None, 1.0, "undecided"),
    ],
)
def test_what_interval_and_test_decide(low, high, p_value, ruling):
    assert rule(Summary(0.0, 0.01, low, high), p_value, 0.01) == ruling


class TestMargin:
    @pytest.mark.parametrize(
        ("accuracy", "margin"),
        [(0.5, 0.01), (0.96, 0.01), (0.9673, 0.008), (0.98, 0.005), (0.99, 0.002), (0.9999, 0.001), (1.0, 0.001)],
    )
    def test_a_quarter_of_the_errors_and_at_most_a_point(self, accuracy, margin):
        assert default_margin(accuracy) == pytest.approx(margin)

    @given(st.floats(0.0, 0.995))
    def test_is_never_more_than_that(self, accuracy):
        assert 0.0 < default_margin(accuracy) <= min(0.01, 0.25 * (1 - accuracy)) + 1e-9

    def test_is_told_in_errors(self):
        """The sum is right for 0.9 + 0.0079 of 400: 37 errors, and a point more is four."""
        share = "a quarter of the sum's errors, from 0.1 to 1 point"
        assert f"{share}: with it 37 errors of the sum become 41 of 400 images." in whole(batch(SIX))

    def test_of_less_than_an_image_says_so_and_one_error_is_one(self):
        runs = [record(name, seed) for name in ("marginalize", "gumbel") for seed in range(2)]
        good = [replace(each, test=replace(each.test, last=reading(3, 399 / 400))) for each in runs]
        assert "The margin is 0.1 points" in whole(good)
        assert "with it 1 error of the sum become 3 of 400 images" in whole(good, 0.005)

    def test_may_be_named_and_is_then_everywhere(self):
        report = rendered(batch(SIX), 0.005)
        assert report.answer.startswith(
            "Undecided: whether one Gumbel-Softmax sample loses more than 0.5 points"
        )  # to -0.63
        assert "named for this report: with it 37 errors of the sum become 39 of 400 images" in report.details_text
        assert "lies above a loss of 0.5 points, the *margin*" in report.text
        assert report.pictures[0].facts[0].margin == 0.5

    def test_follows_from_the_sum_alone(self):
        assert analyse_group(group_of(record("gumbel", 0))).margin is None
        assert analyse_group(group_of(record("marginalize", 0), record("gumbel", 0))).margin.errors == 84


class TestRoles:
    def test_gumbel_is_primary_and_tested_by_itself(self):
        found = judged(batch({**SIX, "reinforce": SIX["gumbel"], "reinmax": SIX["straight-through-gumbel"]}))
        roles = {name: each.role for name, each in found.items()}
        assert list(roles) == ["gumbel", "straight-through-gumbel", "reinmax", "reinforce"]
        assert list(roles.values()) == ["primary", *["secondary"] * 3]
        assert found["gumbel"].p_value == found["gumbel"].comparison.p_value

    def test_secondary_ones_are_corrected_together(self):
        names = ("straight-through-gumbel", "reinmax", "reinforce")
        found = judged(batch({**SIX, "reinforce": SIX["gumbel"], "reinmax": SIX["straight-through-gumbel"]}))
        raw = [found[name].comparison.p_value for name in names]
        assert [found[name].p_value for name in names] == pytest.approx(holm(raw))
        assert found["straight-through-gumbel"].comparison.p_value == 0.03125
        assert found["straight-through-gumbel"].ruling == "undecided"
        assert judged(batch(SIX))["straight-through-gumbel"].ruling == "worse"

    def test_other_temperatures_are_exploratory_and_in_no_answer(self):
        others = [record("gumbel", seed, (0.5, 0.7, 0.99), tau=0.1) for seed in range(6)]
        records = [*batch({name: SIX[name] for name in ("marginalize", "gumbel")}), *others]
        found = judged(records)
        assert [(each.series.label, each.role) for each in found.values()] == [
            ("gumbel, tau 0.5", "primary"),
            ("gumbel, tau 0.1", "exploratory"),
        ]
        report = rendered(records)
        assert report.answer.startswith("Yes: one Gumbel-Softmax sample loses less than 1 point")
        (row,) = [line for line in report.text.splitlines() if line.startswith("| gumbel, tau 0.1 |")]
        assert "| not tested |" in row
        assert "| gumbel, tau 0.1 | exploratory" not in report.details_text

    def test_an_exploratory_one_is_tested_by_itself(self):
        """A loss beyond the margin: seeds decide that it is worse, and how many depends on the family."""
        records = batch({"marginalize": [0.0] * 6, "gumbel": [0.0] * 6})
        records += [record("gumbel", seed, (0.5, 0.7, 0.89 + 0.03 * (-1) ** seed), tau=0.1) for seed in range(6)]
        found = judged(records)["gumbel, tau 0.1"]
        assert (found.role, found.ruling) == ("exploratory", "undecided")
        assert (found.seeds, found.likely) == deciding_seeds(found.comparison, 0.01, 1)
        assert deciding_seeds(found.comparison, 0.01, 1) != deciding_seeds(found.comparison, 0.01, 2)

    def test_the_floor_is_no_candidate(self):
        assert "supervised" not in judged(batch(SIX))
        assert "supervised" not in rendered(batch(SIX)).answer

    def test_without_gumbel_the_others_are_judged(self):
        report = rendered(batch({name: SIX[name] for name in ("marginalize", "straight-through-gumbel")}))
        assert report.answer == "straight-through-gumbel is worse than the sum on these images."

    def test_failures_are_compared_with_nothing(self):
        records = [record("marginalize", 0), record("gumbel", 1), failed("gumbel", 0)]
        report = rendered(records)
        assert report.answer == (
            "There is nothing to compare yet: no objective has a seed with the same split in common with the sum."
        )
        assert "$ gsm train-ssl --dataset digits --objective marginalize --seeds 1 --epochs 3\n" in report.text

    def test_what_failed_is_not_asked_for_again(self):
        records = [record("marginalize", seed) for seed in (3, 4)]
        some = rendered([*records, failed("gumbel", 3)]).text
        assert "$ gsm train-ssl --dataset digits --objective gumbel --seeds 4 --epochs 3\n" in some
        both = rendered([*records, failed("gumbel", 3), failed("gumbel", 4)]).text
        assert "$ gsm train-ssl --dataset digits --objective gumbel --seeds 5 --epochs 3\n" in both


class TestTies:
    @pytest.mark.parametrize(("seeds", "ruling"), [(2, "undecided"), (3, "no worse")])
    def test_few_equal_values_are_no_certain_yes(self, seeds, ruling):
        """Two seeds reach to 12.7 / 2 images, and the margin is four of 400; three reach to 1.4."""
        found = judged(batch({"marginalize": [0.01] * seeds, "gumbel": [0.01] * seeds}))["gumbel"]
        assert found.summary.low < 0.0 < found.summary.high
        assert found.ruling == ruling


def fewest(distance: float, deviation: float, tail: float) -> int:
    """Seeds whose interval leaves out a value at this distance in 80 % of cases, one number after the other."""
    for seeds in range(2, 1000):
        shift = distance / deviation * sqrt(seeds)
        if stats.nct.sf(stats.t.isf(tail, seeds - 1), seeds - 1, shift) >= 0.8:
            return seeds
    raise AssertionError("no number of seeds is enough")


class TestDecidingSeeds:
    """With differences of 0.01 about a mean, in ten seeds or more, that is a deviation of a bit more than 0.01."""

    def comparison(self, mean: float, seeds: int = 10) -> Comparison:
        differences = tuple(mean + 0.01 * (-1) ** seed for seed in range(seeds))
        return Comparison(tuple(range(seeds)), differences, summarize(differences), 1.0)

    def test_a_small_loss_is_soon_no_worse(self):
        of = self.comparison(-0.003)
        assert fewest(0.007, of.summary.deviation, 0.025) == 20
        assert deciding_seeds(of, 0.01, 1) == (20, "no worse")

    @pytest.mark.parametrize(("family", "seeds"), [(1, 11), (3, 14), (7, 17)])
    def test_a_large_one_is_worse_at_the_level_of_its_family(self, family, seeds):
        of = self.comparison(-0.0103)
        assert fewest(0.0103, of.summary.deviation, 0.025 / family) == seeds
        assert deciding_seeds(of, 0.01, family) == (seeds, "worse")

    def test_one_more_than_there_are_at_least(self):
        of = self.comparison(0.02, 12)
        assert deciding_seeds(of, 0.01, 1) == (13, "no worse")


class TestMissingSeeds:
    def test_are_told_with_the_commands_that_run_them(self):
        """Differences of -1 and 0 points in turn: mean -0.5, deviation 0.55; -0.5 lies half a point above -1."""
        records = batch({"marginalize": [0.0] * 6, "gumbel": [-0.01, 0.0] * 3})
        found = judged(records)["gumbel"]
        assert found.ruling == "undecided"
        assert found.seeds == 12
        text = rendered(records).text
        assert "Seeds: gumbel about 12 in all would decide in 80 % of cases" in text
        assert "$ gsm train-ssl --dataset digits --objective marginalize --seeds 6-11 --epochs 3\n" in text
        assert "$ gsm train-ssl --dataset digits --objective gumbel --seeds 6-11 --epochs 3\n" in text

    def test_one_seed_asks_for_the_fewest_that_can_decide(self):
        report = rendered([record("marginalize", 0), record("gumbel", 0, (0.5, 0.7, 0.79))])
        assert report.answer.startswith("Undecided: whether one Gumbel-Softmax sample loses")
        assert "gumbel about 6 in all would decide" in report.text
        assert "--objective gumbel --seeds 1-5 --epochs 3" in report.text

    def test_the_fewest_of_several_others_are_more(self):
        """Two questions are asked of them, and each half as likely to be answered by chance."""
        report = rendered([record(name, 0) for name in ("marginalize", "gumbel", "reinforce", "reinmax")])
        assert "gumbel about 6, reinmax about 7 and reinforce about 7 in all would decide" in report.text

    def test_more_than_anybody_runs_get_no_command(self):
        """A loss of half the margin of 0.1 points, with a deviation of a seed of nearly five points."""
        records = batch({"marginalize": [0.0] * 10, "gumbel": [0.05, -0.05] * 4 + [-0.0025] * 2})
        assert judged(records, 0.001)["gumbel"].seeds == inf
        text = rendered(records, 0.001).text
        assert "gumbel more than 10,000 in all would decide" in text
        assert "--seeds 10-" not in text

    def test_are_more_than_there_are(self):
        """The interval says worse and the test of five seeds cannot: six are the fewest that can."""
        records = batch({"marginalize": [0.0] * 5, "gumbel": [-0.1, -0.11, -0.1, -0.09, -0.1]})
        assert judged(records)["gumbel"].seeds == 6
        noisier = batch({"marginalize": [0.0] * 5, "gumbel": [-0.1, -0.03, -0.1, -0.02, -0.1]})
        assert judged(noisier)["gumbel"].seeds == 7  # of six one in five is above the sum
        assert "the interval says that one Gumbel-Softmax sample costs accuracy" in rendered(records).answer

    @pytest.mark.parametrize(("high", "costly"), [(-0.00004, False), (-0.00006, True), (0.0, False), (None, False)])
    def test_an_end_that_reads_zero_says_no_loss(self, high, costly):
        found = judged(batch({"marginalize": [0.0] * 6, "gumbel": [-0.01, 0.0] * 3}))["gumbel"]
        summary = Summary(-0.01, 0.01, None if high is None else -0.02, high)
        changed = dataclasses.replace(found, comparison=dataclasses.replace(found.comparison, summary=summary))
        assert changed.is_costly is costly

    def test_what_the_interval_alone_says_of_others_is_said(self):
        """Six seeds cannot pass a test that is corrected for four questions."""
        names = ("straight-through-gumbel", "reinforce", "sum-and-sample", "reinmax")
        worse = {name: [-0.1, -0.11, -0.1, -0.09, -0.1, -0.1] for name in names[:2]}
        unclear = {name: [0.02, -0.02] * 3 for name in names[2:]}
        text = rendered(batch({"marginalize": [0.0] * 6, "gumbel": [0.0] * 6, **worse, **unclear})).text
        assert text.count("| worse by its interval alone |") == 2
        assert text.count("| undecided |") == 2
        assert "*worse by its interval alone*, the test does not agree" in text

    def test_one_other_is_corrected_for_nothing(self):
        worse = [-0.1, -0.11, -0.1, -0.09, -0.1]
        text = rendered(batch({"marginalize": [0.0] * 5, "gumbel": [0.0] * 5, "reinforce": worse})).text
        assert "| worse by its interval alone |" in text

    def test_are_new_ones_whatever_numbers_those_have_that_are_there(self):
        """Both get the same, and none that failed."""
        whole = batch({"marginalize": [0.0] * 6, "gumbel": [-0.01, 0.0] * 3})
        moved = [replace(each, config=replace(each.config, seed=each.config.seed + 100)) for each in whole]
        text = rendered([*moved, failed("gumbel", 1)]).text
        assert "--objective marginalize --seeds 2-7 --epochs 3\n" in text
        assert "--objective gumbel --seeds 2-7 --epochs 3\n" in text
        assert "* 1 run of gumbel failed, and the numbers are of the others alone." in text

    def test_a_seed_that_one_of_both_has_comes_before_a_new_one(self):
        records = [record("marginalize", seed, (0.5, 0.9)) for seed in (0, 1, 7)]
        text = rendered([*records, record("gumbel", 0, (0.5, 0.9)), record("gumbel", 5, (0.5, 0.9))]).text
        assert "--objective marginalize --seeds 2-3,5 --epochs 2\n" in text
        assert "--objective gumbel --seeds 1-3,7 --epochs 2\n" in text

    def test_gumbel_without_a_seed_in_common_is_missing(self):
        sums = [record(name, seed, (0.5, 0.9)) for name in ("marginalize", "sum-and-sample") for seed in range(6)]
        gumbel = [record("gumbel", seed, (0.5, 0.9)) for seed in (20, 21)]
        report = rendered([*sums, *gumbel])
        assert "Gumbel-Softmax" not in report.answer
        assert "--objective gumbel --seeds 0-1 --epochs 2\n" in report.text

    def test_nothing_is_missing_where_all_is_decided(self):
        assert {each.seeds for each in judged(batch(SIX)).values()} == {None}
        assert "Seeds" not in rendered(batch(SIX)).text


class TestGumbelInTheAnswer:
    def test_the_mean_of_several_samples_is_not_called_one(self):
        sums = [record("marginalize", seed, (0.5, 0.9)) for seed in range(3)]
        runs = [*sums, *(record("gumbel", seed, (0.5, 0.9), draws=10) for seed in range(3))]
        assert "the mean of 10 Gumbel-Softmax samples" in rendered(runs).answer
        assert "one Gumbel-Softmax sample" not in rendered(runs).answer

    def test_what_failed_stands_beside_what_is_claimed(self):
        text = rendered([*batch(SIX), failed("gumbel", 7), failed("gumbel", 8)]).text
        assert "* 2 runs of gumbel failed, and the numbers are of the others alone." in text
        assert "failed" not in rendered(batch(SIX)).text


class TestSeveralTemperatures:
    def test_a_lucky_seed_does_not_take_the_place_of_several(self):
        many = [record("gumbel", seed, (0.5, 0.8), tau=0.3) for seed in range(4)]
        runs = [*many, record("gumbel", 0, (0.5, 0.95), tau=0.7)]
        runs += [record("marginalize", seed, (0.5, 0.9)) for seed in range(4)]
        assert [name for name, each in judged(runs).items() if each.role == "primary"] == ["gumbel, tau 0.3"]

    def test_that_by_default_is_judged_and_the_verdict_says_so(self):
        others = [record("gumbel", seed, (0.5, 0.99), tau=tau) for tau in (2.0, 0.5, 0.1) for seed in range(3)]
        sums = [record("marginalize", seed, (0.5, 0.92)) for seed in range(3)]
        text = rendered([*sums, *others]).text
        assert re.search(r"^\| gumbel, tau 0.5 \|.*\| no worse, a gain is seen \|", text, re.MULTILINE)
        assert len(re.findall(r"\| not tested \|", text)) == 2
        rows = re.findall(r"^\| (gumbel, tau [\d.]+) \| 3 \| 98", text, re.MULTILINE)
        assert rows == ["gumbel, tau 0.1", "gumbel, tau 0.5", "gumbel, tau 2"]

    def test_without_it_the_most_accurate_on_validation_is(self):
        others = [record("gumbel", seed, (0.5, 0.9 + tau / 100), tau=tau) for tau in (2.0, 10.0) for seed in range(3)]
        sums = [record("marginalize", seed, (0.5, 0.92)) for seed in range(3)]
        text = rendered([*sums, *others]).text
        assert re.search(r"^\| gumbel, tau 2 \|.*\| not tested \|", text, re.MULTILINE)


def test_the_fastest_that_is_no_worse_is_in_the_answer():
    worse = {"gumbel": [-0.05] * 8, "straight-through-gumbel": [-0.05] * 8, "reinforce": [0.0] * 8}
    records = batch({"marginalize": [0.0] * 8, **worse})
    report = render_runs(ReportFolder(Path("reports/digits-100")), records, steps=steps_of(records))
    assert report.answer == (
        "No: one Gumbel-Softmax sample costs 5.00 points of test accuracy on these images; reinforce is no worse than "
        "the sum, 2.00 times as fast."
    )
    untimed = rendered(records).answer
    assert untimed.endswith("; reinforce is no worse than the sum.")


def test_of_several_the_answer_names_one_that_is_no_worse_at_validations_epoch_too():
    """Validation chooses the second epoch: there reinforce is five points below the sum, and rebar is not."""
    curves = {"marginalize": (0.5, 0.92, 0.9), "reinforce": (0.5, 0.87, 0.9), "rebar": (0.5, 0.92, 0.9)}
    runs = [record(name, seed, curve) for name, curve in curves.items() for seed in range(8)]
    lost = [record("gumbel", seed, (0.5, 0.8, 0.7)) for seed in range(8)]
    assert [judged(runs)[name].chosen_ruling for name in ("reinforce", "rebar")] == ["worse", "no worse"]
    for order in (runs, runs[::-1]):
        assert rendered([*order, *lost]).answer.endswith("; rebar is no worse than the sum.")


@pytest.mark.parametrize(
    ("differences", "told"),
    [
        ([-0.003, -0.004] * 4, "no worse, a loss is seen"),
        ([0.003, 0.004] * 4, "no worse, a gain is seen"),
        ([-0.003, 0.004] * 4, "no worse"),
        ([-0.03, -0.04] * 4, "worse"),
    ],
)
def test_no_worse_says_what_its_interval_shows(differences, told):
    records = batch({"marginalize": [0.0] * 8, "gumbel": differences})
    assert judged(records)["gumbel"].told == told
    legend = {name for name in ("loss", "gain") if f"*a {name} is seen*, " in rendered(records).text}
    assert legend == {name for name in ("loss", "gain") if name in told}


def test_the_facts_are_those_of_the_verdict():
    records = batch({**SIX, "reinforce": [-0.01, 0.0] * 3, "reinmax": [-0.02, 0.0] * 3})
    (facts,) = rendered(records).facts["groups"]
    assert facts["margin"]["value"] == 0.01
    assert {each["label"] for each in facts["series"]} == {*SIX, "reinforce", "reinmax"}
    told = [(each["series"]["label"], each["ruling"], each["role"]) for each in facts["differences"]]
    assert told == [
        ("gumbel", "no worse", "primary"),
        ("straight-through-gumbel", "undecided", "secondary"),
        ("reinmax", "undecided", "secondary"),
        ("reinforce", "undecided", "secondary"),
    ]
    assert facts["differences"][0]["comparison"]["summary"]["mean"] == pytest.approx(-0.0125 / 6)
    expected = judged(records)
    for each in facts["differences"]:
        own = expected[each["series"]["label"]]
        assert (each["p_value"], each["seeds"]) == (own.p_value, own.seeds)
        assert each["comparison"]["p_value"] == own.comparison.p_value
    assert any(each["p_value"] > each["comparison"]["p_value"] for each in facts["differences"])
    assert facts["missing"]["commands"]


def test_the_facts_of_a_series_are_named_as_documented():
    records = batch({"marginalize": [0.0] * 8, "gumbel": [-0.05] * 8})
    lost = [failed("gumbel", 8)]
    facts = render_runs(ReportFolder(Path("reports/digits-100")), records + lost, steps=steps_of(records)).facts
    kinds = {"groups", "best", "searches", "trades", "sweeps", "beside", "frontier", "gradients", "timed"}
    assert set(facts) == kinds
    (group,) = facts["groups"]
    series = next(each for each in group["series"] if each["objective"] == "gumbel")
    assert series.keys() == {
        *("label", "objective", "settings", "seeds", "failed", "epochs", "seconds", "validation", "test", "floor")
    }
    assert (series["label"], series["settings"], series["seeds"]) == ("gumbel", {}, [*range(8)])
    assert (series["failed"], series["epochs"], series["floor"]) == (1, records[0].config.epochs, "")
    assert series["test"]["mean"] < next(each["test"]["mean"] for each in group["series"] if each is not series)
    assert series["seconds"] == pytest.approx(group["seconds"]["gumbel"] * series["epochs"])


class TestNothingLearned:
    """What is not above chance, or not above the labels alone, is called that and equivalent to nothing."""

    FLOOR = (-0.01, 0.0, 0.01, -0.01, 0.0, 0.01)

    def test_the_labels_alone_are_a_floor(self):
        records = batch({**SIX, "reinforce": [SIX["supervised"][n] + each for n, each in enumerate(self.FLOOR)]})
        found = judged(records, margin=0.2)
        assert found["reinforce"].floor == "supervised"
        assert found["gumbel"].floor == ""
        assert found["reinforce"].ruling != "no worse"
        assert found["reinforce"].told.endswith("not above supervised")

    def test_a_guess_is_a_floor(self):
        low = [record(name, seed, (0.09, 0.11)) for name in ("marginalize", "gumbel") for seed in range(6)]
        found = judged(low)["gumbel"]
        assert found.summary.low > -0.01
        assert (found.floor, found.ruling, found.seeds, found.told) == ("chance", "undecided", None, "not above chance")
        assert rendered(low).answer == "Nothing is concluded on these images: the sum itself is not above chance."

    @pytest.mark.parametrize(("last", "floor"), [((0.85, 0.99), ""), ((0.11, 0.99), "chance")])
    def test_two_runs_that_differ_have_learned_if_each_has(self, last, floor):
        """The interval of their mean holds the guess either way."""
        group = group_of(*(record("gumbel", seed, (0.5, share)) for seed, share in enumerate(last)))
        assert group.series[0].accuracy.low < 0.1
        assert group.floor(group.series[0]) == floor

    def test_what_predicts_one_class_has_learned_nothing(self):
        one = record("gumbel", 0)
        stuck = replace(one, test=replace(one.test, last=replace(one.test.last, modal=400)))
        assert group_of(one).floor(group_of(one).series[0]) == ""
        assert group_of(stuck).floor(group_of(stuck).series[0]) == "chance"

    def test_nothing_is_equivalent_to_a_sum_that_learned_nothing(self):
        sums = {"marginalize": list(self.FLOOR), "gumbel": list(self.FLOOR), "supervised": [0.0] * 6}
        found = judged(batch(sums))["gumbel"]
        assert (found.summary.mean, found.ruling) == (0.0, "undecided")


class TestFewSeeds:
    @pytest.mark.parametrize(("family", "seeds"), [(1, 6), (3, 7), (4, 8), (6, 8), (7, 9), (12, 9)])
    def test_the_fewest_that_a_corrected_test_needs(self, family, seeds):
        """All differences of one sign have the p-value 2 / 2^seeds, and Holm's factor is the size of the family."""
        assert fewest_seeds(family) == seeds
        assert family * 2 / 2**seeds <= 0.05 < family * 2 / 2 ** (seeds - 1)

    def test_a_report_with_fewer_is_exploratory(self):
        names = ("marginalize", "gumbel", "reinforce", "reinmax", "sum-and-sample")
        text = rendered(batch({name: [0.0] * 6 for name in names})).text
        few = "3 objectives have fewer than the 7 seeds that a corrected test needs to say worse"
        assert f"*Exploratory: {few}.*" in text
        assert "*Exploratory" not in rendered(batch({name: [0.0] * 7 for name in names})).text


def test_the_last_epoch_decides_and_a_sentence_says_what_validation_would_have_changed():
    sums = [record("marginalize", seed, (0.5, 0.8, 0.9)) for seed in range(6)]
    forgets = [record("gumbel", seed, (0.5, 0.9, 0.8)) for seed in range(6)]
    found = judged([*sums, *forgets])["gumbel"]
    assert (found.ruling, found.chosen_ruling) == ("worse", "no worse")
    text = rendered([*sums, *forgets]).text
    assert "* The epoch that validation labels would choose would change the verdict on gumbel (no worse)." in text
