"""What the degree of a function takes: the workers that a scheme needs for it, and its refusal."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection
from typing import Any

from anyk.domains.prime import PrimeField
from anyk.errors import DegreeTooHigh, InvalidArgument
from anyk.schemes.base import AbstractScheme
from anyk.schemes.sums.harmonic import Harmonic
from anyk.spec import MatMul, Sum

__all__ = ["degree_of", "refused", "too_high", "workers_for"]

_MOST_WORKERS = 1 << 14  # that are tried
_TOLD = re.compile(r"DegreeTooHigh: \D* (\d{1,9}) in the encoded arguments;")


def degree_of(scheme: AbstractScheme) -> int | None:
    """The degree that a scheme decodes; None where it takes any function, or is for products.

    Args:
        scheme: any.

    Example:
        >>> from anyk.running.degrees import degree_of
        >>> degree_of(anyk.Lagrange(2, 3, 9)), degree_of(anyk.Replication(2, 4))
        (3, None)
    """
    problem = scheme.problem
    return None if isinstance(problem, MatMul) else problem.degree


def workers_for(scheme: AbstractScheme, degree: int) -> int | None:
    """How many workers the scheme needs at least for a function of this degree.

    Args:
        scheme: for another degree.
        degree: of the function.

    Returns:
        Their number; None if the field has no room for so many, or the scheme no such parameter.

    Example:
        >>> from anyk.running.degrees import workers_for
        >>> workers_for(anyk.Lagrange(blocks=3, degree=1, workers=12, adversaries=1), degree=6)
        15
    """
    try:
        return _made_for(scheme, degree).guarantee.workers
    except (InvalidArgument, TypeError, AttributeError):
        return None


def too_high(scheme: AbstractScheme, degree: int) -> DegreeTooHigh:
    """The error for a function of this degree, with what to change.

    Args:
        scheme: that decodes less.
        degree: of the function.

    Example:
        >>> from anyk.running.degrees import too_high
        >>> raise too_high(anyk.Lagrange(blocks=2, degree=1, workers=4), degree=2)
        Traceback (most recent call last):
        anyk.errors.DegreeTooHigh: the function computes something of degree 2 in the encoded
        arguments; the scheme is for degree 1. Make the scheme with degree=2, which takes the 4
        workers that it has, or take fewer products of encoded arrays in a row: their degrees add
        up.
    """
    workers, has = workers_for(scheme, degree), scheme.guarantee.workers
    if workers is None:
        other = _harmonic(scheme, degree)
        named = "a scheme for that degree"
        if other is not None:
            named = f"anyk.{other!r}, which takes {other.workers} workers"
        change = f"Take {named}, or fewer products of encoded arrays in a row."
    else:
        change = (
            f"Make the scheme with degree={degree}, which takes "
            + (
                f"the {has} workers that it has"
                if workers == has
                else f"at least {workers} workers"
            )
            + ", or take fewer products of encoded arrays in a row: their degrees add up."
        )
    return DegreeTooHigh(degree=degree, promised=degree_of(scheme) or 0, change=change)


def _harmonic(scheme: AbstractScheme, degree: int) -> Harmonic | None:
    """What keeps the same promise for a sum of this degree, if its field has room for it."""
    problem, promise, field = scheme.problem, scheme.guarantee, scheme.domain
    more = promise.stragglers or promise.adversaries or promise.colluders > 1
    if more or not isinstance(problem, Sum) or not isinstance(field, PrimeField):
        return None
    try:
        return Harmonic(blocks=problem.blocks, degree=degree, field=field)
    except InvalidArgument:
        return None


def refused(
    scheme: AbstractScheme, failures: Collection[str], *, lost: bool = False
) -> DegreeTooHigh | None:
    """The function's own error, if workers refused it for its degree.

    One more than may lie have to say so: a liar alone must not end a run that can still succeed.

    Args:
        scheme: of the run.
        failures: of its workers, one each.
        lost: whether no value can come any more, so that one worker is enough.

    Example:
        >>> from anyk.errors import DegreeTooHigh
        >>> from anyk.running.degrees import refused
        >>> scheme = anyk.Lagrange(blocks=3, degree=1, workers=12)
        >>> text = f"DegreeTooHigh: {DegreeTooHigh(degree=6, promised=1)}"
        >>> refused(scheme, [text]).degree, refused(scheme, ["it died"])
        (6, None)
    """
    told = [match for match in map(_TOLD.match, failures) if match]
    degrees = [int(match[1]) for match in told]
    promised, liars = degree_of(scheme), 0 if lost else scheme.guarantee.adversaries
    for degree in sorted(set(degrees)):
        if promised is not None and degree > promised and degrees.count(degree) > liars:
            return too_high(scheme, degree)
    return None


def _made_for(scheme: Any, degree: int) -> AbstractScheme:
    """The scheme with this degree, and with as few more workers as it takes."""
    names = {field.name for field in dataclasses.fields(scheme)}
    if "degree" not in names:
        within = _made_for(scheme.scheme, degree)
        return _copy(scheme, scheme=within)
    if "workers" not in names:
        return _copy(scheme, degree=degree)

    def made(workers: int) -> AbstractScheme | None:
        try:
            return _copy(scheme, degree=degree, workers=workers)
        except InvalidArgument:
            return None

    low = high = scheme.guarantee.workers
    while (found := made(high)) is None:
        low, high = high, 2 * high
        if high > _MOST_WORKERS:
            return _copy(scheme, degree=degree, workers=low)
    while low < high:
        middle = (low + high) // 2
        tried = made(middle)
        low, high, found = (low, middle, tried) if tried else (middle + 1, high, found)
    return found


def _copy(given: Any, **changes: Any) -> AbstractScheme:
    copy: AbstractScheme = dataclasses.replace(given, **changes)
    return copy
