"""The categorical law in torch, at the ends of its noise and outcome by outcome."""

from itertools import product
from math import log

import pytest
import torch

from gsm_cli.model.categorical import Outcomes, gumbel_noise, sample_one_hot


def test_noise_is_that_of_the_middle_of_each_part(monkeypatch):
    """The first, the middle and the last of the 2**52 equal parts of (0, 1)."""
    parts = torch.tensor([0, 2**51, 2**52 - 1])
    monkeypatch.setattr(torch, "randint", lambda most, *_, **__: parts if most == 2**52 else None)
    noise = gumbel_noise((3,), torch.Generator(), torch.zeros((), dtype=torch.float64))
    expected = [-log(53 * log(2)), -log(log(2)), 53 * log(2)]  # u = 2**-53, 1/2 and 1 - 2**-53
    torch.testing.assert_close(noise, torch.tensor(expected, dtype=torch.float64), rtol=1e-12, atol=0)


class TestOutcomes:
    PROBABILITIES = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]], dtype=torch.float64)

    def test_every_outcome_of_two_draws_comes_once_with_its_probability(self):
        """All nine pairs of classes, for two images at once: the number in base 3, its first digit first."""
        for number, (second, first) in enumerate(product(range(3), repeat=2)):
            rng = Outcomes(torch.tensor([number, 8 - number]))
            draws = [sample_one_hot(self.PROBABILITIES.log(), rng) for _ in range(2)]
            assert [each.argmax(-1).tolist() for each in draws] == [[first, 2 - first], [second, 2 - second]]
            assert all(each.dtype == torch.float64 and each.sum() == 2 for each in draws)
            expected = [
                log(self.PROBABILITIES[0, first] * self.PROBABILITIES[0, second]),
                log(self.PROBABILITIES[1, 2 - first] * self.PROBABILITIES[1, 2 - second]),
            ]
            assert rng.log_q.tolist() == pytest.approx(expected)
            assert not rng.drew

    def test_leading_dimensions_are_draws(self):
        """Two draws at once are those of two calls; the logits need not be normalised, and learn nothing."""
        rng, logits = Outcomes(torch.tensor([5, 1])), (self.PROBABILITIES.log() + 1).float().requires_grad_()
        chosen = sample_one_hot(logits.expand(2, 2, 3), rng)
        assert chosen.argmax(-1).tolist() == [[2, 1], [1, 0]]
        assert chosen.dtype == torch.float32
        assert rng.log_q.tolist() == pytest.approx([log(0.2 * 0.3), log(0.1 * 0.1)])
        assert rng.log_q.dtype == torch.float64
        assert not rng.log_q.requires_grad
        assert rng.draws == 2

    def test_the_digits_of_later_draws_are_zeros(self):
        rng = Outcomes(torch.tensor([4]))
        draws = [sample_one_hot(torch.zeros(1, 3), rng).tolist() for _ in range(4)]
        assert draws == [[[0, 1, 0]], [[0, 1, 0]], [[1, 0, 0]], [[1, 0, 0]]]

    def test_other_noise_is_noticed(self):
        rng = Outcomes(torch.tensor([0]))
        gumbel_noise((1,), rng, torch.zeros(1))
        assert rng.drew

    def test_there_is_an_outcome_for_every_row(self):
        with pytest.raises(ValueError, match=r"^logits must have 2 rows, not 3$"):
            Outcomes(torch.tensor([0, 1])).one_hot(torch.zeros(1, 3, 4))
