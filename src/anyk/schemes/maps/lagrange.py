"""`Lagrange`: polynomial maps, exactly, with stragglers, liars and colluders at once."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.checks import indices_of, instance, settle
from anyk.codes.exact.reed_solomon import EvaluationCode
from anyk.domains.points import disjoint_points
from anyk.domains.polynomials import lagrange_matrix
from anyk.domains.prime import PrimeField
from anyk.errors import Unachievable
from anyk.kept import kept
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.randomness.masked import masked
from anyk.schemes.base import (
    AbstractRecovery,
    AbstractScheme,
    Encoder,
    missing_answers,
    read_only,
    residues_of_blocks,
    rows_of,
)
from anyk.schemes.certainty import Certainty
from anyk.schemes.encoded import Encoded
from anyk.schemes.row import SchemeRow, SchemeWords, degree_of
from anyk.schemes.smaller import enough, or_lower
from anyk.schemes.tally import AbstractTally
from anyk.spec import Guarantee, Map, Threat
from anyk.wording import numbered

__all__ = ["ROW", "Lagrange"]

_COPIED = 8  # products that take as long as the copy of a number


@final
@dataclass(frozen=True)
class Lagrange(AbstractScheme):
    """Lagrange coded computing: f(X_1), .., f(X_K) for a polynomial f, exactly.

    The polynomial u of degree K + T - 1 takes the blocks, then T uniform masks, at the points
    beta_1, .., beta_{K+T}; worker n receives u(alpha_n) and returns f(u(alpha_n)), a value of the
    polynomial f(u(z)) of degree (K+T-1)·d. Its values at beta_1, .., beta_K are the answer.

    Worker n may hold r ``pieces``, at r points of its own. For the same data, cut in r times as
    many blocks, each share is an r-th of the size; a worker answers one after the other, and the
    first answers of a slow worker count.

    Args:
        blocks: K, the number of blocks.
        degree: d, the total degree of f, in all arguments that are encoded. A function of higher
            degree is refused: `DegreeTooHigh`. One that `of_degree` wraps is not: answers beyond
            (K+T-1)d + 1 show it, of which a run waits for D and no more.
        workers: N, the number of workers.
        adversaries: A, how many workers may answer wrongly.
        colluders: T, how many workers may put their shares together and still learn nothing.
        field: the prime field of the data.
        pieces: r, how many shares a worker holds.
        detects: D, how many workers may answer wrongly without a wrong value; A where it is None.

    Raises:
        InvalidArgument: if a number is out of range, or D is below A.
        Unachievable: if (K+rT-1)d + rD + rA + 1 > rN, or the field has fewer than K + r(T + N)
            elements.

    Guarantee:
        With r pieces a worker, read rT for T, rA for A, rD for D and rN for N below: a worker that
        lies or looks has r answers or shares. If e of the answers are lies, of at most A workers,
        any (K+T-1)d + 1 + D + e answers give the exact value and the names of the liars. Nobody
        lies: (K+T-1)d + 1 + D are enough. With D = A, s late workers and a <= A liars are survived
        where s + A + a <= N - (K+T-1)d - 1, so S = N - (K+T-1)d - 2A - 1 late ones in any case.
        Any T shares together are uniform and independent of the data, whatever computing power the
        colluders have.
        A worker that fails (raises, dies, answers with NaN or another shape) counts as a
        straggler, whatever its motive. Up to D liars never bring about a wrong value: answers of
        which no reading is certain raise `TooManyErrors`, and a run waits for more of them first.
        D + 1 liars who collude can, and no decoder can know. Errors are looked for in random
        combinations of the answers, and overlooked with probability below 2**-80.

    References:
        Yu, Li, Raviv, Kalan, Soltanolkotabi, Avestimehr: Lagrange coded computing: optimal design
        for resiliency, security and privacy (AISTATS 2019), theorem 1 and section 4; Ben-Or,
        Canetti, Goldreich: Asynchronous secure computation (STOC 1993), for what is certain when.

    Example:
        >>> scheme = anyk.Lagrange(blocks=3, degree=2, workers=12, adversaries=1, colluders=1)
        >>> encoded = scheme.encode(np.array([[1, 2], [3, 4], [5, 6]]))
        >>> answers = encoded.shares ** 2 % scheme.field.modulus
        >>> encoded.decode(answers[:8], range(8)).value.tolist()
        [[1, 4], [9, 16], [25, 36]]
        >>> answers[4] = 0
        >>> recovered = encoded.decode(answers[:9], range(9))
        >>> recovered.value.tolist(), recovered.suspects
        ([[1, 4], [9, 16], [25, 36]], (4,))
    """

    blocks: int
    degree: int
    workers: int
    adversaries: int = 0
    colluders: int = 0
    field: PrimeField = PrimeField()
    pieces: int = 1
    detects: int | None = None

    def __post_init__(self) -> None:
        least = {"adversaries": 0, "colluders": 0, "pieces": 1, "detects": 0}
        settle(self, optional="detects", blocks=1, degree=1, workers=1, **least)
        instance("field", self.field, PrimeField, change="Pass anyk.PrimeField(2**31 - 1).")
        threshold, r = self._certainty.threshold, self.pieces
        short = math.ceil((threshold - self._shares) / r)
        if short > 0:
            words, numbers = self._certainty.excess
            raise Unachievable(
                "workers",
                given=str(self.workers),
                needed=(
                    f"(K+{'T' if r == 1 else 'rT'}-1)d + {words} + 1 <= {'N' if r == 1 else 'rN'}, "
                    f"that is ({self.blocks}+{self._masks}-1)*{self.degree} + {numbers} + 1 = "
                    f"{threshold} <= {self._shares}"
                ),
                change=f"Add {numbered(short, 'worker')}{self._lower}.",
            )
        _points(self)

    @property
    def _lower(self) -> str:
        """What can be lowered instead of adding workers."""
        names = "blocks", "degree", "adversaries", "detects", "colluders"
        least = {"detects": self.adversaries}

        def fits(it: Lagrange) -> bool:
            return it._certainty.threshold <= it._shares

        return or_lower(enough(self, fits, *names, **least))

    @property
    def _shares(self) -> int:
        """How many shares there are."""
        return self.workers * self.pieces

    @property
    def _masks(self) -> int:
        """How many masks there are: T workers hold rT shares."""
        return self.colluders * self.pieces

    @property
    def _dimension(self) -> int:
        """How many values determine f(u(z))."""
        return (self.blocks + self._masks - 1) * self.degree + 1

    @property
    def _certainty(self) -> Certainty:
        """When values of f(u(z)) are the true ones."""
        return Certainty(
            dimension=self._dimension,
            adversaries=self.adversaries,
            detects=self.detects,
            pieces=self.pieces,
        )

    @property
    def problem(self) -> Map:
        """A map of degree d over K blocks."""
        return Map(blocks=self.blocks, degree=self.degree)

    @property
    def domain(self) -> PrimeField:
        """The prime field."""
        return self.field

    @property
    def guarantee(self) -> Guarantee:
        """Exact from any (K+T-1)d + D + A + 1 answers, or A fewer where nobody lies."""
        certainty = self._certainty
        return Guarantee(
            workers=self.workers,
            threshold=certainty.threshold,
            least=certainty.least,
            stragglers=(self._shares - certainty.threshold) // self.pieces,
            adversaries=self.adversaries,
            colluders=self.colluders,
            exact=True,
            leakage=0.0 if self.colluders else None,
            load=float(self.pieces),
            pieces=self.pieces,
        )

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """The shares: values of the polynomial through blocks and fresh masks.

        Args:
            X: array-like (K, *shape) of residues in [0, p).
            source: where masks come from; the operating system's CSPRNG by default.

        Returns:
            Shares (N * pieces, *shape), at rest; `shares` of them are int64.

        Raises:
            InvalidArgument: if X is not K blocks of residues.
        """
        data = residues_of_blocks(X, self.blocks, self.field)
        return Encoded(self, (masked(self.field, _generator(self), data, source),), None)

    @property
    def columns(self) -> tuple[int]:
        """Those of the blocks: each number of a share is made of its like in them."""
        return (1,)

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether there are (K+T-1)d + 1 of them beyond those that D workers gave."""
        return self._certainty.margin(set(indices_of("answered", answered))) >= 0

    def tally(self, layout: None) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return self._certainty.tally

    def encoder(self, layout: None, operand: int = 0) -> Encoder:  # noqa: ARG002
        """D and M: the columns of Lagrange's basis that belong to blocks, and to masks."""
        matrix = _generator(self)
        return Encoder(data=matrix[:, : self.blocks], masks=matrix[:, self.blocks :])

    def recovery(self, layout: None, answered: tuple[int, ...]) -> AbstractRecovery:  # noqa: ARG002
        """Interpolation at the workers' points, after the liars are located.

        Raises:
            NotEnoughAnswers: if they are not sufficient.
        """
        if not self.sufficient(answered):
            raise missing_answers(self, answered, self._certainty.needed)
        return _LagrangeRecovery(self, answered)

    def over(self, field: PrimeField) -> Lagrange:
        """The same code over another prime field."""
        return replace(self, field=field)


@lru_cache(maxsize=32)
def _points(scheme: Lagrange) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The points beta (K + rT,) and alpha (rN,)."""
    nodes = scheme.blocks + scheme.colluders * scheme.pieces
    return disjoint_points(scheme.field, nodes, scheme.workers * scheme.pieces)


@kept
def _generator(scheme: Lagrange) -> NDArray[np.int64]:
    """[D | M], int64 ndarray (rN, K + rT)."""
    return read_only(lagrange_matrix(scheme.field, *_points(scheme)))


@kept
def _weights(scheme: Lagrange, answered: tuple[int, ...]) -> NDArray[np.int64]:
    """R, int64 ndarray (K, m), from the m shares named."""
    nodes, shares = _points(scheme)
    chosen = shares[list(answered)]
    return read_only(lagrange_matrix(scheme.field, chosen, nodes[: scheme.blocks]))


@final
@dataclass(frozen=True)
class _LagrangeRecovery(AbstractRecovery):
    scheme: Lagrange
    shares: tuple[int, ...]

    @property
    def answered(self) -> tuple[int, ...]:
        return self.shares

    @property
    def matrix(self) -> NDArray[Any]:
        return self._spread(range(self._certainty.dimension), len(self.shares))

    def _spread(self, positions: Sequence[int], rows: int) -> NDArray[np.int64]:
        """R for the first so many answers, of which those at these positions count."""
        used = tuple(map(self.shares.__getitem__, positions))
        weights = _weights(self.scheme, used)
        if len(positions) == rows:
            return weights
        matrix = np.zeros((self.scheme.blocks, rows), dtype=np.int64)
        matrix[:, list(positions)] = weights
        return matrix

    def _used(
        self, positions: Sequence[int], array: NDArray[Any]
    ) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """R and what it is multiplied with; answers are copied where zeros in R take longer."""
        last = positions[-1] + 1
        passed = last - len(positions)
        if passed * self.scheme.blocks <= _COPIED * len(positions):
            return self._spread(positions, last), array[:last]
        return self._spread(positions, len(positions)), array[list(positions)]

    @cached_property
    def _code(self) -> EvaluationCode:
        """Of the answers on these shares."""
        points = _points(self.scheme)[1][list(self.shares)]
        return EvaluationCode(self.scheme.field, points, self._certainty.dimension)

    @cached_property
    def _certainty(self) -> Certainty:
        return self.scheme._certainty  # noqa: SLF001 - its own scheme

    @cached_property
    def _most(self) -> int:
        """How many lies are looked for."""
        return self._certainty.most(self.shares)

    def recover(self, values: NDArray[Any]) -> Recovered:
        scheme, certainty = self.scheme, self._certainty
        array = rows_of(values, self.shares, scheme.field)
        located = self._code.locate(array.reshape(len(array), -1), self._most)
        liars = certainty.liars(self.shares, located)
        positions: Sequence[int] = range(certainty.dimension)
        if located.removed:
            wrong = set(located.removed)
            positions = [at for at in range(len(array)) if at not in wrong][: len(positions)]
        value = scheme.field.matmul(*self._used(positions, array))
        known = np.ones(scheme.blocks, dtype=np.bool_)
        return Recovered(value=value, suspects=liars, known=known)


def _sized(problem: Map, threat: Threat, field: PrimeField) -> Lagrange:
    return Lagrange(
        blocks=problem.blocks,
        degree=degree_of(problem),
        workers=threat.workers,
        adversaries=threat.adversaries,
        colluders=threat.colluders,
        field=field,
    )


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        Lagrange(blocks=1, degree=1, workers=1),
        Lagrange(blocks=2, degree=3, workers=10, adversaries=1, colluders=1),
        Lagrange(blocks=3, degree=1, workers=8, colluders=2, field=PrimeField(13)),
        Lagrange(blocks=3, degree=2, workers=5, pieces=2),
        Lagrange(blocks=3, degree=2, workers=9, adversaries=1, colluders=1, pieces=2),
        Lagrange(blocks=2, degree=2, workers=6, detects=2),
        Lagrange(blocks=2, degree=1, workers=8, adversaries=1, detects=3, pieces=2),
    )


ROW = SchemeRow(
    name="Lagrange",
    scheme=Lagrange,
    solves=Map,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="Lagrange(blocks=K, degree=d, workers=N, adversaries=A, colluders=T, detects=D)",
        computes="polynomials of degree d",
        late="any (K+T-1)d + D + 1 answers are enough, and one more for each lie among them",
        wrong="A liars are named, D >= A are noticed; D is A if left out",
        curious="T workers learn nothing",
        value="exact, over a prime field",
    ),
)
