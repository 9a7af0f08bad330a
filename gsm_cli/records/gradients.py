"""What `gsm gradients` was asked and what it measured, as data."""

from collections import Counter
from functools import partial
from math import sqrt
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta, Struct

from gsm_cli.config import RunConfig, short_digest
from gsm_cli.extensions import find_objective
from gsm_cli.objectives import MARGINALIZE, OBJECTIVES
from gsm_cli.records.run import Classes
from gsm_cli.records.store import NotBelowZero, Number, Record, read
from gsm_cli.rules import Count, Digest, Name, Natural, Positive, Share

MEASURED = tuple(row.name for row in OBJECTIVES.values() if row.estimator)
TEMPERATURES = (0.1, 0.3, 0.5, 1.0, 2.0)
DEVIATIONS = 4.0  # of its noise, above which a bias is seen: few directions of noise make long tails
MOST_SHARE = 0.1  # of the squared norm of a model's exact gradient, that one image should hold
ROUNDING = 1e-3  # of the exact gradient's norm: what single precision leaves of a bias that is none

Cosine = Annotated[float, Meta(ge=-1, le=1)]


class GradientPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which estimators to hold against the exact gradient, on which functions."""

    config: RunConfig  # of the models' training, with the first seed
    seeds: Annotated[tuple[Natural, ...], Meta(min_length=1)] = (0, 1)  # of the models
    objectives: Annotated[tuple[Name, ...], Meta(min_length=1)] = MEASURED
    temperatures: tuple[Positive, ...] = TEMPERATURES
    replicates: Annotated[int, Meta(ge=10)] = 250  # estimates of every estimator on a model
    images: Count | None = None  # of a model's bound; none: until none holds more than a tenth of the squared norm
    classes: Classes | None = None  # of the functions of one law; none: the article's six
    own_models: bool = True  # whether each estimator is measured also on models that it has trained itself
    # of the files of estimators of somebody's own, by objective
    sha256: dict[Name, Digest] = msgspec.field(default_factory=dict)

    @property
    def models(self) -> list[RunConfig]:
        """What is trained: by the sum with every seed, and by every other estimator if that is asked for."""
        others = [name for name in self.objectives if name != MARGINALIZE and self.own_models]
        return [
            msgspec.structs.replace(self.config, seed=seed, estimator=find_objective(name).choose({}))
            for name in (MARGINALIZE, *others)
            for seed in self.seeds
        ]

    @property
    def name(self) -> str:
        """The name of the record's file."""
        settings = msgspec.to_builtins(self) | {
            "config": self.config.digest,
            "objectives": [name.rpartition(":")[2] for name in self.objectives],
            "sha256": sorted(self.sha256.values()),
        }
        return f"gradients-{short_digest(settings)}"


class GradientSubject(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A function of y whose mean over images of E_{q(y)}[f(y)] is differentiated."""

    name: Name
    seed: Natural | None = None  # of the model ...
    epoch: Count | None = None  # ... after which epoch of its training ...
    trained_by: Name | None = None  # ... and by which objective
    classes: Count
    images: Count
    replicates: Count
    largest_share: Share  # of the squared norm of the exact gradient, that one image holds

    @property
    def is_own(self) -> bool:
        """Whether it is a model that another estimator than the sum has trained."""
        return self.trained_by not in (None, MARGINALIZE)


class MeanGradient(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The mean of an estimator's gradient against the exact one, in units of the exact one's norm.

    Where the mean is exact all errors are 0. `squared_bias` is |mean - exact|^2 less what the noise of the mean adds to
    it, and may be negative; without a bias it has the standard deviation `squared_noise`.
    """

    cosine: Cosine | None  # of the mean with the exact gradient; none where the mean cannot be told from 0
    cosine_error: NotBelowZero
    squared_bias: Number
    squared_noise: NotBelowZero
    bias_error: NotBelowZero  # of the bias, along its own direction

    @property
    def bias(self) -> float:
        return sqrt(max(0.0, self.squared_bias))

    @property
    def is_biased(self) -> bool:
        """Whether a bias is seen; without one the squared bias over its noise is about standard normal."""
        return self.squared_bias > DEVIATIONS * self.squared_noise and self.bias > ROUNDING


class GradientRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One estimator's gradient on one subject."""

    subject: Name
    estimator: Name
    temperature: Positive | None
    minus_log_q: bool = False  # whether log q was taken from the learning signal
    mean: Literal["enumerated", "integrated", "sampled"]  # but for the last exact; the second in older records
    logits: MeanGradient  # the gradient with respect to the logits of q(y)
    deviation: NotBelowZero  # of one estimate, sqrt(tr S), in units of the exact gradient's norm
    deviation_error: NotBelowZero


class GradientRecord(Record, frozen=True, kw_only=True, tag="gradients"):
    """All that is known of one measurement of gradients."""

    PARTS: ClassVar[str] = "every estimator on every subject"
    plan: GradientPlan
    subjects: list[GradientSubject]
    rows: list[GradientRow]

    @property
    def is_whole(self) -> bool:
        """Whether subjects of the sum have the same variants, each once, and any other that of its trainer alone."""
        told = [(row.subject, (row.estimator, row.temperature, row.minus_log_q)) for row in self.rows]
        rows = {each.name: Counter(variant for name, variant in told if name == each.name) for each in self.subjects}
        shared = [rows[each.name] for each in self.subjects if not each.is_own]
        return (
            0 < len(self.rows) == sum(map(len, rows.values()))  # and no row twice, or of no subject
            and len(rows) == len(self.subjects)
            and all(variants == shared[0] for variants in shared)
            and all(
                [name for name, *_ in rows[each.name]] == [each.trained_by] for each in self.subjects if each.is_own
            )
            and {tau for each in shared for _, tau, _ in each} <= {None, *self.plan.temperatures}
        )


read_gradients = partial(read, kind=GradientRecord)
