"""The Gumbel-Softmax law: its mathematics and its figures; NumPy and matplotlib, never torch."""

from gsm_cli.law.gumbel import (
    Estimate,
    expectation,
    gumbel_noise,
    log_density,
    log_density_of_log,
    log_relax,
    relax,
    sample,
)
from gsm_cli.law.moments import exact_expectation, exact_moments, exact_standard_deviation

__all__ = ["Estimate", "exact_expectation", "exact_moments", "exact_standard_deviation", "expectation"]
__all__ += ["gumbel_noise", "log_density", "log_density_of_log", "log_relax", "relax", "sample"]
