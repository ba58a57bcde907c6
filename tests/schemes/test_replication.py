"""Replication: the baseline, its majority, and what it must refuse."""

import itertools

import numpy as np
import pytest

import anyk
from anyk.faults import Corrupt, Delay, Faulty


@pytest.mark.parametrize(
    "scheme",
    [
        anyk.Replication(blocks=3, workers=3),
        anyk.Replication(blocks=2, workers=5),
        anyk.Replication(blocks=2, workers=7, adversaries=1),
        anyk.Replication(blocks=1, workers=5, adversaries=2, domain=anyk.PrimeField()),
        anyk.Replication(blocks=2, workers=8, domain=anyk.Complex()),
        anyk.Replication(blocks=4, workers=8, detects=1),
        anyk.Replication(blocks=2, workers=9, adversaries=1, detects=2),
    ],
    ids=repr,
)
def test_conformance(scheme):
    anyk.testing.check_scheme(scheme, generator=np.random.default_rng(0), patterns=10**5)


def test_one_answer_a_block_is_enough_whoever_it_comes_from():
    scheme = anyk.Replication(blocks=2, workers=6)
    assert scheme.guarantee.threshold == 4  # any four; these two happen to be enough
    assert scheme.sufficient([4, 1])
    assert not scheme.sufficient([0, 2, 4])
    assert not scheme.sufficient([])


def test_two_replicas_that_contradict_each_other_raise():
    encoded = anyk.Replication(blocks=1, workers=2).encode([1.0])
    with pytest.raises(anyk.TooManyErrors):
        encoded.decode(np.array([1.0, 2.0]), [0, 1])


def test_the_error_names_the_workers_of_the_block_that_is_contradicted():
    encoded = anyk.Replication(blocks=4, workers=8, detects=1).encode(np.arange(4.0))
    answers = np.arange(8.0) % 4
    answers[6] = 7.0
    told = "workers 2, 6 contradict each other: up to 1 liar is noticed"
    with pytest.raises(anyk.TooManyErrors, match=told):
        encoded.decode(answers, range(8))


def test_a_lone_uncoded_liar_is_not_seen():
    """Why the baseline is only a baseline: the docstring promises nothing else."""
    encoded = anyk.Replication(blocks=2, workers=2).encode([1.0, 2.0])
    assert encoded.decode(np.array([1.0, 666.0]), [0, 1]).value.tolist() == [1.0, 666.0]


def test_replicas_may_differ_by_rounding():
    encoded = anyk.Replication(blocks=1, workers=3, adversaries=1).encode([1.0])
    recovered = encoded.decode(np.array([1.0, 1.0 + 5e-14, 1.1]), range(3))
    assert recovered.suspects == (2,)
    assert recovered.value[0] == pytest.approx(1.0)
    assert not recovered.known[0]
    assert recovered.error_estimate == pytest.approx(5e-14, rel=0.01)
    assert recovered.block_errors[0] == recovered.error_estimate


def test_what_most_replicas_tell_to_the_bit_is_known():
    encoded = anyk.Replication(blocks=1, workers=3, adversaries=1).encode([1.0])
    recovered = encoded.decode(np.array([1.0, 1.0 + 5e-14, 1.0]), range(3))
    assert recovered.known.all()
    assert recovered.error_estimate is None
    assert recovered.value.tolist() == [1.0]
    assert recovered.suspects == ()


@pytest.mark.parametrize(("dtype", "rounding"), [(np.float32, 1e-6), (np.float64, 1e-14)])
@pytest.mark.parametrize("scheme", [anyk.Replication(3, 6), anyk.Replication(3, 9, adversaries=1)])
def test_hosts_that_round_differently_are_not_accused(scheme, dtype, rounding):
    generator = np.random.default_rng(3)
    encoded = scheme.encode(generator.normal(size=(3, 40)))
    truth = np.sin(encoded.shares)
    for _ in range(50):
        noise = rounding * generator.normal(size=truth.shape)
        answers = (truth * (1.0 + noise)).astype(dtype)
        recovered = encoded.decode(answers, range(scheme.workers))
        assert recovered.suspects == ()
        assert not recovered.known.any()
        off = np.linalg.norm(recovered.value - truth[:3]) / np.linalg.norm(truth[:3])
        assert off <= recovered.error_estimate < 10 * rounding


@pytest.mark.parametrize("lie", [1e-3, 1.0, 1e9])
def test_a_lie_beyond_rounding_is_named_however_hosts_round(lie):
    generator = np.random.default_rng(4)
    scheme = anyk.Replication(4, 12, adversaries=1)
    encoded = scheme.encode(generator.normal(size=(4, 40)))
    for liar in range(12):
        noise = 1e-7 * generator.normal(size=(12, 40))
        answers = (np.tanh(encoded.shares) * (1.0 + noise)).astype(np.float32)
        size = np.linalg.norm(answers[liar])
        answers[liar, 3] += lie * size
        recovered = encoded.decode(answers.astype(np.float64), range(12))
        assert recovered.suspects == (liar,)


def test_one_odd_number_of_many_is_a_lie_if_it_is_beyond_rtol():
    encoded = anyk.Replication(1, 2, rtol=1e-3).encode([1.0])
    answers = np.full((2, 100), 0.3)
    answers[1, 5] *= 1.009  # 0.9e-3 of the norm
    assert encoded.decode(answers, [0, 1]).error_estimate == pytest.approx(0.9e-3, rel=0.01)
    answers[1, 5] *= 1.009
    with pytest.raises(anyk.TooManyErrors):
        encoded.decode(answers, [0, 1])


def test_equal_to_the_bit_can_be_asked_for():
    answers = np.array([0.1, np.nextafter(0.1, 1.0)])
    assert anyk.Replication(1, 2).encode([1.0]).decode(answers, [0, 1]).suspects == ()
    with pytest.raises(anyk.TooManyErrors):
        anyk.Replication(1, 2, rtol=0.0).encode([1.0]).decode(answers, [0, 1])


def test_single_precision_in_double_is_an_estimate_where_no_copies_agree_better():
    generator = np.random.default_rng(6)
    for scheme in (anyk.Replication(4, 8), anyk.Replication(4, 12, adversaries=1)):
        encoded = scheme.encode(generator.normal(size=(4, 40)))
        answers = np.tanh(encoded.shares) * (1.0 + 6e-8 * generator.normal(size=(1, 40)))
        answers *= 1.0 + 6e-8 * generator.choice([-1, 0, 1], size=answers.shape)
        recovered = encoded.decode(answers, range(scheme.workers))
        assert recovered.suspects == ()
        assert 1e-8 < recovered.error_estimate < 1e-6
        with pytest.raises(anyk.TooManyErrors):
            anyk.Replication(4, scheme.workers, scheme.adversaries, rtol=1e-9).encode(
                np.ones((4, 40))
            ).decode(answers, range(scheme.workers))


def test_what_is_nothing_but_rounding_raises_with_advice_that_works():
    answers = 1e-14 * np.random.default_rng(7).normal(size=(2, 19))
    with pytest.raises(anyk.TooManyErrors) as caught:
        anyk.Replication(1, 2).encode([1.0]).decode(answers, [0, 1])
    assert "rtol=" in str(caught.value)
    recovered = anyk.Replication(1, 2, rtol=2.0).encode([1.0]).decode(answers, [0, 1])
    assert recovered.error_estimate > 1.0


def test_a_lie_that_single_precision_would_hide_is_named_where_others_agree_in_double():
    encoded = anyk.Replication(1, 3, adversaries=1).encode([1.0])
    answers = np.array([[0.1, 0.7], [0.1, 0.7 + 1e-16], [0.1, 0.7 + 1e-9]])
    assert encoded.decode(answers, range(3)).suspects == (2,)
    with pytest.raises(anyk.TooManyErrors) as caught:  # a third copy may come, and tell
        encoded.decode(answers[1:], range(2))
    assert caught.value.more == 1


def test_the_largest_values_do_not_overflow():
    encoded = anyk.Replication(2, 6, adversaries=1).encode([1.0, 2.0])
    answers = np.tile([[1.5e308], [-1.1e308]], (3, 9)).reshape(6, 9)
    answers[2:4] *= 1.0 - 3e-16
    answers[4:] *= 1.0 - 6e-16
    recovered = encoded.decode(answers, range(6))
    assert np.array_equal(recovered.value, answers[2:4])
    assert 1e-16 < recovered.error_estimate < 1e-15


def _told(encoded, words, answered):
    """What is decoded of one word a copy; None where it is refused."""
    scheme = encoded.scheme
    if not scheme.sufficient(answered):
        with pytest.raises(anyk.NotEnoughAnswers):
            encoded.recovery(answered)
        return None
    try:
        return encoded.decode(np.array([words[each] for each in answered]), answered)
    except anyk.TooManyErrors:
        return None


@pytest.mark.parametrize(
    "scheme",
    [
        anyk.Replication(1, 3),
        anyk.Replication(1, 5, adversaries=1),
        anyk.Replication(1, 6, adversaries=2),
        anyk.Replication(1, 5, detects=2),
        anyk.Replication(1, 6, adversaries=1, detects=3),
        anyk.Replication(2, 6, adversaries=1),
        anyk.Replication(2, 8, adversaries=1),
        anyk.Replication(2, 8, adversaries=1, detects=2),
        anyk.Replication(3, 6, detects=1),
    ],
    ids=repr,
)
def test_what_is_accepted_is_right_whoever_answers_and_whoever_lies(scheme):
    """Every set of answers and of at most D liars; lies alike, rounded, or of their own."""
    N, A, D = scheme.workers, scheme.adversaries, scheme._least - 1
    encoded = scheme.encode(np.arange(1.0, scheme.blocks + 1.0))
    truth = 0.1 * encoded.shares
    lies = np.full(N, 7.77)
    accepted = 0
    for size in range(D + 1):
        for liars in itertools.combinations(range(N), size):
            for own in (lies, truth + 7.0, lies + np.arange(N)):
                words = truth.copy()
                words[[*liars]] = own[[*liars]]
                for count in range(1, N + 1):
                    for answered in itertools.combinations(range(N), count):
                        told = _told(encoded, words, answered)
                        enough = count >= scheme.guarantee.threshold
                        early = count >= scheme.guarantee.least and not {*liars} & {*answered}
                        if told is None:
                            assert not (enough and size <= A)
                            assert not early
                            continue
                        accepted += 1
                        assert np.array_equal(told.value, truth[: scheme.blocks])
                        assert told.suspects == tuple(sorted({*liars} & {*answered}))
    assert accepted


def test_one_liar_more_than_are_noticed_is_believed_where_no_other_copy_tells():
    """Why D is what it is: D + 1 copies that tell one lie are a value."""
    encoded = anyk.Replication(blocks=1, workers=2, detects=1).encode([1.0])
    assert encoded.decode(np.array([6.0, 6.0]), [0, 1]).value.tolist() == [6.0]


def test_liars_are_counted_over_all_blocks():
    encoded = anyk.Replication(blocks=2, workers=6, adversaries=1).encode([1.0, 2.0])
    answers = encoded.shares.copy()
    answers[[0, 1]] = 9.0  # one a block: each is outvoted, but they are two
    with pytest.raises(anyk.TooManyErrors) as caught:
        encoded.decode(answers, range(6))
    assert caught.value.more == 0


def test_an_error_says_how_many_more_answers_would_tell():
    encoded = anyk.Replication(blocks=1, workers=3, adversaries=1).encode([1.0])
    with pytest.raises(anyk.TooManyErrors, match="1 more answer") as caught:
        encoded.decode(np.array([1.0, 9.0]), [0, 1])
    assert caught.value.more == 1


@pytest.mark.parametrize("detects", [0, -1, 1.5])
def test_detects_is_checked(detects):
    with pytest.raises(anyk.InvalidArgument, match="detects"):
        anyk.Replication(blocks=1, workers=9, adversaries=1, detects=detects)


def test_two_copies_that_must_agree_can_be_asked_for():
    scheme = anyk.Replication(4, 8, detects=1)
    assert (scheme.guarantee.threshold, scheme.guarantee.least) == (8, 8)
    with pytest.raises(anyk.Unachievable, match=r"floor\(7/4\) = 1 >= 2"):
        anyk.Replication(4, 7, detects=1)


def test_too_few_replicas_are_refused():
    with pytest.raises(anyk.Unachievable, match=r"floor\(5/2\) = 2 >= 3"):
        anyk.Replication(blocks=2, workers=5, adversaries=1)
    with pytest.raises(anyk.Unachievable):
        anyk.Replication(blocks=3, workers=2)


def test_a_run_ends_with_the_first_that_agree_and_waits_where_they_do_not():
    scheme = anyk.Replication(2, 6, adversaries=1)
    late = {4: Delay(3600.0), 5: Delay(3600.0)}
    with Faulty(anyk.Simulated(6), late) as executor:
        outcome = anyk.run(scheme, np.sqrt, [4.0, 9.0], executor)
    assert outcome.value.tolist() == [2.0, 3.0]
    assert outcome.elapsed < 3600.0
    with Faulty(anyk.Simulated(6), {1: Corrupt(), **late}) as executor:
        outcome = anyk.run(scheme, np.sqrt, [4.0, 9.0], executor)
    assert outcome.value.tolist() == [2.0, 3.0]
    assert outcome.suspects == (1,)


def test_two_copies_that_do_not_agree_end_a_run_without_a_value():
    scheme = anyk.Replication(4, 8, detects=1)
    for liar in range(8):
        with (
            Faulty(anyk.Inline(8), {liar: Corrupt()}) as executor,
            pytest.raises(anyk.TooManyErrors),
        ):
            anyk.run(scheme, np.sqrt, np.ones(4), executor)


def test_nobody_has_a_say_twice_though_they_compute_another_workers_replica():
    scheme = anyk.Replication(1, 3, adversaries=1)
    recovery = scheme.recovery_by(None, (0, 1, 2), (0, 1, 1))
    with pytest.raises(anyk.TooManyErrors):
        recovery.recover(np.array([1.0, 9.0, 9.0]))
    assert recovery.recover(np.array([1.0, 1.0, 9.0])).value.tolist() == [1.0]
