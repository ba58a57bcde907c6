"""The small matrices D and M behind shares, and the grid to which these are rounded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.errors import InvalidArgument
from anyk.randomness.entropy import AbstractSource, SystemSource

if TYPE_CHECKING:
    from anyk.randomness.grid import Grid

__all__ = ["Encoder", "untiled"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Encoder:
    """The two small matrices behind the shares: shares = D·blocks + M·masks.

    Args:
        data: D, ndarray (n, K), one row a share.
        masks: M, ndarray (n, T), more columns where blocks have masks of their own; none where
            there are no masks.
        of_outputs: whether D combines what the function makes of the blocks, as in gradient
            codes, and not the blocks themselves.
        grid: to which the shares are rounded, where their masks are Gaussian: without one, the last
            bits of a share tell what noise hides. None where nothing is rounded.
        tiles: of how many blocks, below each other and side by side, the part of one share is put
            together: D and M have as many rows for each share, row by row of these.
        moduli: of integers, what each share is reduced by, nearest to zero; None for no share. They
            are the first part of a share.
        slices: m, where D combines slices of what the function makes of the blocks, as
            `anyk.works.slices` cuts them: it has a column for each slice of each block then, (n, K
            m), block by block. None where results are combined whole.

    Example:
        >>> anyk.Replication(blocks=2, workers=3).encode(np.ones(2)).encoder.data
        array([[1., 0.],
               [0., 1.],
               [1., 0.]])
    """

    data: NDArray[Any]
    masks: NDArray[Any]
    of_outputs: bool = False
    grid: Grid | None = None
    tiles: tuple[int, int] = (1, 1)
    moduli: tuple[int, ...] | None = None
    slices: int | None = None

    @property
    def nbytes(self) -> int:
        """How much memory the matrices take."""
        return self.data.nbytes + self.masks.nbytes

    def rows(self, chosen: NDArray[np.intp]) -> Encoder:
        """Of these shares, in their order.

        Args:
            chosen: their indices.
        """
        each = self.tiles[0] * self.tiles[1]
        rows = (np.asarray(chosen)[:, None] * each + np.arange(each)).ravel()
        grid = None if self.grid is None else self.grid.rows(rows)
        moduli = None if self.moduli is None else tuple(self.moduli[row] for row in chosen)
        return replace(self, data=self.data[rows], masks=self.masks[rows], grid=grid, moduli=moduli)

    def tiled(self, rows: NDArray[Any]) -> NDArray[Any]:
        """The part of each share, of its blocks.

        Args:
            rows: ndarray (shares * tiles, height, width), or without the width for a vector.

        Returns:
            ndarray (shares, tiles[0] * height, tiles[1] * width).

        Example:
            >>> empty = np.zeros((4, 0))
            >>> encoder = anyk.Encoder(data=np.eye(4), masks=empty, tiles=(1, 2))
            >>> encoder.tiled(np.arange(4).reshape(4, 1, 1)).tolist()
            [[[0, 1]], [[2, 3]]]
        """
        high, wide = self.tiles
        if high == wide == 1:
            return rows
        if wide == 1:
            return rows.reshape(-1, high * rows.shape[1], *rows.shape[2:])
        _, height, width = rows.shape
        apart = rows.reshape(-1, high, wide, height, width).swapaxes(2, 3)
        return apart.reshape(-1, high * height, wide * width)

    def untiled(self, part: NDArray[Any]) -> NDArray[Any]:
        """The blocks of each share, of its part: what `tiled` was given.

        Args:
            part: ndarray (shares, tiles[0] * height, tiles[1] * width).
        """
        return untiled(part, self.tiles)

    def on_grid(self, *, data_std: float = 1.0, finest: bool = False) -> Encoder:
        """The same with a grid, which is chosen by the matrices alone, for Gaussian masks.

        Args:
            data_std: standard deviation of the data's coordinates, as the scheme has it.
            finest: whether the decoder cancels the noise, so that each bit of a share counts.
        """
        from anyk.randomness.grid import grid_for  # noqa: PLC0415 - where there is noise

        grid = grid_for(self.data, self.masks, data_std=data_std, finest=finest)
        return replace(self, grid=grid)

    def shares(
        self, blocks: NDArray[Any], *, source: AbstractSource = SystemSource()
    ) -> NDArray[Any]:
        """The shares of these blocks over the reals or the complex numbers, with fresh noise.

        They are D·blocks + M·noise without error, rounded to the grid once.

        Args:
            blocks: ndarray (K, *shape).
            source: where noise comes from; the operating system's CSPRNG by default.

        Returns:
            ndarray (n, *shape).

        Raises:
            InvalidArgument: if there is no grid, or a number is too large for it.

        Example:
            >>> encoder = anyk.Encoder(data=np.array([[1.0, -1.0]]), masks=np.array([[5.0]]))
            >>> encoder.on_grid().shares(np.zeros((2, 3))).shape
            (1, 3)
        """
        if self.grid is None:
            raise InvalidArgument(
                "grid",
                given="None",
                needed="a grid, to which shares with noise are rounded",
                change="Take encoder.on_grid().shares(...).",
            )
        from anyk.randomness.noisy import under_noise  # noqa: PLC0415 - where there is noise

        return under_noise(self.data, self.masks, blocks, grid=self.grid, source=source)


def untiled(part: NDArray[Any], tiles: tuple[int, int]) -> NDArray[Any]:
    """The blocks of which matrices, or vectors, are put together, one after the other.

    Args:
        part: ndarray (shares, tiles[0] * height, tiles[1] * width), or (shares, tiles[0] * height).
        tiles: how many blocks there are below each other and side by side.

    Returns:
        ndarray (shares * tiles, height, width), or without the width for a vector.

    Example:
        >>> from anyk.schemes.encoder import untiled
        >>> untiled(np.array([[[0, 1], [2, 3]]]), (1, 2)).tolist()
        [[[0], [2]], [[1], [3]]]
    """
    high, wide = tiles
    if high == wide == 1:
        return part
    if wide == 1:
        return part.reshape(-1, part.shape[1] // high, *part.shape[2:])
    shares, rows, columns = part.shape
    apart = part.reshape(shares, high, rows // high, wide, columns // wide).swapaxes(2, 3)
    return apart.reshape(-1, rows // high, columns // wide)
