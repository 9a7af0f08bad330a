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
    from gsm_cli.reports.folder import check_report, find_folders, read_folder, write_report

    folders = [read_folder(path) for path in find_folders(folder)]
    if check:
        if lines := [line for each in folders for line in check_report(each)]:
            print(*lines, sep="\n")
            raise GsmError("a report must be what its records give, and the above differs: rebuild it with gsm report")
        print("every report is what its records give:", *(each.path for each in folders), file=sys.stderr)
        return
    print(*(write_report(each) for each in folders), sep="\n")
    if problems := [problem for each in folders for problem in each.problems]:
        raise DataError("; ".join(problems))
