"""What comes back: one `Answer` a share, one `Outcome` a run."""

from __future__ import annotations

import enum
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.evidence import (
    error_in_words,
    evidence_in_short,
    evidence_in_words,
    evidence_picture,
)
from anyk.wording import SAME_REASON, by_reason, fail_alike, numbered, ranges

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from anyk.leak import Leak
    from anyk.planning.products import ProductPlan
    from anyk.timeline import Fate

__all__ = ["Answer", "Outcome", "Recovered", "Status", "Timing"]

_LONGEST_NOTE = 24  # letters beside a bar
_MOST_REASONS = 5  # why items have no value, in a report


def _told(workers: Sequence[int]) -> str:
    return f"{'worker' if len(workers) == 1 else 'workers'} {ranges(workers)}"


@final
class Status(enum.Enum):
    """How a run ended. The value of each member is advice.

    Example:
        >>> anyk.Status.EXACT.ok, anyk.Status.TOO_MANY_ERRORS.ok
        (True, False)
        >>> print(anyk.Status.NOT_ENOUGH_ANSWERS.value)
        Too few workers answered: wait longer, add workers, or promise less.
    """

    EXACT = "The value is exact."
    APPROXIMATE = "The value is approximate: error_estimate says how far off it may be."
    NOT_ENOUGH_ANSWERS = "Too few workers answered: wait longer, add workers, or promise less."
    TOO_MANY_ERRORS = "The answers contradict each other, and not only by few enough liars."
    NOT_ACCURATE_ENOUGH = "The error estimate is above the tolerance: add workers or wait longer."

    @property
    def ok(self) -> bool:
        """Whether the outcome has a value."""
        return self in {Status.EXACT, Status.APPROXIMATE}

    def __repr__(self) -> str:
        return f"Status.{self.name}"


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """What one worker sent back for one share, or its failure.

    Args:
        worker: its index.
        piece: which of its shares this is the answer on, counted from 0 in the worker's order.
        share: which share it is the answer on, where that is another worker's; None where it is
            one of its own.
        traceback: where the function raised the failure, as Python prints it; "" where it did not,
            or the worker is not trusted with such a text.
        value: ndarray, or None where it failed.
        failure: None, or why there is no value, in a sentence.
        sent: when the task was handed out, in seconds on the executor's clock.
        answered: when the answer was back, on the same clock.
        seconds: compute time that the worker itself reported; 0.0 where it could not.

    Example:
        >>> anyk.Answer(worker=3, value=np.ones(2), sent=0.0, answered=0.5, seconds=0.4).failure
    """

    worker: int
    piece: int = 0
    value: NDArray[Any] | None
    failure: str | None = None
    sent: float
    answered: float
    seconds: float
    share: int | None = None
    traceback: str = ""


@final
@dataclass(frozen=True, kw_only=True)
class Timing:
    """When one worker was asked and when it answered.

    Args:
        worker: its index.
        sent: seconds after the start of the run.
        answered: seconds after the start of the run; None if it had not answered by the end.
        seconds: compute time that the worker reported; None if it had not answered.

    Example:
        >>> anyk.Timing(worker=0, sent=0.0, answered=0.5, seconds=0.4)
        Timing(worker=0, sent=0.0, answered=0.5, seconds=0.4)
    """

    worker: int
    sent: float
    answered: float | None
    seconds: float | None


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Recovered:
    """What a recovery makes of the answers.

    Args:
        value: ndarray (K, *out) for a `Map`, (*out) for a `Sum` or `MatMul`.
        suspects: workers whose answers contradict the rest, sorted.
        error_estimate: estimated root mean square error divided by the root mean square of the
            value; None where the value is exact.
        quantisation_error: the most that rounding the inputs to fixed point can have moved one
            entry of the value; None where nothing was rounded.
        known: which blocks are as computed or decoded exactly, bool ndarray (K,); (1,) for a `Sum`
            or `MatMul`, of its one value. None is the same as all, where the value is exact.
        block_errors: the estimated root mean square error of each block, divided by the root mean
            square of the whole value, ndarray (K,): 0 where known. Their root mean square is
            `error_estimate`. None where the value is exact.
        disputed: workers who hold one share and contradict each other, where nothing proves who of
            them lied: the value is made without them.
        condition: by how much errors of answers may be amplified in the value, by the matrix that
            was solved for these answers; None where that is not known.

    Example:
        >>> scheme = anyk.Replication(blocks=2, workers=2)
        >>> encoded = scheme.encode(np.array([1.0, 2.0]))
        >>> encoded.decode(encoded.shares ** 2, [0, 1]).value
        array([1., 4.])
    """

    value: NDArray[Any]
    suspects: tuple[int, ...] = ()
    error_estimate: float | None = None
    quantisation_error: float | None = None
    known: NDArray[np.bool_] | None = None
    block_errors: NDArray[np.float64] | None = None
    disputed: tuple[tuple[int, ...], ...] = ()
    condition: float | None = None


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """The value of a run, and the evidence for it.

    Args:
        value: ndarray (K, *out) in the order of the blocks; None if the status is a failure. Of
            `anyk.map`, a list in the order of the items.
        status: how the run ended.
        used: workers of whose answers one or more were examined, sorted; liars among them.
        shares: whose answers were examined, sorted; they are `used` where a worker has one.
        missing: workers without a usable answer, sorted.
        suspects: workers that lied, sorted: the value is consistent with exactly these lying.
        error_estimate: estimated relative error (root mean square); None where exact.
        quantisation_error: the most that rounding the inputs to fixed point can have moved one
            entry of the value, which is exact on the rounded ones; None without an embedding.
        failures: reason by worker, for those that failed rather than kept silent: they are of
            `missing`, unless a worker has several shares and failed on some of them only.
        timings: one `Timing` a worker, in the order of the workers.
        elapsed: seconds from the dispatch of the task to the value, on the executor's clock; the
            encoding of the data is not in it.
        known: which blocks are as computed or decoded exactly, bool ndarray (K,); (1,) for a `Sum`
            or `MatMul`, of its one value. None where nothing was decoded.
        block_errors: the estimated error of each block by the size of the whole value, ndarray
            (K,): 0 where known, infinite where there is no evidence. None where the value is exact.
        late: workers that had not answered, and should have, sorted: by the executor's measure,
            or as there is no value without them. Those of `missing` that neither failed nor were
            late were not needed.
        again: shares that another worker was asked to compute too, as their own was late or had
            failed, sorted.
        disputed: workers who hold one share and contradict each other, where nothing proves who of
            them lied: at least one in each tuple did. The value is made without them.
        leak: what colluders have learned at most by the encodings that workers were sent of the
            data and arguments so far; None where nothing is promised about them.
        condition: by how much errors of answers may be amplified in the value; None where that is
            not known.
        plan: the scheme that `anyk.matmul` chose, and why; None elsewhere.
        calls: how often workers were given an item to call the function on, in `anyk.map`; None
            elsewhere. There, value is a list, with None for the items that are not `known`.
        unanswered: why an item has no value, by item, in `anyk.map`.

    Example:
        >>> scheme = anyk.Lagrange(blocks=2, degree=2, workers=5)
        >>> with anyk.Inline(5) as executor:
        ...     outcome = anyk.run(scheme, np.square, np.array([5, 6]), executor)
        >>> outcome.value, outcome.status, outcome.used, outcome.missing
        (array([25, 36]), Status.EXACT, (0, 1, 2), (3, 4))
    """

    value: Any
    status: Status
    used: tuple[int, ...]
    missing: tuple[int, ...]
    shares: tuple[int, ...] = ()
    suspects: tuple[int, ...] = ()
    error_estimate: float | None = None
    failures: Mapping[int, str] = field(default_factory=dict)
    timings: tuple[Timing, ...] = ()
    elapsed: float = 0.0
    quantisation_error: float | None = None
    known: NDArray[np.bool_] | None = None
    block_errors: NDArray[np.float64] | None = None
    late: tuple[int, ...] = ()
    again: tuple[int, ...] = ()
    disputed: tuple[tuple[int, ...], ...] = ()
    leak: Leak | None = None
    condition: float | None = None
    plan: ProductPlan | None = None
    calls: int | None = None
    unanswered: Mapping[int, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """A short report that a person reads."""
        from anyk.timeline import told_seconds  # noqa: PLC0415 - reports alone

        lines = [self._headline]
        if self.value is not None:
            lines.append(f"value     {self._value_in_words}")
        lines.extend(self._unanswered_in_words())
        if self.plan is not None:
            lines.append(f"plan      {self.plan.headline}")
        if self.error_estimate is not None and not (self.known is not None and self.known.all()):
            amplified = "" if self.condition is None else f" (condition {self.condition:.2g})"
            lines.append(f"error     {error_in_words(self.error_estimate)}{amplified}")
        if self._of_blocks and self.known is not None and self.block_errors is not None:
            lines.append(f"blocks    {evidence_in_words(self.known, self.block_errors)}")
        if self.quantisation_error is not None:
            lines.append(f"rounding  of the inputs: at most {self.quantisation_error:.2g} an entry")
        several = len(self.shares) > len(self.used) and not self.again
        pieces = f" ({len(self.shares)} pieces)" if several else ""
        lines.append(
            f"answers   {len(self.used)} of {len(self.used) + len(self.missing)} workers{pieces}, "
            f"after {told_seconds(self.elapsed)}"
        )
        lines.extend(self._workers_in_words())
        if self.leak is not None:
            lines.append("curious   " + str(self.leak).replace("\n", "\n" + " " * 10))
        return "\n".join(lines)

    def __iter__(self) -> Iterator[Any]:
        """The items of the value: of a map its results, of others its blocks, in order."""
        return iter(self.value)

    @property
    def _value_in_words(self) -> str:
        if self.calls is None:
            return f"{self.value.dtype} array of shape {self.value.shape}"
        missed = 0 if self.known is None else int(np.sum(~self.known))
        known = f", {missed} of them not known" if missed else ""
        items, calls = numbered(len(self.value), "item"), numbered(self.calls, "call")
        return f"list of {items}{known}, from {calls}"

    def _unanswered_in_words(self) -> list[str]:
        """Which items have no value, and why: a line for each reason, as long as these are few."""
        reasons = by_reason(self.unanswered)
        lines = [
            f"no value  {'item' if len(items) == 1 else 'items'} {ranges(items)}: {why}"
            for why, items in list(reasons.items())[:_MOST_REASONS]
        ]
        if len(reasons) > _MOST_REASONS:
            more = len(reasons) - _MOST_REASONS
            lines.append(f"          and {numbered(more, 'more reason')}: see .unanswered")
        return lines

    def _workers_in_words(self) -> list[str]:
        """Who lied, was late, failed, or was not needed: a line each."""
        from anyk.timeline import Fate  # noqa: PLC0415 - reports alone

        lines = []
        fates = {worker: self.fate(worker) for worker in self.missing}
        late = [worker for worker, fate in fates.items() if fate is Fate.LATE]
        spare = [worker for worker, fate in fates.items() if fate is Fate.SPARE]
        if self.suspects:
            lines.append(f"lied      {_told(self.suspects)}")
        if self.disputed:
            told = "; ".join(ranges(each) for each in self.disputed)
            lines.append(f"disputed  one or more of workers {told}")
        if late:
            lines.append(f"late      {_told(late)}")
        if self.again:
            what = "share" if self.calls is None else "item"
            lines.append(f"again     {numbered(len(self.again), what)}, by other workers")
        if spare:
            why = "not needed" if self.status.ok else "not waited for"
            lines.append(f"spare     {_told(spare)}: {why}")
        lines.extend(
            f"failed    {_told(who)}: {why}" for why, who in by_reason(self.failures).items()
        )
        return lines

    @property
    def _of_blocks(self) -> bool:
        """Whether there is something to say of each of several blocks."""
        return self.known is not None and self.block_errors is not None and self.known.size > 1

    @property
    def _headline(self) -> str:
        """What came of the run, in a sentence."""
        if self.status is Status.APPROXIMATE and self.known is not None and self.known.all():
            return "Every block is as computed: nothing had to be estimated."
        if self.calls is not None and self.status is Status.NOT_ENOUGH_ANSWERS:
            return self._items_missing
        few = self.status is Status.NOT_ENOUGH_ANSWERS
        alike = few and fail_alike(self.used, self.missing, self.failures)
        return SAME_REASON if alike else self.status.value

    @property
    def _items_missing(self) -> str:
        """Of a map: how many items have no value; why is said below, where that is known."""
        missed = 0 if self.known is None else int(np.sum(~self.known))
        has = "has" if missed == 1 else "have"
        return f"{numbered(missed, 'item')} of {len(self.value)} {has} no value."

    def fate(self, worker: int) -> Fate:
        """What became of a worker.

        Args:
            worker: its index.
        """
        from anyk.timeline import Fate  # noqa: PLC0415 - reports alone

        suspects, used, late = self._told_of
        if worker in suspects:
            return Fate.LIED
        if worker in self.failures:
            return Fate.FAILED
        if worker in used:
            return Fate.ANSWERED
        return Fate.LATE if worker in late else Fate.SPARE

    @cached_property
    def _told_of(self) -> tuple[frozenset[int], frozenset[int], frozenset[int]]:
        """Suspects, used and late."""
        return frozenset(self.suspects), frozenset(self.used), frozenset(self.late)

    def timeline(self, path: str | PathLike[str] | None = None) -> Figure:
        """The run as a Gantt chart: a bar a worker, and the moment when the value was ready.

        Args:
            path: where to write it too, as a PNG; None not to.

        Returns:
            The matplotlib figure.

        Raises:
            ImportError: without matplotlib.
            OSError: if the file can't be written.
        """
        from anyk.timeline import (  # noqa: PLC0415 - charts alone
            Bar,
            Panel,
            Row,
            timeline_figure,
            told_seconds,
        )

        verdict = f"{self.status.name.lower().replace('_', ' ')} after {told_seconds(self.elapsed)}"
        if self._of_blocks and self.known is not None:
            verdict += f", {evidence_in_short(self.known)}"
        panel = Panel(
            title=f"{len(self.used)} of {len(self.timings)} workers answered",
            verdict=verdict,
            good=self.status.ok,
            bars=[
                Bar(
                    worker=timing.worker,
                    end=timing.answered,
                    fate=self.fate(timing.worker),
                    note=self.failures.get(timing.worker, "").partition(":")[0][:_LONGEST_NOTE],
                )
                for timing in self.timings
            ],
            ready=self.elapsed,
        )
        figure = timeline_figure(
            [Row(title="", panels=[panel])], title="A run", caption=self._headline
        )
        if path is not None:
            figure.savefig(path, dpi=150, format="png")
        return figure

    def _repr_html_(self) -> str:
        """The report, and the chart where matplotlib is there, for a notebook."""
        import base64  # noqa: PLC0415 - notebooks alone
        import html  # noqa: PLC0415 - as above

        report = f'<pre style="font-family: monospace">{html.escape(str(self))}</pre>'
        if self._of_blocks and self.known is not None and self.block_errors is not None:
            report += evidence_picture(self.known, self.block_errors)
        if not self.timings:
            return report
        try:
            figure = self.timeline()
        except ImportError:
            return report
        buffer = io.BytesIO()
        figure.savefig(buffer, dpi=100, format="png")
        picture = base64.b64encode(buffer.getvalue()).decode()
        shape = 'style="max-width: 100%" alt="a bar for each worker"'
        return f'{report}<img {shape} src="data:image/png;base64,{picture}">'

    def __repr__(self) -> str:
        if type(self.value) is list:  # of any types and shapes
            value = f"{len(self.value)} values"
        else:
            value = f"value of shape {None if self.value is None else np.shape(self.value)}"
        return (
            f"<Outcome {self.status.name}, {value}, {numbered(len(self.used), 'answer')}, "
            f"missing {self.missing}, suspects {self.suspects}>"
        )
