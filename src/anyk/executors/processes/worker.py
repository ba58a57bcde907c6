"""What runs in a worker process: hold shares, run tasks on them, answer."""

from __future__ import annotations

import atexit
import contextlib
import os
import random
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import numpy as np

from anyk.executors.core.broadcast import Unreadable, forget, keep
from anyk.executors.core.columns import LOST, Columns, Growing
from anyk.executors.core.placements import Parts
from anyk.executors.core.raised import describe
from anyk.executors.core.run_task import Reply, reaper, run
from anyk.executors.processes.calls import computed, failing
from anyk.executors.processes.nested import share_functions
from anyk.executors.processes.pipe import Pipe
from anyk.executors.processes.wire import (
    Payload,
    load,
    receive_message,
    send_answer,
    send_results,
)

__all__ = ["serve"]


def serve(end: socket.socket) -> None:
    """Serve the master at the other end until it closes it, or is gone.

    Messages start with a payload (verb, serial, key, piece):

    - "begin", and what the master's process has: its directory, arguments and environment.
    - "path", and where the master looks for modules.
    - "hold", and the parts: keep shares, by the key of their placement.
    - "fill", and columns: add them to the shares of this key, which are whole with the last ones.
    - "forget": let those of this key go.
    - "constant", and the value: keep it by its key, for functions that name it.
    - "function", and the function: keep it by its key, for calls.
    - "drop": let the constant or function of this key go.
    - "run", and (task, arguments), and rows: run a task on one of the shares, this piece. Arguments
      are for every share; rows has what this one has for itself instead, by their place.
    - "call", and items: call the function of this key on each; the piece says how they are packed.

    Args:
        end: a socket, which a task may close or spoil: this process then ends.
    """
    me, pipe = os.getpid(), Pipe(end)
    os.register_at_fork(after_in_child=pipe.forsake)  # what a task forks does not answer
    random.seed()
    np.random.seed()  # noqa: NPY002 - forks of one process would all draw the same
    reaper.set(_kill_me)
    share_functions()
    there = _Held()
    while True:
        try:
            first, *rest = receive_message(pipe)
            verb, serial, key, piece = load(first)
            if verb == "call":
                found = computed(there.functions[key], rest[0], piece)
                _check_still_me(me, pipe)
                send_results(pipe, serial, *found)
            elif verb == "run":
                reply = _reply(there.shares.get(key, LOST), piece, rest)
                _check_still_me(me, pipe)
                send_answer(pipe, serial, reply)
            elif verb == "fill":
                send_answer(pipe, serial, there.fill(key, rest[0]))
            else:
                there.change(verb, key, rest)
        except EOFError:
            break
        except OSError:
            os._exit(1)
    atexit._run_exitfuncs()  # noqa: SLF001 - the end of this process is another one's
    _flush()


def _check_still_me(me: int, pipe: Pipe) -> None:
    """End this process if it is a fork of a task, or the task has closed the pipe."""
    _flush()
    if os.getpid() != me or not pipe.own:
        os._exit(1)


@final
class _Held:
    """What this process keeps between tasks."""

    def __init__(self) -> None:
        self.shares: dict[int, Parts | str] = {}
        self.growing: dict[int, Growing] = {}
        self.functions: dict[str, Callable[..., Any]] = {}

    def fill(self, key: int, payload: Payload) -> Reply:
        """Add columns to shares: True, or why that can't be."""
        try:
            columns: Columns = load(payload)
            if not columns.start and not columns.last:
                self.growing[key] = Growing(columns.outlines)
            growing = self.growing.get(key)
            if growing is None or not growing.add(columns.start, columns.parts):
                return Reply(None, LOST, 0.0)
            if columns.last:
                self.shares[key] = self.growing.pop(key).whole()
        except Exception as error:  # noqa: BLE001 - as without memory: the rest stays where it is
            self.growing.pop(key, None)
            return Reply(None, describe(error), 0.0)
        return Reply(np.array(True), None, 0.0)  # noqa: FBT003

    def change(self, verb: str, key: Any, rest: Sequence[Payload]) -> None:
        """Do what a message says that asks for no answer; see `serve`."""
        match verb:
            case "hold":
                self.shares[key] = _parts(rest[0])
            case "forget":
                self.shares.pop(key, None)
                self.growing.pop(key, None)
            case "constant":
                _keep(key, rest[0])
            case "function":
                self.functions[key] = _function(rest[0])
            case "drop":
                self.functions.pop(key, None)
                forget(key)
            case "begin":
                _begin(load(rest[0]))
            case "path":
                sys.path[:] = load(rest[0])
                sys.path_importer_cache.clear()  # files may have been written a moment ago


def _parts(payload: Payload) -> Parts | str:
    """Shares; or why they can't be held here."""
    try:
        parts: Parts = load(payload)
    except Exception as error:  # noqa: BLE001 - whatever it is, the task on them fails of it
        return describe(error)
    return parts


def _reply(parts: Parts | str, piece: int, payloads: Sequence[Payload]) -> Reply:
    if isinstance(parts, str):
        return Reply(None, parts, 0.0)
    try:
        (task, arguments), rows = (load(payload) for payload in payloads)
    except Exception as error:  # noqa: BLE001 - what can't be unpickled here is a failed answer
        return Reply(None, describe(error), 0.0)
    return run(task, parts, piece, arguments, rows, fresh=True, in_master=False)


def _keep(key: str, payload: Payload) -> None:
    try:
        keep(key, load(payload))
    except Exception as error:  # noqa: BLE001 - whatever it is, those who use it fail of it
        keep(key, Unreadable(describe(error)))


def _function(payload: Payload) -> Callable[..., Any]:
    """The function of calls; or one that says why it is not here."""
    try:
        function: Callable[..., Any] = load(payload)
    except Exception as error:  # noqa: BLE001 - whatever it is, each call fails of it
        return failing(describe(error))
    return function


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
