"""What several commands of the command line share: options, and how a long one is interrupted."""

import inspect
import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from gsm_cli.errors import AGAIN, InterruptError, UsageError, shown
from gsm_cli.files import is_there
from gsm_cli.style import Paper

DIGITS = 18  # of a whole number, at most
ENDINGS = (".png", ".svg", ".pdf", ".gif", ".html", ".jpg")


def option(name: str, help: str, default: str = "", metavar: str = "VALUE", complete: Any = None) -> Any:
    """An option whose text is read elsewhere; its help ends with the default, as somebody would type it."""
    shown = f"{help}  [default: {default}]" if default else help
    return typer.Option(name, help=shown, metavar=metavar, show_default=False, autocompletion=complete)


def several(name: str, *words: Any, **others: Any) -> Any:
    """The annotation of such an option that may be repeated."""
    return Annotated[list[str] | None, option(name, *words, **others)]


def single(name: str, *words: Any, **others: Any) -> Any:
    """The annotation of such an option."""
    return Annotated[str | None, option(name, *words, **others)]


def flag(name: str, words: str) -> Any:
    """An option that is there or not."""
    return typer.Option(name, help=words)


def read_whole(place: str, given: object, least: int, most: int | None = None, other: str = "") -> int:
    """A whole number from `least` on, and not above `most` if there is one; `other` is what may stand for one."""
    text = str(given).strip()
    number = int(text) if re.fullmatch(rf"[+-]?[0-9]{{1,{DIGITS}}}", text) else None
    if number is not None and least <= number and (most is None or number <= most):
        return number
    limits = f"from {least} on" if most is None else f"from {least} to {most:,}"
    if most is None and len(text) > DIGITS:
        limits += f", of at most {DIGITS} digits"
    rule = f"{place} must be {other}a whole number {limits}"
    raise UsageError(f"{rule}, not {shown(text)}: write for example {place}{'=' if place[0] == '$' else ' '}{least}")


def whole_number(name: str, help: str, least: int, most: int | None = None) -> Any:
    """An option that takes such a number."""
    return typer.Option(name, parser=lambda given: read_whole(name, given, least, most), metavar="INTEGER", help=help)


def read_place(given: str | Path) -> Path:
    """A folder. Raises UsageError for an empty name, as of a variable that is not set: it would be the one at hand."""
    if str(given).strip():
        return Path(given)
    raise UsageError("a folder must have a name, and this one is empty: name it, or write . for the one at hand")


def read_folder(given: str | Path) -> Path:
    """A folder for figures. Raises UsageError for what would be the name of one of them."""
    path = read_place(given)
    if path.suffix.lower() in ENDINGS and not path.is_dir():
        raise UsageError(f"--out must be a folder, for figures name themselves, not {path}: leave {path.suffix} out")
    return path


def signed(command: Callable[..., None], parameters: Iterable[inspect.Parameter]) -> Callable[..., None]:
    """A command that takes whatever it is given, with the signature from which Typer makes its options."""
    named = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
    command.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in named}
    return command


def taking(options: Mapping[str, Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command whose last parameter, which takes all others, is given these options; none has a default."""
    kind = inspect.Parameter.KEYWORD_ONLY
    first = [inspect.Parameter(name, kind, default=None, annotation=each) for name, each in options.items()]
    return lambda command: signed(command, [*first, *[*inspect.signature(command).parameters.values()][:-1]])


Several = list[str] | None  # repeated or with commas
Tau = Annotated[Several, option("--tau", "Temperatures, with commas or repeated.", "0.1,1,5,100", "NUMBERS")]
Probs = Annotated[
    str | None,
    option("--probs", "Class probabilities, as 0.5,0.3,0.2; or a file or - (stdin).", "the article's own", "NUMBERS"),
]
Logits = Annotated[
    str | None,
    option("--logits", "Log-probabilities up to a constant, as -0.7,-1.2,-1.6; or a file or -", "", "NUMBERS"),
]
Normalize = Annotated[bool, flag("--normalize", "Scale what --probs has to the sum 1.")]
Classes = Annotated[int | None, whole_number("--classes", "Draw a random law with so many classes.", 2, 10_000)]
ClassNames = Annotated[str | None, option("--class-names", "Names of the classes, as cat,dog,bird.", "1 to K", "NAMES")]
Title = Annotated[str | None, typer.Option(metavar="TEXT", help="Title in place of the figure's own.")]
Size = Annotated[str | None, typer.Option(metavar="WxH", help="Width and height in inches, as 6x4.")]
Dpi = Annotated[int | None, whole_number("--dpi", "Dots per inch, of PNG and films.", 30, 1200)]
Style = Annotated[Paper, typer.Option("--style", help="What the figure is drawn on.")]
FontSize = Annotated[int | None, whole_number("--font-size", "Points of most letters; 13 as they come.", 5, 72)]
Font = Annotated[str | None, option("--font", "A font that is installed, or its file.", "DejaVu Sans", "NAME")]
Seed = Annotated[int, whole_number("--seed", "Fixes the noise, and the law of --classes.", 0)]
Out = Annotated[Path, typer.Option("--out", parser=read_folder, metavar="FOLDER", help="Folder for the figures.")]
Formats = Annotated[Several, option("--format", "File formats: png, svg, pdf.", "png", "NAMES")]
Json = Annotated[bool, flag("--json", "Print the facts as JSON on stdout.")]
Samples = Annotated[int, whole_number("--samples", "Draws to average.", 1, 10**9)]
DataDir = Annotated[
    Path | None, option("--data-dir", "The folder in which MNIST lies.", "$GSM_DATA_DIR, then the cache", "FOLDER")
]
Reports = Annotated[
    Path, typer.Option("--out", parser=read_place, metavar="FOLDER", help="Folder for records and reports.")
]
ReportName = Annotated[
    str | None, option("--report", "The report's folder.", "the data set and its labels, as digits-100", "NAME")
]


def say(words: str) -> None:
    """Tell people at once on stderr, in a terminal wrapped between words."""
    try:
        width = os.get_terminal_size(sys.stderr.fileno()).columns
    except OSError:  # it is none
        width = 0
    wrapped = textwrap.fill(words, width, break_long_words=False, break_on_hyphens=False) if width else words
    print(f"{wrapped}\n", end="", file=sys.stderr, flush=True)  # at once: a signal may come between two writes


def prompt(*given: str | None) -> None:
    """Tell whoever sits at a terminal that numbers are waited for."""
    if "-" in given and sys.stdin and sys.stdin.isatty():
        say("gsm: type the numbers, then Ctrl-D on a line of its own")


def fetch(urls: Sequence[str], path: Path, sha256: str) -> None:
    """Download a file, and say so. Raises OSError if no mirror has it, GsmError if the disk refuses."""
    from gsm_cli.data.files import download

    say(f"downloading {path.name} …")
    download(urls, path, sha256)


def warn_of_slow_bf16(device: str) -> None:
    """Tell a user whose processor has no bfloat16 instructions what --precision bf16 will cost."""
    from gsm_cli.runs.environment import bf16_slowdown

    slowdown = bf16_slowdown(device)
    if slowdown > 1.0:
        rule = "--precision bf16 pays where the hardware has bfloat16 products"
        say(f"gsm: {rule}, and here one takes {slowdown:.2g} times as long as in float32: use --precision float32")


@contextmanager
def resumable(way: str = "", kept: Iterable[Path] = ()) -> Iterator[None]:
    """For long work: an interruption says in what way to go on, if any of these files is there by then."""
    try:
        yield
    except KeyboardInterrupt:
        raise InterruptError(f"{AGAIN} {way if any(map(is_there, kept)) else 'to start from the beginning'}") from None
