"""Aggregators on machines of their own: plans, journals and questions that do not go."""

import contextlib
import tempfile
from pathlib import Path

from tried import tried

from anyk import aggregation
from anyk.aggregation.remote.founding import found_committee

FOLDER = tempfile.TemporaryDirectory(prefix="anyk-rows-")  # it goes with this module
PLACE = Path(FOLDER.name)
PLAN = aggregation.Committee(
    aggregators=3, length=2, clients=4, numbers=aggregation.Whole(9), colluders=1
)


def plan(text):
    path = PLACE / "plan.toml"
    path.write_text(text)
    return aggregation.read_plan(path)


def beside(others):
    """A journal, while these are open too."""
    with contextlib.ExitStack() as stack:
        for name in [*others, "signed"]:
            stack.enter_context(aggregation.FileJournal(PLACE / name))


def ask(timeout):
    if not (PLACE / "server").exists():
        found_committee(PLACE, aggregators=1, clients=1)
    with aggregation.RemoteParties(["aggregator-0@127.0.0.1:7"], tls=PLACE / "server") as parties:
        return parties.ask({}, timeout)


ROWS = [
    tried(
        "Write it with plan_text(plan), and give all parties the same file.",
        lambda: plan("aggregators = 3"),
        lambda: plan(aggregation.plan_text(PLAN)),
    ),
    tried(
        "Stop the other process; a second party has keys and a journal of its own.",
        lambda: beside(["signed"]),
        lambda: beside([]),
        lambda: beside(["another's"]),
    ),
    tried("Give seconds.", lambda: ask(0.0), lambda: ask(1.0)),
]
