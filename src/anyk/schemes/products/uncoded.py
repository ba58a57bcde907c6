"""`Uncoded`: blocks of factors as they are, one product a worker, or several copies of each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.real import Complex, Reals
from anyk.errors import InvalidArgument, TooManyErrors, Unachievable
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.base import AbstractRecovery, AbstractScheme, Encoder
from anyk.schemes.encoded import Encoded, require_left
from anyk.schemes.maps.replication import Replication
from anyk.schemes.products.grid import Grid, cut_left, cut_right, factors_of
from anyk.schemes.products.multiply import product_work
from anyk.schemes.recovery import rows_of
from anyk.schemes.row import SchemeRow, SchemeWords, none_of
from anyk.schemes.tally import AbstractTally, Replicas
from anyk.spec import Guarantee, MatMul, Threat
from anyk.work import AbstractWork, Function

__all__ = ["ROW", "Uncoded"]


@final
@dataclass(frozen=True)
class Uncoded(AbstractScheme):
    """No code: worker i multiplies blocks (j, l) of A and (l, k) of B, as all others mod mpn.

    With as many workers as there are such products, mpn, this is the uncoded baseline, and all must
    answer. With c times as many it is replication: the first answer on each product is enough, or,
    with liars, as many as tell them.

    Args:
        partition: (m, p, n): A in m x p blocks, B in p x n.
        workers: N >= mpn.
        domain: the arithmetic of the entries: reals, complex numbers or a prime field.
        adversaries: A, how many workers may answer wrongly and are named.
        detects: D >= A, how many workers may answer wrongly and are noticed; A where it is None.
        rtol: how far copies that agree may be from each other, as `Replication` has it.

    Raises:
        InvalidArgument: if a number is out of range, or D below A.
        Unachievable: if there are fewer than A + D + 1 copies: floor(N / mpn) < A + D + 1.

    Guarantee:
        That of `Replication` with mpn blocks: the value is made of products as workers computed
        them. A worker sees its blocks.

    References:
        Yu et al. (AISTATS 2019), section 1: the repetition baseline.

    Example:
        >>> scheme = anyk.Uncoded(partition=(2, 1, 2), workers=8)
        >>> A, B = np.arange(12.0).reshape(3, 4), np.arange(8.0).reshape(4, 2)
        >>> with anyk.Inline(8) as executor:
        ...     outcome = anyk.run(scheme, np.matmul, (A, B), executor)
        >>> bool((outcome.value == A @ B).all()), outcome.used
        (True, (0, 1, 2, 3))
    """

    partition: tuple[int, int, int]
    workers: int
    domain: AbstractDomain = Reals()
    adversaries: int = 0
    _: KW_ONLY
    detects: int | None = None
    rtol: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "partition", MatMul(partition=self.partition).partition)
        if not isinstance(self.domain, (Reals, Complex, PrimeField)):
            raise InvalidArgument(
                "domain",
                given=repr(self.domain),
                needed="anyk.Reals(), anyk.Complex() or a prime field",
                change="Pass domain=anyk.Reals().",
            )
        try:
            own = self._copies
        except Unachievable as error:
            raise Unachievable(
                "workers",
                given=error.given,
                needed=error.needed.replace("floor(N/K)", "floor(N/mpn)"),
                change=error.change.replace("blocks", "m, p, n"),
            ) from None
        for name in ("workers", "adversaries", "detects", "rtol"):
            object.__setattr__(self, name, getattr(own, name))

    @property
    def _copies(self) -> Replication:
        """The same copies, of any blocks."""
        m, p, n = self.partition
        return Replication(
            m * p * n,
            self.workers,
            self.adversaries,
            self.detects,
            self.rtol,
            domain=self.domain,
        )

    @property
    def problem(self) -> MatMul:
        """The product of factors so cut."""
        return MatMul(partition=self.partition)

    @property
    def guarantee(self) -> Guarantee:
        """That of replication."""
        return self._copies.guarantee

    def _held(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which blocks of A and of B each worker holds."""
        m, p, n = self.partition
        product = np.arange(self.workers) % (m * p * n)
        of, l = product // p, product % p  # noqa: E741 - as in the formula
        return of % m * p + l, l * n + of // m

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """A block of each factor for every worker.

        Args:
            X: (A, B), array-likes (rows, inner) and (inner, columns), or a vector where n = 1.
            source: not used; there are no masks.

        Raises:
            InvalidArgument: if they are no two factors that can be multiplied.
        """
        left, right = factors_of(X)
        return self.encode_right(self.encode_left(left, source=source), right, source=source)

    def encode_left(self, factor: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """A block of A for every worker.

        Args:
            factor: A, array-like (rows, inner).
            source: not used.

        Raises:
            InvalidArgument: if it is no matrix.
        """
        del source
        blocks = cut_left(self.domain, self.problem, factor)
        held, _ = self._held()
        return Encoded(self, (self._copied(blocks, held),), np.shape(factor), alone=True)

    def encode_right(
        self, left: Encoded, factor: Any, *, source: AbstractSource = SystemSource()
    ) -> Encoded:
        """A block of B for every worker, beside those of an A.

        Args:
            left: what `encode_left` made of A.
            factor: B, array-like (inner, columns), or (inner,) where n = 1.
            source: not used.

        Raises:
            InvalidArgument: if A can't be multiplied with it.
        """
        require_left(self, left)
        del source
        blocks, grid = cut_right(self.domain, self.problem, factor, left.layout)
        _, held = self._held()
        return Encoded(self, (*left.parts, self._copied(blocks, held)), grid)

    def _copied(self, blocks: NDArray[Any], held: NDArray[np.int64]) -> NDArray[Any]:
        """The block of each worker; one and the same array where there is one block."""
        blocks = self.domain.at_rest(blocks)
        if len(blocks) > 1:
            return np.asarray(blocks[held])
        own = blocks[0].copy()  # and not the caller's
        return np.broadcast_to(own, (self.workers, *blocks.shape[1:]))

    def work(self, function: Function, per_worker: tuple[bool, ...] = ()) -> AbstractWork:
        """The product of the two parts.

        Raises:
            InvalidArgument: if the function is not matmul, or there are further arguments.
        """
        return product_work(function, per_worker)

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether each product was answered as often as tells it."""
        return self._copies.sufficient(answered)

    def shape_of_answers(self, layout: Grid) -> tuple[int, ...]:
        """Of one block of the product."""
        return layout.answer

    def tally(self, layout: Any) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return self._copies.tally(None)

    def replicas(self, layout: Any) -> Replicas:  # noqa: ARG002
        """Workers i, i + mpn, .. have the same blocks."""
        return self._copies.replicas(None)

    def encoder(self, layout: Any, operand: int = 0) -> Encoder:  # noqa: ARG002
        """D of either factor: a one where a worker holds a block."""
        m, p, n = self.partition
        data = np.eye(p * n if operand else m * p, dtype=self.domain.dtype)
        masks = np.zeros((self.workers, 0), dtype=self.domain.dtype)
        return Encoder(data=data[self._held()[operand]], masks=masks)

    def recovery(self, layout: Grid, answered: tuple[int, ...]) -> AbstractRecovery:
        """The product from these answers.

        Raises:
            NotEnoughAnswers: if one of the products was not answered as often as tells it.
        """
        return _UncodedRecovery(self, layout, self._copies.recovery(None, answered))

    def recovery_by(
        self, layout: Grid, answered: tuple[int, ...], workers: tuple[int, ...]
    ) -> AbstractRecovery:
        """The same, of products that other workers computed too.

        Raises:
            NotEnoughAnswers: as for `recovery`.
        """
        return _UncodedRecovery(self, layout, self._copies.recovery_by(None, answered, workers))

    def over(self, field: PrimeField) -> AbstractScheme:
        """The same copies, of residues of another prime field."""
        return replace(self, domain=field)


@final
@dataclass(frozen=True, eq=False)
class _UncodedRecovery(AbstractRecovery):
    """Products put together, and added up where the inner dimension is cut."""

    scheme: Uncoded
    grid: Grid
    copies: AbstractRecovery

    @property
    def answered(self) -> tuple[int, ...]:
        return self.copies.answered

    @property
    def matrix(self) -> NDArray[Any]:
        return self.scheme.domain.matmul(self._sums, self.copies.matrix)

    @property
    def _sums(self) -> NDArray[Any]:
        """Which products add up in one block, ndarray (m n, m p n)."""
        m, p, n = self.scheme.partition
        return np.repeat(np.eye(m * n, dtype=self.scheme.domain.dtype), p, axis=1)

    def recover(self, values: NDArray[Any]) -> Recovered:
        domain, shape = self.scheme.domain, self.grid.answer
        found = self.copies.recover(rows_of(values, self.answered, domain, shape))
        blocks = found.value
        if blocks.shape[1:] != self.grid.answer:  # whoever answers so lies, and most did
            raise TooManyErrors(
                answered={share // self.scheme.guarantee.pieces for share in self.answered},
                adversaries=self.scheme.adversaries,
                more=0,
            )
        if self.scheme.partition[1] > 1:
            blocks = domain.matmul(self._sums, blocks)
        error = found.error_estimate
        return replace(
            found,
            value=self.grid.together(blocks),
            known=np.array([found.known is None or bool(found.known.all())]),
            block_errors=None if error is None else np.array([error]),
        )


def _sized(problem: MatMul, threat: Threat, field: PrimeField) -> Uncoded:  # noqa: ARG001 - any numbers
    none_of(threat, "colluders")
    return Uncoded(problem.partition, threat.workers, adversaries=threat.adversaries)


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        Uncoded(partition=(1, 1, 1), workers=1),
        Uncoded(partition=(2, 1, 2), workers=4),
        Uncoded(partition=(2, 2, 1), workers=9),
        Uncoded(partition=(1, 3, 1), workers=9, domain=PrimeField(101), adversaries=1),
        Uncoded(partition=(2, 1, 1), workers=7, domain=Complex(), adversaries=1),
        Uncoded(partition=(2, 1, 1), workers=6, detects=1),
    )


ROW = SchemeRow(
    name="Uncoded",
    scheme=Uncoded,
    solves=MatMul,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="Uncoded(partition=(m, p, n), workers=N, adversaries=A, detects=D)",
        computes="the product of two matrices, cut in any way",
        late="one of floor(N/mpn) copies of each product of blocks",
        wrong="A liars are named, D >= A are noticed: D + 1 copies that agree are believed",
        curious="no",
        value="as computed; the baseline",
        when="nobody is late: the baseline, and the cheapest where workers do not fail",
    ),
)
