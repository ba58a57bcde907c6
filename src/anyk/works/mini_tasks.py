"""`MiniTasks`: parts of several sums, each with arguments of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from anyk.domains.array import FieldArray
from anyk.errors import InvalidArgument
from anyk.own_copies import own_copies
from anyk.work import AbstractWork, Function
from anyk.works.combined import Combined, CombinedInKind

__all__ = ["MiniTasks"]


@final
@dataclass(frozen=True)
class MiniTasks(AbstractWork):
    """One combination of f of some of the blocks that a worker holds, for each of several jobs.

    The share has two parts: blocks (parts, m, *shape), and their coefficients (parts, m). The first
    argument says which of the parts is combined for each job; the arguments of the jobs follow, of
    each as many as of the others. The answer has one row a job.

    Args:
        function: f, whose results are numbers, of one shape for all blocks and jobs.

    Example:
        >>> from anyk.works.mini_tasks import MiniTasks
        >>> blocks, ones = np.array([[1.0, 2.0], [3.0, 4.0]]), np.ones((2, 2))
        >>> MiniTasks(np.multiply)([blocks, ones], [np.array([1, 0]), 10.0, 100.0])
        array([ 70., 300.])
    """

    function: Function

    @property
    def users(self) -> Function:
        """The function."""
        return self.function

    def __call__(self, parts: Sequence[Any], arguments: Sequence[Any]) -> Any:
        """The rows."""
        blocks, weights = parts
        asked, *others = arguments
        field = isinstance(blocks, FieldArray)
        one = (Combined if field else CombinedInKind)(self.function)
        each = len(others) // len(asked)
        rows = [
            one([*own_copies([blocks[part]]), weights[part]], others[job * each : (job + 1) * each])
            for job, part in enumerate(np.asarray(asked).tolist())
        ]
        if len({row.shape for row in rows}) > 1:
            raise InvalidArgument(
                "answer",
                given=f"shapes {' and '.join(sorted({str(row.shape) for row in rows}))}",
                needed="one shape for all jobs",
                change="Let the function return the same shape, whatever its arguments.",
            )
        return np.stack(rows)
