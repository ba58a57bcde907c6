"""Columns of shares, made by the workers of a cluster of what lies there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, final

import numpy as np

from anyk.connections.broken import BrokenAnswer
from anyk.errors import ExecutorError, InvalidArgument
from anyk.executors.core.base import PerWorker, Placement
from anyk.executors.core.columns import UNKNOWN, Outline
from anyk.executors.core.crew import AbstractCrewed
from anyk.executors.engines.made import MakeColumns, shape_made
from anyk.works.mixed import Mixed

__all__ = ["Maker"]

_Told = tuple[tuple[int, ...], np.dtype[Any]]  # the shape and dtype of columns
_OTHER = "has made other columns than most workers"


@final
class Maker:
    """Asks workers for columns of their shares.

    As many as may lie are done without, where they say that they have made others than the rest.

    Args:
        executor: whose workers they are.
        placement: of the shares.
        mixed: what each makes.
        matrix: D, ndarray (N, K).
        liars: how many workers may lie.
    """

    def __init__(
        self,
        executor: AbstractCrewed,
        placement: Placement,
        mixed: Mixed,
        matrix: Any,
        *,
        liars: int,
    ) -> None:
        self._executor, self._crew, self._placement = executor, executor.crew, placement
        self._mixed, self._matrix, self._liars = mixed, matrix, liars
        self._groups: dict[tuple[int, ...], set[int]] = {}
        for worker, row in enumerate(matrix):  # a worker is brought what is in its share alone
            used = tuple(np.flatnonzero(row).tolist())
            self._groups.setdefault(used, set()).add(worker)
        self._lost: dict[int, str] = {}
        self._odd: set[int] = set()  # of these, who may have lied
        self._made: tuple[tuple[int, ...], np.dtype[Any]] | None = None
        self.columns = 0

    def make(self, slab: list[Any], width: int) -> None:
        """Make the columns of a slab, on all workers, which may then let go of it.

        Args:
            slab: K futures or references, of the columns of each block.
            width: how many columns there will be in all, or `UNKNOWN`.

        Raises:
            InvalidArgument: if more workers than may lie can't make them, or make others.
            ExecutorError: if no worker is left.
        """
        task = MakeColumns(self._mixed, self.columns, width)
        told = self._ask(
            (task, who, [PerWorker(self._matrix[:, list(used)]), [slab[block] for block in used]])
            for used, who in self._groups.items()
        )
        ((made, _), *_) = Counter(told.values()).most_common()
        shape, dtype = made
        self._do_without({worker: _OTHER for worker, each in told.items() if each != made}, told)
        known, self._made = self._made, (shape[1:], dtype)
        if not shape or not shape[0] or known not in {None, self._made}:
            raise _strange(_shares(told), self.columns)
        self.columns += shape[0]

    def finish(self) -> Outline:
        """What the shares are, when they are whole.

        Raises:
            InvalidArgument: if there was no slab.
            ExecutorError: if no worker is left.
        """
        if not self.columns or self._made is None:
            raise _strange("no slab", 0)
        self._ask(
            [
                (
                    MakeColumns(self._mixed, self.columns, UNKNOWN, last=True),
                    set(range(len(self._matrix))),
                    [],
                )
            ]
        )
        rest, dtype = self._made
        return Outline((len(self._matrix), self.columns, *rest), dtype, axis=1)

    def _ask(self, asked: Any) -> dict[int, _Told]:
        """Dispatch tasks, each on some workers, and hear what each of them has made."""
        everyone, dispatches = set(range(len(self._matrix))), []
        told: dict[int, _Told] = {}
        raised: dict[int, str] = {}
        try:
            for task, who, arguments in asked:
                without = (everyone - who) | self._lost.keys()
                dispatches.append(
                    self._executor.dispatch(task, self._placement, arguments, without)
                )
            for dispatch in dispatches:
                while (answer := dispatch.receive(None)) is not None:
                    if answer.traceback:
                        raised[answer.worker] = f"what can't be encoded ({answer.failure})"
                    elif answer.value is None:
                        self._lost[answer.worker] = str(answer.failure)
                    else:
                        try:
                            told[answer.worker] = shape_made(answer.value)
                        except BrokenAnswer as error:
                            raised[answer.worker] = str(error)
                    if len(raised) > self._liars:
                        break
                self._do_without(raised, told)
        finally:
            for dispatch in dispatches:
                dispatch.abandon()
        self._crew.check()
        if self._lost.keys() >= everyone:
            worker, why = next(iter(self._lost.items()))
            why = why.rstrip(".")
            raise ExecutorError(f"no worker has made its share; worker {worker}: {why}.")
        return told

    def _do_without(self, why: Mapping[int, str], told: Mapping[int, _Told]) -> None:
        """Ask these workers no more, unless they are more than may lie: then the data are odd."""
        self._odd |= why.keys()
        if len(self._odd) > self._liars:
            first = next(iter(why.values()))
            raise _strange(_shares(told) if first == _OTHER else first, self.columns)
        self._lost.update(why)


def _shares(told: Mapping[int, _Told]) -> str:
    return f"blocks that make shares of {sorted({str(each) for each in told.values()})}"


def _strange(given: str, column: int) -> InvalidArgument:
    return InvalidArgument(
        "X",
        given=f"{given}, from column {column} on",
        needed="blocks of one shape, of numbers of this scheme's domain",
        change="Correct them on the cluster.",
    )
