"""What every domain must do."""

from __future__ import annotations

import numpy as np

from anyk.checks import GENERATOR, instance
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument
from anyk.testing.expect import check_value, expect, numbers, require

__all__ = ["check_domain"]

_ROUNDINGS = 4.0  # a term of a sum of products: two here, two in the domain


def check_domain(domain: AbstractDomain, *, generator: np.random.Generator) -> None:
    """Check arithmetic against Python's integers, or against numpy's, and the refusal of rubbish.

    The domain survives pickle, and its repr rebuilds it. Products of an exact one are exact;
    others are off by the rounding of their dtype at most. NaN and Inf are refused where it is
    `finite`; its dtype is one that it holds.

    Args:
        domain: what to check; your own may stand in any module.
        generator: where the test data come from.

    Raises:
        AssertionError: if the domain breaks its contract.
        InvalidArgument: if an argument can't be used.

    Example:
        >>> anyk.testing.check_domain(anyk.PrimeField(101), generator=np.random.default_rng(0))
    """
    instance("domain", domain, AbstractDomain, change="Pass anyk.PrimeField(), say.")
    instance("generator", generator, np.random.Generator, change=GENERATOR)
    check_value(domain)
    for rows, inner, columns in (
        (1, 1, 1),
        (3, 5, 7),
        (2, 64, 3),
        (2, 65, 3),
        (1, 1000, 2),
        (4, 0, 2),
    ):
        small = numbers(domain, (rows, inner), generator)
        big = numbers(domain, (inner, columns), generator)
        product = domain.matmul(small, big)
        what = f"matmul of ({rows}, {inner}) by ({inner}, {columns})"
        if domain.exact:
            exact = small.astype(object) @ big.astype(object)
            right = exact % domain.modulus if isinstance(domain, PrimeField) else exact
            require(np.array_equal(product, right), f"{what} is not exact")
        else:
            rounding = _ROUNDINGS * (inner + 1) * np.finfo(domain.dtype).eps
            bound = rounding * (np.abs(small) @ np.abs(big))
            require((np.abs(product - small @ big) <= bound).all(), f"{what} is wrong")
        require(product.dtype == domain.dtype, f"{what} has dtype {product.dtype}")
    stack = numbers(domain, (3, 2, 4), generator)
    flat = domain.matmul(stack[:2, :, 0].T[:, :2].copy(), stack[:2])
    require(
        flat.shape == (2, 2, 4), "matmul does not keep the shape of what follows the first axis"
    )
    for uneven in (stack[0], stack[0, 0], stack[:0]):  # their first axis is not 3 long
        expect(
            ValueError,
            "matmul of shapes that do not fit",
            lambda bad=uneven: domain.matmul(numbers(domain, (2, 3), generator), bad),  # type: ignore[misc]
        )
    endless = (np.array([np.nan]), np.array([np.inf])) if domain.finite else ()
    for rubbish in (*endless, ["x"], [[1], [1, 2]], [None]):
        expect(
            InvalidArgument,
            f"validate({rubbish})",
            lambda bad=rubbish: domain.validate(bad, "x"),  # type: ignore[misc]
        )
    rests = domain.at_rest(stack)
    require(domain.holds(rests.dtype), f"it does not hold {rests.dtype}, in which its numbers rest")
    again = domain.from_rest(rests)
    same = again.dtype == stack.dtype and np.array_equal(again, stack)
    require(same, "from_rest does not undo at_rest")
    require(domain.at_rest(rests) is rests, "what rests is copied")
    for values in (rests, np.broadcast_to(rests[:1], rests.shape)):
        read = domain.validate(values, "x")
        require(read.dtype == stack.dtype, "validate leaves numbers at rest")
        require(np.array_equal(read, domain.from_rest(values)), "validate changes what rests")
    require(not domain.holds(np.dtype(object)), "it holds objects")
    presented = domain.present(rests.copy())
    require(np.array_equal(domain.accept(presented), stack), "accept does not undo present")
