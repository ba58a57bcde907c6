"""What shuffles advise."""

import numpy as np
from tried import tried

from anyk import shuffle

FOUR = shuffle.Coded(nodes=4, copies=2)
RECORDS = np.zeros((12, 20), dtype=np.uint8)
FILES = shuffle.cut(RECORDS, FOUR)


class ThreeNodes(shuffle.AbstractTransport):
    """As a program of MPI with three processes."""

    def __init__(self, processes=3):
        self.nodes = shuffle.MPINodes(self)
        self.size, self.rank = processes, 0

    def seats(self, count):
        self.nodes.seats(count)
        return tuple(range(count))

    def exchange(self, members, sent, sizes):  # noqa: ARG002 - as its base class has it
        return sent

    def share(self, notes, most):  # noqa: ARG002 - as its base class has it
        return notes


class TwoLengths(shuffle.AbstractTransport):
    """As two processes, of which the other has records of so many bytes."""

    def __init__(self, width):
        self.width = width

    def seats(self, count):
        return tuple(range(count))

    def exchange(self, members, sent, sizes):  # noqa: ARG002 - as its base class has it
        return sent

    def share(self, notes, most):
        longest = max(notes.values(), key=len)
        if most < 1 << 20 or len(longest) < 16:
            return notes
        return {**notes, 1: self.width.to_bytes(8, "little") + longest[8:]}


def sort(records=RECORDS, plan=FOUR, **named):
    return shuffle.sort(records, plan, **{"key": 4, **named})


def reduced(files, plan=FOUR, **named):
    return shuffle.map_reduce(plan, files, lambda _: [b"a"] * len(plan.live), list, **named)


ROWS = [
    tried(
        "Take {} nodes, or lower copies.",
        lambda: shuffle.Coded(nodes=3, copies=5),
        lambda nodes: shuffle.Coded(nodes=nodes, copies=5),
        lambda _: shuffle.Coded(nodes=3, copies=3),
        less=lambda nodes: shuffle.Coded(nodes=nodes, copies=5),
    ),
    tried(
        "Lower copies, or take Resolvable(copies, width) for copies * width nodes.",
        lambda: shuffle.Coded(nodes=30, copies=6),
        lambda: shuffle.Coded(nodes=30, copies=3),
        lambda: shuffle.Resolvable(copies=6, width=5),
    ),
    tried(
        "Lower copies or width.",
        lambda: shuffle.Resolvable(copies=9, width=5),
        lambda: shuffle.Resolvable(copies=5, width=5),
        lambda: shuffle.Resolvable(copies=9, width=3),
    ),
    tried(
        "It has (0, 1, 2, 3).",
        lambda: shuffle.Without(FOUR, nodes=(4,)),
        lambda: [shuffle.Without(FOUR, nodes=(node,)) for node in (0, 1, 2, 3)],
    ),
    tried(
        "Start with a plan of more copies, or leave one of them in.",
        lambda: shuffle.Without(FOUR, nodes=(0, 1)),
        lambda: shuffle.Without(shuffle.Coded(nodes=4, copies=3), nodes=(0, 1)),
        lambda: shuffle.Without(FOUR, nodes=(0,)),
    ),
    tried(
        "Pass Coded(nodes, copies).",
        lambda: shuffle.Uncoded(3),
        lambda: shuffle.Uncoded(FOUR),
    ),
    tried(
        "Pass Coded(nodes, copies).",
        lambda: shuffle.Without(3, nodes=(1,)),
        lambda: shuffle.Without(FOUR, nodes=(1,)),
    ),
    tried(
        "Pass Coded(nodes, copies).",
        lambda: shuffle.cut(RECORDS, 3),
        lambda: shuffle.cut(RECORDS, FOUR),
    ),
    tried("Pass Coded(nodes, copies).", lambda: sort(plan=3), sort),
    tried("Pass Coded(nodes, copies).", lambda: shuffle.map_reduce(3, [], list, list), sort),
    tried(
        "Pass Coded(nodes, copies).",
        lambda: shuffle.predicted_seconds(3, map_seconds=1, shuffle_seconds=1),
        lambda: shuffle.predicted_seconds(FOUR, map_seconds=1, shuffle_seconds=1),
    ),
    tried(
        "Measure it.",
        lambda: shuffle.predicted_seconds(FOUR, map_seconds=-1, shuffle_seconds=1),
        lambda: shuffle.predicted_seconds(FOUR, map_seconds=sort().seconds.map, shuffle_seconds=1),
    ),
    tried(
        "Pass LocalNodes() or MPINodes().",
        lambda: sort(transport=3),
        lambda: sort(transport=shuffle.LocalNodes()),
    ),
    tried(
        "Pass LocalNodes() or MPINodes().",
        lambda: reduced(range(6), transport=3),
        lambda: reduced(range(6), transport=shuffle.LocalNodes()),
    ),
    tried(
        "Start the program with mpiexec -n {}.",
        lambda: sort(transport=ThreeNodes()),
        lambda nodes: sort(transport=ThreeNodes(nodes)),
        less=lambda nodes: sort(transport=ThreeNodes(nodes)),
    ),
    tried(
        "Pass {} files; several may be one, as a list.",
        lambda: reduced(range(5)),
        lambda files: reduced(range(files)),
        lambda files: reduced([[0, 1], *range(2, files + 1)]),
        less=lambda files: reduced(range(files)),
    ),
    tried(
        "Pass those that plan.held(node) tells, or cut(records, plan).",
        lambda: sort({0: FILES[0]}),
        lambda: sort({file: FILES[file] for node in FOUR.live for file in FOUR.held(node)}),
        lambda: sort(shuffle.cut(RECORDS, FOUR)),
    ),
    tried(
        "Pass an array, a record a row.",
        lambda: shuffle.cut([[1], [1, 2]], FOUR),
        lambda: shuffle.cut(np.array([[1, 0], [1, 2]]), FOUR),
    ),
    tried(
        "Make bytes that compare as the values do: of whole numbers >= 0, "
        'records.astype(">u8").view("V8"), with key=8.',
        lambda: sort(np.arange(100)),
        lambda: sort(np.arange(100).astype(">u8").view("V8"), key=8),
    ),
    tried(
        "Fill up the shorter ones, and give all one dtype.",
        lambda: sort({**FILES, 2: FILES[2][:, :-1]}),
        lambda: sort({**FILES, 2: np.pad(FILES[2][:, :-1], ((0, 0), (0, 1)))}),
    ),
    tried(
        "Fill up the shorter ones.",
        lambda: sort(transport=TwoLengths(19)),
        lambda: sort(transport=TwoLengths(20)),
    ),
    tried("Lower it.", lambda: sort(key=21), lambda: sort(key=20)),
]
