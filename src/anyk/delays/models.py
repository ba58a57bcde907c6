"""Models of how late workers are, for simulations and for plans."""

from __future__ import annotations

import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import GENERATOR, MOST, count, instance, real, several
from anyk.errors import InvalidArgument

__all__ = ["AbstractDelays", "Fixed", "NoDelay", "Occasional", "ShiftedExponential"]


class AbstractDelays(ABC):
    """How long each worker waits before it computes; frozen.

    Example:
        >>> from anyk.delays import AbstractDelays, NoDelay
        >>> isinstance(NoDelay(), AbstractDelays)
        True
    """

    @abstractmethod
    def sample(self, generator: np.random.Generator, workers: int) -> NDArray[np.float64]:
        """The delays of one task.

        Args:
            generator: source of the randomness.
            workers: N, how many workers run the task.

        Returns:
            ndarray (N,) of seconds; infinite where a worker never answers.

        Raises:
            InvalidArgument: if the model is of fewer workers.
        """

    def of_worker(self, generator: np.random.Generator, worker: int) -> float:
        """The delay of one worker, drawn for it alone.

        By default a sample of all workers up to this one is drawn, which takes the longer the more
        there are; every model of anyk in which they are independent has a quicker way.

        Args:
            generator: source of the randomness.
            worker: its index.

        Raises:
            InvalidArgument: if the model is of fewer workers.

        Example:
            >>> from anyk.delays import Fixed
            >>> Fixed({3: 0.5}).of_worker(np.random.default_rng(0), worker=3)
            0.5
        """
        return float(self.sample(generator, worker + 1)[worker])


def drawn(generator: np.random.Generator, workers: int) -> int:
    """Check what `AbstractDelays.sample` was given, and return the number of workers.

    Args:
        generator: as for `sample`.
        workers: as for `sample`.

    Raises:
        InvalidArgument: if the one is no generator, or the other no number of workers.

    Example:
        >>> from anyk.delays.models import drawn
        >>> drawn(np.random.default_rng(0), np.int64(3))
        3
    """
    instance("generator", generator, np.random.Generator, change=GENERATOR)
    return count("workers", workers, least=0, most=MOST)


def _check_seconds(argument: str, seconds: float, *, infinite: bool) -> None:
    real(
        argument,
        seconds,
        least=0.0,
        most=math.inf if infinite else sys.float_info.max,
        needed="seconds, 0 or more" if infinite else "finite seconds, 0 or more",
        change="Pass a number such as 0.5.",
    )


@final
@dataclass(frozen=True)
class NoDelay(AbstractDelays):
    """Every worker begins at once.

    Example:
        >>> from anyk.delays import NoDelay
        >>> NoDelay().sample(np.random.default_rng(0), workers=3)
        array([0., 0., 0.])
    """

    def sample(self, generator: np.random.Generator, workers: int) -> NDArray[np.float64]:
        """No delays; see `AbstractDelays.sample`."""
        return np.zeros(drawn(generator, workers))

    def of_worker(self, generator: np.random.Generator, worker: int) -> float:  # noqa: ARG002
        """No delay; see `AbstractDelays.of_worker`."""
        return 0.0


@final
@dataclass(frozen=True)
class Fixed(AbstractDelays):
    """The same delays in each task.

    Args:
        seconds: by worker: a mapping, in which those that are missing are not delayed, or one
            number a worker. Infinity is a worker that never answers.

    Raises:
        InvalidArgument: if a delay is negative or NaN, or a worker no index.

    Example:
        >>> from anyk.delays import Fixed
        >>> Fixed({1: 0.5}).sample(np.random.default_rng(0), workers=3)
        array([0. , 0.5, 0. ])
    """

    seconds: Mapping[int, float] | Sequence[float]

    def __post_init__(self) -> None:
        mapping = isinstance(self.seconds, Mapping)
        row = "Pass one number a worker, or {3: 0.5}."
        copy = (
            dict(self.seconds)
            if isinstance(self.seconds, Mapping)
            else several("seconds", self.seconds, change=row)
        )
        object.__setattr__(self, "seconds", copy)
        by_worker = self._by_worker()
        for worker, seconds in by_worker.items():
            _check_seconds("seconds", seconds, infinite=True)
            if mapping:
                count("seconds", worker, least=0)

    def sample(self, generator: np.random.Generator, workers: int) -> NDArray[np.float64]:
        """These delays; see `AbstractDelays.sample`."""
        workers = drawn(generator, workers)
        by_worker = self._by_worker()
        wrong = not isinstance(self.seconds, Mapping) and len(self.seconds) < workers
        if wrong:
            raise InvalidArgument(
                "seconds",
                given=f"delays of {len(self.seconds)} workers",
                needed=f"one for each of {workers} workers",
                change="Add delays, or pass a mapping of the workers that are late.",
            )
        return np.array([by_worker.get(worker, 0.0) for worker in range(workers)], dtype=float)

    def of_worker(self, generator: np.random.Generator, worker: int) -> float:
        """This delay; see `AbstractDelays.of_worker`."""
        if isinstance(self.seconds, Mapping):
            return float(self.seconds.get(worker, 0.0))
        if worker < len(self.seconds):
            return float(self.seconds[worker])
        return float(self.sample(generator, worker + 1)[worker])  # which says what is wrong

    def _by_worker(self) -> dict[int, float]:
        if isinstance(self.seconds, Mapping):
            return dict(self.seconds)
        return dict(enumerate(self.seconds))


@final
@dataclass(frozen=True, kw_only=True)
class ShiftedExponential(AbstractDelays):
    """A constant and an exponential tail: delay = shift + Exp(mean), independent for each worker.

    Args:
        shift: seconds that every worker takes at least.
        mean: mean of the exponential part, in seconds; its standard deviation too.

    Raises:
        InvalidArgument: if one of them is negative or not finite.

    References:
        Lee, Lam, Pedarsani, Papailiopoulos, Ramchandran: Speeding Up Distributed Machine Learning
        Using Codes, IEEE Transactions on Information Theory 64(3), 2018, section III.

    Example:
        >>> from anyk.delays import ShiftedExponential
        >>> delays = ShiftedExponential(shift=1.0, mean=0.5)
        >>> bool(np.all(delays.sample(np.random.default_rng(0), workers=40) >= 1.0))
        True
    """

    shift: float
    mean: float

    def __post_init__(self) -> None:
        _check_seconds("shift", self.shift, infinite=False)
        _check_seconds("mean", self.mean, infinite=False)

    def sample(self, generator: np.random.Generator, workers: int) -> NDArray[np.float64]:
        """Delays drawn anew; see `AbstractDelays.sample`."""
        workers = drawn(generator, workers)
        return self.shift + generator.exponential(self.mean, size=workers)

    def of_worker(self, generator: np.random.Generator, worker: int) -> float:  # noqa: ARG002
        """A delay drawn anew; see `AbstractDelays.of_worker`."""
        return float(self.sample(generator, 1)[0])


@final
@dataclass(frozen=True, kw_only=True)
class Occasional(AbstractDelays):
    """A worker is late by a fixed time with some probability, independent for each worker.

    Args:
        probability: that a worker is late, in [0, 1].
        seconds: how late; infinity is a worker that never answers.

    Raises:
        InvalidArgument: if one of them is out of range.

    Example:
        >>> from anyk.delays import Occasional
        >>> Occasional(probability=1.0, seconds=2.0).sample(np.random.default_rng(0), workers=2)
        array([2., 2.])
    """

    probability: float
    seconds: float

    def __post_init__(self) -> None:
        share = "Pass 0.1 for one worker in ten."
        needed = "a number in [0, 1]"
        real("probability", self.probability, least=0.0, most=1.0, needed=needed, change=share)
        _check_seconds("seconds", self.seconds, infinite=True)

    def sample(self, generator: np.random.Generator, workers: int) -> NDArray[np.float64]:
        """Delays drawn anew; see `AbstractDelays.sample`."""
        workers = drawn(generator, workers)
        return np.where(generator.random(workers) < self.probability, self.seconds, 0.0)

    def of_worker(self, generator: np.random.Generator, worker: int) -> float:  # noqa: ARG002
        """A delay drawn anew; see `AbstractDelays.of_worker`."""
        return float(self.sample(generator, 1)[0])
