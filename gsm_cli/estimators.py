"""The estimators in torch, the protocols that theirs and yours follow, and the law with gradients.

What is in NumPy under the same name (`relax`, `log_relax`, `log_density_of_log`) is in `gsm_cli.law`.
"""

from gsm_cli.model import estimators as _estimators
from gsm_cli.model.bounds import Bound, Estimator, OwnEntropy, SelectiveBound
from gsm_cli.model.categorical import (
    entropy,
    gumbel_noise,
    log_density_of_log,
    log_probabilities,
    log_relax,
    relax,
    sample_one_hot,
)
from gsm_cli.model.estimators import *  # noqa: F403

__all__ = ["Bound", "Estimator", "OwnEntropy", "SelectiveBound"]
__all__ += ["entropy", "gumbel_noise", "log_density_of_log", "log_probabilities", "log_relax", "relax"]
__all__ += ["sample_one_hot"]
__all__ += _estimators.__all__
