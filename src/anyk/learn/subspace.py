"""Minimise a loss of z = X w, where products with X and X^T are dear and all else is cheap."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from anyk.losses import AbstractLoss

__all__ = ["AbstractProducts", "Minimum", "PlainProducts", "minimise"]

_FEWEST, _MOST = 10, 50  # steps that are remembered, along which every later one may correct
_NUMBERS = 1 << 22  # that the images of remembered steps have, where they are more than the fewest
_WINDOW = 4  # iterations, over which the loss must have come to rest
_NEWTON = 20  # steps within a subspace; far fewer are taken
_SMALLEST = 1e-12  # of curvatures, relative to the largest: what is below is rounding
_DECREASE = 1e-10  # of the loss, relative: what Newton's method can still see


def _quiet(mean: float) -> None:
    """Show nothing."""


Point = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Weights (columns, outputs) and offsets (outputs,)."""


class AbstractProducts(ABC):
    """Products with X and X^T, wherever they are computed."""

    @abstractmethod
    def forward(
        self, directions: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """V, perhaps rounded, and X V."""

    @abstractmethod
    def backward(self, slopes: NDArray[np.float64]) -> NDArray[np.float64]:
        """X^T U."""


@final
@dataclass(frozen=True, eq=False)
class PlainProducts(AbstractProducts):
    """Products of float64, computed here.

    Args:
        design: X, float64 ndarray (rows, columns).

    Example:
        >>> from anyk.learn.subspace import PlainProducts
        >>> PlainProducts(np.array([[1.0, 2.0]])).backward(np.array([[3.0]])).ravel()
        array([3., 6.])
    """

    design: NDArray[np.float64]

    def forward(
        self, directions: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """V as it is, and X V."""
        return directions, self.design @ directions

    def backward(self, slopes: NDArray[np.float64]) -> NDArray[np.float64]:
        """X^T U."""
        return np.asarray(self.design.T @ slopes)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Minimum:
    """Where a minimisation came to.

    Args:
        weights: float64 ndarray (columns, outputs).
        offsets: float64 ndarray (outputs,).
        losses: the mean loss over all rows after each iteration; the first is that of the offsets
            alone.
        fell: how far what is minimised fell in the last iterations.
        converged: whether that is little enough.
    """

    weights: NDArray[np.float64]
    offsets: NDArray[np.float64]
    losses: list[float]
    fell: float
    converged: bool


def minimise(
    products: AbstractProducts,
    loss: AbstractLoss,
    columns: int,
    *,
    penalty: NDArray[np.float64],
    intercept: bool,
    iterations: int,
    tolerance: float,
    size: float,
    early: bool = True,
    note: Callable[[float], None] = _quiet,
    start: Point | None = None,
) -> Minimum:
    """Minimise loss(X W + b) + sum_ij penalty_i/2·W_ij^2 over W, and b if there is an intercept.

    Each iteration takes one product with X^T, for the gradient, and one with X, for what the
    gradient does to z. With z and the images of the last 10 to 50 steps at hand, the loss is then
    minimised over all of these directions together, by Newton's method, without any further
    product. On a squared loss that is the method of conjugate gradients.

    It ends when what is minimised has fallen by at most `tolerance` (a row, in the mean) in four
    iterations; or when that much is sure to be all that is left: from the gradient, as the
    penalty is strongly convex; or when the gradient is orthogonal to X up to the tolerance.

    Args:
        products: with X and X^T.
        loss: convex.
        columns: of X.
        penalty: float64 ndarray (columns, 1), at least 0.
        intercept: whether there is b.
        iterations: the most.
        tolerance: see above.
        size: the root mean square of the norms of columns, whose rows count by their weights.
        early: whether to end then; otherwise all iterations are made, each of the two products.
        note: called before each iteration with the mean loss.
        start: weights and offsets to begin from, at the price of one more product; else 0.

    Returns:
        Weights, offsets, and how it went.

    References:
        Narkiss, Zibulevsky: Sequential subspace optimization method for large-scale unconstrained
        problems (Technion CCIT 559, 2005), section 2; Hestenes, Stiefel: Methods of conjugate
        gradients for solving linear systems (J. Res. NBS 1952), section 4.

    Example:
        >>> from anyk.losses import SquaredLoss
        >>> from anyk.learn.subspace import PlainProducts, minimise
        >>> X = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 0.0]])
        >>> loss = SquaredLoss(X @ [[1.0], [-2.0]] + 3.0)
        >>> found = minimise(PlainProducts(X), loss, 2, penalty=np.zeros((2, 1)), intercept=True,
        ...                  iterations=9, tolerance=1e-9, size=1.5)
        >>> found.weights.round(6).ravel(), found.offsets.round(6), found.converged
        (array([ 1., -2.]), array([3.]), True)
    """
    rows, outputs = loss.targets.shape
    weights, offsets = start or (np.zeros((columns, outputs)), np.zeros(outputs))
    z = np.zeros((rows, outputs))
    if start is not None:
        weights, z = products.forward(weights)
    state = _State(
        loss=loss,
        penalty=penalty,
        weights=weights,
        offsets=offsets,
        z=z + offsets,
        steps=np.zeros((0, columns, outputs)),
        images=np.zeros((0, rows, outputs)),
        constants=_constants(rows, outputs) if intercept else np.zeros((0, rows, outputs)),
    )
    state.settle()
    values, losses = [state.value / rows], [loss.value(state.z) / rows]
    tiny = float(np.finfo(float).tiny)
    converged = False
    for _ in range(iterations):
        slopes = loss.slope(state.z)
        gradient = products.backward(slopes) + penalty * state.weights
        note(losses[-1])
        length = float(np.linalg.norm(gradient))
        with np.errstate(over="ignore"):  # of a penalty that is next to nothing
            left = np.sum(gradient**2 / np.maximum(penalty, tiny)) / (2 * rows)
        sure = bool(left <= tolerance)
        flat = length <= tolerance * size * loss.length(slopes)
        converged = converged or sure or flat
        if converged and early:
            break
        direction = gradient / np.maximum(size * size + penalty, tiny)
        unit = max(float(np.linalg.norm(direction)), tiny)
        state.extend(*products.forward(-direction / unit))
        state.settle()
        values.append(state.value / rows)
        losses.append(loss.value(state.z) / rows)
        at_rest = len(values) > _WINDOW and values[-1 - _WINDOW] - values[-1] <= tolerance
        converged = converged or at_rest
        if converged and early:
            break
    fell = values[max(0, len(values) - 1 - _WINDOW)] - values[-1]
    return Minimum(
        weights=state.weights,
        offsets=state.offsets,
        losses=losses,
        fell=fell,
        converged=converged,
    )


def _constants(rows: int, outputs: int) -> NDArray[np.float64]:
    """What each offset does to z: 1 in its own column."""
    return np.asarray(
        np.broadcast_to(np.eye(outputs)[:, None, :], (outputs, rows, outputs)), dtype=np.float64
    )


@final
@dataclass(kw_only=True, eq=False)
class _State:
    """Where the minimisation is, with the directions that it may move along."""

    loss: AbstractLoss
    penalty: NDArray[np.float64]
    weights: NDArray[np.float64]
    offsets: NDArray[np.float64]
    z: NDArray[np.float64]
    steps: NDArray[np.float64]  # (m, columns, outputs)
    images: NDArray[np.float64]  # (m, rows, outputs): X times each
    constants: NDArray[np.float64]  # (outputs or none, rows, outputs)

    @property
    def value(self) -> float:
        """The loss and the penalty."""
        return self.loss.value(self.z) + float(np.sum(self.penalty * self.weights**2)) / 2

    def extend(self, step: NDArray[np.float64], image: NDArray[np.float64]) -> None:
        """One more direction, in place of the oldest where there are many."""
        most = min(max(_NUMBERS // self.z.size, _FEWEST), _MOST)
        kept = slice(max(0, len(self.steps) - most), None)
        self.steps = np.concatenate([self.steps[kept], step[None]])
        self.images = np.concatenate([self.images[kept], image[None]])

    def settle(self) -> None:
        """Go to the minimum over all directions; the way there takes the place of the last one."""
        before, moved, count = self.value, np.zeros(len(self.steps)), len(self.steps)
        along = np.concatenate([self.images, self.constants])
        if not len(along):
            return
        flat = along.reshape(len(along), self.z.size)
        pull = self.penalty * self.steps
        inner = np.tensordot(self.steps, pull, axes=((1, 2), (1, 2)))
        for _ in range(_NEWTON):
            gradient = flat @ self.loss.slope(self.z).ravel()
            gradient[:count] += np.tensordot(pull, self.weights, axes=((1, 2), (0, 1)))
            curvature = self.loss.curvature(self.z, along)
            curvature[:count, :count] += inner
            step = _newton(curvature, gradient)
            promised = -float(gradient @ step)
            if promised <= _DECREASE * max(before, np.finfo(float).tiny):
                break
            taken = self._walk(step, promised, along)
            if not taken:
                break
            moved += taken * step[:count]
        way = np.tensordot(moved, self.steps, axes=1)
        length = np.linalg.norm(way)
        if length > 0:
            self.steps[-1] = way / length
            self.images[-1] = np.tensordot(moved, self.images, axes=1) / length

    def _walk(
        self, step: NDArray[np.float64], promised: float, along: NDArray[np.float64]
    ) -> float:
        """Go as far along a step as the loss falls; how far that was."""
        count, before, part = len(self.steps), self.value, 1.0
        start = self.weights, self.offsets, self.z
        way = np.tensordot(step[:count], self.steps, axes=1)
        rise = np.tensordot(step, along, axes=1)
        while part > 1e-6:  # noqa: PLR2004 - then rounding is all that is left
            self.weights, self.z = start[0] + part * way, start[2] + part * rise
            if len(step) > count:
                self.offsets = start[1] + part * step[count:]
            if self.value <= before - 1e-4 * part * promised:
                return part
            part /= 2
        self.weights, self.offsets, self.z = start
        return 0.0


def _newton(curvature: NDArray[np.float64], gradient: NDArray[np.float64]) -> NDArray[np.float64]:
    """The step to the minimum of a quadratic, along directions in which it is curved."""
    scale = np.sqrt(np.maximum(np.diag(curvature), np.finfo(float).tiny))
    values, vectors = np.linalg.eigh(curvature / scale[:, None] / scale)
    kept = values > _SMALLEST * max(values[-1], np.finfo(float).tiny)
    chosen = vectors[:, kept]
    return np.asarray(-(chosen @ (chosen.T @ (gradient / scale) / values[kept])) / scale)
