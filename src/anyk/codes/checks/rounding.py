"""How far honest products in floating point may be off, and which lies are larger than that."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["DOUBLE", "LARGEST", "SINGLE", "SMALLEST", "Allowance", "held_by_single"]

LARGEST: Final = 9.88
"""A number of the chi distribution of 16 degrees of freedom is beyond with a chance of 1e-13."""

SMALLEST: Final = 0.763
"""And below with a chance of 1e-9."""

DOUBLE: Final = 2.0**-53
"""The roundoff of double precision."""

SINGLE: Final = 2.0**-24
"""The roundoff of single precision."""

_ROOT = 8.0  # sums of n terms of random signs are off by fewer roundings than this times root n
_MORE = 4  # roundings besides those of the sum: of both factors, of the product, one to spare
_TINY_DOUBLE, _TINY_SINGLE = 2.0**-1022, 2.0**-126  # below, hosts may return zeros
_FEW = 64


@final
@dataclass(frozen=True, kw_only=True)
class Allowance:
    """How large the residuals of honest columns may be, relative to the sizes of these.

    A sum of n products is off by at most n + 4 roundings of the sum of their absolute values, in
    any order: so much is allowed.

    Args:
        inner: n.
        rows: of the left factor, for the rounding of the check itself.
        complex_: whether the numbers are complex.
        single: whether answers that single precision holds may have been computed in it.

    Example:
        >>> from anyk.codes.checks.rounding import Allowance
        >>> f"{Allowance(inner=1000, rows=1000, complex_=False, single=False).smallest_lie:.0e}"
        '4e-12'
    """

    inner: int
    rows: int
    complex_: bool
    single: bool

    @property
    def smallest_lie(self) -> float:
        """How far a column must be off, relative to its size, to fail with a chance of 1 - 1e-9."""
        own = self._own
        return LARGEST * (self._most(single=self.single) + 2.0 * own) / SMALLEST

    @property
    def escapes(self) -> float:
        """The chance that such a lie passes."""
        return 1e-9

    def residuals(self, sizes: NDArray[np.float64], *, single: bool) -> NDArray[np.float64]:
        """How large each residual may be.

        Args:
            sizes: of the columns.
            single: whether the answer may have been computed in single precision.
        """
        return LARGEST * (self._most(single=single) + self._own) * sizes

    def underflow(
        self,
        exponents: tuple[int, int],
        norms: NDArray[np.float64],
        lengths: NDArray[np.float64],
        *,
        single: bool,
    ) -> NDArray[np.float64]:
        """How much of each residual may be due to numbers that became zero.

        Args:
            exponents: of the scales of both factors.
            norms: of the columns of the left factor, scaled.
            lengths: sums of absolute values in the columns of the right factor, scaled.
            single: whether the answer may have been computed in single precision.
        """
        first, second = exponents
        tiny = _TINY_SINGLE if single else _TINY_DOUBLE
        height = math.sqrt(self.rows)
        products = height * self.inner * (math.ldexp(tiny, -first - second) + _TINY_DOUBLE)
        lost: NDArray[np.float64] = LARGEST * (
            height * math.ldexp(tiny, -first) * lengths
            + math.ldexp(tiny, -second) * float(norms.sum())
            + products
        )
        return lost

    @property
    def _complex(self) -> float:
        return 2.0 if self.complex_ else 1.0

    def _most(self, *, single: bool) -> float:
        """Of honest sums, in any order; relative to the sizes."""
        return self._complex * (self.inner + _MORE) * _unit(single=single)

    @property
    def _own(self) -> float:
        """Of the check itself, whose sums have random signs: s A~, then with B~, and s C."""
        roots = 2.0 * math.sqrt(self.rows) + math.sqrt(self.inner)
        return self._complex * _ROOT * roots * DOUBLE


def _unit(*, single: bool) -> float:
    return SINGLE if single else DOUBLE


def held_by_single(values: NDArray[Any]) -> bool:
    """Whether single precision holds these numbers, so that they may have been computed in it.

    Args:
        values: float64 or complex128 ndarray.

    Example:
        >>> from anyk.codes.checks.rounding import held_by_single
        >>> held_by_single(np.array([0.1])), held_by_single(np.array([np.float64(np.float32(0.1))]))
        (False, True)
    """
    parts = np.ascontiguousarray(values).view(np.float64).ravel()

    def held(some: NDArray[np.float64]) -> bool:
        return bool((some == some.astype(np.float32)).all())

    with np.errstate(over="ignore", under="ignore"):  # it holds none of these
        return held(parts[:_FEW]) and held(parts)
