"""What changes during a run, as plain functions of the step or of the share of the run that is done."""

from math import exp

from gsm_cli.config import RunConfig
from gsm_cli.errors import UsageError
from gsm_cli.objectives import SCHEDULE

COLDEST = 2.0**-126  # temperature of a step
PROBES = 10  # epochs of a run, the first apart, after which its bounds are measured


def progress(config: RunConfig, step: int, steps: int) -> float:
    """The share of a run before a step, in [0, 1); `steps` are those of an epoch."""
    return step / (steps * config.epochs)


def learning_rate(greatest: float, decay: float, progress: float) -> float:
    """Constant, then falling to zero in a straight line over the last `decay` of the run; `progress` is in [0, 1)."""
    return greatest * (min(1.0, (1.0 - progress) / decay) if decay else 1.0)


def kl_weight(start: float, warmup: float, progress: float) -> float:
    """From `start` to 1 in a straight line over the first `warmup` of the run, then 1."""
    return 1.0 + (start - 1.0) * max(0.0, 1.0 - progress / warmup) if warmup else 1.0


def temperature(first: float, least: float, rate: float, step: int) -> float:
    """max(least, first exp(-rate step))."""
    return max(least, first * exp(-rate * step))


def temperature_at(config: RunConfig, step: int) -> float | None:
    """The temperature of a step; None for an objective that has none."""
    values = [config.own.get(name) for name in SCHEDULE]
    first, least, rate = (float(value) if isinstance(value, int | float) else None for value in values)
    return None if first is None or least is None or rate is None else temperature(first, least, rate, step)


def check_temperature(config: RunConfig, last: int) -> None:
    """Raise UsageError if the temperature comes below the least normal float32, by which nothing can be divided."""
    tau = temperature_at(config, last)
    if tau is not None and tau < COLDEST:
        raise UsageError(
            f"tau must stay at {COLDEST:.2g} or above, and with tau-rate {config.own['tau_rate']} it is {tau:.2g} "
            f"at the last step, {last}: raise tau, lower tau-rate, or set tau-min"
        )


def is_probed(number: int, epochs: int) -> bool:
    """Whether the bounds are measured after an epoch: the first, and ten evenly spaced up to the last."""
    return number == 1 or number * PROBES // epochs > (number - 1) * PROBES // epochs
