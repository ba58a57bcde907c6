"""What came of one job done in one way, judged by the demo, which knows the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from numpy.typing import NDArray

from anyk.answers import Outcome
from anyk.demo.jobs import Job, Way
from anyk.timeline import Fate

__all__ = ["Result", "name_workers"]


def name_workers(workers: tuple[int, ...]) -> str:
    """Workers as a person reads them: ``(1, 4)`` is ``1, 4`` and nobody is a dash."""
    return ", ".join(map(str, workers)) or "-"


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """What came of one job done in one way.

    Args:
        job: the job.
        way: the way.
        outcome: what the run itself tells; it knows no fault.
        right: how many of the job's units are right.
        lost: blocks without a value.
        share: what the colluder was sent; None where the job has no colluder.
    """

    job: Job
    way: Way
    outcome: Outcome
    right: int
    lost: tuple[int, ...]
    share: NDArray[Any] | None

    @property
    def seconds(self) -> float:
        """How long the run took."""
        return self.outcome.elapsed

    @property
    def silent(self) -> tuple[int, ...]:
        """Workers that had neither answered nor failed when the run was over."""
        return tuple(who for who in self.outcome.missing if who not in self.outcome.failures)

    @property
    def late(self) -> tuple[int, ...]:
        """Workers that the run was without, or that slept and were waited for."""
        workers = range(self.way.workers)
        return tuple(who for who in workers if self.fate(who) in {Fate.LATE, Fate.SPARE})

    @property
    def spare(self) -> tuple[int, ...]:
        """Those of `late` that were about to answer when the value was ready."""
        return tuple(who for who in self.late if self.fate(who) is Fate.SPARE)

    @property
    def late_told(self) -> str:
        """Who was late; in brackets those that were not needed."""
        late = name_workers(tuple(who for who in self.late if who not in self.spare))
        return f"{late} ({name_workers(self.spare)})" if self.spare else late

    @property
    def failed(self) -> tuple[int, ...]:
        """Workers that failed, as the run tells them."""
        return tuple(self.outcome.failures)

    @property
    def named(self) -> tuple[int, ...]:
        """Workers that the run names as liars."""
        return self.outcome.suspects

    @property
    def deceived(self) -> bool:
        """Whether a lie went unnoticed."""
        liar = self.job.trouble.liar
        return liar is not None and liar in self.outcome.used and liar not in self.named

    @property
    def leaks(self) -> bool:
        """Whether the colluder's share tells it anything of the data."""
        return self.share is not None and not self.way.private

    @property
    def good(self) -> bool:
        """On time, all of it right, not deceived, and nothing seen."""
        on_time = self.seconds < self.job.trouble.seconds
        return on_time and self.right == self.job.total and not self.deceived and not self.leaks

    @property
    def verdict(self) -> str:
        """The result in a few words."""
        parts = [f"{self.right} of {self.job.total} right"]
        if self.lost:
            word = "block" if len(self.lost) == 1 else "blocks"
            parts.append(f"{word} {name_workers(self.lost)} lost")
        if self.deceived:
            parts.append("the lie went unnoticed")
        if self.named:
            parts.append("liar named")
        if self.share is not None:
            parts.append("colluder saw digits" if self.leaks else "colluder saw noise")
        return ", ".join(parts)

    def fate(self, worker: int) -> Fate:
        """What became of a worker. Here the demo speaks, which knows the faults."""
        trouble = self.job.trouble
        if worker in self.outcome.failures:
            return Fate.FAILED
        if worker in trouble.asleep:
            return Fate.LATE
        if worker in self.outcome.missing:
            return Fate.SPARE
        return Fate.LIED if worker == trouble.liar else Fate.ANSWERED
