"""One item: who has it, who answered what, and whether that is enough."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, final

from anyk.errors import RecoveryError
from anyk.executors.core.raised import Raised
from anyk.running.mapping.same import Same

__all__ = ["Item"]

_NOTHING: Mapping[int, Raised] = {}


@final
class Item:
    """An item and what is known of it.

    Args:
        place: its index.
        arguments: of the function.
        agree: how many equal answers it takes.

    Example:
        >>> from anyk.running.mapping.item import Item
        >>> from anyk.running.mapping.same import Same
        >>> item = Item(0, ("x",), agree=2)
        >>> for worker, value in enumerate("abb"):
        ...     item.answer(worker, value, Same())
        >>> item.done, item.value, item.outvoted, item.lacking
        (True, 'b', {0}, 0)
    """

    __slots__ = (
        "_agree",
        "_votes",
        "arguments",
        "copies",
        "died",
        "done",
        "error",
        "outvoted",
        "place",
        "queued",
        "raised",
        "raises",
        "seconds",
        "supporters",
        "value",
        "with_",
    )  # fmt: skip

    def __init__(self, place: int, arguments: tuple[Any, ...], agree: int) -> None:
        self.place, self.arguments, self._agree = place, arguments, agree
        self.done = False
        self.value: Any = None
        self.error: RecoveryError | None = None  # why it will have no value
        self.seconds = 0.0  # that the last call took
        self.with_: tuple[int, ...] = ()  # workers that have it now
        self.copies = 0  # a bit for each copy that was given and not taken back unbegun
        self.queued = False  # whether it waits for somebody who is free
        self.raised: Mapping[int, Raised] = _NOTHING  # by worker, on which it was raised last
        self.raises = 0
        self.died: tuple[int, ...] = ()  # workers that died, or were lost, with it
        self.outvoted: Collection[int] = ()
        self.supporters: Collection[int] = ()
        self._votes: tuple[tuple[Any, set[int]], ...] = ()  # different answers, and who gave them

    @property
    def over(self) -> bool:
        """Whether there is nothing more to do for it."""
        return self.done or self.error is not None

    @property
    def lacking(self) -> int:
        """How many more workers it should be given to, so that it may be done."""
        if self.over:
            return 0
        best = max((len(who) for _, who in self._votes), default=0)
        return max(0, self._agree - best - len(self.with_))

    @property
    def voters(self) -> list[int]:
        """Who answered, sorted."""
        return sorted(worker for _, who in self._votes for worker in who)

    @property
    def answered(self) -> int:
        """How many answers there are."""
        return sum(len(who) for _, who in self._votes)

    def may_go_to(self, worker: int) -> bool:
        """Whether a worker may be given it: nobody vouches twice."""
        return worker not in self.with_ and not any(worker in who for _, who in self._votes)

    def went_wrong_on(self, worker: int) -> bool:
        """Whether the function raised there, or the worker died of it, or with it."""
        return worker in self.raised or worker in self.died

    @property
    def next_copy(self) -> int:
        """The least number that no copy has."""
        return (~self.copies & (self.copies + 1)).bit_length() - 1

    def give(self, worker: int, copy: int) -> None:
        """A worker has it, as the copy of this number."""
        self.with_ += (worker,)
        self.copies |= 1 << copy

    def take(self, worker: int) -> None:
        """A worker has it no more, or what it will say does not count."""
        place = self.with_.index(worker)
        self.with_ = self.with_[:place] + self.with_[place + 1 :]

    def note_raised(self, worker: int, raised: Raised) -> None:
        """The function raised on a worker."""
        self.raised = {**self.raised, worker: raised}
        self.raises += 1

    def answer(self, worker: int, value: Any, same: Same) -> None:
        """A worker answered."""
        if self.over:
            return
        if self._agree == 1:
            self._finish(value, (worker,))
            return
        for found, who in self._votes:
            if same(found, value):
                who.add(worker)
                if len(who) >= self._agree:
                    self._finish(found, who)
                return
        self._votes += ((value, {worker}),)

    def void(self, worker: int) -> None:
        """What this worker answered does not count."""
        for _, who in self._votes:
            who.discard(worker)
        self._votes = tuple(each for each in self._votes if each[1])

    def fail(self, why: RecoveryError) -> None:
        """There will be no value."""
        self.error = why
        self._votes = ()
        self.arguments = ()

    def _finish(self, value: Any, who: Collection[int]) -> None:
        self.done, self.value, self.supporters = True, value, who
        self.outvoted = {each for _, others in self._votes for each in others} - {*who}
        self._votes = ()
        self.arguments = ()  # they may be large, and are not needed any more
