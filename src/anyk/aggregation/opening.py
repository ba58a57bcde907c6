"""From the sums of pieces to the sum of vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from anyk.aggregation.setting import Setting
from anyk.errors import RecoveryError, TooManyErrors

__all__ = ["opened"]


def opened(
    setting: Setting,
    rows: Mapping[int, NDArray[np.int64]],
    masked: Sequence[Sequence[NDArray[np.uint32]]],
    clients: int,
) -> tuple[NDArray[Any], int, tuple[int, ...]]:
    """The sum, the sum of the weights, and the parties that lied.

    Args:
        setting: of the round.
        rows: sums of pieces by party, (primes, L).
        masked: of each client its masked vector, for each prime; none where pieces are of vectors.
        clients: how many are in the sum.

    Raises:
        TooManyErrors: if the sums contradict each other, and not by as many liars as promised.
        RecoveryError: if no clients within the limits have such a sum.
    """
    places, vectors = sorted(rows), setting.plan.vectors
    residues, liars = [], set[int]()
    for at, code in enumerate(setting.codes):
        sums = np.stack([rows[place][at] for place in places])
        try:
            blocks, lied = code.decode(sums, places)
        except TooManyErrors:
            _contradict(setting, places)
        liars.update(lied)
        total = blocks.ravel()[: vectors.entries]
        if masked:
            total = code.field.reduce(_added([each[at] for each in masked]) - total)
        residues.append(total)
    if len(liars) > setting.plan.code.adversaries:
        _contradict(setting, places)
    integers = vectors.whole(residues)
    weight = int(integers[-1]) if vectors.weighted else clients
    most = clients * (vectors.most_weight or 1)
    largest = int(np.abs(integers).max()) if vectors.largest else 0
    if not clients <= weight <= most or largest > clients * max(vectors.largest, most // clients):
        raise RecoveryError(
            f"a number in the sum is {largest} in size, or its weight {weight}, which no {clients} "
            "clients within the limits have: a client sent numbers out of range. Find out which by "
            "other means, as the sum does not tell, and open another round without it."
        )
    return vectors.read(integers[: vectors.length]), weight, tuple(sorted(liars))


def _added(arrays: Sequence[NDArray[np.uint32]]) -> NDArray[np.int64]:
    total = np.zeros(len(arrays[0]), dtype=np.int64)
    for each in arrays:
        np.add(total, each, out=total)
    return total


def _contradict(setting: Setting, places: Sequence[int]) -> NoReturn:
    raise TooManyErrors(
        answered=places,
        adversaries=setting.plan.code.adversaries,
        change="Raise adversaries (each liar costs two parties), or replace parties.",
    ) from None
