"""The command that rebuilds reports from their records: `gsm report`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gsm_cli.errors import DataError, GsmError

FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER", help="A report's folder, or one that holds several.")]
CheckOption = Annotated[
    bool, typer.Option("--check", help="Write nothing; fail if a report is not what its records give.")
]


def report(folder: FolderArgument = Path("reports"), check: CheckOption = False) -> None:
    """Rebuild every report from its records, without training."""
    from gsm_cli.records.layout import find_folders
    from gsm_cli.reports.folder import check as differences
    from gsm_cli.reports.folder import read, write

    reports = [read(found) for found in find_folders(folder)]
    if check:
        if lines := [line for report in reports for line in differences(report)]:
            print(*lines, sep="\n")
            raise GsmError("a report must be what its records give, and the above differs: rebuild it with gsm report")
        print("every report is what its records give:", *(report.folder.path for report in reports), file=sys.stderr)
        return
    print(*(write(report) for report in reports), sep="\n")
    if problems := [problem for report in reports for problem in report.problems]:
        raise DataError("; ".join(problems))
