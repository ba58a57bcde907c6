"""`TrainingReport`: how a training went, and which workers failed or lied in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np

from anyk.answers import Answer, Outcome
from anyk.domains.base import AbstractDomain
from anyk.learn.formats import Formats
from anyk.running.distributed import Distributed
from anyk.schemes.base import AbstractScheme
from anyk.schemes.encoded import Encoded
from anyk.schemes.wrappers.embedded import Embedded

__all__ = ["Roll", "TrainingReport", "bytes_of"]

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_SILENT = 3  # rounds without a used answer at the end, after which a worker is named


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingReport:
    """How a training went. It holds numbers and names, and nothing of the data.

    Args:
        scheme: the code, with its guarantee.
        data_bits: fraction bits of the features; None where workers computed in float64.
        weight_bits: fraction bits of the weights; None there too.
        primes: what the gradient was computed modulo; () there.
        step: the step size of a descent; nan where each step is as long as is best.
        at_limit: whether the weights were held back, where a polynomial would turn around.
        notes: what keeps the model from the best one, as was warned of; () if nothing does.
        iterations: how many steps were made.
        liars: workers whose answers were wrong, with the first round in which they were named.
            An iteration is two rounds of answers, or one with a polynomial.
        failed: workers that failed, with the first round in which they did, and why.
        silent: workers whose answers were not used in the last rounds (at least 3), with the round
            from which on, and which were late in one of these or more by the executor's measure.
        spare: those that were not: the others' answers were enough before theirs came.
        prepare_seconds: to scale the features, and to choose bits and step.
        encode_seconds: to encode the data and hand out the shares.
        master_seconds: to encode weights, decode answers and step, in all iterations.
        worker_seconds: waited for workers in all iterations, on the executor's clock.
        data_bytes: of the shares of the data, as they travel to workers and lie there.
        sent_bytes: of what workers were sent to multiply the data with, in all iterations.
        received_bytes: of answers that came, in all iterations.

    Example:
        >>> from anyk.learn import CodedLinearRegression
        >>> X = np.arange(12.0).reshape(6, 2) ** 2
        >>> model = CodedLinearRegression(workers=8).fit(X, X @ [1.0, -1.0])
        >>> model.report_.liars, model.report_.failed
        ({}, {})
    """

    scheme: AbstractScheme
    data_bits: int | None
    weight_bits: int | None
    primes: tuple[int, ...]
    step: float
    at_limit: bool
    notes: tuple[str, ...]
    iterations: int
    liars: Mapping[int, int]
    failed: Mapping[int, tuple[int, str]]
    silent: Mapping[int, int]
    spare: Mapping[int, int]
    prepare_seconds: float
    encode_seconds: float
    master_seconds: float
    worker_seconds: float
    data_bytes: int
    sent_bytes: int
    received_bytes: int

    def __str__(self) -> str:
        """A short report that a person reads."""
        promise, several = self.scheme.guarantee, "s" if len(self.primes) > 1 else ""
        survives = f"{promise.stragglers} late or dead, {promise.adversaries} lying"
        private = f"{promise.colluders} together learn nothing"
        bits = f"{self.data_bits} bits of data, {self.weight_bits} of weights"
        precision = f"{bits}, {len(self.primes)} prime{several}"
        master = f"{self.prepare_seconds:.3g} to prepare, {self.encode_seconds:.3g} to encode"
        travelled = f"{_told(self.sent_bytes)} sent, {_told(self.received_bytes)} received"
        lines = [
            f"scheme    {self.scheme!r}",
            f"survives  {survives}; {private if promise.colluders else 'workers see rows'}",
            f"precision {precision if self.primes else 'float64'}",
            f"seconds   {master}, {self.master_seconds:.3g} to iterate",
            f"workers   {self.worker_seconds:.3g} seconds in {self.iterations} iterations",
            f"bytes     {_told(self.data_bytes)} of shares, {travelled} in all iterations",
        ]
        lines.extend(f"warning   {note}" for note in self.notes)
        lines.extend(f"lied      worker {who}, from round {i}" for who, i in self.liars.items())
        lines.extend(
            f"failed    worker {who}, in round {i}: {why}" for who, (i, why) in self.failed.items()
        )
        lines.extend(f"silent    worker {who}, from round {i}" for who, i in self.silent.items())
        lines.extend(
            f"spare     worker {who} was not needed, from round {i}"
            for who, i in self.spare.items()
        )
        return "\n".join(lines)


def bytes_of(shares: Encoded) -> int:
    """How many bytes shares take as they travel, all of them."""
    return sum(part.nbytes for part in shares.parts)


def _told(size: int) -> str:
    """A number of bytes for a person."""
    unit = min(len(_UNITS) - 1, max(0, size.bit_length() - 1) // 10)
    return f"{size / (1 << 10 * unit):.3g} {_UNITS[unit]}"


@final
@dataclass(kw_only=True)
class Roll:
    """Who answered, failed and lied, round by round.

    Args:
        workers: N.

    Example:
        >>> from anyk.learn.report import Roll
        >>> Roll(workers=2).silent
        {}
    """

    workers: int
    rounds: int = 0
    liars: dict[int, int] = field(default_factory=dict)
    failed: dict[int, tuple[int, str]] = field(default_factory=dict)
    heard: dict[int, int] = field(default_factory=dict)
    late: dict[int, int] = field(default_factory=dict)
    sent: int = 0  # bytes
    received: int = 0
    waited: float = 0.0  # seconds on the executor's clock
    answering: float = 0.0  # seconds of this machine

    def listener(self, domain: AbstractDomain) -> Callable[[Answer], None]:
        """What hears the answers of a round, and counts their bytes as they travelled.

        Args:
            domain: of the answers.
        """
        each = domain.at_rest(np.zeros(0, domain.dtype)).itemsize

        def heard(answer: Answer) -> None:
            if answer.value is not None:
                self.received += answer.value.size * each

        return heard

    def note(self, outcome: Outcome, seconds: float, sent: int) -> None:
        """One more round, how long this machine spent on it, and how many bytes it sent."""
        self.sent += sent
        self.waited += outcome.elapsed
        self.answering += seconds
        for worker in outcome.suspects:
            self.liars.setdefault(worker, self.rounds)
        for worker, reason in outcome.failures.items():
            self.failed.setdefault(worker, (self.rounds, reason))
        for worker in outcome.late:
            self.late[worker] = self.rounds
        for worker in outcome.used:
            self.heard[worker] = self.rounds
        self.rounds += 1

    @property
    def silent(self) -> dict[int, int]:
        """Workers without a used answer at the end, and since when, that were late since then."""
        return {who: i for who, i in self._unheard().items() if self.late.get(who, -1) >= i}

    @property
    def spare(self) -> dict[int, int]:
        """Workers without a used answer at the end, and since when, that were not late."""
        return {who: i for who, i in self._unheard().items() if self.late.get(who, -1) < i}

    def report(
        self,
        *,
        data: Distributed,
        formats: Formats | None,
        iterations: int,
        notes: Sequence[str],
        seconds: tuple[float, float, float],
        step: float = math.nan,
        at_limit: bool = False,
    ) -> TrainingReport:
        """The report of a training that is over.

        Args:
            data: the encoded blocks.
            formats: of data and weights; None for float64.
            iterations: how many steps were made.
            notes: what keeps the model from the best one.
            seconds: to prepare, to encode, and of the master in all iterations.
            step: the step size of a descent.
            at_limit: whether the weights were held back.
        """
        prepare, encode, master = seconds
        scheme = data.encoded.scheme
        embedded = scheme if isinstance(scheme, Embedded) else None
        return TrainingReport(
            scheme=embedded.scheme if embedded else scheme,
            data_bits=formats and formats.data_bits,
            weight_bits=formats and formats.weight_bits,
            primes=embedded.domain.primes if embedded else (),
            step=step,
            at_limit=at_limit,
            notes=tuple(notes),
            iterations=iterations,
            liars=dict(sorted(self.liars.items())),
            failed=dict(sorted(self.failed.items())),
            silent=self.silent,
            spare=self.spare,
            prepare_seconds=prepare,
            encode_seconds=encode,
            master_seconds=master,
            worker_seconds=self.waited,
            data_bytes=bytes_of(data.encoded),
            sent_bytes=self.sent,
            received_bytes=self.received,
        )

    def _unheard(self) -> dict[int, int]:
        since = {worker: self.heard.get(worker, -1) + 1 for worker in range(self.workers)}
        return {who: first for who, first in since.items() if self.rounds - first >= _SILENT}
