"""The random streams of `gsm_cli.streams` as PyTorch's generators, on a processor or a GPU.

Objectives of one seed stay in step however much noise each of them draws.
"""

import numpy as np
import torch

from gsm_cli.streams import Purpose, sequence


def state(seed: int, purpose: Purpose, counter: int = 0) -> int:
    """A seed of 63 bits for one stream."""
    return int(sequence(seed, purpose, counter).generate_state(1, np.uint64)[0]) >> 1


def stream(seed: int, purpose: Purpose, counter: int = 0, device: str = "cpu") -> torch.Generator:
    """The generator for one purpose, at one step or epoch; a GPU's differs from a processor's."""
    return torch.Generator(device).manual_seed(state(seed, purpose, counter))
