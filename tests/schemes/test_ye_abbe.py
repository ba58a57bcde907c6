"""YeAbbe: every set of late workers exact, answers of 1/m of the bytes, rounding kept small."""

import itertools
import json
import math

import numpy as np
import pytest

import anyk
from anyk.codes.exact.slices import SliceCode, published_points, spread_points
from anyk.faults import Corrupt, Crash, Faulty
from anyk.testing.tasks import gram
from anyk.work import WorkerTask
from anyk.works.slices import opened, shape_in_digits

FIELD = anyk.PrimeField()
SIZES = [(1, 0, 1), (4, 1, 2), (6, 2, 3), (7, 0, 5), (7, 3, 2), (9, 4, 5), (12, 3, 2), (12, 2, 4)]


def answers_of(scheme, encoded, function):
    task = WorkerTask(scheme.work(function), scheme.domain, (), len(encoded.parts))
    return np.stack([task(*share) for share in zip(*encoded.parts, strict=True)])


def off(value, truth):
    return np.linalg.norm(value - truth) / np.linalg.norm(truth)


@pytest.mark.parametrize("domain", [anyk.Values(finite=True), anyk.Complex(), FIELD], ids=repr)
@pytest.mark.parametrize(("workers", "stragglers", "message"), SIZES)
def test_every_set_of_late_workers_gives_the_sum(workers, stragglers, message, domain):
    generator = np.random.default_rng([workers, stragglers, message])
    exact = domain.exact
    X = generator.integers(0, 10**6, (workers, 5)) if exact else generator.normal(size=(workers, 5))
    scheme = anyk.YeAbbe(workers, stragglers, message, domain)
    encoded = scheme.encode(X)
    answers = answers_of(scheme, encoded, np.square if exact else np.sin)
    truth = np.sum(X.astype(object) ** 2, axis=0) % FIELD.modulus if exact else np.sin(X).sum(0)
    for late in itertools.combinations(range(workers), stragglers):
        answered = [worker for worker in range(workers) if worker not in late]
        recovered = encoded.decode(answers[answered], answered)
        if exact:
            assert np.array_equal(recovered.value, truth)
            assert recovered.error_estimate is None
        else:
            assert off(recovered.value, truth) <= min(1e-12, recovered.error_estimate)
    too_few = range(workers - stragglers - 1)
    with pytest.raises(anyk.NotEnoughAnswers):
        encoded.recovery(too_few)


@pytest.mark.parametrize("workers", range(1, 10))
def test_every_code_of_few_workers_and_every_set_of_late_ones(workers):
    generator = np.random.default_rng(workers)
    for stragglers in range(workers):
        for message in range(1, workers - stragglers + 1):
            points = spread_points(workers, stragglers + message - 1, message)
            code = SliceCode(points, stragglers, message)
            f = generator.standard_normal((workers, message, 8)) * (1.0 + 1.0j)
            answers = np.einsum("njm,njml->nl", code.weights, f[code.held])
            for late in itertools.combinations(range(workers), stragglers):
                answered = [worker for worker in range(workers) if worker not in late]
                sums = code.decoder(answered) @ answers[answered]
                assert off(sums, f.sum(axis=0)) < 1e-12


@pytest.mark.parametrize("primes", [1, 3])
def test_reals_in_fixed_point(primes):
    X = np.random.default_rng(0).integers(-20, 20, (5, 4)) / 8.0
    fixed = anyk.FixedPoint(fraction_bits=6, magnitude=4.0, primes=primes)
    with anyk.Inline(5) as executor:
        scheme = anyk.YeAbbe(5, 1, 3, FIELD)
        outcome = anyk.run(scheme, lambda x: np.outer(x, x) + x, X, executor, embedding=fixed)
    assert np.array_equal(outcome.value, sum(np.outer(x, x) + x for x in X))


@pytest.mark.parametrize("message", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("kind", [np.float64, np.float32, np.complex128])
@pytest.mark.parametrize("shape", [(), (1,), (4,), (3, 5), (2, 0), (10, 100), (1500,)])
def test_results_of_any_shape_and_answers_of_a_slice_of_the_bytes(shape, kind, message):
    generator = np.random.default_rng(message)
    X = generator.normal(size=(9, *shape)).astype(kind)
    scheme = anyk.YeAbbe(9, 1, message)
    encoded = scheme.encode(X) if X.size else scheme.encode(np.ones(9, dtype=kind))

    def function(x):
        return x if X.size else np.zeros(shape, dtype=kind)

    answers = answers_of(scheme, encoded, function)
    numbers = math.prod(shape)
    rounded = 1 if answers.dtype.kind == "c" else 2  # two real numbers count as one
    most = rounded * math.ceil(math.ceil(numbers / rounded) / message)
    assert answers.dtype == kind
    assert answers[0].size == most + len(shape_in_digits(shape)) <= most + 2 * len(shape) + 2
    if numbers == 1500:
        assert answers[0].nbytes <= X[0].nbytes / message * 1.02 + 40
    recovered = encoded.decode(answers[1:], range(1, 9))
    assert (recovered.value.shape, recovered.value.dtype) == (shape, kind)
    if numbers:
        assert off(recovered.value, X.sum(axis=0)) < 1e3 * np.finfo(kind).eps


def test_whole_numbers_and_booleans_and_lists_become_floats():
    X = np.arange(18).reshape(6, 3)
    scheme = anyk.YeAbbe(6, 2)
    with anyk.Inline(6) as executor:
        for function in (np.square, lambda x: x > 4, lambda x: [int(x.sum()), 1]):
            truth = np.sum([function(x) for x in X], axis=0)
            value = anyk.run(scheme, function, X, executor).value
            assert value.dtype == np.float64
            assert np.allclose(value, truth, rtol=1e-13)


def test_on_executors_with_arguments_and_deaths():
    X = np.random.default_rng(0).normal(size=(6, 40, 3))
    truth = np.einsum("kri,krj->ij", X, X)
    with Faulty(anyk.Threads(6), {1: Crash(), 4: Crash()}) as executor:
        outcome = anyk.run(anyk.YeAbbe(6, 2, 3), gram, X, executor)
    assert outcome.missing == (1, 4)
    assert off(outcome.value, truth) < 1e-12
    with anyk.Threads(6) as executor:
        with anyk.distribute(anyk.YeAbbe(6, 1, 4), X, executor) as data:
            value = data.run(np.multiply, np.arange(3)).value
            assert np.allclose(value, (X * np.arange(3)).sum(axis=0), rtol=1e-12)
            with pytest.raises(anyk.InvalidArgument, match="gradient code"):
                data.run(np.multiply, data.encode(np.ones((6, 3))))


def test_spare_answers_show_that_somebody_lied():
    X = np.random.default_rng(1).integers(0, 100, (6, 5))
    exact = anyk.YeAbbe(6, 2, 2, FIELD)
    encoded = exact.encode(X)
    answers = answers_of(exact, encoded, np.square)
    for place in (0, -1, -2):  # a number, and those that tell the shape
        lied = answers.copy()
        lied[3, place] += 1
        with pytest.raises(anyk.TooManyErrors):
            encoded.decode(lied, range(6))
    real = anyk.YeAbbe(6, 2, 2)
    encoded = real.encode(X / 7.0)
    honest = answers_of(real, encoded, np.exp)
    truth = np.exp(X / 7.0).sum(axis=0)
    assert encoded.decode(honest, range(6)).error_estimate < 1e-12
    for liar, size in itertools.product(range(6), (1e-6, 1.0, 1e9)):
        lied = honest.copy()
        lied[liar, :4] += size * np.linalg.norm(honest[liar])
        recovered = encoded.decode(lied, range(6))
        missed = np.linalg.norm(recovered.value - truth)
        assert 0.0 < missed <= recovered.error_estimate * np.linalg.norm(recovered.value)
    with Faulty(anyk.Inline(6), {2: Corrupt(scale=10.0)}) as executor:
        with pytest.raises(anyk.TooManyErrors):  # the shape that it tells is none
            encoded.decode(np.concatenate([honest[:5], np.full_like(honest[:1], np.pi)]), range(6))
        assert executor.workers == 6


@pytest.mark.parametrize(
    "told",
    [
        [1.0], [0.5, 0.5, 0.5], [1.0, 1.0, -1.0], [1.0, 900.0, 900.0], [2.0, 2.0, 1e300],
        [3.0, 1.0, 1.0], [5.0, 1023.0, 0.0], [1.0, 0.0, 5.0], [1023.0] * 40,
    ],
    ids=str,
)  # fmt: skip
def test_answers_that_tell_no_shape_are_refused(told):
    scheme = anyk.YeAbbe(3, 0, 2)
    encoded = scheme.encode(np.ones(3))
    with pytest.raises(anyk.TooManyErrors):
        encoded.decode(np.tile(told, (3, 1)), range(3))


@pytest.mark.parametrize("shape", [(), (0,), (1,), (1023,), (1024,), (3, 2**40, 1), (1,) * 60])
def test_a_shape_in_digits_is_read_again(shape):
    digits = shape_in_digits(shape)
    assert digits.max(initial=0) < 1024
    answers = np.tile(np.concatenate([[7, 8], digits]), (3, 1))
    assert opened(answers)[1] == shape
    assert opened(answers)[0].tolist() == [[7, 8]] * 3


@pytest.mark.parametrize("digits", [(3, 0, 2, 1), (5, 0), (0, 3), (2, 0, 3, 0, 2, 2)])
def test_a_shape_is_told_in_one_way_alone(digits):  # not 3 in two digits, say
    assert opened(np.tile([7, 8, *digits], (3, 1))) is None


@pytest.mark.parametrize(
    ("size", "least"), [((12, 1, 2), 2), ((12, 3, 2), 6), ((12, 3, 3), 13), ((12, 2, 4), 6)]
)
def test_rounding_is_amplified_little_and_much_by_the_points_that_were_published(size, least):
    workers, stragglers, message = size

    def worst(points):
        code = SliceCode(points, stragglers, message)
        late = itertools.combinations(range(workers), stragglers)
        return max(
            code.amplification([each for each in range(workers) if each not in some])
            for some in late
        )

    assert 1.0 <= worst(spread_points(workers, stragglers + message - 1, message)) < least
    assert worst(published_points(workers)) > 3 * least


def test_the_worst_amplification_is_told():
    assert round(anyk.YeAbbe(12, 3, 2).amplification, 2) == 5.74
    assert anyk.YeAbbe(12, 3, 2, FIELD).amplification == 1.0
    assert anyk.YeAbbe(40, 5, 1).amplification < 10.0


@pytest.mark.parametrize(("workers", "stragglers", "message"), [(24, 3, 3), (48, 5, 3)])
def test_large_codes_stay_within_their_estimate(workers, stragglers, message):
    generator = np.random.default_rng(workers)
    scheme = anyk.YeAbbe(workers, stragglers, message)
    X = generator.normal(size=(workers, 7))
    encoded = scheme.encode(X)
    answers, truth = answers_of(scheme, encoded, np.sin), np.sin(X).sum(axis=0)
    for start in range(0, workers, 5):
        run = (start + np.arange(stragglers)) % workers
        for late in (run, generator.permutation(workers)[:stragglers]):
            answered = np.delete(np.arange(workers), late).tolist()
            recovered = encoded.decode(answers[answered], answered)
            assert off(recovered.value, truth) <= recovered.error_estimate < 1e-10
            assert recovered.condition < 200


def test_rows_that_do_not_hold_a_block_are_zero_and_all_rows_are_as_long():
    scheme = anyk.YeAbbe(12, 2, 3)
    matrix = scheme.encoder(None).data.reshape(12, 12, 3)
    held = (np.arange(12)[:, None] + np.arange(5)) % 12
    for row, own in zip(matrix, held, strict=True):
        assert set(np.flatnonzero(np.abs(row).sum(axis=1))) == set(own)
    assert np.allclose(np.linalg.norm(matrix, axis=(1, 2)), 1.0)
    encoded = scheme.encode(np.ones((12, 2)))
    assert anyk.leakage(encoded, colluders=1) == np.inf  # no privacy is promised, and there is none
    assert json.loads(json.dumps(scheme.guarantee.load)) == 5.0


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (lambda: anyk.YeAbbe(4, 3, 2), r"S \+ m <= N, that is 3 \+ 2 <= 4"),
        (lambda: anyk.YeAbbe(4, 1, 0), "message: "),
        (lambda: anyk.YeAbbe(4, 1, 2, anyk.PrimeField(101)), "a modulus of at least 1024"),
        (lambda: anyk.YeAbbe(4, 1, 2, "reals"), "domain: "),
        (lambda: anyk.YeAbbe(4, 1).encode(np.ones((5, 2))), "X: "),
        (lambda: anyk.YeAbbe(4, 1).work(np.sin, (True,)), "arguments: "),
    ],
)
def test_what_makes_no_sense_is_refused(build, told):
    with pytest.raises(anyk.InvalidArgument, match=told):
        build()


@pytest.mark.parametrize("left", [1e-2, 1e-6])
def test_what_cancels_in_answers_counts_in_the_estimate(left):
    scheme, rng = anyk.YeAbbe(6, 2, 2), np.random.default_rng(0)
    for _ in range(10):
        base = ((-1.0) ** np.arange(6))[:, None] * rng.uniform(0.5, 2.0, 5)
        X = base + left * rng.standard_normal((6, 5))
        with anyk.Inline(6) as executor:
            outcome = anyk.run(scheme, np.positive, X, executor, progress=False)
        off = np.linalg.norm(outcome.value - X.sum(axis=0))
        assert off <= outcome.error_estimate * np.linalg.norm(outcome.value)
