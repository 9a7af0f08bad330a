"""Lists and numbers in sentences and tables."""

from collections.abc import Sequence


def listed(words: Sequence[str]) -> str:
    """Words in a sentence: a, b and c."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def sentence(words: str) -> str:
    """Words at the start of a sentence."""
    return words[:1].upper() + words[1:]


def few(sentences: Sequence[str]) -> str:
    """The first three sentences in one line, and how many there are besides."""
    more = f"; and {len(sentences) - 3} more" if len(sentences) > 3 else ""
    return "; ".join(sentences[:3]) + more


def counted(number: float, noun: str) -> str:
    """A number and its noun: 1 seed, 2 seeds, 2.5 seeds."""
    return f"{number:,.10g} {noun}" + ("" if number == 1 else "s")


def digits(value: float) -> str:
    """Three significant digits, from 1,000 on whole numbers."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def percent(value: float) -> str:
    return f"{100 * value:.2f}"


def points(value: float) -> str:
    """A difference of accuracies, in percentage points."""
    return f"{100 * value:+z.2f}"


def margin_points(value: float) -> str:
    """A margin in words: 1 point, 0.8 points."""
    return f"{100 * value:.4g} point" + ("" if f"{100 * value:.4g}" == "1" else "s")


def ratio(value: float) -> str:
    return f"{value:.2f}"
