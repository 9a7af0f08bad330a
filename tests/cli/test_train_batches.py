"""`gsm train-ssl` on batches: jobs, sweeps, what it says before it starts and while it runs, and how it ends."""

import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time

import pytest
from batches import kept, tasks
from records_of import record
from rich.console import Console
from tree import ROOT
from trials import members

from gsm_cli.cli import display
from gsm_cli.cli.display import Display
from gsm_cli.cli.plan import read_plan
from gsm_cli.records.curves import Epoch
from gsm_cli.runs import training
from gsm_cli.runs.places import WorkerLostError
from gsm_cli.runs.task import Outcome

QUICK = ("train-ssl", "--set", "hidden=8", "--batch-size", 200, "--epochs", 2)


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch):
    for name in [name for name in os.environ if name.startswith("GSM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def labels(*sweeps: str, **options: object) -> list[str]:
    plan = read_plan({"objective": "gumbel", "sweep": list(sweeps), **options}, [], None)
    return [plan.label(config) for config in plan.configs]


class TestSweeps:
    def test_every_combination_of_objectives_seeds_and_values(self):
        assert labels("tau=0.1,2", "labels=50,100", objective="gumbel,marginalize", seeds="3-4") == [
            f"{run} seed {seed}"
            for seed in (3, 4)
            for run in (
                *("gumbel tau 0.1 labels 50", "marginalize labels 50", "gumbel tau 0.1 labels 100"),
                *("marginalize labels 100", "gumbel tau 2 labels 50", "gumbel tau 2 labels 100"),
            )
        ]

    @pytest.mark.parametrize("tau", [["0.3,1"], ["0.3", "1"]])
    def test_a_list_of_temperatures_is_a_sweep(self, tau):
        assert labels(tau=tau) == labels("tau=0.3,1") == ["gumbel tau 0.3 seed 0", "gumbel tau 1 seed 0"]

    def test_any_option_may_be_a_list(self):
        assert labels(labels="50,100") == labels("labels=50,100")

    def test_any_setting_may_be_swept(self):
        plan = read_plan(
            {"objective": "gumbel", "sweep": ["hidden=8x4,16", "norm=none,layer", "weight-std=none,1"]}, [], None
        )
        found = {(config.hidden, config.norm, config.weight_std) for config in plan.configs}
        assert len(plan.configs) == len(found) == 8
        assert ((8, 4), "none", None) in found
        assert plan.label(plan.configs[0]) == "gumbel hidden 8,4 norm none weight_std none seed 0"

    @pytest.mark.parametrize(
        ("line", "variable", "option", "expected"),
        [
            ("tau = [0.1, 2]", "", {}, "0.1 2"),
            ('tau = "0.1,2"', "", {}, "0.1 2"),
            ("tau = 3", "0.1,2", {}, "0.1 2"),
            ("tau = [3, 4]", "0.1,2", {}, "0.1 2"),
            ("tau = [3, 4]", "0.1,2", {"tau": ["1", "5"]}, "1 5"),
            ("tau = [3, 4]", "", {"sweep": ["tau=1,5"]}, "1 5"),
            ("tau = [0.1, 2]", "", {"labels": "100"}, "0.1 2"),
        ],
    )
    def test_a_list_is_a_sweep_wherever_it_stands(self, folder, monkeypatch, line, variable, option, expected):
        (folder / "a.toml").write_text(line)
        if variable:
            monkeypatch.setenv("GSM_TAU", variable)
        plan = read_plan({"objective": "gumbel", **option}, [], folder / "a.toml")
        assert [plan.label(config) for config in plan.configs] == [f"gumbel tau {t} seed 0" for t in expected.split()]

    @pytest.mark.parametrize("option", [{"tau": "0.7"}, {"tau": ["0.7"]}])
    def test_one_value_on_the_command_line_takes_the_place_of_a_list_in_a_file(self, folder, option):
        (folder / "a.toml").write_text("tau = [0.1, 2]")
        (config,) = read_plan({"objective": "gumbel", **option}, [], folder / "a.toml").configs
        assert config.own["tau"] == 0.7

    def test_several_values_behind_set_are_a_sweep(self):
        plan = read_plan({"objective": "gumbel"}, ["kl_start=1,4", "hidden=8,4"], None)
        assert [(config.kl_start, config.hidden) for config in plan.configs] == [(1, (8, 4)), (4, (8, 4))]

    @pytest.mark.parametrize(
        ("line", "variables", "option", "expected"),
        [
            ("tau=0.1,2", {"GSM_TAU": "0.7"}, {}, "0.7"),
            ("tau=0.1,2", {"GSM_TAU": "3,4"}, {}, "3 4"),
            ("tau=0.1,2", {}, {"tau": "0.7"}, "0.7"),
            ("tau=0.1,2", {}, {"tau": ["1", "5"]}, "1 5"),
            ("tau=0.1,2", {"GSM_SWEEP": "tau=3,4"}, {}, "3 4"),
            ("tau=0.1,2", {}, {"sweep": ["tau=3,4"]}, "3 4"),
            ("tau=0.1,2", {}, {"sweep": ["labels=100"]}, "0.1 2"),
        ],
    )
    def test_a_sweep_is_as_strong_as_its_place(self, folder, monkeypatch, line, variables, option, expected):
        (folder / "a.toml").write_text(f'sweep = ["{line}"]')
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        plan = read_plan({"objective": "gumbel", **option}, [], folder / "a.toml")
        assert [config.own["tau"] for config in plan.configs] == [float(tau) for tau in expected.split()]

    @pytest.mark.parametrize(
        ("line", "variables", "option", "expected"),
        [
            ("jobs = 3", {}, {"scheduler": "tcp://a:1"}, (None, "tcp://a:1")),
            ("jobs = 3", {"GSM_SCHEDULER": "tcp://a:1"}, {}, (None, "tcp://a:1")),
            ("", {"GSM_JOBS": "3"}, {"scheduler": "tcp://a:1"}, (None, "tcp://a:1")),
            ("scheduler = 'tcp://a:1'", {}, {"jobs": "2"}, (2, None)),
            ("scheduler = 'tcp://a:1'", {"GSM_JOBS": "auto"}, {}, (None, None)),
        ],
    )
    def test_workers_of_a_stronger_place_replace_those_of_a_weaker(
        self, folder, monkeypatch, line, variables, option, expected
    ):
        (folder / "a.toml").write_text(line)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        plan = read_plan({"objective": "gumbel", **option}, [], folder / "a.toml")
        assert (plan.jobs, plan.scheduler) == expected

    def test_a_repeated_set_is_a_sweep(self):
        plan = read_plan({"objective": "gumbel"}, ["kl_start=1", "kl_start=4"], None)
        assert [config.kl_start for config in plan.configs] == [1, 4]

    def test_a_repeated_sweep_has_the_values_of_both(self):
        assert labels("tau=1,2", "tau=3") == labels("tau=1,2,3")

    def test_an_equal_value_is_one_run(self):
        assert labels("tau=0.5,0.50,0.5") == ["gumbel tau 0.5 seed 0"]

    def test_a_file_may_have_them(self, folder):
        (folder / "a.toml").write_text(
            'objective = "gumbel"\nsweep = ["tau=0.1,2", "labels=50,100"]\njobs = 3\nreport = "two"\n'
        )
        plan = read_plan({}, [], folder / "a.toml")
        assert len(plan.configs) == 4
        assert (plan.jobs, plan.folder(plan.configs[0])) == (3, "two")


BAD = [
    (("--jobs", 0), "--jobs must be auto or a whole number from 1 to 1,000, not 0"),
    (("--jobs", "many"), "--jobs must be auto or a whole number from 1 to 1,000, not 'many'"),
    (("--jobs", -1), "--jobs must be auto or a whole number from 1 to 1,000, not -1"),
    (("--jobs", 2, "--scheduler", "tcp://a:1"), "--scheduler must stand without --jobs"),
    (("--set", "jobs=2", "--scheduler", "tcp://a:1"), "--scheduler must stand without --set jobs"),
    (("--sweep", "tau"), "--sweep must be NAME=VALUE, not 'tau'"),
    (("--sweep", "=1,2"), "--sweep must be NAME=VALUE, not '=1,2'"),
    (("--sweep", "tau=1,,2"), "--sweep tau must be values with commas, not '1,,2'"),
    (("--sweep", "tau="), "--sweep tau must be values with commas, not ''"),
    (("--sweep", "temperature=1,2"), "--sweep temperature is no setting"),
    (("--sweep", "tau=0.5,-1"), "--sweep tau of gumbel must be positive and finite, not -1"),
    (("--sweep", "labels=100,many"), "--sweep labels must be a whole number from 1 to 1,000,000, not 'many'"),
    (("--sweep", "labels=100,95"), "--labels must be a multiple of the 10 classes, not 95"),
    (("--sweep", "hidden=8x,4"), "--sweep hidden must be one to twenty whole numbers from 1 to 10,000"),
    (("--sweep", "top=1,2"), "--sweep top is a setting of sum-and-sample, and none of gumbel reads it"),
    (("--sweep", "tau_min=0.1,0.7"), "tau_min must be at most tau (0.5), not 0.7"),
    (("--sweep", "seed=1,2"), "--sweep must name a setting of a run, and seed is given by --seeds"),
    (("--sweep", "objective=gumbel,reinmax"), "and objective is given by --objective"),
    (("--sweep", "tau=1,2", "--tau", "3,4"), "--sweep tau must stand without --tau"),
    (("--sweep", "tau=1,2", "--tau", 3), "--sweep tau must stand without --tau"),
    (("--tau", "1,2", "--set", "tau=3"), "--set tau must stand without --tau"),
    (("--report", "a/b"), "--report must be a name of letters and digits"),
    (("--report", ".."), "--report must be a name of letters and digits"),
    (
        ("--report", "digits-50"),
        "--report must be a name of letters and digits that does not end in a hyphen and a number",
    ),
    (("--report", "cost"), "--report must be a name of letters and digits"),
    (("--dry-run", "--print"), "--dry-run must stand without --print"),
]


@pytest.mark.parametrize(("words", "sentence"), BAD, ids=str)
def test_bad_input_is_one_sentence_before_the_first_run(gsm, folder, words, sentence):
    result = gsm("train-ssl", "--objective", "gumbel", *words)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert result.stderr.count("gsm: ") == 1
    assert ": " in result.stderr.splitlines()[-1].removeprefix("gsm: ")
    assert not list(folder.iterdir())


def test_two_jobs_and_one_give_the_same_records(gsm, folder, one_thread):
    words = (*QUICK, "--objective", "gumbel,supervised")
    for jobs in (1, 2):
        assert gsm(*words, "--jobs", jobs, "--out", f"jobs{jobs}").exit_code == 0
    assert kept(folder / "jobs1") == kept(folder / "jobs2")


class TestReportFolder:
    def test_a_sweep_over_labels_shares_one(self, gsm, folder):
        result = gsm(
            *QUICK, "--jobs", 1, "--objective", "supervised", "--sweep", "labels=50,100", "--report", "few-labels"
        )
        assert result.exit_code == 0, result.stderr
        assert len(kept(folder / "reports/few-labels")) == 2
        assert result.stdout.endswith("reports/few-labels/report.md\n")
        assert gsm("report", "--check").exit_code == 0

    @pytest.mark.parametrize(
        ("words", "name", "kind"),
        [
            ((), "digits-100", "comparison"),
            (("--report", "digits-100"), "digits-100", "comparison"),
            (("--report", "mine"), "mine", "settings"),
        ],
    )
    def test_what_it_asks_is_written_once_and_stays_with_it(self, gsm, folder, words, name, kind):
        assert gsm(*QUICK, "--jobs", 1, "--objective", "supervised", *words).exit_code == 0
        question = folder / "reports" / name / "report.toml"
        assert question.read_text("utf-8") == f'kind = "{kind}"\n'
        question.parent.rename(folder / "reports/digits-50")
        assert gsm("train-ssl", "--labels", 50, "--epochs", 1, "--objective", "supervised", "--jobs", 1).exit_code in (
            0,
            3,
        )
        assert (folder / "reports/digits-50/report.toml").read_text("utf-8") == f'kind = "{kind}"\n'


class TestBefore:
    def test_a_dry_run_trains_nothing_and_writes_nothing(self, gsm, folder):
        result = gsm(*QUICK, "--tau", "0.1,2", "--objective", "gumbel", "--report", "try", "--dry-run", "--jobs", 2)
        assert result.exit_code == 0
        assert not list(folder.iterdir())
        *runs, total = result.stdout.splitlines()
        assert runs == ["gumbel tau 0.1 seed 0  to start", "gumbel tau 2 seed 0    to start"]
        assert total == "2 runs: 2 to start"

    def test_what_is_finished_and_what_resumes(self, gsm, monkeypatch):
        words = (
            "train-ssl",
            "--jobs",
            1,
            "--set",
            "hidden=8",
            "--batch-size",
            200,
            "--epochs",
            10,
            "--objective",
            "gumbel",
        )
        assert gsm(*words).exit_code == 0
        monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
        monkeypatch.setattr(training.Run, "keep_best", keep_best_until(4))
        assert gsm(*words, "--seeds", 1).exit_code == 130
        shown = json.loads(gsm(*words, "--seeds", "0-2", "--dry-run", "--json").stdout)["results"]
        assert [(run["run"], run["finished"], run["epochs"]) for run in shown["runs"]] == [
            ("gumbel seed 0", True, 10),
            ("gumbel seed 1", False, 3),
            ("gumbel seed 2", False, 0),
        ]
        said = gsm(*words, "--seeds", "0-2", "--dry-run").stdout.splitlines()
        assert said[1:] == [
            "gumbel seed 1  to resume after epoch 3 of 10",
            "gumbel seed 2  to start",
            "3 runs: 1 finished, 1 to resume, 1 to start",
        ]
        assert "1 to resume" not in gsm(*words, "--seeds", "0-2", "--dry-run", "--force").stdout

    def test_a_damaged_record_costs_its_own_run_alone(self, gsm, folder):
        words = (*QUICK, "--objective", "gumbel,supervised")
        gsm(*words)
        (damaged,) = (folder / "reports/digits-100/records").glob("gumbel*")
        damaged.write_text("{")
        result = gsm(*words, "--dry-run")
        assert result.exit_code == 3
        gumbel, supervised, total = result.stdout.splitlines()
        assert gumbel.endswith("cannot be run")
        assert supervised.endswith("finished")
        assert total == "2 runs: 1 cannot be run, 1 finished"
        assert damaged.name in result.stderr
        shown = gsm(*words, "--dry-run", "--json")
        assert shown.exit_code == 3
        runs = json.loads(shown.stdout)["results"]["runs"]
        assert [run["finished"] for run in runs] == [False, True]

    def test_one_command_for_each_run(self, gsm, folder):
        words = (
            *QUICK,
            "--sweep",
            "tau=0.1,2",
            "--seeds",
            "0-1",
            "--objective",
            "gumbel,supervised",
            "--report",
            "try",
        )
        more = ("--out", "else where", "--data-dir", "data", "--force")
        result = gsm(*words, *more, "--print")
        assert result.exit_code == 0
        assert not list(folder.iterdir())
        lines = result.stdout.splitlines()
        assert len(lines) == 6
        asked = read_plan(
            {"objective": "gumbel,supervised", "seeds": "0-1", "epochs": 2, "batch_size": 200, "sweep": ["tau=0.1,2"]},
            ["hidden=8"],
            None,
        )
        found = []
        for line in lines:
            program, command, *given = shlex.split(line)
            assert (program, command) == ("gsm", "train-ssl")
            for words in (("--report", "try"), ("--out", "else where"), ("--data-dir", "data")):
                assert given[given.index(words[0]) + 1] == words[1]
            assert given[-1] == "--force"
            names = [word[2:].replace("-", "_") for word in given if word.startswith("--") and word != "--force"]
            values = [word for word in given if not word.startswith("--")]
            options = {name: value for name, value in zip(names, values, strict=True) if name != "set"}
            pairs = [value for name, value in zip(names, values, strict=True) if name == "set"]
            found += read_plan(options, pairs, None).configs
        assert found == asked.configs

    def test_a_command_says_what_was_named_though_it_is_usual(self, gsm, monkeypatch):
        """Where it is given the environment may be another, or the same, which would fill in what it leaves out."""
        monkeypatch.setenv("GSM_TAU", "0.1,0.5")
        words = ("train-ssl", "--objective", "gumbel", "--preset", "laptop", "--device", "cpu", "--print")
        lines = gsm(*words, "--labels", 100).stdout.splitlines()
        usual = "gsm train-ssl --dataset digits --objective gumbel --seeds 0 --preset laptop --labels 100 --tau"
        assert lines == [f"{usual} 0.1 --device cpu", f"{usual} 0.5 --device cpu"]


def keep_best_until(epoch: int):
    original = training.Run.keep_best

    def keep_best(run):
        if len(run.epochs) == epoch:
            raise KeyboardInterrupt
        original(run)

    return keep_best


class TestDisplay:
    @pytest.fixture
    def shown(self, monkeypatch, tmp_path):
        """A display in a terminal of 80 columns, of three runs with long names."""
        stream = io.StringIO()
        console = Console(file=stream, force_terminal=True, width=80, height=24, highlight=False, color_system=None)
        monkeypatch.setattr(display, "Console", lambda **_: console)
        batch = tasks(tmp_path, "sparse-marginalize", "gumbel", "supervised", epochs=100)
        names = {task.name: f"{task.config.objective} weight_std none tau 0.1 seed 0" for task in batch}
        return Display(batch, names), batch, stream

    def lines(self, shown: Display) -> list[str]:
        with shown.console.capture() as capture:
            shown.console.print(shown.progress.get_renderable())
        return capture.get().splitlines()

    def test_a_bar_for_the_batch_and_a_line_for_each_run_in_80_columns(self, shown):
        shown, (first, second, _), _ = shown
        epoch = epoch_of(0.9123)
        for task in (first, second):
            shown.start(task.name, 800)
            shown.epoch(task.name, 40, epoch)
        batch, *runs = self.lines(shown)
        assert all(len(line) <= 80 for line in (batch, *runs))
        assert batch.startswith("0 of 3 runs")
        assert len(runs) == 2
        assert all("40/100 validation accuracy 91.23 %" in line for line in runs)
        assert runs[0].startswith("sparse-marginalize")
        assert re.search(r"(\d|-):?(\d\d|-)", batch[-8:])

    def test_the_batch_counts_what_is_to_do(self, shown):
        """A run that was finished is no work, nor are the epochs that a resumed one had."""
        shown, (first, second, third), _ = shown
        shown.end(Outcome(first, record("sparse-marginalize", 0), reused=True))
        shown.start(second.name, 800)
        shown.epoch(second.name, 41, epoch_of(0.5))
        (row,) = [task for task in shown.progress.tasks if task.id == shown.batch]
        assert (row.total, row.completed) == (60 + 100, 1)
        shown.end(Outcome(second, None, problem=WorkerLostError("was killed by signal 9")))
        (row,) = [task for task in shown.progress.tasks if task.id == shown.batch]
        assert (row.total, row.completed) == (1 + 100, 1)
        assert row.description == "2 of 3 runs, 1 failed"
        shown.start(third.name, 800)
        shown.epoch(third.name, 1, epoch_of(0.5))
        shown.epoch(third.name, 100, epoch_of(0.5))
        shown.end(Outcome(third, record("supervised", 0)))
        (row,) = [task for task in shown.progress.tasks if task.id == shown.batch]
        assert row.total == row.completed == 101

    def test_what_a_terminal_keeps(self, shown):
        shown, (first, second, _), stream = shown
        shown.end(Outcome(first, record("sparse-marginalize", 0)))
        shown.note(second.name, "is left to [host], process 1")
        shown.end(Outcome(second, None, problem=WorkerLostError("was killed by signal 9")))
        assert stream.getvalue().splitlines() == [
            "[1/3] sparse-marginalize weight_std none tau 0.1 seed 0 finished: test accuracy 79.00 %",
            "[2/3] gumbel weight_std none tau 0.1 seed 0 is left to [host], process 1",
            "[2/3] gumbel weight_std none tau 0.1 seed 0 failed: its worker was killed by signal 9",
        ]


def epoch_of(accuracy: float) -> Epoch:
    """What a watcher gets after an epoch."""
    return Epoch(**dict.fromkeys(Epoch.__struct_fields__, 1.0) | {"validation_accuracy": accuracy})


class TestEnds:
    def test_what_fails_is_named_and_the_others_are_there(self, gsm, folder, monkeypatch):
        original = training.Run.epoch

        def epoch(run):
            if run.config.seed == 1:
                raise training.NotFiniteError(7)
            if run.config.seed == 2:
                raise MemoryError("too large")
            return original(run)

        monkeypatch.setattr(training.Run, "epoch", epoch)
        result = gsm(*QUICK, "--objective", "gumbel", "--seeds", "0-2", "--jobs", 1)
        assert result.exit_code == 1
        *_, first, second, last = result.stderr.splitlines()
        assert first.startswith(
            "gsm: gumbel seed 1: the objective must stay finite, and gumbel with seed 1 and tau 0.5"
        )
        assert second == "gsm: gumbel seed 2: too large"
        assert last.startswith("gsm: all 3 runs must end, and 2 did not")
        report = (folder / "reports/digits-100/details.md").read_text()
        assert "failed at step 7: the objective is not finite at step 7" in report
        assert "failed at step 0: MemoryError (too large)" in report

    @pytest.mark.faults
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_an_interruption_stops_everything_within_two_seconds(self, folder, number):
        """With two workers at work; nothing but checkpoints stays, from which the same command goes on."""
        words = ["train-ssl", "--jobs", "2", "--objective", "gumbel", "--seeds", "0-2", "--set", "hidden=8"]
        command = [sys.executable, "-m", "gsm_cli", *words, "--epochs", "100000"]
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        for line in process.stderr:
            if " epoch 2 " in line:
                break
        assert len(members(process.pid)) == 3
        start = time.monotonic()
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
        assert time.monotonic() - start < 2.0
        assert process.returncode == 128 + number
        assert "give the same command again" in said
        assert members(process.pid) == []
        assert {path.suffix for path in folder.rglob("records/*")} <= {".pt"}
