"""Flower's simulation engine: 5 clients, 2 rounds, one client gone in the first of them.

    python examples/flower/simulated.py

Everybody's keys are made by and for this one machine: a simulation shows that the result is that of
plain federated averaging, and protects nothing.
"""

import os
import sys
import tempfile

os.environ.setdefault("FLWR_TELEMETRY_ENABLED", "0")  # before Flower is imported

import numpy as np
from averaging.task import CLIENTS, MODEL, PLAN, ROUNDS, averaged, trained
from flwr.app import Array, ArrayRecord, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import ServerApp
from flwr.serverapp.strategy import FedAvg
from flwr.simulation import run_simulation

from anyk.aggregation.flower import SecureMod, SecureStrategy, rehearse

MOST = 1e-7  # of rounding to fractions of 30 bits, through two rounds
GONE = {(4, 1)}  # the client with half of all examples, in round 1


def client_app(keys):
    """As averaging/client_app.py, with a client that is gone."""
    app = ClientApp(mods=[SecureMod(PLAN, rehearsal=keys)])

    @app.train()
    def train(message, context):
        partition = context.node_config["partition-id"]
        if (partition, message.content["config"]["server-round"]) in GONE:
            raise RuntimeError("this client is gone")
        arrays = {key: array.numpy() for key, array in message.content["arrays"].items()}
        arrays, examples = trained(arrays, partition)
        content = {
            "arrays": ArrayRecord({key: Array(array) for key, array in arrays.items()}),
            "metrics": MetricRecord({"num-examples": examples}),
        }
        return Message(RecordDict(content), reply_to=message)

    return app


def main():
    """Run it, and compare."""
    done = []
    with tempfile.TemporaryDirectory() as keys:
        roster, committee = rehearse(keys, PLAN, CLIENTS)
        server = ServerApp()

        @server.main()
        def run(grid, _):
            inside = FedAvg(
                fraction_evaluate=0.0, min_train_nodes=CLIENTS, min_available_nodes=CLIENTS
            )
            strategy = SecureStrategy(inside, PLAN, roster, committee)
            initial = ArrayRecord({key: Array(array) for key, array in MODEL.items()})
            done.append(
                strategy.start(grid=grid, initial_arrays=initial, num_rounds=ROUNDS, timeout=300.0)
            )
            done.append(strategy.rounds)

        backend = {
            "client_resources": {"num_cpus": 1, "num_gpus": 0.0},
            "init_args": {
                "address": "local",
                "num_cpus": 2,
                "include_dashboard": False,
            },
        }
        run_simulation(server, client_app(keys), CLIENTS, backend_config=backend)
    result, rounds = done
    plain = averaged(GONE)
    off = max(np.abs(result.arrays[key].numpy() - plain[key]).max() for key in plain)
    for number, each in rounds.items():
        print(f"round {number}: {len(each.counted)} clients")
    print(f"largest difference to plain federated averaging: {off:.1e}")
    return int(not off < MOST)


if __name__ == "__main__":
    sys.exit(main())
