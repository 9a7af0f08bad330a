"""Every estimator for logits of any constant, any dtype, any temperature, masked, and of no law; and its NumPy twin."""

import subprocess
import sys
from math import inf, nan

import numpy as np
import pytest
import torch
from every import ANNEALED, ESTIMATORS
from torch import Tensor
from torch.distributions import RelaxedOneHotCategorical
from torch.distributions.relaxed_categorical import ExpRelaxedCategorical

from gsm_cli.law import gumbel, moments
from gsm_cli.model import categorical
from gsm_cli.model.categorical import entropy, gumbel_noise, log_density_of_log, log_relax, relax
from gsm_cli.model.checks import NotALawError
from gsm_cli.model.estimators import (
    Gumbel,
    Marginal,
    Reinforce,
    ReinMax,
    SparseMarginal,
    StraightThrough,
    StraightThroughGumbel,
    SumAndSample,
    UnorderedSet,
)

K = 4
CONSTANTS = {  # which leave multiples of 1/8 up to 2 as they are
    torch.bfloat16: 16.0,
    torch.float16: 128.0,
    torch.float32: 2.0**17,
    torch.float64: 2.0**40,
}
EACH = pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
DTYPES = pytest.mark.parametrize("dtype", CONSTANTS, ids=str)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def first(y: Tensor, images: Tensor | None = None) -> Tensor:
    return y[..., 0]


def smooth(y: Tensor, images: Tensor | None = None) -> Tensor:
    return (y * y.new_tensor([1.0, -2.0, 3.0, 0.5])[: y.shape[-1]]).sum(dim=-1).sin()


def on_a_grid(dtype: torch.dtype, rows: int = 50) -> Tensor:
    """Logits (rows, K) that are multiples of 1/8, with ties."""
    return (torch.randint(-16, 17, (rows, K), generator=rng(1)) / 8).to(dtype)


def estimate(estimator, logits: Tensor, bound=smooth) -> tuple[Tensor, Tensor]:
    """The values and their gradient, always with the same noise."""
    leaf = logits.clone().requires_grad_()
    values = estimator(bound, leaf, rng())
    return values.detach(), torch.autograd.grad(values.sum(), leaf)[0]


class TestAnyConstant:
    @DTYPES
    @EACH
    def test_changes_nothing(self, estimator, dtype):
        logits = on_a_grid(dtype)
        expected = estimate(estimator, logits)
        assert expected[0].dtype == expected[1].dtype == dtype
        for constant in (CONSTANTS[dtype], -CONSTANTS[dtype]):
            torch.testing.assert_close(estimate(estimator, logits + constant), expected, rtol=0, atol=0)
            torch.testing.assert_close(entropy(logits + constant), entropy(logits), rtol=0, atol=0)

    @DTYPES
    @EACH
    def test_has_the_dtype_of_the_bound(self, estimator, dtype):
        """And the gradient that of the logits."""
        values, gradient = estimate(estimator, on_a_grid(dtype), lambda y, images=None: smooth(y.double()))
        assert (values.dtype, gradient.dtype) == (torch.float64, dtype)

    @DTYPES
    @EACH
    def test_low_precision_is_that_of_the_rounded_result(self, estimator, dtype):
        """Not of rounded noise: the same draws as in float32, to the digits of the dtype."""
        expected = estimate(estimator, on_a_grid(torch.float32))[0]
        values = estimate(estimator, on_a_grid(dtype))[0].float()
        torch.testing.assert_close(values, expected, rtol=0, atol=8 * torch.finfo(dtype).eps + 1e-6)

    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
    @pytest.mark.parametrize(
        "estimator", [*(kind(0.5) for kind in ANNEALED), ReinMax(), Reinforce(), UnorderedSet()], ids=repr
    )
    def test_ties_do_not_go_to_the_lowest_class(self, estimator, dtype):
        """200,000 draws of two equal classes; four standard errors."""
        values = estimator(first, torch.full((200_000, 2), 20.0, dtype=dtype), rng()).float()
        assert values.mean().item() == pytest.approx(0.5, abs=4 * 0.5 / 200_000**0.5)

    @pytest.mark.parametrize("constant", [0.0, 1e10, -1e15])
    def test_changes_nothing_in_numpy(self, constant):
        logits, noise = np.array([0.0, 1.0, -2.0]), np.array([0.3, -0.2, 1.5])
        z = gumbel.relax(logits, noise, 0.5)
        assert np.array_equal(gumbel.relax(logits + constant, noise, 0.5), z)
        assert np.array_equal(gumbel.log_density(z, logits + constant, 0.5), gumbel.log_density(z, logits, 0.5))
        for ours, theirs in zip(
            moments.exact_moments(logits + constant, 0.5), moments.exact_moments(logits, 0.5), strict=True
        ):
            assert np.array_equal(ours, theirs)


class TestAnyOrder:
    @pytest.mark.parametrize("estimator", [Marginal(), SumAndSample(9), SparseMarginal(0.1)], ids=repr)
    @DTYPES
    def test_of_the_classes_is_followed(self, estimator, dtype):
        logits, order = on_a_grid(dtype), torch.tensor([2, 0, 3, 1])
        values, gradient = estimate(estimator, logits)
        moved = estimate(estimator, logits[:, order], lambda y, images=None: smooth(y[..., order.argsort()]))
        tolerance = 4 * torch.finfo(dtype).eps
        torch.testing.assert_close(moved, (values, gradient[:, order]), rtol=tolerance, atol=tolerance)

    @DTYPES
    def test_of_a_sample_is_followed(self, dtype):
        logits, order = on_a_grid(dtype), torch.tensor([2, 0, 3, 1])
        noise = gumbel_noise(tuple(logits.shape), rng(), logits)
        z = relax(logits, noise, 0.5)
        tolerance = 200 * torch.finfo(dtype).eps  # of scores up to 36, divided by 1/2
        torch.testing.assert_close(relax(logits[:, order], noise[:, order], 0.5), z[:, order], rtol=tolerance, atol=0)


class TestAnyTemperature:
    @pytest.mark.parametrize("temperature", [1e-300, 1e-40, 1e-8, 1e-4, 1.0, 1e4, 1e8, 1e40, 1e300])
    @pytest.mark.parametrize("kind", [*ANNEALED, ReinMax])
    @DTYPES
    def test_gives_finite_values_and_gradients(self, kind, temperature, dtype):
        if kind is ReinMax and temperature < 1.0:
            return
        logits = on_a_grid(dtype)
        logits[:, 1] = -inf
        logits[:, 2] = torch.finfo(dtype).min
        values, gradient = estimate(kind(temperature), logits)
        assert values.isfinite().all()
        if kind is not StraightThrough or dtype is not torch.float16:  # of two equal classes it is 1 / (4 tau)
            assert gradient.isfinite().all()
        assert not gradient[:, 1].any()

    @pytest.mark.parametrize("temperature", [1e-8, 1e8])
    @pytest.mark.parametrize("dtype", CONSTANTS, ids=str)
    def test_leaves_the_class(self, temperature, dtype):
        """Straight-through takes the same class at each, with the frequency of q: four standard errors."""
        logits = torch.tensor([0.0, 1.0, 2.0], dtype=dtype).expand(100_000, 3)
        drawn = [StraightThroughGumbel(tau)(first, logits, rng()) for tau in (temperature, 1.0)]
        assert torch.equal(*drawn)
        q = torch.tensor([0.0, 1.0, 2.0]).softmax(-1)[0].item()
        assert drawn[0].double().mean().item() == pytest.approx(q, abs=4 * (q / 100_000) ** 0.5)

    @pytest.mark.parametrize("temperature", [1e-8, 1e-3, 1.0, 1e3, 1e8])
    def test_is_that_of_numpy(self, temperature):
        logits = torch.randn(1000, K, dtype=torch.float64, generator=rng())
        logits[::3, 1] = -inf
        noise = gumbel_noise((1000, K), rng(), logits)
        for ours, theirs in ((relax, gumbel.relax), (log_relax, gumbel.log_relax)):
            expected = theirs(logits.numpy(), noise.numpy(), temperature)
            scale = np.where(np.isfinite(expected), abs(expected), 0.0).max()
            np.testing.assert_allclose(
                ours(logits, noise, temperature).numpy(),
                expected,
                rtol=1e-12,
                atol=1e-15 * (1 + 1 / temperature + scale),
            )


class TestTemperatures:
    @pytest.mark.parametrize("kind", [*ANNEALED, ReinMax])
    def test_of_several_laws_are_those_of_each(self, kind):
        logits, taus = torch.randn(3, K, dtype=torch.float64, generator=rng()), [1.0, 1.5, 4.0]
        together = kind(torch.tensor(taus, dtype=torch.float64)[:, None])(smooth, logits, rng())
        alone = [kind(tau)(smooth, logits, rng())[row] for row, tau in enumerate(taus)]
        torch.testing.assert_close(together, torch.stack(alone))

    @pytest.mark.parametrize("function", [relax, log_relax])
    def test_broadcast_as_in_numpy(self, function):
        twin = {relax: gumbel.relax, log_relax: gumbel.log_relax}[function]
        logits, noise = torch.randn(2, 3, K, dtype=torch.float64, generator=rng())
        taus = torch.tensor([0.1, 1.0], dtype=torch.float64)[:, None, None]
        together = function(logits, noise, taus)
        assert together.shape == (2, 3, K)
        for row, tau in enumerate((0.1, 1.0)):
            torch.testing.assert_close(together[row], function(logits, noise, tau))
        np.testing.assert_allclose(twin(logits.numpy(), noise.numpy(), taus.numpy()), together.numpy(), rtol=1e-12)

    def test_are_learned_beside_a_masked_class(self):
        """The derivative by the temperature, against a difference."""
        logits = torch.tensor([0.0, -inf, 1.0], dtype=torch.float64)
        tau = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(relax(logits, torch.zeros(3), tau)[0], tau)
        low, high = (relax(logits, torch.zeros(3), 0.5 + step)[0].item() for step in (-1e-6, 1e-6))
        assert slope.item() == pytest.approx((high - low) / 2e-6, rel=1e-6)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
    @pytest.mark.parametrize("kind", ANNEALED)
    def test_are_learned_by_every_estimator_beside_a_class_however_masked(self, kind, dtype):
        """By -inf or by the least finite number, as many write a mask: the slope is that without the class."""
        slopes = []
        for mask in (-inf, torch.finfo(dtype).min):
            tau = torch.tensor(0.1, dtype=dtype, requires_grad=True)
            logits = torch.tensor([0.3, mask, 0.1, 0.2], dtype=dtype)
            slopes += torch.autograd.grad(kind(tau)(smooth, logits, rng()), tau)
        assert slopes[0].isfinite()
        torch.testing.assert_close(slopes[1], slopes[0])

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int64], ids=str)
    @pytest.mark.parametrize("kind", ANNEALED)
    def test_may_be_of_any_dtype(self, kind, dtype):
        values = [kind(tau)(smooth, on_a_grid(torch.float32), rng()) for tau in (2.0, torch.tensor(2, dtype=dtype))]
        torch.testing.assert_close(values[1], values[0])

    @pytest.mark.parametrize("shape", [(3,), (2, K)])
    def test_are_one_for_all_classes(self, shape):
        sentence = r"^a temperature is one for all classes, of the shape \(..., 1\), not \("
        for function, ones in ((relax, torch.ones), (gumbel.relax, np.ones)):
            with pytest.raises(ValueError, match=sentence):
                function(ones((2, K)), ones((2, K)), ones(shape))
        with pytest.raises(ValueError, match=sentence):
            Gumbel(torch.ones(shape))

    def test_that_do_not_broadcast_are_refused(self):
        for function, ones in ((relax, torch.ones), (log_relax, torch.ones), (gumbel.relax, np.ones)):
            with pytest.raises(ValueError, match=r"^the shapes must broadcast, and do not: "):
                function(ones((2, K)), ones((2, K)), ones((3, 1)))
            with pytest.raises(ValueError, match=r"^the shapes must broadcast, and do not: "):
                function(ones((2, K)), ones((3, K)), 1.0)
        for shape in ((3, 1), (2, 1, 1)):
            with pytest.raises(ValueError, match=r"^the temperature \(.* must broadcast to the logits \(2, 4\): "):
                Gumbel(torch.ones(shape))(smooth, torch.zeros(2, K), rng())

    @pytest.mark.parametrize("wrong", [0.0, -1.0, nan, inf])
    def test_are_each_positive_and_finite(self, wrong):
        for function, array in ((relax, torch.tensor), (gumbel.relax, np.array)):
            with pytest.raises(ValueError, match=f"^the temperature must be positive and finite, not {wrong}$"):
                function(array([0.0, 1.0]), array([0.0, 1.0]), array([[1.0], [wrong]]))

    def test_of_moments_are_one(self):
        for function in (moments.exact_moments, lambda *law: gumbel.expectation(*law, 3, np.random.default_rng(0))):
            with pytest.raises(
                ValueError, match=r"^the temperature must be one number here, not of the shape \(2, 1\)"
            ):
                function([0.0, 1.0], np.ones((2, 1)))


NONE = {"nan": [nan, 0.0, 1.0], "+inf": [inf, 0.0, 1.0], "all -inf": [-inf, -inf, -inf]}


class TestNoLaw:
    @pytest.mark.parametrize("logits", NONE.values(), ids=NONE)
    @DTYPES
    def test_is_refused_alike_in_one_sentence(self, logits, dtype):
        with pytest.raises(ValueError, match=r"^the greatest logit of a law must be finite, not ") as twin:
            gumbel.relax([[0.0, 1.0, 2.0], logits], 0.0, 1.0)
        rows = torch.tensor([[0.0, 1.0, 2.0], logits], dtype=dtype)
        functions = [
            *(lambda rows, own=each: own(smooth, rows, rng()) for each in ESTIMATORS),
            *(entropy, SparseMarginal(0.1).entropy, lambda rows: relax(rows, torch.zeros(3), 1.0)),
            *(lambda rows: log_relax(rows, torch.zeros(3), 1.0), lambda rows: log_density_of_log(rows, rows, 1.0)),
        ]
        for function in functions:
            with pytest.raises(NotALawError) as ours:
                function(rows)
            assert str(ours.value) == str(twin.value)

    @EACH
    @pytest.mark.parametrize("logits", [torch.zeros(3, dtype=torch.int64), torch.zeros(3).bool(), np.zeros(3), [0.0]])
    def test_nor_are_numbers_of_another_kind(self, estimator, logits):
        with pytest.raises(ValueError, match=r"^logits must be a tensor of floating-point numbers, not \S+: convert"):
            estimator(smooth, logits, rng())

    @pytest.mark.parametrize("logits", [np.zeros(3, int), np.zeros(3, bool), np.zeros(3, complex), ["a", "b"], [1j]])
    def test_nor_are_they_in_numpy(self, logits):
        with pytest.raises(ValueError, match=r"^logits must be floating-point numbers, not \S+: convert them$"):
            gumbel.relax(logits, 0.0, 1.0)

    @EACH
    @pytest.mark.parametrize("logits", NONE.values(), ids=NONE)
    def test_is_handed_on_as_nan_where_it_is_not_checked(self, estimator, logits, monkeypatch):
        """As on a GPU: no estimator swallows it."""
        monkeypatch.setattr(categorical, "check_law", lambda *given: None)
        values = estimator(smooth, torch.tensor([logits, [0.0, 1.0, 2.0]]), rng())
        assert values.isnan().tolist() == [True, False]

    @pytest.mark.parametrize(
        "estimator", [each for each in ESTIMATORS if not isinstance(each, SparseMarginal)], ids=repr
    )
    def test_is_not_asked_for_in_vmap(self, estimator):
        """`SparseMarginal` evaluates as many images as have a class, which vmap does not know."""
        logits = torch.randn(5, 3, K, generator=rng())
        values = torch.func.vmap(lambda each: estimator(smooth, each, rng()), randomness="different")(logits)
        assert values.shape == (5, 3)
        assert values.isfinite().all()

    def test_the_sum_is_the_same_in_vmap(self):
        """And its gradient, as long as nothing has to be computed again."""
        leaves = [torch.randn(5, 3, K, generator=rng()).requires_grad_() for _ in range(2)]
        found = [torch.func.vmap(lambda each: Marginal()(smooth, each, rng()))(leaves[0])]
        found.append(Marginal()(smooth, leaves[1], rng()))
        torch.testing.assert_close(*found)
        gradients = [torch.autograd.grad(value.sum(), leaf)[0] for value, leaf in zip(found, leaves, strict=True)]
        torch.testing.assert_close(*gradients)

    def test_shapes_may_be_symbols(self):
        """As those of an exported function of batches of any size."""

        class Relaxed(torch.nn.Module):
            def forward(self, logits: Tensor, noise: Tensor) -> Tensor:
                return relax(logits, noise, 0.5)

        rows, (logits, noise) = torch.export.Dim("rows"), torch.randn(2, 4, K, generator=rng())
        shapes = {"logits": {0: rows}, "noise": {0: rows}}
        exported = torch.export.export(Relaxed(), (logits, noise), dynamic_shapes=shapes, strict=False).module()
        more = torch.randn(2, 7, K, generator=rng(1))
        torch.testing.assert_close(exported(*more), relax(*more, 0.5))


class TestNoWeight:
    @EACH
    @pytest.mark.parametrize("there", [nan, inf, -inf])
    @pytest.mark.parametrize("impossible", [[1], [0, 1, 2]], ids=["one class", "all but one"])
    @DTYPES
    def test_is_none_whatever_the_bound_is_there(self, estimator, there, impossible, dtype):
        """The bound is lost on every y that is nearest to a class that is masked, which no relaxed sample is."""
        logits = on_a_grid(dtype)
        logits[:, impossible] = -inf

        def lost(y: Tensor, images: Tensor | None = None) -> Tensor:
            masked = sum(y.argmax(dim=-1) == k for k in impossible)
            return torch.where(masked.bool(), there, smooth(y))

        values, gradient = estimate(estimator, logits, lost)
        torch.testing.assert_close((values, gradient), estimate(estimator, logits), rtol=0, atol=0)
        assert values.isfinite().all()
        assert not gradient[:, impossible].any()

    def test_is_none_where_the_probability_underflows(self):
        value, gradient = estimate(
            Marginal(), torch.tensor([0.0, -200.0]), lambda y: torch.where(y[..., 1] > 0, -inf, 1.0)
        )
        assert value == 1.0
        assert not gradient.any()

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32], ids=str)
    def test_is_none_in_the_entropy(self, dtype):
        most = torch.finfo(dtype).max
        logits = torch.tensor([most, -most], dtype=dtype, requires_grad=True)
        assert entropy(logits) == 0.0
        assert not torch.autograd.grad(entropy(logits), logits)[0].any()

    def test_is_none_of_half_logits_far_apart(self):
        for kind in ANNEALED:
            assert kind(0.1)(first, torch.tensor([0.0, 7000.0]).half(), rng()) == 0.0


class TestManyClasses:
    BOUNDED = """
import resource, torch
from gsm_cli.model.estimators import Marginal
resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
print(Marginal()(lambda y: y[..., 0], torch.zeros(1, 25_000), torch.Generator()).item())
"""

    def test_take_bounded_memory(self):
        """The K x K identity would be 2.5 GB, and the limit is 2 GiB."""
        finished = subprocess.run([sys.executable, "-c", self.BOUNDED], capture_output=True, text=True, check=False)
        assert finished.stderr == ""
        assert float(finished.stdout) == pytest.approx(1 / 25_000, rel=1e-5)

    def test_are_one_hot_in_pieces_of_one_small_array(self):
        arrays = {}

        def bound(y: Tensor) -> Tensor:
            arrays[y.untyped_storage().data_ptr()] = y.untyped_storage().nbytes()
            assert (y.sum(dim=-1) == 1).all()
            return y[..., 0, ::1] @ torch.arange(6_000.0)

        logits = torch.zeros(6_000, requires_grad=True)
        value = Marginal()(lambda y: bound(y[:, None]), logits, rng())
        assert value.item() == pytest.approx(2999.5, rel=1e-5)
        (gradient,) = torch.autograd.grad(value, logits)
        torch.testing.assert_close(gradient, (torch.arange(6_000.0) - 2999.5) / 6_000, rtol=0, atol=1e-3)
        assert len(arrays) == 1
        assert sum(arrays.values()) < 2 * 4 * 2**22 + 4 * 6_000 * 700


class TestLogSpace:
    LOGITS = torch.tensor([[0.5, -2.0, 1.0, 0.0], [3.0, 0.0, 0.1, -1.0]], dtype=torch.float64)

    @pytest.mark.parametrize("temperature", [0.005, 0.1, 1.0, 5.0, 100.0])
    def test_densities_are_those_of_torch(self, temperature):
        noise = gumbel_noise((100, 2, K), rng(), self.LOGITS)
        log_z = log_relax(self.LOGITS + 7.0, noise, temperature)
        expected = ExpRelaxedCategorical(torch.tensor(temperature, dtype=torch.float64), logits=self.LOGITS).log_prob(
            log_z
        )
        ours = log_density_of_log(log_z, self.LOGITS + 7.0, temperature)
        torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-8)
        twin = gumbel.log_density_of_log(log_z.numpy(), self.LOGITS.numpy() + 7.0, temperature)
        np.testing.assert_allclose(twin, ours.numpy(), rtol=1e-11, atol=1e-11)

    @pytest.mark.parametrize("temperature", [0.5, 1.0, 5.0])
    def test_less_the_jacobian_is_the_density_of_z(self, temperature):
        noise = gumbel_noise((100, 2, K), rng(), self.LOGITS)
        z, log_z = (function(self.LOGITS, noise, temperature) for function in (relax, log_relax))
        torch.testing.assert_close(log_z, z.log(), rtol=1e-10, atol=1e-10)
        law = RelaxedOneHotCategorical(torch.tensor(temperature, dtype=torch.float64), logits=self.LOGITS)
        ours = log_density_of_log(log_z, self.LOGITS, temperature) - log_z.sum(dim=-1)
        torch.testing.assert_close(ours, law.log_prob(z), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(gumbel.log_density(z.numpy(), self.LOGITS.numpy(), temperature), ours, rtol=1e-9)

    def test_is_exact_where_the_sample_underflows(self):
        """Two classes: log z is -log(1 + e^(difference / tau))."""
        logits, noise = np.array([0.3, -0.2]), np.array([0.1, 1.9])
        difference = (noise[1] + logits[1] - noise[0] - logits[0]) / 0.001
        assert gumbel.relax(logits, noise, 0.001)[0] == 0.0
        np.testing.assert_allclose(gumbel.log_relax(logits, noise, 0.001), [-difference, 0.0], rtol=1e-12)
        ours = log_relax(torch.from_numpy(logits), torch.from_numpy(noise), 0.001)
        np.testing.assert_allclose(ours, [-difference, 0.0], rtol=1e-12)

    def test_the_density_has_a_gradient(self):
        logits = self.LOGITS.clone().requires_grad_()
        log_z = log_relax(self.LOGITS, torch.zeros(K), 0.5)
        assert torch.autograd.gradcheck(lambda given: log_density_of_log(log_z, given, 0.5), logits)

    @pytest.mark.parametrize("log_z", [[-inf, 0.0], [-0.1, -0.1], [nan, 0.0], [0.5, 0.5], [-0.69314, -0.69314]])
    def test_what_is_no_logarithm_of_a_sample_is_refused(self, log_z):
        for function, given in ((gumbel.log_density_of_log, log_z), (log_density_of_log, torch.tensor(log_z).double())):
            with pytest.raises(ValueError, match=r"^log_z must be finite logarithms of numbers with sum 1"):
                function(given, torch.zeros(2), 1.0)

    def test_a_law_on_the_edge_of_the_simplex_has_no_density(self):
        log_z, logits = torch.tensor([0.5, 0.5]).log(), torch.tensor([0.0, -inf])
        for function in (gumbel.log_density_of_log, log_density_of_log):
            with pytest.raises(ValueError, match=r"^the density needs finite logits: "):
                function(log_z, logits, 1.0)

    @DTYPES
    @pytest.mark.parametrize("temperature", [0.1, 1.0, 100.0])
    def test_samples_of_every_dtype_have_a_density(self, dtype, temperature):
        logits = on_a_grid(dtype)
        log_z = log_relax(logits, gumbel_noise(tuple(logits.shape), rng(), logits), temperature)
        assert log_z.dtype == dtype
        assert log_density_of_log(log_z, logits, temperature).isfinite().all()

    def test_laws_of_one_number_broadcast_in_densities(self):
        """One logit beside three classes is that of each."""
        log_z = np.log([0.2, 0.3, 0.5])
        expected = gumbel.log_density_of_log(log_z, [0.0] * 3, 0.5)
        assert gumbel.log_density_of_log(log_z, [0.0], 0.5) == pytest.approx(expected)
        assert log_density_of_log(torch.from_numpy(log_z), torch.zeros(1).double(), 0.5) == pytest.approx(expected)

    def test_temperatures_broadcast_in_densities(self):
        taus, logits = np.array([[0.5], [2.0]]), [0.3, -1.0, 0.2]
        log_z = np.log([0.2, 0.3, 0.5])
        for function, given in ((gumbel.log_density_of_log, log_z), (gumbel.log_density, np.exp(log_z))):
            together = function(given, logits, taus)
            np.testing.assert_allclose(together, [function(given, logits, tau) for tau in (0.5, 2.0)], rtol=1e-13)
        ours = log_density_of_log(torch.from_numpy(log_z), torch.tensor(logits).double(), torch.from_numpy(taus))
        np.testing.assert_allclose(ours, gumbel.log_density_of_log(log_z, logits, taus), rtol=1e-7)
