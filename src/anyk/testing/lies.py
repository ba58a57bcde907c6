"""What liars tell: anything, or together the answers of another value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.codes.exact.linear import row_reduce
from anyk.domains.prime import PrimeField
from anyk.schemes.base import AbstractScheme
from anyk.spec import MatMul
from anyk.testing.expect import numbers
from anyk.testing.trial import Trial

__all__ = ["colluding", "lies", "words"]


def lies(
    scheme: AbstractScheme,
    values: NDArray[Any],
    rows: Sequence[int],
    generator: np.random.Generator,
) -> NDArray[Any]:
    """The answers, with something else in these rows.

    Args:
        scheme: that they are of.
        values: ndarray (m, *out).
        rows: that lie.
        generator: where the lies come from.
    """
    spoiled = values.copy()
    for row in rows:
        lie = numbers(scheme.domain, values.shape[1:], generator)
        spoiled[row] = np.where(lie == values[row], values[row] - 1 + 2 * (values[row] == 0), lie)
    return spoiled


def words(made: Trial, generator: np.random.Generator) -> NDArray[np.int64] | None:
    """Answers on many other data, one a row: they span the code. None where that is not tried.

    Args:
        made: a scheme on trial; over a field, with its usual function, which takes any shape.
        generator: where the data come from.
    """
    scheme, problem = made.scheme, made.scheme.problem
    if not (isinstance(scheme.domain, PrimeField) and made.usual) or isinstance(problem, MatMul):
        return None
    total = scheme.guarantee.workers * scheme.guarantee.pieces
    other = replace(made, blocks=(numbers(scheme.domain, (problem.blocks, total), generator),))
    answers: NDArray[np.int64] = other.answers(scheme.encode(other.X))
    return answers.T


def colluding(
    field: PrimeField,
    code: NDArray[np.int64],
    values: NDArray[np.int64],
    rows: Sequence[int],
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """The answers, with those of another value in some of these rows, the worst that can be told.

    The other value agrees with the truth in as many of the other rows as it can.

    Args:
        field: of the code.
        code: answers on other data, ndarray (words, m), on the same shares as the values.
        values: ndarray (m, *out).
        rows: that lie.
        generator: chooses where the other value agrees with the truth.
    """
    honest = generator.permutation([row for row in range(len(values)) if row not in rows])
    order = [*honest.tolist(), *rows]
    reduced, pivots = row_reduce(field, np.ascontiguousarray(code[:, order]))
    told = reduced[: len(pivots), len(honest) :]
    some = np.flatnonzero(told.any(axis=1))
    spoiled = values.copy()
    if len(some):  # the last row is 0 in all places before its own
        lie = told[some[-1]].reshape(-1, *[1] * (values.ndim - 1))
        spoiled[list(rows)] = field.reduce(values[list(rows)] + lie)
    return spoiled
