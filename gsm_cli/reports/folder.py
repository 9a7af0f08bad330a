"""A report on disk: made from the records of its folder, written, or compared with what is there."""

import difflib
import json
import warnings
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TypeVar

from gsm_cli.errors import DataError, printable
from gsm_cli.files import is_there, read_bounded, remove, sweep, write_atomic
from gsm_cli.records.cost import CostRecord, read_cost, read_steps
from gsm_cli.records.gradients import GradientRecord, read_gradients
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.run import RunRecord, read_run
from gsm_cli.reports.costs import render_costs
from gsm_cli.reports.page import Report
from gsm_cli.reports.run_report import render_runs
from gsm_cli.style import Picture
from gsm_cli.words import few

AnyRecord = TypeVar("AnyRecord")
ANOTHER = "is the record of another run than its name says, of {}: give it that name, or remove it"
ELSEWHERE = "is of other data than most runs here"
SIZES = "{} classes, {} unlabelled and {} test images"
MOST = 2**26  # bytes of a picture's file, and its pixels
REBUILD = "rebuild it with gsm report"


def read(folder: ReportFolder, margin: float | None = None) -> Report:
    """The report on every record of a folder; what cannot be read becomes a problem. Raises DataError if all cannot.

    `margin` is the loss of test accuracy that counts as none in a report on runs, in place of that in `report.toml`.
    """
    problems: list[str] = []
    report = None
    if folder.of_costs:
        if costs := _read(folder, folder.records, read_cost, _plan_fault, problems):
            report = render_costs(folder, costs, problems)
    else:
        asked = folder.asked
        runs = _read(folder, folder.records, read_run, _run_fault, problems)
        gradients = _read(folder, folder.gradients, read_gradients, _plan_fault, problems)
        if asked.kind == "comparison":
            runs, gradients = _of_one_task(folder, runs, gradients, problems)
        runs = _of_one_kind(folder, runs, problems)
        timed = _read(folder, [folder.steps] * is_there(folder.steps), read_steps, lambda *_: None, problems)
        steps = next(iter(timed), None)
        if runs or gradients:
            share = margin or (asked.margin and asked.margin / 100)
            report = render_runs(folder, runs, problems, gradients, share, asked.kind, steps, asked.about)
    if report is None:
        raise DataError(f"{folder.path} has no readable record: {few(problems)}")
    return report


def write(report: Report) -> Path:
    """Write a report and the pictures whose data have changed; remove those of before. The Markdown's path.

    A picture that is there with the same data and words stays, whatever code has drawn it.
    """
    folder = report.folder
    sweep(folder.path)
    sweep(folder.records_folder)
    for picture in report.pictures:
        if _picture_fault(path := folder.picture(picture.name), picture):
            write_atomic(path, picture.encode("png"))
    for path in _not_shown(report):
        if _is_ours(path):
            remove(path)
    write_atomic(folder.text, report.text.encode())
    write_atomic(folder.details, report.details_text.encode())
    return folder.text


def check(report: Report) -> list[str]:
    """What differs between the report on disk and this one, as lines to read; none if nothing does."""
    lines = text_differences(report.folder.text, report.text)
    lines += text_differences(report.folder.details, report.details_text)
    for picture in report.pictures:
        file = report.folder.picture(picture.name)
        if reason := _picture_fault(file, picture):
            lines.append(f"{file} {reason}: {REBUILD}")
    lines += [f"{file} is in no report: remove it" for file in _not_shown(report)]
    return lines + list(report.problems)


def text_differences(path: Path, expected: str) -> list[str]:
    """In what a text on disk departs from what it must be, as lines to read."""
    try:
        present = read_bounded(path, 2 * len(expected.encode()) + 2**20).decode("utf-8")
    except FileNotFoundError:
        present = ""
    except OSError as error:
        return [f"{path} cannot be read ({error.strerror}): {REBUILD}"]
    except UnicodeError:
        return [f"{path} must be text in UTF-8, and is not: {REBUILD}"]
    names = (str(path), f"{path} rebuilt from the records")
    lines = difflib.unified_diff(present.splitlines(), expected.splitlines(), *names, lineterm="", n=1)
    found = [printable(line) for line in lines]
    if not found and present != expected:
        return [f"{path} has other line breaks than its records give: {REBUILD}"]
    return found


def _picture_fault(path: Path, expected: Picture[object]) -> str | None:
    """Why a file is not the picture that is expected; None if it is."""
    try:
        same = shows(read_bounded(path, MOST), expected)
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except ValueError:
        return "must be as a report wrote it, and is not"
    return None if same else "shows or says something else than the records"


def read_texts(content: bytes) -> Mapping[str, str]:
    """The texts in a PNG. Raises ValueError for what is no whole PNG, or a larger one than any report has."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(BytesIO(content), formats=["PNG"])
            if image.width * image.height > MOST:
                raise ValueError(f"it has more than {MOST:,} pixels")
            image.verify()  # compares checksums, and is the end of this object
            image = Image.open(BytesIO(content), formats=["PNG"])
            image.load()
            return {str(name): str(text) for name, text in image.info.items()}
    except Exception as error:  # of damaged bytes a decoder may say anything
        raise ValueError(str(error) or type(error).__name__) from error


def shows(content: bytes, picture: Picture[object]) -> bool:
    """Whether a PNG carries the title, the description and the data of a picture. Raises ValueError as `read_texts`."""
    carried = {"Title": picture.title, "Description": picture.description, "Comment": json.dumps(picture.carried)}
    return carried.items() <= read_texts(content).items()


def _is_ours(path: Path) -> bool:
    """Whether a report wrote that picture."""
    try:
        return read_texts(read_bounded(path, MOST)).get("Software") == "gsm"
    except (OSError, ValueError):
        return False


def _not_shown(report: Report) -> list[Path]:
    """The pictures of the folder that the report does not show."""
    shown = {report.folder.picture(picture.name) for picture in report.pictures}
    return [path for path in report.folder.pictures if path not in shown]


def _read(
    folder: ReportFolder,
    paths: Sequence[Path],
    read: Callable[[Path], AnyRecord],
    fault: Callable[[ReportFolder, Path, AnyRecord], str | None],
    problems: list[str],
) -> list[AnyRecord]:
    """The records at these paths; for each that is none there is one more problem."""
    records = []
    for path in paths:
        try:
            record = read(path)
        except DataError as error:
            problems.append(printable(str(error).replace(f"{folder.path}/", "", 1)))
            continue
        if reason := fault(folder, path, record):
            problems.append(printable(f"{folder.link(path)} {reason}"))
        else:
            records.append(record)
    return records


def _run_fault(folder: ReportFolder, path: Path, record: RunRecord) -> str | None:
    """Why a record cannot be in the report of this folder; None if it can."""
    if path.stem != record.config.name:
        return ANOTHER.format(record.config.name)
    try:
        if record.generated is not None:
            read_texts(b64decode(record.generated, validate=True))
    except ValueError as error:
        return f"must hold its generated images as a PNG in base64, and does not ({printable(str(error))})"
    return None


def _of_one_task(
    folder: ReportFolder, runs: Sequence[RunRecord], gradients: Sequence[GradientRecord], problems: list[str]
) -> tuple[list[RunRecord], list[GradientRecord]]:
    """The records of the data set and labels that most runs have; for each other there is one more problem."""
    configs = [record.config for record in runs] or [each.plan.config for each in gradients]
    task = next((name for name, _ in Counter(config.folder for config in configs).most_common(1)), "")
    files = [(folder.record(record.config.name), record.config.folder) for record in runs]
    files += [(folder.measurement(each.plan.name), each.plan.config.folder) for each in gradients]
    problems += [f"{folder.link(path)} {ELSEWHERE}: it belongs to {own}" for path, own in files if own != task]
    return (
        [record for record in runs if record.config.folder == task],
        [each for each in gradients if each.plan.config.folder == task],
    )


def _of_one_kind(folder: ReportFolder, records: Sequence[RunRecord], problems: list[str]) -> list[RunRecord]:
    """The runs whose data are those of most others of their data set; for each other there is one more problem."""
    common = [data for data, _ in Counter(map(_data, records)).most_common()]
    usual = {data: sizes for data, sizes in reversed(common) if sizes}
    kept = []
    for record in records:
        data, sizes = _data(record)
        if sizes in (None, usual.get(data)):
            kept.append(record)
        else:
            path = folder.link(folder.record(record.config.name))
            rule = f"must have the data of its namesakes, {SIZES.format(*usual[data])}"
            problems.append(f"{path} {rule}, and has {SIZES.format(*sizes)}")
    return kept


def _data(record: RunRecord) -> tuple[tuple[object, ...], tuple[int, int, int] | None]:
    """What decides the sizes of a run's data; and these, None of one that did not come to its test images."""
    config, test = record.config, record.test
    data = config.dataset_name, config.dataset_sha256, config.labels, config.classes, config.classes and config.seed
    return data, (record.classes, record.unlabelled, test.images) if test else None


def _plan_fault(folder: ReportFolder, path: Path, record: CostRecord | GradientRecord) -> str | None:
    return None if path.stem == record.plan.name else ANOTHER.format(record.plan.name)
