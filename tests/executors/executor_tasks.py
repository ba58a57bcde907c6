"""Tasks that worker processes can import: pytest puts this folder on the path (pyproject.toml)."""

import os
import signal
import stat
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.executors.core.run_task import Task, die, pause


def pid(_: NDArray[Any]) -> NDArray[Any]:
    return np.array(os.getpid())


def pid_and_inputs(share: NDArray[Any], own: Any) -> NDArray[Any]:
    return np.array([os.getpid(), share[0], own])


def exit_with(code: NDArray[Any]) -> NDArray[Any]:
    os._exit(int(code))


def draw(_: NDArray[Any]) -> NDArray[Any]:
    return np.random.random(4)  # noqa: NPY002 - the global generator is the point


def interrupt_me(share: NDArray[Any]) -> NDArray[Any]:
    os.kill(os.getpid(), signal.SIGINT)
    return share


def raise_interrupt(share: NDArray[Any]) -> NDArray[Any]:
    if share == 0:
        raise KeyboardInterrupt
    return share


def blas_threads(_: NDArray[Any]) -> NDArray[Any]:
    return np.array(int(os.environ.get("OPENBLAS_NUM_THREADS", "0")))


def write_rubbish_to_the_master(share: NDArray[Any]) -> NDArray[Any]:
    for descriptor in range(3, 100):
        try:
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                os.write(descriptor, b"\0\0\0\x04\x80\x05N.")
        except OSError:
            continue
    return share


def put_off(share: NDArray[Any], path: str) -> NDArray[Any]:
    """Say that worker 0 has begun, then wait for a file."""
    flag = Path(path)
    if share == 0:
        flag.with_suffix(".begun").touch()
        with flag.open(encoding="utf-8"):  # a named pipe: blocks until the test opens it too
            pass
    return share


def put_off_at(gate: Path) -> Task:
    return partial(put_off, path=str(gate))


class LoadsOnlyInTheMaster:
    """Pickles, and raises where it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return int, ("this is no number",)

    def __call__(self, share: NDArray[Any]) -> NDArray[Any]:
        return share


def nap(share: NDArray[Any]) -> NDArray[Any]:
    pause(float(share))
    return share


def die_of(share: NDArray[Any], number: int) -> NDArray[Any]:
    if share == number:
        die()
    return share


_remembered: list[int] = []


def remember(number: int) -> None:
    """At the start of a process."""
    _remembered.append(number)


def remembered(_: NDArray[Any]) -> NDArray[Any]:
    return np.array(_remembered[0])


def first_and_last(left: NDArray[Any], right: NDArray[Any], _: NDArray[Any]) -> NDArray[Any]:
    return np.array([left[0, 0], left[-1, -1], right[0], right[-1]])
