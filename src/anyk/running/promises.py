"""What the workers of one call are promised, and the master counts on: extents of the function."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from anyk.checks import instance
from anyk.degrees.of_degree import OfDegree
from anyk.degrees.promised import Promised, known_of, need_declaration, together
from anyk.domains.array import FieldArray
from anyk.domains.base import AbstractField
from anyk.domains.extent import Extent
from anyk.domains.prime import PrimeField
from anyk.domains.ring import ResidueRing, further_fields
from anyk.errors import AnykError, InvalidArgument
from anyk.fixed_point.budget import MOST_PRIMES, in_short
from anyk.fixed_point.format import FixedPoint
from anyk.fixed_point.primes import smallest
from anyk.fixed_point.reading import bound_of
from anyk.own_copies import own_copies
from anyk.running.degrees import degree_of, too_high
from anyk.schemes.base import AbstractScheme
from anyk.schemes.encoded import Encoded
from anyk.schemes.wrappers.embedded import Embedded
from anyk.schemes.wrappers.primes import primes_of
from anyk.spec import Map, MatMul, Sum
from anyk.work import AbstractWork, Function
from anyk.works.added import Added
from anyk.works.combined import Combined
from anyk.works.each_prime import EachPrime
from anyk.works.slices import CombinedSlices

__all__ = ["embedded", "embedded_slabs", "promised"]

_ANY_DEGREE = 2  # where a scheme takes any function, and nobody says its degree


def embedded(
    scheme: AbstractScheme, embedding: FixedPoint, X: Any, function: Function | None
) -> Embedded:
    """A scheme for reals, with as many primes as the results of a function take.

    Args:
        scheme: over a prime field.
        embedding: the format of the data.
        X: the data.
        function: of the data alone; None where it is not known yet.

    Raises:
        InvalidArgument: if scheme, embedding and function do not fit.
        DegreeTooHigh: if the function's degree is too high.
        Unachievable: if the primes do not hold its results.
    """
    instance("embedding", embedding, FixedPoint, change="Pass anyk.FixedPoint(...).")
    known = embedding if _bounded(embedding) else dataclasses.replace(embedding, primes="auto")
    plain = Embedded(scheme, known)  # which checks them
    shape = _shape_of_block(X, scheme)
    if shape is None:  # encode refuses these data
        return plain
    if isinstance(scheme.problem, MatMul):
        if _bounded(embedding):
            return plain
        right, *_ = embedding.factors or (embedding,)
        product = embedding.input.times(right.input, shape[-1] if shape else 1)
        return Embedded(scheme, embedding, product)
    field = _large_of(scheme)
    result = _result(scheme, embedding, function, [_zeros(field, shape, embedding)])
    if result is None:
        return Embedded(scheme, embedding, _budget(scheme, embedding, math.prod(shape)))
    made = Embedded(scheme, embedding, result)
    smaller = smallest(made.domain.fields)
    if smaller.modulus < field.modulus:  # in which large constants may not be what they are
        again = _result(scheme, embedding, function, [_zeros(smaller, shape, embedding)])
        if again != result:
            worst = bound_of(result) * _summed_up(scheme)
            fields = primes_of(scheme, worst, least=field.modulus)
            return dataclasses.replace(made, fields=fields)
    return made


def embedded_slabs(
    scheme: AbstractScheme, embedding: FixedPoint, shape: tuple[int, ...] | None
) -> Embedded:
    """The same for data that come in slabs.

    Args:
        scheme: over a prime field.
        embedding: the format of the data.
        shape: of all data; None where nobody knows it yet.

    Raises:
        InvalidArgument: if scheme and embedding do not fit, or the format does not say how large
            results may be where nobody knows how many columns there are.
        Unachievable: if the primes do not hold the results.
    """
    instance("embedding", embedding, FixedPoint, change="Pass anyk.FixedPoint(...).")
    if shape is None:
        if not _bounded(embedding):
            raise InvalidArgument(
                "embedding",
                given="a format that leaves open how many products add up, for slabs of which "
                "nobody knows how many columns they have in all",
                needed="summands=, as the primes are chosen before the first slab",
                change="Pass FixedPoint(..., summands=S) for functions that add up S products.",
            )
        shape = (scheme.problem.blocks, 1)  # type: ignore[union-attr] # it has columns
    return embedded(scheme, embedding, np.broadcast_to(np.zeros(()), shape), None)


def _budget(scheme: AbstractScheme, embedding: FixedPoint, entries: int) -> Extent:
    """What results may be as long as nothing is known of them, and no more than the primes hold."""
    budget = embedding.budget(degree_of(scheme) or embedding.degree or _ANY_DEGREE, entries)
    if _bounded(embedding):
        return budget
    field: PrimeField = scheme.domain  # type: ignore[assignment] # Embedded checked it
    number = MOST_PRIMES if embedding.primes == "auto" else embedding.primes
    modulus = math.prod(each.modulus for each in further_fields(field, number))
    most = (modulus - 1) // 2 // _summed_up(scheme)
    return dataclasses.replace(budget, bound=min(bound_of(budget), most))


def _summed_up(scheme: AbstractScheme) -> int:
    """How many results the value is the sum of."""
    return scheme.problem.blocks if isinstance(scheme.problem, Sum) else 1


def promised(
    encoded: Encoded, work: AbstractWork, arguments: Sequence[Any], *, followed: bool = False
) -> tuple[AbstractScheme, AbstractWork]:
    """The scheme that reads the results of one call, and the work as its workers run it.

    Args:
        encoded: the data.
        work: the scheme's, of the user's function or its name.
        arguments: the other arguments, of which those that are `Encoded` are shares.
        followed: whether the scheme knows the results of this function already.

    Raises:
        InvalidArgument: if arguments and function do not fit the embedding.
        DegreeTooHigh: if its degree is too high.
        Unachievable: if the primes do not hold its results.
    """
    scheme, function = encoded.scheme, work.users
    domain, degree = scheme.domain, degree_of(scheme)
    if function is None or not isinstance(domain, (AbstractField, ResidueRing)):
        return scheme, work
    if isinstance(function, OfDegree) and degree is not None and function.degree > degree:
        raise too_high(scheme, function.degree)
    inner = work.work if isinstance(work, EachPrime) else work
    combined = isinstance(inner, (Added, Combined, CombinedSlices))
    parts = encoded.parts[: 1 if combined else None]
    own = tuple(isinstance(argument, Encoded) for argument in arguments)
    promise = Promised(function, degree=degree)
    if isinstance(scheme, Embedded):
        shapes = [part.shape[1 + combined : -1] for part in parts]
        scheme, promise = _in_fixed_point(scheme, promise, shapes, arguments, followed=followed)
    elif degree is not None:
        others = (Extent(1) if each else None for each in own)
        promise = dataclasses.replace(promise, inputs=(*(Extent(1),) * len(parts), *others))
    return scheme, scheme.work(promise, own)


def _in_fixed_point(
    scheme: Embedded,
    promise: Promised,
    shapes: Sequence[tuple[int, ...]],
    arguments: Sequence[Any],
    *,
    followed: bool,
) -> tuple[Embedded, Promised]:
    """The same of reals: the shapes are those of the parts of a share."""
    embedding = scheme.embedding
    others = [each.scheme.formats[0] if isinstance(each, Encoded) else None for each in arguments]
    _check_plain(embedding, arguments, others)
    if not followed:
        own = smallest(scheme.domain.fields)
        result = None
        for field in dict.fromkeys((_large_of(scheme.scheme), own)):  # what workers will see, too
            given = list[Any]()
            if not isinstance(promise.function, (OfDegree, str)):  # which nobody follows
                given += [_zeros(field, shape, embedding) for shape in shapes]
                given += [
                    each if form is None else _zeros(field, each.parts[0].shape[1:-1], form)
                    for each, form in zip(arguments, others, strict=True)
                ]
            found = _result(scheme, embedding, promise.function, given)
            result = found if result is None or found is None else _either(result, found)
        if result is not None:
            scheme = dataclasses.replace(scheme, result=result, fields=scheme.domain.fields)
    inputs = [*(embedding,) * len(shapes), *others]
    return scheme, dataclasses.replace(
        promise,
        inputs=tuple(None if each is None else each.input for each in inputs),
        result=scheme.result or embedding.declared,
        bounded=_bounded(embedding),
    )


def _either(known: Extent, other: Extent) -> Extent:
    """What holds for results of which either is known: residues are told less of in small fields.

    An element that a function makes has its size in the large field, and how large a sum of
    constants is can be told where these are not wrapped; workers tell it by their own residues.
    """
    aligned = other.aligned(known.bits)
    return dataclasses.replace(
        known,
        bound=max(bound_of(known), bound_of(aligned)),
        error=max(known.error, aligned.error),
    )


def _check_plain(
    embedding: FixedPoint, arguments: Sequence[Any], formats: Sequence[FixedPoint | None]
) -> None:
    """Refuse integers where a format says that they are fractions: they would count as integers."""
    for argument in arguments:
        whole = isinstance(argument, np.ndarray) and argument.dtype.kind in "iu"
        if whole and not set(embedding.factors) <= set(formats):
            raise InvalidArgument(
                "arguments",
                given=f"an array of {argument.dtype}, where factors= has a format for it",
                needed="fractions, or shares of them: integers count as integers",
                change="Pass format.quantise(values), or .encode(values, format) of the data; or "
                "leave the format out of factors.",
            )


def _bounded(embedding: FixedPoint) -> bool:
    """Whether somebody declared how large results may be."""
    return embedding.summands is not None or embedding.coefficient is not None


def _shape_of_block(X: Any, scheme: AbstractScheme) -> tuple[int, ...] | None:
    """The shape of a block, or of the left factor of a product; None if these are no such data."""
    problem = scheme.problem
    try:
        shape: tuple[int, ...] = np.shape(X[0] if _factors(problem) > 1 else X)
    except Exception:  # noqa: BLE001 - whatever numpy can't read
        return None
    if isinstance(problem, MatMul):
        return shape
    return shape[1:] if shape[:1] == (problem.blocks,) and 0 not in shape else None


def _factors(problem: Map | Sum | MatMul) -> int:
    return problem.given if isinstance(problem, MatMul) else 1


def _large_of(scheme: AbstractScheme) -> PrimeField:
    """The field in which functions are followed: what is made in it of a constant says its size.

    Whatever primes are taken, the results are these integers modulo each of them.

    Args:
        scheme: over a prime field.
    """
    field: PrimeField = scheme.domain  # type: ignore[assignment] # Embedded checked it
    return smallest(further_fields(field, MOST_PRIMES))


def _zeros(field: PrimeField, shape: tuple[int, ...], own: FixedPoint) -> FieldArray:
    """What a function is followed with: nothing depends on the values."""
    return FieldArray(np.zeros(shape, dtype=field.rest), field, own.input)


def _result(
    scheme: AbstractScheme,
    embedding: FixedPoint,
    function: Function | None,
    arguments: Sequence[Any],
) -> Extent | None:
    """What is known of the function's results; None where it can't be followed."""
    if function is None or isinstance(function, str):
        return None
    if isinstance(function, OfDegree):
        need_declaration(declared=_bounded(embedding))
        return embedding.budget(max(1, function.degree), 1)
    try:
        result = together(function(*own_copies(list(arguments))))
    except AnykError:
        raise
    except (Exception, SystemExit) as error:
        if _bounded(embedding):  # the workers check
            return None
        raise InvalidArgument(
            "function",
            given=f"one that raises {type(error).__name__} for zeros: {str(error)[:200]}",
            needed="a function that can be followed, as nothing is declared of its results",
            change="Correct it; or, if it works with other values, declare degree, summands and "
            "coefficient in FixedPoint.",
        ) from error
    known, degree = known_of(result), degree_of(scheme)
    if degree is not None and known.degree > degree:
        raise too_high(scheme, known.degree)
    _check_declared(embedding, known)
    return known


def _check_declared(embedding: FixedPoint, known: Extent) -> None:
    """Refuse a function that may leave the numbers that were declared for it."""
    declared = embedding.budget(max(1, known.degree), 1)
    if embedding.degree is not None and known.degree > declared.degree:
        raise InvalidArgument(
            "embedding",
            given=f"degree={embedding.degree}, for a function of degree {known.degree}",
            needed=f"degree={known.degree - declared.degree + embedding.degree}",
            change="Raise it, or leave it out.",
        )
    bits = max(known.bits, declared.bits)
    most, least = bound_of(declared.aligned(bits)), bound_of(known.aligned(bits))
    if _bounded(embedding) and least > most:
        raise InvalidArgument(
            "embedding",
            given=f"summands={embedding.summands}, coefficient={embedding.coefficient}, for a "
            f"function whose results may be {in_short(-(-least // most))} times as large",
            needed="numbers that hold its results",
            change="Raise summands, or leave summands and coefficient out.",
        )
