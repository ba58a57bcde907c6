"""`Polynomial`: A @ B from the fewest answers, by a polynomial code."""

from __future__ import annotations

import operator
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.checks import indices_of, instance, settle, shown
from anyk.codes.exact.linear import solve
from anyk.codes.exact.reed_solomon import EvaluationCode
from anyk.domains.polynomials import vandermonde
from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument, Unachievable
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.base import (
    AbstractRecovery,
    AbstractScheme,
    Encoded,
    Encoder,
    missing_answers,
    read_only,
    rows_of,
)
from anyk.schemes.certainty import Certainty
from anyk.schemes.products.grid import Grid, cut
from anyk.schemes.row import SchemeRow, SchemeWords, failing, none_of
from anyk.schemes.smaller import enough, or_lower
from anyk.schemes.tally import AbstractTally
from anyk.spec import Guarantee, MatMul, Threat
from anyk.work import AbstractWork, Function, Product

__all__ = ["ROW", "Polynomial"]

_MULTIPLY = (operator.matmul, np.matmul)


@final
@dataclass(frozen=True)
class Polynomial(AbstractScheme):
    """A polynomial code: A @ B from any m n answers, A cut in m rows of blocks, B in n columns.

    The share at the point x has two parts, A~ = A_0 + A_1 x + .. + A_(m-1) x^(m-1) and
    B~ = B_0 + B_1 x^m + .. + B_(n-1) x^((n-1)m). A worker returns A~ @ B~, a polynomial of degree
    m n - 1 in x whose coefficients are the blocks of the product. What does not divide evenly is
    filled with zeros.

    Args:
        partition: (m, 1, n).
        workers: N.
        domain: the prime field of the entries.
        adversaries: A, how many workers may answer wrongly.
        pieces: r, how many shares a worker holds, each at a point of its own.
        detects: D, how many workers may answer wrongly without a wrong value; A where it is None.

    Raises:
        InvalidArgument: if a number is out of range, D is below A, or the inner dimension is cut.
        Unachievable: if mn + rD + rA > rN, or the field has fewer than rN elements.

    Guarantee:
        Any mn + D + e answers, of which e are lies of at most A workers, give the product exactly
        and the names of the liars (with r pieces, mn + rD + e of rN answers). Up to D liars never
        bring about a wrong value: answers of which no reading is certain raise `TooManyErrors`,
        and a run waits for more of them first. D + 1 liars who collude can, and no decoder can
        know. No privacy: a share is a combination of blocks without a mask.

    References:
        Yu, Maddah-Ali, Avestimehr: Polynomial codes: an optimal design for high-dimensional coded
        matrix multiplication (NIPS 2017), theorem 1.

    Example:
        >>> scheme = anyk.Polynomial(partition=(2, 1, 2), workers=6)
        >>> A, B = np.arange(12).reshape(3, 4), np.arange(8).reshape(4, 2)
        >>> with anyk.Inline(6) as executor:
        ...     outcome = anyk.run(scheme, np.matmul, (A, B), executor)
        >>> bool((outcome.value == A @ B).all()), outcome.used
        (True, (0, 1, 2, 3))
    """

    partition: tuple[int, int, int]
    workers: int
    domain: PrimeField = PrimeField()
    adversaries: int = 0
    pieces: int = 1
    detects: int | None = None

    def __post_init__(self) -> None:
        problem = MatMul(partition=self.partition)
        settle(self, optional="detects", workers=1, adversaries=0, pieces=1, detects=0)
        object.__setattr__(self, "partition", problem.partition)
        instance("domain", self.domain, PrimeField, change="Pass anyk.PrimeField(2**31 - 1).")
        if self.partition[1] != 1:
            raise InvalidArgument(
                "partition",
                given=repr(self.partition),
                needed="(m, 1, n), as a polynomial code does not cut the inner dimension",
                change="Pass 1 in the middle.",
            )
        threshold, r = self._certainty.threshold, self.pieces
        if threshold > self._shares:
            words, numbers = self._certainty.excess
            raise Unachievable(
                "workers",
                given=str(self.workers),
                needed=f"mn + {words} <= {'N' if r == 1 else 'rN'}, that is {self._dimension} + "
                f"{numbers} = {threshold} <= {self._shares}",
                change=f"Take {-(-threshold // r)} workers{self._lower}.",
            )
        if self._shares > self.domain.modulus:
            raise Unachievable(
                "domain",
                given=repr(self.domain),
                needed=f"a modulus of at least rN = {self._shares}",
                change="Take a larger prime; 2**31 - 1 is the default.",
            )

    @property
    def _lower(self) -> str:
        """What can be lowered instead of taking more workers."""
        (m, _, n), spare = self.partition, self._certainty.threshold - self._dimension
        sides = [("m", m, n), ("n", n, m)]
        names = [name for name, own, other in sides if own > 1 and other + spare <= self._shares]
        least = {"detects": self.adversaries}

        def fits(it: Polynomial) -> bool:
            return it._certainty.threshold <= it._shares

        return or_lower([*names, *enough(self, fits, "adversaries", "detects", **least)])

    @property
    def _dimension(self) -> int:
        """How many answers determine the product."""
        return self.partition[0] * self.partition[2]

    @property
    def _shares(self) -> int:
        return self.workers * self.pieces

    @property
    def _certainty(self) -> Certainty:
        """When values of the polynomial are the true ones."""
        return Certainty(
            dimension=self._dimension,
            adversaries=self.adversaries,
            detects=self.detects,
            pieces=self.pieces,
        )

    @property
    def problem(self) -> MatMul:
        """The product of factors so cut."""
        return MatMul(partition=self.partition)

    @property
    def guarantee(self) -> Guarantee:
        """Exact from any mn + rD + rA answers, or rA fewer where nobody lies."""
        certainty = self._certainty
        return Guarantee(
            workers=self.workers,
            threshold=certainty.threshold,
            least=certainty.least,
            stragglers=(self._shares - certainty.threshold) // self.pieces,
            adversaries=self.adversaries,
            colluders=0,
            exact=True,
            leakage=None,
            load=float(self.pieces),
            pieces=self.pieces,
        )

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:  # noqa: ARG002
        """Both factors at the points of the shares.

        Args:
            X: (A, B), array-likes (rows, inner) and (inner, columns) of residues in [0, p); B may
                be a vector (inner,) where n = 1.
            source: not used; there are no masks.

        Returns:
            Two parts: A~ (N r, rows / m, inner) and B~ (N r, inner, columns / n).

        Raises:
            InvalidArgument: if they are no two factors that can be multiplied.
        """
        a, b, grid = cut(self.domain, self.partition, X)
        left = self.domain.matmul(self.encoder(grid, 0).data, a[:, 0])
        right = self.domain.matmul(self.encoder(grid, 1).data, b[0])
        return Encoded(self, (left, right), grid)

    def work(self, function: Function, per_worker: tuple[bool, ...] = ()) -> AbstractWork:
        """The product of the two parts.

        Raises:
            InvalidArgument: if the function is not matmul, or there are further arguments.
        """
        if function not in _MULTIPLY or per_worker:
            raise InvalidArgument(
                "function",
                given=shown(function) + " and further arguments" * bool(per_worker),
                needed="numpy.matmul alone, as the workers multiply the two factors",
                change="Pass np.matmul, and the factors as X = (A, B).",
            )
        return Product()

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether there are mn of them beyond those that D workers gave."""
        return self._certainty.margin(set(indices_of("answered", answered))) >= 0

    def tally(self, layout: Grid) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return self._certainty.tally

    def encoder(self, layout: Grid, operand: int = 0) -> Encoder:  # noqa: ARG002
        """D of either factor: powers of the points of the shares."""
        m, _, n = self.partition
        powers = _powers(self)[:, :m] if operand == 0 else _powers(self)[:, : m * n : m]
        masks = np.zeros((self._shares, 0), dtype=np.int64)
        return Encoder(data=np.ascontiguousarray(powers), masks=masks)

    def recovery(self, layout: Grid, answered: tuple[int, ...]) -> AbstractRecovery:
        """The coefficients of the polynomial through these answers.

        Raises:
            NotEnoughAnswers: if they are not sufficient.
        """
        if not self.sufficient(answered):
            raise missing_answers(self, answered, self._certainty.needed)
        return _PolynomialRecovery(self, layout, answered)

    def over(self, field: PrimeField) -> Polynomial:
        """The same code over another prime field."""
        return replace(self, domain=field)


@lru_cache(maxsize=32)
def _powers(scheme: Polynomial) -> NDArray[np.int64]:
    """Powers 0 .. mn - 1 of the points 0, 1, ..: int64 ndarray (rN, mn)."""
    m, _, n = scheme.partition
    points = np.arange(scheme.workers * scheme.pieces, dtype=np.int64)
    return read_only(np.ascontiguousarray(vandermonde(scheme.domain, points, m * n).T))


@final
@dataclass(frozen=True)
class _PolynomialRecovery(AbstractRecovery):
    scheme: Polynomial
    grid: Grid
    shares: tuple[int, ...]

    @property
    def answered(self) -> tuple[int, ...]:
        return self.shares

    @cached_property
    def matrix(self) -> NDArray[Any]:
        """R, int64 ndarray (mn, len(answered)): block j, k of the product is row j + k m."""
        return self._matrix(range(self.scheme._dimension))  # noqa: SLF001 - its own scheme

    def _matrix(self, places: Collection[int]) -> NDArray[np.int64]:
        rows = _powers(self.scheme)[[self.shares[place] for place in places]]
        inverse = solve(self.scheme.domain, rows, np.eye(len(rows), dtype=np.int64))
        if inverse is None:
            raise ArithmeticError("Vandermonde's matrix of distinct points has an inverse")
        matrix = np.zeros((len(rows), len(self.shares)), dtype=np.int64)
        matrix[:, list(places)] = inverse
        return matrix

    def recover(self, values: NDArray[Any]) -> Recovered:
        scheme, field = self.scheme, self.scheme.domain
        array = rows_of(values, self.shares, field)
        certainty = scheme._certainty  # noqa: SLF001 - its own scheme
        code = EvaluationCode(field, np.array(self.shares), certainty.dimension)
        located = code.locate(array.reshape(len(array), -1), certainty.most(self.shares))
        liars, wrong = certainty.liars(self.shares, located), set(located.removed)
        places = [at for at in range(len(array)) if at not in wrong][: certainty.dimension]
        blocks = field.matmul(self._matrix(places) if wrong else self.matrix, array)
        return Recovered(
            value=self.grid.together(blocks),
            suspects=liars,
            known=np.ones(1, dtype=np.bool_),
        )


def _sized(problem: MatMul, threat: Threat, field: PrimeField) -> Polynomial:
    none_of(threat, "colluders")
    inner = problem.partition[1]
    if inner != 1:
        raise failing(f"p = 1, that is {inner} = 1: it does not cut the inner dimension")
    return Polynomial(
        problem.partition, threat.workers, domain=field, adversaries=threat.adversaries
    )


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        Polynomial(partition=(1, 1, 1), workers=1),
        Polynomial(partition=(2, 1, 2), workers=6),
        Polynomial(partition=(3, 1, 1), workers=6, domain=PrimeField(101), adversaries=1),
        Polynomial(partition=(2, 1, 3), workers=4, pieces=2),
        Polynomial(partition=(2, 1, 2), workers=6, domain=PrimeField(13), adversaries=1),
        Polynomial(partition=(3, 1, 2), workers=6, adversaries=1, pieces=2),
        Polynomial(partition=(2, 1, 2), workers=7, domain=PrimeField(101), detects=2),
    )


ROW = SchemeRow(
    name="Polynomial",
    scheme=Polynomial,
    solves=MatMul,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="Polynomial(partition=(m, 1, n), workers=N, adversaries=A, detects=D)",
        computes="the product of two matrices, cut in m rows and n columns of blocks",
        late="any mn + D answers are enough, and one more for each lie among them",
        wrong="A liars are named, D >= A are noticed",
        curious="no",
        value="exact, over a prime field",
    ),
)
