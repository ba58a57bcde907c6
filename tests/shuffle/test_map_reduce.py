"""`map_reduce`: values arrive as they were made or not at all, and every byte is counted."""

import itertools
import re
import threading
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import anyk
from anyk import shuffle
from anyk.shuffle.pieces import HEADER

PLANS = [
    *(shuffle.Coded(nodes, copies) for nodes in range(1, 7) for copies in range(1, nodes + 1)),
    shuffle.Resolvable(2, 2), shuffle.Resolvable(3, 2), shuffle.Resolvable(3, 3),
    shuffle.Uncoded(shuffle.Coded(4, 2)), shuffle.Uncoded(shuffle.Resolvable(3, 2)),
    *(shuffle.Without(shuffle.Coded(5, 3), dead) for dead in [(0,), (1, 4)]),
    shuffle.Without(shuffle.Resolvable(3, 2), (2, 5)),
    shuffle.Uncoded(shuffle.Without(shuffle.Coded(4, 2), (3,))),
]  # fmt: skip
FOUR = shuffle.Coded(nodes=4, copies=2)


def values_of(plan, size, seed=0):
    """For each file the values that its map makes; `size` gives the length of each."""
    rng = np.random.default_rng(seed)
    return [[rng.bytes(size(rng)) for _ in plan.live] for _ in range(plan.files)]


def run(plan, files, transport=None, **options):
    return shuffle.map_reduce(plan, files, lambda x: x, list, transport=transport, **options)


def as_mapped(plan, files):
    return {node: [made[seat] for made in files] for seat, node in enumerate(plan.live)}


@pytest.mark.parametrize("plan", PLANS, ids=repr)
def test_equal_values_arrive_at_the_loads_of_the_theorems(plan):
    files = values_of(plan, lambda _: 60)  # 1 to 6 pieces
    done = run(plan, files)
    assert done.parts == as_mapped(plan, files)
    counts = done.counts
    assert counts.intermediate == 60 * len(plan.live) * plan.files
    assert counts.multicast_load == plan.multicast_load
    assert counts.unicast_load == plan.unicast_load
    assert counts.padding == 0
    wanted = sum(file is not None for group in plan.groups for file in group.wanted)
    assert counts.headers_multicast == HEADER * wanted
    assert counts.wanted == 60 * wanted
    assert counts.deliveries >= counts.messages


@pytest.mark.parametrize("plan", PLANS, ids=repr)
def test_values_of_any_lengths_arrive(plan):
    for seed, most in enumerate([2, 5, 40]):
        files = values_of(plan, lambda rng, most=most: rng.integers(0, most), seed)
        done = run(plan, files)
        assert done.parts == as_mapped(plan, files)
        assert done.counts.padding >= 0
        assert done.counts.unicast_load >= done.counts.multicast_load


@given(st.data(), st.integers(2, 5))
def test_padding_is_what_longest_pieces_add(data, nodes):
    plan = shuffle.Coded(nodes, data.draw(st.integers(1, nodes - 1)))
    lengths = st.lists(st.binary(max_size=9), min_size=nodes, max_size=nodes)
    files = data.draw(st.lists(lengths, min_size=plan.files, max_size=plan.files))
    done = run(plan, files)
    assert done.parts == as_mapped(plan, files)
    multicast = unicast = 0
    for group in plan.groups:
        pieces = [
            -(-len(files[file][node]) // plan.copies)
            for node, file in zip(group.members, group.wanted, strict=True)
        ]
        for place in range(len(pieces)):
            others = pieces[:place] + pieces[place + 1 :]
            multicast += max(others)
            unicast += max(others) * sum(map(bool, others))
    assert (done.counts.multicast, done.counts.unicast) == (multicast, unicast)


def test_any_bytes_do():
    made = [b"abc", bytearray(b"de"), memoryview(b"f"), np.array([[1, 2], [3, 4]], ">u2")[:, :1]]
    done = shuffle.map_reduce(FOUR, range(6), lambda _: iter(made), b"".join)
    assert done.parts[3] == b"\0\1\0\3" * 6
    assert done.parts[1] == b"de" * 6


def test_costs_are_told():
    ticks = itertools.count()
    done = run(FOUR, values_of(FOUR, lambda _: 4), clock=lambda: float(next(ticks)))
    assert done.seconds == shuffle.Seconds(map=4.0, encode=8.0, send=8.0, decode=4.0, reduce=4.0)
    assert done.counts.notes > 0


class Altering(shuffle.AbstractTransport):
    """Lets `change` alter what is sent: it gets the number of a message and its bytes."""

    def __init__(self, change):
        self.change, self.messages = change, itertools.count()

    def seats(self, count):
        return tuple(range(count))

    def exchange(self, members, sent, sizes):  # noqa: ARG002 - as its base class has it
        changed = {seat: self.change(next(self.messages), sent[seat].copy()) for seat in sent}
        return {seat: message for seat, message in changed.items() if message is not None}

    def share(self, notes, most):  # noqa: ARG002 - as its base class has it
        return notes


@pytest.mark.parametrize("plan", [FOUR, shuffle.Coded(3, 1), shuffle.Resolvable(3, 2)], ids=repr)
def test_every_byte_that_is_altered_is_noticed(plan):
    files = values_of(plan, lambda rng: rng.integers(1, 6))
    sizes = []
    padding = run(
        plan, files, Altering(lambda _, message: sizes.append(len(message)) or message)
    ).counts.padding
    assert len(sizes) > 10
    unused = 0
    for message, size in enumerate(sizes):
        every = 1 if message < 3 or size < HEADER else 5
        for place in range(message % every, size, every):

            def flip(number, data, message=message, place=place):
                if number == message:
                    data[place] ^= 1 << place % 8
                return data

            try:
                done = run(plan, files, Altering(flip), limit=1000)
            except shuffle.ShuffleFailed:
                continue
            assert done.parts == as_mapped(plan, files)  # it was in a zero that fills up a piece
            unused += 1
    assert unused <= padding


def test_a_value_for_somebody_else_is_noticed():
    plan = shuffle.Coded(3, 1)  # all values are 1 byte, and are exchanged in flight
    files = [[b"a", b"b", b"c"], [b"d", b"e", b"f"], [b"g", b"h", b"i"]]
    kept = {}

    def swap(number, data):
        kept[number] = data
        return kept.get(number - 4, data)

    with pytest.raises(shuffle.ShuffleFailed, match="wrong value of file"):
        run(plan, files, Altering(swap))


def test_a_node_that_falls_silent_is_named_and_left_out():
    files = values_of(FOUR, lambda _: 8)
    asked = []

    class Silent(shuffle.AbstractTransport):
        def seats(self, count):
            return tuple(range(count))

        def exchange(self, members, sent, sizes):  # noqa: ARG002 - as its base class has it
            asked.append(members)
            return {seat: message for seat, message in sent.items() if seat != 2}

        def share(self, notes, most):  # noqa: ARG002 - as its base class has it
            return notes

    with pytest.raises(shuffle.ShuffleFailed, match="node 2: sent 0 bytes") as caught:
        run(FOUR, files, Silent())
    assert set(caught.value.nodes) == {2}
    assert len(asked) == 2 * len(FOUR.groups)  # nobody was left waiting
    advised = re.search(r"Without\(plan, nodes=(\(2,\))\)", str(caught.value))
    less = shuffle.Without(FOUR, eval(advised[1]))
    again = [[made[node] for node in less.live] for made in files]
    assert run(less, again).parts == as_mapped(less, again)


@pytest.mark.parametrize("size", [0, 3, 5, 400])
def test_a_message_of_another_length_is_noticed(size):
    files = values_of(FOUR, lambda _: 8)
    with pytest.raises(shuffle.ShuffleFailed, match="bytes, and"):
        run(
            FOUR,
            files,
            Altering(lambda number, data: np.resize(data, size) if number == 4 else data),
        )


def test_no_header_makes_a_node_allocate_more_than_the_limit():
    def huge(number, data):
        if number == 1:
            data[:8] = np.frombuffer(np.uint64(1 << 60).tobytes(), np.uint8)
        return data

    with pytest.raises(shuffle.ShuffleFailed, match=f"{1 << 60} bytes; the limit is 1073741824"):
        run(FOUR, values_of(FOUR, lambda _: 8), Altering(huge))


def test_a_map_that_is_not_the_same_everywhere_is_noticed():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        calls = Counter()

        def another(file, rng=rng, calls=calls):
            calls[file] += 1
            drawn = rng.bytes(4) if file == 2 else bytes(4)
            return [drawn] * 4

        with pytest.raises(shuffle.ShuffleFailed, match="the same bytes wherever it runs"):
            shuffle.map_reduce(FOUR, range(6), another, list)
        assert set(calls.values()) == {2}  # r times, really


def test_a_map_that_makes_more_at_one_node_is_noticed():
    longer = iter([b"a", b"a", b"a", b"a", b"a", b"a", b"ab", b"ab", b"ab", b"ab", b"ab", b"ab"])
    with pytest.raises(shuffle.ShuffleFailed, match=r"makes . bytes of file"):
        shuffle.map_reduce(FOUR, range(6), lambda _: [next(longer)] * 4, list)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda _: [b"a"] * 3, "3 values of file 0; needed: 4, one for each node"),
        (lambda _: [b"a"] * 5, "5 values"),
        (lambda _: ["a"] * 4, "of type str of file 0; needed: bytes"),
        (lambda _: [5] * 4, "of type int of file 0; needed: bytes"),
        (lambda _: [b"abcd"] * 4, "4 bytes of file 0; the limit is 3"),
        (lambda _: None, "its map raised TypeError"),
        (lambda _: 1 // 0, "its map raised ZeroDivisionError"),
    ],
)
def test_what_a_map_must_make_is_told(made, says):
    with pytest.raises(shuffle.ShuffleFailed, match=f"node 0: .*{says}"):
        shuffle.map_reduce(FOUR, range(6), made, list, limit=3)


def test_what_a_function_raises_is_the_cause():
    with pytest.raises(shuffle.ShuffleFailed, match="its reduce raised") as caught:
        shuffle.map_reduce(FOUR, range(6), lambda _: [b""] * 4, lambda _: 1 // 0)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert set(caught.value.nodes) == {0, 1, 2, 3}
    assert len(str(caught.value)) < 300  # three of them are shown


@pytest.mark.parametrize(
    "call",
    [
        lambda: run(3, []),
        lambda: run(FOUR, [1] * 5),
        lambda: run(FOUR, [[b""] * 4] * 6, transport=3),
        lambda: run(FOUR, [[b""] * 4] * 6, limit=0),
        lambda: run(FOUR, [[b""] * 4] * 6, limit=1 << 31),
    ],
)
def test_odd_arguments_are_refused(call):
    with pytest.raises(anyk.InvalidArgument):
        call()


def test_a_file_that_is_missing_is_told():
    with pytest.raises(shuffle.ShuffleFailed, match="node 1: has no file 4"):
        run(FOUR, {file: [b""] * 4 for file in range(4)})


class Board:
    """What threads that play processes write for each other."""

    def __init__(self, count):
        self.barrier, self.notes, self.lock = threading.Barrier(count), {}, threading.Lock()
        self.messages, self.changed = {}, threading.Condition()

    def process(self, seat):
        return Process(self, seat)


class Process(shuffle.AbstractTransport):
    """One seat, that waits for the others as a process of MPI does."""

    def __init__(self, board, seat):
        self.board, self.seat, self.turns = board, seat, Counter()

    def seats(self, count):  # noqa: ARG002 - as its base class has it
        return (self.seat,)

    def exchange(self, members, sent, sizes):
        turn = self.turns[members]
        self.turns[members] += 1
        with self.board.changed:
            self.board.messages[members, turn, self.seat] = sent.get(self.seat)
            self.board.changed.notify_all()
            keys = [(members, turn, member) for member in members]
            arrived = self.board.changed.wait_for(
                lambda: all(key in self.board.messages for key in keys), timeout=30
            )
            assert arrived
            came = {key[2]: self.board.messages[key] for key in keys}
        return {
            seat: message
            for (seat, message), size in zip(came.items(), sizes, strict=True)
            if size and message is not None
        }

    def share(self, notes, most):
        assert all(len(note) <= most for note in notes.values())
        self.board.notes.update(notes)
        self.board.barrier.wait(30)
        told = dict(self.board.notes)
        self.board.barrier.wait(30)
        return told


def in_processes(count, work):
    """What each of the processes returned, or raised."""
    board, results = Board(count), {}

    def act(seat):
        try:
            results[seat] = work(board.process(seat), seat)
        except Exception as error:  # noqa: BLE001 - to be looked at
            results[seat] = error

    threads = [threading.Thread(target=act, args=(seat,)) for seat in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return [results[seat] for seat in range(count)]


@pytest.mark.parametrize("plan", [PLANS[7], *PLANS[-8:]], ids=repr)
def test_each_process_needs_its_own_files_alone(plan):
    files = values_of(plan, lambda rng: rng.integers(0, 9))

    def work(transport, seat):
        own = {file: files[file] for file in plan.held(plan.live[seat])}
        return run(plan, own, transport)

    done = in_processes(len(plan.live), work)
    alone = run(plan, files)
    assert {node: part for each in done for node, part in each.parts.items()} == alone.parts
    assert {each.counts for each in done} == {done[0].counts}
    for name in ("intermediate", "wanted", "multicast", "unicast", "headers_unicast", "messages"):
        assert getattr(done[0].counts, name) == getattr(alone.counts, name)


@pytest.mark.parametrize("when", ["map", "reduce"])
def test_all_processes_fail_where_one_does(when):
    def work(transport, seat):
        def bad(_):
            return 1 // 0

        return shuffle.map_reduce(
            FOUR, range(6),
            bad if when == "map" and seat == 2 else lambda _: [b"ab"] * 4,
            bad if when == "reduce" and seat == 2 else list,
            transport=transport,
        )  # fmt: skip

    for error in in_processes(4, work):
        assert isinstance(error, shuffle.ShuffleFailed)
        assert set(error.nodes) == {2}
        assert f"node 2: its {when} raised ZeroDivisionError" in str(error)


def test_a_map_that_differs_in_one_process_fails_in_all():
    done = in_processes(
        4,
        lambda transport, seat: shuffle.map_reduce(
            FOUR, range(6), lambda _: [b"abc" if seat == 3 else b"abd"] * 4, list,
            transport=transport,
        ),
    )  # fmt: skip
    assert all(isinstance(error, shuffle.ShuffleFailed) for error in done)
    done = in_processes(
        4,
        lambda transport, seat: shuffle.map_reduce(
            FOUR, range(6), lambda _: [bytes(3 + (seat == 3))] * 4, list, transport=transport
        ),
    )
    assert all(isinstance(error, shuffle.ShuffleFailed) for error in done)


def test_a_process_with_another_plan_is_named_by_all():
    def work(transport, seat):
        plan = shuffle.Uncoded(FOUR) if seat == 1 else FOUR
        return run(plan, [[b""] * 4] * 6, transport, limit=5)

    for error in in_processes(4, work):
        assert error.nodes == {1: "has another plan or limit than node 0."}


def test_a_process_with_too_few_files_fails_in_all():
    done = in_processes(4, lambda transport, seat: run(FOUR, [[b""] * 4] * (6 - seat), transport))
    assert [type(each) for each in done] == [shuffle.ShuffleFailed, *[anyk.InvalidArgument] * 3]
