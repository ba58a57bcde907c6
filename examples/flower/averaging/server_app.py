"""The app of the server. What makes it secure is the strategy around FedAvg."""

from pathlib import Path

import numpy as np
from flwr.app import Array, ArrayRecord
from flwr.serverapp import ServerApp
from flwr.serverapp.strategy import FedAvg

from anyk.aggregation import RemoteParties, Roster
from anyk.aggregation.flower import SecureStrategy
from averaging.task import CLIENTS, MODEL, PLAN, ROUNDS

app = ServerApp()


@app.main()
def main(grid, context):
    """Average the models of all clients."""
    place = Path(context.run_config["server"])
    roster = Roster.load(place / "roster.json")
    initial = ArrayRecord({key: Array(array) for key, array in MODEL.items()})
    with RemoteParties(context.run_config["aggregators"].split(), tls=place) as parties:
        inside = FedAvg(fraction_evaluate=0.0, min_train_nodes=CLIENTS, min_available_nodes=CLIENTS)
        strategy = SecureStrategy(inside, PLAN, roster, parties)
        result = strategy.start(grid=grid, initial_arrays=initial, num_rounds=ROUNDS)
    arrays = {key: array.numpy() for key, array in result.arrays.items()}
    np.savez(context.run_config["output"], **arrays)
