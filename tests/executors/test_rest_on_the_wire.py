"""Residues on their way: in their own size on every wire, and nothing else is taken for them."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from remote_fakes import Fake, header
from remote_tasks import bytes_each, total

import anyk
from anyk.domains.functions.inside import memory_of
from anyk.executors.core.base import AbstractExecutor
from anyk.executors.processes.pipe import Pipe
from anyk.executors.remote.executor import Remote
from anyk.schemes.maps.lagrange import _LagrangeRecovery
from anyk.schemes.products.check import ProductCheck
from anyk.schemes.products.recovery import LinearRecovery
from anyk.testing import Trial
from anyk.work import Plain, WorkerTask

HERE = Path(__file__).parent
SIZES = {251: 1, 65521: 2, 2**25 - 39: 4, 2**31 - 1: 4}
NUMBERS, WORKERS = 50_000, 3
BESIDE = 20_000  # bytes of all headers, functions and handshakes in one run


def lagrange(p: int) -> anyk.Lagrange:
    return anyk.Lagrange(blocks=WORKERS, degree=1, workers=WORKERS, field=anyk.PrimeField(p))


def data(p: int) -> Any:
    return np.arange(WORKERS * NUMBERS).reshape(WORKERS, NUMBERS) % p


class Forwarder:
    """A door before a worker's, which counts the bytes that pass in both directions."""

    def __init__(self, port: int) -> None:
        self.to, self.there, self.back = port, 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.threads = [threading.Thread(target=self.listen)]

    def __enter__(self) -> Self:
        self.threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(30.0)
            assert not thread.is_alive()

    def listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.to))
                for each, other in ((near, far), (far, near)):
                    thread = threading.Thread(target=self.forward, args=(each, other, each is near))
                    thread.start()
                    self.threads.append(thread)

    def forward(self, near: socket.socket, far: socket.socket, there: bool) -> None:  # noqa: FBT001
        with contextlib.suppress(OSError):
            while got := near.recv(1 << 16):
                if there:
                    self.there += len(got)
                else:
                    self.back += len(got)
                far.sendall(got)
        for end in (near, far):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        near.close()


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    with Trial("remote_tasks", workers=WORKERS, directory=HERE) as started:
        yield started


def test_what_processes_send_and_receive(monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[int] = []
    come: list[int] = []
    send, receive = Pipe._send_some, Pipe.receive

    def sending(pipe: Pipe) -> int:
        gone.append(many := send(pipe))
        return many

    def receiving(pipe: Pipe, size: int) -> memoryview:
        come.append(size)
        return receive(pipe, size)

    monkeypatch.setattr(Pipe, "_send_some", sending)
    monkeypatch.setattr(Pipe, "receive", receiving)
    with anyk.Processes(WORKERS) as executor:
        for p, size in SIZES.items():
            gone.clear()
            come.clear()
            with anyk.distribute(lagrange(p), data(p), executor) as there:
                outcome = there.run(total, there.encode(data(p)), progress=False)
                assert np.array_equal(outcome.value, 2 * data(p) % p)
                shares = WORKERS * NUMBERS * size
                assert 2 * shares <= sum(gone) <= 2 * shares + BESIDE
                assert shares <= sum(come) <= shares + BESIDE


@pytest.mark.parametrize("p", SIZES)
def test_what_remote_sends_and_receives(p: int, trial: Trial) -> None:
    shares = WORKERS * NUMBERS * SIZES[p]
    with contextlib.ExitStack() as doors:
        forwarders, addresses = [], []
        for address in trial.addresses:
            name, _, port = address.rpartition(":")
            forwarders.append(doors.enter_context(Forwarder(int(port))))
            addresses.append(f"{name}:{forwarders[-1].port}")
        executor = doors.enter_context(Remote(addresses, tls=trial.master))
        with anyk.distribute(lagrange(p), data(p), executor) as there:
            outcome = there.run("total", there.encode(data(p)), progress=False)
            assert np.array_equal(outcome.value, 2 * data(p) % p)
    gone, come = (sum(getattr(each, name) for each in forwarders) for name in ("there", "back"))
    room = 1.01 * shares + BESIDE  # TLS has records of its own
    assert 2 * shares <= gone <= 2 * room
    assert shares <= come <= room


@contextlib.contextmanager
def remote(trial: Trial) -> Iterator[AbstractExecutor]:
    with Remote(trial.addresses, tls=trial.master) as executor:
        yield executor


@contextlib.contextmanager
def futures() -> Iterator[AbstractExecutor]:
    with contextlib.ExitStack() as pools:
        own = [pools.enter_context(ThreadPoolExecutor(1)) for _ in range(WORKERS)]
        yield pools.enter_context(anyk.Futures(own))


@contextlib.contextmanager
def dask() -> Iterator[AbstractExecutor]:
    distributed = pytest.importorskip("distributed")
    options: dict[str, Any] = {"dashboard_address": None, "threads_per_worker": 1}
    with (
        distributed.LocalCluster(n_workers=WORKERS, processes=False, **options) as cluster,
        distributed.Client(cluster) as client,
        anyk.Dask(client) as executor,
    ):
        yield executor


@pytest.mark.parametrize("p", SIZES)
@pytest.mark.parametrize("engine", ["Inline", "Threads", "Processes", "futures", "remote"])
def test_a_share_on_a_worker_is_at_rest(engine: str, p: int, trial: Trial) -> None:
    made: Any = {
        "futures": futures,
        "remote": lambda: remote(trial),
    }.get(engine, lambda: getattr(anyk, engine)(WORKERS))
    with made() as executor:
        check_at_rest(executor, p, "bytes_each" if engine == "remote" else bytes_each)


def test_a_share_on_a_worker_of_dask_is_at_rest() -> None:
    with dask() as executor:
        for p in SIZES:
            check_at_rest(executor, p, bytes_each)


def check_at_rest(executor: AbstractExecutor, p: int, function: Any) -> None:
    X, heard = np.arange(15).reshape(WORKERS, 5), []
    with anyk.distribute(lagrange(p), X, executor) as shares:
        told = shares.run(function, shares.encode(X), on_answer=heard.append, progress=False).value
    assert told.tolist() == [[[SIZES[p]] * 5] * 2] * WORKERS  # of the share and of the argument
    assert told.dtype == shares.encoded.shares.dtype == np.int64
    assert {each.value.dtype for each in heard} == {np.dtype(np.int64)}
    assert shares.encoded.parts[0].itemsize == SIZES[p]


WRONG = {
    "another type": (np.arange(4), "int64, which PrimeField(251) does not hold"),
    "a wider type": (np.arange(4, dtype=np.uint16), "uint16, which PrimeField(251) does not hold"),
    "a sign": (np.arange(4, dtype=np.int8), "int8, which PrimeField(251) does not hold"),
    "floats": (np.arange(4.0), "float64, which PrimeField(251) does not hold"),
    "no residues": (np.array([0, 251, 3, 4], dtype=np.uint8), "needed: residues from 0 to 250"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_worker_that_answers_otherwise_has_failed(what: str) -> None:
    answer, why = WRONG[what]

    def lie(request: dict[str, Any]) -> bytes:
        shape = list(answer.shape)
        return header(request, dtype=answer.dtype.str, shape=shape) + answer.tobytes()

    scheme = anyk.Lagrange(blocks=1, degree=2, workers=1, field=anyk.PrimeField(251))
    with Fake(lie) as fake, Remote([f"127.0.0.1:{fake.port}"], tls=None) as executor:
        outcome = anyk.run(scheme, "gram", np.ones((1, 2), int), executor, on_failure="return")
    assert outcome.value is None
    assert why in outcome.failures[0]


@pytest.mark.parametrize("what", WRONG)
def test_every_master_looks_at_what_came(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answer, why = WRONG[what]
    monkeypatch.setattr(WorkerTask, "__call__", lambda *_: answer)
    scheme = anyk.Lagrange(blocks=1, degree=2, workers=2, field=anyk.PrimeField(251))
    with anyk.Threads(2) as executor:
        outcome = anyk.run(scheme, np.square, np.ones((1, 2), int), executor, on_failure="return")
    assert outcome.value is None
    assert why in outcome.failures[0]


@pytest.mark.parametrize("what", WRONG)
def test_every_worker_looks_at_its_share(what: str, trial: Trial) -> None:
    share, _ = WRONG[what]
    words = "needed: residues from 0 to 250" if what == "no residues" else "share: got dtype"
    local, named = (WorkerTask(Plain(each), anyk.PrimeField(251)) for each in (np.square, "gram"))
    for made, task in ((lambda: anyk.Threads(1), local), (lambda: remote(trial), named)):
        with made() as executor:
            placement = executor.place([share[None]])
            answer = executor.dispatch(task, placement, []).receive(30.0)
            executor.release(placement)
        assert answer is not None
        assert answer.value is None
        assert words in str(answer.failure)


def test_rings_travel_in_the_type_of_their_largest_prime() -> None:
    fixed = anyk.FixedPoint(fraction_bits=4, magnitude=100.0)
    scheme = anyk.Lagrange(blocks=2, degree=2, workers=4)
    X, seen = np.arange(8.0).reshape(2, 4), []

    def square(x: Any) -> Any:
        seen.append(memory_of(x).dtype.itemsize)
        return x * x

    with anyk.Inline(4) as executor:
        with anyk.distribute(scheme, X, executor, embedding=fixed) as shares:
            assert np.array_equal(shares.run(square, progress=False).value, X * X)
            part, domain = shares.encoded.parts[0], shares.encoded.scheme.domain
    assert part.dtype == domain.rest
    assert part.dtype.itemsize == max(set(seen) - {8}, default=0)


def test_whoever_decodes_or_checks_answers_can_compute_with_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = set()

    def noted(owner: Any, name: str, place: int) -> None:
        plain = getattr(owner, name)

        def noting(*given: Any) -> Any:
            seen.add((name, given[place].dtype))
            return plain(*given)

        monkeypatch.setattr(owner, name, noting)

    noted(LinearRecovery, "recover", 1)
    noted(ProductCheck, "passes", 2)
    noted(_LagrangeRecovery, "recover", 1)
    field, rng = anyk.PrimeField(251), np.random.default_rng(5)
    A, B = rng.integers(0, 251, (2, 4, 4))
    checked = anyk.Polynomial((2, 1, 1), 4, domain=field, adversaries=1, verified=True)
    fixed = anyk.FixedPoint(fraction_bits=2, magnitude=4.0)
    with anyk.Inline(4) as executor:
        assert np.array_equal(anyk.matmul(A, B, executor, scheme=checked).value, A @ B)
        assert np.array_equal(
            anyk.run(lagrange(251), np.negative, A[:3], executor).value, -A[:3] % 251
        )
        X = np.arange(3.0)[:, None]
        made = anyk.run(lagrange(2**31 - 1), np.negative, X, executor, embedding=fixed)
        assert np.array_equal(made.value, -X)
    assert seen == {(name, np.dtype(np.int64)) for name in ("recover", "passes")}
