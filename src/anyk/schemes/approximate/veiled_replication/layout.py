"""Where `VeiledReplication` puts copies in noise: a veil in common for a few copies of a block."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.curves.kriging import kriging
from anyk.errors import Unachievable
from anyk.randomness.entropy import AbstractSource
from anyk.randomness.grid import Grid, grid_for
from anyk.randomness.noisy import under_noise
from anyk.schemes.base import Encoder
from anyk.schemes.smaller import or_lower
from anyk.spans import column_spans
from anyk.wording import numbered

__all__ = ["VeiledLayout", "check_copies"]

Floats: TypeAlias = NDArray[np.float64]

_JUDGED = 32  # copies by which a veil is judged: more would tell the same
_EXPECTED = 1e-4  # roughness of f, for the choice of a veil


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class VeiledLayout:
    """Who holds which copy: worker n holds a copy of block n mod K, and h copies share a veil.

    In each turn of K workers all hold copies of different blocks, and as many turns as there are
    veils pass before a veil comes again: neighbours hold neither two copies of a block nor two of
    a veil, which may tell more than twice what one does. It depends on the scheme's parameters
    alone, and holds no noise.

    Args:
        blocks: K.
        workers: N.
        points: of the noise of one veil, in units of the data, ndarray (h, r).
        data_std: of the data's coordinates.
        bits: that the worst T workers learn, a coordinate.
        beyond: bits that the worst T + 1, T + 2 and T + 3 workers learn.
    """

    blocks: int
    workers: int
    points: Floats
    data_std: float
    bits: float
    beyond: tuple[float, ...]

    @cached_property
    def held(self) -> NDArray[np.intp]:
        """The block of each worker, ndarray (N,)."""
        return np.arange(self.workers) % self.blocks

    @cached_property
    def turns(self) -> NDArray[np.intp]:
        """Which copy of its block a worker holds, by n // K: the first of each veil come first."""
        copies = np.arange(self.workers // self.blocks)
        veils, corners = np.divmod(copies, len(self.points))
        turns = np.lexsort((veils, corners))
        return np.append(turns, turns.size) if self.workers % self.blocks else turns

    @cached_property
    def copies(self) -> NDArray[np.intp]:
        """Which copy of its block each worker holds, ndarray (N,)."""
        return self.turns[np.arange(self.workers) // self.blocks]

    @cached_property
    def veils(self) -> NDArray[np.intp]:
        """The veil of each worker's copy, from 0 in each block, ndarray (N,)."""
        return self.copies // len(self.points)

    @cached_property
    def corners(self) -> NDArray[np.intp]:
        """Which point of its veil each worker's copy is at, ndarray (N,)."""
        return self.copies % len(self.points)

    @property
    def noises(self) -> tuple[int, int, int]:
        """Veils of a block, K and r: how many independent normals a coordinate takes."""
        return int(self.veils.max()) + 1, self.blocks, self.points.shape[1]

    @property
    def encoder(self) -> Encoder:
        """D (N, K), one 1 a row, M (N, veils * K * r) for noise of variance 1, and the grid."""
        masks = np.zeros((self.workers, *self.noises))
        masks[np.arange(self.workers), self.veils, self.held] = self.points[self.corners]
        return Encoder(
            data=np.eye(self.blocks)[self.held],
            masks=masks.reshape(self.workers, -1),
            grid=self._grid.rows(self.corners),
        )

    def shares(self, blocks: Floats, source: AbstractSource) -> Floats:
        """D·blocks + M·noise on the grid, ndarray (N, *shape), in O(N r L); the noise is not kept.

        Args:
            blocks: ndarray (K, *shape).
            source: where noise comes from.
        """
        data, flat = np.ones((len(self.points), 1)), blocks.reshape(self.blocks, -1)
        corners, columns = len(self.points), flat.shape[1]
        shares = np.empty((self.workers, columns))
        for some, veil in product(
            column_spans(self.blocks, corners * columns), range(self.noises[0])
        ):
            holders = np.flatnonzero(
                (self.veils == veil) & (self.held >= some.start) & (self.held < some.stop)
            )
            places = self.corners[holders], self.held[holders] - some.start
            for span in column_spans(columns, corners * (some.stop - some.start)):
                own = flat[some, span]
                made = under_noise(
                    data, self.points, own.reshape(1, -1), grid=self._grid, source=source
                )
                shares[holders, span] = made.reshape(corners, *own.shape)[places]
        return shares.reshape(self.workers, *blocks.shape[1:])

    @cached_property
    def expected_error(self) -> float:
        """Relative error of the values where all answer, for a random network."""
        least = replace(self, blocks=1, workers=min(self.workers // self.blocks, _JUDGED))
        return math.sqrt(kriging(least.gram(least.turns)).variance(_EXPECTED))

    @cached_property
    def _grid(self) -> Grid:
        """Of the copies of one veil."""
        return grid_for(np.ones((len(self.points), 1)), self.points, data_std=self.data_std)

    def gram(self, workers: NDArray[np.intp]) -> Floats:
        """Inner products of the noise in these workers' copies of one block, ndarray (n, n).

        Args:
            workers: that hold copies of one block.
        """
        alike = self.veils[workers][:, None] == self.veils[workers]
        points = self.points[self.corners[workers]] / self.data_std
        products: Floats = alike * (points @ points.T)
        return products


def check_copies(blocks: int, workers: int, colluders: int) -> None:
    """Refuse fewer workers than blocks or colluders.

    Raises:
        Unachievable: if they are fewer.
    """
    if workers < max(blocks, colluders):
        others = {"blocks": colluders, "colluders": blocks}
        names = [name for name, other in others.items() if other <= workers]
        raise Unachievable(
            "workers",
            given=str(workers),
            needed=f"a copy of each block and T workers, N >= max(K, T) = "
            f"max({blocks}, {colluders})",
            change=f"Add {numbered(max(blocks, colluders) - workers, 'worker')}{or_lower(names)}.",
        )
