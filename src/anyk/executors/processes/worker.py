"""What runs in a worker process: hold shares, run tasks on them, answer."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.executors.core.run_task import attempt, describe, guarded, reaper
from anyk.executors.processes.wire import Payload, receive_message, send_answer

__all__ = ["serve"]


def serve(connection: Connection) -> None:
    """Serve the master at the other end until it closes it, or is gone.

    Messages start with a payload (verb, number):

    - ("hold", key), parts: keep a share.
    - ("forget", key): let it go.
    - ("run", serial), key, (task, arguments), rows: run a task on the share. Arguments are for
      every worker; rows has this worker's row of each `PerWorker` one, by position.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the master's
    threading.Thread(target=_follow_master, daemon=True).start()
    np.random.seed()  # noqa: NPY002 - forks of one server would all draw the same
    reaper.set(_kill_me)
    shares: dict[int, Sequence[NDArray[Any]]] = {}
    while True:
        try:
            first, *rest = receive_message(connection)
            verb, number = _load(first)
            if verb == "hold":
                shares[number] = _load(rest[0])
            elif verb == "forget":
                shares.pop(number, None)
            else:
                _run(connection, number, shares, rest)
        except (EOFError, ConnectionError):
            return


def _run(
    connection: Connection,
    serial: int,
    shares: dict[int, Sequence[NDArray[Any]]],
    payloads: Sequence[Payload],
) -> None:
    started = time.perf_counter()
    value: NDArray[Any] | None = None
    try:
        key, (task, arguments), rows = (_load(payload) for payload in payloads)
        own = [rows.get(place, argument) for place, argument in enumerate(arguments)]
    except Exception as error:  # noqa: BLE001 - what can't be unpickled here is a failed answer
        failure: str | None = describe(error)
    else:
        started = time.perf_counter()
        items = [guarded(item) for item in (*shares[key], *own)]
        value, failure = attempt(task, items, at_home=False)
    seconds = time.perf_counter() - started
    send_answer(connection, serial, seconds, value, failure)


def _load(payload: Payload) -> Any:
    return pickle.loads(payload[0], buffers=payload[1:])  # noqa: S301 - the master is trusted


def _follow_master() -> None:
    """End this process as soon as the master's ends, even in the middle of a task."""
    master = multiprocessing.parent_process()
    if master is not None:
        master.join()
        os._exit(1)


def _kill_me() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
