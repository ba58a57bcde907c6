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
from anyk.domains.extent import Extent
from anyk.domains.prime import PrimeField
from anyk.domains.real import Reals
from anyk.domains.ring import ResidueRing
from anyk.errors import InvalidArgument
from anyk.fixed_point.budget import (
    fits,
    in_short,
    prime_count,
    require_room,
)
from anyk.fixed_point.primes import fields_for
from anyk.fixed_point.reading import bound_of, error_of, reals
from anyk.fixed_point.rounding import nearest, stochastic, within

__all__ = ["MOST_BITS", "FixedPoint"]

MOST_BITS = 1000  # of a result: what float64 holds, and no subnormal number
_LARGEST = 1 << 62  # integers that leave int64 room for a sign
_COEFFICIENT = 256  # where none is declared


@final
@dataclass(frozen=True, kw_only=True)
class FixedPoint:
    """Real numbers as integers modulo primes: x becomes round(2^l x), negative ones P less.

    The arrays that a function gets carry their fraction bits, a bound of their integers and how far
    rounding may have moved them. A sum brings both sides to one scale, a product adds the bits, and
    a constant that is a fraction of few bits, such as 0.5, keeps its own. So the function is
    written as for reals; an element that it makes, `x.field.array(..)`, counts as the integer
    nearest to zero, below 2^30 in absolute value. What it returns says how large its integers may
    get, and that must be below P/2, or they would wrap and come back as other numbers. `anyk.run`
    follows the function through arrays of zeros before it encodes anything, and takes as many
    primes as it needs.

    Where the function can't be followed beforehand, as the primes are chosen before it is known
    (`anyk.distribute`) or it is known by its name alone (`anyk.Remote`), there is a budget: results
    up to n·c·B^d, where B is the largest |round(2^l x)| for |x| <= M, and at least 2^l unless n or
    c is declared. A worker refuses a result that may leave it. Without a declaration d is the
    degree of the scheme (2 where it takes any function), n the number of entries of a block, and
    c is 256.

    Args:
        fraction_bits: l, bits after the binary point.
        magnitude: M, the largest absolute value of an input; larger ones are refused.
        degree: d, how many entries of the share each product takes. A function of higher degree is
            refused.
        summands: n, how many products add up in one entry of what the function returns. A scheme
            that sums over the blocks multiplies it by their number. A function that may exceed
            n·c·B^d is refused.
        coefficient: c, the largest absolute value of their integer coefficients; 1 where `summands`
            alone is declared, as `summands` is where this is.
        factors: fixed-point formats of other arguments that are encoded: weights, fractional
            coefficients. Each has a degree of its own, counted beside d.
        rounding: "nearest" (half up), or "stochastic": up with the probability that makes the
            mean right, to within 2**-53 of a step.
        primes: how many primes the result is computed with, one computation each, at most 16: the
            scheme's, then the largest below 2^31. "auto" takes those that cost least of the sets
            that hold the result, as small as they may be, where the scheme's field is the default
            2^31 - 1; of another field it takes as few more as will do.

    Raises:
        InvalidArgument: if a number is out of range.

    Guarantee:
        The value is exactly that of the function on the rounded inputs, as the nearest float64, and
        at most `outcome.quantisation_error` away from that on the inputs themselves. Primes too few
        raise `Unachievable` before anything is sent, or the function is refused on the workers.
        What a function that `anyk.of_degree` wraps returns has the scale and the bound that are
        declared here, and nobody checks them.

    References:
        So, Guler, Avestimehr: CodedPrivateML (IEEE JSAIT 2021), on quantisation.

    Example:
        >>> fixed = anyk.FixedPoint(fraction_bits=8, magnitude=4.0)
        >>> scheme = anyk.Lagrange(blocks=2, degree=2, workers=5, adversaries=1)
        >>> X = np.array([[0.5, -1.25, 3.0], [4.0, 0.0, 0.1]])
        >>> with anyk.Inline(5) as executor:
        ...     outcome = anyk.run(scheme, lambda x: x @ x + 1, X, executor, embedding=fixed)
        >>> outcome.value, outcome.quantisation_error < 0.05
        (array([11.8125    , 17.01031494]), True)
    """

    fraction_bits: int
    magnitude: float
    degree: int | None = None
    summands: int | None = None
    coefficient: int | None = None
    factors: tuple[FixedPoint, ...] = ()
    rounding: Literal["nearest", "stochastic"] = "nearest"
    primes: int | Literal["auto"] = "auto"

    def __post_init__(self) -> None:
        bits = count("fraction_bits", self.fraction_bits, least=0)
        object.__setattr__(self, "fraction_bits", bits)
        for name in ("degree", "summands", "coefficient"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, count(name, getattr(self, name), least=1))
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
        bits = max(self.result_bits, (self.degree or 1) * self._largest.bit_length())
        if not 1 <= self._largest < _LARGEST or bits > MOST_BITS:
            raise InvalidArgument(
                "fraction_bits",
                given=f"{self.fraction_bits} with magnitude={self.magnitude}, degree={self.degree}",
                needed=f"1 <= 2^fraction_bits * magnitude < 2^62; results of <= {MOST_BITS} bits",
                change="Raise it for small numbers, lower it for large ones or high degrees.",
            )

    @property
    def _largest(self) -> int:
        """B, the largest |round(2^l x)| for |x| <= M."""
        scaled = Fraction(self.magnitude) * (1 << min(self.fraction_bits, MOST_BITS))
        half = Fraction(1, 2)
        return math.floor(scaled + half) if self.rounding == "nearest" else math.ceil(scaled)

    @property
    def input(self) -> Extent:
        """What is known of a share of such inputs: degree 1, l bits, B, and how far they moved."""
        error = 1 if self.rounding == "nearest" else 2
        return Extent(1, self.fraction_bits, self._largest, error)

    @property
    def declared(self) -> Extent:
        """What the declared numbers say of a result, those that are missing being 1: n·c·B^d."""
        terms = (self.summands or 1) * (self.coefficient or 1)
        return self._budget(terms, self.degree or 1, least=0)

    def budget(self, degree: int, entries: int) -> Extent:
        """What results may be where the function can't be followed beforehand.

        Args:
            degree: total degree that a scheme decodes.
            entries: of a block.

        Raises:
            InvalidArgument: if a number is out of range.
            WouldWrap: if no set of primes holds such results.

        Example:
            >>> fixed = anyk.FixedPoint(fraction_bits=4, magnitude=2.0)
            >>> budget = fixed.budget(degree=2, entries=10)
            >>> budget.bits, budget.bound == 10 * 256 * 32**2
            (8, True)
        """
        entries = count("entries", entries, least=1)
        degree = count("degree", degree, least=1)
        if self.degree is not None:
            degree = self.degree
        else:
            degree = max(1, degree - sum(each.declared.degree for each in self.factors))
        if self.summands is None and self.coefficient is None:
            return self._budget(_COEFFICIENT * entries, degree, least=1 << self.fraction_bits)
        return self._budget((self.summands or 1) * (self.coefficient or 1), degree, least=0)

    def _budget(self, terms: int, degree: int, least: int) -> Extent:
        """Of a sum of products; no entry of a share counts as less than `least`."""
        largest = max(self._largest, least)
        result = replace(self.input, bound=largest).power(degree)
        for factor in self.factors:
            result = result.times(factor.declared)
        return result.summed(terms)

    @property
    def worst(self) -> int:
        """n·c·B^d, times the same of each factor: no result's integer is larger, as declared."""
        return bound_of(self.declared)

    @property
    def result_bits(self) -> int:
        """Fraction bits of a result as declared: l·d, plus those of the factors."""
        own = self.fraction_bits * (self.degree or 1)
        return own + sum(each.result_bits for each in self.factors)

    @property
    def error(self) -> float:
        """The most that rounding can move one entry of a result as declared.

        n·c·((B + h)^d - B^d) / 2^(l d), where h is half a step, or a whole one for stochastic
        rounding; plus half a unit in the last place of float64 where a result may have more than
        53 bits.
        """
        return error_of(self.declared)

    def ring(self, field: PrimeField = PrimeField()) -> ResidueRing:
        """The primes that hold the result: that of a field, and others where it takes more.

        Args:
            field: the first of them; the default stands for those that cost least.

        Raises:
            Unachievable: if they do not hold it: the inequality, and what to change.

        Example:
            >>> fixed = anyk.FixedPoint(fraction_bits=20, magnitude=1.0, degree=2)
            >>> fixed.ring().primes, fixed.ring(anyk.PrimeField(101)).primes
            ((16777213, 16777199), (101, 2147483647, 2147483629))
        """
        instance("field", field, PrimeField, change="Pass anyk.PrimeField(2**31 - 1).")
        number = None if self.primes == "auto" else self.primes
        ring = ResidueRing(fields_for(self.worst, field, number))
        self.require(ring)
        return ring

    def require(self, domain: PrimeField | ResidueRing) -> None:
        """Refuse a modulus that a result as declared could wrap in.

        Args:
            domain: the field, or the ring of several primes.

        Raises:
            Unachievable: if it could: the inequality, and what to change.
        """
        instance("field", domain, PrimeField | ResidueRing, change="Pass anyk.PrimeField().")
        fields = domain.fields if isinstance(domain, ResidueRing) else (domain,)
        own = f"{in_short(self.summands or 1)}*{in_short(self.coefficient or 1)}"
        power = f"{in_short(self._largest)}^{self.degree or 1}"
        terms = "*".join([own, power, *(in_short(factor.worst) for factor in self.factors)])
        fewer = None if fits(self.worst, fields) else self._fewer_bits(fields)
        require_room(self.worst, fields, terms=terms, fewer=fewer)

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
        """round(2^l x), whatever the primes.

        Plain arguments of a function are not these, but what `quantise` makes: integers count as
        integers.

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
        if self.rounding == "nearest":
            return nearest(array, self.fraction_bits)
        return stochastic(array * 2.0**self.fraction_bits, generator)

    def quantise(
        self, values: Any, generator: np.random.Generator | None = None
    ) -> NDArray[np.float64]:
        """The rounded inputs as reals: multiples of 2^-l, which embed without any change.

        Pass them to a function as plain arguments.

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
        self.require(field)
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
        self.require(field)
        residues = field.validate(values, "values")
        primes = field.primes if isinstance(field, ResidueRing) else (field.modulus,)
        if not isinstance(field, ResidueRing):
            residues = residues[..., None]
        if bits is None:
            return reals(residues, primes, bits=self.result_bits, bound=self.worst)
        return reals(residues, primes, bits=count("bits", bits, least=0, most=MOST_BITS))
