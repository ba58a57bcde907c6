"""The wire of `anyk.Remote` beside gRPC, Arrow Flight and ZeroMQ: how fast, and how strict.

Each server is another process on this machine, and sends back what it gets: float64 arrays, over
mutual TLS with the same certificates (ZeroMQ: CURVE keys).

- Speed: calls of 8 numbers and of many, turn by turn in one run. A call of anyk places a share,
  runs a function on it, checks the answer and releases the share; the others move bytes.
- A hoard: a peer that has a certificate sends 32 messages of 48 MiB at once, each on a connection
  of its own, to a server that takes 64 MiB. By how much do the server's processes grow?
- A flood: such a peer sends TLS 1.3 key updates and nothing else. How many are borne in 10 s, and
  how many CPU seconds do they cost the server? (ZeroMQ has no TLS.)

    python benchmarks/wire_beside_others.py [--tiny]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _key_updates import flood_of

import anyk
from anyk.bench.measure import compare, interval, table
from anyk.testing import Trial
from anyk.work import Plain, WorkerTask

HERE = Path(__file__).parent
LIMIT = 64  # MiB of a message, or of a master's shares
Echo = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Place:
    """Where a server listens, and what its clients need.

    Args:
        port: on this machine.
        process: the server's.
        keys: the client's directory of certificates or keys.
        protocol: that TLS agrees on; "" without TLS.
    """

    port: int
    process: int
    keys: Path
    protocol: str


@contextmanager
def served(kind: str, server: Path, client: Path, protocol: str) -> Iterator[Place]:
    """One of the other servers."""
    command = [sys.executable, str(HERE / "_echo_servers.py"), kind, str(server), str(LIMIT << 20)]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Place(int(process.stdout.readline()), process.pid, client, protocol)
        finally:
            process.stdin.close()
            process.wait(20)


@contextmanager
def anyk_server() -> Iterator[Place]:
    """`anyk worker`, with its certificates."""
    options = ("--memory", str(LIMIT))
    with Trial("_echo_tasks", workers=1, directory=HERE, options=options) as trial:
        port = int(trial.addresses[0].rpartition(":")[2])
        yield Place(port, trial.processes[0].pid, trial.master, "anyk/1")


@contextmanager
def anyk_client(place: Place) -> Iterator[Echo]:
    """A share is placed, a function runs on it, and the share is released."""
    task = WorkerTask(Plain("same"), anyk.Reals())
    address = f"worker-0@127.0.0.1:{place.port}"
    with anyk.Remote([address], tls=place.keys) as executor:

        def echo(X: np.ndarray) -> np.ndarray:
            placement = executor.place([X[None]])
            answer = executor.dispatch(task, placement, ()).receive(None)
            executor.release(placement)
            if answer.value is None:
                raise OSError(answer.failure)
            return answer.value

        yield echo


@contextmanager
def certified(kind: str, protocol: str) -> Iterator[Place]:
    """A server that has a certificate of the same kind as anyk's worker."""
    with (
        Trial("_echo_tasks", workers=1, directory=HERE) as trial,
        served(kind, trial.certificates / "worker-0", trial.master, protocol) as place,
    ):
        yield place


def pems(directory: Path) -> dict[str, bytes]:
    """The files of a party."""
    return {
        name: (directory / f"{name}.pem").read_bytes()
        for name in ("authority", "key", "certificate")
    }


@contextmanager
def grpc_client(place: Place) -> Iterator[Echo]:
    """A unary call of bytes."""
    import grpc  # noqa: PLC0415 - the bench extra

    options = [
        ("grpc.max_receive_message_length", -1),
        ("grpc.max_send_message_length", -1),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.ssl_target_name_override", "worker-0"),
    ]
    files = pems(place.keys)
    credentials = grpc.ssl_channel_credentials(
        files["authority"], files["key"], files["certificate"]
    )
    with grpc.secure_channel(f"127.0.0.1:{place.port}", credentials, options) as channel:
        same = channel.unary_unary("/echo/Same")
        yield lambda X: np.frombuffer(same(X.tobytes()), X.dtype).reshape(X.shape)


@contextmanager
def flight_client(place: Place) -> Iterator[Echo]:
    """An exchange of one record batch."""
    import pyarrow as pa  # noqa: PLC0415 - the bench extra
    from pyarrow import flight  # noqa: PLC0415 - as above

    files = pems(place.keys)
    client = flight.connect(
        f"grpc+tls://127.0.0.1:{place.port}",
        tls_root_certs=files["authority"],
        cert_chain=files["certificate"],
        private_key=files["key"],
        override_hostname="worker-0",
    )
    descriptor = flight.FlightDescriptor.for_path("same")

    def echo(X: np.ndarray) -> np.ndarray:
        batch = pa.record_batch([pa.array(X.ravel())], names=["x"])
        writer, reader = client.do_exchange(descriptor)
        with writer:
            writer.begin(batch.schema)
            writer.write_batch(batch)
            writer.done_writing()
            return reader.read_all().column(0).combine_chunks().to_numpy().reshape(X.shape)

    with client:
        yield echo


@contextmanager
def zmq_server() -> Iterator[Place]:
    """A server with CURVE keys, and a client's that it knows."""
    import zmq.auth  # noqa: PLC0415 - the bench extra

    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "curve").mkdir()
        zmq.auth.create_certificates(directory, "server")
        zmq.auth.create_certificates(directory / "curve", "client")
        with served("zmq", directory, directory, "") as place:
            yield place


@contextmanager
def zmq_client(place: Place) -> Iterator[Echo]:
    """A request and a reply, without copies."""
    import zmq  # noqa: PLC0415 - the bench extra
    import zmq.auth  # noqa: PLC0415 - as above

    with zmq.Context() as context, context.socket(zmq.REQ) as link:
        keys = zmq.auth.load_certificate(place.keys / "curve" / "client.key_secret")
        link.curve_publickey, link.curve_secretkey = keys
        link.curve_serverkey, _ = zmq.auth.load_certificate(place.keys / "server.key")
        link.linger, link.rcvtimeo = 0, 30_000
        link.connect(f"tcp://127.0.0.1:{place.port}")

        def echo(X: np.ndarray) -> np.ndarray:
            link.send(X, copy=False)
            return np.frombuffer(link.recv(copy=False).buffer, X.dtype).reshape(X.shape)

        yield echo


@dataclass(frozen=True)
class Side:
    """One way to send arrays to another process.

    Args:
        name: in tables.
        server: starts one.
        client: connects to it.
    """

    name: str
    server: Callable[[], AbstractContextManager[Place]]
    client: Callable[[Place], AbstractContextManager[Echo]]


SIDES = (
    Side("anyk.Remote", anyk_server, anyk_client),
    Side("gRPC", lambda: certified("grpc", "h2"), grpc_client),
    Side("Arrow Flight", lambda: certified("flight", "h2"), flight_client),
    Side("ZeroMQ, CURVE", zmq_server, zmq_client),
)


def speeds(numbers: int, rounds: int, calls: int) -> list[list[str]]:
    """A row a side: the time of a call of so many numbers."""
    X = np.random.default_rng(0).random(numbers)
    with ExitStack() as stack:
        echoes = {}
        for side in SIDES:
            echo = stack.enter_context(side.client(stack.enter_context(side.server())))
            if not np.array_equal(echo(X), X):
                raise SystemExit(f"{side.name} sent something else back")
            echoes[side.name] = echo

        def several(echo: Echo) -> Callable[[], None]:
            def do() -> None:
                for _ in range(calls):
                    echo(X)

            return do

        taken = compare({name: several(echo) for name, echo in echoes.items()}, rounds=rounds)
    rows = []
    for name, seconds in taken.items():
        each = interval(1e3 * seconds / calls)
        ratio = interval(taken["anyk.Remote"] / seconds)
        rate = 2 * X.nbytes / 1e3 / each.median
        rows.append([f"{numbers} numbers", name, str(each), f"{rate:.1f}", str(ratio)])
    return rows


def tree(process: int) -> list[int]:
    """A process and all that descend from it."""
    found, left = [], [process]
    while left:
        each = left.pop()
        found.append(each)
        try:
            for thread in Path(f"/proc/{each}/task").iterdir():
                left += map(int, (thread / "children").read_text().split())
        except OSError:
            continue  # it has ended
    return found


def read(process: int, file: str) -> Iterator[str]:
    """A file of /proc, of a process and of its descendants."""
    for each in tree(process):
        try:
            yield Path(f"/proc/{each}/{file}").read_text()
        except OSError:
            continue  # it has ended


def resident(process: int) -> float:
    """MiB that a server has now; what its processes share is counted once."""
    shares = (each.partition("Pss:")[2].split() for each in read(process, "smaps_rollup"))
    return sum(int(share[0]) for share in shares if share) / 1024


def busy(process: int) -> float:
    """CPU seconds of a server so far, of processes that have ended too."""
    ticks = sum(
        sum(map(int, each.rpartition(")")[2].split()[11:15])) for each in read(process, "stat")
    )
    return ticks / os.sysconf("SC_CLK_TCK")


def hoard(side: Side, messages: int, size: int) -> list[str]:
    """By how much a server grows that is sent so many large messages at once."""
    X = np.zeros(size // 8)
    with side.server() as place:

        def one() -> None:
            try:
                with side.client(place) as echo:
                    echo(X)
            except Exception:  # noqa: BLE001, S110 - refused, as it may be
                pass

        threads = [threading.Thread(target=one, daemon=True) for _ in range(messages)]
        before = most = resident(place.process)
        for thread in threads:
            thread.start()
        end = time.monotonic() + 60
        while any(thread.is_alive() for thread in threads) and time.monotonic() < end:
            most = max(most, resident(place.process))
            time.sleep(0.01)
    return [f"hoard of {messages} x {size >> 20} MiB", side.name, f"{most - before:.0f} MiB more"]


def flood(side: Side, seconds: float) -> list[str]:
    """How many key updates a server bears, and what they cost it."""
    with side.server() as place:
        if not place.protocol:
            return ["flood of key updates", side.name, "no TLS"]
        before, begun, sent = busy(place.process), time.monotonic(), 0
        borne = f"all, in {seconds:g} s"
        try:
            for number in flood_of(place.port, place.keys, place.protocol):
                sent += number
                if time.monotonic() - begun > seconds:
                    break
        except OSError:
            borne = f"cut off after {time.monotonic() - begun:.1f} s"
        cost = busy(place.process) - before
    told = f"{sent} key updates, {borne}; {cost:.1f} CPU s of the server"
    return ["flood of key updates", side.name, told]


def main() -> None:
    """Measure, and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tiny", action="store_true", help="a quick look, for the gate")
    tiny = parser.parse_args().tiny
    rows = speeds(8, 3 if tiny else 15, 20 if tiny else 200)
    rows += speeds(1 << (15 if tiny else 22), 3 if tiny else 15, 1)
    print(table(["a call of", "by", "ms", "MB/s", "anyk's time / its time"], rows), flush=True)
    messages, size = (4, 1 << 20) if tiny else (32, 48 << 20)
    told = [hoard(side, messages, size) for side in SIDES]
    told += [flood(side, 0.5 if tiny else 10.0) for side in SIDES]
    print()
    print(table(["attack", "on", "what came of it"], told))


if __name__ == "__main__":
    main()
