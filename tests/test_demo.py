import io
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.lib.npyio import NpzFile
from rich.console import Console

import anyk
from anyk.answers import Timing
from anyk.demo.digits import held_out, taught
from anyk.demo.jobs import gram_job, reading_job
from anyk.demo.network import WEIGHTS, logits, read
from anyk.demo.report import conclusion
from anyk.demo.result import Result
from anyk.demo.story import tell
from anyk.demo.trouble import KilledAtWork, LazyLiar, Trouble
from anyk.timeline import Bar, Fate, Panel, Row, draw_timeline

PNG = b"\x89PNG\r\n\x1a\n"


def run_small(tmp_path: Path, *, terminal: bool, seed: int = 0):
    output = tmp_path / "small [1].png"
    printed = io.StringIO()
    console = Console(file=printed, width=80, force_terminal=terminal, highlight=False)
    results = tell(console, seed=seed, output=output, employ=anyk.Threads, seconds=0.3, passes=3)
    assert output.read_bytes().startswith(PNG)
    assert str(output) in printed.getvalue().replace("\n", "")
    return results, printed.getvalue()


@pytest.mark.parametrize("terminal", [False, True])
def test_the_demo_tells_what_happened(tmp_path, terminal):
    (reading, gram), printed = run_small(tmp_path, terminal=terminal)
    uncoded, replicated, mapped = reading
    trouble = mapped.job.trouble
    assert uncoded.lost == (trouble.killed,)
    assert uncoded.right == 7 * 56
    assert mapped.failed in {(), (trouble.killed,)}
    assert not mapped.lost
    assert mapped.right == 448
    assert mapped.outcome.status is anyk.Status.EXACT
    assert replicated.right == 448 - 56 * len(replicated.lost)

    uncoded, replicated, coded = gram
    trouble = coded.job.trouble
    assert uncoded.deceived
    assert uncoded.right == 2
    assert uncoded.leaks
    assert replicated.right == coded.right == 3
    assert replicated.leaks
    assert not coded.leaks
    assert coded.named in {(), (trouble.liar,)}
    assert not coded.deceived
    assert "1 uncoded" in printed
    assert "1 anyk.map" in printed
    assert "2 coded" in printed
    assert "unnoticed" in printed
    assert ("\x1b[" in printed) == terminal


def test_the_seed_repeats_data_and_faults():
    first, again, other = (
        [
            job(np.random.default_rng(seed), seconds=1.0, **more)
            for job, more in ((reading_job, {"passes": 1}), (gram_job, {}))
        ]
        for seed in (3, 3, 4)
    )
    for one, two in zip(first, again, strict=True):
        assert np.array_equal(one.X, two.X)
        assert one.trouble == two.trouble
    assert not np.array_equal(first[0].X, other[0].X)


def test_the_seed_does_not_repeat_masks():
    job = gram_job(np.random.default_rng(0), seconds=1.0)
    coded = job.ways[-1].scheme
    assert not np.array_equal(coded.encode(job.X).shares, coded.encode(job.X).shares)


def test_every_way_meets_the_faults():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        trouble = gram_job(rng, seconds=1.0).trouble
        assert {trouble.asleep[0], trouble.liar, trouble.colluder} == {0, 1, 2}
        assert trouble.asleep[1] > 2


def test_the_network_is_small_and_reads_what_it_has_not_seen():
    assert WEIGHTS.stat().st_size < 100_000
    with np.load(WEIGHTS, allow_pickle=False) as file:
        assert isinstance(file, NpzFile)
        assert all(file[name].dtype == np.float32 for name in file.files)
    images, labels = held_out()
    assert len(images) + len(taught()[0]) == 1797
    assert np.count_nonzero(logits(images).argmax(axis=-1) == labels) == 441  # of 449: 98.2 %


def test_reading_is_deterministic_and_of_any_shape():
    images = held_out()[0][:6]
    assert np.array_equal(read(images, passes=5), read(images, passes=5))
    blocks = read(images.reshape(2, 3, 64), passes=5)
    np.testing.assert_allclose(blocks.reshape(6, 10), read(images, passes=5))


def test_faults_of_workers_that_are_not_there_are_left_out():
    trouble = Trouble(asleep=(1, 7), seconds=2.0, killed=3, liar=0, lie=(2, 2), colluder=4)
    assert set(trouble.faults(3)) == {0, 1}
    assert (
        str(trouble) == "1 and 7 sleep 2 s, 3 is killed at work, 0 lies, 4 is curious (a colluder)"
    )


def test_a_lie_looks_like_an_answer():
    lie = LazyLiar((3, 3)).around(lambda: pytest.fail("it must not compute"), worker=1)
    assert lie.shape == (3, 3)
    assert lie.min() >= 0


def test_a_worker_is_killed_at_work():
    with anyk.Processes(1) as workers:
        executor = anyk.faults.Faulty(workers, {0: KilledAtWork(0.05)})
        scheme = anyk.Replication(1, 1)
        start = time.perf_counter()
        outcome = anyk.run(scheme, read_long, np.zeros((1, 4, 64)), executor, on_failure="return")
        assert outcome.missing == (0,)
        assert 0 in outcome.failures
        assert time.perf_counter() - start < 60


def read_long(images):
    return read(images, passes=1_000_000)


def test_a_picture_of_nothing_but_silence(tmp_path):
    bars = [Bar(worker=0, end=None, fate=Fate.LATE), Bar(worker=1, end=0.0, fate=Fate.FAILED)]
    panel = Panel(title="a", verdict="b", good=False, bars=bars, ready=1.0)
    draw_timeline([Row(title="c", panels=[panel])], tmp_path / "x.png", title="d", caption="e")
    assert (tmp_path / "x.png").read_bytes().startswith(PNG)


def test_ctrl_c_leaves_nothing_behind(tmp_path):
    code = """
import signal, sys
from anyk.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
sys.exit(main(sys.argv[1:]))
"""
    command = [sys.executable, "-c", code, "demo", "--output", str(tmp_path / "x.png")]
    demo = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert demo.stdout is not None
    while "what goes wrong" not in demo.stdout.readline():
        assert demo.poll() is None
    time.sleep(0.3)
    os.killpg(demo.pid, 2)  # as a terminal does: to the workers, too
    _, complaint = demo.communicate(timeout=30)
    assert demo.returncode == 130
    assert complaint.strip() == "anyk: stopped"
    for _ in range(100):
        try:
            os.killpg(demo.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("processes are left")


def test_sleepers_that_were_waited_for_are_late_however_busy_the_machine_is():
    job = reading_job(np.random.default_rng(0), seconds=5.0, passes=1)
    uncoded, _, mapped = job.ways
    asleep, killed = job.trouble.asleep, job.trouble.killed

    def result(way, ends):
        timings = [
            Timing(worker=who, sent=0.0, answered=end, seconds=None) for who, end in ends.items()
        ]
        used = tuple(who for who, end in ends.items() if end is not None and who != killed)
        outcome = anyk.Outcome(
            value=None, status=anyk.Status.EXACT, used=used, failures={killed: "died"},
            missing=tuple(set(ends) - set(used)), timings=tuple(timings), elapsed=5.5,
        )  # fmt: skip
        return Result(job=job, way=way, outcome=outcome, right=0, lost=(), share=None)

    waited = result(uncoded, {who: 5.4 if who in asleep else 2.5 for who in range(8)})
    assert waited.late == asleep
    assert waited.spare == ()
    spared = next(who for who in range(12) if who not in {*asleep, killed})
    left = result(mapped, {who: None if who in {*asleep, spared} else 2.5 for who in range(12)})
    assert set(left.late) == {*asleep, spared}
    assert left.spare == (spared,)
    assert f"did not wait for {asleep[0]} and {asleep[1]}" in conclusion(left)
