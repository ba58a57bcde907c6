"""Reals from the residues of a result, and how far rounding may have moved them."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from anyk.domains.extent import Extent
from anyk.domains.mixed_radix import nearest_floats
from anyk.fixed_point.budget import require_within

__all__ = ["bound_of", "error_of", "reals"]

_MANTISSA = 53  # bits of a float64


def bound_of(extent: Extent) -> int:
    """The largest absolute value of its integers; 0 where nothing is known, as nothing came.

    Args:
        extent: of a result.
    """
    return extent.bound or 0


def error_of(extent: Extent) -> float:
    """How far a result may be from that on inputs that were not rounded.

    Rounding moves its integer by less than `error` half units; and where it may have more than 53
    bits, the nearest float64 is half a unit in the last place away.

    Args:
        extent: of the result, in fixed point.

    Example:
        >>> from anyk.fixed_point.reading import error_of
        >>> x = anyk.FixedPoint(fraction_bits=2, magnitude=1.0).input
        >>> error_of(x), error_of(x.times(x)) > 0.25
        (0.12500000000000003, True)
    """
    error = Fraction(extent.error, 1 << (extent.bits + 1))
    if bound_of(extent) > 1 << _MANTISSA:
        error += Fraction(bound_of(extent), 1 << (_MANTISSA + extent.bits))
    try:
        return math.nextafter(float(error), math.inf)
    except OverflowError:
        return math.inf


def reals(
    residues: NDArray[np.int64], primes: tuple[int, ...], *, bits: int, bound: int | None = None
) -> NDArray[np.float64]:
    """The nearest float64 to each result, exact up to 53 bits.

    Args:
        residues: int64 ndarray (*shape, L), modulo each of the primes.
        primes: L of them.
        bits: fraction bits.
        bound: the largest absolute value of an honest integer; None where it is not known.

    Returns:
        float64 ndarray (*shape).

    Raises:
        InvalidArgument: if one is beyond the bound.

    Example:
        >>> from anyk.fixed_point.reading import reals
        >>> reals(np.array([[100], [4]]), (101,), bits=2)
        array([-0.25,  1.  ])
    """
    whole = nearest_floats(residues, primes)
    if bound is not None:
        require_within(float(np.max(np.abs(whole), initial=0.0)), bound)
    return np.asarray(np.ldexp(whole, -bits))
