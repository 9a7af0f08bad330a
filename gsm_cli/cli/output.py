"""What `--json` prints: one envelope for every command, documented field by field in docs/command-line.md."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gsm_cli import __version__
from gsm_cli.style import rounded

if TYPE_CHECKING:
    from gsm_cli.reports.page import Report


def show(command: str, files: Iterable[Path], **results: object) -> None:
    """Print the envelope on stdout, in ASCII, so that every terminal and every pipe takes it."""
    places = [str(path) for path in files]
    output = {"schema": 1, "version": __version__, "command": command, "files": places, "results": results}
    print(json.dumps(msgspec.to_builtins(output), indent=2, allow_nan=False))


def told(report: "Report") -> dict[str, object]:
    """What a report says and what its pictures show, as data, the same on every processor."""
    figures = [
        {"path": str(report.folder.picture(each.name)), "description": each.description, "shown": each.carried}
        for each in report.pictures
    ]
    return {
        "path": str(report.folder.text),
        "title": report.title,
        "answer": report.answer,
        "problems": report.problems,
        "facts": rounded(report.facts),
        "figures": figures,
    }
