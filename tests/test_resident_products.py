"""A matrix that stays on the workers of every executor, multiplied many times."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import anyk
from anyk import delays, faults
from anyk.faults import Corrupt, Crash, Delay, Faulty

RNG = np.random.default_rng(3)
A = RNG.normal(size=(30, 12))
WHOLE = RNG.integers(-50, 50, (14, 9))
REALS = anyk.Reals()
MODULUS = anyk.PrimeField().modulus

SCHEMES = [
    anyk.MDS((4, 1, 1), 6, domain=REALS),
    anyk.MDS((3, 1, 1), 6, domain=REALS, adversaries=1, verified=True),
    anyk.MDS((7, 1, 1), 6, domain=REALS, pieces=2),
    anyk.Polynomial((2, 1, 2), 6, domain=REALS),
    anyk.Rotation((4, 1, 2), 6),
    anyk.OrthoMatDot((1, 3, 1), 6),
    anyk.MDS((4, 1, 1), 6, domain=anyk.Complex()),
    anyk.Uncoded((3, 1, 1), 6),
    anyk.Uncoded((1, 2, 1), 6, adversaries=1),
]
FIELD = [
    anyk.Polynomial((2, 1, 2), 6),
    anyk.MDS((2, 1, 1), 6, adversaries=1),
    anyk.MDS((4, 1, 1), 6, adversaries=1, verified=True),
    anyk.MatDot((1, 2, 1), 6, colluders=1),
    anyk.Uncoded((2, 1, 1), 6, domain=anyk.PrimeField()),
]


def check(executor, scheme=SCHEMES[0], matrix=A, calls=3):
    """Products with vectors, and with matrices where B is cut too."""
    with anyk.distribute(scheme, matrix, executor) as resident:
        for columns in ((), (1,), (4,)) * (calls // 3):
            if not columns and scheme.partition[2] > 1:
                continue
            x = RNG.integers(0, 9, (matrix.shape[1], *columns)).astype(matrix.dtype)
            value = resident.matmul(x, progress=False).value
            if matrix.dtype == np.int64:
                assert np.array_equal(value, (matrix @ x) % MODULUS)
            else:
                np.testing.assert_allclose(value, matrix @ x, atol=1e-9)


EXECUTORS = {
    "Inline": lambda: anyk.Inline(6),
    "Threads": lambda: anyk.Threads(6),
    "Processes": lambda: anyk.Processes(6),
    "Simulated": lambda: anyk.Simulated(6, generator=np.random.default_rng(0)),
    "Paced": lambda: anyk.Paced(anyk.Threads(6), delays.NoDelay(), np.random.default_rng(0)),
}


@pytest.mark.parametrize("make", EXECUTORS.values(), ids=EXECUTORS)
def test_on_every_executor_of_this_machine(make):
    with make() as executor:
        for scheme in SCHEMES:
            check(executor, scheme)
        for scheme in FIELD:
            check(executor, scheme, WHOLE % MODULUS)


def test_on_executors_of_concurrent_futures():
    with anyk.Futures([ThreadPoolExecutor(1) for _ in range(6)]) as executor:
        check(executor)
        check(executor, FIELD[2], WHOLE % MODULUS)


def test_on_dask():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.Client(
            n_workers=6, threads_per_worker=1, processes=False, dashboard_address=None
        ) as client,
        anyk.Dask(client) as executor,
    ):
        check(executor)
        check(executor, FIELD[2], WHOLE % MODULUS)


def test_slow_and_dead_workers_are_not_waited_for():
    never = {1: Delay(60.0), 4: Crash()}
    with Faulty(anyk.Threads(6), never) as executor:
        with anyk.distribute(SCHEMES[0], A, executor) as resident:
            for _ in range(20):
                x = RNG.normal(size=12)
                outcome = resident.matmul(x, deadline=20.0, progress=False)
                np.testing.assert_allclose(outcome.value, A @ x, atol=1e-9)


@pytest.mark.parametrize("scheme", [SCHEMES[1], SCHEMES[8], FIELD[1], FIELD[2]], ids=repr)
def test_a_liar_is_named_and_then_not_asked_again(scheme):
    matrix = WHOLE % MODULUS if scheme in FIELD else A
    lie = Corrupt(modulus=MODULUS) if scheme in FIELD else Corrupt(scale=100.0)
    with Faulty(anyk.Inline(6), {0: lie}) as executor:
        executor.quarantine.automatic = True
        with anyk.distribute(scheme, matrix, executor) as resident:
            x = np.arange(matrix.shape[1]).astype(matrix.dtype)
            first, second = (resident.matmul(x, progress=False) for _ in range(2))
    assert first.suspects == (0,)
    assert set(executor.quarantine.workers) == {0}
    assert second.suspects == ()
    assert 0 not in second.used
    assert np.array_equal(first.value, second.value) or np.allclose(first.value, second.value)


def test_pieces_of_slow_workers_count():
    scheme = anyk.MDS((6, 1, 1), 3, domain=REALS, pieces=3)
    with Faulty(anyk.Inline(3), {2: Crash()}) as executor:
        with anyk.distribute(scheme, A, executor) as resident:
            outcome = resident.matmul(A[0], progress=False)
    assert len(outcome.shares) == 6
    np.testing.assert_allclose(outcome.value, A @ A[0], atol=1e-9)


@pytest.mark.parametrize(
    "odd", [np.ones(11), np.ones((12, 2, 2)), np.ones((12, 0)), None, "x", [np.nan] * 12, 3.0]
)
def test_what_does_not_fit_is_refused_and_the_matrix_stays(odd):
    with anyk.Inline(6) as executor, anyk.distribute(SCHEMES[0], A, executor) as resident:
        with pytest.raises(anyk.InvalidArgument):
            resident.matmul(odd)
        np.testing.assert_allclose(resident.matmul(A[0]).value, A @ A[0], atol=1e-9)


def test_after_release_there_is_nothing_to_multiply():
    with anyk.Inline(6) as executor:
        resident = anyk.distribute(SCHEMES[0], A, executor)
        resident.release()
        with pytest.raises(anyk.ExecutorError, match="released"):
            resident.matmul(A[0])
        both = anyk.distribute(SCHEMES[0], (A, A.T), executor)
        with pytest.raises(anyk.InvalidArgument):
            both.matmul(A[0])


@pytest.mark.parametrize("make", [lambda: anyk.Threads(6), lambda: anyk.Processes(6)])
def test_two_threads_multiply_at_once(make):
    wrong = []

    def multiply(seed, resident):
        rng = np.random.default_rng(seed)
        for _ in range(15):
            x = rng.normal(size=12)
            value = resident.matmul(x, progress=False).value
            if not np.allclose(value, A @ x, atol=1e-9):
                wrong.append(seed)

    with make() as executor, anyk.distribute(SCHEMES[0], A, executor) as resident:
        threads = [threading.Thread(target=multiply, args=(seed, resident)) for seed in (1, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60.0)
    assert not wrong


def test_two_matrices_stay_beside_each_other():
    with anyk.Threads(6) as executor:
        first = anyk.distribute(SCHEMES[0], A, executor)
        second = anyk.distribute(SCHEMES[3], A.T, executor)
        np.testing.assert_allclose(second.matmul(A).value, A.T @ A, atol=1e-9)
        np.testing.assert_allclose(first.matmul(A[0]).value, A @ A[0], atol=1e-9)
        first.release()
        np.testing.assert_allclose(second.matmul(A).value, A.T @ A, atol=1e-9)


def test_a_stack_of_matrices_may_stay():
    stack = RNG.normal(size=(3, 10, 12))
    with anyk.Inline(6) as executor, anyk.distribute(SCHEMES[3], stack, executor) as resident:
        x = RNG.normal(size=(3, 12, 5))
        np.testing.assert_allclose(resident.matmul(x).value, stack @ x, atol=1e-9)
        with pytest.raises(anyk.InvalidArgument, match="as many matrices"):
            resident.matmul(x[:2])


def test_a_resident_factor_is_hidden_from_colluders_and_its_masks_are_fresh():
    scheme = FIELD[3]
    left = scheme.encode_left(WHOLE % MODULUS)
    other = scheme.encode_left(WHOLE % MODULUS)
    assert not np.array_equal(left.parts[0], other.parts[0])
    with anyk.Inline(6) as executor, anyk.distribute(scheme, WHOLE % MODULUS, executor) as resident:
        outcome = resident.matmul(WHOLE.T % MODULUS)
        assert outcome.leak is not None
    assert np.array_equal(outcome.value, (WHOLE @ WHOLE.T) % MODULUS)


def test_a_dead_process_gets_its_matrix_again():
    with Faulty(anyk.Processes(6), {2: faults.Die()}) as executor:
        with anyk.distribute(SCHEMES[0], A, executor) as resident:
            for _ in range(3):
                value = resident.matmul(A[0], progress=False).value
                np.testing.assert_allclose(value, A @ A[0], atol=1e-9)
