"""`Residues`: A @ B of integers, and of floats without rounding, one small prime a worker."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass
from typing import Any, final

import numpy as np

from anyk.checks import count, flag, indices_of, settle
from anyk.codes.checks.residues import ResidueKeys
from anyk.domains.balanced import largest_primes
from anyk.domains.prime import PrimeField
from anyk.domains.whole import Integers
from anyk.errors import InvalidArgument, Unachievable
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.base import AbstractScheme, missing_answers
from anyk.schemes.certainty import Certainty
from anyk.schemes.encoded import Encoded, require_left
from anyk.schemes.encoder import Encoder
from anyk.schemes.products.check import ProductCheck
from anyk.schemes.products.grid import factors_of
from anyk.schemes.products.multiply import require_matmul
from anyk.schemes.products.residue_recovery import (
    ProductOfResidues,
    ResidueRecovery,
    exponents_of,
)
from anyk.schemes.products.residue_room import MOST_BITS, MOST_PRIMES, certainty_of, require_room
from anyk.schemes.products.whole_factors import WholeFactor, whole_factor
from anyk.schemes.recovery import AbstractRecovery
from anyk.schemes.row import SchemeRow, SchemeWords, failing, none_of
from anyk.schemes.smaller import enough, or_lower
from anyk.schemes.tally import AbstractTally, CountTally
from anyk.spec import Guarantee, MatMul, Threat
from anyk.work import AbstractWork, Function
from anyk.works.products import ProductModulo

__all__ = ["ROW", "Residues"]


@final
@dataclass(frozen=True)
class Residues(AbstractScheme):
    """Redundant residues: A @ B of integers exactly, and of floats with one rounding.

    Worker n has a prime p_n of its own, of 23 bits, and computes A @ B modulo p_n: one product in
    float64, in which nothing is rounded. Any k residues tell an integer below 2^b by the Chinese
    remainder theorem, and n - k more tell which are wrong.

    Floats are integers times powers of two: a row of A and a column of B are scaled so that their
    entries are integers, and each entry of the product is rounded once, when it is known exactly.

    Args:
        workers: N, the number of workers.
        bits: b: entries of the product of integers are below 2^b in absolute value. What might not
            be is refused, with the number that is needed: `inner` times the largest entries of A
            and of B, after scaling. Of float32 factors of one exponent that is 48 + log2(inner).
        adversaries: A, how many workers may answer wrongly.
        pieces: r, how many shares a worker holds, each modulo a prime of its own.
        verified: whether each answer is checked when it comes, so that a liar costs one worker
            instead of two; a lie passes with a chance below 2^-61.
        detects: D, how many workers may answer wrongly without a wrong value; A where it is None.

    Raises:
        InvalidArgument: if a number is out of range, or D is below A, or given with `verified`.
        Unachievable: if k + rD + rA > rN; with `verified`, if k + rA > rN.

    Guarantee:
        k is the least number for which 2^(b+1) is less than the product of any k of the primes
        (with A > 0, 2^(b+2) times that of the rA largest is less than that of the k + rA smallest):
        3 for b = 63, 6 for b = 116, about (b + 1) / 23. Any k + rD + e answers, of which e are
        lies of at most A workers, give every entry of A @ B exactly, and the names of the liars.
        The value is of int64 where b <= 63 and of Python's integers else; if a factor is of floats,
        of float64, each entry the one nearest to the exact product of these factors. Up to D liars
        never bring about a wrong value: answers of which no reading is certain raise
        `TooManyErrors`, and a run waits for more of them first. Nothing in it is left to chance.
        With `verified` any k answers that pass their checks are enough, k + rA of rN; all liars are
        named, however many.
        No privacy: a share is a factor modulo a prime, and small entries are in it as they are.

    References:
        Mandelbaum: On a class of arithmetic codes and a decoding algorithm (IEEE Trans. IT 1976),
        for codes of redundant residues; Goldreich, Ron, Sudan: Chinese remaindering with errors
        (IEEE Trans. IT 2000), theorem 2; Ozaki, Ogita, Oishi, Rump: Error-free transformations of
        matrix multiplication (Numerical Algorithms 2012), for products in pieces that are exact.

    Example:
        >>> A, B = np.array([[2**31, 7], [3, -1]]), np.array([[2**30, 1], [5, -2]])
        >>> scheme = anyk.Residues(workers=6, adversaries=1)
        >>> with anyk.Inline(6) as executor:
        ...     print(anyk.run(scheme, np.matmul, (A, B), executor).value)
        [[2305843009213693987          2147483634]
         [         3221225467                   5]]
        >>> C, x = [[1e16, 1.0, -1e16]], [1.0, 1.0, 1.0]
        >>> with anyk.Inline(6) as executor:
        ...     print(anyk.run(scheme, np.matmul, (C, x), executor).value, np.matmul(C, x))
        [1.] [0.]
    """

    workers: int
    bits: int = 63
    adversaries: int = 0
    pieces: int = 1
    verified: bool = False
    _: KW_ONLY
    detects: int | None = None

    def __post_init__(self) -> None:
        settle(self, optional="detects", workers=1, bits=1, adversaries=0, pieces=1, detects=0)
        count("bits", self.bits, least=1, most=MOST_BITS)
        object.__setattr__(self, "verified", flag("verified", self.verified))
        if self.verified and self.detects is not None:
            raise InvalidArgument(
                "detects",
                given=str(self.detects),
                needed="None where each answer is checked: every liar is noticed",
                change="Leave it out.",
            )
        r, certainty = "" if self.pieces == 1 else "r", _certainty(self)
        if certainty is None or self._shares > MOST_PRIMES:
            raise Unachievable(
                "workers",
                given=f"{self.workers}, with bits={self.bits} and adversaries={self.adversaries}",
                needed=f"at most {MOST_PRIMES} primes for all of these",
                change="Lower the largest of them.",
            )
        threshold = certainty.threshold + self._spoiled
        if threshold > self._shares:
            words, numbers = certainty.excess
            if self.verified:
                words, numbers = f"{r}A", str(self._spoiled)
            raise Unachievable(
                "workers",
                given=str(self.workers),
                needed=f"k + {words} <= {r}N, that is {certainty.dimension} + {numbers} = "
                f"{threshold} <= {self._shares}",
                change=f"Take {-(-threshold // self.pieces)} workers{self._lower}.",
            )

    @property
    def _lower(self) -> str:
        """What can be lowered instead of taking more workers."""

        def fits(it: Residues) -> bool:
            known = _certainty(it)
            return known is not None and known.threshold + it._spoiled <= it._shares

        names = "bits", "adversaries", "detects"
        return or_lower(enough(self, fits, *names, bits=1, detects=self.adversaries))

    @property
    def _shares(self) -> int:
        return self.workers * self.pieces

    @property
    def _spoiled(self) -> int:
        """How many answers are lost to liars whose answers are checked."""
        return self.pieces * self.adversaries if self.verified else 0

    @property
    def certainty(self) -> Certainty:
        """When integers that were read are the true ones: by how many residues agree with them."""
        certainty = _certainty(self)
        if certainty is None:
            raise ArithmeticError("the primes were enough when the scheme was made")
        return certainty

    @property
    def primes(self) -> tuple[int, ...]:
        """The prime of each share: the largest below 2^23."""
        return largest_primes(self._shares)

    @property
    def problem(self) -> MatMul:
        """The product of two factors that are not cut."""
        return MatMul(partition=(1, 1, 1))

    @property
    def domain(self) -> Integers:
        """The integers, of which residues are some."""
        return Integers()

    @property
    def guarantee(self) -> Guarantee:
        """Exact from any k + rD + rA answers, or rA fewer where nobody lies or each is checked."""
        certainty = self.certainty
        threshold = certainty.threshold + self._spoiled
        return Guarantee(
            workers=self.workers,
            threshold=threshold,
            least=certainty.least,
            stragglers=(self._shares - threshold) // self.pieces,
            adversaries=self.adversaries,
            colluders=0,
            exact=True,
            leakage=None,
            load=float(self.pieces),
            pieces=self.pieces,
            smallest_lie=0.0 if self.verified else None,
        )

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """Both factors modulo the prime of each share.

        Args:
            X: (A, B), array-likes (rows, inner) and (inner, columns), or (inner,), of integers of
                any size, or of floats up to float64.
            source: where the secrets of checks come from; the operating system's CSPRNG by default.

        Returns:
            Three parts: the primes (N r, 1), A (N r, rows, inner), B (N r, inner, columns).

        Raises:
            InvalidArgument: if they are no two such factors that can be multiplied, or an entry of
                their product may be too large for `bits`, or for a float64.
        """
        left, right = factors_of(X)
        return self.encode_right(self.encode_left(left, source=source), right, source=source)

    def encode_left(self, factor: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """A modulo the prime of each share, for products with many B.

        Args:
            factor: A, array-like (rows, inner).
            source: where the secrets of checks come from.

        Returns:
            Two parts, the primes and A.

        Raises:
            InvalidArgument: if it is no matrix of integers or floats.
        """
        whole = whole_factor(factor, "X", axis=1)
        shape = whole.integers.shape
        if len(shape) != 2 or 0 in shape:  # noqa: PLR2004 - a matrix
            raise _misshapen(f"A of shape {shape}", "a matrix (rows, inner) with entries")
        moduli = np.array(self.primes, dtype=np.int64)[:, None]
        part = whole.modulo(self.primes)
        keys = ResidueKeys.of(moduli, part, source=source) if self.verified else None
        return Encoded(self, (moduli, part), _Held(whole, keys), alone=True)

    def encode_right(
        self,
        left: Encoded,
        factor: Any,
        *,
        source: AbstractSource = SystemSource(),  # noqa: ARG002
    ) -> Encoded:
        """B beside an A.

        Args:
            left: what `encode_left` made of A.
            factor: B, array-like (inner, columns) or (inner,).
            source: not used.

        Returns:
            Three parts, the primes, A and B.

        Raises:
            InvalidArgument: as `encode`.
        """
        require_left(self, left)
        held: _Held = left.layout
        A = held.factor
        B = whole_factor(factor, "X", axis=0)
        (rows, inner), shape = A.integers.shape, B.integers.shape
        if len(shape) not in {1, 2} or shape[0] != inner or 0 in shape:
            raise _misshapen(f"B of shape {shape}", f"({inner}, columns) or ({inner},)")
        require_room(A, B, self.bits)
        layout = ProductOfResidues((rows, *shape[1:]), exponents_of(A, B))
        part = B.modulo(self.primes)
        check = None if held.keys is None else ProductCheck(held.keys, part)
        return Encoded(self, (*left.parts, part), layout, check)

    def work(self, function: Function, per_worker: tuple[bool, ...] = ()) -> AbstractWork:
        """The product of the two factors modulo the prime.

        Raises:
            InvalidArgument: if the function is not matmul, or there are further arguments.
        """
        require_matmul(function, per_worker)
        return ProductModulo()

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether there are k of them beyond those that D workers gave."""
        return self.certainty.margin(set(indices_of("answered", answered))) >= 0

    def shape_of_answers(self, layout: ProductOfResidues) -> tuple[int, ...]:
        """Of the product."""
        return layout.shape

    def tally(self, layout: Any) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return CountTally(self.certainty.dimension) if self.verified else self.certainty.tally

    def encoder(self, layout: Any, operand: int = 0) -> Encoder:  # noqa: ARG002
        """D of either factor: each share is all of it, modulo a prime."""
        ones = np.ones((self._shares, 1), dtype=np.int64)
        return Encoder(data=ones, masks=ones[:, :0], moduli=self.primes)

    def recovery(self, layout: ProductOfResidues, answered: tuple[int, ...]) -> AbstractRecovery:
        """The Chinese remainder theorem for these primes, after the liars are located.

        Raises:
            NotEnoughAnswers: if they are not sufficient.
        """
        if not self.sufficient(answered):
            raise missing_answers(self, answered, self.certainty.needed)
        primes = self.primes
        return ResidueRecovery(
            primes=tuple(primes[share] for share in answered),
            bits=self.bits,
            certainty=self.certainty,
            product=layout,
            shares=answered,
        )


@final
@dataclass(frozen=True, eq=False)
class _Held:
    """What is known of an A that workers hold.

    Args:
        factor: A.
        keys: by which products with it are checked; None where they are not.
    """

    factor: WholeFactor
    keys: ResidueKeys | None


def _certainty(scheme: Residues) -> Certainty | None:
    """When integers are certain; None where that takes more primes than there are."""
    return certainty_of(
        scheme.workers * scheme.pieces,
        scheme.bits,
        adversaries=scheme.adversaries,
        detects=scheme.detects,
        pieces=scheme.pieces,
        verified=scheme.verified,
    )


def _misshapen(given: str, needed: str) -> InvalidArgument:
    return InvalidArgument("X", given=given, needed=needed, change="Pass two matrices that fit.")


def _sized(problem: MatMul, threat: Threat, field: PrimeField) -> Residues:  # noqa: ARG001
    none_of(threat, "colluders")
    parts = math.prod(problem.partition) * problem.batch
    if parts != 1:
        raise failing(f"m p n = 1, that is {parts} = 1: it does not cut the factors")
    return Residues(threat.workers, adversaries=threat.adversaries)


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        Residues(workers=1, bits=21),
        Residues(workers=5),
        Residues(workers=7, adversaries=2),
        Residues(workers=6, adversaries=1, detects=2),
        Residues(workers=8, bits=116, adversaries=1),
        Residues(workers=4, bits=40, detects=1),
        Residues(workers=5, adversaries=1, pieces=2),
        Residues(workers=5, adversaries=2, verified=True),
        Residues(workers=4, adversaries=1, pieces=2, verified=True),
    )


ROW = SchemeRow(
    name="Residues",
    scheme=Residues,
    solves=MatMul,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="Residues(workers=N, bits=b, adversaries=A, detects=D)",
        computes="the product of two matrices, not cut, of entries below 2^b",
        late="any k + D answers are enough, k = 3 for b = 63, and one more for each lie among them",
        wrong="A liars are named, D >= A are noticed",
        curious="no",
        value="exact integers; floats correctly rounded",
        when="the last bit counts: sums that cancel, integers that wrap; A and B go whole to each",
    ),
)
