"""Batch normalisation where pieces of the sum over classes are computed again in the backward pass."""

import pytest
import torch
from torch import Tensor, nn

from gsm_cli.model.estimators import Marginal
from gsm_cli.model.generative import ADGM
from gsm_cli.model.networks import Architecture, BatchNorm, recomputing
from gsm_cli.model.terms import ConditionalBound, unlabelled_bound

B, K = 5, 3
ALL_KEPT, ONE_RECOMPUTED, ALL_RECOMPUTED = 10**9, 2 * B, 0


def buffers_and_gradients(keep: int) -> tuple[dict[str, Tensor], list[Tensor | None]]:
    """After the backward pass of one step in training mode, a class in a piece."""
    torch.manual_seed(0)
    model = ADGM(Architecture(pixels=6, classes=K, hidden=(8, 7), latent=2, auxiliary=2, norm="batch")).train()
    rng = torch.Generator().manual_seed(1)
    x = torch.randint(2, (B, 6), generator=rng).float()
    bound = ConditionalBound(model, model.encode(x, 1, rng))
    calls = []
    model.p_x.register_forward_pre_hook(lambda *_: calls.append(len(calls)))
    unlabelled_bound(bound, Marginal(piece=B, keep=keep), rng).mean().backward()
    assert len(calls) == {ALL_KEPT: K, ONE_RECOMPUTED: K + 1, ALL_RECOMPUTED: 2 * K}[keep]
    return dict(model.named_buffers()), [parameter.grad for parameter in model.parameters()]


@pytest.mark.parametrize("keep", [ONE_RECOMPUTED, ALL_RECOMPUTED])
def test_running_statistics_count_a_recomputed_piece_once(keep):
    (kept, kept_gradients), (again, gradients) = buffers_and_gradients(ALL_KEPT), buffers_and_gradients(keep)
    assert kept["p_x.norms.0.num_batches_tracked"] == K
    assert kept["p_x.norms.0.running_mean"].abs().sum() > 0
    torch.testing.assert_close(again, kept, rtol=0, atol=0)
    torch.testing.assert_close(gradients, kept_gradients)


@pytest.mark.parametrize("training", [True, False])
def test_values_are_the_same_when_they_are_computed_again(training):
    torch.manual_seed(0)
    norm, values = BatchNorm(4).train(training), torch.randn(2, 3, 4)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    expected = norm(values)
    with recomputing():
        assert torch.equal(norm(values), expected)


def test_running_statistics_go_on_after_an_error():
    norm = BatchNorm(4).train()
    with pytest.raises(ValueError, match="Expected more than 1 value per channel"), recomputing():
        norm(torch.randn(1, 4))
    assert norm.num_batches_tracked == 0
    norm(torch.randn(3, 4))
    assert norm.num_batches_tracked == 1
