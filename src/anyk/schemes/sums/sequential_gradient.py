"""`SequentialGradient`: many sums in turn, of which each may take some rounds: M-SGC."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import indices_of, settle
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument, Unachievable
from anyk.schemes.sums.cyclic import AbstractCyclicCode
from anyk.schemes.sums.cyclic_mds import CyclicMDS
from anyk.schemes.sums.cyclic_repetition import CyclicRepetition
from anyk.schemes.sums.gradient import AS_GIVEN

__all__ = ["Course", "SequentialGradient"]


@final
@dataclass(frozen=True)
class SequentialGradient:
    """Sums in turn, coded over workers and rounds: M-SGC, multiplexed sequential gradient coding.

    A job is one sum f(X_1, w) + .. + f(X_K, w), with a w of its own. One begins in each round, and
    is known at the end of the T-th round after that, T = W - 2 + B; so T + 1 models can be trained
    in turn. In a round a worker computes one part of each of the T + 1 jobs that are under way. Of
    a job it has W - 1 parts that nobody else has, which it computes first; what it was too late for
    it computes again. After them come B parts of a cyclic gradient code, each in a round of its
    own, which need N - S answers. Being late costs nothing but such a second try, and a worker who
    is late once in many rounds needs little redundancy for it.

    A plan: `anyk.sequential` runs it, and `course()` says who computes what, for any other use.

    Args:
        workers: N.
        stragglers: S (lambda in the paper), how many different workers may be late in any W
            consecutive rounds; fewer than N.
        window: W, a number of rounds, more than B.
        burst: B, for how many rounds a worker may be late, from the first of them to the last, in
            any W.
        domain: what the data are: finite numbers of any type, as they come, by default, or
            `Reals()`, `Complex()` or a prime field.

    Raises:
        InvalidArgument: if a number is out of range, or the domain is another.
        Unachievable: if S >= N, or B >= W, or the field has fewer than N elements.

    Guarantee:
        Each job is known T rounds after its first at the latest, exactly over a field and up to
        rounding elsewhere, whoever is late in whichever rounds, if all of them together are as S, W
        and B say. Where more are late, a round waits for some of them until that is so. Nobody may
        lie, and nothing is hidden. In each round a worker computes as much as `load` says, in all
        jobs together, and sends T + 1 messages, each as large as a sum: T + 1 a job, where other
        gradient codes send one.

    References:
        Krishnan, Ebrahimi, Khisti: Sequential gradient coding for straggler mitigation (ICLR 2023),
        the second scheme (M-SGC).

    Example:
        >>> plan = anyk.SequentialGradient(workers=6, stragglers=2, window=3, burst=1)
        >>> plan.blocks, plan.delay, plan.load  # uncoded: 1.0
        (42, 2, 1.2857142857142858)
        >>> course = plan.course()
        >>> course.bearable([0, 1]), course.bearable([0, 1, 2])
        (True, False)
    """

    workers: int
    stragglers: int
    window: int
    burst: int = 1
    domain: AbstractDomain = AS_GIVEN

    def __post_init__(self) -> None:
        settle(self, workers=1, stragglers=0, window=2, burst=1)
        object.__setattr__(self, "domain", self.coded.domain)
        if self.burst >= self.window:
            raise Unachievable(
                "window",
                given=str(self.window),
                needed=f"W > B = {self.burst}, as a worker is on time for some of W rounds",
                change=f"Take {self.burst + 1}{', or lower burst' if self.burst > 1 else ''}.",
            )

    @cached_property
    def coded(self) -> AbstractCyclicCode:
        """The gradient code of the coded parts."""
        if isinstance(self.domain, PrimeField):
            return CyclicRepetition(self.workers, self.stragglers, self.domain)
        return CyclicMDS(self.workers, self.stragglers, self.domain)

    @property
    def delay(self) -> int:
        """T = W - 2 + B: how many rounds after its first a job is known."""
        return self.window - 2 + self.burst

    @property
    def parts(self) -> int:
        """How many parts of a job a worker holds: W - 1 of its own, and B that are coded."""
        return self.window - 1 + self.burst

    @property
    def blocks(self) -> int:
        """K: of S + 1 blocks for each worker's own parts, and of N for each coded one."""
        return self.workers * ((self.window - 1) * (self.stragglers + 1) + self.burst)

    @property
    def load(self) -> float:
        """What a worker computes in a round, in shares of K/N blocks."""
        return self.parts * (self.stragglers + 1) * self.workers / self.blocks

    @cached_property
    def held(self) -> NDArray[np.intp]:
        """The blocks of each part, ndarray (N, parts, S + 1)."""
        workers, width, own = self.workers, self.stragglers + 1, self.window - 1
        first = np.arange(workers * own * width).reshape(workers, own, width)
        groups = first.size + np.arange(self.burst)[None, :, None] * workers
        coded: NDArray[np.intp] = groups + self.coded.code.held[:, None]
        return np.concatenate([first, coded], axis=1)

    @property
    def weights(self) -> NDArray[Any]:
        """The coefficients of these blocks, ndarray (N, parts, S + 1)."""
        coded = self.coded.code.weights
        weights: NDArray[Any] = np.ones(self.held.shape, dtype=coded.dtype)
        weights[:, self.window - 1 :] = coded[:, None]
        return weights

    def combination(self, part: int, workers: Collection[int]) -> NDArray[Any]:
        """How the answers of these workers on one part are added to a job's sum, ndarray (n,).

        Args:
            part: one of `parts`; those below W - 1 are the workers' own.
            workers: who answered on it, in the order of the answers.
        """
        if part < self.window - 1:
            return np.ones(len(workers), dtype=self.coded.code.weights.dtype)
        row: NDArray[Any] = self.coded.recovery(None, tuple(workers)).matrix[0]
        return row

    def course(self) -> Course:
        """Who computes what, round by round, given who was late before."""
        return Course(self)


@final
class Course:
    """One course of a `SequentialGradient`: the rounds, and the jobs under way.

    Args:
        plan: of which it is.

    Example:
        >>> course = anyk.SequentialGradient(workers=3, stragglers=1, window=2).course()
        >>> course.begin()
        0
        >>> course.asked.tolist(), course.close([2])
        ([[0], [0], [0]], ())
        >>> course.begin()
        1
        >>> course.active, course.asked.tolist(), course.close([])  # worker 2: part 0 once more
        ((0, 1), [[1, 0], [1, 0], [0, 0]], (0,))
    """

    def __init__(self, plan: SequentialGradient) -> None:
        self.plan = plan
        self.round = 0
        self._done: dict[int, NDArray[np.intp]] = {}  # own parts that each worker has answered
        self._late: deque[NDArray[np.bool_]] = deque(maxlen=plan.window - 1)  # the last rounds

    def begin(self) -> int:
        """Begin a job in this round, the only one that does; its number is that of the round."""
        self._done[self.round] = np.zeros(self.plan.workers, dtype=np.intp)
        return self.round

    @property
    def active(self) -> tuple[int, ...]:
        """The jobs under way in this round."""
        return tuple(self._done)

    @property
    def asked(self) -> NDArray[np.intp]:
        """Which part of each of them each worker computes, ndarray (N, active)."""
        own = self.plan.window - 1
        each = [
            np.where(done < own, done, max(self.round - job, own))
            for job, done in self._done.items()
        ]
        return np.stack(each, axis=1)

    def bearable(self, late: Collection[int]) -> bool:
        """Whether the round may be closed without the answers of these workers.

        At most S workers are late in W rounds, and none B rounds or longer after another time.

        Args:
            late: their indices.
        """
        return self._bearable(self._mask(late))

    def _mask(self, late: Collection[int]) -> NDArray[np.bool_]:
        mask = np.zeros(self.plan.workers, dtype=np.bool_)
        told = indices_of("late", late)
        if told and max(told) >= len(mask):
            raise InvalidArgument(
                "late",
                given=f"worker {max(told)}",
                needed=f"workers from 0 to {len(mask) - 1}",
                change="Name the plan's own.",
            )
        mask[list(told)] = True
        return mask

    def _bearable(self, late: NDArray[np.bool_]) -> bool:
        ever = late.copy()
        for ago, before in enumerate(reversed(self._late), start=1):
            if ago >= self.plan.burst and (before & late).any():
                return False
            ever |= before
        return int(ever.sum()) <= self.plan.stragglers

    def close(self, late: Collection[int]) -> tuple[int, ...]:
        """End the round without the answers of these workers; the next one is under way then.

        Args:
            late: their indices.

        Returns:
            The job that is known now, if one is.

        Raises:
            InvalidArgument: if that is not bearable.
        """
        mask = self._mask(late)
        if not self._bearable(mask):
            raise InvalidArgument(
                "late",
                given=f"{int(mask.sum())} workers, in round {self.round}",
                needed=f"at most {self.plan.stragglers} in {self.plan.window} rounds, and nobody "
                f"again after {self.plan.burst}",
                change="Wait for some of them, until course.bearable(late).",
            )
        own = self.plan.window - 1
        for job, done in self._done.items():
            self._done[job] = done + (~mask & (done < own))
        self._late.append(mask)
        known = tuple(job for job in self._done if self.round - job == self.plan.delay)
        for job in known:
            del self._done[job]
        self.round += 1
        return known
