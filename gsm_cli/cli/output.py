"""What `--json` prints: one envelope for every command, documented field by field in docs/command-line.md."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Struct

from gsm_cli import __version__

Results = TypeVar("Results")


class Output(Struct, Generic[Results], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The envelope: what made it, the files that it wrote or found, and the results of the command."""

    schema: Literal[1] = 1
    version: str = __version__
    command: str
    files: list[str]
    results: Results


class FigureResults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of the commands that draw the law: for each figure its path and the facts that it carries."""

    figures: list[dict[str, Any]]


class SettingResult(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A setting: its meaning, its rule, its environment variable, who reads it, its default and what presets name."""

    name: str
    meaning: str
    rule: str
    variable: str
    objectives: list[str]
    defaults: dict[str, Any]  # by objective, before any preset
    presets: dict[str, Any]  # by data set and preset, as "mnist article"


class SettingResults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `gsm settings`."""

    settings: list[SettingResult]


def show(command: str, files: Iterable[Path], results: object) -> None:
    """Print the envelope on stdout, in ASCII, so that every terminal and every pipe takes it."""
    output = Output(command=command, files=[str(path) for path in files], results=results)
    print(json.dumps(msgspec.to_builtins(output), indent=2, allow_nan=False))
