"""noise_for: the least noise that keeps a promise, for the worst coalition."""

import math

import numpy as np
import pytest

from anyk.errors import Unachievable
from anyk.privacy.coalitions import most_bits_learned
from anyk.privacy.noise import noise_for


@pytest.mark.parametrize("leakage", [1e-9, 1e-3, 0.1, 2.0, 20.0])
@pytest.mark.parametrize("colluders", [1, 2])
def test_no_coalition_learns_more_and_less_noise_would_not_do(leakage, colluders):
    rng = np.random.default_rng(0)
    data, masks = rng.normal(size=(7, 3)), rng.normal(size=(7, 4))
    sigma, promised = noise_for(data, masks, colluders, variance=4.0, leakage=leakage)

    def bits(deviation):
        return most_bits_learned(data, deviation * masks, colluders, variance=4.0).bound

    assert (1 - 2e-4) * leakage <= bits(sigma) <= leakage
    assert bits(sigma) == pytest.approx(promised)
    assert bits(0.999 * sigma) > leakage


def test_one_share_and_one_block_by_hand():
    one = np.ones((1, 1))
    sigma, _ = noise_for(one, one, 1, variance=1.0, leakage=0.5)  # log2(1 + 1 / sigma^2) = 1
    assert sigma == pytest.approx(1.0, rel=1e-4)
    sigma, _ = noise_for(one * 1j, one, 1, variance=9.0, leakage=1.0)  # no half over C
    assert sigma == pytest.approx(3.0, rel=1e-4)


def test_a_coalition_without_noise_can_not_be_stopped():
    data, masks = np.eye(3), np.ones((3, 1))
    assert math.isfinite(noise_for(data, masks, 1, variance=1.0, leakage=0.1)[0])
    with pytest.raises(Unachievable, match="Lower colluders"):
        noise_for(data, masks, 2, variance=1.0, leakage=0.1)
