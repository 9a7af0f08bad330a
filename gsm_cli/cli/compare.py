"""The command that compares two folders of records, seed by seed: `gsm compare`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from gsm_cli.cli import options
from gsm_cli.cli.output import show
from gsm_cli.commands import write_seeds
from gsm_cli.errors import DataError, GsmError, UsageError
from gsm_cli.records.layout import ReportFolder, find_records
from gsm_cli.records.run import RunRecord, read_run
from gsm_cli.style import rounded
from gsm_cli.words import few, listed, percent, points

if TYPE_CHECKING:
    from gsm_cli.analysis.compare import Matches, Pair

HEADINGS = ("series", "seeds", "A test %", "B test %", "points [95 %]", "log p(x) [95 %]")
LEGEND = (
    "Test accuracy is that after the last epoch, a mean over the seeds that both folders have on the same split. "
    "*points*: B minus A, seed by seed, with Student's interval, or that of one test image where all seeds "
    "agree; *log p(x)*: the same of its lower bound, in nats. No interval is corrected for the number of series."
)
FirstArgument = Annotated[Path, typer.Argument(metavar="A", help="A folder of records, or its name in reports.")]
SecondArgument = Annotated[Path, typer.Argument(metavar="B", help="The folder that is compared with A.")]
FailOption = Annotated[bool, options.flag("--fail-if-worse", "Exit with 1 if a series has its whole interval below 0.")]


def compare(
    first: FirstArgument, second: SecondArgument, fail_if_worse: FailOption = False, as_json: options.Json = False
) -> None:
    """Compare two folders of records, seed by seed."""
    paths = [find_records(each) for each in (first, second)]
    options.say(f"reading the records in {paths[0]} and {paths[1]} …")
    from gsm_cli.analysis.compare import match

    matches = match(*map(_read, paths))
    if not matches.pairs:
        rule = "two folders must have a series in common, with the same data set, settings, seeds and splits"
        raise UsageError(f"{rule}, and {paths[0]} and {paths[1]} have none: name two that have")
    facts: Any = rounded(msgspec.to_builtins(matches))
    show("compare", paths, as_json, _written(paths, matches), **facts)
    if fail_if_worse and (worse := [pair.label for pair in matches.pairs if pair.worse]):
        raise GsmError(f"no series of {paths[1]} may be worse than in {paths[0]}, and {listed(worse)} is: see why")


def _read(path: Path) -> list[RunRecord]:
    """The runs of a folder. Raises DataError if it has none, or a damaged one."""
    folder = ReportFolder(path)
    if not folder.records or folder.of_costs:
        raise DataError(f"a comparison needs records of runs, and {path} has none: name the folder of a report on runs")
    return [read_run(each) for each in folder.records]


def _written(paths: list[Path], matches: "Matches") -> str:
    """The comparison in Markdown."""
    from gsm_cli.reports.markdown import plain, table

    names = [plain(str(path)) for path in paths]
    blocks = [f"A is {names[0]}, and B is {names[1]}.", table(HEADINGS, [_row(pair) for pair in matches.pairs]), LEGEND]
    for name, seeds in zip(names, (matches.only_first, matches.only_second), strict=True):
        if seeds:
            own = [f"{label} (seed{'s' * (len(each) > 1)} {write_seeds(each)})" for label, each in seeds.items()]
            blocks.append(f"Only {name} has {few(own)}.")
    return "\n\n".join(blocks)


def _row(pair: "Pair") -> list[str]:
    from gsm_cli.reports.markdown import interval

    return [
        pair.label,
        str(len(pair.comparison.seeds)),
        percent(pair.first),
        percent(pair.second),
        interval(pair.comparison.summary, points),
        interval(pair.log_p, "{:+.2f}".format),
    ]
