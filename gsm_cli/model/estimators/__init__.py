"""Ways to average a conditional bound over the class: E_{y ~ q(y)}[bound(y)].

An estimator takes the bound as a function of y on the simplex, the logits (..., K) of q(y), and a generator for its
noise; it returns (...): a number for one law (K,), (B,) for the laws of B images, (S, B) for S draws of each. Its
gradient, not only its value, is an estimate: where q(y) enters by sampling, a term of value zero carries the gradient.
A class with the logit -inf has no weight in any. What is wrong with a setting, the logits or the bound is a ValueError.

`sums` has what computes the sum, `unbiased` the score-function estimators, `biased` Gumbel-Softmax and what gives a
one-hot sample a gradient.
"""

from gsm_cli.model.estimators.biased import (
    GappedStraightThrough,
    Gumbel,
    GumbelRao,
    ReinMax,
    ReinMaxRao,
    StraightThrough,
    StraightThroughGumbel,
)
from gsm_cli.model.estimators.sums import Marginal, SparseMarginal
from gsm_cli.model.estimators.unbiased import MinusLogQ, Rebar, Reinforce, SumAndSample, UnorderedSet

__all__ = ["GappedStraightThrough", "Gumbel", "GumbelRao", "Marginal", "MinusLogQ", "Rebar", "ReinMax", "ReinMaxRao"]
__all__ += ["Reinforce", "SparseMarginal", "StraightThrough", "StraightThroughGumbel", "SumAndSample", "UnorderedSet"]
