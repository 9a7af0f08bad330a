"""The section on a sweep over temperatures: accuracy and bounds on one axis."""

import pytest
from identities import identities
from legible import assert_legible
from records_of import record

from gsm_cli.analysis.contrasts import enough, over_one, trained
from gsm_cli.analysis.groups import sort_records
from gsm_cli.objectives import OBJECTIVES
from gsm_cli.reports.panels import Panel, Point, Points, panel_chart
from gsm_cli.reports.sweeps import ONE_HOT, PROMISED, temperature_section
from gsm_cli.style import Picture, house_style

TAUS = (0.1, 0.5, 1.0)


def runs(objective: str = "gumbel", taus=TAUS, **settings: object):
    return [
        record(objective, seed, (0.5, 0.6, 0.9 + tau / 100), tau=tau, **settings) for tau in taus for seed in range(2)
    ]


def section(records, kind: str = "settings"):
    series = trained(sort_records(records))
    lines = enough(over_one(series), series if kind == "settings" else [])
    return temperature_section(lines, series)


def accuracy(found) -> dict[str, list[Point]]:
    """What the first panel shows, by label."""
    (picture,) = (block for block in found if isinstance(block, Picture))
    return {line.identity.label: list(line.points) for line in picture.facts[0].lines}


def levels(found) -> dict[str, float]:
    return {label: points[0].mean for label, points in accuracy(found).items() if points[0].value is None}


def panels(found) -> dict[str, dict[str, list[tuple[float, float]]]]:
    """What the other panels show, by title and label."""
    (picture,) = (block for block in found if isinstance(block, Picture))
    return {
        panel.title: {line.identity.label: [(each.value, each.mean) for each in line.points] for line in panel.lines}
        for panel in picture.facts[1:]
    }


def test_accuracy_and_bounds_share_the_axis():
    found = section([*runs(), record("marginalize", 0)])
    (picture,) = (block for block in found if isinstance(block, Picture))
    assert picture.name == "temperature"
    assert [point.value for point in accuracy(found)["gumbel"]] == list(TAUS)
    assert set(levels(found)) == {"marginalize"}
    own = panels(found)
    assert list(own) == [ONE_HOT, PROMISED]
    assert own[ONE_HOT] == {"gumbel": [(tau, pytest.approx(-22.5)) for tau in TAUS]}
    assert own[PROMISED] == {"gumbel": [(tau, pytest.approx(0.5)) for tau in TAUS]}
    assert found[0] == "## Against the temperature"


def test_two_settings_are_two_lines():
    found = section([*runs(), *runs(draws=10)])
    assert set(panels(found)[ONE_HOT]) == {"gumbel, draws 1", "gumbel, draws 10"}
    longer = [record("gumbel", seed, (0.5, 0.6, 0.6, 0.9), tau=tau) for tau in TAUS for seed in range(2)]
    assert set(panels(section([*runs(), *longer]))[ONE_HOT]) == {"gumbel, epochs 3", "gumbel, epochs 4"}


def test_without_a_sweep_over_tau_there_is_none():
    assert section([record("gumbel", 0), record("marginalize", 0)]) == []
    assert section(runs(taus=(0.1, 1.0)), kind="comparison") == []
    assert section(runs(taus=(0.1, 1.0)))


@pytest.mark.parametrize("objectives", [1, 4])
def test_the_picture_is_legible(objectives):
    names = [name for name, row in OBJECTIVES.items() if row.relaxed][:objectives]
    taus = (0.1, 0.2, 0.5, 1.0, 2.0)
    lines = identities([*names, "marginalize", *(f"{name}, tau 1 to 0.819" for name in names)])

    def panel(title, value, reference=None, more=()):
        points = [Points(line, [Point(tau, value(tau)) for tau in taus]) for line in lines[:objectives]]
        return Panel(title, "tau", [*points, *more], reference=reference)

    flat = [Points(line, [Point(None, 95.0)]) for line in lines[objectives:]]
    found = [
        panel("test accuracy, %", lambda tau: 90 - tau, more=flat),
        panel(ONE_HOT, lambda tau: -1234.5 - tau),
        panel(PROMISED, lambda tau: tau / 7, 0.0),
    ]
    with house_style():
        figure = panel_chart(found)
        assert_legible(figure)
    assert [axes.get_title() for axes in figure.axes if axes.axison] == [each.title for each in found]
