"""The command line: parse, call, print. Errors meet the user here alone.

A command is imported when it is named, and what is heavy when the command needs it.
"""

import errno
import os
import platform
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from logging import getLogger
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NoReturn

import typer
from typer.core import TyperGroup

from gsm_cli import __version__
from gsm_cli.cli.usage import command_of, in_one_line, sentence, take_flags, voice
from gsm_cli.errors import AGAIN, GsmError, InterruptError, UsageError, is_of_memory
from gsm_cli.interrupts import Signals

EVERYWHERE = "Behind every command: -q results and errors alone, -v each file, --debug tracebacks."
log = getLogger("gsm_cli")
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class Row(NamedTuple):
    """A command: the module of this room with its function, the first line of its help, and an example."""

    module: str
    summary: str
    example: str


COMMANDS = {  # in the order of the help
    "sample": Row("figures", "Draw the law and one relaxed sample at every temperature.", "--tau 0.1 --repeat 3"),
    "expectation": Row("figures", "Draw the mean of many samples against its exact value.", "--samples 1000 --tau 0.5"),
    "grid": Row("figures", "Draw means and samples at all temperatures in one picture.", "--classes 20 --seed 3"),
    "simplex": Row("figures", "Draw density and samples of three classes on a triangle.", "--probs 0.6,0.3,0.1"),
    "animate": Row("figures", "Draw the law as its temperature falls and rises again.", "--from 10 --to 0.1"),
    "explore": Row("figures", "Write a page, in one file, in which one drags the law.", "--probs 0.6,0.3,0.1 --tau 2"),
    "train-ssl": Row(
        "train",
        "Train a semi-supervised model with each objective and seed.",
        "--objective marginalize,gumbel --seeds 0-4 --set kl_start=1",
    ),
    "settings": Row("settings", "List the settings of train-ssl: meaning, rule, defaults.", "tau epochs"),
    "gradients": Row("gradients", "Measure every estimator's gradient against the exact one.", "--tau 0.5,1 --seeds 0"),
    "cost": Row("cost", "Measure time and memory of a step against the classes.", "--classes 10,100 --rounds 3"),
    "report": Row("report", "Rebuild every report from its records, without training.", "reports/digits-100 --csv"),
    "compare": Row("compare", "Compare two folders of records, seed by seed.", "digits-100 try/digits-100"),
}


class ErrorBoundary(TyperGroup):
    """Every failure leaves as one sentence on stderr and an exit code: 1 failed, 2 usage, 3 data, 130 interrupted."""

    debug = False

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that is named, and import it."""
        name, command, words = super().resolve_command(ctx, args)
        return name, load(name) if name in COMMANDS else command, words

    def main(self, args: Sequence[str] | None = None, *others: Any, **extra: Any) -> NoReturn:
        extra["standalone_mode"] = False
        flags, words = take_flags(args)
        ErrorBoundary.debug = "debug" in flags
        try:
            if "version" in flags:
                print(f"gsm {__version__}", flush=True)
                sys.exit()
            with voice(flags):
                log.info("gsm %s in %s, Python %s", __version__, Path(__file__).parents[1], platform.python_version())
                code = super().main(words, *others, **extra) or 0
            if code == InterruptError.exit_code:  # what Typer makes of Ctrl-C
                raise InterruptError(AGAIN)
            sys.stdout.flush()
            sys.exit(code)
        except BrokenPipeError:  # nobody reads on, and nobody needs to be told
            sys.exit(GsmError.exit_code)
        except Exception as error:
            if self.debug:
                traceback.print_exc()
            code, message = explain(error, command_of(words))
        with suppress(OSError):
            print(f"gsm: {in_one_line(message)}", file=sys.stderr)
        sys.exit(code)


def explain(error: Exception, command: str) -> tuple[int, str]:
    """The exit code and the sentence for an error of `command`."""
    if not isinstance(error, InterruptError) and (Signals.heard or _was_interrupted(error)):
        return InterruptError.exit_code, AGAIN
    if isinstance(error, GsmError):
        return error.exit_code, str(error)
    if isinstance(error, typer.TyperException):  # what Typer itself finds wrong
        return error.exit_code, sentence(error, command)
    if is_of_memory(error):
        return 1, "what is asked for must fit into memory, and does not: ask for less, or make room"
    if isinstance(error, OSError) and error.errno in FULL:
        return 1, f"what is written must find room, and does not ({error.strerror}): make room, or write elsewhere"
    return 1, f"{type(error).__name__} ({error}): this is a defect, please report it with what gsm --debug prints"


def _was_interrupted(error: BaseException | None) -> bool:
    """Whether an error is what a library made of KeyboardInterrupt."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


app = typer.Typer(
    cls=ErrorBoundary,
    invoke_without_command=True,
    rich_markup_mode=None,  # plain help answers in half the time
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Each command has its own help: gsm sample --help. Exit codes: 0 done, 1 a run failed, 2 wrong usage, 3 "
    "data missing or damaged, 130 interrupted. The environment: GSM_DATA_DIR names the folder of MNIST, GSM_EPOCHS and "
    "so on the settings of train-ssl (gsm settings).",
)


@app.callback()
def gsm(
    context: typer.Context,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say results and errors alone.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Also say which files are used.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[bool, typer.Option("-V", "--version", help="Show the version and exit.")] = False,
) -> None:
    """Draw what Gumbel-Softmax does and measure what it earns.

    The options below may stand behind a command as well.
    """
    os.environ.pop("SOURCE_DATE_EPOCH", None)  # no file has a date, and matplotlib and NumPy stumble over a damaged one
    if context.invoked_subcommand is None:
        print(context.get_help())
        return
    try:
        Path.cwd()
    except OSError:
        raise UsageError("the working folder must be there, and is gone: change to another") from None


@cache
def load(name: str) -> Any:
    """The command of that name, imported, with its options and its whole help."""
    function = getattr(import_module(f"gsm_cli.cli.{COMMANDS[name].module}"), name.replace("-", "_"))
    alone = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    alone.command(name, epilog=f"{EVERYWHERE}\n\nExample: gsm {name} {COMMANDS[name].example}")(function)
    return typer.main.get_command(alone)


for name, row in COMMANDS.items():  # all that the list of commands needs to know
    app.command(name, help=row.summary)(lambda: None)
