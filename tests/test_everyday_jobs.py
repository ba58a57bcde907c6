"""The everyday jobs are as a loop has them, and the comparison sees what is not."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import anyk

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))
import _everyday_tasks  # noqa: E402 - benchmarks are no package
import everyday_jobs  # noqa: E402

sys.path.remove(str(ROOT / "benchmarks"))


@pytest.fixture(scope="module")
def threads() -> Iterator[anyk.AbstractExecutor]:
    with anyk.Threads(3) as executor:
        yield executor


@pytest.mark.parametrize("job", _everyday_tasks.JOBS, ids=lambda job: job.name)
def test_a_job_is_as_a_loop_has_it(job, threads, tmp_path):
    try:
        job.made(tmp_path)
    except ImportError as error:
        pytest.skip(f"{job.name} needs a package: {error}")
    assert everyday_jobs.run(job, threads) is None


def test_the_page_has_a_row_for_each_job():
    table = everyday_jobs.PAGE.read_text().partition(everyday_jobs.BEGIN)[2]
    names = [line.split(" | ")[0].lstrip("| ") for line in table.splitlines() if "✓" in line]
    assert names == [job.name for job in _everyday_tasks.JOBS]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0), (1, True), (1, np.int64(1)), ([1], (1,)), (0.0, -0.0), (None, float("nan")),
        (np.float32(1), np.float64(1)), (np.ones(2), np.ones(2, np.float32)), ({"a": 1}, {"b": 1}),
        (np.ones(2), np.ones((2, 1))), ([[1, (2,)]], [[1, [2]]]), ({1: 2}, {1.0: 2}),
        (np.array([1.0, np.nan]), np.array([1.0, 2.0])), (ValueError("a"), ValueError("b")),
        (np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 2])), ((1, 2), (1, 2, 3)), ("a", b"a"),
        (np.array([1, None]), np.array([1.0, None])), ({1}, frozenset({1})),
        (np.array("2024", "M8[D]"), np.array("2024", "M8[s]")),
    ],
)  # fmt: skip
def test_what_is_not_the_same_through_and_through_is_told(one, other):
    assert everyday_jobs.difference(one, one) is None
    assert everyday_jobs.difference(other, other) is None
    assert everyday_jobs.difference(one, other) is not None


def test_frames_are_compared_with_their_indices_and_dtypes():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1, 2]})
    for other in (frame.astype(float), frame.set_axis([1, 2]), frame.rename(columns={"a": "b"})):
        with pytest.raises(AssertionError):
            everyday_jobs.difference(frame, other)
