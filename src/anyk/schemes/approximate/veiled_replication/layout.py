"""Where `VeiledReplication` puts copies in noise: a veil in common for a few copies of a block."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.curves.kriging import kriging
from anyk.errors import Unachievable, numbered
from anyk.privacy.veils import Veil, thinnest, veil
from anyk.randomness.entropy import AbstractSource
from anyk.randomness.grid import Grid, grid_for
from anyk.randomness.noisy import under_noise
from anyk.schemes.base import Encoder
from anyk.schemes.smaller import or_lower

__all__ = ["VeiledLayout", "veiled_layout"]

Floats: TypeAlias = NDArray[np.float64]

_REACHES = (1.1, 1.2, 1.35, 1.5, 2.0)
_REACHES_OF_MANY, _STEPS_OF_MANY = (1.4, 2.0), 4  # so that lies stand out of a veil; measured
_SPREADS = (0.1, 0.15, 0.2, 0.3, 0.45, 0.7, 1.0)
_JUDGED = 32  # copies by which a veil is judged: more would tell the same
_EXPECTED = 1e-4  # roughness of f, for the choice of a veil
_DOUBLINGS = 4  # of the workers: more than that are no advice
_BLIND = 0.95  # of the variance of f: an error that leaves nothing of the answer
_SPARE = 1e-9  # of the leakage: room for rounding


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class VeiledLayout:
    """Who holds which copy: worker n holds a copy of block n mod K, and h copies share a veil.

    In each turn of K workers all hold copies of different blocks, and as many turns as there are
    veils pass before a veil comes again: neighbours hold neither two copies of a block nor two of
    a veil, which together would tell far more than one. It depends on the scheme's parameters
    alone, and holds no noise.

    Args:
        blocks: K.
        workers: N.
        points: of the noise of one veil, in units of the data, ndarray (h, T).
        data_std: of the data's coordinates.
        bits: that the worst T workers learn, a coordinate.
        expected_error: relative error of the values where all answer, for a random network.
    """

    blocks: int
    workers: int
    points: Floats
    data_std: float
    bits: float
    expected_error: float

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
        """Veils of a block, T and K: how many independent normals a coordinate takes."""
        return int(self.veils.max()) + 1, self.points.shape[1], self.blocks

    @property
    def encoder(self) -> Encoder:
        """D (N, K), one 1 a row, M (N, veils * T * K) for noise of variance 1, and the grid."""
        masks = np.zeros((self.workers, *self.noises))
        masks[np.arange(self.workers), self.veils, :, self.held] = self.points[self.corners]
        return Encoder(
            data=np.eye(self.blocks)[self.held],
            masks=masks.reshape(self.workers, -1),
            grid=self._grid.rows(self.corners),
        )

    def shares(self, blocks: Floats, source: AbstractSource) -> Floats:
        """D·blocks + M·noise on the grid, ndarray (N, *shape), in O(N T L); the noise is not kept.

        Args:
            blocks: ndarray (K, *shape).
            source: where noise comes from.
        """
        data, flat = np.ones((len(self.points), 1)), blocks.reshape(1, -1)
        copies = np.empty((self.noises[0], len(self.points), flat.size))
        for each in copies:
            each[:] = under_noise(data, self.points, flat, grid=self._grid, source=source)
        turns = copies.reshape(-1, *blocks.shape)[self.turns]
        shares: Floats = turns.reshape(-1, *blocks.shape[1:])[: self.workers]
        return shares

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


@lru_cache(maxsize=64)
def veiled_layout(
    *,
    blocks: int,
    workers: int,
    colluders: int,
    leakage: float,
    data_std: float,
    adversaries: int = 0,
) -> VeiledLayout:
    """The veil of least error that tells T workers no more than `leakage`.

    Of some shapes, each as thin as the leakage allows, the one whose value for a random network
    has the smallest expected error. What T workers learn is exact: no coalition learns more.

    Args:
        blocks: K.
        workers: N.
        colluders: T.
        leakage: bits a coordinate.
        data_std: standard deviation of the data's coordinates.
        adversaries: A; where some lie, a veil of one dimension has more copies.

    Raises:
        Unachievable: if there is no worker for each block, or so much noise is needed that the
            answers would tell nothing.
    """
    check_copies(blocks, workers, colluders)
    layouts = [
        _layout(shape, blocks, workers, leakage, data_std)
        for shape in _shapes(colluders, checked=adversaries > 0)
    ]
    best = min(layouts, key=lambda layout: layout.expected_error)
    if best.expected_error**2 >= _BLIND:
        nearest = _nearest(best, leakage)
        raise Unachievable(
            "leakage",
            given=f"{leakage:.3g} bits",
            needed=f"noise of {_depth(best):.3g} times data_std = {data_std:.3g}: in {workers} "
            f"answers, f of {blocks} blocks would drown",
            change=f"Allow {nearest:.2g} bits{_or_take(best, leakage)}.",
        )
    return best


def _shapes(colluders: int, *, checked: bool) -> list[Veil]:
    if colluders > 1:
        return [veil(colluders, spread, reach) for spread in _SPREADS for reach in _REACHES]
    if checked:
        return [veil(1, 0.0, reach, steps=_STEPS_OF_MANY) for reach in _REACHES_OF_MANY]
    return [veil(1, 0.0, reach) for reach in _REACHES]


def _layout(
    shape: Veil, blocks: int, workers: int, leakage: float, data_std: float
) -> VeiledLayout:
    """This shape, as thin as the leakage allows, and the error to expect."""
    copies = math.ceil(workers / blocks)
    veils = math.ceil(copies / len(shape.points))
    variance = data_std**2
    factor = thinnest(
        shape, blocks=blocks, veils=veils, variance=variance, bits=leakage * (1.0 - _SPARE)
    )
    layout = VeiledLayout(
        blocks=blocks,
        workers=workers,
        points=factor * shape.points,
        data_std=data_std,
        bits=shape.told(blocks, veils, variance / factor**2),
        expected_error=math.nan,
    )
    last = np.flatnonzero((layout.held == blocks - 1) & (layout.copies < _JUDGED))
    error = math.sqrt(kriging(layout.gram(last)).variance(_EXPECTED))
    return replace(layout, expected_error=error)


def _depth(layout: VeiledLayout) -> float:
    """Noise of the least veiled copy, in standard deviations of the data."""
    return float(np.linalg.norm(layout.points, axis=1).min()) / layout.data_std


def _or_take(layout: VeiledLayout, leakage: float) -> str:
    """How many workers leave something of the answers, by doubling, where some do."""
    shape, workers = Veil(points=layout.points), layout.workers
    for _ in range(_DOUBLINGS):
        workers *= 2
        more = _layout(shape, layout.blocks, workers, leakage, layout.data_std)
        if more.expected_error**2 < _BLIND:
            return f", or take {workers} workers"
    return ""


def _nearest(layout: VeiledLayout, leakage: float) -> float:
    """About the least leakage that leaves something of the answers, by doubling."""
    shape = Veil(points=layout.points)
    while layout.expected_error**2 >= _BLIND:
        leakage *= 2.0
        layout = _layout(shape, layout.blocks, layout.workers, leakage, layout.data_std)
    return leakage
