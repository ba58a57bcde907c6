"""What a worker runs on the parts of a share: the user's function, or what a scheme makes of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.domains.base import AbstractDomain

__all__ = ["AbstractWork", "Combined", "EachPrime", "Function", "Plain", "Product", "WorkerTask"]

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
        return _callable(self.function)(*parts, *arguments)


@final
@dataclass(frozen=True)
class EachPrime(AbstractWork):
    """Another work, once for each prime of a residue number system.

    Args:
        work: what is run on field elements.
        per_worker: for each argument, whether it is a share, so a tuple of one array a prime;
            the other arguments reach every prime as they are.

    Example:
        >>> from anyk.domains.ring import ResidueRing
        >>> from anyk.work import EachPrime, Plain
        >>> ring = ResidueRing((anyk.PrimeField(5), anyk.PrimeField(7)))
        >>> cube = EachPrime(Plain(pow), (False,))
        >>> ring.accept(cube([ring.present(ring.constant([-2]))], [3])).tolist()  # -8
        [[2, 6]]
    """

    work: AbstractWork
    per_worker: tuple[bool, ...]

    @property
    def users(self) -> Function | None:
        """That of the work within."""
        return self.work.users

    def __call__(self, parts: Sequence[Any], arguments: Sequence[Any]) -> tuple[Any, ...]:
        """What the work returns for each prime."""
        return tuple(
            self.work(
                [part[place] for part in parts],
                [
                    argument[place] if own else argument
                    for argument, own in zip(arguments, self.per_worker, strict=True)
                ],
            )
            for place in range(len(parts[0]))
        )


@final
@dataclass(frozen=True)
class Combined(AbstractWork):
    """One combination c_1 f(X_1) + .. + c_m f(X_m), of the blocks that a worker holds.

    The share has two parts: the blocks, (m, *shape), and the coefficients, (m,).

    Args:
        function: f.

    Example:
        >>> from anyk.work import Combined
        >>> Combined(np.square)([np.array([[1.0], [2.0]]), np.array([1.0, -1.0])], [])
        array([-3.])
    """

    function: Function

    @property
    def users(self) -> Function:
        """The function."""
        return self.function

    def __call__(self, parts: Sequence[Any], arguments: Sequence[Any]) -> Any:
        """The sum of c_j f(X_j, argument, ..)."""
        blocks, coefficients = parts
        f = _callable(self.function)
        terms = (
            coefficient * _array(f(block, *arguments))
            for coefficient, block in zip(coefficients, blocks, strict=True)
        )
        return reduce(add, terms)


@final
@dataclass(frozen=True)
class Product(AbstractWork):
    """The product of the two parts of a share.

    Example:
        >>> from anyk.work import Product
        >>> Product()([np.ones((1, 3)), np.ones((3, 1))], [])
        array([[3.]])
    """

    @property
    def users(self) -> None:
        """None: there is none."""
        return

    def __call__(self, parts: Sequence[Any], arguments: Sequence[Any]) -> Any:
        """A~ @ B~."""
        left, right = (*parts, *arguments)
        return left @ right


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

    def __call__(self, *inputs: Any) -> NDArray[Any]:
        """The answer on one share: its parts come first, then the arguments."""
        present = self.domain.present
        parts = [present(part) for part in inputs[: self.parts]]
        arguments = [
            present(argument) if own else argument
            for argument, own in zip(inputs[self.parts :], self.per_worker, strict=True)
        ]
        return self.domain.accept(self.work(parts, arguments))


def _callable(function: Function) -> Callable[..., Any]:
    if isinstance(function, str):
        raise TypeError(f"{function!r} is a name, and no function")
    return function


def _array(result: Any) -> Any:
    """A list, say, as an array, so that it can be multiplied; field elements as they are."""
    return np.asarray(result) if isinstance(result, (list, tuple)) else result
