"""What every scheme must do: keep its own guarantee."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.checks import count
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument, NotEnoughAnswers, RecoveryError, TooManyErrors
from anyk.schemes.base import AbstractScheme, Encoded
from anyk.spec import Map, Sum
from anyk.testing.expect import check_value, expect, numbers, require, subsets
from anyk.testing.masking import check_privacy
from anyk.testing.masks.quality import check_masks

__all__ = ["check_scheme"]

_CLOSE = 1e-9
_TIMES = 3.0  # an error estimate that one error in thousands exceeds


def check_scheme(
    scheme: AbstractScheme,
    *,
    generator: np.random.Generator,
    function: Callable[[Any], Any] | None = None,
    shape: tuple[int, ...] = (2,),
    patterns: int = 200,
    encodings: int = 1024,
) -> None:
    """Check a scheme for maps or sums against its own guarantee.

    Every set of S stragglers with every set of A liars among the rest must give the value and
    the names; one answer too few and one liar too many must raise (exact schemes); any T workers
    must learn nothing and some T + 1 something (private schemes over a field), or no more bits
    than promised and all workers more (over the reals); shares must be what the encoder's
    matrices say, noise included; bad input must be refused.

    Masks are recovered from the shares of many encodings, of fresh data, of the same data and of
    zeros, with 64 coordinates. They must come from the `source` alone and be uniform and
    independent (over the reals: normal, of variance 1): each mask, coordinate and encoding, pairs
    of masks, of coordinates and of encodings, masks and data. No run of them may come again, also
    times a number plus a number, and none be a combination of others. With 1024 encodings, a bias
    of 2 % in one bit, a correlation of 5 %, a single mask used twice, and a generator of 65,536
    seeds are noticed with a chance above 99.9 %. Nobody can tell a good generator that is not
    secure from a secure one by its numbers: passing proves no security.

    A correct scheme fails with a chance below 1e-9, by bounds that hold for any number of
    encodings (where the scheme is approximate, with an error that is its own).

    Args:
        scheme: what to check.
        generator: where data, lies and samples come from.
        function: f, applied to a block; by default x**degree where the scheme has a degree, else
            x**2 over a field, and sin over the reals.
        shape: of a block.
        patterns: how many sets of a kind to try where there are more.
        encodings: how many are drawn to judge masks, at least 16; with fewer, less is noticed.

    Raises:
        AssertionError: if the scheme breaks its guarantee.
        TypeError: if the scheme is for another problem.

    Example:
        >>> scheme = anyk.Lagrange(blocks=2, degree=2, workers=8, adversaries=1, colluders=1)
        >>> anyk.testing.check_scheme(scheme, generator=np.random.default_rng(0))
    """
    check_value(scheme)
    problem, promise = scheme.problem, scheme.guarantee
    if not isinstance(problem, (Map, Sum)):
        raise TypeError(f"check_scheme is for maps and sums, not {problem!r}")
    degree = problem.degree or 2
    power = scheme.domain.exact or problem.degree is not None
    worker = function or ((lambda x: x**degree) if power else np.sin)
    X = numbers(scheme.domain, (problem.blocks, *shape), generator)
    truth = np.stack([_apply(scheme, worker, block) for block in X])
    if isinstance(problem, Sum):
        truth = _total(scheme.domain, truth)
    encoded = scheme.encode(X)
    answers = np.stack([_apply(scheme, worker, share) for share in encoded.shares])
    _check_encoder(scheme, encoded, X)
    if promise.colluders or encoded.encoder.masks.shape[1]:
        check_masks(scheme, X, count("encodings", encodings, least=16), generator)
    _check_input(scheme, X)
    everyone = range(promise.workers)
    for answered in subsets(everyone, promise.threshold, patterns, generator):
        require(scheme.sufficient(answered), f"{answered} are not sufficient")
        one, often = answered[:1], answered[:1] * promise.workers
        require(
            scheme.sufficient(often) == scheme.sufficient(one), f"{one[0]}, often, is sufficient"
        )
        for liars in subsets(answered, promise.adversaries, patterns, generator):
            _check_recovery(encoded, answers, answered, liars, truth=truth, generator=generator)
        if promise.exact and scheme.domain.exact:
            _check_limits(encoded, answers, answered, generator)
    if promise.colluders:
        check_privacy(encoded, patterns, generator)


def _apply(scheme: AbstractScheme, function: Callable[[Any], Any], block: NDArray[Any]) -> Any:
    return scheme.domain.accept(function(scheme.domain.present(block)))


def _total(domain: AbstractDomain, values: NDArray[Any]) -> NDArray[Any]:
    """The sum along the first axis, by Python's integers in a field."""
    if isinstance(domain, PrimeField):
        return np.asarray(values.astype(object).sum(axis=0) % domain.modulus, dtype=np.int64)
    return np.asarray(values.sum(axis=0))


def _same(scheme: AbstractScheme, value: NDArray[Any], truth: NDArray[Any]) -> bool:
    """Whether an exact value is right: to the bit, but for the rounding of a sum of reals."""
    if scheme.domain.exact or isinstance(scheme.problem, Map):
        return np.array_equal(value, truth)
    return np.allclose(value, truth, rtol=_CLOSE, atol=_CLOSE)


def _lies(
    scheme: AbstractScheme,
    values: NDArray[Any],
    rows: Sequence[int],
    generator: np.random.Generator,
) -> NDArray[Any]:
    """The answers, with something else in these rows."""
    spoiled = values.copy()
    for row in rows:
        lie = numbers(scheme.domain, values.shape[1:], generator)
        spoiled[row] = np.where(lie == values[row], values[row] - 1 + 2 * (values[row] == 0), lie)
    return spoiled


def _check_recovery(
    encoded: Encoded,
    answers: NDArray[Any],
    answered: tuple[int, ...],
    liars: tuple[int, ...],
    *,
    truth: NDArray[Any],
    generator: np.random.Generator,
) -> None:
    recovery = encoded.recovery(answered)
    values = answers[list(answered)]
    spoiled = _lies(encoded.scheme, values, [answered.index(liar) for liar in liars], generator)
    told = f"answered {answered}, liars {liars}"
    try:
        recovered = recovery.recover(spoiled)
    except RecoveryError as error:
        raise AssertionError(f"{told}: {error}") from error
    require(recovery.answered == answered, f"{told}: the recovery is for {recovery.answered}")
    require(recovered.suspects == liars, f"{told}: named {recovered.suspects}")
    require(recovered.value.shape == truth.shape, f"{told}: shape {recovered.value.shape}")
    if encoded.scheme.guarantee.exact:
        require(recovered.error_estimate is None, f"{told}: an exact value with an error estimate")
        require(_same(encoded.scheme, recovered.value, truth), f"{told}: a wrong value")
        if not liars:
            linear = encoded.scheme.domain.matmul(recovery.matrix, values).reshape(truth.shape)
            require(_same(encoded.scheme, linear, truth), f"{told}: R·answers is a wrong value")
    else:
        require(np.isfinite(recovered.value).all(), f"{told}: a value that is not finite")
        estimate = recovered.error_estimate
        if estimate is None or estimate < 0.0:
            raise AssertionError(f"{told}: error estimate {estimate}")
        problem = encoded.scheme.problem
        if isinstance(problem, Map) and problem.degree is not None:  # others may fail sometimes
            off = np.linalg.norm(recovered.value - truth) / np.linalg.norm(recovered.value)
            require(off <= _TIMES * estimate, f"{told}: off by {off:.2g}, not {estimate:.2g}")


def _check_limits(
    encoded: Encoded,
    answers: NDArray[Any],
    answered: tuple[int, ...],
    generator: np.random.Generator,
) -> None:
    """One answer too few, and one liar too many."""
    scheme = encoded.scheme
    for left_out in answered:
        fewer = [worker for worker in answered if worker != left_out]
        if fewer and not scheme.sufficient(fewer):
            expect(NotEnoughAnswers, f"answered {fewer}", lambda few=fewer: encoded.recovery(few))  # type: ignore[misc]
    promise = scheme.guarantee
    many = promise.adversaries + 1
    examined = range(promise.workers) if many == 1 else answered
    if len(examined) <= promise.threshold - 2 * promise.adversaries:
        return  # no answer to spare: nothing to check one against
    rows = sorted(generator.choice(len(examined), many, replace=False).tolist())
    spoiled = _lies(scheme, answers[list(examined)], rows, generator)
    told = f"answered {tuple(examined)}, liars {[examined[row] for row in rows]}"
    expect(TooManyErrors, told, lambda: encoded.decode(spoiled, tuple(examined)))


def _check_encoder(scheme: AbstractScheme, encoded: Encoded, X: NDArray[Any]) -> None:
    promise, encoder = scheme.guarantee, encoded.encoder
    require(encoder.data.shape == (promise.workers, len(X)), "D is not N x K")
    require(len(encoder.masks) == promise.workers, "M has not N rows")
    require(len(encoded.shares) == promise.workers, "there are not N shares")
    if promise.colluders or encoder.masks.shape[1]:
        return  # check_masks compares them
    product = scheme.domain.matmul(encoder.data, X)
    same = (
        np.array_equal(product, encoded.shares)
        if scheme.domain.exact
        else np.allclose(product, encoded.shares, rtol=_CLOSE, atol=_CLOSE * np.abs(X).max())
    )
    require(same, "the shares are not D·blocks")


def _check_input(scheme: AbstractScheme, X: NDArray[Any]) -> None:
    for bad, what in (
        (np.concatenate([X, X[:1]]), "one block too many"),
        (X[:0], "no blocks"),
        (X.reshape(len(X), -1)[:, :0], "empty blocks"),
        (np.full(X.shape, np.nan), "NaN"),
        (X.astype(str), "text"),
    ):
        expect(InvalidArgument, what, lambda bad=bad: scheme.encode(bad))  # type: ignore[misc]
    encoded = scheme.encode(X)
    workers = scheme.guarantee.workers
    for wrong in ([0, 0], [workers], [-1]):
        expect(InvalidArgument, f"answered {wrong}", lambda who=wrong: encoded.recovery(who))  # type: ignore[misc]
    recovery = encoded.recovery(range(workers))
    expect(InvalidArgument, "a row too few", lambda: recovery.recover(encoded.shares[1:]))
