"""What estimators refuse: each breach of a rule is a ValueError that names the rule and the value."""

from math import inf, nan
from re import escape

import pytest
import torch
from every import ANNEALED, ESTIMATORS

from gsm_cli.model.categorical import relax
from gsm_cli.model.estimators import (
    GappedStraightThrough,
    Marginal,
    Rebar,
    Reinforce,
    ReinMax,
    ReinMaxRao,
    SparseMarginal,
    SumAndSample,
)

RELAXED = [*ANNEALED, ReinMax]
EACH = pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("temperature", [0.0, -1.0, nan, inf, -inf])
@pytest.mark.parametrize("kind", RELAXED)
def test_a_temperature_is_positive_and_finite(kind, temperature):
    with pytest.raises(ValueError, match=f"the temperature must be positive and finite, not {temperature}"):
        kind(temperature)


@pytest.mark.parametrize("temperature", ["0.5", None, [0.5]], ids=repr)
@pytest.mark.parametrize("kind", [*RELAXED, lambda value: relax(torch.zeros(3), torch.zeros(3), value)])
def test_a_temperature_is_a_number_or_a_tensor(kind, temperature):
    with pytest.raises(ValueError, match=escape(f"the temperature must be positive and finite, not {temperature}")):
        kind(temperature)


@pytest.mark.parametrize("temperature", [0.5, 1 - 2**-53])
def test_reinmax_has_a_temperature_of_at_least_one(temperature):
    with pytest.raises(ValueError, match=f"the temperature must be at least 1, not {temperature}"):
        ReinMax(temperature)
    ReinMax(1.0)


@pytest.mark.parametrize("temperature", [0.0, nan])
def test_relax_takes_the_temperatures_that_the_law_takes(temperature):
    with pytest.raises(ValueError, match="the temperature must be positive and finite"):
        relax(torch.zeros(3), torch.zeros(3), temperature)


@pytest.mark.parametrize("value", [0.0, -1.0, nan, inf])
@pytest.mark.parametrize(("kind", "name"), [(GappedStraightThrough, "gap"), (Rebar, "eta")])
def test_a_gap_and_a_scale_are_positive_and_finite(kind, name, value):
    with pytest.raises(ValueError, match=f"^{name} must be positive and finite, not {value}$"):
        kind(1.0, **{name: value})


@pytest.mark.parametrize(
    ("kind", "name", "value", "least"),
    [
        *[(kind, "draws", value, 1) for kind in (*RELAXED[:3], ReinMaxRao) for value in (0, -1, 1.5, True)],
        *[(Reinforce, "draws", 1, 2), (Reinforce, "draws", 2.5, 2)],
        *[(SumAndSample, "top", 0, 1), (SumAndSample, "top", 1.5, 1)],
        *[(Marginal, "piece", 0, 1), (Marginal, "keep", -1, 0)],
    ],
)
def test_counts_are_whole_numbers(kind, name, value, least):
    others = {"temperature": 0.5} if kind in RELAXED else {}
    with pytest.raises(ValueError, match=f"{name} must be a whole number from {least} on, not {value}"):
        kind(**others, **{name: value})
    kind(**others, **{name: least})


@pytest.mark.parametrize("threshold", [-0.1, 1.0, nan, inf, None])
def test_a_threshold_is_a_probability_below_one(threshold):
    with pytest.raises(ValueError, match=f"the threshold must be at least 0 and less than 1, not {threshold}"):
        SparseMarginal(threshold)


@EACH
@pytest.mark.parametrize("shape", [(), (0,), (4, 0)], ids=str)
def test_logits_have_a_class(estimator, shape):
    rule = escape(f"logits must have the shape (..., K) with at least one class, not {shape}")
    with pytest.raises(ValueError, match=rule):
        estimator(lambda y, images=None: y.sum(dim=-1), torch.zeros(shape), rng())


@EACH
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_a_bound_gets_y_as_precise_as_the_logits(estimator, kind):
    kinds = set()
    estimator(lambda y, images=None: kinds.add(y.dtype) or y.sum(dim=-1), torch.zeros(3, 4, dtype=kind), rng())
    assert kinds == {kind}


@EACH
def test_one_class_is_enough(estimator):
    values = estimator(lambda y, images=None: 2.0 * y.sum(dim=-1), torch.zeros(3, 1), rng())
    torch.testing.assert_close(values, torch.full((3,), 2.0))


@EACH
@pytest.mark.parametrize("wrong", ["the dimension of classes is left", "summed over images", "a dimension too many"])
def test_a_bound_has_one_value_for_each_y(estimator, wrong):
    shapes: list[tuple[int, ...]] = []
    estimator(lambda y, images=None: shapes.append(tuple(y.shape)) or y.sum(dim=-1), torch.zeros(3, 4), rng())
    y = shapes[0]
    wanted = (4, 3) if y == (4, 1, 4) else y[:-1]  # the sum evaluates every class for all images
    makes = {
        "the dimension of classes is left": lambda y: 2.0 * y,
        "summed over images": lambda y: y.sum(),
        "a dimension too many": lambda y: y.sum(dim=-1)[None].expand(5, *y.shape[:-1]),
    }[wrong]
    found = tuple(makes(torch.zeros(y)).shape)
    with pytest.raises(ValueError, match=escape(f"the bound of y {y} must have the shape {wanted}, not {found}")):
        estimator(lambda y, images=None: makes(y), torch.zeros(3, 4), rng())


@EACH
@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda y: y.sum(dim=-1).long(), "torch.int64"),
        (lambda y: y.sum(dim=-1) > 0, "torch.bool"),
        (lambda y: y.sum(dim=-1).detach().numpy(), "ndarray"),
        (lambda y: 1.0, "float"),
    ],
    ids=["whole numbers", "truth", "NumPy", "a number"],
)
def test_a_bound_has_values_that_have_a_gradient(estimator, make, kind):
    """Estimates have the dtype of the bound: of whole numbers they would be rounded, and without a gradient."""
    with pytest.raises(ValueError, match=f"^the bound must be a tensor of floating-point numbers, not {kind}: convert"):
        estimator(lambda y, images=None: make(y), torch.zeros(3, 4), rng())


def test_values_of_other_images_are_refused_although_they_broadcast():
    with pytest.raises(ValueError, match=escape("must have the shape (4, 1, 3), not (4, 2, 3)")):
        Marginal()(lambda y: y.sum(dim=-1).expand(4, 2, 3), torch.zeros(1, 3, 4), rng())


class TestSingleImages:
    def test_a_bound_of_y_alone_is_refused_by_name_of_what_is_needed(self):
        sentence = "the bound must take (y, images) to be evaluated for single images, not y alone"
        with pytest.raises(ValueError, match=f"^{escape(sentence)}$"):
            SparseMarginal()(lambda y: y.sum(dim=-1), torch.zeros(3, 4), rng())

    def test_an_error_of_the_bound_itself_is_its_own(self):
        def bound(y: torch.Tensor, images: torch.Tensor | None = None) -> torch.Tensor:
            raise TypeError("of the bound")

        with pytest.raises(TypeError, match="of the bound"):
            SparseMarginal()(bound, torch.zeros(3, 4), rng())
