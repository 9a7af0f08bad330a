"""The settings of a run: what each means, its rule and its defaults; and the command that lists them, `gsm settings`.

The options of `gsm train-ssl` say of a setting what stands here. No heavy import: help needs it.
"""

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from gsm_cli.cli import completion, options
from gsm_cli.data import DATASETS, LAPTOP
from gsm_cli.objectives import OBJECTIVES

if TYPE_CHECKING:
    from gsm_cli.cli.output import SettingResult

MEANINGS = {
    "dataset": f"The images: {', '.join(DATASETS)}, or a file of your own, mine.npz.",
    "labels": "Labelled images in all, equally many of every class.",
    "classes": "Classes of the data set: the first so many, with their share of the labels; none: all.",
    "model": "The generative model: adgm, or m2 without the auxiliary variable.",
    "hidden": "Units of the hidden layers of every network, as 500,500.",
    "latent": "Dimensions of z.",
    "auxiliary": "Dimensions of a.",
    "norm": "Normalisation of the hidden layers.",
    "activation": "Activation of the hidden layers.",
    "weight_std": "Deviation of the initial weights; none: uniform within 1 / sqrt(fan_in).",
    "epochs": "Passes over the unlabelled images.",
    "batch_size": "Unlabelled images in a step.",
    "labelled_batch": "Labelled images in a step; none: all of them.",
    "learning_rate": "Learning rate of Adam.",
    "decay": "The last share of the steps, in which the learning rate falls to zero.",
    "classification_weight": "Weight of the mean of log q(y|a,x) over the labelled images.",
    "labelled_weight": "Weight of the mean labelled bound.",
    "kl_start": "Weight of the terms of z and a in the bound at the first step.",
    "kl_warmup": "The first share of the steps, in which that weight comes to 1.",
    "mc_samples": "Draws of a and z for each image in a step.",
    "clip": "Greatest norm of a gradient; a greater one is scaled down.",
    "weight_decay": "Weight decay of AdamW.",
    "entropy_weight": "Weight of H(q(y|a,x)) in the unlabelled bound.",
    "vat_weight": "Weight of virtual adversarial training of q(y|a,x), an extension.",
    "vat_radius": "Norm of its perturbation, in pixels from 0 to 1.",
    "precision": "Precision of the matrix products: float32 or bf16.",
    "tau": "Temperature at the first step.",
    "tau_min": "Least temperature.",
    "tau_rate": "Rate at which the temperature falls: tau(step) = tau exp(-rate step).",
    "draws": "Relaxed or discrete samples that are averaged.",
    "top": "Most probable classes that are summed; one of the others is sampled.",
    "threshold": "Probability above which a class is summed.",
}

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME]...",
        help="Settings to list.  [default: all]",
        show_default=False,
        autocompletion=completion.names(MEANINGS),
    ),
]


def settings(name: Names = None, as_json: options.Json = False) -> None:
    """List the settings of train-ssl: meaning, rule, defaults.

    A setting is an option, NAME=VALUE behind --set, an environment variable or a line of a TOML file.
    """
    from gsm_cli.cli.output import SettingResults, show
    from gsm_cli.errors import UsageError, meant

    named = [part.strip() for each in name or [] for part in each.split(",")]
    chosen = [each.replace("-", "_") for each in named or MEANINGS]
    for each in chosen:
        if each not in MEANINGS:
            raise UsageError(f"there is no setting {each!r}: {meant(each, MEANINGS, 'see gsm settings')}")
    found = [_facts(each) for each in chosen]
    if as_json:
        show("settings", [], SettingResults(settings=found))
    else:
        print("\n\n".join(map(_words, found)))


def default_words(name: str, default: object = None) -> str:
    """What a run has where nobody names the setting: `default`, or what the objectives and data sets have instead."""
    own: dict[str, object] = {
        row.name: row.settings[name].default for row in OBJECTIVES.values() if name in row.settings
    }
    values = own or {each.name: each.presets[LAPTOP].get(name, default) for each in DATASETS.values()}
    return first_and_others({of: written(value) for of, value in values.items()})


def first_and_others(values: Mapping[str, str]) -> str:
    """The first value, and behind it those that differ, each with what it belongs to."""
    first, *_ = values.values()
    return ", ".join([first, *(f"{of} {value}" for of, value in values.items() if value != first)])


def written(value: object) -> str:
    """A value as somebody would type it."""
    if isinstance(value, list | tuple):
        return ",".join(map(written, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value).lower()


def _facts(name: str) -> "SettingResult":
    """All that is known of a setting."""
    from msgspec.structs import fields

    from gsm_cli.cli.output import SettingResult
    from gsm_cli.config import RunConfig
    from gsm_cli.settings import TYPES, rule_of

    readers = [row for row in OBJECTIVES.values() if name in row.settings] or list(OBJECTIVES.values())
    usual = {field.name: field.default for field in fields(RunConfig)}
    rules = {row.name: rule_of(TYPES[name]) if name in TYPES else row.settings[name].rule for row in readers}
    named = {
        f"{dataset.name} {preset}": values[name]
        for dataset in DATASETS.values()
        for preset, values in dataset.presets.items()
        if name in values
    }
    return SettingResult(
        name=name,
        meaning=MEANINGS[name],
        rule=first_and_others(rules),
        variable=f"GSM_{name.upper()}",
        objectives=[row.name for row in readers],
        defaults={row.name: row.settings[name].default if name in row.settings else usual[name] for row in readers},
        presets=named,
    )


def _words(found: "SettingResult") -> str:
    """A setting in a few lines of at most 80 letters."""
    defaults = default_words(found.name, next(iter(found.defaults.values())))
    presets = ", ".join(f"{of} {written(value)}" for of, value in found.presets.items() if LAPTOP not in of)
    readers = "" if len(found.objectives) == len(OBJECTIVES) else f" Read by {', '.join(found.objectives)}."
    lines = [
        f"{found.meaning}{readers}",
        f"Rule: {found.rule}. Default: {defaults}." + (f" Preset: {presets}." if presets else ""),
    ]
    wrapped = [textwrap.fill(line, 76, break_on_hyphens=False) for line in lines]
    return f"{found.name}  (${found.variable})\n" + textwrap.indent("\n".join(wrapped), " " * 4)
