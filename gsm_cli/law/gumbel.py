"""The Gumbel-Softmax law in NumPy: noise, samples and the density; its exact moments are in `moments`.

Everywhere `logits` l are unnormalised log-probabilities (..., K), so that pi = softmax(l): a constant added to them
changes nothing, and -inf is a class of probability zero. With Gumbel noise g and temperature tau, a relaxed sample is

    z = softmax((l + g) / tau)          (Jang et al. 2017, arXiv:1611.01144; Maddison et al. 2017, arXiv:1611.00712)

and argmax(l + g), which is also argmax(z), has exactly the categorical law pi (the Gumbel-Max trick). Where several
temperatures are allowed they are an array (..., 1), one for all classes of a law, which broadcasts against the logits.
Everything is computed in float64. What is no law or no temperature is a ValueError.
"""

from dataclasses import dataclass
from math import lgamma

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gsm_cli.errors import check_shapes

Array = NDArray[np.float64]
CHUNK = 2**22  # elements of the largest temporary array: 32 MiB
SIMPLEX = 1e-6  # by which the sum of a z may differ from 1


@dataclass(frozen=True)
class Estimate:
    """A Monte Carlo mean (K,) of `size` draws with its standard error (K,), nan for a single draw."""

    mean: Array
    standard_error: Array
    size: int


def gumbel_noise(shape: int | tuple[int, ...], rng: np.random.Generator) -> Array:
    """Standard Gumbel noise -log(-log u), always finite.

    u takes the 2**52 midpoints (k + 1/2) / 2**52, every one of them exact in float64: the open interval (0, 1)
    without an epsilon. The first rows of a longer array are the rows of a shorter one.
    """
    u = (rng.integers(0, 2**52, size=shape) + 0.5) / 2**52
    return -np.log(-np.log(u))


def relax(logits: ArrayLike, noise: ArrayLike, temperature: ArrayLike) -> Array:
    """softmax((logits + noise) / temperature) over the last axis; the arguments broadcast."""
    weights = np.exp(_scaled(logits, noise, temperature))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def log_relax(logits: ArrayLike, noise: ArrayLike, temperature: ArrayLike) -> Array:
    """The logarithm of the relaxed sample z that `relax` gives, also where z itself would underflow to 0."""
    scores = _scaled(logits, noise, temperature)
    return np.asarray(scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True)))


def _scaled(logits: ArrayLike, noise: ArrayLike, temperature: ArrayLike) -> Array:
    """(logits + noise) / temperature, less the greatest of each law."""
    logits, temperature = _law(logits), _temperature(temperature)
    noise = np.asarray(noise, dtype=np.float64)
    check_shapes(logits=logits, noise=noise, temperature=temperature)
    with np.errstate(over="ignore"):  # a score far below the greatest becomes -inf, and its weight 0
        scores = logits + noise
        return np.asarray((scores - scores.max(axis=-1, keepdims=True)) / temperature)


def one_hot_argmax(scores: Array) -> Array:
    """One-hot of the greatest score over the last axis; of `logits + noise` it is a categorical draw (Gumbel-Max)."""
    classes = np.arange(scores.shape[-1])
    return np.asarray((classes == scores.argmax(axis=-1)[..., None]).astype(np.float64))


def sample(logits: ArrayLike, temperature: ArrayLike, size: int, rng: np.random.Generator) -> Array:
    """`size` relaxed samples z of one law, (size, K); a temperature (..., 1) broadcasts against them."""
    logits = one_law(logits)
    return relax(logits, gumbel_noise((size, logits.size), rng), temperature)


def expectation(logits: ArrayLike, temperature: float, size: int, rng: np.random.Generator) -> Estimate:
    """Monte Carlo estimate of E[z] of one law from `size` draws. Raises ValueError for no draw."""
    if size < 1:
        raise ValueError(f"the number of draws must be at least 1, not {size}")
    logits, temperature = one_law(logits), one_temperature(temperature)
    centre = relax(logits, 0.0, temperature)  # near the mean, so that the sums of squares do not cancel
    total, squares = np.zeros(centre.size), np.zeros(centre.size)
    rows = max(1, CHUNK // centre.size)
    for start in range(0, size, rows):
        deviations = sample(logits, temperature, min(rows, size - start), rng) - centre
        total += deviations.sum(axis=0)
        squares += (deviations**2).sum(axis=0)
    mean = total / size
    if size == 1:
        return Estimate(centre + mean, np.full(centre.size, np.nan), size)
    variance = np.maximum(squares - size * mean**2, 0.0) / (size - 1)
    return Estimate(centre + mean, np.sqrt(variance / size), size)


def log_density(z: ArrayLike, logits: ArrayLike, temperature: ArrayLike) -> Array:
    """The density log p(z) of relaxed samples on the simplex, over the last axis (Jang et al. 2017, appendix B).

        log Gamma(K) + (K - 1) log tau - K log sum_i pi_i z_i^-tau + sum_i (log pi_i - (tau + 1) log z_i)

    It is a density with respect to the first K - 1 coordinates, in nats; the arguments broadcast. Raises ValueError for
    logits that are not finite, and for a z that does not lie strictly inside the simplex.
    """
    z = np.asarray(z, dtype=np.float64)
    if not (z > 0).all() or not np.allclose(z.sum(axis=-1), 1.0, rtol=0.0, atol=SIMPLEX):
        raise ValueError("z must lie strictly inside the simplex: positive, with sum 1; where it underflows, use log z")
    log_z = np.log(z)
    return np.asarray(log_density_of_log(log_z, logits, temperature) - log_z.sum(axis=-1))


def log_density_of_log(log_z: ArrayLike, logits: ArrayLike, temperature: ArrayLike) -> Array:
    """The density of log z, for samples of `log_relax`: that of z itself is it less sum_i log z_i (the Jacobian).

    It is a density with respect to the K - 1 ratios log z_i - log z_K, in nats, as torch's `ExpRelaxedCategorical` has
    it. Raises ValueError for logits that are not finite, and for a log z that is not, or whose z does not sum to 1.
    """
    log_z = np.asarray(log_z, dtype=np.float64)
    if not np.isfinite(log_z).all() or not np.allclose(np.exp(log_z).sum(axis=-1), 1.0, rtol=0.0, atol=SIMPLEX):
        raise ValueError("log_z must be finite logarithms of numbers with sum 1, as those of log_relax are")
    logits, temperature = _law(logits), _temperature(temperature)
    if not np.isfinite(logits).all():
        raise ValueError("the density needs finite logits: a class of probability zero leaves the simplex")
    check_shapes(log_z=log_z, logits=logits, temperature=temperature)
    scores = logits - temperature * log_z
    scores = scores - scores.max(axis=-1, keepdims=True)
    log_sum = np.log(np.exp(scores).sum(axis=-1, keepdims=True))
    classes = scores.shape[-1]
    constant = lgamma(classes) + (classes - 1) * np.log(temperature)
    return np.asarray((constant - classes * log_sum + scores.sum(axis=-1, keepdims=True))[..., 0])


def random_logits(classes: int, rng: np.random.Generator) -> Array:
    """A random law (K,) as the article makes its own: W x with x ~ N(0, I_10) and weights of deviation 3 / sqrt(10)."""
    x = rng.standard_normal(10)
    weights = rng.normal(0.0, 3.0 / np.sqrt(10.0), size=(classes, 10))
    return np.asarray(weights @ x)


def _law(logits: ArrayLike) -> Array:
    """The logits, less the greatest of each law. Raises ValueError if they are none."""
    given = np.asarray(logits)
    if given.dtype.kind not in ("f" if hasattr(logits, "dtype") else "fiu"):
        raise ValueError(f"logits must be floating-point numbers, not {given.dtype}: convert them")
    if given.ndim == 0 or given.shape[-1] == 0:
        raise ValueError(f"logits must have the shape (..., K) with at least one class, not {given.shape}")
    scores = given.astype(np.float64)
    greatest = scores.max(axis=-1, keepdims=True)
    wrong = greatest[~np.isfinite(greatest)]
    if wrong.size:
        raise ValueError(f"the greatest logit of a law must be finite, not {wrong[0]}: only -inf may stand beside it")
    with np.errstate(over="ignore"):
        return np.asarray(scores - greatest)


def one_law(logits: ArrayLike) -> Array:
    """The same for one law (K,) alone."""
    if np.ndim(logits) != 1:
        raise ValueError(f"logits must be those of one law, of the shape (K,), not {np.shape(logits)}")
    return _law(logits)


def _temperature(temperature: ArrayLike) -> Array:
    """The temperature () or (..., 1). Raises ValueError if it is none."""
    given = np.asarray(temperature, dtype=np.float64)
    if given.shape[-1:] not in ((), (1,)):
        raise ValueError(f"a temperature is one for all classes, of the shape (..., 1), not {given.shape}: add an axis")
    wrong = given[~((given > 0.0) & (given < np.inf))]
    if wrong.size:
        raise ValueError(f"the temperature must be positive and finite, not {wrong[0]}")
    return given


def one_temperature(temperature: ArrayLike) -> float:
    """The same for one temperature alone."""
    if np.ndim(temperature):
        raise ValueError(f"the temperature must be one number here, not of the shape {np.shape(temperature)}: loop")
    return float(_temperature(temperature))
