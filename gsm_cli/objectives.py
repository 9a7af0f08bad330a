"""The table of objectives: how the unlabelled bound averages over the class. A new estimator is one class and one row.

Choices, rules, defaults, help, completion, colours, the factory and the README's table come from here. The same row is
made for an estimator of somebody's own, from the signature of its class (`gsm_cli.extensions`). No heavy import.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Union

from gsm_cli.estimator_settings import (
    GUMBEL,
    MARGINALIZE,
    SCHEDULE,
    SPARSE,
    SUPERVISED,
    EstimatorSettings,
    GappedSettings,
    GumbelRaoSettings,
    GumbelSettings,
    MarginalizeSettings,
    OwnSettings,
    RebarSettings,
    ReinforceSettings,
    ReinMaxRaoSettings,
    ReinMaxSettings,
    SparseSettings,
    StraightThroughGumbelSettings,
    StraightThroughSettings,
    SumAndSampleSettings,
    SupervisedSettings,
    UnorderedSettings,
)
from gsm_cli.rules import Setting, settings_of

__all__ = [
    "GUMBEL",
    "MARGINALIZE",
    "OBJECTIVES",
    "ROWS",
    "SCHEDULE",
    "SPARSE",
    "SUPERVISED",
    "AnySettings",
    "Objective",
    "own_defaults",
]


@dataclass(frozen=True)
class Objective:
    """A row of the table.

    `estimator` is "module:Class". The settings are the class's own parameters, but for those of `SCHEDULE`, which give
    its parameter `temperature` at each step. A row without a class has no unlabelled bound.
    """

    name: str
    help: str  # what stands for the sum over classes
    estimator: str | None
    own: type[EstimatorSettings] | None  # the struct of its settings; None for a class of somebody's own
    colour: str | None = None  # None: one that no other objective of the chart has
    evaluations: str = "?"  # of the conditional bound for each unlabelled image
    gradient: str = "?"
    source: str | None = None  # arXiv number and authors
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

    @property
    def is_scored(self) -> bool:
        """Whether log q may be taken from its learning signal."""
        return "minus_log_q" in self.settings

    def choose(self, values: Mapping[str, Any]) -> EstimatorSettings:
        """Its own settings, by default where `values` do not name them. Raises ValueError for what breaks a rule."""
        chosen = {name: values.get(name, setting.default) for name, setting in self.settings.items()}
        if self.own is not None:
            return self.own(**chosen)
        assert self.sha256 is not None
        return OwnSettings(of=self.name, sha256=self.sha256, values=chosen)


_ESTIMATORS = "gsm_cli.model.estimators"

ROWS = (
    Objective(
        name=MARGINALIZE,
        help="the sum",
        estimator=f"{_ESTIMATORS}:Marginal",
        own=MarginalizeSettings,
        colour="#d73c2c",
        evaluations="K",
        gradient="exact",
    ),
    Objective(
        name=GUMBEL,
        help="one relaxed sample",
        estimator=f"{_ESTIMATORS}:Gumbel",
        own=GumbelSettings,
        colour="#0067b0",
        evaluations="1",
        gradient="biased, less so at low temperatures",
        source="1611.01144 Jang et al. 2017",
    ),
    Objective(
        name="straight-through-gumbel",
        help="its one-hot argmax, with the gradient of the relaxed sample",
        estimator=f"{_ESTIMATORS}:StraightThroughGumbel",
        own=StraightThroughGumbelSettings,
        colour="#6e248d",
        evaluations="1",
        gradient="biased",
        source="1611.01144 Jang et al. 2017",
    ),
    Objective(
        name="straight-through",
        help="a one-hot sample, with the gradient of the probabilities",
        estimator=f"{_ESTIMATORS}:StraightThrough",
        own=StraightThroughSettings,
        colour="#a77bd1",
        evaluations="1",
        gradient="biased",
        source="1308.3432 Bengio et al. 2013",
    ),
    Objective(
        name="gst",
        help="the same with a gradient in which the sampled class leads by a gap",
        estimator=f"{_ESTIMATORS}:GappedStraightThrough",
        own=GappedSettings,
        colour="#8c8c14",
        evaluations="1",
        gradient="biased",
        source="2206.07235 Fan et al. 2022",
    ),
    Objective(
        name="gumbel-rao",
        help="the one-hot argmax, with a gradient averaged over noises that share the class",
        estimator=f"{_ESTIMATORS}:GumbelRao",
        own=GumbelRaoSettings,
        colour="#009c41",
        evaluations="1",
        gradient="biased, less variable",
        source="2010.04838 Paulus et al. 2021",
    ),
    Objective(
        name="reinmax",
        help="a one-hot sample with a gradient of second order",
        estimator=f"{_ESTIMATORS}:ReinMax",
        own=ReinMaxSettings,
        colour="#ca2c68",
        evaluations="1",
        gradient="biased beyond second order",
        source="2304.08612 Liu et al. 2023",
    ),
    Objective(
        name="reinmax-rao",
        help="the same with its noisiest part averaged over noises that share the class",
        estimator=f"{_ESTIMATORS}:ReinMaxRao",
        own=ReinMaxRaoSettings,
        colour="#ef8fb8",
        evaluations="1",
        gradient="biased, less variable",
        source="2603.08257 Wang and Bui 2026",
    ),
    Objective(
        name="sum-and-sample",
        help="the most probable class and one sample of the others",
        estimator=f"{_ESTIMATORS}:SumAndSample",
        own=SumAndSampleSettings,
        colour="#e08214",
        evaluations="2",
        gradient="unbiased",
        source="1810.04777 Liu et al. 2019",
    ),
    Objective(
        name=SPARSE,
        help="the most probable class and all with a probability above 0.01, renormalised, gathered image by image",
        estimator=f"{_ESTIMATORS}:SparseMarginal",
        own=SparseSettings,
        colour="#666666",
        evaluations="up to K",
        gradient="exact, of a lower bound",
    ),
    Objective(
        name="unordered-set",
        help="two different classes, in whatever order they came",
        estimator=f"{_ESTIMATORS}:UnorderedSet",
        own=UnorderedSettings,
        colour="#56b4e9",
        evaluations="2",
        gradient="unbiased",
        source="2002.06043 Kool et al. 2020",
    ),
    Objective(
        name="reinforce",
        help="two samples, each the other's baseline",
        estimator=f"{_ESTIMATORS}:Reinforce",
        own=ReinforceSettings,
        colour="#1f9e9e",
        evaluations="2",
        gradient="unbiased",
    ),
    Objective(
        name="rebar",
        help="one sample, with a relaxed one of the same class as its baseline",
        estimator=f"{_ESTIMATORS}:Rebar",
        own=RebarSettings,
        colour="#27408b",
        evaluations="3",
        gradient="unbiased",
        source="1703.07370 Tucker et al. 2017",
    ),
    Objective(
        name=SUPERVISED,
        help="nothing: the classifier on the labels alone, the floor of every report",
        estimator=None,
        own=SupervisedSettings,
        colour="#9e6c4b",
        evaluations="0",
        gradient="–",
    ),
)
OBJECTIVES: dict[str, Objective] = {row.name: row for row in ROWS}

if TYPE_CHECKING:
    AnySettings = EstimatorSettings
else:
    AnySettings = Union[*(row.own for row in ROWS), OwnSettings]  # what a record may hold


def own_defaults(objective: str) -> dict[str, Any]:
    """The settings that are an objective's own, as they are by default; none of an estimator of somebody's own."""
    row = OBJECTIVES.get(objective)
    return {name: setting.default for name, setting in row.settings.items()} if row else {}
