"""A report on disk: read the records of a folder, write its Markdown and pictures, or compare them with a rebuild."""

import difflib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from PIL import Image

from gsm_cli import style
from gsm_cli.curves import accuracy_chart, curve_data, gradient_chart
from gsm_cli.errors import DataError, GsmError
from gsm_cli.files import write_atomic
from gsm_cli.records import GradientRecord, RunRecord, read_gradients, read_record
from gsm_cli.report import Report, render
from gsm_cli.report_gradients import PICTURE, describe

TEXT = "report.md"
GRADIENTS = "gradients.json"


@dataclass(frozen=True)
class Folder:
    """The records of a folder, and a sentence for every file among them that is none."""

    path: Path
    records: tuple[RunRecord, ...]
    problems: tuple[str, ...]
    gradients: GradientRecord | None

    def render(self) -> Report:
        return render(self.records, self.problems, self.gradients)


@dataclass(frozen=True)
class File:
    """A picture: its name, its words, the data it shows, and how to draw it."""

    name: str
    description: str
    data: Any
    draw: Callable[[], Figure]


def find_folders(path: Path) -> list[Path]:
    """`path` itself if it has records, else the folders in it that have. Raises GsmError if there are none."""
    folders = (path, *sorted(path.glob("*")))
    found = [each for each in folders if any((each / "records").glob("*.json")) or (each / GRADIENTS).exists()]
    if not found:
        raise GsmError(f"a report needs records, and {path} has none: make some with gsm train-ssl --out {path}")
    return found


def read_folder(path: Path) -> Folder:
    """Every record of a folder; what cannot be read becomes a problem. Raises DataError if nothing can be read."""
    records, problems, gradients = [], [], None
    files = sorted((path / "records").glob("*.json"))
    for file in files:
        try:
            records.append(read_record(file))
        except DataError as error:
            problems.append(str(error).replace(f"{path}/", ""))
    if (path / GRADIENTS).exists():
        gradients = read_gradients(path / GRADIENTS)
    if not records and gradients is None:
        raise DataError(f"{path} has no readable record: {'; '.join(problems)}")
    return Folder(path, tuple(records), tuple(problems), gradients)


def pictures(folder: Folder, report: Report) -> list[File]:
    """The pictures of a report."""
    files = [
        File(picture.name, picture.description, data, partial(accuracy_chart, picture.group, data))
        for picture in report.pictures
        for data in [curve_data(picture.group)]
    ]
    if folder.gradients is not None:
        rows = [asdict(row) for row in folder.gradients.rows]
        words = describe(folder.gradients)
        files.append(File(PICTURE, words, rows, partial(gradient_chart, folder.gradients)))
    return files


def write_report(folder: Folder) -> Path:
    """Write the report of a folder and its pictures; the path of the Markdown."""
    report = folder.render()
    for file in pictures(folder, report):
        image = style.render(file.draw, "png", report.title, file.description, json.dumps(file.data))
        write_atomic(folder.path / file.name, image)
    write_atomic(folder.path / TEXT, report.text.encode())
    return folder.path / TEXT


def check_report(folder: Folder) -> list[str]:
    """What differs between the report on disk and its rebuild, as lines to read; none if nothing does."""
    report = folder.render()
    path = folder.path / TEXT
    present = path.read_text().splitlines() if path.exists() else []
    names = (str(path), f"{path} rebuilt from the records")
    lines = list(difflib.unified_diff(present, report.text.splitlines(), *names, lineterm="", n=1))
    for file in pictures(folder, report):
        if data_shown(folder.path / file.name) != file.data:
            lines.append(f"{folder.path / file.name} is missing, or shows other data than the records")
    return lines + list(folder.problems)


def data_shown(path: Path) -> object:
    """The data that a picture carries; None if there is no such picture."""
    try:
        with Image.open(path) as image:
            return json.loads(image.info["Comment"])
    except (OSError, KeyError, ValueError):
        return None
