"""Signals, at moments too where an exception would be swallowed or end the process. Light: the entry imports this."""

import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

SOON = 0.01  # seconds
IMPORTS = "<frozen importlib._bootstrap>"  # the file of whose functions there is one below every import
PATIENCE = 2.0  # seconds in which another signal is the same interruption: `timeout` sends two, and people press twice
NUMBERS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Signals:
    """Ctrl-C, SIGTERM and SIGHUP raise KeyboardInterrupt, once; which one it was, and whether there was any."""

    heard = False  # a library may make another error of the exception

    def __init__(self) -> None:
        self.number = signal.SIGINT
        self._last = -PATIENCE

    def listen(self) -> None:
        for number in NUMBERS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup wants it, and a shell in the background
                signal.signal(number, after_imports(self._interrupt))
        sys.unraisablehook = insist(KeyboardInterrupt, self._renew)

    def ignore(self) -> None:
        for number in NUMBERS:
            signal.signal(number, signal.SIG_IGN)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if time.monotonic() - self._last < PATIENCE:
            return
        self.number, self._last = signal.Signals(number), time.monotonic()
        Signals.heard = True
        raise KeyboardInterrupt

    def _renew(self) -> int:
        self._last = -PATIENCE
        return self.number


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
