"""`ShortDot`: A @ x by workers who need a part of x each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import settle
from anyk.codes.analog.amplified import Amplified
from anyk.codes.exact.linear import solve
from anyk.domains.polynomials import vandermonde
from anyk.domains.prime import PrimeField
from anyk.domains.real import Reals
from anyk.errors import InvalidArgument, Unachievable
from anyk.schemes.base import AbstractScheme
from anyk.schemes.products.base import AbstractProduct
from anyk.schemes.products.code import ProductCode, unmasked
from anyk.schemes.products.limits import Can, check_cuts
from anyk.schemes.row import SchemeRow, SchemeWords, failing, none_of
from anyk.spec import MatMul, Threat

__all__ = ["ROW", "ShortDot"]

_REFINED: Final = 2  # times that a solution is corrected, in extended precision
_DRAWS: Final = 8  # of codes of a kind, of which the best is taken
_LARGEST: Final = 60  # shares of which codes are looked for


@final
@dataclass(frozen=True)
class ShortDot(AbstractProduct):
    """A short-dot code: A @ B from any K answers, each of a worker who needs a part of B alone.

    A is cut in m rows of blocks and, with P = rN shares, its columns in P classes. A share is a
    combination of the m rows of blocks and of K - m more, Z, that are made of them so that it is
    zero in K - m classes, and has the other P - K + m of them. A worker receives these rows of B:
    (P - K + m) / P of it. The fewer answers are waited for, the longer the rows; at K = m they are
    whole.

    Args:
        partition: (m, 1, 1).
        workers: N.
        domain: the arithmetic of the entries: a prime field or the reals.
        adversaries: A, how many workers may answer wrongly.
        colluders: 0: a share is a combination of blocks without a mask.
        pieces: r, how many shares a worker holds.
        verified: whether each answer is checked when it comes.
        detects: D, how many workers may answer wrongly without a wrong value; A where it is None.
        threshold: K, how many answers are enough if nobody lies, from m to rN.

    Raises:
        InvalidArgument: if a number is out of range, another dimension is cut, or K < m.
        Unachievable: if K + rD + rA > rN, or the field has no more than rN elements; over the reals
            also if rN > 60.

    Guarantee:
        Any K answers give the product: exactly over a field, and over the reals with an error
        estimate from the condition number. Any K + rD + e answers, of which e are lies of at most A
        workers, name the liars too, and up to D never bring about a wrong value; over the reals
        these are lies that are more than rounding, and the estimate covers smaller ones. No
        privacy.

    References:
        Dutta, Cadambe, Grover: "Short-Dot": computing large linear transforms distributedly using
        coded short dot products (IEEE TIT 2019), theorem 1.

    Example:
        >>> scheme = anyk.ShortDot(partition=(3, 1, 1), workers=8, threshold=5)
        >>> A, x = np.arange(240).reshape(6, 40), np.arange(40)
        >>> [part.shape for part in scheme.encode((A, x)).parts]  # 30 of the 40 entries of x
        [(8, 2, 30), (8, 30)]
        >>> with anyk.Inline(8) as executor:
        ...     outcome = anyk.run(scheme, np.matmul, (A, x), executor)
        >>> bool((outcome.value == A @ x).all()), outcome.used
        (True, (0, 1, 2, 3, 4))
    """

    _: KW_ONLY
    threshold: int

    can: ClassVar = Can(cuts=(True, False, False), domains=(PrimeField, Reals))

    @property
    def enough(self) -> int:
        """K."""
        return self.threshold

    @property
    def letters(self) -> str:
        """The same as a letter."""
        return "K"

    @property
    def beside(self) -> int:
        """The point 0, at which no share may be."""
        return 1

    @property
    def problem(self) -> MatMul:
        """The product, its inner dimension cut in as many classes as there are shares."""
        return MatMul(partition=(self.partition[0], self._shares_in_all, 1))

    @property
    def amplification(self) -> float:
        """By how much the worst of K answers amplify the errors of answers; 1 over a field.

        It is the largest root mean square of R's rows, with answers as large as their coefficients,
        of all sets of K answers, or of the worst that are found where these are more than 5,000.

        Example:
            >>> shape = {"partition": (3, 1, 1), "workers": 8, "threshold": 5}
            >>> 1 < anyk.ShortDot(**shape, domain=anyk.Reals()).amplification < 20
            True
        """
        if self.domain.exact:
            return 1.0
        return _drawn(self.partition[0], self.enough, self._shares_in_all)[2]

    def check_partition(self) -> None:
        """Refuse a threshold below m, and more shares over the reals than there are good codes for.

        Raises:
            InvalidArgument: if it is lower.
            Unachievable: if there are too many shares.
        """
        settle(self, threshold=1)
        m, shares = self.partition[0], self._shares_in_all
        if self.enough < m:
            raise InvalidArgument(
                "threshold",
                given=str(self.enough),
                needed=f"at least m = {m}, as {m} blocks of the product are unknown",
                change=f"Pass {m} or more.",
            )
        if not self.domain.exact and shares > _LARGEST:
            raise Unachievable(
                "workers",
                given=f"{shares} shares",
                needed=f"at most rN = {_LARGEST} over the reals, as no code was looked for beyond",
                change=f"Take {_LARGEST // self.pieces} workers or fewer, or one over a field.",
            )

    @property
    def _shares_in_all(self) -> int:
        return self.workers * self.pieces

    def build(self) -> ProductCode:
        """The classes side by side in A~, and below each other in B~."""
        m, shares, size = self.partition[0], self._shares_in_all, self.enough
        points: NDArray[np.int64] | None = None
        terms: NDArray[Any]
        short: NDArray[Any]
        if isinstance(self.domain, PrimeField):
            points = np.arange(1, shares + 1, dtype=np.int64)
            terms = np.ascontiguousarray(vandermonde(self.domain, points, size).T)
            short = _shortened_in(self.domain, terms, m)
        else:
            terms, short, _ = _drawn(m, size, shares)
        held = [np.flatnonzero(_holds(shares, size - m)[:, share]) for share in range(shares)]
        wide = shares - size + m
        left = np.zeros((shares * wide, m * shares), dtype=terms.dtype)
        right = np.zeros((shares * wide, shares), dtype=terms.dtype)
        for share, classes in enumerate(held):
            rows = share * wide + np.arange(wide)
            right[rows, classes] = 1
            for block in range(m):
                left[rows, block * shares + classes] = short[classes, share, block]
        return ProductCode(
            left=unmasked(left, (1, wide)),
            right=unmasked(right, (wide, 1)),
            terms=terms,
            wanted=np.eye(m, size, dtype=terms.dtype),
            points=points,
        )


def _holds(shares: int, zeros: int) -> NDArray[np.bool_]:
    """Which share has which class, ndarray (classes, shares): the next `zeros` ones lack it."""
    ahead = (np.arange(shares) - np.arange(shares)[:, None]) % shares
    return ahead >= zeros


def _shortened_in(field: PrimeField, terms: NDArray[np.int64], m: int) -> NDArray[np.int64]:
    """Coefficients of the m blocks in each share, ndarray (classes, shares, m)."""
    short = np.zeros((len(terms), len(terms), m), dtype=np.int64)
    for place, holds in enumerate(_holds(len(terms), terms.shape[1] - m)):
        without = terms[~holds]
        below = solve(field, without[:, m:], without[:, :m])
        if below is None:
            raise ArithmeticError("powers of distinct points other than 0 are dependent")
        more = field.matmul(terms[:, m:], below)
        short[place] = field.reduce(terms[:, :m] - more) * holds[:, None]
    return short


def _shortened(terms: NDArray[np.float64], m: int) -> NDArray[np.float64]:
    """The same over the reals."""
    short = np.zeros((len(terms), len(terms), m))
    for place, holds in enumerate(_holds(len(terms), terms.shape[1] - m)):
        without = terms[~holds]
        below = np.linalg.solve(without[:, m:], without[:, :m]).astype(np.longdouble)
        for _ in range(_REFINED):  # what is zero exactly must be so, however much cancels
            left = without[:, :m] - without[:, m:] @ below
            below += np.linalg.solve(without[:, m:], left.astype(np.float64))
        short[place] = (terms[:, :m] - terms[:, m:] @ below) * holds[:, None]
    return short


@lru_cache(maxsize=64)
def _drawn(
    m: int, size: int, shares: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """V, the coefficients of the blocks, and by how much the worst answers amplify errors."""
    codes = [(terms, _shortened(terms, m)) for terms in _candidates(size, shares)]
    amplified = []
    for terms, short in codes:
        sizes = np.sqrt(np.sum(short**2, axis=(0, 2)) / shares)
        sizes = np.maximum(sizes, np.finfo(np.float64).tiny)[:, None]
        amplified.append(Amplified(terms / sizes, np.eye(m, size)))
    best = min(range(len(codes)), key=lambda place: amplified[place].worst[0])
    return (*codes[best], amplified[best].worst[0])


def _candidates(size: int, shares: int) -> Iterator[NDArray[np.float64]]:
    """Trigonometric polynomials at points on a circle, in bases and orders that are drawn.

    Where many shares are to spare, a gap on the circle costs all digits: bases of random subspaces.
    """
    generator = np.random.default_rng(0)  # public: coefficients hide nothing
    angles = 2.0 * math.pi * np.arange(shares) / shares
    first = 0.5 * (1 - size % 2)
    turns = np.outer(angles, first + np.arange(size // 2 + size % 2))
    waves = np.concatenate([np.cos(turns), np.sin(turns)[:, size % 2 :]], axis=1)
    if size % 2:
        waves[:, 0] = math.sqrt(0.5)
    waves *= math.sqrt(2.0 / size)
    for _ in range(_DRAWS):
        basis = np.linalg.qr(generator.standard_normal((size, size)))[0]
        yield np.ascontiguousarray(waves[generator.permutation(shares)] @ basis)
    for _ in range(_DRAWS):
        yield np.linalg.qr(generator.standard_normal((shares, size)))[0]


def _sized(problem: MatMul, threat: Threat, field: PrimeField) -> ShortDot:
    none_of(threat, "colluders")
    check_cuts(ShortDot.can, problem)
    m = problem.partition[0]
    late, liars = threat.stragglers, threat.adversaries
    spare = threat.workers - late - 2 * liars
    if spare < m:
        raise failing(
            f"m <= N - S - 2A, that is {m} <= {threat.workers} - {late} - 2*{liars} = {spare}"
        )
    return ShortDot(
        problem.partition, threat.workers, domain=field, adversaries=liars, threshold=spare
    )


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        ShortDot(partition=(1, 1, 1), workers=1, threshold=1),
        ShortDot(partition=(2, 1, 1), workers=6, threshold=4),
        ShortDot(partition=(2, 1, 1), workers=6, domain=PrimeField(7), threshold=3, adversaries=1),
        ShortDot(partition=(3, 1, 1), workers=3, domain=PrimeField(101), threshold=5, pieces=2),
        ShortDot(partition=(2, 1, 1), workers=6, threshold=3, detects=2),
        ShortDot(partition=(3, 1, 1), workers=6, threshold=6),
        ShortDot(partition=(2, 1, 1), workers=6, domain=Reals(), threshold=4),
        ShortDot(partition=(2, 1, 1), workers=5, domain=Reals(), threshold=2),
        ShortDot(partition=(2, 1, 1), workers=6, domain=Reals(), threshold=3, adversaries=1),
        ShortDot(partition=(2, 1, 1), workers=5, threshold=3, adversaries=1, verified=True),
        ShortDot(partition=(3, 1, 1), workers=3, domain=Reals(), threshold=5, pieces=2),
    )


ROW = SchemeRow(
    name="ShortDot",
    scheme=ShortDot,
    solves=MatMul,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="ShortDot(partition=(m, 1, 1), workers=N, threshold=K, adversaries=A)",
        computes="the product of two matrices, the first cut in m rows of blocks; a worker "
        "receives (N - K + m)/N of the second",
        late="any K + D answers are enough, and one more for each lie among them",
        wrong="A liars are named, D >= A are noticed",
        curious="no",
        value="exact over a prime field; floating point, with an error estimate",
        when="x is what takes long to send: a worker receives (N - K + m)/N of it",
    ),
)
