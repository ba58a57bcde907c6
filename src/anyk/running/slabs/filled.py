"""Shares of data that come in slabs: all at one layout, each sent and forgotten before the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, final

import numpy as np

from anyk.errors import InvalidArgument
from anyk.executors.core.base import AbstractExecutor, Placement
from anyk.executors.core.columns import UNKNOWN, Outline
from anyk.executors.core.filling import AbstractFilling
from anyk.observe.slabs import slab_bar
from anyk.running.slabs.read import AbstractSlabs
from anyk.schemes.base import AbstractScheme
from anyk.schemes.encoded import Encoded
from anyk.spec import Guarantee
from anyk.spread import Spread

__all__ = ["Filled", "filled"]


@final
class Filled(NamedTuple):
    """What came of slabs.

    Args:
        encoded: of all of them: outlines stand for its parts, which the workers have.
        placement: where they are.
        spread: the standard deviation of the data, where a promise is made for one of `data_std`.
    """

    encoded: Encoded
    placement: Placement
    spread: float | None


def filled(
    scheme: AbstractScheme,
    slabs: AbstractSlabs,
    executor: AbstractExecutor,
    *,
    check: Callable[[Guarantee], None],
    progress: bool,
) -> Filled:
    """Encode slabs at one layout, and send each on before the next one is read.

    Args:
        scheme: one with `columns`.
        slabs: the data.
        executor: whose workers keep the shares.
        check: raises an error where the executor can't keep the promise.
        progress: whether to show how far it is.

    Raises:
        InvalidArgument: if a slab does not fit the scheme, or those before it, with its place.
        ExecutorError: if the executor is closed, or all its workers are lost.
    """
    check(scheme.guarantee)
    writer = _Writer(scheme, executor, slabs.shape)
    try:
        with slab_bar(None if slabs.shape is None else slabs.shape[1], progress=progress) as show:
            for slab in slabs:
                show(writer.write(slab))
                del slab
        return writer.finish()
    finally:
        writer.abandon()


@final
class _Writer:
    """Encodes slab after slab.

    Args:
        scheme: how.
        executor: where the shares go.
        shape: of all data; None where nobody knows.
    """

    def __init__(
        self, scheme: AbstractScheme, executor: AbstractExecutor, shape: tuple[int, ...] | None
    ) -> None:
        self._scheme, self._executor = scheme, executor
        self._width = UNKNOWN if shape is None else shape[1]
        self._spread = Spread() if scheme.guarantee.data_std is not None else None
        self._slabs = self._columns = 0
        self._first: Encoded | None = None  # without its parts
        self._outlines: tuple[Outline, ...] = ()
        self._filling: AbstractFilling | None = None

    def write(self, slab: Any) -> int:
        """Encode the next slab and send it; how many columns have gone so far."""
        try:
            parts = self._shares(slab)
        except InvalidArgument as error:
            raise self._misplaced(slab, error) from error
        if self._spread is not None:
            self._spread.add(slab)
        if self._filling is None:
            self._filling = self._executor.filling(
                [each.of(self._width) for each in self._outlines], self._scheme.guarantee.pieces
            )
        self._filling.write(parts)
        (axis, part), *_ = self._along(parts)
        self._columns += part.shape[axis]
        self._slabs += 1
        return self._columns

    def finish(self) -> Filled:
        """What came of it."""
        if self._filling is None or self._first is None:
            raise InvalidArgument(
                "X", given="no slab", needed="one or more", change="Yield arrays (K, w, ...)."
            )
        placement = self._filling.finish()
        parts: Any = tuple(each.of(self._columns) for each in self._outlines)
        encoded = Encoded(self._first.scheme, parts, self._first.layout)
        return Filled(encoded, placement, None if self._spread is None else self._spread.value)

    def abandon(self) -> None:
        """Leave nothing on the workers, unless it is finished."""
        if self._filling is not None:
            self._filling.abandon()

    def _shares(self, slab: Any) -> tuple[Any, ...]:
        """The shares of a slab, at the layout of the first one."""
        first = self._first
        if first is None:
            _check_axes(slab)
            encoded = self._scheme.encode(slab)
            axes = encoded.scheme.columns or ()
            self._outlines = tuple(
                Outline(part.shape, part.dtype, axis)
                for part, axis in zip(encoded.parts, axes, strict=True)
            )
            self._first = Encoded(encoded.scheme, (), encoded.layout)
            self._scheme = encoded.scheme
            return encoded.parts
        parts = first.scheme.encode_argument(slab, layout=first.layout).parts
        self._check_like_first(parts)
        return parts

    def _along(self, parts: tuple[Any, ...]) -> Iterator[tuple[int, Any]]:
        """The axis of columns of each part that has some."""
        for outline, part in zip(self._outlines, parts, strict=True):
            if outline.axis is not None:
                yield outline.axis, part

    def _check_like_first(self, parts: tuple[Any, ...]) -> None:
        """Refuse a slab that can't stand beside those before it."""
        for outline, part in zip(self._outlines, parts, strict=True):
            axis = outline.axis
            width = 0 if axis is None or part.ndim <= axis else part.shape[axis]
            right = outline.of(width)
            if part.shape != right.shape or part.dtype != right.dtype:
                raise InvalidArgument(
                    "X",
                    given=f"shares of shape {part.shape}, {part.dtype}",
                    needed=f"{right.shape}, {right.dtype}, as the slabs before it",
                    change="Yield slabs (K, w, *rest) of one dtype, and of one shape but for w.",
                )

    def _misplaced(self, slab: Any, error: InvalidArgument) -> InvalidArgument:
        """The same error, and where it is."""
        start = self._columns
        shape = np.shape(slab) if isinstance(slab, np.ndarray) else ()
        last = f" to {start + shape[1] - 1}" if len(shape) > 1 and shape[1] > 1 else ""
        return InvalidArgument(
            error.argument,
            given=f"{error.given}, in slab {self._slabs}, whose columns are {start}{last}",
            needed=error.needed,
            change=error.change,
        )


def _check_axes(slab: Any) -> None:
    shape = np.shape(slab)
    if len(shape) < 2:  # noqa: PLR2004 - blocks and columns
        raise InvalidArgument(
            "X",
            given=f"a slab of shape {shape}",
            needed="(K, w, *rest): some columns of each block",
            change="Yield block[:, start : start + w] of data (K, columns, *rest).",
        )
