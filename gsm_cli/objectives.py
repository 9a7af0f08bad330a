"""The table of objectives: how the unlabelled bound averages over the class. A new estimator is one class and one row.

Choices, rules, defaults, help, completion, colours and the factory come from here; docs/estimators.md says more. The
same row is made for an estimator of somebody's own, from the signature of its class (`gsm_cli.extensions`). No heavy
import.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Union

from gsm_cli import estimator_settings as structs
from gsm_cli.estimator_settings import GUMBEL, MARGINALIZE, SCHEDULE, SPARSE, SUPERVISED, EstimatorSettings, OwnSettings
from gsm_cli.rules import Setting, settings_of

__all__ = ["GUMBEL", "MARGINALIZE", "OBJECTIVES", "SCHEDULE", "SPARSE", "SUPERVISED"]
__all__ += ["AnySettings", "Objective", "own_defaults"]


@dataclass(frozen=True)
class Objective:
    """A row of the table.

    `estimator` is "module:Class", or somebody's own class. The settings are the class's own parameters,
    but for those of `SCHEDULE`, which give its parameter `temperature` at each step. A row without a class has no
    unlabelled bound.
    """

    name: str
    help: str  # what stands for the sum over classes
    estimator: str | type | None
    own: type[EstimatorSettings] | None  # the struct of its settings; None for a class of somebody's own
    colour: str | None = None  # None: one that no other objective of the chart has
    sha256: str | None = None  # of the file that a class of somebody's own is in
    parameters: Mapping[str, Setting] = field(default_factory=dict)  # of a class of somebody's own

    @property
    def settings(self) -> Mapping[str, Setting]:
        """Its own settings by name."""
        return self.parameters if self.own is None else settings_of(self.own)

    @property
    def relaxed(self) -> bool:
        """Whether it has a temperature."""
        return "tau" in self.settings

    def choose(self, values: Mapping[str, Any]) -> EstimatorSettings:
        """Its own settings, by default where `values` do not name them. Raises ValueError for what breaks a rule."""
        chosen = {name: values.get(name, setting.default) for name, setting in self.settings.items()}
        if self.own is not None:
            return self.own(**chosen)
        assert self.sha256 is not None
        return OwnSettings(of=self.name, sha256=self.sha256, values=chosen)


def _row(own: type[EstimatorSettings], estimator: str | None, colour: str, help: str) -> Objective:
    """A row of the project's own, whose class is in `gsm_cli.model.estimators`."""
    place = estimator and f"gsm_cli.model.estimators:{estimator}"
    return Objective(str(own.__struct_config__.tag), help, place, own, colour)


_ROWS = (
    _row(structs.MarginalizeSettings, "Marginal", "#d73c2c", "the sum"),
    _row(structs.GumbelSettings, "Gumbel", "#0067b0", "one relaxed sample"),
    _row(
        structs.StraightThroughGumbelSettings,
        "StraightThroughGumbel",
        "#6e248d",
        "its one-hot argmax, with the gradient of the relaxed sample",
    ),
    _row(
        structs.StraightThroughSettings,
        "StraightThrough",
        "#a77bd1",
        "a one-hot sample, with the gradient of the probabilities",
    ),
    _row(
        structs.GappedSettings,
        "GappedStraightThrough",
        "#8c8c14",
        "the same with a gradient in which the sampled class leads by a gap",
    ),
    _row(
        structs.GumbelRaoSettings,
        "GumbelRao",
        "#009c41",
        "the one-hot argmax, with a gradient averaged over noises that share the class",
    ),
    _row(structs.ReinMaxSettings, "ReinMax", "#ca2c68", "a one-hot sample with a gradient of second order"),
    _row(
        structs.ReinMaxRaoSettings,
        "ReinMaxRao",
        "#ef8fb8",
        "the same with its noisiest part averaged over noises that share the class",
    ),
    _row(
        structs.SumAndSampleSettings, "SumAndSample", "#e08214", "the most probable class and one sample of the others"
    ),
    _row(
        structs.SparseSettings,
        "SparseMarginal",
        "#666666",
        "the most probable class and all with a probability above 0.01, renormalised, gathered image by image",
    ),
    _row(structs.UnorderedSettings, "UnorderedSet", "#56b4e9", "two different classes, in whatever order they came"),
    _row(structs.ReinforceSettings, "Reinforce", "#1f9e9e", "two samples, each the other's baseline"),
    _row(structs.RebarSettings, "Rebar", "#27408b", "one sample, with a relaxed one of the same class as its baseline"),
    _row(
        structs.SupervisedSettings,
        None,
        "#9e6c4b",
        "nothing: the classifier on the labels alone, the floor of every report",
    ),
)
OBJECTIVES: dict[str, Objective] = {row.name: row for row in _ROWS}

if TYPE_CHECKING:
    AnySettings = EstimatorSettings
else:
    AnySettings = Union[*(row.own for row in _ROWS), OwnSettings]  # what a record may hold


def own_defaults(objective: str) -> dict[str, Any]:
    """The settings that are an objective's own, as they are by default; none of an estimator of somebody's own."""
    row = OBJECTIVES.get(objective)
    return {name: setting.default for name, setting in row.settings.items()} if row else {}
