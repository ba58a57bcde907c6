"""`Sparse`: A @ x of a sparse A, by a code whose shares are of as few blocks as can be."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.analog.amplified import Amplified
from anyk.domains.prime import PrimeField
from anyk.domains.real import Reals
from anyk.errors import Unachievable
from anyk.schemes.base import AbstractScheme
from anyk.schemes.products.base import AbstractProduct
from anyk.schemes.products.code import ProductCode, given_to_all, unmasked
from anyk.schemes.products.limits import Can, check_cuts
from anyk.schemes.row import SchemeRow, SchemeWords, none_of
from anyk.spec import MatMul, Threat

__all__ = ["ROW", "Sparse"]

_DRAWS: Final = 16  # of coefficients, of which the best are taken
_FEW: Final = 4  # of them where there are many shares
_MANY: Final = 50
_LEAST: Final = 0.6  # of coefficients, the largest being 1
_LARGEST: Final = 200  # shares of which coefficients are looked for
_GOLDEN: Final = (math.sqrt(5.0) - 1.0) / 2.0


@final
@dataclass(frozen=True)
class Sparse(AbstractProduct):
    """An s-diagonal code: A @ B from any m answers, a share being of at most s + 1 blocks.

    A is cut in m rows of blocks, and s = rN - m shares are to spare. Row i of the code combines the
    blocks A_(i-s), .., A_i, those of them that there are: s + 1 at most, and m(s + 1)/(rN) in the
    mean, than which no code has fewer. Shares of a sparse A (any of scipy.sparse) stay sparse, and
    a worker multiplies its entries alone; every worker has B whole. A may be dense too.

    Over a field the coefficients of row i are u_i C(s, i - j), with u_i = i! (rN - 1 - i)!: values
    at the points 0, 1, .. of polynomials that are 0 at all points but s + 1. Over the reals
    they are C(s, i - j), or numbers between 0.6 and 1, the best of 16 draws (4, if rN > 50) by a
    fixed, public seed: those by which the worst answers amplify rounding least.

    Args:
        partition: (m, 1, 1).
        workers: N.
        domain: the arithmetic of the entries: a prime field or the reals.
        adversaries: A, how many workers may answer wrongly.
        colluders: 0: a share is a combination of blocks without a mask.
        pieces: r, how many shares a worker holds.
        verified: whether each answer is checked when it comes.
        detects: D, how many workers may answer wrongly without a wrong value; A where it is None.

    Raises:
        InvalidArgument: if a number is out of range, or another dimension is cut.
        Unachievable: if m + rD + rA > rN, or the field has fewer than rN elements; over the reals
            also if rN > 200.

    Guarantee:
        Any m answers give the product: exactly over a field, and over the reals with an error
        estimate from the condition number. Any m + rD + e answers, of which e are lies of at most A
        workers, name the liars too, and up to D never bring about a wrong value; over the reals
        these are lies that are more than rounding, and the estimate covers smaller ones. No
        privacy.

    References:
        Wang, Liu, Shroff, Yang: Fundamental limits of coded linear transform (2018, arXiv
        1804.09791), theorems 1 and 3, for the number of blocks and the diagonals.

    Example:
        >>> import scipy.sparse
        >>> scheme = anyk.Sparse(partition=(4, 1, 1), workers=6, domain=anyk.Reals())
        >>> A = scipy.sparse.eye_array(8, format="csr") * 2.0
        >>> with anyk.Inline(6) as executor, anyk.distribute(scheme, A, executor) as held:
        ...     [held.matmul(np.full(8, number)).value[0].round(9) for number in (1.0, 5.0)]
        [np.float64(2.0), np.float64(10.0)]
        >>> [part.shape for part in held.encoded.parts]  # entries, columns, where rows begin
        [(6, 6), (6, 6), (6, 3)]
    """

    can: ClassVar = Can(
        cuts=(True, False, False), domains=(PrimeField, Reals), sparse=True, single=False
    )

    @property
    def enough(self) -> int:
        """One for each block of A."""
        return self.partition[0]

    @property
    def letters(self) -> str:
        """The same as a letter."""
        return "m"

    @property
    def amplification(self) -> float:
        """By how much the worst of m answers amplify the errors of answers; 1 over a field.

        It is the largest root mean square of R's rows, with answers as large as their coefficients,
        of all sets of m answers, or of the worst that are found where these are more than 5,000.

        Example:
            >>> scheme = anyk.Sparse(partition=(17, 1, 1), workers=20, domain=anyk.Reals())
            >>> 100 < scheme.amplification < 600
            True
        """
        return 1.0 if self.domain.exact else _drawn(self.enough, self._shares_in_all)[1]

    def check_partition(self) -> None:
        """Refuse more shares over the reals than there are good coefficients for.

        Raises:
            Unachievable: if there are.
        """
        shares = self._shares_in_all
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
        """Diagonals, in an order in which the shares of neighbours are far apart."""
        m, shares = self.enough, self._shares_in_all
        points: NDArray[np.int64] | None = None
        data: NDArray[Any]
        if isinstance(self.domain, PrimeField):
            points = _order(shares)
            data = _of_polynomials(self.domain, m, shares)[points]
        else:
            data = _drawn(m, shares)[0]
        return ProductCode(
            left=unmasked(data),
            right=given_to_all(shares, self.domain),
            terms=data,
            wanted=np.eye(m, dtype=self.domain.dtype),
            points=points,
        )


def _order(shares: int) -> NDArray[np.int64]:
    """Which row of the code each share is: runs of missing rows are the worst, so none is a run."""
    step = next(
        step
        for step in range(max(1, round(shares * _GOLDEN)), shares + 2)
        if math.gcd(step, shares) == 1
    )
    return np.arange(shares, dtype=np.int64) * step % shares


def _diagonals(weights: NDArray[Any]) -> NDArray[Any]:
    """The code whose column j has these numbers from row j on, ndarray (m + s, m).

    Args:
        weights: ndarray (m, s + 1).
    """
    m, wide = weights.shape
    code = np.zeros((m + wide - 1, m), dtype=weights.dtype)
    columns = np.repeat(np.arange(m), wide)
    code[columns + np.tile(np.arange(wide), m), columns] = weights.ravel()
    return code


def _of_polynomials(field: PrimeField, m: int, shares: int) -> NDArray[np.int64]:
    """Row i has u_i C(s, i - j) in column j."""
    spare = shares - m
    numbers = [math.comb(spare, place) % field.modulus for place in range(spare + 1)]
    factorials = [1]
    for number in range(1, shares):
        factorials.append(factorials[-1] * number % field.modulus)
    ends = np.array(factorials, dtype=np.int64)
    code = _diagonals(np.tile(np.array(numbers, dtype=np.int64), (m, 1)))
    return field.reduce(code * field.reduce(ends * ends[::-1])[:, None])


@lru_cache(maxsize=64)
def _drawn(m: int, shares: int) -> tuple[NDArray[np.float64], float]:
    """The code by which the worst answers amplify errors least, and by how much."""
    codes = list(_candidates(m, shares))
    amplified = [Amplified(code, np.eye(m)) for code in codes]
    best = min(range(len(codes)), key=lambda place: amplified[place].worst[0])
    return codes[best], amplified[best].worst[0]


def _candidates(m: int, shares: int) -> Iterator[NDArray[np.float64]]:
    """Codes with rows of length 1."""
    spare = shares - m
    generator = np.random.default_rng(0)  # public: coefficients hide nothing
    row = np.array([float(math.comb(spare, place)) for place in range(spare + 1)])
    for draw in range((_DRAWS if shares <= _MANY else _FEW) + 1):
        weights = generator.uniform(_LEAST, 1.0, (m, spare + 1)) if draw else np.tile(row, (m, 1))
        code = _diagonals(weights)[_order(shares)]
        yield np.ascontiguousarray(code / np.linalg.norm(code, axis=1, keepdims=True))


def _sized(problem: MatMul, threat: Threat, field: PrimeField) -> Sparse:
    none_of(threat, "colluders")
    check_cuts(Sparse.can, problem)
    return Sparse(problem.partition, threat.workers, domain=field, adversaries=threat.adversaries)


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        Sparse(partition=(1, 1, 1), workers=1),
        Sparse(partition=(3, 1, 1), workers=6, domain=PrimeField(101), adversaries=1),
        Sparse(partition=(5, 1, 1), workers=4, domain=PrimeField(11), pieces=2),
        Sparse(partition=(4, 1, 1), workers=6, detects=2),
        Sparse(partition=(4, 1, 1), workers=6, domain=Reals()),
        Sparse(partition=(5, 1, 1), workers=4, domain=Reals(), pieces=2),
        Sparse(partition=(2, 1, 1), workers=9, domain=Reals()),
        Sparse(partition=(3, 1, 1), workers=6, domain=Reals(), adversaries=1),
        Sparse(partition=(3, 1, 1), workers=5, domain=Reals(), adversaries=1, verified=True),
    )


ROW = SchemeRow(
    name="Sparse",
    scheme=Sparse,
    solves=MatMul,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="Sparse(partition=(m, 1, 1), workers=N, adversaries=A, pieces=r)",
        computes="the product of a sparse matrix, cut in m rows of blocks, and a dense one",
        late="any m + D answers are enough, and one more for each lie among them",
        wrong="A liars are named, D >= A are noticed",
        curious="no",
        value="exact over a prime field; floating point, with an error estimate",
        when="A is sparse and stays on the workers: their shares, and their work, are sparse too",
    ),
)
