"""Interruptions that Python would swallow. Light: the entry imports this module."""

import os
import sys
from collections.abc import Callable

SOON = 0.01  # seconds


def insist(kind: type[BaseException], renew: Callable[[], int]) -> "Callable[[sys.UnraisableHookArgs], None]":
    """What `sys.unraisablehook` must be so that an exception of a signal is raised again, soon.

    In a destructor, or a callback of its imports, Python shows a traceback and goes on. `renew` listens to the signal
    again and returns its number.
    """

    def hook(lost: "sys.UnraisableHookArgs") -> None:
        if isinstance(lost.exc_value, kind):
            from threading import Timer

            Timer(SOON, os.kill, [os.getpid(), renew()]).start()
        else:
            sys.__unraisablehook__(lost)

    return hook
