"""A function on a worker of a field scheme: what it is called with, and what its result may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from anyk.degrees.of_degree import OfDegree, bare
from anyk.domains.array import FieldArray
from anyk.domains.extent import Extent
from anyk.errors import AnykError, DegreeTooHigh, InvalidArgument
from anyk.work import Function

__all__ = ["Promised", "known_of", "need_declaration", "together"]


@final
@dataclass(frozen=True)
class Promised:
    """A function whose result is refused if it is not what the master will take it for.

    Args:
        function: the user's, or its name.
        inputs: what is known of each argument in turn; None of what is no share, and of all that
            come after the last.
        degree: the highest degree in the encoded arguments that the scheme decodes; None where it
            takes any function.
        result: in fixed point, what the master counts on: the bits that it reads the result with,
            and the largest integers and error. None elsewhere.
        bounded: in fixed point, whether somebody declared how large results are: a function that
            `of_degree` wraps needs that.

    Example:
        >>> from anyk.degrees.promised import Promised
        >>> from anyk.domains.extent import Extent
            >>> square = Promised(lambda x: x * x, (Extent(1),), degree=2)
        >>> square(anyk.PrimeField(7).array([3]))
        PrimeField(7).array([2])
    """

    function: Function
    inputs: tuple[Extent | None, ...] = ()
    degree: int | None = None
    result: Extent | None = None
    bounded: bool = False

    def __call__(self, *arguments: Any) -> Any:
        """The function's result, with the bits that the master reads it with.

        Raises:
            DegreeTooHigh: if its degree is too high.
            InvalidArgument: if nothing is known of it, or it may be larger than the master thinks.
        """
        function = self.function
        if isinstance(function, str):
            raise TypeError(f"{function!r} is a name, and no function")
        if isinstance(function, OfDegree):
            check_degree(function.degree, self.degree)
            if self.result is not None:
                need_declaration(declared=self.bounded)
            return together(function(*arguments))
        if self.degree is None and self.result is None:
            return together(function(*arguments))
        lacking = (None,) * (len(arguments) - len(self.inputs))
        given = [
            _known(argument, extent)
            for argument, extent in zip(arguments, (*self.inputs, *lacking), strict=True)
        ]
        result = together(function(*given))
        known = known_of(result)
        check_degree(known.degree, self.degree)
        if self.result is None:
            return bare(result)
        lacks = _lacking_bits(known, self.result)
        return bare(result) * (1 << lacks) if lacks else bare(result)


def _known(argument: Any, extent: Extent | None) -> Any:
    """A share, with what is known of it."""
    if extent is None or not isinstance(argument, FieldArray):
        return argument
    return argument.known_as(extent)


def known_of(result: Any) -> Extent:
    """What is known of what a function returned.

    Args:
        result: that.

    Raises:
        InvalidArgument: if it is no FieldArray, or one that does not come of the arguments.

    Example:
        >>> from anyk.degrees.promised import known_of
        >>> known_of(np.zeros(2))
        Traceback (most recent call last):
        anyk.errors.InvalidArgument: answer: got ndarray; needed: a FieldArray, which knows its
        degree. Compute with the arguments as they come; a polynomial that is computed otherwise is
        passed as anyk.of_degree(f, degree).
    """
    if isinstance(result, FieldArray) and result.extent is not None:
        return result.extent
    constant = isinstance(result, FieldArray)
    raise InvalidArgument(
        "answer",
        given="a FieldArray made of others' values" if constant else type(result).__name__,
        needed="a FieldArray, which knows its degree",
        change="Compute with the arguments as they come; a polynomial that is computed otherwise "
        "is passed as anyk.of_degree(f, degree).",
    )


def check_degree(degree: int, promised: int | None) -> None:
    """Refuse a degree above that which a scheme decodes.

    Args:
        degree: of a function.
        promised: of the scheme; None where it takes any function.

    Raises:
        DegreeTooHigh: if it is.
    """
    if promised is not None and degree > promised:
        raise DegreeTooHigh(degree=degree, promised=promised)


def need_declaration(*, declared: bool) -> None:
    """Refuse a function that `of_degree` wraps, in fixed point, of whose results nothing is known.

    Args:
        declared: whether `FixedPoint` says how large they are.

    Raises:
        InvalidArgument: if it does not.
    """
    if not declared:
        raise InvalidArgument(
            "embedding",
            given="no summands, for a function that of_degree wraps",
            needed="how many products add up in its results, as nobody follows it",
            change="Pass summands= to FixedPoint, or the function without of_degree.",
        )


def _lacking_bits(known: Extent, counted: Extent) -> int:
    """How many fraction bits a result needs more, if it is then what the master counts on."""
    lacks = counted.bits - known.bits
    aligned = known.aligned(counted.bits) if lacks > 0 else known
    if (
        lacks >= 0
        and (aligned.bound or 0) <= (counted.bound or 0)
        and aligned.error <= counted.error
    ):
        return lacks
    raise InvalidArgument(
        "embedding",
        given=f"a result of {known.bits} fraction bits, up to {_size(known)}",
        needed=f"{counted.bits} bits, up to {_size(counted)}, of the budget",
        change="Leave degree, summands and coefficient out with anyk.run; or declare larger ones.",
    )


def _size(extent: Extent) -> str:
    return f"2^{(extent.bound or 0).bit_length() - extent.bits}"


def together(result: Any) -> Any:
    """What a function returned, as one array where it is a list of FieldArrays.

    Args:
        result: that; of anything else, it is given back as it is.

    Raises:
        InvalidArgument: if they can't be stacked.

    Example:
        >>> from anyk.degrees.promised import together
        >>> x = anyk.PrimeField(7).array([1, 2])
        >>> together([x, 2 * x]).shape
        (2, 2)
    """
    if not isinstance(result, (list, tuple)) or not _hold_arrays(result):
        return result
    try:
        return np.stack([together(each) for each in result])
    except AnykError:
        raise
    except ValueError as error:
        raise InvalidArgument(
            "answer",
            given=f"a {type(result).__name__} of arrays: {error}",
            needed="arrays of one shape",
            change="Return one array, or arrays that can be stacked.",
        ) from None


def _hold_arrays(values: Any) -> bool:
    return isinstance(values, FieldArray) or (
        isinstance(values, (list, tuple)) and any(_hold_arrays(each) for each in values)
    )
