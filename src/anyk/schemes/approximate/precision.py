"""In which numbers the approximate schemes work: single or double precision, arrays or tensors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.checks import shown
from anyk.domains.base import AbstractDomain
from anyk.domains.real import Complex, Reals
from anyk.domains.tensors import Torch
from anyk.domains.values import Values
from anyk.errors import InvalidArgument

__all__ = ["as_doubles", "copies_domain", "narrowed"]


def copies_domain(domain: Any) -> AbstractDomain:
    """The domain of a scheme of copies that estimates some: finite numbers of any type.

    Args:
        domain: as given.

    Raises:
        InvalidArgument: if it is another.

    Example:
        >>> from anyk.schemes.approximate.precision import copies_domain
        >>> copies_domain(anyk.Torch())
        Torch(of=Values(finite=True))
    """
    of = domain.of if isinstance(domain, Torch) else domain
    if isinstance(domain, Torch) and of == Values():
        return Torch(Values(finite=True))
    if isinstance(of, (Values, Reals, Complex)) and of.finite:
        return domain  # type: ignore[no-any-return] # it is one of these
    raise InvalidArgument(
        "domain",
        given=shown(domain),
        needed="finite numbers: anyk.Values(finite=True), anyk.Reals(), anyk.Complex() or tensors",
        change="Leave it out; Replication alone takes NaN and Inf.",
    )


def as_doubles(values: NDArray[Any]) -> NDArray[Any]:
    """The same numbers in double precision, real or complex.

    Args:
        values: ndarray of numbers.
    """
    kind = np.complex128 if values.dtype.kind == "c" else np.float64
    return values.astype(kind, copy=False)


def narrowed(recovered: Recovered, dtype: np.dtype[Any]) -> Recovered:
    """The same in another dtype, with its rounding in the evidence.

    Args:
        recovered: with a value in double precision, and an error estimate.
        dtype: of the value.
    """
    if recovered.value.dtype == dtype:
        return recovered
    with np.errstate(over="ignore"):
        value = recovered.value.astype(dtype)
    finite = bool(np.isfinite(value).all())
    rounding = float(np.finfo(dtype).eps) if finite else np.inf
    errors, known = recovered.block_errors, recovered.known
    if errors is not None:
        sure = np.zeros(errors.shape, dtype=np.bool_) if known is None else known
        errors = np.where(sure, 0.0, np.hypot(errors, rounding))
    estimate = recovered.error_estimate
    return replace(
        recovered,
        value=value,
        error_estimate=None if estimate is None else float(np.hypot(estimate, rounding)),
        block_errors=errors,
    )
