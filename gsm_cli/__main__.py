"""The entry of `gsm` and of `python -m gsm_cli`: first of all, what may be imported and what a signal does.

Until the command begins nothing has to be put in order, and a signal ends the process where it is.
`gsm_cli.cli.surroundings` does the rest.
"""

import os
import sys
from _signal import SIG_IGN, SIGINT, SIGTERM, getsignal, signal  # type: ignore[import-not-found]  # part of Python itself


def main() -> None:
    """Run the command line, with nothing imported from the working folder."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120  nothing is imported yet
    for number in (SIGINT, SIGTERM):
        if getsignal(number) != SIG_IGN:
            signal(number, _end)
    try:
        here = os.getcwd()  # noqa: PTH109
    except OSError:  # it is gone
        here = ""
    sys.path[:] = [entry for entry in sys.path if entry == package or entry not in ("", here)]

    from gsm_cli.cli.surroundings import run

    run()


def _end(number: int, frame: object) -> None:
    os.write(2, b"gsm: interrupted; give the same command again\n")
    os._exit(128 + number)


if __name__ == "__main__":
    main()
