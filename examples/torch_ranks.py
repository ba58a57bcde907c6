"""Ranks of `torch.distributed` as workers: one pool a rank, for `anyk.Futures`.

Rank 0 is the master. Each of the others runs what it is sent, one call after the other, until it
is told to stop. Calls travel as pickles, as they do in `torch.distributed` itself: these are
ranks that trust each other not to be malicious, whatever may be wrong with their arithmetic.
"""

from __future__ import annotations

import pickle
from concurrent.futures import Executor, Future
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread

import cloudpickle
import torch
import torch.distributed as dist


def send(value: object, rank: int) -> None:
    """Send one value, its length first."""
    packed = torch.frombuffer(bytearray(cloudpickle.dumps(value)), dtype=torch.uint8)
    dist.send(torch.tensor([len(packed)]), rank)
    dist.send(packed, rank)


def receive(rank: int) -> object:
    """Wait for one value."""
    length = torch.zeros(1, dtype=torch.int64)
    dist.recv(length, rank)
    packed = torch.empty(int(length), dtype=torch.uint8)
    dist.recv(packed, rank)
    return pickle.loads(packed.numpy().tobytes())  # noqa: S301 - from ranks that are trusted


class RankPool(Executor):
    """A pool of one worker, which is another rank."""

    def __init__(self, rank: int) -> None:
        self.rank = rank
        self.calls: SimpleQueue = SimpleQueue()
        Thread(target=self._serve, daemon=True).start()

    def submit(self, function, /, *args, **kwargs):
        future: Future = Future()
        self.calls.put((future, function, args, kwargs))
        return future

    def shutdown(self, wait=True, *, cancel_futures=False):  # noqa: FBT002 - as others have it
        self.calls.put(None)

    def _serve(self) -> None:
        while (call := self.calls.get()) is not None:
            future, *task = call
            if not future.set_running_or_notify_cancel():
                continue
            try:
                send(task, self.rank)
                value, error = receive(self.rank)
            except Exception as gone:  # noqa: BLE001 - the rank is dead: so is every later call
                future.set_exception(gone)
                continue
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)
        with suppress(RuntimeError):  # it is gone already
            send(None, self.rank)


def work() -> None:
    """What each rank but 0 runs: calls from rank 0, until it is told to stop."""
    while (task := receive(0)) is not None:
        function, args, kwargs = task
        try:
            answer = function(*args, **kwargs), None
        except Exception as error:  # noqa: BLE001 - whatever the task raises
            answer = None, error
        send(answer, 0)
