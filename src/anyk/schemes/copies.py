"""What copies of blocks tell, by vote: for schemes that compute blocks several times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.codes.agreement import SINGLE, Agreement, Majority, same
from anyk.domains.base import AbstractDomain
from anyk.domains.values import together
from anyk.errors import TooManyErrors
from anyk.schemes.recovery import AbstractRecovery, Copies, copies_of

__all__ = ["CopiesRecovery"]

_ADVICE = "If nobody lies, hosts round differently by more than rtol= allows: raise it."
_TINY = float(np.finfo(np.float64).tiny)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class CopiesRecovery(AbstractRecovery):
    """The value of each block, which so many of its copies tell, and the liars.

    Args:
        blocks: K.
        domain: of the answers.
        rtol: how far copies that agree may be from each other; see `Agreement`.
        adversaries: A, how many workers may lie and are named.
        least: D + 1, how many copies of a block must agree.
        shares: that were answered.
        held: of which block each of them is a copy, ndarray (len(shares),).
        workers: who answered each of them.

    Example:
        >>> scheme = anyk.Replication(blocks=1, workers=3, adversaries=1)
        >>> self.recovery(None, (0, 1, 2)).recover(np.array([4.0, 9.0, 4.0])).suspects
        (1,)
    """

    blocks: int
    domain: AbstractDomain
    rtol: float | None
    adversaries: int
    least: int
    shares: tuple[int, ...]
    held: NDArray[np.intp]
    workers: tuple[int, ...]

    @property
    def answered(self) -> tuple[int, ...]:
        """The shares."""
        return self.shares

    @property
    def matrix(self) -> NDArray[Any]:
        """A one for the first copy of each block."""
        matrix = np.zeros((self.blocks, len(self.shares)), dtype=self.domain.dtype)
        blocks, firsts = np.unique(self.held, return_index=True)
        matrix[blocks, firsts] = 1
        return matrix

    def recover(self, values: NDArray[Any]) -> Recovered:
        """The blocks and the liars; see `AbstractRecovery.recover`."""
        rows = copies_of(values, self.shares, self.domain)
        held = self.held
        alike = self._all_alike(rows, held)
        if alike is not None:
            known = np.ones(self.blocks, dtype=np.bool_)
            return Recovered(value=alike, known=known)
        places = np.split(np.argsort(held, kind="stable"), np.cumsum(np.bincount(held))[:-1])
        replicas = [self._one_each(each) for each in places]
        agreement = Agreement(0.0 if self.domain.exact else self.rtol)
        try:
            majorities, suspects = self._told(rows, replicas, agreement)
        except TooManyErrors as error:
            if error.more or agreement.rtol is not None:
                raise
            majorities, suspects = self._told(rows, replicas, Agreement(floor=SINGLE))
        chosen = [rows[each[of.chosen]] for each, of in zip(replicas, majorities, strict=True)]
        value = together(chosen, "values")
        known = np.array([each.known(self.least) for each in majorities])
        errors = None if known.all() else _spread(value, known, majorities)
        return Recovered(
            value=value,
            suspects=tuple(sorted(suspects)),
            error_estimate=None if errors is None else float(np.sqrt(np.mean(errors**2))),
            known=known,
            block_errors=errors,
        )

    def _all_alike(self, rows: Copies, held: NDArray[np.intp]) -> NDArray[Any] | None:
        """The value, where replicas of a block are equal to the bit; None where some are not."""
        if self.workers is not self.shares:
            says = held * (max(self.workers) + 1) + np.array(self.workers)
            if len(np.unique(says)) < len(says):
                return None  # some have a say twice
        _, first = np.unique(held, return_index=True)
        if not isinstance(rows, np.ndarray):
            value = [rows[place] for place in first]
            alike = all(same(value[block], row) for block, row in zip(held, rows, strict=True))
            return together(value, "values") if alike else None
        whole = rows[first]
        return whole if len(first) == len(rows) or same(whole[held], rows) else None

    def _one_each(self, replicas: NDArray[np.intp]) -> NDArray[np.intp]:
        """The first replica of each worker: nobody has a say twice."""
        firsts = {self.workers[place]: place for place in replicas[::-1]}
        return np.array(sorted(firsts.values()), dtype=np.intp)

    def _told(
        self, rows: Copies, replicas: list[NDArray[np.intp]], agreement: Agreement
    ) -> tuple[list[Majority], set[int]]:
        """What D + 1 replicas of each block tell, and who tells something else.

        Raises:
            TooManyErrors: if there is a block of which they tell nothing, or more than A workers
                tell something else.
        """
        least = self.least
        majorities: list[Majority] = []
        suspects: set[int] = set()
        missing = 0
        for each in replicas:
            majority = agreement.majority([rows[place] for place in each], least)
            if majority is None:
                missing += max(self.adversaries + least - each.size, 0)
            else:
                majorities.append(majority)
                if len(majority.agreeing) < each.size:
                    others = np.delete(each, majority.agreeing)
                    suspects |= {self.workers[place] for place in others}
        excess = len(suspects) > self.adversaries
        if excess or len(majorities) < self.blocks:
            raise TooManyErrors(
                answered=self._contradicting(rows, replicas, agreement) or set(self.workers),
                adversaries=self.adversaries,
                detects=least - 1,
                more=0 if excess else missing,
                unless="" if self.domain.exact else _ADVICE,
            )
        return majorities, suspects

    def _contradicting(
        self, rows: Copies, replicas: list[NDArray[np.intp]], agreement: Agreement
    ) -> set[int]:
        """The workers of the blocks whose replicas do not all agree."""
        who: set[int] = set()
        for each in replicas:
            majority = agreement.majority([rows[place] for place in each], 1) if each.size else None
            if each.size and (majority is None or len(majority.agreeing) < each.size):
                who |= {self.workers[place] for place in each}
        return who


def _spread(
    value: NDArray[Any], known: NDArray[np.bool_], majorities: list[Majority]
) -> NDArray[np.float64]:
    """The errors of blocks whose replicas agree but for rounding, by the size of the value."""
    size = np.abs(np.where(np.isfinite(value), value, 0)).astype(np.float64)
    largest = float(size.max(initial=0.0)) or 1.0
    sizes = np.sqrt(np.mean((size / largest).reshape(len(value), -1) ** 2, axis=1))
    whole = float(np.sqrt(np.mean(sizes**2))) or 1.0
    spread = np.array([each.spread for each in majorities])
    errors: NDArray[np.float64] = np.where(known, 0.0, np.maximum(spread * sizes / whole, _TINY))
    return errors
