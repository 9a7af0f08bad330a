"""The process of a worker: calls come in on standard input, what they say and return goes out on standard output.

It ends with its standard input, so whoever started it may end in any way. Light at import: a call brings what it needs.
"""

import os
import pickle
import signal
import sys
import traceback
from queue import SimpleQueue
from threading import Thread
from types import FrameType
from typing import BinaryIO, NoReturn

from gsm_cli.interrupts import after_imports, insist
from gsm_cli.runs.places import PLACE, Place, StoppedError

NEWS, RESULT, ERROR = "news", "result", "error"


def main() -> NoReturn:
    """Serve one call after the other until somebody says stop."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a call prints is no answer
    signal.signal(signal.SIGTERM, _stop)
    sys.unraisablehook = insist(StoppedError, _renew)
    calls: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_read, args=(sys.stdin.buffer, calls), daemon=True).start()
    try:
        PLACE.set(Place(lambda news: _send(answers, NEWS, news), threads=pickle.loads(calls.get())))
        while True:
            _send(answers, *_call(calls.get()))
    except (StoppedError, BrokenPipeError):  # nobody listens any more
        sys.stderr.flush()
        os._exit(0)  # at once: the other thread still reads


def _read(requests: BinaryIO, calls: "SimpleQueue[bytes]") -> None:
    """Take in calls while the main thread works, so that the end is seen at once."""
    try:
        while True:
            calls.put(pickle.load(requests))
    except (EOFError, OSError, pickle.UnpicklingError):
        os.kill(os.getpid(), signal.SIGTERM)


def _call(call: bytes) -> tuple[str, object]:
    try:
        fn, args, kwargs = pickle.loads(call)
        return RESULT, fn(*args, **kwargs)
    except Exception as error:
        error.add_note(traceback.format_exc())
        return ERROR, error


def _send(answers: BinaryIO, kind: str, value: object) -> None:
    try:
        message = pickle.dumps((kind, value))
        if kind == ERROR:
            pickle.loads(message)  # one that the parent cannot unpickle would put it out of step with all that follow
    except Exception as error:  # of somebody's own, that cannot travel
        message = pickle.dumps((ERROR, RuntimeError(f"{type(value).__name__} ({value}), {error}")))
    answers.write(message)
    answers.flush()


@after_imports
def _stop(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise StoppedError  # not SystemExit, which somebody's own code may raise


def _renew() -> int:
    signal.signal(signal.SIGTERM, _stop)
    return signal.SIGTERM
