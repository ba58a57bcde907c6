"""`FoldedGram`: A @ A.T, from about half the answers of another product: each counts twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.exact.linear import row_reduce, solve
from anyk.domains.polynomials import vandermonde
from anyk.domains.prime import PrimeField
from anyk.schemes.base import AbstractScheme
from anyk.schemes.encoder import Encoder
from anyk.schemes.products.base import AbstractProduct
from anyk.schemes.products.code import ProductCode
from anyk.schemes.products.limits import Can
from anyk.schemes.row import SchemeRow, SchemeWords, failing, none_of
from anyk.spec import MatMul, Threat

__all__ = ["ROW", "FoldedGram"]


@final
@dataclass(frozen=True)
class FoldedGram(AbstractProduct):
    """A folded polynomial code: A @ A.T from any pm(m + 1)/2 answers, A cut in m x p blocks.

    Let F(x) be the sum of a_j(x^p) x^l A_jl over all blocks, with polynomials a_0 = 1 and
    a_j(w) = w^j + w^(j(j+3)/2). The share at the point x is A~ = F(x) and B~ = F(1/x).T, so that a
    worker returns Y(x) = F(x) @ F(1/x).T, whose transpose is Y(1/x): each answer counts twice.
    With k = m(m + 1)/2 Y has 2pk - 1 coefficients, between x^(1-pk) and x^(pk-1), so pk answers
    determine it. Its coefficients at powers of x^p are sums of blocks A_j A_i.T of the product
    alone, from which these follow: in the symmetric part of Y, block (j, i) with j <= i leads the
    power i(i+3)/2 - j of x^p, which no other does, and in the other part likewise.

    Liars are located in z = x + 1/x: the symmetric part of an answer, and the other one divided by
    x - 1/x, are polynomials of degree below pk in z.

    Args:
        partition: (m, p, m).
        workers: N.
        domain: the prime field of the entries, of an odd modulus.
        adversaries: A, how many workers may answer wrongly.
        colluders: 0: a share is a combination of blocks without a mask.
        pieces: r, how many shares a worker holds, each at a point of its own.
        verified: whether each answer is checked when it comes.
        detects: D, how many workers may answer wrongly without a wrong value; A where it is None.

    Raises:
        InvalidArgument: if a number is out of range, or the partition is not (m, p, m).
        Unachievable: if pm(m + 1)/2 + rD + rA > rN, or the field has fewer than 2rN + 3 elements.

    Guarantee:
        Any pm(m + 1)/2 + rD + e answers, of which e are lies of at most A workers, give the product
        exactly and the names of the liars. Up to D liars never bring about a wrong value. No
        privacy: a share is a combination of blocks without a mask.

    References:
        Xu, Zhang, Wang: Folded polynomial codes for coded distributed AA^T-type matrix
        multiplication (IEEE Trans. Communications 2023, arXiv 2211.15267), for the idea that
        answers count twice. Polynomials, points and threshold are this library's.

    Example:
        >>> scheme = anyk.FoldedGram(partition=(2, 1, 2), workers=5)
        >>> A = np.arange(12).reshape(3, 4)
        >>> with anyk.Inline(5) as executor:
        ...     outcome = anyk.run(scheme, np.matmul, A, executor)
        >>> bool((outcome.value == A @ A.T).all()), outcome.used
        (True, (0, 1, 2))
    """

    can: ClassVar = Can(cuts=(True, True, True), domains=(PrimeField,))
    gram: ClassVar = True

    def check_partition(self) -> None:
        """Refuse what is not (m, p, m).

        Raises:
            InvalidArgument: if it is something else.
        """
        MatMul(partition=self.partition, gram=True)

    @property
    def _half(self) -> int:
        """How many blocks of the product are on its diagonal or above: k."""
        m = self.partition[0]
        return m * (m + 1) // 2

    @property
    def enough(self) -> int:
        """Half as many as what workers return has coefficients, rounded up."""
        return self.partition[1] * self._half

    @property
    def letters(self) -> str:
        """The same as a formula."""
        return "pm(m + 1)/2"

    @property
    def beside(self) -> int:
        """Of the points x and 1/x one is taken, and none of 0, 1 and -1."""
        return self.workers * self.pieces + 3

    def build(self) -> ProductCode:
        """Powers of x and of 1/x."""
        field, (m, p, _) = self.field, self.partition
        points = _points(field, self.workers * self.pieces)
        inverses = field.inverse(points)
        powers = [_laurent(field, each, self.enough) for each in (points, inverses)]
        left, right = (self._factor(each) for each in (points, inverses))
        none = np.zeros((len(points), 0), dtype=np.int64)
        turned = right.reshape(-1, m, p).swapaxes(1, 2).reshape(len(points), -1)
        scale = field.inverse(field.reduce(points - inverses))
        return ProductCode(
            left=Encoder(data=left, masks=none),
            right=Encoder(data=np.ascontiguousarray(turned), masks=none),
            terms=np.stack(powers, axis=1).reshape(2 * len(points), -1),
            wanted=self._wanted(),
            points=field.reduce(points + inverses),
            fold=field.reduce(np.stack([1 + scale, 1 - scale], axis=1)),
        )

    def _factor(self, points: NDArray[np.int64]) -> NDArray[np.int64]:
        """a_j(x^p) x^l of these points, block (j, l) in column j p + l."""
        field, (m, p, _) = self.field, self.partition
        own = vandermonde(field, points, p)
        blocks = [
            field.reduce(sum(field.power(points, p * e) for e in _exponents(j)) * own)
            for j in range(m)
        ]
        return np.ascontiguousarray(np.concatenate(blocks).T)

    def _wanted(self) -> NDArray[np.int64]:
        """S: the blocks, from the coefficients at powers of x^p."""
        field, (m, p, _), half = self.field, self.partition, self._half
        made = np.zeros((2 * half - 1, m * m), dtype=np.int64)
        for j in range(m):
            for i in range(m):
                for own in _exponents(j):
                    for other in _exponents(i):
                        made[half - 1 + own - other, j + m * i] += 1
        made = field.reduce(made)
        places = list(row_reduce(field, np.ascontiguousarray(made.T))[1])
        inverse = solve(field, made[places], np.eye(m * m, dtype=np.int64))
        if inverse is None:  # an odd modulus: this can't be
            raise ArithmeticError("the blocks do not follow from the coefficients")
        wanted = np.zeros((m * m, 2 * self.enough - 1), dtype=np.int64)
        wanted[:, p - 1 + p * np.array(places)] = inverse
        return wanted


def _exponents(j: int) -> tuple[int, ...]:
    """The powers of w in a_j."""
    return (j, j * (j + 3) // 2) if j else (0,)


def _points(field: PrimeField, count: int) -> NDArray[np.int64]:
    """2, 3, .. but those whose inverse is there already."""
    points: list[int] = []
    inverses = {field.modulus - 1}
    x = 2
    while len(points) < count:
        if x not in inverses:
            points.append(x)
            inverses.add(pow(x, -1, field.modulus))
        x += 1
    return np.array(points, dtype=np.int64)


def _laurent(field: PrimeField, points: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Powers between 1 - size and size - 1, ndarray (shares, 2 size - 1)."""
    powers = vandermonde(field, points, 2 * size - 1)
    return np.ascontiguousarray(field.reduce(powers * field.power(points, 1 - size)).T)


def _sized(problem: MatMul, threat: Threat, field: PrimeField) -> AbstractScheme:
    none_of(threat, "colluders")
    if not problem.gram:
        raise failing("B = A.T, that is gram=True: it computes A @ A.T alone")
    return FoldedGram(
        problem.partition, threat.workers, domain=field, adversaries=threat.adversaries
    )


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        FoldedGram((1, 1, 1), 1),
        FoldedGram((1, 3, 1), 6, domain=PrimeField(101)),
        FoldedGram((2, 1, 2), 7, adversaries=1),
        FoldedGram((2, 2, 2), 8, domain=PrimeField(19)),
        FoldedGram((3, 1, 3), 8, detects=1),
        FoldedGram((2, 1, 2), 4, pieces=2, adversaries=1, domain=PrimeField(101)),
    )


ROW = SchemeRow(
    name="FoldedGram",
    scheme=FoldedGram,
    solves=MatMul,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="FoldedGram(partition=(m, p, m), workers=N, adversaries=A, detects=D)",
        computes="A @ A.T, A cut in m x p blocks",
        late="any pm(m + 1)/2 + D answers are enough, and one more for each lie among them",
        wrong="A liars are named, D >= A are noticed",
        curious="no",
        value="exact, over a prime field",
        when="A A^T over a field, from about half the answers",
    ),
)
