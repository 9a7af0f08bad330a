"""The section on a sweep over temperatures: accuracy, bounds and gradients on one axis."""

import math
from pathlib import Path

import pytest
from legible import assert_legible
from msgspec.structs import replace
from records_of import gradient_record, mean_gradient, record

from gsm_cli.objectives import OBJECTIVES
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.groups import sort_records
from gsm_cli.reports.sweeps.charts import Level, Lines, Point
from gsm_cli.reports.sweeps.section import level_of
from gsm_cli.reports.sweeps.swept import enough, find_sweeps, over_one, trained
from gsm_cli.reports.sweeps.temperature import BIAS, COSINE, DEVIATION, ONE_HOT, PROMISED, temperature_section
from gsm_cli.reports.sweeps.temperature_chart import Panel, Temperatures, temperature_chart
from gsm_cli.style import house_style

TAUS = (0.1, 0.5, 1.0)


def runs(objective: str = "gumbel", taus=TAUS, **settings: object):
    return [
        record(objective, seed, (0.5, 0.9 + tau / 100, 0.6), tau=tau, **settings) for tau in taus for seed in range(2)
    ]


def section(records, gradients=(), kind: str = "settings"):
    folder = ReportFolder(Path("reports/chosen"))
    series = trained(sort_records(records))
    lines = enough(over_one(series), series if kind == "settings" else [])
    return temperature_section(folder, "title", find_sweeps(series, lines), gradients)


def measured(*estimators: tuple[str, float | None], epochs: tuple[int, ...]):
    """Gradients on models with the settings of these runs."""
    found = gradient_record(*estimators, epochs=epochs)
    return replace(found, plan=replace(found.plan, config=record("marginalize", 0).config))


def panels(found) -> dict[str, Panel]:
    (picture,) = found.pictures
    return {panel.label: panel for panel in picture.facts.panels}


def test_accuracy_and_bounds_share_the_axis():
    found = section([*runs(), record("marginalize", 0)])
    (picture,) = found.pictures
    assert picture.name == "temperature"
    assert [point.value for point in picture.facts.accuracy.lines["gumbel"]] == list(TAUS)
    assert set(picture.facts.accuracy.levels) == {"marginalize"}
    own = panels(found)
    assert list(own) == [ONE_HOT, PROMISED]
    assert own[ONE_HOT].lines == {"gumbel": [(tau, pytest.approx(-22.5)) for tau in TAUS]}
    assert own[PROMISED].lines == {"gumbel": [(tau, pytest.approx(0.5)) for tau in TAUS]}
    assert "| gumbel, tau 0.1 | -22.500 | 0.500 |" in "\n".join(found.blocks)
    assert found.blocks[0] == "## Against the temperature"


def test_gradients_of_the_last_models_stand_beside_it():
    pairs = [("marginalize", None), *(("gumbel", tau) for tau in TAUS), ("reinmax", 1.0)]
    own = panels(section(runs(), [measured(*pairs, epochs=(1, 3))]))
    assert list(own)[2:] == [COSINE, BIAS, DEVIATION]
    assert set(own[COSINE].lines) == {"gumbel"}
    assert own[BIAS].lines["gumbel"] == [
        (0.1, pytest.approx(0.2)),
        (0.5, pytest.approx(0.4)),
        (1.0, pytest.approx(0.6)),
    ]
    assert own[DEVIATION].lines["gumbel"] == [(0.1, 0.5), (0.5, 1.0), (1.0, 1.5)]


def test_gradients_of_other_data_do_not():
    found = measured(("gumbel", 0.1), ("gumbel", 0.5), epochs=(3,))
    assert len(panels(section(runs(), [found]))) == 5
    assert len(panels(section(runs(labels=50), [found]))) == 2


@pytest.mark.parametrize("other", [{"model": "m2"}, {"draws": 10}, {"learning_rate": 0.01}, {"tau_rate": 0.1}])
def test_gradients_of_other_settings_do_not(other):
    found = measured(("gumbel", 0.1), ("gumbel", 0.5), epochs=(3,))
    assert len(panels(section(runs(**other), [found]))) == 2


def test_a_map_over_tau_leaves_its_lines():
    found = section([*runs(), *runs(draws=10)])
    assert set(panels(found)[ONE_HOT].lines) == {"gumbel, draws 1", "gumbel, draws 10"}
    longer = [record("gumbel", seed, (0.5, 0.6, 0.9, 0.6), tau=tau) for tau in TAUS for seed in range(2)]
    assert set(panels(section([*runs(), *longer]))[ONE_HOT].lines) == {"gumbel, epochs 3", "gumbel, epochs 4"}


def test_what_one_model_does_not_show_is_left_out():
    whole = measured(*(("gumbel", tau) for tau in TAUS), epochs=(3,))
    rows = list(whole.rows)
    place = next(n for n, row in enumerate(rows) if row.subject == "seed 1, epoch 3" and row.temperature == 0.5)
    rows[place] = replace(rows[place], logits=replace(mean_gradient(0.0, True), cosine=None))
    own = panels(section(runs(), [replace(whole, rows=rows)]))
    assert [tau for tau, _ in own[COSINE].lines["gumbel"]] == [0.1, 1.0]
    assert [tau for tau, _ in own[BIAS].lines["gumbel"]] == [1.0]
    assert [tau for tau, _ in own[DEVIATION].lines["gumbel"]] == [0.5, 1.0]


def falls(rate: float, **settings: object):
    """Two seeds whose temperature falls from 1 to 0.8."""
    own = {"tau": 1.0, "tau_min": 0.8, "tau_rate": rate}
    return [record("gumbel", seed, (0.5, 0.93, 0.6), **own, **settings) for seed in range(2)]


def test_a_falling_temperature_is_a_level():
    (picture,) = section([*runs(), *falls(0.01), *falls(0.01, draws=3)]).pictures
    level = level_of(sort_records(falls(0.01))[0].series[0])
    assert level.mean == pytest.approx(0.92)
    assert picture.facts.accuracy.levels == {"gumbel, tau 1 to 0.8": level}
    (picture,) = section([*runs(), *falls(0.01), *falls(0.02)]).pictures
    assert set(picture.facts.accuracy.levels) == {
        "gumbel, tau 1 to 0.8, tau_rate 0.01",
        "gumbel, tau 1 to 0.8, tau_rate 0.02",
    }


def test_a_sweep_that_falls_is_no_level_of_itself():
    falling = [each for tau in TAUS for each in runs(taus=(tau,), tau_rate=0.001)]
    (picture,) = section(falling).pictures
    assert picture.facts.accuracy.levels == {}


def test_without_a_sweep_over_tau_there_is_none():
    assert section([record("gumbel", 0), record("marginalize", 0)]).blocks == []
    assert section(runs(taus=(0.1, 1.0)), kind="comparison").blocks == []
    assert section(runs(taus=(0.1, 1.0))).blocks


@pytest.mark.parametrize("gradients", [False, True], ids=["runs alone", "gradients too"])
@pytest.mark.parametrize("objectives", [1, 4])
def test_the_picture_is_legible(objectives, gradients):
    names = [name for name, row in OBJECTIVES.items() if row.relaxed][:objectives]
    taus = (0.1, 0.2, 0.5, 1.0, 2.0)
    lines = {
        name: [Point(0.9 - 0.004 * place, 0.88, 0.92, 10, tau) for tau in taus] for place, name in enumerate(names)
    }
    level = Level(0.95, 0.94, 0.96, 10)
    levels = {"marginalize": level, **{f"{name}, tau 1 to 0.819": level for name in names}}
    found = {
        ONE_HOT: Panel(ONE_HOT, {name: [(tau, -1234.5 - tau) for tau in taus] for name in names}),
        PROMISED: Panel(PROMISED, {name: [(tau, tau / 7) for tau in taus] for name in names}, 0.0),
    }
    if gradients:
        found[COSINE] = Panel(COSINE, {name: [(tau, math.exp(-tau)) for tau in taus] for name in names}, 0.0)
        found[BIAS] = Panel(BIAS, {name: [(tau, 0.3 * tau) for tau in taus] for name in names}, 1.0, True)
        found[DEVIATION] = Panel(DEVIATION, {name: [(tau, 3 / tau) for tau in taus] for name in names}, None, True)
    with house_style():
        figure = temperature_chart(Temperatures(Lines("tau", lines, levels), list(found.values())))
        assert_legible(figure)
    titles = [axes.get_title() for axes in figure.axes if axes.axison]
    assert titles == ["test accuracy, %", *found]
