"""The report on the runs of a folder: records in, sections out; with no clock, no host and no file read."""

from collections.abc import Sequence

from gsm_cli.data import Dataset, describe_dataset
from gsm_cli.records.gradients import GradientRecord
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.run import RunRecord
from gsm_cli.reports import sections
from gsm_cli.reports.gradients import gradient_sections
from gsm_cli.reports.groups import Group, sort_records
from gsm_cli.reports.learning import generated, learning
from gsm_cli.reports.markdown import table
from gsm_cli.reports.provenance import provenance, setting
from gsm_cli.reports.report import Report, Section, warnings
from gsm_cli.reports.verdict import verdict


def render_runs(
    folder: ReportFolder,
    records: Sequence[RunRecord],
    problems: Sequence[str] = (),
    gradients: Sequence[GradientRecord] = (),
) -> Report:
    """The report on these records, of which there is at least one; `problems` are sentences about other files."""
    groups = sort_records(records)
    config = records[0].config if records else gradients[0].plan.config
    dataset = describe_dataset(config.dataset)
    title = f"{dataset.title} with {config.labels} labels: can one sample replace the sum over classes?"
    first = verdict(groups[0] if groups else None)
    found = [Section([*first.blocks, *warnings(problems)])]
    for number, group in enumerate(groups, start=1):
        found += [_heading(group, groups[0], number)] if len(groups) > 1 else []
        found += _group_sections(folder, title, group, number)
    found += gradient_sections(folder, title, gradients)
    found += [_others(dataset), provenance(folder, groups)]
    return Report(folder, title, first.answer, found, problems)


def _group_sections(folder: ReportFolder, title: str, group: Group, number: int) -> list[Section]:
    found = [sections.results(group)]
    if group.trained:
        found += [
            learning(folder, title, group, number),
            generated(folder, title, group, number),
            sections.paired_differences(group),
            sections.classifier(group),
            sections.relaxed_and_one_hot(group),
        ]
    return found


def _heading(group: Group, first: Group, number: int) -> Section:
    """What sets a group apart, and its own answer."""
    if group is first:
        differences = "The largest group of runs. Those below have other settings and are never averaged with it."
        return Section([f"# Settings {number}", differences])
    changed = {name: value for name, value in group.settings.items() if value != first.settings[name]}
    words = ", ".join(f"{name} {setting(name, value)}" for name, value in changed.items())
    return Section([f"# Settings {number}", f"As above, but {words}.", *verdict(group).blocks])


def _others(dataset: Dataset) -> Section:
    """Numbers of others, against which a reader may hold the report; empty if there are none."""
    rows = [
        [f"ADGM, {name}, epoch {epoch}", f"{100 * accuracy:.1f}", dataset.curves_source]
        for name, curve in dataset.curves.items()
        for epoch, accuracy in curve.items()
    ]
    rows += [[each.model, each.accuracy, each.source] for each in dataset.published]
    if not rows:
        return Section([])
    return Section(
        [
            "## What others report",
            f"{dataset.title} with 100 labels; numbers of others, not measured here.",
            table(["model and objective", "accuracy %", "source"], rows),
        ]
    )
