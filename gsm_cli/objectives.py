"""The table of objectives: how the unlabelled bound averages over the class. A new estimator is one class and one row.

The row stands on the struct of the objective's own settings, whose tag is its name. Choices, rules, defaults, help,
completion, colours and the factory come from here; docs/estimators.md says more. The same row is made for an estimator
of somebody's own, from the signature of its class (`gsm_cli.extensions`). No heavy import.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union

from gsm_cli.estimator_settings import Annealed, EstimatorSettings, OwnSettings, Scored, Tau
from gsm_cli.rules import AtLeastOne, LessThanOne, Positive, Setting, said, settings_of, whole

MARGINALIZE, GUMBEL, SUPERVISED, SPARSE = "marginalize", "gumbel", "supervised", "sparse-marginalize"
MOST_DRAWS = 1_000  # more would not fit into memory
Draws = Annotated[int, whole(1, MOST_DRAWS), said("Relaxed or discrete samples that are averaged.")]
Own = TypeVar("Own", bound=EstimatorSettings)


@dataclass(frozen=True)
class Objective:
    """A row of the table; the settings of `SCHEDULE` give the estimator's parameter `temperature` at each step."""

    name: str
    help: str  # what stands for the sum over classes
    estimator: str | type | None  # "module:Class", or somebody's own class; None: it has no unlabelled bound
    settings: Mapping[str, Setting]  # its own, by name
    own: type[EstimatorSettings] | None = None  # the struct of its settings; None for a class of somebody's own
    colour: str | None = None  # None: one that no other objective of the chart has
    sha256: str | None = None  # of the file that a class of somebody's own is in

    @property
    def relaxed(self) -> bool:
        """Whether it has a temperature."""
        return "tau" in self.settings

    def choose(self, values: Mapping[str, Any]) -> EstimatorSettings:
        """Its own settings, by default where `values` do not name them. Raises ValueError for what breaks a rule."""
        chosen = {name: values.get(name, setting.default) for name, setting in self.settings.items()}
        if self.own:
            return self.own(**chosen)
        return OwnSettings(of=self.name, sha256=str(self.sha256), values=chosen)


OBJECTIVES: dict[str, Objective] = {}


def row(estimator: str | None, colour: str, help: str) -> Callable[[type[Own]], type[Own]]:
    """Add a row for a struct of settings, which belong to that class of `gsm_cli.model.estimators`."""

    def add(own: type[Own]) -> type[Own]:
        name, place = str(own.__struct_config__.tag), estimator and f"gsm_cli.model.estimators:{estimator}"
        OBJECTIVES[name] = Objective(name, help, place, settings_of(own), own, colour)
        return own

    return add


@row("Marginal", "#d73c2c", "the sum")
class MarginalizeSettings(EstimatorSettings, frozen=True, tag=MARGINALIZE):
    pass


@row("Gumbel", "#0067b0", "one relaxed sample")
class GumbelSettings(Annealed, frozen=True, tag=GUMBEL):
    draws: Draws = 1


@row("StraightThroughGumbel", "#6e248d", "its one-hot argmax, with the gradient of the relaxed sample")
class StraightThroughGumbelSettings(Annealed, frozen=True, tag="straight-through-gumbel"):
    draws: Draws = 1


@row("StraightThrough", "#a77bd1", "a one-hot sample, with the gradient of the probabilities")
class StraightThroughSettings(Annealed, frozen=True, tag="straight-through"):
    tau: Tau = 1.0
    forward_tau: Annotated[Positive, said("Temperature of the law that is sampled; 1: q itself.", timeless=True)] = 1.0


@row("GappedStraightThrough", "#8c8c14", "the same with a gradient in which the sampled class leads by a gap")
class GappedSettings(Annealed, frozen=True, tag="gst"):
    tau: Tau = 1.0
    gap: Annotated[Positive, said("How far the logit of the sampled class leads in the gradient.", timeless=True)] = 1.0


@row("GumbelRao", "#009c41", "the one-hot argmax, with a gradient averaged over noises that share the class")
class GumbelRaoSettings(Annealed, frozen=True, tag="gumbel-rao"):
    draws: Draws = 10


@row("ReinMax", "#ca2c68", "a one-hot sample with a gradient of second order")
class ReinMaxSettings(Annealed, frozen=True, tag="reinmax"):
    tau: Annotated[AtLeastOne, said("Temperature at the first step.", option=True, timeless=True)] = 1.0


@row("ReinMaxRao", "#ef8fb8", "the same with its noisiest part averaged over noises that share the class")
class ReinMaxRaoSettings(Annealed, frozen=True, tag="reinmax-rao"):
    tau: Tau = 1.0
    draws: Draws = 10


@row("SumAndSample", "#e08214", "the most probable class and one sample of the others")
class SumAndSampleSettings(Scored, frozen=True, tag="sum-and-sample"):
    top: Annotated[int, whole(1, MOST_DRAWS), said("Most probable classes to sum; one of the others is sampled.")] = 1


@row("SparseMarginal", "#666666", "all classes with a probability above 0.01 and the most probable, renormalised")
class SparseSettings(EstimatorSettings, frozen=True, tag=SPARSE):
    threshold: Annotated[LessThanOne, said("Probability above which a class is summed.")] = 0.01


@row("UnorderedSet", "#56b4e9", "two different classes, in whatever order they came")
class UnorderedSettings(Scored, frozen=True, tag="unordered-set"):
    pass


@row("Reinforce", "#1f9e9e", "two samples, each the other's baseline")
class ReinforceSettings(Scored, frozen=True, tag="reinforce"):
    draws: Annotated[int, whole(2, MOST_DRAWS), said("Relaxed or discrete samples that are averaged.")] = 2


@row("Rebar", "#27408b", "one sample, with a relaxed one of the same class as its baseline")
class RebarSettings(Annealed, frozen=True, tag="rebar"):
    eta: Annotated[Positive, said("Weight of the relaxed sample that is the control variate.", timeless=True)] = 1.0


@row(None, "#9e6c4b", "nothing: the classifier on the labels alone, the floor of every report")
class SupervisedSettings(EstimatorSettings, frozen=True, tag=SUPERVISED):
    pass


if TYPE_CHECKING:
    AnySettings = EstimatorSettings
else:
    AnySettings = Union[*(each.own for each in OBJECTIVES.values()), OwnSettings]  # what a record may hold


def own_defaults(objective: str) -> dict[str, Any]:
    """The settings that are an objective's own, as they are by default; none of an estimator of somebody's own."""
    chosen = OBJECTIVES.get(objective)
    return {name: setting.default for name, setting in chosen.settings.items()} if chosen else {}
