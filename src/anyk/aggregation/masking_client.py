"""`MaskingClient`: a client of `LightSecAgg`, which is also asked for sums of pieces of masks."""

from __future__ import annotations

from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from anyk.aggregation.aggregator import Aggregator
from anyk.aggregation.boxes import message_of
from anyk.aggregation.client import later
from anyk.aggregation.identity import Identity
from anyk.aggregation.journal import AbstractJournal
from anyk.aggregation.light_sec_agg import LightSecAgg
from anyk.aggregation.noise import noised
from anyk.aggregation.parties import AbstractParty
from anyk.aggregation.pieces import blocks_of_mask
from anyk.aggregation.roster import Roster
from anyk.aggregation.setting import Setting
from anyk.aggregation.upload import upload_of
from anyk.checks import instance
from anyk.errors import InvalidArgument
from anyk.randomness.entropy import SystemSource

__all__ = ["MaskingClient"]

_MOST_PREPARED: Final = 8  # rounds


@final
class MaskingClient(AbstractParty):
    """A client of `LightSecAgg`: it masks its own vectors, and is a party that is asked.

    Args:
        plan: the same for all.
        identity: its own keys; its name stands in the roster.
        roster: the same for all.
        least_clients: as for `Aggregator`.
        journal: as for `Aggregator`.

    Raises:
        InvalidArgument: if its name and keys are not in the roster, or plan and roster do not fit.

    Guarantee:
        A mask hides one vector and is forgotten with it; it is never in a file, so a client that
        restarts prepares rounds anew.
    """

    def __init__(
        self,
        plan: LightSecAgg,
        identity: Identity,
        roster: Roster,
        *,
        least_clients: int | None = None,
        journal: AbstractJournal | None = None,
    ) -> None:
        instance("plan", plan, LightSecAgg, change="Pass a LightSecAgg; a Committee has Client.")
        self._party = Aggregator(
            plan, identity, roster, least_clients=least_clients, journal=journal
        )
        self._setting = Setting(plan, roster)
        self._identity = identity
        self._last = -1
        self._masks: dict[int, tuple[list[NDArray[np.int64]], bytes]] = {}

    @property
    def name(self) -> str:
        """Its name in the roster."""
        return self._identity.name

    @property
    def most_request(self) -> int:
        """Bytes of a request that it reads; a transport refuses longer ones unread."""
        return self._party.most_request

    def prepare(self, *, round: int) -> bytes:  # noqa: A002 - what everybody calls it
        """The message before the vector is known: pieces of a fresh mask, sealed for each client.

        Args:
            round: its number, above those before. Eight rounds may be prepared; for one more the
                oldest mask is forgotten.

        Returns:
            The message, for the server.

        Raises:
            InvalidArgument: if the round is not above those before.
        """
        number = later(round, self._last)
        masks, pieces = blocks_of_mask(self._setting, SystemSource())
        message, digest = message_of(self._setting, self._identity, number, pieces)
        self._last = number
        if len(self._masks) >= _MOST_PREPARED:
            del self._masks[min(self._masks)]
        self._masks[number] = masks, digest
        return message

    def contribute(self, vector: Any, *, round: int, weight: int = 1) -> bytes:  # noqa: A002 - what everybody calls it
        """The masked vector, for a round that is prepared; once.

        Args:
            vector: array-like of the plan's length.
            round: its number.
            weight: of this client, where the plan has weights.

        Returns:
            The message, for the server. To send it again, send the same bytes.

        Raises:
            InvalidArgument: if a number is not finite or out of range, the round is not prepared,
                or its mask is used.
        """
        number = Setting.round_number(round)
        vectors = self._setting.plan.vectors
        integers = vectors.integers(vector, weight)
        integers = noised(self._setting.plan.noise, vectors, integers)
        if number not in self._masks:
            raise InvalidArgument(
                "round",
                given=str(number),
                needed="a round that is prepared, and of which the mask is not used yet",
                change="Call prepare(round=) first; send the same bytes again if they were lost.",
            )
        masks, digest = self._masks.pop(number)
        masked = [
            code.field.reduce(vectors.residues(integers, code.field) + mask)
            for code, mask in zip(self._setting.codes, masks, strict=True)
        ]
        return upload_of(self._setting, self._identity, number, digest, masked)

    def answer(self, request: bytes) -> bytes:
        """Answer the server: take pieces, sign a set, give the sum of its pieces."""
        return self._party.answer(request)
