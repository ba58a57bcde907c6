"""`ExtensionField`: the field GF(p^m), as m residues and matrices over GF(p)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import count, instance, integer, several, shown
from anyk.codes.exact.linear import rank
from anyk.domains.array import FieldArray
from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument

__all__ = ["ExtensionField"]

_MOST = 64  # m: a product of two elements takes m^3 steps
_DIGITS = 16  # what coefficients below the highest are tried, where p is larger

Matrix = NDArray[np.int64]


@final
@dataclass(frozen=True)
class ExtensionField:
    """GF(p^m): polynomials in a of degree below m over GF(p), modulo an irreducible one.

    An element is its m coefficients, residues along the last axis, that of a^0 first. Whatever is
    linear over GF(p) is a product with a matrix over GF(p), exact and at BLAS speed: so are the
    Frobenius map x -> x^p and the multiplication by a constant. A `FieldArray` of residues, as a
    function on a field scheme receives it, may be passed everywhere and keeps its degree.

    Args:
        field: GF(p).
        degree: m.
        polynomial: the monic irreducible polynomial of degree m, m + 1 coefficients from the
            constant one up to 1; by default the first one that is found, counting up.

    Raises:
        InvalidArgument: if a number is out of range, or the polynomial is not monic, of degree m
            and irreducible.

    References:
        Lidl, Niederreiter: Finite Fields (2nd edition, 1997), theorem 2.21. Berlekamp: Factoring
        polynomials over finite fields (Bell System Technical Journal 1967), for the test.

    Example:
        >>> bytes_of = anyk.ExtensionField(anyk.PrimeField(2), 8)
        >>> bytes_of.polynomial  # a^8 + a^4 + a^3 + a + 1
        (1, 1, 0, 1, 1, 0, 0, 0, 1)
        >>> x = np.array([1, 1, 0, 0, 1, 0, 1, 0])  # 0x53
        >>> y = np.array([0, 1, 0, 1, 0, 0, 1, 1])  # 0xca
        >>> bytes_of.multiply(x, y)
        array([1, 0, 0, 0, 0, 0, 0, 0])
        >>> bool(np.array_equal(bytes_of.frobenius(x), bytes_of.multiply(x, x)))
        True
    """

    field: PrimeField
    degree: int
    polynomial: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        instance("field", self.field, PrimeField, change="Pass anyk.PrimeField(2), say.")
        object.__setattr__(self, "degree", count("degree", self.degree, least=1, most=_MOST))
        if self.polynomial is None:
            object.__setattr__(self, "polynomial", _first(self.field, self.degree))
            return
        given = several("polynomial", self.polynomial, change="Pass m + 1 coefficients.")
        told = tuple(integer("polynomial", each) for each in given)
        p, m = self.field.modulus, self.degree
        reduced = all(0 <= each < p for each in told)
        if len(told) != m + 1 or told[-1] != 1 or not reduced or not _irreducible(self.field, told):
            raise InvalidArgument(
                "polynomial",
                given=shown(told),
                needed=f"a monic irreducible polynomial of degree {m}: {m + 1} residues modulo "
                f"{p}, from the constant one up to 1",
                change="Leave it out, and one is found.",
            )
        object.__setattr__(self, "polynomial", told)

    def frobenius(self, x: Any, times: int = 1) -> Any:
        """The p-th power of x, so many times: linear over GF(p), so of degree 1 in the residues.

        Args:
            x: elements (*shape, m).
            times: how often the p-th power is taken.

        Returns:
            Elements (*shape, m): a FieldArray of one, an int64 ndarray otherwise.

        Raises:
            InvalidArgument: if x is no array of elements.
        """
        power = count("times", times, least=0) % self.degree
        return self.field.matmul(self._elements("x", x), _frobenius(self, power))

    def multiply(self, x: Any, y: Any) -> Any:
        """x·y, entry by entry: of degree 1 where one of them is constant, 2 where both are shares.

        Args:
            x: elements (*shape, m).
            y: elements (*shape, m), of a shape that goes with that of x.

        Returns:
            Elements: a FieldArray where one of them is one, an int64 ndarray otherwise.

        Raises:
            InvalidArgument: if they are no arrays of elements, or their shapes do not fit.
        """
        left, right = self._elements("x", x), self._elements("y", y)
        try:
            shape = np.broadcast_shapes(left.shape, right.shape)
        except ValueError:
            raise InvalidArgument(
                "y",
                given=f"shape {right.shape}, with x of shape {left.shape}",
                needed="a shape that numpy can broadcast with that of x",
                change="Add axes of length 1 before the last.",
            ) from None
        pairs = left[..., :, None] * right[..., None, :]
        if isinstance(pairs, np.ndarray):
            pairs = self.field.reduce(pairs)
        rows = pairs.reshape(*shape[:-1], self.degree**2)
        return self.field.matmul(rows, _products(self))

    def power(self, x: Any, exponent: int) -> Any:
        """x^n, of degree n_0 + n_1 + .. where n = n_0 + n_1 p + n_2 p^2 + ..: 1 for n = p^e.

        Args:
            x: elements (*shape, m).
            exponent: n, at least 0.

        Returns:
            Elements (*shape, m): a FieldArray of one, an int64 ndarray otherwise.

        Raises:
            InvalidArgument: if x is no array of elements, or n is no count.
        """
        left = count("exponent", exponent, least=0)
        result: Any = None
        for times in itertools.count():
            left, digit = divmod(left, self.field.modulus)
            if digit:
                own = _power(self, self.frobenius(x, times), digit)
                result = own if result is None else self.multiply(result, own)
            if not left:
                break
        if result is not None:
            return result
        one = np.zeros(self.degree, dtype=np.int64)
        one[0] = 1
        return self._elements("x", x) * 0 + one

    def _elements(self, name: str, x: Any) -> Any:
        """A FieldArray as it is, anything else as residues; the last axis has m of them."""
        array = x if isinstance(x, FieldArray) else self.field.residues(x, name)
        if array.ndim == 0 or array.shape[-1] != self.degree:
            raise InvalidArgument(
                name,
                given=f"shape {array.shape}",
                needed=f"m = {self.degree} residues an element, along the last axis",
                change=f"Reshape it to (..., {self.degree}).",
            )
        return array


def _power(extension: ExtensionField, x: Any, digit: int) -> Any:
    """x^digit, by squaring."""
    result: Any = None
    while True:
        if digit & 1:
            result = x if result is None else extension.multiply(result, x)
        digit >>= 1
        if not digit:
            return result
        x = extension.multiply(x, x)


@lru_cache(maxsize=64)
def _first(field: PrimeField, degree: int) -> tuple[int, ...]:
    """The first irreducible polynomial: coefficients below the highest are digits that count up."""
    for low in _digits(min(field.modulus, _DIGITS), degree):
        if (low[0] or degree == 1) and _irreducible(field, (*low, 1)):
            return (*low, 1)
    raise ArithmeticError("there are irreducible polynomials of every degree")


def _digits(base: int, length: int) -> Iterator[tuple[int, ...]]:
    """All numbers of so many digits, counting up, the lowest digit first."""
    for each in itertools.product(range(base), repeat=length):
        yield each[::-1]


@lru_cache(maxsize=256)
def _irreducible(field: PrimeField, polynomial: tuple[int, ...]) -> bool:
    """Whether a monic polynomial of degree m has no factor but itself.

    Let Q be the matrix of y -> y^p on the polynomials modulo this one. Q^m = 1 if and only if it
    divides x^(p^m) - x, and so has no factor twice; then as many factors as Q - 1 lacks in rank.
    """
    degree = len(polynomial) - 1
    map_ = _frobenius_of(field, polynomial)
    one = np.eye(degree, dtype=np.int64)
    if not np.array_equal(_matrix_power(field, map_, degree), one):
        return False
    return rank(field, field.reduce(map_ - one)) == degree - 1


def _frobenius_of(field: PrimeField, polynomial: tuple[int, ...]) -> Matrix:
    """Row i is a^(i p), modulo the polynomial."""
    degree = len(polynomial) - 1
    step = _matrix_power(field, _times_a(field, polynomial), field.modulus)
    rows = np.zeros((degree, degree), dtype=np.int64)
    rows[0, 0] = 1
    for row in range(1, degree):
        rows[row] = field.matmul(rows[row - 1], step)
    return rows


def _times_a(field: PrimeField, polynomial: tuple[int, ...]) -> Matrix:
    """Row i is a^(i+1), modulo the polynomial."""
    rows = np.eye(len(polynomial) - 1, k=1, dtype=np.int64)
    rows[-1] = field.residues([-each for each in polynomial[:-1]])
    return rows


def _matrix_power(field: PrimeField, matrix: Matrix, exponent: int) -> Matrix:
    result = np.eye(len(matrix), dtype=np.int64)
    while exponent:
        if exponent & 1:
            result = field.matmul(result, matrix)
        exponent >>= 1
        matrix = field.matmul(matrix, matrix) if exponent else matrix
    return result


@lru_cache(maxsize=64)
def _frobenius(extension: ExtensionField, times: int) -> Matrix:
    """The matrix of x -> x^(p^times), for rows of coefficients."""
    once = _frobenius_of(extension.field, _modulus(extension))
    return _matrix_power(extension.field, once, times)


@lru_cache(maxsize=64)
def _products(extension: ExtensionField) -> Matrix:
    """Row i m + j is a^(i+j), modulo the polynomial."""
    field, degree = extension.field, extension.degree
    step, powers = _times_a(field, _modulus(extension)), [np.eye(degree, dtype=np.int64)]
    for _ in range(1, degree):
        powers.append(field.matmul(powers[-1], step))
    return np.concatenate(powers)


def _modulus(extension: ExtensionField) -> tuple[int, ...]:
    """The polynomial, which `__post_init__` found where none was given."""
    return extension.polynomial or ()
