"""Which veil `VeiledReplication` puts copies behind: the one of least error that hides enough."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias, final

import numpy as np

from anyk.errors import Unachievable
from anyk.privacy.veils import Veil, simplices, thinnest
from anyk.schemes.approximate.veiled_replication.layout import VeiledLayout, check_copies

__all__ = ["veiled_layout"]

Shells: TypeAlias = tuple[tuple[float, float], ...]

_ONE: Shells = ((1.0, 0.0),)
_TWO: tuple[Shells, ...] = tuple(
    ((1.0, 0.0), (reach, turn)) for turn in (0.2, 0.5) for reach in (1.4, 1.7, 2.0)
)
_SPIRALS: Shells = ((1.0, 0.0), (1.08, 0.06), (1.16, -0.06), (1.24, 0.12), (1.32, -0.12))
_CORNERS = 8  # of a simplex, at most
_SETS = 15_000  # of a veil's copies, at most, to be looked at
_OWN = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.45, 0.6)  # noise, from none to much
_BEYOND = 3  # T + 1, T + 2 and T + 3 workers are looked at,
_STEEP = 2.0  # and learn at most so many times what they would if each T of them learned all
_LACKING = 2  # copies of a veil, at most, where a block has fewer than it
_DOUBLINGS = 4  # of the workers: more than that are no advice
_BLIND = 0.95  # of the variance of f: an error that leaves nothing of the answer
_FAINT = 1e-4  # bits: less than that is no advice
_SPARE = 1e-9  # of the leakage: room for rounding


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
    has the smallest expected error. T + j workers, j up to 3, learn at most twice (T + j) / T times
    the leakage: that asks for simplices of many corners, or noise of each copy's own. Where some
    lie, copies must tell of each other: for T = 1 they are on three spirals of a plane, where that
    holds of two workers, and three see a block.

    Args:
        blocks: K.
        workers: N.
        colluders: T.
        leakage: bits a coordinate.
        data_std: standard deviation of the data's coordinates.
        adversaries: A.

    Raises:
        Unachievable: if there is no worker for each block, or so much noise is needed that the
            answers would tell nothing.
    """
    check_copies(blocks, workers, colluders)
    task = _Task(
        blocks=blocks,
        workers=workers,
        colluders=colluders,
        leakage=leakage,
        data_std=data_std,
        checked=adversaries > 0,
    )
    best = _best(task)
    if best.expected_error**2 >= _BLIND:
        nearest = _nearest(task)
        raise Unachievable(
            "leakage",
            given=f"{leakage:.3g} bits",
            needed=f"noise of {_depth(best):.3g} times data_std = {data_std:.3g}: in {workers} "
            f"answers, f of {blocks} blocks would drown",
            change=f"Allow {nearest:.2g} bits{_or_take(task)}.",
        )
    return best


@final
@dataclass(frozen=True, kw_only=True)
class _Task:
    """What a layout is wanted for."""

    blocks: int
    workers: int
    colluders: int
    leakage: float
    data_std: float
    checked: bool

    @property
    def copies(self) -> int:
        """Of the block that has most."""
        return math.ceil(self.workers / self.blocks)

    @property
    def most(self) -> int:
        """The size of the largest coalition that is looked at."""
        return min(self.colluders + _BEYOND, self.workers)


def _best(task: _Task) -> VeiledLayout:
    if task.checked and task.colluders == 1:
        spirals = _shape(3, _SPIRALS, 0.0, task.most, task.copies)
        layout = _gentlest(iter([spirals]), task, looked=1)
        if layout:
            return layout
    layouts = [_layout(Veil(points=np.ones((1, 1)), most=task.most), task)]
    layouts += [layout for shapes in _shapes(task) if (layout := _gentlest(shapes, task))]
    return min(layouts, key=lambda layout: layout.expected_error)


def _shapes(task: _Task) -> Iterator[Iterator[Veil]]:
    """Kinds of veils, and of each kind some, with ever more noise of each copy's own."""
    most, copies = task.most, task.copies

    def kind(corners: int, shells: Shells) -> Iterator[Veil]:
        return (_shape(corners, shells, own, most, copies) for own in _OWN)

    yield from (kind(corners, _ONE) for corners in _largest(copies))
    for corners in _largest((copies + _LACKING) // 2):
        size = min(2 * corners, copies)
        if sum(math.comb(size, few) for few in range(1, most + 1)) <= _SETS:
            yield from (kind(corners, shells) for shells in _TWO)


def _largest(most: int) -> range:
    """How many corners a simplex may have: as many as there are copies for, or one less."""
    largest = min(most, _CORNERS)
    return range(max(2, largest - 1), largest + 1)


@lru_cache(maxsize=1024)
def _shape(corners: int, shells: Shells, own: float, most: int, copies: int) -> Veil:
    whole = simplices(corners, shells=shells, own=own, most=most)
    points = whole.points[:copies]
    return Veil(points=points[:, points.any(axis=0)], most=most)


def _gentlest(shapes: Iterator[Veil], task: _Task, looked: int = _BEYOND) -> VeiledLayout | None:
    """The first of these that does not tell T + 1, T + 2, .. workers too much; or None."""
    for shape in shapes:
        if math.isinf(shape.precisions[task.colluders]):
            continue
        layout = _layout(shape, task)
        if all(
            told <= _STEEP * task.leakage * (task.colluders + more) / task.colluders
            for more, told in enumerate(layout.beyond[:looked], start=1)
        ):
            return layout
    return None


def _layout(shape: Veil, task: _Task) -> VeiledLayout:
    """This shape, as thin as the leakage allows."""
    veils = math.ceil(task.copies / len(shape.points))
    variance, bits = task.data_std**2, task.leakage * (1.0 - _SPARE)
    factor = thinnest(
        shape,
        colluders=task.colluders,
        blocks=task.blocks,
        veils=veils,
        variance=variance,
        bits=bits,
    )
    told = shape.told(task.blocks, veils, variance / factor**2).tolist()
    return VeiledLayout(
        blocks=task.blocks,
        workers=task.workers,
        points=factor * shape.points,
        data_std=task.data_std,
        bits=told[task.colluders],
        beyond=tuple(told[task.colluders + 1 :]),
    )


def _depth(layout: VeiledLayout) -> float:
    """Noise of the least veiled copy, in standard deviations of the data."""
    return float(np.linalg.norm(layout.points, axis=1).min()) / layout.data_std


def _or_take(task: _Task) -> str:
    """How many workers leave something of the answers, by doubling, where some do."""
    for _ in range(_DOUBLINGS):
        task = replace(task, workers=2 * task.workers)
        if _best(task).expected_error ** 2 < _BLIND:
            return f", or take {task.workers} workers"
    return ""


def _nearest(task: _Task) -> float:
    """About the least leakage that leaves something of the answers, by doubling."""
    task = replace(task, leakage=max(2.0 * task.leakage, _FAINT))
    while _best(task).expected_error ** 2 >= _BLIND:
        task = replace(task, leakage=2.0 * task.leakage)
    return task.leakage
