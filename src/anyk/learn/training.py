"""One training: encode the data once, minimise the loss by products decoded from the workers."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from anyk.learn.formats import choose_formats
from anyk.learn.products import CodedProducts, LiftedProducts, exponent_of, lifts
from anyk.learn.progress import progress
from anyk.learn.report import Roll, TrainingReport
from anyk.learn.setting import Setting, largest_code
from anyk.learn.subspace import PlainProducts, minimise
from anyk.losses import AbstractLoss
from anyk.running.run import distribute

__all__ = ["LITTLE", "Trained", "in_blocks", "still_falls", "train"]

_CHECKED = 5  # iterations on features before rounding, to see what that cost
LITTLE = 1e-3
"""Of the mean loss: what more than this is warned of."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """What came of a training.

    Args:
        weights: float64 ndarray (columns, outputs).
        offsets: float64 ndarray (outputs,).
        losses: means over all rows, on features as they were rounded.
        report: how it went.
    """

    weights: NDArray[np.float64]
    offsets: NDArray[np.float64]
    losses: list[float]
    report: TrainingReport


def in_blocks(design: NDArray[np.float64], blocks: int) -> NDArray[np.float64]:
    """Rows cut in K blocks of one height, the last filled up with zeros: (K, height, columns).

    Example:
        >>> from anyk.learn.training import in_blocks
        >>> in_blocks(np.ones((3, 1)), 2).ravel()
        array([1., 1., 1., 0.])
    """
    rows, columns = design.shape
    out = np.zeros((blocks, -(-rows // blocks), columns))
    out.reshape(-1, columns)[:rows] = design
    return out


def still_falls(
    design: NDArray[np.float64],
    loss: AbstractLoss,
    start: tuple[NDArray[np.float64], NDArray[np.float64]],
    *,
    penalty: NDArray[np.float64],
    intercept: bool,
) -> float:
    """How far five iterations of the master's own lower the mean loss, without any rounding.

    That is eleven products with X in float64, less than encoding it takes.

    Args:
        design: X, as it is.
        loss: of z = X W + b.
        start: W and b.
        penalty: on W, float64 ndarray (columns, 1).
        intercept: whether b may change.

    Example:
        >>> from anyk.losses import SquaredLoss
        >>> from anyk.learn.training import still_falls
        >>> X, nothing = np.eye(2), (np.zeros((2, 1)), np.zeros(1))
        >>> round(still_falls(X, SquaredLoss(X[:, :1]), nothing, penalty=np.zeros((2, 1)),
        ...                   intercept=False), 6)
        0.25
    """
    columns = design.shape[1]
    return minimise(
        PlainProducts(design),
        loss,
        columns,
        penalty=penalty,
        intercept=intercept,
        iterations=_CHECKED,
        tolerance=0.0,
        size=_size(design, loss),
        start=start,
    ).fell


def train(
    setting: Setting,
    design: NDArray[np.float64],
    loss: AbstractLoss,
    *,
    penalty: NDArray[np.float64],
    intercept: bool,
    tolerance: float,
) -> Trained:
    """Minimise loss(X W + b) + sum_ij penalty_i/2·W_ij^2; workers compute X V and X^T U.

    Args:
        setting: threat, executor, bits.
        design: X, float64 ndarray (rows, columns).
        loss: of z = X W + b, which the master computes.
        penalty: on W, float64 ndarray (columns, 1).
        intercept: whether there is b.
        tolerance: `minimise`'s.

    Returns:
        Weights, losses and report.

    Raises:
        Unachievable: if no code survives the threat, or a product could wrap.
        NotEnoughAnswers: if more workers failed than the code survives.
        TooManyErrors: if more workers lied than it can name.
    """
    started = time.perf_counter()
    rows, columns = design.shape
    scheme = largest_code(setting.threat, degree=2, rows=rows)
    formats = choose_formats(
        max(columns, -(-rows // scheme.blocks)),
        data_bits=setting.data_bits,
        weight_bits=setting.weight_bits,
        primes=setting.primes,
    )
    lifted = lifts(design, loss.weights)
    exponent = exponent_of(np.ldexp(np.abs(design).max(axis=1, keepdims=True), -lifted))
    small = np.ldexp(design, -exponent)  # at most 1, with larger weights; the powers stay here
    lower = np.ldexp(penalty, -2 * exponent)
    blocks = in_blocks(np.ldexp(small, -lifted) if lifted.any() else small, scheme.blocks)
    prepared = time.perf_counter()
    roll = Roll(workers=setting.threat.workers)
    with (
        setting.workers() as executor,
        distribute(scheme, blocks, executor, embedding=formats.data) as data,
        progress(setting.max_iter, verbose=setting.verbose) as advance,
    ):
        encoded = time.perf_counter()
        found = minimise(
            LiftedProducts(
                products=CodedProducts(
                    data=data,
                    formats=formats,
                    rows=rows,
                    generator=setting.generator,
                    roll=roll,
                ),
                exponents=lifted,
            ),
            loss,
            columns,
            penalty=lower,
            intercept=intercept,
            iterations=setting.max_iter,
            tolerance=tolerance,
            size=_size(small, loss),
            early=setting.early,
            note=advance,
        )
        master = time.perf_counter() - encoded - roll.answering
    notes = []
    left = still_falls(
        small, loss, (found.weights, found.offsets), penalty=lower, intercept=intercept
    )
    if found.converged and left > max(LITTLE, 2 * tolerance):
        notes.append(
            "on the features before rounding, some more iterations lower the mean loss by "
            f"{left:.2g}: raise data_bits or primes, or lower tol"
        )
    if not found.converged:
        notes.append(
            f"the mean loss still fell by {found.fell:.2g} in the last of {setting.max_iter} "
            f"iterations, which is more than tol={tolerance:.2g}: raise max_iter"
        )
    report = roll.report(
        data=data,
        formats=formats,
        iterations=len(found.losses) - 1,
        notes=notes,
        seconds=(prepared - started, encoded - prepared, master),
    )
    return Trained(
        weights=np.ldexp(found.weights, -exponent),
        offsets=found.offsets,
        losses=found.losses,
        report=report,
    )


def _size(design: NDArray[np.float64], loss: AbstractLoss) -> float:
    """The root mean square of the columns' norms, of rows by their weights."""
    squares = np.einsum("ij,ij->i", design, design)[:, None]
    return math.sqrt(float(np.sum(loss.weights * squares)) / design.shape[1])
