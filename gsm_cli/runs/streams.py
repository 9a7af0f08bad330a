"""The independent random streams of a run, each a function of the seed, its purpose and a counter.

There is no state to save, and objectives of one seed stay in step however much noise each of them draws.
"""

import numpy as np
import torch

from gsm_cli.config import RunConfig

INITIALISATION, ORDER, NOISE, EVALUATION = range(4)


def stream(config: RunConfig, purpose: int, counter: int = 0) -> torch.Generator:
    """The generator for one purpose at one step (NOISE), epoch (ORDER, EVALUATION) or at the start."""
    state = np.random.SeedSequence([config.seed, purpose, counter]).generate_state(1, np.uint64)
    return torch.Generator(config.device).manual_seed(int(state[0]) >> 1)
