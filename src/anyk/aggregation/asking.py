"""`Asking`: a server's parties in one round: who is asked, who is not any more and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar, final

from anyk.aggregation.parties import AbstractParties
from anyk.aggregation.requests import unwrap
from anyk.aggregation.setting import Setting
from anyk.aggregation.wire import Garbled, Reader

__all__ = ["Asking"]

Read = TypeVar("Read")


@final
class Asking:
    """The parties that still take part in a round; one that fails once is not asked again.

    Args:
        setting: of the round.
        parties: the transport.
        timeout: seconds for each question.
    """

    def __init__(self, setting: Setting, parties: AbstractParties, timeout: float) -> None:
        self._setting, self._parties, self._timeout = setting, parties, timeout
        self.live = list(range(len(setting.parties)))
        self.silent: dict[str, str] = {}
        self.sent = 0
        self.received = 0

    def name(self, place: int) -> str:
        """Of a party."""
        return self._setting.parties[place].name

    def leave(self, place: int, reason: str) -> None:
        """Ask a party no more in this round."""
        if place in self.live:
            self.live.remove(place)
            self.silent[self.name(place)] = reason

    def ask(
        self, requests: Mapping[int, bytes], kind: bytes, read: Callable[[int, Reader], Read]
    ) -> dict[int, Read]:
        """What each of the live parties answered; who gave no answer that can be read leaves.

        Args:
            requests: by place.
            kind: of the requests.
            read: of a place and what came from there; it raises `Garbled` for what it refuses.
        """
        asked = {self.name(place): requests[place] for place in self.live}
        self.sent += sum(len(request) for request in asked.values())
        answers = self._parties.ask(asked, self._timeout) if asked else {}
        found: dict[int, Read] = {}
        for place in tuple(self.live):
            answer = answers.get(self.name(place), TimeoutError("no answer"))
            if isinstance(answer, OSError):
                self.leave(place, f"{type(answer).__name__}: {answer}")
                continue
            try:
                reader = unwrap(answer, kind)
                self.received += len(answer)
                found[place] = read(place, reader)
            except Garbled as why:
                self.leave(place, str(why))
        return found
