"""`TrainingReport`: how a training went, and which workers failed or lied in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

from anyk.answers import Outcome
from anyk.schemes.maps.lagrange import Lagrange

__all__ = ["Roll", "TrainingReport"]

_SILENT = 3  # iterations without a used answer at the end, after which a worker is named


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingReport:
    """How a training went. It holds numbers and names, and nothing of the data.

    Args:
        scheme: the code, with its guarantee.
        data_bits: fraction bits of the features.
        weight_bits: fraction bits of the weights.
        primes: what the gradient was computed modulo.
        step: the step size.
        at_limit: whether the weights ended at `weight_norm`, which then held them back.
        liars: workers whose answers were wrong, with the first iteration in which they were named.
        failed: workers that failed, with the first iteration in which they did, and why.
        silent: workers whose answers were not used in the last iterations (at least 3), with the
            iteration from which on: late, dead, or too slow by a little each time.
        prepare_seconds: to scale the features, and to choose bits and step.
        encode_seconds: to encode the data and hand out the shares.
        master_seconds: to encode weights, decode gradients and step, in all iterations.
        worker_seconds: waited for workers in all iterations, on the executor's clock.

    Example:
        >>> from anyk.learn import CodedLinearRegression
        >>> X = np.arange(12.0).reshape(6, 2) ** 2
        >>> model = CodedLinearRegression(workers=8).fit(X, X @ [1.0, -1.0])
        >>> model.report_.liars, model.report_.failed
        ({}, {})
    """

    scheme: Lagrange
    data_bits: int
    weight_bits: int
    primes: tuple[int, ...]
    step: float
    at_limit: bool
    liars: Mapping[int, int]
    failed: Mapping[int, tuple[int, str]]
    silent: Mapping[int, int]
    prepare_seconds: float
    encode_seconds: float
    master_seconds: float
    worker_seconds: float

    def __str__(self) -> str:
        """A short report that a person reads."""
        promise, several = self.scheme.guarantee, "s" if len(self.primes) > 1 else ""
        survives = f"{promise.stragglers} late or dead, {promise.adversaries} lying"
        bits = f"{self.data_bits} bits of data, {self.weight_bits} of weights"
        master = f"{self.prepare_seconds:.3g} to prepare, {self.encode_seconds:.3g} to encode"
        lines = [
            f"scheme    {self.scheme!r}",
            f"survives  {survives}; {promise.colluders} together learn nothing",
            f"precision {bits}, {len(self.primes)} prime{several}; step {self.step:.3g}",
            f"seconds   {master}, {self.master_seconds:.3g} to iterate",
            f"workers   {self.worker_seconds:.3g} seconds in all iterations",
        ]
        if self.at_limit:
            lines.append("limit     the weights reached weight_norm: raise it")
        lines.extend(f"lied      worker {who}, from iteration {i}" for who, i in self.liars.items())
        lines.extend(
            f"failed    worker {who}, in iteration {i}: {why}"
            for who, (i, why) in self.failed.items()
        )
        lines.extend(
            f"silent    worker {who}, from iteration {i}" for who, i in self.silent.items()
        )
        return "\n".join(lines)


@final
@dataclass(kw_only=True)
class Roll:
    """Who answered, failed and lied, iteration by iteration.

    Args:
        workers: N.

    Example:
        >>> from anyk.learn.report import Roll
        >>> Roll(workers=2).silent
        {}
    """

    workers: int
    iterations: int = 0
    liars: dict[int, int] = field(default_factory=dict)
    failed: dict[int, tuple[int, str]] = field(default_factory=dict)
    heard: dict[int, int] = field(default_factory=dict)

    def note(self, outcome: Outcome) -> None:
        """One more iteration."""
        for worker in outcome.suspects:
            self.liars.setdefault(worker, self.iterations)
        for worker, reason in outcome.failures.items():
            self.failed.setdefault(worker, (self.iterations, reason))
        for worker in outcome.used:
            self.heard[worker] = self.iterations
        self.iterations += 1

    @property
    def silent(self) -> dict[int, int]:
        """Workers without a used answer at the end, and since when."""
        since = {worker: self.heard.get(worker, -1) + 1 for worker in range(self.workers)}
        return {who: first for who, first in since.items() if self.iterations - first >= _SILENT}
