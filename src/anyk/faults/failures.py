"""Workers that are late, crash, die, or answer with what is no answer."""

from __future__ import annotations

import math
import numbers
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, final, get_args

import numpy as np
from numpy.typing import NDArray

from anyk.checks import choice, instance
from anyk.errors import InvalidArgument
from anyk.executors.core.run_task import die, pause

__all__ = ["AbstractFault", "Crash", "Delay", "Die", "Rubbish", "Run"]

Run = Callable[[], NDArray[Any]]
"""The worker's task, ready to be called."""


class AbstractFault(ABC):
    """What is wrong with a worker; frozen and picklable.

    Example:
        >>> from anyk.faults import AbstractFault, Crash
        >>> isinstance(Crash(), AbstractFault)
        True
    """

    @abstractmethod
    def around(self, run: Run, worker: int) -> Any:
        """Run the worker's task, badly.

        Args:
            run: the task; call it, or do not.
            worker: index of the worker.

        Returns:
            What the worker answers.
        """


@final
@dataclass(frozen=True)
class Delay(AbstractFault):
    """The worker waits, and then answers rightly.

    Args:
        seconds: how long, on the executor's clock; infinity hangs it.

    Raises:
        InvalidArgument: if it is negative or NaN.

    Example:
        >>> from anyk.faults import Delay
        >>> Delay(2.0)
        Delay(seconds=2.0)
    """

    seconds: float

    def __post_init__(self) -> None:
        instance("seconds", self.seconds, numbers.Real, change="Pass 0.5, say.")
        if not self.seconds >= 0:
            raise InvalidArgument(
                "seconds", given=repr(self.seconds), needed="0 or more", change="Pass 0.5, say."
            )

    def around(self, run: Run, worker: int) -> Any:  # noqa: ARG002 - all workers alike
        """Wait first; see `AbstractFault.around`."""
        pause(self.seconds)
        return run()


@final
@dataclass(frozen=True)
class Crash(AbstractFault):
    """The worker's task raises.

    Example:
        >>> from anyk.faults import Crash
        >>> Crash()
        Crash()
    """

    def around(self, run: Run, worker: int) -> Any:  # noqa: ARG002 - nothing is run
        """Raise; see `AbstractFault.around`."""
        raise RuntimeError(f"worker {worker} crashed on purpose")


@final
@dataclass(frozen=True)
class Die(AbstractFault):
    """The worker's process kills itself; a worker without one raises.

    Example:
        >>> from anyk.faults import Die
        >>> Die()
        Die()
    """

    def around(self, run: Run, worker: int) -> Any:  # noqa: ARG002 - all workers alike
        """Die; see `AbstractFault.around`."""
        die()
        return run()


_Kind = Literal["shape", "dtype", "nan", "inf", "huge", "empty", "objects", "text", "none"]


@final
@dataclass(frozen=True)
class Rubbish(AbstractFault):
    """The worker answers with something that is no answer.

    Args:
        kind: "shape" has an axis too many; "dtype" is of bools; "nan", "inf" and "huge" (1e300)
            fill the answer with that; "empty" has no entries; "objects", "text" and "none" are no
            numbers at all.

    Raises:
        InvalidArgument: if there is no such kind.

    Example:
        >>> from anyk.faults import Rubbish
        >>> Rubbish("nan").around(lambda: np.arange(3), worker=0)
        array([nan, nan, nan])
    """

    kind: _Kind

    def __post_init__(self) -> None:
        choice("kind", self.kind, get_args(_Kind), change='Pass "nan", say.')

    def around(self, run: Run, worker: int) -> Any:  # noqa: ARG002 - all workers alike
        """Answer with rubbish; see `AbstractFault.around`."""
        truth = np.asarray(run())
        rubbish: dict[str, Any] = {
            "shape": np.stack([truth, truth]),
            "dtype": truth.astype(bool),
            "nan": np.full(truth.shape, math.nan),
            "inf": np.full(truth.shape, math.inf),
            "huge": np.full(truth.shape, 1e300),
            "empty": np.empty(0, dtype=truth.dtype),
            "objects": np.array([object()]),
            "text": "rubbish",
            "none": None,
        }
        return rubbish[self.kind]
