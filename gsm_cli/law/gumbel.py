"""The Gumbel-Softmax law in NumPy: noise, samples, exact moments and the density.

Everywhere `logits` l are unnormalised log-probabilities, so that pi = softmax(l); -inf is a class of
probability zero. With standard Gumbel noise g and temperature tau, a relaxed sample is

    z = softmax((l + g) / tau)          (Jang et al. 2017, arXiv:1611.01144; Maddison et al. 2017, arXiv:1611.00712)

and argmax(l + g), which is also argmax(z), has exactly the categorical law pi (the Gumbel-Max trick).
"""

from dataclasses import dataclass
from math import lgamma, log

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
CHUNK = 2**22  # elements of the largest temporary array: 32 MiB


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


def softmax(logits: ArrayLike) -> Array:
    """exp(logits), scaled to sum to 1 over the last axis. Raises ValueError for logits that are not a law."""
    return relax(logits, 0.0, 1.0)


def relax(logits: ArrayLike, noise: ArrayLike, temperature: float) -> Array:
    """softmax((logits + noise) / temperature) over the last axis; the arguments broadcast.

    Raises ValueError for a temperature that is not positive and finite, and for logits that are not a law.
    """
    logits, temperature = _checked(logits, temperature)
    scores = logits + np.asarray(noise, dtype=np.float64)
    scores = scores - scores.max(axis=-1, keepdims=True)
    with np.errstate(over="ignore"):  # a score far below the best becomes -inf, and its weight 0
        weights = np.exp(scores / temperature)
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def one_hot_argmax(scores: Array) -> Array:
    """One-hot of the greatest score over the last axis; of `logits + noise` it is a categorical draw (Gumbel-Max)."""
    classes = np.arange(scores.shape[-1])
    return np.asarray((classes == scores.argmax(axis=-1)[..., None]).astype(np.float64))


def sample(logits: ArrayLike, temperature: float, size: int, rng: np.random.Generator) -> Array:
    """`size` relaxed samples z of one law, (size, K). Raises ValueError as `relax` does, and for more than one law."""
    logits, temperature = _checked(logits, temperature)
    _check_one(logits)
    return relax(logits, gumbel_noise((size, logits.size), rng), temperature)


def expectation(logits: ArrayLike, temperature: float, size: int, rng: np.random.Generator) -> Estimate:
    """Monte Carlo estimate of E[z] from `size` draws. Raises ValueError as `sample` does, and for no draw."""
    if size < 1:
        raise ValueError(f"the number of draws must be at least 1, not {size}")
    centre = relax(logits, 0.0, temperature)  # near the mean, so that the sums of squares do not cancel
    _check_one(centre)
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


def exact_expectation(logits: ArrayLike, temperature: float) -> Array:
    """E[z] (K,), exact to rounding: what `expectation` tends to."""
    return exact_moments(logits, temperature)[0]


def exact_standard_deviation(logits: ArrayLike, temperature: float) -> Array:
    """The standard deviation of each z_i in one draw (K,); divide by sqrt(n) for the mean of n draws."""
    return np.sqrt(exact_moments(logits, temperature)[1])


# The quadratures below use the trapezoid rule on the whole line, which for integrands analytic in the strip
# |Im| < pi/2 errs by exp(-pi^2 / STEP), that is 1e-17. Beyond the ranges the integrands are below 1e-19.
STEP = 0.25
OUTER = np.arange(-45.0, 10.0, STEP)  # values of u
INNER = np.arange(-4.0, 52.0, STEP)  # values of the noise g
INNER_WEIGHTS = STEP * np.exp(-INNER - np.exp(-INNER))  # its density


def exact_moments(logits: ArrayLike, temperature: float) -> tuple[Array, Array]:
    """The mean E[z] and the variance Var z, each (K,), for every K and temperature.

    With y_j = exp((l_j + g_j) / tau) and S = sum_j y_j, the powers of z_i = y_i / S are integrals of exp(-t S) over t.
    Let t = exp(u / tau): the classes then enter through h(u) = E exp(-e^{(u + g) / tau}) and its derivatives alone,

        E[z_i]   = integral -h'(u + l_i)            prod_{j != i} h(u + l_j) du,
        E[z_i^2] = integral (tau h'' - h')(u + l_i) prod_{j != i} h(u + l_j) du.

    But h(-u) is the distribution function of g + tau g', where the two noises may change places:
    h(u) = E exp(-e^{u + tau g}). So a low temperature needs no sharp integrand: with p = softmax(l + tau g),

        E[z] = E[p],    E[z^2] = tau E[p^2] + (1 - tau) E[p],    Var z = tau Var p + (1 - tau) E[p] (1 - E[p]),

    while for tau >= 1 we take p = z. Either way p is the softmax of logits with noise of a scale of at most 1, and its
    moments are smooth integrals. Both results are exact to about 1e-13 of their value at every temperature, with two
    exceptions: where a class has a tiny probability p and tau is about 1, to 1e-22 / p of the value (1e-10 for 1e-12);
    where it is almost certain, the variance to 1e-16. Raises ValueError as `sample` does.
    """
    logits, temperature = _checked(logits, temperature)
    _check_one(logits)
    softness = min(temperature, 1.0)
    mean, variance = _smooth_moments(logits / max(temperature, 1.0), min(temperature, 1.0 / temperature))
    return mean, softness * variance + (1.0 - softness) * mean * (1.0 - mean)


def _check_one(logits: ArrayLike) -> None:
    """Raise ValueError for logits that are not those of one law."""
    if np.ndim(logits) != 1:
        raise ValueError(f"logits must be those of one law, of the shape (K,), not {np.shape(logits)}")


def _smooth_moments(logits: Array, scale: float) -> tuple[Array, Array]:
    """The mean and the variance of p = softmax(logits + scale g), each (K,), for a scale of at most 1.

    With y_j = exp(l_j + scale g_j) and S = sum_j y_j, and c = softmax(l), which p is without noise,

        p_i - c_i = (y_i - c_i S) / S = sum_j b_ij d_j / S,    b_ij = [i = j] - c_i,    d_j = y_j - exp(l_j),

    where every d_j is as small as the scale. 1 / S^n is the integral of e^{nu} exp(-e^u S) du / (n - 1)!, in which the
    classes are independent. Let h_j, m_j and s_j be the means of exp(-e^u y_j), of it times e^u d_j, and of it times
    (e^u d_j)^2. Then, with H = prod_j h_j,

        E[p_i - c_i]     = integral H sum_j b_ij m_j / h_j du,
        E[(p_i - c_i)^2] = integral H {(sum_j b_ij m_j / h_j)^2 + sum_j b_ij^2 (s_j / h_j - (m_j / h_j)^2)} du.
    """
    logits = logits - logits.max()
    logits = logits - log(np.exp(logits).sum())  # puts the mass of every integrand near u = 0
    centre = np.exp(logits)
    departure = np.expm1(scale * INNER)  # d_j / exp(l_j), (G,)
    weights = INNER_WEIGHTS[:, None] * departure[:, None] ** [0, 1, 2]  # (G, 3)
    shift, square = np.zeros(logits.size), np.zeros(logits.size)
    rows = max(1, CHUNK // (logits.size * INNER.size))
    for start in range(0, OUTER.size, rows):
        level = np.exp(OUTER[start : start + rows, None] + logits)  # e^u exp(l_j), (U, K)
        h, m, s = np.moveaxis(np.exp(-level[..., None] * (1.0 + departure)) @ weights, -1, 0)  # m, s without `level`
        h = np.maximum(h, 1e-300)
        mass = STEP * np.exp(np.log(h).sum(axis=1))  # H du, (U,)
        first = level * m / h
        second = level**2 * s / h - first**2
        linear = first - centre * first.sum(axis=1, keepdims=True)  # sum_j b_ij first_j
        quadratic = (1.0 - 2.0 * centre) * second + centre**2 * second.sum(axis=1, keepdims=True)  # with b_ij^2
        shift += mass @ linear
        square += mass @ (linear**2 + quadratic)
    return centre + shift, np.maximum(square - shift**2, 0.0)


def log_density(z: ArrayLike, logits: ArrayLike, temperature: float) -> Array:
    """The density log p(z) of relaxed samples on the simplex, over the last axis (Jang et al. 2017, appendix B).

        log Gamma(K) + (K - 1) log tau - K log sum_i pi_i z_i^-tau + sum_i (l_i - (tau + 1) log z_i)

    It is a density with respect to the first K - 1 coordinates, in nats. `z` and `logits` (..., K) broadcast. Raises
    ValueError for logits that are not finite, and for a z that does not lie strictly inside the simplex.
    """
    logits, temperature = _checked(logits, temperature)
    z = np.asarray(z, dtype=np.float64)
    if not np.isfinite(logits).all():
        raise ValueError("the density needs finite logits: a class of probability zero leaves the simplex")
    if not (z > 0).all() or not np.allclose(z.sum(axis=-1), 1.0, rtol=0.0, atol=1e-6):
        raise ValueError("z must lie strictly inside the simplex: positive, with sum 1")
    classes = logits.shape[-1]
    scores = logits - temperature * np.log(z)
    top = scores.max(axis=-1, keepdims=True)
    log_sum = top[..., 0] + np.log(np.exp(scores - top).sum(axis=-1))
    constant = lgamma(classes) + (classes - 1) * log(temperature)
    return np.asarray(constant - classes * log_sum + (scores - np.log(z)).sum(axis=-1))


def random_logits(classes: int, rng: np.random.Generator) -> Array:
    """A random law (K,) as the article makes its own: W x with x ~ N(0, I_10) and weights of deviation 3 / sqrt(10)."""
    x = rng.standard_normal(10)
    weights = rng.normal(0.0, 3.0 / np.sqrt(10.0), size=(classes, 10))
    return np.asarray(weights @ x)


def _checked(logits: ArrayLike, temperature: float) -> tuple[Array, float]:
    logits = np.asarray(logits, dtype=np.float64)
    if not 0.0 < temperature < np.inf:
        raise ValueError(f"the temperature must be positive and finite, not {temperature}")
    if np.isnan(logits).any() or not np.isfinite(logits.max(axis=-1)).all():
        raise ValueError("logits must hold no nan or +inf, and at least one finite value")
    return logits, float(temperature)
