"""What samples of a gradient, or its exact mean, say of its bias: every number with its error; torch alone."""

from math import sqrt

from torch import Tensor

from gsm_cli.records.gradients import DEVIATIONS, MeanGradient

PAIRS = 1_000  # differences of two estimates that tr S^2 is computed from


def exact_mean(mean: Tensor, exact: Tensor) -> MeanGradient:
    """A mean gradient (D,) that is known without noise, against the exact gradient (D,)."""
    norm = exact.norm()
    size = mean.norm()
    cosine = None if size < 1e-12 * norm else (mean @ exact / (size * norm)).clamp(-1.0, 1.0).item()
    return MeanGradient(
        cosine=cosine,
        cosine_error=0.0,
        squared_bias=((mean - exact).norm() / norm).square().item(),
        squared_noise=0.0,
        bias_error=0.0,
    )


def sampled_mean(samples: Tensor, exact: Tensor) -> MeanGradient:
    """The mean of independent estimates (R, D), of which there are at least four, against the exact gradient (D,).

    In units of |exact|, with m the mean's deviation from it and S the covariance of one estimate, the squared bias b^2
    is estimated by |m|^2 - tr S / R, whose variance is

        4 b'Sb / R + 2 tr S^2 / R^2,    where m'Sm estimates b'Sb + tr S^2 / R.

    The first term is the noise along the bias's direction: by the delta method that of |m| is m'Sm / (|m|^2 R). The
    second is all that is left without a bias, when (|m|^2 - tr S / R) / (sqrt(2 tr S^2) / R) is about standard normal
    (the more so, the more directions the noise has). The squared norm n of the mean is freed of its noise in the same
    way, and with e the exact unit vector the cosine c = mean'e / sqrt(n) has the gradient v = e / sqrt(n) - c mean / n,
    so that its variance is v'Sv / R.
    """
    count, scale = len(samples), exact.norm()
    samples, exact = samples / scale, exact / scale
    mean = samples.mean(dim=0)
    off = mean - exact
    of_mean = samples.var(dim=0).sum().item() / count  # tr S / R
    squares = squared_trace(samples)
    noise = sqrt(2.0 * squares) / count
    squared_bias = off.square().sum().item() - of_mean
    variance = max(4.0 * (samples @ off).var().item() / count - noise**2, noise**2)
    cosine, cosine_error = None, 0.0
    squared_norm = mean.square().sum().item() - of_mean
    if squared_norm > max(DEVIATIONS * noise, 1e-24):
        cosine = (mean @ exact).item() / sqrt(squared_norm)
        direction = exact / sqrt(squared_norm) - cosine * mean / squared_norm
        cosine_error = sqrt((samples @ direction).var().item() / count)
    return MeanGradient(
        cosine=None if cosine is None else min(max(cosine, -1.0), 1.0),
        cosine_error=cosine_error,
        squared_bias=squared_bias,
        squared_noise=noise,
        bias_error=sqrt(variance) / (2.0 * sqrt(max(squared_bias, noise))) if variance > 0.0 else 0.0,
    )


def squared_trace(samples: Tensor) -> float:
    """The trace of S^2, without bias, of the covariance S of independent rows (R, D), at least four of them.

    A difference y = (x - x') / sqrt(2) of two rows has mean 0 and the covariance S, and for two independent ones
    E[(y_i'y_j)^2] = tr S^2: the mean over all i != j, off the diagonal of the Gram matrix of R / 2 differences. No S,
    which would have D^2 entries, is formed. Of many rows the first 2,000 are enough: they are as random as any.
    """
    pairs = min(len(samples) // 2, PAIRS)
    differences = (samples[: 2 * pairs : 2] - samples[1 : 2 * pairs : 2]) / sqrt(2.0)
    gram = (differences @ differences.T).square().fill_diagonal_(0.0)
    return (gram.sum() / (pairs * (pairs - 1))).item()


def deviation(samples: Tensor, exact: Tensor) -> tuple[float, float]:
    """sqrt(tr S) of independent estimates (R, D), in units of |exact|, and its error by the delta method."""
    count = len(samples)
    squares = ((samples - samples.mean(dim=0)) / exact.norm()).square().sum(dim=1) * (count / (count - 1))  # (R,)
    root = sqrt(squares.mean().item())
    return root, squares.std().item() / sqrt(count) / (2 * root) if root > 0 else 0.0
