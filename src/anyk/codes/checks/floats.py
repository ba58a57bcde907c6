"""A check of products in floating point: a lie is found where it is larger than any rounding."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.checks.base import AbstractKeys, AbstractTest
from anyk.codes.checks.outliers import explained, outliers
from anyk.codes.checks.rounding import DOUBLE, SINGLE, Allowance, held_by_single
from anyk.codes.checks.shapes import Left, left_shape, right_of
from anyk.codes.checks.sparse import column_norms, with_data
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.randomness.gaussian import UNIT, normals

__all__ = ["FloatKeys"]

TESTS: Final = 16
"""Secret rows; half as many complex ones."""

_PLAIN = 256  # binary digits that a largest entry may be off 1 without being brought there
_LOWEST = -500  # as products are scaled up, which must not make lies infinite
_SMALL = 2.0**-400  # norms whose squares may have underflowed
_HUGE = 2.0**500  # sizes from which on right factors are scaled down


_Secret = tuple[NDArray[Any], NDArray[Any]]


@final
@dataclass(frozen=True, eq=False, repr=False, slots=True)
class FloatKeys(AbstractKeys):
    """For each left factor A~ secret Gaussian rows s, s A~, and the norms of the columns of A~.

    The residual s C - (s A~) B~ of a column of C that is off by e is ||e|| times a number with the
    chi distribution of 16 degrees of freedom, whichever direction e has: 16 real rows, or 8 complex
    ones. Below 0.76 it is with a chance of 1e-9, beyond 9.88 with one of 1e-13. The size of column
    j is sum_k ||A~_k|| |b_kj|, over the columns A~_k of A~: what it would be at most if nothing
    cancelled. Honest rounding is a small multiple of it, in any order of additions; `Allowance`
    says which.

    Besides, where an answer has 50 columns or more, the median of their residuals shows by how much
    most of them are off. Columns that are off by far more than that are computed again: what no
    order of additions explains is a lie, though it may be much smaller than the smallest that must
    be found. Liars who spoil most columns, to raise the median, escape this, but not the bound.

    A lie that fails would tell how large it may be in its direction, and a few thousand of them
    what s is: the share has new secrets then.

    Args:
        left: A~ of each share, ndarray (shares, rows, inner), or csr_arrays.
        secrets: of each share s, ndarray (16, rows), or (8, rows) complex; and s A~, of A~ scaled,
            ndarray (16 or 8, inner).
        norms: of the columns of A~ scaled, float64 ndarray (shares, inner).
        exponents: A~ scaled is A~ / 2^exponent, so that nothing overflows.
        allowance: how large residuals may be.
        source: where new secrets come from.

    Guarantee:
        An answer with a column that is off by more than `smallest_lie` times its size passes with a
        chance of 1e-9 at most, whatever it is, if whoever chose it knows nothing of s but which
        answers passed. An honest column, of float64 sums in any order, fails with a chance of 1e-13
        at most; with `single`, one of float32 sums too, from factors rounded to float32, but then a
        lie has the room of single precision. What underflows (from 1e-308 on; 1e-38 in single
        precision) counts as rounding.

    References:
        Freivalds (IFIP 1977) for the residual; Higham, Accuracy and stability of numerical
        algorithms (2002), section 3.5, for sums in any order; Higham and Mary, A new approach to
        probabilistic rounding error analysis (SISC 2019), for those of independent roundings.

    Example:
        >>> from anyk.codes.checks.floats import FloatKeys
        >>> left, right = np.random.default_rng(0).normal(size=(2, 3, 40, 40))
        >>> keys = FloatKeys.of(left)
        >>> test, C = keys.against(right), left[0] @ right[0]
        >>> lie = C + 1e-9 * (np.arange(40) == 7)
        >>> test.passes(0, C), test.passes(0, lie), keys.smallest_lie < 1e-12
        (True, False, True)
    """

    left: Left
    secrets: list[_Secret]
    norms: NDArray[np.float64]
    exponents: tuple[int, ...]
    allowance: Allowance
    source: AbstractSource

    @classmethod
    def of(
        cls,
        left: Left,
        *,
        single: bool = False,
        source: AbstractSource = SystemSource(),
    ) -> FloatKeys:
        """Fresh secrets, of their own for each share.

        Args:
            left: float64 or complex128 ndarray (shares, rows, inner), or csr_arrays of such.
            single: whether honest workers may compute in single precision.
            source: where they come from; whoever foresees them can lie.

        Raises:
            InvalidArgument: if these are no matrices.
        """
        shares, height, inner = left_shape(left)
        sparse, complex_ = isinstance(left, tuple), left[0].dtype.kind == "c"
        exponents = tuple(_exponent(each.data if sparse else each) for each in left)
        secrets, norms = [], np.empty((shares, inner))
        for share, rows in enumerate(_rows(source, shares, left)):
            factor = _left_scaled(left[share], exponents[share])
            secrets.append((rows, (factor.T @ rows.T).T))
            norms[share] = column_norms(factor) if sparse else _norms(factor)
        allowance = Allowance(inner=inner, rows=height, complex_=complex_, single=single)
        return cls(left, secrets, norms, exponents, allowance, source)

    @property
    def rows(self) -> NDArray[Any]:
        """The secrets s as they are now, ndarray (shares, 16, rows), or (shares, 8, rows)."""
        return np.stack([rows for rows, _ in self.secrets])

    def renew(self, share: int) -> None:
        """Other secrets for a share, of which an answer has failed.

        Args:
            share: which one.
        """
        (rows,) = _rows(self.source, 1, self.left)
        factor = _left_scaled(self.left[share], self.exponents[share])
        self.secrets[share] = rows, (factor.T @ rows.T).T  # at once: other threads may check

    def against(self, right: NDArray[Any]) -> AbstractTest:
        """The test of the products with these right factors, ndarray of the dtype of the left."""
        return _FloatTest(self, right_of(right, len(self.secrets), self.allowance.inner))

    @property
    def smallest_lie(self) -> float:
        """How far a column must be off, relative to its size; it is known before any answer.

        Example:
            >>> from anyk.codes.checks.floats import FloatKeys
            >>> left = np.ones((1, 1000, 1000))
            >>> f"{FloatKeys.of(left).smallest_lie:.0e}"
            '4e-12'
            >>> f"{FloatKeys.of(left, single=True).smallest_lie:.0e}"
            '8e-04'
        """
        return self.allowance.smallest_lie

    @property
    def escapes(self) -> float:
        """1e-9."""
        return self.allowance.escapes

    def __repr__(self) -> str:
        return f"<FloatKeys of {len(self.secrets)} shares>"


@final
@dataclass(frozen=True, eq=False, repr=False, slots=True)
class _FloatTest(AbstractTest):
    own: FloatKeys
    right: NDArray[Any]

    def passes(self, share: int, value: NDArray[Any]) -> bool:
        own, right = self.own, self.right[share if len(self.right) > 1 else 0]
        shape = own.allowance.rows, *right.shape[1:]
        if value.shape != shape or value.dtype != own.left[share].dtype:
            return False
        passed = self._passes(share, value, right)
        if not passed:
            own.renew(share)
        return passed

    def _passes(self, share: int, value: NDArray[Any], right: NDArray[Any]) -> bool:
        own, (rows, keys) = self.own, self.own.secrets[share]
        allowance, first = own.allowance, own.exponents[share]
        factor, second = right.reshape(len(right), -1), max(0, _LOWEST - first)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            sizes = own.norms[share] @ np.abs(factor)
            if not sizes.max(initial=0.0) < _HUGE:
                second = max(_exponent(right), second)
            if second:
                factor = _scaled(factor, second)
                sizes = own.norms[share] @ np.abs(factor)
            product = _scaled(value.reshape(len(value), -1), first + second)
            residual = product.T @ rows.T - factor.T @ keys.T
            found = _norms(residual.T)
        if not np.isfinite(found).all():  # by what is not, or is a lie: honest ones are scaled
            return False
        single = allowance.single and held_by_single(value)
        limits, unit = allowance.residuals(sizes, single=single), SINGLE if single else DOUBLE
        odd, over = outliers(found, sizes, unit), np.flatnonzero(found > limits)
        if not (odd.size or over.size):
            return True
        lost = allowance.underflow(
            (first, second), own.norms[share], np.abs(factor).sum(axis=0), single=single
        )
        if (found[over] > limits[over] + lost[over]).any():
            return False
        odd = odd[found[odd] > 2.0 * lost[odd]]
        if not odd.size:
            return True
        left, dtype = _left_scaled(own.left[share], first), _precision(value, single=single)
        return explained(left, factor[:, odd], product[:, odd], unit, dtype)

    def __repr__(self) -> str:
        return f"<test of {len(self.own.secrets)} shares>"


def _rows(source: AbstractSource, shares: int, left: Left) -> NDArray[Any]:
    """Secret rows for some shares of these factors."""
    _, height, _ = left_shape(left)
    rows: NDArray[Any] = normals(source, (shares, TESTS, height)) * UNIT
    return rows[:, ::2] + 1j * rows[:, 1::2] if left[0].dtype.kind == "c" else rows


def _precision(value: NDArray[Any], *, single: bool) -> Any:
    """The dtype in which an answer may have been computed."""
    if not single:
        return value.dtype
    return np.complex64 if value.dtype.kind == "c" else np.float32


def _exponent(values: NDArray[Any]) -> int:
    """e, where the largest entry is about 2^e and needs scaling; 0 elsewhere."""
    parts = _parts(values)
    largest = max(float(parts.max(initial=0.0)), -float(parts.min(initial=0.0)))
    exponent = math.frexp(largest)[1]
    return exponent if abs(exponent) > _PLAIN else 0


def _parts(values: NDArray[Any]) -> NDArray[np.float64]:
    """Real and imaginary parts."""
    parts: NDArray[np.float64] = np.ascontiguousarray(values).view(np.float64)
    return parts


def _scaled(values: NDArray[Any], exponent: int) -> NDArray[Any]:
    """The values / 2^exponent, without error but for underflow."""
    if not exponent:
        return values
    parts = _parts(values)
    with np.errstate(over="ignore", under="ignore"):
        scaled: NDArray[Any] = np.ldexp(parts, -exponent).view(values.dtype)
    return scaled.reshape(values.shape)


def _left_scaled(factor: Any, exponent: int) -> Any:
    """The same of a left factor, which may be sparse."""
    if isinstance(factor, np.ndarray):
        return _scaled(factor, exponent)
    return with_data(factor, _scaled(factor.data, exponent))


def _norms(factor: NDArray[Any]) -> NDArray[np.float64]:
    """Of columns, without underflow."""
    parts = _parts(factor).reshape(*factor.shape, -1)
    norms: NDArray[np.float64] = np.sqrt(np.einsum("ijk,ijk->j", parts, parts))
    small = np.flatnonzero(norms < _SMALL)
    if small.size:
        bare = np.abs(factor[:, small])
        largest = bare.max(axis=0)
        scaled = bare / np.where(largest > 0.0, largest, 1.0)
        norms[small] = largest * np.linalg.norm(scaled, axis=0)
    return norms
