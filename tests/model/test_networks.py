"""The perceptrons, and batch normalisation where pieces of the sum over classes are computed again."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from gsm_cli.model.estimators import Marginal
from gsm_cli.model.generative import ADGM
from gsm_cli.model.networks import Architecture, BatchNorm, Linear, Network, in_parts, uncounted
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


@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
def test_every_unit_has_one_bias(norm):
    """The first layer's is that of its normalisation or, where there is none, of its first map."""
    network = Network({"x": 2, "y": 3}, 1, Architecture(pixels=2, classes=3, hidden=(4, 5), norm=norm))
    assert [linear.bias is not None for linear in network.first.values()] == [norm == "none", False]
    assert all(linear.bias is not None for linear in network.hidden)


@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
def test_biases_may_begin_at_zero(norm):
    sizes = Architecture(pixels=2, classes=3, hidden=(4, 5), norm=norm, weight_std=0.1)
    for architecture in (replace(sizes, zero_biases=True), sizes):
        biases = [each.bias for each in Network({"x": 2}, 1, architecture).modules() if isinstance(each, Linear)]
        found = [bool(bias.any()) for bias in biases if bias is not None]
        assert found == [not architecture.zero_biases] * (3 if norm == "none" else 2)


@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_a_normalisation_adds_what_the_architecture_says(norm):
    sizes = Architecture(pixels=2, classes=3, hidden=(4, 5), norm=norm, norm_eps=0.5)
    network = Network({"x": 2}, 1, sizes).train()
    seen = []
    network.norms[0].register_forward_hook(lambda module, given, result: seen.extend([*given, result]))
    network(network.lift(x=torch.randn(6, 2)))
    values, result = seen
    over = 1 if norm == "layer" else 0
    centred = values - values.mean(dim=over, keepdim=True)
    variance = centred.square().mean(dim=over, keepdim=True)
    torch.testing.assert_close(result, centred / (variance + 0.5).sqrt())


def test_the_classifier_may_have_sizes_of_its_own():
    sizes = Architecture(pixels=6, classes=3, hidden=(4, 5), latent=2, auxiliary=2)
    model = ADGM(replace(sizes, classifier_hidden=(7, 8, 9)))
    assert [each.out_features for each in model.q_y.hidden] == [8, 9]
    assert model.q_y.lift(x=torch.zeros(1, 6)).shape == (1, 7)
    others = [each for name, each in model.named_children() if name != "q_y"]
    assert [[layer.out_features for layer in each.hidden] for each in others] == [[5]] * 4


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
    norm, values = BatchNorm(4, eps=0.1).train(training), torch.randn(2, 3, 4)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    expected = norm(values)
    with uncounted():
        assert torch.equal(norm(values), expected)


def test_running_statistics_go_on_after_an_error():
    norm = BatchNorm(4).train()
    with pytest.raises(ValueError, match="Expected more than 1 value per channel"), uncounted():
        norm(torch.randn(1, 4))
    assert norm.num_batches_tracked == 0
    norm(torch.randn(3, 4))
    assert norm.num_batches_tracked == 1


def test_batch_normalisation_takes_parts_by_themselves():
    """Values and running statistics are those of one call for each part."""
    torch.manual_seed(0)
    whole, apart, values = BatchNorm(4).train(), BatchNorm(4).train(), torch.randn(2, 7, 4)
    with in_parts([4, 3]):
        found = whole(values)
    expected = torch.cat([apart(values[:, :4]), apart(values[:, 4:])], dim=1)
    assert torch.equal(found, expected)
    assert not torch.allclose(found, BatchNorm(4).train()(values))
    torch.testing.assert_close(dict(whole.named_buffers()), dict(apart.named_buffers()), rtol=0, atol=0)


@pytest.mark.parametrize("norm", ["layer", "none"])
@pytest.mark.parametrize("bf16", [False, True])
def test_inputs_at_once_are_those_one_by_one(norm, bf16):
    torch.manual_seed(0)
    sizes = Architecture(pixels=2, classes=3, hidden=(4, 5), norm=norm, bf16=bf16)
    network, y, z = Network({"y": 3, "z": 2}, 1, sizes), torch.randn(7, 3), torch.randn(7, 2)
    expected = network.lift(y=y, z=z)
    torch.testing.assert_close(network.lift_at_once(y=y, z=z), expected, rtol=0, atol=0.02 if bf16 else 1e-6)
    torch.testing.assert_close(network.lift_at_once(z=z), network.lift(z=z))


class TestPrecision:
    def test_a_bf16_product_is_rounded_and_its_bias_is_not(self):
        """1 + 2**-9 is 1 in bfloat16, and 2**-9 alone is kept."""
        linear = Linear(1, 1, bf16=True)
        nn.init.constant_(linear.weight, 1 + 2**-9)
        nn.init.constant_(linear.bias, 2**-9)
        assert linear(torch.ones(1, 1)).item() == 1 + 2**-9
        assert linear(torch.full((1, 1), 1 + 2**-9)).item() == 1 + 2**-9
        assert Linear(1, 1, bias=False, bf16=True)(torch.ones(1, 1)).abs().item() <= 1

    def test_float32_is_what_is_not_asked_for(self):
        linear = Linear(1, 1)
        nn.init.constant_(linear.weight, 1 + 2**-20)
        assert linear(torch.ones(1, 1)).item() == 1 + 2**-20 + linear.bias.item()

    def test_every_layer_has_it(self):
        network = Network({"x": 2, "y": 3}, 4, Architecture(pixels=2, classes=3, hidden=(5, 6), bf16=True))
        layers = [each for each in network.modules() if isinstance(each, Linear)]
        assert [each.bf16 for each in layers] == [True] * 4


class TestInitialWeights:
    """PyTorch's bound is 1 / sqrt(fan_in), here 1/20."""

    SIZES = Architecture(pixels=30, classes=20, hidden=(400,), latent=30, auxiliary=30)

    def test_heads_of_gaussians_start_a_tenth_as_large(self):
        model = ADGM(self.SIZES)
        largest = {name: 20 * getattr(model, name).head.weight.abs().max().item() for name in ("q_a", "q_z", "p_a")}
        assert all(0.09 < each <= 0.1 for each in largest.values()), largest
        others = {name: 20 * getattr(model, name).head.weight.abs().max().item() for name in ("q_y", "p_x")}
        assert all(0.9 < each <= 1 for each in others.values()), others

    def test_a_deviation_that_is_asked_for_is_that_of_every_layer(self):
        network = Network({"x": 100}, 300, Architecture(pixels=100, classes=2, hidden=(200, 300), weight_std=0.01))
        layers = [each for each in network.modules() if isinstance(each, nn.Linear)]
        assert [each.weight.std().item() for each in layers] == pytest.approx([0.01] * 3, rel=0.05)
