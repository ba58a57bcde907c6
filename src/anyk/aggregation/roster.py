"""`Roster`: who may take part, with the public keys of everybody; a file of them too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, final

from anyk.aggregation.identity import Member
from anyk.checks import several, shown
from anyk.errors import InvalidArgument

__all__ = ["Roster"]

_FORM = "anyk roster 1"


@final
@dataclass(frozen=True)
class Roster:
    """Who may take part: clients and aggregators, with their public keys.

    Everybody has the same roster, from somebody whom everybody trusts with it, and not from the
    server: whoever writes the roster can invent clients. Under `LightSecAgg` there are clients
    alone.

    Args:
        clients: `Member` of each client, in any order.
        aggregators: `Member` of each aggregator. Their order is that of their pieces, so it counts.

    Raises:
        InvalidArgument: if a name or a key occurs twice.

    Example:
        >>> from anyk import aggregation
        >>> people = [aggregation.Identity.generate(name) for name in ("ann", "bob", "sum-1")]
        >>> members = [each.member for each in people]
        >>> roster = aggregation.Roster(clients=members[:2], aggregators=members[2:])
        >>> dict(roster.places), roster == aggregation.Roster.parse(roster.text)
        ({'ann': 0, 'bob': 1}, True)
    """

    clients: tuple[Member, ...]
    aggregators: tuple[Member, ...] = ()

    def __post_init__(self) -> None:
        change = "Pass Identity.member of each."
        clients = _members("clients", self.clients, change)
        object.__setattr__(self, "clients", tuple(sorted(clients, key=lambda each: each.name)))
        object.__setattr__(self, "aggregators", _members("aggregators", self.aggregators, change))
        everybody = (*self.clients, *self.aggregators)
        for what in ("name", "signing", "sealing"):
            values = [getattr(each, what) for each in everybody]
            if len(set(values)) != len(values):
                twice = next(each for each in everybody if values.count(getattr(each, what)) > 1)
                raise InvalidArgument(
                    "roster",
                    given=f"the {'name' if what == 'name' else 'key'} of {twice.name!r} twice",
                    needed="a name and keys of its own for each party",
                    change="Generate an Identity for each.",
                )

    @cached_property
    def places(self) -> MappingProxyType[str, int]:
        """Of a client's name: its place among the clients, who are sorted by name."""
        return MappingProxyType({each.name: at for at, each in enumerate(self.clients)})

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the text: what is signed is bound to it."""
        return hashlib.sha256(self.text.encode()).digest()

    @cached_property
    def text(self) -> str:
        """The roster as a file: JSON, the same to the byte wherever it is written."""
        rows = {
            "form": _FORM,
            "clients": [_row(each) for each in self.clients],
            "aggregators": [_row(each) for each in self.aggregators],
        }
        return json.dumps(rows, indent=1) + "\n"

    @classmethod
    def parse(cls, text: str) -> Roster:
        """The roster of a text.

        Args:
            text: as `text` has it.

        Raises:
            InvalidArgument: if it is no roster.
        """
        try:
            rows = json.loads(text)
            parts = {_FORM: (rows["clients"], rows["aggregators"])}[rows["form"]]
            clients, aggregators = (
                tuple(
                    Member(name, bytes.fromhex(one), bytes.fromhex(other))
                    for name, one, other in part
                )
                for part in parts
            )
        except InvalidArgument:
            raise
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise InvalidArgument(
                "text",
                given=shown(text),
                needed="a roster, as Roster.text has it",
                change="Write it with Roster.save.",
            ) from error
        return cls(clients=clients, aggregators=aggregators)

    def save(self, path: Path | str) -> None:
        """Write it to a file.

        Args:
            path: of the file.
        """
        Path(path).write_text(self.text, encoding="ascii")

    @classmethod
    def load(cls, path: Path | str) -> Roster:
        """Read what `save` wrote.

        Args:
            path: of the file.

        Raises:
            InvalidArgument: if it holds no roster.
        """
        return cls.parse(Path(path).read_text(encoding="utf-8", errors="replace"))


def _members(argument: str, values: Iterable[Any], change: str) -> tuple[Member, ...]:
    members = several(argument, values, change=change)
    for each in members:
        if not isinstance(each, Member):
            raise InvalidArgument(argument, given=shown(each), needed="members", change=change)
    return members


def _row(member: Member) -> list[str]:
    return [member.name, member.signing.hex(), member.sealing.hex()]
