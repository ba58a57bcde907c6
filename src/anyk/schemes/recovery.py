"""The seam of decoding: a decoder is prepared for one set of answers, and used many times."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.domains.base import AbstractDomain
from anyk.errors import InvalidArgument

__all__ = ["AbstractRecovery", "Copies", "copies_of", "read_only", "rows_of"]

Copies: TypeAlias = NDArray[Any] | list[NDArray[Any]]
"""Answers of one shape: one array, or a list where their dtypes differ."""


class AbstractRecovery(ABC):
    """A decoder prepared for one set of answers; use it as often as you like.

    Example:
        >>> encoded = anyk.Lagrange(blocks=2, degree=2, workers=4).encode(np.array([5, 6]))
        >>> recovery = encoded.recovery([0, 2, 3])
        >>> recovery.recover(encoded.shares[[0, 2, 3]] ** 2).value
        array([25, 36])
    """

    @property
    @abstractmethod
    def answered(self) -> tuple[int, ...]:
        """The shares that were answered, in the order that `recover` expects.

        They are the workers, where each worker holds one.
        """

    @property
    @abstractmethod
    def matrix(self) -> NDArray[Any]:
        """R, ndarray (K, len(answered)): value = R·answers where nobody lies.

        One row, (1, len(answered)), for a sum, whose value is that row's; or one for each of its
        slices.
        """

    @property
    def modulus(self) -> int | None:
        """Where the value is R·answers modulo a number, nearest to zero: that number; else None."""
        return None

    @abstractmethod
    def recover(self, values: NDArray[Any]) -> Recovered:
        """The value from the answers.

        Args:
            values: ndarray (len(answered), *out), row i the answer on share `answered[i]`; in a
                run of the domain's `dtype`, and not as answers travel. Of a domain whose numbers
                are of several dtypes, a list of ndarrays where these differ.

        Returns:
            The value (K, *out), or (*out) for a sum, or A @ B for a product; the liars, as
            workers; and the error estimate.

        Raises:
            InvalidArgument: if `values` does not fit.
            TooManyErrors: if the answers contradict each other beyond what the scheme can mend.
        """


def read_only(matrix: NDArray[Any]) -> NDArray[Any]:
    """The matrix, closed to writing: what is kept for the next recovery must not change."""
    matrix.flags.writeable = False
    return matrix


def rows_of(
    values: Any,
    answered: tuple[int, ...],
    domain: AbstractDomain,
    shape: tuple[int, ...] | None = None,
) -> NDArray[Any]:
    """Check what `recover` was given: one row of the domain for each worker that answered.

    Args:
        values: array-like (len(answered), *out).
        answered: the workers.
        domain: what its values must belong to.
        shape: of each row; None for any.

    Returns:
        ndarray (len(answered), *out) of the domain's dtype.

    Raises:
        InvalidArgument: if the rows and the workers do not match, or a value does not belong.
    """
    array = domain.validate(values, "values")
    if array.ndim == 0 or array.shape[0] != len(answered):
        raise InvalidArgument(
            "values",
            given=f"shape {np.shape(array)}",
            needed=f"one row for each of the {len(answered)} workers that answered",
            change="Stack the answers along the first axis, in the order of `answered`.",
        )
    if shape is not None and array.shape[1:] != shape:
        raise InvalidArgument(
            "values",
            given=f"answers of shape {array.shape[1:]}",
            needed=f"shape {shape}, as the right ones have",
            change="Stack what the workers return along a new first axis.",
        )
    return array


def copies_of(values: Any, answered: tuple[int, ...], domain: AbstractDomain) -> Copies:
    """The same, each row in a dtype of its own, where the domain has several.

    Args:
        values: array-like (len(answered), *out), or a list of ndarrays of one shape.
        answered: the workers.
        domain: what its values must belong to.

    Returns:
        ndarray (len(answered), *out), or a list of ndarrays where their dtypes differ.

    Raises:
        InvalidArgument: if the rows and the workers do not match, or a value does not belong.
    """
    several = isinstance(values, list) and {getattr(each, "dtype", None) for each in values}
    if not several or len(several) == 1:
        return rows_of(values, answered, domain)
    rows = [domain.validate(each, "values") for each in values]
    if len(rows) != len(answered) or len({row.shape for row in rows}) > 1:
        raise InvalidArgument(
            "values",
            given=f"arrays of shapes {', '.join(str(row.shape) for row in rows)}",
            needed=f"one of the same shape for each of the {len(answered)} workers that answered",
            change="Take the answers in the order of `answered`.",
        )
    return rows
