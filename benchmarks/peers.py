"""The same models as others write them, in turns with ours: `x` repeated for every class, Pyro's enumeration, plain
PyTorch and a jitted JAX step; first each must have our bound and gradient, to rounding.

The exit code is 1 where a ratio misses what is wanted. Takes five minutes; needs `pip install -e .[benchmark]`.

    python benchmarks/peers.py
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from math import log
from typing import cast

import numpy as np
import torch
from step import Result, Unlabelled, Work, has_bf16, report, step, take_turns
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from turns import HERE, Side, over

from gsm_cli.model.estimators import Gumbel, Marginal
from gsm_cli.model.generative import M2
from gsm_cli.model.networks import Linear, Network

TEMPERATURE = 0.5
Loss = Callable[[], Tensor]


def plain_network(network: Network) -> nn.Sequential:
    """The perceptron as a stack of layers, for its inputs side by side; layer normalisation and ReLU."""
    parts = [part.weight.detach() for part in cast(list[Linear], network.first.values())]
    first = nn.Linear(sum(part.shape[1] for part in parts), len(parts[0]), bias=False)
    first.weight.data = torch.cat(parts, dim=1)
    layers: list[nn.Module] = [first]
    for norm, after in zip(network.norms, (*network.hidden, network.head), strict=True):
        layers += [deepcopy(norm), nn.ReLU(), deepcopy(after)]
    return nn.Sequential(*layers)


class Plain(nn.Module):
    """M2 as three stacks of layers."""

    def __init__(self, model: M2) -> None:
        super().__init__()
        self.q_y, self.q_z, self.p_x = (plain_network(part) for part in (model.q_y, model.q_z, model.p_x))
        self.classes, self.latent = model.architecture.classes, model.architecture.latent

    def bound(self, x: Tensor, y: Tensor, noise: Tensor) -> Tensor:
        """The bound of log p(x, y) for one z, (N,), for images (N, D) and classes (N, K)."""
        mean, log_variance = torch.chunk(self.q_z(torch.cat([x, y], dim=-1)), 2, dim=-1)
        z = mean + torch.exp(0.5 * log_variance) * noise
        logits: Tensor = self.p_x(torch.cat([y, z], dim=-1))
        log_p_x = -F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=-1)
        kl = 0.5 * (z.square() - log_variance - noise.square()).sum(dim=-1)  # log q(z|x,y) - log p(z)
        return log_p_x - log(self.classes) - kl

    def repeated(self, x: Tensor, noise: Tensor) -> Tensor:
        """The marginal bound's mean, negated: every image K times, every class with each, in one batch."""
        log_q = torch.log_softmax(self.q_y(x), dim=-1)
        y = torch.eye(self.classes).repeat_interleave(len(x), dim=0)  # (K * B, K)
        values = self.bound(x.repeat(self.classes, 1), y, noise.repeat(self.classes, 1)).view(self.classes, -1).T
        return -(log_q.exp() * (values - log_q)).sum(dim=-1).mean()

    def gumbel(self, x: Tensor, noise: Tensor, temperature: float) -> Tensor:
        """The Gumbel bound's mean, negated, with PyTorch's own relaxed sample."""
        logits: Tensor = self.q_y(x)
        y = F.gumbel_softmax(logits, tau=temperature)
        log_q = logits.log_softmax(dim=-1)
        return -(self.bound(x, y, noise) - (log_q.exp() * log_q).sum(dim=-1)).mean()


def pyro_loss(plain: Plain, x: Tensor, noise: Tensor, checks: bool) -> Loss:
    """The same by Pyro's TraceEnum_ELBO, the class enumerated in parallel, with or without its checks of arguments."""
    import pyro
    import pyro.distributions as dist
    from pyro.infer import TraceEnum_ELBO, config_enumerate

    class SharedNoise(dist.Normal):  # type: ignore[misc]
        def rsample(self, sample_shape: object = ()) -> Tensor:
            z: Tensor = self.loc + self.scale * noise
            return z

    def beside(*parts: Tensor) -> Tensor:
        shape = np.broadcast_shapes(*(part.shape[:-1] for part in parts))
        return torch.cat([part.expand(*shape, part.shape[-1]) for part in parts], dim=-1)

    def model() -> None:
        with pyro.plate("images", len(x)):
            y = pyro.sample("y", dist.OneHotCategorical(logits=torch.zeros(plain.classes)))
            z = pyro.sample("z", dist.Normal(torch.zeros(plain.latent), 1.0).to_event(1))
            pyro.sample("x", dist.Bernoulli(logits=plain.p_x(beside(y, z))).to_event(1), obs=x)

    def guide() -> None:
        with pyro.plate("images", len(x)):
            y = pyro.sample("y", dist.OneHotCategorical(logits=plain.q_y(x)))
            mean, log_variance = plain.q_z(beside(x, y)).chunk(2, dim=-1)
            pyro.sample("z", SharedNoise(mean, torch.exp(0.5 * log_variance)).to_event(1))

    enumerated = config_enumerate(guide, default="parallel")
    elbo = TraceEnum_ELBO(max_plate_nesting=1)

    def loss() -> Tensor:
        with pyro.validation_enabled(checks):
            value: Tensor = elbo.differentiable_loss(model, enumerated) / len(x)
        return value

    return loss


class Peers(Unlabelled):
    """The steps of others beside ours, with the same weights, batch and noise."""

    def repeated(self) -> Work:
        plain = Plain(self.model)
        self.check(plain, lambda: plain.repeated(self.x, self.noise))
        return step(lambda: plain.repeated(self.x, self.noise), plain)

    def pyro(self, checks: bool) -> Work:
        plain = Plain(self.model)
        loss = pyro_loss(plain, self.x, self.noise, checks)
        self.check(plain, loss)
        return step(loss, plain)

    def gumbel(self) -> Work:
        plain = Plain(self.model)
        return step(lambda: plain.gumbel(self.x, self.noise, TEMPERATURE), plain)

    def check(self, plain: Plain, loss: Callable[[], Tensor]) -> None:
        """The other's marginal bound and the gradients of two layers must be ours, to rounding."""
        ours, theirs = self.loss(Marginal(), self.model), loss()
        torch.testing.assert_close(theirs, ours, rtol=1e-5, atol=0.0)
        for own, other in ((self.model.p_x, plain.p_x), (self.model.q_y, plain.q_y)):
            (expected,) = torch.autograd.grad(ours, list(own.parameters())[-2:-1], retain_graph=True)
            (found,) = torch.autograd.grad(theirs, list(other.parameters())[-2:-1], retain_graph=True)
            assert (found - expected).norm() < 1e-4 * expected.norm()


def of_the_sum() -> Iterator[Result]:
    for classes in (10, 100):
        steps = Peers(classes)
        works = (steps.ours(Marginal()), steps.repeated(), steps.pyro(True), steps.pyro(False))
        ours, repeated, pyro, unchecked = take_turns(*works)
        yield Result(f"K = {classes}: x repeated K times, over marginalize", repeated / ours, least=1.2)
        yield Result(f"K = {classes}: Pyro as it comes, over marginalize", pyro / ours, least=1.4)
        yield Result(
            f"K = {classes}: Pyro without its checks of arguments, over marginalize", unchecked / ours, least=1
        )


def of_gumbel() -> Iterator[Result]:
    steps = Peers(10)
    ours, plain = take_turns(steps.ours(Gumbel(TEMPERATURE)), steps.gumbel())
    yield Result("plain PyTorch Gumbel step, over gumbel", plain / ours, least=0.95)


def jitted() -> Iterator[Result]:
    """A whole ADGM step in the MNIST preset, in JAX and here."""
    check = [sys.executable, str(HERE / "jax_peer.py"), "check"]
    subprocess.run(check, check=True, env=os.environ | {"PYTHONPATH": str(HERE.parent)})
    for precision in ("float32", "bf16"):
        if precision == "bf16" and not has_bf16():
            print("JAX in bf16: not measured, for this processor has no instructions for it")
            continue
        for objective in ("gumbel", "marginalize"):
            sides = {name: Side(f"{name}.py", objective, precision) for name in ("jax_peer", "turns")}
            least = 1 / 1.1 if (objective, precision) == ("gumbel", "float32") else 1.0
            yield Result(f"JAX, jitted, over {objective} in {precision}", over(sides, "turns")["jax_peer"], least)


if __name__ == "__main__":
    sys.exit(report(part() for part in (of_the_sum, of_gumbel, jitted)))
