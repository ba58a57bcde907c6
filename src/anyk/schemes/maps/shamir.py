"""`Shamir`: each block shared on its own; the baseline of everything that is exact and private."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.checks import MOST, count, indices_of, instance, settle
from anyk.codes.exact.reed_solomon import EvaluationCode
from anyk.codes.locators.located import Located
from anyk.domains.points import disjoint_points
from anyk.domains.polynomials import lagrange_matrix, vandermonde
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
from anyk.schemes.tally import AbstractTally, BlockTally
from anyk.spec import Guarantee, Map, Threat
from anyk.wording import numbered

__all__ = ["ROW", "Shamir"]


@final
@dataclass(frozen=True, kw_only=True)
class Shamir(AbstractScheme):
    """Shamir's secret sharing of each block on its own, as in BGW: f(X_1), .., f(X_K), exactly.

    Block k is the value at 0 of a polynomial u_k of degree T whose other coefficients are uniform
    masks. Its workers, k, k + K, k + 2K and so on, receive u_k(1), u_k(2), .. and return
    f(u_k(alpha)), values of a polynomial of degree d·T, whose value at 0 is f(X_k).

    Args:
        blocks: K, the number of blocks.
        degree: d, the total degree of f, in all arguments that are encoded. A function of higher
            degree is refused: `DegreeTooHigh`. One that `of_degree` wraps is not: more than dT + 1
            answers for a block show it, of which a run waits for D and no more.
        workers: N, the number of workers; by default the K(dT + D + A + 1) that are needed.
        adversaries: A, how many workers may answer wrongly.
        colluders: T, how many workers may put their shares together and still learn nothing.
        field: the prime field of the data.
        detects: D, how many workers may answer wrongly without a wrong value; A where it is None.

    Raises:
        InvalidArgument: if a number is out of range, or D is below A.
        Unachievable: if dT + D + A + 1 > floor(N/K), or the field has at most ceil(N/K) elements.

    Guarantee:
        Answers give the exact value, and the names of at most A liars, if dT + 1 + D + e of each
        block are among them, where e of these lie. With r = floor(N/K) workers a block, any
        N - r + dT + D + A + 1 answers do, and any N - r + dT + D + 1 where nobody lies. Any T
        shares together are uniform and independent of the data, whatever computing power the
        colluders have. Up to D liars never bring about a wrong value: answers of which no reading
        is certain raise `TooManyErrors`, and a run waits for more of them first. D + 1 liars of one
        block who collude can, and no decoder can know.

    References:
        Shamir: How to share a secret (CACM 1979); Ben-Or, Goldwasser, Wigderson: Completeness
        theorems for non-cryptographic fault-tolerant distributed computation (STOC 1988),
        section 3; Yu, Avestimehr: Harmonic coding (ISIT 2019), section III, for the comparison.

    Example:
        >>> scheme = anyk.Shamir(blocks=2, degree=2)
        >>> scheme.workers
        6
        >>> encoded = scheme.encode(np.array([[1, 2], [3, 4]]))
        >>> answers = encoded.shares ** 2 % scheme.field.modulus
        >>> encoded.decode(answers, range(6)).value.tolist()
        [[1, 4], [9, 16]]
    """

    blocks: int
    degree: int
    workers: int | None = None
    adversaries: int = 0
    colluders: int = 1
    field: PrimeField = PrimeField()
    detects: int | None = None

    def __post_init__(self) -> None:
        settle(self, optional="detects", blocks=1, degree=1, adversaries=0, colluders=1, detects=0)
        instance("field", self.field, PrimeField, change="Pass anyk.PrimeField(2**31 - 1).")
        quorum = self._certainty.threshold
        needed = self.blocks * quorum
        given = needed if self.workers is None else self.workers
        workers = count("workers", given, least=1, most=MOST)
        object.__setattr__(self, "workers", workers)
        if workers < needed:
            words, numbers = self._certainty.excess
            raise Unachievable(
                "workers",
                given=str(workers),
                needed=(
                    f"dT + {words} + 1 <= floor(N/K), that is {self.degree}*{self.colluders} + "
                    f"{numbers} + 1 = {quorum} <= floor({workers}/{self.blocks}) = "
                    f"{workers // self.blocks}"
                ),
                change=f"Take {numbered(needed, 'worker')}{self._lower}.",
            )
        most = len(range(0, workers, self.blocks))
        if most >= self.field.modulus:
            raise Unachievable(
                "field",
                given=repr(self.field),
                needed=f"a modulus above ceil(N/K) = {most}",
                change="Take a larger prime; 2**31 - 1 is the default.",
            )

    @property
    def _lower(self) -> str:
        """What can be lowered instead of taking more workers."""
        names = "blocks", "degree", "adversaries", "detects", "colluders"
        least = {"detects": self.adversaries, "colluders": 1}

        def fits(it: Shamir) -> bool:
            return it.blocks * it._certainty.threshold <= len(it._everyone)

        return or_lower(enough(self, fits, *names, **least))

    @property
    def _certainty(self) -> Certainty:
        """When values of the polynomial of one block are the true ones."""
        return Certainty(
            dimension=self.degree * self.colluders + 1,
            adversaries=self.adversaries,
            detects=self.detects,
        )

    @property
    def _everyone(self) -> range:
        """All workers."""
        return range(self.workers or 0)

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
        """Exact from any N - floor(N/K) + dT + D + A + 1 answers, or A fewer if nobody lies."""
        workers, certainty = len(self._everyone), self._certainty
        spare = workers // self.blocks - certainty.threshold
        return Guarantee(
            workers=workers,
            threshold=workers - spare,
            least=workers - workers // self.blocks + certainty.least,
            stragglers=spare,
            adversaries=self.adversaries,
            colluders=self.colluders,
            exact=True,
            leakage=0.0,
            load=1.0,
        )

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """One share a worker, of one block: values of a polynomial with fresh coefficients.

        Args:
            X: array-like (K, *shape) of residues in [0, p).
            source: where masks come from; the operating system's CSPRNG by default.

        Returns:
            Shares (N, *shape), at rest; `shares` of them are int64.

        Raises:
            InvalidArgument: if X is not K blocks of residues.
        """
        data = residues_of_blocks(X, self.blocks, self.field)
        workers = len(self._everyone)
        shares = np.empty((workers, *data.shape[1:]), self.field.rest)
        if not workers % self.blocks:  # as many of each block
            every = shares.reshape(-1, *data.shape)
            masked(self.field, _powers(self), data[None], source, out=every)
            return Encoded(self, (shares,), None)
        for block in range(self.blocks):
            group, own = shares[block :: self.blocks], data[block : block + 1]
            masked(self.field, _powers(self)[: len(group)], own, source, out=group)
        return Encoded(self, (shares,), None)

    @property
    def columns(self) -> tuple[int]:
        """Those of the blocks: each number of a share is made of its like in them."""
        return (1,)

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether dT + D + 1 of each block are there."""
        held = np.array([*set(indices_of("answered", answered))], dtype=int) % self.blocks
        return bool(np.bincount(held, minlength=self.blocks).min() >= self._certainty.least)

    def tally(self, layout: None) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return BlockTally(self.blocks, self._certainty.least)

    def encoder(self, layout: None, operand: int = 0) -> Encoder:  # noqa: ARG002
        """D has a one where worker n holds block k; M has T columns for each block."""
        data = np.zeros((len(self._everyone), self.blocks), dtype=np.int64)
        masks = np.zeros((len(self._everyone), self.blocks, self.colluders), dtype=np.int64)
        for block in range(self.blocks):
            data[block :: self.blocks, block] = 1
            group = masks[block :: self.blocks, block]
            group[:] = _powers(self)[: len(group), 1:]
        return Encoder(data=data, masks=masks.reshape(len(data), -1))

    def recovery(self, layout: None, answered: tuple[int, ...]) -> AbstractRecovery:  # noqa: ARG002
        """Interpolation at 0 for each block, after the liars are located.

        Raises:
            NotEnoughAnswers: if there are fewer than dT + D + 1 of a block.
        """
        if not self.sufficient(answered):
            needed = f"for each of {self.blocks} blocks {self._certainty.needed}"
            raise missing_answers(self, answered, needed)
        return _ShamirRecovery(self, answered)

    def over(self, field: PrimeField) -> Shamir:
        """The same code over another prime field."""
        return replace(self, field=field)


@kept
def _powers(scheme: Shamir) -> NDArray[np.int64]:
    """Powers of the workers' points 1, 2, ..: int64 ndarray (ceil(N/K), T + 1)."""
    most = len(scheme._everyone[:: scheme.blocks])  # noqa: SLF001 - its own scheme
    _, points = disjoint_points(scheme.field, 1, most)
    powers = vandermonde(scheme.field, points, scheme.colluders + 1)
    return read_only(np.ascontiguousarray(powers.T))


@kept
def _weights(field: PrimeField, points: tuple[int, ...]) -> NDArray[np.int64]:
    """What takes values at these points to the value at 0: int64 ndarray (1, len(points))."""
    return read_only(lagrange_matrix(field, np.array(points), np.zeros(1, dtype=np.int64)))


@final
@dataclass(frozen=True)
class _ShamirRecovery(AbstractRecovery):
    scheme: Shamir
    workers: tuple[int, ...]

    @property
    def answered(self) -> tuple[int, ...]:
        return self.workers

    @property
    def matrix(self) -> NDArray[Any]:
        scheme, dimension = self.scheme, self.scheme._certainty.dimension  # noqa: SLF001 - its own
        matrix = np.zeros((scheme.blocks, len(self.workers)), dtype=np.int64)
        for block, places in enumerate(self._groups()):
            used = places[:dimension]
            matrix[block, used] = _weights(scheme.field, tuple(self._points(used)))[0]
        return matrix

    def _groups(self) -> list[NDArray[np.int64]]:
        """Where the answers of each block are."""
        held = np.array(self.workers) % self.scheme.blocks
        order = np.argsort(held, kind="stable")
        return np.split(order, np.cumsum(np.bincount(held, minlength=self.scheme.blocks))[:-1])

    def _points(self, places: NDArray[np.int64]) -> list[int]:
        """The points of the workers at these places."""
        return [self.workers[place] // self.scheme.blocks + 1 for place in places]

    @cached_property
    def _codes(self) -> list[tuple[NDArray[np.int64], EvaluationCode]]:
        """Where the answers of each block are, and of which code they are a word."""
        field, dimension = self.scheme.field, self.scheme._certainty.dimension  # noqa: SLF001 - its own
        codes: dict[tuple[int, ...], EvaluationCode] = {}
        found = []
        for places in self._groups():
            points = tuple(self._points(places))
            if points not in codes:
                codes[points] = EvaluationCode(field, np.array(points), dimension)
            found.append((places, codes[points]))
        return found

    def recover(self, values: NDArray[Any]) -> Recovered:
        field, rows = self.scheme.field, rows_of(values, self.workers, self.scheme.field)
        located = self._located(rows)
        value = np.empty((len(located), *rows.shape[1:]), dtype=np.int64)
        suspects: list[int] = []
        alike: dict[tuple[int, ...], list[int]] = {}  # blocks by the points that count
        counted = []
        for block, (places, wrong) in enumerate(located):
            suspects += [self.workers[place] for place in places[wrong]]
            counted.append(np.delete(places, wrong)[: self.scheme._certainty.dimension])  # noqa: SLF001 - its own
            alike.setdefault(tuple(self._points(counted[-1])), []).append(block)
        for points, blocks in alike.items():
            words = rows[np.stack([counted[block] for block in blocks], axis=1)]
            value[blocks] = field.matmul(_weights(field, points), words)[0]
        known = np.ones(len(value), dtype=np.bool_)
        return Recovered(value=value, suspects=tuple(sorted(suspects)), known=known)

    def _right(self, rows: NDArray[np.int64]) -> set[EvaluationCode]:
        """The codes of which all blocks' answers are words: blocks are looked at together."""
        alike: dict[EvaluationCode, list[NDArray[np.int64]]] = {}
        for places, code in self._codes:
            alike.setdefault(code, []).append(places)
        right = set()
        for code, several in alike.items():
            words = rows[np.stack(several, axis=1)]
            if len(several) > 1 and code.locate(words.reshape(len(words), -1), 0) == Located():
                right.add(code)
        return right

    def _located(self, rows: NDArray[np.int64]) -> list[tuple[NDArray[np.int64], list[int]]]:
        """Where the answers of each block are, and which of these are wrong.

        Raises:
            TooManyErrors: if a block is not certain, or more than A workers lie in all of them.
        """
        certainty = self.scheme._certainty  # noqa: SLF001 - its own scheme
        found: list[tuple[NDArray[np.int64], list[int]]] = []
        doubtful: list[int] = []  # how many more answers each of these blocks takes
        right = self._right(rows)
        for places, code in self._codes:
            if code in right:
                found.append((places, []))
                continue
            group = rows[places]
            located = code.locate(group.reshape(len(group), -1), certainty.most(range(len(group))))
            found.append((places, list(located.removed)))
            if located.exceeded:
                doubtful.append(certainty.more(range(len(group))))
        liars = sum(len(wrong) for _, wrong in found)
        if doubtful or liars > certainty.adversaries:
            settled = liars > certainty.adversaries or not all(doubtful)
            raise certainty.contradiction(self.workers, more=0 if settled else sum(doubtful))
        return found


def _sized(problem: Map, threat: Threat, field: PrimeField) -> Shamir:
    return Shamir(
        blocks=problem.blocks,
        degree=degree_of(problem),
        workers=threat.workers,
        adversaries=threat.adversaries,
        colluders=max(threat.colluders, 1),
        field=field,
    )


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        Shamir(blocks=2, degree=2),
        Shamir(blocks=2, degree=1, workers=11, adversaries=1, colluders=2),
        Shamir(blocks=2, degree=1, workers=9, detects=2),
    )


ROW = SchemeRow(
    name="Shamir",
    scheme=Shamir,
    solves=Map,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="Shamir(blocks=K, degree=d, workers=N, adversaries=A, colluders=T, detects=D)",
        computes="polynomials of degree d",
        late="any dT + D + 1 answers of each block are enough, and one more for each lie in them",
        wrong="A liars are named, D >= A are noticed",
        curious="T workers learn nothing",
        value="exact, over a prime field; a baseline",
    ),
)
