"""The shortest linear recurrence of a sequence over a prime field."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anyk.domains.prime import PrimeField

__all__ = ["applied", "shortest_recurrence"]


def applied(
    field: PrimeField, recurrence: NDArray[np.int64], terms: NDArray[np.int64]
) -> NDArray[np.int64]:
    """r_l = sum_k c_k·s_{l+k}, of each column s: zeros where the recurrence holds.

    Args:
        field: the field.
        recurrence: c, int64 ndarray (t + 1,) of residues.
        terms: int64 ndarray (m, columns) of residues, m >= t.

    Returns:
        int64 ndarray (m - t, columns).

    Example:
        >>> from anyk.codes.exact.recurrence import applied
        >>> applied(anyk.PrimeField(7), np.array([5, 1]), np.array([[1], [2], [4]])).ravel()
        array([0, 0])
    """
    order, columns = len(recurrence) - 1, terms.shape[1]
    height = len(terms) - order
    windows = np.empty((order + 1, height, columns), dtype=np.int64)
    for shift in range(order + 1):
        windows[shift] = terms[shift : shift + height]
    rest: NDArray[np.int64] = field.matmul(recurrence[None], windows.reshape(order + 1, -1))
    return rest.reshape(height, columns)


def shortest_recurrence(
    field: PrimeField, terms: NDArray[np.int64], most: int
) -> NDArray[np.int64] | None:
    """The shortest recurrence that all terms of a sequence satisfy.

    Args:
        field: the field.
        terms: int64 ndarray (m,) of residues, m >= 2·most.
        most: how many terms it may look back.

    Returns:
        c, int64 ndarray (t + 1,) with the last one 1 and t <= most, so that sum_k c_k·s_{l+k} = 0
        for all l < m - t; None if there is none. There is at most one of the smallest t.

    References:
        Massey: Shift-register synthesis and BCH decoding (IEEE Trans. IT 1969), algorithm 2 and
        theorem 3.

    Example:
        >>> from anyk.codes.exact.recurrence import shortest_recurrence
        >>> shortest_recurrence(anyk.PrimeField(7), np.array([0, 1, 1, 2, 3, 5, 1, 6]), 2)
        array([6, 6, 1])
    """
    room = 2 * most + 2
    now, before = np.zeros(room, dtype=np.int64), np.zeros(room, dtype=np.int64)
    now[0] = before[0] = 1
    backwards = terms[: 2 * most][::-1]
    order, shift, divisor, modulus = 0, 1, 1, field.modulus
    for place in range(len(backwards)):
        first = len(backwards) - 1 - place
        own = field.reduce(now[: order + 1] * backwards[first : first + order + 1])
        off = int(own.sum()) % modulus
        if off:
            factor = off * pow(divisor, -1, modulus) % modulus
            longer = max(order, place + 1 - order)
            if longer > most:
                return None
            kept = now.copy() if longer > order else None
            reach = np.s_[shift : longer + 1]
            now[reach] = field.reduce(now[reach] - before[: longer + 1 - shift] * factor)
            if kept is not None:
                before, divisor, shift, order = kept, off, 0, longer
        shift += 1
    found = now[order::-1]
    return None if applied(field, found, terms[:, None]).any() else found
