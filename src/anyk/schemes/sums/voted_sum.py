"""The sum of one right answer on each batch, of which several workers have the same."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.domains.base import AbstractDomain
from anyk.domains.tensors import Torch
from anyk.domains.values import Values, added
from anyk.schemes.recovery import AbstractRecovery, copies_of
from anyk.schemes.voting import Voting, chosen

__all__ = ["VotedSum", "total"]

_TINY = float(np.finfo(np.float64).tiny)


@final
@dataclass(frozen=True)
class VotedSum(AbstractRecovery):
    """The sum of what is believed of each batch.

    Args:
        domain: of the answers.
        voting: what is believed.
        held: the batch that each answer is on.
        shares: that they are the answers on.
        workers: who gave them.
    """

    domain: AbstractDomain
    voting: Voting
    held: tuple[int, ...]
    shares: tuple[int, ...]
    workers: tuple[int, ...]

    @property
    def answered(self) -> tuple[int, ...]:
        """The shares."""
        return self.shares

    @property
    def matrix(self) -> NDArray[Any]:
        """A one for the first answer on each batch."""
        row = np.zeros((1, len(self.shares)), dtype=self.domain.dtype)
        row[0, np.unique(self.held, return_index=True)[1]] = 1
        return row

    def recover(self, values: NDArray[Any]) -> Recovered:
        """The sum, and who told something else than what is believed."""
        rows = copies_of(values, self.shares, self.domain)
        told = self.voting.told(rows, np.array(self.held), self.workers)
        each = chosen(rows, told.rows)
        value = total(self.domain, each)
        spread = np.where(told.known, 0.0, told.spread)
        error = None if told.known.all() else _apart(each, spread, value)
        return Recovered(
            value=value,
            suspects=told.suspects,
            error_estimate=error,
            known=np.full(1, error is None),
            block_errors=None if error is None else np.full(1, error),
            condition=1.0,
        )


def total(domain: AbstractDomain, rows: NDArray[Any]) -> NDArray[Any]:
    """The sum of answers: whole numbers exactly, floats in their type.

    Args:
        domain: of the answers.
        rows: ndarray (B, *out).

    Raises:
        InvalidArgument: if whole numbers have a sum of more than 64 bits.

    Example:
        >>> from anyk.schemes.sums.voted_sum import total
        >>> total(anyk.PrimeField(7), np.array([[5, 1], [4, 1]]))
        array([2, 2])
    """
    if isinstance(domain.of if isinstance(domain, Torch) else domain, Values):
        return added(rows, "values")
    ones = np.ones((1, len(rows)), dtype=domain.dtype)
    return domain.matmul(ones, rows).reshape(rows.shape[1:])


def _apart(rows: NDArray[Any], spread: NDArray[np.float64], value: NDArray[Any]) -> float:
    """How far the sum may be off, by its own size, where answers are so far off by theirs."""
    numbers = np.concatenate([rows, value[None]]).reshape(len(rows) + 1, -1)
    size = np.abs(np.where(np.isfinite(numbers), numbers, 0)).astype(np.float64)
    *each, whole = np.linalg.norm(size / (size.max(initial=0.0) or 1.0), axis=1)
    apart = spread > 0.0
    off = float(spread[apart] @ np.array(each)[apart])
    return max(off / whole, _TINY) if whole else math.inf
