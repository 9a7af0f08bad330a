"""The answer that a report gives in its first lines, computed from its numbers."""

from gsm_cli.config import Objective, build
from gsm_cli.reports.groups import Group, Series, command
from gsm_cli.reports.markdown import interval, points
from gsm_cli.reports.statistics import Comparison, compare

MARGIN = 0.01  # of test accuracy: a smaller difference is called none
LEVEL = 0.05  # of the sign-flip test
ENOUGH_SEEDS = 6  # with fewer the exact sign-flip test cannot come below that level


def verdict(each: Group) -> list[str]:
    """Whether Gumbel sampling may replace marginalization here, how sure that is, and what it saves."""
    gumbel, marginal = each.find(Objective.GUMBEL), each.find(Objective.MARGINALIZE)
    missing = [name for name, series in ((Objective.GUMBEL, gumbel), (Objective.MARGINALIZE, marginal)) if not series]
    if gumbel is None or marginal is None:
        return [
            f"**There is nothing to compare yet:** no finished run of {' and '.join(missing)}. {_remedy(each, missing)}"
        ]
    comparison = compare(gumbel.test_accuracy(), marginal.test_accuracy())
    if comparison is None:
        return ["**There is nothing to compare yet:** gumbel and marginalize have no seed in common."]
    saving = f"**What it saves:** {_saving(gumbel, marginal)}"
    seeds = len(comparison.seeds)
    sure = f"gumbel minus marginalize is {interval(comparison.spread, points)} points of test accuracy"
    if seeds < ENOUGH_SEEDS:
        plural = "one seed" if seeds == 1 else f"{seeds} seeds"
        return [
            f"**May one Gumbel-Softmax sample replace the sum over classes? Nothing can be concluded from {plural}.**",
            f"What was seen, {sure}, may be chance: run at least {ENOUGH_SEEDS} seeds.",
            saving,
        ]
    certainty = f"over {seeds} seeds (mean and 95 % interval; exact sign-flip test p = {comparison.p_value:.3g})"
    return [
        f"**May one Gumbel-Softmax sample replace the sum over classes? {judge(comparison)}**",
        f"**How sure that is:** {sure} {certainty}.",
        saving,
    ]


def judge(comparison: Comparison) -> str:
    """The answer in words.

    Equivalence is claimed only if the whole interval lies within the margin, a difference only if the interval leaves
    out zero and the test agrees.
    """
    low, high = comparison.spread.low, comparison.spread.high
    sure = comparison.p_value <= LEVEL
    assert low is not None
    assert high is not None
    within = f"{100 * MARGIN:g} point"
    if low > -MARGIN and high < MARGIN:
        nuance = ", if a little worse" if high < 0 else ", if a little better" if low > 0 else ""
        return f"Yes: the two are equal within {within}{nuance}."
    if high < 0 and sure:
        return "Not without loss: it is less accurate."
    if low > 0 and sure:
        return "Yes: it is more accurate."
    tendency = " They lean towards a loss." if high < 0 else " They lean towards a gain." if low > 0 else ""
    return f"These runs cannot tell: they fit no difference, and one of more than {within} too.{tendency}"


def _saving(gumbel: Series, marginal: Series) -> str:
    ratio = marginal.seconds_per_epoch() / gumbel.seconds_per_epoch()
    return (
        f"an epoch takes {gumbel.seconds_per_epoch():.3g} s instead of {marginal.seconds_per_epoch():.3g} s "
        f"({ratio:.2f} times as fast), with {gumbel.evaluations():g} evaluation of the decoder per unlabelled image "
        f"instead of {marginal.evaluations():g}."
    )


def _remedy(each: Group, missing: list[Objective]) -> str:
    known = each.series[0]
    commands = [command(build({**each.settings, "objective": name}), known.seeds) for name in missing]
    return "It comes with " + " and ".join(f"`{text}`" for text in commands) + "."
