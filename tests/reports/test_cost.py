"""The report on costs: what is concluded from small measurements, how seldom wrongly, and what it says and shows."""

from pathlib import Path

import numpy as np
import pytest
from legible import assert_legible, texts
from msgspec.structs import replace
from records_of import cost_record, cost_row
from scipy import stats

from gsm_cli import style
from gsm_cli.analysis.costs import (
    CHANCE,
    KEPT,
    Spread,
    enough_rounds,
    numbers_needed,
    pays_from,
    process_bytes,
    seconds,
    speed_up,
    step_seconds,
)
from gsm_cli.model.estimators import Marginal
from gsm_cli.objectives import GUMBEL, MARGINALIZE
from gsm_cli.records.cost import MEASURED, CostPlan
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.costs import answer, gains_table, render_costs

FOLDER = ReportFolder(Path("reports/cost"))
CLASSES = (2, 5, 10, 20, 50, 100, 200, 500, 1000)
CROSSING = cost_record(  # a Gumbel step is as slow at 2 classes, and faster from 5 on
    marginalize={2: (8.0, 8.2, 8.1), 5: (15.0, 15.1, 14.9), 10: (24.0, 24.6, 24.3), 100: (204.0, 209.1, 215.0)},
    gumbel={2: (8.1, 8.3, 8.0), 5: (12.0, 12.0, 12.0), 10: (12.0, 12.0, 12.0), 100: (10.0, 12.0, 11.0)},
)


def quartiles(*rows) -> Spread:
    return seconds(replace(CROSSING, rows=list(rows)), GUMBEL, 2)


class TestStatistics:
    def test_medians_are_over_all_steps_of_all_processes(self):
        found = quartiles(cost_row(GUMBEL, 2, 10.0), cost_row(GUMBEL, 2, 20.0))
        assert found.low < 0.0145 < found.middle < found.high
        assert found.middle == pytest.approx((0.011 + 0.018) / 2)

    @pytest.mark.parametrize(
        ("steps", "expected"), [([1.0, 2.0, 3.0, 4.0], (1.75, 2.5, 3.25)), ([1.0, 3.0], (1.5, 2.0, 2.5))]
    )
    def test_quartiles_lie_between_the_least_and_the_greatest_step(self, steps, expected):
        assert quartiles(replace(cost_row(GUMBEL, 2, 1.0), seconds=steps)) == Spread(*expected)

    def test_one_step_is_all_three(self):
        row = cost_row(GUMBEL, 2, 10.0)
        row.seconds[1:] = []
        assert quartiles(row) == Spread(*row.seconds * 3)

    def test_ratios_are_of_the_processes_of_one_round(self):
        record = cost_record(marginalize={10: (20.0, 30.0, 40.0)}, gumbel={10: (10.0, 10.0, 40.0)})
        found = speed_up(record, GUMBEL, 10)
        assert (found.low, found.middle, found.high) == pytest.approx((1.0, 2.0, 3.0))

    def test_whether_there_is_a_row_for_every_turn(self):
        assert CROSSING.is_whole
        for cells in ({"gumbel": {2: (8.0,)}}, {"gumbel": {2: (8.0,), 10: ()}}):
            assert not cost_record(marginalize={2: (8.0,), 10: (9.0,)}, **cells).is_whole


def test_the_report_knows_from_where_on_the_sum_computes_again():
    assert {MARGINALIZE: Marginal().keep} == KEPT


def false_claims(numbers: int, rounds: int, faster_from: int, rng: np.random.Generator) -> float:
    """How many of 2,000 reports on six objectives claim a gain at a number of classes where there is none.

    All times are drawn from one law with long tails, but for those of the sum from the index `faster_from` on, which
    are longer: there a claim is right.
    """
    wrong = 0
    for _ in range(2_000):
        times = np.exp(0.1 * rng.standard_t(2, size=(7, len(CLASSES), rounds)))
        times[0, faster_from:] += 1e9
        cells = times.tolist()
        for own in cells[1:]:
            won = 0
            while won < len(CLASSES) and max(own[-1 - won]) < min(cells[0][-1 - won]):
                won += 1
            if won >= numbers and len(CLASSES) - 1 - (won - numbers) < faster_from:
                wrong += 1
                break
    return wrong / 2_000


class TestClaims:
    @pytest.mark.parametrize(("rounds", "numbers"), [(1, 8), (2, 4), (3, 2), (4, 2), (5, 1), (10, 1)])
    def test_what_a_claim_about_six_objectives_takes(self, rounds, numbers):
        """Twelve claims: of three processes all win by chance once in 20, which must happen twice; of five in 252."""
        slower = np.arange(rounds, 2 * rounds)
        once = stats.mannwhitneyu(slower - rounds, slower, alternative="less", method="exact").pvalue
        assert numbers_needed(12, rounds) == numbers
        assert once**numbers <= CHANCE / 12 < once ** (numbers - 1)

    def test_by_default_two_numbers_of_classes_are_enough(self):
        assert numbers_needed(2 * (len(MEASURED) - 1), CostPlan().rounds) == 2
        assert enough_rounds(12, 1) == CostPlan().rounds

    @pytest.mark.parametrize("rounds", [1, 3, 5, 8])
    @pytest.mark.parametrize("faster_from", [len(CLASSES), 3], ids=["never", "from 20 on"])
    def test_six_identical_objectives_seldom_give_a_claim(self, rounds, faster_from):
        """At most 5 % of 2,000 reports, with a standard error of 0.5 %, of time alone, which is half of the claims."""
        rng = np.random.default_rng(rounds)
        assert false_claims(numbers_needed(12, rounds), rounds, faster_from, rng) <= CHANCE

    def test_the_simulation_finds_a_rule_that_claims_too_much(self):
        """All three processes at one number of classes: 15 % of the reports, as they share the sum's processes."""
        found = false_claims(1, 3, 3, np.random.default_rng(0))
        assert found > 2 * CHANCE

    def test_it_is_claimed_from_where_enough_comparisons_are_won(self):
        """Two of them with three rounds and two claims: every process at 5 is faster, but at 2 not."""
        assert numbers_needed(2, 3) == 2
        assert pays_from(CROSSING, GUMBEL, step_seconds) == 10
        assert pays_from(CROSSING, GUMBEL, process_bytes) is None

    def test_a_loss_at_a_larger_number_of_classes_ends_it(self):
        unsteady = cost_record(
            marginalize={2: (9.0,) * 4, 5: (9.0,) * 4, 10: (9.0,) * 4, 100: (99.0,) * 4},
            gumbel={2: (8.0,) * 4, 5: (8.0,) * 4, 10: (8.0, 8.0, 9.1, 9.1), 100: (9.0,) * 4},
        )
        assert numbers_needed(2, 4) == 1
        assert pays_from(unsteady, GUMBEL, step_seconds) == 100

    def test_chance_at_the_smallest_number_of_classes_is_no_claim(self):
        """In the project's measurement all three processes of gumbel-rao were faster with 2 classes."""
        found = cost_record(
            marginalize={2: (51.0, 46.2, 55.6), 5: (75.7, 59.5, 82.5), 10: (101.1, 91.1, 112.1)},
            gumbel_rao={2: (45.4, 44.6, 41.7), 5: (51.3, 49.0, 46.8), 10: (68.6, 56.6, 44.1)},
        )
        assert pays_from(found, "gumbel-rao", step_seconds) == 5


class TestReport:
    def test_the_answer_is_the_first_sentence(self):
        report = render_costs(FOLDER, [CROSSING], ["x.json must be a whole record"])
        sentence = "A gumbel step is faster than marginalize from 10 classes on, and is not seen to take less memory."
        assert report.answer == sentence
        assert report.text.startswith(
            f"# What a step costs: from how many classes on does a sample pay?\n\n**{sentence}**"
        )
        assert "> **Warning.** x.json must be a whole record." in report.text
        assert "| gumbel | 10 | – | 2.03 [2.00, 2.05] | 19.5 [17.4, 20.4] |" in report.text

    def test_time_and_memory_in_one_sentence_where_they_agree(self):
        rows = [
            replace(row, peak_bytes=row.peak_bytes // 2) if row.objective == GUMBEL else row for row in CROSSING.rows
        ]
        smaller = replace(
            CROSSING, rows=[row for row in rows if row.classes > 2], plan=replace(CROSSING.plan, classes=(5, 10, 100))
        )
        assert answer(smaller) == "A gumbel step is faster than marginalize and takes less memory from 10 classes on."

    def test_three_speed_ups_at_most_stand_at_the_head(self):
        shape = {k: (50.0 + k, 51.0 + k, 52.0 + k) for k in CLASSES}
        record = cost_record(marginalize=shape, gumbel=dict.fromkeys(CLASSES, (50.0, 50.1, 50.2)))
        row = "| gumbel | 5 | – | 1.12 [1.10, 1.14] | 2.02 [2.00, 2.03] | 21.0 [21.0, 21.0] |"
        assert row in gains_table(record)[0]

    def test_what_never_pays(self):
        never = cost_record(marginalize={2: (8.0,) * 5, 10: (9.0,) * 5}, reinforce={2: (8.0,) * 5, 10: (9.1,) * 5})
        assert answer(never) == (
            "A reinforce step is not seen to be faster than marginalize and is not seen to take less memory."
        )

    def test_too_few_processes_are_said_to_be_too_few(self):
        one = cost_record(marginalize={5: (8.0,)}, gumbel={5: (4.0,)})
        report = render_costs(FOLDER, [one])
        assert report.answer == (
            "Whether a gumbel step pays, 1 round at 1 number of classes cannot tell: measure with --rounds 4."
        )
        assert "with a chance of" not in report.text
        assert report.pictures[0].encode("png")[:4] == b"\x89PNG"

    def test_without_marginalize_there_is_nothing_to_compare(self):
        report = render_costs(FOLDER, [cost_record(gumbel={2: (8.0,), 10: (9.1,)})])
        assert report.answer == "There is nothing to compare: measure marginalize and another objective."
        assert "an objective pays" not in report.text

    def test_the_rule_is_told(self):
        text = render_costs(FOLDER, [CROSSING]).text
        assert "at K, at every larger number of classes and at the next smaller one, every process of the" in text
        whole = cost_record(marginalize={2: (8.0,) * 4}, gumbel={2: (8.0,) * 4})
        assert "at every larger number of classes, every process of the objective" in render_costs(FOLDER, [whole]).text
        assert "at most one such measurement in 20 would say" in text
        assert "with a chance of 75 %" in text

    def test_why_sparse_marginalize_is_not_there(self):
        assert "benchmarks/sparse.py measures it" in render_costs(FOLDER, [CROSSING]).text

    def test_the_picture_carries_what_it_shows(self):
        (picture,) = render_costs(FOLDER, [CROSSING]).pictures
        steps, memory = picture.carried
        (gumbel,) = (line for line in steps["lines"] if line["identity"]["objective"] == "gumbel")
        assert [point["value"] for point in gumbel["points"]] == [2, 5, 10, 100]
        assert gumbel["points"][1]["mean"] == 12.0
        assert [point["mean"] for point in memory["lines"][1]["points"]] == [300.0] * 4
        assert picture.name == CROSSING.plan.name

    def test_others_measurements_are_in_a_sentence(self):
        text = render_costs(FOLDER, [CROSSING]).text
        assert "takes 2.0 times as long with 10 classes and 9.9 times as long with 100 classes as their Gumbel" in text


ALL = {
    name.replace("-", "_"): {k: (40.0 + number + (5.7 * k if name == MARGINALIZE else 0.02 * k),) for k in CLASSES}
    for number, name in enumerate(MEASURED)
}
PICTURES = {
    "all": cost_record(**ALL),
    "two classes": cost_record(**{name: {k: cells[k] for k in (10, 100)} for name, cells in ALL.items()}),
    "close classes": cost_record(**{name: {k: (1e-2 * k,) for k in range(900, 1_000, 9)} for name in ALL}),
    "one of each": cost_record(gumbel={5: (0.004,)}),
}


@pytest.mark.parametrize("name", PICTURES)
class TestPicture:
    def drawn(self, name):
        (picture,) = render_costs(FOLDER, [PICTURES[name]]).pictures
        with style.house_style():
            return picture.draw()

    def test_is_legible(self, name):
        assert_legible(self.drawn(name))

    def test_every_axis_has_more_than_two_ticks(self, name):
        figure = self.drawn(name)
        for axes in figure.axes:
            low, high = axes.get_ylim()
            assert len([tick for tick in axes.get_yticks() if low <= tick <= high]) > 2

    def test_every_objective_is_named_at_its_end(self, name):
        written = [text for text, _ in texts(self.drawn(name))]
        for objective in PICTURES[name].plan.objectives:
            assert written.count(objective) == 1

    def test_no_two_points_of_one_number_of_classes_coincide(self, name):
        points = [line.get_xdata()[-1] for line in self.drawn(name).axes[1].lines]
        assert len(set(points)) == len(points)
