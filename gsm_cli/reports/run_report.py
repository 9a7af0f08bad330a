"""The report on the runs of a folder: records in, a page and details out; with no clock, no host and no file read."""

from collections.abc import Sequence
from dataclasses import replace

from gsm_cli.analysis.findings import Findings, analyse, run_facts
from gsm_cli.config import RunConfig
from gsm_cli.data import describe_dataset
from gsm_cli.errors import inert
from gsm_cli.records.cost import StepRecord
from gsm_cli.records.gradients import GradientRecord
from gsm_cli.records.layout import Kind, ReportFolder
from gsm_cli.records.run import RunRecord
from gsm_cli.reports.choices import best_page, search_page, search_section
from gsm_cli.reports.comparison import comparison_page, failures, where
from gsm_cli.reports.curves import curve_page, generated, learning
from gsm_cli.reports.details import accuracies, further, limits, others, tests
from gsm_cli.reports.frontier import frontier_page, frontier_section
from gsm_cli.reports.gradients import gradient_page, gradient_sections
from gsm_cli.reports.methods import provenance, without_seconds
from gsm_cli.reports.page import Block, Page, Report
from gsm_cli.reports.published import table_page
from gsm_cli.reports.sweeps import sweep_picture, temperature_section, trade_page, trade_section
from gsm_cli.words import listed


def render_runs(
    folder: ReportFolder,
    records: Sequence[RunRecord],
    problems: Sequence[str] = (),
    gradients: Sequence[GradientRecord] = (),
    margin: float | None = None,
    kind: Kind = "comparison",
    steps: StepRecord | None = None,
    about: str | None = None,
) -> Report:
    """The report on these records, of which there is at least one; `problems` are sentences about other files.

    `steps` tell how long their steps take. `margin` is a loss of test accuracy that counts as none; without it, one
    follows from the sum's errors. `about` is what the title says of the runs.
    """
    findings = analyse(records, kind, margin, steps)
    page = _page(folder, findings, about) if records else gradient_page(gradients[0])
    lacking = [*page.missing, *without_seconds(folder, findings.groups, steps)]
    page = replace(page, missing=lacking, caveats=[*failures(findings.groups), *page.caveats])
    facts = run_facts(findings, gradients, folder.options) | {"timed": steps is not None}
    runs = [record for group in findings.groups for record in group.records]
    return Report(folder, page, _details(folder, findings, gradients, steps), problems, facts, runs)


def _page(folder: ReportFolder, findings: Findings, about: str | None) -> Page:
    """The page that answers what is asked: of a sweep what was swept, of all others whether a sample will do."""
    verdict = findings.verdicts[0]
    title = inert(about) if about else _experiment(findings)
    whole = where(verdict)
    if findings.kind == "curve" and verdict.group.trained and describe_dataset(verdict.group.config.dataset).curves:
        return curve_page(title, verdict)
    if findings.table:
        return table_page(title, verdict.group, findings.table)
    if findings.searches:
        return search_page(title, findings.searches)
    if findings.best:
        names = {tuple(each.settings) for each in findings.best}
        swept = [line for line in findings.sweeps if line.names in names]
        lines = [line for line in swept if line.names == swept[0].names]
        return best_page(title, findings.best, whole, sweep_picture(lines, findings.series))
    if findings.kind == "settings" and findings.trades:
        return trade_page(title, findings.trades[0], whole)
    if findings.kind == "settings" and findings.frontier:
        return frontier_page(title, findings.frontier, whole)
    return comparison_page(folder, title, verdict)


def _details(
    folder: ReportFolder, findings: Findings, gradients: Sequence[GradientRecord], steps: StepRecord | None
) -> list[Block]:
    """Everything else, in order."""
    rest = [each for each in findings.verdicts[1:] if not findings.tells(each.group)]
    blocks: list[Block] = []
    for each in findings.verdicts[:1]:
        group = each.group
        blocks += [f"The main group is the runs with {group.name}."] if group.name else []
        blocks += [*tests(each), *accuracies(group), *limits(group)]
        blocks += [*learning(group), *generated(group)] if group.trained else []
    blocks += [*further(rest), *frontier_section(findings.frontier), *search_section(findings.searches)]
    blocks += [*temperature_section(findings.sweeps, findings.series), *trade_section(findings.trades)]
    blocks += gradient_sections(folder, gradients)
    for with_others in [each for each in findings.groups if each.as_others][:1]:
        blocks += others(describe_dataset(with_others.config.dataset))
    return [*blocks, *provenance(folder, findings.groups, steps)]


def _experiment(findings: Findings) -> str:
    """The data sets and their labels, unless these are what is asked."""
    configs: list[RunConfig] = [record.config for group in findings.groups for record in group.records]
    titles = dict.fromkeys(describe_dataset(config.dataset).title for config in configs)
    labels = sorted({config.labels for config in configs})
    classes = sorted({config.classes for config in configs if config.classes})
    words = [f"with {listed([f'{number:,}' for number in labels])} labels"] * (len(labels) < 3)
    words += [f"and {listed([f'{number:,}' for number in classes])} drawn classes"] * (0 < len(classes) < 3)
    return " ".join([listed(list(titles)), *words])
