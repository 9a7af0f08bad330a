"""What commands print: paths or a text, or with `--json` one envelope, which docs/command-line.md documents."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gsm_cli import __version__
from gsm_cli.style import rounded

if TYPE_CHECKING:
    from gsm_cli.reports.page import Report


def show(command: str, files: Iterable[Path], as_json: bool, text: str | None = None, **results: object) -> None:
    """Print the text, or the paths where there is none; as JSON the envelope, in ASCII, which every pipe takes."""
    places = [str(path) for path in files]
    if as_json:
        output = {"schema": 1, "version": __version__, "command": command, "files": places, "results": results}
        text = json.dumps(msgspec.to_builtins(output), indent=2, allow_nan=False)
    if lines := places if text is None else [text]:
        print(*lines, sep="\n", flush=True)  # before what follows on stderr


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
