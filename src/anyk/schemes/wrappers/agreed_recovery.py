"""The decoder of `Agreed`: what workers agree on goes to the scheme within, the rest is erased."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.codes.agreement import Agreement
from anyk.codes.locators.votes import Verdict, judge
from anyk.domains.prime import PrimeField
from anyk.domains.values import together
from anyk.errors import NotEnoughAnswers, TooManyErrors
from anyk.randomness.sketch import sketch_residues
from anyk.schemes.base import AbstractRecovery, AbstractScheme, Copies, copies_of
from anyk.schemes.wrappers.grouping import Grouping

__all__ = ["AgreedRecovery"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class AgreedRecovery(AbstractRecovery):
    """From answers on groups of equal shares to the value: made by `anyk.Agreed`.

    Args:
        scheme: whose recovery it is, for its guarantee.
        within: the scheme within.
        layout: who holds which of its shares.
        shares: that were answered.
        agree: how many answers that agree are believed.
        agreement: when two of them agree.
        ready: the recovery of the scheme within if nobody lies.
    """

    scheme: AbstractScheme
    within: AbstractScheme
    layout: Grouping
    shares: tuple[int, ...]
    agree: int
    agreement: Agreement
    ready: AbstractRecovery

    @property
    def answered(self) -> tuple[int, ...]:
        """The shares that were answered, in the order of the answers."""
        return self.shares

    @property
    def matrix(self) -> NDArray[Any]:
        """R of the scheme within, at the first answer on each of the shares that it takes."""
        inner = self.ready.matrix
        matrix = np.zeros((inner.shape[0], len(self.shares), *inner.shape[2:]), dtype=inner.dtype)
        held = self._held.tolist()
        matrix[:, [held.index(share) for share in self.ready.answered]] = inner
        return matrix

    def recover(self, values: NDArray[Any]) -> Recovered:
        """The value by the shares that workers agree on."""
        rows = copies_of(values, self.shares, self.scheme.domain)
        verdict, promise = self._verdict(rows), self.scheme.guarantee
        if verdict.least > self._adversaries:
            raise self._contradiction(0)
        believed = tuple(each.share for each in verdict.believed)
        try:
            recovery = self._from(believed)
            recovered = recovery.recover(_at(rows, [each.row for each in verdict.believed]))
        except (NotEnoughAnswers, TooManyErrors):
            raise self._contradiction(promise.threshold - len(rows)) from None
        wrong = {*verdict.liars}
        for each in verdict.believed:
            if each.share // self.layout.pieces in recovered.suspects:
                if each.certain and promise.exact:  # two proofs that contradict each other
                    raise self._contradiction(0)
                wrong |= set() if each.certain else {*each.supporters}
        if promise.exact:
            wrong |= {*self._refuted(rows, verdict)}
        suspects = {self._worker(row) for row in wrong}
        if len(suspects) > self._adversaries:
            raise self._contradiction(0)
        apart = [each.spread * float(np.linalg.norm(rows[each.row])) for each in verdict.believed]
        recovered = replace(
            recovered,
            suspects=tuple(sorted(suspects)),
            disputed=self._disputed(verdict, suspects),
        )
        return _rounded(recovered, recovery, np.array(apart))

    @property
    def _adversaries(self) -> int:
        return self.scheme.guarantee.adversaries

    def _contradiction(self, more: int) -> TooManyErrors:
        answered = {self._worker(row) for row in range(len(self.shares))}
        return TooManyErrors(answered=answered, adversaries=self._adversaries, more=max(more, 0))

    @cached_property
    def _held(self) -> NDArray[np.intp]:
        """The share of the scheme within that each row is an answer on."""
        return self.layout.held[list(self.shares)]

    def _worker(self, row: int) -> int:
        """Who gave the answer in this row."""
        return self.shares[row] // self.layout.pieces

    def _from(self, shares: tuple[int, ...]) -> AbstractRecovery:
        """The recovery of the scheme within, from these of its shares."""
        if shares == self.ready.answered:
            return self.ready
        return self.within.recovery(self.layout.within, shares)

    def _disputed(self, verdict: Verdict, suspects: set[int]) -> tuple[tuple[int, ...], ...]:
        """The workers of each group that contradict each other, unless a liar of it is named."""
        groups: dict[int, set[int]] = {}
        for row in verdict.disputed:
            group = int(self._held[row]) // self.layout.pieces
            groups.setdefault(group, set()).add(self._worker(row))
        return tuple(sorted(tuple(sorted(who)) for who in groups.values() if not who & suspects))

    def _verdict(self, rows: Copies) -> Verdict:
        return judge(
            self._held,
            rows,
            self.agreement,
            adversaries=self._adversaries,
            agree=self.agree,
            pieces=self.layout.pieces,
        )

    def _refuted(self, rows: Copies, verdict: Verdict) -> Iterator[int]:
        """The rows on other shares that an exact scheme decodes to something else."""
        domain, held = self.scheme.domain, self._held.tolist()
        place = {each.share: each.row for each in verdict.believed}
        others = [row for row, share in enumerate(held) if share not in place]
        if not others:
            return
        few = rows if isinstance(rows, np.ndarray) else together(rows, "values")
        if isinstance(domain, PrimeField):
            few = sketch_residues(domain, few.reshape(len(few), -1))
        value = domain.matmul(self._from((*place,)).matrix, few[[*place.values()]])
        for row in others:
            found = self._instead(held[row], (*place,))
            if found is None:
                continue
            taken = few[[row, *(place[share] for share in found.answered[1:])]]
            if not self.agreement.agree(domain.matmul(found.matrix, taken), value):
                yield row

    def _instead(self, share: int, believed: tuple[int, ...]) -> AbstractRecovery | None:
        """A recovery that needs this share, the first, with others of those that are believed."""
        for left_out in reversed(believed):
            chosen = (share, *(each for each in believed if each != left_out))
            if self.within.sufficient(chosen):
                recovery = self._from(chosen)
                if recovery.matrix[:, 0].any():
                    return recovery
        return None


def _at(rows: Copies, places: list[int]) -> Any:
    """Some of these rows, in this order."""
    return rows[places] if isinstance(rows, np.ndarray) else [rows[place] for place in places]


def _rounded(
    recovered: Recovered, recovery: AbstractRecovery, apart: NDArray[np.float64]
) -> Recovered:
    """The same, with what rounding parts the answers that agree in its evidence.

    Args:
        recovered: by one answer a share.
        recovery: that made it.
        apart: how far the farthest of the answers that agree is from that one, ndarray (m,).
    """
    if not apart.any():
        return recovered
    largest = float(apart.max())
    off = largest * np.sqrt(np.abs(recovery.matrix) ** 2 @ (apart / largest) ** 2)
    size = float(np.linalg.norm(recovered.value)) / math.sqrt(len(off))
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        shares = np.where(off > 0.0, off / size, 0.0)
    before = recovered.block_errors
    errors = shares if before is None else np.hypot(before, shares)
    known = np.ones(len(off), dtype=np.bool_) if recovered.known is None else recovered.known
    return replace(
        recovered,
        error_estimate=math.hypot(
            recovered.error_estimate or 0.0, float(np.sqrt(np.mean(shares**2)))
        ),
        known=known & (shares == 0.0),
        block_errors=errors,
    )
