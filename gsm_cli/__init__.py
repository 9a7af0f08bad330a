"""Draws what Gumbel-Softmax does and measures what it earns.

What others import is imported when it is first asked for: `law`, in NumPy, `estimators`, in torch, most of their names
also from here (`relax` and `gumbel_noise` are NumPy's), and `load_runs`, the records of a report as a pandas DataFrame.
"""

from importlib import import_module

TYPE_CHECKING = False  # of `typing`, which nobody needs who only asks for the version

__version__ = "1.0.0"

__all__ = ["__version__", "estimators", "law", "load_runs"]
# of `law`
__all__ += ["Estimate", "exact_expectation", "exact_moments", "exact_standard_deviation", "expectation", "log_density"]
__all__ += ["gumbel_noise", "log_density_of_log", "log_relax", "relax", "sample"]
# of `estimators`
__all__ += ["Bound", "Estimator", "GappedStraightThrough", "Gumbel", "GumbelRao", "Marginal", "MinusLogQ", "OwnEntropy"]
__all__ += ["Rebar", "ReinMax", "ReinMaxRao", "Reinforce", "SelectiveBound", "SparseMarginal", "StraightThrough"]
__all__ += ["StraightThroughGumbel", "SumAndSample", "UnorderedSet", "entropy"]

if TYPE_CHECKING:
    from gsm_cli import estimators, law
    from gsm_cli.estimators import Bound, Estimator, OwnEntropy, SelectiveBound, entropy
    from gsm_cli.law import *  # noqa: F403
    from gsm_cli.model.estimators import *  # noqa: F403
    from gsm_cli.reports.frames import frame as load_runs
else:  # a type checker that saw this function would accept every name

    def __getattr__(name):
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        if name in ("estimators", "law"):
            return import_module(f"{__name__}.{name}")
        if name == "load_runs":
            value = import_module(f"{__name__}.reports.frames").frame
        else:
            homes = (import_module(f"{__name__}.{home}") for home in ("law", "estimators"))
            value = next(vars(home)[name] for home in homes if name in home.__all__)
        globals()[name] = value  # the next time it is there
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
