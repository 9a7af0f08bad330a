"""The page that asks whether one sample can replace the sum over classes."""

from collections import Counter
from collections.abc import Sequence
from math import inf
from statistics import fmean

from gsm_cli.analysis.findings import next_runs
from gsm_cli.analysis.groups import Group
from gsm_cli.analysis.series import Series
from gsm_cli.analysis.statistics import MOST_SEEDS
from gsm_cli.analysis.verdict import FLOORS, Judgement, Margin, Verdict, rule
from gsm_cli.objectives import MARGINALIZE
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.curves import accuracy_picture
from gsm_cli.reports.dots import trade_picture
from gsm_cli.reports.markdown import NOTHING, columns, console, filled, interval
from gsm_cli.reports.page import Block, Page
from gsm_cli.words import counted, digits, listed, margin_points, points, ratio

QUESTION = "can one sample replace the sum over classes?"
FLOOR_QUESTION = "how accurate is the classifier on the labels alone?"
HELD = "no worse"
POOL = "The seeds split one pool of images, and the verdicts speak of these images."
MORE = {
    "a loss is seen": "the interval lies below zero all the same",
    "a gain is seen": "it lies above zero",
    "worse by its interval alone": "the test does not agree, which more seeds may change",
    "not above supervised": "no gain over the labels alone is seen",
    "not above chance": "nothing was learned",
    "not tested": "other settings of an objective that is",
}


def comparison_page(folder: ReportFolder, title: str, verdict: Verdict) -> Page:
    """The verdict on one group of runs."""
    group = verdict.group
    if group.trained and not verdict.candidates and verdict.margin is None:
        floor = group.trained[0]
        reached = f"The labels alone reach {interval(floor.accuracy)} % of the test images."
        return Page(f"{title}: {FLOOR_QUESTION}", reached, [accuracy_picture(group), *results(verdict)])
    blocks: list[Block] = [trade_picture(verdict)] if verdict.decisive else []
    blocks += [accuracy_picture(group)] if group.trained and not verdict.decisive else []
    others = f"The page is of the runs with {group.name}; the details have others." if group.name else ""
    return Page(
        f"{title}: {QUESTION}",
        answer(verdict),
        [*blocks, *results(verdict)],
        f"{others} {exploratory(verdict)}".strip(),
        missing(verdict, folder.options(group.config)),
        caveats(verdict) if verdict.decisive else [],
    )


def answer(verdict: Verdict) -> str:
    """Whether one sample may replace the sum and, if others do, the fastest of those, if possible at either epoch."""
    if verdict.absent:
        return f"There is nothing to compare yet: no finished run of {listed(verdict.absent)}."
    if not verdict.decisive:
        return "There is nothing to compare yet: no objective has a seed with the same split in common with the sum."
    if verdict.floor:
        return f"Nothing is concluded{where(verdict)}: the sum itself is {FLOORS[verdict.floor][0]}."
    own = [each for each in verdict.decisive if each.role == "primary"]
    others = [each for each in verdict.decisive if each.role == "secondary" and each.ruling == HELD]
    best = max(others, key=lambda each: (each.chosen_ruling == HELD, _speed(verdict, each)), default=None)
    if own:
        first = _of_gumbel(own[0], verdict)
        more = f"; {best.series.objective} is no worse than the sum{_faster(verdict, best)}" if best else ""
        return f"{first}{_faster(verdict, own[0]) if own[0].ruling == HELD else more}."
    if best:
        return f"{best.series.objective} is no worse than the sum{where(verdict)}{_faster(verdict, best)}."
    worse = [each.series.objective for each in verdict.decisive if each.ruling == "worse"]
    if worse:
        return f"{listed(worse)} {'are' if len(worse) > 1 else 'is'} worse than the sum{where(verdict)}."
    return f"Undecided{where(verdict)}: no objective is shown to be worse than the sum, or no worse."


def _of_gumbel(judgement: Judgement, verdict: Verdict) -> str:
    """The answer to the question that is asked first."""
    assert verdict.margin is not None
    loss, draws, images = margin_points(verdict.margin.value), judgement.series.config.own["draws"], where(verdict)
    sample = "one Gumbel-Softmax sample" if draws == 1 else f"the mean of {draws} Gumbel-Softmax samples"
    if judgement.ruling == HELD:
        return f"Yes: {sample} loses less than {loss} of test accuracy{images}"
    if judgement.ruling == "worse":
        return f"No: {sample} costs {abs(100 * judgement.summary.mean):.2f} points of test accuracy{images}"
    if judgement.floor:
        return f"No: {sample} is {FLOORS[judgement.floor][0]}{images}"
    if judgement.is_costly:
        return f"Undecided: the interval says that {sample} costs accuracy{images}, the exact test does not"
    return f"Undecided: whether {sample} loses more than {loss} of test accuracy{images}"


def where(verdict: Verdict) -> str:
    """Where splits share images, the intervals are of these images alone."""
    return " on these images" if verdict.group.shares_images else ""


def _speed(verdict: Verdict, judgement: Judgement) -> float:
    faster = judgement.series.times_as_fast(verdict.group.find(MARGINALIZE))
    return faster.mean if faster else 0.0


def _faster(verdict: Verdict, judgement: Judgement) -> str:
    speed = _speed(verdict, judgement)
    return f", {ratio(speed)} times as fast" if speed else ""


def exploratory(verdict: Verdict) -> str:
    """That seeds are too few for the corrected tests, of which objectives."""
    names = [each.series.objective for each in verdict.short]
    few = listed(names) if len(names) < 3 else f"{len(names)} objectives"
    needed = max((each.needed for each in verdict.short), default=0)
    short = f"{few} {'has' if len(names) == 1 else 'have'} fewer than the {needed} seeds"
    return f"Exploratory: {short} that a corrected test needs to say worse." if names else ""


def results(verdict: Verdict) -> list[str]:
    """Accuracy, ruling, bound and cost of every objective, and what the columns mean."""
    group, rows = verdict.group, []
    for series in (each for each in group.series if not each.finished or each in group.pictured):
        seconds, others = series.seconds_per_epoch, group.find(MARGINALIZE)
        cost = {
            "log p(x)": f"{fmean(series.bounds.values()):.2f}" if series.bounds else NOTHING,
            "s / epoch": digits(seconds) if seconds else NOTHING,
            "speed-up [95 %]": interval(series.times_as_fast(others if series is not others else None), ratio),
        }
        rows.append(result(verdict, series) | cost)
    return [columns(rows), *_legend(verdict, filled(rows))]


def result(verdict: Verdict, series: Series) -> dict[str, str]:
    """The accuracy of a series, and what is said of it."""
    judged = next((each for each in verdict.judgements if each.series is series), None)
    return {
        "objective": series.label,
        "seeds": series.counts,
        "test % [95 %]": interval(series.accuracy if series.finished else None),
        "points [95 %]": interval(judged.summary if judged else None, points),
        "verdict": judged.told if judged else NOTHING,
    }


def _legend(verdict: Verdict, headings: Sequence[str]) -> list[str]:
    """Every column once."""
    words = {
        "test %": "test accuracy after the last epoch, mean over seeds with Student's interval",
        "points": "test accuracy minus the sum's at the same seeds",
        "verdict": _rulings(verdict, verdict.margin) if verdict.margin else "",
        "log p(x)": "a lower bound of it, in nats per test image",
        "s / epoch": "updates times a step timed by itself",
        "speed-up": "the sum's seconds over these",
    }
    start = "*The sum* (`marginalize`) evaluates the decoder for every class; the others replace it."
    shown = {name: text for name, text in words.items() if text and any(each.startswith(name) for each in headings)}
    lines = [f"* *{name}*: {text}." for name, text in shown.items()]
    return [start] * bool(verdict.margin) + ["\n".join(lines)]


def _rulings(verdict: Verdict, margin: Margin) -> str:
    """The margin, and what the words for a decision mean."""
    said = " ".join(each.told for each in verdict.judgements)
    more = [f"; *{word}*, {meaning}" for word, meaning in MORE.items() if word in said]
    return (
        f"*no worse*, the whole interval lies above a loss of {margin_points(margin.value)}, the *margin*, which "
        "counts as none; *worse*, it lies below zero and the sign-flip test agrees, corrected for all but gumbel; "
        f"*undecided*, neither{''.join(more)}"
    )


def missing(verdict: Verdict, options: Sequence[str]) -> list[str]:
    """The seeds that would decide, and the commands that bring them, or that without which nothing is compared."""
    lines = next_runs(verdict, options)
    seeds = [
        f"{series.identity.in_brackets()} {f'about {enough:,.0f}' if enough < inf else f'more than {MOST_SEEDS:,}'}"
        for series, enough in verdict.enough.items()
    ]
    text = f"Seeds: {listed(seeds)} in all would decide in 80 % of cases, if the differences are as seen here."
    return [text] * bool(seeds) + [console(lines)] * bool(lines)


def caveats(verdict: Verdict) -> list[str]:
    """What a reader must keep in mind, the gravest first."""
    margin = verdict.margin
    assert margin is not None
    turned = [each for each in verdict.decisive if each.chosen_ruling != each.ruling]
    changed = [f"{each.series.label} ({each.chosen_ruling})" for each in turned]
    text = f"The epoch that validation labels would choose would change the verdict on {listed(changed)}."
    found = [text] * bool(changed)
    if verdict.group.shares_images:
        wider = [(each, each.beyond) for each in verdict.decisive if each.beyond]
        same = [each for each, beyond in wider if rule(beyond, each.p_value, margin.value) == each.ruling]
        stand = [each.series.label for each in same if each.ruling != "undecided"]
        what = f"only those on {listed(stand)} hold" if stand else "none of them holds"
        others = f" For other images {what} (Nadeau and Bengio 2003)."
        found.append(f"{POOL}{others if wider else ''}")
    usual = "All objectives share the settings of their data set's preset; one that is tuned by itself may do better."
    return [*found, usual]


def failures(groups: Sequence[Group]) -> list[str]:
    """How many runs failed, and are in no number."""
    series = [each for group in groups for each in group.series]
    failed = Counter(each.identity for each in series for record in each.records if not record.finished)
    words = [f"{counted(count, 'run')} of {each.in_brackets()}" for each, count in failed.items()]
    return [f"{listed(words)} failed, and the numbers are of the others alone."] if words else []
