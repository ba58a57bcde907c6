"""What to compute (`Map`, `Sum`, `MatMul`), what to survive (`Threat`), what is promised."""

from __future__ import annotations

import math
import numbers
import operator
from dataclasses import dataclass
from typing import Any, SupportsIndex

from anyk.errors import InvalidArgument

__all__ = [
    "Guarantee",
    "Map",
    "MatMul",
    "Sum",
    "Threat",
    "count",
    "instance",
    "positive",
    "settle",
    "shown",
]


_LONGEST = 80  # characters of an argument in an error


def count(argument: str, value: SupportsIndex, *, least: int) -> int:
    """Check that an argument is an integer of at least `least`, and return it as an int.

    Args:
        argument: its name, for the error.
        value: what came; bools are refused.
        least: the smallest value allowed.

    Returns:
        The value, as a Python int.

    Raises:
        InvalidArgument: if it is no integer, or too small.

    Example:
        >>> from anyk.spec import count
        >>> count("workers", np.int64(12), least=1)
        12
    """
    try:
        number = operator.index(value)
    except TypeError:  # an array has an index too, if it is one integer
        number = None
    if number is None or isinstance(value, bool):
        raise InvalidArgument(
            argument, given=shown(value), needed="an integer", change=f"Pass an int >= {least}."
        )
    if number < least:
        raise InvalidArgument(
            argument, given=shown(number), needed=f"at least {least}", change="Raise it."
        )
    return number


def settle(value: object, *, optional: str = "", **least: int) -> None:
    """Make the counts of a frozen value plain ints, if they are large enough.

    Args:
        value: a frozen dataclass, in its `__post_init__`.
        optional: the field that may be None.
        **least: the smallest value allowed, by field.

    Raises:
        InvalidArgument: if one is no integer, or too small.
    """
    for name, smallest in least.items():
        given = getattr(value, name)
        if given is not None or name != optional:
            object.__setattr__(value, name, count(name, given, least=smallest))


def positive(argument: str, value: Any, *, change: str) -> float:
    """Check that an argument is a finite real number above zero, and return it as a float.

    Args:
        argument: its name, for the error.
        value: what came.
        change: what to pass instead.

    Raises:
        InvalidArgument: if it is none.

    Example:
        >>> from anyk.spec import positive
        >>> positive("deadline", 0, change="Give seconds.")
        Traceback (most recent call last):
        anyk.errors.InvalidArgument: deadline: got 0; needed: a positive number. Give seconds.
    """
    try:
        number = float(value) if isinstance(value, numbers.Real) else 0.0
    except OverflowError:  # an integer that no float can hold
        number = math.inf
    if not (math.isfinite(number) and number > 0):
        raise InvalidArgument(
            argument, given=shown(value), needed="a positive number", change=change
        )
    return number


def shown(value: object) -> str:
    """What came, for an error: its repr on one line, cut short.

    Example:
        >>> from anyk.spec import shown
        >>> len(shown(np.zeros((100, 100)))) <= 80
        True
    """
    try:
        text = " ".join(repr(value).split())
    except Exception:  # noqa: BLE001 - a repr may raise anything, as that of a huge integer does
        return f"a {type(value).__name__}, which can't be printed"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def instance(argument: str, value: object, kind: Any, *, change: str) -> None:
    """Check that an argument is an instance of a class.

    Args:
        argument: its name, for the error.
        value: what came.
        kind: the class, abstract or not.
        change: what to pass instead.

    Raises:
        InvalidArgument: if it is no instance.

    Example:
        >>> from anyk.spec import instance
        >>> instance("domain", anyk.Reals, anyk.Reals, change="Pass anyk.Reals().")
        Traceback (most recent call last):
        anyk.errors.InvalidArgument: domain: got the class Reals; needed: an instance of Reals. Pass
        anyk.Reals().
    """
    if not isinstance(value, kind):
        given = f"the class {value.__name__}" if isinstance(value, type) else shown(value)
        name = kind.__name__.removeprefix("Abstract")
        raise InvalidArgument(argument, given=given, needed=f"an instance of {name}", change=change)


@dataclass(frozen=True, kw_only=True)
class Map:
    """The problem f(X_1), .., f(X_K): one function on each of K blocks.

    Args:
        blocks: K, the number of blocks.
        degree: total degree of f where f is a polynomial; None for any function.

    Raises:
        InvalidArgument: if a number is out of range.

    Example:
        >>> anyk.Map(blocks=3, degree=2)
        Map(blocks=3, degree=2)
    """

    blocks: int
    degree: int | None = None

    def __post_init__(self) -> None:
        settle(self, optional="degree", blocks=1, degree=1)


@dataclass(frozen=True, kw_only=True)
class Sum:
    """The problem g(X_1) + .. + g(X_K): one function summed over K blocks.

    Args:
        blocks: K, the number of blocks.
        degree: total degree of g where g is a polynomial; None for any function.

    Raises:
        InvalidArgument: if a number is out of range.

    Example:
        >>> anyk.Sum(blocks=3, degree=2)
        Sum(blocks=3, degree=2)
    """

    blocks: int
    degree: int | None = None

    def __post_init__(self) -> None:
        settle(self, optional="degree", blocks=1, degree=1)


@dataclass(frozen=True, kw_only=True)
class MatMul:
    """The problem A @ B, with A cut in m x p blocks and B in p x n blocks.

    Args:
        partition: (m, p, n).

    Raises:
        InvalidArgument: if it is not three positive integers.

    Example:
        >>> anyk.MatMul(partition=(2, 1, 2))
        MatMul(partition=(2, 1, 2))
    """

    partition: tuple[int, int, int]

    def __post_init__(self) -> None:
        if len(self.partition) != 3:  # noqa: PLR2004 - m, p, n
            raise InvalidArgument(
                "partition",
                given=repr(self.partition),
                needed="three numbers (m, p, n)",
                change="Cut A in m x p blocks and B in p x n.",
            )
        for number in self.partition:
            count("partition", number, least=1)


@dataclass(frozen=True, kw_only=True)
class Threat:
    """What a computation must survive.

    Args:
        workers: N, how many there are.
        stragglers: S, how many may be late, dead or failing.
        adversaries: A, how many may answer wrongly.
        colluders: T, how many may put together what they were sent.
        leakage: bits a coordinate that these may learn; None for nothing at all, which exact
            schemes alone can promise.

    Raises:
        InvalidArgument: if a number is negative or more than `workers`, or a leakage is not
            positive, or given without colluders.

    Example:
        >>> anyk.Threat(workers=12, stragglers=2, adversaries=1)
        Threat(workers=12, stragglers=2, adversaries=1, colluders=0, leakage=None)
    """

    workers: int
    stragglers: int = 0
    adversaries: int = 0
    colluders: int = 0
    leakage: float | None = None

    def __post_init__(self) -> None:
        settle(self, workers=1, stragglers=0, adversaries=0, colluders=0)
        for name in ("stragglers", "adversaries", "colluders"):
            number = getattr(self, name)
            if number > self.workers:
                raise InvalidArgument(
                    name,
                    given=str(number),
                    needed=f"at most workers = {self.workers}",
                    change="Lower it, or add workers.",
                )
        if self.leakage is None:
            return
        bits = positive("leakage", self.leakage, change="Pass bits a coordinate, such as 0.5.")
        object.__setattr__(self, "leakage", bits)
        if not self.colluders:
            raise InvalidArgument(
                "leakage",
                given=f"{bits!r} with colluders=0",
                needed="colluders of at least 1, who learn so much",
                change="Pass colluders=1, or leave leakage out.",
            )


@dataclass(frozen=True, kw_only=True)
class Guarantee:
    """What a scheme promises, in numbers that can be checked.

    Args:
        workers: N, how many shares there are.
        threshold: how many answers are enough, whoever they come from, up to `adversaries` of
            them wrong.
        stragglers: S = N - threshold, how many answers may be missing. An answer that can't be
            used, as it is a failure or has a shape that most answers do not have, is missing too,
            whoever sent it.
        adversaries: A, how many of the answers may be wrong; the liars are named. k workers that
            answer in the same wrong shape are k colluding liars: up to A of them are set aside, at
            a straggler each; where more are the most, theirs is taken for the right shape.
        colluders: T, how many workers the privacy promise covers.
        exact: whether the value is exact; otherwise it comes with an error estimate.
        leakage: what any `colluders` workers learn together, in field symbols (exact schemes) or
            bits (real ones) a coordinate of the data; None where nothing is promised.
        load: size of one share, in blocks.
        data_std: standard deviation of the data's coordinates for which `leakage` is stated; None
            where it does not depend on it.

    Raises:
        InvalidArgument: if the numbers contradict each other.

    Example:
        >>> anyk.Lagrange(blocks=3, degree=2, workers=12, adversaries=1, colluders=1).guarantee
        Guarantee(workers=12, threshold=9, stragglers=3, adversaries=1, colluders=1, exact=True,
                  leakage=0.0, load=1.0, data_std=None)
    """

    workers: int
    threshold: int
    stragglers: int
    adversaries: int
    colluders: int
    exact: bool
    leakage: float | None
    load: float
    data_std: float | None = None

    def __post_init__(self) -> None:
        if self.stragglers != self.workers - self.threshold:
            raise InvalidArgument(
                "stragglers",
                given=str(self.stragglers),
                needed=f"workers - threshold = {self.workers} - {self.threshold}",
                change="State the same promise both ways.",
            )
