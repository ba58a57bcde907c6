"""A master whose workers do whatever they can to it: 200,000 hostile frames.

Hostile workers, which have certificates of their own, answer with random bytes, huge declared
sizes, wrong dtypes and shapes, pickles that would make a file, truncated frames, replayed answers,
answers for another share, and headers that are no headers. Three campaigns:

- plain: frames on bare connections, where most of them can be sent; each must be one failure.
- TLS: the same over mutual TLS, with a new handshake after each.
- runs: `anyk.run` on five honest workers and four hostile ones, of which one may lie as well; the
  value must be right, and only liars may be named.

Then strangers try to be the master of an honest worker: without a certificate, with another
authority's, with a worker's, with random bytes; it must serve its own master all the while.

    python benchmarks/remote_under_attack.py [--tiny] [--frames 200000]

It exits with 1 if a hostile frame became a value, an exception other than the documented ones came
out, the master's memory grew by more than 64 MiB, a file was made, or a value was wrong.
"""

from __future__ import annotations

import argparse
import collections
import random
import re
import resource
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import anyk
from anyk.connections.certificates import make_certificates
from anyk.testing import Trial
from anyk.work import Plain, WorkerTask

HERE = Path(__file__).parent
HOSTILE, HONEST = 8, 5
LIMIT = 1 << 20  # bytes of an answer
ALLOWED = 64  # MiB that the master may grow
LIES = ("mutated", "chatty", "replayed", "another_share")
FIELD = anyk.PrimeField()


@contextmanager
def hostile(bomb: Path, *more: str, workers: int = HOSTILE, first: int = 0) -> Iterator[list[str]]:
    """Addresses of hostile workers, which are gone afterwards."""
    command = [sys.executable, str(HERE / "_hostile_worker.py"), "--bomb", str(bomb), *more]
    command += ["--workers", str(workers), "--first", str(first)]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process.stdout.readline().split()
        finally:
            process.stdin.close()


def memory() -> float:
    """The most MiB that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def frames(executor: anyk.Remote, number: int) -> tuple[collections.Counter[str], int, float]:
    """Ask until so many hostile answers have come: reasons, values among them, MiB grown."""
    reasons: collections.Counter[str] = collections.Counter()
    placement = executor.place([FIELD.at_rest(np.arange(4 * HOSTILE).reshape(HOSTILE, 2, 2))])
    task = WorkerTask(Plain("gram"), FIELD)
    values = asked = 0
    before = 0.0
    while asked < number:
        dispatch = executor.dispatch(task, placement, ())
        for _ in range(HOSTILE):
            answer = dispatch.receive(60.0)
            if answer is None:
                raise SystemExit("a hostile worker hung the master")
            asked += 1
            values += answer.value is not None
            reasons[" ".join(re.sub("[0-9]+", "#", answer.failure or "").split())[:70]] += 1
        before = before or memory()
    return reasons, values, memory() - before


def runs(bomb: Path, number: int, seed: int, honest: int = HONEST) -> collections.Counter[str]:
    """Whole runs on 3 or 5 honest workers and 4 hostile ones, by what came of them."""
    blocks = (honest - 1) // 2
    scheme = anyk.Lagrange(blocks=blocks, degree=2, workers=honest + 4, adversaries=1)
    rng = np.random.default_rng(seed)
    tally: collections.Counter[str] = collections.Counter()
    with Trial("anyk.testing.tasks", workers=honest, spare=4) as trial:
        tls = str(trial.certificates)
        base = ("--tls", tls, "--seed", str(seed))
        with (
            hostile(bomb, *base, workers=3, first=honest) as refused,
            hostile(bomb, *base, "--kinds", *LIES, workers=1, first=honest + 3) as liar,
        ):
            places = [
                f"worker-{honest + place}@127.0.0.1:{port}"
                for place, port in enumerate([*refused, *liar])
            ]
            addresses = [*places, *trial.addresses]
            with anyk.Remote(addresses, tls=trial.master, largest_answer=LIMIT) as executor:
                for _ in range(number):
                    X = rng.integers(FIELD.modulus, size=(blocks, 3, 2))
                    outcome = anyk.run(scheme, "gram", X, executor, deadline=60.0)
                    x = FIELD.array(X)
                    truth = np.stack([(block.T @ block).values for block in x])
                    fine = np.array_equal(outcome.value, truth) and set(outcome.suspects) <= {3}
                    tally["right" if fine else "WRONG"] += 1
                    tally["a liar was named"] += bool(outcome.suspects)
    return tally


def strangers(number: int, seed: int) -> collections.Counter[str]:
    """Attempts to be the master of an honest worker, by what came of them."""
    rng = random.Random(seed)  # noqa: S311 - nothing here is secret
    tally: collections.Counter[str] = collections.Counter()
    with Trial("anyk.testing.tasks", workers=1) as trial, tempfile.TemporaryDirectory() as other:
        make_certificates(Path(other) / "c", workers=1)
        identities = {
            "no certificate": None,
            "another authority's": Path(other) / "c" / "master",
            "a worker's": trial.certificates / "worker-0",
            "random bytes": None,
        }
        port = int(trial.addresses[0].rpartition(":")[2])
        scheme = anyk.Replication(blocks=1, workers=1)
        with anyk.Remote(trial.addresses, tls=trial.master) as executor:
            for place in range(number):
                kind = list(identities)[place % len(identities)]
                got = intrude(port, kind, identities[kind], trial, rng)
                tally[f"{kind}: {'ANSWERED' if got else 'refused'}"] += 1
                if place % 10 == 0:
                    anyk.run(scheme, "gram", np.ones((1, 2, 2)), executor, deadline=60.0)
    return tally


def intrude(port: int, kind: str, directory: Path | None, trial: Trial, rng: random.Random) -> bool:
    """Whether a stranger got a single byte out of a worker, beyond TLS."""
    try:
        with socket.create_connection(("127.0.0.1", port), 10.0) as plain:
            if kind == "random bytes":
                plain.sendall(rng.randbytes(500))
                data = plain.recv(1000)
                return bool(data) and data[0] != 21  # a TLS alert is no answer
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(trial.master / "authority.pem")
            context.set_alpn_protocols(["anyk/1"])
            if directory is not None:
                context.load_cert_chain(directory / "certificate.pem", directory / "key.pem")
            with context.wrap_socket(plain, server_hostname="worker-0") as secure:
                secure.sendall(b'\0\0\0\x3c{"verb": "run", "key": 0, "serial": 1, "arrays": []}')
                return bool(secure.recv(100))
    except OSError:
        return False


def main() -> int:
    """Print what came of each campaign, and say whether the claim holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tiny", action="store_true", help="a few seconds, and no verdict")
    options = parser.parse_args()
    total = 800 if options.tiny else options.frames
    over_tls, whole, guests = total // 20, total // 200, total // 500
    wrong = 0
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        bomb = directory / "made-by-a-pickle"
        make_certificates(directory / "c", workers=HOSTILE)
        seed = ("--seed", str(options.seed))
        for name, number in (("plain", total - over_tls), ("TLS", over_tls)):
            secure = name == "TLS"
            more = (*seed, "--tls", str(directory / "c")) if secure else seed
            with hostile(bomb, *more) as ports:
                names = [f"worker-{worker}@" if secure else "" for worker in range(HOSTILE)]
                places = [
                    f"{name}127.0.0.1:{port}" for name, port in zip(names, ports, strict=True)
                ]
                tls = directory / "c" / "master" if secure else None
                started = time.perf_counter()
                with anyk.Remote(places, tls=tls, patience=30, largest_answer=LIMIT) as executor:
                    reasons, values, grown = frames(executor, number)
            took = time.perf_counter() - started
            print(
                f"{name}: {reasons.total():,} hostile frames in {took:.0f} s, {values} became "
                f"values, {len(reasons)} kinds of failure, the master grew by {grown:.1f} MiB"
            )
            for reason, often in reasons.most_common(12):
                print(f"    {often:>8,}  {reason}")
            wrong += values + (grown > ALLOWED)
        tally = runs(bomb, whole, options.seed)
        print(f"runs: {dict(tally)}")
        wrong += tally["WRONG"]
        visits = strangers(max(guests, 8), options.seed)
        print(f"strangers: {dict(visits)}")
        wrong += sum(often for what, often in visits.items() if "ANSWERED" in what)
        made = bomb.exists()
        print(f"files made by pickles: {int(made)}; the master's peak memory: {memory():.0f} MiB")
        wrong += made
    if options.tiny:
        return 0
    print("the claim holds" if not wrong else f"the claim fails: {wrong}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
