"""Ten thousand clients, a hundred thousand numbers each: what every role of a committee pays.

Clients come one after the other, as they would over days: each makes its one message and is gone.
Fifteen aggregators (blocks=8, colluders=3, adversaries=1, stragglers=2) add pieces as they come;
one of them dies half way, and one lies in its sum. All is in one process, so that CPU time is
counted by role: of clients, of the server (with its checks of every signature and digest), and of
the aggregators. The baseline is a sum that hides nothing: float32 sent as it is, and added.

Claims: the sum is that of the rounded vectors, bit for bit, and the liar is named; memory of the
process grows by less than 96 MiB, whatever the number of clients; a client sends at most 1.6 times
its vector of 4 bytes a number. Then every set of 10 clients (of 5 where it is tiny), one round
each: exact.

    python benchmarks/aggregation_at_scale.py [--clients 10000] [--numbers 100000] [--tiny]

Ten thousand clients take two minutes of one core. It exits with 1 if a claim fails.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import anyk
from anyk import aggregation

BITS = 13  # with magnitude 8, sums of 10,000 fit one prime
MOST_GROWTH = 96.0  # MiB: what the server holds before it relays, and its copies
MOST_UPLOAD = 1.6
PAGE = os.sysconf("SC_PAGE_SIZE") / 2**20


def resident() -> float:
    """MiB of this process."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE


@dataclass
class Timed(aggregation.AbstractParty):
    """A party whose CPU time is counted; it may die, or lie."""

    inner: aggregation.AbstractParty
    spent: float = 0.0
    dead: bool = False
    asked: int = 0
    answered: int = 0

    def answer(self, request: bytes) -> bytes:
        """As the party does."""
        if self.dead:
            raise ConnectionError("it died")
        start = time.process_time()
        answer = self.inner.answer(request)
        self.spent += time.process_time() - start
        self.asked += len(request)
        self.answered += len(answer)
        return answer


@dataclass
class Cost:
    """CPU milliseconds of one thing that was done many times."""

    times: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        many = np.array(self.times) * 1e3
        half = 1.96 * many.std(ddof=1) / np.sqrt(len(many)) if len(many) > 1 else np.nan
        return f"{many.mean():.2f} ± {half:.2f} ms"


def crooked(plan: Any, identity: aggregation.Identity, roster: Any) -> aggregation.AbstractParty:
    """An aggregator that adds pieces of a client that was never there."""
    party = aggregation.Aggregator(plan, identity, roster)
    sign = party._sign  # noqa: SLF001 - a liar looks behind the curtain

    def lie(*given: Any) -> bytes:
        signature = sign(*given)
        for holding in party._rounds.values():  # noqa: SLF001
            holding._totals[0] += np.uint64(12345)  # noqa: SLF001
        return signature

    party._sign = lie  # type: ignore[method-assign]  # noqa: SLF001
    return party


def vector(at: int, numbers: int) -> NDArray[np.float64]:
    """Of one client."""
    return np.random.default_rng(at).normal(size=numbers).clip(-8, 8)


def at_scale(clients: int, numbers: int) -> bool:
    """One round, with its costs."""
    plan = aggregation.Committee(
        aggregators=15,
        length=numbers,
        clients=clients,
        numbers=anyk.FixedPoint(fraction_bits=BITS, magnitude=8.0),
        colluders=3,
        adversaries=1,
        stragglers=2,
    )
    people = [aggregation.Identity.generate(f"client-{at}") for at in range(clients)]
    helpers = [aggregation.Identity.generate(f"aggregator-{at}") for at in range(15)]
    roster = aggregation.Roster(
        clients=tuple(each.member for each in people),
        aggregators=tuple(each.member for each in helpers),
    )
    parties = {each.name: Timed(aggregation.Aggregator(plan, each, roster)) for each in helpers}
    parties["aggregator-7"] = Timed(crooked(plan, helpers[7], roster))
    served = aggregation.Server(plan, roster, aggregation.LocalParties(parties)).round(1)
    own, plain, server = Cost(), Cost(), 0.0
    truth = np.zeros(numbers, dtype=np.int64)
    bare = np.zeros(numbers, dtype=np.float32)
    memory, sent, refused = [], 0, 0
    began = time.perf_counter()
    for at, identity in enumerate(people):
        row = vector(at, numbers)
        truth += np.floor(row * 2**BITS + 0.5).astype(np.int64)
        client = aggregation.Client(plan, identity, roster)
        start = time.process_time()
        message = client.contribute(row, round=1)
        own.times.append(time.process_time() - start)
        start = time.process_time()
        bare += np.frombuffer(row.astype(np.float32).tobytes(), dtype=np.float32)
        plain.times.append(time.process_time() - start)
        sent += len(message)
        start, before = time.process_time(), sum(each.spent for each in parties.values())
        refused += bool(served.receive(message))
        spent = sum(each.spent for each in parties.values()) - before
        server += time.process_time() - start - spent
        if at == clients // 2:
            parties["aggregator-2"].dead = True
        if at % max(1, clients // 20) == 0:
            memory.append(resident())
    start, before = time.process_time(), sum(each.spent for each in parties.values())
    result = served.close()
    spent = sum(each.spent for each in parties.values()) - before
    close = time.process_time() - start - spent
    exact = bool((result.total * 2**BITS == truth).all())
    growth = max(memory) - memory[min(2, len(memory) - 1)]
    upload = sent / clients / (4 * numbers)
    others = [each for name, each in parties.items() if name != "aggregator-2"]
    primes, ratio = len(plan.vectors.fields), f"{upload:.2f} x 4 bytes a number"
    print(f"{clients} clients x {numbers} numbers, K = {plan.blocks}, primes = {primes}:")
    print(f"  a client        {own}, {sent / clients / 1e6:.3f} MB sent: {ratio}")
    print(f"  a plain client  {plain} with the sum, {4 * numbers / 1e6:.3f} MB sent")
    print(
        f"  an aggregator   {np.mean([e.spent for e in others]):.2f} s, "
        f"{np.mean([e.spent for e in others]) / clients * 1e3:.3f} ms a client; "
        f"{np.mean([e.asked for e in others]) / clients / 1e3:.1f} kB a client in, "
        f"{np.mean([e.answered for e in others]) / 1e3:.1f} kB in all out"
    )
    print(
        f"  the server      {server + close:.2f} s, {server / clients * 1e3:.3f} ms a client and "
        f"{close * 1e3:.0f} ms at the end; {result.bytes['relayed'] / 1e9:.3f} GB relayed"
    )
    print(f"  memory          {memory[0]:.0f} MiB, {growth:+.1f} MiB from the first tenth on")
    print(f"  wall            {time.perf_counter() - began:.0f} s, all roles on one core")
    print(f"  exact {exact}, lied {result.liars}, silent {tuple(result.silent)}")
    fine = exact and result.liars == ("aggregator-7",) and not result.left_out and not refused
    return fine and growth <= MOST_GROWTH and (upload <= MOST_UPLOAD or numbers < 10_000)


def every_set(clients: int) -> bool:
    """Every set of clients of one roster, a round each."""
    plan = aggregation.Committee(
        aggregators=4, length=3, clients=clients, numbers=aggregation.Whole(1000), stragglers=0,
        least_clients=1,
    )  # fmt: skip
    people = [aggregation.Identity.generate(f"c{at}") for at in range(clients)]
    helpers = [aggregation.Identity.generate(f"s{at}") for at in range(4)]
    roster = aggregation.Roster(
        clients=tuple(each.member for each in people),
        aggregators=tuple(each.member for each in helpers),
    )
    rows = np.random.default_rng(1).integers(-1000, 1001, (clients, 3))
    messages = [
        aggregation.Client(plan, each, roster).contribute(row, round=1)
        for each, row in zip(people, rows, strict=True)
    ]
    wrong = 0
    members = list(itertools.product((False, True), repeat=clients))[1:]
    for there in members:
        parties = {each.name: aggregation.Aggregator(plan, each, roster) for each in helpers}
        served = aggregation.Server(plan, roster, aggregation.LocalParties(parties)).round(1)
        for message in itertools.compress(messages, there):
            served.receive(message)
        wrong += not (served.close().total == rows[np.array(there)].sum(axis=0)).all()
    print(f"every set of {clients} clients: {len(members)} rounds, {wrong} wrong")
    return not wrong


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=10_000)
    parser.add_argument("--numbers", type=int, default=100_000)
    parser.add_argument("--tiny", action="store_true")
    given = parser.parse_args()
    clients, numbers = (40, 2000) if given.tiny else (given.clients, given.numbers)
    fine = at_scale(clients, numbers)
    fine &= every_set(5 if given.tiny else 10)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
