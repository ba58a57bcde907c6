"""`Agreed`: every share to several workers in secret groups, so that liars are told for any f."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Outcome, Recovered
from anyk.checks import indices_of, instance, settle
from anyk.codes.agreement import Agreement
from anyk.codes.locators.votes import proven_liars
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument, NotEnoughAnswers, TooManyErrors, Unachievable
from anyk.fixed_point.format import FixedPoint
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.base import AbstractRecovery, AbstractScheme, Encoder, missing_answers
from anyk.schemes.encoded import Encoded
from anyk.schemes.tally import AbstractTally, CountTally
from anyk.schemes.wrappers.agreed_recovery import AgreedRecovery
from anyk.schemes.wrappers.grouping import Grouping, draw_groups, expected_wrong
from anyk.spec import Guarantee, Map, MatMul, Sum
from anyk.wording import numbered
from anyk.work import AbstractWork, Function

__all__ = ["Agreed"]


@final
@dataclass(frozen=True)
class Agreed(AbstractScheme):
    """Every share of another scheme to several workers, who must agree: for any function.

    The N workers are put in groups, one for each worker of the scheme within, and all workers of a
    group hold the same share. Who is with whom is drawn in secret, for every encoding anew. Answers
    of a group that agree are believed; where they differ, the share is lost to the scheme within,
    as if its worker were late. Nothing is assumed of the function: liars are told by other workers,
    and not by how smooth it is.

    Args:
        scheme: the scheme within, for n workers.
        copies: q, how many workers hold each share, at least.
        adversaries: A, how many workers may answer wrongly. Each costs the scheme within a share
            at most, so it needs A stragglers or more.
        agree: a, how many answers on a share must agree; by default all q, or A + 1 where that is
            less, as so many are never all liars. With fewer, late workers cost fewer shares, and
            fewer liars suffice for a wrong one.
        workers: N, from qn on, which is the default. The groups are as even as can be.
        rtol: by how much, of their norm, answers that agree may differ; by default to the bit over
            a field and for whole numbers, and 512 roundings for others.

    Raises:
        InvalidArgument: if an argument is out of range.
        Unachievable: if N < qn, or the scheme within survives fewer than A stragglers.

    Guarantee:
        With s stragglers within, a value from any N - S answers, S = (s - A)(q - a + 1) + q - a, at
        most A of them wrong: at least n - s shares are believed, and the value is what the scheme
        within makes of these, with its promise.

        A wrong share is believed only if everybody of its group who answers is a liar, and all lie
        alike: of C(A,q) / C(N-1,q-1) shares in the expectation where all q must agree (A = 4,
        N = 60: 0.10 for q = 2, 0.002 for q = 3), `expected_wrong` in general. It holds for every
        way to lie, also for liars who compare what they hold, know f and see all answers, but for
        liars (and workers that are late) who were chosen before the groups were drawn: not if
        somebody can corrupt workers after having seen their shares. It counts placements, not
        calls: two liars who hold one share do so in every call on it. None passes if A < q. What
        passes is for the scheme within: give it adversaries too, as a second line.

        A worker is named a liar only with a proof. If a group's answers differ, one of them lies.
        So where a answers agree, and a + (the lies that there are in other groups at least) > A,
        they are right, and whoever differs is a liar; else the share is lost, and nobody is named.
        (Two of three may be the liars.) With an exact scheme within, all answers are compared with
        its value, and all liars are named; an honest worker can be, if a wrong share was believed.

        Any T workers hold at most T shares of the scheme within, so they learn no more than it
        promises. The groups are in the layout alone, which stays with the master; workers who
        compare their shares see whether they are of one group, and the bound above allows it.

        It has no use around `Replication`, which counts copies itself, and little around `Lagrange`
        or `Shamir`, which name liars at two answers each.

    References:
        Sarmenta: Sabotage-tolerance mechanisms for volunteer computing systems (CCGrid 2001), for
        voting on copies that are dealt at random, without a code around them.

    Example:
        >>> scheme = anyk.Agreed(anyk.Spline(4, 20, stragglers=6), copies=2, adversaries=2)
        >>> scheme.guarantee.workers, scheme.guarantee.stragglers, round(scheme.expected_wrong, 3)
        (40, 4, 0.026)
        >>> encoded = scheme.encode(np.arange(4.0))
        >>> answers = 2.0 * encoded.shares + 1.0
        >>> answers[7] = 5.5  # one other worker has this share, and contradicts: no proof who lied
        >>> recovered = encoded.decode(answers, range(40))
        >>> recovered.value.round(6), recovered.suspects
        (array([1., 3., 5., 7.]), ())
    """

    scheme: AbstractScheme
    _: KW_ONLY
    copies: int = 2
    adversaries: int = 1
    agree: int | None = None
    workers: int | None = None
    rtol: float | None = None

    def __post_init__(self) -> None:
        change = "Make one, such as anyk.Spline(4, 20)."
        instance("scheme", self.scheme, AbstractScheme, change=change)
        settle(self, optional="agree", copies=2, adversaries=0, agree=1)
        settle(self, optional="workers", workers=1)
        object.__setattr__(self, "rtol", Agreement(self.rtol).rtol)
        if self.agree is not None and self.agree > self.copies:
            raise InvalidArgument(
                "agree",
                given=str(self.agree),
                needed=f"at most copies={self.copies}, as no more workers answer on a share",
                change="Lower it, or take more copies.",
            )
        if self.rtol and self.domain.exact:
            raise InvalidArgument(
                "rtol",
                given=repr(self.rtol),
                needed=f"None, as answers over {self.domain!r} are equal or differ",
                change="Leave it out.",
            )
        within = self.scheme.guarantee
        least = self.copies * within.workers
        if self._total < least:
            raise Unachievable(
                "workers",
                given=str(self.workers),
                needed=f"N >= qn, that is {self._total} >= {self.copies}*{within.workers}",
                change=f"Take {least} workers, or fewer copies.",
            )
        if within.stragglers < self.adversaries:
            raise Unachievable(
                "adversaries",
                given=str(self.adversaries),
                needed=f"A <= s, that is {self.adversaries} <= {within.stragglers}, as each liar "
                "can cost the scheme within a share",
                change="Let the scheme within survive more stragglers, or lower adversaries.",
            )

    @property
    def _total(self) -> int:
        """N."""
        return self.copies * self.scheme.guarantee.workers if self.workers is None else self.workers

    @property
    def _enough(self) -> int:
        """The answers on a share that must agree: a."""
        return min(self.agree or self.copies, self.adversaries + 1)

    @property
    def problem(self) -> Map | Sum | MatMul:
        """That of the scheme within."""
        return self.scheme.problem

    @property
    def domain(self) -> AbstractDomain:
        """That of the scheme within."""
        return self.scheme.domain

    @property
    def guarantee(self) -> Guarantee:
        """That of the scheme within, for the workers of all groups."""
        within = self.scheme.guarantee
        few = self._missing(within.waited_for)
        missing = self._missing(within.threshold + within.pieces * self.adversaries)
        return replace(
            within,
            workers=self._total,
            threshold=self._total * within.pieces - missing,
            stragglers=missing // within.pieces,
            adversaries=self.adversaries,
            least=self._total * within.pieces - few if within.exact else None,
            named=within.exact or not self.adversaries,
            reactive=False,  # in secret groups nobody is asked again
        )

    def _missing(self, shares: int) -> int:
        """How many answers may be missing, whichever, so that so many shares have enough."""
        within, beyond = self.scheme.guarantee, self.copies - self._enough
        return (within.workers * within.pieces - shares) * (beyond + 1) + beyond

    @property
    def expected_wrong(self) -> float:
        """How many wrong shares are believed at most, in the expectation over the groups.

        All liars are taken to lie alike, and S other workers to be late. Over several primes, for
        real numbers on a field, it holds for each prime.
        """
        promise = self.guarantee
        return expected_wrong(
            self._total,
            self.scheme.guarantee.workers,
            liars=self.adversaries,
            late=promise.stragglers,
            agree=self._enough,
        )

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """The shares of the scheme within, each for a group of workers.

        Args:
            X: what the scheme within encodes.
            source: where its masks and the groups come from; the operating system's CSPRNG by
                default.

        Returns:
            Shares (N * pieces, *shape); the groups are in the layout.

        Raises:
            InvalidArgument: if the scheme within can't encode X.
        """
        return self._dealt(self.scheme.encode(X, source=source), None, source)

    @property
    def formats(self) -> tuple[FixedPoint, ...]:
        """Those of the scheme within."""
        return self.scheme.formats

    def encode_argument(
        self,
        values: Any,
        embedding: FixedPoint | None = None,
        *,
        layout: Grouping | None = None,
        source: AbstractSource = SystemSource(),
    ) -> Encoded:
        """Shares of another argument of the function, for the same groups as the data's.

        Args:
            values: as for the scheme within.
            embedding: as for the scheme within.
            layout: that of the data; None to draw groups.
            source: where masks and groups come from; the operating system's CSPRNG by default.

        Raises:
            InvalidArgument: if the values or the format do not fit.
        """
        own = None if layout is None else layout.within
        within = self.scheme.encode_argument(values, embedding, layout=own, source=source)
        return self._dealt(within, None if layout is None else layout.groups, source)

    def _dealt(
        self, within: Encoded, groups: NDArray[np.intp] | None, source: AbstractSource
    ) -> Encoded:
        """The shares of the scheme within, each for a group of workers, which are drawn if none."""
        promise = within.guarantee
        if groups is None:
            groups = draw_groups(source, promise.workers, self._total)
        dealt = Grouping(within=within.layout, groups=groups, pieces=promise.pieces)
        scheme = self if within.scheme == self.scheme else replace(self, scheme=within.scheme)
        return Encoded(scheme, tuple(part[dealt.held] for part in within.parts), dealt)

    def work(self, function: Function, per_worker: tuple[bool, ...] = ()) -> AbstractWork:
        """That of the scheme within."""
        return self.scheme.work(function, per_worker)

    @property
    def columns(self) -> tuple[int | None, ...] | None:
        """Those of the scheme within."""
        return self.scheme.columns

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether they are enough if nobody lies, or all but S where the value is approximate."""
        return len(set(indices_of("answered", answered))) >= self.guarantee.waited_for

    def tally(self, layout: Grouping) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return CountTally(self.guarantee.waited_for)

    def encoder(self, layout: Grouping, operand: int = 0) -> Encoder:
        """D and M of the scheme within, a row for each copy."""
        within = self.scheme.encoder(layout.within, operand)
        return within.rows(layout.held)

    def recovery(self, layout: Grouping, answered: tuple[int, ...]) -> AbstractRecovery:
        """From the answers that agree to the value.

        Raises:
            NotEnoughAnswers: if an exact scheme within needs more, or nothing could be made of
                them though nobody lied.
        """
        promise = self.guarantee
        if promise.exact and not self.sufficient(answered):
            raise missing_answers(self, answered, f"{promise.least} answers")
        times = np.bincount(layout.held[list(answered)], minlength=1)
        shares = tuple(np.flatnonzero(times >= self._enough).tolist())
        try:
            ready = self.scheme.recovery(layout.within, shares)
        except NotEnoughAnswers as error:
            needed = f"{error.needed}, each by {numbered(self._enough, 'worker')} or more"
            raise missing_answers(self, answered, needed) from None
        return AgreedRecovery(
            scheme=self,
            within=self.scheme,
            layout=layout,
            shares=answered,
            agree=self._enough,
            agreement=Agreement(0.0 if self.domain.exact else self.rtol),
            ready=ready,
        )

    def liars_in(self, outcomes: Iterable[Outcome | Recovered]) -> tuple[int, ...]:
        """The workers who must have lied, by the outcomes of several runs together.

        A liar contradicts other workers in every run, as the groups are others; an honest worker
        contradicts liars alone. So two or three runs name liars whom one can't.

        Args:
            outcomes: of runs or decodings with this scheme on the same workers, each with an
                encoding of its own, as `anyk.run` makes it; the same A workers lie in all of them.

        Returns:
            Their indices, increasing, with a proof for each if at most A workers lied in all runs.

        Raises:
            InvalidArgument: if these are no outcomes.
            TooManyErrors: if no A workers explain all contradictions.

        Example:
            >>> from anyk.faults import Corrupt, Faulty
            >>> scheme = anyk.Agreed(anyk.Spline(2, 12, stragglers=4), adversaries=1)
            >>> X = np.array([1.0, 2.0])
            >>> with Faulty(anyk.Inline(24), {5: Corrupt(seed=1)}) as executor:
            ...     outcomes = [anyk.run(scheme, np.sin, X, executor) for _ in range(9)]
            >>> scheme.liars_in(outcomes)
            (5,)
        """
        change = "Pass a list of outcomes."
        instance("outcomes", outcomes, Iterable, change=change)
        several = [*outcomes]
        for each in several:
            instance("outcomes", each, (Outcome, Recovered), change=change)
        disputed = [each for outcome in several for each in outcome.disputed]
        named = {worker for outcome in several for worker in outcome.suspects}
        liars = proven_liars(disputed, named, self.adversaries)
        if liars is None:
            raise TooManyErrors(answered=range(self._total), adversaries=self.adversaries)
        return tuple(sorted(liars))

    def over(self, field: PrimeField) -> Agreed:
        """The same around the scheme over another prime field."""
        return replace(self, scheme=self.scheme.over(field))
