"""Draws what Gumbel-Softmax does and measures what it earns.

What others import is imported when it is first asked for: the law in NumPy (`relax`, `sample`, `expectation`,
`exact_expectation`, `exact_moments`, `log_density`, and `log_relax` and `log_density_of_log` in log space), and the
estimators, the `entropy` and the protocols in torch.
"""

from importlib import import_module

TYPE_CHECKING = False  # of `typing`, which nobody needs who only asks for the version

__version__ = "0.1.0"

__all__ = [
    "Bound",
    "Estimator",
    "Gumbel",
    "GumbelRao",
    "Marginal",
    "ReinMax",
    "Reinforce",
    "SparseMarginal",
    "StraightThrough",
    "SumAndSample",
    "__version__",
    "entropy",
    "exact_expectation",
    "exact_moments",
    "expectation",
    "log_density",
    "log_density_of_log",
    "log_relax",
    "relax",
    "sample",
]

if TYPE_CHECKING:
    from gsm_cli.law.gumbel import expectation, log_density, log_density_of_log, log_relax, relax, sample
    from gsm_cli.law.moments import exact_expectation, exact_moments
    from gsm_cli.model.bounds import Bound
    from gsm_cli.model.categorical import entropy
    from gsm_cli.model.estimators import (
        Estimator,
        Gumbel,
        GumbelRao,
        Marginal,
        Reinforce,
        ReinMax,
        SparseMarginal,
        StraightThrough,
        SumAndSample,
    )
else:  # a type checker that saw this function would accept every name
    _LAW = {"expectation", "log_density", "log_density_of_log", "log_relax", "relax", "sample"}
    _MOMENTS = {"exact_expectation", "exact_moments"}
    _HOMES = dict.fromkeys(_LAW, "law.gumbel") | dict.fromkeys(_MOMENTS, "law.moments")
    _HOMES |= {"Bound": "model.bounds", "entropy": "model.categorical"}

    def __getattr__(name):
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOMES.get(name, 'model.estimators')}"), name)
        globals()[name] = value  # the next time it is there
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
