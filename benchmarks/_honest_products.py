"""Factors and hosts for `checked_on_arrival.py`: the numbers of products, and how they are added.

The check's constants were chosen on normal, uniform, constant, log-normal, Cauchy and sparse
numbers, and on sums that cancel; none of them is here.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Pair = tuple[Array, Array]


def _peaked(rng: np.random.Generator, rows: int, inner: int, columns: int) -> Pair:
    scores = 4.0 * rng.normal(size=(inner, columns))
    weights = np.exp(scores - scores.max(axis=0))
    return rng.random((rows, inner)), weights / weights.sum(axis=0)


def _one_large(rng: np.random.Generator, rows: int, inner: int, columns: int) -> Pair:
    B = 3e-8 * rng.integers(1, 4, (inner, columns))
    B[0] = 1.0
    B[:, ::2] = rng.normal(size=B[:, ::2].shape)
    return 1.0 + rng.random((rows, inner)), B


def _smooth(rng: np.random.Generator, rows: int, inner: int, columns: int) -> Pair:
    A, B = rng.normal(size=(rows, inner)), rng.normal(size=(inner, columns))
    return np.cumsum(A, axis=1), np.cumsum(B, axis=0)


def _scaled(rng: np.random.Generator, rows: int, inner: int, columns: int) -> Pair:
    left, right = 10.0 ** rng.uniform(-3, 3, rows), 10.0 ** rng.uniform(-6, 6, columns)
    return left[:, None] * rng.laplace(size=(rows, inner)), rng.laplace(
        size=(inner, columns)
    ) * right


def _orthogonal(rng: np.random.Generator, rows: int, inner: int, columns: int) -> Pair:
    few = min(8, inner // 2)
    basis = np.linalg.qr(rng.normal(size=(inner, few)))[0]
    B = rng.normal(size=(inner, columns))
    return rng.normal(size=(rows, few)) @ basis.T, B - basis @ (basis.T @ B)


def _alternating(rng: np.random.Generator, rows: int, inner: int, columns: int) -> Pair:
    B = np.where(np.arange(inner)[:, None] % 2, -0.1, 0.1) * np.ones((inner, columns))
    B[:, : columns // 2] = rng.normal(size=(inner, columns // 2))
    return np.full((rows, inner), 0.7), B


def _few_values(rng: np.random.Generator, rows: int, inner: int, columns: int) -> Pair:
    return rng.choice([0.1, 0.3, 0.7], (rows, inner)), rng.choice([0.1, 0.9], (inner, columns))


def _half_zero(rng: np.random.Generator, rows: int, inner: int, columns: int) -> Pair:
    B = rng.normal(size=(inner, columns))
    B[:, rng.random(columns) < 0.5] = 0.0
    return rng.exponential(size=(rows, inner)), B


def _one_hot(rng: np.random.Generator, rows: int, inner: int, columns: int) -> Pair:
    B = np.zeros((inner, columns))
    B[rng.integers(0, inner, columns), np.arange(columns)] = 1.0
    B[:, ::3] = rng.beta(0.5, 0.5, B[:, ::3].shape)
    return rng.standard_t(2.0, (rows, inner)), B


def _coded(rng: np.random.Generator, rows: int, inner: int, columns: int) -> Pair:
    powers = np.cos(np.pi * (2 * rng.integers(0, 24) + 1) / 48) ** np.arange(4)
    A, B = rng.normal(size=(4, rows, inner)), rng.random((4, inner, columns))
    return np.tensordot(powers, A, 1), np.tensordot(powers**4, B, 1)


def _counts(rng: np.random.Generator, rows: int, inner: int, columns: int) -> Pair:
    return rng.poisson(3.0, (rows, inner)) + 0.0, rng.poisson(9.0, (inner, columns)) + 0.0


def _grey(rng: np.random.Generator, rows: int, inner: int, columns: int) -> Pair:
    return rng.integers(0, 256, (rows, inner)) / 255, rng.integers(0, 256, (inner, columns)) / 255


_KINDS: dict[str, Callable[[np.random.Generator, int, int, int], Pair]] = {
    "weights of attention": _peaked,
    "one large, many tiny": _one_large,
    "random walks": _smooth,
    "norms from 1e-6 to 1e6": _scaled,
    "products nearly zero": _orthogonal,
    "signs that alternate": _alternating,
    "few values": _few_values,
    "half the columns zero": _half_zero,
    "one-hot and beta": _one_hot,
    "coded shares": _coded,
    "counts": _counts,
    "grey levels": _grey,
}


def factors(
    rng: np.random.Generator, rows: int, inner: int, columns: int
) -> Iterator[tuple[str, Pair]]:
    """(name, (A, B)) of twelve distributions, float64."""
    for name, kind in _KINDS.items():
        yield name, kind(rng, rows, inner, columns)


def _blas(A: Array, B: Array) -> Array:
    return A @ B


def _one_by_one(A: Array, B: Array) -> Array:
    C = np.zeros((len(A), B.shape[1]), dtype=np.result_type(A, B))
    for k in range(A.shape[1]):
        C += A[:, k : k + 1] * B[k]
    return C


def _backwards(A: Array, B: Array) -> Array:
    return _one_by_one(A[:, ::-1], B[::-1])


def _in_lanes(A: Array, B: Array, lanes: int = 16) -> Array:
    total = _one_by_one(A[:, ::lanes], B[::lanes])
    for lane in range(1, lanes):
        total = total + _one_by_one(A[:, lane::lanes], B[lane::lanes])
    return total


def _in_two(A: Array, B: Array) -> Array:
    return _in_lanes(A, B, 2)


def _split(A: Array, B: Array) -> Array:
    edges = np.linspace(0, A.shape[1], 5).astype(int)
    parts = [_one_by_one(A[:, i:j], B[i:j]) for i, j in pairwise(edges)]
    return (parts[0] + parts[1]) + (parts[2] + parts[3])


HOSTS: dict[str, Callable[[Array, Array], Array]] = {
    "BLAS": _blas,
    "one by one": _one_by_one,
    "backwards": _backwards,
    "2 running sums": _in_two,
    "16 running sums": _in_lanes,
    "4 parts": _split,
}
"""How a host may add up."""
