"""Workers that nobody uses until they are released, and the evidence against each."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import final

from anyk.checks import count, flag, instance

__all__ = ["Charge", "Quarantine"]


@final
@dataclass(frozen=True, kw_only=True)
class Charge:
    """Why a worker is in quarantine, once.

    Args:
        worker: its index.
        reason: what it did, in words.
        time: when that was noted, in seconds since 1970 (UTC).

    Example:
        >>> from anyk.executors.core.quarantine import Charge
        >>> Charge(worker=3, reason="its memory fails", time=0.0).worker
        3
    """

    worker: int
    reason: str
    time: float


@final
class Quarantine:
    """The workers of an executor that are not used again until they are released.

    Nothing is asked of them, an answer that comes all the same is thrown away, and each counts as a
    straggler. They still hold shares that are placed, to be of use as soon as they are released.
    All methods may be called from any thread; a run that has begun is not changed by them.

    Args:
        workers: N, how many the executor has.

    Raises:
        InvalidArgument: if it is no positive integer.

    Example:
        >>> from anyk.faults import Corrupt, Faulty
        >>> field = anyk.PrimeField(101)
        >>> scheme = anyk.Lagrange(2, 1, workers=5, adversaries=1, field=field)
        >>> with Faulty(anyk.Inline(5), {0: Corrupt(modulus=101)}) as executor:
        ...     executor.quarantine.automatic = True
        ...     first = anyk.run(scheme, np.negative, [3, 4], executor)
        ...     second = anyk.run(scheme, np.negative, [3, 4], executor)
        ...     first.suspects, second.suspects, second.missing, executor.quarantine.workers
        ((0,), (), (0, 4), (0,))
    """

    def __init__(self, workers: int) -> None:
        self._most = count("workers", workers, least=1) - 1
        self._automatic = False
        self._lock = threading.Lock()
        self._charges: dict[int, list[Charge]] = {}
        self._kept: set[int] = set()

    @property
    def automatic(self) -> bool:
        """Whether `anyk.run` puts here whom it names as a liar; False until it is set to True.

        Raises:
            InvalidArgument: if it is set to anything but a bool.
        """
        return self._automatic

    @automatic.setter
    def automatic(self, value: bool) -> None:
        self._automatic = flag("automatic", value)

    def put(self, worker: int, reason: str) -> None:
        """Use a worker no more.

        Args:
            worker: its index.
            reason: why; kept as evidence.

        Raises:
            InvalidArgument: if there is no such worker, or the reason is no text.
        """
        who = count("worker", worker, least=0, most=self._most)
        instance("reason", reason, str, change='Say why, as in "its memory fails".')
        with self._lock:
            self._kept.add(who)
            charge = Charge(worker=who, reason=reason, time=time.time())
            self._charges.setdefault(who, []).append(charge)

    def release(self, *workers: int) -> tuple[int, ...]:
        """Use workers again; the evidence against them is kept.

        Args:
            *workers: their indices; none for all.

        Returns:
            Those of them that were in quarantine, sorted.

        Raises:
            InvalidArgument: if there is no such worker.
        """
        asked = {count("workers", worker, least=0, most=self._most) for worker in workers}
        with self._lock:
            released = self._kept & asked if workers else set(self._kept)
            self._kept -= released
        return tuple(sorted(released))

    @property
    def workers(self) -> tuple[int, ...]:
        """Who is in quarantine, sorted."""
        with self._lock:
            return tuple(sorted(self._kept))

    @property
    def evidence(self) -> tuple[Charge, ...]:
        """All charges so far, by worker; those against workers that were released too."""
        with self._lock:
            return tuple(each for worker in sorted(self._charges) for each in self._charges[worker])

    def judge(self, suspects: Iterable[int], reason: str) -> None:
        """Put in those whom a run has named, where that is done by itself."""
        for worker in suspects if self._automatic else ():
            if worker not in self:
                self.put(worker, reason)

    def __contains__(self, worker: object) -> bool:
        return worker in self._kept

    def __iter__(self) -> Iterator[int]:
        return iter(self.workers)

    def __len__(self) -> int:
        return len(self._kept)

    def __repr__(self) -> str:
        return f"<Quarantine of workers {self.workers}, automatic={self.automatic}>"
