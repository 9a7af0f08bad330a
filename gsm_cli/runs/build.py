"""From a name to the estimator that it means."""

from gsm_cli.config import Objective, RunConfig
from gsm_cli.model.estimators import (
    Estimator,
    Gumbel,
    GumbelRao,
    Marginal,
    Reinforce,
    ReinMax,
    SparseMarginal,
    StraightThrough,
    SumAndSample,
)


def build_estimator(config: RunConfig, tau: float | None) -> Estimator:
    """The estimator that an objective names, at the temperature of the step."""
    draws = {} if config.draws is None else {"draws": config.draws}
    match config.objective:
        case Objective.MARGINALIZE:
            return Marginal()
        case Objective.SUM_AND_SAMPLE:
            assert config.top is not None
            return SumAndSample(config.top)
        case Objective.SPARSE_MARGINALIZE:
            assert config.threshold is not None
            return SparseMarginal(config.threshold)
        case Objective.REINFORCE:
            return Reinforce(**draws)
    assert tau is not None
    match config.objective:
        case Objective.STRAIGHT_THROUGH:
            return StraightThrough(tau, **draws)
        case Objective.GUMBEL_RAO:
            return GumbelRao(tau, **draws)
        case Objective.REINMAX:
            return ReinMax(tau)
    return Gumbel(tau, **draws)
