"""`CyclicRepetition`: the sum of any function, by a cyclic gradient code."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.checks import indices_of, settle
from anyk.codes.exact.gradient import cyclic_code, cyclic_support, decoding_row
from anyk.codes.exact.linear import solve
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.real import Complex, Reals
from anyk.domains.tensors import Torch, domain_for
from anyk.domains.values import Values, added, together
from anyk.errors import InvalidArgument, TooManyErrors, Unachievable
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.base import (
    AbstractRecovery,
    AbstractScheme,
    Encoded,
    Encoder,
    blocks_of,
    copies_of,
    missing_answers,
)
from anyk.schemes.precision import as_doubles, copies_domain, narrowed, over
from anyk.schemes.row import SchemeRow, SchemeWords, failing, none_of
from anyk.schemes.smaller import enough, or_lower
from anyk.schemes.tally import AbstractTally, CountTally
from anyk.spec import Guarantee, Sum, Threat
from anyk.work import AbstractWork, Function
from anyk.works.combined import Combined, CombinedInKind

__all__ = ["ROW", "CyclicRepetition"]

_AS_GIVEN = Values(finite=True)
_ROUNDINGS = 8.0
_SLACK = 1.001  # for rounding in the matrices
_SETS = 1 << 12  # of liars that an error estimate allows for


@final
@dataclass(frozen=True)
class CyclicRepetition(AbstractScheme):
    """A cyclic gradient code: f(X_1) + .. + f(X_N) for any f, from any N - S of N workers.

    There are as many blocks as workers. Worker n holds S + 1 blocks, n, n + 1, .., n + S around the
    circle, computes f of each and answers one combination of them, with the coefficients B_n of its
    row of B. Any N - S rows of B combine to the row of ones, and so the answers to the sum. With D,
    read S + D for S: any N - S - D rows do, and D answers are left to check the others.

    Args:
        workers: N, and the number of blocks K.
        stragglers: S, how many answers may be missing; each costs every worker one block more.
        domain: what the data are: finite numbers of any type, as they come, by default, or tensors.
            `Reals()`, `Complex()` or a prime field for that type, whatever comes.
        detects: D, how many workers may answer wrongly and are noticed, though not named; each
            costs every worker one block more too. None for none.

    Raises:
        InvalidArgument: if a number is out of range, or the domain is another.
        Unachievable: if S + D >= N, or the field has fewer than N elements.

    Guarantee:
        Any N - S answers give the sum; over a field exactly. Elsewhere up to rounding, which the
        decoder amplifies, and the error estimate says by how much; it grows steeply with S + D. The
        sum has the type of f's results where these are floats or complex numbers. Of whole numbers
        it is a float, as coefficients are; with S + D = 0 it is exact, in 64 bits.
        Where more than N - S - D answered, the others check them: a contradiction raises
        `TooManyErrors` over a field, and counts in the estimate over the reals, which covers what
        any D of them can do together, where there are no more than 4096 such sets. Up to D liars
        never bring about a wrong sum over a field. Nobody is named. No privacy: a worker holds
        blocks in the clear.

    References:
        Tandon, Lei, Dimakis, Karampatziakis: Gradient coding: avoiding stragglers in distributed
        learning (ICML 2017), algorithm 1 and theorem 3.

    Example:
        >>> scheme = anyk.CyclicRepetition(workers=5, stragglers=2)
        >>> X = np.arange(10.0).reshape(5, 2)
        >>> with anyk.Inline(5) as executor:
        ...     outcome = anyk.run(scheme, np.exp, X, executor)
        >>> bool(np.allclose(outcome.value, np.exp(X).sum(axis=0))), outcome.missing
        (True, (3, 4))
    """

    workers: int
    stragglers: int
    domain: AbstractDomain = _AS_GIVEN
    detects: int | None = None

    def __post_init__(self) -> None:
        settle(self, optional="detects", workers=1, stragglers=0, detects=0)
        if not isinstance(self.domain, PrimeField):
            object.__setattr__(self, "domain", copies_domain(self.domain))
        if self._spare >= self.workers:
            noticed = self.detects is not None
            raise Unachievable(
                "stragglers",
                given=str(self.stragglers),
                needed=f"S{' + D' if noticed else ''} < N, that is {self.stragglers}"
                f"{f' + {self.detects}' if noticed else ''} < {self.workers}",
                change=f"Take {self._spare + 1} workers"
                f"{or_lower(enough(self, CyclicRepetition._fits, 'stragglers', 'detects'))}.",
            )
        if isinstance(self.domain, PrimeField) and self.domain.modulus < self.workers:
            raise Unachievable(
                "domain",
                given=repr(self.domain),
                needed=f"a modulus of at least N = {self.workers}",
                change="Take a larger prime; 2**31 - 1 is the default.",
            )

    def _fits(self) -> bool:
        """Whether the answers that are needed are fewer than there are workers."""
        return self._spare < self.workers

    @property
    def _spare(self) -> int:
        """S + D: how many answers are not needed to tell the sum."""
        return self.stragglers + (self.detects or 0)

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
            load=self._spare + 1.0,
        )

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:  # noqa: ARG002
        """The blocks of each worker, and its coefficients.

        Args:
            X: array-like (N, *shape).
            source: not used; there are no masks.

        Returns:
            Two parts: blocks (N, S + D + 1, *shape) and coefficients (N, S + D + 1).

        Raises:
            InvalidArgument: if X is not N blocks of the domain.
        """
        domain = domain_for(self.domain, X)
        held = cyclic_support(self.workers, self._spare)
        blocks = blocks_of(X, self.workers, domain)[held]
        weights = np.take_along_axis(self._code, held, axis=1)
        return Encoded(over(self, domain), (blocks, weights), None)

    def work(self, function: Function, per_worker: tuple[bool, ...] = ()) -> AbstractWork:
        """The combination of what the function makes of a worker's blocks.

        Raises:
            InvalidArgument: if another argument is a share: blocks are combined after f.
        """
        if any(per_worker):
            raise InvalidArgument(
                "arguments",
                given="shares, for a gradient code",
                needed="arguments that all workers receive alike",
                change="Pass the values themselves, or put them into X.",
            )
        return CombinedInKind(function) if self._in_kind else Combined(function)

    @property
    def _in_kind(self) -> bool:
        """Whether sums are of the type of what the function returns."""
        of = self.domain.of if isinstance(self.domain, Torch) else self.domain
        return isinstance(of, Values)

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether there are N - S of them."""
        return len(set(indices_of("answered", answered))) >= self.workers - self.stragglers

    def tally(self, layout: None) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return CountTally(self.workers - self.stragglers)

    def encoder(self, layout: None, operand: int = 0) -> Encoder:  # noqa: ARG002
        """B, which combines what the function makes of the blocks."""
        masks = np.zeros((self.workers, 0), dtype=self._code.dtype)
        return Encoder(data=self._code, masks=masks, of_outputs=True)

    def recovery(self, layout: None, answered: tuple[int, ...]) -> AbstractRecovery:  # noqa: ARG002
        """The combination of these answers that is the sum.

        Raises:
            NotEnoughAnswers: if there are fewer than N - S.
        """
        if not self.sufficient(answered):
            needed = f"{self.workers - self.stragglers} answers"
            raise missing_answers(self, answered, needed)
        return _CyclicRecovery(self, answered)

    def over(self, field: PrimeField) -> CyclicRepetition:
        """The same code over a prime field."""
        return replace(self, domain=field)

    @property
    def _code(self) -> NDArray[Any]:
        return cyclic_code(self._wide, self.workers, self._spare)

    @property
    def _wide(self) -> AbstractDomain:
        """Where coefficients are computed: in double precision, or the field."""
        if isinstance(self.domain, PrimeField):
            return self.domain
        return Complex() if self.domain.dtype.kind == "c" else Reals()


@final
@dataclass(frozen=True)
class _CyclicRecovery(AbstractRecovery):
    scheme: CyclicRepetition
    workers: tuple[int, ...]

    @property
    def answered(self) -> tuple[int, ...]:
        return self.workers

    @cached_property
    def matrix(self) -> NDArray[Any]:
        domain, rows = self.scheme._wide, self._rows  # noqa: SLF001 - its own scheme
        row = np.zeros(len(rows), dtype=domain.dtype)
        used = self._enough if domain.exact else len(rows)
        row[:used] = decoding_row(domain, rows[:used])
        return row[None]

    def recover(self, values: NDArray[Any]) -> Recovered:
        domain = self.scheme.domain
        rows = copies_of(values, self.workers, domain)
        array = rows if isinstance(rows, np.ndarray) else together(rows, "values")
        if domain.exact:
            return self._exactly(domain, array)
        if array.dtype.kind not in "fc" and not self.scheme._spare:  # noqa: SLF001 - its own scheme
            value, error, kind = added(array, "values"), 0.0, None
        else:
            kind = array.dtype if array.dtype.kind in "fc" else np.dtype(np.float64)
            array = as_doubles(array)
            flat = array.reshape(len(array), -1)
            with np.errstate(over="ignore", invalid="ignore"):  # it has no error to tell then
                value = np.tensordot(self.matrix, array, axes=1)[0]
            finite = bool(np.isfinite(value).all())
            unit = float(np.finfo(kind).eps)
            error = self._error(flat, self._missed(flat), value, unit) if finite else math.inf
        recovered = Recovered(
            value=value,
            error_estimate=error,
            known=np.full(1, error == 0.0),
            block_errors=np.array([error]),
        )
        return recovered if kind is None else narrowed(recovered, kind)

    def _exactly(self, domain: AbstractDomain, array: NDArray[Any]) -> Recovered:
        """The sum over a field, if the spare answers say the same."""
        if self._missed(array.reshape(len(array), -1)).any():
            noticed = self.scheme.detects
            raise TooManyErrors(answered=self.workers, adversaries=0, detects=noticed)
        value = domain.matmul(self.matrix, array)[0]
        return Recovered(value=value, known=np.ones(1, dtype=np.bool_))

    def _error(
        self, flat: NDArray[Any], missed: NDArray[Any], value: NDArray[Any], unit: float
    ) -> float:
        """Rounding, as the decoder amplifies it, or what the spare answers contradict by.

        Args:
            flat: the answers, ndarray (n, L).
            missed: by how much the spare ones contradict the others.
            value: the sum.
            unit: of rounding, in the type of the answers.
        """
        largest = float(np.max(np.abs(flat), initial=0.0)) or 1.0
        flat, missed, value = flat / largest, missed / largest, value / largest  # squares fit
        size = float(np.linalg.norm(value))
        rounding = (
            _ROUNDINGS
            * unit
            * self.scheme.guarantee.load
            * float(np.linalg.norm(np.abs(self.matrix[0]) @ np.abs(flat)))
        )
        amplified = float(np.linalg.norm(self.matrix)) / math.sqrt(max(len(missed), 1))
        hidden = _SLACK * self._exposed
        error = max(rounding, max(amplified, hidden) * float(np.linalg.norm(missed)))
        return error / size if size else (math.inf if error else 0.0)

    @cached_property
    def _exposed(self) -> float:
        """How far D liars move the sum at most, as a share of what the others contradict them by.

        Lies e of workers J move the sum by a_J e and are contradicted by P_J e. Where these are
        very many sets J, as many of them are tried as there is time for.
        """
        detects, rows = self.scheme.detects or 0, self._rows
        spare = min(detects, len(rows) - self._enough)
        if not spare:
            return 0.0
        missed = self._missed(np.eye(len(rows), dtype=rows.dtype))
        sets = list(itertools.islice(itertools.combinations(range(len(rows)), spare), _SETS))
        inverses = np.linalg.pinv(np.moveaxis(missed[:, sets], 0, 1))
        moved = (self.matrix[0][np.array(sets)][:, None, :] @ inverses)[:, 0]
        return float(np.linalg.norm(moved, axis=1).max())

    def _missed(self, flat: NDArray[Any]) -> NDArray[Any]:
        """By how much the answers beyond the first N - S - D differ from what these say of them."""
        domain, enough, rows = self.scheme.domain, self._enough, self._rows
        if len(rows) == enough:
            return flat[:0]
        first, spare = rows[:enough], rows[enough:]
        if isinstance(domain, PrimeField):
            predict = solve(domain, first.T, spare.T)
            if predict is None:
                raise ArithmeticError("any N - S rows of a gradient code span all of them")
            return domain.reduce(flat[enough:] - domain.matmul(predict.T.copy(), flat[:enough]))
        predicted = np.linalg.lstsq(first.T, spare.T, rcond=None)[0].T @ flat[:enough]
        return np.asarray(flat[enough:] - predicted)

    @property
    def _enough(self) -> int:
        return self.scheme.workers - self.scheme._spare  # noqa: SLF001 - its own scheme

    @property
    def _rows(self) -> NDArray[Any]:
        return self.scheme._code[list(self.workers)]  # noqa: SLF001 - its own scheme


def _sized(problem: Sum, threat: Threat, field: PrimeField) -> CyclicRepetition:  # noqa: ARG001 - over the reals
    none_of(threat, "adversaries", "colluders")
    blocks = problem.blocks
    if blocks > threat.workers:
        raise failing(f"K <= N, that is {blocks} <= {threat.workers}")
    if threat.stragglers >= blocks:
        raise failing(f"S < K, that is {threat.stragglers} < {blocks}")
    return CyclicRepetition(workers=blocks, stragglers=threat.stragglers)


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        CyclicRepetition(workers=1, stragglers=0),
        CyclicRepetition(workers=5, stragglers=2),
        CyclicRepetition(workers=6, stragglers=3, domain=PrimeField()),
        CyclicRepetition(workers=6, stragglers=3, domain=PrimeField(13)),
        CyclicRepetition(workers=4, stragglers=1, domain=Complex()),
        CyclicRepetition(workers=6, stragglers=1, domain=PrimeField(101), detects=2),
    )


ROW = SchemeRow(
    name="CyclicRepetition",
    scheme=CyclicRepetition,
    solves=Sum,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="CyclicRepetition(workers=N, stragglers=S, detects=D)",
        computes="sums of any function, over as many blocks as workers",
        late="any N - S answers are enough; a worker computes S + D + 1 blocks",
        wrong="D liars are noticed, not named",
        curious="no",
        value="exact over a prime field; over the reals with an error estimate",
    ),
)
