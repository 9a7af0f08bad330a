"""The frontier: complete schedules of several lengths, their seconds, and what is reached in which time."""

from types import SimpleNamespace

import pytest
from identities import identities
from legible import assert_legible
from matplotlib.figure import Figure
from records_of import failed, record, steps_of

from gsm_cli.analysis.contrasts import over_one, trained
from gsm_cli.analysis.frontier import Frontier, Line, crossing, find_frontier
from gsm_cli.analysis.groups import sort_records
from gsm_cli.analysis.identity import Identity
from gsm_cli.analysis.series import Series
from gsm_cli.analysis.statistics import summarize
from gsm_cli.objectives import OBJECTIVES
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.run import RunRecord
from gsm_cli.reports.frontier import first_to_reach, frontier_picture, frontier_section
from gsm_cli.reports.run_report import render_runs
from gsm_cli.style import house_style

BEST = {3: 0.94, 5: 0.955, 10: 0.965}  # test accuracy of the sum, by the epochs of its schedule


def run(objective: str, seed: int, epochs: int, best: float, **settings: object) -> RunRecord:
    """A run with this accuracy on the test set after its last epoch."""
    return record(objective, seed, [0.5] * (epochs - 1) + [best + 0.01], **settings)


def runs(loss: float = 0.01, lengths=tuple(BEST), **settings: object) -> list[RunRecord]:
    """Three seeds of the sum and of gumbel, which is twice as fast and so much less accurate."""
    return [
        run(name, seed, epochs, BEST[epochs] - less + 0.005 * (seed - 1), **settings)
        for name, less in (("marginalize", 0.0), ("gumbel", loss))
        for seed in range(3)
        for epochs in lengths
    ]


def lines_of(found: Frontier) -> dict[str, list[Series]]:
    return {line.identity.label: list(line.schedules) for line in found.lines}


def schedule(epochs: int, seconds: float, accuracies: list[float], floor="") -> SimpleNamespace:
    """One whose runs were never made."""
    return SimpleNamespace(
        config=SimpleNamespace(epochs=epochs),
        cost=seconds,
        accuracy=summarize(accuracies),
        scores=dict(enumerate(accuracies)),
        floor=floor,
    )


def frontier(records) -> Frontier:
    found = find_frontier(trained(sort_records(records, steps_of(records))))
    assert found is not None
    return found


def section(tmp_path, records, name: str = "frontier"):
    found = find_frontier(trained(sort_records(records, steps_of(records))))
    return frontier_section(found)


def text_of(found) -> str:
    return "\n\n".join(block for block in found if isinstance(block, str))


class TestSchedules:
    def test_a_line_for_each_objective_with_a_point_for_each_length(self):
        lines = lines_of(frontier(runs()))
        assert {name: [each.config.epochs for each in line] for name, line in lines.items()} == {
            "marginalize": [3, 5, 10],
            "gumbel": [3, 5, 10],
        }
        assert [each.cost for each in lines["marginalize"]] == pytest.approx([12.0, 20.0, 40.0])
        assert [each.cost for each in lines["gumbel"]] == pytest.approx([6.0, 10.0, 20.0])
        longest = lines["gumbel"][2]
        assert [score.accuracy for score in longest.scores.values()] == pytest.approx([0.95, 0.955, 0.96])

    def test_without_times_schedules_stand_at_their_epochs(self):
        found = find_frontier(trained(sort_records(runs())))
        assert [each.cost for each in lines_of(found)["gumbel"]] == [3, 5, 10]
        assert [name.label for name, _ in found.first(0.95)] == ["marginalize", "gumbel"]

    def test_schedules_whose_step_was_not_timed_are_left_out(self):
        other = [each for each in runs(batch_size=100) if each.config.objective == "gumbel"]
        found = find_frontier(trained(sort_records([*runs(), *other], steps_of(runs()))))
        assert set(lines_of(found)) == {"marginalize", "gumbel, batch_size 50"}

    def test_other_settings_are_other_lines(self):
        found = frontier([*runs(), *(each for each in runs(labels=50) if each.config.objective == "gumbel")])
        assert list(lines_of(found)) == ["marginalize", "gumbel, labels 100", "gumbel, labels 50"]

    def test_what_is_fitted_to_the_length_makes_no_other_line(self):
        found = frontier([*runs(lengths=(10,)), *runs(lengths=(3, 5), kl_warmup=0.3, learning_rate=0.001)])
        assert {name: [each.config.epochs for each in line] for name, line in lines_of(found).items()} == {
            "marginalize": [3, 5, 10],
            "gumbel": [3, 5, 10],
        }
        assert found.fitted == ["kl_warmup", "learning_rate"]

    def test_of_several_settings_of_a_length_the_best_on_validation_counts(self):
        worse, better = runs(loss=0.02, kl_warmup=0.3), runs(loss=0.01)
        for records in ([*worse, *better], [*better, *worse]):
            assert [each.config.kl_warmup for each in lines_of(frontier(records))["gumbel"]] == [0.8] * 3

    def test_a_lucky_seed_does_not_take_the_place_of_several(self):
        lucky = run("gumbel", 100, 10, 0.99, kl_warmup=0.3)
        assert all(len(each.scores) == 3 for each in frontier([*runs(), lucky]).schedules)

    def test_what_differs_between_objectives_alone_is_not_fitted_to_the_length(self):
        rates = {"marginalize": 0.002, "gumbel": 0.01}
        records = [
            run(name, seed, epochs, 0.9, learning_rate=rate)
            for name, rate in rates.items()
            for seed in range(2)
            for epochs in (3, 5)
        ]
        found = frontier(records)
        assert found.fitted == []

    def test_one_length_and_failed_runs_are_none(self):
        assert find_frontier(sort_records(runs(lengths=(5,)))[0].trained) is None
        alone = [*runs(lengths=(5,)), failed("gumbel", 0)]
        assert find_frontier(trained(sort_records(alone))) is None


class TestLevels:
    @pytest.mark.parametrize(
        ("best", "levels"), [(0.97, [0.95, 0.96, 0.97]), (0.995, [0.95, 0.96, 0.97]), (0.764, [0.74, 0.75, 0.76])]
    )
    def test_are_95_96_97_or_the_three_up_to_the_best(self, best, levels):
        found = Frontier(None, [Line(Identity("gumbel"), [schedule(3, 1.0, [best])])])
        assert found.levels == pytest.approx(levels)

    def test_is_read_off_between_the_schedules_around_it(self):
        """0.95 lies two thirds of the way from 0.94 to 0.955, and the ends of the intervals pass it elsewhere."""
        found = frontier(runs(loss=0.0))
        (first, gumbel), (second, marginalize) = found.first(0.95)
        assert (first.label, second.label) == ("gumbel", "marginalize")
        assert gumbel.cost == pytest.approx(6 * (10 / 6) ** (2 / 3))
        assert marginalize.cost == pytest.approx(12 * (20 / 12) ** (2 / 3))
        half = 4.302653 * 0.005 / 3**0.5
        assert gumbel.low == 6.0  # 0.94 + half is above it
        assert gumbel.high == pytest.approx(10 * 2 ** ((0.95 - 0.955 + half) / 0.01))
        assert gumbel.shortest < gumbel.cost
        assert [name.label for name, _ in found.first(0.96)] == ["gumbel", "marginalize"]
        assert found.first(0.97) == []

    def test_a_mean_that_is_exactly_a_level_reaches_it(self):
        found = frontier([run("gumbel", seed, epochs, 0.96) for seed in range(3) for epochs in (3, 5)])
        assert [(each.cost, each.shortest) for _, each in found.first(0.96)] == [(pytest.approx(6.0),) * 2]

    def test_a_mean_that_is_shown_as_a_level_reaches_it(self):
        for accuracy, reached in {0.95996: True, 0.95994: False}.items():
            assert (crossing([schedule(3, 6.0, [accuracy])], 0.96) is not None) is reached

    def test_what_has_learned_nothing_reaches_nothing(self):
        assert crossing([schedule(3, 6.0, [0.96], floor="supervised")], 0.96) is None


class TestAnswer:
    WORDS = (
        "The first to reach a test accuracy: 95 % by gumbel (14.1 s), 96 % by marginalize (28.3 s) and 97 % by none."
    )

    def test_says_who_is_first(self):
        assert first_to_reach(frontier(runs())) == self.WORDS

    def test_says_of_several_tasks_that_they_are_several(self):
        several = frontier([*runs(), *runs(loss=0.02, labels=50)])
        assert first_to_reach(several) == ("Which schedule reaches which accuracy differs between the 2 tasks.")

    def test_is_the_first_of_a_report_on_settings(self, tmp_path):
        report = render_runs(ReportFolder(tmp_path / "frontier"), runs(), kind="settings", steps=steps_of(runs()))
        assert report.answer == self.WORDS.replace("accuracy:", "accuracy on these images:")
        assert report.title == "Digits with 100 labels: which accuracy in how many seconds?"

    def test_without_times_it_is_of_epochs(self, tmp_path):
        report = render_runs(ReportFolder(tmp_path / "frontier"), runs(), kind="settings")
        assert report.answer == (
            "The first to reach a test accuracy on these images: 95 % and 96 % by marginalize (4.22 epochs and 7.07 "
            "epochs) and 97 % by none."
        )
        assert report.title == "Digits with 100 labels: which accuracy after how many epochs?"
        assert (
            "| marginalize | 4.22 epochs [≤ 3, 8.36] | 7.07 epochs [3.88, –] | not reached | 96.50 after" in report.text
        )
        assert "second" not in report.text


class TestSection:
    def test_tables(self, tmp_path):
        text = text_of(section(tmp_path, runs()))
        assert "| objective | 95 % | 96 % | 97 % | longest |" in text
        assert "| gumbel | 14.1 s [7.77, –] | not reached | not reached | 95.50 after 10 epochs |" in text

    def test_says_what_was_fitted_to_the_length(self, tmp_path):
        assert "Fitted to the length" not in text_of(section(tmp_path, runs()))
        fitted = [*runs(lengths=(10,)), *runs(lengths=(3, 5), kl_warmup=0.3)]
        text = text_of(section(tmp_path, fitted))
        assert "Fitted to the length: kl_warmup." in text

    def test_is_empty_without_several_lengths(self, tmp_path):
        assert section(tmp_path, runs(lengths=(5,))) == []

    def test_epochs_are_in_no_other_picture(self, tmp_path):
        series = trained(sort_records(runs()))
        assert over_one(series) == []

    def test_the_longest_of_equal_groups_is_the_main_one(self):
        assert [group.config.epochs for group in sort_records(runs())] == [10, 5, 3]

    def test_the_picture_has_the_same_bytes_twice(self, tmp_path):
        first, second = (section(tmp_path, runs())[1].encode("png") for _ in range(2))
        assert first == second


def made_up(objectives: int, lengths: int, seeds: int, timed: bool = True) -> Frontier:
    """Schedules that rise as those of real runs do."""
    lines = []
    for place, line in enumerate(identities([*OBJECTIVES][:objectives])):
        schedules = []
        for epochs in (1, 2, 3, 5, 10, 30, 100, 200)[:lengths]:
            best = [0.97 - 0.3 / (1 + epochs) - 0.004 * place + 0.002 * seed for seed in range(seeds)]
            seconds = (1 + 0.3 * place) * epochs
            schedules.append(schedule(epochs, seconds if timed else epochs, best))
        lines.append(Line(line, schedules))
    return Frontier("in turns" if timed else None, lines)


def drawn(found: Frontier) -> Figure:
    with house_style():
        return frontier_picture(found).draw()


class TestPicture:
    def test_without_times_is_legible_and_of_epochs(self):
        figure = drawn(made_up(5, 3, 3, timed=False))
        assert_legible(figure)
        assert figure.axes[0].get_xlabel() == "epochs of training"
        assert set(figure.axes[0].lines[0].get_xdata()) == {1, 2, 3}

    @pytest.mark.parametrize(
        ("objectives", "lengths", "seeds"), [(1, 1, 1), (1, 8, 3), (9, 1, 3), (5, 3, 3), (9, 8, 3)]
    )
    def test_is_legible(self, objectives, lengths, seeds):
        assert_legible(drawn(made_up(objectives, lengths, seeds)))

    def test_shows_means_against_seconds(self):
        found = made_up(1, 5, 3)
        (axes,) = drawn(found).axes
        (line,) = axes.lines
        assert list(line.get_xdata()) == [1, 2, 3, 5, 10]
        means = [100 * each.accuracy.mean for each in found.lines[0].schedules]
        assert list(line.get_ydata()) == pytest.approx(means)
        assert axes.get_xscale() == "log"
        assert [text.get_text() for text in axes.texts] == ["marginalize"]

    def test_an_interval_that_is_too_wide_leaves_the_picture(self):
        found = made_up(2, 3, 2)
        wide = schedule(1, 1.3, [0.5, 0.99])
        lines = [found.lines[0], Line(found.lines[1].identity, [wide, *found.lines[1].schedules[1:]])]
        low, high = drawn(Frontier(found.clock, lines)).axes[0].get_ylim()
        assert high - low < 100
