"""The processes of a visit: one that greets and keeps what comes of it, a session below it."""

from __future__ import annotations

import os
import signal
import socket
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from select import POLLIN, poll
from typing import NoReturn, final

import numpy as np

from anyk.connections.door import GREETING, greet
from anyk.connections.stream import AbstractStream
from anyk.executors.core.family import adopt_orphans, end, end_descendants, when_parent_ends
from anyk.executors.core.raised import describe, printable
from anyk.executors.core.run_task import reaper
from anyk.executors.remote.budget import Budget
from anyk.executors.remote.frames import PROTOCOL, Channel
from anyk.executors.remote.offer import Offer
from anyk.executors.remote.session import Session
from anyk.executors.remote.task_limits import TaskLimits
from anyk.executors.remote.visitor import ADMITTED, ENDED, GROUP, HEARD, REFUSED

__all__ = ["Host"]


@final
@dataclass(frozen=True, eq=False)
class Host:
    """What a process does that was forked for one connection, until it is killed.

    It greets: who shows no certificate of the master's is sent away. A master gets a session, in a
    process below. The one above is its keeper, which runs nobody's functions: it is where orphans
    of the session come to, however far they have gone, so that all that a session has started is
    found below it; and when the listening process is gone, it ends all of them and itself.

    Args:
        offer: the functions that there are.
        tls: the worker's directory of certificates, which each connection reads; None without.
        master: name that a master's certificate must be for.
        budget: of a session.
    """

    offer: Offer
    tls: Path | None
    master: str
    budget: Budget

    def receive(self, connection: socket.socket, tell: int, alive: int, parent: int) -> NoReturn:
        """Be that process.

        Args:
            connection: to whoever it is.
            tell: the pipe on which it tells the listening process what it does.
            alive: the pipe that ends with the listening process.
            parent: the listening process.
        """
        try:
            os.setpgid(0, 0)  # out of the terminal's
            when_parent_ends(signal.SIGKILL, parent)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that listens
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.alarm(GREETING)  # kills
            stream = greet(connection, self.tls, self.master, protocol=PROTOCOL)
            signal.alarm(0)
            os.write(tell, ADMITTED)
            adopt_orphans()
            keeper = os.getpid()
            session = os.fork()
            if session:
                _keep(session, connection, tell, alive, parent)
            os.setpgid(0, 0)  # a group of its own, with all that stays in it
            when_parent_ends(signal.SIGKILL, keeper)
            os.write(tell, GROUP % os.getpid())
            os.close(alive)
            self._serve(connection, stream, tell)
        except BaseException as error:  # noqa: BLE001 - nothing of the parent's may run here
            os.write(tell, REFUSED + printable(describe(error)).encode())
        finally:
            os._exit(0)

    def _serve(self, connection: socket.socket, stream: AbstractStream, tell: int) -> None:
        os.register_at_fork(after_in_child=partial(_let_go, connection, tell))
        np.random.seed()  # noqa: NPY002 - forks of one process would all draw the same
        reaper.set(_kill_me)
        limits = TaskLimits(self.budget, partial(os.write, tell))
        Session(
            Channel(stream),
            self.offer,
            memory=self.budget.bytes,
            run=limits.run,
            heard=partial(os.write, tell, HEARD),
        ).serve()


def _keep(session: int, connection: socket.socket, tell: int, alive: int, parent: int) -> NoReturn:
    """Tell when the session has ended, and end all below where the listening process is gone."""
    os.close(connection.detach())
    when_parent_ends(signal.SIGCONT, parent)  # wakes it where somebody has stopped it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that end
    watched = poll()
    watched.register(alive, POLLIN)
    try:
        ended = os.pidfd_open(session)
    except (AttributeError, OSError):  # no Linux, or forbidden: it is seen by the end of its pipe
        os.close(tell)
    else:
        watched.register(ended, POLLIN)
        while alive not in dict(watched.poll()):
            watched.unregister(ended)
            os.write(tell, ENDED)
    watched.poll()
    end(session)
    end_descendants(os.getpid())
    os._exit(0)


def _let_go(connection: socket.socket, tell: int) -> None:
    """In a process beside a session's: the session must be seen to end without it."""
    descriptor = connection.detach()
    if descriptor >= 0:  # else a fork of a fork
        os.close(descriptor)
        os.close(tell)


def _kill_me() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
