"""What a recovery must know of two factors, and what is known while there is one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.checks.base import AbstractKeys
from anyk.schemes.products.grid import Grid
from anyk.schemes.products.sizes import Sizes

__all__ = ["Held", "Layout"]


@final
@dataclass(frozen=True, eq=False)
class Held:
    """What is known of an A that workers hold.

    Args:
        shape: of A.
        columns: of each of its blocks, how large the columns are, root mean square, ndarray
            (blocks, inner); None over a field.
        keys: by which products of its shares are checked; None where they are not.
        turned: A.T, where no other factor will do.
    """

    shape: tuple[int, ...]
    columns: NDArray[np.float64] | None
    keys: AbstractKeys | None = None
    turned: NDArray[Any] | None = None


@final
@dataclass(frozen=True, eq=False)
class Layout:
    """What a recovery needs to know of two factors.

    Args:
        grid: how they were cut.
        sizes: how large answers are, over the reals; None over a field.
    """

    grid: Grid
    sizes: Sizes | None = None
