"""The command that rebuilds reports from their records: `gsm report`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsm_cli.cli import options
from gsm_cli.errors import DataError, GsmError, UsageError

if TYPE_CHECKING:
    from gsm_cli.reports.report import Report


def read_margin(text: str) -> float:
    """Points as a share. Raises UsageError for what is no positive number of them below 100."""
    try:
        points = float(text)
    except ValueError:
        points = 0.0
    if not 0 < points < 100:
        raise UsageError(f"--margin must be between 0 and 100 points, not {text}: write for example --margin 0.5")
    return points / 100


FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER", help="A report's folder, or one that holds several.")]
CheckOption = Annotated[
    bool, typer.Option("--check", help="Write nothing; fail if a report is not what its records give.")
]
MarginOption = Annotated[
    float | None,
    typer.Option(
        parser=read_margin,
        metavar="POINTS",
        help="The loss of test accuracy that counts as no worse, in percentage points.",
        show_default="a quarter of the sum's errors, at most 1",
    ),
]


def report(
    folder: FolderArgument = Path("reports"),
    margin: MarginOption = None,
    check: CheckOption = False,
    as_json: options.Json = False,
) -> None:
    """Rebuild every report from its records, without training."""
    from gsm_cli.records.layout import find_folders
    from gsm_cli.reports.folder import check as differences
    from gsm_cli.reports.folder import read, write

    if check and as_json:
        raise UsageError("--json goes with reports that are written, and --check writes none: leave one of them out")
    reports, problems = [], []
    for found in find_folders(folder):
        try:
            reports.append(read(found, margin))
        except DataError as error:  # none of its records can be read, which is no reason to leave out the others
            problems.append(str(error))
    if check:
        if lines := [line for report in reports for line in differences(report)] + problems:
            print(*lines, sep="\n")
            raise GsmError("a report must be what its records give, and the above differs: rebuild it with gsm report")
        print("every report is what its records give:", *(report.folder.path for report in reports), file=sys.stderr)
        return
    paths = [write(report) for report in reports]
    print(_facts(reports) if as_json else "\n".join(map(str, paths)))
    if problems := [*problems, *(problem for report in reports for problem in report.problems)]:
        raise DataError("; ".join(problems))


def _facts(reports: "list[Report]") -> str:
    """What the reports say, as JSON."""
    import msgspec

    from gsm_cli.style import rounded

    results = [
        {
            "path": str(report.folder.text),
            "title": report.title,
            "answer": report.answer,
            "problems": list(report.problems),
            "groups": rounded(msgspec.to_builtins(report.facts)),
        }
        for report in reports
    ]
    return json.dumps({"reports": results}, indent=2)
