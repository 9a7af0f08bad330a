"""Virtual adversarial training, an extension: the classifier is to say the same of an image and of all close to it.

Miyato et al. 2018, arXiv:1704.03976. It regularises q(y|a,x), whatever averages the bound over the class.
"""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from gsm_cli.model.generative import M2, context
from gsm_cli.model.networks import uncounted


def virtual_adversarial_loss(model: M2, x: Tensor, radius: float, rng: torch.Generator) -> Tensor:
    """The mean over images x (B, D) of KL(q(y|a,x) || q(y|a,x+r)), in nats, where r is the worst of norm `radius`.

    For a short r the divergence is r' H r / 2, greatest along the main eigenvector of H. One step of power iteration
    approximates it: r lies along the gradient of the divergence at a random d  (Miyato et al., section 3.3). Our d has
    the norm of r; of theirs, which is far shorter, bfloat16 would see little. One draw of a ~ q(a|x) serves all three,
    and it and q(y|a,x) are constants: the gradient is that of q(y|a,x+r).
    """
    with uncounted():
        with torch.no_grad():
            a, *_ = model.draw_a(x, 1, rng)
        # r is added behind the first layer's product, in its own precision; a bias that it has counts once
        lifted = model.q_y.lift(**context(x, a))
        unbiased = lifted - model.q_y.lift(x=torch.zeros_like(x[0]))
        log_q = model.q_y(lifted).log_softmax(dim=-1).detach()

        def divergence(r: Tensor) -> Tensor:
            log_moved = model.q_y(unbiased + model.q_y.lift(x=r)).log_softmax(dim=-1)
            return F.kl_div(log_moved, log_q, reduction="none", log_target=True).sum(dim=-1).mean()

        d = radius * F.normalize(torch.randn(x.shape, generator=rng, device=x.device), dim=-1)
        (gradient,) = torch.autograd.grad(divergence(d.requires_grad_()), d)
        greatest = gradient.abs().amax(dim=-1, keepdim=True).clamp_min(torch.finfo(gradient.dtype).tiny)
        return divergence(radius * F.normalize(gradient / greatest, dim=-1))  # squares of the small alone would be 0
