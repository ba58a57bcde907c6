"""Each fault, on threads, processes and the virtual clock; none sees more than its own worker."""

import collections
import copy
import dataclasses
import datetime as dt
import decimal
import fractions
import math
import pickle
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

import anyk
from anyk import Paced
from anyk.answers import Answer
from anyk.delays import Fixed
from anyk.errors import InvalidArgument
from anyk.executors.core.base import AbstractExecutor
from anyk.executors.local.simulated import Simulated
from anyk.executors.local.threads import Threads
from anyk.executors.processes.executor import Processes
from anyk.executors.remote.executor import Remote
from anyk.faults import (
    AbstractFault,
    Collude,
    Corrupt,
    Crash,
    Delay,
    Die,
    Faulty,
    Rubbish,
)
from anyk.running.mapping.same import Same

LONG = 30.0  # seconds: a test that waits this long has failed
PACED = partial(Paced, delays=Fixed({}), generator=np.random.default_rng(0))
SHARES = np.arange(24).reshape(4, 6)
KINDS = ["shape", "dtype", "nan", "inf", "huge", "empty", "objects", "text", "none"]


@pytest.fixture(scope="module", params=[Threads, Processes, Simulated])
def executor(request: pytest.FixtureRequest) -> Iterator[AbstractExecutor]:
    with request.param(4) as made:
        yield made


def answers(
    executor: AbstractExecutor, faults: dict[int, AbstractFault], shares: Any = SHARES
) -> dict[int, Answer]:
    faulty = Faulty(executor, faults)
    placement = faulty.place([shares])
    dispatch = faulty.dispatch(np.square, placement, [])
    found = [dispatch.receive(LONG) for _ in range(4)]
    faulty.release(placement)
    return {answer.worker: answer for answer in found if answer is not None}


def values(
    executor: AbstractExecutor, faults: dict[int, AbstractFault], shares: Any = SHARES
) -> dict[int, Any]:
    return {worker: answer.value for worker, answer in answers(executor, faults, shares).items()}


def test_without_faults_nothing_changes(executor: AbstractExecutor) -> None:
    for worker, value in values(executor, {}).items():
        np.testing.assert_array_equal(value, SHARES[worker] ** 2)


def test_crash_and_die_fail_and_harm_nobody_else(executor: AbstractExecutor) -> None:
    found = answers(executor, {0: Crash(), 2: Die()})
    assert found[0].failure == "RuntimeError: worker 0 crashed on purpose"
    assert "died" in str(found[2].failure)
    assert found[0].value is None
    for worker in (1, 3):
        np.testing.assert_array_equal(found[worker].value, SHARES[worker] ** 2)
    assert all(answer.failure is None for answer in answers(executor, {}).values())


def test_delay_comes_last_and_is_right(executor: AbstractExecutor) -> None:
    before = executor.clock()
    found = answers(executor, {1: Delay(0.3)})
    assert list(found)[-1] == 1
    assert executor.clock() - before >= 0.3
    assert found[1].seconds >= 0.3
    np.testing.assert_array_equal(found[1].value, SHARES[1] ** 2)


def test_independent_liars_tell_different_lies(executor: AbstractExecutor) -> None:
    fault = Corrupt(seed=1, modulus=10_007)
    same = np.broadcast_to(np.arange(6), (4, 6))
    one, other = (values(executor, {0: fault, 3: fault}, same)[worker] for worker in (0, 3))
    assert np.all(one != np.arange(6) ** 2)
    assert np.all(other != np.arange(6) ** 2)
    assert np.any(one != other)
    assert one.min() >= 0
    assert one.max() < 10_007
    np.testing.assert_array_equal(one, values(executor, {0: fault}, same)[0])


def test_colluders_tell_the_same_lie(executor: AbstractExecutor) -> None:
    fault = Collude(seed=5, modulus=10_007)
    found = values(executor, {0: fault, 2: fault, 3: Collude(seed=6, modulus=10_007)})
    np.testing.assert_array_equal(found[0], found[2])
    assert np.any(found[0] != SHARES[0] ** 2)
    assert np.any(found[2] != SHARES[2] ** 2)
    assert np.any(found[0] != found[3])
    np.testing.assert_array_equal(found[1], SHARES[1] ** 2)


@pytest.mark.parametrize("kind", KINDS)
def test_rubbish_is_an_answer_or_a_failure_and_never_an_exception(
    executor: AbstractExecutor, kind: Any
) -> None:
    found = answers(executor, {1: Rubbish(kind)})
    assert len(found) == 4
    if kind in {"objects", "text", "none"}:
        assert "dtype" in str(found[1].failure)
    else:
        value = found[1].value
        assert value is not None
        assert value.shape != (6,) or value.dtype != SHARES.dtype
    np.testing.assert_array_equal(found[2].value, SHARES[2] ** 2)


def test_two_wrappers_are_two_faults() -> None:
    with Simulated(2, compute=0.0) as executor:
        faulty = Faulty(Faulty(executor, {0: Corrupt(modulus=7)}), {0: Delay(2.0)})
        placement = executor.place([np.zeros((2, 3), dtype=int)])
        dispatch = faulty.dispatch(np.square, placement, [])
        first, second = dispatch.receive(None), dispatch.receive(None)
        assert first is not None
        assert second is not None
        assert (first.worker, second.worker, faulty.clock()) == (1, 0, 2.0)
        assert second.value is not None
        assert np.all(second.value > 0)


def test_a_hanging_worker_never_answers_and_close_does_not_wait() -> None:
    with Threads(2) as executor:
        placement = executor.place([np.arange(2)])
        dispatch = Faulty(executor, {0: Delay(math.inf)}).dispatch(np.square, placement, [])
        answer = dispatch.receive(LONG)
        assert answer is not None
        assert answer.worker == 1
        assert dispatch.receive(0.05) is None


DTYPES = ["?", "i1", "u1", "i4", "i8", "u8", "f2", "f4", "f8", "c8", "c16"]


@given(
    st.sampled_from(DTYPES),
    st.lists(st.integers(0, 4), max_size=3),
    st.integers(1, 5),
    st.integers(0, 9),
)
def test_lies_have_the_shape_and_dtype_of_the_truth_and_are_wrong_where_they_should(
    dtype: str, shape: list[int], entries: int, worker: int
) -> None:
    truth = np.random.default_rng(worker).integers(0, 100, size=shape).astype(dtype)
    lie = Corrupt(seed=3, entries=entries).around(truth.copy, worker)
    assert (lie.shape, lie.dtype) == (truth.shape, truth.dtype)
    assert np.sum(lie != truth) == min(entries, truth.size)
    everywhere = Corrupt(seed=3).around(truth.copy, worker)
    assert np.all(everywhere != truth)
    common = Collude(seed=3).around(truth.copy, worker)
    assert (common.shape, common.dtype) == (truth.shape, truth.dtype)


def test_a_liar_does_not_write_in_the_truth() -> None:
    truth = np.arange(5)
    for fault in (Corrupt(), Collude(), Corrupt(modulus=7)):
        fault.around(lambda: truth, 0)
    np.testing.assert_array_equal(truth, np.arange(5))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Delay(-1.0),
        lambda: Delay(math.nan),
        lambda: Corrupt(entries=0),
        lambda: Corrupt(modulus=1),
        lambda: Corrupt(scale=0.0),
        lambda: Corrupt(seed=-1),
        lambda: Collude(scale=math.inf),
        lambda: Rubbish("nonsense"),  # type: ignore[arg-type]
        lambda: Faulty(Simulated(2), {2: Crash()}),
        lambda: Faulty(Simulated(2), {-1: Crash()}),
    ],
)
def test_what_makes_no_sense_is_refused(make: Any) -> None:
    with pytest.raises(InvalidArgument):
        make()


@pytest.mark.parametrize(
    "fault",
    [Delay(2.0), Crash(), Die(), Corrupt(seed=3, modulus=7), Collude(seed=4), Rubbish("nan")],
)
def test_repr_and_pickle_rebuild(fault: AbstractFault) -> None:
    assert eval(repr(fault)) == fault
    assert pickle.loads(pickle.dumps(fault)) == fault
    assert repr(Faulty(Simulated(2), {0: fault})).endswith(f", {{0: {fault!r}}})")


@pytest.mark.parametrize("wrap", [partial(Faulty, faults={}), PACED], ids=["faulty", "paced"])
def test_workers_with_functions_of_their_own_are_refused(wrap: Any) -> None:
    with Remote(["127.0.0.1:7000"], tls=None) as executor:
        with pytest.raises(InvalidArgument, match="one that sends code to its workers"):
            wrap(executor)
    with pytest.raises(InvalidArgument, match="executor: got 3"):
        wrap(3)


@dataclasses.dataclass(frozen=True)
class Scored:
    score: float
    of: Any


class Fitted:
    def __init__(self, slope: float) -> None:
        self.slope_ = slope


Pair = collections.namedtuple("Pair", ["one", "other"])  # noqa: PYI024 - as users write it
OF_ANY_TYPE = [
    1, True, 0, 2**70, -5, 0.0, 1.5, math.nan, math.inf, 1j, "", "any", "Zoë", b"", b"x", b"\xff",
    [1, 2], (1, "a"), Pair(1, 2), {"a": 1.0, "b": None}, {1, 2}, frozenset([3]), Scored(1.0, "x"),
    Fitted(3.0), np.arange(3), np.array([np.nan, 1]), np.array(["a", "bc"]),
    np.array([None, 1, "x"], object), np.array(["2020-01-01"], "M8[D]"),
    np.array([(1, 2.0)], dtype="i4,f8"), np.float32(2), np.int8(3), np.bool_(True), np.uint64(3),  # noqa: FBT003
    dt.date(2020, 2, 29), dt.datetime(2020, 2, 29, 5), dt.timedelta(3), decimal.Decimal("1.5"),  # noqa: DTZ001
    fractions.Fraction(1, 3), scipy.sparse.csr_matrix(np.eye(3)), collections.OrderedDict(a=1),
    [{"test_scores": 0.9, "fit_time": 0.1}],
]  # fmt: skip


@pytest.mark.parametrize("truth", OF_ANY_TYPE)
def test_lies_about_values_of_any_type_are_wrong_and_of_that_type(truth: Any) -> None:
    before, same = copy.deepcopy(truth), Same()
    for worker in range(20):
        lie = Corrupt().around(lambda: truth, worker)
        assert type(lie) is type(truth)
        assert not same(lie, truth)
        assert same(lie, Corrupt().around(lambda: truth, worker))
    one, other = (Collude().around(lambda: truth, worker) for worker in (2, 5))
    assert type(one) is type(truth)
    assert same(one, other)
    assert same(truth, before)


@pytest.mark.parametrize("truth", [None, abs, int, [], {}, (), math])
def test_what_has_no_other_value_of_its_type_stays(truth: Any) -> None:
    assert Corrupt().around(lambda: truth, 0) is truth or truth in ([], {}, ())


def test_lies_about_frames_and_tensors() -> None:
    pandas, torch = pytest.importorskip("pandas"), pytest.importorskip("torch")
    frame = pandas.DataFrame(
        {"a": [1, 2], "b": ["x", "y"], "c": pandas.array([1, None], dtype="Int64")}, index=[4, 5]
    )
    lie = Corrupt().around(lambda: frame, 1)
    assert (lie.dtypes == frame.dtypes).all()
    assert (lie.index == frame.index).all()
    assert not (lie == frame).any(axis=None)
    assert frame.a.tolist() == [1, 2]
    lie = Corrupt().around(lambda: torch.arange(3), 1)
    assert lie.dtype == torch.int64
    assert not (lie == torch.arange(3)).any()


def test_a_liar_of_three_is_outvoted_on_values_of_any_type() -> None:
    for fault in (Corrupt(), Collude(seed=3)):
        with Faulty(Threads(3), {1: fault}) as lying:
            outcome = anyk.map(OF_ANY_TYPE.__getitem__, range(len(OF_ANY_TYPE)), lying, agree=2)
        assert all(map(Same(), outcome.value, OF_ANY_TYPE))
        assert outcome.suspects in {(), (1,)}
