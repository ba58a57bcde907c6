"""Which workers hold the same share: groups that are drawn in secret, for each encoding anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import comb
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.randomness.entropy import AbstractSource, shuffled

__all__ = ["Grouping", "draw_groups", "expected_wrong"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Grouping:
    """The groups of one encoding, and the layout of the scheme within. Only the master has it.

    Args:
        within: the layout of the scheme within.
        groups: for each worker the worker of the scheme within whose shares it holds, intp ndarray
            (N,). It is not in the repr, so that no log tells it.
        pieces: r, how many shares a worker holds.
    """

    within: Any
    groups: NDArray[np.intp] = field(repr=False)
    pieces: int = 1

    @property
    def held(self) -> NDArray[np.intp]:
        """For each share, that of the scheme within which it is a copy of: intp ndarray (N r,)."""
        return (self.groups[:, None] * self.pieces + np.arange(self.pieces)).reshape(-1)


def draw_groups(source: AbstractSource, groups: int, workers: int) -> NDArray[np.intp]:
    """A group for each worker; every way to fill groups of these sizes is equally likely.

    Args:
        source: where the key comes from.
        groups: n, how many.
        workers: N; the first N mod n groups have one worker more than the others.

    Returns:
        intp ndarray (N,) of groups from 0 to n - 1.

    Example:
        >>> from anyk.randomness.entropy import SystemSource
        >>> from anyk.schemes.wrappers.grouping import draw_groups
        >>> np.bincount(draw_groups(SystemSource(), 3, 7)).tolist()
        [3, 2, 2]
    """
    return shuffled(source, workers) % groups


def expected_wrong(workers: int, groups: int, *, liars: int, late: int, agree: int) -> float:
    """In how many groups only liars answer, and at least so many, in the expectation.

    Of m workers of one group, j are liars and the others late with the probability
    C(A, j) C(S, m - j) / C(N, m).

    Args:
        workers: N.
        groups: n.
        liars: A, whoever they are: they are chosen without knowledge of the groups.
        late: S, chosen in the same way, of the others.
        agree: the fewest answers that are believed.

    Example:
        >>> from anyk.schemes.wrappers.grouping import expected_wrong
        >>> round(expected_wrong(60, 30, liars=4, late=6, agree=2), 4)  # C(4, 2) / C(59, 1)
        0.1017
        >>> round(expected_wrong(60, 20, liars=4, late=6, agree=3), 4)  # C(4, 3) / C(59, 2)
        0.0023
    """
    smaller, more = divmod(workers, groups)
    late = min(late, workers - liars)
    return sum(
        many * comb(liars, j) * comb(late, size - j) / comb(workers, size)
        for size, many in ((smaller, groups - more), (smaller + 1, more))
        for j in range(agree, size + 1)
        if many
    )
