"""`of_degree`: a polynomial that is computed by other means than a `FieldArray` has."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, final

from anyk.checks import count, instance
from anyk.domains.array import FieldArray

__all__ = ["OfDegree", "bare", "of_degree"]


@final
class OfDegree:
    """A function, and the degree that its author says it has: `anyk.of_degree` makes it.

    Args:
        function: f, of FieldArrays.
        degree: d.
    """

    def __init__(self, function: Callable[..., Any], degree: int) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.degree = degree

    def __call__(self, *arguments: Any) -> Any:
        """The function of the same arguments, of which nothing is known but their residues."""
        return self.function(*(bare(argument) for argument in arguments))

    def __repr__(self) -> str:
        return f"of_degree({self.function!r}, {self.degree})"


def of_degree(function: Callable[..., Any], degree: int) -> OfDegree:
    """Say the degree of a function that computes with residues in its own way.

    A field scheme decodes polynomials. It reads the degree of a function from the `FieldArray` that
    it returns, and refuses what has none. A function that takes the residues out of its arguments,
    by `x.values`, gives them to code of its own and returns integers has its degree from its
    author: nobody checks it, and if it is wrong, so is the value.

    With `FixedPoint` the numbers declared there count for it too: the integers that it returns have
    `result_bits` fraction bits, so that terms of lower degree have to be multiplied with a power of
    two, and `summands` has to be given.

    Args:
        function: f. Its arguments are FieldArrays where they are shares; it returns a FieldArray,
            integers of any sign, or a list of them.
        degree: of f as a polynomial modulo the prime, in all arguments that are encoded together.

    Returns:
        The same function for `anyk.run` and `Distributed.run`, which travels to workers as f does.
        On `anyk.Remote`, wrap it in the workers' module.

    Raises:
        InvalidArgument: if the degree is no integer of at least 0.

    Example:
        >>> def squares(x):
        ...     return np.frompyfunc(lambda a: int(a) ** 2, 1, 1)(x.values)  # Python's integers
        >>> scheme = anyk.Lagrange(blocks=2, degree=2, workers=4)
        >>> with anyk.Inline(4) as executor:
        ...     anyk.run(scheme, anyk.of_degree(squares, 2), [[1, 2], [3, 4]], executor).value
        array([[ 1,  4],
               [ 9, 16]])
    """
    instance("function", function, Callable, change="Pass a function of one block.")
    return OfDegree(function, count("degree", degree, least=0))


def bare(argument: Any) -> Any:
    """An argument without what is known of it, if it is a FieldArray.

    Args:
        argument: of any type.
    """
    if isinstance(argument, FieldArray) and argument.extent is not None:
        return argument.known_as(None)
    return argument
