"""An executor that notes what its workers are sent."""

import pickle

from anyk.executors.core.base import PerWorker
from anyk.executors.wrappers.wrapper import AbstractWrapper


class Noted(AbstractWrapper):
    """Notes all that workers are sent, but for the numbers in arrays of their own."""

    def __init__(self, executor):
        self.executor, self.seen = executor, []

    @property
    def within(self):
        return self.executor

    def place(self, parts, pieces=1):
        self.seen.append(("place", [(part.dtype, part.shape) for part in parts], pieces))
        return self.executor.place(parts, pieces)

    def calls(self, function):
        return self.within.calls(function)

    def dispatch(self, task, placement, arguments, without=()):
        own = [each.rows if isinstance(each, PerWorker) else None for each in arguments]
        shapes = [None if rows is None else (rows.dtype, rows.shape) for rows in own]
        plain = [each for each in arguments if not isinstance(each, PerWorker)]
        self.seen.append(
            ("dispatch", pickle.dumps((task, plain)), shapes, placement.pieces, without)
        )
        return self.executor.dispatch(task, placement, arguments, without)

    def release(self, placement):
        self.seen.append(("release",))
        self.executor.release(placement)
