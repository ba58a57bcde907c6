"""`VeiledReplication`: any function of data that no T workers learn more than some bits of."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass
from typing import Any, final

from anyk.checks import indices_of, positive, settle
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.real import Reals
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.approximate.common import (
    approximate_guarantee,
    check_answers,
    check_bound,
    check_threat,
    least_answers,
    stragglers_of,
)
from anyk.schemes.approximate.veiled_replication.choice import veiled_layout
from anyk.schemes.approximate.veiled_replication.layout import VeiledLayout, check_copies
from anyk.schemes.approximate.veiled_replication.recovery import VeiledRecovery
from anyk.schemes.base import AbstractScheme, Encoder, blocks_of
from anyk.schemes.encoded import Encoded
from anyk.schemes.precision import as_doubles, curve_domain, of_data, over
from anyk.schemes.row import SchemeRow, SchemeWords, failing, none_for_certain
from anyk.schemes.tally import AbstractTally, CountTally
from anyk.spec import Guarantee, Map, Threat

__all__ = ["ROW", "VeiledReplication"]


@final
@dataclass(frozen=True)
class VeiledReplication(AbstractScheme):
    """Copies under noise: every worker holds a block under Gaussian noise of its own depth.

    The noise is so deep that no T workers learn more than `leakage`. Copies share their noise (a
    `Veil`) so that its first orders cancel in the decoder, though not in few of them; it goes on
    from answers at much noise and at less to the answer at none: the best linear guess for a random
    network, as rough as the answers say. Who holds what, and how deep, depends on the parameters
    alone.

    Args:
        blocks: K.
        workers: N, at least max(K, T).
        stragglers: S, how many late workers a run does not wait for; None for half of the
            redundancy, max(0, (N - K) // 2): the other half is spent on accuracy.
        adversaries: A, how many of the answers may be lies.
        colluders: T, how many workers may put together what they hold.
        leakage: bits a coordinate that no T workers may learn more than.
        data_std: standard deviation of the data's coordinates, for which `leakage` is stated.
        bound: the largest absolute value of an honest answer's numbers, where one is known and
            `adversaries` is above 0: whoever answers more is a liar without further evidence.
        domain: the reals, in double precision by default; `Reals(dtype=np.float32)` takes half the
            bytes. Tensors are computed with as such, in the precision in which they come, and so is
            all with `Torch()`.

    Raises:
        InvalidArgument: if an argument is out of range.
        Unachievable: if there are too few workers, or they leave too few answers, or so much noise
            is needed that nothing of f would be seen in them.

    Guarantee:
        Approximate: a value with an error estimate from any answers, at least 2A + min(K, 2).
        What f does at scales far below the noise is in no answer, and no estimate can know of it.

        The shares of any T workers and the data have a mutual information of at most
        ``guarantee.leakage`` <= `leakage` bits a coordinate (all K blocks together), if the blocks
        are independent with mean squares about their expectation of at most data_std^2, on the
        average over the coordinates; Gaussian data reach it. However the blocks depend on each
        other, it holds with data_std sqrt(min(K, T)) in place of data_std. This is no perfect
        privacy: each encoding of the same data leaks anew, and more workers learn more. What the
        worst T + 1, T + 2 and T + 3 learn is in ``guarantee.beyond``; that is at most twice
        (T + j) / T times `leakage`, but with adversaries and T = 1, where copies must tell of each
        other: then two workers learn at most 4 times as much as one, and three may see a block.

        Answers that contradict the rest of their block are left out, at most A. Named are those of
        them that err by more than the tail of the others' own errors explains, three times as much
        as any other at least; more than A of these raise `TooManyErrors`. Who is left out and not
        named is counted in the estimate, which covers both, that it lies and that it is right. All
        of that is measured, not proven (docs/measured.md): where nobody lied, one batch in a
        thousand named somebody, but half of those of a function with poles; and with A liars the
        estimate held in 99.9 % of batches. The rougher f, and the fewer numbers an answer has, the
        larger is a lie that is named: where classes, votes or single large numbers are answered,
        few are. Where liars are the most of a block's answers, nobody can tell.

    References:
        Cook and Stefanski, Simulation-extrapolation estimation in parametric measurement error
        models, 1994 (from much noise to none); Cover and Thomas, Elements of Information Theory,
        2006, theorem 8.6.5 and section 9.4 (the leakage of Gaussian noise).

    Example:
        >>> scheme = anyk.VeiledReplication(2, 20, colluders=1, leakage=0.5)
        >>> encoded = scheme.encode(np.array([[0.0, 1.0], [1.0, 3.0]]))
        >>> round(anyk.leakage(encoded, colluders=1), 6)
        0.5
        >>> encoded.decode(2 * encoded.shares + 1, range(20)).value.round(6)
        array([[1., 3.],
               [3., 7.]])
    """

    blocks: int
    workers: int
    _: KW_ONLY
    stragglers: int | None = None
    adversaries: int = 0
    colluders: int
    leakage: float
    data_std: float = 1.0
    bound: float | None = None
    domain: AbstractDomain = Reals()

    def __post_init__(self) -> None:
        settle(self, optional="stragglers", blocks=1, workers=1, stragglers=0)
        settle(self, adversaries=0, colluders=1)
        check_copies(self.blocks, self.workers, self.colluders)
        check_threat(self.blocks, self.workers, self.stragglers, self.adversaries)
        check_bound(self.bound, self.adversaries)
        object.__setattr__(self, "domain", curve_domain(self.domain, Reals))
        std = positive(
            "data_std", self.data_std, change="Pass that of the data's numbers.", squared=True
        )
        object.__setattr__(self, "data_std", std)
        bits = positive(
            "leakage",
            self.leakage,
            change="Pass the bits a coordinate that colluders may learn, such as 0.3.",
        )
        object.__setattr__(self, "leakage", bits)
        _ = self._layout  # raises where it can't be done

    @property
    def problem(self) -> Map:
        """Any function of each of K blocks."""
        return Map(blocks=self.blocks)

    @property
    def guarantee(self) -> Guarantee:
        """Approximate, from any N - S answers; at most so many bits to any T workers."""
        return approximate_guarantee(
            workers=self.workers,
            stragglers=stragglers_of(self.blocks, self.workers, self.stragglers),
            adversaries=self.adversaries,
            colluders=self.colluders,
            leakage=self._layout.bits,
            beyond=self._layout.beyond,
            data_std=self.data_std,
        )

    @property
    def _layout(self) -> VeiledLayout:
        return veiled_layout(
            blocks=self.blocks,
            workers=self.workers,
            colluders=self.colluders,
            leakage=self.leakage,
            data_std=self.data_std,
            adversaries=self.adversaries,
        )

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """A copy of a block and fresh noise for each worker; the noise is kept nowhere.

        Args:
            X: array-like (K, *shape) of real numbers.
            source: where noise comes from; the operating system's CSPRNG by default.

        Returns:
            The shares, ndarray (N, *shape).

        Raises:
            InvalidArgument: if X is not K blocks of finite numbers.
        """
        domain = of_data(self.domain, X, Reals)
        array = as_doubles(blocks_of(X, self.blocks, domain))
        layout = self._layout
        shares = domain.validate(layout.shares(array, source), "X")
        return Encoded(over(self, domain), (shares,), layout)

    @property
    def columns(self) -> tuple[int]:
        """Those of the blocks: each number of a share is made of its like in them."""
        return (1,)

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether at least N - S workers answered."""
        return len(set(indices_of("answered", answered))) >= self.guarantee.threshold

    def tally(self, layout: VeiledLayout) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return CountTally(self.guarantee.threshold)

    def encoder(self, layout: VeiledLayout, operand: int = 0) -> Encoder:  # noqa: ARG002
        """D of the copies, and M of their veils."""
        return layout.encoder

    def recovery(self, layout: VeiledLayout, answered: tuple[int, ...]) -> VeiledRecovery:
        """From the answers of these workers to the answers without noise.

        Raises:
            NotEnoughAnswers: if there are fewer than 2A + min(K, 2).
        """
        check_answers(self, answered, least_answers(self.blocks, self.adversaries))
        return VeiledRecovery(
            layout=layout,
            workers=answered,
            adversaries=self.adversaries,
            bound=self.bound,
            domain=self.domain,
        )


def _sized(problem: Map, threat: Threat, field: PrimeField) -> VeiledReplication:  # noqa: ARG001 - over the reals
    if not threat.colluders:
        raise failing("T >= 1, that is 0 >= 1: it hides data, at a price in accuracy")
    if threat.leakage is None:
        raise failing("a leakage in bits: the threat has leakage=None")
    none_for_certain(threat)
    return VeiledReplication(
        problem.blocks,
        threat.workers,
        stragglers=threat.stragglers,
        colluders=threat.colluders,
        leakage=threat.leakage,
    )


def _examples() -> tuple[AbstractScheme, ...]:
    return (VeiledReplication(blocks=3, workers=12, colluders=1, leakage=0.5),)


ROW = SchemeRow(
    name="VeiledReplication",
    scheme=VeiledReplication,
    solves=Map,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="VeiledReplication(blocks=K, workers=N, stragglers=S, adversaries=A, colluders=T, "
        "leakage=bits)",
        computes="any function",
        late="any number of answers; with liars 2A + min(K, 2) or more",
        wrong="A liars are named where their lies stand out: measured, not proven",
        curious="T workers learn at most so many bits",
        value="approximate, with an error estimate",
    ),
)
