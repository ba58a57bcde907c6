"""The sum of what copies of its parts tell, by vote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.domains.base import AbstractDomain
from anyk.schemes.recovery import AbstractRecovery, copies_of
from anyk.schemes.sums.batches import total
from anyk.schemes.voting import Voting, chosen

__all__ = ["VotedSum"]

_TINY = float(np.finfo(np.float64).tiny)


@final
@dataclass(frozen=True, eq=False)
class VotedSum(AbstractRecovery):
    """The sum of one answer a group, which its copies agree on.

    Args:
        voting: what tells the answer of a group.
        domain: of the answers.
        shares: that were answered.
        held: on which group each answer is, intp ndarray (len(shares),).
        workers: who gave each.

    Example:
        >>> scheme = anyk.FractionalRepetition(2, 4, stragglers=1)
        >>> scheme.recovery(None, (0, 1, 2)).recover(np.array([3.0, 4.0, 3.0])).value
        array(7.)
    """

    voting: Voting
    domain: AbstractDomain
    shares: tuple[int, ...]
    held: NDArray[np.intp]
    workers: tuple[int, ...]

    @property
    def answered(self) -> tuple[int, ...]:
        """The shares."""
        return self.shares

    @property
    def matrix(self) -> NDArray[Any]:
        """A one for the first copy of each group."""
        row = np.zeros((1, len(self.shares)), dtype=self.domain.dtype)
        row[0, np.unique(self.held, return_index=True)[1]] = 1
        return row

    def recover(self, values: NDArray[Any]) -> Recovered:
        """The sum and the liars; see `AbstractRecovery.recover`."""
        rows = copies_of(values, self.shares, self.domain)
        told = self.voting.told(rows, self.held, self.workers)
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
        )


def _apart(rows: NDArray[Any], spread: NDArray[np.float64], value: NDArray[Any]) -> float:
    """How far the sum may be off, by its own size, where answers are so far off by theirs."""
    numbers = np.concatenate([rows, value[None]]).reshape(len(rows) + 1, -1)
    size = np.abs(np.where(np.isfinite(numbers), numbers, 0)).astype(np.float64)
    *each, whole = np.linalg.norm(size / (size.max(initial=0.0) or 1.0), axis=1)
    off = float(spread[spread > 0.0] @ np.array(each)[spread > 0.0])
    return max(off / whole, _TINY) if whole else np.inf
