"""Moments where all processes of a shuffle meet: to go on together, or to fail together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, final

from anyk.errors import AnykError
from anyk.shuffle.failed import ShuffleFailed
from anyk.shuffle.plans import AbstractPlan
from anyk.shuffle.transport import AbstractTransport

__all__ = ["Meeting"]

_LONGEST: Final = 300  # characters of one problem
_MOST: Final = 1 << 16  # bytes of a note: as many problems as there may be, cut short
_TOLD: Final = 8  # problems of one process


@final
@dataclass
class Meeting:
    """What this process knows to have gone wrong, and the others' word on it.

    Args:
        plan: of the shuffle.
        transport: between the processes.

    Example:
        >>> from anyk import shuffle
        >>> from anyk.shuffle.meeting import Meeting
        >>> meeting = Meeting(shuffle.Coded(nodes=2, copies=1), shuffle.LocalNodes())
        >>> meeting.problem(1, "fell silent.")
        >>> meeting.agree()
        Traceback (most recent call last):
        anyk.shuffle.failed.ShuffleFailed: node 1: fell silent.
    """

    plan: AbstractPlan
    transport: AbstractTransport
    notes: int = 0  # bytes that all processes told each other so far
    _problems: dict[int, str] = field(default_factory=dict)
    _cause: Exception | None = None

    def __post_init__(self) -> None:
        self.seats = self.transport.seats(len(self.plan.live))

    @property
    def nodes(self) -> tuple[int, ...]:
        """The nodes that this process plays."""
        return tuple(self.plan.live[seat] for seat in self.seats)

    def problem(self, node: int, text: str, cause: Exception | None = None) -> None:
        """Note what went wrong at a node; the first problem of each is told.

        Args:
            node: its number.
            text: a sentence.
            cause: what was raised, if anything.
        """
        short = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
        self._problems.setdefault(node, short)
        self._cause = self._cause or cause

    def agree(self) -> None:
        """Go on if no process has a problem.

        Raises:
            ShuffleFailed: in every process, if one has; an `AnykError` at its own process as it is.
        """
        told = dict(list(self._problems.items())[:_TOLD])
        found: dict[int, str] = {}
        for note in self.share(json.dumps(told).encode(), _MOST):
            for node, text in json.loads(note).items():
                found.setdefault(int(node), text)
        if isinstance(self._cause, AnykError):
            raise self._cause
        if found:
            raise ShuffleFailed(found) from self._cause

    def same_plan(self, limit: int = 0) -> None:
        """Check that all processes have one plan, and one limit.

        Args:
            limit: bytes of a value.

        Raises:
            ShuffleFailed: in every process, if they have not.
        """
        digest = hashlib.blake2b(repr((self.plan, limit)).encode(), digest_size=16).digest()
        told = self.share(digest, len(digest))
        if len(set(told)) > 1:
            first, *others = self.plan.live
            odd = [node for node, each in zip(others, told[1:], strict=True) if each != told[0]]
            raise ShuffleFailed(dict.fromkeys(odd, f"has another plan or limit than node {first}."))

    def share(self, note: bytes, most: int) -> list[bytes]:
        """What every seat tells, in their order; all seats of this process tell the same.

        Args:
            note: what this process tells.
            most: bytes that one may have.
        """
        told = self.tell(dict.fromkeys(self.seats, note), most)
        return [told[seat] for seat in range(len(self.plan.live))]

    def tell(self, notes: dict[int, bytes], most: int) -> Mapping[int, bytes]:
        """What every seat tells, by seat.

        Args:
            notes: of all seats of this process.
            most: bytes that one may have.
        """
        heard = self.transport.share(notes, most)
        self.notes += sum(map(len, heard.values()))
        return heard
