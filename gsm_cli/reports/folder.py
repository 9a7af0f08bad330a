"""A report on disk: read the records of a folder, write its Markdown and pictures, or compare them with a rebuild."""

import difflib
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from PIL import Image

from gsm_cli import style
from gsm_cli.errors import DataError, GsmError
from gsm_cli.files import write_atomic
from gsm_cli.records.cost import read_cost
from gsm_cli.records.run import Record, read_gradients, read_record
from gsm_cli.reports.charts import accuracy_chart, cost_chart, curve_data, generated_chart, gradient_chart
from gsm_cli.reports.cost import COST_TITLE, cost_data, describe_costs, picture_name, render_costs
from gsm_cli.reports.generated import DESCRIPTION, generated_images, generated_name
from gsm_cli.reports.gradients import PICTURE, describe
from gsm_cli.reports.groups import group
from gsm_cli.reports.sections import render

TEXT = "report.md"
GRADIENTS = "gradients.json"
COST = "cost"  # the folder whose records are measurements of cost


@dataclass(frozen=True)
class File:
    """A picture: its name, its words, the data it shows, and how to draw it."""

    name: str
    description: str
    data: Any
    draw: Callable[[], Figure]

    @property
    def carried(self) -> Any:
        """The data that the file carries, the same on every processor."""
        return style.rounded(self.data)


@dataclass(frozen=True)
class Folder:
    """What the records of a folder give: a text and its pictures; and a sentence for every file that is no record."""

    path: Path
    title: str
    text: str
    pictures: tuple[File, ...]
    problems: tuple[str, ...]


def find_folders(path: Path) -> list[Path]:
    """`path` itself if it has records, else the folders in it that have. Raises GsmError if there are none."""
    folders = (path, *sorted(path.glob("*")))
    found = [each for each in folders if any((each / "records").glob("*.json")) or (each / GRADIENTS).exists()]
    if not found:
        raise GsmError(f"a report needs records, and {path} has none: make some with gsm train-ssl --out {path}")
    return found


def read_folder(path: Path) -> Folder:
    """Read every record of a folder; what cannot be read becomes a problem. Raises DataError if nothing can be read."""
    return _read_costs(path) if path.resolve().name == COST else _read_runs(path)


def _read_runs(path: Path) -> Folder:
    records, problems = _read_records(path, read_record)
    gradients = read_gradients(path / GRADIENTS) if (path / GRADIENTS).exists() else None
    if not records and gradients is None:
        raise DataError(f"{path} has no readable record: {'; '.join(problems)}")
    report = render(records, problems, gradients)
    pictures = [
        File(picture.name, picture.description, data, partial(accuracy_chart, picture.group, data))
        for picture in report.pictures
        for data in [curve_data(picture.group)]
    ]
    pictures += [
        File(generated_name(number), DESCRIPTION, _digests(images), partial(generated_chart, images))
        for number, each in enumerate(group(records), start=1)
        for images in [generated_images(each)]
        if images
    ]
    if gradients is not None:
        rows = [asdict(row) for row in gradients.rows]
        pictures.append(File(PICTURE, describe(gradients), rows, partial(gradient_chart, gradients)))
    return Folder(path, report.title, report.text, tuple(pictures), tuple(problems))


def _read_costs(path: Path) -> Folder:
    records, problems = _read_records(path, read_cost)
    if not records:
        raise DataError(f"{path} has no readable record: {'; '.join(problems)}")
    pictures = [
        File(picture_name(record), describe_costs(record), data, partial(cost_chart, record, data))
        for record in records
        for data in [cost_data(record)]
    ]
    return Folder(path, COST_TITLE, render_costs(records, problems), tuple(pictures), tuple(problems))


def _digests(images: dict[str, str]) -> dict[str, str]:
    return {name: hashlib.sha256(image.encode()).hexdigest() for name, image in images.items()}


def _read_records(path: Path, read: Callable[[Path], Record]) -> tuple[list[Record], list[str]]:
    """The records of a folder, and a sentence for every file that is none."""
    records, problems = [], []
    for file in sorted((path / "records").glob("*.json")):
        try:
            records.append(read(file))
        except DataError as error:
            problems.append(str(error).replace(f"{path}/", ""))
    return records, problems


def write_report(folder: Folder) -> Path:
    """Write the report of a folder and its pictures; the path of the Markdown."""
    for picture in folder.pictures:
        image = style.render(picture.draw, "png", folder.title, picture.description, json.dumps(picture.carried))
        write_atomic(folder.path / picture.name, image)
    write_atomic(folder.path / TEXT, folder.text.encode())
    return folder.path / TEXT


def check_report(folder: Folder) -> list[str]:
    """What differs between the report on disk and its rebuild, as lines to read; none if nothing does."""
    path = folder.path / TEXT
    present = path.read_text().splitlines() if path.exists() else []
    names = (str(path), f"{path} rebuilt from the records")
    lines = list(difflib.unified_diff(present, folder.text.splitlines(), *names, lineterm="", n=1))
    for picture in folder.pictures:
        if data_shown(folder.path / picture.name) != picture.carried:
            lines.append(f"{folder.path / picture.name} is missing, or shows other data than the records")
    return lines + list(folder.problems)


def data_shown(path: Path) -> object:
    """The data that a picture carries; None if there is no such picture."""
    try:
        with Image.open(path) as image:
            return json.loads(image.info["Comment"])
    except (OSError, KeyError, ValueError):
        return None
