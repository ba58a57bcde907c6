"""From exact sums of float64 to residues.

A sum is an integer |x| <= 2**53 - p (`room`). Residues are x - floor(x / p) * p. Rounding moves
x / p by at most |x| / p * 2**-53 < 1 / p, the least that it can be below an integer, and never over
one that it reaches: the quotient is right, and so are its product with p, at most |x| + p <= 2**53,
and the difference.

Where a residue of either sign will do, the quotient is x times the float next to 1 / p, rounded to
the next integer, which is quicker. Two roundings move it by less than
|x| / p * 2**-52 * (1 + 2**-53), 2 / p at most: what is left is at most p / 2 + 2.

A sum y = x + 1/2 with |x| < 2**51 (`raised_room`) is exact, as all sums of its terms are, and y / p
is 1 / 2p at least from every integer. y times the float next to 1 / p is moved by less than that,
for |y| * (1 + 2**-54) < 2**51: its floor is the quotient of x. What is left of y, in [1/2, p), is
exact, and an integer type cuts its half off: no division, and nothing to mend.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.domains.kernel.workspace import Workspace

__all__ = ["Spare", "add", "centre", "raised_room", "reduce_into", "room", "settle"]

_EXACT = 1 << 53
_RAISED = 1 << 51


def room(modulus: int) -> int:
    """The largest absolute value of a sum that the functions of this file reduce.

    Args:
        modulus: p < 2**31.
    """
    return _EXACT - modulus


def raised_room() -> int:
    """The largest absolute value of a sum to which 1/2 is added."""
    return _RAISED - 1


@final
class Spare:
    """Memory for reductions of so many numbers, used again and again while it is in cache.

    Args:
        numbers: at most.
        workspace: of which it is taken; None for new memory.
    """

    __slots__ = ("_floats", "_words")

    def __init__(self, numbers: int, workspace: Workspace | None = None) -> None:
        new = np.empty if workspace is None else workspace.array
        self._floats = new((numbers,), np.float64)
        self._words = new((numbers,), np.int32)

    def floats(self, shape: tuple[int, ...], numbers: int) -> NDArray[np.float64]:
        """Room for float64."""
        return self._floats[:numbers].reshape(shape)

    def longs(self, shape: tuple[int, ...], numbers: int) -> NDArray[np.int64]:
        """Room for int64, which is that for float64."""
        return self._floats[:numbers].view(np.int64).reshape(shape)

    def words(self, shape: tuple[int, ...], numbers: int) -> NDArray[np.int32]:
        """Room for int32."""
        return self._words[:numbers].reshape(shape)


def centre(sums: NDArray[np.float64], modulus: int, spare: Spare | None = None) -> None:
    """Reduce sums to |x| <= p / 2 + 2, and those below 2**51 to |x| <= p // 2, in place.

    Of those, a quotient is 1 / 2p at least from the next half, and is moved by less.

    Args:
        sums: integers up to `room`, of either sign.
        modulus: p.
        spare: memory for as many numbers.
    """
    quotient = np.empty_like(sums) if spare is None else spare.floats(sums.shape, sums.size)
    np.multiply(sums, 1.0 / modulus, out=quotient)
    np.rint(quotient, out=quotient)
    np.multiply(quotient, float(modulus), out=quotient)
    np.subtract(sums, quotient, out=sums)


def reduce_into(
    out: NDArray[Any],
    sums: NDArray[np.float64],
    modulus: int,
    spare: Spare | None = None,
    *,
    raised: bool = False,
) -> None:
    """Write the residues of sums, which are lost.

    Args:
        out: of the same shape and any integer type that holds p - 1.
        sums: integers up to `room`, of either sign.
        modulus: p.
        spare: memory for as many numbers.
        raised: whether they are integers up to `raised_room`, and 1/2 more.
    """
    spare = Spare(sums.size) if spare is None else spare
    quotient = spare.floats(sums.shape, sums.size)
    if raised:
        np.multiply(sums, 1.0 / modulus, out=quotient)
    else:
        np.divide(sums, float(modulus), out=quotient)
    np.floor(quotient, out=quotient)
    np.multiply(quotient, float(modulus), out=quotient)
    np.subtract(sums, quotient, out=sums)
    if out.dtype == np.uint32:  # residues have 31 bits, and to int32 the processor converts many
        np.copyto(out.view(np.int32), sums, casting="unsafe")
        return
    words = spare.words(sums.shape, sums.size)
    np.copyto(words, sums, casting="unsafe")
    np.copyto(out, words, casting="unsafe")


def add(total: NDArray[np.int64], sums: NDArray[np.float64], spare: Spare) -> None:
    """Add exact sums to a total, below 2**63 for 1023 of them.

    Args:
        total: int64 ndarray.
        sums: integers up to 2**53, of either sign.
        spare: memory for as many numbers.
    """
    whole = spare.longs(sums.shape, sums.size)
    np.copyto(whole, sums, casting="unsafe")
    np.add(total, whole, out=total)


def settle(out: NDArray[Any], total: NDArray[np.int64], modulus: int, spare: Spare) -> None:
    """Write the residues of totals.

    Args:
        out: of the same shape and any integer type that holds p - 1; the total itself too.
        total: int64 ndarray.
        modulus: p.
        spare: memory for as many numbers.
    """
    quotient = spare.longs(total.shape, total.size)
    np.floor_divide(total, modulus, out=quotient)  # numpy's remainder is not vectorised
    np.multiply(quotient, modulus, out=quotient)
    np.subtract(total, quotient, out=quotient)
    np.copyto(out, quotient, casting="unsafe")
