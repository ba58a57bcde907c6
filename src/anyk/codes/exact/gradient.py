"""Gradient codes: workers send one combination of what they computed; a few combinations make 1."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from anyk.codes.exact.linear import solve
from anyk.domains.base import AbstractDomain
from anyk.domains.polynomials import node_weights, vandermonde
from anyk.domains.prime import PrimeField

__all__ = ["cyclic_code", "cyclic_support", "decoding_row"]

Matrix: TypeAlias = NDArray[Any]

_DRAWS = 8  # codes of which the best is kept
_JUDGED = 64  # sets of stragglers by which a code is judged


def cyclic_support(workers: int, stragglers: int) -> NDArray[np.intp]:
    """Which blocks each worker holds: n, n + 1, .., n + S, around the circle.

    Args:
        workers: N, as many as blocks.
        stragglers: S.

    Returns:
        ndarray (N, S + 1).

    Example:
        >>> from anyk.codes.exact.gradient import cyclic_support
        >>> cyclic_support(3, 1)
        array([[0, 1],
               [1, 2],
               [2, 0]])
    """
    return (np.arange(workers)[:, None] + np.arange(stragglers + 1)) % workers


@lru_cache(maxsize=32)
def cyclic_code(domain: AbstractDomain, workers: int, stragglers: int) -> Matrix:
    """The matrix B of a cyclic gradient code: any N - S of its rows combine to the row of ones.

    Row n is the combination of the blocks of worker n that is orthogonal to all S rows of H, any
    S columns of which are independent, and whose columns add up to 0. Over a field H is the parity
    check of a Reed-Solomon code. Over the reals it is Gaussian; of eight draws the one is kept
    whose decoding rows are the smallest for the worst of 64 sets of stragglers. Nothing depends on
    the randomness but rounding: the draws are the same in every process.

    Args:
        domain: a prime field, with at least N elements, the reals or the complex numbers.
        workers: N.
        stragglers: S.

    Returns:
        ndarray (N, N) of the domain's dtype; row n is 0 outside of `cyclic_support`.

    References:
        Tandon, Lei, Dimakis, Karampatziakis: Gradient coding (ICML 2017), algorithm 1.
    """
    if isinstance(domain, PrimeField):
        points = np.arange(workers, dtype=np.int64)
        powers = vandermonde(domain, points, stragglers)
        return _code_of(domain, domain.reduce(powers * node_weights(domain, points)))
    generator = np.random.default_rng([workers, stragglers])
    judged = [generator.permutation(workers)[stragglers:] for _ in range(_JUDGED)]
    late = cyclic_support(workers, stragglers)[:, 1:]
    judged += [np.delete(np.arange(workers), each) for each in late]
    best, smallest = np.eye(workers), math.inf
    for _ in range(_DRAWS if stragglers else 0):
        check = generator.standard_normal((stragglers, workers))
        check[:, -1] = -check[:, :-1].sum(axis=1)
        code = _code_of(domain, check)
        worst = max(float(np.linalg.norm(decoding_row(domain, code[rows]))) for rows in judged)
        if worst < smallest:
            best, smallest = code, worst
    return np.asarray(best, dtype=domain.dtype)


def _code_of(domain: AbstractDomain, check: Matrix) -> Matrix:
    """Row n with 1 at block n, and what makes it orthogonal to H at the next S."""
    stragglers, workers = check.shape
    code = np.zeros((workers, workers), dtype=check.dtype)
    for row, support in zip(code, cyclic_support(workers, stragglers), strict=True):
        row[support[0]] = 1
        others, first = check[:, support[1:]], check[:, support[:1]]
        if not stragglers:
            continue
        if isinstance(domain, PrimeField):
            solution = solve(domain, others, domain.reduce(-first))
            if solution is None:
                raise ArithmeticError("S columns of a Reed-Solomon parity check are independent")
            row[support[1:]] = solution[:, 0]
        else:
            row[support[1:]] = np.linalg.solve(others, -first)[:, 0]
    return code


def decoding_row(domain: AbstractDomain, rows: Matrix) -> Matrix:
    """The combination a of rows of B that is the row of ones: a·B_F = 1.

    Args:
        domain: of the code.
        rows: B_F, ndarray (m, N), with m >= N - S.

    Returns:
        ndarray (m,); over the reals the shortest one, over a field one of the first N - S rows.

    Example:
        >>> from anyk.codes.exact.gradient import cyclic_code, decoding_row
        >>> rows = cyclic_code(anyk.Reals(), 4, 1)[[0, 1, 3]]
        >>> np.allclose(decoding_row(anyk.Reals(), rows) @ rows, 1.0)
        True
    """
    ones = np.ones(rows.shape[1], dtype=rows.dtype)
    if not isinstance(domain, PrimeField):
        return np.asarray(np.linalg.lstsq(rows.T, ones, rcond=None)[0])
    solution = solve(domain, rows.T, ones[:, None])
    if solution is None:
        raise ArithmeticError("N - S rows of a gradient code combine to the row of ones")
    return solution[:, 0]
