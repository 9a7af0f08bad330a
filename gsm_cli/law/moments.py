"""The exact moments of the Gumbel-Softmax law, by quadrature; `logits` (K,) are those of one law, as in `gumbel`."""

from math import log

import numpy as np
from numpy.typing import ArrayLike

from gsm_cli.law.gumbel import CHUNK, Array, one_law, one_temperature


def exact_expectation(logits: ArrayLike, temperature: float) -> Array:
    """E[z] (K,), as exact as `exact_moments` says: what `expectation` tends to."""
    return exact_moments(logits, temperature)[0]


def exact_standard_deviation(logits: ArrayLike, temperature: float) -> Array:
    """The standard deviation of each z_i in one draw (K,), as exact; by sqrt(n) that of the mean of n draws."""
    return np.sqrt(exact_moments(logits, temperature)[1])


# The quadratures below use the trapezoid rule on the whole line, which for integrands analytic in the strip
# |Im| < pi/2 errs by exp(-pi^2 / STEP), that is 1e-17. Beyond the ranges the integrands are below 1e-19.
STEP = 0.25
OUTER = np.arange(-45.0, 10.0, STEP)  # values of u
INNER = np.arange(-4.0, 52.0, STEP)  # values of the noise g
INNER_WEIGHTS = STEP * np.exp(-INNER - np.exp(-INNER))  # its density

# What a class adds to them is analytic in its logit for |Im| < pi, where h has no zero. The polynomial through so many
# Chebyshev nodes of a cell of width 1 therefore errs by (2 pi + sqrt(4 pi^2 + 1))^-14, that is 5e-16.
CELL = 14
NODES = np.cos(np.pi * (np.arange(CELL) + 0.5) / CELL)  # in [-1, 1]
LOWEST = -800.0  # a logit whose exp is 0, also with the greatest u


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
    exceptions: where a class has a tiny probability p to 1e-11, and with tau from about 1 to 2 to 1e-22 / p of the
    value (1e-10 for 1e-12; below 1e-20 it says nothing); where it is almost certain, the variance to 1e-16.
    """
    logits, temperature = one_law(logits), one_temperature(temperature)
    softness = min(temperature, 1.0)
    mean, variance = _smooth_moments(logits / max(temperature, 1.0), min(temperature, 1.0 / temperature))
    return mean, softness * variance + (1.0 - softness) * mean * (1.0 - mean)


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
    logits = np.maximum(logits - log(np.exp(logits).sum()), LOWEST)  # puts the mass of every integrand near u = 0
    cells, cell = np.unique(np.floor(logits), return_inverse=True)  # each of width 1
    if CELL * cells.size >= logits.size:
        shift, square = _integrals(logits, np.ones(logits.size), scale)
    else:
        # a class enters through its logit alone, so the nodes of its cell stand in for it, each with a weight
        weights = _chebyshev(2.0 * (logits - cells[cell]) - 1.0) @ np.linalg.inv(_chebyshev(NODES))  # (K, CELL)
        counts = np.zeros((cells.size, CELL))
        np.add.at(counts, cell, weights)
        nodes = cells[:, None] + 0.5 * (NODES + 1.0)
        at_nodes = [values.reshape(counts.shape) for values in _integrals(nodes.ravel(), counts.ravel(), scale)]
        shift, square = ((weights * values[cell]).sum(axis=-1) for values in at_nodes)
    return np.exp(logits) + shift, np.maximum(square - shift**2, 0.0)


def _chebyshev(x: Array) -> Array:
    """The polynomials T_0 .. T_13 at x (N,) in [-1, 1], (N, CELL)."""
    return np.asarray(np.polynomial.chebyshev.chebvander(x, CELL - 1))


def _integrals(logits: Array, counts: Array, scale: float) -> tuple[Array, Array]:
    """Those two integrals, each (K,), where so many classes have each of the logits."""
    centre = np.exp(logits)
    departure = np.expm1(scale * INNER)  # d_j / exp(l_j), (G,)
    weights = INNER_WEIGHTS[:, None] * departure[:, None] ** [0, 1, 2]  # (G, 3)
    shift, square = np.zeros(logits.size), np.zeros(logits.size)
    rows = max(1, CHUNK // (logits.size * INNER.size))
    for start in range(0, OUTER.size, rows):
        level = np.exp(OUTER[start : start + rows, None] + logits)  # e^u exp(l_j), (U, K)
        h, m, s = np.moveaxis(np.exp(-level[..., None] * (1.0 + departure)) @ weights, -1, 0)  # m, s without `level`
        h = np.maximum(h, 1e-300)
        mass = STEP * np.exp((counts * np.log(h)).sum(axis=1))  # H du, (U,)
        first = level * m / h
        second = level**2 * s / h - first**2
        linear = first - centre * (counts * first).sum(axis=1, keepdims=True)  # sum_j b_ij first_j
        quadratic = (1.0 - 2.0 * centre) * second + centre**2 * (counts * second).sum(axis=1, keepdims=True)  # b_ij^2
        shift += mass @ linear
        square += mass @ (linear**2 + quadratic)
    return shift, square
