"""`sort`: the order of numpy's stable sort, whatever the records, and on whichever plan."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import anyk
from anyk import shuffle

PLANS = [
    shuffle.Coded(1, 1), shuffle.Coded(5, 1), shuffle.Coded(4, 2), shuffle.Coded(5, 3),
    shuffle.Coded(3, 3), shuffle.Resolvable(2, 2), shuffle.Resolvable(3, 2),
    shuffle.Uncoded(shuffle.Coded(4, 2)), shuffle.Without(shuffle.Coded(4, 2), (1,)),
]  # fmt: skip
FOUR = shuffle.Coded(nodes=4, copies=2)


def joined(done):
    return np.concatenate([done.parts[node] for node in sorted(done.parts)])


def as_bytes(done):
    return b"".join(done.parts[node].tobytes() for node in sorted(done.parts))


def by_numpy(rows, key):
    return rows[np.argsort(rows[:, :key].copy().view(f"S{key}")[:, 0], kind="stable")]


@given(
    plan=st.sampled_from(PLANS),
    key=st.integers(1, 19),
    size=st.integers(0, 90),
    letters=st.sampled_from([1, 2, 256]),
    seed=st.integers(0, 99),
)
def test_records_are_as_numpy_sorts_them(plan, key, size, letters, seed):
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, letters, (size, 20), dtype=np.uint8)
    rows[:, key:] = rng.integers(0, 256, (size, 20 - key))  # equal keys, in the order they came
    done = shuffle.sort(rows, plan, key=key)
    assert np.array_equal(joined(done), by_numpy(rows, key))
    assert done.counts.intermediate == 20 * size
    assert sorted(done.parts) == list(plan.live)


@pytest.mark.parametrize(
    "kind", ["S20", "V20", [("key", "S10"), ("value", "V10")], [("k", ">u8"), ("v", "<f4", 3)]]
)
def test_records_keep_their_dtype(kind):
    rows = np.random.default_rng(0).integers(0, 256, (500, 20), dtype=np.uint8)
    records = rows.view(np.dtype(kind))[:, 0]
    done = shuffle.sort(records, FOUR, key=8)
    assert all(part.dtype == records.dtype for part in done.parts.values())
    assert as_bytes(done) == by_numpy(rows, 8).tobytes()
    assert records.tobytes() == rows.tobytes()
    turned = shuffle.sort(records[::-1], FOUR, key=8)
    assert as_bytes(turned) == by_numpy(rows[::-1], 8).tobytes()


def test_many_records_are_shared_evenly():
    rows = np.random.default_rng(1).integers(0, 256, (20_000, 100), dtype=np.uint8)
    plan = shuffle.Coded(nodes=8, copies=3)
    done = shuffle.sort(rows, plan)
    assert np.array_equal(joined(done), by_numpy(rows, 10))
    sizes = [len(part) for part in done.parts.values()]
    assert max(sizes) < 1.2 * np.mean(sizes)
    assert plan.multicast_load < done.counts.multicast_load < 1.4 * plan.multicast_load
    assert done.counts.unicast == done.counts.wanted + done.counts.padding


def test_keys_of_one_value_go_to_one_node():
    rows = np.zeros((300, 12), dtype=np.uint8)
    rows[:, 11] = np.arange(300) % 256
    done = shuffle.sort(rows, FOUR)
    assert sorted(len(part) for part in done.parts.values()) == [0, 0, 0, 300]
    assert np.array_equal(joined(done), rows)


def test_files_of_any_lengths_follow_each_other():
    rows = np.random.default_rng(2).integers(0, 3, (60, 4), dtype=np.uint8)
    files = dict(enumerate(np.split(rows, [0, 1, 20, 20, 59])))
    done = shuffle.sort(files, FOUR, key=2)
    assert np.array_equal(joined(done), by_numpy(rows, 2))


def test_what_is_cut_is_all():
    rows = np.arange(23)
    files = shuffle.cut(rows, FOUR)
    assert list(files) == list(range(6))
    assert np.array_equal(np.concatenate(list(files.values())), rows)
    assert {len(part) for part in files.values()} == {3, 4}


ROWS = np.zeros((12, 20), dtype=np.uint8)


@pytest.mark.parametrize(
    "call",
    [
        lambda: shuffle.sort(ROWS, 3),
        lambda: shuffle.sort(ROWS, FOUR, transport=3),
        lambda: shuffle.sort(ROWS, FOUR, key=21),
        lambda: shuffle.sort(ROWS, FOUR, key=0),
        lambda: shuffle.sort(ROWS, FOUR, key="a"),
        lambda: shuffle.sort(ROWS.astype(int), FOUR),
        lambda: shuffle.sort(np.arange(5), FOUR),
        lambda: shuffle.sort(np.zeros((3, 0), np.uint8), FOUR),
        lambda: shuffle.sort(np.array(["a"]), FOUR),
        lambda: shuffle.sort(np.array([b"a", None]), FOUR),
        lambda: shuffle.sort(dict.fromkeys(range(5), ROWS), FOUR),
        lambda: shuffle.sort({file: ROWS[:, file:] for file in range(6)}, FOUR),
        lambda: shuffle.sort(
            {file: ROWS if file else ROWS.view("S20")[:, 0] for file in range(6)}, FOUR
        ),
        lambda: shuffle.cut(ROWS, 6),
        lambda: shuffle.predicted_seconds(FOUR, map_seconds=-1, shuffle_seconds=1),
        lambda: shuffle.predicted_seconds(3, map_seconds=1, shuffle_seconds=1),
    ],
)
def test_what_can_be_no_records_is_refused(call):
    with pytest.raises(anyk.InvalidArgument):
        call()


def test_the_best_redundancy_is_near_the_root_of_shuffle_by_map():
    def seconds(copies, **named):
        plan = shuffle.Coded(nodes=16, copies=copies)
        return shuffle.predicted_seconds(plan, map_seconds=1, shuffle_seconds=9, **named)

    assert min(range(1, 9), key=seconds) == 3
    assert seconds(3) == pytest.approx(3 + 9 * 13 / 48)
    assert seconds(3, multicast=False) == pytest.approx(3 + 9 * 13 / 16)
    assert seconds(3, multicast=False) > seconds(1)
