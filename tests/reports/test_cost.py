"""The report on costs: what is concluded from small measurements, and what it says."""

from pathlib import Path

import pytest
from records_of import cost_record, cost_row

from gsm_cli.objectives import GUMBEL
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.cost import answer, render_costs
from gsm_cli.reports.cost_statistics import (
    Quartiles,
    fit_line,
    pays_from,
    product_share,
    seconds,
    speed_up,
    step_seconds,
    unmeasured,
)

FOLDER = ReportFolder(Path("reports/cost"))
CROSSING = cost_record(
    marginalize={2: (8.0, 8.2), 10: (24.0, 24.6), 100: (204.0, 209.1)},
    gumbel={2: (8.1, 8.3), 10: (12.0, 12.0), 100: (12.0, 12.0)},
)


class TestStatistics:
    def test_medians_are_over_all_steps_of_all_processes(self):
        found = seconds([cost_row(GUMBEL, 2, 10.0), cost_row(GUMBEL, 2, 20.0)])
        assert found.low < 0.0145 < found.middle < found.high
        assert found.middle == pytest.approx((0.011 + 0.018) / 2)

    def test_one_step_is_all_three(self):
        row = cost_row(GUMBEL, 2, 10.0)
        row.seconds[1:] = []
        assert seconds([row]) == Quartiles(*row.seconds * 3)

    def test_a_line_is_found_again(self):
        line = fit_line(cost_record(gumbel={k: (3.0 + 0.5 * k,) for k in (2, 10, 100, 1000)}), GUMBEL)
        assert (line.shared, line.per_class, line.residual) == pytest.approx((3e-3, 5e-4, 0.0), abs=1e-9)
        assert line.at(10) == pytest.approx(8e-3)

    def test_a_falling_cost_gives_no_negative_cost_per_class(self):
        assert fit_line(cost_record(gumbel={2: (3.0,), 10: (2.0,)}), GUMBEL).per_class == 0.0

    def test_it_pays_from_where_all_processes_agree_and_stay_agreed(self):
        assert pays_from(CROSSING, GUMBEL, step_seconds) == 10
        unsteady = cost_record(
            marginalize={2: (9.0,), 10: (9.0,), 100: (99.0,)}, gumbel={2: (8.0,), 10: (9.1,), 100: (9.0,)}
        )
        assert pays_from(unsteady, GUMBEL, step_seconds) == 100
        assert pays_from(cost_record(marginalize={2: (8.0,)}, gumbel={2: (9.0,)}), GUMBEL, step_seconds) is None

    def test_ratios(self):
        assert speed_up(CROSSING, GUMBEL, 10) == pytest.approx(24.3 / 12, rel=0.03)
        assert product_share([cost_row(GUMBEL, 2, 10.0)]) == pytest.approx(0.5)

    def test_what_the_plan_names_and_nobody_measured(self):
        assert unmeasured(CROSSING) == []
        partial = cost_record(marginalize={2: (8.0,), 10: (9.0,)}, gumbel={2: (8.0,)})
        assert unmeasured(partial) == ["gumbel with 10 classes"]


class TestReport:
    def test_the_answer_is_the_first_sentence(self):
        report = render_costs(FOLDER, [CROSSING], ["x.json must be a whole record"])
        sentence = "A gumbel step is faster than marginalize from 10 classes on, and never takes less memory."
        assert report.answer == sentence
        assert report.text.startswith(
            f"# What a step costs: from how many classes on does a sample pay?\n\n**{sentence}**"
        )
        assert "> **Warning.** x.json must be a whole record." in report.text
        assert "| gumbel | 10 | never | 0.99 |" in report.text

    def test_what_never_pays(self):
        never = cost_record(marginalize={2: (8.0,), 10: (9.0,)}, reinforce={2: (8.0,), 10: (9.1,)})
        assert answer(never).answer == (
            "A reinforce step is never faster than marginalize, and never takes less memory."
        )

    def test_without_marginalize_there_is_nothing_to_compare(self):
        report = render_costs(FOLDER, [cost_record(gumbel={2: (8.0,), 10: (9.1,)})])
        assert report.answer == "There is nothing to compare: measure marginalize and another objective."
        assert "an objective pays" not in report.text

    def test_one_number_of_classes_is_enough(self):
        report = render_costs(FOLDER, [cost_record(marginalize={5: (8.0,)}, gumbel={5: (4.0,)})])
        assert report.answer.startswith("A gumbel step is faster than marginalize from 5 classes on")
        assert report.pictures[0].encode("png")[:4] == b"\x89PNG"

    def test_the_picture_carries_what_it_shows(self):
        (picture,) = render_costs(FOLDER, [CROSSING]).pictures
        assert picture.carried["gumbel"]["classes"] == [2, 10, 100]
        assert picture.carried["gumbel"]["seconds"][1]["middle"] == 0.012
        assert picture.carried["gumbel"]["mib"] == [300.0] * 3
        assert picture.name == CROSSING.plan.name

    def test_others_measurements_are_in_a_sentence(self):
        text = render_costs(FOLDER, [CROSSING]).text
        assert "takes 2.0 times as long with 10 classes and 9.9 times as long with 100 classes as their Gumbel" in text
