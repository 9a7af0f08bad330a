"""Code of somebody's own that fails, speaks, moves and changes: its fault, one sentence, and its run alone."""

import json
import os
import pickle
from pathlib import Path

import pytest

from gsm_cli.errors import OwnCodeError, UsageError
from gsm_cli.extensions import own_code
from gsm_cli.records.run import read_run
from gsm_cli.runs.places import StoppedError

QUICK = ("--set", "hidden=8", "--batch-size", 400, "--epochs", 2)
CALL = "    def __call__(self, bound, logits, rng):\n"
SUM = "return bound(logits.softmax(-1))\n"
MINE = "class Mine:\n    def __init__(self, size=2): self.size = size\n" + CALL + f"        {SUM}"
LATER = "import sys\nclass Mine:\n    calls = 0\n" + CALL + "        Mine.calls += 1\n        {}\n        " + SUM
RAISED = {  # an exception, and how a sentence names it
    "sys.exit(0)": "SystemExit (0)",
    "sys.exit(3)": "SystemExit (3)",
    "sys.exit()": "SystemExit (without a word)",
    "1 / 0": "ZeroDivisionError (division by zero)",
    "raise ValueError('\x1b[31m\u200b\\n')": r"ValueError (\x1b[31m\u200b\n)",
    "raise type('Own', (BaseException,), {})('x')": "Own (x)",
}


@pytest.mark.parametrize(("words", "named"), RAISED.items())
class TestWhatItRaises:
    def test_at_import_ends_the_command(self, gsm, folder, words, named):
        (folder / "mine.py").write_text(f"import sys\n{words}\n")
        result = gsm("train-ssl", *QUICK, "--objective", "mine.py:Mine")
        place = f"{folder}/mine.py, line 2,"
        sentence = f"gsm: {place} must run without an error, and raises {named}: correct it\n"
        assert (result.exit_code, result.stdout, result.stderr) == (1, "", sentence)

    @pytest.mark.parametrize("calls", [0, 3])
    def test_in_a_step_costs_its_run_alone(self, gsm, folder, words, named, calls):
        """Before the first step as well, where every estimator is tried."""
        (folder / "mine.py").write_text(LATER.format(f"if Mine.calls > {calls}: {words}"))
        result = gsm("train-ssl", *QUICK, "--objective", "mine.py:Mine,supervised")
        assert result.exit_code == 1
        end = f"gsm: {folder}/mine.py, line 6, must run without an error, and raises {named}: correct it"
        assert result.stderr.splitlines()[-1] == end
        records = [read_run(path) for path in folder.rglob("records/*.json")]
        assert [each.config.objective for each in records if each.finished] == ["supervised"]
        assert "defect" not in result.stderr


def test_what_no_compiler_takes_is_named_with_its_line(gsm, folder):
    (folder / "mine.py").write_text("import sys\n\ndef")
    result = gsm("train-ssl", *QUICK, "--objective", "mine.py:Mine")
    assert f"gsm: {folder}/mine.py, line 3, must run without an error, and raises SyntaxError" in result.stderr
    (folder / "mine.py").write_bytes(b"\0")
    result = gsm("train-ssl", *QUICK, "--objective", "mine.py:Mine")
    assert (result.exit_code, "mine.py must run without an error" in result.stderr) == (1, True)


@pytest.mark.parametrize("error", [KeyboardInterrupt, StoppedError, MemoryError, UsageError("of ours")])
def test_an_interruption_is_not_its_fault(error):
    with pytest.raises(error if isinstance(error, type) else UsageError), own_code("mine.py"):
        raise error


def test_what_comes_from_elsewhere_is_not_its_fault():
    with pytest.raises(ZeroDivisionError), own_code():
        _ = 1 / 0


def test_what_it_prints_is_no_result(gsm, folder):
    (folder / "mine.py").write_text("print('at import')\n" + LATER.format("print('in a step')"))
    result = gsm("train-ssl", *QUICK, "--objective", "mine.py:Mine", "--json")
    assert result.exit_code == 0, result.stderr
    assert len(json.loads(result.stdout)["results"]["runs"]) == 1
    assert {"at import", "in a step"} <= set(result.stderr.splitlines())


def test_where_it_goes_and_what_it_sets_harms_nothing(gsm, folder, monkeypatch):
    """The records of the others, and its own, are where they would be without it."""
    monkeypatch.setenv("GSM_EPOCHS", "2")
    moves = "import os\nos.chdir('/')\nos.environ.clear()\n"
    (folder / "mine.py").write_text(moves + LATER.format("os.chdir('/tmp'); os.environ['GSM_EPOCHS'] = '7'"))
    result = gsm("train-ssl", *QUICK[:-2], "--objective", "mine.py:Mine,supervised")
    assert result.exit_code == 0, result.stderr
    assert Path.cwd() == folder
    assert os.environ["GSM_EPOCHS"] == "2"
    assert len([read_run(path) for path in Path("reports/digits-100/records").glob("*.json")]) == 2


def test_other_values_for_the_same_noise_are_found_after_the_first_epoch(gsm, folder):
    (folder / "mine.py").write_text(LATER.replace("return", "return max(6, Mine.calls) *").format(""))
    result = gsm("train-ssl", *QUICK, "--objective", "mine.py:Mine")
    assert result.exit_code == 1
    assert "mine.py:Mine must draw its noise from rng alone, and gives other values for the same" in result.stderr
    assert not any(read_run(path).finished for path in folder.rglob("records/*.json"))


@pytest.mark.parametrize(
    "words",
    [
        ("cost", "--rounds", 1, "--classes", 2, "--batch-size", 2),
        ("gradients", "--epochs", 1, "--seeds", 0, "--images", 1),
    ],
)
def test_a_step_that_is_measured_may_fail_as_well(gsm, folder, words):
    (folder / "mine.py").write_text(LATER.format("print(3)\n        if Mine.calls > 2: sys.exit(0)"))
    result = gsm(*words, "--objective", "mine.py:Mine")
    assert (result.exit_code, result.stdout) == (1, "")
    end = f"gsm: {folder}/mine.py, line 7, must run without an error, and raises SystemExit (0): correct it"
    assert result.stderr.splitlines()[-1] == end


@pytest.mark.parametrize("option", ["--dry-run", "--print"])
def test_what_only_looks_runs_no_file(gsm, folder, monkeypatch, option):
    monkeypatch.setenv("GSM_OBJECTIVE", "mine.py:Mine")
    (folder / "mine.py").write_text("open('run', 'w')\nprint('run')\n" + MINE)
    result = gsm("train-ssl", option)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "gsm: $GSM_OBJECTIVE must be no file where --dry-run or --print stands, which run no code of others, and "
        "'mine.py:Mine' is one: leave that out\n"
    )
    assert not (folder / "run").exists()


def test_the_error_of_a_worker_travels():
    assert str(pickle.loads(pickle.dumps(OwnCodeError("line 3")))) == "line 3"
