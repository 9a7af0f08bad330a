"""One of every estimator, for tests that hold for all of them; in every place the settings differ from the defaults."""

from gsm_cli.model.estimators import (
    GappedStraightThrough,
    Gumbel,
    GumbelRao,
    Marginal,
    MinusLogQ,
    Rebar,
    Reinforce,
    ReinMax,
    ReinMaxRao,
    SparseMarginal,
    StraightThrough,
    StraightThroughGumbel,
    SumAndSample,
    UnorderedSet,
)

ANNEALED = [  # with a temperature of any size
    *(Gumbel, StraightThroughGumbel, GumbelRao, StraightThrough, GappedStraightThrough, ReinMaxRao, Rebar)
]
SCORED = [Reinforce(), Reinforce(5), SumAndSample(), SumAndSample(2), UnorderedSet()]
ESTIMATORS = [
    *(Marginal(), SparseMarginal(0.1), SparseMarginal(0.0), SumAndSample(9)),
    *(kind(0.5) for kind in ANNEALED),
    *(StraightThrough(1.0, forward_tau=0.5), GappedStraightThrough(0.7, gap=2.0), ReinMax(), Rebar(1.0, eta=0.5)),
    *(SCORED + [MinusLogQ(each) for each in (*SCORED[2:], SumAndSample(9))]),
]
