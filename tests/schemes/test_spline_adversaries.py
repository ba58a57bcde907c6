"""Liars among the answers of `Spline`: named, left out, and never believed in silence."""

import dataclasses
import pickle

import numpy as np
import pytest
from numpy.typing import NDArray

import anyk
from anyk.faults import Corrupt, Faulty
from anyk.randomness.entropy import InsecureTestSource

Floats = NDArray[np.float64]
WEIGHTS = (
    np.random.default_rng(5).normal(size=(3, 40)),
    np.random.default_rng(6).normal(size=(40, 6)),
)


def network(x: Floats) -> Floats:
    return np.asarray(np.maximum(x @ WEIGHTS[0], 0.0) @ WEIGHTS[1])


def blocks(count: int, seed: int) -> Floats:
    return np.random.default_rng(seed).normal(size=(count, 3))


def coded(seed: int = 0, **changes: object) -> tuple[anyk.Encoded, Floats]:
    scheme = dataclasses.replace(anyk.Spline(10, 50, stragglers=5, adversaries=4), **changes)
    encoded = scheme.encode(blocks(10, seed))
    return encoded, network(encoded.shares)


def lie(answers: Floats, who: list[int], seed: int = 0) -> Floats:
    spoiled = answers.copy()
    noise = np.random.default_rng(seed).normal(size=(len(who), *answers.shape[1:]))
    spoiled[who] += 2.0 * answers.std() * noise
    return spoiled


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("ordering", ["path", None])
def test_liars_are_named_and_the_value_is_that_of_the_rest(seed: int, ordering: str | None) -> None:
    encoded, answers = coded(seed, ordering=ordering)
    rng = np.random.default_rng(seed)
    answered = np.argsort(encoded.layout.places)[rng.permutation(50)[:45]].tolist()
    liars = sorted(answered[:4])
    recovered = encoded.decode(lie(answers, liars, seed)[answered], answered)
    rest = answered[4:]
    alone = coded(seed, ordering=ordering, adversaries=0)[0].decode(answers[rest], rest)
    np.testing.assert_array_equal(recovered.value, alone.value)
    if ordering == "path":
        assert recovered.suspects == tuple(liars)
        assert recovered.error_estimate == alone.error_estimate
    else:  # a curve so rough that an honest answer may be as far off it as a lie of this size
        assert set(recovered.suspects) <= set(liars)
        assert recovered.error_estimate >= alone.error_estimate


@pytest.mark.parametrize("seed", range(6))
def test_where_nobody_lies_nothing_changes(seed: int) -> None:
    encoded, answers = coded(seed)
    recovered = encoded.decode(answers, range(50))
    plain = coded(seed, adversaries=0)[0].decode(answers, range(50))
    assert recovered.suspects == ()
    np.testing.assert_array_equal(recovered.value, plain.value)
    assert recovered.error_estimate == plain.error_estimate


@pytest.mark.parametrize("attack", ["flip", "shift", "side by side", "huge"])
def test_whatever_the_lie(attack: str) -> None:
    encoded, answers = coded(1)
    along = np.argsort(encoded.layout.places)
    liars = sorted(
        along[[20, 21, 22, 23] if attack == "side by side" else [4, 19, 30, 47]].tolist()
    )
    spoiled = answers.copy()
    if attack == "flip":
        spoiled[liars] *= -1.0
    else:
        spoiled[liars] += 1e300 if attack == "huge" else 3.0 * answers.std()
    assert encoded.decode(spoiled, range(50)).suspects == tuple(liars)


def test_a_lie_in_one_number_of_many() -> None:
    encoded, answers = coded(2)
    wide = np.tile(answers, (1, 5000)) * np.random.default_rng(0).normal(size=30_000)
    wide[17, 12_345] += 30.0 * np.linalg.norm(wide[17]) / np.sqrt(10.0)
    recovery = encoded.recovery(range(50))
    for seed in range(5):
        sketched = dataclasses.replace(recovery, source=InsecureTestSource(seed))
        assert sketched.recover(wide).suspects == (17,)


def test_two_numbers_that_cancel_are_seen_all_the_same() -> None:
    encoded, answers = coded(2)
    wide = np.tile(answers, (1, 5000))
    wide[17, [100, 100 + 64 * 32]] += np.array([9.0, -9.0]) * np.linalg.norm(wide[17])
    for _ in range(5):
        assert encoded.decode(wide, range(50)).suspects == (17,)


def test_more_liars_than_promised_raise() -> None:
    encoded, answers = coded(3)
    with pytest.raises(anyk.TooManyErrors, match="at most 4 liars") as raised:
        encoded.decode(lie(answers, [3, 12, 20, 29, 38]), range(50))
    assert raised.value.answered == tuple(range(50))


def test_more_liars_than_can_be_counted_are_not_silent() -> None:
    encoded, answers = coded(3)
    truth = network(blocks(10, 3))
    for seed in range(5):
        liars = np.random.default_rng(seed).permutation(50)[:20].tolist()
        try:
            recovered = encoded.decode(lie(answers, liars, seed), range(50))
        except anyk.TooManyErrors:
            continue
        error = np.sqrt(np.mean((recovered.value - truth) ** 2) / np.mean(recovered.value**2))
        assert recovered.error_estimate is not None
        assert recovered.error_estimate > error


def test_who_answers_beyond_the_bound_is_a_liar_without_more_evidence() -> None:
    encoded, answers = coded(4)
    peak = float(np.abs(answers).max())
    faint = int(np.abs(answers).max(axis=1).argmax())
    spoiled = answers.copy()
    spoiled[faint] *= 1.0 + 1e-6
    assert encoded.decode(spoiled, range(50)).suspects == ()
    bounded = coded(4, bound=peak)[0]
    assert bounded.decode(answers, range(50)).suspects == ()
    assert bounded.decode(spoiled, range(50)).suspects == (faint,)
    spoiled[[1, 8, 15, 22, 29]] = 2.0 * peak
    with pytest.raises(anyk.TooManyErrors):
        bounded.decode(spoiled, range(50))


def test_the_estimate_of_the_error_holds_with_liars() -> None:
    below = []
    for seed in range(20):
        encoded, answers = coded(seed)
        recovered = encoded.decode(lie(answers, [7, 16, 28, 41], seed), range(50))
        truth = network(blocks(10, seed))
        error = np.sqrt(np.mean((recovered.value - truth) ** 2) / np.mean(recovered.value**2))
        below.append(error <= recovered.error_estimate)
    assert sum(below) >= 19


def test_a_run_names_them() -> None:
    scheme = anyk.Spline(6, 30, stragglers=4, adversaries=2)
    faults = {3: Corrupt(seed=1), 21: Corrupt(seed=2)}
    with Faulty(anyk.Inline(30), faults) as executor:
        outcome = anyk.run(scheme, network, blocks(6, 0), executor)
    assert outcome.suspects == tuple(sorted({3, 21} & set(outcome.used)))
    assert outcome.suspects
    assert outcome.status is anyk.Status.APPROXIMATE


def test_the_guarantee_states_them() -> None:
    scheme = anyk.Spline(10, 50, stragglers=5, adversaries=4, bound=9.0)
    assert (scheme.guarantee.adversaries, scheme.guarantee.threshold) == (4, 45)
    assert not scheme.guarantee.exact
    assert pickle.loads(pickle.dumps(scheme)) == scheme
    assert scheme.sufficient(range(45))
    assert not scheme.sufficient(range(44))


def test_each_liar_costs_two_answers() -> None:
    anyk.Spline(5, 20, stragglers=4, adversaries=7)
    anyk.Spline(1, 19, stragglers=4, adversaries=7)
    told = r"N - S >= 2A \+ min\(K, 2\), that is 19 - 4 >= 16"
    with pytest.raises(anyk.Unachievable, match=told):
        anyk.Spline(5, 19, stragglers=4, adversaries=7)
    encoded = anyk.Spline(5, 20, stragglers=4, adversaries=7).encode(blocks(5, 0))
    assert encoded.recovery(range(16)).answered == tuple(range(16))
    with pytest.raises(anyk.NotEnoughAnswers, match="at least 16 answers"):
        encoded.recovery(range(15))


@pytest.mark.parametrize("bound", [0.0, -1.0, np.nan, np.inf, "9"])
def test_a_bound_is_a_positive_number(bound: object) -> None:
    with pytest.raises(anyk.InvalidArgument, match="bound"):
        anyk.Spline(5, 20, adversaries=1, bound=bound)


def test_a_bound_needs_adversaries() -> None:
    with pytest.raises(anyk.InvalidArgument, match="adversaries of at least 1"):
        anyk.Spline(5, 20, bound=1.0)
