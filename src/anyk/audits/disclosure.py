"""What colluders learn from shares put together: the worst coalition, by the matrices."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from anyk.audits.matrices import clearest, seen
from anyk.checks import count, flag, instance, positive, probability
from anyk.domains.prime import PrimeField
from anyk.domains.ring import ResidueRing
from anyk.errors import InvalidArgument
from anyk.leak import allowed, gaussian_epsilon, in_digits
from anyk.privacy.coalitions import most_bits_learned
from anyk.privacy.grid import Sampled, sampled
from anyk.privacy.information import symbols_learned
from anyk.schemes.encoded import Encoded
from anyk.spec import MatMul
from anyk.wording import numbered

__all__ = [
    "Disclosure",
    "leakage",
    "learned_by_worst",
    "worst_coalition",
]

_SETS = 20_000  # coalitions whose rank is computed


@final
@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """What the coalition of some size that learns most learns.

    Args:
        amount: no coalition of `colluders` workers learns more, a coordinate of the data.
        found: the most that a coalition was found to learn; equal to `amount` where all were tried.
        unit: "symbols" of the field, or "bits" for data of standard deviation `data_std`.
        colluders: T.
        coalition: that learns `found`.
        data_std: standard deviation of the data's coordinates; None for a field.
        separation: over the reals, by how many standard deviations of the noise the view of a
            coalition moves at most as one block moves by 1 (Euclidean); None for a field.
        numbers: how many a block has, over the reals; None for a field.
        sampled: what the sampling of noise and the grid of shares add; None where nothing is on a
            grid. `epsilon` counts it; to `amount` it adds `sampled.bits`, about 1e-12 bits.

    Example:
        >>> encoded = anyk.Lagrange(blocks=2, degree=2, workers=8, colluders=1).encode([1, 2])
        >>> print(anyk.worst_coalition(encoded, colluders=1))
        no worker learns anything
        >>> print(anyk.worst_coalition(encoded, colluders=2))
        2 workers learn at most 1 symbol a coordinate: 0, 1 do
    """

    amount: float
    found: float
    unit: Literal["bits", "symbols"]
    colluders: int
    coalition: tuple[int, ...]
    data_std: float | None = None
    separation: float | None = None
    numbers: int | None = None
    sampled: Sampled | None = None

    def epsilon(self, *, sensitivity: float, delta: float) -> float:
        """The epsilon of (epsilon, delta) differential privacy against any such coalition.

        Two sets of data are neighbours where they differ in one block, by `sensitivity` at most.

        Args:
            sensitivity: Euclidean distance of two values of one block, over all its numbers.
            delta: the probability with which the ratio may be exceeded, in (0, 1).

        Returns:
            epsilon, in nats, for one encoding of the data; infinite where noise is missing.

        Raises:
            InvalidArgument: if an argument is out of range, or the scheme is over a field, whose
                masks are uniform: there, 0 symbols is epsilon = 0.

        References:
            Dong, Roth and Su, Gaussian differential privacy, 2022, corollary 2.13.
        """
        positive("sensitivity", sensitivity, change="Pass the distance of two values of a block.")
        probability("delta", delta, change="Pass 1e-6, say.")
        if self.separation is None:
            raise InvalidArgument(
                "encoded",
                given="shares over a finite field",
                needed="shares with Gaussian noise",
                change="Over a field, what is hidden is hidden perfectly: ask for the symbols.",
            )
        if self.sampled is None:
            return gaussian_epsilon(self.separation * sensitivity, delta)
        return self.sampled.epsilon(self.separation, sensitivity=sensitivity, delta=delta)

    def __str__(self) -> str:
        """One line that a person reads."""
        some = "worker" if self.colluders == 1 else f"{self.colluders} workers"
        if not self.amount:
            return f"no {some} learn{'s' if self.colluders == 1 else ''} anything"
        learn = f"{'a worker learns' if self.colluders == 1 else some + ' learn'} at most"
        who = ", ".join(map(str, self.coalition))
        found = "do" if self.colluders > 1 else "does"
        if self.found != self.amount:
            found = f"learn{'' if self.colluders > 1 else 's'} {self.found:.3g}"
        unit = self.unit if self.amount != 1 else self.unit[:-1]
        return f"{learn} {self.amount:.3g} {unit} a coordinate: {who} {found}{self._of_a_block}"

    @property
    def _of_a_block(self) -> str:
        """What that is of a whole block, where there are several numbers in it."""
        if self.numbers is None or self.numbers == 1:
            return ""
        total = self.amount * self.numbers
        block = f"a block of {numbered(self.numbers, 'number')}"
        return f"; {in_digits(total)} bits of {block}, {allowed(total)}"


def leakage(
    encoded: Encoded,
    *,
    colluders: int,
    data_std: float | None = None,
    correlated: bool = False,
) -> float:
    """What no coalition of T workers learns more than, a coordinate of the data.

    It bounds whatever the coalition does with its shares, which T workers it is, and over the
    reals whatever distribution the data have, within `data_std` and `correlated`. Not covered, and
    to be added by the user: the same data encoded again (noise is fresh, so bits add up, at most);
    data of c times the deviation (at most min(K, T) log2(c) bits more; twice that of complex
    shares); a coalition that is told answers or values; and coordinates that depend on each other,
    which tell of each other: their bits add up to a bound for the whole block, and one coordinate
    may be known better than its share of it.

    Args:
        encoded: the shares; only the matrices behind them are looked at.
        colluders: T, how many workers put their shares together.
        data_std: standard deviation of each coordinate of each block, over the reals; that of the
            scheme's promise by default, or else 1.
        correlated: whether the blocks may depend on each other in any way; they are taken as
            independent otherwise.

    Returns:
        Field symbols (exact schemes), or bits: the mutual information of the coalition's shares
        and the data, for Gaussian data, which has the most to tell. Infinite where a combination
        of shares bears no noise.

    Raises:
        InvalidArgument: if an argument is out of range.

    References:
        Cover and Thomas, Elements of Information Theory, 2006, theorem 8.6.5.

    Example:
        >>> encoded = anyk.Lagrange(blocks=2, degree=2, workers=8, colluders=1).encode([1, 2])
        >>> [anyk.leakage(encoded, colluders=t) for t in (1, 2, 3)]
        [0.0, 1.0, 2.0]
    """
    return worst_coalition(
        encoded, colluders=colluders, data_std=data_std, correlated=correlated
    ).amount


def worst_coalition(
    encoded: Encoded,
    *,
    colluders: int,
    data_std: float | None = None,
    correlated: bool = False,
) -> Disclosure:
    """Who learns most, and how much: `leakage` with its evidence.

    Every coalition is tried where there are not too many (20,000 for ranks, 5,000,000 for bits);
    beyond that `amount` is a bound and `found` the best of a search.

    Args:
        encoded: the shares; only the matrices behind them are looked at.
        colluders: T, how many workers put their shares together.
        data_std: as for `leakage`.
        correlated: as for `leakage`.

    Returns:
        The bound, the find, and the coalition.

    Raises:
        InvalidArgument: if an argument is out of range.

    Example:
        >>> encoded = anyk.Replication(blocks=2, workers=3).encode([1.0, 2.0])
        >>> anyk.worst_coalition(encoded, colluders=1).amount
        inf
    """
    instance("encoded", encoded, Encoded, change="Pass what scheme.encode returned.")
    size, correlated = count("colluders", colluders, least=1), flag("correlated", correlated)
    promise = encoded.guarantee
    if size > promise.workers:
        raise InvalidArgument(
            "colluders",
            given=str(size),
            needed=f"at most workers = {promise.workers}",
            change="Lower it.",
        )
    problem = encoded.scheme.problem
    operands = range(problem.given if isinstance(problem, MatMul) else 1)
    each = [
        learned_by_worst(
            [encoded],
            *seen(encoded, operand),
            operand=operand,
            workers=promise.workers,
            size=size,
            data_std=data_std,
            correlated=correlated,
        )
        for operand in operands
    ]
    return max(each, key=lambda disclosure: disclosure.amount)


def learned_by_worst(
    made: Sequence[Encoded],
    data: NDArray[Any],
    masks: NDArray[Any],
    *,
    operand: int,
    workers: int,
    size: int,
    data_std: float | None,
    correlated: bool,
) -> Disclosure:
    """What the worst coalition learns by these matrices.

    Args:
        made: the encodings; the first one's domain and deviation count.
        data: D, of what workers see, the same number of rows for each worker, one after the other.
        masks: M.
        operand: which factor's, for a product.
        workers: N.
        size: of a coalition.
        data_std: as for `leakage`.
        correlated: as for `leakage`.
    """
    encoded = made[0]
    promise, domain = encoded.guarantee, encoded.scheme.domain
    numbers = math.prod(encoded.parts[0].shape[1:])
    if isinstance(domain, PrimeField):
        return _symbols([(domain, data, masks)], workers, size)
    if isinstance(domain, ResidueRing):
        parts = [
            (field, data[..., place], masks[..., place])
            for place, field in enumerate(domain.fields)
        ]
        return _symbols(parts, workers, size)
    deviation = positive(
        "data_std",
        (promise.data_std or 1.0) if data_std is None else data_std,
        change="Pass the standard deviation of the data.",
        squared=True,
    )
    variance = deviation**2 * (data.shape[1] if correlated else 1)
    each = len(data) // workers  # rows that one worker sees
    worst = most_bits_learned(data, masks, size, variance=variance, pieces=each)
    return Disclosure(
        amount=worst.bound,
        found=worst.found,
        unit="bits",
        colluders=size,
        coalition=worst.coalition,
        data_std=deviation,
        separation=clearest(data, masks, size, each)[0],
        numbers=numbers,
        sampled=added_by_grids(made, operand, size),
    )


def added_by_grids(made: Sequence[Encoded], operand: int, size: int) -> Sampled | None:
    """What the sampling of noise and the grids of encodings add, for so many workers' shares."""
    each = []
    for encoded in made:
        encoder = encoded.scheme.encoder(encoded.layout, operand) if operand else encoded.encoder
        if encoder.grid is not None:
            shares = size * (len(encoder.data) // encoded.guarantee.workers)
            numbers, blocks = max(part[0].size for part in encoded.parts), encoder.data.shape[1]
            each.append(
                sampled(encoder.grid, encoder.masks, blocks=blocks, shares=shares, numbers=numbers)
            )
    if not each:
        return None
    return Sampled(
        numbers=max(one.numbers for one in each),
        normals=sum(one.normals for one in each),
        terms=sum(one.terms for one in each),
        unit=max(one.unit for one in each),
    )


def _symbols(
    parts: list[tuple[PrimeField, NDArray[Any], NDArray[Any]]], workers: int, size: int
) -> Disclosure:
    """By ranks; of several primes, the one that tells most."""
    known, blocks = parts[0][1].shape
    of_each = np.arange(known).reshape(workers, -1)  # what one worker knows
    most = min(size * of_each.shape[1], blocks)
    everyone = itertools.combinations(range(workers), size)
    found, who = -1, tuple(range(size))
    for coalition in itertools.islice(everyone, _SETS):
        rows = of_each[list(coalition)].ravel()
        learned = max(
            symbols_learned(field, data[rows], masks[rows]) for field, data, masks in parts
        )
        if learned > found:
            found, who = learned, coalition
        if found == most:
            break
    tried_all = found == most or math.comb(workers, size) <= _SETS
    return Disclosure(
        amount=float(found if tried_all else most),
        found=float(found),
        unit="symbols",
        colluders=size,
        coalition=who,
    )
