"""The answers that came in one run: their values, who gave them, and what is wrong with some."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Answer
from anyk.errors import FunctionRaised, NotEnoughAnswers, WorkerTraceback
from anyk.running.unusable import unusable
from anyk.running.usable import Usable
from anyk.schemes.encoded import Encoded
from anyk.wording import fail_alike

__all__ = ["Received"]

_FAILED_ITS_CHECK = "wrong: the answer failed its check"
_CAUGHT_BEFORE = "a worker whose answer failed its check in this run"
_QUARANTINED = "in quarantine: executor.quarantine.release(worker) lets it work again"


@final
class Received:
    """The answers that came in one run, each looked at by itself.

    Args:
        encoded: what was dispatched.
        without: those of the workers that are in quarantine, and were not asked.
    """

    def __init__(self, encoded: Encoded, without: Collection[int]) -> None:
        promise = encoded.guarantee
        self.encoded = encoded
        self.unchecked = replace(encoded, check=None)  # its answers are checked here
        self.exact = promise.exact
        self.workers, self.pieces = promise.workers, promise.pieces
        self.usable = Usable(encoded)
        self._domain = encoded.scheme.domain
        self._shape = encoded.scheme.shape_of_answers(encoded.layout)
        self._values: dict[int, NDArray[Any]] = {}
        self._authors: dict[int, int] = {}  # of answers on other workers' shares
        self._again: dict[int, int] = {}  # the share of each further answer, by a number of its own
        self._further: dict[int, list[int]] = {}  # these numbers, by the share
        self.caught: set[int] = set()  # workers whose answer failed its check
        self._failures = {  # by worker and share
            (who, who * self.pieces): _QUARANTINED for who in without
        }
        self._tracebacks: dict[int, str] = {}  # of what the function raised, by worker

    def __contains__(self, share: int) -> bool:
        return share in self._values

    def takes(self, answer: Answer, share: int) -> bool:
        """Whether an answer counts: the first on a share, or one more that is wanted on it."""
        if share not in self._values:
            return True
        wanted = self.usable.wanted
        if wanted is None or share not in wanted:
            return False
        further = self._further.get(share, ())
        says = {self._author(share), *(self._authors[other] for other in further)}
        return answer.worker not in says

    def add(self, answer: Answer, share: int) -> bool | None:
        """Take an answer that counts, or note why it is of no use.

        Returns:
            None if it is of no use; else whether most answers have another shape since.
        """
        why = unusable(answer, self._domain, self._shape) or self._wrong(answer, share)
        if why is not None or answer.value is None:
            self._failures[answer.worker, share] = why or "no value"
            if answer.traceback:
                self._tracebacks.setdefault(answer.worker, answer.traceback)
            return None
        shape, worker = answer.value.shape, answer.worker
        if share in self._values:
            number = self.workers * self.pieces + len(self._again)
            self._again[number], self._authors[number] = share, worker
            self._further.setdefault(share, []).append(number)
            self._values[number] = answer.value
            return self.usable.add(number, shape, worker, again=share)
        self._values[share] = answer.value
        if answer.share is not None:
            self._authors[share] = worker
        return self.usable.add(share, shape, worker)

    def shares(self, numbers: Iterable[int]) -> tuple[int, ...]:
        """The shares that answers are on, in the order of these."""
        return tuple(self._again.get(number, number) for number in numbers)

    def _wrong(self, answer: Answer, share: int) -> str | None:
        """Why an answer is known to be wrong; None where it passes its check, or there is none."""
        check = self.encoded.check
        if check is None or answer.value is None:
            return None
        if answer.worker in self.caught:
            return _CAUGHT_BEFORE
        if check.passes(share, self._domain.from_rest(answer.value)):
            return None
        self.caught.add(answer.worker)
        return _FAILED_ITS_CHECK

    def stacked(self, shares: Iterable[int]) -> Any:
        """The values of these shares, one after the other; a list where their dtypes differ.

        They are no more at rest: whoever decodes them may compute with them.
        """
        values = [self._values[share] for share in shares]
        alike = len({value.dtype for value in values}) == 1
        return self._domain.from_rest(np.stack(values)) if alike else values

    @property
    def in_one_shape(self) -> bool:
        """Whether the answers leave no doubt about their shape.

        Too few answers do not decode in an exact code. Copies and approximate schemes would make a
        value of any few that agree, and the function may return other shapes for other shares.
        """
        return (self.exact and self.usable.wanted is None) or self.usable.most

    def failures(self, usable: tuple[int, ...]) -> dict[int, str]:
        """By worker, the first reason why something that it answered can't be used."""
        failures = dict(self._failures)
        for share in self._values.keys() - usable:
            shape, most = self._values[share].shape, self._values[usable[0]].shape
            why = f"answer of shape {shape} where others have {most}; all must have one shape"
            failures[self._author(share), share] = why
        reasons: dict[int, str] = {}
        for (worker, _), why in sorted(failures.items()):
            reasons.setdefault(worker, why)
        return reasons

    def explained(self, error: NotEnoughAnswers) -> NotEnoughAnswers:
        """The error that answers are missing, with what the function raised as its cause.

        Where all that were waited for raised one and the same, it says so instead of asking for
        workers.
        """
        tracebacks = self._tracebacks
        if not tracebacks:
            return error
        failures = error.failures
        waited_for = set(error.missing).difference(error.spared)
        alike = fail_alike(error.answered, error.missing, failures)
        if alike and waited_for <= failures.keys() <= tracebacks.keys():
            (reason,) = set(failures.values())
            error = FunctionRaised(
                reason, workers=failures, answered=error.answered, missing=error.missing
            )
        error.__cause__ = WorkerTraceback(tracebacks[min(tracebacks)])
        return error

    def authors(self, shares: Iterable[int]) -> list[int] | None:
        """Who answered for each of these shares; None where all did so for their own."""
        return [self._author(share) for share in shares] if self._authors else None

    def answered(self, shares: Iterable[int]) -> tuple[int, ...]:
        """The workers who answered for these shares, sorted."""
        return tuple(sorted({self._author(share) for share in shares}))

    def others(self, workers: tuple[int, ...]) -> tuple[int, ...]:
        """All workers but these."""
        return tuple(sorted(set(range(self.workers)).difference(workers)))

    def _author(self, share: int) -> int:
        return self._authors.get(share, share // self.pieces)
