"""Delays that were measured, drawn at random: `Recorded`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from anyk.delays.models import AbstractDelays, drawn
from anyk.errors import InvalidArgument

__all__ = ["Recorded"]


@final
@dataclass(frozen=True, eq=False)
class Recorded(AbstractDelays):
    """Rounds that were measured, drawn at random: whole rounds, of some of the workers.

    A round is kept together, since workers are late together. Where fewer workers are asked for
    than were measured, some of the columns are drawn, anew for each task.

    Args:
        seconds: ndarray (rounds, workers); infinite where a worker never answered.

    Raises:
        InvalidArgument: if it is not such an array.

    Example:
        >>> from anyk.delays import Recorded
        >>> Recorded([[1.0, 1.0, 9.0]]).sample(np.random.default_rng(0), workers=3).max()
        np.float64(9.0)
    """

    seconds: NDArray[np.float64]

    def __post_init__(self) -> None:
        try:
            array = np.array(self.seconds, dtype=np.float64)
        except (TypeError, ValueError, OverflowError):
            array = np.zeros(0)
        if array.ndim != 2 or not array.size or not (array >= 0.0).all():  # noqa: PLR2004 - rounds and workers
            raise InvalidArgument(
                "seconds",
                given=f"shape {array.shape}" if array.size else "no table of numbers",
                needed="rounds x workers of seconds, 0 or more",
                change="Pass one row a round, one column a worker.",
            )
        array.flags.writeable = False
        object.__setattr__(self, "seconds", array)

    def sample(self, generator: np.random.Generator, workers: int) -> NDArray[np.float64]:
        """One of the rounds; see `AbstractDelays.sample`."""
        workers, (rounds, measured) = drawn(generator, workers), self.seconds.shape
        if workers > measured:
            raise InvalidArgument(
                "seconds",
                given=f"delays of {measured} workers",
                needed=f"at least {workers}",
                change="Measure more workers, or use fewer.",
            )
        columns = generator.permutation(measured)[:workers]
        chosen: NDArray[np.float64] = self.seconds[generator.integers(rounds), columns]
        return chosen

    def __repr__(self) -> str:
        rounds, workers = self.seconds.shape
        return f"<Recorded: {rounds} rounds of {workers} workers>"
