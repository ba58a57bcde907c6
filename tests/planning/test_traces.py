"""Measured delays: read, written, drawn."""

import numpy as np
import pytest

import anyk
from anyk.delays import Recorded, read_trace, write_trace


def test_what_was_written_is_read(tmp_path):
    seconds = np.array([[0.5, 1.25, np.inf], [0.25, 38.0625, 0.0]])
    write_trace(tmp_path / "trace.csv", seconds)
    assert np.array_equal(read_trace(tmp_path / "trace.csv").seconds, seconds)


def test_a_round_is_kept_together():
    seconds = np.arange(12.0).reshape(3, 4)
    generator = np.random.default_rng(0)
    seen = set()
    for _ in range(200):
        drawn = Recorded(seconds).sample(generator, workers=3)
        (round_number,) = {int(delay) // 4 for delay in drawn}
        assert len(set(drawn)) == 3
        seen.add(round_number)
    assert seen == {0, 1, 2}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no numbers"),
        ("a,b\n", "no numbers"),
        ("1,2\n3\n", "line 2"),
        ("1,2\nx,3\n", "line 2"),
        ("worker\n\n1\nworker\n", "line 4"),
        ("-1,2\n", "0 or more"),
        ("nan,2\n", "0 or more"),
    ],
)
def test_what_is_no_trace_is_refused_with_its_line(tmp_path, text, told):
    (tmp_path / "trace.csv").write_text(text)
    with pytest.raises(anyk.InvalidArgument, match=told):
        read_trace(tmp_path / "trace.csv")


def test_more_workers_than_measured_are_refused():
    with pytest.raises(anyk.InvalidArgument, match="2 workers"):
        Recorded([[1.0, 2.0]]).sample(np.random.default_rng(0), workers=3)


@pytest.mark.parametrize("bad", [None, [], [1.0, 2.0], [[-1.0]], [["x"]], [[1.0], [1.0, 2.0]]])
def test_what_is_no_table_is_refused(bad):
    with pytest.raises(anyk.InvalidArgument, match="rounds x workers"):
        Recorded(bad)


def test_a_simulation_runs_on_a_trace():
    trace = Recorded([[0.1, 0.2, 5.0, 0.3]])
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=4)
    with anyk.Simulated(4, delays=trace, generator=np.random.default_rng(1)) as executor:
        outcome = anyk.run(scheme, np.negative, [1, 2], executor)
    assert outcome.elapsed == pytest.approx(0.2, abs=0.01)
