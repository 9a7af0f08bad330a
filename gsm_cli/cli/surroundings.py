"""What surrounds a command: signals at any moment, and standard streams that are closed, full or not in UTF-8.

The entry imports this module first of all, so it is light.
"""

import os
import signal
import sys
import time
from contextlib import suppress
from io import TextIOWrapper
from types import FrameType
from typing import Any, NoReturn

from gsm_cli.errors import AGAIN, InterruptError
from gsm_cli.interrupts import after_imports, insist

PATIENCE = 2.0  # seconds in which another signal is the same interruption: `timeout` sends two, and people press twice
NUMBERS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def run() -> NoReturn:
    """Run the command line. Any of the signals ends it with one line and the code that a shell gives to it."""
    open_streams()
    from gsm_cli.cli.app import app

    signals = Signals()
    try:
        signals.listen()
        app(prog_name="gsm")
        code: Any = 0
    except SystemExit as end:
        code = end.code
    except KeyboardInterrupt:  # in the moment before or after the command
        code = InterruptError.exit_code
        with suppress(OSError):
            print(f"gsm: {AGAIN}", file=sys.stderr)
    signals.ignore()  # all is done; what is left is the interpreter's
    close_streams()
    if code == InterruptError.exit_code:  # at once: Python has its own way to end after an interruption in its imports
        os._exit(128 + signals.number)
    sys.exit(code)


class Signals:
    """Ctrl-C, SIGTERM and SIGHUP raise KeyboardInterrupt, once; which one it was, and whether there was any."""

    heard = False  # a library may make another error of the exception

    def __init__(self) -> None:
        self.number = signal.SIGINT
        self._heard = -PATIENCE

    def listen(self) -> None:
        for number in NUMBERS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup wants it, and a shell in the background
                signal.signal(number, after_imports(self._interrupt))
        sys.unraisablehook = insist(KeyboardInterrupt, self._renew)

    def ignore(self) -> None:
        for number in NUMBERS:
            signal.signal(number, signal.SIG_IGN)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if time.monotonic() - self._heard < PATIENCE:
            return
        self.number, self._heard = signal.Signals(number), time.monotonic()
        Signals.heard = True
        raise KeyboardInterrupt

    def _renew(self) -> int:
        self._heard = -PATIENCE
        return self.number


def open_streams() -> None:
    """Write UTF-8 whatever the locale says, and paths as the bytes that they are; what is closed is nowhere."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # or the next file to be opened would take its place
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115
    for stream, errors in ((sys.stdout, "surrogateescape"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors=errors)


def close_streams() -> None:
    """Throw away what nobody takes, before the interpreter tries once more and complains."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
