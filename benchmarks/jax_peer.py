"""The training step as a jitted JAX function: ADGM in the sizes of the MNIST preset, gradient, clipping and Adam.

Written as one would in JAX: pure functions of trees of arrays, one pass for labelled and unlabelled images, the sum
over classes by `vmap`. Products are taken in bfloat16 where ours are. `check` compares bound and gradient with ours.

    python benchmarks/jax_peer.py OBJECTIVE PRECISION     one side of `turns.py`
    python benchmarks/jax_peer.py check
"""

import sys
from functools import partial
from math import log, pi
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import torch
from jax import Array, nn, random
from turns import serve

from gsm_cli.model.categorical import gumbel_noise
from gsm_cli.model.estimators import Gumbel, Marginal
from gsm_cli.model.generative import ADGM
from gsm_cli.model.networks import Architecture, Network
from gsm_cli.model.terms import Batch, semi_supervised

PIXELS, CLASSES, UNLABELLED, LABELLED, LATENT = 784, 10, 100, 25, 10
TEMPERATURE, CLASSIFICATION, LABELLED_WEIGHT, RATE, CLIP = 0.5, 50.0, 0.1, 1e-3, 100.0
NETWORKS = ("q_a", "q_y", "q_z", "p_x", "p_a")
Tree = Any


class Noise(NamedTuple):
    """Of a step: that of a and z, (B, 10), and Gumbel's, (U, K)."""

    a: Array
    z: Array
    gumbel: Array


def product(bf16: bool, values: Array, weight: Array) -> Array:
    if bf16:
        return jnp.matmul(values.astype(jnp.bfloat16), weight.astype(jnp.bfloat16)).astype(jnp.float32)
    return values @ weight


def normalise(values: Array, scale: Array, shift: Array) -> Array:
    centred = values - values.mean(-1, keepdims=True)
    return centred * jax.lax.rsqrt(jnp.square(centred).mean(-1, keepdims=True) + 1e-5) * scale + shift


def perceptron(bf16: bool, network: Tree, **inputs: Array) -> Array:
    """Its outputs; inputs that do not vary over a `vmap` are multiplied once."""
    hidden = sum(product(bf16, value, network["first"][name]) for name, value in inputs.items())
    for norm, (weight, bias) in zip(network["norms"], network["layers"], strict=True):
        hidden = product(bf16, nn.relu(normalise(hidden, *norm)), weight) + bias
    return hidden


def log_normal(noise: Array, log_variance: Array | float = 0.0) -> Array:
    return -0.5 * (jnp.square(noise) + log_variance + log(2 * pi)).sum(-1)


def loss(objective: str, bf16: bool, weights: Tree, x: Array, classes: Array, noise: Noise) -> Array:
    """What is minimised, for the unlabelled images and then the labelled ones x (U + L, D)."""
    apply = {name: partial(perceptron, bf16, weights[name]) for name in NETWORKS}
    mean, log_variance = jnp.split(apply["q_a"](x=x), 2, -1)
    a, log_q_a = mean + jnp.exp(0.5 * log_variance) * noise.a, log_normal(noise.a, log_variance)
    logits = apply["q_y"](x=x, a=a)
    log_q = nn.log_softmax(logits)

    def bound(rows: slice, y: Array) -> Array:
        mean, log_variance = jnp.split(apply["q_z"](x=x[rows], a=a[rows], y=y), 2, -1)
        z = mean + jnp.exp(0.5 * log_variance) * noise.z[rows]
        pixels = apply["p_x"](y=y, z=z)
        log_p_x = (x[rows] * pixels - nn.softplus(pixels)).sum(-1)
        latent = log_normal(z) - log_normal(noise.z[rows], log_variance)
        mean, log_variance = jnp.split(apply["p_a"](x=x[rows], y=y, z=z), 2, -1)
        log_p_a = log_normal((a[rows] - mean) * jnp.exp(-0.5 * log_variance), log_variance)
        return log_p_x - log(CLASSES) + latent + log_p_a - log_q_a[rows]

    known = nn.one_hot(classes, CLASSES)
    if objective == "gumbel":
        y = nn.softmax((logits[:UNLABELLED] + noise.gumbel) / TEMPERATURE)
        values = bound(slice(None), jnp.concatenate([y, known]))
        unlabelled, labelled = values[:UNLABELLED], values[UNLABELLED:]
    else:
        by_class = jax.vmap(partial(bound, slice(UNLABELLED)))(jnp.eye(CLASSES)[:, None])  # (K, U)
        unlabelled = (jnp.exp(log_q[:UNLABELLED]) * by_class.T).sum(-1)
        labelled = bound(slice(UNLABELLED, None), known)
    entropy = -(jnp.exp(log_q[:UNLABELLED]) * log_q[:UNLABELLED]).sum(-1)
    right = (log_q[UNLABELLED:] * known).sum(-1)
    return -((unlabelled + entropy).mean() + LABELLED_WEIGHT * labelled.mean() + CLASSIFICATION * right.mean())


def draw(key: Array, pixels: Array) -> tuple[Array, Noise]:
    """Binary images of grey levels, and the noise of a step."""
    keys, images = random.split(key, 4), len(pixels)
    x = (random.randint(keys[0], pixels.shape, 0, 255, jnp.uint8) < pixels).astype(jnp.float32)
    a, z = (random.normal(each, (images, LATENT)) for each in keys[1:3])
    return x, Noise(a, z, random.gumbel(keys[3], (UNLABELLED, CLASSES)))


def update(objective: str, bf16: bool, state: Tree, pixels: Array, classes: Array, key: Array, number: Array) -> Tree:
    """A step of Adam; the state is that of the weights, the means and the mean squares."""
    weights, means, squares = state
    gradient = jax.grad(partial(loss, objective, bf16))(weights, *_images(draw(key, pixels), classes))
    norm = jnp.sqrt(sum(jnp.square(each).sum() for each in jax.tree.leaves(gradient)))
    gradient = jax.tree.map(lambda each: each * jnp.minimum(1.0, CLIP / norm), gradient)
    means = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, means, gradient)
    squares = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, squares, gradient)
    first, second = 1 - 0.9**number, 1 - 0.999**number
    moved = jax.tree.map(
        lambda w, m, v: w - RATE * (m / first) / (jnp.sqrt(v / second) + 1e-8), weights, means, squares
    )
    return moved, means, squares


def _images(drawn: tuple[Array, Noise], classes: Array) -> tuple[Array, Array, Noise]:
    return drawn[0], classes, drawn[1]


def weights_of(network: Network) -> Tree:
    """A perceptron's as a tree of arrays."""

    def array(value: object) -> Array:
        assert isinstance(value, torch.Tensor)
        return jnp.array(value.detach().numpy().T)

    return {
        "first": {name: array(layer.weight) for name, layer in network.first.items()},
        "norms": [(array(norm.weight), array(norm.bias)) for norm in network.norms],
        "layers": [(array(layer.weight), array(layer.bias)) for layer in layers_of(network)],
    }


def layers_of(network: Network) -> list[Any]:
    """Behind its first one."""
    return [*network.hidden, network.head]


def model() -> ADGM:
    torch.manual_seed(0)
    return ADGM(Architecture(PIXELS, CLASSES))


def steps(objective: str, precision: str) -> None:
    """Serve jitted steps on random images, from our initial weights."""
    weights = {name: weights_of(getattr(model(), name)) for name in NETWORKS}
    state = (weights, *(jax.tree.map(jnp.zeros_like, weights) for _ in range(2)))
    compiled = jax.jit(partial(update, objective, precision == "bf16"), donate_argnums=0)
    rng = np.random.default_rng(0)
    pixels, classes = rng.integers(0, 256, (2_000, PIXELS), np.uint8), rng.integers(0, CLASSES, LABELLED)

    def step(number: int) -> None:
        nonlocal state
        rows = np.r_[np.arange(UNLABELLED) + 100 * (number % 19), np.arange(LABELLED)]
        state = compiled(state, pixels[rows], classes, random.fold_in(random.key(0), number), number + 1.0)
        jax.block_until_ready(state)

    serve(step)


def check() -> None:
    """Bound and gradient must be ours, to rounding, with our noise."""
    ours, rng = model(), torch.Generator().manual_seed(0)
    weights = {name: weights_of(getattr(ours, name)) for name in NETWORKS}
    x = (torch.rand(UNLABELLED + LABELLED, PIXELS, generator=rng) > 0.5).float()
    classes = torch.arange(LABELLED) % CLASSES
    for objective, estimator in (("gumbel", Gumbel(TEMPERATURE)), ("marginalize", Marginal())):
        start = rng.get_state()
        a, z = (torch.randn(1, len(x), LATENT, generator=rng)[0] for _ in range(2))
        gumbel = gumbel_noise((UNLABELLED, CLASSES), rng, x)
        rng.set_state(start)
        noise = Noise(*(jnp.asarray(each.numpy()) for each in (a, z, gumbel)))
        arrays = (jnp.asarray(x.numpy()), jnp.asarray(classes.numpy()), noise)
        value, gradient = jax.value_and_grad(partial(loss, objective, False))(weights, *arrays)
        terms = semi_supervised(ours, Batch(x[:UNLABELLED], x[UNLABELLED:], classes), estimator, 1, 1.0, rng)
        expected = -terms.objective(LABELLED_WEIGHT, CLASSIFICATION)
        ours.zero_grad()
        expected.backward()  # type: ignore[no-untyped-call]
        np.testing.assert_allclose(value, expected.item(), rtol=1e-5)
        for name in NETWORKS:
            for (theirs, _), layer in zip(gradient[name]["layers"], layers_of(getattr(ours, name)), strict=True):
                right = layer.weight.grad.numpy().T
                assert np.linalg.norm(theirs - right) < 1e-4 * np.linalg.norm(right)


if __name__ == "__main__":
    if sys.argv[1:] == ["check"]:
        check()
    else:
        steps(*sys.argv[1:])
