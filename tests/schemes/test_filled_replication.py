"""`FilledReplication`: what is answered is exact, what is lost lies between."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from anyk.schemes.approximate.filled_replication.scheme import FilledReplication
from anyk.schemes.approximate.spline.scheme import Spline
from anyk.schemes.maps.replication import Replication

Floats = NDArray[np.float64]
SEEDS = st.integers(0, 2**32 - 1)


def relative(value: Floats, truth: Floats) -> float:
    return float(np.sqrt(np.mean((value - truth) ** 2) / max(np.mean(truth**2), 1e-300)))


@pytest.mark.parametrize(("blocks", "workers"), [(1, 1), (1, 5), (2, 3), (7, 7), (7, 12), (5, 23)])
def test_every_worker_holds_a_block_and_every_block_has_its_copies(
    blocks: int, workers: int
) -> None:
    X = np.random.default_rng(blocks).normal(size=(blocks, 3))
    encoded = FilledReplication(blocks, workers).encode(X)
    copies = [sum(np.array_equal(share, block) for share in encoded.shares) for block in X]
    assert sum(copies) == workers
    assert workers // blocks <= min(copies) <= max(copies) <= -(-workers // blocks)


def test_the_isolated_blocks_have_the_copies_that_are_left() -> None:
    X = np.array([0.0, 1.0, 2.0, 3.0, 20.0, 30.0, 31.0])
    encoded = FilledReplication(7, 9).encode(X)
    assert sorted(encoded.shares[7:]) == [20.0, 31.0]


def test_fewer_workers_than_blocks_hold_blocks_near_the_others() -> None:
    X = np.array([0.0, 1.0, 2.0, 10.0, 11.0, 12.0, 30.0])
    assert sorted(FilledReplication(7, 3).encode(X).shares) == [1.0, 10.0, 30.0]


@given(SEEDS, st.integers(1, 12), st.integers(0, 20))
def test_what_is_answered_is_exact(seed: int, blocks: int, more: int) -> None:
    rng = np.random.default_rng(seed)
    workers = blocks + more
    X = rng.normal(size=(blocks, 2))
    encoded = FilledReplication(blocks, workers).encode(X)
    answered = rng.choice(workers, int(rng.integers(min(2, blocks), workers + 1)), replace=False)
    value = encoded.decode(np.sign(encoded.shares[answered]) / 3.0, answered).value
    held = (X[:, None] == encoded.shares[answered]).all(axis=2).any(axis=1)
    np.testing.assert_array_equal(value[held], np.sign(X[held]) / 3.0)
    assert (np.abs(value) <= 1.0).all() or blocks > 2


def test_no_late_workers_up_to_the_copies_cost_anything() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(6, 4))
    encoded = FilledReplication(6, 20).encode(X)
    for _ in range(50):
        answered = np.delete(np.arange(20), rng.choice(20, 2, replace=False))
        recovered = encoded.decode(3.0 * encoded.shares[answered], answered)
        np.testing.assert_array_equal(recovered.value, 3.0 * X)
        assert recovered.error_estimate is not None
        assert 0.0 < recovered.error_estimate < 1e-12


def test_a_run_of_late_workers_makes_no_wide_gap() -> None:
    X = np.random.default_rng(0).permutation(100)[:, None] * 1.0
    encoded = FilledReplication(100, 100).encode(X)
    for start in range(0, 85, 5):
        lost = np.sort(encoded.shares[start : start + 15].ravel())
        assert np.diff(lost).min() > 1.0


def test_a_lost_block_lies_between_its_neighbours_on_the_path() -> None:
    X = np.array([[0.0], [4.0], [1.0], [2.0], [3.0], [7.0]])
    encoded = FilledReplication(6, 6).encode(X)
    jump = np.where(encoded.shares > 2.5, 1.0, 0.0)
    answered = [n for n in range(6) if encoded.shares[n, 0] != 3.0]
    value = encoded.decode(jump[answered], answered).value
    np.testing.assert_array_equal(np.delete(value.ravel(), 4), [0.0, 1.0, 0.0, 0.0, 1.0])
    assert 0.2 < value[4] < 0.8


def test_a_smooth_function_is_filled_by_a_spline_and_a_rough_one_by_lines() -> None:
    X = np.linspace(-np.pi, np.pi, 41)
    encoded = FilledReplication(41, 41).encode(X)
    answered = np.flatnonzero((np.arange(41) % 5 > 0) | (np.abs(encoded.shares) > 3.0))
    smooth = encoded.decode(np.sin(encoded.shares[answered]), answered).value
    assert np.abs(smooth - np.sin(X)).max() < 2e-3  # lines miss by h^2 / 2 = 1e-2
    rough = encoded.decode(np.sign(np.sin(9.0 * encoded.shares[answered])), answered).value
    assert np.abs(rough).max() <= 1.0


def test_the_nearest_block_is_taken_where_a_function_is_constant_in_parts() -> None:
    """Blocks in 20 groups of 3 which are nearly as far within as without, and an f of the group."""
    rng = np.random.default_rng(8)
    centres, group = rng.normal(size=(20, 300)), np.repeat(np.arange(20), 3)
    X = centres[group] + 0.8 * rng.normal(size=(60, 300))
    heights = rng.normal(size=(20, 4))

    def f(shares: Floats) -> Floats:
        near = np.linalg.norm(shares[:, None] - centres, axis=2).argmin(axis=1)
        return np.asarray(heights[near])

    np.testing.assert_array_equal(f(X), heights[group])
    encoded = FilledReplication(60, 60).encode(X)
    answered = np.delete(np.arange(60), np.arange(10, 16))
    value = encoded.decode(f(encoded.shares[answered]), answered).value
    np.testing.assert_allclose(value, f(X), atol=1e-12)


def test_the_mean_is_taken_where_near_blocks_tell_nothing() -> None:
    errors = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X, heights = rng.normal(size=(60, 2)), rng.normal(size=(60, 50))

        def f(shares: Floats, X: Floats = X, heights: Floats = heights) -> Floats:
            return np.asarray(heights[(shares[:, None] == X).all(axis=2).argmax(axis=1)])

        encoded = FilledReplication(60, 60).encode(X)
        answered = np.sort(rng.choice(60, 50, replace=False))
        recovered = encoded.decode(f(encoded.shares[answered]), answered)
        lost = ~(X[:, None] == encoded.shares[answered]).all(axis=2).any(axis=1)
        np.testing.assert_allclose(
            recovered.value[lost], np.tile(heights[~lost].mean(axis=0), (10, 1)), atol=1e-12
        )
        errors.append(np.mean((recovered.value - heights)[lost] ** 2))
        assert recovered.error_estimate is not None
        assert recovered.error_estimate >= relative(recovered.value, heights)
    assert np.mean(errors) < 1.1  # the variance of f is 1; that of a mean of 8 near ones adds 1/8


def test_copies_that_differ_are_noise_and_smoothed() -> None:
    rng = np.random.default_rng(2)
    X = np.sort(rng.uniform(-3.0, 3.0, 40))
    errors = {}
    for smoothing in (None, 0.0):
        encoded = FilledReplication(40, 160, smoothing=smoothing).encode(X)
        noisy = np.sin(encoded.shares) + 0.3 * np.random.default_rng(3).normal(size=160)
        recovered = encoded.decode(noisy, range(160))
        errors[smoothing] = relative(recovered.value, np.sin(X))
        assert recovered.error_estimate is not None
        assert errors[smoothing] <= recovered.error_estimate < 1.0
    assert errors[None] < 0.6 * errors[0.0]


def test_copies_that_agree_are_never_smoothed() -> None:
    X = np.random.default_rng(4).normal(size=(30, 2))
    encoded = FilledReplication(30, 60).encode(X)
    rough = np.sign(np.sin(20.0 * encoded.shares))
    np.testing.assert_array_equal(encoded.decode(rough, range(60)).value, np.sign(np.sin(20.0 * X)))


@pytest.mark.parametrize("lost", [[0], [0, 1], [0, 1, 2, 3]])
def test_few_answers_are_no_evidence(lost: list[int]) -> None:
    """Of fewer than four blocks, all answers may agree by symmetry alone."""
    blocks = 3 + len(lost)
    encoded = FilledReplication(blocks, blocks).encode(np.arange(blocks * 1.0))
    answered = np.delete(np.arange(blocks), lost)
    assert encoded.decode(np.ones(3), answered).error_estimate == np.inf


def test_copies_of_one_block_alone_are_no_evidence() -> None:
    encoded = FilledReplication(2, 6).encode(np.array([0.0, 1.0]))
    answered = np.flatnonzero(encoded.shares == encoded.shares[0])
    recovered = encoded.decode(np.ones(answered.size), answered)
    np.testing.assert_array_equal(recovered.value, [1.0, 1.0])
    assert recovered.error_estimate == np.inf


FUNCTIONS: list[Callable[[Floats], Floats]] = [
    np.sin,
    np.abs,
    lambda x: np.sin(4.0 * x),
    lambda x: np.maximum(x @ np.ones((x.shape[1], 3)) - 0.3, 0.0),
    lambda x: np.exp(-(x**2)),
    np.sign,
    lambda x: np.cos(x @ np.full((x.shape[1], 100), 0.3) + np.arange(100)),
]


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_the_error_is_below_its_estimate(noise: float) -> None:
    rng = np.random.default_rng(1)
    ratios = []
    for trial in range(420):
        workers = int(rng.integers(8, 100))
        blocks = int(rng.integers(max(2, workers // 4), workers // (2 if noise else 1) + 1))
        late = int(rng.uniform(0.05, 0.4 if trial % 2 else 0.3) * workers)
        X = rng.normal(size=(blocks, int(rng.choice([1, 2, 10]))))
        f = FUNCTIONS[trial % len(FUNCTIONS)]
        encoded = FilledReplication(blocks, workers).encode(X)
        start = int(rng.integers(workers - late + 1))
        run = np.r_[0:start, start + late : workers]
        answered = rng.choice(workers, workers - late, replace=False) if trial % 2 else run
        answers = f(encoded.shares[answered])
        answers = answers + noise * rng.normal(size=answers.shape)
        recovered = encoded.decode(answers, answered)
        error = relative(recovered.value, f(X))
        assert recovered.error_estimate is not None
        if error > 1e-12:
            ratios.append(recovered.error_estimate / error)
    assert len(ratios) > 200
    assert np.mean(np.array(ratios) >= 1.0) >= 0.95
    assert np.median(ratios) < 8.0


def test_it_beats_replication_and_the_curve_on_a_rough_function() -> None:
    rng = np.random.default_rng(6)
    totals: dict[str, float] = {"copies": 0.0, "curve": 0.0, "replication": 0.0}
    schemes: dict[str, Any] = {"copies": FilledReplication(30, 45), "curve": Spline(30, 45)}
    for _ in range(10):
        X = rng.normal(size=(30, 3))
        truth = np.tanh(8.0 * X)
        answered = rng.choice(45, 35, replace=False)
        for name, scheme in schemes.items():
            encoded = scheme.encode(X)
            value = encoded.decode(np.tanh(8.0 * encoded.shares[answered]), answered).value
            totals[name] += relative(value, truth)
        held = Replication(30, 45).encode(np.arange(30.0)).shares[answered]
        kept = np.isin(np.arange(30), held)[:, None]
        totals["replication"] += relative(truth * kept, truth)
    assert totals["copies"] < 0.8 * totals["curve"]
    assert totals["copies"] < totals["replication"]
