"""What a worker runs on the parts of a share: the user's function, or what a scheme makes of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.domains.base import AbstractDomain
from anyk.errors import InvalidArgument
from anyk.residents import RESIDENTS

__all__ = ["AbstractWork", "Function", "Plain", "WorkerTask", "callable_of"]

Function = Callable[..., Any] | str
"""What the user wants computed; its name, where the workers have functions of their own."""


class AbstractWork(ABC):
    """What a worker runs. Picklable, and all that an executor knows of a function.

    To remote workers it travels as a name from a closed table, beside the name of the function.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def users(self) -> Function | None:
        """The user's function in it; None where there is none."""

    def places(self, parts: int) -> range:  # noqa: ARG002 - for those that have some
        """Which parts of a share are no numbers of the domain, but tell where these are.

        Args:
            parts: how many there are.
        """
        return range(0)

    @abstractmethod
    def __call__(self, parts: Sequence[Any], arguments: Sequence[Any]) -> Any:
        """The worker's result.

        Args:
            parts: of the share, as the domain presents them to functions.
            arguments: the other arguments of the call; those that are shares too, presented alike.
        """


@final
@dataclass(frozen=True)
class Plain(AbstractWork):
    """The user's function, on the parts as they are.

    Args:
        function: f.

    Example:
        >>> from anyk.work import Plain
        >>> Plain(pow)([3], [2])
        9
    """

    function: Function

    @property
    def users(self) -> Function:
        """The function."""
        return self.function

    def __call__(self, parts: Sequence[Any], arguments: Sequence[Any]) -> Any:
        """f(part, .., argument, ..)."""
        return callable_of(self.function)(*parts, *arguments)


@final
@dataclass(frozen=True, repr=False)
class _Lent:
    """A part of a share as the function is called with it.

    Args:
        value: what the domain presents.
    """

    value: Any


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
        >>> from anyk.work import Plain, WorkerTask
        >>> WorkerTask(Plain(np.sqrt), anyk.Reals())(np.array([4.0, 9.0]))
        array([2., 3.])
    """

    work: AbstractWork
    domain: AbstractDomain
    per_worker: tuple[bool, ...] = ()
    parts: int = 1

    @property
    def __name__(self) -> str:
        """What engines call it: the name of the user's function, or of what is done instead."""
        function = self.work.users
        return str(getattr(function, "__name__", type(self.work).__name__))

    def __call__(self, *inputs: Any) -> NDArray[Any]:
        """The answer on one share: its parts come first, then the arguments."""
        present = self._presented
        places = self.work.places(self.parts)
        parts = [
            part.value if isinstance(part, _Lent) else part if place in places else present(part)
            for place, part in enumerate(inputs[: self.parts])
        ]
        arguments = [
            present(argument) if own else argument
            for argument, own in zip(inputs[self.parts :], self.per_worker, strict=True)
        ]
        return self.domain.at_rest(self.domain.accept(self.work(parts, arguments)))

    def share(self, parts: Sequence[NDArray[Any]], piece: int) -> list[Any]:
        """The inputs of a call on a share that stays where it is: lent, where the domain lends.

        Args:
            parts: of shares, each (shares, *shape).
            piece: which of them.
        """
        places = self.work.places(len(parts))
        return [
            np.array(part[piece, ...]) if place in places else self._lent(part, piece)
            for place, part in enumerate(parts)
        ]

    def _lent(self, part: NDArray[Any], piece: int) -> Any:
        domain = self.domain
        prepared = RESIDENTS.prepared(domain, part, piece) if domain.lends else None
        if prepared is None:
            return np.array(part[piece, ...])
        return _Lent(domain.lend(part[piece, ...], prepared))

    def _presented(self, values: NDArray[Any]) -> Any:
        """A part of a share, or of an argument, as the function is called with it."""
        domain, given = self.domain, np.asarray(values)
        if domain.lends and not domain.holds(given.dtype):
            rests = domain.at_rest(np.zeros((), domain.dtype)).dtype
            raise InvalidArgument(
                "share",
                given=f"dtype {given.dtype}",
                needed=f"{rests}, in which numbers of {domain!r} rest and travel",
                change="Send domain.at_rest(share); both ends may need the same version of anyk.",
            )
        return domain.present(values)


def callable_of(function: Function) -> Callable[..., Any]:
    """The user's function, where it is no name.

    Raises:
        TypeError: if it is one.
    """
    if isinstance(function, str):
        raise TypeError(f"{function!r} is a name, and no function")
    return function
