"""The answer that a report gives in its first lines, computed from its numbers."""

from collections.abc import Sequence

import msgspec

from gsm_cli import commands
from gsm_cli.objectives import GUMBEL, MARGINALIZE, OBJECTIVES
from gsm_cli.reports.groups import Group, Series
from gsm_cli.reports.markdown import interval, listed, points
from gsm_cli.reports.report import Verdict
from gsm_cli.reports.statistics import Comparison, compare

QUESTION = "May one Gumbel-Softmax sample replace the sum over classes?"
MARGIN = 0.01  # of test accuracy: a smaller difference is called none
LEVEL = 0.05  # of the sign-flip test
ENOUGH_SEEDS = 6  # with fewer the exact sign-flip test cannot come below that level


def verdict(group: Group | None) -> Verdict:
    """Whether Gumbel sampling may replace marginalization here, how sure that is, and what it saves."""
    if group is None:
        return Verdict("There is nothing to compare yet: no run has been made.")
    gumbel, marginal = group.find(GUMBEL), group.find(MARGINALIZE)
    if gumbel is None or marginal is None:
        missing = [name for name, series in ((GUMBEL, gumbel), (MARGINALIZE, marginal)) if series is None]
        return Verdict(
            f"There is nothing to compare yet: no finished run of {listed(missing)}.", [_remedy(group, missing)]
        )
    comparison = compare(gumbel.test_accuracy(), marginal.test_accuracy())
    if comparison is None:
        return Verdict("There is nothing to compare yet: gumbel and marginalize have no seed in common.")
    return Verdict(f"{QUESTION} {judge(comparison)}", [_certainty(comparison), _saving(gumbel, marginal)])


def judge(comparison: Comparison) -> str:
    """The answer in words.

    Equivalence is claimed only if the whole interval lies within the margin, a difference only if the interval leaves
    out zero and the test agrees; of too few seeds nothing is claimed.
    """
    low, high = comparison.summary.low, comparison.summary.high
    if len(comparison.seeds) < ENOUGH_SEEDS or low is None or high is None:
        return f"Nothing can be concluded from {_seeds(comparison)}."
    sure = comparison.p_value <= LEVEL
    within = f"{100 * MARGIN:g} point"
    if low > -MARGIN and high < MARGIN:
        nuance = ", if a little worse" if high < 0 else ", if a little better" if low > 0 else ""
        return f"Yes: the two are equal within {within}{nuance}."
    if high < 0 and sure:
        return "Not without loss: it is less accurate."
    if low > 0 and sure:
        return "Yes: it is more accurate."
    tendency = " They lean towards a loss." if high < 0 else " They lean towards a gain." if low > 0 else ""
    return f"These runs cannot tell: there may be no difference, or one of more than {within}.{tendency}"


def _certainty(comparison: Comparison) -> str:
    found = f"gumbel minus marginalize is {interval(comparison.summary, points)} points of test accuracy"
    if len(comparison.seeds) < ENOUGH_SEEDS:
        return f"In {_seeds(comparison)} {found}, which may be chance: run at least {ENOUGH_SEEDS} seeds."
    test = f"exact sign-flip test p = {comparison.p_value:.3g}"
    return f"**How sure that is:** {found} over {_seeds(comparison)} (mean and 95 % interval; {test})."


def _seeds(comparison: Comparison) -> str:
    return "one seed" if len(comparison.seeds) == 1 else f"{len(comparison.seeds)} seeds"


def _saving(gumbel: Series, marginal: Series) -> str:
    cheap, dear = (f"{series.seconds_per_epoch():.3g} s" for series in (gumbel, marginal))
    return (
        f"**What it saves:** an epoch takes {cheap} instead of {dear} ({gumbel.speed_up(marginal):.2f} times as fast), "
        f"with {gumbel.evaluations():g} evaluation of the decoder per unlabelled image instead of "
        f"{marginal.evaluations():g}."
    )


def _remedy(group: Group, missing: Sequence[str]) -> str:
    """The commands that make the runs of `missing` with the settings and the seeds of the first series."""
    seeds = group.series[0].seeds
    texts = []
    for name in missing:
        own = {setting: rule.default for setting, rule in OBJECTIVES[name].settings.items()}
        config = msgspec.structs.replace(group.config, objective=name, own=own, objective_sha256=None)
        texts.append(f"{name} with `{commands.run(config, seeds)}`")
    return f"Add {listed(texts)}."
