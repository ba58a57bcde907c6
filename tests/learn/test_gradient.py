"""The decoded gradient is that of integers; what could wrap is refused beforehand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

import anyk
from anyk.learn import CodedLogisticRegression
from anyk.learn.descent import top_curvature
from anyk.learn.formats import choose_formats
from anyk.learn.gradient import CodedGradient, longest
from anyk.learn.products import exponent_of
from anyk.learn.report import Roll
from anyk.learn.response import Response
from anyk.learn.scaling import Scaling

RESPONSES = {1: Response.sigmoid(1, 8.0), 3: Response.sigmoid(3, 8.0)}


def coded_sums(design, weights, response, formats, *, blocks, seed=0):
    """sum_i c_i X^T z^i as decoded, and the same in Python's integers."""
    degree, powers = response.degree, response.powers
    rows = -(-len(design) // blocks)
    padded = np.zeros((blocks, rows, design.shape[1]))
    padded.reshape(-1, design.shape[1])[: len(design)] = formats.data.quantise(design)
    scheme = anyk.Lagrange(blocks, 2 * degree + 1, (2 * degree + 1) * blocks + 1, colluders=1)
    with (
        anyk.Inline(scheme.workers) as executor,
        anyk.distribute(scheme, padded, executor, embedding=formats.data) as data,
    ):
        gradient = CodedGradient(
            data=data,
            response=response,
            formats=formats,
            linear=np.zeros(weights.shape),
            offset=np.zeros((len(weights), 1)),
            length=np.inf,
            rows=1,
            generator=np.random.default_rng(seed),
            roll=Roll(workers=scheme.workers),
        )(weights)[1]
    generator = np.random.default_rng(seed)
    exponent = exponent_of(np.linalg.norm(weights, axis=0))
    weights = np.clip(np.ldexp(weights, -exponent), -1.0, 1.0)
    roundings = [formats.weights.integers(weights, generator) for _ in range(degree)]
    x = formats.data.integers(design).astype(object)
    product, exact = 1, np.zeros(weights.shape)
    for power, rounding in enumerate(roundings, start=1):
        product = product * (x @ rounding.astype(object))
        if power in powers:
            bits = formats.data_bits * (power + 1) + formats.weight_bits * power
            whole = x.T @ product
            exact += response.coefficients[power] * np.ldexp(
                (whole / 2**bits).astype(float), exponent * power
            )
    return gradient, exact


@pytest.mark.parametrize(("kind", "primes"), [(1, 1), (1, 2), (1, 3), (3, 2), (3, 3)])
@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_the_gradient_is_that_of_the_integers(kind, primes, blocks):
    generator = np.random.default_rng(primes)
    design = generator.uniform(-1.0, 1.0, (20, 6))
    weights = generator.standard_normal((6, 2))
    degree = RESPONSES[kind].degree
    formats = choose_formats(
        -(-20 // blocks) * 6**degree, degrees=(degree + 1, degree), primes=primes
    )
    assert len(formats.primes) == primes
    ours, exact = coded_sums(design, weights, RESPONSES[kind], formats, blocks=blocks)
    np.testing.assert_allclose(ours, exact, rtol=1e-14, atol=1e-12)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_weights_can_wrap(data):
    """The worst that could be: large features of one sign, and weights that point their way."""
    rows, columns = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 4))
    kind = data.draw(st.sampled_from([1, 3]))
    degree = RESPONSES[kind].degree
    seed = data.draw(st.integers(0, 2**32 - 1))
    norm = data.draw(st.sampled_from([0.3, 1.0, 7.5, 300.0]))
    generator = np.random.default_rng(seed)
    design = generator.uniform(data.draw(st.sampled_from([-0.1, 0.99])), 1.0, (rows, columns))
    blocks = data.draw(st.integers(1, min(rows, 2)))
    try:
        formats = choose_formats(
            -(-rows // blocks) * columns**degree, degrees=(degree + 1, degree),
            primes=data.draw(st.sampled_from(["auto", 1, 2])),
            data_bits=data.draw(st.sampled_from(["auto", 0, 3, 9])),
        )  # fmt: skip
    except anyk.Unachievable:
        return
    direction = design.mean(axis=0)[:, None]
    weights = norm * direction / max(np.linalg.norm(direction), 1e-300)
    ours, exact = coded_sums(design, weights, RESPONSES[kind], formats, blocks=blocks, seed=seed)
    np.testing.assert_allclose(ours, exact, rtol=1e-12, atol=1e-9 * np.abs(exact).max())


def test_a_gradient_that_could_wrap_is_refused_with_the_knobs():
    X = np.random.default_rng(0).standard_normal((50, 4))
    y = X[:, 0] > 0
    bits = {"data_bits": 14, "weight_bits": 14, "degree": 1, "tol": 1.0, "max_iter": 9}
    with pytest.raises(anyk.Unachievable) as caught:
        CodedLogisticRegression(primes=1, **bits).fit(X, y)
    text = str(caught.value)
    for knob in ("data_bits", "weight_bits", "primes=2", "wrap"):
        assert knob in text
    assert CodedLogisticRegression(primes=2, **bits).fit(X, y).report_.primes[1:]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_bits_are_as_asked_or_as_many_as_fit():
    X = np.random.default_rng(0).standard_normal((50, 4))
    y = (X[:, 0] > 0).astype(int)
    free = {"degree": 1, "tol": 1.0, "max_iter": 30}
    coarse = CodedLogisticRegression(data_bits=2, weight_bits=4, primes=1, **free)
    report = coarse.fit(X, y).report_
    assert (report.data_bits, report.weight_bits, len(report.primes)) == (2, 4, 1)
    report = CodedLogisticRegression(primes=1, **free).fit(X, y).report_
    assert report.data_bits >= 6
    assert report.weight_bits >= 8
    more = CodedLogisticRegression(**free).fit(X, y).report_
    assert (more.data_bits, more.weight_bits, len(more.primes)) == (18, 18, 2)
    assert str(more).count("2 primes") == 1


@pytest.mark.parametrize(
    "parameters",
    [
        {"degree": 2}, {"degree": 0}, {"interval": 0.0}, {"max_iter": 0}, {"step": -1.0},
        {"data_bits": -1}, {"weight_bits": 1.5}, {"primes": 0}, {"primes": 17},
        {"scaling": "max"}, {"workers": 0}, {"colluders": -1}, {"executor": anyk.Threads},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("degree", [None, 1])
def test_parameters_that_make_no_sense_are_refused(parameters, degree):
    if degree is None and parameters.keys() & {"degree", "interval", "step"}:
        return  # which have no effect
    with pytest.raises(anyk.InvalidArgument, match=r"got .*; needed: "):
        CodedLogisticRegression(**{"workers": 16, "degree": degree, **parameters}).fit(
            np.eye(4), [0, 1, 0, 1]
        )


def test_weights_that_the_polynomial_holds_back_are_warned_of():
    X = np.random.default_rng(0).standard_normal((60, 2))
    model = CodedLogisticRegression(degree=3, interval=2.0, workers=16, tol=100.0, max_iter=20)
    with pytest.warns(ConvergenceWarning, match="held back where the polynomial turns around"):
        model.fit(X, X @ [3.0, 4.0] > 0)
    assert "raise interval" in str(model.report_)
    assert model.report_.at_limit
    weak = np.random.default_rng(1).random(60) > 0.5
    assert not model.set_params(interval=8.0).fit(X, weak).report_.notes


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


def test_the_step_is_that_of_the_curvature_of_all_rows():
    X = np.random.default_rng(0).standard_normal((6000, 30))
    X[::3] *= 0.01  # what every n-th row says of the others
    exact = np.linalg.eigvalsh(X.T @ X / 6000)[-1]
    assert exact < top_curvature(X) < 1.2 * exact
    assert top_curvature(np.zeros((3, 2))) > 0


@pytest.mark.parametrize("kind", ["standard", "unit", "none"])
@pytest.mark.parametrize("intercept", [True, False])
def test_scaled_and_unscaled_models_agree(kind, intercept):
    X = np.random.default_rng(0).uniform(1, 2, (40, 3))
    X[:, 2] = 7.0
    X[0, 0] = 1e6  # and nothing is clipped
    scaling = Scaling.of(X, kind, centred=intercept)
    design = scaling.design(X)
    weights = np.random.default_rng(1).standard_normal((design.shape[1], 2))
    offsets = np.array([1.0, -1.0]) * intercept
    coefficients, offset = scaling.unscaled(weights, offsets)
    np.testing.assert_allclose(X @ coefficients.T + offset, design @ weights + offsets)
    assert intercept or not offset.any()
    if kind == "unit":
        assert np.abs(design).max() == 1.0


@pytest.mark.parametrize("kind", [1, 3])
def test_weights_held_to_a_length_take_smaller_primes_and_no_gradient_wraps(kind):
    """Weights of one size are the longest of their norm, so that they are halved once more."""
    columns, degree, response = 400, RESPONSES[kind].degree, RESPONSES[kind]
    shape = {"degrees": (degree + 1, degree), "data_bits": 2, "weight_bits": 5}
    summands, length = 20 * columns**degree, longest(columns)
    wide = choose_formats(summands, **shape)
    formats = choose_formats(summands, **shape, counted=20 * length**degree)
    assert (formats.data_bits, formats.weight_bits) == (wide.data_bits, wide.weight_bits)
    assert formats.data.worst * (columns // length) ** degree < wide.data.worst
    design, weights = np.ones((20, columns)), np.full((columns, 1), 0.99 * columns**-0.5)
    sums = np.zeros((columns, 1))
    with (
        anyk.Inline(8) as executor,
        anyk.distribute(
            anyk.Lagrange(1, 2 * degree + 1, 8, colluders=1), design[None], executor,
            embedding=formats.data,
        ) as data,
    ):  # fmt: skip
        gradient = CodedGradient(
            data=data, response=response, formats=formats, linear=sums, offset=sums[:, :1],
            length=length, rows=1, generator=np.random.default_rng(0), roll=Roll(workers=8),
        )  # fmt: skip
        value = gradient(weights)[1]
        roundings, exponent = gradient._rounded(weights)
        assert exponent == 1 + exponent_of(np.linalg.norm(weights, axis=0))
        assert np.abs(roundings).sum(axis=0).max() <= length < np.abs(weights).sum()
        unequal = np.random.default_rng(1).standard_normal((columns, 1)) ** 3
        assert gradient._rounded(unequal)[1] == exponent_of(np.linalg.norm(unequal, axis=0))
    expected = sum(
        response.coefficients[power] * 20 * weights.sum() ** power for power in response.powers
    )
    assert np.abs(value - expected).max() < 0.2 * abs(expected)
