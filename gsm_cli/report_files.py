"""A report on disk: read the records of a folder, write its Markdown and pictures, or compare them with a rebuild."""

import difflib
import json
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from gsm_cli import style
from gsm_cli.curves import accuracy_chart, curve_data
from gsm_cli.errors import DataError, GsmError
from gsm_cli.files import write_atomic
from gsm_cli.records import RunRecord, read_record
from gsm_cli.report import render

TEXT = "report.md"


@dataclass(frozen=True)
class Folder:
    """The records of a folder, and a sentence for every file among them that is none."""

    path: Path
    records: tuple[RunRecord, ...]
    problems: tuple[str, ...]


def find_folders(path: Path) -> list[Path]:
    """`path` itself if it has records, else the folders in it that have. Raises GsmError if there are none."""
    found = [folder for folder in (path, *sorted(path.glob("*"))) if any((folder / "records").glob("*.json"))]
    if not found:
        raise GsmError(f"a report needs records, and {path} has none: make some with gsm train-ssl --out {path}")
    return found


def read_folder(path: Path) -> Folder:
    """Every record of a folder; what cannot be read becomes a problem."""
    records, problems = [], []
    for file in sorted((path / "records").glob("*.json")):
        try:
            records.append(read_record(file))
        except DataError as error:
            problems.append(str(error).replace(f"{path}/", ""))
    if not records:
        raise DataError(f"{path} has no readable record: {'; '.join(problems)}")
    return Folder(path, tuple(records), tuple(problems))


def write_report(folder: Folder) -> Path:
    """Write the report of a folder and its pictures; the path of the Markdown."""
    report = render(folder.records, folder.problems)
    for picture in report.pictures:
        data = curve_data(picture.group)
        image = style.render(
            lambda group=picture.group, data=data: accuracy_chart(group, data),  # type: ignore[misc]
            "png",
            report.title,
            picture.description,
            json.dumps(data),
        )
        write_atomic(folder.path / picture.name, image)
    write_atomic(folder.path / TEXT, report.text.encode())
    return folder.path / TEXT


def check_report(folder: Folder) -> list[str]:
    """What differs between the report on disk and its rebuild, as lines to read; none if nothing does."""
    report = render(folder.records, folder.problems)
    path = folder.path / TEXT
    present = path.read_text().splitlines() if path.exists() else []
    names = (str(path), f"{path} rebuilt from the records")
    lines = list(difflib.unified_diff(present, report.text.splitlines(), *names, lineterm="", n=1))
    for picture in report.pictures:
        if data_shown(folder.path / picture.name) != curve_data(picture.group):
            lines.append(f"{folder.path / picture.name} is missing, or shows other data than the records")
    return lines + list(folder.problems)


def data_shown(path: Path) -> object:
    """The data that a picture carries; None if there is no such picture."""
    try:
        with Image.open(path) as image:
            return json.loads(image.info["Comment"])
    except (OSError, KeyError, ValueError):
        return None
