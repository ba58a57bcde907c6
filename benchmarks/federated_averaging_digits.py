"""Federated averaging of a network on handwritten digits, summed by a committee that has a liar.

Twenty clients hold scikit-learn's 8x8 digits, split unevenly: each has its own mixture of the ten
digits (Dirichlet, 0.3) and its own number of them. A round is as McMahan et al. (2017) have it:
each client trains the network for an epoch from the common weights, and the new weights are the
mean of the clients', weighted by how many digits each has. In each round five clients drop out,
chosen at random: three send nothing, and two go after they sent, which no one notices.

Three ways of averaging, with the same seeds, rounds, splits and dropouts:

- plain: numpy's weighted mean of float64, which trusts whoever adds.
- a committee of seven aggregators over anyk.aggregation, of whom one lies in each round, with a
  good signature, and T = 1 who colludes with the server learns nothing. Fixed point of 16 bits.
- clipped at 8: the weights as a protocol sends them that clips what is larger in silence, as
  Flower's SecAgg+ does by default (clipping_range=8.0), and then added exactly.

Pixels are scaled to [0, 0.05] and the weights above them are as much larger, as happens where
nobody thought of it, so that some are beyond 8. The liar must be named in every round, and no
vector may be clipped.

    python benchmarks/federated_averaging_digits.py [--tiny] [--seeds 10] [--rounds 30] [--tls]

With --tls the aggregators are processes of their own, over mutual TLS. It exits with 1 if the liar
is not named, weights differ by more than their rounding, or accuracy is another than the plain one.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from _aggregation_grounds import Grounds
from numpy.typing import NDArray
from sklearn.datasets import load_digits

import anyk
from anyk import aggregation
from anyk.aggregation import AbstractParties, AbstractParty, LocalParties
from anyk.aggregation.requests import SUM
from anyk.aggregation.setting import Setting
from anyk.aggregation.wire import DIGEST, Reader

CLIENTS, DROPPED, SILENT = 20, 5, 3
AGGREGATORS, LIAR = 7, "aggregator-2"
PIXEL = 0.05  # the largest
LARGEST = 128.0  # weight that may be sent
BITS = 16
CLIPPED = 8.0
SIZES = (64, 16, 10)
LENGTH = sum((above + 1) * below for above, below in pairwise(SIZES))
Array = NDArray[np.float64]


@dataclass
class Data:
    """Digits of each client, and those that nobody trains on."""

    clients: list[tuple[Array, NDArray[np.int64]]]
    test: tuple[Array, NDArray[np.int64]]


def split(rng: np.random.Generator) -> Data:
    """The digits, unevenly."""
    images, digits = load_digits(return_X_y=True)
    order = rng.permutation(len(images))
    images, digits = images[order] / 16 * PIXEL, digits[order]
    test, train = slice(0, 400), slice(400, None)
    mixtures = rng.dirichlet(np.full(CLIENTS, 0.3), size=10)
    owner = np.array([rng.choice(CLIENTS, p=mixtures[digit]) for digit in digits[train]])
    owner[:CLIENTS] = np.arange(CLIENTS)  # nobody has none
    mine = [np.flatnonzero(owner == client) + 400 for client in range(CLIENTS)]
    return Data([(images[each], digits[each]) for each in mine], (images[test], digits[test]))


def layers(weights: Array) -> list[tuple[Array, Array]]:
    """Matrices and biases."""
    found, at = [], 0
    for above, below in pairwise(SIZES):
        matrix = weights[at : at + above * below].reshape(above, below)
        at += above * below
        found.append((matrix, weights[at : at + below]))
        at += below
    return found


def forward(weights: Array, images: Array) -> list[Array]:
    """The input of each layer, and the logits."""
    (first, bias), (second, other) = layers(weights)
    hidden = np.maximum(images @ first + bias, 0.0)
    return [images, hidden, hidden @ second + other]


def trained(
    weights: Array, data: tuple[Array, Any], rate: float, rng: np.random.Generator
) -> Array:
    """The weights after an epoch of one client."""
    weights, (images, digits) = weights.copy(), data
    order = rng.permutation(len(images))
    for start in range(0, len(order), 16):
        batch = order[start : start + 16]
        inputs, hidden, logits = forward(weights, images[batch])
        (first, bias), (second, other) = layers(weights)
        error = np.exp(logits - logits.max(1, keepdims=True))
        error /= error.sum(1, keepdims=True)
        error[np.arange(len(batch)), digits[batch]] -= 1
        error /= len(batch)
        back = (error @ second.T) * (hidden > 0)
        second -= rate * hidden.T @ error
        other -= rate * error.sum(0)
        first -= rate / PIXEL**2 * inputs.T @ back  # as of pixels up to 1
        bias -= rate * back.sum(0)
    return weights


def accuracy(weights: Array, data: Data) -> float:
    """On digits that nobody trained on."""
    images, digits = data.test
    return float(np.mean(forward(weights, images)[-1].argmax(1) == digits))


class Lying(AbstractParty):
    """An aggregator whose sums are wrong, and well signed."""

    def __init__(self, within: aggregation.Aggregator, identity: Any, setting: Setting) -> None:
        self._within, self._identity, self._setting = within, identity, setting

    def answer(self, request: bytes) -> bytes:
        """As it should be, but for sums."""
        answer = self._within.answer(request)
        size = self._setting.sum_bytes
        if answer[5:6] != SUM or answer[6]:
            return answer
        values = np.frombuffer(answer[7 : 7 + size], "<u4").copy()
        values[::3] //= 2
        reader = Reader(request)
        _, number = self._setting.read_start(reader)
        digest = reader.raw(DIGEST)
        signed = self._setting.signed_sum(number, digest, values.tobytes())
        return answer[:7] + values.tobytes() + self._identity.sign(signed)


@dataclass
class Committee:
    """Averages by a committee with a liar."""

    plan: aggregation.Committee
    clients: list[aggregation.Client]
    server: aggregation.Server
    rounds: int = 0
    named: int = 0
    seconds: float = 0.0
    sent: list[int] = field(default_factory=list)

    def mean(self, vectors: dict[int, Array], weights: dict[int, int]) -> Array:
        """The weighted mean of one round."""
        self.rounds += 1
        begun = time.process_time()
        served = self.server.round(self.rounds)
        for client, vector in vectors.items():
            own = self.clients[client]
            message = own.contribute(vector, round=self.rounds, weight=weights[client])
            self.sent.append(len(message))
            if why := served.receive(message):
                raise RuntimeError(why)
        result = served.close()
        self.seconds += time.process_time() - begun
        self.named += result.liars == (LIAR,)
        if result.counted != tuple(sorted(f"client-{client}" for client in vectors)):
            raise RuntimeError(f"counted {result.counted}: {result.left_out}")
        return np.asarray(result.mean)


def plan_of(most: int) -> aggregation.Committee:
    """The plan that all have."""
    return aggregation.Committee(
        aggregators=AGGREGATORS, length=LENGTH, clients=CLIENTS, colluders=1, adversaries=1,
        numbers=anyk.FixedPoint(fraction_bits=BITS, magnitude=LARGEST), most_weight=most,
        least_clients=CLIENTS - DROPPED,
    )  # fmt: skip


@contextlib.contextmanager
def committee(most: int, *, tls: bool) -> Iterator[Committee]:
    """Aggregators in this process, or each in its own over TLS."""
    plan = plan_of(most)
    names = [f"aggregator-{number}" for number in range(AGGREGATORS)]
    with contextlib.ExitStack() as stack:
        if tls:
            grounds = stack.enter_context(Grounds(plan, CLIENTS, told=3))
            grounds.order(LIAR, "lie sum")
            roster, identity = grounds.roster, grounds.identity
            parties: AbstractParties = grounds.parties
        else:
            known = {
                name: aggregation.Identity.generate(name)
                for name in [*names, *(f"client-{number}" for number in range(CLIENTS))]
            }
            identity = known.__getitem__
            members = [each.member for each in known.values()]
            roster = aggregation.Roster(
                aggregators=tuple(members[:AGGREGATORS]), clients=tuple(members[AGGREGATORS:])
            )
            own: dict[str, Any] = {
                name: aggregation.Aggregator(plan, known[name], roster) for name in names
            }
            own[LIAR] = Lying(own[LIAR], known[LIAR], Setting(plan, roster))
            parties = LocalParties(own)
        clients = [
            aggregation.Client(plan, identity(f"client-{number}"), roster)
            for number in range(CLIENTS)
        ]
        yield Committee(plan, clients, aggregation.Server(plan, roster, parties))


def plain(vectors: dict[int, Array], weights: dict[int, int]) -> Array:
    """The weighted mean in float64."""
    total = sum(weights[client] * vector for client, vector in vectors.items())
    return np.asarray(total / sum(weights.values()))


def clipped(vectors: dict[int, Array], weights: dict[int, int]) -> Array:
    """The same of vectors that were clipped in silence."""
    return plain({each: np.clip(vector, -CLIPPED, CLIPPED) for each, vector in vectors.items()},
                 weights)  # fmt: skip


@dataclass
class Course:
    """What one way of averaging came to."""

    weights: Array
    accuracy: float
    beyond: int  # rounds in which a client had a weight beyond 8
    largest: float


def learn(
    data: Data, seed: int, rounds: int, mean: Callable[[dict[int, Array], dict[int, int]], Array]
) -> Course:
    """All rounds of one way."""
    rng = np.random.default_rng([seed, 1])
    weights = rng.normal(size=LENGTH) * 0.2
    layers(weights)[0][0][:] /= PIXEL  # as of pixels up to 1
    beyond, largest = 0, 0.0
    for _ in range(rounds):
        gone = rng.permutation(CLIENTS)[:SILENT]  # two more go after they sent
        there = [client for client in range(CLIENTS) if client not in gone]
        vectors = {each: trained(weights, data.clients[each], 0.5, rng) for each in there}
        sizes = {each: len(data.clients[each][0]) for each in there}
        most = max(float(np.abs(vector).max()) for vector in vectors.values())
        beyond, largest = beyond + (most > CLIPPED), max(largest, most)
        weights = mean(vectors, sizes)
    return Course(weights, accuracy(weights, data), beyond, largest)


def interval(values: list[float]) -> str:
    """Mean and 95 % interval of it, by Student's t."""
    from scipy.stats import t  # noqa: PLC0415 - here alone

    array = np.array(values)
    if len(array) < 2:
        return f"{array.mean():.4f}"
    half = t.ppf(0.975, len(array) - 1) * array.std(ddof=1) / np.sqrt(len(array))
    return f"{array.mean():.4f} +- {half:.4f}"


def main() -> int:
    """Run it, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--tls", action="store_true")
    options = parser.parse_args()
    seeds, rounds = (1, 3) if options.tiny else (options.seeds, options.rounds)
    rows: dict[str, list[float]] = {"plain": [], "committee": [], "clipped at 8": []}
    away, named, beyond, largest, cpu, sent = 0.0, 0, 0, 0.0, 0.0, []
    for seed in range(seeds):
        data = split(np.random.default_rng([seed, 0]))
        most = max(len(images) for images, _ in data.clients)
        with committee(most, tls=options.tls) as averaging:
            secret = learn(data, seed, rounds, averaging.mean)
        known, cut = learn(data, seed, rounds, plain), learn(data, seed, rounds, clipped)
        for name, course in zip(rows, (known, secret, cut), strict=True):
            rows[name].append(course.accuracy)
        one = learn(data, seed, 1, plain).weights  # rounding grows as training goes on: look once
        with committee(most, tls=False) as again:
            away = max(away, float(np.abs(learn(data, seed, 1, again.mean).weights - one).max()))
        named, cpu = named + averaging.named, cpu + averaging.seconds
        beyond, largest = beyond + secret.beyond, max(largest, secret.largest)
        sent += averaging.sent
    total = seeds * rounds
    where = "over TLS" if options.tls else "here"
    print(f"{CLIENTS} clients, {DROPPED} drop out a round, {LENGTH} weights, {rounds} rounds, "
          f"{seeds} seeds; {AGGREGATORS} aggregators {where}")  # fmt: skip
    for name, values in rows.items():
        print(f"accuracy, {name + ':':14} {interval(values)}")
    difference = [a - b for a, b in zip(rows["committee"], rows["plain"], strict=True)]
    print(f"committee - plain:       {interval(difference)}")
    print(f"liar named in {named} of {total} rounds; a client's weight beyond 8 in {beyond} of "
          f"them, the largest {largest:.1f}, of {LARGEST:.0f} allowed")  # fmt: skip
    print(f"one round from the same weights: at most {away:.1e} from the plain mean "
          f"(half a step is {2.0 ** -BITS / 2:.1e})")  # fmt: skip
    print(f"CPU here: {1e3 * cpu / total:.0f} ms a round; {np.mean(sent) / 1024:.1f} KiB a client, "
          f"of {8 * LENGTH / 1024:.1f} KiB as float64")  # fmt: skip
    fine = named == total and away <= 2.0**-BITS
    return int(not fine or (not options.tiny and abs(np.mean(difference)) > 0.01))


if __name__ == "__main__":
    sys.exit(main())
