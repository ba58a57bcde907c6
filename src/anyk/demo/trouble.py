"""What goes wrong in the demo: workers that sleep, are killed, lie, or are curious."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.executors.core.run_task import die
from anyk.faults.failures import AbstractFault, Delay, Run
from anyk.faults.lies import Lie

__all__ = ["KilledAtWork", "LazyLiar", "Trouble"]

_KILLED_AFTER = 0.1  # seconds of work
_SMALL = 10_000  # made-up numbers lie below it, and so look like inner products of digits


def _die_if_possible() -> None:
    with suppress(RuntimeError):  # a worker that is a thread can't die in the middle
        die()


@final
@dataclass(frozen=True)
class KilledAtWork(AbstractFault):
    """The worker's process is killed (SIGKILL) in the middle of its work, or at its end.

    Args:
        seconds: of work until then.

    Example:
        >>> from anyk.demo.trouble import KilledAtWork
        >>> KilledAtWork(0.1)
        KilledAtWork(seconds=0.1)
    """

    seconds: float

    def around(self, run: Run, worker: int) -> Any:  # noqa: ARG002 - all workers alike
        """Work, and be killed; see `AbstractFault.around`."""
        timer = threading.Timer(self.seconds, copy_context().run, [_die_if_possible])
        timer.daemon = True
        timer.start()
        value = run()
        timer.cancel()
        die()
        return value


@final
@dataclass(frozen=True)
class LazyLiar(AbstractFault):
    """The worker does not compute at all: it answers at once, with numbers it made up.

    Args:
        shape: of its answer.

    Example:
        >>> from anyk.demo.trouble import LazyLiar
        >>> LazyLiar((2, 2)).around(lambda: np.ones((2, 2)), worker=0).shape
        (2, 2)
    """

    shape: tuple[int, ...]

    def around(self, run: Run, worker: int) -> NDArray[np.int64]:  # noqa: ARG002 - nothing is run
        """Make numbers up; see `AbstractFault.around`."""
        return Lie(seed=(worker,), modulus=_SMALL).instead_of(np.empty(self.shape, dtype=np.int64))


@final
@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Which workers are bad. The demo knows this; the schemes and decoders never do.

    Args:
        asleep: workers that sleep before they work.
        seconds: how long they sleep.
        killed: the worker whose process is killed; None for no one.
        liar: the worker that answers wrongly; None for no one.
        lie: shape of its answer.
        colluder: the worker that reads what it is sent; None for no one.

    Example:
        >>> from anyk.demo.trouble import Trouble
        >>> print(Trouble(asleep=(1, 4), seconds=5.0, killed=2))
        1 and 4 sleep 5 s, 2 is killed at work
    """

    asleep: tuple[int, ...]
    seconds: float
    killed: int | None = None
    liar: int | None = None
    lie: tuple[int, ...] = ()
    colluder: int | None = None

    def faults(self, workers: int) -> Mapping[int, AbstractFault]:
        """The faults of the first so many workers. A colluder has none: it works as it should."""
        faults: dict[int, AbstractFault] = {who: Delay(self.seconds) for who in self.asleep}
        if self.killed is not None:
            faults[self.killed] = KilledAtWork(_KILLED_AFTER)
        if self.liar is not None:
            faults[self.liar] = LazyLiar(self.lie)
        return {who: fault for who, fault in faults.items() if who < workers}

    def __str__(self) -> str:
        told = [f"{' and '.join(map(str, self.asleep))} sleep {self.seconds:g} s"]
        if self.killed is not None:
            told.append(f"{self.killed} is killed at work")
        if self.liar is not None:
            told.append(f"{self.liar} lies")
        if self.colluder is not None:
            told.append(f"{self.colluder} is curious (a colluder)")
        return ", ".join(told)
