"""Keys for the products of any domain."""

from __future__ import annotations

from typing import Final

import numpy as np

from anyk.codes.checks.base import AbstractKeys
from anyk.codes.checks.field import FieldKeys
from anyk.codes.checks.floats import FloatKeys
from anyk.codes.checks.rounding import Allowance
from anyk.codes.checks.shapes import Left
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument
from anyk.randomness.entropy import AbstractSource, SystemSource

__all__ = ["USUAL", "least_lie", "product_keys"]

USUAL: Final = 1000
"""Rows and columns of a left factor for which `least_lie` is stated."""


def least_lie(domain: AbstractDomain, *, single: bool = False) -> float:
    """The smallest lie that is found, for left factors of 1,000 x 1,000 entries.

    Args:
        domain: of the entries.
        single: whether honest workers may compute in single precision.

    Example:
        >>> from anyk.codes.checks.keys import least_lie
        >>> least_lie(anyk.PrimeField()), f"{least_lie(anyk.Reals()):.0e}"
        (0.0, '4e-12')
    """
    if domain.exact:
        return 0.0
    complex_ = domain.dtype == np.complex128
    return Allowance(inner=USUAL, rows=USUAL, complex_=complex_, single=single).smallest_lie


def product_keys(
    domain: AbstractDomain,
    left: Left,
    *,
    single: bool = False,
    source: AbstractSource = SystemSource(),
) -> AbstractKeys:
    """Secrets by which products with these left factors are told from lies.

    Args:
        domain: of the entries.
        left: ndarray (shares, rows, inner), or a csr_array of each share.
        single: whether honest workers may compute in single precision, over the reals or the
            complex numbers.
        source: where secrets come from; whoever foresees them can lie.

    Raises:
        InvalidArgument: if these are no matrices, or the domain is no field and no floats.

    Example:
        >>> from anyk.codes.checks.keys import product_keys
        >>> product_keys(anyk.PrimeField(), np.ones((2, 3, 4), int)).smallest_lie
        0.0
        >>> 0.0 < product_keys(anyk.Reals(), np.ones((2, 3, 4))).smallest_lie < 1e-12
        True
    """
    if isinstance(domain, PrimeField):
        return FieldKeys.of(domain, left, source=source)
    if domain.dtype in (np.float64, np.complex128):
        return FloatKeys.of(left, single=single, source=source)
    raise InvalidArgument(
        "domain",
        given=repr(domain),
        needed="a prime field, the reals or the complex numbers",
        change="Check each prime of a ring by itself.",
    )
