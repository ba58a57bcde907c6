"""Reals to the integers next to them: the nearest, or at random without bias."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anyk.checks import GENERATOR, instance
from anyk.errors import InvalidArgument
from anyk.randomness.entropy import SystemSource, residues

__all__ = ["nearest", "stochastic", "within", "wrapped"]

_HIGH, _LOW = 31, 22  # bits: the 53 of a float64
_SIGN = 63  # bits below that of the sign
_PIECE = 1 << 15  # numbers that are rounded at a time, so that they stay in cache


def within(values: NDArray[np.float64], magnitude: float) -> NDArray[np.float64]:
    """The values, if none is larger than a magnitude.

    Args:
        values: float64 ndarray.
        magnitude: the largest absolute value allowed.

    Raises:
        InvalidArgument: if one is larger.

    Example:
        >>> from anyk.fixed_point.rounding import within
        >>> within(np.array([0.5, -2.0]), 1.0)
        Traceback (most recent call last):
        anyk.errors.InvalidArgument: values: got -2.0 at index (1,); needed: at most magnitude=1.0
        in absolute value. Scale the data, or raise magnitude.
    """
    # two passes without an array of sizes
    if values.size and not -magnitude <= values.min() <= values.max() <= magnitude:
        index = tuple(int(i) for i in np.argwhere(~(np.abs(values) <= magnitude))[0])
        raise InvalidArgument(
            "values",
            given=f"{values[index]} at index {index}",
            needed=f"at most magnitude={magnitude} in absolute value",
            change="Scale the data, or raise magnitude.",
        )
    return values


def nearest(values: NDArray[np.float64], bits: int = 0) -> NDArray[np.int64]:
    """floor(2^l x + 1/2), exactly: half goes up.

    Args:
        values: float64 ndarray, times 2^l below 2**62 in absolute value.
        bits: l.

    Returns:
        int64 ndarray of that shape.

    Example:
        >>> from anyk.fixed_point.rounding import nearest
        >>> nearest(np.array([-1.5, -0.5, 0.49999999999999994, 0.5]))
        array([-1,  0,  0,  1])
        >>> nearest(np.array([0.3, 0.5]), bits=2)
        array([1, 2])
    """
    integers = np.empty(values.shape, dtype=np.int64)
    flat, out = values.reshape(-1), integers.reshape(-1)
    for start in range(0, flat.size, _PIECE):
        piece = flat[start : start + _PIECE] * 2.0**bits  # exact, and quicker than ldexp
        below = np.floor(piece)
        own = out[start : start + _PIECE]
        np.copyto(own, below, casting="unsafe")
        # the difference is exact, or rounded on the same side of one half; the sum with it is not
        own += np.subtract(piece, below, out=below) >= 1 / 2
    return integers


def wrapped(integers: NDArray[np.int64], prime: int) -> NDArray[np.int64]:
    """Integers of either sign as residues, in place.

    Args:
        integers: int64 ndarray, that nobody else needs.
        prime: p.

    Returns:
        The same memory, where it lies in one piece.

    Example:
        >>> from anyk.fixed_point.rounding import wrapped
        >>> wrapped(np.array([-1, 3, 8]), 7)
        array([6, 3, 1])
    """
    array = np.ascontiguousarray(integers).reshape(integers.shape)
    flat = array.reshape(-1)
    for start in range(0, flat.size, _PIECE):
        piece = flat[start : start + _PIECE]
        if piece.min() <= -prime or piece.max() >= prime:
            np.remainder(piece, prime, out=piece)
        else:  # the sign, all ones or none
            piece += (piece >> _SIGN) & prime
    return array


def stochastic(
    values: NDArray[np.float64], generator: np.random.Generator | None = None
) -> NDArray[np.int64]:
    """The integer below or the one above, so that the mean is x, to within 2**-53.

    Args:
        values: float64 ndarray, below 2**62 in absolute value.
        generator: where the randomness comes from, to be repeatable; by default the operating
            system's CSPRNG.

    Returns:
        int64 ndarray of that shape.

    References:
        So, Guler, Avestimehr: CodedPrivateML (IEEE JSAIT 2021), on quantising the weights.

    Example:
        >>> from anyk.fixed_point.rounding import stochastic
        >>> stochastic(np.full(10**4, 0.25), np.random.default_rng(0)).mean().item()
        0.2524
    """
    if generator is not None:
        instance("generator", generator, np.random.Generator, change=GENERATOR)
    below = np.floor(values)
    uniform = _uniform(values.shape) if generator is None else generator.random(values.shape)
    return np.asarray(below.astype(np.int64) + (uniform < values - below))


def _uniform(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Uniform multiples of 2**-53 in [0, 1), from the operating system's CSPRNG."""
    source = SystemSource()
    high, low = residues(source, 1 << _HIGH, shape), residues(source, 1 << _LOW, shape)
    return np.asarray(np.ldexp(((high << _LOW) + low).astype(np.float64), -(_HIGH + _LOW)))
