"""Shares under noise: sums without error, rounded once, by Python's fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest

import anyk
from anyk.randomness import noisy
from anyk.randomness.entropy import InsecureTestSource, SystemSource
from anyk.randomness.exact_sums import by_fractions, held, rounded
from anyk.randomness.gaussian import bits_below, normals
from anyk.randomness.grid import Grid, grid_for, real_parts

SOURCE = InsecureTestSource(1)


def exactly(matrix, blocks, noise, below, steps):
    """floor(sum / step + 1/2) steps, without any rounding but that."""
    right = [[Fraction(float(each)) for each in row] for row in blocks]
    right += [
        [(int(one) + Fraction(int(other), 1 << 64)) / (1 << 58) for one, other in zip(*two)]  # noqa: B905
        for two in zip(noise, below, strict=True)
    ]
    made = np.empty((len(matrix), blocks.shape[1]))
    for row, place in np.ndindex(made.shape):
        total = sum(Fraction(float(m)) * each[place] for m, each in zip(matrix[row], right))  # noqa: B905
        step = Fraction(float(steps[row]))
        made[row, place] = float(math.floor(total / step + Fraction(1, 2)) * step)
    return made


def matrices(rng, shares, blocks, masks, size):
    return rng.normal(size=(shares, blocks)), size * rng.normal(size=(shares, masks))


@pytest.mark.parametrize("finest", [True, False])
@pytest.mark.parametrize(
    ("sizes", "size"),
    [
        ((4, 1, 1), 1.0),
        ((5, 3, 2), 1e-3),
        ((3, 2, 2), 1e4),
        ((3, 40, 3), 10.0),
        ((2, 1, 1), 1e-9),
    ],
)
def test_sums_are_exact_and_rounded_once(sizes, size, finest, monkeypatch):
    shares, blocks, masks = sizes
    rng = np.random.default_rng(0)
    data, under = matrices(rng, shares, blocks, masks, size)
    grid = grid_for(data, under, finest=finest)
    X = rng.normal(size=(blocks, 30)) * 10.0 ** rng.integers(-12, 2, (blocks, 30))
    noise = normals(SOURCE, (masks, 30))
    below = bits_below(SOURCE, noise.shape)
    matrix = np.concatenate([data, under], axis=1)
    right = exactly(matrix, X, noise, below, grid.steps)
    made, open_ = rounded(matrix, X, noise, below, steps=grid.steps, limit=grid.limit)
    assert np.array_equal(made, right)
    assert not open_.size
    assert np.array_equal(held(matrix, blocks, steps=grid.steps, limit=grid.limit), matrix)
    monkeypatch.setattr(noisy, "normals", lambda *_: noise)
    monkeypatch.setattr(noisy, "bits_below", lambda *_: below)
    monkeypatch.setattr(noisy, "_BATCH", shares * 30)  # so that `below` fits, where all are drawn
    quick = noisy._quick(matrix, X, noise, steps=grid.steps, unit=grid.unit)
    sure = np.delete(np.arange(30), quick[1])
    assert sure.size == 0 or np.array_equal(quick[0][:, sure], right[:, sure])
    if sure.size in {0, 30}:
        assert np.array_equal(noisy.under_noise(data, under, X, grid=grid, source=SOURCE), right)


def test_where_floats_are_in_doubt_the_sums_are_exact(monkeypatch):
    rng = np.random.default_rng(1)
    data, under = matrices(rng, 3, 2, 1, 1.0)
    steps = np.full(3, 2.0**-40)  # so fine that floats leave some sums in doubt
    grid = Grid(steps=steps, limit=16.0)
    X, matrix = rng.normal(size=(2, 400)), np.concatenate([data, under], axis=1)
    doubtful = noisy._quick(matrix, X, normals(SOURCE, (1, 400)), steps=steps, unit=grid.unit)[1]
    assert 0 < doubtful.size < 400
    noise, below = normals(SOURCE, (1, 400)), np.zeros((1, 400), dtype=np.uint64)
    monkeypatch.setattr(noisy, "normals", lambda *_: noise)
    monkeypatch.setattr(noisy, "bits_below", lambda _, shape: below[:, : shape[1]])
    shares = noisy.under_noise(data, under, X, grid=grid, source=SOURCE)
    assert np.array_equal(shares, exactly(matrix, X, noise, below, steps))


def test_a_complex_share_is_two_real_ones(monkeypatch):
    rng = np.random.default_rng(2)
    data, under = (one + 1j * two for one, two in zip(*(matrices(rng, 3, 2, 2, 5.0) for _ in "ab")))  # noqa: B905
    grid = grid_for(data, under, finest=True)
    X = rng.normal(size=(2, 20)) + 1j * rng.normal(size=(2, 20))
    noise = normals(SOURCE, (4, 20))
    below = bits_below(SOURCE, noise.shape)
    monkeypatch.setattr(noisy, "normals", lambda *_: noise)
    monkeypatch.setattr(noisy, "bits_below", lambda *_: below)
    shares = noisy.under_noise(data, under, X, grid=grid, source=SOURCE)
    matrix = np.concatenate([real_parts(data), real_parts(under) * math.sqrt(0.5)], axis=1)
    parts, steps = np.concatenate([X.real, X.imag]), np.tile(grid.steps, 2)
    right = exactly(matrix, parts, noise, below, steps)
    assert np.array_equal(shares.real, right[:3])
    assert np.array_equal(shares.imag, right[3:])


@pytest.mark.parametrize("finest", [True, False])
@pytest.mark.parametrize("size", [1e-150, 1e-6, 1.0, 1e6, 1e150])
def test_the_grid_is_made_of_public_numbers_and_holds_data_of_their_size(size, finest):
    rng = np.random.default_rng(3)
    data, under = matrices(rng, 6, 3, 2, 10.0)
    grid = grid_for(data, size * under, data_std=size, finest=finest)
    assert np.array_equal(np.frexp(grid.steps)[0], np.full(6, 0.5))
    assert grid.limit >= 64 * size
    X = np.full((3, 5), grid.limit) * np.array([[1.0], [-1.0], [1.0]])
    shares = noisy.under_noise(data, size * under, X, grid=grid, source=SystemSource())
    assert np.isfinite(shares).all()
    assert not np.fmod(shares, grid.steps[:, None]).any()


def test_there_is_one_zero():
    one, grid = np.ones((1, 1)), Grid(steps=np.ones(1), limit=16.0)
    for X in (np.full((1, 500), -0.0), np.full((1, 500), -0.2), np.full((1, 500), -5e-324)):
        shares = noisy.under_noise(one, 0.01 * one, X, grid=grid, source=SystemSource())
        assert not shares.any()
        assert not np.signbit(shares).any()


@pytest.mark.parametrize(
    "scheme",
    [
        anyk.VeiledReplication(2, 8, colluders=1, leakage=0.5),
        anyk.Berrut(2, 8, colluders=1, leakage=0.5),
        anyk.AnalogLagrange(blocks=2, degree=1, workers=5, colluders=1, leakage=0.3),
    ],
    ids=lambda scheme: type(scheme).__name__,
)
def test_data_too_large_for_the_grid_are_refused_and_the_advice_helps(scheme):
    X = np.array([[1.0, 2.0], [1e30, -3.0]])
    with pytest.raises(anyk.InvalidArgument, match="data_std") as caught:
        scheme.encode(X)
    assert "1e+30" in str(caught.value)
    described = {name: getattr(scheme, name) for name in scheme.__dataclass_fields__}
    described["data_std"] = float(X.std())
    described.pop("_", None)
    assert type(scheme)(**described).encode(X).shares.shape == (scheme.workers, 2)


def test_what_pieces_leave_open_is_decided_by_more_bits(monkeypatch):
    """Every coordinate is called open, and comes out as it did, digit by digit."""
    rng = np.random.default_rng(5)
    data, under = matrices(rng, 3, 2, 2, 5.0)
    grid = grid_for(data, under, finest=True)
    X = rng.normal(size=(2, 20))
    noise = normals(SOURCE, (2, 20))
    below = bits_below(SOURCE, noise.shape)
    monkeypatch.setattr(noisy, "normals", lambda *_: noise)
    monkeypatch.setattr(noisy, "bits_below", lambda *_: below)
    shares = noisy.under_noise(data, under, X, grid=grid, source=SOURCE)

    def open_all(*given, **named):
        made, open_ = rounded(*given, **named)
        assert not open_.size
        return np.full_like(made, np.nan), np.arange(20)

    monkeypatch.setattr(noisy, "rounded", open_all)
    again = noisy.under_noise(data, under, X, grid=grid, source=SOURCE)
    assert np.array_equal(again, shares)


def test_a_sum_on_the_border_of_a_step_is_called_open():
    one, none = np.ones((1, 2)), np.zeros((0, 3), dtype=np.int64)
    X = np.array([[1.0, 1.0, 1.0], [0.5, 0.5 - 2.0**-50, 0.5 + 2.0**-50]])
    options = {"steps": np.ones(1), "limit": 4.0}
    made, open_ = rounded(one, X, none, none.astype(np.uint64), **options)
    assert open_.tolist() == [0]
    assert made.tolist() == [[2.0, 1.0, 2.0]]
    assert by_fractions(one, X, [], **options).tolist() == [[2.0, 1.0, 2.0]]
