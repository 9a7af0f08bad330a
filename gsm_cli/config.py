"""The settings of a run: names, presets and validation. No heavy import: reports read settings too."""

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from types import UnionType
from typing import Any

from gsm_cli.errors import UsageError


class Objective(StrEnum):
    """How the unlabelled bound averages over the class."""

    MARGINALIZE = "marginalize"
    GUMBEL = "gumbel"
    STRAIGHT_THROUGH = "straight-through"
    GUMBEL_RAO = "gumbel-rao"
    REINMAX = "reinmax"
    SUM_AND_SAMPLE = "sum-and-sample"
    SPARSE_MARGINALIZE = "sparse-marginalize"
    REINFORCE = "reinforce"
    SUPERVISED = "supervised"


class Dataset(StrEnum):
    DIGITS = "digits"
    MNIST = "mnist"


class ModelName(StrEnum):
    ADGM = "adgm"
    M2 = "m2"


class Norm(StrEnum):
    LAYER = "layer"
    BATCH = "batch"
    NONE = "none"


class Precision(StrEnum):
    FLOAT32 = "float32"
    BF16 = "bf16"


class Activation(StrEnum):
    RELU = "relu"
    ELU = "elu"
    SOFTPLUS = "softplus"


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides a run's numbers."""

    objective: Objective = Objective.GUMBEL
    dataset: Dataset = Dataset.DIGITS
    labels: int = 100
    seed: int = 0
    model: ModelName = ModelName.ADGM
    hidden: tuple[int, ...] = (500, 500)  # units of every network's hidden layers
    latent: int = 10  # dimensions of z
    auxiliary: int = 10  # dimensions of a
    norm: Norm = Norm.LAYER
    activation: Activation = Activation.RELU
    weight_std: float | None = None  # deviation of the initial weights; None: uniform within 1 / sqrt(fan_in)
    epochs: int = 100  # passes over the unlabelled images
    batch_size: int = 100  # unlabelled images in a step
    labelled_batch: int | None = None  # labelled images in a step; None: all of them
    learning_rate: float = 1e-3
    decay: float = 0.5  # the last share of the steps, in which the learning rate falls to zero
    classification_weight: float = 50.0  # of mean log q(y|a,x), against the mean unlabelled bound
    labelled_weight: float = 1.0  # of the mean labelled bound; the 100 images overfit
    kl_start: float = 4.0  # weight of the terms of z and a in the bound at the first step
    kl_warmup: float = 0.5  # the first share of the steps, in which that weight comes to 1
    tau: float | None = 0.5  # temperature at the first step
    tau_min: float | None = 0.0
    tau_rate: float | None = 0.0  # tau(step) = max(tau_min, tau exp(-tau_rate step))
    draws: int | None = None  # of y for each image; None: as many as the estimator takes by itself
    top: int | None = 1  # classes that sum-and-sample sums
    threshold: float | None = 0.01  # of q(y|a,x), from which on sparse-marginalize sums a class
    mc_samples: int = 1  # draws of a and z for each image in a step
    clip: float = 100.0  # greatest norm of a gradient
    precision: Precision = Precision.FLOAT32  # of the matrix products; all else is float32
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name, (holds, rule) in RULES.items():
            value = getattr(self, name)
            if value is not None and not holds(value):
                raise UsageError(f"{name.replace('_', '-')} must be {rule}, not {value}: choose another value")
        for name, readers in OWN_SETTINGS.items():
            if self.objective in readers and getattr(self, name) is None and getattr(RunConfig, name) is not None:
                raise UsageError(f"{name.replace('_', '-')} must be a number for {self.objective}, not none: name one")
        if self.tau is not None and (self.tau_min or 0.0) > self.tau:
            raise UsageError(f"tau-min must be at most tau ({self.tau}), not {self.tau_min}: lower it or raise tau")
        if self.objective is Objective.REINFORCE and self.draws == 1:
            raise UsageError(
                "draws must be at least 2 for reinforce, whose baseline is the other draws, not 1: raise it"
            )

    @property
    def digest(self) -> str:
        """Eight hex digits of all settings but the seed and the device: runs that share them may be averaged.

        Those that are not read or have the class's default leave no trace, so that a new setting renames no run.
        """
        usual = {field.name: field.default for field in fields(self)} | {"seed": self.seed, "device": self.device}
        settings = {name: value for name, value in asdict(self).items() if value not in (None, usual[name])}
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]

    @property
    def name(self) -> str:
        """The name of the run's files."""
        return f"{self.objective}-{self.digest}-{self.seed}"


def _rule(rule: str, holds: Callable[[float], bool], *names: str) -> dict[str, tuple[Callable[[float], bool], str]]:
    return dict.fromkeys(names, (holds, rule))


RELAXED = (Objective.GUMBEL, Objective.STRAIGHT_THROUGH, Objective.GUMBEL_RAO, Objective.REINMAX)
OWN_SETTINGS: dict[str, tuple[Objective, ...]] = {  # the objectives that read a setting; for the others it is None
    **dict.fromkeys(("tau", "tau_min", "tau_rate"), RELAXED),
    "draws": (Objective.GUMBEL, Objective.STRAIGHT_THROUGH, Objective.GUMBEL_RAO, Objective.REINFORCE),
    "top": (Objective.SUM_AND_SAMPLE,),
    "threshold": (Objective.SPARSE_MARGINALIZE,),
}
OBJECTIVE_PRESETS: dict[Objective, dict[str, Any]] = {Objective.REINMAX: {"tau": 1.0}}  # its paper finds 1 or more best

RULES = (
    _rule("a whole number from 1 on", lambda v: v >= 1, "labels", "latent", "auxiliary", "epochs", "batch_size")
    | _rule("a whole number from 1 on", lambda v: v >= 1, "labelled_batch", "mc_samples", "draws", "top")
    | _rule("a whole number from 0 on", lambda v: v >= 0, "seed")
    | _rule("positive and finite", lambda v: 0 < v < math.inf, "learning_rate", "weight_std", "tau", "clip")
    | _rule("finite and not negative", lambda v: 0 <= v < math.inf, "classification_weight", "kl_start")
    | _rule("finite and not negative", lambda v: 0 <= v < math.inf, "labelled_weight")
    | _rule("finite and not negative", lambda v: 0 <= v < math.inf, "tau_min", "tau_rate")
    | _rule("between 0 and 1", lambda v: 0 <= v <= 1, "decay", "kl_warmup", "threshold")
)

LAPTOP = "laptop"  # the preset that is taken if none is named
PRESETS: dict[Dataset, dict[str, dict[str, Any]]] = {
    Dataset.DIGITS: {
        LAPTOP: {
            **{"hidden": (128, 128), "latent": 4, "auxiliary": 4, "epochs": 200, "batch_size": 50},
            **{"learning_rate": 2e-3, "classification_weight": 2.0, "kl_start": 0.2, "kl_warmup": 0.8},
        },
    },
    Dataset.MNIST: {
        LAPTOP: {
            **{"epochs": 30, "kl_start": 5.0, "kl_warmup": 0.1, "labelled_weight": 0.1, "labelled_batch": 25},
        },
        "long": {
            **{"epochs": 100, "kl_start": 5.0, "kl_warmup": 0.03, "labelled_weight": 0.1, "labelled_batch": 25},
        },
        "article": {  # as far as its text and code say; tau falls by 0.999 an epoch of 499 steps
            **{"norm": Norm.BATCH, "activation": Activation.ELU, "weight_std": 0.01, "latent": 100, "auxiliary": 100},
            **{"epochs": 135, "learning_rate": 3e-4, "decay": 0.0, "classification_weight": 1.0, "kl_start": 1.0},
            **{"tau": 1.0, "tau_min": 0.5, "tau_rate": -math.log(0.999) / 499},
        },
    },
}


def build(settings: Mapping[str, Any], preset: str | None = LAPTOP) -> RunConfig:
    """A RunConfig from plain values (of JSON, TOML or the command line), each brought to its field's type.

    What is not named comes from the data set's preset, or with None from the class; a setting that the objective does
    not read is None. Raises UsageError for an unknown name or a value of the wrong kind.
    """
    kinds = {field.name: field.type for field in fields(RunConfig)}
    for name in settings:
        if name not in kinds:
            raise UsageError(f"there is no setting {name!r}: choose from {', '.join(kinds)}")
    values = {name: _read(name, kinds[name], value) for name, value in settings.items()}
    objective = values.get("objective", RunConfig.objective)
    usual = {} if preset is None else read_preset(values.get("dataset", RunConfig.dataset), preset)
    own = {} if preset is None else OBJECTIVE_PRESETS.get(objective, {})
    foreign = {name: None for name, readers in OWN_SETTINGS.items() if objective not in readers}
    return RunConfig(**(usual | own | values | foreign))


def read_preset(dataset: Dataset, name: str) -> dict[str, Any]:
    """The settings that a data set's preset names."""
    presets = PRESETS[dataset]
    if name not in tuple(presets):
        raise UsageError(
            f"--preset must be one of {', '.join(presets)} for {dataset}, not {name!r}: choose one of them"
        )
    return presets[name]


def read_seeds(text: str) -> list[int]:
    """The seeds that `0`, `0-4` or `0,3,7` name, each once."""
    seeds: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d+)(?:-(\d+))?\s*", part)
        first, last = (found[1], found[2] or found[1]) if found else ("1", "0")
        if int(last) < int(first):
            raise UsageError(f"--seeds must be whole numbers and ranges, not {text!r}: write for example --seeds 0-4,7")
        seeds += range(int(first), int(last) + 1)
    return list(dict.fromkeys(seeds))


def _read(name: str, kind: Any, value: Any) -> Any:
    """`value` as the type of the field: an enum by its value, a float also from an integer, a tuple from a list."""
    if value is None and isinstance(None, kind if isinstance(kind, UnionType) else type(kind)):
        return None
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        if value in tuple(kind):
            return kind(value)
        raise UsageError(f"{name} must be one of {', '.join(kind)}, not {value!r}: choose one of them")
    base = kind.__args__[0] if isinstance(kind, UnionType) else kind
    numbers = not isinstance(value, bool)
    if base is int and numbers and isinstance(value, int):
        return value
    if base is float and numbers and isinstance(value, int | float):
        return float(value)
    if base is str and isinstance(value, str):
        return value
    if name == "hidden":
        sizes = tuple(value) if isinstance(value, list | tuple) else (value,)
        if sizes and all(type(size) is int and size > 0 for size in sizes):
            return sizes
    words = {int: "a whole number", float: "a number", str: "a text"}.get(base, "a list of positive whole numbers")
    raise UsageError(f"{name.replace('_', '-')} must be {words}, not {value!r}: change it")
