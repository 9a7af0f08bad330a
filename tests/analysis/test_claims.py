"""Sentences of the documents that compare: their numbers are those of the records, with their intervals.

Before such a paragraph stands a comment, which is not shown. It names a report, and what its records must give:

    <!-- claim: mnist-100: gumbel minus marginalize; gumbel on test; gumbel as fast as marginalize -->

A series may name the settings of its runs, as gumbel[kl_start=1.0], or its objective's own, as gumbel[tau=0.1]; by
default it is of the largest group, and the one that a verdict speaks of. `; digits-100: gumbel on test` goes on with
another report. `gumbel[draws=2] minus gumbel on validation`
is of what a search compares; `gumbel after epoch 10` is its validation accuracy there.
"""

import re
from functools import cache
from pathlib import Path

import pytest
from records_of import steps_of

from gsm_cli.analysis.groups import Group, sort_records
from gsm_cli.analysis.identity import shared_settings
from gsm_cli.analysis.series import Series, validation_step
from gsm_cli.analysis.statistics import compare, summarize
from gsm_cli.records.cost import read_steps
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.run import read_run
from gsm_cli.reports.markdown import interval
from gsm_cli.words import points, ratio

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CLAIM = re.compile(r"<!-- claim: ([\w-]+): (.+?) -->\n(.+)")


@cache
def groups_of(report: str) -> list[Group]:
    folder = ReportFolder(ROOT / "reports" / report)
    steps = read_steps(folder.steps) if folder.steps.exists() else None
    return sort_records(map(read_run, folder.records), steps)


def find(report: str, name: str) -> tuple[Group, Series]:
    """The series of that name, as `gumbel` or `gumbel[epochs=100]`."""
    objective, _, rest = name.rstrip("]").partition("[")
    wanted = dict(part.split("=") for part in rest.split(",") if part)
    for group in groups_of(report):
        settings = {key: str(value) for key, value in shared_settings(group.config).items()}
        own = wanted.keys() - settings.keys()
        several = [each for each in group.trained if each.objective == objective] if own else [group.find(objective)]
        for series in filter(None, several):
            told = settings | {key: str(value) for key, value in series.config.own.items()}
            if all(told.get(key) == value for key, value in wanted.items()):
                return group, series
    raise LookupError(f"{report} has no runs of {name}")


def numbers(report: str, words: str) -> str:
    """What the records give for one part of a claim, as it must stand in the text."""
    if found := re.fullmatch(r"(\S+) minus (\S+) on validation", words):
        (_, first), (_, second) = (find(report, name) for name in found.groups())
        own, other = first.validation_by_seed, second.validation_by_seed
        differences = [own[seed] - other[seed] for seed in sorted(own.keys() & other.keys())]
        return interval(summarize(differences, validation_step(first, second)), points)
    if found := re.fullmatch(r"(\S+) minus (\S+)", words):
        (_, first), (_, second) = (find(report, name) for name in found.groups())
        comparison = compare(first.scores, second.scores)
        assert comparison is not None
        return interval(comparison.summary, points)
    if found := re.fullmatch(r"(\S+) after epoch (\d+)", words):
        return interval(find(report, found[1])[1].validation_after(int(found[2])))
    if found := re.fullmatch(r"(\S+) as fast as (\S+)", words):
        (_, first), (_, second) = (find(report, name) for name in found.groups())
        faster = first.times_as_fast(second)
        assert faster is not None, f"the steps of {report} were not timed"
        return interval(faster, ratio)
    found = re.fullmatch(r"(\S+) on (test|validation)", words)
    if found is None:
        raise LookupError(f"a claim must be of a difference, an accuracy or a speed, not {words}")
    series = find(report, found[1])[1]
    return interval(series.accuracy if found[2] == "test" else series.validation)


def wrong(text: str) -> list[str]:
    """The claims of a text that its next paragraph does not bear out."""
    lacking = []
    for report, claims, paragraph in CLAIM.findall(text):
        for part in claims.split("; "):
            *other, claim = part.split(": ")  # a part may name a report of its own
            report = other[0] if other else report
            number = numbers(report, claim)
            if not re.search(rf"(?<![\d.]){re.escape(number)}(?![\d.]*\d)", paragraph):
                lacking.append(f"{claim} is {number} in {report}")
    return lacking


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_claims_is_what_the_records_give(path):
    assert wrong(path.read_text("utf-8")) == []


def test_every_comment_of_a_claim_is_read():
    for path in DOCUMENTS:
        text = path.read_text("utf-8")
        assert text.count("<!-- claim") == len(CLAIM.findall(text)), path


@pytest.mark.parametrize(("name", "least"), [("README.md", 4), ("docs/results.md", 15)])
def test_results_make_claims(name, least):
    assert len(CLAIM.findall((ROOT / name).read_text("utf-8"))) >= least


@pytest.fixture
def timed(monkeypatch):
    """The runs of digits-100 with steps that take what their first epochs did, in two rounds."""
    runs = [record for group in groups_of("digits-100") for record in group.records]
    groups = sort_records(runs, steps_of(runs, (0.9, 1.1)))
    monkeypatch.setitem(globals(), "groups_of", lambda report: groups)


@pytest.mark.parametrize("claim", ["gumbel minus marginalize", "gumbel on test", "gumbel as fast as marginalize"])
def test_another_number_is_noticed(claim, timed):
    number = numbers("digits-100", claim)
    digit = re.search(r"\d(?=\D*$)", number)
    other = f"{number[: digit.start()]}{(int(digit[0]) + 1) % 10}{number[digit.end() :]}"
    comment = f"<!-- claim: digits-100: {claim} -->\n"
    assert wrong(f"{comment}It is {number} points.") == []
    assert wrong(f"{comment}It is {other} points.") == [f"{claim} is {number} in digits-100"]
    assert wrong(f"{comment}It is {number}1 points.") == [f"{claim} is {number} in digits-100"]


@pytest.mark.parametrize("claim", ["gumbel", "nobody on test", "gumbel[epochs=7] on test", "gumbel[tau=7.0] on test"])
def test_a_claim_of_what_is_not_there_is_an_error(claim):
    with pytest.raises(LookupError, match=r"a claim must be|has no runs of"):
        numbers("digits-100", claim)
