"""The command that rebuilds reports from their records: `gsm report`."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsm_cli.cli import options
from gsm_cli.cli.options import flag
from gsm_cli.cli.output import show, told
from gsm_cli.errors import DataError, GsmError, UsageError, shown
from gsm_cli.records.layout import find_folders, find_records, without_records
from gsm_cli.words import counted, few

if TYPE_CHECKING:
    from gsm_cli.reports.page import Report


def read_margin(text: str) -> float:
    """Points as a share. Raises UsageError for what is no positive number of them below 100."""
    try:
        points = float(text)
    except ValueError:
        points = 0.0
    if not 0 < points < 100:
        rule = "--margin must be above 0 and below 100 points"
        raise UsageError(f"{rule}, not {shown(text)}: write for example --margin 0.5")
    return points / 100


INSTALL = "in a clone of gsm, pip install --constraint constraints.txt '.[tensorboard]'"
FolderArgument = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="The folder of a report, or one that holds several.")
]
MarginOption = Annotated[
    float | None,
    typer.Option(
        parser=read_margin,
        metavar="POINTS",
        help="The loss of test accuracy that counts as none, in percentage points.  "
        "[default: that in report.toml, else a quarter of the sum's errors, at most 1]",
        show_default=False,
    ),
]
TensorBoardOption = Annotated[
    Path | None,
    typer.Option(
        parser=options.read_place, metavar="DIR", help="Also write every epoch into this folder, for TensorBoard."
    ),
]


def report(
    folder: FolderArgument = Path("reports"),
    margin: MarginOption = None,
    check: Annotated[bool, flag("--check", "Write nothing; fail if a report is not what its records give.")] = False,
    as_csv: Annotated[bool, flag("--csv", "Also write runs.csv and epochs.csv beside reports on runs.")] = False,
    as_html: Annotated[bool, flag("--html", "Also write report.html: one file, with its pictures inside.")] = False,
    as_latex: Annotated[bool, flag("--latex", "Also write results.tex: the table, as booktabs.")] = False,
    tensorboard: TensorBoardOption = None,
    as_json: options.Json = False,
) -> None:
    """Rebuild every report from its records, without training."""
    wanted = {"--csv": as_csv, "--html": as_html, "--latex": as_latex, "--json": as_json, "--tensorboard": tensorboard}
    if check and (others := [name for name, given in wanted.items() if given]):
        rule = f"{others[0]} goes with reports that are written, and --check writes none"
        raise UsageError(f"{rule}: leave one of them out")
    if tensorboard and not find_spec("tensorboardX"):
        raise UsageError(f"--tensorboard must have tensorboardX, and it is not installed: {INSTALL}")
    folder = find_records(folder)
    reports, problems = _read_all(folder, margin)
    if check:
        _check(folder, reports, problems)
        return
    from gsm_cli.reports.exports import write_html, write_latex
    from gsm_cli.reports.folder import write
    from gsm_cli.reports.frames import write_csv
    from gsm_cli.reports.index import write_index, write_one

    paths = [*map(write_one if len(reports) == 1 else write, reports), *write_index(folder, reports)]
    for is_wanted, write_beside in ((as_csv, write_csv), (as_html, write_html), (as_latex, write_latex)):
        paths += [path for report in reports if is_wanted for path in write_beside(report)]
    if tensorboard:
        from gsm_cli.reports.tensorboard import write_scalars

        paths += [path for report in reports for path in write_scalars(report, tensorboard)]
    show("report", paths, as_json, reports=[told(report) for report in reports])
    if problems := [*problems, *(f"in {each.folder.path}: {problem}" for each in reports for problem in each.problems)]:
        raise DataError(few(problems))


def _read_all(folder: Path, margin: float | None) -> "tuple[list[Report], list[str]]":
    """The reports of all folders, and sentences about those of which nothing can be read."""
    reports, problems = [], []
    folders = find_folders(folder)
    options.say(f"reading the records of {counted(len(folders), 'report')} in {folder} …")
    from gsm_cli.reports.folder import read

    for found in folders:
        try:
            reports.append(read(found, margin))
        except DataError as error:  # none of its records can be read, which is no reason to leave out the others
            problems.append(str(error))
    return reports, problems


def _check(folder: Path, reports: "list[Report]", problems: list[str]) -> None:
    """Print in what files differ from these reports. Raises GsmError if any does."""
    from gsm_cli.reports.folder import check
    from gsm_cli.reports.index import check_index

    lines = [line for report in reports for line in check(report)] + problems + check_index(folder, reports)
    lines += [f"{path} has no records: restore them, or remove it" for path in without_records(folder)]
    if lines:
        print(*lines, sep="\n")
        raise GsmError("a report must be what its records give, and the above differs: rebuild it with gsm report")
    options.say(f"every report is what its records give: {' '.join(str(each.folder.path) for each in reports)}")
