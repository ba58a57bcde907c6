"""`Torch`: numbers that the user's function sees as tensors, and that come back as tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import instance
from anyk.domains.base import AbstractDomain, ndarray_of
from anyk.domains.outside import are_tensors
from anyk.domains.real import Complex, Reals
from anyk.domains.values import Values

__all__ = ["Torch", "domain_for"]

_AS_GIVEN = Values()


@final
@dataclass(frozen=True)
class Torch(AbstractDomain):
    """Tensors of torch, on CPUs: a function is called with them, and the value is one.

    Where data are tensors, or a list of tensors, schemes take it by themselves: `Replication` in
    the dtype in which they come, so that token ids stay integers; schemes that approximate in the
    float dtype of the data. Data that are ndarrays become tensors with `domain=anyk.Torch()`.

    Data that require a gradient are taken off their graph, and so is what a function returns:
    gradients end at the worker. bfloat16 is refused, as numpy has no such numbers, and so are
    tensors elsewhere than in the memory of CPUs.

    Args:
        of: what their numbers are: `Values()`, `Reals()` or `Complex()`.

    Raises:
        InvalidArgument: if it is another domain.

    Example:
        >>> import torch
        >>> scheme = anyk.Replication(blocks=2, workers=4)
        >>> with anyk.Inline(4) as executor:
        ...     anyk.run(scheme, torch.relu, torch.tensor([[-1, 2], [3, -4]]), executor).value
        tensor([[0, 2],
                [3, 0]])
    """

    of: AbstractDomain = _AS_GIVEN

    def __post_init__(self) -> None:
        change = "Pass anyk.Reals(dtype=np.float32), say, or leave it out."
        instance("of", self.of, (Values, Reals, Complex), change=change)

    @property
    def exact(self) -> bool:
        """False: floats round."""
        return self.of.exact

    @property
    def finite(self) -> bool:
        """As its numbers."""
        return self.of.finite

    @property
    def dtype(self) -> Any:
        """Of its numbers, as ndarrays."""
        return self.of.dtype

    def holds(self, dtype: Any) -> bool:
        """As its numbers."""
        return self.of.holds(dtype)

    def validate(self, values: Any, argument: str) -> NDArray[Any]:
        """Arrays or tensors as ndarrays; else InvalidArgument."""
        return self.of.validate(values, argument)

    def present(self, values: NDArray[Any]) -> Any:
        """A tensor in the same memory, where it can be written in."""
        import torch  # noqa: PLC0415 - who has tensors has it; others never need it

        array = np.asarray(values)  # a number of its own, of an argument, is none
        return torch.from_numpy(array if array.flags.writeable else array.copy())

    def accept(self, result: Any) -> NDArray[Any]:
        """A function's result, a tensor or an array, as an ndarray."""
        return self.of.accept(result)

    def returned(self, value: NDArray[Any]) -> Any:
        """The value as a tensor."""
        return self.present(np.array(value, order="C"))

    def matmul(self, small: Any, big: Any) -> NDArray[Any]:
        """As its numbers."""
        return self.of.matmul(small, big)


def domain_for(domain: AbstractDomain, X: Any) -> AbstractDomain:
    """The domain of these data: tensors, where they are such.

    Args:
        domain: of the scheme.
        X: the data.

    Returns:
        `Torch` of the domain for tensors, in single precision where these are and a scheme takes
        reals or complex numbers; else the domain itself.

    Example:
        >>> import torch
        >>> from anyk.domains.tensors import domain_for
        >>> domain_for(anyk.Reals(), torch.ones(3))
        Torch(of=Reals(dtype=np.float32))
        >>> domain_for(anyk.Reals(), np.ones(3))
        Reals()
    """
    if not are_tensors(X):
        return domain
    if not isinstance(domain, (Reals, Complex)):
        return Torch(domain) if isinstance(domain, Values) else domain
    first = X[0] if isinstance(X, (list, tuple)) else X
    array = ndarray_of(first, "X", kind="numbers")
    if array.dtype not in (np.float32, np.complex64):
        return Torch(domain)
    return Torch(_single(domain))


def _single(domain: Reals | Complex) -> Reals | Complex:
    if isinstance(domain, Reals):
        return Reals(dtype=np.float32)
    return Complex(dtype=np.complex64)
