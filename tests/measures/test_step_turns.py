"""`gsm cost --for`: which steps a report has, the order of their turns, what a turn is, and how it goes on."""

import subprocess

import pytest
from msgspec.structs import replace
from records_of import ABACUS, record

from gsm_cli import __version__
from gsm_cli.errors import DataError, GsmError
from gsm_cli.measures import steps
from gsm_cli.records.cost import EVALUATIONS, Step, StepPlan, StepRecord, StepRow, read_steps
from gsm_cli.records.run import RunRecord
from gsm_cli.runs import processes
from gsm_cli.settings import build

SMALL = {"hidden": [8], "latent": 2, "batch_size": 20}
RUNS = [record(name, seed, **SMALL) for name in ("gumbel", "sparse-marginalize") for seed in (0, 1)]
PLAN = steps.plan_of(RUNS, 3, "cpu", 0)
EMPTY = StepRecord(version=__version__, code=None, environment=ABACUS, plan=PLAN, load=0.1, rows=[])


def row(number: int, place: int, evaluations: float | None) -> StepRow:
    return StepRow(
        step=place, round=number, evaluations=evaluations or 1.0, steps=5, seconds=0.5, processor_seconds=0.5
    )


@pytest.fixture
def pretended(monkeypatch):
    """Turns without a process."""
    monkeypatch.setattr(steps, "apart", lambda pool, what, call, plan, *turn: row(*turn))


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(steps, "LEAST_TURN", 0.0)


@pytest.fixture
def started(monkeypatch):
    """The processes that were started."""
    found = []
    start = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *words, **more: found.append(start(*words, **more)) or found[-1])
    return found


def interrupt_after(count: int):
    def on_row(record: StepRecord) -> None:
        if len(record.rows) == count:
            raise KeyboardInterrupt

    return on_row


def turn(step: Step, evaluations: float | None) -> StepRow:
    return steps.turn(StepPlan(steps=(step,)), 0, 0, evaluations)


class TestPlan:
    def test_runs_whose_steps_take_the_same_time_share_one(self):
        others = [
            record("gumbel", 5, [0.5] * 9, tau=0.1, **SMALL),
            record("sparse-marginalize", 0, threshold=0.1, **SMALL),
            record("gumbel", 0, **SMALL | {"batch_size": 40}),
            record("gumbel", 0, vat_weight=1.0, **SMALL),
        ]
        found = steps.plan_of([*RUNS, *others], 5, "cpu", 0)
        assert [(step.config.objective, step.config.batch_size) for step in found.steps] == [
            *(("gumbel", 20), ("sparse-marginalize", 20)),
            *(("gumbel", 40), ("gumbel", 20)),
        ]
        assert found.steps[0].config == RUNS[0].config

    @pytest.mark.parametrize(
        ("settings", "classes", "sizes"),
        [
            ({}, 10, (64, 10, 100)),
            ({"labelled_batch": 25}, 10, (64, 10, 25)),
            ({"dataset": "mnist", "labelled_batch": None}, 10, (784, 10, 100)),
            ({"classes": 5}, 5, (64, 5, 50)),
            ({"dataset": "digits-pairs", "labels": 200}, 100, (128, 100, 200)),
            ({"dataset": "mnist-pairs", "labels": 1000, "classes": 20, "labelled_batch": None}, 20, (1568, 20, 200)),
        ],
    )
    def test_sizes_are_those_of_the_data(self, settings, classes, sizes):
        run = replace(record("gumbel", 0, **settings), classes=classes)
        (step,) = steps.plan_of([run], 1, "cpu", 0).steps
        assert (step.pixels, step.classes, step.labelled) == sizes

    def test_every_round_has_every_turn_once_in_an_order_of_its_own(self):
        rounds = [[turn for number, *turn in PLAN.order if number == each] for each in range(PLAN.rounds)]
        assert len({repr(each) for each in rounds}) > 1
        for each in rounds:
            assert sorted(map(repr, each)) == sorted(map(repr, [[0, None], *([1, k] for k in (*EVALUATIONS, 10.0))]))
        assert PLAN.order == replace(PLAN).order != replace(PLAN, seed=1).order


class TestTurn:
    @pytest.mark.parametrize(
        ("objective", "evaluations"), [("gumbel", 1), ("marginalize", 10), ("reinforce", 2), ("supervised", 0)]
    )
    def test_steps_are_those_of_training(self, quick, objective, evaluations):
        (step,) = steps.plan_of([record(objective, 0, **SMALL)], 1, "cpu", 0).steps
        found = turn(step, None)
        assert (found.steps, found.evaluations) == (steps.STEPS, evaluations)
        assert found.processor_seconds > 0
        assert found.seconds > 0

    def test_a_turn_is_long_enough(self, monkeypatch):
        monkeypatch.setattr(steps, "LEAST_TURN", 0.2)
        found = turn(PLAN.steps[0], None)
        assert found.steps % steps.STEPS == 0
        assert found.seconds > 0.2
        assert 0 < found.processor_seconds < 1.1 * found.seconds

    @pytest.mark.parametrize("model", ["adgm", "m2"])
    @pytest.mark.parametrize("classes", [2, 10, 200])
    @pytest.mark.parametrize("threshold", [0.0, 0.01, 0.6])
    def test_a_sparse_sum_evaluates_what_it_is_told(self, quick, model, classes, threshold):
        """Whatever its threshold is, and also where a class's share is below it."""
        config = build({"objective": "sparse-marginalize", "threshold": threshold, "model": model, **SMALL})
        step = Step(config=config, pixels=64, classes=classes, labelled=10)
        for count in step.evaluations:
            assert turn(step, count).evaluations == pytest.approx(count)


class TestTurns:
    def test_an_interrupted_measurement_goes_on(self, folder, pretended):
        path = folder / "steps.json"
        with pytest.raises(KeyboardInterrupt):
            steps.measure_steps(EMPTY, path, interrupt_after(8))
        assert [file.name for file in folder.iterdir()] == ["steps.part"]
        done = []
        whole = steps.measure_steps(EMPTY, path, lambda record: done.append(len(record.rows)))
        assert done == [*range(9, 1 + len(PLAN.order))]
        assert read_steps(path) == whole
        assert [file.name for file in folder.iterdir()] == ["steps.json"]

    def test_a_part_of_something_else_is_not_gone_on_with(self, folder, pretended):
        part = folder / "steps.part"
        first = [row(*turn) for turn in PLAN.order[:7]]
        others = {"plan": replace(PLAN, seed=7)}, {"rows": first[::-1]}
        for other in others:
            replace(EMPTY, **other).save(part)
            with pytest.raises(DataError, match=r"steps\.part must be the beginning of this measurement, and is not"):
                steps.measure_steps(EMPTY, folder / "steps.json")
        replace(EMPTY, environment=replace(ABACUS, threads=2)).save(part)
        with pytest.raises(GsmError, match="must be of this code and this machine"):
            steps.measure_steps(EMPTY, folder / "steps.json")

    def test_a_process_of_its_own_times_every_turn(self, folder, started):
        plan = StepPlan(steps=PLAN.steps[:1], rounds=2)
        found = steps.measure_steps(replace(EMPTY, plan=plan), folder / "steps.json")
        assert [(each.round, each.step, each.evaluations) for each in found.rows] == [(0, 0, 1.0), (1, 0, 1.0)]
        assert found == read_steps(folder / "steps.json")
        assert 0 < found.worked < 1.5
        (process,) = started
        assert process.poll() is not None

    def test_a_process_that_dies_is_reported(self, folder, monkeypatch):
        monkeypatch.setattr(processes, "python", lambda module: ["sh", "-c", "exit 3"])
        with pytest.raises(GsmError, match=r"step of .* fit into memory and end, and did not [(]ended with the code 3"):
            steps.measure_steps(EMPTY, folder / "steps.json")
        assert not list(folder.iterdir())

    def test_no_process_is_left_behind(self, folder, started):
        with pytest.raises(KeyboardInterrupt):
            steps.measure_steps(EMPTY, folder / "steps.json", interrupt_after(1))
        assert started[0].poll() is not None


class TestRecord:
    WHOLE = replace(EMPTY, rows=[row(*turn) for turn in PLAN.order])

    @pytest.mark.parametrize(
        "rows",
        [WHOLE.rows[1:], [*WHOLE.rows, WHOLE.rows[0]], [replace(WHOLE.rows[0], step=9), *WHOLE.rows[1:]]],
        ids=["too few", "too many", "of no step"],
    )
    def test_every_turn_is_there_once(self, folder, rows):
        path = folder / "steps.json"
        self.WHOLE.save(path)
        assert read_steps(path) == self.WHOLE
        replace(self.WHOLE, rows=rows).save(path)
        with pytest.raises(DataError, match=r"steps\.json must have every turn of its plan once, and has not"):
            read_steps(path)

    def test_a_run_is_no_record_of_steps(self, folder):
        run: RunRecord = RUNS[0]
        run.save(folder / "steps.json")
        with pytest.raises(DataError, match=r"steps\.json must be a whole record, and is not"):
            read_steps(folder / "steps.json")
