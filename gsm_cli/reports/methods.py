"""The last part of the details: the model, the data, and how every record was made."""

import re
from collections.abc import Sequence

from gsm_cli import commands
from gsm_cli.analysis.groups import Group
from gsm_cli.analysis.identity import DIGEST, own_settings, shared_settings, written
from gsm_cli.records.cost import StepRecord
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.markdown import console
from gsm_cli.words import listed

OBJECTIVE = re.compile(r"--objective (\S+)")
MODELS = {
    "adgm": "ADGM (Maaløe et al. 2016): inference q(a|x) q(y|a,x) q(z|a,x,y), generation p(x|y,z) p(a|x,y,z) p(y) p(z)",
    "m2": "M2 (Kingma et al. 2014): inference q(y|x) q(z|x,y), generation p(x|y,z) p(y) p(z)",
}

BINARY = (
    "A fresh Bernoulli draw of every image at every step of training, and of the test images for log p(x); accuracy "
    "and the bounds of validation images are of grey levels."
)


def provenance(folder: ReportFolder, groups: Sequence[Group], steps: StepRecord | None = None) -> list[str]:
    """Model, data, settings, commands and environments; empty without runs."""
    if not groups:
        return []
    lines = [
        commands.train_ssl(series.config, series.seeds, folder.options(series.config))
        for group in groups
        for series in group.series
    ]
    lines = [*_joined(lines), *([commands.steps(folder, steps.plan)] if steps else [])]
    made = ["## How every record was made", console(lines), _environments(groups, steps)]
    return ["## Model and data", *_data(groups), *_settings(groups[0]), *made]


def without_seconds(folder: ReportFolder, groups: Sequence[Group], steps: StepRecord | None) -> list[str]:
    """That seconds are missing, or that the machine was not idle, and the command that mends it."""
    names = [each.identity.in_brackets(group.name) for group in groups for each in group.trained if not each.clock]
    if steps is None:
        return [f"Seconds: on an idle machine `{commands.steps(folder)}` times the steps of these runs."] * bool(names)
    few = listed(names if len(names) < 4 else [*names[:2], f"{len(names) - 2} others"])
    anew = f"on an idle machine `{commands.steps(folder)} --force` times all steps anew"
    lacking = f"Seconds of {few}, whose settings {folder.steps.name} does not have: {anew}."
    busy = f"An idle machine: when steps were timed, it {listed(steps.disturbances)}; {anew}."
    return [lacking] * bool(names) + [busy] * bool(steps.disturbances)


def _joined(lines: Sequence[str]) -> list[str]:
    """Commands that differ in their objective alone, as one."""
    found: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        before, objective, after = OBJECTIVE.split(line)
        found.setdefault((before, after), []).append(objective)
    return [f"{before}--objective {','.join(names)}{after}" for (before, after), names in found.items()]


def _data(groups: Sequence[Group]) -> list[str]:
    """The parts of every split; several lines where groups differ in their data."""
    parts = dict.fromkeys(map(_parts, groups))
    return ["\n".join(f"* {each}" for each in parts) if len(parts) > 1 else next(iter(parts)), BINARY]


def _parts(group: Group) -> str:
    record = group.records[0]
    labelled, unlabelled, classes = f"{record.config.labels:,}", f"{record.unlabelled:,}", record.classes
    words = f"{labelled} labelled and {unlabelled} unlabelled images of {classes} classes"
    if record.config.classes:  # which have their share of the labels
        words = f"The images of {classes} classes that the seed draws, {unlabelled} unlabelled ones at seed "
        words += f"{record.config.seed}, and their share of {labelled} labelled ones"
    return f"{words}, a stratified split for every seed."


def _settings(group: Group) -> list[str]:
    """The settings that the group has in common, and those that are an objective's own."""
    record, shared = group.records[0], shared_settings(group.config)
    words = [f"{name} {value}" for name, value in written(shared).items() if name != DIGEST or shared[name]]
    described = {series.label: own_settings(series.config) for series in group.pictured}
    lines = [
        f"* {name}: {', '.join(f'{setting} {value}' for setting, value in own.items())}"
        for name, own in described.items()
        if own
    ]
    return [
        f"{MODELS[record.config.model]}. {record.parameters:,} parameters.",
        f"Settings: {', '.join(words)}.",
        *(["An objective's own settings:", "\n".join(lines)] if lines else []),
    ]


def _environments(groups: Sequence[Group], steps: StepRecord | None) -> str:
    """The machines and the codes of the runs, one code by its digest, several by their number."""
    records = [record for group in groups for record in group.records]
    timed = f" Of the steps that were timed: {steps.made_by}." if steps else ""
    codes = {record.code for record in records if record.code}
    unknown = sum(record.code is None for record in records)
    known = f"{len(codes)} codes" if len(codes) > 1 else f"the code {''.join(codes)}"
    of_codes = f"The runs are of {known}{f', and {unknown:,} of an unknown one' if unknown else ''}."
    machines = "; ".join(sorted({record.made_by for record in records}))
    return f"Environment: {machines}. {of_codes if codes else 'No run says which code made it.'}{timed}"
