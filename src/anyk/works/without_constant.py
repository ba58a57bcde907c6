"""`WithoutConstant`: the user's function, if it makes 0 of a share of zeros."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from anyk.domains.array import FieldArray
from anyk.errors import InvalidArgument
from anyk.own_copies import own_copies
from anyk.work import AbstractWork, Function, callable_of

__all__ = ["WithoutConstant"]


@final
@dataclass(frozen=True)
class WithoutConstant(AbstractWork):
    """The user's function, which is called on zeros too and refused if it makes anything of them.

    For codes that recover sums of linear functions, and lose a constant.

    Args:
        function: f, of one share over a prime field and of arguments that are none.

    Example:
        >>> from anyk.works.without_constant import WithoutConstant
        >>> x = anyk.PrimeField(2).array([1, 0])
        >>> WithoutConstant(lambda x: x + 1)([x], [])
        Traceback (most recent call last):
        anyk.errors.InvalidArgument: answer: got a constant: the function of zeros is not 0; needed:
        a linear function, as over GF(2) a sum of an odd number of them loses constants. Append a
        block of zeros to X, and take blocks= one more: what f makes of it is in the sum.
    """

    function: Function

    @property
    def users(self) -> Function:
        """The function."""
        return self.function

    def __call__(self, parts: Sequence[Any], arguments: Sequence[Any]) -> Any:
        """f(part, argument, ..)."""
        function = callable_of(self.function)
        nothing: list[FieldArray] = [part - part for part in parts]
        constant = function(*nothing, *own_copies(list(arguments)))
        if any(part.field.accept(constant).any() for part in parts):
            raise InvalidArgument(
                "answer",
                given="a constant: the function of zeros is not 0",
                needed="a linear function, as over GF(2) a sum of an odd number of them loses "
                "constants",
                change="Append a block of zeros to X, and take blocks= one more: what f makes of "
                "it is in the sum.",
            )
        return function(*parts, *arguments)
