"""Conformance: what every domain, scheme and executor must do, as checks that anyone can run.

Each check raises AssertionError with the offending pattern in its message. Where the patterns of
stragglers, liars and colluders are few, all are tried; otherwise a sample of `patterns` of them.
"""

from __future__ import annotations

import importlib
import itertools
import math
import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Answer
from anyk.codes.linear import rank
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.errors import (
    ExecutorError,
    InvalidArgument,
    NotEnoughAnswers,
    RecoveryError,
    TooManyErrors,
)
from anyk.executors.base import AbstractExecutor, Dealt, pause
from anyk.privacy.leakage import symbols_learned
from anyk.schemes.base import AbstractScheme, Encoded
from anyk.spec import Map, Sum

__all__ = ["check_domain", "check_executor", "check_scheme"]

_CLOSE = 1e-9
_LATE = 0.3  # seconds that a worker of check_executor is late
_PATIENCE = 60.0  # seconds after which check_executor calls a silent worker lost


def _require(condition: object, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _expect(error: type[Exception], message: str, action: Callable[[], object]) -> None:
    try:
        action()
    except error:
        return
    raise AssertionError(f"{message}: expected {error.__name__}, got a value")


def _subsets(
    items: Sequence[int], size: int, patterns: int, generator: np.random.Generator
) -> Iterator[tuple[int, ...]]:
    """Every subset of a size, or a random sample where there are more than `patterns`."""
    if math.comb(len(items), size) <= patterns:
        yield from itertools.combinations(items, size)
        return
    for _ in range(patterns):
        chosen = generator.choice(len(items), size, replace=False)
        yield tuple(sorted(items[index] for index in chosen))


def _check_value(value: Any) -> None:
    """A public value survives pickle, and its repr rebuilds it."""
    _require(pickle.loads(pickle.dumps(value)) == value, f"{value!r} does not survive pickle")  # noqa: S301 - our own bytes
    public = vars(importlib.import_module("anyk"))  # at run time: it stands above this file
    rebuilt = eval(repr(value), public.copy())  # noqa: S307 - our own repr
    _require(rebuilt == value, f"the repr {value!r} rebuilds {rebuilt!r}")
    _require(hash(rebuilt) == hash(value), f"{value!r} and its copy hash differently")


def _numbers(
    domain: AbstractDomain, shape: tuple[int, ...], generator: np.random.Generator
) -> NDArray[Any]:
    if isinstance(domain, PrimeField):
        return generator.integers(0, domain.modulus, shape)
    return domain.validate(generator.normal(size=shape), "values")


def check_domain(domain: AbstractDomain, *, generator: np.random.Generator) -> None:
    """Check arithmetic against Python's integers, or against numpy's, and the refusal of rubbish.

    Args:
        domain: what to check.
        generator: where the test data come from.

    Raises:
        AssertionError: if the domain breaks its contract.

    Example:
        >>> anyk.testing.check_domain(anyk.PrimeField(101), generator=np.random.default_rng(0))
    """
    _check_value(domain)
    for rows, inner, columns in (
        (1, 1, 1),
        (3, 5, 7),
        (2, 64, 3),
        (2, 65, 3),
        (1, 1000, 2),
        (4, 0, 2),
    ):
        small = _numbers(domain, (rows, inner), generator)
        big = _numbers(domain, (inner, columns), generator)
        product = domain.matmul(small, big)
        what = f"matmul of ({rows}, {inner}) by ({inner}, {columns})"
        if isinstance(domain, PrimeField):
            exact = small.astype(object) @ big.astype(object) % domain.modulus
            _require(np.array_equal(product, exact), f"{what} is not exact")
        else:
            _require(np.allclose(product, small @ big), f"{what} is wrong")
        _require(product.dtype == domain.dtype, f"{what} has dtype {product.dtype}")
    stack = _numbers(domain, (3, 2, 4), generator)
    flat = domain.matmul(stack[:2, :, 0].T[:, :2].copy(), stack[:2])
    _require(
        flat.shape == (2, 2, 4), "matmul does not keep the shape of what follows the first axis"
    )
    for rubbish in (np.array([np.nan]), np.array([np.inf]), ["x"], [[1], [1, 2]], [None]):
        _expect(
            InvalidArgument,
            f"validate({rubbish})",
            lambda bad=rubbish: domain.validate(bad, "x"),  # type: ignore[misc]
        )
    presented = domain.present(stack)
    _require(np.array_equal(domain.accept(presented), stack), "accept does not undo present")


def check_scheme(
    scheme: AbstractScheme,
    *,
    generator: np.random.Generator,
    function: Callable[[Any], Any] | None = None,
    shape: tuple[int, ...] = (2,),
    patterns: int = 200,
) -> None:
    """Check a scheme for maps or sums against its own guarantee.

    Every set of S stragglers with every set of A liars among the rest must give the value and
    the names; one answer too few and one liar too many must raise (exact schemes); any T workers
    must learn nothing and some T + 1 something (private schemes); shares must be what the
    encoder's matrices say; bad input must be refused.

    Args:
        scheme: what to check.
        generator: where data, lies and samples come from.
        function: f, applied to a block; x**degree by default (x**2 where any function is
            allowed), sin over the reals.
        shape: of a block.
        patterns: how many sets of a kind to try where there are more.

    Raises:
        AssertionError: if the scheme breaks its guarantee.

    Example:
        >>> scheme = anyk.Lagrange(blocks=2, degree=2, workers=8, adversaries=1, colluders=1)
        >>> anyk.testing.check_scheme(scheme, generator=np.random.default_rng(0))
    """
    _check_value(scheme)
    problem, promise = scheme.problem, scheme.guarantee
    if not isinstance(problem, (Map, Sum)):
        raise TypeError(f"check_scheme is for maps and sums, not {problem!r}")
    degree = problem.degree or 2
    worker = function or ((lambda x: x**degree) if scheme.domain.exact else np.sin)
    X = _numbers(scheme.domain, (problem.blocks, *shape), generator)
    truth = np.stack([_apply(scheme, worker, block) for block in X])
    if isinstance(problem, Sum):
        truth = _total(scheme.domain, truth)
    encoded = scheme.encode(X)
    answers = np.stack([_apply(scheme, worker, share) for share in encoded.shares])
    _check_encoder(scheme, encoded, X)
    _check_input(scheme, X)
    everyone = range(promise.workers)
    for answered in _subsets(everyone, promise.threshold, patterns, generator):
        _require(scheme.sufficient(answered), f"{answered} are not sufficient")
        for liars in _subsets(answered, promise.adversaries, patterns, generator):
            _check_recovery(encoded, answers, answered, liars, truth=truth, generator=generator)
        if promise.exact and scheme.domain.exact:
            _check_limits(encoded, answers, answered, generator)
    if promise.colluders:
        _check_privacy(encoded, patterns, generator)


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
        lie = _numbers(scheme.domain, values.shape[1:], generator)
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
    _require(recovery.answered == answered, f"{told}: the recovery is for {recovery.answered}")
    _require(recovered.suspects == liars, f"{told}: named {recovered.suspects}")
    _require(recovered.value.shape == truth.shape, f"{told}: shape {recovered.value.shape}")
    if encoded.scheme.guarantee.exact:
        _require(recovered.error_estimate is None, f"{told}: an exact value with an error estimate")
        _require(_same(encoded.scheme, recovered.value, truth), f"{told}: a wrong value")
        if not liars:
            linear = encoded.scheme.domain.matmul(recovery.matrix, values).reshape(truth.shape)
            _require(_same(encoded.scheme, linear, truth), f"{told}: R·answers is a wrong value")
    else:
        _require(np.isfinite(recovered.value).all(), f"{told}: a value that is not finite")
        estimate = recovered.error_estimate
        _require(estimate is not None and estimate >= 0, f"{told}: error estimate {estimate}")


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
            _expect(NotEnoughAnswers, f"answered {fewer}", lambda few=fewer: encoded.recovery(few))  # type: ignore[misc]
    promise = scheme.guarantee
    many = promise.adversaries + 1
    examined = range(promise.workers) if many == 1 else answered
    if len(examined) <= promise.threshold - 2 * promise.adversaries:
        return  # no answer to spare: nothing to check one against
    rows = sorted(generator.choice(len(examined), many, replace=False).tolist())
    spoiled = _lies(scheme, answers[list(examined)], rows, generator)
    told = f"answered {tuple(examined)}, liars {[examined[row] for row in rows]}"
    _expect(TooManyErrors, told, lambda: encoded.decode(spoiled, tuple(examined)))


def _check_encoder(scheme: AbstractScheme, encoded: Encoded, X: NDArray[Any]) -> None:
    promise, encoder = scheme.guarantee, encoded.encoder
    _require(encoder.data.shape == (promise.workers, len(X)), "D is not N x K")
    _require(len(encoder.masks) == promise.workers, "M has not N rows")
    _require(len(encoded.shares) == promise.workers, "there are not N shares")
    if promise.colluders:
        again = scheme.encode(X).shares
        _require(not np.array_equal(encoded.shares, again), "two encodings have the same masks")
        _check_masked(encoded, X)
        return
    product = scheme.domain.matmul(encoder.data, X)
    same = (
        np.array_equal(product, encoded.shares)
        if scheme.domain.exact
        else np.allclose(product, encoded.shares, rtol=_CLOSE, atol=_CLOSE * np.abs(X).max())
    )
    _require(same, "the shares are not D·blocks")


def _check_masked(encoded: Encoded, X: NDArray[Any]) -> None:
    """The shares are D·blocks + M·masks for some masks."""
    field, encoder = encoded.scheme.domain, encoded.encoder
    if not isinstance(field, PrimeField):
        raise TypeError("masked shares are checked by rank, over a prime field")
    noise = field.reduce(encoded.shares - field.matmul(encoder.data, X)).reshape(
        len(encoded.shares), -1
    )
    both = np.concatenate([encoder.masks, noise], axis=1)
    _require(
        rank(field, both) == rank(field, encoder.masks), "the shares are not D·blocks + M·masks"
    )


def _check_input(scheme: AbstractScheme, X: NDArray[Any]) -> None:
    for bad, what in (
        (np.concatenate([X, X[:1]]), "one block too many"),
        (X[:0], "no blocks"),
        (X.reshape(len(X), -1)[:, :0], "empty blocks"),
        (np.full(X.shape, np.nan), "NaN"),
        (X.astype(str), "text"),
    ):
        _expect(InvalidArgument, what, lambda bad=bad: scheme.encode(bad))  # type: ignore[misc]
    encoded = scheme.encode(X)
    workers = scheme.guarantee.workers
    for wrong in ([0, 0], [workers], [-1]):
        _expect(InvalidArgument, f"answered {wrong}", lambda who=wrong: encoded.recovery(who))  # type: ignore[misc]
    recovery = encoded.recovery(range(workers))
    _expect(InvalidArgument, "a row too few", lambda: recovery.recover(encoded.shares[1:]))


def _check_privacy(encoded: Encoded, patterns: int, generator: np.random.Generator) -> None:
    """No T workers learn anything; some T + 1 do, so that the promise is not vacuous."""
    scheme, encoder = encoded.scheme, encoded.encoder
    field = scheme.domain
    if not isinstance(field, PrimeField):
        raise TypeError("privacy is checked by rank, over a prime field")
    everyone, colluders = range(scheme.guarantee.workers), scheme.guarantee.colluders

    def learned(coalition: tuple[int, ...]) -> int:
        chosen = list(coalition)
        return symbols_learned(field, encoder.data[chosen], encoder.masks[chosen])

    for coalition in _subsets(everyone, colluders, patterns, generator):
        symbols = learned(coalition)
        _require(symbols == 0, f"workers {coalition} learn {symbols} symbols")
    if colluders < scheme.guarantee.workers:
        larger = _subsets(everyone, colluders + 1, patterns, generator)
        if any(learned(who) for who in larger):
            return
        coalition = tuple(everyone)  # let go of all who are not needed to learn something
        for worker in everyone:
            rest = tuple(who for who in coalition if who != worker)
            coalition = rest if learned(rest) else coalition
        told = f"no {colluders + 1} workers learn anything, but {coalition} do"
        _require(len(coalition) == colluders + 1, told)


# What the workers of check_executor run: at the top level, so that every engine can send it.


def _weighted(share: NDArray[Any], factor: float, own: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(share * factor + own)


def _fragile(share: NDArray[Any]) -> Any:
    if share[0] == 0:
        raise ArithmeticError("zero")
    return "text" if share[0] == 1 else share


def _sluggish(share: NDArray[Any]) -> NDArray[Any]:
    if share[0] == 0:
        pause(_LATE)
    return share


def check_executor(executor: AbstractExecutor) -> None:
    """Check that shares, arguments and answers go where they belong, and nothing waits in vain.

    Args:
        executor: open, with at least 3 workers; it is closed in the end.

    Raises:
        AssertionError: if the executor breaks its contract.

    Example:
        >>> anyk.testing.check_executor(anyk.Threads(4))
    """
    workers = executor.workers
    shares = np.arange(2.0 * workers).reshape(workers, 2) // 2
    placement, second = executor.place((shares,)), executor.place((-shares[:3],))
    own = np.arange(workers) * 100.0

    for placed, expected in ((placement, shares), (second, -shares[:3])):
        got = _received(executor, _weighted, placed, (3.0, Dealt(own)))
        _require(sorted(got) == list(range(len(expected))), f"answers came from {sorted(got)}")
        for worker, answer in got.items():
            right = expected[worker] * 3.0 + own[worker]
            _require(answer.failure is None, f"worker {worker} failed: {answer.failure}")
            _require(
                answer.value is not None and np.array_equal(answer.value, right),
                f"worker {worker} computed {answer.value}",
            )
            _require(
                answer.sent <= answer.answered, f"worker {worker} answered before it was asked"
            )
            _require(answer.seconds >= 0, f"worker {worker} computed {answer.seconds} s")

    failed = {
        who
        for who, answer in _received(executor, _fragile, placement, ()).items()
        if answer.failure
    }
    _require(failed == {0, 1}, f"workers 0 and 1 should fail; {failed} did")

    for _ in range(3):  # worker 0 is still busy with the last call, which nobody waits for
        dispatch = executor.dispatch(_sluggish, placement, ())
        first = dispatch.receive(_PATIENCE)
        dispatch.abandon()
        dispatch.abandon()
        _require(first is not None, "no answer at all")

    executor.release(second)
    executor.release(second)
    _expect(ExecutorError, "released shares", lambda: executor.dispatch(_fragile, second, ()))
    _expect(InvalidArgument, "too many shares", lambda: executor.place((np.ones(workers + 1),)))
    executor.close()
    executor.close()
    _expect(ExecutorError, "a closed executor", lambda: executor.place((shares,)))


def _received(
    executor: AbstractExecutor, task: Callable[..., Any], placement: Any, arguments: tuple[Any, ...]
) -> dict[int, Answer]:
    """Every worker's answer to one task."""
    dispatch = executor.dispatch(task, placement, arguments)
    got: dict[int, Answer] = {}
    while (answer := dispatch.receive(_PATIENCE)) is not None:
        _require(answer.worker not in got, f"worker {answer.worker} answered twice")
        got[answer.worker] = answer
    return got
