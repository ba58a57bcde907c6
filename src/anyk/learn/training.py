"""One training: choose a code and formats, encode the data once, descend on decoded gradients."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import count, instance, positive
from anyk.errors import Unachievable
from anyk.executors.core.base import AbstractExecutor
from anyk.executors.local.threads import Threads
from anyk.learn.descent import descend, projected, top_curvature
from anyk.learn.gradient import CodedGradient
from anyk.learn.precision import Bits, choose_precision
from anyk.learn.progress import progress
from anyk.learn.report import Roll, TrainingReport
from anyk.learn.response import Response
from anyk.running.run import distribute
from anyk.schemes.maps.lagrange import Lagrange
from anyk.spec import Threat

__all__ = ["Loss", "Trained", "Training", "largest_code"]


Loss = Callable[[NDArray[np.float64], NDArray[np.float64]], float]
"""Of z = Xw (rows, outputs) and y."""

_SEEN = 1024  # rows on which the loss is recorded


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """What came of a training.

    Args:
        weights: float64 ndarray (columns, outputs).
        losses: at the point of each gradient.
        report: how it went.
    """

    weights: NDArray[np.float64]
    losses: list[float]
    report: TrainingReport


def largest_code(threat: Threat, *, degree: int, rows: int) -> Lagrange:
    """The Lagrange code with the most blocks that survives a threat.

    A gradient has degree r + 1 in the data and r in the weights, which are encoded too: 2r + 1.

    Args:
        threat: N, S, A and T.
        degree: r, of the response.
        rows: no more blocks than these.

    Raises:
        Unachievable: if there is none: the inequality, and what to change.

    Example:
        >>> from anyk.learn.training import largest_code
        >>> largest_code(anyk.Threat(workers=40, colluders=1), degree=1, rows=12396).blocks
        13
        >>> largest_code(anyk.Threat(workers=40, colluders=7), degree=1, rows=12396).blocks
        7
    """
    total = 2 * degree + 1
    spare = threat.workers - threat.stragglers - 2 * threat.adversaries - 1
    blocks = spare // total + 1 - threat.colluders
    if blocks < 1:
        least = total * threat.colluders + 2 * threat.adversaries + 1 + threat.stragglers
        raise Unachievable(
            "workers",
            given=str(threat.workers),
            needed=(
                "(2r+1)(K+T-1) + 2A + 1 + S <= N with K >= 1, that is "
                f"{total}*{threat.colluders} + 2*{threat.adversaries} + 1 + {threat.stragglers} = "
                f"{least} <= {threat.workers}"
            ),
            change=(
                f"Add {least - threat.workers} workers, or lower degree, stragglers, adversaries "
                "or colluders."
            ),
        )
    return Lagrange(
        blocks=min(blocks, rows),
        degree=total,
        workers=threat.workers,
        adversaries=threat.adversaries,
        colluders=threat.colluders,
    )


@contextmanager
def _workers(executor: AbstractExecutor | None, number: int) -> Iterator[AbstractExecutor]:
    """The executor that was given, left open; or threads, closed at the end."""
    if executor is not None:
        instance(
            "executor", executor, AbstractExecutor, change="Make one, such as anyk.Threads(8)."
        )
        yield executor
        return
    with Threads(number) as own:
        yield own


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Training:
    """The parameters of a training.

    Args:
        threat: N, S, A and T.
        iterations: how many gradients.
        step: of the descent, or "auto" for 1 / L.
        momentum: whether descents have momentum.
        weight_norm: the largest norm of a column of weights.
        data_bits: fraction bits of the features, or "auto".
        weight_bits: fraction bits of the weights, or "auto".
        primes: how many primes, or "auto".
        executor: runs the workers; None for threads of this process.
        generator: of the roundings; None for the operating system's CSPRNG.
        verbose: 0 to show nothing.
    """

    threat: Threat
    iterations: int
    step: float | Literal["auto"]
    momentum: bool
    weight_norm: float
    data_bits: Bits
    weight_bits: Bits
    primes: Bits
    executor: AbstractExecutor | None
    generator: np.random.Generator | None
    verbose: int

    def __post_init__(self) -> None:
        count("iterations", self.iterations, least=1)
        change = "Leave it out to get the default."
        positive("weight_norm", self.weight_norm, change=change)
        if not isinstance(self.step, str) or self.step != "auto":
            positive("step", self.step, change=change)

    def train(
        self,
        design: NDArray[np.float64],
        targets: NDArray[np.float64],
        response: Response,
        *,
        loss: Loss,
    ) -> Trained:
        """Minimise the loss whose gradient is X^T (g(Xw) - y) / rows, on encoded data.

        Args:
            design: X, float64 ndarray (rows, columns).
            targets: y, float64 ndarray (rows, outputs).
            response: g.
            loss: to be recorded: on all rows, or on some 1,000 spread
                evenly where there are more.

        Returns:
            Weights, losses and report.

        Raises:
            Unachievable: if no code survives the threat, or a gradient could wrap.
            NotEnoughAnswers: if more workers failed than the code survives.
            TooManyErrors: if more workers lied than it can name.
        """
        started = time.perf_counter()
        scheme = largest_code(self.threat, degree=response.degree, rows=len(design))
        precision = choose_precision(
            design,
            blocks=scheme.blocks,
            degree=response.degree,
            norm=self.weight_norm,
            data_bits=self.data_bits,
            weight_bits=self.weight_bits,
            primes=self.primes,
        )
        rounded = precision.data.quantise(design)
        step = self.step
        if step == "auto":
            step = 1 / (response.slope * top_curvature(rounded))
        constant = rounded.T @ (response.coefficients[0] - targets)
        rows = -(-len(design) // scheme.blocks)
        blocks = np.zeros((scheme.blocks, rows, design.shape[1]))
        blocks.reshape(-1, design.shape[1])[: len(design)] = rounded
        spread = slice(None, None, -(-len(design) // _SEEN))
        seen, answers, losses = rounded[spread], targets[spread], list[float]()
        prepared = time.perf_counter()
        roll = Roll(workers=self.threat.workers)
        with (
            _workers(self.executor, self.threat.workers) as executor,
            distribute(scheme, blocks, executor, embedding=precision.data) as data,
            progress(self.iterations, verbose=self.verbose) as advance,
        ):
            encoded = time.perf_counter()
            gradient = CodedGradient(
                data=data,
                response=response,
                precision=precision,
                constant=constant,
                rows=len(design),
                generator=self.generator,
                roll=roll,
            )

            def hold(point: NDArray[np.float64]) -> NDArray[np.float64]:
                inside = projected(point, self.weight_norm)
                if response.degree == 1:  # whose loss is convex everywhere
                    return inside
                reached = np.abs(seen @ inside).max(axis=0)
                return np.asarray(
                    inside * np.minimum(1.0, response.interval / np.maximum(reached, 1e-300))
                )

            def note(point: NDArray[np.float64]) -> None:
                losses.append(loss(seen @ point, answers))
                advance(losses[-1])

            weights = descend(
                gradient,
                np.zeros((design.shape[1], targets.shape[1])),
                step=step,
                iterations=self.iterations,
                project=hold,
                momentum=self.momentum,
                note=note,
            )
            master = time.perf_counter() - encoded - gradient.answering
        reached = np.linalg.norm(weights, axis=0).max() >= self.weight_norm * (1 - 1e-9)
        report = TrainingReport(
            scheme=scheme,
            data_bits=precision.data_bits,
            weight_bits=precision.weight_bits,
            primes=precision.primes,
            step=step,
            at_limit=bool(reached),
            liars=dict(sorted(roll.liars.items())),
            failed=dict(sorted(roll.failed.items())),
            silent=roll.silent,
            prepare_seconds=prepared - started,
            encode_seconds=encoded - prepared,
            master_seconds=master,
            worker_seconds=gradient.waited,
        )
        return Trained(weights=weights, losses=losses, report=report)
