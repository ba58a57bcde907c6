"""`Spline`: what it promises, operator against matrices, and its error estimate against truth."""

import pickle
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from anyk.errors import InvalidArgument, NotEnoughAnswers, Unachievable
from anyk.schemes.approximate.spline.scheme import Spline

Floats = NDArray[np.float64]
SEEDS = st.integers(0, 2**32 - 1)
VARIANTS: list[dict[str, Any]] = [
    {},
    {"ordering": None},
    {"encoder_smoothing": 1e-4},
    {"decoder_smoothing": 0.0},
    {"decoder_smoothing": 1e-5, "stragglers": 0},
]


def relative(value: Floats, truth: Floats) -> float:
    return float(np.sqrt(np.mean((value - truth) ** 2) / max(np.mean(truth**2), 1e-300)))


@pytest.mark.parametrize("options", VARIANTS)
@pytest.mark.parametrize(("blocks", "workers"), [(1, 1), (1, 4), (2, 2), (3, 7), (20, 60), (9, 5)])
def test_shares_and_values_are_their_matrices(
    blocks: int, workers: int, options: dict[str, Any]
) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(blocks, 2, 3))
    encoded = Spline(blocks, workers, **options).encode(X)
    matrices = encoded.encoder
    assert matrices.masks.shape == (workers, 0)
    np.testing.assert_allclose(
        encoded.shares, np.tensordot(matrices.data, X, axes=1), rtol=1e-9, atol=1e-9
    )
    answered = rng.permutation(workers)[: max(min(2, blocks), workers - 2)]
    recovery = encoded.recovery(answered)
    values = encoded.shares[answered] * 2.0 - 1.0
    recovered = recovery.recover(values)
    assert recovered.value.shape == (blocks, 2, 3)
    if "decoder_smoothing" in options:
        expected = np.tensordot(recovery.matrix, values, axes=1)
        np.testing.assert_allclose(recovered.value, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(recovery.matrix.sum(axis=1), 1.0, atol=1e-9)
    assert recovery.condition >= 1.0 - 1e-9
    assert recovered.error_estimate is not None
    assert recovered.error_estimate > 0.0


@given(SEEDS, st.integers(2, 12), st.integers(0, 8))
def test_a_line_through_data_on_a_line_is_exact(seed: int, blocks: int, more: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(blocks, 1)) * np.array([1.0, -2.0]) + 3.0
    scheme = Spline(blocks, blocks + more)
    encoded = scheme.encode(X)
    count = int(rng.integers(2, blocks + more + 1))
    answered = rng.choice(blocks + more, count, replace=False)
    assume(len(np.unique(encoded.shares[answered], axis=0)) > 1)
    recovered = encoded.decode(5.0 * encoded.shares[answered] - 1.0, answered)
    np.testing.assert_allclose(recovered.value, 5.0 * X - 1.0, atol=1e-6)


@given(SEEDS)
def test_the_order_of_the_blocks_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, shuffle = rng.normal(size=(12, 4)), rng.permutation(12)
    answered = rng.choice(30, 22, replace=False)
    values = []
    for blocks in (X, X[shuffle]):
        encoded = Spline(12, 30).encode(blocks)
        values.append(encoded.decode(np.sin(encoded.shares[answered]), answered).value)
    np.testing.assert_allclose(values[0][shuffle], values[1], atol=1e-9)


@given(SEEDS)
def test_recovery_is_linear_for_a_given_smoothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    encoded = Spline(5, 12, decoder_smoothing=1e-6).encode(rng.normal(size=(5, 3)))
    recovery = encoded.recovery(rng.choice(12, 9, replace=False))
    a, b = rng.normal(size=(2, 9, 4))
    both = recovery.recover(2.0 * a - b).value
    expected = 2.0 * recovery.recover(a).value - recovery.recover(b).value
    np.testing.assert_allclose(both, expected, atol=1e-10)


def test_every_subset_of_at_least_two_answers_gives_a_value() -> None:
    X = np.array([0.0, 0.2, 0.5])
    encoded = Spline(3, 7).encode(X)
    truth = np.sin(X)
    for size in range(2, 8):
        errors = []
        for answered in combinations(range(7), size):
            recovered = encoded.decode(np.sin(encoded.shares[list(answered)]), answered)
            errors.append(relative(recovered.value, truth))
            assert errors[-1] < 1.0
        if size == 7:
            assert max(errors) < 1e-3


def test_a_gap_on_the_curve_costs_accuracy_but_not_the_value() -> None:
    X = np.sort(np.random.default_rng(0).uniform(-3.0, 3.0, 20))
    encoded = Spline(20, 80).encode(X)
    for start in range(0, 70, 10):
        along = np.argsort(encoded.layout.places)
        answered = np.delete(along, np.arange(start, start + 10))
        recovered = encoded.decode(np.sin(encoded.shares[answered]), answered)
        error = relative(recovered.value, np.sin(X))
        assert error < 0.2
        assert recovered.error_estimate is not None
        assert error <= recovered.error_estimate


FUNCTIONS: list[Callable[[Floats], Floats]] = [
    np.sin,
    np.abs,
    lambda x: np.sin(4.0 * x),
    lambda x: np.maximum(x @ np.ones((x.shape[1], 3)) - 0.3, 0.0),
    lambda x: np.exp(-(x**2)),
    np.sign,
    lambda x: np.cos(x @ np.full((x.shape[1], 100), 0.3) + np.arange(100)),
]


@pytest.mark.parametrize("options", [{}, {"ordering": None}, {"encoder_smoothing": 1e-6}])
def test_the_error_is_below_its_estimate(options: dict[str, Any]) -> None:
    rng = np.random.default_rng(1)
    ratios = []
    for trial in range(420):
        workers = int(rng.integers(8, 100))
        blocks = int(rng.integers(2, workers))
        late = int(rng.uniform(0.0, 0.4 if trial % 2 else 0.3) * workers)
        X = rng.normal(size=(blocks, int(rng.choice([1, 2, 10]))))
        f = FUNCTIONS[trial % len(FUNCTIONS)]
        encoded = Spline(blocks, workers, **options).encode(X)
        start = int(rng.integers(workers - late + 1))
        run = np.r_[0:start, start + late : workers]
        anywhere = rng.choice(workers, workers - late, replace=False)
        answered = anywhere if trial % 2 else np.argsort(encoded.layout.places)[run]
        recovered = encoded.decode(f(encoded.shares[answered]), answered)
        assert recovered.error_estimate is not None
        ratios.append(recovered.error_estimate / max(relative(recovered.value, f(X)), 1e-300))
    assert np.mean(np.array(ratios) >= 1.0) >= 0.95
    assert np.median(ratios) < 8.0


def test_the_estimate_of_an_exact_fit_is_rounding_and_not_zero() -> None:
    encoded = Spline(30, 60).encode(np.linspace(0.0, 1.0, 30))
    recovered = encoded.decode(encoded.shares, range(60))
    error = relative(recovered.value, np.linspace(0.0, 1.0, 30))
    assert recovered.error_estimate is not None
    assert error <= recovered.error_estimate < 1e-12


def test_cross_validation_smooths_noise_away() -> None:
    rng = np.random.default_rng(2)
    X = np.sort(rng.uniform(-3.0, 3.0, 20))
    errors = {}
    for smoothing in (None, 0.0):
        encoded = Spline(20, 320, decoder_smoothing=smoothing).encode(X)
        noisy = np.sin(encoded.shares) + 0.3 * np.random.default_rng(3).normal(size=320)
        errors[smoothing] = relative(encoded.decode(noisy, range(320)).value, np.sin(X))
    assert errors[None] < 0.5 * errors[0.0]


def test_a_short_path_beats_the_given_order() -> None:
    totals = np.zeros(2)
    for seed in range(5):
        X = np.random.default_rng(seed).normal(size=(30, 2))
        schemes = (Spline(30, 60), Spline(30, 60, ordering=None))
        for i, scheme in enumerate(schemes):
            encoded = scheme.encode(X)
            value = encoded.decode(np.tanh(encoded.shares), range(60)).value
            totals[i] += relative(value, np.tanh(X))
    assert totals[0] < 0.5 * totals[1]


def test_equal_blocks_and_many_blocks() -> None:
    encoded = Spline(5, 9).encode(np.ones((5, 3)))
    recovered = encoded.decode(np.exp(encoded.shares), range(9))
    np.testing.assert_allclose(recovered.value, np.e, rtol=1e-12)
    X = np.random.default_rng(5).uniform(size=(2000, 1))
    encoded = Spline(2000, 4000).encode(X)
    answered = [n for n in range(4000) if n % 7]
    recovered = encoded.decode(np.sin(encoded.shares[answered]), answered)
    assert relative(recovered.value, np.sin(X)) < 1e-3


def test_guarantee_and_sufficient() -> None:
    guarantee = Spline(10, 31).guarantee
    assert (guarantee.stragglers, guarantee.threshold, guarantee.exact) == (10, 21, False)
    assert guarantee.leakage is None
    assert Spline(10, 4).guarantee.stragglers == 0
    scheme = Spline(2, 6, stragglers=3)
    assert not scheme.sufficient([0, 1])
    assert scheme.sufficient([0, 5, 3])
    assert scheme.problem.degree is None


@pytest.mark.parametrize("options", VARIANTS)
def test_repr_and_pickle_rebuild_it(options: dict[str, Any], public_names: dict[str, Any]) -> None:
    scheme = Spline(3, 8, **options)
    assert eval(repr(scheme), public_names) == scheme
    assert pickle.loads(pickle.dumps(scheme)) == scheme
    encoded = scheme.encode(np.array([1.0, 5.0, 2.0]))
    copied = pickle.loads(pickle.dumps(encoded))
    value = encoded.decode(encoded.shares, range(8)).value
    np.testing.assert_array_equal(copied.decode(copied.shares, range(8)).value, value)


@pytest.mark.parametrize(
    ("arguments", "error", "argument"),
    [
        ({"blocks": 0}, InvalidArgument, "blocks"),
        ({"workers": 0}, InvalidArgument, "workers"),
        ({"workers": 2.5}, InvalidArgument, "workers"),
        ({"workers": 1}, Unachievable, "workers"),
        ({"stragglers": -1}, InvalidArgument, "stragglers"),
        ({"stragglers": 7}, Unachievable, "stragglers"),
        ({"adversaries": 7}, Unachievable, "workers"),
        ({"adversaries": -1}, InvalidArgument, "adversaries"),
        ({"ordering": "random"}, InvalidArgument, "ordering"),
        ({"encoder_smoothing": -1.0}, InvalidArgument, "encoder_smoothing"),
        ({"encoder_smoothing": "much"}, InvalidArgument, "encoder_smoothing"),
        ({"decoder_smoothing": np.inf}, InvalidArgument, "decoder_smoothing"),
        ({"decoder_smoothing": np.nan}, InvalidArgument, "decoder_smoothing"),
    ],
)
def test_arguments_that_cannot_be_used(
    arguments: dict[str, Any], error: type[InvalidArgument], argument: str
) -> None:
    with pytest.raises(error) as caught:
        Spline(**{"blocks": 3, "workers": 8, **arguments})
    assert type(caught.value) is error
    assert caught.value.argument == argument


def test_too_few_answers_and_bad_ones() -> None:
    encoded = Spline(3, 8).encode(np.ones((3, 2)))
    with pytest.raises(NotEnoughAnswers) as caught:
        encoded.recovery([4])
    assert caught.value.missing == (0, 1, 2, 3, 5, 6, 7)
    with pytest.raises(InvalidArgument, match="values"):
        encoded.decode(np.ones((3, 2)), [0, 1])
    with pytest.raises(InvalidArgument, match="values"):
        encoded.decode(np.array([1.0, np.nan]), [0, 1])
    with pytest.raises(InvalidArgument, match="X"):
        Spline(3, 8).encode(np.ones((4, 2)))
    with pytest.raises(InvalidArgument, match="X"):
        Spline(3, 8).encode(np.full((3, 2), np.inf))


@pytest.mark.parametrize("size", [1e300, 1e-300])
@settings(deadline=None)
@given(SEEDS)
def test_size_does_not_matter(size: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, answers = rng.normal(size=(4, 3)), rng.normal(size=(9, 2))
    plain = Spline(4, 9).encode(X).decode(answers, range(9))
    scaled = Spline(4, 9).encode(size * X).decode(size * answers, range(9))
    np.testing.assert_allclose(scaled.value / size, plain.value, rtol=1e-6, atol=1e-6)
    assert scaled.error_estimate == pytest.approx(plain.error_estimate, rel=1e-6)
