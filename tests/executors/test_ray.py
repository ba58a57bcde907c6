"""Ray: an actor a share, on nodes that may be distinct, and actors that are killed or busy."""

import gc
import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import in_place
import numpy as np
import pytest
from calls import (
    LONG,
    call,
    eventually,
    hold_up_worker_0,
    kill_worker_1,
    pids_of,
    put_off,
    receive,
    sums_and_products,
)
from in_place import change_nothing_for_others, ways

import anyk
from anyk.errors import ExecutorError, InvalidArgument, Unachievable
from anyk.executors.core.base import PerWorker
from anyk.executors.engines.ray import Ray
from anyk.testing.tasks import gram

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # Ray's own plans
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # of Ray's, when it is shut down
]
ray = pytest.importorskip("ray")

MARK = uuid.uuid4().hex
NODES = 3
SMALL = {
    "num_cpus": 4,
    "resources": {"own": 1},
    "object_store_memory": 80 << 20,
    "include_dashboard": False,
}
SCHEME = anyk.Lagrange(blocks=2, degree=1, workers=3)


@pytest.fixture(scope="module", autouse=True)
def nodes() -> Iterator[Any]:
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - where there is Ray

    os.environ["ANYK_TEST"] = MARK
    cluster = Cluster(initialize_head=True, head_node_args=SMALL)
    for _ in range(NODES - 1):
        cluster.add_node(
            **{name: SMALL[name] for name in ("num_cpus", "resources", "object_store_memory")}
        )
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    yield cluster
    assert descendants()
    ray.shutdown()
    cluster.shutdown()
    del os.environ["ANYK_TEST"]
    gc.collect()  # while warnings of Ray's are ignored
    assert eventually(lambda: not descendants())


@pytest.fixture(scope="module")
def trio(nodes: Any) -> Iterator[Ray]:  # noqa: ARG001 - only there to be used
    with Ray(3) as executor:
        yield executor


def descendants() -> set[int]:
    """Processes that were started from here since the mark was set, and whatever they started."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if MARK.encode() in entry.read_bytes():
                found.add(int(entry.parent.name))
    return found - {os.getpid()}


def test_what_a_task_writes_changes_nothing_for_others(trio: Ray) -> None:
    ray.cloudpickle.register_pickle_by_value(in_place)  # Ray's nodes do not know this folder
    for way in ways():
        change_nothing_for_others(trio, in_place.spoil, way)
    ray.cloudpickle.unregister_pickle_by_value(in_place)


def test_conformance() -> None:
    anyk.testing.check_executor(Ray(3))


def test_each_worker_is_an_actor_of_its_own_and_functions_of_any_kind(trio: Ray) -> None:
    first = pids_of(trio)
    assert len({os.getpid(), *first}) == 4
    assert pids_of(trio) == first
    outcome = anyk.run(SCHEME, lambda x: 2 * x, [5, 6], trio)
    assert outcome.value.tolist() == [10, 12]
    assert trio.alive == (True, True, True)


@pytest.mark.parametrize("length", [10, 100_000])
def test_plain_and_per_worker_arguments_arrive(trio: Ray, length: int) -> None:
    shares = np.arange(3.0 * length).reshape(3, length)
    placement = trio.place([shares])
    for _ in range(2):
        dispatch = trio.dispatch(
            lambda share, plain, own: share + plain + own, placement, [shares[0], PerWorker(shares)]
        )
        for worker, answer in receive(dispatch, 3).items():
            np.testing.assert_array_equal(answer.value, 2 * shares[worker] + shares[0])
            assert not answer.value.flags.writeable
    trio.release(placement)


def test_a_share_larger_than_the_object_store_arrives_in_slices(trio: Ray) -> None:
    answers = call(trio, lambda share: share.sum(), np.ones((1, 12_000_000)))  # 96 MB
    assert (answers[0].value, answers[0].failure) == (12_000_000, None)


def test_what_can_not_be_pickled_is_refused_here_or_fails_there(trio: Ray) -> None:
    class LoadsOnlyHere:
        def __reduce__(self) -> Any:
            return int, ("this is no number",)

    before = pids_of(trio)
    placement = trio.place([np.zeros(3)])
    with pytest.raises(InvalidArgument, match="function: got one that"):
        trio.dispatch(np.add, placement, [threading.Lock()])
    answers = receive(trio.dispatch(np.add, placement, [LoadsOnlyHere()]), 3)
    assert all("this is no number" in str(answer.failure) for answer in answers.values())
    trio.release(placement)
    assert pids_of(trio) == before


def test_nothing_runs_twice_and_a_dead_actor_is_one_failed_answer(
    trio: Ray, tmp_path: Path
) -> None:
    kill_worker_1(trio, tmp_path, "Ray actor died")


def test_an_idle_actor_that_was_killed_is_not_missed(trio: Ray) -> None:
    placement = trio.place([np.arange(3)])
    receive(trio.dispatch(np.square, placement, []), 3)
    watch = trio.crew.links[2]._worker._watch
    os.kill(pids_of(trio)[2], signal.SIGKILL)
    assert eventually(watch.done)
    assert receive(trio.dispatch(np.square, placement, []), 3)[2].value == 4
    assert trio.alive == (True, True, True)
    trio.release(placement)


def test_a_busy_actor_holds_up_nobody_and_collects_nothing(trio: Ray, tmp_path: Path) -> None:
    hold_up_worker_0(trio, put_off, tmp_path, lambda: max(trio.crew.waiting))


def test_close_ends_actors_that_are_busy_too(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    executor = Ray(2, num_cpus=0.5)
    pids = pids_of(executor)
    dispatch = executor.dispatch(put_off(gate), executor.place([np.arange(2)]), [])
    assert set(receive(dispatch, 1)) == {1}
    assert eventually(gate.with_suffix(".begun").exists)
    executor.close()
    executor.close()
    assert dispatch.receive(None) is None
    assert eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    with pytest.raises(ExecutorError, match="closed"):
        executor.place([np.zeros(2)])


def test_on_distinct_nodes_alone_colluders_are_apart(trio: Ray) -> None:
    curious = anyk.Lagrange(blocks=2, degree=1, workers=3, colluders=1)
    with pytest.raises(Unachievable, match="3 shares in one place"):
        anyk.run(curious, np.negative, [5, 6], trio)

    def node(_: Any) -> Any:
        return np.frombuffer(ray.get_runtime_context().get_node_id().encode(), np.uint8)

    with Ray(NODES, nodes="distinct") as executor:
        answers = call(executor, node, np.zeros(NODES))
        assert len({answer.value.tobytes() for answer in answers.values()}) == NODES
        assert anyk.run(curious, lambda x: 2 * x, [5, 6], executor).value.tolist() == [10, 12]
        where = answers[1].value.tobytes()
        watch = executor.crew.links[1]._worker._watch
        os.kill(pids_of(executor)[1], signal.SIGKILL)
        assert eventually(watch.done)
        assert call(executor, node, np.zeros(NODES))[1].value.tobytes() == where
    with pytest.raises(ExecutorError, match=f"no {NODES + 1} nodes"):
        Ray(NODES + 1, nodes="distinct", patience=1.0)


def test_no_place_is_said_in_time_and_a_node_that_dies_is_one_failed_answer(nodes: Any) -> None:
    def add() -> Any:
        room = SMALL["object_store_memory"]
        return nodes.add_node(num_cpus=1, resources={"late": 1}, object_store_memory=room)

    begun = time.monotonic()
    with Ray(1, num_cpus=1.0, resources={"late": 1}, patience=1.0) as executor:
        answers = call(executor, np.square, [1])
        assert time.monotonic() - begun < LONG / 2
        text = "no Ray actor in 1 s: the cluster has no free place for one that needs 1 of CPU, 1 "
        assert str(answers[0].failure).startswith(f"{text}of late (free, on all nodes: ")
        assert "0 of late" in str(answers[0].failure)
        assert executor.alive == (False,)
        assert "no Ray actor" in str(call(executor, np.square, [1])[0].failure)

        node = add()
        placement = executor.place([np.array([3])])
        assert eventually(lambda: call(executor, np.square, [3])[0].failure is None)
        assert executor.alive == (True,)
        dispatch = executor.dispatch(lambda _: time.sleep(LONG), placement, [])
        assert dispatch.receive(0.1) is None
        nodes.remove_node(node, allow_graceful=False)  # as if its machine had lost its power
        assert str(receive(dispatch, 1)[0].failure).startswith("Ray actor ")
        assert executor.alive == (False,)

        other = add()
        assert eventually(lambda: call(executor, np.square, [3])[0].value == 9)
        assert receive(executor.dispatch(np.square, placement, []), 1)[0].value == 9
    nodes.remove_node(other)


def test_actors_and_tasks_have_names_by_which_a_user_knows_them() -> None:
    def seen(_: Any) -> Any:
        here = ray.get_runtime_context()
        assert here.get_task_name().startswith("anyk ")
        assert here.get_task_name().endswith(".seen")
        return np.frombuffer(here.get_actor_name().encode(), np.uint8)

    with Ray(2, num_cpus=0.5, resources={"own": 0.5}, runtime_env={"env_vars": {"A": "B"}}) as trio:
        answers = call(trio, seen, np.zeros(2))
        names = [answers[worker].value.tobytes().decode() for worker in range(2)]
        assert [name.rsplit("-", 1)[1] for name in names] == ["0", "1"]
        assert all(
            name.startswith("anyk-") and name in ray.util.list_named_actors() for name in names
        )
        assert call(trio, lambda _: os.environ["A"] == "B", np.zeros(2))[0].value
        os.kill(pids_of(trio)[0], signal.SIGKILL)
        assert eventually(lambda: call(trio, np.square, [1, 2])[0].failure is None)
        again = call(trio, seen, np.zeros(2))[0].value.tobytes().decode()
        assert again == f"{names[0]}-again-1"


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"workers": 0}, "workers"),
        ({"workers": 2, "nodes": "some"}, "nodes"),
        ({"workers": 2, "num_cpus": -1.0}, "num_cpus"),
        ({"workers": 2, "memory": -1.0}, "memory"),
        ({"workers": 2, "resources": {"CPU": 1}}, "resources"),
        ({"workers": 2, "resources": {"disk": 0}}, "resources"),
        ({"workers": 2, "resources": "disk"}, "resources"),
        ({"workers": 2, "runtime_env": "pip"}, "runtime_env"),
        ({"workers": 2, "patience": 0.0}, "patience"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: Any, name: str) -> None:
    with pytest.raises(InvalidArgument, match=f"{name}: got"):
        Ray(**arguments)


def test_sums_of_outputs_and_products_are_ordinary_schemes(trio: Ray) -> None:
    sums_and_products(trio, gram)


def test_a_matrix_stays_and_is_multiplied(trio: Ray) -> None:
    A = np.arange(12.0).reshape(4, 3)
    scheme = anyk.MDS((2, 1, 1), 3, domain=anyk.Reals())
    with anyk.distribute(scheme, A, trio) as resident:
        for x in (A[0], A.T):
            np.testing.assert_allclose(resident.matmul(x, progress=False).value, A @ x)
    np.testing.assert_allclose(anyk.matmul(A, A.T, trio, stragglers=1).value, A @ A.T)


def test_what_lies_in_object_stores_is_encoded_by_the_actors_alone(trio: Ray) -> None:
    made = ray.remote(lambda number: np.full((4, 3), number))
    slabs = [[made.remote(number), made.remote(number + 1)] for number in (3, 6)]
    with anyk.distribute(SCHEME, slabs, trio) as data:
        value = data.run(np.copy).value
    assert value.shape == (2, 8, 3)
    assert value[:, ::4, 0].tolist() == [[3, 4], [6, 7]]
    with pytest.raises(InvalidArgument, match=r"got -1 at .*from column 0 on"):
        anyk.distribute(SCHEME, [made.remote(-1), made.remote(2)], trio)
    masked = anyk.Lagrange(blocks=2, degree=1, workers=3, colluders=1)
    with pytest.raises(InvalidArgument, match=r"ray\.get"):
        anyk.distribute(masked, [made.remote(1), made.remote(2)], trio)
    with anyk.distribute(SCHEME, iter([np.ones((2, 3), int)] * 4), trio) as data:
        assert (data.run(np.copy).value == np.ones((2, 12))).all()


def test_without_ray_running_it_says_so() -> None:  # the last test: it shuts Ray down
    executor = Ray(2)
    placement = executor.place([np.zeros(2)])
    receive(executor.dispatch(np.square, placement, []), 2)
    ray.shutdown()
    for use in (lambda: executor.dispatch(np.square, placement, []), lambda: Ray(2)):
        with pytest.raises(ExecutorError, match="not initialised"):
            use()
    executor.close()
