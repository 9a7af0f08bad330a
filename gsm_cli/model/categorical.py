"""The categorical law in torch: noise, samples, relaxed samples and the entropy, all of logits (..., K).

A constant added to logits changes nothing. All is computed in float32 at least, and results have the logits' dtype.
"""

from math import lgamma
from typing import Self

import torch
from torch import Tensor

from gsm_cli.errors import check_shapes
from gsm_cli.model.checks import Temperature, check_density, check_law, check_logits, check_temperature


def gumbel_noise(shape: tuple[int, ...], rng: torch.Generator, like: Tensor) -> Tensor:
    """Standard Gumbel noise -log(-log u), always finite: u lies in the middle of one of 2**52 equal parts of (0, 1).

    It has the dtype of `like`, and float32 where that has fewer digits: noise that is rounded more often ties.
    """
    u = (torch.randint(2**52, shape, generator=rng, device=like.device).double() + 0.5) / 2**52
    return -torch.log(-torch.log(u)).to(torch.promote_types(like.dtype, torch.float32))


class Outcomes(torch.Generator):
    """A generator under which `sample_one_hot` draws nothing: the row of every image says which outcome it takes.

    With K classes, outcome `number` of n draws is the number in base K whose digit s is the class of draw s, so that
    0 .. K^n - 1 are all outcomes. Other noise is drawn as ever; `drew` says whether any was, and the outcomes are then
    not all that the estimate depends on.
    """

    def __new__(cls, number: Tensor) -> Self:
        return super().__new__(cls)

    def __init__(self, number: Tensor) -> None:
        self.number = number  # (N,)
        self.draws = 0
        self.log_q = torch.zeros(len(number), dtype=torch.float64)  # (N,): of each row's outcome
        self._start = self.get_state()

    @property
    def drew(self) -> bool:
        """Whether random numbers were drawn."""
        return not torch.equal(self._start, self.get_state())

    def one_hot(self, logits: Tensor) -> Tensor:
        """The next classes, one-hot, for logits (..., N, K): a draw for every entry of the leading dimensions."""
        rows, classes = logits.shape[-2:]
        if rows != len(self.number):
            raise ValueError(f"logits must have {len(self.number)} rows, not {rows}")
        draws = logits.numel() // (rows * classes)
        digits = [self.number // classes**s % classes for s in range(self.draws, self.draws + draws)]
        self.draws += draws
        chosen = torch.stack(digits).view(logits.shape[:-1])
        log_q = logits.detach().double().log_softmax(dim=-1).gather(-1, chosen[..., None])
        self.log_q = self.log_q + log_q.reshape(draws, rows).sum(dim=0)
        return one_hot(chosen, logits)


def log_probabilities(logits: Tensor) -> Tensor:
    """The logarithm of softmax(logits), in float32 at least. Raises NotALawError where that is none."""
    check_logits(logits)
    log_q = widened(logits).log_softmax(dim=-1)
    check_law(logits, log_q)
    return log_q


def centred(logits: Tensor) -> Tensor:
    """The logits less the greatest, in float32 at least. Raises NotALawError where that is not finite."""
    check_logits(logits)
    scores = widened(logits) - logits.detach().amax(dim=-1, keepdim=True)
    check_law(logits, scores)
    return scores


def relax(logits: Tensor, noise: Tensor, temperature: Temperature) -> Tensor:
    """softmax((logits + noise) / temperature) over the last dimension: the law's `relax`, with gradients.

    The arguments broadcast. Raises ValueError for a temperature that is none and logits that are no law.
    """
    return soften(_scores(logits, noise), temperature).to(logits.dtype)


def log_relax(logits: Tensor, noise: Tensor, temperature: Temperature) -> Tensor:
    """The logarithm of the relaxed sample z that `relax` gives, also where z would underflow; from 1e-20 to 1e20."""
    return divided(_scores(logits, noise), temperature).log_softmax(dim=-1).to(logits.dtype)


def log_density_of_log(log_z: Tensor, logits: Tensor, temperature: Temperature) -> Tensor:
    """The density of log z, for samples of `log_relax`: that of z itself is it less sum_i log z_i (the Jacobian).

    It is a density with respect to the K - 1 ratios log z_i - log z_K, in nats, as torch's `ExpRelaxedCategorical` has
    it. Raises ValueError for logits that are not finite, and for a log z that is not, or whose z does not sum to 1.
    """
    check_temperature(temperature)
    log_q = log_probabilities(logits)
    check_density(log_z, logits)
    temperature = torch.as_tensor(temperature, dtype=log_q.dtype, device=logits.device)
    check_shapes(log_z=log_z, logits=logits, temperature=temperature)
    log_ratios = (log_q - temperature * log_z).log_softmax(dim=-1)
    classes = log_ratios.shape[-1]
    log_scale = lgamma(classes) + (classes - 1) * temperature.log()
    return (log_scale + log_ratios.sum(dim=-1, keepdim=True))[..., 0].to(logits.dtype)


def divided(scores: Tensor, temperature: Temperature) -> Tensor:
    """The scores / temperature; below 1e-20 and above 1e20, where that may overflow, their softmax does not change."""
    check_temperature(temperature)
    if not isinstance(temperature, Tensor):
        return scores / min(max(temperature, 1e-20), 1e20)
    check_shapes(scores=scores, temperature=temperature)
    impossible = scores <= torch.finfo(scores.dtype).min / 8  # the derivative by the temperature would be 0 * inf
    divided = scores.masked_fill(impossible, 0.0) / widened(temperature).clamp(1e-20, 1e20)
    return divided.masked_fill(impossible, -torch.inf)


def soften(scores: Tensor, temperature: Temperature) -> Tensor:
    """softmax(scores / temperature) over the last dimension."""
    return divided(scores, temperature).softmax(dim=-1)


def sample_one_hot(log_q: Tensor, rng: torch.Generator) -> Tensor:
    """A one-hot sample of q, without a gradient (Gumbel-Max); under `Outcomes` the one that is named."""
    if isinstance(rng, Outcomes):
        return rng.one_hot(log_q)
    return one_hot_argmax(log_q + gumbel_noise(tuple(log_q.shape), rng, log_q))


def gumbels_given(hard: Tensor, log_q: Tensor, noise: Tensor) -> Tensor:
    """Log q + g, g Gumbel noise, given that the greatest is the class `hard`, from Gumbel noise without a condition.

    With the exponential E_j = exp(-noise_j) of each class, it is -log E_i for the class i and -log(E_j / q_j + E_i) for
    the others (Paulus et al. 2021, equation 9).
    """
    log_e = -noise
    log_e_top = (hard * log_e).sum(dim=-1, keepdim=True)
    return torch.where(hard.bool(), -log_e_top, -torch.logaddexp(log_e - log_q, log_e_top))


def soften_given(hard: Tensor, log_q: Tensor, noise: Tensor, temperature: Temperature) -> Tensor:
    """The mean over Gumbel noises (N, ..., K) of softmax((log q + g) / temperature), g given that the class is `hard`.

    The gradient is that for a g that is held.
    """
    with torch.no_grad():
        given = gumbels_given(hard, log_q, noise) - log_q
    return soften(log_q + given, temperature).mean(dim=0)


def one_hot_argmax(scores: Tensor) -> Tensor:
    """One-hot of the greatest score over the last dimension."""
    return one_hot(scores.argmax(dim=-1), scores)


def one_hot(classes: Tensor, like: Tensor) -> Tensor:
    """Classes (...) one-hot, with the number of classes and the dtype of `like` (..., K)."""
    return (classes[..., None] == torch.arange(like.shape[-1], device=like.device)).to(like.dtype)


def one_hots(classes: int, size: int, like: Tensor) -> list[Tensor]:
    """All classes one-hot in pieces (size, K): windows of one array of 2 K columns, so that K x K is never made."""
    last = (classes - 1) // size * size  # the first class of the last piece
    rows = torch.zeros(min(size, classes), last + classes, dtype=like.dtype, device=like.device)
    rows.diagonal(last).fill_(1.0)
    return [rows[: classes - start, last - start :][:, :classes] for start in range(0, classes, size)]


def bounded(log_q: Tensor) -> Tensor:
    """Log-probabilities with a number for -inf, that of a class never drawn: 0 * log q(y) is 0 then, and not nan."""
    return log_q.clamp_min(torch.finfo(log_q.dtype).min / 4)


def with_gradient_of(soft: Tensor, hard: Tensor) -> Tensor:
    """The value of `hard` with the gradient of `soft`."""
    return hard + (soft - soft.detach())


def score_term(advantage: Tensor, log_q: Tensor) -> Tensor:
    """Zero, with the gradient `advantage` * grad log q."""
    return advantage.detach() * (log_q - log_q.detach())


def entropy(logits: Tensor) -> Tensor:
    """The entropy of softmax(logits) over the last dimension, in nats; a class with the logit -inf adds nothing."""
    log_q = bounded(log_probabilities(logits))
    return -(log_q.exp() * log_q).sum(dim=-1).to(logits.dtype)


def widened(values: Tensor) -> Tensor:
    """The values in float32 at least."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def _scores(logits: Tensor, noise: Tensor) -> Tensor:
    """The logits + noise, less a constant; the greatest is the class."""
    scores = centred(logits)
    check_shapes(logits=scores, noise=noise)
    return scores + noise
