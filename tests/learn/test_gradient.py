"""The decoded gradient is that of integers; what could wrap is refused beforehand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anyk
from anyk.learn import CodedLinearRegression, CodedLogisticRegression
from anyk.learn.descent import top_curvature
from anyk.learn.gradient import CodedGradient
from anyk.learn.precision import choose_precision
from anyk.learn.report import Roll
from anyk.learn.response import Response
from anyk.learn.scaling import Scaling

RESPONSES = {1: Response.sigmoid(1, 8.0), 3: Response.sigmoid(3, 8.0), 0: Response.identity()}


def coded_sums(design, weights, response, precision, *, blocks, seed=0):
    """sum_i c_i X^T z^i as decoded, and the same in Python's integers."""
    degree, powers = response.degree, response.powers
    rows = -(-len(design) // blocks)
    padded = np.zeros((blocks, rows, design.shape[1]))
    padded.reshape(-1, design.shape[1])[: len(design)] = precision.data.quantise(design)
    scheme = anyk.Lagrange(blocks, 2 * degree + 1, (2 * degree + 1) * blocks + 1, colluders=1)
    with (
        anyk.Inline(scheme.workers) as executor,
        anyk.distribute(scheme, padded, executor, embedding=precision.data) as data,
    ):
        gradient = CodedGradient(
            data=data,
            response=response,
            precision=precision,
            constant=np.zeros(weights.shape),
            rows=1,
            generator=np.random.default_rng(seed),
            roll=Roll(workers=scheme.workers),
        )(weights)
    generator = np.random.default_rng(seed)
    weights = np.clip(weights, -precision.weights.magnitude, precision.weights.magnitude)
    roundings = [precision.weights.integers(weights, generator) for _ in range(degree)]
    x = precision.data.integers(design).astype(object)
    product, exact = 1, np.zeros(weights.shape)
    for power, rounding in enumerate(roundings, start=1):
        product = product * (x @ rounding.astype(object))
        if power in powers:
            bits = precision.data_bits * (power + 1) + precision.weight_bits * power
            whole = x.T @ product
            exact += response.coefficients[power] * (whole / 2**bits).astype(float)
    return gradient, exact


@pytest.mark.parametrize(
    ("kind", "primes"), [(0, 1), (0, 2), (1, 1), (1, 2), (1, 3), (3, 2), (3, 3)]
)
@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_the_gradient_is_that_of_the_integers(kind, primes, blocks):
    generator = np.random.default_rng(primes)
    design = generator.standard_normal((20, 6))
    weights = generator.standard_normal((6, 2))
    precision = choose_precision(
        design, blocks=blocks, degree=RESPONSES[kind].degree, norm=4.0, primes=primes
    )
    assert len(precision.primes) == primes
    ours, exact = coded_sums(design, weights, RESPONSES[kind], precision, blocks=blocks)
    np.testing.assert_allclose(ours, exact, rtol=1e-14, atol=1e-12)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_weights_within_the_norm_can_wrap(data):
    """The worst that could be: large features of one sign, and weights that point their way."""
    rows, columns = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 4))
    kind = data.draw(st.sampled_from([0, 1, 3]))
    degree = RESPONSES[kind].degree
    seed = data.draw(st.integers(0, 2**32 - 1))
    norm = data.draw(st.sampled_from([0.3, 1.0, 7.5, 300.0]))
    size = data.draw(st.sampled_from([0.01, 1.0, 50.0, 3000.0]))
    generator = np.random.default_rng(seed)
    design = size * generator.uniform(-0.1, 1.0, (rows, columns))
    blocks = data.draw(st.integers(1, min(rows, 2)))
    try:
        precision = choose_precision(
            design, blocks=blocks, degree=degree, norm=norm,
            primes=data.draw(st.sampled_from(["auto", 1, 2])),
            data_bits=data.draw(st.sampled_from(["auto", 0, 3, 9])),
        )  # fmt: skip
    except anyk.Unachievable:
        return
    direction = design.mean(axis=0)[:, None]
    weights = norm * direction / max(np.linalg.norm(direction), 1e-300)
    ours, exact = coded_sums(design, weights, RESPONSES[kind], precision, blocks=blocks, seed=seed)
    np.testing.assert_allclose(ours, exact, rtol=1e-12, atol=1e-9 * np.abs(exact).max())


def test_a_gradient_that_could_wrap_is_refused_with_the_knobs():
    X = np.random.default_rng(0).standard_normal((50, 4))
    y = X[:, 0]
    with pytest.raises(anyk.Unachievable) as caught:
        CodedLinearRegression(data_bits=14, weight_bits=14, primes=1).fit(X, y)
    text = str(caught.value)
    for knob in ("data_bits", "weight_bits", "weight_norm", "primes=2", "scaling", "wrap"):
        assert knob in text
    assert CodedLinearRegression(data_bits=14, weight_bits=14).fit(X, y).report_.primes[1:]
    with pytest.raises(anyk.InvalidArgument, match="Scale them"):
        CodedLinearRegression(scaling="none").fit(1e200 * X, y)


def test_bits_are_as_asked_or_as_many_as_fit():
    X = np.random.default_rng(0).standard_normal((50, 4))
    y = (X[:, 0] > 0).astype(int)
    report = CodedLogisticRegression(data_bits=2, weight_bits=4).fit(X, y).report_
    assert (report.data_bits, report.weight_bits, len(report.primes)) == (2, 4, 1)
    report = CodedLogisticRegression().fit(X, y).report_
    assert report.data_bits >= 4
    assert report.weight_bits >= 6
    more = CodedLogisticRegression(primes=2).fit(X, y).report_
    assert (more.data_bits, more.weight_bits, len(more.primes)) == (8, 10, 2)
    assert str(more).count("2 primes") == 1


@pytest.mark.parametrize(
    "parameters",
    [
        {"degree": 2}, {"degree": 0}, {"interval": 0.0}, {"iterations": 0}, {"step": -1.0},
        {"weight_norm": 0.0}, {"data_bits": -1}, {"weight_bits": 1.5}, {"primes": 0},
        {"scaling": "max"}, {"workers": 0}, {"colluders": -1}, {"executor": anyk.Threads},
    ],
    ids=str,
)  # fmt: skip
def test_parameters_that_make_no_sense_are_refused(parameters):
    with pytest.raises(anyk.InvalidArgument, match=r"got .*; needed: "):
        CodedLogisticRegression(**{"workers": 16, **parameters}).fit(np.eye(4), [0, 1, 0, 1])


def test_weights_stay_within_their_norm():
    X = np.random.default_rng(0).standard_normal((60, 2))
    model = CodedLinearRegression(weight_norm=0.5, scaling="none", fit_intercept=False)
    model.fit(X, X @ [3.0, 4.0])
    assert model.report_.at_limit
    assert "raise it" in str(model.report_)
    assert not CodedLinearRegression().fit(X, X @ [3.0, 4.0]).report_.at_limit


@pytest.mark.parametrize(("degree", "error"), [(1, 0.22), (3, 0.12), (5, 0.07), (7, 0.04)])
def test_the_polynomial_is_the_least_squares_fit(degree, error):
    response = Response.sigmoid(degree, 8.0)
    z = np.linspace(-8, 8, 4001)
    sigmoid = 1 / (1 + np.exp(-z))
    ours = np.polynomial.polynomial.polyval(z, response.coefficients)
    fit = np.polynomial.Polynomial.fit(z, sigmoid, degree)(z)
    assert np.abs(ours - sigmoid).max() < error
    np.testing.assert_allclose(ours, fit, atol=2e-3)
    assert response.powers == tuple(range(1, degree + 1, 2))
    slope = np.gradient(ours, z).max()
    assert response.slope == pytest.approx(slope, rel=0.01)


def test_the_step_is_that_of_the_curvature():
    X = np.random.default_rng(0).standard_normal((5000, 30))
    exact = np.linalg.eigvalsh(X.T @ X / 5000)[-1]
    assert 0.95 * exact < top_curvature(X) < 1.2 * exact
    assert top_curvature(np.zeros((3, 2))) > 0


@pytest.mark.parametrize("kind", ["standard", "unit", "none"])
@pytest.mark.parametrize("intercept", [True, False])
def test_scaled_and_unscaled_models_agree(kind, intercept):
    X = np.random.default_rng(0).uniform(1, 2, (40, 3))
    X[:, 2] = 7.0
    scaling = Scaling.of(X, kind)
    design = scaling.design(X, intercept=intercept)
    weights = np.random.default_rng(1).standard_normal((design.shape[1], 2))
    coefficients, offset = scaling.unscaled(weights, intercept=intercept)
    if intercept or kind == "none":
        np.testing.assert_allclose(X @ coefficients.T + offset, design @ weights)
    assert np.abs(design[:, :2]).max() <= 4.0
