"""Flower's SecAgg+ beside `Committee` and `LightSecAgg`: time, bytes, large weights.

One round of a weighted mean in one process, everybody after each other: plain FedAvg, Flower's own
SecAgg+ (its workflow and its mod) and `Committee` (`SecureStrategy` and `SecureMod`) over the same
grid; `LightSecAgg` without Flower, as its clients keep what Flower's apps would forget. T is how
many may collude with a server that follows the protocol: of SecAgg+, neighbours of a client, one
less than its threshold. All promise to add what clients hold; one number of each vector is 100.

The CPU of a client is the median over clients, with its 95 % interval, of all that it does in the
round, and so is the factor, of two medians; the server's is all else, without aggregators.

    python benchmarks/aggregation_beside_secagg_plus.py [--tiny] [--whole]
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

os.environ.setdefault("FLWR_TELEMETRY_ENABLED", "0")  # before Flower is imported

import numpy as np
from _flower_nodes import Nodes
from flwr.app import Array, ArrayRecord, ConfigRecord, Context, Message, MetricRecord, RecordDict
from flwr.app.user_config import UserConfig
from flwr.client.mod import make_ffn, secaggplus_mod
from flwr.clientapp import ClientApp
from flwr.common import Code, FitRes, Status, ndarrays_to_parameters, parameters_to_ndarrays
from flwr.compat.common import recorddict_compat as compat
from flwr.server.compat.grid_client_proxy import GridClientProxy
from flwr.server.compat.legacy_context import LegacyContext
from flwr.server.strategy import FedAvg as LegacyFedAvg
from flwr.server.workflow import SecAggPlusWorkflow
from flwr.serverapp.strategy import FedAvg, Strategy

import anyk
from anyk import aggregation
from anyk.aggregation.flower import SecureMod, SecureStrategy, rehearse
from anyk.bench.measure import interval, table

LARGE = 100.0
MOST_WEIGHT = 1000
GOAL = 10.0


@dataclass
class Clients:
    """What clients hold."""

    number: int
    length: int

    def __post_init__(self) -> None:
        rng = np.random.default_rng(20)
        self.vectors = rng.normal(size=(self.number, self.length)).astype(np.float32)
        self.vectors[:, 0] = LARGE
        self.weights = [int(each) for each in rng.integers(100, MOST_WEIGHT + 1, self.number)]
        self.mean = np.average(self.vectors.astype(float), axis=0, weights=self.weights)
        self.numbers = anyk.FixedPoint(fraction_bits=18, magnitude=LARGE)  # a step as SecAgg+ has

    def model(self) -> ArrayRecord:
        """What they start from."""
        return ArrayRecord({"w": Array(np.zeros(self.length, np.float32))})


@dataclass
class Took:
    """What a round took."""

    name: str
    colluders: int
    client: list[float] = field(default_factory=list)  # CPU seconds
    server: float = 0.0
    aggregator: float = 0.0
    wall: float = 0.0
    up: float = 0.0  # bytes of a client
    down: float = 0.0
    mean: np.ndarray | None = None

    def row(self, truth: np.ndarray) -> list[object]:
        """Of the table."""
        per_client = interval(np.array(self.client) * 1e3)
        error = np.abs(self.mean - truth)[1:].max()
        times = [f"{self.server * 1e3:.0f}", f"{self.aggregator * 1e3:.1f}", f"{self.wall:.2f}"]
        kilobytes = [f"{self.up / 1e3:.0f}", f"{self.down / 1e3:.0f}"]
        large = f"{self.mean[0]:.3f}"
        return [self.name, self.colluders, per_client, *times, *kilobytes, f"{error:.0e}", large]


@contextmanager
def clocked(took: Took, nodes: Nodes) -> Iterator[None]:
    """The wall clock and the CPU of a round over Flower's grid."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    took.wall = time.perf_counter() - wall - nodes.carrying
    took.client = list(nodes.cpu.values())
    spent = time.process_time() - cpu - nodes.carrying_cpu
    took.server = spent - sum(took.client)
    took.up = float(np.mean(list(nodes.up.values())))
    took.down = float(np.mean(list(nodes.down.values())))


def secagg_plus(clients: Clients, shares: int, threshold: int) -> Took:
    """Flower's own."""
    took = Took(f"SecAgg+, {shares} shares, {threshold} needed", threshold - 1)

    def train(message: Message, context: Context) -> Message:
        own = context.node_id - 1
        parameters = ndarrays_to_parameters([clients.vectors[own]])
        result = FitRes(Status(Code.OK, ""), parameters, clients.weights[own], {})
        return Message(compat.fitres_to_recorddict(result, keep_input=False), reply_to=message)

    nodes = Nodes(make_ffn(train, [secaggplus_mod]), clients.number)
    empty = Context(1, 0, UserConfig(), RecordDict(), UserConfig())
    inside = LegacyFedAvg(min_fit_clients=clients.number, min_available_clients=clients.number)
    context = LegacyContext(empty, strategy=inside)
    for node in nodes.get_node_ids():
        context.client_manager.register(GridClientProxy(node, nodes, 1))
    model = ndarrays_to_parameters([np.zeros(clients.length, np.float32)])
    context.state.config_records["config"] = ConfigRecord({"current_round": 1})
    context.state.array_records["parameters"] = compat.parameters_to_arrayrecord(
        model, keep_input=True
    )
    with clocked(took, nodes):
        SecAggPlusWorkflow(shares, threshold, max_weight=MOST_WEIGHT)(nodes, context)
    got = context.state.array_records["parameters"]
    (took.mean,) = parameters_to_ndarrays(compat.arrayrecord_to_parameters(got, keep_input=True))
    return took


def over_flower(
    took: Took, clients: Clients, mods: list, wrapped: Callable[[FedAvg], Strategy]
) -> Took:
    """A strategy of today over Flower's grid."""
    app = ClientApp(mods=mods)

    @app.train()
    def train(message: Message, context: Context) -> Message:
        own = context.node_id - 1
        content = {
            "arrays": ArrayRecord({"w": Array(clients.vectors[own])}),
            "metrics": MetricRecord({"num-examples": clients.weights[own]}),
        }
        return Message(RecordDict(content), reply_to=message)

    number = clients.number
    nodes = Nodes(app, number)
    inside = FedAvg(fraction_evaluate=0.0, min_train_nodes=number, min_available_nodes=number)
    strategy = wrapped(inside)
    with clocked(took, nodes):
        result = strategy.start(grid=nodes, initial_arrays=clients.model(), num_rounds=1)
    took.mean = result.arrays["w"].numpy().astype(float)
    return took


class Clocked(aggregation.AbstractParty):
    """A party whose CPU is added up."""

    def __init__(self, party: aggregation.AbstractParty) -> None:
        self.party, self.cpu = party, 0.0

    def answer(self, request: bytes) -> bytes:
        """Ask it."""
        start = time.process_time()
        answer = self.party.answer(request)
        self.cpu += time.process_time() - start
        return answer


def clocked_parties(
    parties: Mapping[str, aggregation.AbstractParty],
) -> tuple[dict[str, Clocked], aggregation.LocalParties]:
    """The same, with clocks."""
    own = {name: Clocked(party) for name, party in parties.items()}
    return own, aggregation.LocalParties(own)


def committee(clients: Clients, aggregators: int, colluders: int, stragglers: int) -> Took:
    """Ours, over Flower."""
    plan = aggregation.Committee(
        aggregators=aggregators,
        colluders=colluders,
        stragglers=stragglers,
        length=clients.length,
        clients=clients.number,
        numbers=clients.numbers,
        most_weight=MOST_WEIGHT,
    )
    took = Took(f"Committee of {aggregators}, {plan.blocks} blocks", colluders)
    with tempfile.TemporaryDirectory() as keys:
        roster, local = rehearse(keys, plan, clients.number)
        parties, transport = clocked_parties(local.parties)
        mods = [SecureMod(plan, rehearsal=keys)]
        over_flower(
            took, clients, mods, lambda inside: SecureStrategy(inside, plan, roster, transport)
        )
    spent = [party.cpu for party in parties.values()]
    took.aggregator = float(np.mean(spent))
    took.server -= sum(spent)
    return took


def light_sec_agg(clients: Clients, colluders: int) -> Took:
    """Ours, where clients hold pieces of each other's masks; without Flower."""
    plan = aggregation.LightSecAgg(
        clients=clients.number,
        colluders=colluders,
        dropouts=clients.number // 5,
        length=clients.length,
        numbers=clients.numbers,
        most_weight=MOST_WEIGHT,
    )
    took = Took(f"LightSecAgg, {plan.needed} needed", colluders)
    names = [f"client-{number:04}" for number in range(clients.number)]
    identities = [aggregation.Identity.generate(name) for name in names]
    roster = aggregation.Roster(clients=tuple(each.member for each in identities))
    people = [aggregation.MaskingClient(plan, each, roster) for each in identities]
    parties, transport = clocked_parties(dict(zip(names, people, strict=True)))
    own = np.zeros(clients.number)
    wall, cpu = time.perf_counter(), time.process_time()
    served = aggregation.Server(plan, roster, transport).round(1)

    def asked(number: int, action: Callable[[], bytes]) -> None:
        start = time.process_time()
        message = action()
        own[number] += time.process_time() - start
        why = served.receive(message)
        if why:
            raise SystemExit(why)

    for number, person in enumerate(people):
        asked(number, lambda person=person: person.prepare(round=1))
    served.relay()
    for number, person in enumerate(people):
        vector, weight = clients.vectors[number], clients.weights[number]
        asked(
            number,
            lambda person=person, vector=vector, weight=weight: person.contribute(
                vector, round=1, weight=weight
            ),
        )
    done = served.close()
    took.wall = time.perf_counter() - wall
    took.client = list(own + np.array([parties[name].cpu for name in names]))
    took.server = time.process_time() - cpu - sum(took.client)
    took.up = (done.bytes["client"] + done.bytes["answers"]) / clients.number
    took.down = done.bytes["relayed"] / clients.number
    took.mean = done.mean
    return took


def main() -> int:
    """Print a row for each, and the factors at the same T."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--length", type=int, default=100_000)
    parser.add_argument("--whole", action="store_true", help="T = 25 too: some minutes more")
    parser.add_argument("--tiny", action="store_true", help="8 clients, 500 numbers, no verdict")
    options = parser.parse_args()
    logging.getLogger("flwr").setLevel(logging.ERROR)
    clients = Clients(options.clients, options.length)
    sizes = [(3, 2, 5, 1), (21, 11, 23, 2)] + [(51, 26, 55, 2)] * options.whole
    if options.tiny:
        clients, sizes = Clients(8, 500), [(3, 2, 5, 1), (7, 4, 9, 1)]
    plain = over_flower(Took("FedAvg, no protection", 0), clients, [], lambda inside: inside)
    took = [plain]
    factors = []
    for shares, threshold, aggregators, stragglers in sizes:
        theirs = secagg_plus(clients, shares, threshold)
        ours = committee(clients, aggregators, threshold - 1, stragglers)
        light = light_sec_agg(clients, threshold - 1)
        took += [theirs, ours, light]
        for each in (ours, light):
            cpu = np.median(theirs.client) / np.median(each.client)
            factors.append((threshold - 1, each.name, cpu, theirs.wall / each.wall))
    header = ["", "T", "client CPU ms", "server CPU ms", "an aggregator's", "wall s"]
    header += ["up kB", "down kB", "error", f"{LARGE:.0f} is"]
    print(f"{clients.number} clients, {clients.length} numbers each\n")
    print(table(header, [each.row(clients.mean) for each in took]))
    print()
    rows = [[name, T, f"{cpu:.1f}", f"{wall:.1f}"] for T, name, cpu, wall in factors]
    print(table(["SecAgg+ takes so many times", "T", "client CPU", "wall"], rows))
    print(f"\ngoal: {GOAL:.0f} times in both, at the T of each row")
    return 0


if __name__ == "__main__":
    sys.exit(main())
