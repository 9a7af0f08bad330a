"""Wrong words on the command line, as one sentence with the remedy; and what may stand anywhere: -q, -v, --debug."""

import io
import logging
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from typing import TextIO

import typer

from gsm_cli.errors import UsageError, closest, printable

ANYWHERE = {  # flags that may stand before and behind the command
    "--debug": "debug",
    **dict.fromkeys(("-q", "--quiet"), "quiet"),
    **dict.fromkeys(("-v", "--verbose"), "verbose"),
    **dict.fromkeys(("-V", "--version"), "version"),
}
LONGEST = 400  # letters of a word


def sentence(error: typer.TyperException, command: str) -> str:
    """What is wrong, what may have been meant, and where the help of that very command is."""
    words, _, meant = error.message.rstrip(".?").partition(". Did you mean ")  # of a command
    context = getattr(error, "ctx", None)
    path = context.command_path if context else command
    if context and hasattr(error, "possibilities") and (option := getattr(error, "option_name", None)):
        meant = _meant(option, [name for each in context.command.params for name in each.opts]) or ""
    elif not meant:
        words = error.format_message().replace("Value error, ", "").rstrip(".")
    return f"{words}: did you mean {meant}? See {path} --help" if meant else f"{words}: see {path} --help"


def _meant(option: str, options: list[str]) -> str | None:
    """The option that one which is not there may stand for, or the setting behind --set."""
    from gsm_cli.config import SETTINGS

    others = {name: f"--set {name}=VALUE" for name in SETTINGS} if "--set" in options else {}
    found = closest(option, [*others, *options])  # an option before the setting of the same name
    return others.get(found, found) if found else None


def in_one_line(message: str) -> str:
    """A sentence without line breaks, and with no more than the beginning of a word of 5,000 letters."""
    return re.sub(rf"([^\s:']{{60}})[^\s:']{{{LONGEST - 60},}}", r"\1…", printable(" ".join(message.splitlines())))


def command_of(words: Sequence[str]) -> str:
    """The program and the command that these words begin with."""
    return " ".join(["gsm", *[word for word in words if not word.startswith("-")][:1]])


def take_flags(args: Sequence[str] | None) -> tuple[set[str], list[str]]:
    """Which of the flags that may stand anywhere are among the words, and the other words."""
    words = list(sys.argv[1:] if args is None else args)
    end = words.index("--") if "--" in words else len(words)
    before = [word for word in words[:end] if word not in ANYWHERE]
    return {ANYWHERE[word] for word in words[:end] if word in ANYWHERE}, before + words[end:]


@contextmanager
def voice(flags: set[str]) -> Iterator[None]:
    """While this lasts stderr says as much as is asked for: errors alone, or also which files are read and written."""
    if flags >= {"quiet", "verbose"}:
        raise UsageError("--quiet must stand without --verbose, its contrary: leave one of them out")
    log, handler = logging.getLogger("gsm_cli"), _Said()
    log.setLevel(logging.INFO if "verbose" in flags else logging.WARNING)
    log.addHandler(handler)
    try:
        with redirect_stderr(_Errors(sys.stderr) if "quiet" in flags else sys.stderr):
            yield
    finally:
        log.removeHandler(handler)


class _Said(logging.Handler):
    """Lines on whatever stderr is at the moment: below bars that move it is another."""

    def emit(self, record: logging.LogRecord) -> None:
        print(f"{record.getMessage()}\n", end="", file=sys.stderr, flush=True)


class _Errors(io.TextIOBase):
    """Of what is written the lines that begin with `gsm:`."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.line = stream, ""

    def write(self, text: str) -> int:
        *lines, self.line = f"{self.line}{text}".split("\n")
        for line in lines:
            if line.startswith("gsm:"):
                print(line, file=self.stream, flush=True)
        return len(text)
