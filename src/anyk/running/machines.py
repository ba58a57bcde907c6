"""What the workers of each executor can do, roughly: seconds for what a product takes."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Final

from anyk.executors.core.base import AbstractExecutor
from anyk.executors.wrappers.wrapper import AbstractWrapper
from anyk.planning.costs import CLUSTER, Machine

__all__ = ["machine_of"]

_CORES: Final = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
_HERE: Final = Machine(link=1e12, message=1e-4, parallel=_CORES)  # nothing is sent
_MACHINES: Final = {
    "Inline": replace(_HERE, message=2e-5, parallel=1, one_by_one=True),
    "Threads": _HERE,
    "Processes": replace(_HERE, link=1.5e9, message=5e-4),
    "Futures": replace(_HERE, link=2e8, message=1e-3),
}


def machine_of(executor: AbstractExecutor) -> Machine:
    """What the workers of an executor can do, roughly.

    Args:
        executor: a wrapper's workers are those of the one within.
    """
    while isinstance(executor, AbstractWrapper):
        executor = executor.within
    return _MACHINES.get(type(executor).__name__, CLUSTER)
