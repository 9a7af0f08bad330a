"""The last part of a report: the model, the data, and how every record was made."""

from collections.abc import Sequence

from gsm_cli.reports.groups import Group, command, own_settings
from gsm_cli.reports.markdown import table

MODELS = {
    "adgm": "ADGM (Maaløe et al. 2016): inference q(a|x) q(y|a,x) q(z|a,x,y), generation p(x|y,z) p(a|x,y,z) p(y) p(z)",
    "m2": "M2 (Kingma et al. 2014): inference q(y|x) q(z|x,y), generation p(x|y,z) p(y) p(z)",
}


def provenance(groups: Sequence[Group]) -> list[str]:
    """Model, data, commands, environments and records."""
    blocks = ["## Model and data"]
    for each in groups:
        record = each.series[0].records[0]
        blocks += [
            f"{MODELS[record.config.model]}. {record.parameters:,} parameters. {record.config.labels} labelled and "
            f"{record.unlabelled:,} unlabelled images, a stratified split for every seed, {record.classes} classes; "
            "a fresh Bernoulli draw of every image at every step of training, grey levels in evaluation.",
            "Shared settings:",
            table(["setting", "value"], [[name, setting(value)] for name, value in each.settings.items()]),
            *_own(each),
        ]
    blocks += ["## How every record was made", _commands(groups), _environments(groups), "Records:", _links(groups)]
    return blocks


def _own(each: Group) -> list[str]:
    """The settings that are an objective's own."""
    lines = [f"* {series.name}: {own_settings(series.config)}" for series in each.series if own_settings(series.config)]
    return ["An objective's own settings:", "\n".join(lines)] if lines else []


def _commands(groups: Sequence[Group]) -> str:
    lines = [command(series.config, series.seeds) for each in groups for series in each.series]
    return "```console\n" + "\n".join(f"$ {line}" for line in lines) + "\n```"


def _environments(groups: Sequence[Group]) -> str:
    records = [record for each in groups for series in each.series for record in series.records]
    found = sorted(
        {f"gsm {record.version}, " + ", ".join(f"{k} {v}" for k, v in record.environment.items()) for record in records}
    )
    return "Environment: " + "; ".join(found) + "."


def _links(groups: Sequence[Group]) -> str:
    lines = []
    for each in groups:
        for series in each.series:
            links = (f"[{record.config.seed}](records/{record.config.name}.json)" for record in series.records)
            lines.append(f"* {series.name}: seeds {', '.join(links)}")
    return "\n".join(lines)


def setting(value: object) -> str:
    """A setting as a reader sees it."""
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value)
    return "default" if value is None else str(value)
