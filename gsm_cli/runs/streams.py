"""The random streams of `gsm_cli.streams` as PyTorch's generators, and what is drawn from them in a run.

Objectives of one seed stay in step however much noise each of them draws.
"""

import numpy as np
import torch
from torch import Tensor

from gsm_cli.streams import Purpose, sequence


def state(seed: int, purpose: Purpose, counter: int = 0) -> int:
    """A seed of 63 bits for one stream.

    PyTorch's generator of a processor takes 32 of them, so that two of the 49,900 steps of a hundred epochs of MNIST
    have the same noise in one run of four.
    """
    return int(sequence(seed, purpose, counter).generate_state(1, np.uint64)[0]) >> 1


def stream(seed: int, purpose: Purpose, counter: int = 0, device: str = "cpu") -> torch.Generator:
    """The generator for one purpose, at one step or epoch; a GPU's differs from a processor's."""
    return torch.Generator(device).manual_seed(state(seed, purpose, counter))


def shuffle(count: int, steps: int, size: int, rng: torch.Generator) -> Tensor:
    """Row numbers for `steps` batches (steps, size): permutations of all rows, one after the other."""
    passes = -(-steps * size // count)
    order = torch.cat([torch.randperm(count, generator=rng, device=rng.device) for _ in range(passes)])
    return order[: steps * size].view(steps, size)


def binarise(pixels: Tensor, rng: torch.Generator) -> Tensor:
    """A Bernoulli draw of grey levels 0 to 255 (N, D): 1 with the probability level / 255."""
    threshold = torch.randint(255, pixels.shape, generator=rng, device=pixels.device, dtype=torch.uint8)
    return (threshold < pixels).float()
