"""The table of somebody else beside what the same objectives have here."""

from dataclasses import dataclass
from math import sqrt

from gsm_cli.analysis.groups import Group
from gsm_cli.analysis.series import Series
from gsm_cli.analysis.statistics import PRINTED, Summary, unpaired, with_interval
from gsm_cli.data import describe_dataset
from gsm_cli.data.dataset import Table
from gsm_cli.objectives import MARGINALIZE

WITHIN = 0.01  # of accuracy: an interval that reaches farther says too little to agree


@dataclass(frozen=True)
class Beside:
    """A series and its row in the table: the accuracy there, ours minus theirs, how many times as fast as the sum."""

    series: Series
    theirs: Summary
    difference: Summary
    speed_up: float

    @property
    def ruling(self) -> str | None:
        """Whether they agree, within a point, with the ends as a report prints them; None without an interval."""
        if self.difference.low is None or self.difference.high is None:
            return None
        low, high = round(self.difference.low, PRINTED), round(self.difference.high, PRINTED)
        agreed = "agrees" if max(-low, high) <= WITHIN else "undecided"
        return "higher" if low > 0 else "lower" if high < 0 else agreed


def find_table(group: Group) -> Table | None:
    """The table on the task of a group: the same model, and as many labels of every class."""
    task = (group.config.model, group.config.labels, group.config.classes)
    tables = describe_dataset(group.config.dataset).tables
    return next((each for each in tables if (each.model, each.labels, None) == task), None)


def set_beside(series: Series, table: Table) -> Beside | None:
    """A series and its row; None where the table has none."""
    if series.objective not in table.rows:
        return None
    accuracy, points, seconds = table.rows[series.objective]
    mean, error = accuracy / 100, points / 100
    theirs = with_interval(mean, error * sqrt(table.trials), error, table.trials - 1)
    difference = unpaired(series.accuracy, theirs, (len(series.finished), table.trials))
    return Beside(series, theirs, difference, table.rows[MARGINALIZE][2] / seconds)
