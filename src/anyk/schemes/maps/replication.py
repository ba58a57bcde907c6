"""`Replication`: every block computed by several workers; the baseline of everything else."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.checks import instance, settle
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.real import Reals
from anyk.errors import TooManyErrors, Unachievable, numbered
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.base import (
    AbstractRecovery,
    AbstractScheme,
    Encoded,
    Encoder,
    blocks_of,
    missing_answers,
    rows_of,
)
from anyk.schemes.row import SchemeRow, SchemeWords, none_of
from anyk.spec import Guarantee, Map, Threat

__all__ = ["ROW", "Replication"]

_TOLERANCE = 1e-9  # replicas of a real computation may differ by rounding on other hardware


@final
@dataclass(frozen=True)
class Replication(AbstractScheme):
    """Copies: worker n computes block n mod K; with workers == blocks, the uncoded baseline.

    Args:
        blocks: K, the number of blocks.
        workers: N >= K, the number of workers.
        adversaries: A, how many workers may answer wrongly.
        domain: what the data are, `Reals()` by default.

    Raises:
        InvalidArgument: if a number is out of range.
        Unachievable: if a block has fewer than 2A + 1 replicas: floor(N/K) < 2A + 1.

    Guarantee:
        With r = floor(N/K) replicas a block, any N - r + 2A + 1 answers give the value f(X_1),
        .., f(X_K) as the workers computed it, and the names of the liars if at most A lie; other
        sets of answers do if each block is in them 2A + 1 times. Over the reals, where A + 1
        replicas of a block are equal to within 1e-9 in every number but not to the bit, the value
        comes with that as its error estimate, and the block is not among those known. More liars
        raise `TooManyErrors`, unless A + 1 replicas of a block agree on one lie. A worker that
        fails counts as a straggler, whatever its motive. A worker sees its block: nothing is
        hidden.

    References:
        Yu et al. (AISTATS 2019), section 1: the repetition baseline, threshold N - floor(N/K) + 1.

    Example:
        >>> scheme = anyk.Replication(blocks=2, workers=6, adversaries=1)
        >>> encoded = scheme.encode(np.array([1.0, 2.0]))
        >>> recovered = encoded.decode(np.array([1.0, 4.0, 1.0, 4.0, 9.0, 4.0]), range(6))
        >>> recovered.value, recovered.suspects
        (array([1., 4.]), (4,))
    """

    blocks: int
    workers: int
    adversaries: int = 0
    domain: AbstractDomain = Reals()

    def __post_init__(self) -> None:
        settle(self, blocks=1, workers=1, adversaries=0)
        instance("domain", self.domain, AbstractDomain, change="Pass anyk.Reals() or a field.")
        replicas = self.workers // self.blocks
        needed = 2 * self.adversaries + 1
        if replicas < needed:
            raise Unachievable(
                "workers",
                given=str(self.workers),
                needed=(
                    "floor(N/K) >= 2A + 1, that is "
                    f"floor({self.workers}/{self.blocks}) = {replicas} >= {needed}"
                ),
                change=f"Take {needed * self.blocks} workers, or fewer adversaries.",
            )

    @property
    def problem(self) -> Map:
        """A map of any function over K blocks."""
        return Map(blocks=self.blocks)

    @property
    def guarantee(self) -> Guarantee:
        """The value from any N - floor(N/K) + 2A + 1 answers."""
        spare = self.workers // self.blocks - 2 * self.adversaries - 1
        return Guarantee(
            workers=self.workers,
            threshold=self.workers - spare,
            stragglers=spare,
            adversaries=self.adversaries,
            colluders=0,
            exact=True,
            leakage=None,
            load=1.0,
        )

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:  # noqa: ARG002
        """Share n is block n mod K.

        Args:
            X: array-like (K, *shape).
            source: not used; there are no masks.

        Returns:
            Shares (N, *shape).

        Raises:
            InvalidArgument: if X is not K blocks of the domain.
        """
        data = blocks_of(X, self.blocks, self.domain)
        return Encoded(self, (data[self._block(np.arange(self.workers))],), None)

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether each block was answered 2A + 1 times."""
        replicas = np.bincount(
            self._block(np.array([*set(answered)], dtype=int)), minlength=self.blocks
        )
        return bool(replicas.min() > 2 * self.adversaries)

    def again(self, layout: None, answered: Collection[int]) -> dict[int, frozenset[int]]:  # noqa: ARG002
        """One more share of each block for each replica that it lacks."""
        workers = np.arange(self.workers)
        held, heard = self._block(workers), np.isin(workers, [*answered])
        lacking = 2 * self.adversaries + 1 - np.bincount(held[heard], minlength=self.blocks)
        wanted: dict[int, frozenset[int]] = {}
        for block in np.flatnonzero(lacking > 0):
            copies = np.flatnonzero(held == block)
            silent = copies[~heard[copies]][: lacking[block]]
            wanted |= dict.fromkeys(silent.tolist(), frozenset(copies.tolist()))
        return wanted

    def encoder(self, layout: None, operand: int = 0) -> Encoder:  # noqa: ARG002
        """D: a one where worker n holds block k; there are no masks."""
        data = np.eye(self.blocks, dtype=self.domain.dtype)
        return Encoder(
            data=data[self._block(np.arange(self.workers))],
            masks=np.zeros((self.workers, 0), dtype=self.domain.dtype),
        )

    def recovery(self, layout: None, answered: tuple[int, ...]) -> AbstractRecovery:  # noqa: ARG002
        """The majority of each block's replicas.

        Raises:
            NotEnoughAnswers: if a block was answered fewer than 2A + 1 times.
        """
        if not self.sufficient(answered):
            replicas = numbered(2 * self.adversaries + 1, "replica")
            needed = f"{replicas} of each of {numbered(self.blocks, 'block')}"
            raise missing_answers(self, answered, needed)
        return _Majority(self, answered)

    def over(self, field: PrimeField) -> Replication:
        """The same copies, of residues of another prime field."""
        return replace(self, domain=field)

    def _block(self, workers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which block these workers hold."""
        return workers % self.blocks


@final
@dataclass(frozen=True)
class _Majority(AbstractRecovery):
    scheme: Replication
    workers: tuple[int, ...]

    @property
    def answered(self) -> tuple[int, ...]:
        return self.workers

    @property
    def matrix(self) -> NDArray[Any]:
        scheme = self.scheme
        held = scheme._block(np.array(self.workers))  # noqa: SLF001 - its own scheme
        matrix = np.zeros((scheme.blocks, len(self.workers)), dtype=scheme.domain.dtype)
        for block in range(scheme.blocks):
            matrix[block, np.flatnonzero(held == block)[0]] = 1
        return matrix

    def recover(self, values: NDArray[Any]) -> Recovered:
        scheme = self.scheme
        rows = rows_of(values, self.workers, scheme.domain)
        held = scheme._block(np.array(self.workers))  # noqa: SLF001 - its own scheme
        value = np.empty((scheme.blocks, *rows.shape[1:]), dtype=rows.dtype)
        suspects: list[int] = []
        known = np.ones(scheme.blocks, dtype=np.bool_)
        for block in range(scheme.blocks):
            replicas = np.flatnonzero(held == block)
            agreed = self._agreed(rows, replicas, np.array_equal)
            if not agreed and not scheme.domain.exact:
                agreed = self._agreed(rows, replicas, _near)
                known[block] = False
            if not agreed:
                raise TooManyErrors(answered=self.workers, adversaries=scheme.adversaries)
            value[block] = rows[agreed[0]]
            same = np.array_equal if scheme.domain.exact else _near
            suspects += [self.workers[i] for i in replicas if not same(rows[i], value[block])]
        if len(suspects) > scheme.adversaries:
            raise TooManyErrors(answered=self.workers, adversaries=scheme.adversaries)
        return Recovered(
            value=value,
            suspects=tuple(sorted(suspects)),
            error_estimate=None if known.all() else _TOLERANCE,
            known=known,
            block_errors=None if known.all() else _rounded(value, known),
        )

    def _agreed(
        self,
        rows: NDArray[Any],
        replicas: NDArray[np.intp],
        same: Callable[[NDArray[Any], NDArray[Any]], bool],
    ) -> list[int]:
        """The first A + 1 or more replicas that tell the same as one of them, if there are any."""
        for candidate in replicas:
            agreed = [int(i) for i in replicas if same(rows[i], rows[candidate])]
            if len(agreed) > self.scheme.adversaries:
                return agreed
        return []


def _rounded(value: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The errors of blocks whose replicas agree but for rounding, by the size of the value."""
    largest = float(np.abs(value).max()) or 1.0
    sizes = np.sqrt(np.mean(np.abs(value / largest).reshape(len(value), -1) ** 2, axis=1))
    whole = float(np.sqrt(np.mean(sizes**2)))
    errors: NDArray[np.float64] = np.where(known, 0.0, _TOLERANCE * sizes / (whole or 1.0))
    return errors


def _near(left: NDArray[Any], right: NDArray[Any]) -> bool:
    """Whether two replicas differ by no more than rounding, in every number."""
    return bool(
        np.all(np.abs(left - right) <= _TOLERANCE * np.minimum(np.abs(left), np.abs(right)))
    )


def _sized(problem: Map, threat: Threat, field: PrimeField) -> Replication:  # noqa: ARG001 - any domain
    none_of(threat, "colluders")
    return Replication(problem.blocks, threat.workers, adversaries=threat.adversaries)


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        Replication(blocks=3, workers=3),
        Replication(blocks=2, workers=7, adversaries=1),
        Replication(blocks=2, workers=4, domain=PrimeField()),
    )


ROW = SchemeRow(
    name="Replication",
    scheme=Replication,
    solves=Map,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="Replication(blocks=K, workers=N, adversaries=A)",
        computes="any function",
        late="one of floor(N/K) replicas a block",
        wrong="majority of 2A + 1 replicas",
        curious="no",
        value="as computed; the baseline",
    ),
)
