"""Wrong words on the command line, as one sentence with the remedy; and --debug, wherever it stands."""

import re
import sys
from collections.abc import Sequence

import typer

from gsm_cli.errors import printable

DEBUG = "--debug"
LONGEST = 400  # letters of a word


def sentence(error: typer.TyperException, command: str) -> str:
    """What is wrong, what may have been meant, and where the help of that very command is."""
    words, _, meant = error.message.rstrip(".?").partition(". Did you mean ")  # of a command
    if possible := getattr(error, "possibilities", None):  # of an option
        meant = " or ".join(possible)
    elif not meant:
        words = error.format_message().replace("Value error, ", "").rstrip(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if context else command
    return f"{words}: did you mean {meant}? See {path} --help" if meant else f"{words}: see {path} --help"


def in_one_line(message: str) -> str:
    """A sentence without line breaks, and with no more than the beginning of a word of 5,000 letters."""
    return re.sub(rf"([^\s:']{{60}})[^\s:']{{{LONGEST - 60},}}", r"\1…", printable(" ".join(message.splitlines())))


def command_of(words: Sequence[str]) -> str:
    """The program and the command that these words begin with."""
    return " ".join(["gsm", *[word for word in words if not word.startswith("-")][:1]])


def take_debug(args: Sequence[str] | None) -> tuple[bool, list[str]]:
    """Whether --debug is among the words, before the command or after it, and the other words."""
    words = list(sys.argv[1:] if args is None else args)
    end = words.index("--") if "--" in words else len(words)
    before = [word for word in words[:end] if word != DEBUG]
    return len(before) < end, before + words[end:]
