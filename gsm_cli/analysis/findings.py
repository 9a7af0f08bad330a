"""All that the runs of a report say, found once: report, terminal, JSON and tests read it here."""

from collections.abc import Sequence
from dataclasses import dataclass

from gsm_cli.analysis.choices import Choice, best_values, find_searches
from gsm_cli.analysis.contrasts import TAU, Swept, are_among, enough, over_one, trained
from gsm_cli.analysis.frontier import Frontier, find_frontier
from gsm_cli.analysis.groups import Group, sort_records
from gsm_cli.analysis.series import Series
from gsm_cli.analysis.tradeoff import Trade, find_trades
from gsm_cli.analysis.verdict import Verdict, analyse_group
from gsm_cli.records.cost import StepRecord
from gsm_cli.records.layout import Kind
from gsm_cli.records.run import RunRecord


@dataclass(frozen=True)
class Findings:
    """The verdict of every group, the largest first, and what was swept.

    The best values, and a search for them, are asked for in a report on settings.
    """

    kind: Kind
    verdicts: Sequence[Verdict]
    searches: Sequence[Choice]
    best: Sequence[Choice]
    trades: Sequence[Trade]
    frontier: Frontier | None
    sweeps: Sequence[Swept]

    @property
    def groups(self) -> list[Group]:
        return [each.group for each in self.verdicts]

    @property
    def series(self) -> list[Series]:
        """All with a finished run."""
        return trained(self.groups)

    def tells(self, group: Group) -> bool:
        """Whether a search has a row for everything in a group, of which no run failed or collapsed."""
        rows = {trial.series for search in self.searches for trial in search.trials}
        well = all(record.finished and not record.collapsed for record in group.records)
        return well and set(group.series) <= rows


def analyse(
    records: Sequence[RunRecord],
    kind: Kind = "comparison",
    margin: float | None = None,
    steps: StepRecord | None = None,
) -> Findings:
    """All that is in these records; what belongs to a search is no sweep as well, but for one over `tau`.

    `margin` is a loss of test accuracy that counts as none; without it, one follows from the sum's errors. `steps` tell
    how long their steps take.
    """
    groups = sort_records(records, steps)
    series = trained(groups)
    floors = {each: group.floor(each) for group in groups for each in group.trained}
    searches = find_searches(series, floors) if kind == "settings" else []
    searched = [each for search in searches for each in search.series]
    paired = [each for each in series if kind == "settings" and each not in searched]
    lines = over_one(series)
    swept = [line for line in enough(lines, paired) if line.names == (TAU,) or not are_among(line, searched)]
    return Findings(
        kind,
        [analyse_group(group, margin) for group in groups],
        searches,
        best_values(series, swept, floors) if kind == "settings" else [],
        list(find_trades(lines)),
        find_frontier(series, floors),
        swept,
    )
