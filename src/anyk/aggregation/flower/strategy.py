"""`SecureStrategy`: a strategy of Flower that sees the mean of its clients alone."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, final

from flwr.app import ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.serverapp import Grid
from flwr.serverapp.strategy import FedAvg, Strategy

from anyk.aggregation.boxes import read_header
from anyk.aggregation.committee import Committee
from anyk.aggregation.flower.arrays import MESSAGE, RECORD, ROUND, length_of, parted, typed
from anyk.aggregation.parties import AbstractParties
from anyk.aggregation.result import Aggregated
from anyk.aggregation.roster import Roster
from anyk.aggregation.server import Server
from anyk.aggregation.setting import Setting
from anyk.checks import instance
from anyk.errors import InvalidArgument, RecoveryError

__all__ = ["SecureStrategy"]

_LOG: Final = logging.getLogger("flwr")  # Flower's own
_MEANS: Final = frozenset(
    {
        *("Strategy", "FedAvg", "FedProx", "FedAvgM"),
        *("FedOpt", "FedAdam", "FedAdagrad", "FedYogi"),
    }
)
"""Flower's strategies that need nothing of clients but the mean of their arrays."""


@final
class SecureStrategy(Strategy):
    """A strategy around another: `SecureStrategy(FedAvg(..), plan, roster, parties)`.

    It collects what `SecureMod` sealed, has the committee add it, and gives the strategy inside the
    mean, as if each client that counted had trained it, with weight 1. Metrics are not protected:
    the strategy inside aggregates what clients sent, with equal weights.

    A round that has no sum (too few clients, or aggregators) leaves the model as it is: it is
    logged, and `rounds` has the reason.

    Args:
        strategy: FedAvg, FedProx, FedAvgM, FedAdam, FedAdagrad or FedYogi, or one of your own that
            is made from them. All replies that it aggregates hold the same arrays.
        plan: the same for all; length is how many numbers the model has.
        roster: the same for all.
        parties: how the aggregators are asked.
        timeout: seconds for each question to the aggregators.
        clock: seconds since 1970; rounds are numbered by it, so that no number comes twice.

    Attributes:
        rounds: by Flower's number of a round, what came of it: who was counted, left out and
            silent, who lied; or why there is no sum.

    Raises:
        InvalidArgument: if the strategy looks at the arrays of single clients, such as FedMedian.
    """

    def __init__(
        self,
        strategy: FedAvg,
        plan: Committee,
        roster: Roster,
        parties: AbstractParties,
        *,
        timeout: float = 30.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        _check(strategy)
        self.strategy = strategy
        self.plan = plan
        self._setting = Setting(plan, roster)
        self._server = Server(plan, roster, parties, timeout=timeout)
        self._clock = clock
        self._number = 0
        self._model = ArrayRecord()
        self._rounds: dict[int, Aggregated | str] = {}

    @property
    def rounds(self) -> Mapping[int, Aggregated | str]:
        """What came of each round, or why nothing did."""
        return MappingProxyType(self._rounds)

    def summary(self) -> None:
        """Log what is set."""
        _LOG.info("\t├──> Secure aggregation: %s", self.plan)
        self.strategy.summary()

    def configure_train(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        """Ask for sealed vectors.

        Raises:
            InvalidArgument: if the model has not as many numbers as the plan.
        """
        if length_of(arrays) != self.plan.length:
            raise InvalidArgument(
                "plan",
                given=f"length={self.plan.length}",
                needed=f"length={length_of(arrays)}, the numbers of the model",
                change="Make the plan with it, for clients and aggregators too.",
            )
        self._number = max(self._number + 1, int(self._clock() * 1000))
        self._model = arrays
        config[ROUND] = self._number
        return self.strategy.configure_train(server_round, arrays, config, grid)

    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        """Have the committee add what is sealed, and give the strategy inside the mean."""
        ours = self._server.round(self._number)
        failed: list[Message] = []
        sealed: dict[str, Message] = {}
        for reply in replies:
            if reply.has_error():
                failed.append(reply)
                continue
            record = reply.content.config_records.get(RECORD, ConfigRecord())
            message = record.get(MESSAGE)
            why = "it sent no sealed message"
            if isinstance(message, bytes):
                why = ours.receive(message)
            if why or not isinstance(message, bytes):
                _LOG.warning("anyk: node %s is left out: %s", reply.metadata.src_node_id, why)
            else:
                sealed.setdefault(self._signer(message), reply)
        try:
            done = ours.close()
        except RecoveryError as error:
            _LOG.error("anyk: round %s has no sum: %s", server_round, error)
            self._rounds[server_round] = str(error)
            return self.strategy.aggregate_train(server_round, failed)
        self._rounds[server_round] = done
        _tell(done)
        counted = [sealed[name] for name in done.counted if name in sealed]
        means = self._means(done, counted)
        arrays, metrics = self.strategy.aggregate_train(server_round, [*failed, *means])
        return None if arrays is None else typed(arrays, self._model), metrics

    def _signer(self, message: bytes) -> str:
        """Whose keys signed a message that is taken: what a reply says of its sender counts not."""
        header = read_header(self._setting, message, round_number=self._number)
        return self._setting.roster.clients[header.client].name

    def _means(self, done: Aggregated, counted: Iterable[Message]) -> list[Message]:
        """Replies as if each of them had trained the mean, all of the same weight."""
        mean, key = parted(done.mean, self._model), self.strategy.weighted_by_key
        replies = []
        for reply in counted:
            metrics = {
                name: MetricRecord({**record, key: 1})
                for name, record in reply.content.metric_records.items()
            }
            reply.content = RecordDict({"arrays": mean, **metrics})
            replies.append(reply)
        return replies

    def configure_evaluate(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        """As the strategy inside does."""
        return self.strategy.configure_evaluate(server_round, arrays, config, grid)

    def aggregate_evaluate(
        self, server_round: int, replies: Iterable[Message]
    ) -> MetricRecord | None:
        """As the strategy inside does."""
        return self.strategy.aggregate_evaluate(server_round, replies)


def _check(strategy: FedAvg) -> None:
    """That it needs the mean of arrays alone, as far as Flower's own classes say."""
    change = "Wrap FedAvg, FedProx, FedAvgM, FedAdam, FedAdagrad or FedYogi."
    instance("strategy", strategy, FedAvg, change=change)
    for each in type(strategy).__mro__:
        if each.__module__.partition(".")[0] == "flwr" and each.__name__ not in _MEANS:
            raise InvalidArgument(
                "strategy",
                given=each.__name__,
                needed="one that uses the mean of the clients' arrays alone, as nothing else is "
                "known of them",
                change=change,
            )


def _tell(done: Aggregated) -> None:
    """Log who was no part of it."""
    for name, why in done.left_out.items():
        _LOG.warning("anyk: %s is left out: %s", name, why)
    for name in done.liars:
        _LOG.warning("anyk: %s lied, or a client that sent it a piece off the curve", name)
    for name, why in done.silent.items():
        _LOG.warning("anyk: %s did not take part to the end: %s", name, why)
