"""The index of a folder of reports: what each asks, what it answers, and of how many runs."""

from collections.abc import Sequence
from pathlib import Path

from gsm_cli.files import is_there, read_bounded, write_atomic
from gsm_cli.reports.folder import MOST, text_differences, write
from gsm_cli.reports.markdown import table
from gsm_cli.reports.page import Report

NAME = "README.md"
START = "# Reports\n\nWritten by `gsm report` from the records"
TEXT = START + ", as every page that it names. A run is one training of one objective with one seed.\n\n"


def index(reports: Sequence[Report]) -> str:
    """A row for each report."""
    rows = [
        [f"[{each.title}]({each.folder.path.name}/{each.folder.text.name})", each.answer, f"{len(each.runs):,}"]
        for each in reports
    ]
    return TEXT + table(["question", "answer", "runs"], rows) + "\n"


def write_index(folder: Path, reports: Sequence[Report]) -> list[Path]:
    """Write the index of several reports, unless somebody's own file has its name; its path."""
    path = folder / NAME
    if not _is_asked(path, reports):
        return []
    write_atomic(path, index(reports).encode())
    return [path]


def write_one(report: Report) -> Path:
    """Write a report, and its row into the index beside it, if there is one as `gsm` wrote it; the Markdown's path."""
    written, path = write(report), report.folder.path.parent / NAME
    if _is_ours(path):
        head, _, row = index([report]).rstrip("\n").rpartition("\n")
        start, _, present = read_bounded(path, MOST).decode(errors="replace").partition(f"{head}\n")
        rows = {line.partition("](")[2].partition("/")[0]: line for line in [*present.splitlines(), row]}  # by folder
        if not start and all(rows):  # no line of somebody's own
            write_atomic(path, "".join([f"{head}\n", *(f"{rows[name]}\n" for name in sorted(rows))]).encode())
    return written


def check_index(folder: Path, reports: Sequence[Report]) -> list[str]:
    """What differs between the index on disk, if there is one, and this one, as lines to read."""
    path = folder / NAME
    held = is_there(path) and _is_asked(path, reports)
    return text_differences(path, index(reports)) if held else []


def _is_asked(path: Path, reports: Sequence[Report]) -> bool:
    """Whether there are several reports in the folder, and no file of somebody's own."""
    inside = [report for report in reports if report.folder.path.parent == path.parent]
    return len(inside) == len(reports) > 1 and (_is_ours(path) or not is_there(path))


def _is_ours(path: Path) -> bool:
    """Whether there is an index that `gsm` wrote."""
    return path.is_file() and read_bounded(path, MOST).startswith(START.encode())
