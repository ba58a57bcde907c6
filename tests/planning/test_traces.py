"""Measured delays: read, written, drawn."""

import gzip

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
        ("-1,2\n", 'got "-1" in column 1 in line 1'),
        ("nan,2\n", 'got "nan" in column 1 in line 1'),
        ("a,b\n0.1,\n", 'got nothing in column "b" in line 2'),
        ("0.1;0.2\n0.3;0.4\n", "not separated by commas in line 2"),
        ("0.1 0.2\n0.3 0.4\n", "not separated by commas in line 2"),
        ("time,w\n1700000000,0.1\n", 'times of a clock, it seems, in column "time"'),
        ("1700000000,0.1\n1700000001,0.2\n", "times of a clock, it seems, in column 1"),
        ("started_at_timestamp,w\n7,0.1\n", "times of a clock"),
        ("worker 1 (ms),b\n100,200\n", "another unit than seconds"),
        ("0,1.5\n1,2.5\n2,0.5\n", "a count of the rounds, it seems, in column 1"),
        ("round,w\n0,1.5\n1,2.5\n2,0.5\n", 'a count of the rounds, it seems, in column "round"'),
        ("round,w\n1,1.5\n2,2.5\n", 'a count of the rounds, it seems, in column "round"'),
        ("iteration,w\n10,1.5\n20,2.5\n", 'a count of the rounds, it seems, in column "iteration"'),
        ("Unnamed: 0,w\n0,1.5\n1,2.5\n", 'a count of the rounds, it seems, in column "Unnamed: 0"'),
        ('"1,2\n3,4\n', "quotes that do not end"),
        ('"a\nb",c\n1,2\n', "quotes that do not end"),
        ("1" * 140_000 + ",2\n", "a cell that can't be read"),
        ("0,1,2\n0.5,0.25,0.5\n", "names 0, 1, 2 .. of columns"),
        (",w\nmonday,0.5\n", "a first column without a name"),
        (",\n0,\n", "nothing in column"),
        ("round,worker,seconds\n0,a,1\n0,a,2\n", "worker a twice in round 0 in line 3"),
        ("worker,seconds\n0,0.5\n1,0.25\n", "without a column named round"),
        (",worker,seconds\n0,0,0.5\n1,1,0.25\n", "without a column named round"),
        ("round,worker_id,took\n0,0,0.5\n", "without a column named worker or seconds"),
        ("round,worker,seconds\n0,a,x\n", 'got "x" in column "seconds" in line 2'),
    ],
)
def test_what_is_no_trace_is_refused_with_its_line(tmp_path, text, told):
    (tmp_path / "trace.csv").write_text(text)
    with pytest.raises(anyk.InvalidArgument, match=told):
        read_trace(tmp_path / "trace.csv")


TABLE = np.array([[0.5, 1.5], [0.25, np.inf], [2.0, 0.125]])
PLAIN = "0.5,1.5\n0.25,inf\n2,0.125\n"


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),  # as a spreadsheet saves "CSV UTF-8"
        PLAIN.encode("utf-16"),
        gzip.compress(PLAIN.encode(), mtime=0),
        PLAIN.replace("\n", "\r\n").encode(),
        ("# measured on a Monday\n# seconds\n\n" + PLAIN).encode(),
        b'"a","b"\n"0.5","1.5"\n"0.25","inf"\n"2","0.125"\n',
        b",a,b\n0,0.5,1.5\n1,0.25,inf\n2,2,0.125\n",  # an index, as pandas writes it
        b",0,1\n0,0.5,1.5\n1,0.25,inf\n2,2,0.125\n",
        b"Round,Worker,Seconds,host\n0,a,0.5,x\n0,b,1.5,y\n1,a,0.25,x\n2,b,0.125,y\n2,a,2,x\n",
    ],
)
def test_tables_as_people_have_them(tmp_path, data):
    (tmp_path / "trace").write_bytes(data)
    assert np.array_equal(read_trace(tmp_path / "trace").seconds, TABLE)


@pytest.mark.parametrize(
    "data", [b"\xff\x00\xd8", gzip.compress(b"1,2\n", mtime=0)[:-6], b"\x1f\x8b??"]
)
def test_what_is_no_text_is_refused(tmp_path, data):
    (tmp_path / "trace").write_bytes(data)
    with pytest.raises(anyk.InvalidArgument, match="no text"):
        read_trace(tmp_path / "trace")


def test_rounds_that_count_are_read_as_they_were_written(tmp_path):
    write_trace(tmp_path / "trace.csv", [[0, 1, 2], [1, 2, 3]])
    assert np.array_equal(read_trace(tmp_path / "trace.csv").seconds, [[0, 1, 2], [1, 2, 3]])


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
