"""What changes during a run, as functions of the step."""

from gsm_cli.config import RunConfig

PROBES = 10  # epochs of a run, the first apart, after which its bounds are measured


def learning_rate(config: RunConfig, step: int, steps: int) -> float:
    """Constant, then falling to zero in a straight line over the last `decay` of the run; `steps` are of an epoch."""
    left, decay = 1.0 - step / (steps * config.epochs), config.decay
    return config.learning_rate * (min(1.0, left / decay) if decay else 1.0)


def kl_weight(config: RunConfig, step: int, steps: int) -> float:
    """From `kl_start` to 1 in a straight line over the first `kl_warmup` of the run, then 1."""
    done, warmup = step / (steps * config.epochs), config.kl_warmup
    return 1.0 + (config.kl_start - 1.0) * max(0.0, 1.0 - done / warmup) if warmup else 1.0


def is_probed(number: int, epochs: int) -> bool:
    """Whether the bounds are measured after an epoch: the first, and ten evenly spaced up to the last."""
    return number == 1 or number * PROBES // epochs > (number - 1) * PROBES // epochs
