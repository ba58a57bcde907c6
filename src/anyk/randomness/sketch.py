"""A few columns for many, which nobody can foresee, so that no lie is made to vanish in them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.domains.prime import PrimeField
from anyk.randomness.entropy import AbstractSource, SystemSource, residues

__all__ = ["COLUMNS", "sketch", "sketch_residues"]

COLUMNS = 64
"""Of a sketch, unless its caller asks for fewer: values of so few columns are their own sketch."""

_TIMES = 4  # that the columns are folded: what cancels in one fold shows in another
_HALF_WORD = 1 << 29
_AT_ONCE = 1 << 17  # numbers, so that they stay in cache
_ADDED = 256  # numbers in a row

_SECURITY_BITS = 96
_SMALL = 1 << 16  # residues below 2**31 times these, 64 at a time, add up exactly in float64
_CHUNK = 64
_ROWS = 1024
_FEW = 32


def sketch(
    values: NDArray[Any],
    *,
    columns: int = COLUMNS,
    numbers: int | None = None,
    source: AbstractSource = SystemSource(),
) -> NDArray[Any]:
    """A few random combinations of columns, with the mean square of all the columns.

    Each column is multiplied by a random number, of either sign and of size 1/2 to 3/2, and added
    to one of C/4 that is drawn at random; this is done four times, with other random numbers. Any
    linear combination of rows keeps its mean square in expectation and, if it is spread over many
    columns, to about sqrt(2 / C) of it in standard deviation, whatever the rows are chosen to be by
    somebody who can't foresee the random numbers. Two numbers cancel to a share e of their size
    with a chance of about e in one fold, and e^4 in all of them. Rows that are equal to the bit
    stay so.

    Args:
        values: ndarray (n, L), real or complex.
        columns: C, a multiple of 4.
        numbers: about how many numbers to return at most, where that is less than n C; C is then
            smaller, but at least 4. None for no such limit.
        source: where the random numbers come from; the operating system's CSPRNG by default.

    Returns:
        ndarray (n, C); the values themselves where L <= C.

    References:
        Charikar, Chen and Farach-Colton, Finding frequent items in data streams, 2002, section 3.

    Example:
        >>> from anyk.randomness.sketch import sketch
        >>> sketch(np.ones((5, 1000))).shape, sketch(np.ones((5, 1000)), numbers=100).shape
        ((5, 64), (5, 20))
    """
    rows, width = values.shape
    few = columns // _TIMES
    if numbers is not None and rows:
        few = max(1, min(few, numbers // (_TIMES * rows)))
    if width <= _TIMES * few:
        return values
    weights = residues(source, 2 * _HALF_WORD, (_TIMES, width)) / _HALF_WORD - 1.0
    weights += np.copysign(0.5, weights)
    whole = width - width % few
    turns = weights[:, :whole].reshape(_TIMES, -1, few)
    places = np.arange(whole).reshape(-1, few)  # each turn of columns begins somewhere else
    places = places - places % few + (places + residues(source, few, (len(places), 1))) % few
    folded = np.empty((rows, _TIMES, few), dtype=np.result_type(values, weights))
    step = max(1, _AT_ONCE // width)
    for start in range(0, rows, step):
        some = np.take(values[start : start + step], places.ravel(), axis=1)
        folded[start : start + step] = _folded(some.reshape(-1, *places.shape), turns)
    folded[:, :, : width - whole] += values[:, None, whole:] * weights[:, whole:]
    folded /= np.sqrt(np.mean(weights**2) * width / few)
    few_columns: NDArray[Any] = folded.reshape(rows, _TIMES * few)
    return few_columns


def _folded(values: NDArray[Any], turns: NDArray[np.float64]) -> NDArray[Any]:
    """The sums of columns, each times its number, ndarray (n, turns, few).

    Chunks are added up first: of a million numbers in a row rounding would be 14 times as much. Not
    by BLAS: it rounds equal rows differently.
    """
    rows, length, few = values.shape
    whole = length - length % _ADDED
    chunks = np.einsum(
        "nblc,tblc->nbtc",
        values[:, :whole].reshape(rows, -1, _ADDED, few),
        turns[:, :whole].reshape(len(turns), -1, _ADDED, few),
    )
    rest = np.einsum("nlc,tlc->ntc", values[:, whole:], turns[:, whole:])
    folded: NDArray[Any] = np.sum(chunks, axis=1) + rest
    return folded


def sketch_residues(
    field: PrimeField, values: NDArray[np.int64], *, source: AbstractSource = SystemSource()
) -> NDArray[np.int64]:
    """Random combinations of columns over a field, in which a row that is not zero stays so.

    Columns are combined first in chunks of 64 by coefficients below 2**16 (one BLAS product),
    then the chunks by coefficients from the whole field. A non-zero row vanishes in every
    combination with probability below 2**-80.

    Args:
        field: the field.
        values: int64 ndarray (n, L) of residues.
        source: where coefficients come from; whoever foresees them can hide an error.

    Returns:
        int64 ndarray (n, c): `values` itself where L is small already.

    References:
        Freivalds: Probabilistic machines can use less running time (IFIP 1977); Schwartz (JACM
        1980), lemma 1.

    Example:
        >>> from anyk.randomness.sketch import sketch_residues
        >>> sketch_residues(anyk.PrimeField(), np.zeros((3, 10**4), int)).any()
        np.False_
    """
    rows, length = values.shape
    spread = min(field.modulus, _SMALL)
    if length <= _FEW or spread <= 2:  # noqa: PLR2004 - in GF(2) combinations hide too much
        return values
    first = math.ceil(_SECURITY_BITS / math.log2(spread))
    second = math.ceil(_SECURITY_BITS / math.log2(field.modulus))
    if length <= first * second:
        return values
    chunks = length // _CHUNK
    coefficients = residues(source, spread, (_CHUNK, first)).astype(np.float64)
    partial = np.empty((chunks, rows, first))
    for row in range(rows):
        flat = values[row, : chunks * _CHUNK].reshape(chunks, _CHUNK)
        for start in range(0, chunks, _ROWS):  # so that the conversion to float64 stays in cache
            piece = flat[start : start + _ROWS].astype(np.float64)
            partial[start : start + _ROWS, row] = piece @ coefficients
    tail = values[:, chunks * _CHUNK :]
    folded = field.reduce(partial.astype(np.int64))
    mixed = field.matmul(residues(source, field.modulus, (second, chunks)), folded)
    return np.concatenate([mixed.transpose(1, 0, 2).reshape(rows, -1), tail], axis=1)
