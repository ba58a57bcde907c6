"""`Berrut`: what it promises, its matrices, and its error estimate against truth."""

import pickle
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from anyk.codes.curves.barycentric import berrut_matrix, chebyshev_first, chebyshev_second
from anyk.errors import InvalidArgument, NotEnoughAnswers, Unachievable
from anyk.schemes.approximate.berrut.scheme import Berrut
from anyk.schemes.placement import scattered

Floats = NDArray[np.float64]
SEEDS = st.integers(0, 2**32 - 1)


def relative(value: Floats, truth: Floats) -> float:
    return float(np.sqrt(np.mean((value - truth) ** 2) / max(np.mean(truth**2), 1e-300)))


@pytest.mark.parametrize(
    ("blocks", "workers"), [(1, 1), (1, 4), (2, 2), (3, 7), (600, 700), (9, 5)]
)
def test_shares_and_values_are_their_matrices(blocks: int, workers: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(blocks, 2, 3))
    encoded = Berrut(blocks, workers).encode(X)
    np.testing.assert_allclose(
        encoded.shares, np.tensordot(encoded.encoder.data, X, axes=1), atol=1e-10
    )
    assert encoded.encoder.masks.shape == (workers, 0)
    answered = rng.permutation(workers)[: max(min(2, blocks), workers - 2)]
    recovery = encoded.recovery(answered)
    values = encoded.shares[answered] ** 2
    recovered = recovery.recover(values)
    expected = np.tensordot(recovery.matrix, values, axes=1)
    np.testing.assert_allclose(recovered.value, expected, atol=1e-10)
    assert recovery.condition >= 1.0 - 1e-9
    assert recovered.error_estimate is not None
    assert recovered.error_estimate > 0.0


def test_it_is_the_published_scheme() -> None:
    k, n = np.arange(4), np.arange(10)
    alpha, beta = np.cos((2 * k + 1) * np.pi / 8), np.cos(n * np.pi / 9)
    X = np.array([3.0, -1.0, 0.5, 2.0])
    terms = (-1.0) ** k / (beta[:, None] - alpha)
    shares = terms @ X / terms.sum(axis=1)
    np.testing.assert_allclose(Berrut(4, 10).encode(X).shares, shares[scattered(10)], rtol=1e-10)


@given(SEEDS)
def test_recovery_is_linear_and_keeps_constants(seed: int) -> None:
    rng = np.random.default_rng(seed)
    recovery = Berrut(5, 12).encode(rng.normal(size=(5, 3))).recovery(rng.permutation(12)[:9])
    a, b = rng.normal(size=(2, 9, 4))
    both = recovery.recover(2.0 * a - b).value
    expected = 2.0 * recovery.recover(a).value - recovery.recover(b).value
    np.testing.assert_allclose(both, expected, atol=1e-10)
    np.testing.assert_allclose(recovery.recover(np.full((9, 1), 7.0)).value, 7.0)


@given(SEEDS, st.integers(2, 20))
def test_the_order_of_the_answers_does_not_matter(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    encoded = Berrut(6, 20).encode(rng.normal(size=(6, 2)))
    answered, shuffle = rng.choice(20, count, replace=False), rng.permutation(count)
    values = rng.normal(size=(count, 2))
    one = encoded.decode(values, answered)
    two = encoded.decode(values[shuffle], answered[shuffle])
    np.testing.assert_allclose(one.value, two.value, atol=1e-10)
    assert one.error_estimate == pytest.approx(two.error_estimate)


def test_no_set_of_stragglers_makes_a_pole() -> None:
    encoded = Berrut(4, 9).encode(np.zeros(4))
    for size in range(2, 10):
        for answered in combinations(range(9), size):
            assert encoded.recovery(answered).condition < 60.0


def test_a_worker_on_a_data_point_holds_that_block() -> None:
    X = np.array([5.0, 7.0, 11.0])
    encoded = Berrut(3, 13).encode(X)  # v2(N-1) >= v2(2K): 2 >= 1
    same = np.isclose(chebyshev_second(13)[scattered(13), None], chebyshev_first(3), atol=1e-14)
    assert same.any()
    for worker, block in np.argwhere(same):
        assert encoded.shares[worker] == pytest.approx(X[block])
    for workers in range(4, 40, 2):
        assert not np.isclose(chebyshev_second(workers)[:, None], chebyshev_first(3)).any()


def test_the_error_falls_with_the_number_of_workers() -> None:
    X = np.linspace(-1.0, 1.0, 8)
    errors = []
    for workers in (20, 160, 640):
        encoded = Berrut(8, workers).encode(X)
        errors.append(
            relative(encoded.decode(np.sin(encoded.shares), range(workers)).value, np.sin(X))
        )
    assert errors[0] > 3.0 * errors[1] > 9.0 * errors[2]


def test_the_error_is_below_its_estimate() -> None:
    rng = np.random.default_rng(1)
    functions = [np.sin, np.abs, lambda x: np.sin(4.0 * x), lambda x: np.exp(-(x**2)), np.sign]
    ratios = []
    for trial in range(400):
        workers = int(rng.integers(8, 100))
        blocks = int(rng.integers(2, workers))
        late = int(rng.uniform(0.0, 0.4 if trial % 2 else 0.3) * workers)
        X = rng.normal(size=(blocks, int(rng.choice([1, 2, 10]))))
        f = functions[trial % len(functions)]
        encoded = Berrut(blocks, workers).encode(X)
        start = int(rng.integers(workers - late + 1))
        run = np.argsort(scattered(workers))[np.r_[0:start, start + late : workers]]
        answered = rng.choice(workers, workers - late, replace=False) if trial % 2 else run
        recovered = encoded.decode(f(encoded.shares[answered]), answered)
        assert recovered.error_estimate is not None
        ratios.append(recovered.error_estimate / max(relative(recovered.value, f(X)), 1e-300))
    assert np.mean(np.array(ratios) >= 1.0) >= 0.95
    assert np.median(ratios) < 8.0


def test_guarantee_and_sufficient() -> None:
    guarantee = Berrut(10, 31).guarantee
    assert (guarantee.stragglers, guarantee.threshold, guarantee.exact) == (10, 21, False)
    assert not Berrut(2, 6, stragglers=3).sufficient([0, 1])
    assert Berrut(2, 6, stragglers=3).sufficient([0, 5, 3])


def test_repr_and_pickle_rebuild_it(public_names: dict[str, Any]) -> None:
    scheme = Berrut(3, 8, stragglers=2)
    assert eval(repr(scheme), public_names) == scheme
    assert pickle.loads(pickle.dumps(scheme)) == scheme
    encoded = pickle.loads(pickle.dumps(scheme.encode(np.ones(3))))
    np.testing.assert_allclose(encoded.decode(encoded.shares, range(8)).value, 1.0)


@pytest.mark.parametrize(
    ("arguments", "error", "argument"),
    [
        ({"blocks": 0}, InvalidArgument, "blocks"),
        ({"workers": True}, InvalidArgument, "workers"),
        ({"workers": 1}, Unachievable, "workers"),
        ({"stragglers": -1}, InvalidArgument, "stragglers"),
        ({"stragglers": 7}, Unachievable, "stragglers"),
    ],
)
def test_arguments_that_cannot_be_used(
    arguments: dict[str, Any], error: type[InvalidArgument], argument: str
) -> None:
    with pytest.raises(error) as caught:
        Berrut(**{"blocks": 3, "workers": 8, **arguments})
    assert type(caught.value) is error
    assert caught.value.argument == argument


def test_too_few_answers_and_bad_ones() -> None:
    encoded = Berrut(3, 8).encode(np.ones((3, 2)))
    with pytest.raises(NotEnoughAnswers):
        encoded.recovery([4])
    with pytest.raises(InvalidArgument, match="values"):
        encoded.decode(np.ones((3, 2)), [0, 1])
    with pytest.raises(InvalidArgument, match="X"):
        Berrut(3, 8).encode(np.full((3, 2), np.nan))


def test_the_decoder_alternates_signs_over_those_that_answered() -> None:
    left = np.sort(np.random.default_rng(0).choice(60, 55, replace=False))
    encoded = Berrut(20, 60).encode(np.linspace(0.0, 1.0, 20))
    expected = berrut_matrix(chebyshev_second(60)[scattered(60)[left]], chebyshev_first(20))
    np.testing.assert_allclose(encoded.recovery(left).matrix, expected)
    value = encoded.decode(np.sin(encoded.shares[left]), left).value
    assert relative(value, np.sin(np.linspace(0.0, 1.0, 20))) < 0.05


def test_the_error_of_two_blocks_is_estimated_with_care() -> None:
    rng = np.random.default_rng(11)
    within = 0
    for _ in range(400):
        workers = int(rng.integers(4, 17))
        scheme = Berrut(2, workers)
        X = rng.normal(size=(2, 1))
        encoded = scheme.encode(X)
        answered = rng.choice(workers, scheme.guarantee.threshold, replace=False)
        recovered = encoded.decode(np.sin(encoded.shares[answered]), answered)
        error = np.sqrt(np.mean((recovered.value - np.sin(X)) ** 2))
        size = np.sqrt(np.mean(recovered.value**2))
        assert recovered.error_estimate is not None
        within += error <= recovered.error_estimate * size
    assert within >= 380  # leaving out single answers alone, it was 0.85
