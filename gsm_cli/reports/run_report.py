"""The report on the runs of a folder: records in, sections out; with no clock, no host and no file read."""

from collections.abc import Sequence
from dataclasses import replace

from gsm_cli.analysis.facts import run_facts
from gsm_cli.analysis.findings import Findings, analyse
from gsm_cli.analysis.frontier import Frontier
from gsm_cli.analysis.verdict import Verdict
from gsm_cli.config import RunConfig
from gsm_cli.data import describe_dataset
from gsm_cli.objectives import MARGINALIZE
from gsm_cli.records.gradients import GradientRecord
from gsm_cli.records.layout import Kind, ReportFolder
from gsm_cli.records.run import RunRecord
from gsm_cli.records.steps import StepRecord
from gsm_cli.reports.answer import answer, without_seconds
from gsm_cli.reports.caveats import caveats
from gsm_cli.reports.choices import best_answer, search_answer, search_section
from gsm_cli.reports.curves import generated, learning
from gsm_cli.reports.forest import forest_section
from gsm_cli.reports.frontier import frontier_answer, frontier_section, heading
from gsm_cli.reports.gradients import gradient_sections
from gsm_cli.reports.markdown import anchor, contents
from gsm_cli.reports.methods import provenance
from gsm_cli.reports.page import Answer, Block, Report, Section, warnings
from gsm_cli.reports.sweeps import sweep_section
from gsm_cli.reports.tables import details, others, results
from gsm_cli.reports.temperature import temperature_section
from gsm_cli.reports.tradeoff import trade_answer, trade_section
from gsm_cli.words import listed

QUESTION = "can one sample replace the sum over classes?"


def render_runs(
    folder: ReportFolder,
    records: Sequence[RunRecord],
    problems: Sequence[str] = (),
    gradients: Sequence[GradientRecord] = (),
    margin: float | None = None,
    kind: Kind = "comparison",
    steps: StepRecord | None = None,
) -> Report:
    """The report on these records, of which there is at least one; `problems` are sentences about other files.

    `steps` tell how long their steps take. `margin` is a loss of test accuracy that counts as none; without it, one
    follows from the sum's errors.
    """
    findings = analyse(records, kind, margin, steps)
    config = records[0].config if records else gradients[0].plan.config
    dataset, options = describe_dataset(config.dataset), folder.options(config)
    title = f"{_experiment([record.config for record in records] or [config])}: {_question(findings)}"
    first = _answer(findings, answer(findings.verdicts[0] if findings.verdicts else None, options))
    further = [each for each in findings.verdicts[1:] if not findings.tells(each.group)]
    found = [*_main(findings.verdicts, by_themselves=bool(further))]
    found += [_other(folder, each, number) for number, each in enumerate(further, start=2)]
    swept = _swept(findings, gradients)
    found = [*swept, *found] if kind == "settings" else [*found, *swept]
    found += gradient_sections(folder, gradients)
    found += [others(dataset)] if any(group.as_others for group in findings.groups) else []
    found += [provenance(folder, findings.groups, steps)]
    headings = contents([block for section in found for block in section.blocks if isinstance(block, str)])
    missing = without_seconds(folder, findings.groups, steps)
    opening = Section([*first.blocks, *missing, *warnings(problems), *([headings] if headings else [])])
    runs = [record for group in findings.groups for record in group.records]
    return Report(
        folder, title, first.answer, [opening, *found], problems, run_facts(findings, gradients, folder.options), runs
    )


def _question(findings: Findings) -> str:
    """What is asked of the sweeps, or what every report is asked."""
    if findings.kind == "comparison":
        return QUESTION
    if findings.searches:
        return "which settings are best?"
    if findings.best:
        settings = list(dict.fromkeys(name for each in findings.best for name in each.settings))
        return f"which {listed(settings)} {'is' if len(settings) == 1 else 'are'} best?"
    if findings.frontier is None or findings.trades:
        return QUESTION
    return f"which accuracy {'in how many seconds' if findings.frontier.clock else 'after how many epochs'}?"


def _answer(findings: Findings, against_the_sum: Answer) -> Answer:
    """What was swept comes first in a report on settings; a search without the sum asks nothing of it."""
    if findings.kind == "comparison":
        return _with_time(against_the_sum, findings.frontier)
    reached = frontier_answer(findings.frontier) if findings.frontier else None
    swept = best_answer(findings.best) or trade_answer(findings.trades)
    answers = [each for each in (search_answer(findings.searches), swept, reached) if each]
    blocks = [block for each in answers for block in (each.answer, *each.details)]
    if not blocks:
        return against_the_sum
    if not findings.searches or findings.groups[0].find(MARGINALIZE):
        name = findings.groups[0].name
        blocks += [f"{f'**With {name}:** ' if name else ''}{against_the_sum.answer}", *against_the_sum.details]
    return Answer(blocks[0], blocks[1:])


def _with_time(against_the_sum: Answer, frontier: Frontier | None) -> Answer:
    """What there is to say about the sum, at equal epochs and then at equal time."""
    if frontier is None:
        return against_the_sum
    lead, reached = "In so many seconds" if frontier.clock else "After so many epochs", frontier_answer(frontier)
    at_equal_time = f"**{lead}:** {reached.answer} [All schedules](#{anchor(heading(frontier))})."
    return Answer(against_the_sum.answer, [at_equal_time, *against_the_sum.details])


def _swept(findings: Findings, gradients: Sequence[GradientRecord]) -> list[Section]:
    """Empty sections for what was not swept."""
    return [
        frontier_section(findings.frontier),
        search_section(findings.searches),
        temperature_section(findings.sweeps, gradients),
        sweep_section(findings.sweeps),
        trade_section(findings.trades),
    ]


def _experiment(configs: Sequence[RunConfig]) -> str:
    """The data sets and their labels, of which the first so many classes have their share.

    A report on settings may have several of each.
    """
    titles = dict.fromkeys(describe_dataset(config.dataset).title for config in configs)
    labels = [f"{number:,}" for number in sorted({config.labels for config in configs})]
    first = [f"{number:,}" for number in sorted({config.classes for config in configs if config.classes})]
    whole = " and all of them" if None in {config.classes for config in configs} else ""
    classes = f", the first {listed(first)} classes{whole}" if first else ""
    return f"{listed(list(titles))} with {listed(labels)} labels{classes}"


def _main(verdicts: Sequence[Verdict], by_themselves: bool) -> list[Section]:
    """The largest group of runs, and a word on the others."""
    if not verdicts:
        return []
    found = _sections(verdicts[0])
    if name := verdicts[0].group.name:
        more = "; those with other settings stand by themselves below" if by_themselves else ""
        found.insert(0, Section([f"These are the runs with {name}{more}."]))
    return found


def _other(folder: ReportFolder, verdict: Verdict, number: int) -> Section:
    """A further group, with its own answer, as one section."""
    group = verdict.group
    found: list[Block] = [f"## Runs with {group.name}", *answer(verdict, folder.options(group.config)).blocks]
    for block in (block for section in _sections(verdict, with_caveats=False) for block in section.blocks):
        if isinstance(block, str):
            found.append(f"#{block}" if block.startswith("## ") else block)
        else:
            found.append(replace(block, name=f"{block.name}-{number}"))
    return Section(found)


def _sections(verdict: Verdict, with_caveats: bool = True) -> list[Section]:
    group = verdict.group
    found = [forest_section(verdict), results(group)]
    if group.trained:
        found += [learning(group), *([caveats(verdict)] if with_caveats else []), generated(group), details(group)]
    return found
