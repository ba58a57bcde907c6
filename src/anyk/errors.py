"""The errors of anyk, each of which carries its evidence.

AnykError
├── InvalidArgument (ValueError)     an argument that can't be used: what came, what is needed
│   └── Unachievable                 a threat that the scheme can't meet: the inequality
├── NotPolynomial (TypeError)        an operation that a field has not
├── DegreeTooHigh                    a function of higher degree than the scheme is for
├── WouldWrap                        integers of a function that the primes do not hold
├── RecoveryError                    the answers do not determine the value; has .outcome
│   ├── NotEnoughAnswers             too few answers, and who is missing
│   │   └── FunctionRaised           the function itself raised: its exception is the cause
│   ├── TooManyErrors                answers that contradict each other, and nobody can tell why
│   └── NotAccurateEnough            the error estimate is above the tolerance
└── ExecutorError                    the workers can't be used: closed, released
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from anyk.wording import SAME_REASON, by_reason, fail_alike, numbered, ranges

if TYPE_CHECKING:
    from anyk.answers import Outcome

__all__ = [
    "AnykError",
    "DegreeTooHigh",
    "ExecutorError",
    "FunctionRaised",
    "InvalidArgument",
    "NotAccurateEnough",
    "NotEnoughAnswers",
    "NotPolynomial",
    "RecoveryError",
    "TooManyErrors",
    "Unachievable",
    "WorkerTraceback",
    "WouldWrap",
]


def _rebuild(cls: type[AnykError], message: str, state: dict[str, Any]) -> AnykError:
    error = cls.__new__(cls, message)
    error.args = (message,)
    error.__dict__.update(state)
    return error


class AnykError(Exception):
    """The root of every error that anyk raises on purpose.

    Example:
        >>> try:
        ...     anyk.PrimeField(10)
        ... except anyk.AnykError as error:
        ...     print(type(error).__name__)
        InvalidArgument
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), str(self), self.__dict__)


class InvalidArgument(AnykError, ValueError):
    """An argument that can't be used.

    Args:
        argument: name of the argument.
        given: what came.
        needed: what is needed.
        change: what to change, as an imperative sentence.

    Example:
        >>> raise anyk.InvalidArgument("blocks", given="0", needed="at least 1", change="Pass 1.")
        Traceback (most recent call last):
        anyk.errors.InvalidArgument: blocks: got 0; needed: at least 1. Pass 1.
    """

    def __init__(self, argument: str, *, given: str, needed: str, change: str) -> None:
        super().__init__(f"{argument}: got {given}; needed: {needed}. {change}")
        self.argument = argument
        self.given = given
        self.needed = needed
        self.change = change


class Unachievable(InvalidArgument):
    """A threat that the scheme can't meet: the inequality, its numbers, and what to change.

    Example:
        >>> anyk.Lagrange(blocks=3, degree=2, workers=4)
        Traceback (most recent call last):
        anyk.errors.Unachievable: workers: got 4; needed: (K+T-1)d + 2A + 1 <= N, that is
        (3+0-1)*2 + 2*0 + 1 = 5 <= 4. Add 1 worker, or lower blocks or degree.
    """


class NotPolynomial(AnykError, TypeError):
    """An operation that has no meaning in a finite field.

    Example:
        >>> np.exp(anyk.PrimeField(7).array([1, 2]))
        Traceback (most recent call last):
        anyk.errors.NotPolynomial: numpy.exp: only polynomials can be computed in a field: +, -, *,
        @, ** by an integer, sums and reshapes. Approximate the function by a polynomial, or use a
        scheme over the reals, such as anyk.Spline.
    """


class DegreeTooHigh(AnykError):
    """A function of higher degree in the encoded arguments than the scheme is for.

    It is the function's error: no other worker would have a better answer.

    Args:
        degree: of the function, or of what it computes on the way.
        promised: the degree that the scheme decodes.
        change: what to change; "" for what helps with any scheme.

    Example:
        >>> raise anyk.DegreeTooHigh(degree=2, promised=1)
        Traceback (most recent call last):
        anyk.errors.DegreeTooHigh: the function computes something of degree 2 in the encoded
        arguments; the scheme is for degree 1. Make the scheme with degree=2, or take fewer
        products of encoded arrays in a row: their degrees add up.
    """

    def __init__(self, *, degree: int, promised: int, change: str = "") -> None:
        self.degree = degree
        self.promised = promised
        super().__init__(
            f"the function computes something of degree {degree} in the encoded arguments; the "
            f"scheme is for degree {promised}. "
            + (
                change
                or f"Make the scheme with degree={degree}, or take fewer products of encoded "
                "arrays in a row: their degrees add up."
            )
        )


class WouldWrap(AnykError):
    """Integers of a function that the primes may not hold: they would come back as others.

    Args:
        bits: of the largest integer that the function may reach, without its sign.
        limit: an integer that is too large for any set of primes, with either sign.

    Example:
        >>> raise anyk.WouldWrap(bits=64, limit=2**30)
        Traceback (most recent call last):
        anyk.errors.WouldWrap: the function computes integers of up to 64 bits; no primes hold more
        than 30 bits. Lower magnitude, fraction_bits or degree, or sum fewer terms.
    """

    def __init__(self, *, bits: int, limit: int) -> None:
        self.bits = bits
        self.limit = limit
        super().__init__(
            f"the function computes integers of up to {bits} bits; no primes hold more than "
            f"{(limit + 1).bit_length() - 1} bits. Lower magnitude, fraction_bits or degree, or "
            "sum fewer terms."
        )


class RecoveryError(AnykError):
    """The answers do not determine the value.

    Attributes:
        outcome: what is known all the same: who answered, who did not, who lied. None where the
            error was raised by a recovery that no `anyk.run` called.

    Example:
        >>> with anyk.Inline(2) as executor:
        ...     try:
        ...         anyk.run(anyk.Replication(2, 2), np.linalg.inv, [1.0, 2.0], executor)
        ...     except anyk.RecoveryError as error:
        ...         print(error.outcome.status, error.outcome.missing)
        Status.NOT_ENOUGH_ANSWERS (0, 1)
    """

    outcome: Outcome | None = None


class NotEnoughAnswers(RecoveryError):
    """Too few answers to recover the value.

    Args:
        answered: workers whose answers are usable.
        missing: workers without a usable answer.
        needed: what would have been enough, in words.
        failures: reason by worker, for those that failed rather than kept silent.
        spared: of the missing, those that were not waited for, as their answers would not have
            been enough.
        of: of what answers are too few: "worker", "client", "aggregator", or "item"; of them
            `answered` and `missing` are.
        change: what to change; "" for what helps with workers.

    Example:
        >>> scheme = anyk.Lagrange(blocks=2, degree=1, workers=4)
        >>> scheme.encode(np.array([5, 6])).decode(np.array([1]), [3])
        Traceback (most recent call last):
        anyk.errors.NotEnoughAnswers: 1 of 4 workers answered; needed: 2 answers. Missing: 0-2. Add
        workers, wait longer, or promise less.
    """

    def __init__(
        self,
        *,
        answered: Iterable[int],
        missing: Iterable[int],
        needed: str,
        failures: Mapping[int, str] | None = None,
        spared: Iterable[int] = (),
        of: str = "worker",
        change: str = "",
    ) -> None:
        self.answered = tuple(sorted(answered))
        self.missing = tuple(sorted(missing))
        self.needed = needed
        self.failures = dict(failures or {})
        self.spared = tuple(sorted(spared))
        failed = {*self.failures, *self.spared} if of == "worker" else set[int]()
        silent = [who for who in self.missing if who not in failed]
        told = f" Missing: {ranges(silent)}." if silent else ""
        for why, who in by_reason(self.failures).items():
            told += f" {'Failed' if of == 'worker' else 'Failed workers'}: {ranges(who)} ({why})."
        if self.spared:
            told += f" Not waited for, as they are too few: {ranges(self.spared)}."
        super().__init__(
            f"{len(self.answered)} of {len(self.answered) + len(self.missing)} {of}s "
            f"{'are done' if of == 'item' else 'answered'}; needed: {needed}.{told} "
            + (change or self._advice(late=bool(silent) or not self.failures))
        )

    def _advice(self, *, late: bool) -> str:
        """What to change, by what was missed."""
        if fail_alike(self.answered, self.missing, self.failures):
            return SAME_REASON
        if late:
            return "Add workers, wait longer, or promise less."
        return "See why they failed, add workers, or promise less."


_DID = "returned ", "can't be sent ", "was given "  # what a function did that did not raise


class FunctionRaised(NotEnoughAnswers):
    """The function itself raised: no other worker would have had a better answer.

    The exception is the cause of this error, where workers are trusted with one, with the traceback
    of the worker.

    Args:
        reason: the exception in words; or what else the function did, such as "returned a
            lock, which can't be sent back".
        where: on which item, in words; "" for shares.
        workers: on which workers.
        answered: workers whose answers are usable.
        missing: workers without one.

    Example:
        >>> try:
        ...     anyk.map(len, ["a", 5], anyk.Inline(2))
        ... except anyk.FunctionRaised as error:
        ...     print(error)
        ...     print(repr(error.__cause__))
        the function raised TypeError: object of type 'int' has no len(), on item 1, on workers 0-1.
        Correct it, or take the other items by on_failure="return".
        TypeError("object of type 'int' has no len()")
    """

    def __init__(
        self,
        reason: str,
        *,
        where: str = "",
        workers: Iterable[int],
        answered: Iterable[int] = (),
        missing: Iterable[int] = (),
    ) -> None:
        self.reason = reason
        self.workers = tuple(sorted(workers))
        self.answered, self.missing = tuple(sorted(answered)), tuple(sorted(missing))
        self.needed = "a function that returns"
        self.failures = dict.fromkeys(self.workers, reason)
        self.spared = ()
        who = f"on {'worker' if len(self.workers) == 1 else 'workers'} {ranges(self.workers)}"
        told = f"on {where}, {who}" if where else who
        change = (
            'Correct it, or take the other items by on_failure="return".' if where else SAME_REASON
        )
        what = reason if reason.startswith(_DID) else f"raised {reason}"
        RecoveryError.__init__(self, f"the function {what.removesuffix('.')}, {told}. {change}")


class WorkerTraceback(Exception):
    """Where a function raised on its worker, as Python printed it there.

    Example:
        >>> print(anyk.WorkerTraceback("ValueError: no"))
        on its worker:
        <BLANKLINE>
        ValueError: no
    """

    def __str__(self) -> str:
        return f"on its worker:\n\n{self.args[0]}"


class TooManyErrors(RecoveryError):
    """The answers contradict each other, and no value is certain: none is returned.

    Either more workers lied than the scheme can name, or more answers are needed to tell who did:
    an `anyk.run` waits for these as long as somebody can answer.

    Args:
        answered: workers whose answers were examined.
        adversaries: how many liars the scheme can name.
        detects: how many it notices; None for as many as it can name.
        more: how many more answers would tell who lied, at most, if no more lied than it can name;
            0 where these are enough to tell that more did.
        unless: what else than liars would look like this, and what to do about it, in a sentence.
        change: what to change; "" for what helps with a scheme.
        again: shares that others should compute too, as their answers contradict each other, each
            as often as answers on it are lacking.

    Example:
        >>> scheme = anyk.Lagrange(blocks=2, degree=1, workers=4)
        >>> shares = scheme.encode(np.array([5, 6])).shares
        >>> shares[1] = 0
        >>> scheme.encode(np.array([5, 6])).decode(shares, [0, 1, 2, 3])
        Traceback (most recent call last):
        anyk.errors.TooManyErrors: the answers of workers 0-3 contradict each other, and not by at
        most 0 liars. Raise adversaries (each liar costs two answers), or look for a fault that
        hits many workers.
        >>> raise anyk.TooManyErrors(answered=[0, 1, 2], adversaries=1, more=1)
        Traceback (most recent call last):
        anyk.errors.TooManyErrors: the answers of workers 0-2 contradict each other; 1 more answer
        would tell whether at most 1 liar explains it. Wait longer, add workers, or look for a fault
        that hits many workers.
    """

    def __init__(
        self,
        *,
        answered: Iterable[int],
        adversaries: int,
        detects: int | None = None,
        more: int = 0,
        unless: str = "",
        change: str = "",
        again: Iterable[int] = (),
    ) -> None:
        self.answered = tuple(sorted(answered))
        self.adversaries = adversaries
        self.detects = adversaries if detects is None else detects
        self.more = more
        self.again = tuple(again)
        liars, fault = numbered(adversaries, "liar"), "look for a fault that hits many workers."
        if change:
            told = f", and not by at most {liars}. {change}"
        elif more:
            told = (
                f"; {'up to ' * (more > 1)}{numbered(more, 'more answer')} would tell whether at "
                f"most {liars} "
                f"explain{'s' if adversaries == 1 else ''} it. Wait longer, add workers, or {fault}"
            )
        elif self.detects and not adversaries:
            told = (
                f": up to {numbered(self.detects, 'liar')} {'is' if self.detects == 1 else 'are'} "
                "noticed, and none is named. Name liars with adversaries= (each costs an answer "
                f"more), or {fault}"
            )
        else:
            told = (
                f", and not by at most {liars}. Raise adversaries (each liar costs two answers), "
                f"or {fault}"
            )
        who = ranges(self.answered)
        told += f" {unless}" if unless else ""
        super().__init__(f"the answers of workers {who} contradict each other{told}")


class NotAccurateEnough(RecoveryError):
    """The error estimate is above the tolerance, with all the answers that came.

    Args:
        error_estimate: relative error that the recovery estimates.
        tolerance: relative error that was asked for; None where any was right that has evidence.

    Example:
        >>> raise anyk.NotAccurateEnough(error_estimate=0.25, tolerance=0.1)
        Traceback (most recent call last):
        anyk.errors.NotAccurateEnough: the relative error is estimated at 0.25; the tolerance is
        0.1. Add workers, lower blocks, wait longer, or raise the tolerance.
    """

    def __init__(self, *, error_estimate: float, tolerance: float | None = None) -> None:
        self.error_estimate = error_estimate
        self.tolerance = tolerance
        super().__init__(
            "nothing in the answers tells how far off the value is. Add workers or wait longer, so "
            "that there is evidence; or take the guess, by tolerance=math.inf or a deadline."
            if tolerance is None
            else f"the relative error is estimated at {error_estimate:.3g}; the tolerance is "
            f"{tolerance:.3g}. Add workers, lower blocks, wait longer, or raise the tolerance."
        )


class ExecutorError(AnykError):
    """The workers can't be used: the executor is closed, or the shares were released.

    Example:
        >>> executor = anyk.Inline(1)
        >>> executor.close()
        >>> anyk.run(anyk.Replication(blocks=1, workers=1), abs, np.ones(1), executor)
        Traceback (most recent call last):
        anyk.errors.ExecutorError: this Inline executor is closed; make a new one.
    """
