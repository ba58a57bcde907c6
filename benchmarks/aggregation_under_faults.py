"""Random faults on a committee of real processes over TLS: nothing wrong, nothing hung, no leak.

Seven aggregators, each a process, of which one may lie and one be silent; eight clients. Each round
has random faults, one at least:

- aggregators: killed from outside, before or after they note what they sign, or as they give their
  sum; stopped; late; with answers that are garbage, cut, changed in a bit, of an earlier request,
  refused, too long, sent drop by drop or half; with sums that are wrong in all numbers or in one,
  zero, or of another round, and well signed; with wrong words about a client's box.
- clients: gone, twice the same message, two different ones, garbage, a message that was cut or
  changed, one of an earlier round, pieces that do not lie on a curve, numbers out of range.
- the server: proposes two sets of one round to two halves, with a colluder who signs both.

Within the promise the sum must be that of all clients who sent one good message, exactly, and a
well signed wrong sum must be named. A client whose pieces lie off the curve may be counted where
the aggregators that have the pieces of one side were left out, as its vector is known then. Beyond
the promise the sum is right or an error says what is missing.
Two sets of one round must never both have enough sums.

All that the server sent and got, all messages of clients, all logs and journals, all errors with
their tracebacks, and all of it pickled, are searched for the clients' numbers, as text and in eight
binary forms, weighted or not, and for the pieces of each vector. To prove that the search finds
something, it is done once on a text and on bytes that hold a number of a client.

    python benchmarks/aggregation_under_faults.py [--tiny] [--faults 500] [--seed 0]

It exits with 1 if a check fails.
"""

from __future__ import annotations

import argparse
import pickle
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from _aggregation_grounds import Grounds
from _alarm import alarm
from _faulty_aggregator import ACCUSING, LYING, SILENT
from _secrets_in_bytes import Secrets
from numpy.typing import NDArray

import anyk
from anyk import aggregation
from anyk.aggregation import client as clients_module
from anyk.aggregation.boxes import boxes_of, message_of, read_header
from anyk.aggregation.pieces import pieces_of
from anyk.aggregation.requests import KEEP, OFFER, SIGN, SUM, keep, offer, sums, unwrap
from anyk.aggregation.setting import Setting
from anyk.aggregation.wire import Garbled
from anyk.randomness.entropy import SystemSource

AGGREGATORS, TOLD, CLIENTS, LENGTH = 7, 3, 8, 24
LARGEST = 10**12
PATIENCE = 1.0  # seconds for each question
HANGS = 30  # seconds after which a round hangs
PLAN = aggregation.Committee(
    aggregators=AGGREGATORS, length=LENGTH, clients=CLIENTS, numbers=aggregation.Whole(LARGEST),
    colluders=1, adversaries=1, stragglers=1, most_weight=100,
)  # fmt: skip
OF_CLIENTS = ("gone", "same twice", "two messages", "garbage", "cut", "changed", "old",
              "off the curve", "too large")  # fmt: skip


@dataclass
class Tally:
    """What came of the rounds."""

    rounds: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    right: int = 0
    named: int = 0
    raised: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    longest: float = 0.0
    searched: int = 0
    patterns: int = 0


@dataclass
class Draw:
    """The faults of one round."""

    orders: dict[str, list[str]] = field(default_factory=dict)
    kill: str | None = None
    stop: str | None = None
    clients: dict[int, str] = field(default_factory=dict)
    within: bool = True

    @property
    def all(self) -> list[str]:
        """Each fault in words."""
        found = [each for orders in self.orders.values() for each in orders]
        found += [word for word, name in (("kill", self.kill), ("stop", self.stop)) if name]
        return [*found, *self.clients.values()]


def draw(rng: np.random.Generator, names: list[str]) -> Draw:
    """Random faults, one at least."""
    faults = Draw(within=bool(rng.random() < 0.8))
    told = [str(each) for each in rng.permutation(names[:TOLD])]
    which = rng.integers(4)
    if which != 0 and rng.random() < 0.7:
        faults.orders[told[0]] = [str(rng.choice([*LYING, *LYING, *ACCUSING]))]
    if which != 1 and rng.random() < 0.7:
        how = rng.random()
        other = str(rng.choice(names[TOLD:]))
        if how < 0.15:
            faults.kill = other
        elif how < 0.25:
            faults.stop = other
        else:
            faults.orders[told[1]] = [str(rng.choice(SILENT))]
    if not faults.within:
        faults.orders[told[2]] = [str(rng.choice([*SILENT, *LYING]))]
        faults.orders.setdefault(told[0], [str(rng.choice(LYING))])
        faults.orders.setdefault(told[1], [str(rng.choice(SILENT))])
    for client in rng.permutation(CLIENTS)[: rng.integers(4)]:
        faults.clients[int(client)] = str(rng.choice(OF_CLIENTS))
    if not faults.all:
        faults.clients[0] = "gone"
    return faults


class Campaign:
    """Rounds with faults, one after the other."""

    def __init__(self, grounds: Grounds, rng: np.random.Generator) -> None:
        self.grounds, self.rng, self.tally = grounds, rng, Tally()
        self.setting = Setting(PLAN, grounds.roster)
        self.server = aggregation.Server(PLAN, grounds.roster, grounds.parties, timeout=PATIENCE)
        self.old: dict[int, bytes] = {}
        self.sides: dict[int, int] = {}  # of a client off the curve: where its other pieces begin
        self.pieces: list[bytes] = []
        self.number = 0
        self.secrets: list[Secrets] = []
        clients_module.pieces_of = self._noted  # type: ignore[assignment]

    def _noted(self, *arguments: Any) -> list[bytes]:
        """The pieces of a vector, of which a note is kept."""
        made = pieces_of(*arguments)
        self.pieces += made
        return made

    def message(self, client: int, vector: NDArray[np.int64], weight: int) -> bytes:
        """The message of a client, in its own process or not."""
        name = f"client-{client}"
        own = aggregation.Client(PLAN, self.grounds.identity(name), self.grounds.roster)
        return own.contribute(vector, round=self.number, weight=weight)

    def round(self, faults: Draw) -> None:
        """One round."""
        self.number += 1
        self.pieces.clear()
        self.sides.clear()
        self.grounds.parties.kept.clear()
        vectors = [
            self.rng.integers(LARGEST // 10, LARGEST, LENGTH) * self.rng.choice([-1, 1], LENGTH)
            for _ in range(CLIENTS)
        ]
        weights = [int(each) for each in self.rng.integers(1, 100, CLIENTS)]
        for name in self.grounds.told:
            self.grounds.order(name, ",".join(faults.orders.get(name, [])))
        if faults.kill:
            self.grounds.kill(faults.kill)
        if faults.stop:
            self.grounds.stop(faults.stop)
        begun = time.monotonic()
        with alarm(HANGS):
            seen = self._attempt(faults, vectors, weights)
        self.tally.longest = max(self.tally.longest, time.monotonic() - begun)
        self.tally.rounds += 1
        self.tally.faults.update(faults.all)
        for name in self.grounds.told:
            self.grounds.order(name, "")
        self.grounds.revive()
        moduli = [each.field.modulus for each in self.setting.codes]
        secrets = Secrets(vectors, weights, moduli, self.pieces)
        self._search(secrets, b"\n".join([*self.grounds.parties.kept, *seen]))
        self.secrets.append(secrets)

    def _attempt(
        self, faults: Draw, vectors: list[NDArray[np.int64]], weights: list[int]
    ) -> list[bytes]:
        """Do it, judge it, and give all that was to be seen of it."""
        opened = self.server.round(self.number)
        seen: list[bytes] = []
        good = []
        for client in range(CLIENTS):
            fault = faults.clients.get(client, "")
            messages, counts = self._messages(client, fault, vectors[client], weights[client])
            for each in messages:
                seen += [each, opened.receive(each).encode()]
            if counts:
                good.append(client)
        try:
            result = opened.close()
        except anyk.RecoveryError as error:
            self.tally.raised[type(error).__name__] += 1
            if faults.within and len(good) >= PLAN.least_clients and not self._accused(faults):
                self.tally.wrong.append(f"{faults.all}: {type(error).__name__}: {error}")
            text = "".join(traceback.format_exception(error))
            return [*seen, text.encode(), pickle.dumps(error), repr(error).encode()]
        except Exception as error:  # noqa: BLE001 - it is no error that may come
            self.tally.wrong.append(f"{faults.all}: {traceback.format_exc()}")
            return [*seen, repr(error).encode()]
        self._judge(faults, result, good, vectors, weights)
        plain = {**vars(result), "total": None, "left_out": dict(result.left_out)}
        return [*seen, repr(result).encode(), pickle.dumps(plain)]

    @staticmethod
    def _accused(faults: Draw) -> bool:
        return any(each in ACCUSING for orders in faults.orders.values() for each in orders)

    def _messages(
        self, client: int, fault: str, vector: NDArray[np.int64], weight: int
    ) -> tuple[list[bytes], bool]:
        """What a client sends, and whether it must be counted."""
        if fault == "gone":
            return [], False
        if fault == "too large":
            self._refused(client, vector, weight)
            return [], False
        if fault == "off the curve":
            return [self._off(client, vector, weight)], False
        good = self.message(client, vector, weight)
        old, self.old[client] = self.old.get(client, b"nothing"), good
        at = int(self.rng.integers(len(good)))
        sent = {
            "same twice": [good, good],
            "garbage": [self.rng.bytes(len(good)), b""],
            "cut": [good[:at]],
            "changed": [good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]],
            "old": [old],
        }
        if fault == "two messages":
            return [good, self.message(client, vector, weight)], False
        return sent.get(fault, [good]), fault in {"", "same twice"}

    def _refused(self, client: int, vector: NDArray[np.int64], weight: int) -> None:
        """A number out of range is refused at the client, with the value and the limit."""
        large = vector.copy()
        large[3] = LARGEST + 1
        try:
            self.message(client, large, weight)
        except anyk.InvalidArgument as error:
            if str(LARGEST + 1) in str(error) and f"magnitude={LARGEST}" in str(error):
                return
        self.tally.wrong.append("a number out of range was not refused with it and the limit")

    def _off(self, client: int, vector: NDArray[np.int64], weight: int) -> bytes:
        """A message with pieces of two different vectors, well signed."""
        integers = PLAN.vectors.integers(vector, weight)
        pieces = self._noted(self.setting, integers, SystemSource())
        others = self._noted(self.setting, integers, SystemSource())
        some = self.sides[client] = int(self.rng.integers(1, AGGREGATORS))
        identity = self.grounds.identity(f"client-{client}")
        mixed = [*pieces[:some], *others[some:]]
        return message_of(self.setting, identity, self.number, mixed)[0]

    def _judge(
        self,
        faults: Draw,
        result: aggregation.Aggregated,
        good: list[int],
        vectors: list[NDArray[np.int64]],
        weights: list[int],
    ) -> None:
        wrong = []
        counted = [int(name.rpartition("-")[2]) for name in result.counted]
        total = sum((vectors[each] * weights[each] for each in counted), np.zeros(LENGTH, int))
        if not np.array_equal(result.total, total):
            wrong.append("the sum is wrong in silence")
        if result.weight != sum(weights[each] for each in counted):
            wrong.append("its weight is wrong in silence")
        one = {client for client in self.sides if self._of_one_curve(client, result)}
        if not set(counted) <= {*good, *one}:
            wrong.append(f"counts {counted} of {good}, and at most {sorted(one)} beside")
        lied = {
            name
            for name, orders in faults.orders.items()
            if set(orders) & set(LYING) and name not in result.silent
        }
        if faults.within:
            if not set(good) <= set(counted) and not self._accused(faults):
                wrong.append(f"counts {counted} of {good}: {result.left_out}")
            if not set(result.liars) <= lied:
                wrong.append(f"names {result.liars}, where {lied} lied")
            if set(result.liars) != lied and "old sum" not in faults.all:
                wrong.append(f"names {result.liars}, where {lied} lied")
        self.tally.named += len(lied & set(result.liars))
        self.tally.right += not wrong
        self.tally.wrong += [f"{faults.all}: {each}" for each in wrong]

    def _of_one_curve(self, client: int, result: aggregation.Aggregated) -> bool:
        """Whether all pieces of a client lie on one curve that were not of aggregators left out."""
        left = {self.grounds.names.index(name) for name in result.silent}
        first = set(range(self.sides[client]))
        return first <= left or set(range(AGGREGATORS)) - first <= left

    def two_sets(self) -> None:
        """A server that wants two sums of one round, and a colluder who signs both."""
        self.number += 1
        self.tally.rounds += 1
        self.tally.faults["two sets"] += 1
        rng, setting, names = self.rng, self.setting, self.grounds.names
        vectors = rng.integers(LARGEST // 10, LARGEST, (CLIENTS, LENGTH))
        headers, boxes = {}, {}
        for client in range(CLIENTS):
            message = self.message(client, vectors[client], 1)
            headers[client] = read_header(setting, message, round_number=self.number)
            boxes[client] = boxes_of(setting, headers[client], message)
        one = sorted(int(each) for each in rng.permutation(CLIENTS)[: rng.integers(2, CLIENTS + 1)])
        two = [each for each in one if each != one[0]] if len(one) > 2 else [*range(CLIENTS)]
        digests = [
            setting.set_digest(self.number, [(each, headers[each].digest) for each in chosen])
            for chosen in (one, two)
        ]
        half = {name: int(rng.integers(2)) for name in names}
        self._ask(OFFER, {
            name: offer(setting, self.number, [(headers[i], boxes[i][at]) for i in range(CLIENTS)])
            for at, name in enumerate(names)
        })  # fmt: skip
        self._ask(KEEP, {
            name: keep(setting, self.number, (one, two)[half[name]], drop=bool(rng.integers(2)))
            for name in names
        })  # fmt: skip
        signatures: list[dict[int, bytes]] = [{}, {}]
        for turn in (0, 1, 0):
            start = setting.start(SIGN, self.number) + digests[turn]
            answers = self._ask(SIGN, dict.fromkeys(names, start))
            signatures[turn] |= {names.index(name): own[:64] for name, own in answers.items()}
        colluder = names.index(names[0])  # whose keys the server has
        for turn in (0, 1):
            signed = setting.signed_set(self.number, digests[turn])
            signatures[turn][colluder] = self.grounds.identity(names[0]).sign(signed)
        got = []
        for turn in (0, 1):
            request = sums(setting, self.number, digests[turn], signatures[turn])
            got.append(len(self._ask(SUM, dict.fromkeys(names[1:], request))))
        if min(got):
            self.tally.wrong.append(f"two sets of a round have {got} sums")
        self.tally.right += not min(got)

    def _ask(self, kind: bytes, requests: dict[str, bytes]) -> dict[str, bytes]:
        """Answers that are no refusals."""
        found = {}
        for name, answer in self.grounds.parties.ask(requests, PATIENCE).items():
            try:
                if isinstance(answer, OSError):
                    raise answer
                reader = unwrap(answer, kind)
                found[name] = reader.raw(len(answer) - reader.at)
            except (Garbled, OSError):
                continue
        return found

    def _search(self, secrets: Secrets, data: bytes) -> None:
        self.tally.searched += len(data)
        self.tally.patterns += secrets.many
        self.tally.leaks += secrets.found(data)

    def search_all(self) -> None:
        """Search logs and journals for all that was ever secret; and prove that it can be found."""
        data = b"\n".join(
            self.grounds.said(name).encode() + self.grounds.journal(name)
            for name in self.grounds.names
        )
        for each in self.secrets:
            self._search(each, data)
        vector = self.rng.integers(LARGEST // 10, LARGEST, LENGTH)
        secrets = Secrets([vector], [3], [2147483647], [b"a piece of somebody's"])
        planted = [
            f"failed at {vector[5] * 3}".encode(), b"x" + vector.astype("<i8").tobytes()[:16],
            b"12345" + (vector % 2147483647).astype("<u4").tobytes()[4:20], b"xx piece of some",
        ]  # fmt: skip
        if not all(secrets.found(each) for each in planted) or secrets.found(bytes(100)):
            self.tally.wrong.append("the search does not find what is there")


def main() -> int:
    """Run it, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--faults", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    wanted = 12 if options.tiny else options.faults
    rng = np.random.default_rng(options.seed)
    begun = time.monotonic()
    with Grounds(PLAN, CLIENTS, TOLD) as grounds:
        campaign = Campaign(grounds, rng)
        tally = campaign.tally
        while tally.faults.total() < wanted:
            if rng.random() < 0.08:
                campaign.two_sets()
            else:
                campaign.round(draw(rng, grounds.names))
        campaign.search_all()
        starts = grounds.starts
    many = tally.faults.total()
    print(f"{many} faults of {len(tally.faults)} kinds in {tally.rounds} rounds, "
          f"{time.monotonic() - begun:.0f} s, {starts} starts of aggregators")  # fmt: skip
    said = ", ".join(f"{count} {name}" for name, count in sorted(tally.raised.items()))
    print(f"right: {tally.right} rounds; raised: {said or 'none'}; liars named: {tally.named}")
    bound = 1 - 0.05 ** (1 / tally.rounds)
    print(f"wrong in silence, or not as promised: {len(tally.wrong)} (95 % upper bound of the rate "
          f"with none: {bound:.2%} of rounds)")  # fmt: skip
    print(f"longest round: {tally.longest:.1f} s, of at most {4 * PATIENCE:.0f} s of patience")
    print(f"leaks: {len(tally.leaks)} in {tally.searched / 2**20:.1f} MiB searched for "
          f"{tally.patterns} patterns")  # fmt: skip
    for each in [*tally.wrong, *tally.leaks][:10]:
        print(f"  {each}", file=sys.stderr)
    slow = tally.longest > 8 * PATIENCE
    return int(bool(tally.wrong or tally.leaks or slow))


if __name__ == "__main__":
    sys.exit(main())
