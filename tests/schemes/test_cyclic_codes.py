"""Cyclic gradient codes: every set of late workers, and every pattern of liars."""

import itertools

import numpy as np
import pytest

import anyk
from anyk.delays import Fixed
from anyk.faults import Corrupt, Faulty
from anyk.work import WorkerTask

FIELD = anyk.PrimeField()
REAL = [anyk.CyclicRepetition, anyk.CyclicMDS]


def answers_of(scheme, encoded, function):
    task = WorkerTask(scheme.work(function), scheme.domain, (), len(encoded.parts))
    return np.stack([task(*share) for share in zip(*encoded.parts, strict=True)])


def tried(scheme, seed):
    """Data, what the workers answer, and the sum."""
    rng = np.random.default_rng(seed)
    if scheme.domain.exact:
        X = rng.integers(0, FIELD.modulus, (scheme.workers, 3))
        truth = np.array([sum(int(x) ** 2 for x in column) % FIELD.modulus for column in X.T])
        encoded = scheme.encode(X)
        return encoded, answers_of(scheme, encoded, lambda x: x * x), truth
    X = rng.standard_normal((scheme.workers, 3))
    encoded = scheme.encode(X)
    return encoded, answers_of(scheme, encoded, np.exp), np.exp(X).sum(axis=0)


def off(value, truth):
    return np.linalg.norm(value - truth) / np.linalg.norm(truth)


@pytest.mark.parametrize("make", REAL)
@pytest.mark.parametrize(("workers", "most"), [(7, 6), (11, 3), (12, 12)])
def test_every_set_of_late_workers_gives_the_sum_of_reals(make, workers, most):
    for late in range(min(most, workers - 1) + 1):
        encoded, answers, truth = tried(make(workers, late), [workers, late])
        for who in itertools.combinations(range(workers), workers - late):
            found = encoded.decode(answers[list(who)], who)
            assert off(found.value, truth) < 1e-12
            assert off(found.value, truth) <= found.error_estimate < 1e-9


@pytest.mark.parametrize("workers", [7, 12])
def test_every_set_of_late_workers_gives_the_sum_of_residues(workers):
    for late in (1, 3, workers - 2):
        encoded, answers, truth = tried(anyk.CyclicRepetition(workers, late, FIELD), workers)
        for who in itertools.combinations(range(workers), workers - late):
            assert np.array_equal(encoded.decode(answers[list(who)], who).value, truth)


LIARS = [(5, 1, 1), (6, 0, 2), (8, 1, 2), (10, 2, 1), (10, 1, 4)]


@pytest.mark.parametrize(("workers", "late", "lying"), LIARS)
def test_every_pattern_of_liars_is_named_over_a_field(workers, late, lying):
    scheme = anyk.CyclicRepetition(workers, late, FIELD, adversaries=lying)
    assert scheme.guarantee.load == late + 2 * lying + 1
    assert scheme.guarantee.threshold - scheme.guarantee.least == lying
    encoded, answers, truth = tried(scheme, [workers, late, lying])
    rng = np.random.default_rng(1)
    for size in range(scheme.guarantee.least, workers + 1):
        who = np.sort(rng.permutation(workers)[:size]).tolist()
        for lies in range(lying + 2):
            for liars in itertools.combinations(who, lies):
                told = answers[who]
                for liar in liars:
                    told[who.index(liar)] = rng.integers(0, FIELD.modulus, 3)
                if lies > min(lying, size - scheme.guarantee.least):  # too many for so few
                    with pytest.raises(anyk.TooManyErrors):
                        encoded.decode(told, who)
                    continue
                found = encoded.decode(told, who)
                assert found.suspects == liars
                assert np.array_equal(found.value, truth)


@pytest.mark.parametrize("make", REAL)
@pytest.mark.parametrize(("workers", "late", "lying"), LIARS[:4])
def test_every_pattern_of_liars_is_named_over_the_reals(make, workers, late, lying):
    scheme = make(workers, late, adversaries=lying)
    encoded, answers, truth = tried(scheme, [workers, late, lying])
    rng = np.random.default_rng(1)
    who = np.sort(rng.permutation(workers)[: workers - late]).tolist()
    for lies in range(lying + 2):
        for liars in itertools.combinations(who, lies):
            told = answers[who]
            for liar in liars:
                told[who.index(liar)] += 10.0 ** rng.integers(-3, 4) * rng.standard_normal(3)
            try:
                found = encoded.decode(told, who)
            except anyk.TooManyErrors:
                assert lies > lying
                continue
            times = 1.001 if lies <= lying else 3.0  # beyond the promise it is an estimate
            assert off(found.value, truth) <= times * found.error_estimate
            assert set(found.suspects) <= set(liars)
            if lies <= lying:
                assert found.suspects == liars
                assert off(found.value, truth) < 1e-12


def test_lies_beyond_those_that_are_named_are_noticed():
    for scheme in (
        anyk.CyclicRepetition(9, 1, FIELD, detects=3, adversaries=1),
        anyk.CyclicRepetition(9, 1, FIELD, detects=3),
    ):
        encoded, answers, _ = tried(scheme, 3)
        rng, who = np.random.default_rng(2), list(range(8))
        for lies in (2, 3):
            for liars in itertools.combinations(who, lies):
                told = answers[who]
                told[list(liars)] = rng.integers(0, FIELD.modulus, (lies, 3))
                with pytest.raises(anyk.TooManyErrors):
                    encoded.decode(told, who)


def square(x):
    return x * x


@pytest.mark.parametrize("scheme", [anyk.CyclicRepetition(8, 1, FIELD, adversaries=2),
                                    anyk.CyclicMDS(8, 1, adversaries=2)], ids=repr)  # fmt: skip
def test_each_liar_costs_one_answer_more(scheme):
    X = np.arange(16).reshape(8, 2) + (0 if scheme.domain.exact else 0.5)
    for lies in range(3):
        seconds = Fixed({worker: worker + 1.0 for worker in range(8)})
        with anyk.Simulated(8, delays=seconds, compute=0.0) as inner:
            corrupt = Corrupt(modulus=FIELD.modulus) if scheme.domain.exact else Corrupt()
            executor = Faulty(inner, dict.fromkeys(range(lies), corrupt))
            outcome = anyk.run(scheme, square, X, executor)
        assert outcome.suspects == tuple(range(lies))
        assert outcome.elapsed == scheme.guarantee.least + lies
        assert np.allclose(outcome.value, (X * X).sum(axis=0), rtol=1e-12)


def test_the_condition_of_a_run_is_at_most_the_amplification():
    scheme, X = anyk.CyclicMDS(9, 2), np.random.default_rng(0).standard_normal((9, 4))
    encoded = scheme.encode(X)
    conditions = [
        encoded.decode(answers_of(scheme, encoded, np.sin)[list(who)], who).condition
        for who in itertools.combinations(range(9), 7)
    ]
    assert np.isclose(max(conditions), scheme.amplification)
    assert anyk.CyclicRepetition(9, 2, FIELD).amplification == 1.0
    assert encoded.recovery(range(9)).condition <= min(conditions)


def test_tensors_complex_numbers_and_single_precision():
    X = np.random.default_rng(0).standard_normal((8, 3))
    for kind, close in ((np.float32, 1e-4), (np.complex64, 1e-4), (np.complex128, 1e-12)):
        with anyk.Inline(8) as executor:
            outcome = anyk.run(anyk.CyclicMDS(8, 2), np.exp, X.astype(kind), executor)
        assert outcome.value.dtype == kind
        assert off(outcome.value, np.exp(X).sum(axis=0)) <= outcome.error_estimate < close


def test_a_field_has_a_cyclic_code_already():
    with pytest.raises(anyk.InvalidArgument, match=r"Take anyk\.CyclicRepetition"):
        anyk.CyclicMDS(6, 2, domain=FIELD)


@pytest.mark.parametrize("lying", [0, 1])
def test_results_that_alternate_do_not_cancel_in_the_answers(lying):
    alternating = 1e8 * (-1.0) ** np.arange(12)[:, None]
    for period in (1, 2, 3):
        X = np.roll(alternating.repeat(period, axis=0)[:12], 1, axis=0)
        X = X + np.random.default_rng(period).standard_normal((12, 5))
        for kind in (np.float64, np.float32):
            scheme = anyk.CyclicMDS(12, 3, adversaries=lying)
            encoded = scheme.encode(X.astype(kind))
            answers = answers_of(scheme, encoded, np.positive)
            truth = X.astype(kind).astype(np.longdouble).sum(axis=0).astype(float)
            for first in range(12):
                who = np.delete(np.arange(12), (first + np.arange(3)) % 12).tolist()
                found = encoded.decode(answers[who], who)
                assert not found.suspects
                assert off(truth, found.value) <= found.error_estimate


def test_neighbours_who_are_late_amplify_little():
    scheme = anyk.CyclicMDS(24, 3)
    encoded = scheme.encode(np.zeros(24))
    together = [
        encoded.recovery(np.delete(np.arange(24), (first + np.arange(3)) % 24).tolist()).condition
        for first in range(24)
    ]
    assert max(together) < 3.0
    assert scheme.amplification > 30.0


@pytest.mark.parametrize("make", REAL)
@pytest.mark.parametrize("adversaries", [0, 1])
def test_results_without_numbers_have_a_sum_without_numbers(make, adversaries):
    scheme = make(7, 1, adversaries=adversaries)
    with anyk.Inline(7) as executor:
        outcome = anyk.run(scheme, lambda x: x[:0], np.ones((7, 3)), executor, progress=False)
    assert outcome.value.shape == (0,)
    assert outcome.suspects == ()
    assert outcome.error_estimate == 0.0


@pytest.mark.parametrize(
    "scheme",
    [
        anyk.CyclicMDS(6, 2),
        anyk.CyclicMDS(12, 3),
        anyk.CyclicRepetition(9, 3),
        anyk.CyclicMDS(6, 2, domain=anyk.Reals()),
        anyk.CyclicMDS(6, 2, adversaries=1),
        anyk.CyclicMDS(8, 1, adversaries=1),
        anyk.CyclicRepetition(12, 2, adversaries=1),
    ],
    ids=repr,
)
@pytest.mark.parametrize("left", [0.1, 1e-3, 1e-9])
@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16])
def test_what_cancels_in_answers_counts_in_the_estimate_and_names_nobody(scheme, left, kind):
    if scheme.domain == anyk.Reals() and kind is not np.float64:
        return
    rng, workers = np.random.default_rng(0), scheme.workers
    _, _, right = np.linalg.svd(scheme.code.matrix)
    unseen = right[workers - scheme.more :]
    for _ in range(12):
        numbers = int(rng.choice([1, 2, 5]))
        X = unseen.T @ rng.standard_normal((len(unseen), numbers))
        X = (X + left * rng.standard_normal(X.shape)).astype(kind)
        encoded, truth = scheme.encode(X), X.astype(np.longdouble).sum(axis=0).astype(float)
        values = answers_of(scheme, encoded, np.positive)
        many = int(rng.integers(workers - scheme.stragglers, workers + 1))
        who = sorted(rng.permutation(workers)[:many].tolist())
        found = encoded.recovery(who).recover(values[who])
        assert found.suspects == ()
        assert found.value.dtype == kind
        off = np.linalg.norm(found.value.astype(float) - truth)
        size = np.linalg.norm(found.value.astype(float))
        assert off <= found.error_estimate * size if size else found.error_estimate == np.inf
