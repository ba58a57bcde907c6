"""CodedPrivateML's training: descend on a polynomial loss, a round of answers an iteration."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import positive
from anyk.errors import InvalidArgument
from anyk.learn.calibration import calibrate
from anyk.learn.descent import descend, top_curvature
from anyk.learn.formats import Formats, choose_formats
from anyk.learn.gradient import CodedGradient, longest
from anyk.learn.products import exponent_of
from anyk.learn.progress import progress
from anyk.learn.report import Roll
from anyk.learn.response import Response
from anyk.learn.setting import Setting, largest_code
from anyk.learn.training import LITTLE, Trained, in_blocks, still_falls
from anyk.losses import LogLoss
from anyk.running.run import distribute

__all__ = ["Descent"]

_AIMS = 8, 10  # bits of data and weights, enough to learn with
_NEARLY = 0.99  # of the interval: where weights end that are held to it
_WINDOW = 4  # iterations, over which the loss must have come to rest


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Descent:
    """How to descend on the loss of a polynomial response.

    Args:
        response: g.
        step: of the descent, or "auto" for 1 / L.
        momentum: Nesterov's.
        penalty: half of it times the squared norm of the weights, but the offset, is added.
        intercept: whether there is an offset.
        tolerance: how far the loss may still have fallen in the last iterations.
    """

    response: Response
    step: float | Literal["auto"]
    momentum: bool
    penalty: float
    intercept: bool
    tolerance: float

    def __post_init__(self) -> None:
        if not isinstance(self.step, str) or self.step != "auto":
            positive("step", self.step, change="Leave it out to get the default.")

    def train(
        self,
        setting: Setting,
        features: NDArray[np.float64],
        targets: NDArray[np.float64],
        weights: NDArray[np.float64] | float = 1.0,
    ) -> Trained:
        """Descend, and bring the log-odds to the scale of probabilities.

        Args:
            setting: threat, executor, bits.
            features: float64 ndarray (rows, columns).
            targets: float64 ndarray (rows, outputs), 0 or 1.
            weights: how much each row counts, float64 ndarray (rows, 1) of mean 1; or 1.0. Rows are
                encoded times the square root, which does it if the response is a line.

        Returns:
            Weights, losses and report.

        Raises:
            InvalidArgument: if rows have different weights and the response is no line.
            Unachievable: if no code survives the threat, or a gradient could wrap.
            NotEnoughAnswers: if more workers failed than the code survives.
            TooManyErrors: if more workers lied than it can name.
        """
        started = time.perf_counter()
        response, rows = self.response, len(features)
        _check_weights(response, weights)
        root = np.sqrt(np.maximum(weights, np.finfo(float).tiny))
        exponent = exponent_of(features * root)  # of a power of two, which stays here
        small, lift = np.ldexp(features, -exponent), exponent_of(root)
        constant = np.full((rows, int(self.intercept)), math.ldexp(1.0, -lift))
        design = np.hstack([small, constant]) * root
        scheme = largest_code(setting.threat, degree=2 * response.degree + 1, rows=rows)
        formats = _formats(setting, response, -(-rows // scheme.blocks), design.shape[1])
        rounded = formats.data.quantise(design)
        lower = np.full((features.shape[1], 1), math.ldexp(self.penalty, min(-2 * exponent, 500)))
        penalties = np.vstack([lower, np.zeros((int(self.intercept), 1))]) / rows
        step = self.step
        if step == "auto":
            step = 1 / (response.slope * top_curvature(rounded) + penalties.max())
        blocks = in_blocks(rounded, scheme.blocks)
        prepared = time.perf_counter()
        roll, losses = Roll(workers=setting.threat.workers), list[float]()
        with (
            setting.workers() as executor,
            distribute(scheme, blocks, executor, embedding=formats.data) as data,
            progress(setting.max_iter, verbose=setting.verbose) as advance,
        ):
            encoded = time.perf_counter()
            coded = CodedGradient(
                data=data,
                response=response,
                formats=formats,
                linear=rounded.T @ (root * targets),
                offset=(root * rounded).sum(axis=0)[:, None],
                length=longest(design.shape[1]),
                rows=rows,
                generator=setting.generator,
                roll=roll,
            )

            def hold(point: NDArray[np.float64]) -> NDArray[np.float64]:
                if response.degree == 1:  # whose loss is convex everywhere
                    return point
                reached = np.abs(rounded @ point).max(axis=0)
                return np.asarray(
                    point * np.minimum(1.0, response.interval / np.maximum(reached, 1e-300))
                )

            def gradient(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
                value, slope = coded(point)
                return value, slope + penalties * point

            def note(value: float) -> None:
                losses.append(value)
                advance(value)

            point = descend(
                gradient,
                np.zeros((design.shape[1], targets.shape[1])),
                step=step,
                iterations=setting.max_iter,
                project=hold,
                momentum=self.momentum,
                note=note,
            )
            master = time.perf_counter() - encoded - roll.answering
        fell = losses[max(0, len(losses) - 1 - _WINDOW)] - losses[-1]
        notes = []
        if not abs(fell) <= self.tolerance:
            notes.append(
                f"the polynomial loss moved by {abs(fell):.2g} in the last iterations, more "
                f"than tol={self.tolerance:.2g}: raise max_iter, or leave degree out, "
                "which converges in fewer"
            )
        z, loss = rounded @ point / root, LogLoss(targets, weights)
        held = response.degree > 1 and bool(np.abs(z).max() > _NEARLY * response.interval)
        if held:
            notes.append(
                f"the weights were held back where the polynomial turns around, |x·w| > "
                f"{response.interval:.3g}: raise interval, or leave degree out"
            )
        slopes, offsets = calibrate(z, targets, weights, intercept=self.intercept)
        losses.append(loss.value(z * slopes + offsets) / rows)
        columns = features.shape[1]
        own = np.ldexp(point[columns:].sum(axis=0), -lift)
        found = point[:columns] * slopes, own * slopes + offsets
        left = still_falls(small, loss, found, penalty=lower, intercept=self.intercept)
        if left > max(LITTLE, 2 * self.tolerance):
            notes.append(
                "by the sigmoid itself in place of the polynomial, some iterations lower the mean "
                f"log-loss by {left:.2g}: leave degree out"
            )
        report = roll.report(
            data=data,
            formats=formats,
            iterations=setting.max_iter,
            notes=notes,
            seconds=(prepared - started, encoded - prepared, master),
            step=step,
            at_limit=held,
        )
        return Trained(
            weights=np.ldexp(found[0], -exponent),
            offsets=found[1],
            losses=losses,
            report=report,
        )


def _formats(setting: Setting, response: Response, rows: int, columns: int) -> Formats:
    """Those of a block of rows and of the weights, which `CodedGradient` holds to a length."""
    return choose_formats(
        rows * columns**response.degree,
        degrees=(response.degree + 1, response.degree),
        aims=_AIMS,
        data_bits=setting.data_bits,
        weight_bits=setting.weight_bits,
        primes=setting.primes,
        counted=rows * longest(columns) ** response.degree,
    )


def _check_weights(response: Response, weights: NDArray[np.float64] | float) -> None:
    """Refuse weights that can't be encoded with the rows."""
    if response.degree > 1 and np.ptp(weights) > 0:
        raise InvalidArgument(
            "degree",
            given=f"{response.degree}, with rows of different weights",
            needed="1, with which the square root of a weight can be encoded with its row",
            change="Pass 1, or leave degree out: the sigmoid itself takes any weights.",
        )
