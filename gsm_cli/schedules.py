"""What changes during a run, as plain functions of the step or of the share of the run that is done."""

from gsm_cli.config import RunConfig

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


def is_probed(number: int, epochs: int) -> bool:
    """Whether the bounds are measured after an epoch: the first, and ten evenly spaced up to the last."""
    return number == 1 or number * PROBES // epochs > (number - 1) * PROBES // epochs
