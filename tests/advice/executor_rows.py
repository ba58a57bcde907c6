"""What executors advise: too few workers, closed, forked, nested, what can't be sent."""

import contextlib
import datetime as dt
import errno
import resource
import sys
import tempfile
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from tried import tried

import anyk
from anyk import delays
from anyk.connections.certificates import (
    make_certificates,
    renew_certificate,
    revoke_certificates,
)
from anyk.connections.peers import peers
from anyk.connections.tls import client_context
from anyk.executors.core.placements import Placements
from anyk.executors.engines.futures_worker import FuturesWorker
from anyk.executors.processes.constants import Constants
from anyk.executors.processes.executor import _pack as packed_for_processes
from anyk.executors.processes.executor import _refuse as refuse
from anyk.executors.remote.arguments import pack, sendable
from anyk.executors.remote.budget import Budget
from anyk.executors.remote.command import serve_worker
from anyk.executors.remote.frames import PROTOCOL
from anyk.executors.remote.offer import Offer
from anyk.executors.remote.request import _named, _words, described, make_request
from anyk.faults import Faulty
from anyk.work import AbstractWork, Plain
from anyk.works.products import Product

SHARES = (np.arange(4.0),)
GENERATOR = np.random.default_rng(0)
REMOTE = "worker-0@10.0.0.5:7000"


def place(executor):
    with executor:
        return executor.place(SHARES)


def threads(workers=1):
    return [ThreadPoolExecutor(1) for _ in range(workers)]


def futures(given, shares=1):
    with anyk.Futures(given) as executor:
        executor.place((np.arange(float(shares)),))


def closed(executor, again=None):
    executor.close()
    return place(again or executor)


def lost(again):
    """A dispatch of shares that were released, or placed again."""
    with anyk.Inline(4) as executor:
        placement = executor.place(SHARES)
        executor.release(placement)
        if again:
            placement = executor.place(SHARES)
        return executor.dispatch(np.square, placement, [])


def forked(again):
    """What a process that was forked sees of an executor of its parent's."""
    with anyk.Threads(4) as executor:
        placement = executor.place(SHARES)
        executor._dispatcher._owner = -1
        if again:
            return place(anyk.Threads(4))
        return executor.dispatch(np.square, placement, [])


def threads_of(machine):
    """A run on threads, where the machine starts them or does not."""
    refused = RuntimeError("can't start new thread")
    patched = mock.patch.object(threading.Thread, "start", side_effect=refused)
    with contextlib.nullcontext() if machine == "free" else patched, anyk.Threads(1) as executor:
        anyk.run(anyk.Replication(1, 1), np.square, [1.0], executor, progress=False)


def nested(own):
    """A task that waits for others: of its own executor, or of another one."""
    met = []

    def task(x):
        inner = anyk.Threads(2) if own else executor
        try:
            return anyk.run(anyk.Replication(2, 2), np.square, [1.0, 2.0], inner).value.sum() * x
        except anyk.ExecutorError as error:
            met.append(error)
            raise
        finally:
            if own:
                inner.close()

    with anyk.Threads(2) as executor:
        outcome = anyk.run(anyk.Replication(2, 2), task, [1.0, 2.0], executor, on_failure="return")
    for error in met:
        raise error
    assert outcome.value is not None


def broken(maker):
    """A worker whose pool broke, opened again."""
    worker = FuturesWorker(maker, Constants())
    worker.open()
    worker.fail(BrokenProcessPool("it ended"))
    worker.open()
    worker.end()


class Unnamed(AbstractWork):
    """Work that remote workers do not know."""

    users = property(lambda _: abs)

    def __call__(self, parts, arguments):  # noqa: ARG002 - as its base class
        return parts[0]


def certificates(hosts=("127.0.0.1",), days=1, *, workers=None, twice=""):
    workers = len(hosts) if workers is None else workers
    with tempfile.TemporaryDirectory() as directory:
        for again in range(1 + bool(twice)):
            other = Path(directory) / str(again if twice == "elsewhere" else 0)
            other.mkdir(exist_ok=True)
            make_certificates(other, workers=workers, hosts=hosts, days=days)
        return client_context(other / "master", PROTOCOL)


def made(spoil=None, *repairs):
    """A trial's certificates: what the master says of them, spoilt and put right."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        make_certificates(place, workers=1)
        if spoil is not None:
            spoil(place)
        for repair in repairs:
            repair(place)
        client_context(place / "master", PROTOCOL)


def another_key(place):
    key = (place / "worker-0" / "key.pem").read_bytes()
    (place / "master" / "key.pem").write_bytes(key)


def revoke_all(place):
    revoke_certificates(place, ["master"])


def no_list(place):
    (place / "master" / "revoked.pem").write_bytes(b"")


def renew(place):
    renew_certificate(place, "master")


def spent_authority(place, *, elsewhere=False):
    """A directory whose authority signed itself long ago; and another one."""
    place = Path(place)
    make_certificates(place / "old", workers=1)
    path = place / "old" / "authority"
    secret = serialization.load_pem_private_key((path / "key.pem").read_bytes(), None)
    old = x509.load_pem_x509_certificate((path / "authority.pem").read_bytes())
    then = old.not_valid_before_utc
    builder = x509.CertificateBuilder(
        old.issuer, old.subject, secret.public_key(), old.serial_number,
        then - dt.timedelta(days=9), then - dt.timedelta(days=1),
    )  # fmt: skip
    text = builder.sign(secret, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    (path / "authority.pem").write_bytes(text)
    if elsewhere:
        make_certificates(place / "new", workers=3)
    renew_certificate(place / ("new" if elsewhere else "old"), "master")


def in_a_folder(call, **more):
    with tempfile.TemporaryDirectory() as directory:
        return call(Path(directory), **more)


def renewed(name, *, here=True):
    with tempfile.TemporaryDirectory() as directory:
        make_certificates(Path(directory) / "made", workers=1)
        renew_certificate(Path(directory) / ("made" if here else "."), name)


def together(*hosts, places=None):
    addresses = [f"worker-{n}@{host}:7000" for n, host in enumerate(hosts)]
    with tempfile.TemporaryDirectory() as directory:
        make_certificates(Path(directory), workers=len(hosts))
        master = Path(directory) / "master"
        with anyk.Remote(addresses, tls=master, patience=0.01, places=places) as executor:
            scheme = anyk.Lagrange(blocks=1, degree=1, workers=len(hosts), colluders=1)
            with anyk.distribute(scheme, [1], executor):
                pass


def placed_parts(*lengths):
    return Placements("Inline", 4).add([np.ones(length) for length in lengths], 1)


def served(tls):
    """The checks of a worker's command, until it would serve."""
    with tempfile.TemporaryDirectory() as directory:
        make_certificates(Path(directory), workers=1, hosts=["127.0.0.1"])
        where = None if tls is None else Path(directory) / tls

        def write(_):
            raise ListeningError

        with contextlib.suppress(ListeningError):
            serve_worker(
                "0.0.0.0:0",
                "anyk.testing.tasks",
                where,
                master="master",
                budget=Budget(memory=1),
                sessions=1,
                write=write,
            )


class ListeningError(Exception):
    """It listens."""


ROWS = [
    *(
        tried(
            f"Make it {kind.__name__}({{}}), or make the scheme smaller.",
            lambda kind=kind: run_on(kind(3)),
            lambda workers, kind=kind: run_on(kind(workers)),
            lambda _, kind=kind: run_on(kind(3), workers=3),
            less=lambda less, kind=kind: run_on(kind(less)),
        )
        for kind in (anyk.Inline, anyk.Threads, anyk.Simulated, anyk.Processes)
    ),
    tried(
        "Pass more executors, or make the scheme smaller.",
        lambda: futures(threads(2), shares=3),
        lambda: futures(threads(3), shares=3),
        lambda: futures(threads(2), shares=2),
    ),
    tried(
        "Give the executor in it more workers, or make the scheme smaller.",
        lambda: place(anyk.WithMaster(anyk.Inline(2))),
        lambda: place(anyk.WithMaster(anyk.Inline(3))),
    ),
    tried(
        "Make it Inline({}), or make the scheme smaller.",
        lambda: place(Faulty(anyk.Inline(3), {})),
        lambda workers: place(Faulty(anyk.Inline(workers), {})),
    ),
    *(
        tried(
            "executor is closed; make a new one.",
            lambda make=make: closed(make(4)),
            lambda make=make: closed(make(4), make(4)),
        )
        for make in (anyk.Inline, anyk.Threads, anyk.Simulated, anyk.Processes)
    ),
    tried(
        'Say why, as in "its memory fails".',
        lambda: anyk.Quarantine(3).put(1, None),
        lambda: anyk.Quarantine(3).put(1, "its memory fails"),
    ),
    tried("place them again.", lambda: lost(again=False), lambda: lost(again=True)),
    tried("make a new one here.", lambda: forked(again=False), lambda: forked(again=True)),
    tried("give it one of its own.", lambda: nested(own=False), lambda: nested(own=True)),
    tried("(ulimit -u)", lambda: threads_of("full"), lambda: threads_of("free")),
    tried(
        "Pass 2.0 and 0.2, say.",
        lambda: anyk.Lateness(medians=0.0),
        lambda: anyk.Lateness(medians=2.0, margin=0.2),
    ),
    tried(
        "Encode the parts with one scheme.",
        lambda: placed_parts(3, 4),
        lambda: placed_parts(3, 3),
    ),
    tried(
        "Pass a tuple of arrays.",
        lambda: Placements("Inline", 4).add(3, 1),
        lambda: Placements("Inline", 4).add((np.ones(3),), 1),
    ),
    tried(
        "Pass [ProcessPoolExecutor(1) for _ in range(12)], say.",
        lambda: futures(ProcessPoolExecutor(1)),
        lambda: futures([ProcessPoolExecutor(1) for _ in range(12)]),
    ),
    tried(
        "Pass ProcessPoolExecutor(1), say.",
        lambda: futures([3]),
        lambda: futures([ProcessPoolExecutor(1)]),
    ),
    tried(
        "One worker, one share: make one executor a worker.",
        lambda: futures(threads(1) * 2, shares=2),
        lambda: futures(threads(2), shares=2),
    ),
    tried(
        "let it return one, such as ProcessPoolExecutor(1).",
        lambda: FuturesWorker(int, Constants()).open(),
        lambda: FuturesWorker(partial(ProcessPoolExecutor, 1), Constants()).open(),
    ),
    tried(
        "pass a callable that makes one, such as partial(ProcessPoolExecutor, 1), and it is "
        "replaced.",
        lambda: broken(ThreadPoolExecutor(1)),
        lambda: broken(partial(ProcessPoolExecutor, 1)),
    ),
    tried(
        "Pass a model of anyk.delays.",
        lambda: anyk.Simulated(4, delays=1.0),
        lambda: anyk.Simulated(4, delays=delays.Fixed([1.0] * 4)),
    ),
    tried(
        "Pass np.random.default_rng().",
        lambda: anyk.Simulated(4, generator=0),
        lambda: anyk.Simulated(4, generator=np.random.default_rng()),
    ),
    tried(
        "Pass None to measure.",
        lambda: anyk.Simulated(4, compute=-1.0),
        lambda: anyk.Simulated(4, compute=None),
    ),
    tried(
        "Pass a model of anyk.delays.",
        lambda: anyk.Paced(anyk.Inline(4), 1.0, GENERATOR),
        lambda: anyk.Paced(anyk.Inline(4), delays.NoDelay(), GENERATOR),
    ),
    tried(
        "Pass np.random.default_rng().",
        lambda: anyk.Paced(anyk.Inline(4), delays.NoDelay(), 0),
        lambda: anyk.Paced(anyk.Inline(4), delays.NoDelay(), np.random.default_rng()),
    ),
    tried(
        "Make one, such as Threads(4).",
        lambda: anyk.WithMaster(anyk.Threads),
        lambda: anyk.WithMaster(anyk.Threads(4)),
    ),
    tried(
        "Pass anyk.Threads(12), say.",
        lambda: Faulty(anyk.Threads, {}),
        lambda: Faulty(anyk.Threads(12), {}),
    ),
    tried(
        "For a trial, let workers of yours offer functions that go wrong.",
        lambda: Faulty(anyk.Remote(["127.0.0.1:7"], tls=None), {}),
        lambda: Offer("anyk.testing.tasks"),
    ),
    tried(
        "below {}. Lower it.",
        lambda: killed(4),
        lambda workers: killed(workers - 1),
    ),
    tried(
        "Make locks, files and connections inside the function, or use anyk.Threads.",
        lambda: packed_for_processes(under_a_lock(threading.Lock()), [], 1),
        lambda: packed_for_processes(under_a_lock(None), [], 1),
        lambda: run_on(anyk.Threads(4), f=under_a_lock(threading.Lock())),
    ),
    tried(
        "Give seconds, or None for no limit.",
        lambda: anyk.Processes(1, patience=0),
        lambda: anyk.Processes(1, patience=0.5).close(),
        lambda: anyk.Processes(1, patience=None).close(),
    ),
    tried(
        "Raise the limit (ulimit -n {}), or take fewer workers.",
        lambda: with_few_files(6),
        lambda limit: with_few_files(6, limit),
        lambda _: with_few_files(1),
    ),
    tried(
        "Take fewer workers, or raise the limit of processes (ulimit -u) or of memory.",
        lambda: refuse(4, OSError(errno.EAGAIN, "Resource temporarily unavailable")),
        lambda: anyk.Processes(1).close(),
    ),
    tried(
        "Pass arrays and plain values, or use anyk.Threads.",
        lambda: packed_for_processes(np.add, [threading.Lock()], 1),
        lambda: packed_for_processes(np.add, [np.ones(2), 1.0], 1),
        lambda: run_on(anyk.Threads(4), threading.Lock(), f=lambda x, _: x),
    ),
    # remote workers
    tried(
        "Pass plain values: nothing else crosses the wire, as no pickle does.",
        lambda: pack({1, 2}, []),
        lambda: pack([1, 2], []),
    ),
    tried(
        "pass the value as an argument, or let the workers' own function load it.",
        lambda: anyk.Remote(["127.0.0.1:1"], tls=None).broadcast(np.ones(2)),
        lambda: make_request("scaled", (np.ones(3), np.ones(2)), 1),
        lambda: make_request("scaled_by_my_own", (np.ones(3),), 1),
    ),
    tried(
        "Convert it with .astype(...).",
        lambda: sendable(np.array(["1"]), "arguments"),
        lambda: sendable(np.array(["1"]).astype(int), "arguments"),
    ),
    tried(
        "Write a name as DNS has it (xn--...), and each host as a word of its own.",
        lambda: certificates(["a b"]),
        lambda: certificates(["a", "b"]),
    ),
    tried(
        "Pass one for each worker, in order; or none, and name workers in their addresses",
        lambda: certificates(["a", "b"], workers=3),
        lambda: certificates(["a", "b", "c"], workers=3),
        lambda: certificates([], workers=3),
        lambda: peers(
            ["worker-0@a:7000", "worker-1@b:7000", "worker-2@b:7001"], "worker", secure=True
        ),
    ),
    tried(
        "Leave them out: workers of one host are told apart by their names",
        lambda: certificates(["a", "a"]),
        lambda: certificates([], workers=2),
        lambda: peers(["worker-0@HOST:7000", "worker-1@HOST:7001"], "worker", secure=True),
    ),
    tried(
        "Put both there that were made together; a renewal changes both.",
        lambda: made(another_key),
        lambda: made(another_key, renew),
    ),
    tried(
        "Renew it (anyk certificates DIR --renew NAME, if that made it), or set the clock.",
        lambda: made(revoke_all),
        lambda: made(revoke_all, renew),
    ),
    tried(
        "Get a new list of the authority (anyk certificates DIR --revoke writes one",
        lambda: made(no_list),
        lambda: made(no_list, revoke_certificates),
    ),
    tried(
        "Name the one that anyk certificates DIR --workers N has made.",
        lambda: renewed("master", here=False),
        lambda: renewed("master"),
    ),
    tried(
        "Name a party that this authority has certified.",
        lambda: renewed("worker-7"),
        lambda: renewed("worker-0"),
    ),
    tried(
        "Make new certificates in another directory: anyk certificates DIR --workers 3.",
        lambda: in_a_folder(spent_authority),
        lambda: in_a_folder(spent_authority, elsewhere=True),
    ),
    tried(
        'Pass the names of their owners, say, as in ["anna", "anna", "ben"]; or None',
        lambda: together("10.0.0.5", "10.0.0.6", "10.0.0.7", places=["anna"]),
        lambda: anyk.Remote(
            ["127.0.0.1:7", "127.0.0.1:8", "127.0.0.1:9"], tls=None, places=["anna", "anna", "ben"]
        ).close(),
        lambda: anyk.Remote(["127.0.0.1:7"], tls=None, places=None).close(),
    ),
    tried(
        "Start more workers (on Ray, nodes; on Remote, hosts, or say with places= which are apart) "
        "and spread the shares over them",
        lambda: together("192.0.2.5", "192.0.2.5"),
        lambda: together("192.0.2.5", "192.0.2.6"),
        lambda: together("192.0.2.5", "192.0.2.5", places=["one", "other"]),
    ),
    tried(
        "Write a name as DNS has it (xn--...), and each host as a word of its own.",
        lambda: certificates(["bücher"]),
        lambda: certificates(["xn--bcher-kva"]),
    ),
    tried(
        "Name another one, or remove it if nobody uses it.",
        lambda: certificates(twice="here"),
        lambda: certificates(twice="elsewhere"),
        certificates,
    ),
    tried(
        "at most {}. These certificates are for a trial: lower it.",
        lambda: certificates(days=10**6),
        lambda most: certificates(days=most),
    ),
    tried(
        'Pass ["worker-0@10.0.0.5:7000", "worker-1@10.0.0.6:7000"], say.',
        lambda: peers(REMOTE, "worker", secure=True),
        lambda: peers(["worker-0@10.0.0.5:7000", "worker-1@10.0.0.6:7000"], "worker", secure=True),
    ),
    tried(
        "A worker told to listen on port 0 says which one it took.",
        lambda: peers(["127.0.0.1:0"], "worker", secure=False),
        lambda: peers(["127.0.0.1:7000"], "worker", secure=False),
    ),
    tried(
        "Make certificates for a trial: anyk certificates DIR --workers 3.",
        lambda: peers(["10.0.0.5:7000"], "worker", secure=False),
        lambda: peers(["10.0.0.5:7000"], "worker", secure=True),
        certificates,
    ),
    tried(
        "Leave the name out, or use certificates.",
        lambda: peers(["worker-0@127.0.0.1:7000"], "worker", secure=False),
        lambda: peers(["127.0.0.1:7000"], "worker", secure=False),
        lambda: peers(["worker-0@127.0.0.1:7000"], "worker", secure=True),
    ),
    tried(
        'Workers of one host need names of their own: "worker-0@HOST:7000", "worker-1@HOST:7001".',
        lambda: peers(["HOST:7000", "HOST:7001"], "worker", secure=True),
        lambda: peers(["worker-0@HOST:7000", "worker-1@HOST:7001"], "worker", secure=True),
    ),
    tried(
        'Write "worker-0@10.0.0.5:7000", say.',
        lambda: peers(["10.0.0.5"], "worker", secure=True),
        lambda: peers(["worker-0@10.0.0.5:7000"], "worker", secure=True),
    ),
    tried(
        "Pass anyk.Lateness(medians=3.0), say.",
        lambda: setattr(anyk.Inline(2), "lateness", 3.0),
        lambda: setattr(anyk.Inline(2), "lateness", anyk.Lateness(medians=3.0)),
    ),
    tried(
        "Give seconds.",
        lambda: anyk.Remote(["127.0.0.1:7"], tls=None, patience=0.0),
        lambda: anyk.Remote(["127.0.0.1:7"], tls=None, patience=1.0).close(),
    ),
    tried(
        "or write @anyk.task above each. It has: f.",
        lambda: offered("def f(x):\n    return x\n"),
        lambda: offered("__all__ = ['f']\ndef f(x):\n    return x\n"),
        lambda: offered("import anyk\n@anyk.task\ndef f(x):\n    return x\n"),
    ),
    tried(
        "Name it as in an import, without .py, where it can be.",
        lambda: Offer("anyk/testing/tasks.py"),
        lambda: Offer("anyk.testing.tasks"),
    ),
    tried(
        "Pass arrays: they travel as raw bytes.",
        lambda: make_request("gram", [list(range(10**6))], 1),
        lambda: make_request("gram", [np.arange(10**6)], 1),
    ),
    tried(
        "Pass fewer and larger ones: np.concatenate(..).",
        lambda: make_request("gram", [[np.arange(2)] * 5000], 1),
        lambda: make_request("gram", [np.concatenate([np.arange(2)] * 5000)], 1),
    ),
    tried(
        "Wrap it in one: def name(x): return f(x).",
        lambda: anyk.task(len),
        lambda: anyk.task(lambda x: len(x)),
    ),
    tried(
        'Pass its name, such as "gram": no code is sent to remote workers.',
        lambda: _named(lambda x: x),
        lambda: _named("gram"),
    ),
    tried(
        "Remote workers know no other domains; use anyk.Processes.",
        lambda: described(SimpleNamespace()),
        lambda: described(anyk.Reals()),
    ),
    tried(
        "No code is sent to remote workers; use anyk.Processes.",
        lambda: _words(Unnamed()),
        lambda: (_words(Plain(abs)), _words(Product())),
        lambda: packed_for_processes(Unnamed(), [], 1),
    ),
    tried(
        "Pass --tls DIR; anyk certificates makes some for a trial.",
        lambda: served(None),
        lambda: served("worker-0"),
    ),
    tried(
        "Make some for a trial: anyk certificates DIR --workers 3; for aggregators, "
        "anyk committee DIR --aggregators 4 --clients 3.",
        lambda: client_context(Path("nowhere"), PROTOCOL),
        certificates,
    ),
]


def run_on(executor, *arguments, f=np.square, workers=4):
    with executor, anyk.distribute(anyk.Replication(1, workers), [2.0], executor) as data:
        return data.run(f, *arguments)


def under_a_lock(lock):
    """A function that refers to a lock, or makes one."""

    def function(x):
        with threading.Lock() if lock is None else lock:
            return x

    return function


def with_few_files(workers, limit=0):
    """Start processes where only a few more files may be open, or as many as said."""
    anyk.Processes(1).close()  # their parent is there
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = {int(entry.name) for entry in Path("/proc/self/fd").iterdir()}
    free = [number for number in range(soft) if number not in taken]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit or free[4], hard))
    try:
        anyk.Processes(workers).close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def killed(worker):
    with anyk.Processes(4) as executor:
        executor.kill(worker)


def offered(text):
    with tempfile.TemporaryDirectory() as directory:
        name = f"tasks_{abs(hash(text))}"
        (Path(directory) / f"{name}.py").write_text(text)
        sys.path.insert(0, directory)
        try:
            return Offer(name)
        finally:
            sys.path.remove(directory)
            sys.modules.pop(name, None)
