"""The command line: parse, call, print. Errors meet the user here alone; heavy imports wait in the commands."""

import os
import sys
import traceback
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from gsm_cli import __version__
from gsm_cli.cli import cost, figures, gradients, report, train
from gsm_cli.errors import GsmError


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
    os.environ.pop("SOURCE_DATE_EPOCH", None)  # no file has a date, and matplotlib and NumPy stumble over a damaged one
    if context.invoked_subcommand is None:
        print(context.get_help())


for command in (figures.sample, figures.expectation, figures.grid, figures.simplex, figures.animate):
    app.command()(command)
app.command("train-ssl")(train.train_ssl)
app.command()(cost.cost)
app.command()(gradients.gradients)
app.command()(report.report)
