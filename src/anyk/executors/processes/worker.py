"""What runs in a worker process: hold shares, run tasks on them, answer."""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import random
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from anyk.executors.core.placements import Parts
from anyk.executors.core.raised import describe
from anyk.executors.core.run_task import Reply, reaper, run
from anyk.executors.processes.pipe import Pipe
from anyk.executors.processes.wire import Payload, receive_message, send_answer

__all__ = ["serve"]


def serve(end: socket.socket) -> None:
    """Serve the master at the other end until it closes it, or is gone.

    Messages start with a payload (verb, serial, key, piece):

    - "begin", and what the master's process has: its directory, arguments and environment.
    - "path", and where the master looks for modules.
    - "hold", and the parts: keep shares, by the key of their placement.
    - "forget": let those of this key go.
    - "run", and (task, arguments), and rows: run a task on one of the shares, this piece. Arguments
      are for every share; rows has what this one has for itself instead, by their place.

    Args:
        end: a socket, which a task may close or spoil: this process then ends.
    """
    me, pipe = os.getpid(), Pipe(end)
    os.register_at_fork(after_in_child=pipe.forsake)  # what a task forks does not answer
    random.seed()
    np.random.seed()  # noqa: NPY002 - forks of one process would all draw the same
    reaper.set(_kill_me)
    held: dict[int, Parts | str] = {}
    while True:
        try:
            first, *rest = receive_message(pipe)
            verb, serial, key, piece = _load(first)
            if verb == "hold":
                held[key] = _parts(rest[0])
            elif verb == "forget":
                held.pop(key, None)
            elif verb == "begin":
                _begin(_load(rest[0]))
            elif verb == "path":
                sys.path[:] = _load(rest[0])
                sys.path_importer_cache.clear()  # files may have been written a moment ago
            else:
                reply = _reply(held[key], piece, rest)
                _flush()
                if os.getpid() != me or not pipe.own:
                    os._exit(1)  # a fork of a task, or one that has closed the pipe
                send_answer(pipe, serial, reply)
        except EOFError:
            break
        except OSError:
            os._exit(1)
    atexit._run_exitfuncs()  # noqa: SLF001 - the end of this process is another one's
    _flush()


def _parts(payload: Payload) -> Parts | str:
    """Shares; or why they can't be held here."""
    try:
        parts: Parts = _load(payload)
    except Exception as error:  # noqa: BLE001 - whatever it is, the task on them fails of it
        return describe(error)
    return parts


def _reply(parts: Parts | str, piece: int, payloads: Sequence[Payload]) -> Reply:
    if isinstance(parts, str):
        return Reply(None, parts, 0.0)
    try:
        (task, arguments), rows = (_load(payload) for payload in payloads)
    except Exception as error:  # noqa: BLE001 - what can't be unpickled here is a failed answer
        return Reply(None, describe(error), 0.0)
    return run(task, parts, piece, arguments, rows, fresh=True, in_master=False)


def _load(payload: Payload) -> Any:
    return pickle.loads(payload[0], buffers=payload[1:])  # noqa: S301 - the master is trusted


def _begin(given: Mapping[str, Any]) -> None:
    """Be like the master's process in what a function may ask for."""
    with contextlib.suppress(OSError, TypeError):
        os.chdir(given["directory"])
    sys.argv[:] = given["arguments"]
    for name in os.environ.keys() - given["environment"].keys():
        del os.environ[name]
    os.environ.update(given["environment"])


def _flush() -> None:
    """Let what a task has printed be seen, whatever happens to this process."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()


def _kill_me() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
