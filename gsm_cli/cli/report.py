"""The command that rebuilds reports from their records: `gsm report`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsm_cli.cli import options
from gsm_cli.errors import DataError, GsmError, UsageError

if TYPE_CHECKING:
    from gsm_cli.reports.page import Report


def read_margin(text: str) -> float:
    """Points as a share. Raises UsageError for what is no positive number of them below 100."""
    try:
        points = float(text)
    except ValueError:
        points = 0.0
    if not 0 < points < 100:
        rule = "--margin must be between 0 and 100 points"
        raise UsageError(f"{rule}, not {options.as_typed(text)}: write for example --margin 0.5")
    return points / 100


FolderArgument = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="The folder of a report, or one that holds several.")
]
CheckOption = Annotated[
    bool, typer.Option("--check", help="Write nothing; fail if a report is not what its records give.")
]
MarginOption = Annotated[
    float | None,
    typer.Option(
        parser=read_margin,
        metavar="POINTS",
        help="The loss of test accuracy that counts as none, in percentage points.  "
        "[default: a quarter of the sum's errors, at most 1]",
        show_default=False,
    ),
]


CsvOption = Annotated[
    bool, typer.Option("--csv", help="Also write runs.csv and epochs.csv, a row for each, beside every report on runs.")
]


def report(
    folder: FolderArgument = Path("reports"),
    margin: MarginOption = None,
    check: CheckOption = False,
    as_csv: CsvOption = False,
    as_json: options.Json = False,
) -> None:
    """Rebuild every report from its records, without training."""
    from gsm_cli.records.layout import without_records
    from gsm_cli.reports.folder import check as differences
    from gsm_cli.reports.folder import write
    from gsm_cli.reports.index import check_index, write_index
    from gsm_cli.words import few

    if check and (as_json or as_csv):
        other = "--json" if as_json else "--csv"
        raise UsageError(f"{other} goes with reports that are written, and --check writes none: leave one of them out")
    reports, problems = _read_all(folder, margin)
    if check:
        lines = [line for report in reports for line in differences(report)] + problems
        lines += check_index(folder, reports)
        lines += [f"{path} has no records: restore them, or remove it" for path in without_records(folder)]
        if lines:
            print(*lines, sep="\n")
            raise GsmError("a report must be what its records give, and the above differs: rebuild it with gsm report")
        print("every report is what its records give:", *(report.folder.path for report in reports), file=sys.stderr)
        return
    paths = [*(write(report) for report in reports), *write_index(folder, reports)]
    if as_csv:
        from gsm_cli.reports.frames import write_csv

        paths += [path for report in reports for path in write_csv(report)]
    if as_json:
        from gsm_cli.cli import answers, output

        output.show("report", paths, answers.ReportResults(reports=[answers.told(report) for report in reports]))
    elif paths:
        print(*paths, sep="\n")
    if problems := [*problems, *(problem for report in reports for problem in report.problems)]:
        raise DataError(few(problems))


def _read_all(folder: Path, margin: float | None) -> "tuple[list[Report], list[str]]":
    """The reports of all folders, and sentences about those of which nothing can be read."""
    from gsm_cli.records.layout import find_folders
    from gsm_cli.reports.folder import read

    reports, problems = [], []
    for found in find_folders(folder):
        try:
            reports.append(read(found, margin))
        except DataError as error:  # none of its records can be read, which is no reason to leave out the others
            problems.append(str(error))
    return reports, problems
