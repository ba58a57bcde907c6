"""What runs in a worker process: hold shares, run tasks on them, answer."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from anyk.executors.core.placements import Parts
from anyk.executors.core.run_task import Reply, describe, reaper, run
from anyk.executors.processes.wire import Payload, receive_message, send_answer

__all__ = ["serve"]


def serve(connection: Connection) -> None:
    """Serve the master at the other end until it closes it, or is gone.

    Messages start with a payload (verb, serial, key, piece):

    - "hold", and the parts: keep shares, by the key of their placement.
    - "forget": let those of this key go.
    - "run", and (task, arguments), and rows: run a task on one of the shares, this piece. Arguments
      are for every share; rows has what this one has for itself instead, by their place.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the master's
    threading.Thread(target=_follow_master, daemon=True).start()
    np.random.seed()  # noqa: NPY002 - forks of one server would all draw the same
    reaper.set(_kill_me)
    held: dict[int, Parts] = {}
    while True:
        try:
            first, *rest = receive_message(connection)
            verb, serial, key, piece = _load(first)
            if verb == "hold":
                held[key] = _load(rest[0])
            elif verb == "forget":
                held.pop(key, None)
            else:
                send_answer(connection, serial, *_reply(held[key], piece, rest))
        except (EOFError, ConnectionError):
            return


def _reply(parts: Parts, piece: int, payloads: Sequence[Payload]) -> Reply:
    try:
        (task, arguments), rows = (_load(payload) for payload in payloads)
    except Exception as error:  # noqa: BLE001 - what can't be unpickled here is a failed answer
        return None, describe(error), 0.0
    return run(task, parts, piece, arguments, rows, in_master=False)


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
