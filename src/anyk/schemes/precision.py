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
from anyk.domains.tensors import Torch, domain_for
from anyk.domains.values import Values
from anyk.errors import InvalidArgument

__all__ = ["as_doubles", "coarser", "copies_domain", "curve_domain", "narrowed", "of_data", "over"]


def curve_domain(domain: Any, kind: type[Reals | Complex]) -> AbstractDomain:
    """The domain of a scheme that computes with its shares, if it is one.

    Args:
        domain: as given: reals, or tensors of these; of `anyk.Torch()` the data say which reals.
        kind: `Reals`, or `Complex`.

    Raises:
        InvalidArgument: if it is another.

    Example:
        >>> from anyk.domains.real import Reals
        >>> from anyk.schemes.precision import curve_domain
        >>> curve_domain(anyk.Reals(dtype=np.float32), Reals)
        Reals(dtype=np.float32)
    """
    of = domain.of if isinstance(domain, Torch) else domain
    if isinstance(of, kind) or (isinstance(domain, Torch) and of == Values()):
        return domain  # type: ignore[no-any-return] # it is one of these
    raise InvalidArgument(
        "domain",
        given=shown(domain),
        needed=f"anyk.{kind.__name__}(), in single or double precision, or anyk.Torch()",
        change=f"Pass anyk.{kind.__name__}(), or leave it out.",
    )


def copies_domain(domain: Any) -> AbstractDomain:
    """The domain of a scheme of copies that estimates some: finite numbers of any type.

    Args:
        domain: as given.

    Raises:
        InvalidArgument: if it is another.

    Example:
        >>> from anyk.schemes.precision import copies_domain
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


def of_data(domain: AbstractDomain, X: Any, kind: type[Reals | Complex]) -> AbstractDomain:
    """The domain for these data: tensors where they are such, with the reals that they are of.

    Args:
        domain: of the scheme.
        X: the data.
        kind: `Reals`, or `Complex`.
    """
    if not (isinstance(domain, Torch) and domain.of == Values()):
        return domain_for(domain, X)
    plain = Values().validate(X, "X").dtype
    single = plain in (np.float32, np.complex64)
    wide, narrow = kind(), kind(dtype=np.float32 if kind is Reals else np.complex64)
    return Torch(narrow if single else wide)


def over(scheme: Any, domain: AbstractDomain) -> Any:
    """The same scheme with another domain; itself, where it has that one.

    Args:
        scheme: with a field of this name.
        domain: of its data.
    """
    return scheme if domain is scheme.domain else replace(scheme, domain=domain)


def coarser(domain: AbstractDomain) -> float:
    """How many times as much numbers of this domain round as doubles do.

    Args:
        domain: of reals or complex numbers.

    Example:
        >>> from anyk.schemes.precision import coarser
        >>> coarser(anyk.Reals()), coarser(anyk.Complex(dtype=np.complex64)) == 2.0**29
        (1.0, True)
    """
    return float(np.finfo(domain.dtype).eps / np.finfo(np.float64).eps)


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
