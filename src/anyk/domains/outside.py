"""What other packages made of numbers: read where nothing is lost, or refused with what to do."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from anyk.errors import InvalidArgument

__all__ = ["are_tensors", "is_tensor", "plain"]

_LABELLED = {"cudf", "modin", "pandas", "polars", "pyarrow", "xarray"}


def is_tensor(value: Any) -> bool:
    """Whether it is a tensor of torch, which is not loaded to tell.

    Args:
        value: anything.

    Example:
        >>> from anyk.domains.outside import is_tensor
        >>> is_tensor(np.ones(3))
        False
    """
    torch = sys.modules.get("torch")
    kind = getattr(torch, "Tensor", None)
    return isinstance(kind, type) and isinstance(value, kind)


def are_tensors(values: Any) -> bool:
    """Whether these are tensors: one, or a list of nothing else.

    Args:
        values: anything.
    """
    if isinstance(values, (list, tuple)):
        return bool(values) and all(map(is_tensor, values))
    return is_tensor(values)


def plain(values: Any, argument: str, kind: str, *, labels: bool = True) -> Any:
    """The same for numpy to read, or to refuse.

    Tensors are taken off their graph, and share their memory; what is not in the memory of this
    machine's CPUs, or of a type that numpy does not have, is refused.

    Args:
        values: an array, a list of arrays, or anything else.
        argument: its name, for the error.
        kind: what its values should be, in the plural.
        labels: whether names of rows and columns, and units, may be lost.

    Raises:
        InvalidArgument: if something of it would be lost.

    Example:
        >>> from anyk.domains.outside import plain
        >>> plain([1, 2], "X", "numbers")
        [1, 2]
    """
    if isinstance(values, (list, tuple)):
        if not any(_foreign(each) for each in values):
            return values
        return [_plain(each, argument, kind, labels=labels) for each in values]
    return _plain(values, argument, kind, labels=labels) if _foreign(values) else values


def _foreign(value: Any) -> bool:
    """Whether another package made it."""
    return type(value).__module__.partition(".")[0] not in {"builtins", "numpy"}


def _plain(value: Any, argument: str, kind: str, *, labels: bool) -> Any:
    """The same for one that another package made."""
    if is_tensor(value):
        return _numpy_of(value, argument)
    name = type(value).__name__
    package = type(value).__module__.partition(".")[0]
    if type(value).__module__.startswith("scipy.sparse"):
        raise InvalidArgument(
            argument,
            given=f"{name}, which is sparse",
            needed=f"a dense array of {kind}",
            change="Pass .toarray(); anyk.Sparse alone takes a sparse factor A of a product.",
        )
    if not labels and package in _LABELLED:
        raise InvalidArgument(
            argument,
            given=f"{name} of {package}, whose labels and types of columns would be lost",
            needed=f"arrays of {kind}",
            change="Pass .to_numpy() of it; anyk.map takes any Python values as they are.",
        )
    if isinstance(value, np.ndarray):
        raise InvalidArgument(
            argument,
            given=f"{name} of {package}, whose rules of arithmetic would be lost",
            needed=f"an array of {kind}",
            change="Pass .view(np.ndarray) if its plain numbers are meant.",
        )
    return value


def _numpy_of(tensor: Any, argument: str) -> Any:
    """A tensor as an ndarray in the same memory, where numpy has such numbers."""
    dtype = str(tensor.dtype).removeprefix("torch.")
    if tensor.device.type != "cpu":
        raise InvalidArgument(
            argument,
            given=f"a tensor on the device {tensor.device}",
            needed="tensors in the memory of this machine's CPUs",
            change="Pass .cpu(); on meta there are no numbers. Move data to a worker's own device "
            "in the function, and its result back.",
        )
    if str(tensor.layout) != "torch.strided":
        raise InvalidArgument(
            argument,
            given=f"a tensor of the layout {tensor.layout}",
            needed="a dense tensor",
            change="Pass .to_dense().",
        )
    try:
        return tensor.detach().resolve_conj().resolve_neg().numpy()
    except (TypeError, RuntimeError) as error:
        raise InvalidArgument(
            argument,
            given=f"a tensor of {dtype}, a type that numpy does not have",
            needed="float32, float64, integers, booleans or complex numbers",
            change="Pass .float().",
        ) from error
