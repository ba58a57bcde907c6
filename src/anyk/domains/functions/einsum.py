"""`np.einsum` on field elements: pair by pair, each a matrix product."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from anyk.domains.functions.inside import holds, made, memory_of, wrapped
from anyk.domains.functions.sums import add_all
from anyk.errors import InvalidArgument

if TYPE_CHECKING:
    from anyk.domains.array import FieldArray

__all__ = ["einsum"]

Label = str | int
"""A letter; the axes of an ellipsis are numbers, -1 the last."""


def einsum(like: FieldArray, *operands: Any, optimize: Any = None) -> FieldArray:
    """`np.einsum`, with letters or with lists of numbers.

    Of one operand whose elements are moved alone it is a view, as numpy's.

    Args:
        like: any FieldArray of them.
        *operands: the subscripts and the arrays; or arrays, each with the list of its labels, and
            the list of the result's.
        optimize: nothing, as pairs are taken from the left.

    Raises:
        InvalidArgument: if subscripts and shapes do not fit.
    """
    del optimize
    subscripts, values = _as_letters(like, operands)
    arrays = [wrapped(like, value) for value in values]
    labels, result = _parsed(subscripts, arrays)
    sizes = _sizes(subscripts, labels, arrays)
    terms = [_prepared(own, x, sizes) for own, x in zip(labels, arrays, strict=True)]
    missing = [label for label in result if label not in sizes]
    if missing or len(set(result)) < len(result):
        raise _wrong(subscripts, arrays, "each label of the result once, and in an operand")
    names, product = terms[0]
    for place, (others, each) in enumerate(terms[1:], start=2):
        later = {label for own, _ in terms[place:] for label in own} | set(result)
        names, product = _contracted(names, product, others, each, later)
    product = _summed(product, [i for i, label in enumerate(names) if label not in result])
    names = [label for label in names if label in result]
    moved = product.transpose(*(names.index(label) for label in result if label in names))
    if len(terms) == 1 and np.may_share_memory(memory_of(moved), memory_of(arrays[0])):
        return arrays[0].seen(memory_of(moved))
    return made(like, memory_of(moved).copy(), moved.extent)


def _as_letters(like: FieldArray, operands: Sequence[Any]) -> tuple[str, list[Any]]:
    """Subscripts as a text, and the operands."""
    if isinstance(operands[0], str):
        return operands[0], list(operands[1:])
    pairs = len(operands) // 2
    if any(holds(like, each) for each in operands[1 : 2 * pairs : 2]):
        raise InvalidArgument(
            "einsum",
            given="an array in place of its labels",
            needed="subscripts, or each array with the list of its labels",
            change='Pass subscripts such as "ij,j->i" first.',
        )

    def letters(numbers: Any) -> str:
        return "".join("..." if each is ... else chr(0x100 + int(each)) for each in numbers)

    text = ",".join(letters(each) for each in operands[1 : 2 * pairs : 2])
    if len(operands) % 2:
        text += "->" + letters(operands[-1])
    return text, list(operands[: 2 * pairs : 2])


def _parsed(subscripts: str, arrays: Sequence[FieldArray]) -> tuple[list[list[Label]], list[Label]]:
    """The labels of each operand's axes, and those of the result."""
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(arrays):
        raise _wrong(subscripts, arrays, f"{len(terms)} operands, as the subscripts say")
    labels: list[list[Label]] = []
    for term, x in zip(terms, arrays, strict=True):
        named = len(term.replace("...", ""))
        if "..." in term and named <= x.ndim:
            own = _expanded(term, x.ndim - named)
        elif named == x.ndim and "." not in term:
            own = list(term)
        else:
            raise _wrong(subscripts, arrays, f"as many axes as {term!r} has letters")
        labels.append(own)
    most = max((sum(isinstance(each, int) for each in own) for own in labels), default=0)
    if arrow:
        return labels, _expanded(right, most)
    often = Counter(label for own in labels for label in own if isinstance(label, str))
    once = sorted(label for label, times in often.items() if times == 1)
    return labels, [*range(-most, 0), *once]


def _expanded(term: str, axes: int) -> list[Label]:
    before, dots, after = term.partition("...")
    return [*before, *(range(-axes, 0) if dots else ()), *after]


def _sizes(
    subscripts: str, labels: Sequence[Sequence[Label]], arrays: Sequence[FieldArray]
) -> dict[Label, int]:
    sizes: dict[Label, int] = {}
    for own, x in zip(labels, arrays, strict=True):
        for label, size in zip(own, x.shape, strict=True):
            known = sizes.get(label, 1)
            if known not in {1, size} and size != 1:
                raise _wrong(subscripts, arrays, f"one length for {label!r}")
            sizes[label] = size if known == 1 else known
    return sizes


def _prepared(
    labels: Sequence[Label], x: FieldArray, sizes: dict[Label, int]
) -> tuple[list[Label], FieldArray]:
    """An operand with each label once: the diagonal of those twice, without those of length 1."""
    kept = [i for i, label in enumerate(labels) if x.shape[i] == sizes[label]]
    x = x[tuple(slice(None) if i in kept else 0 for i in range(x.ndim))]
    names = [labels[i] for i in kept]
    single = list(dict.fromkeys(names))
    if len(single) < len(names):
        numbers = [single.index(label) for label in names]
        # moves elements alone: no label goes
        diagonal = np.einsum(memory_of(x), numbers, range(len(single)))
        x = made(x, diagonal, x.extent)
    return single, x


def _contracted(
    names: list[Label], x: FieldArray, others: list[Label], y: FieldArray, later: set[Label]
) -> tuple[list[Label], FieldArray]:
    """Two operands as one: what no later one needs is summed."""
    x = _summed(x, [i for i, each in enumerate(names) if each not in {*later, *others}])
    names = [each for each in names if each in {*later, *others}]
    y = _summed(y, [i for i, each in enumerate(others) if each not in {*later, *names}])
    others = [each for each in others if each in {*later, *names}]
    stack = [each for each in names if each in others and each in later]
    inner = [each for each in names if each in others and each not in later]
    rows = [each for each in names if each not in others]
    columns = [each for each in others if each not in names]
    x = x.transpose(*(names.index(each) for each in (*stack, *rows, *inner)))
    y = y.transpose(*(others.index(each) for each in (*stack, *inner, *columns)))
    shape = x.shape[: len(stack) + len(rows)] + y.shape[len(stack) + len(inner) :]
    depth = len(stack)
    height = _count(x.shape[depth : depth + len(rows)])
    size = _count(x.shape[depth + len(rows) :])
    width = _count(y.shape[depth + len(inner) :])
    left = x.reshape((*x.shape[:depth], height, size))
    right = y.reshape((*y.shape[:depth], size, width))
    product = left @ right if inner else left * right
    return [*stack, *rows, *columns], product.reshape(shape)


def _summed(x: FieldArray, axes: Sequence[int]) -> FieldArray:
    return add_all(x, axis=tuple(axes)) if axes else x


def _count(lengths: Sequence[int]) -> int:
    return int(np.prod(lengths, dtype=np.int64))


def _wrong(subscripts: str, arrays: Sequence[FieldArray], needed: str) -> InvalidArgument:
    return InvalidArgument(
        "einsum",
        given=f"{subscripts!r} for shapes {', '.join(str(x.shape) for x in arrays)}",
        needed=needed,
        change="Correct the subscripts, or reshape the arrays.",
    )
