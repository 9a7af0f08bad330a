"""The estimators in torch, the protocols that theirs and yours follow, and the law with gradients.

What is in NumPy under the same name (`relax`, `log_relax`, `log_density_of_log`) is in `gsm_cli.law`.
"""

from gsm_cli.model.bounds import Bound, Estimator, OwnEntropy, SelectiveBound
from gsm_cli.model.categorical import entropy, gumbel_noise, log_density_of_log, log_relax, relax
from gsm_cli.model.estimators import (
    Gumbel,
    GumbelRao,
    Marginal,
    Reinforce,
    ReinMax,
    SparseMarginal,
    StraightThrough,
    SumAndSample,
)

__all__ = [
    "Bound",
    "Estimator",
    "Gumbel",
    "GumbelRao",
    "Marginal",
    "OwnEntropy",
    "ReinMax",
    "Reinforce",
    "SelectiveBound",
    "SparseMarginal",
    "StraightThrough",
    "SumAndSample",
    "entropy",
    "gumbel_noise",
    "log_density_of_log",
    "log_relax",
    "relax",
]
