"""Products decoded from workers are those of integers, and the minimum found with them is one."""

import numpy as np
import pytest
from scipy.optimize import minimize

import anyk
from anyk.learn import CodedLinearRegression
from anyk.learn.formats import choose_formats
from anyk.learn.products import CodedProducts, exponent_of
from anyk.learn.report import Roll
from anyk.learn.subspace import PlainProducts, minimise
from anyk.learn.training import in_blocks
from anyk.losses import LogLoss, MultinomialLoss, SquaredLoss


def exact(left, right):
    """A product of reals that are multiples of small powers of two, without any rounding."""
    return (np.ldexp(left, 60).astype(object) @ np.ldexp(right, 60).astype(object)) / 2**120


@pytest.mark.parametrize("primes", [1, 2, 3])
@pytest.mark.parametrize("size", [1e-200, 0.3, 7e100])
def test_products_are_those_of_the_integers(primes, size):
    generator = np.random.default_rng(primes)
    X = generator.uniform(-1, 1, (20, 6))
    formats = choose_formats(10, primes=primes)
    rounded = formats.data.quantise(X)
    scheme = anyk.Lagrange(3, 2, 8, colluders=1)
    with (
        anyk.Inline(8) as executor,
        anyk.distribute(scheme, in_blocks(rounded, 3), executor, embedding=formats.data) as data,
    ):
        products = CodedProducts(
            data=data, formats=formats, rows=20, generator=generator, roll=Roll(workers=8)
        )
        factor = size * generator.normal(size=(6, 2))
        taken, images = products.forward(factor)
        slopes = size * generator.normal(size=(20, 2))
        gradient = products.backward(slopes)
        nothing = products.backward(np.zeros((20, 2)))
    unit = 2.0 ** exponent_of(factor)
    assert np.abs(taken - factor).max() <= unit * 2.0**-formats.weight_bits
    np.testing.assert_allclose(
        images / unit, exact(rounded, taken / unit).astype(float), rtol=1e-15
    )
    error = np.abs(gradient - rounded.T @ slopes).max()
    assert error <= 20 * 2.0 ** (exponent_of(slopes) - formats.weight_bits)
    assert not nothing.any()


def test_bits_follow_from_the_shape_or_are_as_asked():
    for summands in (1, 7, 1000, 10**6):
        for primes in ("auto", 1, 2, 3):
            try:
                chosen = choose_formats(summands, primes=primes)
            except anyk.Unachievable:
                assert primes == 1
                continue
            bits = chosen.data_bits + chosen.weight_bits
            assert 2 * summands << bits < np.prod([int(p) for p in chosen.primes], dtype=object)
            assert chosen.data_bits >= (20 if primes != 1 else 4)
    report = (
        CodedLinearRegression(data_bits=3, weight_bits=5, tol=1.0)
        .fit(np.eye(4), [0.0, 1.0, 0.0, 1.0])
        .report_
    )
    assert (report.data_bits, report.weight_bits, len(report.primes)) == (3, 5, 1)
    with pytest.raises(anyk.Unachievable) as caught:
        CodedLinearRegression(data_bits=16, weight_bits=16, primes=1).fit(np.eye(4), np.arange(4.0))
    for knob in ("take primes=2", "lower data_bits or weight_bits", "wrap"):
        assert knob in str(caught.value).lower()
    CodedLinearRegression(data_bits=16, weight_bits=16, primes=2).fit(np.eye(4), np.arange(4.0))


@pytest.mark.parametrize("kind", [SquaredLoss, LogLoss, MultinomialLoss])
@pytest.mark.parametrize("penalty", [0.5, 20.0])
@pytest.mark.parametrize("intercept", [True, False])
def test_the_minimum_is_that_of_another_optimiser(kind, penalty, intercept):
    generator = np.random.default_rng(3)
    X = generator.normal(size=(60, 4)) * [1.0, 0.3, 3.0, 0.1]
    y = np.eye(3)[generator.integers(0, 3, 60)]
    loss, means = kind(y), []
    penalties = penalty * np.array([[1.0], [2.0], [0.5], [10.0]])
    found = minimise(
        PlainProducts(X), loss, 4, penalty=penalties, intercept=intercept, iterations=200,
        tolerance=1e-10, size=8.0, note=means.append,
    )  # fmt: skip
    assert found.converged
    assert len(means) < 40
    assert found.losses[-1] == pytest.approx(loss.value(X @ found.weights + found.offsets) / 60)

    def whole(point):
        weights, offsets = point[:12].reshape(4, 3), point[12:] * intercept
        return loss.value(X @ weights + offsets) + np.sum(penalties * weights**2) / 2

    best = minimize(whole, np.zeros(15), method="BFGS", options={"gtol": 1e-7}).fun
    ours = found.losses[-1] * 60 + np.sum(penalties * found.weights**2) / 2
    assert ours <= best + 1e-6 * abs(best)
    for z in (np.zeros((60, 3)), generator.normal(size=(60, 3))):  # derivatives, by differences
        step = 1e-5 * generator.normal(size=(2, 60, 3))
        slope = loss.slope(z)
        assert loss.value(z + step[0]) - loss.value(z - step[0]) == pytest.approx(
            2 * np.sum(slope * step[0]), abs=1e-9
        )
        turned = loss.slope(z + step[1]) - loss.slope(z - step[1])
        assert np.sum(turned * step[0]) == pytest.approx(
            2 * loss.curvature(z, step)[0, 1], rel=1e-4, abs=1e-14
        )


def test_too_few_iterations_are_told_from_enough():
    X = np.random.default_rng(0).normal(size=(200, 30)) @ np.diag(np.logspace(0, -2, 30))
    loss = SquaredLoss(X.sum(axis=1, keepdims=True))
    given = {"penalty": np.zeros((30, 1)), "intercept": False, "tolerance": 1e-9, "size": 3.0}
    few = minimise(PlainProducts(X), loss, 30, iterations=5, **given)
    many = minimise(PlainProducts(X), loss, 30, iterations=500, **given)
    assert (few.converged, many.converged) == (False, True)
    assert few.fell > 1e-9
    assert many.losses[-1] < 1e-6 < few.losses[-1]
