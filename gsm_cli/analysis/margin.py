"""The loss of test accuracy that counts as none: named, or a share of the sum's errors."""

from dataclasses import dataclass
from math import floor
from statistics import fmean

from gsm_cli.analysis.groups import Group
from gsm_cli.objectives import MARGINALIZE

LARGEST_MARGIN = 0.01  # of test accuracy
MORE_ERRORS = 0.25  # of the sum's errors
MARGIN_STEP = 0.001


@dataclass(frozen=True)
class Margin:
    """The loss of test accuracy that counts as none, and the sum's own errors, of so many test images."""

    value: float
    errors: int
    images: int

    @property
    def with_it(self) -> int:
        """The errors of an objective that loses just so much."""
        return self.errors + round(self.value * self.images)


def default_margin(accuracy: float) -> float:
    """A quarter of the sum's errors and at most one point, rounded down to a tenth of a point, at least one tenth.

    One point is little where a third of the images are wrong, and at 96.7 % it is a third more errors: hence a share of
    the errors. A quarter of many errors is more than anybody calls none: hence at most one point.
    """
    share = min(LARGEST_MARGIN, MORE_ERRORS * (1 - accuracy))
    return MARGIN_STEP * max(1, floor(share / MARGIN_STEP + 1e-9))


def margin_of(group: Group, named: float | None = None) -> Margin | None:
    """The margin of a group, that is named or follows from the errors of the sum; None without the sum."""
    marginal = group.find(MARGINALIZE)
    if marginal is None:
        return None
    scores = list(marginal.scores.values())
    images = scores[0].images
    accuracy = fmean(score.accuracy for score in scores)
    return Margin(default_margin(accuracy) if named is None else named, round((1 - accuracy) * images), images)
