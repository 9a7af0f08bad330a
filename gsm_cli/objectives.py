"""The table of objectives: how the unlabelled bound averages over the class. A new estimator is one class and one row.

Choices, rules, defaults, help, completion, colours, the factory and the README's table come from here. The same row is
made for an estimator of somebody's own, from the signature of its class (`gsm_cli.extensions`). No heavy import.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = float | int | bool | str

MARGINALIZE, GUMBEL, SUPERVISED, SPARSE = "marginalize", "gumbel", "supervised", "sparse-marginalize"


@dataclass(frozen=True)
class Setting:
    """A value that an objective reads: its default, its bounds, and the rule that they make, in words."""

    default: Value
    rule: str
    least: float | None = None
    above: float | None = None
    most: float | None = None


@dataclass(frozen=True)
class Objective:
    """A row of the table.

    `estimator` is "module:Class". The settings are the class's own parameters, but for those of `SCHEDULE`, which give
    its parameter `temperature` at each step. A row without a class has no unlabelled bound.
    """

    name: str
    help: str  # what stands for the sum over classes
    estimator: str | None
    settings: Mapping[str, Setting] = field(default_factory=dict)
    colour: str | None = None  # None: one that no other objective of the chart has
    evaluations: str = "?"  # of the conditional bound for each unlabelled image
    gradient: str = "?"
    source: str | None = None  # arXiv number and authors
    sha256: str | None = None  # of the file that a class of somebody's own is in

    @property
    def relaxed(self) -> bool:
        """Whether it has a temperature."""
        return "tau" in self.settings


POSITIVE, NOT_NEGATIVE = "positive and finite", "finite and not negative"
ALMOST_ONE = 1 - 2**-53  # the greatest number below 1
MOST_DRAWS = 1_000  # more would not fit into memory
SCHEDULE = ("tau", "tau_min", "tau_rate")  # tau(step) = max(tau_min, tau exp(-tau_rate step))


def annealed(tau: float, least: float | None = None) -> dict[str, Setting]:
    """The settings of a temperature that starts at `tau`, and that may never be below `least` if there is one."""
    positive = Setting(tau, POSITIVE, above=0.0)
    return {
        "tau": positive if least is None else Setting(tau, f"finite and at least {least:g}", least=least),
        "tau_min": Setting(0.0, NOT_NEGATIVE, least=0.0),
        "tau_rate": Setting(0.0, NOT_NEGATIVE, least=0.0),
    }


def _whole(default: int, least: int = 1) -> Setting:
    return Setting(default, f"a whole number from {least} to {MOST_DRAWS:,}", least=least, most=MOST_DRAWS)


_ESTIMATORS = "gsm_cli.model.estimators"

ROWS = (
    Objective(
        name=MARGINALIZE,
        help="the sum",
        estimator=f"{_ESTIMATORS}:Marginal",
        colour="#d73c2c",
        evaluations="K",
        gradient="exact",
    ),
    Objective(
        name=GUMBEL,
        help="one relaxed sample",
        estimator=f"{_ESTIMATORS}:Gumbel",
        settings=annealed(0.5) | {"draws": _whole(1)},
        colour="#0067b0",
        evaluations="1",
        gradient="biased, less so at low temperatures",
        source="1611.01144 Jang et al. 2017",
    ),
    Objective(
        name="straight-through",
        help="its one-hot argmax, with the gradient of the relaxed sample",
        estimator=f"{_ESTIMATORS}:StraightThrough",
        settings=annealed(0.5) | {"draws": _whole(1)},
        colour="#6e248d",
        evaluations="1",
        gradient="biased",
        source="1611.01144 Jang et al. 2017",
    ),
    Objective(
        name="gumbel-rao",
        help="the same with the gradient averaged over noises that share the class",
        estimator=f"{_ESTIMATORS}:GumbelRao",
        settings=annealed(0.5) | {"draws": _whole(10)},
        colour="#009c41",
        evaluations="1",
        gradient="biased, less variable",
        source="2010.04838 Paulus et al. 2021",
    ),
    Objective(
        name="reinmax",
        help="a one-hot sample with a gradient of second order",
        estimator=f"{_ESTIMATORS}:ReinMax",
        settings=annealed(1.0, least=1.0),
        colour="#ca2c68",
        evaluations="1",
        gradient="biased beyond second order",
        source="2304.08612 Liu et al. 2023",
    ),
    Objective(
        name="sum-and-sample",
        help="the most probable class and one sample of the others",
        estimator=f"{_ESTIMATORS}:SumAndSample",
        settings={"top": _whole(1)},
        colour="#e08214",
        evaluations="2",
        gradient="unbiased",
        source="1810.04777 Liu et al. 2019",
    ),
    Objective(
        name=SPARSE,
        help="the most probable class and all with a probability above 0.01, renormalised, gathered image by image",
        estimator=f"{_ESTIMATORS}:SparseMarginal",
        settings={"threshold": Setting(0.01, "at least 0 and less than 1", least=0.0, most=ALMOST_ONE)},
        colour="#666666",
        evaluations="up to K",
        gradient="exact, of a lower bound",
    ),
    Objective(
        name="reinforce",
        help="two samples, each the other's baseline",
        estimator=f"{_ESTIMATORS}:Reinforce",
        settings={"draws": _whole(2, least=2)},
        colour="#1f9e9e",
        evaluations="2",
        gradient="unbiased",
    ),
    Objective(
        name=SUPERVISED,
        help="nothing: the classifier on the labels alone, the floor of every report",
        estimator=None,
        colour="#9e6c4b",
        evaluations="0",
        gradient="–",
    ),
)
OBJECTIVES: dict[str, Objective] = {row.name: row for row in ROWS}


def own_defaults(objective: str) -> dict[str, Value]:
    """The settings that are an objective's own, as they are by default; none of an estimator of somebody's own."""
    row = OBJECTIVES.get(objective)
    return {name: setting.default for name, setting in row.settings.items()} if row else {}
