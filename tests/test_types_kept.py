"""Functions see blocks in the type in which they came, and values have that of their results."""

import numpy as np
import pytest

import anyk
from anyk.faults import Crash, Faulty

COPIES = anyk.Replication(4, 8)
FILLED = anyk.FilledReplication(4, 8)
GENERATOR = np.random.default_rng(7)
FLOATS = GENERATOR.normal(size=(4, 5, 8)).astype(np.float32)
IDS = GENERATOR.integers(0, 100, (4, 5, 8))
BYTES = GENERATOR.integers(0, 256, (4, 6, 6), dtype=np.uint8)


def looked_up(ids):
    return (np.arange(100, dtype=np.float32) ** 2)[ids].sum(axis=-1)


def odd(block):
    return block & 1


def labels(block):
    return block.argmax(axis=-1)


def positive(block):
    return block > 0


def huge(block):
    return np.array([2**62 + 1, len(block)])


def logarithm(block):
    with np.errstate(all="ignore"):
        return np.log(block)


def turned(block):
    return (block * 1j).astype(np.complex64)


def half(block):
    return block.astype(np.float16)


def nothing(block):
    return block[:0]


def mean_or_nothing(block):
    return 0 if block[0, 0] > 0 else block.mean()


JOBS = [
    (looked_up, IDS), (odd, BYTES), (labels, FLOATS), (positive, FLOATS), (huge, IDS),
    (turned, FLOATS), (half, FLOATS), (np.sin, FLOATS), (np.sin, FLOATS.astype(">f8")),
    (nothing, BYTES), (np.negative, IDS.astype(np.int16)), (np.square, FLOATS * (1 + 2j)),
]  # fmt: skip


def as_loop(function, X):
    return np.stack([np.asarray(function(block)) for block in X])


def check(function, X, scheme, executor):
    value = anyk.run(scheme, function, X, executor, progress=False).value
    right = as_loop(function, X.astype(X.dtype.newbyteorder("=")))
    assert value.dtype == right.dtype
    assert np.array_equal(value, right, equal_nan=right.dtype.kind in "fc")


@pytest.fixture(scope="module")
def threads():
    with anyk.Threads(8) as executor:
        yield executor


@pytest.mark.parametrize("scheme", [COPIES, FILLED], ids=lambda each: type(each).__name__)
@pytest.mark.parametrize(("function", "X"), JOBS)
def test_values_are_those_of_a_plain_loop(function, X, scheme, threads):
    check(function, X, scheme, threads)


def test_the_same_on_processes():
    with anyk.Processes(4) as executor:
        for function, X in JOBS:
            check(function, X[:2], anyk.Replication(2, 4), executor)


def test_nan_and_infinity_are_values(threads):
    data = np.array([[np.nan, 1.0], [-1.0, np.inf], [0.0, 2.0], [3.0, 4.0]])
    check(logarithm, data, COPIES, threads)
    check(np.isnan, data, COPIES, threads)


def test_blocks_of_several_types_become_one_that_holds_them(threads):
    value = anyk.run(COPIES, mean_or_nothing, FLOATS.astype(float), threads).value
    assert value.dtype == np.float64


def lies(values, liar, lie):
    spoiled = [each.copy() for each in values]
    spoiled[liar] = lie
    return spoiled


@pytest.mark.parametrize(
    "lie",
    [
        np.array([np.nan, 2.0], np.float32),
        np.array([np.nan, np.nan], np.float32),
        np.array([np.inf, np.nan], np.float32),
        np.array([1.0, 2.0], np.float64),
        np.array([1.0, 2.0], np.complex128),
        np.array([1, 2], np.uint8),
    ],
    ids=repr,
)
@pytest.mark.parametrize("truth", [[1.0, 2.0], [np.nan, 7.0], [np.inf, -np.inf]], ids=repr)
def test_a_lie_of_nan_or_of_another_type_is_outvoted(truth, lie):
    scheme = anyk.Replication(1, 3, adversaries=1)
    encoded = scheme.encode(np.zeros((1, 2), np.float32))
    honest = np.array(truth, np.float32)
    for liar in range(3):
        recovered = encoded.decode(lies([honest] * 3, liar, lie), range(3))
        assert recovered.suspects == (liar,)
        assert recovered.value.dtype == np.float32
        assert np.array_equal(recovered.value[0], honest, equal_nan=True)
        assert recovered.known.all()


def test_large_integers_of_copies_are_equal_or_not():
    encoded = anyk.Replication(1, 3, adversaries=1).encode([0])
    answers = np.array([[2**62 + 1], [2**62], [2**62 + 1]])
    recovered = encoded.decode(answers, range(3))
    assert recovered.suspects == (1,)
    assert recovered.value.tolist() == [[2**62 + 1]]


def test_hosts_that_round_singles_differently_are_not_accused():
    encoded = anyk.Replication(1, 3, adversaries=1).encode(np.zeros((1, 50), np.float32))
    honest = GENERATOR.normal(size=50)
    answers = honest * (1.0 + 1e-7 * GENERATOR.normal(size=(3, 50)))
    answers[:, 3] = np.nan
    recovered = encoded.decode(answers.astype(np.float32), range(3))
    assert recovered.suspects == ()
    assert recovered.value.dtype == np.float32
    assert 1e-9 < recovered.error_estimate < 1e-6


def test_blocks_are_filled_in_the_type_of_the_answers():
    X = np.linspace(0.0, 1.0, 6, dtype=np.float32)[:, None]
    encoded = anyk.FilledReplication(6, 6).encode(X)
    answered = [worker for worker in range(6) if encoded.shares[worker] != X[2]]
    for dtype in (np.float32, np.complex64, np.complex128, np.float16):
        answers = (2 * encoded.shares[answered] + 1).astype(dtype)
        recovered = encoded.decode(answers, answered)
        assert recovered.value.dtype == dtype
        assert recovered.value[:, 0] == pytest.approx(2 * X[:, 0] + 1, abs=0.01)
        assert recovered.error_estimate >= np.finfo(dtype).eps
        assert recovered.known.sum() == 5


def test_whole_numbers_are_not_guessed():
    encoded = anyk.FilledReplication(4, 8).encode(np.arange(4.0))
    lost = [worker for worker in range(8) if encoded.shares[worker] != 2.0]
    for answers in (np.arange(6), np.arange(6) > 2):
        with pytest.raises(anyk.NotEnoughAnswers, match="not guessed"):
            encoded.decode(answers, lost)
    with pytest.raises(anyk.NotEnoughAnswers, match="equal"):
        encoded.decode(np.arange(8), range(8))


def test_whole_numbers_of_dead_workers_are_computed_by_others():
    faults = {worker: Crash() for worker in (0, 1, 2)}
    with Faulty(anyk.Threads(8), faults) as executor:
        check(labels, FLOATS, FILLED, executor)
        check(labels, FLOATS, COPIES, executor)


def test_sums_keep_types(threads):
    scheme = anyk.Summed(COPIES)
    assert anyk.run(scheme, np.sin, FLOATS, threads).value.dtype == np.float32
    counted = anyk.run(scheme, positive, FLOATS, threads).value
    assert np.array_equal(counted, (FLOATS > 0).sum(axis=0))


CODE = anyk.CyclicRepetition(4, 1)


def product_of(block):
    return block.T @ block


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "c8", "c16"])
def test_gradient_codes_keep_floats_and_complex_numbers(dtype, threads):
    outcome = anyk.run(CODE, product_of, FLOATS.astype(dtype), threads)
    right = sum(product_of(block.astype(complex)) for block in FLOATS.astype(dtype))
    off = np.linalg.norm(outcome.value - right) / np.linalg.norm(right)
    assert outcome.value.dtype == dtype
    assert off <= 3 * outcome.error_estimate < 100 * np.finfo(dtype).eps


def test_gradient_codes_over_reals_in_single_precision(threads):
    code = anyk.CyclicRepetition(4, 1, domain=anyk.Reals(dtype=np.float32))
    outcome = anyk.run(code, product_of, FLOATS.astype(float), threads)
    right = sum(product_of(block) for block in FLOATS.astype(float))
    off = np.linalg.norm(outcome.value - right) / np.linalg.norm(right)
    assert outcome.value.dtype == np.float32
    assert off <= 3 * outcome.error_estimate < 1e-5


@pytest.mark.parametrize("function", [looked_up, np.asarray, np.zeros_like])
def test_gradient_codes_see_whole_numbers(function, threads):
    outcome = anyk.run(CODE, function, IDS, threads)
    right = sum(function(block).astype(float) for block in IDS)
    assert outcome.value.dtype == (np.float32 if function is looked_up else np.float64)
    assert np.allclose(outcome.value, right, rtol=1e-5, atol=1e-9)


def test_gradient_codes_without_spares_add_whole_numbers_exactly(threads):
    code = anyk.CyclicRepetition(4, 0)
    large = np.array([[2**61 + 1, 3]] * 3 + [[5, -7]])
    assert anyk.run(code, np.asarray, large, threads).value.tolist() == [3 * (2**61 + 1) + 5, 2]
    value = anyk.run(code, positive, FLOATS, threads).value
    assert value.dtype == np.int64
    assert np.array_equal(value, (FLOATS > 0).sum(axis=0))


def test_gradient_codes_refuse_what_a_float_does_not_hold(threads):
    with pytest.raises(anyk.NotEnoughAnswers, match="double precision holds"):
        anyk.run(CODE, huge, IDS, threads)
    with pytest.raises(anyk.NotEnoughAnswers, match="finite"):
        anyk.run(CODE, logarithm, np.zeros((4, 2)), threads)


def test_an_argument_for_each_block_keeps_its_type(threads):
    with anyk.distribute(COPIES, FLOATS, threads) as data:
        places = data.encode(np.arange(4))
        value = data.run(lambda block, place: np.array([place, len(block)]), places).value
        assert value.tolist() == [[place, 5] for place in range(4)]
        assert value.dtype == np.int64
        with pytest.raises(anyk.InvalidArgument, match=r"anyk\.map"):
            data.encode(np.array(["a", "b", "c", "d"]))
