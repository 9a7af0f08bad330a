"""Identities for charts, from labels that a test can read."""

from collections.abc import Sequence

from gsm_cli.analysis.identity import Identity, with_looks


def identities(labels: Sequence[str]) -> list[Identity]:
    """Of these labels, as "gumbel, tau 0.5", with their looks."""
    told = []
    for label in labels:
        objective, *settings = label.split(", ")
        told.append((objective, [tuple(each.split(" ", 1)) for each in settings]))
    return with_looks(told)
