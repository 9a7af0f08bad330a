"""What changes during a run, as plain functions of the step or of the share of the run that is done."""

from math import exp

from gsm_cli.config import RunConfig


def learning_rate(config: RunConfig, progress: float) -> float:
    """Constant, then falling to zero in a straight line over the last `decay` of the run; `progress` is in [0, 1)."""
    return config.learning_rate * (min(1.0, (1.0 - progress) / config.decay) if config.decay else 1.0)


def kl_weight(config: RunConfig, progress: float) -> float:
    """From `kl_start` to 1 in a straight line over the first `kl_warmup` of the run, then 1."""
    return 1.0 + (config.kl_start - 1.0) * max(0.0, 1.0 - progress / config.kl_warmup) if config.kl_warmup else 1.0


def temperature(config: RunConfig, step: int) -> float | None:
    """max(tau_min, tau exp(-tau_rate step))."""
    if config.tau is None:
        return None
    return max(config.tau_min or 0.0, config.tau * exp(-(config.tau_rate or 0.0) * step))
