"""What a terminal shows: a line at once, whole words, as much as is asked for, and variables that name nothing."""

import fcntl
import logging
import os
import struct
import subprocess
import sys
import termios

import pytest
from msgspec.structs import replace
from records_of import SIX, batch, cost_record, record

from gsm_cli import __version__
from gsm_cli.cli.app import COMMANDS
from gsm_cli.cli.options import say
from gsm_cli.cli.plan import read_plan
from gsm_cli.records.layout import ReportFolder

FIRST = """
import sys
from gsm_cli.cli import options
def say(words):
    print(words)
    print(*{"torch", "scipy", "matplotlib", "sklearn"} & set(sys.modules))
    sys.exit()
options.say = say
from gsm_cli.cli.app import app
app(sys.argv[1:])
"""


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch):
    for name in [name for name in os.environ if name.startswith("GSM_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def digits(folder) -> ReportFolder:
    """A report on six seeds of some objectives, under the names that `gsm train-ssl --epochs 3` gives them."""
    found = ReportFolder(folder / "reports/digits-100")
    for each in batch(SIX):
        each.save(found.record(each.config.name))
    return found


class TestTheFirstLine:
    @pytest.mark.parametrize(
        ("command", "line"),
        [
            ("train-ssl --objective gumbel --out new", "1 run of gumbel on digits, into new/digits-100"),
            ("train-ssl --seeds 0-4 --dry-run", "10 runs of marginalize and gumbel on digits, into reports/digits-100"),
            (
                "train-ssl --labels 50,100",
                "4 runs of marginalize and gumbel on digits, into reports/digits-50; reports",
            ),
            ("gradients --objective gumbel", "gradients of gumbel on digits, into reports/digits-100/gradients-"),
            ("cost", "loading PyTorch to see which devices are there …"),
            ("cost --device cpu --classes 2", "steps of 12 objectives at 1 number of classes, into reports/cost/"),
            (
                "cost --for reports/digits-100",
                "steps of the runs in reports/digits-100, into reports/digits-100/steps.json",
            ),
            ("report", "reading the records of 1 report in reports …"),
            ("compare digits-100 digits-100", "reading the records in reports/digits-100 and reports/digits-100 …"),
        ],
    )
    def test_comes_before_anything_heavy_is_loaded(self, folder, digits, command, line):
        finished = subprocess.run([sys.executable, "-c", FIRST, *command.split()], capture_output=True, text=True)
        said, loaded = finished.stdout.splitlines()
        assert said.startswith(line)
        assert not loaded

    def test_stands_in_no_command_that_is_printed(self, gsm):
        assert gsm("train-ssl", "--print").stderr == ""


class TestSay:
    @pytest.mark.parametrize("columns", [20, 80])
    def test_a_terminal_has_lines_between_words(self, monkeypatch, columns):
        words = "No: one sample costs 1.15 points; the path reports/digits-100/report.md is longer than a line."
        ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
        with os.fdopen(theirs, "w") as terminal:
            monkeypatch.setattr("sys.stderr", terminal)
            say(words)
        shown = os.read(ours, 10_000).decode().splitlines()
        os.close(ours)
        assert " ".join(shown) == words
        assert all(len(line) <= columns or " " not in line for line in shown)
        assert len(shown) > 1

    def test_a_pipe_has_one_line(self, capsys):
        say("word " * 100)
        assert capsys.readouterr().err == f"{'word ' * 100}\n"


class TestAFinishedRun:
    def test_says_how_to_train_anew_and_that_the_report_has_other_seeds(self, gsm, folder):
        found = ReportFolder(folder / "reports/digits-100")
        for seed, config in enumerate(
            read_plan({"objective": "gumbel", "epochs": "3", "seeds": "0-2"}, [], None).configs
        ):
            run = record("gumbel", seed, (0.5, 0.6, 0.92 + seed / 100))
            replace(run, config=config).save(found.record(config.name))
        said = gsm("train-ssl", "--objective", "gumbel", "--epochs", 3).stderr.splitlines()
        assert said[1] == (
            "1 finished before: --out anew trains in a folder of its own, --force in place of what is here"
        )
        assert said[2] == "[1/1] gumbel seed 0 finished before: test accuracy 91.00 %"
        assert (
            said[3] == "The report is of all 3 runs in reports/digits-100; mean test accuracy: gumbel 92.00 % (3 seeds)"
        )
        assert len(said[4].split()) <= 25

    def test_says_which_runs_the_answer_is_of_and_names_the_values_of_a_sweep(self, gsm, folder):
        found = ReportFolder(folder / "reports/digits-100")
        for config in read_plan({"seeds": "0-6"}, ["epochs=3,4"], None).configs:
            run = record(config.objective, config.seed, (0.5, 0.6, *[0.92 + config.seed / 100] * (config.epochs - 2)))
            replace(run, config=config).save(found.record(config.name))
        said = gsm("train-ssl", "--objective", "gumbel", "--set", "epochs=3,4").stderr.splitlines()
        means = "gumbel epochs 3 94.00 % (7 seeds), gumbel epochs 4 94.00 % (7 seeds)"
        assert said[-3].endswith(f"; mean test accuracy: {means}")
        assert said[-2].startswith("Yes: one Gumbel-Softmax sample loses less than")
        assert said[-1] == "The page is of the runs with epochs 4; the details have others."


class TestAsMuchAsIsAskedFor:
    @pytest.mark.parametrize("flag", ["-V", "--version"])
    @pytest.mark.parametrize("command", COMMANDS)
    def test_every_command_says_the_version(self, gsm, command, flag):
        assert gsm(command, flag).stdout == gsm(flag).stdout == f"gsm {__version__}\n"

    @pytest.mark.parametrize(
        "command",
        [
            *("sample --tau 1", "expectation --tau 1", "grid --tau 1", "simplex --tau 1", "explore", "settings tau"),
            *("report", "report --check", "compare digits-100 digits-100", "cost --device cpu --classes 2,10"),
        ],
    )
    @pytest.mark.parametrize("place", [0, 1, None])
    def test_quiet_leaves_results_alone(self, gsm, folder, digits, command, place):
        costs = cost_record(marginalize={2: [1, 2], 10: [2, 3]}, gumbel={2: [1, 1], 10: [1, 1]})
        costs.save(ReportFolder(folder / "reports/cost").record(costs.plan.name))
        words = command.split() + (["--objective", "marginalize,gumbel", "--rounds", "2"] if "cost" in command else [])
        gsm("report")
        plain = gsm(*words)
        words.insert(len(words) if place is None else place, "-q")
        quiet = gsm(*words)
        assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (plain.exit_code, plain.stdout, "")
        assert plain.exit_code == 0

    def test_quiet_leaves_errors(self, gsm):
        result = gsm("report", "--quiet")
        assert (result.exit_code, result.stderr) == (3, gsm("report").stderr)
        assert result.stderr.startswith("gsm: a report needs records")

    def test_quiet_training_says_what_failed_alone(self, gsm):
        words = ("train-ssl", "-q", "--set", "hidden=8", "--batch-size", 200, "--epochs", 1, "--objective", "gumbel")
        assert gsm(*words).stderr == ""
        assert gsm(*words, "--labels", 95).stderr.count("\n") == 1

    def test_verbose_names_every_file_in_full(self, gsm, folder, digits):
        result = gsm("report", "-v")
        for path in (*digits.records, digits.text, digits.details):
            assert f"{'read' if path.suffix == '.json' else 'wrote'} {path.absolute()}" in result.stderr
        assert result.stdout == gsm("report").stdout
        assert f"gsm {__version__} in " in result.stderr
        drawn = gsm("sample", "--tau", 1, "--verbose")
        assert f"wrote {folder / 'figures/original.png'}, " in drawn.stderr
        assert not logging.getLogger("gsm_cli").handlers

    def test_verbose_says_where_settings_come_from(self, gsm, monkeypatch):
        monkeypatch.setenv("GSM_EPOCHS", "7")
        said = gsm("train-ssl", "--print", "-v", "--set", "kl_start=2").stderr.splitlines()
        assert {"$GSM_EPOCHS: 7", "--set kl_start: 2"} <= set(said)

    def test_both_are_a_contradiction(self, gsm):
        result = gsm("report", "-q", "-v")
        assert result.exit_code == 2
        assert result.stderr == "gsm: --quiet must stand without --verbose, its contrary: leave one of them out\n"


class TestVariablesThatNameNothing:
    @pytest.mark.parametrize(
        ("name", "remedy"),
        [
            ("GSM_EPOCH", "did you mean GSM_EPOCHS?"),
            ("GSM_LR", "did you mean GSM_LEARNING_RATE?"),
            ("GSM_DATADIR", "did you mean GSM_DATA_DIR?"),
            ("GSM_QQQQQQ", "gsm settings lists those that do"),
        ],
    )
    @pytest.mark.parametrize("command", ["train-ssl", "gradients"])
    def test_are_told_once(self, gsm, monkeypatch, name, remedy, command):
        monkeypatch.setenv(name, "3")
        monkeypatch.setattr("gsm_cli.cli.measuring.find", lambda *_: sys.exit(0))
        said = gsm(command, *(["--print"] if command == "train-ssl" else [])).stderr.splitlines()
        told = f"gsm: {name} in the environment names no setting, and is ignored: {remedy}"
        assert said.count(told) == 1

    def test_nothing_is_said_of_those_that_do_and_of_others(self, gsm, monkeypatch):
        for name in ("GSM_EPOCHS", "GSM_SEEDS", "GSMX"):
            monkeypatch.setenv(name, "3")
        monkeypatch.setenv("GSM_DATA_DIR", "here")
        assert gsm("train-ssl", "--print").stderr == ""
