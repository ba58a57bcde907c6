"""Hostile frames and handshakes in both directions, for as long as you like.

Four campaigns, in turns, from a seed:

- strangers: who shakes hands with a worker and should not be let in, or is, and then breaks TLS:
  flights mutated and cut off, half-open connections, trickles, TLS 1.2, other protocols,
  certificates that are expired, early, revoked, another authority's, another name's, self-signed,
  a worker's or none; tickets; key updates, renegotiation, records forged, replayed and empty.
- masters: who has a master's certificate, and sends a worker mutated and half frames, huge
  declared sizes, bombs of JSON, rings and promises, pickles, names that are not offered, fields of
  wrong types, messages in wrong order; who trickles, or does not read the answers.
- servers: the same as strangers, by workers, to a master.
- workers: who has a worker's certificate, and answers as in `remote_under_attack`.

    python benchmarks/fuzz_the_wire.py [--number 2000 | --seconds 3600] [--seed 0] [--tiny]

It exits with 1 if something was executed that is not offered, a stranger was answered, a hostile
frame became a value, a visit or a connection that was left open took more than its deadline and a
second, an honest master had no right answer in the middle of it, or memory grew beyond what is
stated: 64 MiB of a master and of the process in which a worker listens; in a process of a session
also `--memory` and `--task-memory`.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from _fuzz_parties import make_parties
from _fuzz_visits import STRANGERS, Door, Held, Masters, Strangers
from _hostile_handshakes import SERVERS
from remote_under_attack import HOSTILE, LIMIT, frames, hostile
from wire_beside_others import tree

import anyk
from anyk.connections.broken import BrokenAnswer
from anyk.connections.certificates import make_certificates
from anyk.connections.handshake import reach
from anyk.connections.party import Stranger
from anyk.executors.core.answer_header import LONGEST_HEADER
from anyk.executors.remote.frames import PROTOCOL, Channel
from anyk.testing import Trial

HERE = Path(__file__).parent
GREETING, IDLE, TASK, REACH = 10.0, 3.0, 2.0, 0.5  # deadlines, seconds
MEMORY, TASK_MEMORY, SPARE = 16, 64, 64  # MiB
ROUND = {"strangers": 60, "masters": 240, "servers": 60, "workers": 640}
OPTIONS = ("--memory", str(MEMORY), "--task-memory", str(TASK_MEMORY), "--sessions", "8")
OPTIONS += ("--idle-seconds", f"{IDLE:g}", "--task-seconds", f"{TASK:g}")


class Watch:
    """How much memory processes take: a worker that listens, those below it, and this one."""

    def __init__(self, listening: list[int]) -> None:
        self._listening = listening
        self._first = {each: _resident(each, "VmRSS") for each in listening}
        self._begun: dict[int, float] = {}  # of each session, when it was first seen
        self.listener = self.session = 0.0
        self._own = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """From now on this process should not grow."""
        self._own = _peak()

    @property
    def own(self) -> float:
        """MiB that this one has grown since."""
        return _peak() - self._own

    def end(self) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.1):
            for each in self._listening:
                first = self._first[each]
                self.listener = max(self.listener, _resident(each, "VmRSS") - first)
                for below in tree(each)[1:]:
                    begun = self._begun.setdefault(below, _resident(below, "VmRSS"))
                    self.session = max(self.session, _resident(below, "VmHWM") - begun)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _resident(process: int, name: str) -> float:
    try:
        lines = Path(f"/proc/{process}/status").read_text("ascii").splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


class Tally:
    """What came of the visits."""

    def __init__(self) -> None:
        self.many: collections.Counter[tuple[str, str]] = collections.Counter()
        self.seconds: dict[tuple[str, str], float] = collections.defaultdict(float)
        self.longest: dict[str, float] = collections.defaultdict(float)
        self.faults: list[str] = []

    def time(self, campaign: str, kind: str, visit: Callable[[], bool], limit: float) -> None:
        """Make a visit, of which nothing should come within the limit."""
        started = time.monotonic()
        if visit():
            self.faults.append(f"{campaign}, {kind}: ACCEPTED")
        took = time.monotonic() - started
        self.many[campaign, kind] += 1
        self.seconds[campaign, kind] += took
        self.longest[campaign] = max(self.longest[campaign], took)
        if took > limit + 1:
            self.faults.append(f"{campaign}, {kind}: took {took:.1f} s, of {limit:g}")

    def show(self) -> None:
        """Print it."""
        for campaign in ROUND:
            mine = {kind: many for (where, kind), many in self.many.items() if where == campaign}
            took = sum(self.seconds[campaign, kind] for kind in mine)
            many = sum(mine.values())
            print(
                f"{campaign}: {many:,} in {took:.0f} s, {many / took:.0f} a second; "
                f"the longest took {self.longest[campaign]:.1f} s"
            )
            for kind, many in sorted(mine.items()):
                rate = many / max(self.seconds[campaign, kind], 1e-9)
                print(f"    {many:>8,}  {kind} ({rate:.0f} a second)")


@contextmanager
def worker(place: Path, spare: int = 0) -> Iterator[Trial]:
    """An honest worker, which says in this directory what it runs."""
    place.mkdir()
    os.environ["ANYK_FUZZ"] = str(place)
    options = {"directory": HERE, "options": OPTIONS, "spare": spare}
    with Trial("_fuzz_tasks", workers=1, **options) as trial:
        yield trial


@contextmanager
def server(certificates: Path, seed: int) -> Iterator[Callable[[str], int]]:
    """A worker whose TLS is hostile: told what to do next, it says its port."""
    command = [sys.executable, str(HERE / "_hostile_handshakes.py"), "--seed", str(seed)]
    command += ["--parties", str(certificates)]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        port = int(process.stdout.readline())

        def next_is(kind: str) -> int:
            process.stdin.write(kind + "\n")
            process.stdin.flush()
            return port

        try:
            yield next_is
        finally:
            process.stdin.close()
            process.wait(20)


def reached(port: int, party: Path) -> bool:
    """Whether a master has believed anything that a hostile server has sent."""
    deadline = time.monotonic() + REACH
    connection = socket.create_connection(("127.0.0.1", port), REACH)
    try:
        channel = Channel(reach(connection, party, "worker-0", deadline, protocol=PROTOCOL))
        channel.receive_header(LONGEST_HEADER, deadline)
    except (Stranger, BrokenAnswer, EOFError, OSError):
        return False
    finally:
        connection.close()
    return True


def honest(trial: Trial) -> bool:
    """Whether a master gets no right answer, in the middle of it."""
    scheme, X = anyk.Replication(blocks=1, workers=1), np.array([[[1, 2], [3, 4]]])
    with anyk.Remote(trial.addresses, tls=trial.master, patience=GREETING) as executor:
        outcome = anyk.run(scheme, "gram", X, executor, deadline=GREETING)
    return not np.array_equal(outcome.value[0], X[0].T @ X[0])


class Campaigns:
    """All four, with what they need.

    Args:
        place: for files.
        stack: closes what was opened.
        seed: for all.
        tally: of all.
    """

    def __init__(self, place: Path, stack: ExitStack, seed: int, tally: Tally) -> None:
        self._place, self._tally = place, tally
        self._rng = random.Random(seed)  # noqa: S311 - nothing here is secret
        self._bomb = place / "made-by-a-pickle"
        first = stack.enter_context(worker(place / "first", spare=1))
        second = stack.enter_context(worker(place / "second"))
        make_parties(first.certificates, first.certificates.parent / "false master", "master")
        self.trials = [first, second]
        doors = [self._door(trial) for trial in self.trials]
        self.held = {"strangers": Held(16, GREETING), "masters": Held(3, IDLE)}
        self._strangers = Strangers(doors[0], self.held["strangers"], self._rng)
        self._masters = Masters(doors[1], self.held["masters"], self._rng, str(self._bomb))
        certificates = place / "c"
        make_certificates(certificates, workers=HOSTILE)
        make_parties(certificates, place / "false", "worker-0")
        self._master = certificates / "master"
        self._server = stack.enter_context(server(place, seed))
        more = ("--seed", str(seed), "--tls", str(certificates))
        ports = stack.enter_context(hostile(self._bomb, *more))
        names = [f"worker-{each}@127.0.0.1:{port}" for each, port in enumerate(ports)]
        self._executor = stack.enter_context(
            anyk.Remote(names, tls=self._master, patience=30, largest_answer=LIMIT)
        )
        self.expected = 0  # runs on the first worker

    def _door(self, trial: Trial) -> Door:
        port = int(trial.addresses[0].rpartition(":")[2])
        return Door(port, trial.certificates, self._place / f"secrets-{port}")

    def round(self, share: float) -> None:
        """One part of each campaign."""
        tally, numbers = self._tally, {name: int(many * share) for name, many in ROUND.items()}
        for _ in range(numbers["strangers"]):
            kind = self._rng.choice(STRANGERS)
            tally.time("strangers", kind, lambda kind=kind: self._strangers.visit(kind), GREETING)
            self.expected += kind == "ticket"
        for _ in range(numbers["masters"]):
            kind = self._rng.choice(self._masters.names)
            tally.time("masters", kind, lambda kind=kind: self._masters.visit(kind), TASK + IDLE)
        for _ in range(numbers["servers"]):
            kind = self._rng.choice(SERVERS)
            port = self._server(kind)
            tally.time("servers", kind, lambda port=port: reached(port, self._master), REACH)
        started = time.monotonic()
        reasons, values, _ = frames(self._executor, numbers["workers"])
        took = time.monotonic() - started
        for reason, many in reasons.items():
            tally.many["workers", reason] += many
            tally.seconds["workers", reason] += took * many / reasons.total()
        tally.longest["workers"] = max(tally.longest["workers"], took / reasons.total())
        if values:
            tally.faults.append(f"{values} frames of hostile workers became values")
        self._masters.leave()
        for trial in self.trials:
            tally.time("honest", "gram", lambda trial=trial: honest(trial), GREETING)
        self.expected += 1

    def end(self) -> None:
        """Wait for what was left open, and look for what should not be there."""
        for name, held in self.held.items():
            held.wait()
            print(
                f"left open by {name}: {held.ended:,}; the worker ended the last of them after "
                f"{held.longest:.1f} s, of {held.limit:g}"
            )
            for kind, late in held.late.items():
                if late:
                    self._tally.faults.append(f"{name}, {kind}: {late} left open were not ended")
        masters = self._masters
        print(
            f"to masters: {masters.closed:,} sessions ended, {masters.failed:,} failed answers, "
            f"{masters.values} values for frames that bytes were changed in"
        )
        ran = (self._place / "first" / "ran").stat().st_size
        if ran != self.expected:
            self._tally.faults.append(f"strangers ran {ran - self.expected} functions")
        executed = [self._bomb, *self._place.glob("*/executed")]
        self._tally.faults += [f"EXECUTED: {each}" for each in executed if each.exists()]


def main() -> int:
    """Print what came of it, and say whether the claim holds."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--number", type=int, default=2000, help="frames and handshakes, about")
    parser.add_argument("--seconds", type=float, help="for so long instead")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tiny", action="store_true", help="a few seconds")
    options = parser.parse_args()
    tally = Tally()
    number = 150 if options.tiny else options.number
    share = 0.25 if options.tiny else 1.0
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        campaigns = Campaigns(Path(name), stack, options.seed, tally)
        watch = Watch([trial.processes[0].pid for trial in campaigns.trials])
        rounds = 0
        while True:
            campaigns.round(share)
            rounds += 1
            if rounds == 1:
                watch.begin()  # hostile frames are made here too, the largest once by now
            over = time.monotonic() - started >= (options.seconds or 0)
            if over and (options.seconds or tally.many.total() >= number):
                break
        campaigns.end()
        watch.end()
    tally.show()
    took = time.monotonic() - started
    print(f"{tally.many.total():,} in {took:.0f} s, {tally.many.total() / took:.0f} a second")
    most = {"listener": SPARE, "session": MEMORY + TASK_MEMORY + SPARE, "own": SPARE}
    for what, bound in most.items():
        grown = getattr(watch, what)
        print(f"memory, {what}: {grown:.0f} MiB more, of at most {bound}")
        if grown > bound:
            tally.faults.append(f"memory of {what}: {grown:.0f} MiB")
    for fault, many in collections.Counter(tally.faults).most_common(20):
        print(f"    {many} x {fault}")
    print("the claim holds" if not tally.faults else f"the claim fails: {len(tally.faults)}")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
