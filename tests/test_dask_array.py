"""Products of a dask.array: shares are made on the workers, and the master never sees them."""

import numpy as np
import pytest
import scipy.sparse

import anyk
from anyk.faults import Crash, Delay, Faulty

distributed = pytest.importorskip("distributed")
da = pytest.importorskip("dask.array")

WORKERS, REALS = 4, anyk.Reals()


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(
            n_workers=WORKERS,
            threads_per_worker=1,
            processes=False,
            dashboard_address=":0",
            memory_limit=0,
            silence_logs=50,
        ) as cluster,
        distributed.Client(cluster) as connected,
    ):
        yield connected


@pytest.fixture
def executor(client):
    with anyk.Dask(client) as made:
        yield made


def dense(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("chunks", [(5, 9), (3, 4), (11, 9), (1, 9), ((2, 7, 2), (4, 5))])
@pytest.mark.parametrize("columns", [(), (3,)])
def test_chunks_of_any_shape_give_the_product(executor, chunks, columns):
    A, x = dense((11, 9)), dense((9, *columns), 1)
    with anyk.dask_array.distribute(da.from_array(A, chunks), executor) as held:
        outcome = held.matmul(x)
    assert outcome.value.shape == (11, *columns)
    assert np.linalg.norm(outcome.value - A @ x) <= 3 * outcome.error_estimate * np.linalg.norm(
        A @ x
    )
    assert len(outcome.used) == WORKERS - 1


@pytest.mark.parametrize("kind", [scipy.sparse.csr_matrix, scipy.sparse.coo_array])
@pytest.mark.parametrize("chunks", [(3, 9), (4, 4)])
def test_sparse_chunks_give_sparse_shares(client, executor, kind, chunks):
    dense_one = dense((11, 9)) * (dense((11, 9), 2) > 0.7)
    A = da.from_array(dense_one, chunks).map_blocks(kind)
    with anyk.dask_array.distribute(A, executor) as held:
        made = client.gather(held._executor._made)
        assert all(len(share.parts) == 3 for share in made)
        blocks = np.add.reduceat((dense_one != 0).sum(axis=1), [0, 4, 8])
        holds = held.encoded.scheme.encoder(None).data != 0
        assert [share.parts[0].size for share in made] <= (holds @ blocks).tolist()
        x = dense((9,), 1)
        assert np.allclose(held.matmul(x).value, dense_one @ x)


def test_other_schemes_over_fields_too(executor):
    rng = np.random.default_rng(0)
    A, x = rng.integers(0, 101, (7, 5)), rng.integers(0, 101, 5)
    scheme = anyk.Sparse((2, 1, 1), 4, domain=anyk.PrimeField(101), adversaries=1)
    with anyk.dask_array.distribute(da.from_array(A, (2, 5)), executor, scheme=scheme) as held:
        assert np.array_equal(held.matmul(x).value, A @ x % 101)


def test_blocks_that_are_all_padding(executor):
    A, x = dense((4, 3)), dense((3,), 1)
    scheme = anyk.Sparse((3, 1, 1), 4, domain=REALS)  # blocks of 2, 2 and 0 rows
    for array in (
        da.from_array(A, (2, 3)),
        da.from_array(A, (2, 3)).map_blocks(scipy.sparse.csr_array),
    ):
        with anyk.dask_array.distribute(array, executor, scheme=scheme) as held:
            assert np.allclose(held.matmul(x).value, A @ x)


def test_one_worker_that_is_late_or_fails_is_not_waited_for(executor):
    A = dense((40, 9))
    for fault in (Crash(), Delay(5.0)):
        faulty = Faulty(executor, {1: fault})
        with anyk.dask_array.distribute(da.from_array(A, (10, 9)), executor) as held:
            held._executor._executor = faulty
            for seed in range(3):
                x = dense((9,), seed)
                outcome = held.matmul(x)
                assert np.allclose(outcome.value, A @ x)
                assert outcome.used == (0, 2, 3)
                assert outcome.elapsed < 4.0


def test_a_product_in_one_call_with_the_current_client(client):
    A, x = dense((9, 4)), dense((4,), 1)
    array = da.from_array(A, (3, 4))
    assert np.allclose(anyk.dask_array.matmul(array, x).value, A @ x)
    outcome = anyk.dask_array.matmul(array, da.from_array(x, 2), client=client, stragglers=2)
    assert np.allclose(outcome.value, A @ x)
    assert len(outcome.used) == 2


def test_shares_are_let_go_when_they_are_released(client, executor):
    def made():
        return sum(
            type(value).__name__ == "Made"
            for keys in client.run(lambda dask_worker: [*dask_worker.data.values()]).values()
            for value in keys
        )

    held = anyk.dask_array.distribute(da.from_array(dense((8, 4)), (2, 4)), executor)
    assert made() == WORKERS
    held.release()
    held.release()
    for _ in range(200):
        if not made():
            break
        client.run(lambda: None)
    assert not made()
    with pytest.raises(anyk.ExecutorError, match="released"):
        held.matmul(np.ones(4))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"A": np.ones((3, 3))}, "needed: a dask.array of shape"),
        ({"A": da.ones(3)}, "needed: a dask.array of shape"),
        ({"A": da.ones((3, 3))[da.ones(3) > 0]}, "chunks of unknown sizes"),
        ({"scheme": anyk.Polynomial((2, 1, 2), 4)}, "neither hides nor checks"),
        ({"scheme": anyk.ShortDot((2, 1, 1), 4, threshold=3)}, "neither hides nor checks"),
        ({"scheme": anyk.Sparse((2, 1, 1), 2, pieces=2)}, "neither hides nor checks"),
        ({"scheme": anyk.Replication(2, 4)}, r"Leave it out, or make anyk\.Sparse"),
        ({"scheme": anyk.Sparse((2, 1, 1), 9)}, "9 shares|9 workers|at most 4"),
        ({"executor": anyk.Inline(4)}, r"Pass anyk\.Dask\(client\)"),
        ({"executor": 3}, r"Pass anyk\.Dask\(client\)"),
        ({"stragglers": 4}, "stragglers"),
    ],
)
def test_what_makes_no_sense_is_refused(executor, change, told):
    with pytest.raises(anyk.InvalidArgument, match=told):
        anyk.dask_array.distribute(**{"A": da.ones((3, 3)), "executor": executor} | change)


def test_what_is_no_number_is_told_by_the_worker_that_finds_it(executor):
    A = dense((8, 4))
    A[5, 2] = np.nan
    with pytest.raises(anyk.InvalidArgument, match="finite numbers"):
        anyk.dask_array.distribute(da.from_array(A, (2, 4)), executor)
