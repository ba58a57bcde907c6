"""The check of answers that are products: `verified=True`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import shown
from anyk.codes.checks.base import AbstractKeys
from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument
from anyk.schemes.check import AbstractCheck

__all__ = ["ProductCheck", "Verified", "settle_verified"]

Verified = bool | Literal["single"]
"""Whether answers are checked; "single" where honest ones may be of single precision."""


def settle_verified(scheme: Any) -> None:
    """Make the field `verified` of a frozen scheme what it may be.

    Args:
        scheme: a frozen dataclass with a domain, in its `__post_init__`.

    Raises:
        InvalidArgument: if it is no bool and not "single", or that over a field.
    """
    given = scheme.verified
    if isinstance(given, (bool, np.bool_)):
        object.__setattr__(scheme, "verified", bool(given))
        return
    exact = isinstance(scheme.domain, PrimeField)
    if exact or not (isinstance(given, str) and given == "single"):
        raise InvalidArgument(
            "verified",
            given=shown(given),
            needed="True or False" if exact else 'True, False or "single"',
            change="Pass True: each answer is checked when it comes.",
        )


@final
@dataclass(frozen=True, eq=False, repr=False)
class ProductCheck(AbstractCheck):
    """Whether an answer is the product of the two parts of its share.

    Args:
        keys: made of the left parts.
        right: the right parts, ndarray (shares, inner, columns) or (shares, inner).

    Example:
        >>> A, B = np.arange(12).reshape(3, 4), np.arange(8).reshape(4, 2)
        >>> scheme = anyk.Polynomial(partition=(1, 1, 1), workers=2, adversaries=1, verified=True)
        >>> check = scheme.encode((A, B)).check
        >>> check.passes(1, A @ B), check.passes(1, A @ B + 1), check.smallest_lie
        (True, False, 0.0)
    """

    keys: AbstractKeys
    right: NDArray[Any]

    @property
    def smallest_lie(self) -> float:
        """From which size on a lie is found, but for a chance of `escapes`; 0.0 where any is.

        The size is that of a column of the answer that is off, relative to what the column would be
        at most if nothing in it cancelled: sum_k ||A~_k|| |b~_k|, over the columns A~_k of A~.
        """
        return self.keys.smallest_lie

    @property
    def escapes(self) -> float:
        """With which chance a lie of that size passes, whatever it is."""
        return self.keys.escapes

    def passes(self, share: int, value: NDArray[Any]) -> bool:
        """Whether this is the product of the parts of a share, but for that chance or rounding.

        Args:
            share: which one.
            value: ndarray of the domain; one of a wrong shape does not pass.
        """
        return self.keys.against(self.right).passes(share, value)

    def __repr__(self) -> str:
        return f"<check by {self.keys!r}>"
