"""Draws what Gumbel-Softmax does and measures what it earns.

What others import is imported when it is first asked for: the law in NumPy (`relax`, `sample`, `expectation`,
`exact_expectation`, `exact_moments`, `log_density`, and `log_relax` and `log_density_of_log` in log space), the
estimators, the `entropy` and the protocols in torch, and `runs(folder)`, the records of a report as a pandas DataFrame.
"""

from importlib import import_module

TYPE_CHECKING = False  # of `typing`, which nobody needs who only asks for the version

__version__ = "0.1.0"

__all__ = [
    "Bound",
    "Estimate",
    "Estimator",
    "GappedStraightThrough",
    "Gumbel",
    "GumbelRao",
    "Marginal",
    "MinusLogQ",
    "OwnEntropy",
    "Rebar",
    "ReinMax",
    "ReinMaxRao",
    "Reinforce",
    "SelectiveBound",
    "SparseMarginal",
    "StraightThrough",
    "StraightThroughGumbel",
    "SumAndSample",
    "UnorderedSet",
    "__version__",
    "entropy",
    "exact_expectation",
    "exact_moments",
    "exact_standard_deviation",
    "expectation",
    "log_density",
    "log_density_of_log",
    "log_relax",
    "relax",
    "runs",
    "sample",
]

if TYPE_CHECKING:
    from gsm_cli.law.gumbel import Estimate, expectation, log_density, log_density_of_log, log_relax, relax, sample
    from gsm_cli.law.moments import exact_expectation, exact_moments, exact_standard_deviation
    from gsm_cli.model.bounds import Bound, Estimator, OwnEntropy, SelectiveBound
    from gsm_cli.model.categorical import entropy
    from gsm_cli.model.estimators import (
        GappedStraightThrough,
        Gumbel,
        GumbelRao,
        Marginal,
        MinusLogQ,
        Rebar,
        Reinforce,
        ReinMax,
        ReinMaxRao,
        SparseMarginal,
        StraightThrough,
        StraightThroughGumbel,
        SumAndSample,
        UnorderedSet,
    )
else:  # a type checker that saw this function would accept every name
    _LAW = {"Estimate", "expectation", "log_density", "log_density_of_log", "log_relax", "relax", "sample"}
    _MOMENTS = {"exact_expectation", "exact_moments", "exact_standard_deviation"}
    _HOMES = dict.fromkeys(_LAW, "law.gumbel") | dict.fromkeys(_MOMENTS, "law.moments")
    _HOMES |= dict.fromkeys(("Bound", "Estimator", "OwnEntropy", "SelectiveBound"), "model.bounds")
    _HOMES |= {"entropy": "model.categorical"}

    def __getattr__(name):
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        if name == "runs":
            return import_module(f"{__name__}.runs")  # the room, which is called as a function
        value = getattr(import_module(f"{__name__}.{_HOMES.get(name, 'model.estimators')}"), name)
        globals()[name] = value  # the next time it is there
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
