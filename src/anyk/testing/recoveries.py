"""What recoveries must do: find the value and the liars, or refuse."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.domains.balanced import balanced_integers
from anyk.domains.prime import PrimeField
from anyk.errors import NotEnoughAnswers, RecoveryError, TooManyErrors
from anyk.schemes.base import AbstractRecovery, AbstractScheme
from anyk.schemes.encoded import Encoded
from anyk.spec import Guarantee, Map, MatMul, Sum
from anyk.testing.asked import check_asked
from anyk.testing.expect import different, expect, require, subsets
from anyk.testing.lies import colluding, lies, words
from anyk.testing.trial import Trial

__all__ = ["TIMES", "check_recoveries"]

TIMES = 3.0
"""An error estimate that one error in thousands exceeds."""

_CLOSE = 1e-9
_ROUNDINGS = 64.0  # of a coarser type, between two ways of adding up
_SAMPLES = 10  # sets of answers of one size
_ALARM = 1e-15  # that one liar too many is believed, though the decoder is right


def check_recoveries(
    made: Trial, encoded: Encoded, patterns: int, generator: np.random.Generator
) -> None:
    """The value and the liars from every set of answers that is promised to do, or an error.

    Up to A liars never lead to a wrong value, however few or many the answers are.

    Args:
        made: the data, and the right value.
        encoded: what encoding the data gave.
        patterns: how many sets of a kind to try where there are more.
        generator: where lies and samples come from.

    Raises:
        AssertionError: if a recovery is wrong, or does not refuse what it can't mend.
    """
    scheme, promise = encoded.scheme, encoded.guarantee
    answers = made.answers(encoded)
    for answered, lying in _answered(encoded, patterns, generator):
        require(scheme.sufficient(answered), f"{answered} are not sufficient")
        one, often = answered[:1], answered[:1] * len(answers)
        require(
            scheme.sufficient(often) == scheme.sufficient(one), f"{one[0]}, often, is sufficient"
        )
        heard = _workers(encoded, answered)
        for liars in subsets(heard, min(lying, len(heard)), patterns, generator):
            places = _places(encoded, answered, liars)
            spoiled = lies(scheme, answers[list(answered)], places, generator)
            _check_recovery(made, encoded.recovery(answered), spoiled, answered, liars)
        _check_matrix(made, encoded.recovery(answered), answers[list(answered)])
        if isinstance(scheme.problem, MatMul) or (promise.exact and scheme.domain.exact):
            _check_fewer(encoded, answered)
        if not (promise.exact and scheme.domain.exact):
            continue
        if lying == _named_at_once(promise):
            _check_more_liars(made, encoded, answers, answered, generator)
            continue
        for liars in subsets(heard, min(lying + 1, len(heard)), patterns, generator):
            places = _places(encoded, answered, liars)
            spoiled = lies(scheme, answers[list(answered)], places, generator)
            _check_uncertain(made, encoded.recovery(answered), spoiled, answered, liars)
    if promise.exact and scheme.domain.exact:
        _check_certain(made, encoded, answers, min(patterns, _SAMPLES), generator)
    if promise.reactive:
        check_asked(made, encoded, patterns, generator)


def _named_at_once(promise: Guarantee) -> int:
    """How many liars are named by the answers of workers on their own shares."""
    return 0 if promise.reactive else promise.adversaries


def _answered(
    encoded: Encoded, patterns: int, generator: np.random.Generator
) -> Iterator[tuple[tuple[int, ...], int]]:
    """Which shares are answered, and how many of their workers may lie.

    They are as many as the threshold says; all but those of S workers; as many as are waited for
    if nobody lies, and with each liar as many more as a worker has.
    """
    promise = encoded.guarantee
    everyone = range(promise.workers)
    shares = range(promise.workers * promise.pieces)
    for liars in range(_named_at_once(promise)):
        number = promise.waited_for + liars * promise.pieces
        if number < promise.threshold:
            yield from ((few, liars) for few in subsets(shares, number, patterns, generator))
    for enough in subsets(shares, promise.threshold, patterns, generator):
        yield enough, _named_at_once(promise)
    if promise.pieces == 1:
        return  # these are all but those of S workers
    for late in subsets(everyone, promise.stragglers, patterns, generator):
        on_time = encoded.held_by(worker for worker in everyone if worker not in late)
        yield tuple(on_time), _named_at_once(promise)


def _workers(encoded: Encoded, shares: Sequence[int]) -> tuple[int, ...]:
    """Who holds these shares, sorted."""
    return tuple(sorted({share // encoded.guarantee.pieces for share in shares}))


def _places(encoded: Encoded, answered: Sequence[int], workers: Sequence[int]) -> list[int]:
    """Where the answers of these workers are."""
    pieces = encoded.guarantee.pieces
    return [place for place, share in enumerate(answered) if share // pieces in workers]


def _check_recovery(
    made: Trial,
    recovery: AbstractRecovery,
    spoiled: NDArray[Any],
    answered: tuple[int, ...],
    liars: tuple[int, ...],
) -> None:
    """The value and the names, from answers of which some are lies."""
    scheme, truth = made.scheme, made.truth
    told = f"answered {answered}, liars {liars}"
    try:
        recovered = recovery.recover(spoiled)
    except RecoveryError as error:
        raise AssertionError(f"{told}: {error}") from error
    require(recovery.answered == answered, f"{told}: the recovery is for {recovery.answered}")
    named = recovered.suspects
    right = named == liars if scheme.guarantee.named else set(named) <= set(liars)
    require(right, f"{told}: named {named}")
    require(recovered.value.shape == truth.shape, f"{told}: shape {recovered.value.shape}")
    _check_evidence(scheme, recovered, told)
    if scheme.guarantee.exact:
        require(recovered.error_estimate is None, f"{told}: an exact value with an error estimate")
        require(_same(scheme, recovered.value, truth), f"{told}: a wrong value")
        return
    require(np.isfinite(recovered.value).all(), f"{told}: a value that is not finite")
    estimate = recovered.error_estimate
    if estimate is None or estimate < 0.0:
        raise AssertionError(f"{told}: error estimate {estimate}")
    if made.only_rounds(recovery):  # estimates of others may fail sometimes
        off = np.linalg.norm(recovered.value - truth) / np.linalg.norm(recovered.value)
        require(off <= TIMES * estimate, f"{told}: off by {off:.2g}, not {estimate:.2g}")


def _check_evidence(scheme: AbstractScheme, recovered: Recovered, told: str) -> None:
    """What is said of each block fits what is said of all of them."""
    known, errors, estimate = recovered.known, recovered.block_errors, recovered.error_estimate
    blocks = scheme.problem.blocks if isinstance(scheme.problem, Map) else 1
    if known is not None:
        require(known.shape == (blocks,), f"{told}: known has the shape {known.shape}")
        require(known.dtype == np.bool_, f"{told}: known is of {known.dtype}")
    if estimate is None:
        require(known is None or bool(known.all()), f"{told}: an exact value of unknown blocks")
        require(errors is None, f"{told}: an exact value with block errors")
        return
    if errors is None:
        return
    require(errors.shape == (blocks,), f"{told}: block errors of the shape {errors.shape}")
    together = float(np.sqrt(np.mean(errors**2)))
    require(together <= estimate * (1.0 + _CLOSE), f"{told}: blocks err more than all of them")
    if known is not None:
        require(not errors[known].any(), f"{told}: a known block with an error")
        require(bool((errors[~known] > 0.0).all()), f"{told}: an unknown block without an error")


def _check_matrix(made: Trial, recovery: AbstractRecovery, values: NDArray[Any]) -> None:
    """R times honest answers is the value of an exact scheme."""
    if made.scheme.guarantee.exact:
        problem = made.scheme.problem
        if isinstance(problem, MatMul) and problem.gram:  # each answer, and its transpose
            pairs = np.stack([values, values.swapaxes(1, 2)], axis=1)
            values = pairs.reshape(-1, *values.shape[1:])
        if isinstance(problem, Sum) and not made.whole:
            values = made.of_slices(values)
        if recovery.modulus is None:
            rows = made.scheme.domain.matmul(recovery.matrix, values)
        else:
            whole = np.tensordot(recovery.matrix, values.astype(object), axes=1)
            rows = balanced_integers(whole, recovery.modulus)
        linear = made.value(rows)
        told = f"answered {recovery.answered}: R·answers is a wrong value"
        require(_same(made.scheme, linear, made.truth), told)


def _same(scheme: AbstractScheme, value: NDArray[Any], truth: NDArray[Any]) -> bool:
    """Whether an exact value is right: to the bit, but for the rounding of a sum of reals."""
    if scheme.domain.exact or isinstance(scheme.problem, Map):
        return np.array_equal(value, truth)
    close = max(_CLOSE, _ROUNDINGS * float(np.finfo(scheme.domain.dtype).eps))
    return np.allclose(value, truth, rtol=close, atol=close)


def _check_fewer(encoded: Encoded, answered: tuple[int, ...]) -> None:
    """One answer too few."""
    for left_out in answered:
        fewer = [share for share in answered if share != left_out]
        if fewer and not encoded.scheme.sufficient(fewer):
            expect(NotEnoughAnswers, f"answered {fewer}", lambda few=fewer: encoded.recovery(few))  # type: ignore[misc]


def _check_certain(
    made: Trial,
    encoded: Encoded,
    answers: NDArray[Any],
    patterns: int,
    generator: np.random.Generator,
) -> None:
    """Liars who tell the answers of another value are not believed, from any answers at all."""
    promise, field = encoded.guarantee, encoded.scheme.domain
    code = words(made, generator) if promise.adversaries else None
    if code is None or not isinstance(field, PrimeField):
        return
    for number in range(1, promise.threshold + 1):
        for answered in subsets(range(len(answers)), number, patterns, generator):
            if not encoded.scheme.sufficient(answered):
                continue
            recovery, values = encoded.recovery(answered), answers[list(answered)]
            heard = _workers(encoded, answered)
            for many in range(1, min(promise.adversaries, len(heard)) + 1):
                liars = generator.choice(heard, many, replace=False).tolist()
                places = _places(encoded, answered, liars)
                told = colluding(field, code[:, list(answered)], values, places, generator)
                changed = (told != values).reshape(number, -1).any(axis=1)
                lying = _workers(encoded, [answered[at] for at in np.flatnonzero(changed)])
                _check_uncertain(made, recovery, told, answered, lying)


def _check_uncertain(
    made: Trial,
    recovery: AbstractRecovery,
    spoiled: NDArray[Any],
    answered: tuple[int, ...],
    liars: tuple[int, ...],
) -> None:
    """Up to A liars, though more than these answers may bear: refused, or right."""
    try:
        recovered = recovery.recover(spoiled)
    except TooManyErrors:
        return
    told = f"answered {answered}, liars {liars}: a value that is not certain"
    right = _same(made.scheme, recovered.value, made.truth)
    require(right and recovered.suspects == liars, f"{told}, named {recovered.suspects}")


def _check_more_liars(
    made: Trial,
    encoded: Encoded,
    answers: NDArray[Any],
    answered: tuple[int, ...],
    generator: np.random.Generator,
) -> None:
    """One liar more than may lie: refused, or named where each answer is checked."""
    many = _named_at_once(encoded.guarantee) + 1
    examined = tuple(range(len(answers))) if many == 1 else answered
    heard = _workers(encoded, examined)
    tries = _tries(encoded, len(examined), answers[0].size)
    if not tries or len(heard) < many:
        return  # nothing to check the liars against
    liars = sorted(generator.choice(heard, many, replace=False).tolist())
    rows, values = _places(encoded, examined, liars), answers[list(examined)]
    if encoded.check is not None or encoded.guarantee.reactive:  # may be named all the same
        spoiled = lies(encoded.scheme, values, rows, generator)
        _check_uncertain(made, encoded.recovery(examined), spoiled, examined, tuple(liars))
        return
    for _ in range(tries):
        try:
            encoded.decode(lies(encoded.scheme, values, rows, generator), examined)
        except TooManyErrors:
            return
    raise AssertionError(f"answered {examined}, liars {liars}: expected TooManyErrors, got a value")


def _tries(encoded: Encoded, examined: int, numbers_each: int) -> int:
    """How often one liar too many has to be believed before the decoder is blamed; 0 for never.

    A + 1 liars at random are taken for others, where A of those who are honest could have lied
    instead: where few numbers of a small field are to agree, that happens.
    """
    promise, domain = encoded.guarantee, encoded.scheme.domain
    wrong = _named_at_once(promise) * promise.pieces
    spare = examined - (promise.threshold - 2 * wrong)  # answers beyond those that tell the value
    symbols = different(domain)
    if spare <= 0 or symbols is None:
        return 0
    left = spare - wrong  # that check the rest, when A are left out
    if promise.pieces + wrong <= left:
        return 1
    ways = math.log(math.comb(promise.workers, _named_at_once(promise)))
    chance = ways - left * numbers_each * math.log(symbols - 1)
    return math.ceil(math.log(_ALARM) / chance) if chance < math.log(0.5) else 0
