"""Training by sums of gradients: each worker has rows in the clear, and a gradient code adds up."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from anyk.block_gradient import BlockGradient, labelled_rows
from anyk.checks import instance, shown
from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument
from anyk.learn.progress import progress
from anyk.learn.report import Roll
from anyk.learn.setting import Setting
from anyk.learn.training import LITTLE, Trained, in_blocks
from anyk.losses import AbstractLoss
from anyk.running.distributed import Distributed
from anyk.running.run import distribute
from anyk.schemes.base import AbstractScheme
from anyk.spec import Sum

__all__ = ["GradientSums", "check_sums", "train_by_sums"]

_WINDOW = 4  # iterations, over which the loss must have come to rest


def check_sums(scheme: Any, *, colluders: int, exact: bool) -> AbstractScheme:
    """Check a scheme that gradients are to be summed by.

    Args:
        scheme: what was passed.
        colluders: T, as it was asked for.
        exact: whether anything was asked for that belongs to exact arithmetic alone.

    Raises:
        InvalidArgument: if it does not sum any function of floats, or privacy is asked for too.
    """
    instance(
        "scheme",
        scheme,
        AbstractScheme,
        change="Pass anyk.FractionalRepetition(blocks=8, workers=8, stragglers=1), say.",
    )
    given: AbstractScheme = scheme
    anything = isinstance(given.problem, Sum) and given.problem.degree is None
    if not anything or isinstance(given.domain, PrimeField):
        raise InvalidArgument(
            "scheme",
            given=shown(scheme),
            needed="one that sums any function of floats: a gradient code",
            change="Pass anyk.FractionalRepetition(blocks=8, workers=8, stragglers=1), say, or "
            "leave scheme out: anyk.Lagrange then hides the rows.",
        )
    if colluders:
        raise InvalidArgument(
            "colluders",
            given=f"{colluders}, with {type(given).__name__}",
            needed="0: with a gradient code every worker has its rows in the clear",
            change="Pass colluders=0 where workers may see rows, or leave scheme out.",
        )
    if exact:
        raise InvalidArgument(
            "data_bits, weight_bits, primes",
            given=f"a number, with {type(given).__name__}",
            needed="none: with a gradient code workers compute in float64",
            change="Leave these out.",
        )
    return given


@final
@dataclass(kw_only=True)
class GradientSums:
    """A mean loss and its gradient, each a sum over the blocks by a gradient code.

    Args:
        data: the blocks of rows, on the workers.
        function: what they compute.
        rows: how many there are, without padding.
        penalty: on W, float64 ndarray (columns, 1).
        intercept: whether b may change.
        roll: where answers, failures and lies are noted.
        worst: the largest error that was estimated of a sum, relative to its size.
    """

    data: Distributed
    function: BlockGradient
    rows: int
    penalty: NDArray[np.float64]
    intercept: bool
    roll: Roll
    worst: float = 0.0

    def __call__(self, flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """The value and the gradient at W and b, as one vector.

        Raises:
            NotEnoughAnswers: if more workers failed than the scheme survives.
            TooManyErrors: if more workers lied than it can name.
        """
        started = time.perf_counter()
        point = flat.reshape(-1, self.function.outputs)
        roll, domain = self.roll, self.data.encoded.scheme.domain
        outcome = self.data.run(
            self.function, point, on_answer=roll.listener(domain), progress=False
        )
        roll.note(outcome, time.perf_counter() - started, roll.workers * point.nbytes)
        self.worst = max(self.worst, outcome.error_estimate or 0.0)
        total = np.asarray(outcome.value, dtype=np.float64)
        slope = total[1:].reshape(point.shape)
        slope[-1] *= self.intercept
        value = float(total[0]) + float(np.sum(self.penalty * point[:-1] ** 2)) / 2
        slope[:-1] += self.penalty * point[:-1]
        return value / self.rows, slope.ravel() / self.rows


def train_by_sums(
    setting: Setting,
    design: NDArray[np.float64],
    loss: AbstractLoss,
    *,
    scheme: AbstractScheme,
    penalty: NDArray[np.float64],
    intercept: bool,
    tolerance: float,
) -> Trained:
    """Minimise loss(X W + b) + sum_ij penalty_i/2·W_ij^2 by the method L-BFGS at the master.

    Args:
        setting: threat, executor.
        design: X, float64 ndarray (rows, columns).
        loss: of z = X W + b, which workers compute on their rows.
        scheme: a gradient code; each of its blocks is some rows.
        penalty: on W, float64 ndarray (columns, 1).
        intercept: whether there is b.
        tolerance: how far the mean loss may have fallen in the last four iterations.

    Returns:
        Weights, losses and report.

    Raises:
        NotEnoughAnswers: if more workers failed than the code survives.
        TooManyErrors: if more workers lied than it can name.

    References:
        Liu, Nocedal: On the limited memory BFGS method (Mathematical Programming 1989).
    """
    started = time.perf_counter()
    rows, columns = design.shape
    outputs = loss.targets.shape[1]
    table = labelled_rows(design, loss.targets, loss.weights)
    blocks = in_blocks(table, scheme.problem.blocks)  # type: ignore[union-attr] # a Sum
    prepared = time.perf_counter()
    roll, losses = Roll(workers=setting.threat.workers), list[float]()
    with (
        setting.workers() as executor,
        distribute(scheme, blocks, executor) as data,
        progress(setting.max_iter, verbose=setting.verbose) as advance,
    ):
        encoded = time.perf_counter()
        sums = GradientSums(
            data=data,
            function=BlockGradient(type(loss), outputs),
            rows=rows,
            penalty=penalty,
            intercept=intercept,
            roll=roll,
        )
        values = list[float]()

        def value_and_slope(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            value, slope = sums(flat)
            values.append(value)
            if not losses:
                losses.append(value)
            return value, slope

        def at_rest(intermediate_result: Any) -> None:
            losses.append(float(intermediate_result.fun))
            advance(losses[-1])
            if setting.early and _fell(losses) <= tolerance:
                raise StopIteration

        found = minimize(
            value_and_slope,
            np.zeros((columns + 1) * outputs),
            jac=True,
            method="L-BFGS-B",
            callback=at_rest,
            options={"maxiter": setting.max_iter, "ftol": 0.0, "gtol": 1e-12},
        )
        master = time.perf_counter() - encoded - roll.answering
    notes = []
    if found.nit >= setting.max_iter and _fell(losses) > tolerance:
        notes.append(
            f"the mean loss still fell by {_fell(losses):.2g} in the last of {setting.max_iter} "
            f"iterations, which is more than tol={tolerance:.2g}: raise max_iter"
        )
    if sums.worst > LITTLE:
        notes.append(
            f"gradients were estimated from too few answers, with errors of up to {sums.worst:.2g} "
            "of their size: take a scheme for more stragglers, or replace workers that are gone"
        )
    point = found.x.reshape(-1, outputs)
    report = roll.report(
        data=data,
        formats=None,
        iterations=int(found.nit),
        notes=notes,
        seconds=(prepared - started, encoded - prepared, master),
    )
    return Trained(weights=point[:-1], offsets=point[-1], losses=losses, report=report)


def _fell(losses: list[float]) -> float:
    """How far the loss has fallen in the last iterations, or since the first; inf before them."""
    if len(losses) <= _WINDOW:
        return np.inf
    return losses[-1 - _WINDOW] - losses[-1]
