"""Map, shuffle, reduce: redundant maps and coded multicasts, for nodes that share one link."""

from anyk.shuffle.cost import predicted_seconds
from anyk.shuffle.counts import Counts, Seconds
from anyk.shuffle.failed import ShuffleFailed
from anyk.shuffle.local import LocalNodes
from anyk.shuffle.mpi import MPINodes
from anyk.shuffle.plans import AbstractPlan, Group
from anyk.shuffle.resolvable import Resolvable
from anyk.shuffle.running import Shuffled, map_reduce
from anyk.shuffle.sorting import cut, sort
from anyk.shuffle.subsets import Coded
from anyk.shuffle.transport import AbstractTransport
from anyk.shuffle.uncoded import Uncoded
from anyk.shuffle.without import Without

__all__ = [
    "AbstractPlan",
    "AbstractTransport",
    "Coded",
    "Counts",
    "Group",
    "LocalNodes",
    "MPINodes",
    "Resolvable",
    "Seconds",
    "ShuffleFailed",
    "Shuffled",
    "Uncoded",
    "Without",
    "cut",
    "map_reduce",
    "predicted_seconds",
    "sort",
]
