"""The report on the runs of a folder: records in, sections out; with no clock, no host and no file read."""

from collections.abc import Sequence

from gsm_cli.config import RunConfig
from gsm_cli.data import describe_dataset
from gsm_cli.objectives import MARGINALIZE
from gsm_cli.records.gradients import GradientRecord
from gsm_cli.records.layout import Kind, ReportFolder
from gsm_cli.records.run import RunRecord
from gsm_cli.records.steps import StepRecord
from gsm_cli.reports.details import details, others
from gsm_cli.reports.facts import group_facts
from gsm_cli.reports.forest import forest_section
from gsm_cli.reports.gradients import gradient_sections
from gsm_cli.reports.groups import Group, sort_records
from gsm_cli.reports.judgements import judge, margin_of
from gsm_cli.reports.learning import generated, learning
from gsm_cli.reports.limits import limits
from gsm_cli.reports.markdown import anchor, contents
from gsm_cli.reports.missing import without_seconds
from gsm_cli.reports.provenance import provenance
from gsm_cli.reports.report import Report, Section, Verdict, warnings
from gsm_cli.reports.results import results
from gsm_cli.reports.sweeps.findings import Findings
from gsm_cli.reports.sweeps.frontier import heading
from gsm_cli.reports.verdict import verdict
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
    groups = sort_records(records, steps)
    config = records[0].config if records else gradients[0].plan.config
    dataset = describe_dataset(config.dataset)
    swept = Findings.of(kind, groups)
    question = (swept.question if kind == "settings" else None) or QUESTION
    title = f"{_experiment([record.config for record in records] or [config])}: {question}"
    first = _answer(kind, swept, verdict(groups[0] if groups else None, margin, folder.options(config)), groups)
    further = [group for group in groups[1:] if not swept.tells(group)]
    found = [*_main(folder, title, groups, margin, by_themselves=bool(further))]
    found += [_other(folder, title, group, number, margin) for number, group in enumerate(further, start=2)]
    sections = swept.sections(folder, title, gradients)
    found = [*sections, *found] if kind == "settings" else [*found, *sections]
    found += gradient_sections(folder, title, gradients)
    found += [others(dataset)] if any(group.as_others for group in groups) else []
    found += [provenance(folder, groups, steps)]
    listed_sections = contents([block for section in found for block in section.blocks])
    opening = Section(
        [
            *first.blocks,
            *without_seconds(folder, groups, steps),
            *warnings(problems),
            *([listed_sections] if listed_sections else []),
        ]
    )
    facts = [group_facts(group, margin) for group in groups]
    runs = [record for group in groups for record in group.records]
    return Report(folder, title, first.answer, [opening, *found], problems, facts, runs)


def _answer(kind: Kind, swept: Findings, against_the_sum: Verdict, groups: Sequence[Group]) -> Verdict:
    """What was swept comes first in a report on settings; a search without the sum asks nothing of it."""
    if kind == "comparison":
        return _with_time(against_the_sum, swept)
    blocks = [block for each in swept.answers for block in (each.answer, *each.details)]
    if not blocks:
        return against_the_sum
    if not swept.searches or groups[0].find(MARGINALIZE):
        which = f"**With {groups[0].name}:** " if groups[0].name else ""
        blocks += [f"{which}{against_the_sum.answer}", *against_the_sum.details]
    return Verdict(blocks[0], blocks[1:])


def _with_time(against_the_sum: Verdict, swept: Findings) -> Verdict:
    """What there is to say about the sum, at equal epochs and then at equal time."""
    if swept.reached is None or swept.frontier is None:
        return against_the_sum
    lead = "In so many seconds" if swept.frontier.clock else "After so many epochs"
    at_equal_time = f"**{lead}:** {swept.reached.answer} [All schedules](#{anchor(heading(swept.frontier))})."
    return Verdict(against_the_sum.answer, [at_equal_time, *against_the_sum.details])


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


def _main(
    folder: ReportFolder, title: str, groups: Sequence[Group], margin: float | None, by_themselves: bool
) -> list[Section]:
    """The largest group of runs, and a word on the others."""
    if not groups:
        return []
    found = _sections(folder, title, groups[0], 1, margin)
    if groups[0].name:
        more = "; those with other settings stand by themselves below" if by_themselves else ""
        found.insert(0, Section([f"These are the runs with {groups[0].name}{more}."]))
    return found


def _other(folder: ReportFolder, title: str, group: Group, number: int, margin: float | None) -> Section:
    """A further group, with its own answer, as one section."""
    heading = [f"## Runs with {group.name}", *verdict(group, margin, folder.options(group.config)).blocks]
    found = _sections(folder, title, group, number, margin)
    blocks = [f"#{block}" if block.startswith("## ") else block for section in found for block in section.blocks]
    return Section([*heading, *blocks], [picture for section in found for picture in section.pictures])


def _sections(folder: ReportFolder, title: str, group: Group, number: int, margin: float | None) -> list[Section]:
    chosen = margin_of(group, margin)
    judgements = judge(group, chosen.value) if chosen else []
    found = [forest_section(folder, title, judgements, chosen, number), results(group)]
    if group.trained:
        found += [learning(folder, title, group, number), *([limits(group, judgements)] if number == 1 else [])]
        found += [generated(folder, title, group, number), details(group)]
    return found
