"""Ctrl-C and SIGTERM at drawn moments of every command, from its first millisecond on."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from tree import ROOT
from trials import COST, ENDS, TRAIN, members

pytestmark = pytest.mark.faults
REPORT = ROOT / "reports" / "digits-pairs-200"
FEW = ROOT / "reports" / "mnist-40000"
COMMANDS = {  # and about how many seconds each takes on an idle machine
    ("--version",): 0.1,
    ("sample", "--tau", "1"): 1.0,
    ("expectation", "--tau", "1"): 1.2,
    ("grid", "--tau", "1"): 1.5,
    ("train-ssl", "--dry-run"): 2.0,
    TRAIN: 5.0,
    tuple("2" if word == "1" else word for word in TRAIN): 8.0,
    (*TRAIN, "--force"): 5.0,
    COST: 8.0,
    ("gradients", "--epochs", "1", "--replicates", "10", "--images", "2", "--seeds", "0"): 10.0,
    ("explore", "--tau", "1"): 0.5,
    ("report", "--tensorboard", "scalars"): 2.0,
    ("report", str(REPORT), "--check"): 3.0,
    ("compare", str(REPORT), str(REPORT), "--json"): 2.0,
}
SOME = COMMANDS if "FAULTS" in os.environ else (("sample", "--tau", "1"), TRAIN, COST)
HERE = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
PATIENCE = 5.0  # seconds, in which also three processes side by side have imported PyTorch
OF_PYTHON = 0.5  # seconds in which the interpreter may still be starting, on a busy machine


@pytest.mark.parametrize("words", SOME, ids=lambda words: " ".join(words)[:40])
def test_a_signal_at_a_drawn_moment(campaign, words, tmp_path):
    """One line and the code of the signal; soon; no process and nothing half-written stays.

    Before the interpreter has come to the first line of gsm, it may end in its own way.
    """
    campaign.rng.seed(str(words))
    for number in campaign.sample(range(1000), cheap=1):
        folder = tmp_path / str(number)
        folder.mkdir()
        if words[0] == "report":
            shutil.copytree(FEW, folder / "reports" / FEW.name)
        before = set(folder.rglob("*"))
        sent = campaign.rng.choice(list(ENDS))
        moment = campaign.rng.uniform(0.0, COMMANDS[words])
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "gsm_cli", *words],
            cwd=folder,
            env=HERE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        time.sleep(moment)
        process.send_signal(sent)
        start = time.monotonic()
        _, said = process.communicate(timeout=60)
        late = [f"takes {time.monotonic() - start:.1f} s"] if time.monotonic() - start > PATIENCE else []
        ended_before = process.returncode == 0 and "Traceback" not in said
        untold = process.returncode in (-sent, 1) and "gsm: " not in said and "gsm_cli/cli" not in said
        if not ended_before and not (untold and moment < OF_PYTHON and set(folder.rglob("*")) == before):
            lines = [line for line in said.splitlines() if line.startswith("gsm: ")]
            if process.returncode != ENDS[sent] or len(lines) != 1 or "Traceback" in said:
                late.append(f"code {process.returncode}: {said[-500:]}")
        late += [f"{path} stays" for path in folder.rglob(".*") if path.suffix in (".tmp", ".lock")]
        time.sleep(0.05)  # what is ending has ended then
        late += [f"process {pid} stays" for pid in members(process.pid)]
        campaign.count((moment, sent), late)
    campaign.close()


def test_a_signal_that_python_swallows_is_raised_again(tmp_path):
    """In a destructor Python cannot raise it."""
    (tmp_path / "run.py").write_text(
        "import os, sys, time, typer\n"
        "from gsm_cli.cli import app, surroundings\n"
        "class Deaf:\n"
        "    def __del__(self):\n"
        "        os.kill(os.getpid(), 2); time.sleep(0.1)\n"
        "def deaf():\n"
        "    Deaf()\n"
        "    time.sleep(20)\n"
        "app.app.command()(deaf)\n"
        "sys.argv[:] = ['gsm', 'deaf']\n"
        "surroundings.run()\n"
    )
    start = time.monotonic()
    finished = subprocess.run([sys.executable, tmp_path / "run.py"], capture_output=True, text=True, env=HERE)
    assert (finished.returncode, finished.stderr) == (130, "gsm: interrupted; give the same command again\n")
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_nohup_ignores_stays_ignored(tmp_path, number):
    code = (
        "import os, signal, sys\n"
        f"signal.signal({int(number)}, signal.SIG_IGN)\n"
        "from gsm_cli import __main__\n"
        "from gsm_cli.cli import app\n"
        "show = app.ErrorBoundary.main\n"
        "def hit(*given, **more):\n"
        f"    os.kill(os.getpid(), {int(number)})\n"
        "    show(*given, **more)\n"
        "app.ErrorBoundary.main = hit\n"
        "sys.argv[:] = ['gsm', '--version']\n"
        "__main__.main()\n"
    )
    finished = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env=HERE)
    assert (finished.returncode, finished.stderr) == (0, "")


@pytest.mark.parametrize("number", list(ENDS))
def test_a_signal_before_the_command_is_imported(tmp_path, number):
    code = (
        "import os, sys, types\n"
        "early = types.ModuleType('gsm_cli.cli.surroundings')\n"
        f"early.run = lambda: os.kill(os.getpid(), {int(number)})\n"
        "sys.modules[early.__name__] = early\n"
        "from gsm_cli.__main__ import main\n"
        "main()\n"
    )
    finished = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env=HERE)
    assert (finished.returncode, finished.stderr) == (ENDS[number], "gsm: interrupted; give the same command again\n")
