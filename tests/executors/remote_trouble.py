"""What the workers of the tests of limits offer: tasks that do not let themselves be ended."""

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "backtracks",
    "closes_descriptors",
    "computes_in_c",
    "eats",
    "eats_in_crumbs",
    "forks_below_python",
    "hops",
    "ignores_signals",
    "leaves_a_family",
    "pauses",
    "pid",
    "sleeps_with_the_lock",
    "stops_its_group",
    "stops_itself",
]

FAMILY = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.setpgid(0, 0)
        with open(sys.argv[1], "a") as file: print(os.getpid(), file=file, flush=True)
        time.sleep(600)
    with open(sys.argv[1], "a") as file: print(os.getpid(), file=file, flush=True)
    time.sleep(float(sys.argv[2]))
"""


def note(place: str, number: int) -> None:
    with Path(place).open("a", encoding="utf-8") as file:
        print(number, file=file, flush=True)


def pid(_: Any) -> NDArray[Any]:
    return np.array([os.getpid()])


def computes_in_c(share: Any, place: str) -> Any:
    note(place, os.getpid())
    return share * (3 ** (10**8) % 7)


def backtracks(share: Any, place: str) -> Any:
    note(place, os.getpid())
    re.match(r"(a+)+$", "a" * 40 + "b")
    return share


def sleeps_with_the_lock(share: Any, place: str) -> Any:
    note(place, os.getpid())
    ctypes.PyDLL(None).sleep(600)
    return share


def stops_itself(share: Any, place: str) -> Any:
    note(place, os.getpid())
    os.kill(os.getpid(), signal.SIGSTOP)
    return share


def stops_its_group(share: Any, place: str) -> Any:
    note(place, os.getpid())
    os.killpg(0, signal.SIGSTOP)
    return share


def ignores_signals(_: Any, place: str) -> Any:
    """Takes whatever it can from whoever would end it."""
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    note(place, os.getpid())
    while True:
        try:
            time.sleep(600)
        except BaseException:  # noqa: BLE001, S112 - as bad tasks do
            continue


def leaves_a_family(share: Any, place: str, seconds: float = 600.0) -> Any:
    """Starts a process that has left its session, and a child of it that has left it too."""
    Path(place).touch()
    subprocess.run([sys.executable, "-c", FAMILY, place, str(seconds)], check=True)
    while len(Path(place).read_text(encoding="utf-8").split()) < 2:
        time.sleep(0.01)
    note(place, os.getpid())
    return share


def hops(share: Any, place: str) -> Any:
    """Starts a process that starts another one and ends, and so on."""
    note(place, os.getpid())
    if os.fork() == 0:
        while True:
            if os.fork():
                os._exit(0)
            time.sleep(0.001)
    return share


def forks_below_python(share: Any, place: str) -> Any:
    """Starts a process that has all descriptors of this one, and dies."""
    libc = ctypes.PyDLL(None)
    child = libc.fork()
    if child == 0:
        libc.sleep(600)
    note(place, child)
    note(place, os.getpid())
    os.kill(os.getpid(), signal.SIGKILL)
    return share


def closes_descriptors(share: Any, place: str) -> Any:
    note(place, os.getpid())
    os.closerange(3, 1000)
    return share


def pauses(share: Any, seconds: float) -> Any:
    time.sleep(seconds)
    return share


def eats(_: Any, numbers: int) -> Any:
    return np.ones(numbers)


def eats_in_crumbs(_: Any) -> Any:
    crumbs: list[str] = []
    while True:
        crumbs.append("x" * 60_000)
