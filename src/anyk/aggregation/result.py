"""What a round of aggregation gives: the sum, who is in it, and who is not and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Aggregated"]


@final
@dataclass(frozen=True, eq=False)
class Aggregated:
    """The sum of one round.

    Args:
        total: sum of the vectors, each times its weight: float64 ndarray of reals, int64 of
            integers and residues, (d,).
        weight: sum of the weights; the number of clients where nobody is weighted.
        counted: names of the clients that are in the sum, sorted.
        left_out: by the name of each client that sent something which is not in it: why. One that
            is counted is here too, if it sent another message after its first one was relayed.
        silent: by the name of each party that did not take part to the end: why.
        liars: parties whose sums of pieces are wrong: each of them lied, or a client sent it a
            piece off the curve of its others.
        bytes: that were sent, by role: "client" of all clients to the server, "relayed" from the
            server to the parties, "answers" from the parties to the server.
        weighted: whether clients have weights.
    """

    total: NDArray[Any]
    weight: int
    counted: tuple[str, ...]
    left_out: Mapping[str, str]
    silent: Mapping[str, str]
    liars: tuple[str, ...]
    bytes: Mapping[str, int]
    weighted: bool = field(repr=False)

    @property
    def mean(self) -> NDArray[np.float64]:
        """Sum of weight times vector, over the sum of the weights."""
        return np.asarray(self.total / self.weight, dtype=np.float64)

    @property
    def value(self) -> NDArray[Any]:
        """The weighted mean where clients have weights, else the sum."""
        return self.mean if self.weighted else self.total
