"""Signals at moments in which an exception would be swallowed, or end the process. Light: the entry imports this."""

import os
import sys
from collections.abc import Callable
from types import FrameType

SOON = 0.01  # seconds
IMPORTS = "<frozen importlib._bootstrap>"  # the file of whose functions there is one below every import


def after_imports(handler: Callable[[int, FrameType | None], None]) -> Callable[[int, FrameType | None], None]:
    """A handler of signals that waits for the end of an import: an extension that begins may abort at an exception."""

    def wait(number: int, frame: FrameType | None) -> None:
        below = frame
        while below and below.f_code.co_filename != IMPORTS:
            below = below.f_back
        return _send(number) if below else handler(number, frame)

    return wait


def insist(kind: type[BaseException], renew: Callable[[], int]) -> "Callable[[sys.UnraisableHookArgs], None]":
    """What `sys.unraisablehook` must be so that an exception of a signal is raised again, soon.

    In a destructor Python shows a traceback and goes on. `renew` listens to the signal again and returns its number.
    """

    def hook(lost: "sys.UnraisableHookArgs") -> None:
        if isinstance(lost.exc_value, kind):
            _send(renew())
        else:
            sys.__unraisablehook__(lost)

    return hook


def _send(number: int) -> None:
    """Send a signal to this process, soon."""
    from threading import Timer

    Timer(SOON, os.kill, [os.getpid(), number]).start()
