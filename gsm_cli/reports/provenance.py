"""The last part of a report: the model, the data, and how every record was made."""

from collections.abc import Sequence

from gsm_cli import commands
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.groups import SHOWN, Group, own_settings
from gsm_cli.reports.markdown import console, table
from gsm_cli.reports.report import Section

DIGEST = "dataset_sha256"  # of images of somebody's own
MODELS = {
    "adgm": "ADGM (Maaløe et al. 2016): inference q(a|x) q(y|a,x) q(z|a,x,y), generation p(x|y,z) p(a|x,y,z) p(y) p(z)",
    "m2": "M2 (Kingma et al. 2014): inference q(y|x) q(z|x,y), generation p(x|y,z) p(y) p(z)",
}


def provenance(folder: ReportFolder, groups: Sequence[Group]) -> Section:
    """Model, data, commands, environments and records; empty without runs."""
    if not groups:
        return Section([])
    blocks = ["## Model and data"]
    for group in groups:
        blocks += _model_and_data(group)
    lines = [commands.run(series.config, series.seeds) for group in groups for series in group.series]
    blocks += ["## How every record was made", console(lines), _environments(groups)]
    return Section([*blocks, "Records:", _links(folder, groups)])


def _model_and_data(group: Group) -> list[str]:
    record = group.records[0]
    settings = [[name, setting(name, value)] for name, value in group.settings.items() if name != DIGEST or value]
    return [
        f"{MODELS[record.config.model]}. {record.parameters:,} parameters. {record.config.labels} labelled and "
        f"{record.unlabelled:,} unlabelled images, a stratified split for every seed, {record.classes} classes; "
        "a fresh Bernoulli draw of every image at every step of training, grey levels in evaluation.",
        "Shared settings:",
        table(["setting", "value"], settings),
        *_own(group),
    ]


def _own(group: Group) -> list[str]:
    """The settings that are an objective's own."""
    described = {series.name: own_settings(series.config) for series in group.series}
    lines = [
        f"* {name}: {', '.join(f'{setting} {value}' for setting, value in own.items())}"
        for name, own in described.items()
        if own
    ]
    return ["An objective's own settings:", "\n".join(lines)] if lines else []


def _environments(groups: Sequence[Group]) -> str:
    found = {f"gsm {record.version}, {record.environment.words}" for group in groups for record in group.records}
    return f"Environment: {'; '.join(sorted(found))}."


def _links(folder: ReportFolder, groups: Sequence[Group]) -> str:
    lines = []
    for group in groups:
        for series in group.series:
            configs = (record.config for record in series.records)
            links = (f"[{config.seed}]({folder.link(folder.record(config.name))})" for config in configs)
            lines.append(f"* {series.name}: seeds {', '.join(links)}")
    return "\n".join(lines)


def setting(name: str, value: object) -> str:
    """A setting as a reader sees it; of a file's digest the first digits."""
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value)
    shown = "default" if value is None else str(value)
    return shown[:SHOWN] if name == DIGEST else shown
