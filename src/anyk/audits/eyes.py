"""How a coalition looks at one block: through Gaussian noise, or through masks of a field."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from anyk.audits.disclosure import Disclosure
from anyk.audits.matrices import clearest, seen
from anyk.audits.readable import reading
from anyk.audits.view import View, spread_over, view_of
from anyk.domains.prime import PrimeField
from anyk.schemes.encoded import Encoded

__all__ = ["AbstractEye", "Sight", "field_eye", "noisy_eye", "residues_of"]

Floats: TypeAlias = NDArray[np.float64]

_CERTAIN = 1e3  # log likelihood of one residue that is another
_SPARE = 64  # samples beyond the unknowns: a relation is no chance but with probability p^-64


@final
@dataclass(frozen=True, kw_only=True)
class Sight:
    """What is looked at, and how much of it can be seen.

    Args:
        rows: the shares that the coalition holds.
        block: the one it looks at.
        bits: of it that these shares tell at most.
        explained: of its variance, by the best linear guess.
    """

    rows: list[int]
    block: int
    bits: float
    explained: float


class AbstractEye(ABC):
    """A coalition that looks at one block of many encodings."""

    @property
    @abstractmethod
    def sight(self) -> Sight:
        """What it looks at, and how much it can see."""

    @abstractmethod
    def judge(self, shares: NDArray[Any], drawn: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """How likely each record is, and how far off a guess of its numbers is.

        Args:
            shares: the coalition's, of b encodings, ndarray (n, b, Z).
            drawn: which record each block is, to judge the guess by, ndarray (K, b).

        Returns:
            The log likelihood of each record, ndarray (b, m), and the squared error of the guess,
            by the variance of the records, ndarray (b,), less what it errs more for the records
            that were drawn than for all: that leaves its mean as it is.
        """


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _NoisyEye(AbstractEye):
    """Blocks under Gaussian noise."""

    aim: Sight
    view: View
    scores: Floats  # of the records, along the axes of the view

    @property
    def sight(self) -> Sight:
        return self.aim

    def judge(self, shares: NDArray[Any], drawn: NDArray[np.intp]) -> tuple[Floats, Floats]:
        found = self.view.seen(shares)
        sharp = np.sqrt(self.view.precisions)
        here, there = found * sharp, self.scores * sharp
        likely = here @ there.T - 0.5 * np.sum(there**2, axis=1)
        target, all_of_it = drawn[self.aim.block], np.sum(self.view.spread.variances)
        if not all_of_it:
            return likely, np.ones(len(target))
        wrong = np.sum((self.view.guess(found) - self.scores[target]) ** 2, axis=1)
        return likely, (wrong - self.view.off(self.scores[drawn])) / all_of_it


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _FieldEye(AbstractEye):
    """Blocks under uniform masks: read wholly where a combination of shares is one, or not."""

    aim: Sight
    field: PrimeField
    records: NDArray[np.int64]
    held: list[int] | None  # of the coalition's shares, those that show it
    combination: NDArray[np.int64]

    @property
    def sight(self) -> Sight:
        return self.aim

    def judge(self, shares: NDArray[Any], drawn: NDArray[np.intp]) -> tuple[Floats, Floats]:
        target = drawn[self.aim.block]
        if self.held is None:
            return np.zeros((len(target), len(self.records))), np.ones(len(target))
        flat = shares[self.held].reshape(len(self.held), -1)
        read = self.field.matmul(self.combination[None], flat).reshape(shares.shape[1:])
        wrong = np.array([np.sum(self.records != each, axis=1) for each in read], dtype=float)
        missed = (read != self.records[target]).any(axis=1)
        return -_CERTAIN * wrong, missed.astype(np.float64)


def noisy_eye(encoded: Encoded, records: NDArray[Any], colluders: int) -> AbstractEye:
    """The coalition that sees a block best, and its view of it.

    Args:
        encoded: by a scheme over the reals or the complex numbers.
        records: ndarray (m, Z).
        colluders: T.
    """
    data, masks = seen(encoded)
    _, who, _ = clearest(data, masks, colluders, encoded.guarantee.pieces)
    rows, floats = encoded.held_by(who), records.astype(np.float64)
    spread, D, M = spread_over(floats), data[rows], masks[rows]
    held = np.flatnonzero(D.any(axis=0)).tolist() or [0]
    views = {block: view_of(D, M, block, spread) for block in held}
    block, view = max(views.items(), key=lambda pair: pair[1].explained())
    aim = Sight(rows=rows, block=block, bits=view.bits(), explained=view.explained())
    return _NoisyEye(aim=aim, view=view, scores=(floats - spread.mean) @ spread.axes)


def field_eye(
    encoded: Encoded,
    records: NDArray[Any],
    worst: Disclosure,
    generator: np.random.Generator,
) -> AbstractEye:
    """The worst coalition, and the block that it reads in random data, if there is one.

    Args:
        encoded: by a scheme over a field, or over several.
        records: ndarray (m, Z), what the scheme encodes.
        worst: who learns most, by the matrices.
        generator: of the random data.
    """
    scheme, domain = encoded.scheme, encoded.scheme.domain
    field: Any = domain if isinstance(domain, PrimeField) else domain.fields[0]  # type: ignore[attr-defined] # a ring's
    blocks, rows = encoded.encoder.data.shape[1], encoded.held_by(worst.coalition)

    def whole(values: Any) -> NDArray[np.int64]:
        integers = scheme.formats[0].integers(values) if scheme.formats else values
        return np.asarray(integers % field.modulus, dtype=np.int64)

    sample: Any = generator.integers(0, 2, (blocks, blocks + len(rows) + _SPARE))
    sample = sample * (scheme.formats[0].magnitude if scheme.formats else 1)
    shares = residues_of(scheme.encode_argument(sample, layout=encoded.layout), rows)
    found = reading(field, whole(sample), shares)
    block, held, combination = found or (0, None, np.zeros(0, dtype=np.int64))
    learned = bool(worst.amount)
    return _FieldEye(
        aim=Sight(
            rows=rows,
            block=block,
            bits=math.inf if learned else 0.0,
            explained=float(learned),
        ),
        field=field,
        records=whole(records),
        held=held,
        combination=combination,
    )


def residues_of(encoded: Encoded, rows: list[int]) -> NDArray[Any]:
    """Shares, as they are, or modulo the first of several primes.

    Args:
        encoded: the shares of all.
        rows: which of them.
    """
    domain = encoded.scheme.domain
    several = domain.exact and not isinstance(domain, PrimeField)
    (part,) = encoded.parts
    shares: NDArray[Any] = domain.from_rest(part[rows])
    return shares[..., 0] if several else shares
