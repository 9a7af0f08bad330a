"""The optimizer against that of `torch.optim` with PyTorch's own clipping, and what it spares."""

import subprocess
import sys

import pytest
import torch
from tree import ROOT

from gsm_cli.runs.optimizer import AdamW

SHAPES = [(3, 4), (4,), (2, 5)]


def parameters() -> list[torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=rng).requires_grad_() for shape in SHAPES]


def loss(values: list[torch.Tensor], number: int) -> torch.Tensor:
    """In even steps without the last parameter; its gradients are large in some steps and small in others."""
    used = values[: 3 - (number % 2 == 0)]
    return 10.0 ** (number % 3) * sum((value - number).square().sum() for value in used)


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("clip", [1e9, 30.0])
def test_steps_are_those_of_torch(decay, clip):
    """A parameter without a gradient stays, and counts no step."""
    ours, theirs = parameters(), parameters()
    optimizer, reference = AdamW(ours, decay), torch.optim.AdamW(theirs, weight_decay=decay)
    for number in range(9):
        optimizer.step(loss(ours, number), 0.1 / (1 + number), clip)
        reference.zero_grad()
        loss(theirs, number).backward()
        torch.nn.utils.clip_grad_norm_(theirs, clip)
        reference.param_groups[0]["lr"] = 0.1 / (1 + number)
        reference.step()
        torch.testing.assert_close(ours, theirs)
    assert optimizer.steps.tolist() == [9, 9, 4]


def test_it_goes_on_from_its_state():
    first, second = parameters(), parameters()
    whole, halves = AdamW(first), AdamW(second)
    for number in range(4):
        if number == 2:
            state = halves.state_dict()
            halves = AdamW(second)
            halves.load_state_dict(state)
        for optimizer in (whole, halves):
            optimizer.step(loss(optimizer.parameters, number), 0.1, 30.0)
    assert all(torch.equal(one, two) for one, two in zip(first, second, strict=True))


def test_the_compiler_of_pytorch_is_not_imported():
    """It takes more than a second, in every process that trains."""
    code = (
        "import sys, torch; from gsm_cli.runs.optimizer import AdamW; x = torch.ones(3, requires_grad=True);"
        "a = AdamW([x]); a.step(x.sum(), 0.1, 1.0); print('torch._dynamo' in sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert finished.stdout == "False\n"
