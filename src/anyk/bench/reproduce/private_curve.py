"""The curve with noise between the data: what `VeiledReplication` is measured against."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.curves.splines import smoothing_spline
from anyk.privacy.noise import noise_for
from anyk.schemes.base import Encoder

__all__ = ["PrivateCurve"]

Floats: TypeAlias = NDArray[np.float64]


@final
@dataclass(frozen=True, kw_only=True)
class PrivateCurve:
    """A natural spline through data and noise in turn, with no worker near a data node.

    Nodes at 0, 1, .., 2K: noise at the even ones, blocks at the odd ones. Workers are equispaced
    on what is at least `guard` from every block; the noise is as strong as the leakage needs; the
    decoder interpolates at the blocks. T = 1.

    Args:
        blocks: K.
        workers: N.
        guard: least distance of a worker and a block, in steps between nodes.
        leakage: bits a coordinate that one worker may learn.
        data_std: standard deviation of the data's coordinates.

    Example:
        >>> from anyk.bench.reproduce.private_curve import PrivateCurve
        >>> curve = PrivateCurve(blocks=2, workers=9, guard=0.1, leakage=0.5, data_std=1.0)
        >>> curve.encoder.masks.shape
        (9, 3)
    """

    blocks: int
    workers: int
    guard: float
    leakage: float
    data_std: float

    @cached_property
    def points(self) -> Floats:
        """Where the workers stand, ndarray (N,), increasing."""
        data = np.arange(1.0, 2.0 * self.blocks, 2.0)
        starts = np.append(0.0, data + self.guard)
        lengths = np.append(data - self.guard, 2.0 * self.blocks) - starts
        before = np.append(0.0, np.cumsum(lengths))
        along = np.linspace(0.0, before[-1], self.workers)
        part = np.clip(np.searchsorted(before, along, side="right") - 1, 0, self.blocks)
        points: Floats = starts[part] + along - before[part]
        return points

    @cached_property
    def encoder(self) -> Encoder:
        """D and M."""
        nodes = np.arange(2.0 * self.blocks + 1.0)
        along = smoothing_spline(nodes).matrix(self.points)
        data, masks = along[:, 1::2], along[:, ::2]
        sigma, _ = noise_for(data, masks, 1, variance=self.data_std**2, leakage=self.leakage)
        return Encoder(data=data, masks=sigma * masks)

    def decode(self, answers: Floats, answered: NDArray[np.intp]) -> Floats:
        """The value, ndarray (K, L).

        Args:
            answers: ndarray (len(answered), L).
            answered: the workers.
        """
        order = np.argsort(answered)
        spline = smoothing_spline(self.points[answered[order]])
        targets = np.arange(1.0, 2.0 * self.blocks, 2.0)
        return spline.fit(answers[order]).at(targets)
