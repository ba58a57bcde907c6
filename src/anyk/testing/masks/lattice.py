"""Whether shares lie on their grid, and whether noise reaches the last bits that they have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from anyk.schemes.base import Encoder
from anyk.testing.expect import require
from anyk.testing.masks.chance import judge, multinomial, tally

__all__ = ["check_last_bits", "check_on_grid"]

Floats: TypeAlias = NDArray[np.float64]

_CLASSES = 64  # of six bits
_FINEST = 2.0**-44  # of the noise of a share: float64 holds so much of it


def check_on_grid(encoder: Encoder, shares: NDArray[Any]) -> None:
    """Noise over the reals comes with a grid, and every number of a share is a multiple of a step.

    Sums of floats that were not rounded to a public grid tell by their last bits what noise was
    meant to hide.

    Args:
        encoder: of these shares.
        shares: ndarray (n, L).

    Raises:
        AssertionError: if there is no grid, or a number is beside it.
    """
    grid = encoder.grid
    if grid is None:
        raise AssertionError("noise without a grid: the last bits of shares tell what it hides")
    told = "the steps of a grid are not powers of two, one a share"
    require(grid.steps.shape == (len(encoder.data),), told)
    require((np.frexp(grid.steps)[0] == 0.5).all(), told)  # noqa: PLR2004 - as frexp has it
    for part in _parts(shares):
        beside = np.fmod(part, grid.steps[:, None]) != 0.0
        require(not beside.any(), "numbers of shares lie beside the grid that their encoder names")


def check_last_bits(noise: Sequence[tuple[Encoder, NDArray[Any]]]) -> None:
    """Of shares of zeros, the last six bits are uniform: so they tell nothing of other data.

    A bit that the step or float64 is too coarse for is not looked at.

    Args:
        noise: encoders, which may differ in who holds what, each with its shares of zeros,
            ndarray (n, L).

    Raises:
        AssertionError: if they are not; of honest noise, with a chance below 1e-10.
    """
    classes = [_last_bits(encoder, shares) for encoder, shares in noise]
    if not classes:
        return
    counts = tally(np.concatenate(classes, axis=1), _CLASSES)
    told = "noise does not reach the last bits of shares: they are not uniform"
    judge([(told, multinomial(counts, np.full(_CLASSES, 1.0 / _CLASSES)))])


def _last_bits(encoder: Encoder, shares: NDArray[Any]) -> NDArray[np.int64]:
    """The last six bits of shares that have noise, ndarray (n, L or 2 L)."""
    grid = encoder.grid
    if grid is None:
        return np.zeros((0, 0), dtype=np.int64)
    size = np.sqrt(np.sum(np.abs(encoder.masks) ** 2, axis=1))
    seen = size > 0.0
    last = np.maximum(grid.steps, 2.0 ** np.ceil(np.log2(np.where(seen, size, 1.0))) * _FINEST)
    rows = np.concatenate(_parts(shares), axis=1)[seen]
    places = np.fmod(np.floor(rows / last[seen, None]), _CLASSES).astype(np.int64)
    return np.asarray(places % _CLASSES)


def _parts(shares: NDArray[Any]) -> tuple[Floats, ...]:
    return (shares.real, shares.imag) if np.iscomplexobj(shares) else (shares,)
