"""`YeAbbe`: the sum of any function, by a gradient code whose answers are slices of a result."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, final

import numpy as np

from anyk.checks import indices_of, settle
from anyk.codes.analog.gradient import late_sets
from anyk.codes.exact.slices import SliceCode, spread_points
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.real import Complex, Reals
from anyk.domains.tensors import Torch, domain_for
from anyk.errors import Unachievable
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.base import AbstractRecovery, AbstractScheme, Encoder, blocks_of, missing_answers
from anyk.schemes.encoded import Encoded
from anyk.schemes.precision import over
from anyk.schemes.row import SchemeRow, SchemeWords, failing, none_of
from anyk.schemes.smaller import enough, or_lower
from anyk.schemes.sums.arguments import no_shares
from anyk.schemes.sums.gradient import AS_GIVEN, gradient_domain
from anyk.schemes.sums.slice_recovery import SliceRecovery
from anyk.schemes.tally import AbstractTally, CountTally
from anyk.spec import Guarantee, Sum, Threat
from anyk.work import AbstractWork, Function
from anyk.works.slices import CombinedSlices

__all__ = ["ROW", "YeAbbe"]

_DIGITS = 1 << 10  # an answer tells the shape of the result in numbers below this


@final
@dataclass(frozen=True)
class YeAbbe(AbstractScheme):
    """f(X_1) + .. + f(X_N) for any f, from any N - S of N workers, with answers of 1/m of f's size.

    There are as many blocks as workers. Worker n holds S + m blocks, n, n + 1, .., around the
    circle, computes f of each, cuts each result in m slices and answers one combination of all of
    these: the value at its point of a polynomial of degree below N - S, of which the m highest
    coefficients are the slices of the sum. So a block more a worker buys a straggler more, or
    answers of 1/2, 1/3, .. of the bytes.

    Args:
        workers: N, and the number of blocks K.
        stragglers: S, how many answers may be missing.
        message: m; 1 for answers as long as a result.
        domain: what the data are: finite numbers of any type, as they come, by default, or tensors.
            `Reals()`, `Complex()` or a prime field for that type, whatever comes.

    Raises:
        InvalidArgument: if a number is out of range, or the domain is another.
        Unachievable: if S + m > N, or the field has fewer than N elements, or than 1024.

    Guarantee:
        Any N - S answers give the sum; over a field exactly. Elsewhere up to rounding, which the
        decoder amplifies: `condition` and the error estimate say by how much. The points are roots
        of unity, so that this is less than 10 for N = 12, S = 3, m = 2; it grows with S + m. The
        sum has the type of f's results where these are floats or complex numbers, and is a float
        for whole numbers.
        An answer has the numbers of f's result divided by m, rounded up (of real numbers to an even
        number), and a few more that tell its shape.
        Answers beyond N - S check the others: a contradiction raises `TooManyErrors` over a field,
        and counts in the estimate over the reals, as that of one liar. Nobody is named. No privacy:
        a worker holds blocks in the clear.

    References:
        Ye, Abbe: Communication-computation efficient gradient coding (ICML 2018), theorem 1 and
        section III, whose points are 1, -1, 1.5, -1.5, ..

    Example:
        >>> scheme = anyk.YeAbbe(workers=6, stragglers=1, message=3)
        >>> X = np.arange(12.0).reshape(6, 2)
        >>> with anyk.Inline(6) as executor:
        ...     outcome = anyk.run(scheme, lambda x: np.outer(x, x), X, executor)
        >>> bool(np.allclose(outcome.value, X.T @ X)), outcome.missing
        (True, (5,))
    """

    workers: int
    stragglers: int
    message: int = 2
    domain: AbstractDomain = AS_GIVEN

    def __post_init__(self) -> None:
        settle(self, workers=1, stragglers=0, message=1)
        object.__setattr__(self, "domain", gradient_domain(self.domain))
        if not self._fits():
            raise Unachievable(
                "message",
                given=str(self.message),
                needed=f"S + m <= N, that is {self.stragglers} + {self.message} <= {self.workers}",
                change=f"Take {self.stragglers + self.message} workers"
                f"{or_lower(enough(self, YeAbbe._fits, 'stragglers', 'message', message=1))}.",
            )
        least = max(self.workers, _DIGITS)
        if isinstance(self.domain, PrimeField) and self.domain.modulus < least:
            raise Unachievable(
                "domain",
                given=repr(self.domain),
                needed=f"a modulus of at least {least}: N, and 1024 to tell the shape of a result",
                change="Take a larger prime; 2**31 - 1 is the default.",
            )

    def _fits(self) -> bool:
        """Whether a worker can hold so many blocks."""
        return self.stragglers + self.message <= self.workers

    @property
    def problem(self) -> Sum:
        """A sum of any function over N blocks."""
        return Sum(blocks=self.workers)

    @property
    def guarantee(self) -> Guarantee:
        """The sum from any N - S answers."""
        return Guarantee(
            workers=self.workers,
            threshold=self.workers - self.stragglers,
            stragglers=self.stragglers,
            adversaries=0,
            colluders=0,
            exact=self.domain.exact,
            leakage=None,
            load=float(self.stragglers + self.message),
        )

    @property
    def code(self) -> SliceCode:
        """The code, made once."""
        field = self.domain if isinstance(self.domain, PrimeField) else None
        return _code(self.workers, self.stragglers, self.message, field)

    @property
    def amplification(self) -> float:
        """By how much errors of answers weigh more in a slice of the sum than in a plain one.

        1 in a field. Elsewhere for the worst set of late workers: of all, where they are at most
        5,000; else of runs of neighbouring points, which are the bad ones, and of 2,000 sets.
        """
        if self.domain.exact:
            return 1.0
        around = np.argsort(np.angle(self.code.points), kind="stable")
        late = around[late_sets(self.workers, self.stragglers)]
        everyone = np.arange(self.workers)
        return max(self.code.amplification(np.delete(everyone, each).tolist()) for each in late)

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:  # noqa: ARG002
        """The blocks of each worker, and the weights of their slices.

        Args:
            X: array-like (K, *shape).
            source: not used; there are no masks.

        Returns:
            Two parts: blocks (N, S + m, *shape) and weights (N, S + m, m), complex ones as two real
            numbers each, where results may be real.

        Raises:
            InvalidArgument: if X is not K blocks of the domain.
        """
        domain = domain_for(self.domain, X)
        blocks = domain.at_rest(blocks_of(X, self.workers, domain))[self.code.held]
        weights = self.code.weights
        of = self.domain.of if isinstance(self.domain, Torch) else self.domain
        if not isinstance(of, (PrimeField, Complex)):
            weights = np.stack([weights.real, weights.imag], axis=-1)
        return Encoded(over(self, domain), (blocks, weights), None)

    def work(self, function: Function, per_worker: tuple[bool, ...] = ()) -> AbstractWork:
        """The combination of the slices of what the function makes of a worker's blocks.

        Raises:
            InvalidArgument: if another argument is a share: blocks are combined after f.
        """
        no_shares(per_worker)
        return CombinedSlices(function)

    @property
    def columns(self) -> tuple[int, None]:
        """Those of the blocks that a worker holds; its weights have none."""
        return 2, None

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether there are N - S of them."""
        return len(set(indices_of("answered", answered))) >= self.workers - self.stragglers

    def tally(self, layout: None) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return CountTally(self.workers - self.stragglers)

    def encoder(self, layout: None, operand: int = 0) -> Encoder:  # noqa: ARG002
        """B, which combines slices of what the function makes of the blocks."""
        matrix = self.code.matrix
        masks = np.zeros((self.workers, 0), dtype=matrix.dtype)
        return Encoder(data=matrix, masks=masks, of_outputs=True, slices=self.message)

    def recovery(self, layout: None, answered: tuple[int, ...]) -> AbstractRecovery:  # noqa: ARG002
        """The combinations of these answers that are the slices of the sum.

        Raises:
            NotEnoughAnswers: if there are fewer than N - S.
        """
        if not self.sufficient(answered):
            needed = f"{self.workers - self.stragglers} answers"
            raise missing_answers(self, answered, needed)
        return SliceRecovery(code=self.code, domain=self.domain, shares=answered)

    def over(self, field: PrimeField) -> YeAbbe:
        """The same code over a prime field."""
        return replace(self, domain=field)


@lru_cache(maxsize=64)
def _code(workers: int, stragglers: int, message: int, field: PrimeField | None) -> SliceCode:
    points = spread_points(workers, stragglers + message - 1, message)
    points = points if field is None else np.arange(workers, dtype=np.int64)
    return SliceCode(points, stragglers, message, field)


def _sized(problem: Sum, threat: Threat, field: PrimeField) -> YeAbbe:  # noqa: ARG001 - over the reals
    none_of(threat, "adversaries", "colluders")
    blocks, needed = problem.blocks, threat.stragglers + 2
    if blocks > threat.workers:
        raise failing(f"K <= N, that is {blocks} <= {threat.workers}")
    if needed > blocks:
        raise failing(f"S + m <= K, that is {threat.stragglers} + 2 <= {blocks}")
    return YeAbbe(workers=blocks, stragglers=threat.stragglers)


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        YeAbbe(workers=4, stragglers=1),
        YeAbbe(workers=1, stragglers=0, message=1),
        YeAbbe(workers=6, stragglers=2, message=3),
        YeAbbe(workers=6, stragglers=2, message=2, domain=PrimeField()),
        YeAbbe(workers=5, stragglers=2, message=3, domain=PrimeField(1031)),
        YeAbbe(workers=5, stragglers=1, message=3, domain=Complex()),
        YeAbbe(workers=5, stragglers=1, message=2, domain=Reals()),
    )


ROW = SchemeRow(
    name="YeAbbe",
    scheme=YeAbbe,
    solves=Sum,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="YeAbbe(workers=N, stragglers=S, message=m)",
        computes="sums of any function, over as many blocks as workers",
        late="any N - S answers, of 1/m of the size, are enough; a worker computes S + m blocks",
        wrong="a lie is noticed where more than N - S answer; nobody is named",
        curious="no",
        value="exact over a prime field; over the reals with an error estimate",
    ),
)
