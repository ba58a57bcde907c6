"""What a worker runs on the parts of a share: the user's function, or what a scheme makes of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import UserDict, UserList, deque
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, is_dataclass
from numbers import Number
from types import SimpleNamespace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.domains.array import FieldArray
from anyk.domains.base import AbstractDomain, ndarray_of
from anyk.errors import InvalidArgument

__all__ = [
    "AbstractWork",
    "Combined",
    "CombinedInKind",
    "EachPrime",
    "Function",
    "Plain",
    "Product",
    "ProductModulo",
    "SparseProduct",
    "WorkerTask",
    "own_copies",
]

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
        return _callable(self.function)(*parts, *arguments)


@final
@dataclass(frozen=True)
class EachPrime(AbstractWork):
    """Another work, once for each prime of a residue number system.

    Each time it has copies of its own of the arguments, so that what a function writes in them is
    not seen by the next prime.

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
        primes = len(parts[0])
        return tuple(
            _kept(
                self.work(
                    [part[place] for part in parts],
                    [
                        argument[place] if own else argument
                        for argument, own in zip(given, self.per_worker, strict=True)
                    ],
                )
            )
            for place, given in enumerate(_for_each_call(arguments, primes))
        )


@final
@dataclass(frozen=True)
class Combined(AbstractWork):
    """One combination c_1 f(X_1) + .. + c_m f(X_m), of the blocks that a worker holds.

    The share has two parts: the blocks, (m, *shape), and the coefficients, (m,). The function has
    copies of its own of the arguments for each block.

    Args:
        function: f, whose results are numbers, of one shape for all blocks.

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
        total, first = None, None
        for coefficient, result in zip(
            coefficients, _results(self.function, blocks, arguments), strict=True
        ):
            first = result.shape if first is None else first
            _check_shape(result.shape, first)
            with np.errstate(over="ignore", invalid="ignore"):  # the domain refuses Inf and NaN
                term = coefficient * result
                total = term if total is None else total + term
        return total


@final
@dataclass(frozen=True)
class CombinedInKind(AbstractWork):
    """The same, in the type of the function's results: floats and complex numbers keep theirs.

    The sum is made in double precision and rounded once. Of whole numbers it is in double
    precision, or one of them itself, where there is one block with the coefficient 1.

    Args:
        function: f, whose results are numbers, of one shape for all blocks.

    Example:
        >>> from anyk.work import CombinedInKind
        >>> blocks = np.array([[1.0], [2.0]], dtype=np.float32)
        >>> CombinedInKind(np.square)([blocks, np.array([1.0, -1.0])], [])
        array([-3.], dtype=float32)
    """

    function: Function

    @property
    def users(self) -> Function:
        """The function."""
        return self.function

    def __call__(self, parts: Sequence[Any], arguments: Sequence[Any]) -> Any:
        """The sum of c_j f(X_j, argument, ..)."""
        blocks, weights = parts[0], np.asarray(parts[1])
        total: Any = None
        kinds = []
        for weight, result in zip(weights, _results(self.function, blocks, arguments), strict=True):
            if len(weights) == 1 and weight == 1:
                return result
            _check_shape(result.shape, result.shape if total is None else total.shape)
            _check_long(result)
            kinds.append(result.dtype)
            with np.errstate(over="ignore", invalid="ignore"):  # the domain refuses Inf and NaN
                term = np.asarray(weight * result)
                total = term if total is None else total + term
        kind = np.result_type(*kinds)
        with np.errstate(over="ignore"):
            return total.astype(kind) if kind.kind in "fc" else total


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
class ProductModulo(AbstractWork):
    """The product of two parts modulo the number in the part before them.

    Residues are those nearest to zero, and nothing is rounded.

    Example:
        >>> from anyk.work import ProductModulo
        >>> ProductModulo()([np.array([7]), np.array([[3, 2]]), np.array([[3], [-2]])], [])
        array([[-2]])
    """

    @property
    def users(self) -> None:
        """None: there is none."""
        return

    def __call__(self, parts: Sequence[Any], arguments: Sequence[Any]) -> Any:
        """A~ @ B~ modulo p."""
        from anyk.domains.balanced import product_modulo  # noqa: PLC0415 - small primes alone

        modulus, left, right = (*parts, *arguments)
        return product_modulo(modulus, left, right)


@final
@dataclass(frozen=True)
class SparseProduct(AbstractWork):
    """The product of a matrix that may be sparse, and a dense one.

    A sparse matrix has three parts, of which the other one comes behind: its entries that are not
    zero, row after row, their columns, and where each row begins. The first two may be longer.

    Example:
        >>> from anyk.work import SparseProduct
        >>> entries, columns, starts = np.array([2.0, 3.0]), np.array([1, 0]), np.array([0, 1, 2])
        >>> SparseProduct()([entries, columns, starts, np.array([5.0, 7.0])], [])
        array([14., 15.])
        >>> SparseProduct()([np.ones((1, 3)), np.ones((3, 1))], [])
        array([[3.]])
    """

    @property
    def users(self) -> None:
        """None: there is none."""
        return

    def places(self, parts: int) -> range:
        """The columns, and where rows begin."""
        return range(1, 3) if parts > _DENSE else range(0)

    def __call__(self, parts: Sequence[Any], arguments: Sequence[Any]) -> Any:
        """A~ @ B~, in a time that is proportional to the entries of A~."""
        *left, right = (*parts, *arguments)
        if len(left) == 1:
            return left[0] @ right
        from anyk.domains.sparse import SparseRows  # noqa: PLC0415 - sparse matrices alone

        data, indices, starts = left
        if not isinstance(data, FieldArray):
            return SparseRows.padded(data, indices, starts).times(right)
        field: Any = data.field
        rows = SparseRows.padded(data.values, indices, starts)
        return FieldArray(rows.times_modulo(right.values, field.modulus), field)


_EXACT = 1 << 53  # up to which double precision holds all whole numbers
_DENSE = 2  # parts of a share of two dense factors


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
        present = self.domain.present
        places = self.work.places(self.parts)
        parts = [
            part if place in places else present(part)
            for place, part in enumerate(inputs[: self.parts])
        ]
        arguments = [
            present(argument) if own else argument
            for argument, own in zip(inputs[self.parts :], self.per_worker, strict=True)
        ]
        return self.domain.accept(self.work(parts, arguments))


def own_copies(value: Any, *, fresh: bool = False) -> Any:
    """A value of which nobody else has the arrays.

    Args:
        value: arrays are copied, also those of other packages, and whatever lists, tuples, dicts,
            dataclasses and the like hold of them; functions, models and other objects are as they
            are.
        fresh: whether nobody else has them anyway: what can be written in needs no copy.

    Example:
        >>> from anyk.work import own_copies
        >>> mine = [np.zeros(2), "text"]
        >>> theirs = own_copies(mine)
        >>> theirs[0] += 1
        >>> mine
        [array([0., 0.]), 'text']
    """
    return _own(value, {}, fresh=fresh)


def _own(value: Any, copies: dict[int, Any], *, fresh: bool) -> Any:
    """The same; with the copies of what was met already, by identity."""
    if id(value) in copies:
        return copies[id(value)]
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        copies[id(value)] = value if fresh and value.flags.writeable else value.copy(order="K")
        return copies[id(value)]
    if type(value) in {list, dict, tuple}:
        return _own_container(value, copies, fresh=fresh)
    if isinstance(value, _HOLDERS) or hasattr(type(value), "__array__") or is_dataclass(value):
        return deepcopy(value, copies)
    return value


def _own_container(value: Any, copies: dict[int, Any], *, fresh: bool) -> Any:
    if type(value) is list:
        items: list[Any] = copies.setdefault(id(value), [])
        items += [_own(each, copies, fresh=fresh) for each in value]
        return items
    if type(value) is dict:
        table: dict[Any, Any] = copies.setdefault(id(value), {})
        table |= {key: _own(each, copies, fresh=fresh) for key, each in value.items()}
        return table
    return tuple(_own(each, copies, fresh=fresh) for each in value)


_HOLDERS = (list, tuple, dict, UserDict, UserList, deque, SimpleNamespace)


def _callable(function: Function) -> Callable[..., Any]:
    if isinstance(function, str):
        raise TypeError(f"{function!r} is a name, and no function")
    return function


def _for_each_call(arguments: Sequence[Any], calls: int) -> Iterator[Sequence[Any]]:
    """The arguments, once a call: copies, of which a function may write in its own."""
    for _ in range(calls - 1):
        yield own_copies(list(arguments))
    yield arguments


def _kept(result: Any) -> Any:
    """A result that stays as it is, though the next call may use its memory again."""
    if isinstance(result, FieldArray):
        return FieldArray(result.values.copy(), result.field)
    return own_copies(result)


def _results(function: Function, blocks: Sequence[Any], arguments: Sequence[Any]) -> Iterator[Any]:
    """What the function makes of each block, with arguments of its own each time."""
    f = _callable(function)
    for block, given in zip(blocks, _for_each_call(arguments, len(blocks)), strict=True):
        yield _numbers(f(block, *given))


def _check_shape(shape: tuple[int, ...], first: tuple[int, ...]) -> None:
    """Refuse results that can't be added up."""
    if shape != first:
        raise InvalidArgument(
            "answer",
            given=f"shape {first} for one block and {shape} for another",
            needed="one shape for all blocks, as the results are added up",
            change="Let the function return the same shape for every block.",
        )


def _check_long(result: Any) -> None:
    """Refuse whole numbers that double precision does not hold."""
    if result.dtype.kind in "iu" and result.size:
        largest = max(abs(int(result.max())), abs(int(result.min())))
        if largest > _EXACT:
            raise InvalidArgument(
                "answer",
                given=f"the whole number {largest}, to be multiplied by a float",
                needed=f"whole numbers of at most {_EXACT}, which double precision holds",
                change="Let the function return floats, or take a prime field as domain=.",
            )


def _numbers(result: Any) -> Any:
    """What a function returned, as an array that can be multiplied; field elements as they are."""
    if isinstance(result, FieldArray):
        return result
    array = ndarray_of(result, "answer", kind="numbers")
    kind = array.dtype.kind
    if kind in "biufc" or (kind == "O" and all(isinstance(each, Number) for each in array.flat)):
        return array
    raise InvalidArgument(
        "answer",
        given=f"{type(result).__name__} of dtype {array.dtype}",
        needed="numbers",
        change="Return an array of numbers.",
    )
