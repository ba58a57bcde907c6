"""The app of a client. What makes it secure is the mod."""

from flwr.app import Array, ArrayRecord, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

from anyk.aggregation.flower import SecureMod
from averaging.task import PLAN, trained

app = ClientApp(mods=[SecureMod(PLAN)])


@app.train()
def train(message, context):
    """Train on what this client holds."""
    arrays = {key: array.numpy() for key, array in message.content["arrays"].items()}
    arrays, examples = trained(arrays, context.node_config["partition-id"])
    content = {
        "arrays": ArrayRecord({key: Array(array) for key, array in arrays.items()}),
        "metrics": MetricRecord({"num-examples": examples}),
    }
    return Message(RecordDict(content), reply_to=message)
