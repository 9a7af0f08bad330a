"""What becomes of a run: used again, kept, kept as a failure in few words, or refused before it begins."""

import pytest
from batches import tasks
from msgspec.structs import replace
from records_of import failed, record

from gsm_cli.errors import DataError, GsmError, UsageError
from gsm_cli.estimator_settings import OwnSettings
from gsm_cli.records.run import Failure, read_run
from gsm_cli.runs import task as module
from gsm_cli.runs import training
from gsm_cli.runs.places import WorkerLostError
from gsm_cli.runs.task import Outcome, Task, check, is_to_do, keep, reuse, unfinished, words
from gsm_cli.runs.training import Run


@pytest.fixture
def task(tmp_path) -> Task:
    (task,) = tasks(tmp_path, "gumbel")
    return task


def finished(task: Task):
    """A record that says that the run of a task is finished."""
    return replace(record("gumbel", 0, [0.5] * 4), config=task.config)


class TestReuse:
    def test_what_is_finished_is_used_again(self, task):
        assert reuse(task.record, task.config) is None
        assert is_to_do(task)
        finished(task).save(task.record)
        assert reuse(task.record, task.config) == finished(task)
        assert not is_to_do(task)

    def test_what_failed_is_to_do(self, task):
        failed("gumbel", 0).save(task.record)
        assert reuse(task.record, task.config) is None
        assert is_to_do(task)

    def test_a_run_of_other_settings_is_refused(self, task):
        finished(task).save(task.record)
        with pytest.raises(DataError) as caught:
            reuse(task.record, replace(task.config, seed=1))
        assert str(caught.value) == (
            f"{task.record} must be a run of the settings that are asked for, and has seed 0 and not 1: "
            "move it away, or take its place with --force"
        )
        task.record.write_text("{")
        assert not is_to_do(task)

    def test_a_failure_never_takes_the_place_of_what_is_finished(self, task):
        failure, whole = failed("gumbel", 0), finished(task)
        for given, kept in ((failure, failure), (whole, whole), (failure, whole)):
            keep(task.record, given)
            assert read_run(task.record) == kept
        task.record.write_text("{")
        keep(task.record, failure)
        assert read_run(task.record) == failure


class TestReasons:
    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (GsmError("it is\n  so"), "it is so"),
            (ValueError("it is\x1b so"), r"ValueError (it is\x1b so)"),
            (GsmError("a" * 200), "a" * 200),
            (GsmError("a" * 201), "a" * 200 + "…"),
            (WorkerLostError("was killed by signal 9"), "its worker was killed by signal 9"),
        ],
    )
    def test_are_one_line_of_limited_length(self, task, error, reason):
        assert words(error) == Outcome(task, None, problem=error).reason == reason

    def test_what_went_well_has_none(self, task):
        outcome = Outcome(task, finished(task))
        assert (outcome.reason, outcome.finished, outcome.reused, outcome.path) == (None, True, False, task.record)
        assert not Outcome(task, failed("gumbel", 0)).finished

    def test_the_record_of_what_could_not_be_had(self, task):
        """As far as the checkpoint goes; the folder, which is somebody's own, is not named."""
        assert unfinished(task, GsmError("no")).failure == Failure(step=0, reason="no")
        run = Run(task.config, module.load_split(task.config, 0, None, None))
        for _ in range(2):
            run.epochs.append(run.epoch())
            run.keep_best()
        run.checkpoint().save(task.checkpoint)
        found = unfinished(task, GsmError(f"{task.checkpoint} cannot be written"))
        assert found.failure == Failure(step=8, reason=f"{task.checkpoint.name} cannot be written")
        assert (len(found.epochs), found.config) == (2, task.config)
        task.checkpoint.write_bytes(b"damaged")
        assert unfinished(task, GsmError("no")).failure.step == 0

    def test_each_reads_its_own_data(self, task, monkeypatch):
        asked = []

        def missing(*given: object) -> None:
            asked.append(given)
            raise DataError

        monkeypatch.setattr(module, "load_split", missing)
        there = Task(replace(task.config, seed=3), task.record, data_dir=task.record.parent)
        assert unfinished(there, GsmError("no")) is None
        assert asked == [(there.config, 3, task.record.parent, None)]


class TestCheck:
    def test_every_run_of_other_settings_is_looked_at_and_every_split_read_once(self, tmp_path, monkeypatch):
        load, read, begun = module.load_split, [], []
        monkeypatch.setattr(module, "load_split", lambda *given: read.append(given) or load(*given))
        monkeypatch.setattr(training, "Run", lambda config, split: begun.append((config.name, split.classes)))
        both = tasks(tmp_path, "gumbel", "supervised", seeds=2)
        few = tasks(tmp_path, "gumbel", classes=3)
        fewer = tasks(tmp_path, "gumbel", labels=50)
        here = [Task(each.config, each.record, data_dir=tmp_path) for each in [*both, *few, *fewer, *few]]
        check(here, fetch := lambda *given: None)
        assert begun == [(here[n].config.name, classes) for n, classes in ((2, 10), (3, 10), (4, 3), (5, 10))]
        assert [(given[0].labels, given[0].classes, *given[1:]) for given in read] == [
            (100, None, 1, tmp_path, fetch),
            (100, 3, 0, tmp_path, fetch),
            (50, None, 0, tmp_path, fetch),
        ]

    @pytest.mark.parametrize("top", [9, 10])
    def test_the_classes_to_sum_are_fewer_than_all(self, tmp_path, top):
        batch = tasks(tmp_path, "sum-and-sample", top=top)
        if top < 10:
            check(batch, None)
            return
        with pytest.raises(UsageError) as caught:
            check(batch, None)
        assert str(caught.value) == (
            "top must be less than the 10 classes, not 10: lower it, or sum them all with marginalize"
        )

    def test_a_setting_of_somebodys_own_may_have_that_name(self, tmp_path, monkeypatch):
        monkeypatch.setattr(training, "Run", lambda config, split: None)
        (task,) = tasks(tmp_path, "gumbel")
        own = replace(task.config, estimator=OwnSettings(of="mine.py:Mine", sha256="a" * 64, values={"top": 99}))
        check([Task(own, task.record)], None)
