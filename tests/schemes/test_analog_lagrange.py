"""`AnalogLagrange`: its trade-off, its liars, its error estimate, and what it refuses."""

import itertools
import pickle
from dataclasses import replace

import numpy as np
import pytest

import anyk
from anyk.faults import Corrupt, Crash, Delay, Faulty
from anyk.randomness.entropy import InsecureTestSource
from anyk.schemes.placement import scattered


def relative(value, truth):
    return float(np.sqrt(np.mean(np.abs(value - truth) ** 2) / np.mean(np.abs(truth) ** 2)))


def analog(**changes):
    return anyk.AnalogLagrange(
        **{"blocks": 3, "degree": 2, "workers": 9, "colluders": 2, "sigma": 1e3, **changes}
    )


@pytest.mark.parametrize("shape", [(), (1,), (3, 2)])
def test_it_keeps_its_guarantee_for_blocks_of_any_shape(shape):
    scheme = analog(workers=12, adversaries=1, leakage=0.05, sigma=None)
    anyk.testing.check_scheme(scheme, generator=np.random.default_rng(0), shape=shape, patterns=20)


def test_a_polynomial_that_mixes_coordinates_and_complex_data():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(3, 4, 5)) + 1j * rng.normal(size=(3, 4, 5))
    encoded = analog(detects=0).encode(X)
    answers = np.stack([x.T @ x - 2 * x.T[:, :1] + 1 for x in encoded.shares])
    recovered = encoded.decode(answers, range(9))
    truth = np.stack([x.T @ x - 2 * x.T[:, :1] + 1 for x in X])
    assert relative(recovered.value, truth) < recovered.error_estimate < 1e-7


@pytest.mark.parametrize("scheme", [
    anyk.AnalogLagrange(4, 1, 8, stragglers=4), anyk.AnalogLagrange(2, 1, 2),
])  # fmt: skip
def test_where_nothing_is_spare_nothing_is_known_of_the_error(scheme):
    X = np.linspace(-1.0, 1.0, scheme.blocks)
    encoded = scheme.encode(X)
    answered = list(range(scheme.guarantee.threshold))
    for function in (np.tanh, np.square, np.negative):
        recovered = encoded.decode(function(encoded.shares[answered]), answered)
        assert recovered.error_estimate == np.inf
    with anyk.Inline(scheme.workers) as executor, pytest.raises(anyk.RecoveryError):
        anyk.run(scheme, np.tanh, X, executor, deadline=None)
    stated = replace(scheme, detects=0).encode(X)
    answers = -stated.shares[answered]
    assert stated.decode(answers, answered).error_estimate < 1e-9


# The trade-off of the paper's scheme, with the keys' points after the blocks'.
@pytest.mark.parametrize(
    ("radius", "sigma", "bits", "error"),
    [
        (1.5, 1e2, 0.225, 6e-12),
        (1.5, 1e4, 2.4e-5, 5e-8),
        (1.5, 1e6, 2.4e-9, 6e-4),
        (1.05, 1e3, 6.2e-2, 1.5e-10),
        (1.5, 1e3, 2.4e-3, 5.5e-10),
        (3.0, 1e3, 2.3e-4, 7e-8),
    ],
)
def test_the_trade_off_is_better_than_the_published_one(radius, sigma, bits, error):
    scheme = analog(radius=radius, sigma=sigma, tolerance=0.1)
    assert scheme.guarantee.leakage < bits / 3
    rng = np.random.default_rng(2)
    errors = []
    for _ in range(20):
        X = rng.normal(size=(3, 100))
        encoded = scheme.encode(X)
        errors.append(relative(encoded.decode(encoded.shares**2, range(9)).value, X**2))
    assert np.median(errors) < error


def test_keys_among_the_blocks_leak_less_than_keys_at_the_end():
    def worst(order):
        points = 1.5 * np.exp(2j * np.pi * np.array(order) / 5)
        workers = np.exp(2j * np.pi * np.arange(9) / 9)
        basis = np.mean([(workers[:, None] / points) ** power for power in range(5)], axis=0)
        data, masks = basis[:, :3], basis[:, 3:] * 1e3 / np.sqrt(2)
        return max(
            anyk.privacy.information.bits_learned(data[who], masks[who], variance=1.0)
            for who in map(list, itertools.combinations(range(9), 2))
        )

    assert worst([0, 1, 2, 3, 4]) == pytest.approx(2.4e-3, rel=0.03)
    assert worst([0, 1, 3, 2, 4]) == pytest.approx(analog().guarantee.leakage, rel=1e-9)


def test_sigma_from_leakage_and_leakage_from_sigma():
    asked = analog(sigma=None, leakage=0.01, data_std=3.0)
    assert 0.0099 < asked.guarantee.leakage <= 0.01
    again = analog(sigma=asked.noise, data_std=3.0)
    assert again.guarantee.leakage == pytest.approx(asked.guarantee.leakage)
    assert asked.guarantee.data_std == 3.0
    assert analog(sigma=2 * asked.noise, data_std=6.0).guarantee.leakage == pytest.approx(
        asked.guarantee.leakage
    )
    plain = anyk.AnalogLagrange(blocks=3, degree=2, workers=5)
    assert (plain.noise, plain.guarantee.leakage, plain.guarantee.data_std) == (0.0, None, None)


def test_one_more_colluder_learns_more():
    encoded = analog().encode(np.zeros((3, 1)))
    learned = [anyk.leakage(encoded, colluders=size) for size in (1, 2, 3)]
    assert learned[0] < learned[1] == pytest.approx(analog().guarantee.leakage)
    assert learned[2] > 100 * learned[1]


@pytest.mark.parametrize("sigma", [1e2, 1e4])
def test_two_liars_among_fourteen_are_named_and_cost_less_than_a_digit(sigma):
    rng = np.random.default_rng(3)
    honest, scheme = analog(sigma=sigma), analog(sigma=sigma, workers=14, adversaries=2)
    errors, baseline = [], []
    for power in np.linspace(-10, 12, 45):
        X = rng.normal(size=(3, 30))
        plain = honest.encode(X)
        baseline.append(relative(plain.decode(plain.shares**2, range(9)).value, X**2))
        encoded = scheme.encode(X)
        answers = encoded.shares**2
        liars = np.sort(rng.permutation(14)[:2])
        answers[liars] *= 1 + 10.0**power * rng.normal(size=(2, 30))
        recovered = encoded.decode(answers, range(14))
        assert recovered.suspects == tuple(liars)
        errors.append(relative(recovered.value, X**2))
        assert errors[-1] <= recovered.error_estimate
    assert np.median(errors) < 3 * np.median(baseline)


def test_the_most_cunning_lies_stay_within_the_estimate():
    """Neighbours lie along the direction that their syndromes show least, just below the noise."""
    rng = np.random.default_rng(4)
    scheme = analog(workers=14, adversaries=2, sigma=1e2)
    moved = 0
    for trial in range(120):
        X = rng.normal(size=(3, 6))
        encoded = scheme.encode(X)
        answered = np.sort(rng.permutation(14)[: 13 + trial % 2])
        answers = encoded.shares[answered] ** 2
        recovery = encoded.recovery(answered)
        check = recovery._code.parity_check()
        first = int(rng.integers(len(answered)))
        rows = [first, (first + 1) % len(answered)]
        direction = np.linalg.svd(check[:, rows])[2][-1].conj()
        size = 10.0 ** rng.uniform(-17, -9) * np.sqrt(np.mean(np.abs(answers) ** 2))
        clean = relative(recovery.recover(answers).value, X**2)
        answers[rows] += size * np.outer(direction, np.exp(2j * np.pi * rng.random(6)))
        recovered = recovery.recover(answers)
        assert set(recovered.suspects) <= {int(answered[row]) for row in rows}
        error = relative(recovered.value, X**2)
        assert error <= recovered.error_estimate
        moved += error > 2 * clean
    assert moved > 5  # some went unnoticed, and mattered


def test_the_error_is_below_its_estimate():
    rng = np.random.default_rng(5)
    weights = rng.normal(size=(8, 3))
    functions = [
        (1, lambda x: x @ weights),
        (2, lambda x: x * x - 3 * x + 1),
        (2, lambda x: (x * x).sum()),
        (3, lambda x: x**3),
    ]
    ratios = []
    while len(ratios) < 400:
        degree, f = functions[int(rng.integers(len(functions)))]
        blocks, colluders, adversaries = (int(n) for n in rng.integers((1, 0, 0), (5, 3, 3)))
        least = (blocks + colluders - 1) * degree + 1 + 2 * adversaries
        spare = int(not adversaries and rng.random() < 0.5)
        least += spare
        workers = least + int(rng.integers(8))
        scheme = anyk.AnalogLagrange(
            blocks,
            degree,
            workers,
            adversaries=adversaries,
            detects=adversaries + spare,
            colluders=colluders,
            sigma=float(10 ** rng.uniform(0, 4)) if colluders else None,
            radius=float(rng.choice([1.1, 1.5, 2.0])),
            tolerance=1e300,
        )
        X = rng.normal(size=(blocks, 8))
        count = int(rng.integers(least, workers + 1))
        start = int(rng.integers(workers))  # neighbours, or anybody
        answered = (start + np.arange(count)) % workers
        if rng.random() < 0.5:
            answered = rng.permutation(workers)[:count]
        encoded = scheme.encode(X)
        answers = np.stack([f(share) for share in encoded.shares[answered]])
        liars = rng.permutation(count)[: int(rng.integers(adversaries + 1))]
        answers[liars] *= 1 + 10.0 ** rng.uniform(-16, 2)
        recovered = encoded.decode(answers, answered)
        truth = np.stack([f(x) for x in X.astype(complex)])
        error = relative(recovered.value, truth)
        if error > 1e-15:
            ratios.append(recovered.error_estimate / error)
    assert np.mean(np.array(ratios) >= 1.0) >= 0.98
    assert np.median(ratios) < 30.0


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1.0, 1e150])
def test_numbers_of_any_size(size):
    scheme = anyk.AnalogLagrange(2, 2, 8, adversaries=1)
    X = np.array([[1.0, 2.0, -3.0], [0.5, 4.0, 1.0]])
    encoded = scheme.encode(X)
    answers = size * encoded.shares**2
    answers[3] = 1e307
    recovered = encoded.decode(answers, range(8))
    assert recovered.suspects == (3,)
    assert relative(recovered.value / size, X**2) <= recovered.error_estimate < 1e-12


def test_answers_of_zeros_and_of_nothing():
    scheme = anyk.AnalogLagrange(2, 2, 8, adversaries=1)
    encoded = scheme.encode(np.ones((2, 3)))
    recovered = encoded.decode(np.zeros((8, 3)), range(8))
    assert not recovered.value.any()
    assert recovered.suspects == ()
    spoiled = np.zeros((8, 3))
    spoiled[5] = 1.0
    recovered = encoded.decode(spoiled, range(8))
    assert recovered.suspects == (5,)
    assert not recovered.value.any()
    assert encoded.decode(np.zeros((8, 0)), range(8)).value.shape == (2, 0)


def test_one_liar_too_many_raises():
    rng = np.random.default_rng(6)
    scheme = analog(workers=13, adversaries=1)
    encoded = scheme.encode(rng.normal(size=(3, 5)))
    for liars in itertools.combinations(range(13), 2):
        answers = encoded.shares**2
        answers[list(liars)] += rng.normal(size=(2, 5)) * 1e4
        with pytest.raises(anyk.TooManyErrors):
            encoded.decode(answers, range(13))


def test_a_function_of_higher_degree_is_noticed_where_answers_are_spare():
    encoded = analog(workers=11).encode(np.ones((3, 2)))
    with pytest.raises(anyk.TooManyErrors):
        encoded.decode(encoded.shares**3, range(11))


@pytest.mark.parametrize("kept", [np.complex64, np.complex128])
@pytest.mark.parametrize("adversaries", [0, 1, 2])
def test_rounding_of_single_precision_is_no_lie(kept, adversaries):
    """Though f makes something of it in double precision."""
    rng = np.random.default_rng(7)
    for _ in range(50):
        X = rng.normal(size=(3, 10))
        workers = 9 + 2 * adversaries + int(rng.integers(1, 4))
        encoded = analog(workers=workers, adversaries=adversaries, sigma=10.0).encode(X)
        answers = (encoded.shares.astype(np.complex64) ** 2).astype(kept) / kept(3.0)
        recovered = encoded.decode(answers.astype(complex), range(workers))
        assert recovered.suspects == ()
        assert relative(recovered.value, X**2 / 3.0) <= recovered.error_estimate < 0.1


@pytest.mark.parametrize("adversaries", [1, 2])
def test_lies_of_a_hundredth_are_named_in_single_precision(adversaries):
    rng = np.random.default_rng(17)
    scheme = anyk.AnalogLagrange(4, 1, 4 + 2 * adversaries + 2, adversaries=adversaries)
    W = rng.normal(size=(20, 10))
    for trial in range(60):
        X = rng.normal(size=(4, 20))
        encoded = scheme.encode(X)
        answers = encoded.shares.astype(np.complex64) @ W.astype(np.complex64)
        answers = answers.astype(complex) / (3.0 if trial % 2 else 1.0)
        liars = np.sort(rng.permutation(scheme.workers)[:adversaries])
        answers[liars] *= 1.0 + 1e-2 * rng.choice([-1, 1], size=(adversaries, 10))
        recovered = encoded.decode(answers, range(scheme.workers))
        assert recovered.suspects == tuple(liars)
        truth = X @ W / (3.0 if trial % 2 else 1.0)
        assert relative(recovered.value, truth) <= recovered.error_estimate < 1e-3


FUNCTIONS = {
    "tanh": np.tanh,
    "exp": np.exp,
    "cube": lambda x: x**3,
    "nearly a square": lambda x: x**2 + 1e-6 * x**3,
    "softplus": lambda x: np.log1p(np.exp(x)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("scale", [1e-3, 1e-2, 1.0])
def test_of_a_function_that_is_no_such_polynomial_the_error_is_known(name, scale):
    """One spare answer is kept by default: it raises, or the estimate is true."""
    rng = np.random.default_rng(18)
    f = FUNCTIONS[name]
    for _ in range(40):
        blocks, adversaries, width = (int(n) for n in rng.integers((2, 0, 1), (5, 2, 8)))
        least = (blocks - 1) * 2 + 1 + 2 * adversaries
        workers = least + int(rng.integers(1, 5))
        scheme = anyk.AnalogLagrange(blocks, 2, workers, adversaries=adversaries)
        X = scale * rng.normal(size=(blocks, width))
        encoded = scheme.encode(X)
        answered = rng.permutation(workers)[: scheme.guarantee.threshold]
        try:
            recovered = encoded.decode(f(encoded.shares[answered]), answered)
        except anyk.TooManyErrors:
            continue
        error = np.linalg.norm(recovered.value - f(X)) / np.linalg.norm(recovered.value)
        assert error <= recovered.error_estimate


def test_tanh_of_degree_two_raises_with_one_spare_answer():
    X = np.random.default_rng(19).normal(size=(3, 10))
    for workers in range(6, 14):
        scheme = anyk.AnalogLagrange(blocks=3, degree=2, workers=workers)
        assert scheme.guarantee.threshold == 6
        with anyk.Inline(workers) as executor, pytest.raises(anyk.TooManyErrors):
            anyk.run(scheme, np.tanh, X, executor)


def test_without_a_spare_worker_or_by_choice_nothing_is_checked():
    assert anyk.AnalogLagrange(blocks=3, degree=2, workers=5).guarantee.threshold == 5
    assert anyk.AnalogLagrange(blocks=3, degree=2, workers=6, stragglers=1).guarantee.threshold == 5
    assert anyk.AnalogLagrange(blocks=3, degree=2, workers=9, detects=0).guarantee.threshold == 5
    assert anyk.AnalogLagrange(blocks=3, degree=2, workers=9, detects=2).guarantee.threshold == 7
    with pytest.raises(anyk.Unachievable, match=r"\(3\+0-1\)\*2 \+ 1 \+ 0 \+ 1 = 6 <= 5 - 0"):
        anyk.AnalogLagrange(blocks=3, degree=2, workers=5, detects=1)


def test_early_it_is_certain_whoever_answers_and_whoever_lies():
    """Every set of answers and of at most A liars: what is accepted is right, to its estimate."""
    rng = np.random.default_rng(20)
    scheme = anyk.AnalogLagrange(2, 2, 8, adversaries=2)  # of dimension 3
    assert (scheme.guarantee.least, scheme.guarantee.threshold) == (5, 7)
    X = rng.normal(size=(2, 3))
    encoded = scheme.encode(X)
    early = 0
    for size in (0, 1, 2):
        for liars in itertools.combinations(range(8), size):
            answers = encoded.shares**2
            answers[[*liars]] += 10.0 ** rng.uniform(-6, 6) * rng.normal(size=(size, 3))
            for count in (5, 6, 7):
                for answered in itertools.combinations(range(8), count):
                    lies = len({*liars} & {*answered})
                    try:
                        recovered = encoded.decode(answers[[*answered]], answered)
                    except anyk.TooManyErrors:
                        assert count < scheme.guarantee.least + lies
                        continue
                    assert recovered.suspects == tuple(sorted({*liars} & {*answered}))
                    assert relative(recovered.value, X**2) <= recovered.error_estimate < 1e-9
                    early += count < scheme.guarantee.threshold
    assert early > 300


def test_in_a_run_with_a_liar_a_crash_and_late_workers():
    X = np.random.default_rng(8).normal(size=(3, 4))
    scheme = analog(workers=16, adversaries=1, stragglers=5)
    late = dict.fromkeys(range(12, 16), Delay(3600.0))  # so that it is known who answers
    with Faulty(anyk.Threads(16), {3: Corrupt(), 7: Crash(), **late}) as executor:
        outcome = anyk.run(scheme, np.square, X, executor)
    assert outcome.status is anyk.Status.APPROXIMATE
    assert {7, 12, 13, 14, 15} <= {*outcome.missing}
    assert outcome.suspects == ((3,) if 3 in outcome.used else ())  # ten others are enough
    assert relative(outcome.value, X**2) <= outcome.error_estimate < 1e-7


def test_fresh_keys_each_time_and_none_in_what_is_shown_or_kept(public_names):
    X = np.ones((3, 2))
    scheme = analog()
    one, two = scheme.encode(X), scheme.encode(X)
    assert not np.isclose(one.shares, two.shares).any()
    again = scheme.encode(X, source=InsecureTestSource(1))
    np.testing.assert_array_equal(
        again.shares, scheme.encode(X, source=InsecureTestSource(1)).shares
    )
    assert one.layout is None
    assert eval(repr(scheme), public_names) == scheme
    copy = pickle.loads(pickle.dumps(one))
    np.testing.assert_array_equal(copy.shares, one.shares)
    assert copy.scheme == scheme


def test_any_answers_above_the_least_will_do_and_fewer_not():
    scheme = analog(workers=14, stragglers=2)
    assert (scheme.guarantee.threshold, scheme.guarantee.stragglers) == (12, 2)
    assert scheme.sufficient(range(12))
    assert not scheme.sufficient(range(11))
    X = np.ones((3, 1))
    encoded = scheme.encode(X)
    assert np.allclose(encoded.decode(encoded.shares[:10] ** 2, range(10)).value, 1.0, atol=1e-3)
    with pytest.raises(anyk.NotEnoughAnswers, match="10 answers"):
        encoded.recovery(range(9))


@pytest.mark.parametrize(
    ("changes", "error", "argument", "told"),
    [
        ({"blocks": 0}, anyk.InvalidArgument, "blocks", "at least 1"),
        ({"stragglers": -1}, anyk.InvalidArgument, "stragglers", "at least 0"),
        ({"sigma": -1.0}, anyk.InvalidArgument, "sigma", "positive"),
        ({"sigma": None}, anyk.InvalidArgument, "leakage", "one of them"),
        ({"leakage": 0.1}, anyk.InvalidArgument, "leakage", "one of them"),
        ({"colluders": 0}, anyk.InvalidArgument, "sigma", "None without colluders"),
        ({"radius": 1.0}, anyk.InvalidArgument, "radius", "more than 1"),
        ({"workers": 8}, anyk.Unachievable, "workers", "2*0 + 1 = 9 <= 8 - 0"),
        ({"stragglers": 1}, anyk.Unachievable, "workers", "= 9 <= 9 - 1"),
        ({"adversaries": 1}, anyk.Unachievable, "workers", "= 11 <= 9 - 0"),
        ({"sigma": 1e8}, anyk.Unachievable, "tolerance", "<= 0.001"),
        ({"tolerance": 1e-12}, anyk.Unachievable, "tolerance", "<= 1e-12"),
        ({"workers": 60}, anyk.Unachievable, "tolerance", "without 50 neighbours"),
    ],
)
def test_arguments_that_cannot_be_used(changes, error, argument, told):
    with pytest.raises(error) as caught:
        analog(**changes)
    assert type(caught.value) is error
    assert caught.value.argument == argument
    assert told in str(caught.value)


def test_it_says_how_many_stragglers_would_do():
    with pytest.raises(anyk.Unachievable, match=r"Pass stragglers=(\d+) or less") as caught:
        analog(workers=60)
    most = int(caught.value.change.split("stragglers=")[1].split()[0])
    assert analog(workers=60, stragglers=most).guarantee.stragglers == most
    with pytest.raises(anyk.Unachievable):
        analog(workers=60, stragglers=most + 1)


def test_the_precision_predicted_is_about_that_of_the_worst_answers():
    """Unachievable names a number: with the tolerance above it, errors are of that size."""
    with pytest.raises(anyk.Unachievable) as caught:
        analog(workers=12, detects=0, tolerance=1e-15)
    predicted = float(caught.value.needed.split(" = ")[-1].split(" <=")[0])
    rng = np.random.default_rng(9)
    X = rng.normal(size=(3, 200))
    encoded = analog(workers=12, detects=0).encode(X)
    around = np.argsort(scattered(12))
    worst = max(
        relative(encoded.decode(encoded.shares[who] ** 2, who).value, X**2)
        for who in (around[(np.arange(9) + start) % 12] for start in range(12))
    )
    assert predicted / 10 < worst < predicted * 3


@pytest.mark.parametrize("times", [1e30, 1e60, 1e200, 1e300])
@pytest.mark.parametrize("size", [1.0, 1e-300])
def test_a_lie_is_named_however_far_above_an_answer_it_is(times, size):
    scheme = anyk.AnalogLagrange(blocks=1, degree=1, workers=5, adversaries=2)
    encoded = scheme.encode(np.array([2.5 * size]))  # all answers are equal
    answers = encoded.shares.copy()
    answers[[1, 3]] *= times
    recovered = encoded.decode(answers, range(5))
    assert recovered.suspects == (1, 3)
    np.testing.assert_allclose(recovered.value, [2.5 * size])


@pytest.mark.parametrize("data", [5e-324, 5e-320, 1e-308])
def test_subnormal_numbers_are_numbers(data):
    scheme = anyk.AnalogLagrange(blocks=2, degree=1, workers=5)
    encoded = scheme.encode(np.array([data, 3.0 * data]))
    recovered = encoded.decode(encoded.shares, range(5))
    error = np.abs(recovered.value - [data, 3.0 * data]).max()
    assert error <= max(1e-15 * data, 1e-323)
    assert recovered.error_estimate > 0.0


@pytest.mark.parametrize(
    ("colluders", "workers", "size"), [(1, 100, 0.0), (2, 33, 0.0), (0, 400, 1.0)]
)
def test_rounding_that_is_alike_in_many_answers_is_within_the_estimate(colluders, workers, size):
    scheme = anyk.AnalogLagrange(
        1, 1, workers, colluders=colluders, sigma=10.0 if colluders else None, stragglers=0
    )
    rng = np.random.default_rng(0)
    for _ in range(20):
        X = size * rng.normal(size=(1, 20))
        encoded = scheme.encode(X)
        recovered = encoded.decode(encoded.shares, range(workers))
        error = np.linalg.norm(recovered.value - X) / np.linalg.norm(recovered.value)
        assert error <= recovered.error_estimate


@pytest.mark.parametrize("lie", [1.0, 1e3, 1e300])
def test_who_lies_about_zeros_is_named(lie):
    scheme = anyk.AnalogLagrange(blocks=2, degree=1, workers=8, adversaries=1)
    encoded = scheme.encode(np.ones((2, 3)))
    values = np.zeros((8, 3), dtype=encoded.shares.dtype)
    values[4] += lie
    recovered = encoded.decode(values, tuple(range(8)))
    assert recovered.suspects == (4,)
    assert not recovered.value.any()
