"""`FixedPoint`: reals into a field and back, and a budget that refuses before anything wraps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import choice, count, instance, positive, several
from anyk.domains.mixed_radix import nearest_floats
from anyk.domains.prime import PrimeField
from anyk.domains.real import Reals
from anyk.domains.ring import ResidueRing, further_fields
from anyk.errors import InvalidArgument
from anyk.fixed_point.budget import (
    MOST_PRIMES,
    enough_primes,
    fits,
    in_short,
    prime_count,
    require_room,
    require_within,
)
from anyk.fixed_point.rounding import nearest, stochastic, within

__all__ = ["FixedPoint"]

_MOST_BITS = 1000  # of a result: what float64 holds, and no subnormal number
_LARGEST = 1 << 62  # integers that leave int64 room for a sign


@final
@dataclass(frozen=True, kw_only=True)
class FixedPoint:
    """Real numbers as integers modulo primes: x becomes round(2^l x), negative ones P less.

    The function must be homogeneous: each of the n products that add up in one entry of its result
    takes d entries of the share (and of each factor as many as that one says), times an integer
    coefficient of at most c. So the result has l·d fraction bits (plus those of the factors), and
    an absolute value of at most n·c·B^d, where B is the largest |round(2^l x)| for |x| <= M. That
    must be below P/2, or it would wrap and come back as another number. Terms of lower degree are
    made homogeneous by multiplying them with 2^l, the fixed-point one (which takes M >= 1):
    x^2 + 3x is written x**2 + 3 * 2**l * x. Fractional coefficients are a factor.

    Args:
        fraction_bits: l, bits after the binary point.
        magnitude: M, the largest absolute value of an input; larger ones are refused.
        degree: d, how many entries of the share each product takes.
        summands: n, how many products add up in one entry of what the function returns. A scheme
            that sums over the blocks multiplies it by their number.
        coefficient: c, the largest absolute value of their integer coefficients.
        factors: fixed-point formats of other arguments, of each of which every product takes as
            many entries as its own degree says: weights, fractional coefficients.
        rounding: "nearest" (half up), or "stochastic": up with the probability that makes the
            mean right, to within 2**-53 of a step.
        primes: how many primes the result is computed with, one computation each, at most 16;
            "auto" takes as few as will do.

    Raises:
        InvalidArgument: if a number is out of range.

    Guarantee:
        If the function is as stated, the value is exactly that of the function on the rounded
        inputs, as the nearest float64, and at most `error` away from that on the inputs
        themselves. Primes too few to hold a budget raise `Unachievable` before anything is sent.
        A function that is not as stated is noticed where its result leaves the budget
        (`InvalidArgument`), not where it wraps back into it, nor by its scale.

    References:
        So, Guler, Avestimehr: CodedPrivateML (IEEE JSAIT 2021), on quantisation.

    Example:
        >>> fixed = anyk.FixedPoint(fraction_bits=8, magnitude=4.0, degree=2, summands=3)
        >>> scheme = anyk.Lagrange(blocks=2, degree=2, workers=5, adversaries=1)
        >>> X = np.array([[0.5, -1.25, 3.0], [4.0, 0.0, 0.1]])
        >>> with anyk.Inline(5) as executor:
        ...     outcome = anyk.run(scheme, lambda x: x @ x, X, executor, embedding=fixed)
        >>> outcome.value, outcome.quantisation_error < 0.05
        (array([10.8125    , 16.01031494]), True)
    """

    fraction_bits: int
    magnitude: float
    degree: int = 1
    summands: int = 1
    coefficient: int = 1
    factors: tuple[FixedPoint, ...] = ()
    rounding: Literal["nearest", "stochastic"] = "nearest"
    primes: int | Literal["auto"] = "auto"

    def __post_init__(self) -> None:
        for name in ("fraction_bits", "degree", "summands", "coefficient"):
            number = count(name, getattr(self, name), least=0 if name == "fraction_bits" else 1)
            object.__setattr__(self, name, number)
        size = positive("magnitude", self.magnitude, change="Give the largest input.")
        object.__setattr__(self, "magnitude", size)
        factors = several("factors", self.factors, change="Pass a tuple of them.")
        object.__setattr__(self, "factors", factors)
        for factor in self.factors:
            instance("factors", factor, FixedPoint, change="Pass a tuple of them.")
        if not isinstance(self.primes, str) or self.primes != "auto":
            object.__setattr__(self, "primes", prime_count(self.primes))
        drift = 'Take "stochastic" where errors must not drift.'
        choice("rounding", self.rounding, ("nearest", "stochastic"), change=drift)
        bits = max(self.result_bits, self.degree * self._largest.bit_length())
        if not 1 <= self._largest < _LARGEST or bits > _MOST_BITS:
            raise InvalidArgument(
                "fraction_bits",
                given=f"{self.fraction_bits} with magnitude={self.magnitude}, degree={self.degree}",
                needed=f"1 <= 2^fraction_bits * magnitude < 2^62; results of <= {_MOST_BITS} bits",
                change="Raise it for small numbers, lower it for large ones or high degrees.",
            )

    @property
    def _largest(self) -> int:
        """B, the largest |round(2^l x)| for |x| <= M."""
        scaled = Fraction(self.magnitude) * (1 << min(self.fraction_bits, _MOST_BITS))
        half = Fraction(1, 2)
        return math.floor(scaled + half) if self.rounding == "nearest" else math.ceil(scaled)

    @property
    def worst(self) -> int:
        """n·c·B^d, times the same of each factor: no result's integer is larger."""
        own = self.summands * self.coefficient * self._largest**self.degree
        return int(own * math.prod(factor.worst for factor in self.factors))

    @property
    def result_bits(self) -> int:
        """Fraction bits of the result: l·d, plus those of the factors."""
        return self.fraction_bits * self.degree + sum(each.result_bits for each in self.factors)

    @property
    def error(self) -> float:
        """The most that rounding can move one entry of the result.

        n·c·((M + e)^d - M^d) where e = 2^-(l+1), or 2^-l for stochastic rounding; plus half a unit
        in the last place of float64 where a result may have more than 53 bits.
        """
        exact, rounded = self._sizes()
        bound = rounded - exact
        if self.worst > 2**53:
            bound += Fraction(self.worst, 1 << (53 + self.result_bits))
        return math.nextafter(float(bound), math.inf) if bound < _LARGEST**8 else math.inf

    def _sizes(self) -> tuple[Fraction, Fraction]:
        """The largest result of inputs up to M, and up to M + e."""
        size, weight = Fraction(self.magnitude), self.summands * self.coefficient
        moved = size + Fraction(1, 1 << (self.fraction_bits + (self.rounding == "nearest")))
        exact, rounded = weight * size**self.degree, weight * moved**self.degree
        for factor in self.factors:
            own = factor._sizes()  # noqa: SLF001 - its own class
            exact, rounded = exact * own[0], rounded * own[1]
        return exact, rounded

    def ring(self, field: PrimeField = PrimeField()) -> ResidueRing:
        """The primes that hold the result: that of a field, and others where it takes more.

        Args:
            field: the first of them.

        Raises:
            Unachievable: if they do not hold it: the inequality, and what to change.

        Example:
            >>> anyk.FixedPoint(fraction_bits=20, magnitude=1.0, degree=2).ring().primes
            (2147483647, 2147483629)
        """
        instance("field", field, PrimeField, change="Pass anyk.PrimeField(2**31 - 1).")
        number = enough_primes(self.worst, field) if self.primes == "auto" else self.primes
        ring = ResidueRing(further_fields(field, number or MOST_PRIMES))
        self._require(ring)
        return ring

    def _require(self, domain: PrimeField | ResidueRing) -> None:
        """Refuse a modulus that a result could wrap in."""
        instance("field", domain, PrimeField | ResidueRing, change="Pass anyk.PrimeField().")
        fields = domain.fields if isinstance(domain, ResidueRing) else (domain,)
        own = f"{in_short(self.summands)}*{in_short(self.coefficient)}*{in_short(self._largest)}"
        terms = "*".join([f"{own}^{self.degree}", *(in_short(f.worst) for f in self.factors)])
        require_room(self.worst, fields, terms=terms, fewer=lambda: self._fewer_bits(fields))

    def _fewer_bits(self, fields: Sequence[PrimeField]) -> int | None:
        """The most fraction bits, fewer than there are, that fit these primes."""
        for bits in range(self.fraction_bits - 1, -1, -1):
            try:
                if fits(replace(self, fraction_bits=bits).worst, fields):
                    return bits
            except InvalidArgument:  # too few to tell one input from another
                break
        return None

    def integers(
        self, values: Any, generator: np.random.Generator | None = None
    ) -> NDArray[np.int64]:
        """round(2^l x): what plain arguments of the function are, whatever the primes.

        Args:
            values: array-like of reals, any shape, at most `magnitude` in absolute value.
            generator: where stochastic rounding takes its randomness, to be repeatable; by
                default the operating system's CSPRNG. It hides nothing: masks do that.

        Returns:
            int64 ndarray of that shape, with signs.

        Raises:
            InvalidArgument: if a value is not finite, or larger than `magnitude`.

        Example:
            >>> anyk.FixedPoint(fraction_bits=2, magnitude=1.0).integers([-0.3, 0.625, 1.0])
            array([-1,  3,  4])
        """
        array = within(Reals().validate(values, "values"), self.magnitude)
        scaled = np.ldexp(array, self.fraction_bits)
        return nearest(scaled) if self.rounding == "nearest" else stochastic(scaled, generator)

    def quantise(
        self, values: Any, generator: np.random.Generator | None = None
    ) -> NDArray[np.float64]:
        """The rounded inputs as reals: multiples of 2^-l, which embed without any change.

        Args:
            values: as for `integers`.
            generator: as for `integers`.

        Example:
            >>> anyk.FixedPoint(fraction_bits=2, magnitude=1.0).quantise([-0.3, 0.625, 1.0])
            array([-0.25,  0.75,  1.  ])
        """
        return np.asarray(self.integers(values, generator) * 2.0**-self.fraction_bits)

    def embed(
        self,
        values: Any,
        field: PrimeField | ResidueRing = PrimeField(),
        generator: np.random.Generator | None = None,
    ) -> NDArray[np.int64]:
        """Residues of the rounded inputs.

        Args:
            values: as for `integers`.
            field: the field, or the ring of several primes.
            generator: as for `integers`.

        Returns:
            int64 ndarray of the shape of the values; in a ring, with a last axis of primes.

        Raises:
            InvalidArgument: if a value is not finite, or larger than `magnitude`.
            Unachievable: if a result could wrap.

        Example:
            >>> small = anyk.PrimeField(101)
            >>> anyk.FixedPoint(fraction_bits=2, magnitude=1.0).embed([-0.3, 1.0], small)
            array([100,   4])
        """
        self._require(field)
        return field.constant(self.integers(values, generator))

    def extract(
        self,
        values: Any,
        field: PrimeField | ResidueRing = PrimeField(),
        bits: int | None = None,
    ) -> NDArray[np.float64]:
        """Reals from the residues of a result: the nearest float64, exact up to 53 bits.

        Args:
            values: int64 ndarray of residues, any shape; in a ring, with a last axis of primes.
            field: the field, or the ring.
            bits: fraction bits of the residues, where they are not a result's: `fraction_bits`
                for what came from `embed`.

        Raises:
            InvalidArgument: if a result is beyond the budget: the function is not as stated.
            Unachievable: if a result could wrap.

        Example:
            >>> fixed = anyk.FixedPoint(fraction_bits=2, magnitude=1.0, degree=2)
            >>> fixed.extract(anyk.PrimeField().array(fixed.embed([-0.3, 1.0])) ** 2)
            array([0.0625, 1.    ])
        """
        self._require(field)
        residues = field.validate(values, "values")
        if isinstance(field, ResidueRing):
            whole = nearest_floats(residues, field.primes)
        else:
            whole = nearest_floats(residues[..., None], (field.modulus,))
        if bits is None:
            require_within(float(np.max(np.abs(whole), initial=0.0)), self.worst)
            bits = self.result_bits
        return np.asarray(np.ldexp(whole, -count("bits", bits, least=0, most=_MOST_BITS)))
