"""The command line: parse, call, print. Errors meet the user here alone; heavy imports wait in the commands."""

import json
import sys
import traceback
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from gsm_cli import __version__
from gsm_cli.errors import GsmError, UsageError

if TYPE_CHECKING:
    from gsm_cli.law import Law, Temperature
    from gsm_cli.pictures import Picture


class ErrorBoundary(TyperGroup):
    """Every failure leaves as one sentence on stderr and an exit code: 1 failed, 2 usage, 3 data, 130 interrupted."""

    debug = False

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        extra["standalone_mode"] = False
        try:
            sys.exit(super().main(*args, **extra) or 0)
        except Exception as error:
            if self.debug:
                traceback.print_exc()
            code, message = explain(error)
        print(f"gsm: {message}", file=sys.stderr)
        sys.exit(code)


def explain(error: Exception) -> tuple[int, str]:
    """The exit code and the sentence for an error."""
    if isinstance(error, GsmError):
        return error.exit_code, str(error)
    if isinstance(error, typer.TyperException):  # what Typer itself finds wrong
        sentence = error.format_message().replace("Value error, ", "").rstrip(".")
        return error.exit_code, f"{sentence}: see gsm --help"
    return 1, f"{type(error).__name__} ({error}): this is a defect, please report it with what gsm --debug prints"


def whole_number(name: str, help: str, least: int) -> Any:
    """An option that takes a whole number from `least` on."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise UsageError(
                f"{name} must be a whole number from {least} on, not {text}: write for example {name} {least}"
            )
        return value

    return typer.Option(name, parser=read, metavar="INTEGER", help=help)


app = typer.Typer(
    cls=ErrorBoundary,
    invoke_without_command=True,
    rich_markup_mode=None,  # plain help answers in half the time
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"gsm {__version__}")
        raise typer.Exit


@app.callback()
def gsm(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Draw what Gumbel-Softmax does and measure what it earns."""
    ErrorBoundary.debug = debug
    if context.invoked_subcommand is None:
        print(context.get_help())


class Format(StrEnum):
    png = "png"
    svg = "svg"
    pdf = "pdf"


TauOption = Annotated[
    list[str] | None,
    typer.Option("--tau", metavar="NUMBER", help="Temperature; may be repeated.", show_default="0.1, 1, 5, 100"),
]
ProbsOption = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBERS", help="Class probabilities, as 0.5,0.3,0.2.", show_default="the article's six classes"
    ),
]
LogitsOption = Annotated[
    str | None, typer.Option(metavar="NUMBERS", help="Log-probabilities of the classes, up to a constant.")
]
ClassesOption = Annotated[int | None, whole_number("--classes", "Draw a random law with so many classes.", 2)]
SeedOption = Annotated[int, whole_number("--seed", "Fixes the noise, and the law of --classes.", 0)]
OutOption = Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the figures.")]
FormatOption = Annotated[Format, typer.Option(help="File format.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the figures' facts as JSON on stdout.")]
SamplesOption = Annotated[int, whole_number("--samples", "Draws to average.", 1)]


@app.command()
def sample(
    tau: TauOption = None,
    repeat: Annotated[int, whole_number("--repeat", "Also draw z_0 .. z_<N-1> at the first temperature.", 0)] = 0,
    probs: ProbsOption = None,
    logits: LogitsOption = None,
    classes: ClassesOption = None,
    seed: SeedOption = 0,
    out: OutOption = Path("figures"),
    format: FormatOption = Format.png,
    as_json: JsonOption = False,
) -> None:
    """Draw the law and one relaxed sample at every temperature."""
    from gsm_cli import pictures

    law, temperatures = _read(tau, probs, logits, classes, seed)
    _write(pictures.samples(law, temperatures, repeat), out, format, as_json)


@app.command()
def expectation(
    tau: TauOption = None,
    samples: SamplesOption = 100,
    plain: Annotated[bool, typer.Option("--plain", help="Draw the bars alone.")] = False,
    probs: ProbsOption = None,
    logits: LogitsOption = None,
    classes: ClassesOption = None,
    seed: SeedOption = 0,
    out: OutOption = Path("figures"),
    format: FormatOption = Format.png,
    as_json: JsonOption = False,
) -> None:
    """Draw the mean of many samples against its exact value."""
    from gsm_cli import pictures

    law, temperatures = _read(tau, probs, logits, classes, seed)
    drawn = pictures.expectations(law, temperatures, samples, plain)
    _write(drawn, out, format, as_json)
    if not as_json:
        from gsm_cli.tables import print_expectations

        print_expectations(drawn)


@app.command()
def grid(
    tau: TauOption = None,
    samples: SamplesOption = 100,
    draws: Annotated[int, whole_number("--draws", "Rows of single draws.", 1)] = 4,
    probs: ProbsOption = None,
    logits: LogitsOption = None,
    classes: ClassesOption = None,
    seed: SeedOption = 0,
    out: OutOption = Path("figures"),
    format: FormatOption = Format.png,
    as_json: JsonOption = False,
) -> None:
    """Draw expectations and samples over all temperatures in one picture."""
    from gsm_cli import pictures

    law, temperatures = _read(tau, probs, logits, classes, seed)
    _write([pictures.grid(law, temperatures, samples, draws)], out, format, as_json)


def _read(
    tau: list[str] | None, probs: str | None, logits: str | None, classes: int | None, seed: int
) -> "tuple[Law, list[Temperature]]":
    from gsm_cli.law import ARTICLE_TEMPERATURES, read_law, read_temperatures

    return read_law(probs, logits, classes, seed), read_temperatures(tau or ARTICLE_TEMPERATURES)


def _write(pictures: "list[Picture]", out: Path, format: Format, as_json: bool) -> None:
    """Encode every picture before the first is written; then print the paths, or the facts as JSON."""
    from gsm_cli.files import write_atomic

    files = {out / f"{picture.name}.{format}": picture.encode(format.value) for picture in pictures}
    for path, data in files.items():
        write_atomic(path, data)
    if as_json:
        facts = [{"path": str(path), **picture.facts} for path, picture in zip(files, pictures, strict=True)]
        print(json.dumps({"figures": facts}, indent=2))
    else:
        print(*files, sep="\n")
