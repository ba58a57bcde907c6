"""Flower's nodes in one process: a grid that calls their apps, one after the other, and counts."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from uuid import uuid4

from flwr.app import Context, Error, Message, RecordDict
from flwr.app.user_config import UserConfig
from flwr.clientapp import ClientApp
from flwr.common.serde import recorddict_from_proto, recorddict_to_proto
from flwr.proto.recorddict_pb2 import RecordDict as RecordDictProto
from flwr.serverapp import Grid
from flwr.supercore.run import Run
from flwr.supercore.task_identity import TaskIdentity


class Nodes(Grid):
    """So many nodes that run one app.

    Args:
        app: of every node.
        nodes: how many; they are called 1, 2, ..

    Attributes:
        cpu: by node, CPU seconds of its app in all.
        up, down: bytes of what it sent and of what it got, as Flower writes them.
        errors: what nodes answered that failed.
    """

    def __init__(self, app: ClientApp, nodes: int) -> None:
        TaskIdentity.run_id, TaskIdentity.node_id, TaskIdentity.task_id = 1, 0, 1
        self.app = app
        self.contexts = {
            node: Context(
                run_id=1,
                node_id=node,
                node_config=UserConfig({"partition-id": node - 1, "num-partitions": nodes}),
                state=RecordDict(),
                run_config=UserConfig(),
            )
            for node in range(1, nodes + 1)
        }
        self.cpu: defaultdict[int, float] = defaultdict(float)
        self.up: defaultdict[int, int] = defaultdict(int)
        self.down: defaultdict[int, int] = defaultdict(int)
        self.errors: list[str] = []
        self.carrying = self.carrying_cpu = 0.0

    def send_and_receive(
        self,
        messages: Iterable[Message],
        *,
        timeout: float | None = None,  # noqa: ARG002 - they answer at once
    ) -> list[Message]:
        """Ask them."""
        return [self._ask(message) for message in messages]

    def _ask(self, message: Message) -> Message:
        message.metadata.__dict__["_message_id"] = str(uuid4())
        node = message.metadata.dst_node_id
        message, size = self._sent(message)
        self.down[node] += size
        start = time.process_time()
        try:
            answer = self.app(message, self.contexts[node])
        except Exception as error:  # noqa: BLE001 - as Flower does, whatever an app raises
            answer = Message(Error(code=2, reason=repr(error)), reply_to=message)
        self.cpu[node] += time.process_time() - start
        if answer.has_error():
            self.errors.append(str(answer.error.reason))
        else:
            answer, size = self._sent(answer)
            self.up[node] += size
        return answer

    def _sent(self, message: Message) -> tuple[Message, int]:
        """What arrives, and its bytes; the time of it is no part of what is measured."""
        start, cpu = time.perf_counter(), time.process_time()
        wire = recorddict_to_proto(message.content).SerializeToString()
        content = recorddict_from_proto(RecordDictProto.FromString(wire))
        arrived = Message(content=content, metadata=message.metadata)
        self.carrying += time.perf_counter() - start
        self.carrying_cpu += time.process_time() - cpu
        return arrived, len(wire)

    def get_node_ids(self) -> list[int]:
        """Of all."""
        return list(self.contexts)

    @property
    def run(self) -> Run:
        """The only one."""
        return Run.create_empty(1)

    def set_run(self, run: Run) -> None:
        """There is one run."""

    def create_message(self, *_: object, **__: object) -> Message:
        """Nobody asks for it."""
        raise NotImplementedError

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        """Nobody asks for it."""
        raise NotImplementedError

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        """Nobody asks for it."""
        raise NotImplementedError
