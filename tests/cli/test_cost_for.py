"""`gsm cost --for`: what it says and leaves, what it uses again, and what it refuses."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from records_of import ABACUS, batch, cost_record, gradient_record, record, steps_of

from gsm_cli import __version__
from gsm_cli.cli.measuring import alone
from gsm_cli.estimator_settings import OwnSettings
from gsm_cli.measures import steps
from gsm_cli.records.cost import StepPlan, StepRow, read_steps
from gsm_cli.records.layout import ReportFolder

REPORT = Path("reports/digits-100")
RUNS = batch({"marginalize": [0.0, 0.0], "gumbel": [0.0, 0.01], "sparse-marginalize": [0.0, 0.0]})


@pytest.fixture(autouse=True)
def idle(monkeypatch):
    monkeypatch.setattr("gsm_cli.cli.cost.load", lambda: 0.1)


@pytest.fixture
def report(folder) -> ReportFolder:
    """A folder with the records of two seeds of three objectives."""
    for run in RUNS:
        run.save(ReportFolder(REPORT).record(run.config.name))
    return ReportFolder(REPORT)


@pytest.fixture
def pretended(monkeypatch):
    """Turns without a process, told as they are made; steps of the sum take twice as long."""
    made: list[tuple[int, int]] = []

    def turn(pool: object, what: str, call: object, plan: StepPlan, number: int, place: int, count: float | None):
        made.append((number, place))
        seconds = 0.8 if plan.steps[place].config.objective == "marginalize" else 0.4
        return StepRow(
            step=place, round=number, evaluations=count or 1.0, steps=5, seconds=seconds, processor_seconds=seconds
        )

    monkeypatch.setattr(steps, "apart", turn)
    return made


class TestMeasures:
    def test_record_and_report(self, gsm, report, pretended):
        found = gsm("cost", "--for", REPORT, "--rounds", 3)
        assert found.exit_code == 0, found.stderr
        assert found.stdout.splitlines() == [str(report.steps), str(report.text)]
        assert re.findall(r"(\d+) of 21: [\w-]+: \d+ ms", found.stderr) == [str(each) for each in range(1, 22)]
        whole = read_steps(report.steps)
        assert (whole.version, whole.environment.threads, whole.load) == (__version__, 1, 0.1)
        assert re.search(r"^\| gumbel \| \d+ \| 9\d\.\d\d", report.text.read_text(), re.MULTILINE)
        assert "2.00 [2.00, 2.00]" in report.text.read_text()
        assert gsm("report", REPORT, "--check").exit_code == 0
        assert not list(report.path.rglob("*.lock"))

    def test_json_has_the_record_and_the_report(self, gsm, report, pretended):
        shown = json.loads(gsm("cost", "--for", REPORT, "--json").stdout)
        assert shown["files"] == [str(report.steps), str(report.text)]
        assert shown["results"]["record"] == json.loads(report.steps.read_text())
        assert shown["results"]["report"]["facts"]["groups"][0]["speed_ups"]["gumbel"]["mean"] == pytest.approx(2.0)

    def test_threads_and_device_are_those_of_most_runs(self, gsm, report, pretended):
        for run in RUNS[:4]:
            replace(run, environment=replace(ABACUS, threads=3)).save(report.record(run.config.name))
        gsm("cost", "--for", REPORT)
        assert read_steps(report.steps).environment.threads == 3

    def test_what_was_measured_is_used_again(self, gsm, report, pretended):
        first = gsm("cost", "--for", REPORT, "--rounds", 2)
        again = gsm("cost", "--for", REPORT, "--rounds", 3)
        assert again.stdout == first.stdout
        assert "measured before, here; --force measures again" in again.stderr
        assert len(pretended) == 14
        forced = gsm("cost", "--for", REPORT, "--force")
        assert f"at its end this replaces {report.steps}" in forced.stderr
        assert len(pretended) == 14 + 35

    def test_an_interrupted_measurement_goes_on(self, gsm, report, pretended, monkeypatch):
        whole = steps.apart

        def some(*words):
            if len(pretended) == 10:
                raise KeyboardInterrupt
            return whole(*words)

        with monkeypatch.context() as patch:
            patch.setattr(steps, "apart", some)
            stopped = gsm("cost", "--for", REPORT)
        assert (stopped.exit_code, stopped.stdout) == (130, "")
        assert "give the same command again to go on after what is measured" in stopped.stderr
        assert not report.steps.exists()
        assert "goes on where it was interrupted, after 10 of 35 measurements" in gsm("cost", "--for", REPORT).stderr
        assert {row.round for row in read_steps(report.steps).rows} == set(range(5))
        assert not list(report.path.glob("*.part"))


class TestRefuses:
    @pytest.mark.parametrize(
        ("words", "option"),
        [
            (("--classes", "10"), "--classes"),
            (("--objective", "all"), "--objective"),
            (("--model", "m2"), "--model"),
            (("--batch-size", 7), "--batch-size"),
            (("--precision", "float32"), "--precision"),
            (("--out", "elsewhere"), "--out"),
        ],
    )
    def test_what_the_runs_say_already(self, gsm, report, pretended, words, option):
        found = gsm("cost", "--for", REPORT, *words)
        rule = f"--for takes the sizes of its runs, and {option} names another: leave one of them out"
        assert (found.exit_code, found.stdout, pretended) == (2, "", [])
        assert rule in found.stderr
        assert not report.steps.exists()

    def test_a_folder_without_runs(self, gsm, folder, pretended):
        costs = cost_record(marginalize={2: (8.0,)}, gumbel={2: (7.0,)})
        costs.save(ReportFolder(Path("reports/cost")).record(costs.plan.name))
        gradients = gradient_record(("marginalize", None))
        gradients.save(ReportFolder(Path("reports/digits-100")).measurement(gradients.plan.name))
        for name in ("nothing", "reports", "reports/cost", "reports/digits-100"):
            found = gsm("cost", "--for", name)
            assert (found.exit_code, found.stdout, pretended) == (3, "", [])
            assert f"--for must name the folder of a report on runs, and {name} has none: write" in found.stderr

    def test_a_damaged_record(self, gsm, report, pretended):
        report.steps.write_text("{")
        found = gsm("cost", "--for", REPORT)
        assert (found.exit_code, found.stdout, pretended) == (3, "", [])
        assert f"{report.steps} must be a whole record, and is not" in found.stderr
        told = gsm("report", REPORT)
        assert told.exit_code == 3
        assert "steps.json must be a whole record" in told.stderr
        assert "> **Warning.** steps.json must be a whole record" in report.text.read_text()
        assert f"at its end this replaces {report.steps}" in gsm("cost", "--for", REPORT, "--force").stderr
        assert read_steps(report.steps)

    def test_a_record_of_other_settings_than_the_runs(self, gsm, report, pretended):
        steps_of(RUNS[:4]).save(report.steps)
        before = report.steps.read_bytes()
        found = gsm("cost", "--for", REPORT)
        assert (found.exit_code, found.stdout, pretended) == (1, "", [])
        name = RUNS[4].config.name
        rule = f"{report.steps} must have the step of every run of the report, and lacks that of {name}: --force times"
        assert rule in found.stderr
        assert report.steps.read_bytes() == before
        assert gsm("cost", "--for", REPORT, "--force").exit_code == 0
        assert "are missing, whose settings" not in report.text.read_text()

    def test_two_at_once(self, gsm, report, pretended):
        with alone(report.path):
            found = gsm("cost", "--for", REPORT)
        assert (found.exit_code, found.stdout, pretended) == (1, "", [])
        assert "a measurement must be alone, and" in found.stderr

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (("--rounds", 0), "--rounds must be a whole number from 1 to 1,000, not 0"),
            (("--device", "tpu"), "--device must be auto, cpu or cuda, not 'tpu'"),
        ],
    )
    def test_wrong_words(self, gsm, report, pretended, words, sentence):
        found = gsm("cost", "--for", REPORT, *words)
        assert (found.exit_code, found.stdout, pretended) == (2, "", [])
        assert sentence in found.stderr

    def test_images_of_their_own_that_are_gone_or_others(self, gsm, folder, pretended):
        run = record("gumbel", 0)
        own = replace(run, config=replace(run.config, dataset="mine.npz", dataset_sha256="a" * 64))
        report = ReportFolder(Path("reports/mine-100"))
        own.save(report.record(own.config.name))
        gone = gsm("cost", "--for", report.path)
        assert "dataset must name a file of images, and there is no mine.npz" in gone.stderr
        classes = np.arange(60) % 3
        np.savez("mine.npz", images=np.full((60, 4, 6), 255, np.uint8), classes=classes)
        others = gsm("cost", "--for", report.path)
        assert "mine.npz must stay as it was when the runs began, and changed: restore it" in others.stderr
        assert (gone.exit_code, others.exit_code, pretended) == (2, 2, [])

    def test_an_estimator_of_their_own_that_changed(self, gsm, folder, pretended):
        Path("mine.py").write_text("class Mine:\n    def __call__(self, bound, logits, rng): return logits.sum(-1)\n")
        run = record("gumbel", 0)
        mine = OwnSettings(of="mine.py:Mine", sha256="a" * 64, values={})
        own = replace(run, config=replace(run.config, estimator=mine))
        own.save(ReportFolder(REPORT).record(own.config.name))
        found = gsm("cost", "--for", REPORT)
        assert (found.exit_code, found.stdout, pretended) == (2, "", [])
        assert "mine.py:Mine must stay as it was when the run began, and changed: start it again" in found.stderr


class TestBusyMachine:
    def test_is_told_before_and_in_the_record(self, gsm, report, pretended, monkeypatch):
        monkeypatch.setattr("gsm_cli.cli.cost.load", lambda: 3.25)
        found = gsm("cost", "--for", REPORT)
        assert found.exit_code == 0
        (said,) = (line for line in found.stderr.splitlines() if line.startswith("gsm: "))
        assert said == (
            "gsm: the machine must be idle while steps are timed, and had a load of 3.2 before: let other work end, "
            "and measure again with --force"
        )
        assert found.stderr.index(said) < found.stderr.index("1 of 35")
        assert read_steps(report.steps).load == 3.25
        assert "An idle machine: when steps were timed, it had a load of 3.2" in report.text.read_text()

    def test_is_told_after_where_the_processor_was_shared(self, gsm, report, pretended, monkeypatch):
        whole = steps.apart

        def shared(*words):
            row = whole(*words)
            return replace(row, seconds=2 * row.seconds)

        monkeypatch.setattr(steps, "apart", shared)
        found = gsm("cost", "--for", REPORT)
        assert "idle while steps are timed, and gave the steps 50 % of the time: let other work end" in found.stderr
        assert found.stderr.index("gave the steps") > found.stderr.index("35 of 35")
