"""The settings of a run: typed, and checked wherever they come from. No heavy import: reports read settings too."""

import hashlib
import json
import re
import sys
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from gsm_cli.data import short_name
from gsm_cli.objectives import GUMBEL, OBJECTIVES, Setting, Value, own_defaults

DATASET = "digits"  # that is taken if none is named
GREATEST = sys.float_info.max  # what is finite
LARGEST = 2**63 - 1  # what every other program can count

Count = Annotated[int, Meta(ge=1, le=LARGEST, description="a whole number from 1 on")]
Natural = Annotated[int, Meta(ge=0, le=LARGEST, description="a whole number from 0 on")]
Positive = Annotated[float, Meta(gt=0, le=GREATEST, description="positive and finite")]
NotNegative = Annotated[float, Meta(ge=0, le=GREATEST, description="finite and not negative")]
Share = Annotated[float, Meta(ge=0, le=1, description="between 0 and 1")]


def _up_to(most: int) -> Meta:
    """The rule of a number that costs memory or time: more would not fit, and is refused before anything starts."""
    return Meta(ge=1, le=most, description=f"a whole number from 1 to {most:,}")


Images = Annotated[int, _up_to(100_000)]  # in a step
Labels = Annotated[int, _up_to(1_000_000)]
Epochs = Annotated[int, _up_to(1_000_000)]
Classes = Annotated[int, Meta(ge=2, le=10_000, description="a whole number from 2 to 10,000")]
Units = Annotated[int, _up_to(10_000)]
Draws = Annotated[int, _up_to(1_000)]
Sizes = Annotated[
    tuple[Units, ...], Meta(min_length=1, max_length=20, description="one to twenty whole numbers from 1 to 10,000")
]
Seed = Annotated[int, Meta(ge=0, lt=10**18, description="a whole number from 0 on, of at most 18 digits")]
# A text that is shown in terminals, in tables and in Markdown: one line, without what these take for their own
PLAIN = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069<>`]{0,4096}\Z"
Plain = Annotated[str, Meta(pattern=PLAIN, description="one line without any of < > `")]

Model = Literal["adgm", "m2"]
Norm = Literal["layer", "batch", "none"]
Activation = Literal["relu", "elu", "softplus"]
Precision = Literal["float32", "bf16"]


def type_of(setting: Setting) -> Any:
    """The type of an objective's own setting, with its bounds."""
    most = GREATEST if setting.most is None and isinstance(setting.default, float) else setting.most
    bounds: dict[str, Any] = {"ge": setting.least, "gt": setting.above, "le": most}
    stated = {name: bound for name, bound in bounds.items() if bound is not None}
    return Annotated[type(setting.default), Meta(**stated, description=setting.rule)]


def differences(found: Mapping[str, object], asked: Mapping[str, object]) -> str:
    """In what something that was found departs from what is asked for, in words; empty if in nothing."""
    return ", ".join(
        f"{name} {found.get(name)} and not {asked.get(name)}"
        for name in {**asked, **found}
        if found.get(name) != asked.get(name)
    )


class RunConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that decides a run's numbers, but for the machine and its number of threads."""

    objective: Plain
    dataset: Plain = DATASET
    labels: Labels = 100  # labelled images in all, equally many of every class of the data set
    classes: Classes | None = None  # of the data set the first so many, with their images and labels; none: all
    seed: Seed = 0
    model: Model = "adgm"
    hidden: Sizes = (500, 500)  # units of every network's hidden layers
    latent: Units = 10  # dimensions of z
    auxiliary: Units = 10  # dimensions of a
    norm: Norm = "layer"
    activation: Activation = "relu"
    weight_std: Positive | None = None  # deviation of the initial weights; none: uniform within 1 / sqrt(fan_in)
    epochs: Epochs = 100  # passes over the unlabelled images
    batch_size: Images = 100  # unlabelled images in a step
    labelled_batch: Images | None = None  # labelled images in a step; none: all of them
    learning_rate: Positive = 1e-3
    decay: Share = 0.5  # the last share of the steps, in which the learning rate falls to zero
    classification_weight: NotNegative = 50.0  # of mean log q(y|a,x), against the mean unlabelled bound
    labelled_weight: NotNegative = 1.0  # of the mean labelled bound; the 100 images overfit
    kl_start: NotNegative = 4.0  # weight of the terms of z and a in the bound at the first step
    kl_warmup: Share = 0.5  # the first share of the steps, in which that weight comes to 1
    mc_samples: Draws = 1  # draws of a and z for each image in a step
    clip: Positive = 100.0  # greatest norm of a gradient
    weight_decay: NotNegative = 0.0  # of AdamW: a step takes learning rate x weight decay of every weight away
    entropy_weight: NotNegative = 1.0  # of H(q(y|a,x)) in the unlabelled bound; the article's code has 0 for Gumbel
    vat_weight: NotNegative = 0.0  # of virtual adversarial training of q(y|a,x), an extension
    vat_radius: Positive = 1.25  # norm of its perturbation of the pixels in [0, 1]
    precision: Precision = "float32"  # of the matrix products; all else is float32
    own: dict[str, Value]  # the objective's own settings: tau, draws and so on
    objective_sha256: Plain | None = None  # of the file of an estimator of somebody's own
    dataset_sha256: Plain | None = None  # of the file of images of somebody's own

    def __post_init__(self) -> None:
        row = OBJECTIVES.get(self.objective)
        for place, text in [("objective", self.objective), ("dataset", self.dataset), *_texts(self.own)]:
            if not re.search(PLAIN, text):
                raise ValueError(f"{place} must be one line without any of < > `, not {text!r}: rename it")
        if row is None and self.objective_sha256 is None:
            raise ValueError(f"objective must be one of {', '.join(OBJECTIVES)}, not {self.objective!r}")
        if row is not None and set(self.own) != set(row.settings):
            raise ValueError(f"own must name {', '.join(row.settings) or 'nothing'} for {row.name}, not {self.own}")
        for name, setting in (row.settings if row else {}).items():
            msgspec.convert(self.own[name], type_of(setting))
        tau, least = self.own.get("tau"), self.own.get("tau_min")
        if isinstance(tau, float) and isinstance(least, float) and least > tau:
            raise ValueError(f"tau_min must be at most tau ({tau}), not {least}: lower it or raise tau")
        lowest = row.settings["tau"].least if row and "tau" in row.settings else None
        if lowest is not None and self.own["tau_rate"] and isinstance(least, float) and least < lowest:
            rule = f"tau_min must be at least {lowest:g} for {self.objective} where tau_rate lowers tau"
            raise ValueError(f"{rule}, not {least}: raise it")
        for name, images in (("batch_size", self.batch_size), ("labelled_batch", self.labelled_batch)):
            unread = name == "batch_size" and row is not None and row.estimator is None  # by the labels alone
            if images == 1 and self.norm == "batch" and not unread:  # a single image has no deviation
                raise ValueError(f"{name} must be at least 2 where norm is batch, not 1: raise it")

    @property
    def identity(self) -> dict[str, Any]:
        """All settings, flat, as a run is known by them: whatever the folder of somebody's own files."""
        settings = {**msgspec.structs.asdict(self), "objective": self.objective_name, "dataset": self.dataset_name}
        own: dict[str, Any] = settings.pop("own")
        return settings | own

    @property
    def digest(self) -> str:
        """Eight hex digits of all settings but the seed: runs that share them may be averaged.

        Those that have their default leave no trace, so that a new setting renames no run.
        """
        usual = _defaults() | own_defaults(self.objective) | {"objective": GUMBEL}
        departures = {
            name: value for name, value in self.identity.items() if name != "seed" and value != usual.get(name)
        }
        return hashlib.sha256(json.dumps(departures, sort_keys=True).encode()).hexdigest()[:8]

    @property
    def objective_name(self) -> str:
        """The objective's name; of somebody's own `mine.py:Mine` that of the class."""
        return self.objective.rpartition(":")[2]

    @property
    def dataset_name(self) -> str:
        """The data set's name; of somebody's own `mine.npz` that of the file, without its ending."""
        return short_name(self.dataset)

    @property
    def name(self) -> str:
        """The name of the run's files."""
        return f"{self.objective_name}-{self.digest}-{self.seed}"

    @property
    def folder(self) -> str:
        """The name of the folder of its report."""
        return f"{self.dataset_name}-{self.labels}"


def _texts(own: Mapping[str, Value]) -> list[tuple[str, str]]:
    """The texts in an objective's own settings, each with what it is."""
    named = [(f"the name of {name!r}", name) for name in own]
    return named + [(name, value) for name, value in own.items() if isinstance(value, str)]


@cache
def _defaults() -> dict[str, Any]:
    """Of the settings that every objective has; asked once, because reports ask for the digests of many records."""
    return {field.name: field.default for field in msgspec.structs.fields(RunConfig)}
