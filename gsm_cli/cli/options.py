"""What several commands of the command line share: options, and how a long one is interrupted."""

import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from gsm_cli.errors import UsageError
from gsm_cli.style import Format

MOST = 10**18 - 1  # beyond it a number is no number of anything


def whole_number(name: str, help: str, least: int, most: int = MOST) -> Any:
    """An option that takes a whole number from `least` to `most`."""
    span = f"from {least} on" if most == MOST else f"from {least} to {most}"

    def read(given: str | int) -> int:  # a default is given as it is
        text = str(given).strip()
        if re.fullmatch(r"[+-]?[0-9]{1,18}", text) and least <= int(text) <= most:
            return int(text)
        raise UsageError(f"{name} must be a whole number {span}, not {text[:60]}: write for example {name} {least}")

    return typer.Option(name, parser=read, metavar="INTEGER", help=help)


Tau = Annotated[
    list[str] | None,
    typer.Option(
        "--tau", metavar="NUMBER", help="Temperature; several with commas or repeated.", show_default="0.1, 1, 5, 100"
    ),
]
Probs = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBERS", help="Class probabilities, as 0.5,0.3,0.2.", show_default="the article's six classes"
    ),
]
Logits = Annotated[
    str | None, typer.Option(metavar="NUMBERS", help="Log-probabilities up to a constant, as -0.7,-1.2,-1.6.")
]
Classes = Annotated[int | None, whole_number("--classes", "Draw a random law with so many classes.", 2, 10_000)]
ClassNames = Annotated[
    str | None, typer.Option(metavar="NAMES", help="Names of the classes, as cat,dog,bird.", show_default="1 to K")
]
Title = Annotated[str | None, typer.Option(metavar="TEXT", help="Title in place of the figure's own.")]
Size = Annotated[str | None, typer.Option(metavar="WxH", help="Width and height in inches, as 6x4.")]
Dpi = Annotated[int | None, whole_number("--dpi", "Dots per inch.", 30, 1200)]
Seed = Annotated[int, whole_number("--seed", "Fixes the noise, and the law of --classes.", 0)]
Out = Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the figures.")]
FormatOption = Annotated[Format, typer.Option("--format", help="File format.")]
Json = Annotated[bool, typer.Option("--json", help="Print the facts as JSON on stdout.")]
Samples = Annotated[int, whole_number("--samples", "Draws to average.", 1, 10**9)]
DataDir = Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where MNIST lies.", show_default="$GSM_DATA_DIR")]
Reports = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder for records and reports.")]


def warn_of_slow_bf16(device: str) -> None:
    """Tell a user whose processor has no bfloat16 instructions what --precision bf16 will cost."""
    from gsm_cli.runs.environment import bf16_slowdown

    slowdown = bf16_slowdown(device)
    if slowdown > 1.0:
        print(
            f"gsm: --precision bf16 pays where the hardware has bfloat16 products, and here one takes {slowdown:.2g} "
            "times as long as in float32: use --precision float32",
            file=sys.stderr,
        )


@contextmanager
def resumable() -> Iterator[None]:
    """For work that the same command resumes: SIGTERM ends it as Ctrl-C does, and the user is told."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        print("gsm: interrupted; give the same command again to go on from the last checkpoint", file=sys.stderr)
        raise
