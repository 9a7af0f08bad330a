"""The settings of a run: what each means, its rule and its defaults; and the command that lists them, `gsm settings`.

The options of the commands that train say of a setting what stands here. No heavy import: help needs it.
"""

import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args

import typer

from gsm_cli.cli import options
from gsm_cli.cli.output import show
from gsm_cli.commands import write
from gsm_cli.config import SETTINGS, Model, Precision
from gsm_cli.data import DATASETS, LAPTOP
from gsm_cli.errors import UsageError, meant
from gsm_cli.objectives import OBJECTIVES
from gsm_cli.rules import rule_of
from gsm_cli.runs.environment import DEVICES
from gsm_cli.settings import option_name

MEANINGS = {name: setting.meaning for name, setting in SETTINGS.items()}


def offer(choices: Iterable[str], ending: str = "") -> Callable[[str], list[tuple[str, str]]]:
    """What the shell offers: these names, with what a mapping says of them; behind a comma those not there yet."""
    words = choices if isinstance(choices, Mapping) else dict.fromkeys(choices, "")

    def complete(incomplete: str) -> list[tuple[str, str]]:
        before, comma, last = incomplete.rpartition(",")
        left = [name for name in words if name.startswith(last) and name not in before.split(",")]
        return [(f"{before}{comma}{name}{ending}", str(words[name])) for name in left]

    return complete


OFFERED = {  # for options, by the name of the setting
    "objective": offer({name: row.help for name, row in OBJECTIVES.items()} | {"all": "every objective"}),
    "dataset": offer({name: each.title for name, each in DATASETS.items()}),
    "preset": offer(dict.fromkeys(preset for each in DATASETS.values() for preset in each.presets)),
    "model": offer(get_args(Model)),
    "precision": offer(get_args(Precision)),
    "device": offer(DEVICES),
}
Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME]...",
        help="Settings to list.  [default: all]",
        show_default=False,
        autocompletion=offer(MEANINGS),
    ),
]


def setting_option(name: str, metavar: str = "NAME") -> Any:
    """The option of a setting, with the default that the presets give it."""
    return options.option(option_name(name), MEANINGS[name], default_words(name), metavar, OFFERED.get(name))


@dataclass(frozen=True)
class SettingFacts:
    """A setting: its meaning, its rule, its environment variable, who reads it, its default and what presets name."""

    name: str
    meaning: str
    rule: str
    variable: str
    objectives: list[str]
    defaults: dict[str, Any]  # by objective, before any preset
    presets: dict[str, Any]  # by data set and preset, as "mnist article"


def settings(name: Names = None, as_json: options.Json = False) -> None:
    """List the settings of train-ssl: meaning, rule, defaults.

    A setting is an option, NAME=VALUE behind --set, an environment variable or a line of a TOML file.
    """
    named = [part.strip() for each in name or [] for part in each.split(",")]
    chosen = [each.replace("-", "_") for each in named or MEANINGS]
    for each in chosen:
        if each not in MEANINGS:
            raise UsageError(f"there is no setting {each!r}: {meant(each, MEANINGS, 'see gsm settings')}")
    found = [_facts(each) for each in chosen]
    show("settings", [], as_json, "\n\n".join(map(_words, found)), settings=found)


def default_words(name: str) -> str:
    """What a run has where nobody names the setting: by objective if it is one of theirs, else by data set."""
    own = {row.name: row.settings[name].default for row in OBJECTIVES.values() if name in row.settings}
    values = own or {each.name: each.presets[LAPTOP].get(name, SETTINGS[name].default) for each in DATASETS.values()}
    return first_and_others({of: written(value) for of, value in values.items()})


def first_and_others(values: Mapping[str, str]) -> str:
    """The first value, and behind it those that differ, each with what it belongs to."""
    first, *_ = values.values()
    return ", ".join([first, *(f"{of} {value}" for of, value in values.items() if value != first)])


def written(value: object) -> str:
    """A value as somebody would type it, a number with four digits at most."""
    return f"{value:.4g}" if isinstance(value, float) else write(value)


def _facts(name: str) -> SettingFacts:
    """All that is known of a setting."""
    readers = [row for row in OBJECTIVES.values() if name in row.settings] or list(OBJECTIVES.values())
    found = {row.name: row.settings.get(name, SETTINGS[name]) for row in readers}
    named = {
        f"{dataset.name} {preset}": values[name]
        for dataset in DATASETS.values()
        for preset, values in dataset.presets.items()
        if name in values
    }
    return SettingFacts(
        name=name,
        meaning=MEANINGS[name],
        rule=first_and_others({of: rule_of(each.type) for of, each in found.items()}),
        variable=f"GSM_{name.upper()}",
        objectives=[row.name for row in readers],
        defaults={of: each.default for of, each in found.items()},
        presets=named,
    )


def _words(found: SettingFacts) -> str:
    """A setting in a few lines of at most 80 letters."""
    presets = ", ".join(f"{of} {written(value)}" for of, value in found.presets.items() if LAPTOP not in of)
    readers = "" if len(found.objectives) == len(OBJECTIVES) else f" Read by {', '.join(found.objectives)}."
    lines = [
        f"{found.meaning}{readers}",
        f"Rule: {found.rule}. Default: {default_words(found.name)}." + (f" Preset: {presets}." if presets else ""),
    ]
    wrapped = [textwrap.fill(line, 76, break_on_hyphens=False) for line in lines]
    return f"{found.name}  (${found.variable})\n" + textwrap.indent("\n".join(wrapped), " " * 4)
