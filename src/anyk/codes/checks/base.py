"""The seam of checks: secrets made once for the left factors, then tests of any products."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NoReturn

from numpy.typing import NDArray

__all__ = ["AbstractKeys", "AbstractTest"]


def refuse_pickling(secret: object) -> NoReturn:
    """What stays where it was made does not go into a pickle.

    Raises:
        TypeError: always.
    """
    raise TypeError(
        f"{type(secret).__name__} holds what no worker may know, and is not pickled: make it anew "
        "where it is needed"
    )


class AbstractTest(ABC):
    """Tells products from lies, for factors that are known.

    Example:
        >>> from anyk.codes.checks.keys import product_keys
        >>> left, right = np.ones((2, 3, 4)), np.ones((2, 4, 5))
        >>> test = product_keys(anyk.Reals(), left).against(right)
        >>> test.passes(1, left[1] @ right[1]), test.passes(1, np.zeros((3, 5)))
        (True, False)
    """

    __slots__ = ()

    def __reduce__(self) -> NoReturn:
        """Refused."""
        refuse_pickling(self)

    @abstractmethod
    def passes(self, share: int, value: NDArray[Any]) -> bool:
        """Whether this is the product of the factors of a share.

        Args:
            share: which one.
            value: ndarray of the domain; of another shape than the product it does not pass.
        """


class AbstractKeys(ABC):
    """Secrets for the left factor of each share; use them for as many right ones as you like.

    They may be used again as long as no worker is told how near its lie came; whether it passed,
    it may know. They are not pickled, and not in any repr.

    Example:
        >>> from anyk.codes.checks.keys import product_keys
        >>> product_keys(anyk.Reals(), np.ones((2, 3, 4)))
        <FloatKeys of 2 shares>
    """

    __slots__ = ()

    def __reduce__(self) -> NoReturn:
        """Refused."""
        refuse_pickling(self)

    @abstractmethod
    def against(self, right: NDArray[Any]) -> AbstractTest:
        """The test of the products with these right factors.

        Args:
            right: ndarray (shares, inner, columns), or (shares, inner) for vectors; (1, ..) where
                one factor is for all.

        Raises:
            InvalidArgument: if the shapes do not fit.
        """

    @property
    @abstractmethod
    def smallest_lie(self) -> float:
        """From which size on a lie is found but for a chance of `escapes`; 0.0 where any is."""

    @property
    @abstractmethod
    def escapes(self) -> float:
        """With which chance a lie of that size is not found, whatever it is."""
