"""The settings of a run: typed, and checked wherever they come from. No heavy import: reports and help read them."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from gsm_cli.data import DATASETS, short_name
from gsm_cli.estimator_settings import OwnSettings
from gsm_cli.objectives import GUMBEL, OBJECTIVES, AnySettings, own_defaults
from gsm_cli.rules import Digest, NotNegative, Plain, Positive, Setting, Share, said, settings_of, whole

DATASET = "digits"  # that is taken if none is named

Images = Annotated[int, whole(1, 100_000)]  # in a step
Labels = Annotated[int, whole(1, 1_000_000)]
Epochs = Annotated[int, whole(1, 1_000_000)]
Classes = Annotated[int, whole(2, 10_000)]
Units = Annotated[int, whole(1, 10_000)]
Draws = Annotated[int, whole(1, 1_000)]
Sizes = Annotated[
    tuple[Units, ...], Meta(min_length=1, max_length=20, description="one to twenty whole numbers from 1 to 10,000")
]
Seed = Annotated[int, Meta(ge=0, lt=10**18, description="a whole number from 0 on, of at most 18 digits")]

Model = Literal["adgm", "m2"]
Precision = Literal["float32", "bf16"]


def differences(found: Mapping[str, object], asked: Mapping[str, object]) -> str:
    """In what something that was found departs from what is asked for, in words; empty if in nothing."""
    names = [name for name in {**asked, **found} if found.get(name) != asked.get(name)]
    return ", ".join(f"{name} {found.get(name)} and not {asked.get(name)}" for name in names)


def short_digest(settings: Mapping[str, object]) -> str:
    """Eight hex digits by which settings are known."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]


class RunConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that decides a run's numbers, but for the machine and its number of threads."""

    estimator: AnySettings  # the objective, with the settings that are its own
    dataset: Annotated[Plain, said(f"Images: {', '.join(DATASETS)}, or your own file mine.npz.", option=True)] = DATASET
    dataset_sha256: Digest | None = None  # of the file of images of somebody's own
    seed: Seed = 0
    labels: Annotated[Labels, said("Labelled images in all, equally many of every class.", option=True)] = 100
    classes: Annotated[Classes | None, said("So many classes, which the seed draws; none: all of them.")] = None
    model: Annotated[Model, said("Generative model: adgm, or m2 without the auxiliary variable.", option=True)] = "adgm"
    hidden: Annotated[Sizes, said("Units of the hidden layers of every network, as 500,500.")] = (500, 500)
    classifier_hidden: Annotated[Sizes | None, said("Hidden units of q(y|a,x) alone; none: as all others.")] = None
    latent: Annotated[Units, said("Dimensions of z.")] = 10
    auxiliary: Annotated[Units, said("Dimensions of a.")] = 10
    norm: Annotated[Literal["layer", "batch", "none"], said("Normalisation of the hidden layers.")] = "layer"
    norm_eps: Annotated[Positive, said("What the normalisation adds to a variance.", timeless=True)] = 1e-5
    activation: Annotated[Literal["relu", "elu", "softplus"], said("Activation of the hidden layers.")] = "relu"
    weight_std: Annotated[
        Positive | None, said("Deviation of initial weights; none: uniform within 1 / sqrt(fan_in).", timeless=True)
    ] = None
    zero_biases: Annotated[bool, said("Whether biases begin at 0, not within 1 / sqrt(fan_in).", timeless=True)] = False
    fresh_a: Annotated[bool, said("Whether every evaluation of the bound has a draw of a of its own.")] = False
    epochs: Annotated[Epochs, said("Passes over the unlabelled images.", option=True, timeless=True)] = 100
    warm_epochs: Annotated[int, whole(0, 1_000_000), said("Passes over the labels alone, at first.", timeless=True)] = 0
    batch_size: Annotated[Images, said("Unlabelled images in a step.", option=True)] = 100
    labelled_batch: Annotated[Images | None, said("Labelled images in a step; none: all of them.")] = None
    learning_rate: Annotated[Positive, said("Learning rate of Adam.", option=True, timeless=True)] = 1e-3
    decay: Annotated[Share, said("Last share of the steps, where the learning rate falls to 0.", timeless=True)] = 0.5
    classification_weight: Annotated[
        NotNegative, said("Weight of the mean of log q(y|a,x) over the labelled images.", option=True, timeless=True)
    ] = 50.0  # against the mean unlabelled bound
    classifier_step: Annotated[bool, said("Whether q(y|a,x) learns the labels in a step of its own.")] = False
    # at most 1, because the 100 images overfit
    labelled_weight: Annotated[NotNegative, said("Weight of the mean labelled bound.", timeless=True)] = 1.0
    kl_start: Annotated[NotNegative, said("First weight of the terms of z and a in the bound.", timeless=True)] = 4.0
    kl_warmup: Annotated[Share, said("First share of the steps, in which that weight comes to 1.", timeless=True)] = 0.5
    mc_samples: Annotated[Draws, said("Draws of a and z for each image in a step.", option=True)] = 1
    clip: Annotated[Positive | None, said("Greatest norm of a gradient; none: no bound.", timeless=True)] = 100.0
    weight_decay: Annotated[NotNegative, said("Weight decay of AdamW: in a step, times the rate.", timeless=True)] = 0.0
    l2: Annotated[NotNegative, said("Weight of half the squared weights in what Adam minimises.", timeless=True)] = 0.0
    vat_weight: Annotated[NotNegative, said("Weight of virtual adversarial training of q(y|a,x), an extension.")] = 0.0
    vat_radius: Annotated[Positive, said("Norm of its perturbation, in pixels from 0 to 1.", timeless=True)] = 1.25
    binary_evaluation: Annotated[bool, said("Whether accuracy is read on binary images.", timeless=True)] = False
    evaluation_draws: Annotated[Draws, said("Draws of a for every prediction.", timeless=True)] = 8
    precision: Annotated[Precision, said("Precision of the matrix products: float32 or bf16.", option=True)] = "float32"

    def __post_init__(self) -> None:
        for name, images in (("batch_size", self.batch_size), ("labelled_batch", self.labelled_batch)):
            unread = name == "batch_size" and not self.is_unlabelled  # by the labels alone
            if images == 1 and self.norm == "batch" and not unread:  # a single image has no deviation
                raise ValueError(f"{name} must be at least 2 where norm is batch, not 1: raise it")
        if self.l2 and self.weight_decay:
            raise ValueError("l2 must stand without weight_decay, since both shrink the weights: set one of them to 0")

    @property
    def objective(self) -> str:
        """The objective's name; of somebody's own its file and class, as mine.py:Mine."""
        return self.estimator.name

    @property
    def objective_sha256(self) -> str | None:
        """Of the file of an estimator of somebody's own."""
        return self.estimator.sha256 if isinstance(self.estimator, OwnSettings) else None

    @property
    def is_unlabelled(self) -> bool:
        """Whether it reads unlabelled images."""
        row = OBJECTIVES.get(self.objective)
        return row is None or row.estimator is not None

    @property
    def own(self) -> dict[str, Any]:
        """The settings that are the objective's own, by name."""
        return self.estimator.flat

    @property
    def general(self) -> dict[str, Any]:
        """The settings that every objective has, by name."""
        return {name: getattr(self, name) for name in GENERAL}

    @property
    def identity(self) -> dict[str, Any]:
        """All settings, flat, as a run is known by them: whatever the folder of somebody's own files."""
        named = {"objective": self.objective_name, "dataset": self.dataset_name, "seed": self.seed}
        files = {"objective_sha256": self.objective_sha256, "dataset_sha256": self.dataset_sha256}
        return {**self.general, **named, **files, **self.own}

    @property
    def digest(self) -> str:
        """Eight hex digits of all settings but the seed: runs that share them may be averaged.

        Those that have their default leave no trace, so that a new setting renames no run.
        """
        usual = GENERAL_DEFAULTS | own_defaults(self.objective) | {"objective": GUMBEL, "seed": self.seed}
        departures = {name: value for name, value in self.identity.items() if value != usual.get(name)}
        return short_digest(departures)

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


GENERAL: Mapping[str, Setting] = settings_of(RunConfig)  # the settings that every objective has
GENERAL_DEFAULTS = {name: setting.default for name, setting in GENERAL.items()}
SETTINGS: Mapping[str, Setting] = {  # those and the own ones of the project's objectives; of equal names the first
    **GENERAL,
    **{name: row.settings[name] for row in reversed(OBJECTIVES.values()) for name in row.settings},
}
