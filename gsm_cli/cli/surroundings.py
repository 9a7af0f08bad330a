"""What surrounds a command: signals, and standard streams that are closed, full or not in UTF-8.

The entry imports this module first of all, so it is light.
"""

import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import Any, NoReturn

from gsm_cli.errors import AGAIN, InterruptError
from gsm_cli.interrupts import Signals


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
