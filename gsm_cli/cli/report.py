"""The command that rebuilds reports from their records: `gsm report`."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsm_cli.cli import options
from gsm_cli.cli.options import flag, option
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


BESIDE = {"--csv": "frames.write_csv", "--html": "exports.write_html", "--latex": "exports.write_latex"}
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
        "[default: a quarter of the sum's errors, at most 1]",
        show_default=False,
    ),
]


TensorBoardOption = Annotated[
    Path | None, option("--tensorboard", "Also write every epoch into this folder, for TensorBoard.", "", "DIR")
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
    beside = [name for name, wanted in zip(BESIDE, (as_csv, as_html, as_latex), strict=True) if wanted]
    others = [*beside, *(["--json"] if as_json else []), *(["--tensorboard"] if tensorboard else [])]
    if check and (other := next(iter(others), None)):
        raise UsageError(f"{other} goes with reports that are written, and --check writes none: leave one of them out")
    if tensorboard and not find_spec("tensorboardX"):
        raise UsageError(f"--tensorboard must have tensorboardX, and it is not installed: {INSTALL}")
    reports, problems = _read_all(folder, margin)
    from gsm_cli.records.layout import without_records
    from gsm_cli.reports.folder import check as differences
    from gsm_cli.reports.folder import write
    from gsm_cli.reports.index import check_index, write_index
    from gsm_cli.words import few

    if check:
        lines = [line for report in reports for line in differences(report)] + problems
        lines += check_index(folder, reports)
        lines += [f"{path} has no records: restore them, or remove it" for path in without_records(folder)]
        if lines:
            print(*lines, sep="\n")
            raise GsmError("a report must be what its records give, and the above differs: rebuild it with gsm report")
        options.say(f"every report is what its records give: {' '.join(str(each.folder.path) for each in reports)}")
        return
    paths = [*(write(report) for report in reports), *write_index(folder, reports)]
    paths += [path for name in beside for each in reports for path in _beside(name, each)]
    if tensorboard:
        from gsm_cli.reports.tensorboard import write_scalars

        paths += [path for each in reports for path in write_scalars(each, tensorboard)]
    if as_json:
        from gsm_cli.cli import output

        output.show("report", paths, reports=[output.told(report) for report in reports])
    elif paths:
        print(*paths, sep="\n")
    if problems := [*problems, *(problem for report in reports for problem in report.problems)]:
        raise DataError(few(problems))


def _beside(option: str, report: "Report") -> list[Path]:
    """Write what an option asks for beside a report; the paths."""
    module, _, name = BESIDE[option].partition(".")
    paths: list[Path] = getattr(import_module(f"gsm_cli.reports.{module}"), name)(report)
    return paths


def _read_all(folder: Path, margin: float | None) -> "tuple[list[Report], list[str]]":
    """The reports of all folders, and sentences about those of which nothing can be read."""
    from gsm_cli.records.layout import find_folders
    from gsm_cli.words import counted

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
