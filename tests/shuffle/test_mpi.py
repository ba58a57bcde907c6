"""Shuffles whose nodes are processes of MPI, started for real."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from anyk import shuffle

LONG = 90  # seconds; a process that waits for a dead one would wait for ever
WORKS = """
import sys
import numpy as np
import anyk
from anyk import shuffle

between = shuffle.MPINodes()
((rank,), rng) = between.seats(4), np.random.default_rng(0)
rows = rng.integers(0, 256, (3000, 20), dtype=np.uint8)
expected = rows[np.argsort(rows[:, :10].copy().view("S10")[:, 0], kind="stable")]
four = shuffle.Coded(nodes=4, copies=2)
for plan in (four, shuffle.Uncoded(four), shuffle.Resolvable(2, 2), shuffle.Coded(4, 4),
             shuffle.Without(shuffle.Coded(5, 3), (1,))):
    node, files = plan.live[rank], shuffle.cut(rows, plan)
    done = shuffle.sort({file: files[file] for file in plan.held(node)}, plan, transport=between)
    alone = shuffle.sort(rows, plan)
    assert list(done.parts) == [node]
    parts = between.communicator.allgather(done.parts[node])
    assert np.array_equal(np.concatenate(parts), expected)
    for name in ("intermediate", "wanted", "multicast", "unicast", "headers_multicast",
                 "headers_unicast", "messages", "deliveries"):
        assert getattr(done.counts, name) == getattr(alone.counts, name), name
for map_fn, says in (
    (lambda file: [bytes(2)] * (4 if rank != 2 else 1 // 0), "node 2: its map raised Zero"),
    (lambda file: [bytes([rank == 1])] * 4, "got a wrong value of file"),
    (lambda file: [bytes(1 + (rank == 1))] * 4, "is told of"),
):
    try:
        shuffle.map_reduce(four, range(6), map_fn, list, transport=between)
    except shuffle.ShuffleFailed as error:
        assert says in str(error), error
    else:
        raise AssertionError(says)
try:
    between.share({rank: bytes(rank)}, 2)
except shuffle.ShuffleFailed as error:
    assert error.nodes == {3: "tells 3 bytes, where 2 are the most."}
else:
    raise AssertionError
for nodes in (3, 5):
    try:
        shuffle.sort(rows, shuffle.Coded(nodes, 2), transport=between)
    except anyk.InvalidArgument as error:
        assert f"mpiexec -n {nodes}" in str(error)
    else:
        raise AssertionError
if rank == 0:
    print("all is well")
"""
DIES = """
import os
from anyk import shuffle

between = shuffle.MPINodes()
(rank,) = between.seats(4)

def map_fn(file):
    if rank == 1:
        DEATH
    return [b"a"] * 4

shuffle.map_reduce(shuffle.Coded(4, 2), range(6), map_fn, list, transport=between)
print("nobody gets here")
"""


def in_mpi(program, path: Path):
    pytest.importorskip("mpi4py")
    folder = str(Path(sys.executable).parent)
    mpiexec = shutil.which("mpiexec", path=folder)
    if mpiexec is None:
        pytest.skip("MPI is not installed beside Python")
    script = path / "program.py"
    script.write_text(program)
    allowed = [
        f"{name}_ALLOW_RUN_AS_ROOT{confirm}"
        for name in ("OMPI", "PRTE")
        for confirm in ("", "_CONFIRM")
    ]
    environment = {
        **os.environ,
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
        **dict.fromkeys(allowed, "1"),
    }
    return subprocess.run(
        [mpiexec, "-n", "4", sys.executable, "-m", "mpi4py", str(script)],
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG,
        env=environment,
    )


def test_processes_of_mpi_are_nodes(tmp_path):
    done = in_mpi(WORKS, tmp_path)
    assert (done.returncode, done.stdout.split("\n")[0]) == (0, "all is well"), done.stderr


def test_the_example_sorts(tmp_path):
    example = Path(__file__).parents[2] / "examples" / "sort_on_mpi.py"
    done = in_mpi(example.read_text(), tmp_path)
    records = sum(map(int, re.findall(r"node \d has (\d+) records", done.stdout)))
    multicast, unicast = map(int, re.findall(r"(\d+) (?:bytes )?as", done.stdout))
    assert (records, unicast) == (6000, 2 * multicast), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("death", "tells"),
    [("os._exit(3)", "Exit code:    3"), ("raise KeyboardInterrupt", "Interrupt")],
)
def test_the_death_of_a_process_ends_the_program(tmp_path, death, tells):
    done = in_mpi(DIES.replace("DEATH", death), tmp_path)
    assert done.returncode != 0
    assert "nobody gets here" not in done.stdout
    assert tells in done.stdout + done.stderr


def test_without_mpi4py_it_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(ImportError, match=r"pip install '\.\[mpi\]'"):
        shuffle.MPINodes()
