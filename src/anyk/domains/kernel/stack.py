"""Products of stacks of small matrices of residues, many in one call of numpy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.domains import compiled
from anyk.domains.kernel.form import Wide, wide_form
from anyk.domains.kernel.operands import blank, constants, factors, fill, halving, largest
from anyk.domains.kernel.product import write_product
from anyk.domains.kernel.reduction import Spare, add, reduce_into, settle
from anyk.domains.kernel.tiny import write_tiny
from anyk.domains.kernel.workspace import borrowed

__all__ = ["modular_stack"]

_SMALL = 1 << 17  # multiplications of one product, from which on a call of its own costs little
_CACHE = 1 << 16  # float64 numbers of a group
_MANY = 1000  # sums in a total before it is reduced


def modular_stack(
    left: NDArray[Any], right: NDArray[Any], modulus: int, dtype: Any = np.int64
) -> NDArray[Any]:
    """Exact products of the matrices of two stacks, as `np.matmul`.

    ====================================  ============================================
    stacks                                computed
    ====================================  ============================================
    one of a single matrix                as one product, `modular_matmul`
    of 2**17 multiplications a pair       one by one, `modular_matmul`
    of 8,192 multiplications in all       in uint64, `tiny`
    others                                as many as cache holds in one `np.matmul`
    others, in halves, no axis broadcast  `compiled.stack`, where numba is installed
    ====================================  ============================================

    Args:
        left: (.., rows, inner) of residues in [0, p), of any integer type.
        right: (.., inner, columns) of such; the axes before are broadcast.
        modulus: p < 2**31.
        dtype: of the products: any integer type that holds p - 1.

    Returns:
        ndarray (.., rows, columns) of residues in [0, p).

    Example:
        >>> from anyk.domains.kernel import modular_stack
        >>> left, right = np.full((2, 1, 2), 3), np.full((2, 2, 1), 2**30)
        >>> modular_stack(left, right, 2**31 - 1)[:, 0, 0]
        array([3, 3])
    """
    shape = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    out = np.empty((*shape, left.shape[-2], right.shape[-1]), dtype)
    _write(left, right, modulus, out)
    return out


def _write(left: NDArray[Any], right: NDArray[Any], modulus: int, out: NDArray[Any]) -> None:
    rows, inner, columns = left.shape[-2], left.shape[-1], right.shape[-1]
    stack = out.shape[:-2]
    if not out.size or not inner:
        out[:] = 0
    elif math.prod(right.shape[:-2]) == 1:
        tall, wide = left.reshape(-1, inner), right.reshape(inner, columns)
        place = out.reshape(-1, columns)
        write_product(tall, wide, modulus, place)
        if not np.may_share_memory(place, out):
            out[:] = place.reshape(out.shape)
    elif math.prod(left.shape[:-2]) == 1 or left.size > right.size:
        _write(right.mT, left.mT, modulus, out.mT)
    elif rows * inner * columns >= _SMALL:
        left, right = (np.broadcast_to(each, stack + each.shape[-2:]) for each in (left, right))
        for index in np.ndindex(*stack):
            write_product(left[index], right[index], modulus, out[index])
    elif not write_tiny(left, right, modulus, out, out.size * inner):
        form = wide_form(inner, modulus, largest(right, modulus))
        if not (form.halves and _write_compiled(left, right, modulus, out)):
            _write_groups(left, right, modulus, form, out)


def _write_compiled(
    left: NDArray[Any], right: NDArray[Any], modulus: int, out: NDArray[Any]
) -> bool:
    """Have a compiled loop write the products, where there is one for as many pairs."""
    if left.shape[:-2] != right.shape[:-2]:
        return False
    one, other = (each.reshape(-1, *each.shape[-2:]) for each in (left, right))
    made = compiled.stack(one, other, modulus, out.dtype.type)
    if made is None:
        return False
    out[:] = made.reshape(out.shape)
    return True


def _write_groups(
    left: NDArray[Any], right: NDArray[Any], modulus: int, form: Wide, out: NDArray[Any]
) -> None:
    """Write the products of a stack, of halves of it where it is too large for cache."""
    *stack, rows, columns = out.shape
    each = max(rows * columns, form.terms * rows, form.terms * columns)
    longest = max(stack)
    if longest == 1 or math.prod(stack) * each <= _CACHE:
        _write_at_once(left, right, modulus, form, out)
        return
    axis = stack.index(longest) - len(out.shape)
    for part in (slice(longest // 2), slice(longest // 2, None)):
        index: Any = (..., part, *[slice(None)] * (-axis - 1))
        one, other = (
            operand[index] if operand.ndim >= -axis and operand.shape[axis] > 1 else operand
            for operand in (left, right)
        )
        _write_groups(one, other, modulus, form, out[index])


def _write_at_once(
    left: NDArray[Any], right: NDArray[Any], modulus: int, form: Wide, out: NDArray[Any]
) -> None:
    workspace = borrowed()
    blocks = blank(right.shape[:-2], form, right.shape[-1], workspace, standing=False)
    words = halving(right.shape[:-2], form, right.shape[-1], workspace, standing=False)
    sums, spare = workspace.array(out.shape), Spare(out.size, workspace)
    total = None if form.single else np.zeros(out.shape, np.int64)
    for place, factor in enumerate(factors(left, modulus, form)):
        piece = right[..., place * form.depth : (place + 1) * form.depth, :]
        filled = blocks[..., : factor.shape[-1], :]
        fill(filled, piece, form, words)
        np.matmul(factor, filled, out=sums)
        if total is None:
            reduce_into(out, sums, modulus, spare, raised=form.raised)
            continue
        add(total, sums, spare)
        if place % _MANY == _MANY - 1:
            settle(total, total, modulus, spare)
    if total is not None:
        if form.shift:
            total += constants(left, modulus, form)
        settle(out, total, modulus, spare)
    workspace.give_back()
