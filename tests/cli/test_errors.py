"""What becomes of an error that reaches the command line: its code and its sentence."""

import errno
import sys
from io import StringIO

import pytest

from gsm_cli.cli.app import explain
from gsm_cli.cli.options import say
from gsm_cli.errors import AGAIN, DataError, GsmError, InterruptError, UsageError
from gsm_cli.interrupts import Signals

NO_MEMORY = "what is asked for must fit into memory, and does not: ask for less, or make room"
NO_ROOM = "what is written must find room, and does not (No space left on device): make room, or write elsewhere"


def made_of(cause: BaseException) -> ImportError:
    """What a library raises in the place of another error."""
    try:
        try:
            raise cause
        except BaseException:
            raise ImportError("initialization failed")  # noqa: B904  as a library does
    except ImportError as error:
        return error


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (GsmError("a"), 1, "a"),
        (UsageError("a"), 2, "a"),
        (DataError("a"), 3, "a"),
        (InterruptError("a"), 130, "a"),
        (MemoryError(), 1, NO_MEMORY),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), 1, NO_MEMORY),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), 1, NO_MEMORY),
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"), 1, NO_MEMORY),
        (OSError(errno.ENOSPC, "No space left on device"), 1, NO_ROOM),
        (made_of(KeyboardInterrupt()), 130, AGAIN),
    ],
    ids=repr,
)
def test_has_one_sentence_and_a_code(error, code, sentence):
    assert explain(error, "sample") == (code, sentence)


@pytest.mark.parametrize("error", [made_of(ValueError()), OSError(errno.EPERM, "Operation not permitted"), KeyError(1)])
def test_what_nobody_foresaw_is_a_defect(error):
    code, sentence = explain(error, "sample")
    assert code == 1
    assert sentence.endswith("this is a defect, please report it with what gsm --debug prints")


def test_ctrl_c_anywhere_says_so(gsm, monkeypatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gsm_cli.law.pictures.samples", interrupt)
    result = gsm("sample")
    assert (result.exit_code, result.stderr) == (130, f"gsm: {AGAIN}\n")


def test_a_working_folder_that_is_gone(gsm, folder):
    folder.rmdir()
    result = gsm("sample")
    assert result.exit_code == 2
    assert result.stderr == "gsm: the working folder must be there, and is gone: change to another\n"
    assert gsm("--help").exit_code == 0


def test_what_a_library_makes_of_a_signal_is_an_interruption(monkeypatch):
    """FreeType's ValueError was called a defect."""
    error = ValueError("Invalid bounding box")
    assert "defect" in explain(error, "grid")[1]
    monkeypatch.setattr(Signals, "heard", True)
    assert explain(error, "grid") == (InterruptError.exit_code, AGAIN)
    kept = InterruptError("what goes on")
    assert explain(kept, "grid") == (InterruptError.exit_code, "what goes on")


def test_a_line_for_people_is_written_at_once(monkeypatch):
    """A signal between words and their end would put its own line behind them."""
    written = []
    monkeypatch.setattr(sys, "stderr", StringIO())
    monkeypatch.setattr(sys.stderr, "write", written.append)
    monkeypatch.setattr(sys.stderr, "fileno", lambda: -1)
    say("two words")
    assert "two words\n" in written
