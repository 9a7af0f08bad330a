"""What was swept: found in the records, drawn as lines, with the table behind it."""

import pytest
from identities import identities
from legible import assert_legible
from matplotlib.collections import LineCollection
from msgspec.structs import replace
from records_of import record

from gsm_cli.analysis.contrasts import enough, named, over_one, trained
from gsm_cli.analysis.groups import sort_records
from gsm_cli.estimator_settings import OwnSettings
from gsm_cli.objectives import OBJECTIVES
from gsm_cli.records.run import RunRecord
from gsm_cli.reports.charts import is_wide
from gsm_cli.reports.panels import Panel, Point, Points, describe, panel_chart, panel_table
from gsm_cli.reports.sweeps import accuracy_panel, sweep_picture
from gsm_cli.style import house_style

DRAWS = (1, 10, 100)


def section(tmp_path, records, kind: str = "settings"):
    """The pictures of what was swept, one for each setting."""
    series = trained(sort_records(records))
    lines = enough(over_one(series), series if kind == "settings" else [])
    names = dict.fromkeys(line.names for line in lines)
    return [sweep_picture([line for line in lines if line.names == name], series) for name in names]


def points_of(picture) -> dict[str, list[Point]]:
    """What a picture of one panel shows, by label."""
    (panel,) = picture.facts
    return {line.identity.label: list(line.points) for line in panel.lines}


def run(objective: str, seed: int, accuracy: float, **settings: object):
    """A run whose test accuracy is this."""
    return record(objective, seed, (0.5, 0.6, accuracy + 0.01), **settings)


def over_draws(objective: str, numbers=DRAWS, **settings: object):
    """Three seeds at every number of draws, the best at ten."""
    best = {1: 0.80, 10: 0.90, 100: 0.85}
    return [
        run(objective, seed, best[draws] + 0.01 * (seed - 1), draws=draws, **settings)
        for draws in numbers
        for seed in range(3)
    ]


def replaced_file(run: RunRecord, digest: str) -> RunRecord:
    """The run, of an estimator of somebody's own whose file has a digest of this digit."""
    config = replace(run.config, estimator=OwnSettings(of="mine.py:Mine", sha256=64 * digest, values=run.config.own))
    return replace(run, config=config)


class TestLines:
    def test_a_line_for_each_objective_and_a_level_for_one_that_does_not_read_it(self, tmp_path):
        records = [*over_draws("gumbel"), *over_draws("straight-through-gumbel"), run("marginalize", 0, 0.95)]
        found = section(tmp_path, records)
        (picture,) = found
        points = points_of(picture)
        assert picture.name == "accuracy-draws"
        assert {name: [(p.value, round(p.mean, 9), p.seeds) for p in own] for name, own in points.items()} == (
            {key: [(1, 80, 3), (10, 90, 3), (100, 85, 3)] for key in ("gumbel", "straight-through-gumbel")}
            | {"marginalize": [(None, 95, 1)]}
        )
        point = points["gumbel"][0]
        assert (point.low, point.high) == pytest.approx((80 - 4.302653 / 3**0.5, 80 + 4.302653 / 3**0.5))
        assert (
            "At the ends: gumbel 80.00 [77.52, 82.48] at 1 and 85.00 [82.52, 87.48] at 100; straight-through-gumbel 80"
            in picture.description
        )
        table = panel_table(picture.facts)
        assert "| gumbel, draws 1 | 3 | 80.00 [77.52, 82.48] |" in table
        assert "| marginalize | 1 | 95.00 |" in table

    def test_its_picture(self, tmp_path):
        (picture,) = section(tmp_path, [*over_draws("gumbel"), run("marginalize", 0, 0.95)])
        (axes,) = panel_chart(picture.facts).axes
        line, level = axes.lines
        assert list(line.get_xdata()) == list(DRAWS)
        assert list(line.get_ydata()) == pytest.approx([80, 90, 85])
        assert list(level.get_ydata()) == pytest.approx([95, 95])
        intervals = next(each for each in axes.collections if isinstance(each, LineCollection))
        assert len(intervals.get_paths()) == 3
        assert axes.get_xscale() == "log"
        assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "10", "100"]

    def test_other_settings_are_another_line(self, tmp_path):
        records = [*over_draws("gumbel"), *over_draws("gumbel", DRAWS, tau=0.7)[:-3]]
        pictures = {picture.name: picture.facts for picture in section(tmp_path, records)}
        assert {line.identity.label for line in pictures["accuracy-draws"][0].lines} == {
            "gumbel, tau 0.5",
            "gumbel, tau 0.7",
        }

    def test_a_setting_of_all_objectives(self, tmp_path):
        records = [
            run(name, seed, 0.8 + labels / 2000, labels=labels)
            for name in ("gumbel", "supervised")
            for labels in (50, 100)
            for seed in range(2)
        ]
        (picture,) = section(tmp_path, records)
        assert set(points_of(picture)) == {"gumbel", "supervised"}
        assert picture.facts[0].axis == "labels"
        (axes,) = panel_chart(picture.facts).axes
        assert axes.get_xscale() == "linear"

    def test_two_values_are_a_sweep_where_the_name_was_chosen(self, tmp_path):
        records = over_draws("gumbel", (1, 10))
        assert section(tmp_path, records)
        assert section(tmp_path, records, "comparison") == []
        assert section(tmp_path, over_draws("gumbel"), "comparison")

    def test_levels_of_other_tasks_have_names_of_their_own(self):
        sums = [run("marginalize", 0, accuracy, labels=labels) for labels, accuracy in ((50, 0.84), (100, 0.94))]
        gumbels = [each for labels in (50, 100) for each in over_draws("gumbel", labels=labels)]
        series = trained(sort_records([*sums, *gumbels]))
        panel = accuracy_panel([each for each in over_one(series) if each.names == ("draws",)], series)
        assert {line.identity.label: line.points[0].mean for line in panel.lines if line.is_level} == pytest.approx(
            {"marginalize, labels 50": 84, "marginalize, labels 100": 94}
        )

    def test_another_objectives_setting_of_the_same_name_is_no_difference(self):
        records = [*(run("gumbel", 0, 0.9, tau=tau) for tau in (0.1, 0.2, 0.5)), run("reinforce", 0, 0.8)]
        series = trained(sort_records(records))
        lines = accuracy_panel(over_one(series), series).lines
        assert [line.identity.label for line in lines if line.is_level] == ["reinforce"]

    def test_two_versions_of_an_estimator_are_two_lines(self):
        records = [replaced_file(each, digest) for digest in "ab" for each in over_draws("gumbel")]
        series = trained(sort_records(records))
        sweeps = over_one(series)
        assert [[len(own) for own in (each.series,)] for each in sweeps] == [[3], [3]]
        assert {each.label for each, _ in named(sweeps)} == {f"Mine, objective_sha256 {12 * digest}" for digest in "ab"}

    def test_nothing_was_swept(self, tmp_path):
        records = [run(name, seed, 0.9) for name in ("gumbel", "marginalize") for seed in range(3)]
        assert section(tmp_path, records) == []

    def test_words_are_no_axis(self, tmp_path):
        assert section(tmp_path, [run("gumbel", 0, 0.9, norm=norm) for norm in ("layer", "batch", "none")]) == []


TEMPERATURES = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 2.0, 5.0)


class TestLegible:
    @pytest.mark.parametrize("values", [TEMPERATURES[:2], TEMPERATURES, (50, 100, 200), (1000, 1001, 20000)], ids=len)
    @pytest.mark.parametrize("objectives", [1, 9])
    def test_lines(self, objectives, values):
        names = identities(
            [*[*OBJECTIVES][:objectives], "gumbel, tau_min 0.1, tau_rate 1e-05", "supervised", "reinforce"]
        )
        lines = [
            Points(name, [Point(value, 90 - 0.4 * place, 88, 92, 3) for value in values])
            for place, name in enumerate(names[:-2])
        ]
        levels = [Points(name, [Point(None, mean)]) for name, mean in zip(names[-2:], (70, 90), strict=True)]
        with house_style():
            assert_legible(panel_chart([Panel("test accuracy, %", "tau", [*lines, *levels])]))


@pytest.mark.parametrize(
    ("values", "expected"), [((0.1, 1, 10), True), ((50, 100, 200), False), ((0, 1, 100), False), ((1, 8), True)]
)
def test_an_axis_that_asks_for_logarithms(values, expected):
    assert is_wide(values) is expected


@pytest.mark.parametrize(
    ("values", "first", "words"),
    [((0.1234567, 0.1234568), "0.1234567", "0.1234568"), ((1e6, 1_234_567.0), "1000000", "1234567")],
)
def test_values_that_nearly_agree_have_a_row_each(values, first, words):
    points = [Point(value, 90.0 + place, seeds=1) for place, value in enumerate(values)]
    panels = [Panel("test accuracy, %", "tau", [Points(*identities(["gumbel"]), points)])]
    assert panel_table(panels).count("| gumbel, tau ") == 2
    assert f"| gumbel, tau {words} | 1 | 91.00 |" in panel_table(panels)
    assert describe(panels).endswith(f"At the ends: gumbel 90.00 at {first} and 91.00 at {words}.")
