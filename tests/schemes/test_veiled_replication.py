"""`VeiledReplication`: what they learn, recomputed by determinants, and what is decoded."""

import itertools
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anyk
from anyk.bench.reproduce.private_curve import PrivateCurve
from anyk.errors import InvalidArgument, TooManyErrors, Unachievable
from anyk.randomness.entropy import InsecureTestSource
from anyk.schemes.approximate.veiled_replication.scheme import VeiledReplication


def bits(encoder, coalition, std):
    """Mutual information of shares and Gaussian data, by the determinants of covariances."""
    data, masks = encoder.data[list(coalition)], encoder.masks[list(coalition)]
    noise = masks @ masks.T
    _, told = np.linalg.slogdet(noise + std**2 * data @ data.T)
    _, untold = np.linalg.slogdet(noise)
    return 0.5 * (told - untold) / np.log(2.0)


def relative(value, truth):
    return float(np.sqrt(np.mean((value - truth) ** 2) / np.mean(truth**2)))


@st.composite
def schemes(draw):
    blocks, colluders = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    workers = draw(st.integers(max(3 * blocks, colluders + 1), 18))
    leakage, std = draw(st.floats(1.5, 5.0)), draw(st.floats(0.01, 100.0))
    return VeiledReplication(blocks, workers, colluders=colluders, leakage=leakage, data_std=std)


@given(schemes())
@settings(max_examples=25, deadline=None)
def test_no_coalition_learns_more_than_promised_and_the_worst_learns_that(scheme):
    encoder = scheme.encode(np.zeros(scheme.blocks)).encoder
    coalitions = itertools.combinations(range(scheme.workers), scheme.colluders)
    learned = [bits(encoder, each, scheme.data_std) for each in coalitions]
    promised = scheme.guarantee.leakage
    assert max(learned) <= promised * (1.0 + 1e-9)
    assert max(learned) == pytest.approx(promised, rel=1e-6)
    assert promised <= scheme.leakage
    assert promised == pytest.approx(scheme.leakage, rel=1e-6)


@pytest.mark.parametrize(("colluders", "factor"), [(1, 1.0), (2, 2.0), (3, 3.0)])
def test_what_equal_blocks_leak_is_what_the_docstring_says(colluders, factor):
    scheme = VeiledReplication(4, 16, colluders=colluders, leakage=2.0)
    larger = VeiledReplication(4, 16, colluders=colluders, leakage=2.0, data_std=np.sqrt(factor))
    learned = []
    for each in (scheme, larger):
        encoder = each.encode(np.zeros(4)).encoder
        worst = 0.0
        for coalition in itertools.combinations(range(16), colluders):
            noise = encoder.masks[list(coalition)] @ encoder.masks[list(coalition)].T
            _, told = np.linalg.slogdet(noise + np.ones_like(noise))  # all blocks the same
            worst = max(worst, 0.5 * (told - np.linalg.slogdet(noise)[1]) / np.log(2.0))
        learned.append(worst)
    assert learned[1] <= 2.0 * (1.0 + 1e-9)
    assert colluders > 1 or learned[0] <= 2.0 * (1.0 + 1e-9)


def test_a_curve_with_noise_between_the_data_has_the_leakage_it_says_and_more_error():
    rng = np.random.default_rng(6)
    weights = rng.normal(size=(2, 20, 20)) / np.sqrt(20.0)

    def f(x):
        return np.maximum(x @ weights[0], 0.0) @ weights[1]

    curve = PrivateCurve(blocks=3, workers=36, guard=0.1, leakage=1.0, data_std=1.0)
    learned = [bits(curve.encoder, [worker], 1.0) for worker in range(36)]
    assert 0.99 <= max(learned) <= 1.0
    scheme = VeiledReplication(3, 36, colluders=1, leakage=max(learned))
    errors = []
    for _ in range(10):
        X = rng.normal(size=(3, 20))
        encoder, everyone = curve.encoder, np.arange(36)
        shares = encoder.data @ X + encoder.masks @ rng.normal(size=(4, 20))
        assert relative(curve.decode(shares, everyone), X) < 0.3
        encoded = scheme.encode(X)
        ours = encoded.decode(f(encoded.shares), everyone).value
        errors.append((relative(ours, f(X)), relative(curve.decode(f(shares), everyone), f(X))))
    ours, theirs = np.mean(errors, axis=0)
    assert ours < 0.5 * theirs


@pytest.mark.parametrize("colluders", [1, 2, 3])
def test_one_colluder_more_learns_more_and_larger_data_leak_more(colluders):
    scheme = VeiledReplication(2, 16, colluders=colluders, leakage=0.5, data_std=2.0)
    encoded = scheme.encode(np.zeros((2, 3)))
    assert anyk.leakage(encoded, colluders=colluders) == pytest.approx(0.5)
    assert anyk.leakage(encoded, colluders=colluders + 1) > 0.6
    assert anyk.leakage(encoded, colluders=colluders, data_std=4.0) > 0.6
    promise = scheme.guarantee
    assert (promise.colluders, promise.exact, promise.data_std) == (colluders, False, 2.0)


@given(schemes())
@settings(max_examples=10, deadline=None)
def test_what_more_workers_learn_is_what_the_guarantee_says(scheme):
    encoder = scheme.encode(np.zeros(scheme.blocks)).encoder
    curve = (scheme.guarantee.leakage, *scheme.guarantee.beyond)
    assert len(curve) == 1 + min(3, scheme.workers - scheme.colluders)
    for size in range(scheme.colluders, min(scheme.colluders + 2, scheme.workers) + 1):
        coalitions = itertools.combinations(range(scheme.workers), size)
        worst = max(bits(encoder, each, scheme.data_std) for each in coalitions)
        assert worst <= curve[size - scheme.colluders] * (1.0 + 1e-6)
        assert curve[size - scheme.colluders] <= 2.0 * scheme.leakage * size / scheme.colluders


@pytest.mark.parametrize("colluders", [1, 2, 3])
@pytest.mark.parametrize("leakage", [0.15, 0.45, 2.0])
def test_no_cliff_beyond_those_who_are_counted_on(colluders, leakage):
    scheme = VeiledReplication(4, 60, colluders=colluders, leakage=leakage)
    encoder, promise = scheme.encode(np.zeros(4)).encoder, scheme.guarantee
    rng, masks = np.random.default_rng(3), encoder.masks
    copies = np.flatnonzero(encoder.data[:, 0])
    for more, told in enumerate(promise.beyond, start=1):
        size = colluders + more
        assert told <= 2.0 * leakage * size / colluders
        every = itertools.combinations(copies.tolist(), size)
        some = [rng.choice(60, size, replace=False).tolist() for _ in range(200)]
        for who in itertools.chain(itertools.islice(every, 1000), some):
            assert bits(encoder, who, 1.0) <= told * (1.0 + 1e-9)
    pairs = itertools.combinations(copies.tolist(), 2)
    left = [np.linalg.norm(masks[a] + masks[b]) / 2.0 for a, b in pairs]  # noise of a mean of two
    assert min(left) > 0.3 * np.linalg.norm(masks[copies], axis=1).min()


def test_where_some_lie_two_workers_see_little_and_more_is_stated():
    scheme = VeiledReplication(4, 60, colluders=1, leakage=0.45, adversaries=4)
    encoder = scheme.encode(np.zeros(4)).encoder
    worst = max(bits(encoder, pair, 1.0) for pair in itertools.combinations(range(60), 2))
    assert worst <= scheme.guarantee.beyond[0] * (1.0 + 1e-9)
    assert scheme.guarantee.beyond[0] <= 4.0 * 0.45
    assert scheme.guarantee.beyond[1] == np.inf  # three points of a plane


@pytest.mark.parametrize("colluders", [1, 2, 3])
def test_shares_are_their_matrices_and_noise_is_fresh(colluders):
    scheme = VeiledReplication(3, 14, colluders=colluders, leakage=1.0, data_std=0.5)
    X = np.random.default_rng(0).normal(size=(3, 2, 2))
    first, again = (scheme.encode(X, source=InsecureTestSource(5)) for _ in range(2))
    nothing = scheme.encode(0.0 * X, source=InsecureTestSource(5))
    np.testing.assert_array_equal(first.shares, again.shares)
    expected = np.tensordot(first.encoder.data, X, axes=1)
    np.testing.assert_allclose(first.shares - nothing.shares, expected, atol=1e-9)
    a, b = scheme.encode(X).shares, scheme.encode(X).shares
    assert np.abs(a - b).min() > 0.0


@pytest.mark.parametrize("colluders", [1, 2])
def test_shares_have_the_covariance_of_their_matrices(colluders):
    scheme = VeiledReplication(2, 9, colluders=colluders, leakage=1.0)
    encoded = scheme.encode(np.full((2, 100_000), 3.0), source=InsecureTestSource(1))
    np.testing.assert_allclose(encoded.shares.mean(axis=1), 3.0, atol=0.1)
    masks = encoded.encoder.masks
    expected = masks @ masks.T
    size = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    assert np.abs((np.cov(encoded.shares) - expected) / size).max() < 0.02


def test_the_layout_does_not_depend_on_data_and_holds_nothing_secret():
    scheme = VeiledReplication(2, 10, colluders=1, leakage=0.5)
    one, other = scheme.encode(np.zeros(2)), scheme.encode(np.array([5.0, -3.0]))
    assert pickle.dumps(one.layout) == pickle.dumps(other.layout)
    held = {array.tobytes() for array in vars(one.layout).values() if isinstance(array, np.ndarray)}
    assert all(
        one.shares[[n]].tobytes() not in "".join(map(repr, held)).encode() for n in range(10)
    )
    assert repr(one) == repr(other)
    assert not set(one.shares.tolist()) & set(one.layout.points.ravel().tolist())
    copied = pickle.loads(pickle.dumps(one))
    value = one.decode(np.sin(one.shares), range(10)).value
    np.testing.assert_array_equal(copied.decode(np.sin(one.shares), range(10)).value, value)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.sampled_from([1, 2, 3]))
@settings(max_examples=20, deadline=None)
def test_constants_are_exact_and_lines_are_where_all_answer(seed, blocks, colluders):
    rng = np.random.default_rng(seed)
    scheme = VeiledReplication(blocks, 12 * blocks, colluders=colluders, leakage=1.0)
    encoded = scheme.encode(rng.normal(size=(blocks, 3)))
    answered = rng.permutation(12 * blocks)[: 9 * blocks]
    value = encoded.decode(np.full((9 * blocks, 2), 7.0), answered).value
    np.testing.assert_allclose(value, 7.0, rtol=1e-9)


def test_a_line_is_exact_from_all_corners_of_a_simplex_and_nearly_so_from_fewer():
    X = np.random.default_rng(0).normal(size=(3, 500))
    encoded = VeiledReplication(3, 30, colluders=1, leakage=0.45).encode(X)
    answers = 2.0 * encoded.shares - 1.0
    np.testing.assert_allclose(encoded.decode(answers, range(30)).value, 2.0 * X - 1.0, atol=1e-6)
    some = encoded.decode(answers[3:], range(3, 30)).value
    assert relative(some, 2.0 * X - 1.0) < 0.1


@pytest.mark.parametrize("adversaries", [0, 2])
def test_memory_of_a_recovery_grows_with_the_answers_alone(adversaries):
    peaks = []
    for workers in (400, 800):
        X = np.random.default_rng(0).normal(size=(workers // 2, 1))
        scheme = VeiledReplication(
            workers // 2, workers, colluders=1, leakage=1.0, adversaries=adversaries
        )
        encoded = scheme.encode(X)
        answers = np.tanh(encoded.shares)
        tracemalloc.start()
        encoded.decode(answers, range(workers))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] <= 2.5 * peaks[0]
    assert peaks[1] <= 2000 * 800  # a dense matrix takes 3,200 bytes an answer


@pytest.mark.parametrize("colluders", [1, 2, 3])
def test_more_leakage_buys_less_error_and_the_error_is_below_its_estimate(colluders):
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(2, 20, 20)) / np.sqrt(20.0)

    def f(x):
        return np.maximum(x @ weights[0], 0.0) @ weights[1]

    errors, below = [], []
    for leakage in (0.3, 3.0):
        scheme = VeiledReplication(3, 60, colluders=colluders, leakage=leakage)
        trials = []
        for _ in range(15):
            X = rng.normal(size=(3, 20))
            encoded = scheme.encode(X)
            answered = rng.permutation(60)[:50]
            recovered = encoded.decode(f(encoded.shares[answered]), answered)
            trials.append(relative(recovered.value, f(X)))
            below.append(relative(f(X), recovered.value) <= recovered.error_estimate)
        errors.append(np.mean(trials))
    assert errors[1] < 0.5 * errors[0]
    assert np.mean(below) >= 0.9


def test_a_block_without_answers_gets_a_guess_and_an_estimate_that_says_so():
    X = np.array([[0.0], [4.0], [1.0]])
    encoded = VeiledReplication(3, 18, colluders=1, leakage=2.0, stragglers=6).encode(X)
    answered = [n for n in range(18) if n % 3 != 1]
    recovered = encoded.decode(encoded.shares[answered], answered)
    assert recovered.error_estimate > 0.5
    whole = encoded.decode(encoded.shares, range(18))
    assert whole.error_estimate < 0.1


def test_many_workers_and_a_matrix_that_is_the_recovery():
    X = np.random.default_rng(2).normal(size=(2, 4))
    encoded = VeiledReplication(2, 600, colluders=1, leakage=0.5).encode(X)
    recovery = encoded.recovery(range(600))
    np.testing.assert_allclose(recovery.matrix.sum(axis=1), 1.0)
    answers = 3.0 * encoded.shares
    np.testing.assert_allclose(
        recovery.recover(answers).value, recovery.matrix @ answers, atol=1e-6
    )
    assert recovery.condition >= 1.0


def test_liars_are_named_and_left_out():
    rng = np.random.default_rng(4)
    weights = rng.normal(size=(30, 10))
    scheme = VeiledReplication(2, 30, colluders=1, leakage=1.0, adversaries=2, stragglers=4)
    named, total = 0, 0
    for _ in range(10):
        X = rng.normal(size=(2, 30))
        encoded = scheme.encode(X)
        answered = rng.permutation(30)[:26]
        answers = np.tanh(0.1 * encoded.shares[answered] @ weights)
        truth = np.tanh(0.1 * X @ weights)
        liars = rng.choice(26, 2, replace=False)
        answers[liars] = -answers[liars] + rng.normal(size=(2, 10))
        recovered = encoded.decode(answers, answered)
        named += len(set(answered[liars]) & set(recovered.suspects))
        total += len(recovered.suspects)
        if set(answered[liars]) == set(recovered.suspects):
            assert relative(recovered.value, truth) < 0.5
    assert named >= 18
    assert total <= 20


@pytest.mark.parametrize("colluders", [1, 2])
def test_nobody_is_accused_where_all_answers_agree(colluders):
    scheme = VeiledReplication(2, 24, colluders=colluders, leakage=1.5, adversaries=2)
    encoded = scheme.encode(np.random.default_rng(7).normal(size=(2, 3)))
    for answers in (np.zeros((24, 2)), np.full((24, 2), 3.0)):
        assert encoded.decode(answers, range(24)).suspects == ()
        answers[5, 0] += 1.0  # as a function that is 1 more for a few of its arguments
        recovered = encoded.decode(answers, range(24))
        assert recovered.suspects == ()
        np.testing.assert_allclose(recovered.value, answers[[0, 1]], rtol=1e-9)
        assert recovered.error_estimate > 0.5  # what is not seen in 24 answers may be in a value


@pytest.mark.parametrize("f", [lambda x: x, np.sin, np.square], ids=["line", "sin", "square"])
def test_an_honest_answer_whose_noise_no_other_shares_is_rarely_named(f):
    rng = np.random.default_rng(11)
    scheme = VeiledReplication(2, 32, colluders=1, leakage=0.5, adversaries=1, stragglers=0)
    accused = 0
    for _ in range(40):
        encoded = scheme.encode(rng.normal(size=(2, 30)))
        assert np.bincount(encoded.layout.veils).tolist() == [30, 2]  # one of each block, alone
        accused += bool(encoded.decode(f(encoded.shares), range(32)).suspects)
    assert accused <= 8
    answers = f(encoded.shares)
    answers[31] = 30.0 * answers.std() * rng.normal(size=30)
    assert encoded.decode(answers, range(32)).suspects == (31,)


def test_too_many_liars_and_answers_beyond_the_bound():
    rng = np.random.default_rng(5)
    scheme = VeiledReplication(
        1, 24, colluders=1, leakage=1.0, adversaries=1, stragglers=0, bound=1.0
    )
    encoded = scheme.encode(rng.normal(size=(1, 20)))
    answers = 0.1 * np.tanh(encoded.shares)
    answers[3, 0] = 1.5
    assert 3 in encoded.decode(answers, range(24)).suspects
    answers[7, 0] = 1.5
    with pytest.raises(TooManyErrors):
        encoded.decode(answers, range(24))


@pytest.mark.parametrize(
    ("arguments", "error", "argument"),
    [
        ({"colluders": 1, "leakage": None}, InvalidArgument, "leakage"),
        ({"colluders": 1, "leakage": 0.0}, InvalidArgument, "leakage"),
        ({"colluders": 1, "leakage": float("inf")}, InvalidArgument, "leakage"),
        ({"colluders": 0, "leakage": 0.5}, InvalidArgument, "colluders"),
        ({"colluders": 1, "leakage": 0.5, "data_std": 0.0}, InvalidArgument, "data_std"),
        ({"colluders": 1, "leakage": 0.5, "bound": 1.0}, InvalidArgument, "bound"),
        ({"colluders": 9, "leakage": 0.5}, Unachievable, "workers"),
        ({"colluders": 3, "leakage": 1e-6}, Unachievable, "leakage"),
    ],
)
def test_what_is_refused(arguments, error, argument):
    with pytest.raises(error, match=f"^{argument}: ") as caught:
        VeiledReplication(2, 8, **arguments)
    assert caught.value.change


def test_fewer_workers_than_blocks_are_refused():
    with pytest.raises(Unachievable, match="max\\(K, T\\)"):
        VeiledReplication(4, 3, stragglers=0, colluders=1, leakage=1.0)


def test_a_refusal_names_a_leakage_that_can_be_had():
    with pytest.raises(Unachievable, match="Allow ") as caught:
        VeiledReplication(2, 8, colluders=2, leakage=1e-5)
    allowed = float(caught.value.change.split()[1])
    assert VeiledReplication(2, 8, colluders=2, leakage=1.1 * allowed).guarantee.leakage > 1e-5


def test_repr_and_pickle_rebuild_it(public_names):
    scheme = VeiledReplication(3, 20, colluders=2, leakage=0.7, data_std=0.3, adversaries=1)
    assert eval(repr(scheme), public_names) == scheme
    assert pickle.loads(pickle.dumps(scheme)) == scheme
