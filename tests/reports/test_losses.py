"""What the cheap objectives lose and save: paired by seed, at every value that both have, drawn legibly."""

import re
from functools import partial
from pathlib import Path

import pytest
from legible import assert_legible
from records_of import record, steps_of, timed

from gsm_cli.analysis.choices import find_trades
from gsm_cli.analysis.contrasts import over_one, trained
from gsm_cli.analysis.groups import sort_records
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.panels import panel_chart
from gsm_cli.reports.run_report import render_runs
from gsm_cli.reports.sweeps import trade_page, trade_panels, trade_section
from gsm_cli.style import Picture, house_style

CLASSES = (2, 5, 10)


def run(objective: str, seed: int, accuracy: float, seconds: float, **settings: object):
    """A run with this test accuracy whose epochs take so long."""
    found = record(objective, seed, (0.5, 0.6, accuracy + 0.01), dataset="digits-pairs", labels=500, **settings)
    clocks = [seconds] * len(found.epochs)
    return timed(found, clocks, clocks)


def over_classes(objective: str, lost: float = 0.0, factor: float = 0.0, classes=CLASSES, **settings: object):
    """Three seeds at every number of classes: with K of them `lost` K less accurate than 0.9, in `factor` K + 1 s."""
    return [
        run(objective, seed, 0.9 - lost * kinds + 0.005 * seed, 1 + factor * kinds, classes=kinds, **settings)
        for kinds in classes
        for seed in range(3)
    ]


def section(tmp_path, records):
    return trade_section(trades(records))


def trades(records):
    return list(find_trades(over_one(trained(sort_records(records, steps_of(records))))))


def losses_of(trade):
    return {each.identity.label: each.points for each in trade.losses}


def test_losses_are_paired_and_times_are_ratios():
    (trade,) = trades([*over_classes("marginalize", factor=1.0), *over_classes("gumbel", lost=0.01)])
    assert trade.setting == "classes"
    ((_, losses),) = losses_of(trade).items()
    assert [(value, len(loss.test.seeds)) for value, loss in losses.items()] == [(2, 3), (5, 3), (10, 3)]
    assert [loss.faster.mean for loss in losses.values()] == pytest.approx([3.0, 6.0, 11.0])
    assert [loss.test.summary.mean for loss in losses.values()] == pytest.approx([-0.02, -0.05, -0.1])


def test_the_settings_of_an_objective_set_its_lines_apart():
    records = [*over_classes("marginalize"), *(each for tau in (0.5, 1.0) for each in over_classes("gumbel", tau=tau))]
    (trade,) = trades(records)
    assert set(losses_of(trade)) == {"gumbel, tau 0.5", "gumbel, tau 1"}


def test_two_tasks_have_a_picture_each(tmp_path):
    """What is written must be what is checked, so that no picture takes another's name."""
    narrow, wide = (
        [*over_classes("marginalize", latent=latent), *over_classes("gumbel", lost=0.01, latent=latent)]
        for latent in (3, 4)
    )
    found = section(tmp_path, [*narrow, *wide])
    assert [block.name for block in found if isinstance(block, Picture)] == [
        "losses-classes-2"
    ]  # the first is on the page
    assert {block for block in found if str(block).startswith("### ")} == {
        "### Against classes, latent 3",
        "### Against classes, latent 4",
    }


@pytest.mark.parametrize(
    "records",
    [
        over_classes("gumbel"),  # without the sum
        [*over_classes("marginalize"), *over_classes("gumbel", latent=3)],  # where something else differs too
        [*over_classes("marginalize", classes=(2, 5)), *over_classes("gumbel", classes=(2, 5))],  # two values
        over_classes("marginalize"),  # with nobody to compare
    ],
    ids=["no sum", "other latent", "two values", "alone"],
)
def test_there_is_no_section_without_a_comparison(tmp_path, records):
    assert section(tmp_path, records) == []


def longer(objective: str, lost: float = 0.0):
    """Two seeds at every number of classes, in so many epochs that the steps are equal."""
    return [
        record(objective, seed, (0.5,) * (20 // kinds - 1) + (0.9 - lost * kinds,), labels=500, classes=kinds)
        for kinds in CLASSES
        for seed in range(2)
    ]


def test_the_length_of_training_may_be_fitted_to_each_value():
    (trade,) = trades([*longer("marginalize"), *longer("gumbel", 0.01)])
    assert list(losses_of(trade)["gumbel"]) == list(CLASSES)
    assert [loss.test.summary.mean for loss in losses_of(trade)["gumbel"].values()] == pytest.approx(
        [-0.02, -0.05, -0.1]
    )
    (swept,) = over_one(trained(sort_records(longer("gumbel"))))
    assert swept.varying == ["epochs"]
    assert "Fitted to each value: epochs." in "".join(trade_page("", trade, "").caveats)


def test_only_equal_lengths_are_compared():
    (trade,) = trades([*longer("marginalize"), *over_of_digits("gumbel")])
    assert list(losses_of(trade)["gumbel"]) == [5]


def over_of_digits(objective: str):
    """Two seeds at every number of classes, four epochs each."""
    return [
        record(objective, seed, (0.5, 0.5, 0.5, 0.8), labels=500, classes=kinds)
        for kinds in CLASSES
        for seed in range(2)
    ]


def test_a_value_that_the_sum_does_not_have_is_left_out():
    (trade,) = trades([*over_classes("marginalize"), *over_classes("gumbel", classes=(2, 5, 10, 20))])
    assert list(losses_of(trade)["gumbel"]) == list(CLASSES)


def test_a_length_of_training_is_the_frontiers():
    records = [
        run(name, seed, 0.9, 1.0)
        if epochs == 3
        else record(name, seed, (0.5,) * epochs, dataset="digits-pairs", labels=500)
        for name in ("marginalize", "gumbel")
        for epochs in (3, 5, 7)
        for seed in range(2)
    ]
    assert trades(records) == []


@pytest.mark.parametrize("classes", [(2, 5, 10), (2, 5, 10, 20, 50, 100)])
def test_the_picture_is_legible_and_shows_the_losses(classes):
    records = [*over_classes("marginalize", factor=1.0, classes=classes)]
    for place, name in enumerate(("gumbel", "sum-and-sample", "straight-through-gumbel", "sparse-marginalize")):
        records += over_classes(name, lost=0.0005 * place, factor=0.01 * place, classes=classes)
    (trade,) = trades(records)
    with house_style():
        figure = panel_chart(trade_panels(trade)[:1])
        assert_legible(figure)
    (left,) = figure.axes
    assert list(left.lines[0].get_ydata()) == pytest.approx([0] * len(classes))
    places = [x for line in left.lines if line.get_marker() != "None" for x in line.get_xdata()]
    assert len(set(places)) == 4 * len(classes)
    assert sorted(places) == pytest.approx(sorted(4 * classes), rel=0.1)


def test_all_classes_stand_at_their_number():
    """Runs on all ten classes, which nobody had to name, end the line of those on two and five."""
    some = [run for name in ("marginalize", "gumbel") for run in over_classes(name, 0.01, classes=(2, 5))]
    whole = [run(name, seed, 0.9, 1.0) for name in ("marginalize", "gumbel") for seed in range(3)]
    (trade,) = trades([*some, *whole])
    assert list(losses_of(trade)["gumbel"]) == list(CLASSES)
    report = render_runs(ReportFolder(Path("reports/chosen")), [*some, *whole], kind="settings")
    assert report.title.startswith("Pairs of digits with 500 labels and 2 and 5 drawn classes: what does one")
    assert "| gumbel, classes 2 | 3 |" in report.details_text
    longer = partial(record, accuracies=(0.5, 0.6, 0.7, 0.8), dataset="digits-pairs", labels=500)
    lengths = [longer(name, seed) for name in ("marginalize", "gumbel") for seed in range(3)]
    assert list(losses_of(trades([*some, *whole, *lengths])[0])["gumbel"]) == list(CLASSES)


@pytest.mark.parametrize("objective", ["gumbel", "marginalize"])
@pytest.mark.parametrize("change", [{"epochs": 4}, {"learning_rate": 0.1}], ids=lambda change: next(iter(change)))
def test_another_length_of_one_objective_takes_nothing_away(objective, change):
    records = [*over_classes("marginalize", factor=1.0), *over_classes("gumbel", lost=0.01)]
    settings = {"learning_rate": 0.1} if "learning_rate" in change else {}
    accuracies = (0.5,) * change.get("epochs", 3) + (0.8,)
    of_it = {"dataset": "digits-pairs", "labels": 500, "classes": 10}
    more = [record(objective, seed, accuracies, **of_it, **settings) for seed in range(3)]
    (trade,) = trades([*records, *more])
    assert [loss.test.summary.mean for loss in losses_of(trade)["gumbel"].values()] == pytest.approx(
        [-0.02, -0.05, -0.1]
    )


def test_the_page_says_at_which_values_an_objective_is_worse():
    """Six seeds at three values: the least p-value is 3 * 2 / 2^6, too large; seven are enough."""
    lost = {2: 0.0, 5: 0.03, 10: 0.05}

    def page(seeds: int, few: int | None = None):
        """With `few` so many seeds at all values but the largest."""
        of = [(kinds, seed) for kinds in lost for seed in range(seeds if kinds == 10 else few or seeds)]
        runs = [run("marginalize", seed, 0.9, 1.0, classes=kinds) for kinds, seed in of]
        runs += [run("gumbel", seed, 0.9 - lost[kinds], 1.0, classes=kinds) for kinds, seed in of]
        return render_runs(ReportFolder(Path("reports/classes")), runs, kind="settings")

    few = page(6).answer
    assert re.fullmatch(
        r"Too few seeds to test 3 values together: gumbel has -5.00 \[.*\] points at 10 classes on these images\.", few
    )
    assert "*Exploratory: the tests of a row need 7 seeds, and some values have 6.*" in page(6).text
    mixed = page(7, few=2)
    assert mixed.answer.startswith("Gumbel is worse than the sum at 10 classes and not told apart from it at 2 and 5")
    assert "*Exploratory: the tests of a row need 7 seeds, and some values have 2.*" in mixed.text
    found = page(7)
    assert found.answer == (
        "Gumbel is worse than the sum at 5 and 10 classes and not told apart from it at 2 on these images."
    )
    assert "Exploratory" not in found.text
    assert "| gumbel | +0.00 [" in found.text
    assert found.pictures[0].name == "losses-classes"
    assert "| gumbel, classes 10 | 7 | -5.00 [" in found.details_text


def test_of_a_comparison_the_sweep_is_in_the_details():
    runs = [*over_classes("marginalize", factor=1.0), *over_classes("gumbel", lost=0.01)]
    found = render_runs(ReportFolder(Path("reports/classes")), runs)
    assert found.title.endswith("can one sample replace the sum over classes?")
    assert "## What one sample loses" in found.details_text
