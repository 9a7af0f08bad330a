"""All that was swept in a report: what is asked of it, what is answered, and its sections."""

from collections.abc import Sequence
from dataclasses import dataclass

from gsm_cli.records.gradients import GradientRecord
from gsm_cli.records.layout import Kind, ReportFolder
from gsm_cli.reports.groups import Group
from gsm_cli.reports.report import Section, Verdict
from gsm_cli.reports.sweeps.best_values import BestValue, best_answer, best_values
from gsm_cli.reports.sweeps.frontier import frontier_answer, frontier_section
from gsm_cli.reports.sweeps.frontier_data import Frontier, find_frontier
from gsm_cli.reports.sweeps.losses import find_trades, losses_section, trade_answer
from gsm_cli.reports.sweeps.losses_chart import Trade
from gsm_cli.reports.sweeps.search import Search, find_searches, search_answer, search_section
from gsm_cli.reports.sweeps.section import sweep_section
from gsm_cli.reports.sweeps.swept import TAU, Sweeps, are_among, enough, find_sweeps, over_one, trained
from gsm_cli.reports.sweeps.temperature import temperature_section
from gsm_cli.words import listed


@dataclass(frozen=True)
class Findings:
    """What was swept; the best values, and a search for them, are asked for in a report on settings."""

    searches: Sequence[Search]
    best: Sequence[BestValue]
    trades: Sequence[Trade]
    frontier: Frontier | None
    sweeps: Sweeps

    @classmethod
    def of(cls, kind: Kind, groups: Sequence[Group]) -> "Findings":
        """All that is in these groups; what belongs to a search is no sweep as well, but for one over `tau`."""
        series = trained(groups)
        searches = find_searches(series) if kind == "settings" else []
        searched = [each for search in searches for each in (search.base, *(trial.series for trial in search.trials))]
        told = set(map(id, searched))
        paired = [each for each in series if kind == "settings" and id(each) not in told]
        lines = over_one(series)
        swept = [line for line in enough(lines, paired) if line.names == (TAU,) or not are_among(line, searched)]
        return cls(
            searches,
            best_values(series, swept) if kind == "settings" else [],
            list(find_trades(lines)),
            find_frontier(series),
            find_sweeps(series, swept, searched),
        )

    @property
    def question(self) -> str | None:
        """What is asked of the sweeps; None where it is what every report is asked."""
        if self.searches:
            return "which settings are best?"
        if self.best:
            settings = list(dict.fromkeys(each.setting for each in self.best))
            return f"which {listed(settings)} {'is' if len(settings) == 1 else 'are'} best?"
        if self.frontier is None or self.trades:
            return None
        return "which accuracy in how many seconds?" if self.frontier.clock else "which accuracy after how many epochs?"

    @property
    def answers(self) -> list[Verdict]:
        """To the question, and then to what else was swept."""
        swept = best_answer(self.best) or trade_answer(self.trades)
        return [each for each in (search_answer(self.searches), swept, self.reached) if each]

    @property
    def reached(self) -> Verdict | None:
        """Which accuracy at which cost; None without several lengths of training."""
        return frontier_answer(self.frontier) if self.frontier else None

    def sections(self, folder: ReportFolder, title: str, gradients: Sequence[GradientRecord]) -> list[Section]:
        """Empty ones for what was not swept."""
        return [
            frontier_section(folder, title, self.frontier),
            search_section(folder, title, self.searches),
            temperature_section(folder, title, self.sweeps, gradients),
            sweep_section(folder, title, self.sweeps),
            losses_section(folder, title, self.trades),
        ]

    def tells(self, group: Group) -> bool:
        """Whether a search has a row for everything in a group, of which no run failed or collapsed."""
        rows = {id(trial.series) for search in self.searches for trial in search.trials}
        well = all(record.finished and not record.collapsed for record in group.records)
        return well and {id(series) for series in group.series} <= rows
