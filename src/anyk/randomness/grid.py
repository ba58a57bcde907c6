"""A public grid: steps to whose multiples the numbers of shares are rounded, whatever the data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from anyk.errors import InvalidArgument
from anyk.randomness.exact_sums import EXACT
from anyk.randomness.gaussian import LARGEST

__all__ = ["Grid", "grid_for", "real_parts"]

Floats: TypeAlias = NDArray[np.float64]

_FINE = 2.0**-32  # of the noise of a share: what it moves is far below what any decoder sees
_COVERED = 128.0  # standard deviations: data must fit in that at least
_ROOM = 2.0**59  # steps, of the largest sum


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Grid:
    """Where the numbers of shares lie, of complex ones both parts.

    Args:
        steps: of each share, powers of two, ndarray (n,).
        limit: the largest size of a number of the blocks, a power of two: up to it, every sum of
            data and noise is less than 2^59 steps. (Of more than 2^53 it is rounded once more, to
            a float64; that too is a grid, and the same for all data.)

    Example:
        >>> scheme = anyk.VeiledReplication(1, 2, colluders=1, leakage=1.0)
        >>> encoded = scheme.encode([[0.3, 0.4]])
        >>> bool((encoded.shares % encoded.encoder.grid.steps[:, None] == 0.0).all())
        True
    """

    steps: Floats
    limit: float

    @property
    def unit(self) -> float:
        """To whose multiples blocks are rounded first: no change for most, which have 53 bits."""
        return self.limit * EXACT

    def rows(self, chosen: NDArray[np.intp]) -> Grid:
        """Of these shares, in their order.

        Args:
            chosen: their indices.
        """
        return replace(self, steps=self.steps[chosen])

    def check(self, blocks: NDArray[Any]) -> None:
        """Refuse blocks with numbers beyond the limit.

        Args:
            blocks: ndarray of real or complex numbers.

        Raises:
            InvalidArgument: if there is one.
        """
        parts = (blocks.real, blocks.imag) if np.iscomplexobj(blocks) else (blocks,)
        most = max(max(float(part.max()), -float(part.min())) for part in parts)
        if most > self.limit:
            raise InvalidArgument(
                "X",
                given=f"a number of size {most:.3g}",
                needed=f"at most {self.limit:.3g}, so that a sum of data and noise keeps the steps "
                "that hide its last bits",
                change="Pass data_std=, the standard deviation of the numbers of X.",
            )


def grid_for(
    data: NDArray[Any], masks: NDArray[Any], *, data_std: float = 1.0, finest: bool = False
) -> Grid:
    """The grid of shares D·blocks + M·noise, by the matrices and a public size of data alone.

    The step is a power of two, about 2^-32 of the standard deviation of a share's noise; or, where
    that is wanted, so fine that a share is the float64 next to the sum of data and noise, but for
    sums near 0. It is coarser where data of 128 standard deviations would not fit otherwise.

    Args:
        data: D, ndarray (n, K).
        masks: M, ndarray (n, T), for noise of variance 1.
        data_std: standard deviation of the data's coordinates, as stated, not as found in them.
        finest: whether a decoder cancels noise, so that each bit of a share counts.

    Example:
        >>> from anyk.randomness.grid import grid_for
        >>> grid = grid_for(np.ones((1, 1)), np.array([[3.0]]))
        >>> bool(grid.steps[0] == 2.0**-31), grid.limit
        (True, 134217728.0)
    """
    of_data, of_masks = _weight(data), LARGEST * _weight(masks)
    held = of_masks + _COVERED * data_std * of_data
    steps = 2.0 ** (_exponent(held) + 1) / _ROOM
    if not finest:
        noise = np.sqrt(np.sum(np.abs(masks) ** 2, axis=1))
        steps = np.maximum(steps, 2.0 ** _exponent(noise) * _FINE)
    room = (_ROOM * steps - of_masks)[of_data > 0.0] / of_data[of_data > 0.0]
    limit = float(2.0 ** _exponent(room.min(initial=_ROOM * data_std)))
    return Grid(steps=steps, limit=limit)


def _weight(matrix: NDArray[Any]) -> Floats:
    """By how much at most a row enlarges real numbers; complex ones have two parts."""
    parts = real_parts(matrix)[: len(matrix)] if np.iscomplexobj(matrix) else matrix
    weight: Floats = np.abs(parts).sum(axis=1)
    return weight


def _exponent(values: Any) -> Any:
    """Of the largest power of two that is not above a number."""
    return np.frexp(values)[1] - 1.0


def real_parts(matrix: NDArray[Any]) -> Floats:
    """The matrix that makes real and imaginary parts of those of what it multiplies.

    Args:
        matrix: ndarray (n, m).

    Returns:
        float64 ndarray (2n, 2m).

    Example:
        >>> from anyk.randomness.grid import real_parts
        >>> real_parts(np.array([[2j]]))
        array([[ 0., -2.],
               [ 2.,  0.]])
    """
    real, imaginary = np.real(matrix), np.imag(matrix)
    return np.block([[real, -imaginary], [imaginary, real]])
