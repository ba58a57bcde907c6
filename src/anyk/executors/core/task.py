"""What is sent to a worker: work, between the arrays of the wire and those of a domain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from numpy.typing import NDArray

from anyk.domains.base import AbstractDomain
from anyk.work import AbstractWork

__all__ = ["WorkerTask"]


@final
@dataclass(frozen=True)
class WorkerTask:
    """What a worker runs, on arrays of the scheme's domain.

    Args:
        work: what is run on the parts of a share.
        domain: what presents arrays to it, and accepts its result.
        per_worker: which of the other arguments are shares too.
        parts: how many arrays a share has.

    Example:
        >>> from anyk.executors.core.task import WorkerTask
        >>> from anyk.work import Plain
        >>> WorkerTask(Plain(np.sqrt), anyk.Reals())(np.array([4.0, 9.0]))
        array([2., 3.])
    """

    work: AbstractWork
    domain: AbstractDomain
    per_worker: tuple[bool, ...] = ()
    parts: int = 1

    def __call__(self, *inputs: Any) -> NDArray[Any]:
        """The answer on one share: its parts come first, then the arguments."""
        present = self.domain.present
        parts = [present(part) for part in inputs[: self.parts]]
        arguments = [
            present(argument) if own else argument
            for argument, own in zip(inputs[self.parts :], self.per_worker, strict=True)
        ]
        return self.domain.accept(self.work(parts, arguments))
