"""Reals on a scheme over a prime field: `FixedPoint`, and as many primes as its budget takes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, final

from anyk.checks import instance, shown
from anyk.domains.extent import Extent
from anyk.domains.prime import PrimeField
from anyk.domains.ring import ResidueRing
from anyk.errors import InvalidArgument
from anyk.fixed_point.budget import require_room
from anyk.fixed_point.format import MOST_BITS, FixedPoint
from anyk.fixed_point.reading import bound_of
from anyk.fixed_point.rounding import wrapped
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.base import AbstractRecovery, AbstractScheme, Encoder
from anyk.schemes.encoded import Encoded
from anyk.schemes.tally import AbstractTally, Replicas
from anyk.schemes.wrappers.embedded_recovery import EmbeddedCheck, EmbeddedRecovery
from anyk.schemes.wrappers.primes import primes_of
from anyk.spec import Guarantee, Map, MatMul, Sum
from anyk.work import AbstractWork, Function
from anyk.works.each_prime import EachPrime

__all__ = ["Embedded"]


@final
@dataclass(frozen=True)
class Embedded(AbstractScheme):
    """A scheme over a prime field made one for reals: float64 in, float64 out.

    The rounded inputs are encoded once for each prime that the budget takes, by the same scheme
    over other fields, with masks of its own. A worker's share is the L shares together, and its
    answer the function's L results; each prime is recovered on its own, and the Chinese remainder
    theorem puts the values together.

    Args:
        scheme: over a `PrimeField`, which becomes the first of the primes; unless it is 2^31 - 1,
            the default, and the embedding chooses how many: then those are taken that cost least.
        embedding: how reals become residues, and how large results may be.
        result: what is known of the function's result on one block, or of a product: its fraction
            bits, its largest integer and how far rounding moves it. None for what the embedding
            declares.
        fields: of the primes; None for those that the embedding takes for the result. A scheme that
            looks for liars has some whose product is at least 2^31 - 1, and any scheme some that
            have room for its points.

    Raises:
        InvalidArgument: if the scheme is not over a prime field, or its degree is too low, or it
            is for products and the embedding is not that of one: degree=2, or degree=1 and the
            format of the second factor as its one of `factors`.
        Unachievable: if the primes do not hold the result.

    Guarantee:
        That of the scheme, on the rounded inputs: the same thresholds, and the same privacy, as
        the masks of different primes are independent. Whoever lies modulo one prime is a suspect;
        if those are more than A, recovery raises `TooManyErrors`.

    References:
        Yu et al. (AISTATS 2019) for one prime; Garner: The residue number system (IRE Transactions
        on Electronic Computers, 1959) for several.

    Example:
        >>> from anyk.schemes.wrappers.embedded import Embedded
        >>> fixed = anyk.FixedPoint(fraction_bits=20, magnitude=2.0, degree=2)
        >>> scheme = Embedded(anyk.Lagrange(blocks=2, degree=2, workers=4, colluders=0), fixed)
        >>> encoded = scheme.encode([0.5, -1.25])
        >>> encoded.shares.shape, scheme.domain.primes
        ((4, 2), (16777213, 16777199))
        >>> encoded.decode(encoded.shares**2 % scheme.domain.primes, range(4)).value
        array([0.25  , 1.5625])
    """

    scheme: AbstractScheme
    embedding: FixedPoint
    result: Extent | None = None
    fields: tuple[PrimeField, ...] | None = None

    def __post_init__(self) -> None:
        instance("embedding", self.embedding, FixedPoint, change="Pass anyk.FixedPoint(...).")
        instance("scheme", self.scheme, AbstractScheme, change="Make one, such as anyk.Lagrange.")
        if not isinstance(self.scheme.domain, PrimeField):
            raise InvalidArgument(
                "embedding",
                given=f"one for a scheme over {self.scheme.domain!r}",
                needed="a scheme over a PrimeField",
                change="Leave the embedding out: these data need none.",
            )
        problem = self.scheme.problem
        if isinstance(problem, MatMul):
            _check_product(self.embedding, problem)
        elif problem.degree is not None and problem.degree < (self.embedding.degree or 1):
            raise InvalidArgument(
                "embedding",
                given=f"degree={self.embedding.degree}",
                needed=f"at most the degree={problem.degree} that {type(self.scheme).__name__} can "
                "decode",
                change="Make the scheme for the degree of the function.",
            )
        _parts(self)

    @property
    def problem(self) -> Map | Sum | MatMul:
        """That of the scheme."""
        return self.scheme.problem

    @property
    def domain(self) -> ResidueRing:
        """The integers modulo the product of the primes."""
        return _ring(self)

    @property
    def guarantee(self) -> Guarantee:
        """That of the scheme."""
        return self.scheme.guarantee

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """One share a worker, of the rounded data.

        Args:
            X: array-like (K, *shape) of reals; (A, B) for a product.
            source: where masks come from; the operating system's CSPRNG by default.

        Returns:
            Shares (N, *shape, L) of residues, at rest; `shares` of them are int64.

        Raises:
            InvalidArgument: if X is not K blocks of reals up to the embedding's magnitude.
        """
        return self.encode_argument(X, source=source)

    @property
    def formats(self) -> tuple[FixedPoint, ...]:
        """The embedding, and its factors."""
        return self.embedding, *self.embedding.factors

    def encode_argument(
        self,
        values: Any,
        embedding: FixedPoint | None = None,
        *,
        layout: Any = None,
        source: AbstractSource = SystemSource(),
    ) -> Encoded:
        """Shares of another argument of the function, rounded as that one is.

        Args:
            values: array-like (K, *shape) of reals.
            embedding: its format: one of the `factors` of this scheme's embedding, or that itself,
                which is the default.
            layout: that of the data, one of the scheme's for each prime.
            source: where masks come from; the operating system's CSPRNG by default.

        Returns:
            Shares (N, *shape, L) of residues, at rest; `shares` of them are int64.

        Raises:
            InvalidArgument: if the format is none of these, or the values do not fit it.
        """
        own = self.embedding if embedding is None else embedding
        instance("embedding", own, FixedPoint, change="Pass anyk.FixedPoint(...).")
        if own not in self.formats:
            raise InvalidArgument(
                "embedding",
                given=repr(own),
                needed="one that the budget counts",
                change="Name it in factors= of the embedding that the data were distributed with.",
            )
        whole = self._integers(values, own)
        ring, parts = self.domain, _parts(self)
        encoded = [
            part.encode_argument(residues, layout=own, source=source)
            for part, residues, own in zip(
                parts, _residues(ring, whole), layout or [None] * len(parts), strict=True
            )
        ]
        joined = tuple(
            ring.join(residues) for residues in zip(*(each.parts for each in encoded), strict=True)
        )
        checks = [each.check for each in encoded if each.check is not None]
        check = EmbeddedCheck(ring, tuple(checks)) if checks else None
        layout = tuple(each.layout for each in encoded)
        return Encoded(self._of(own), joined, layout, check)

    def _of(self, own: FixedPoint) -> Embedded:
        """The same scheme, and the same primes, for data of one of its formats."""
        if own == self.embedding:
            return self
        result = self.embedding.declared if self.result is None else self.result
        return Embedded(self.scheme, own, result, self.domain.fields)

    def _integers(self, values: Any, own: FixedPoint) -> Any:
        """The rounded values; of both factors, for a product."""
        problem = self.scheme.problem
        if not isinstance(problem, MatMul):
            return own.integers(values)
        try:
            left, right = (values, None) if problem.gram else values
        except (TypeError, ValueError):
            raise InvalidArgument(
                "X", given=shown(values), needed="two factors (A, B)", change="Pass (A, B)."
            ) from None
        first = self.embedding.integers(left)
        (format_of_right,) = self.embedding.factors or (self.embedding,)
        embedding = self.embedding
        room = math.prod(each.summands or 1 for each in (embedding, *embedding.factors))
        if self.result is None and first.ndim and first.shape[-1] > room:
            raise InvalidArgument(
                "embedding",
                given=f"summands={room}",
                needed=f"{first.shape[-1]}, as many products add up in one entry of A @ B",
                change=f"Pass summands={first.shape[-1]}, or leave it out.",
            )
        return first if problem.gram else (first, format_of_right.integers(right))

    def work(self, function: Function, per_worker: tuple[bool, ...] = ()) -> AbstractWork:
        """What the workers of the scheme run, once for each prime."""
        return EachPrime(self.scheme.work(function, per_worker), per_worker)

    @property
    def columns(self) -> tuple[int | None, ...] | None:
        """Those of the scheme: the primes lie along the last axis."""
        return self.scheme.columns

    def sufficient(self, answered: Collection[int]) -> bool:
        """As for the scheme."""
        return self.scheme.sufficient(answered)

    def tally(self, layout: Any) -> AbstractTally:
        """As for the scheme."""
        first, *_ = layout
        return self.scheme.tally(first)

    def shape_of_answers(self, layout: Any) -> tuple[int, ...] | None:
        """As for the scheme, once for each prime."""
        first, *_ = layout
        shape = self.scheme.shape_of_answers(first)
        return None if shape is None else (*shape, len(self.domain.primes))

    def replicas(self, layout: Any) -> Replicas | None:
        """As for the scheme."""
        first, *_ = layout
        return self.scheme.replicas(first)

    def encoder(self, layout: Any, operand: int = 0) -> Encoder:
        """D and M over the ring, (N, K, L) and (N, T, L)."""
        each = [part.encoder(own, operand) for part, own in self._with(layout)]
        join = self.domain.join
        return Encoder(
            data=join([e.data for e in each]),
            masks=join([e.masks for e in each]),
            of_outputs=each[0].of_outputs,
        )

    def recovery(self, layout: Any, answered: tuple[int, ...]) -> AbstractRecovery:
        """The recovery for each prime.

        Raises:
            NotEnoughAnswers: if the scheme has none.
        """
        each = (part.recovery(own, answered) for part, own in self._with(layout))
        return self._joined(each)

    def recovery_by(
        self, layout: Any, answered: tuple[int, ...], workers: tuple[int, ...]
    ) -> AbstractRecovery:
        """The same, where shares were answered by others than those that hold them."""
        each = (part.recovery_by(own, answered, workers) for part, own in self._with(layout))
        return self._joined(each)

    def _joined(self, each: Iterable[AbstractRecovery]) -> EmbeddedRecovery:
        """The recoveries of all primes as one."""
        return EmbeddedRecovery(self.domain, self.guarantee, _value(self), tuple(each))

    def _with(self, layout: Any) -> Iterator[tuple[AbstractScheme, Any]]:
        """The scheme over each prime, and what it chose for the data."""
        return zip(_parts(self), layout, strict=True)


def _check_product(embedding: FixedPoint, problem: MatMul) -> None:
    """Refuse an embedding of what is no product of two factors: its scale would be another."""
    factors = embedding.factors
    if problem.gram and factors:
        raise InvalidArgument(
            "embedding",
            given=f"{len(factors)} factors",
            needed="one format, as the second factor of A @ A.T is the first one",
            change="Leave factors out.",
        )
    degrees = [embedding.degree or 2 - len(factors), *(each.degree or 1 for each in factors)]
    nested = any(each.factors for each in factors)
    if nested or degrees not in ([2], [1, 1]):
        raise InvalidArgument(
            "embedding",
            given=f"degree={embedding.degree} with {len(factors)} factors",
            needed="degree=2, as a product takes an entry of A and one of B; or degree=1 and the "
            "format of B, of degree=1, as its one of factors=",
            change="Leave degree and summands out.",
        )


def _residues(ring: ResidueRing, whole: Any) -> Iterator[Any]:
    """Integers as residues modulo each of the primes; of both factors, for a product.

    The integers are not needed any more when the last are made.
    """
    several = isinstance(whole, tuple)
    arrays = whole if several else (whole,)
    *others, last = ring.primes
    for prime in (*others, last):
        made = tuple(wrapped(each if prime == last else each.copy(), prime) for each in arrays)
        yield made if several else made[0]


@lru_cache(maxsize=32)
def _stated(embedded: Embedded) -> FixedPoint:
    """The declared numbers, for all that adds up in one entry of the value."""
    problem, embedding = embedded.scheme.problem, embedded.embedding
    if isinstance(problem, MatMul):
        return dataclasses.replace(embedding, degree=2 - len(embedding.factors))
    blocks = problem.blocks if isinstance(problem, Sum) else 1
    return dataclasses.replace(embedding, summands=(embedding.summands or 1) * blocks)


@lru_cache(maxsize=32)
def _value(embedded: Embedded) -> Extent:
    """What is known of the value: of the sum over the blocks, for a sum."""
    problem = embedded.scheme.problem
    if embedded.result is None:
        return _stated(embedded).declared
    return embedded.result.summed(problem.blocks) if isinstance(problem, Sum) else embedded.result


@lru_cache(maxsize=32)
def _ring(embedded: Embedded) -> ResidueRing:
    """The primes that hold the value."""
    value = _value(embedded)
    fields = embedded.fields
    if fields is None:
        number = embedded.embedding.primes
        fields = primes_of(embedded.scheme, bound_of(value), None if number == "auto" else number)
    ring = ResidueRing(fields)
    if embedded.result is None:
        _stated(embedded).require(ring)
        return ring
    require_room(bound_of(value), ring.fields)
    if value.bits > MOST_BITS:
        raise InvalidArgument(
            "fraction_bits",
            given=f"{value.bits} in the result",
            needed=f"at most {MOST_BITS}",
            change="Lower fraction_bits, or the degree of the function.",
        )
    return ring


@lru_cache(maxsize=32)
def _parts(embedded: Embedded) -> tuple[AbstractScheme, ...]:
    """The scheme over each of the primes."""
    scheme = embedded.scheme
    return tuple(
        scheme if field == scheme.domain else scheme.over(field) for field in embedded.domain.fields
    )
