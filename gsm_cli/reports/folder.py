"""A report on disk: made from the records of its folder, written, or compared with what is there."""

import difflib
import json
from base64 import b64decode
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TypeVar

from PIL import Image

from gsm_cli.errors import DataError
from gsm_cli.files import write_atomic
from gsm_cli.records.cost import CostRecord, read_cost
from gsm_cli.records.gradients import GradientRecord, read_gradients
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.run import RunRecord, read_run
from gsm_cli.reports.cost import render_costs
from gsm_cli.reports.cost_statistics import unmeasured
from gsm_cli.reports.report import Report, few
from gsm_cli.reports.runs import render_runs

AnyRecord = TypeVar("AnyRecord")
ANOTHER = "is the record of another run than its name says"


def read(folder: ReportFolder, margin: float | None = None) -> Report:
    """The report on every record of a folder; what cannot be read becomes a problem. Raises DataError if all cannot.

    `margin` is the loss of test accuracy that counts as none in a report on runs.
    """
    problems: list[str] = []
    if folder.of_costs:
        costs = [record for path in folder.records for record in _read(folder, path, read_cost, _cost_fault, problems)]
        report = render_costs(folder, costs, problems) if costs else None
    else:
        runs = [record for path in folder.records for record in _read(folder, path, read_run, _run_fault, problems)]
        gradients = [
            record
            for path in folder.gradients
            for record in _read(folder, path, read_gradients, _gradients_fault, problems)
        ]
        report = render_runs(folder, runs, problems, gradients, margin) if runs or gradients else None
    if report is None:
        raise DataError(f"{folder.path} has no readable record: {few(problems)}")
    return report


def write(report: Report) -> Path:
    """Write a report and its pictures, and remove those that it showed before; the path of the Markdown."""
    folder = report.folder
    for picture in report.pictures:
        write_atomic(folder.picture(picture.name), picture.encode("png"))
    for path in _not_shown(report):
        if _texts(path).get("Title") == report.title:
            path.unlink()
    write_atomic(folder.text, report.text.encode())
    return folder.text


def check(report: Report) -> list[str]:
    """What differs between the report on disk and this one, as lines to read; none if nothing does."""
    path = report.folder.text
    present = path.read_text("utf-8").splitlines() if path.exists() else []
    names = (str(path), f"{path} rebuilt from the records")
    lines = list(difflib.unified_diff(present, report.text.splitlines(), *names, lineterm="", n=1))
    for picture in report.pictures:
        file = report.folder.picture(picture.name)
        if facts_shown(file) != picture.carried:
            lines.append(f"{file} is missing, or shows other data than the records")
    lines += [f"{file} is in no report: remove it" for file in _not_shown(report)]
    return lines + list(report.problems)


def facts_shown(path: Path) -> object:
    """The facts that a picture carries; None if there is no such picture."""
    try:
        return json.loads(_texts(path)["Comment"])
    except (KeyError, ValueError):
        return None


def _not_shown(report: Report) -> list[Path]:
    """The pictures of the folder that the report does not show."""
    shown = {report.folder.picture(picture.name) for picture in report.pictures}
    return [path for path in report.folder.pictures if path not in shown]


def _texts(path: Path) -> dict[str, str]:
    """The texts that a PNG carries, by name; none if it is not one."""
    try:
        with Image.open(path) as image:
            return {str(name): text for name, text in image.info.items() if isinstance(text, str)}
    except (OSError, ValueError):
        return {}


def _read(
    folder: ReportFolder,
    path: Path,
    read: Callable[[Path], AnyRecord],
    fault: Callable[[ReportFolder, Path, AnyRecord], str | None],
    problems: list[str],
) -> list[AnyRecord]:
    """The record at `path`, or nothing and one more problem."""
    try:
        record = read(path)
    except DataError as error:
        problems.append(str(error).replace(f"{folder.path}/", ""))
        return []
    if reason := fault(folder, path, record):
        problems.append(f"{folder.link(path)} {reason}")
        return []
    return [record]


def _run_fault(folder: ReportFolder, path: Path, record: RunRecord) -> str | None:
    """Why a record cannot be in the report of this folder; None if it can."""
    if path.stem != record.config.name:
        return f"{ANOTHER}: of {record.config.name}"
    if not folder.chosen and folder.name != record.config.folder:
        return f"{ANOTHER}: it belongs to {record.config.folder}"
    return None if record.generated is None else _image_fault(record.generated)


def _image_fault(generated: str) -> str | None:
    try:
        Image.open(BytesIO(b64decode(generated, validate=True))).verify()
    except (OSError, ValueError, SyntaxError) as error:
        return f"must hold its generated images as a PNG in base64, and does not ({error})"
    return None


def _gradients_fault(folder: ReportFolder, path: Path, record: GradientRecord) -> str | None:
    if path.stem != record.plan.name:
        return f"{ANOTHER}: of {record.plan.name}"
    belongs = record.plan.config.folder
    return None if folder.name == belongs else f"{ANOTHER}: it belongs to {belongs}"


def _cost_fault(folder: ReportFolder, path: Path, record: CostRecord) -> str | None:
    if path.stem != record.plan.name:
        return f"{ANOTHER}: of {record.plan.name}"
    missing = unmeasured(record)
    return f"must have all measurements of its plan, and lacks {', '.join(missing)}" if missing else None
