"""Whether noise that hides two factors leaves precision for their product."""

from __future__ import annotations

import math

import numpy as np

from anyk.errors import Unachievable
from anyk.schemes.products.code import ProductCode

__all__ = ["require_precision"]

_EPS = float(np.finfo(np.float64).eps)


def require_precision(code: ProductCode, *, inner: int, tolerance: float) -> None:
    """Refuse noise under which the product is lost in rounding, though everybody answers.

    An answer is rounded as a share of its size, which is that of noise times noise; the product is
    what is left of it when all noise has been cancelled.

    Args:
        code: with masks for noise of variance 1.
        inner: p, of how many pairs of blocks a block of the product is the sum.
        tolerance: relative error that is still acceptable.

    Raises:
        Unachievable: if more is to be expected, for factors of independent entries of the standard
            deviation stated.
    """
    size = 1.0
    for encoder in (code.left, code.right):
        data = np.sum(np.abs(encoder.data) ** 2, axis=1)
        masks = np.sum(np.abs(encoder.masks) ** 2, axis=1) / code.data_std**2
        size *= math.sqrt(float((data + masks).max()))
    recovery = code.wanted @ np.linalg.pinv(code.terms)
    amplified = float(np.linalg.norm(recovery)) / math.sqrt(len(recovery) * inner)
    error = _EPS * size * amplified
    if error <= tolerance:
        return
    raise Unachievable(
        "tolerance",
        given=f"{tolerance:.3g}",
        needed=f"rounding * (shares / data) * amplification = {_EPS:.2g} * {size:.3g} * "
        f"{amplified:.3g} = {error:.2g} <= {tolerance:.3g}",
        change="Lower sigma (leak more), or raise tolerance.",
    )
