"""What a run shows and tells while it lasts: the terminal, the log, the spans."""

import io
import logging
import pickle
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from rich.console import Console

import anyk
from anyk.answers import Answer
from anyk.faults import Corrupt, Crash, Faulty
from anyk.observe.live import _View, live_display

SCHEME = anyk.Lagrange(blocks=2, degree=1, workers=6, adversaries=1, colluders=1)
SECRET = 1_987_654_321


def answer(worker, failure=None):
    value = None if failure else np.ones(1)
    return Answer(worker=worker, value=value, failure=failure, sent=0.0, answered=1.0, seconds=1.0)


def run(faults=None, **options):
    with Faulty(anyk.Inline(6), faults or {}) as executor:
        return anyk.run(SCHEME, np.negative, [SECRET, 5], executor, **options)


def test_the_picture_has_a_mark_for_each_worker_and_counts_the_answers():
    view = _View(6, 5)
    for heard in (answer(0), answer(3), answer(4, failure="ValueError: no")):
        view.heard(heard)
    first, second = view.picture().plain.splitlines()
    marks = first.removeprefix("workers  ")
    assert [marks[worker] for worker in (0, 3, 4)] == ["●", "●", "✖"]
    assert len(marks) == 6
    assert second.startswith("answers  2 of 5   1 failed")


def test_a_worker_with_pieces_is_at_work_until_it_has_answered_all():
    view = _View(2, 3, pieces=2)
    view.heard(replace(answer(0), piece=0))
    assert "1 of 3" in str(view.picture())
    assert "●" not in str(view.picture())
    view.heard(replace(answer(0), piece=1))
    assert "2 of 3" in str(view.picture())
    assert str(view.picture()).count("●") == 1
    view.heard(replace(answer(1), value=None, failure="it died"))
    assert "1 failed" in str(view.picture())
    assert "✖" in str(view.picture())


def test_the_terminal_is_left_as_it_was():
    stream = io.StringIO()
    view = _View(6, 5)
    view.open(Console(file=stream, force_terminal=True, width=60))
    view.heard(answer(0))
    for _ in range(600):  # the picture is drawn by a timer
        if "answers" in stream.getvalue():
            break
        time.sleep(0.1)
    view.close()
    view.close()
    shown = stream.getvalue()
    assert "answers" in shown
    assert shown.endswith("\x1b[2K")  # its last line is wiped
    view.open(Console(file=stream, force_terminal=True))  # a timer that comes too late
    assert stream.getvalue() == shown


@pytest.mark.parametrize(("progress", "terminal"), [(False, True), (True, False)])
def test_nothing_is_shown_where_nobody_asked_or_looks(progress, terminal, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    with live_display(6, 5, progress=progress) as heard:
        assert heard is None


def test_a_terminal_is_told_of_answers(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with live_display(6, 5, progress=True) as heard:
        heard(answer(0))
    assert run().status.ok  # too short to show anything


def test_a_run_is_one_record_in_the_log(caplog):
    with caplog.at_level(logging.INFO, logger="anyk"):
        run({1: Crash()})
    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert record.name == "anyk.run"
    assert record.anyk["anyk.failed"] == [1]
    assert "EXACT, 4 of 6 answers" in record.getMessage()


def test_liars_and_failures_are_warnings(caplog):
    with caplog.at_level(logging.INFO, logger="anyk"):
        run({2: Corrupt(modulus=2**31 - 1)})
        run({n: Crash() for n in range(6)}, on_failure="return")
    liar, failed = caplog.records
    assert (liar.levelno, liar.anyk["anyk.suspects"]) == (logging.WARNING, [2])
    assert (failed.levelno, failed.anyk["anyk.status"]) == (logging.WARNING, "NOT_ENOUGH_ANSWERS")


def test_the_log_holds_no_data_and_nothing_that_a_worker_said(caplog):
    class Telling:
        def __call__(self, share):
            raise ValueError(f"my share is {share}")

    with caplog.at_level(logging.DEBUG, logger="anyk"), anyk.Inline(6) as executor:
        anyk.run(SCHEME, Telling(), [SECRET, 5], executor, on_failure="return")
        run()
    told = "".join(record.getMessage() + repr(record.anyk) for record in caplog.records)
    assert caplog.records
    assert "share" not in told
    assert str(SECRET) not in told
    assert str(-SECRET % (2**31 - 1)) not in told


def test_without_a_handler_nothing_is_printed():
    code = """
import anyk, numpy as np
scheme = anyk.Lagrange(blocks=2, degree=1, workers=3)
with anyk.Inline(3) as executor:
    anyk.run(scheme, lambda x: 1 / 0, [1, 2], executor, on_failure="return")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout + done.stderr == ""


@pytest.fixture(scope="module")
def spans():
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


def test_a_run_is_a_span_where_the_user_has_set_them_up(spans):
    spans.clear()
    run({2: Corrupt(modulus=2**31 - 1)})
    (span,) = spans.get_finished_spans()
    assert span.name == "anyk.run"
    assert span.attributes["anyk.scheme"] == "Lagrange"
    assert span.attributes["anyk.suspects"] == (2,)
    assert "anyk.error_estimate" not in span.attributes  # the value is exact


def test_importing_anyk_does_not_load_telemetry():
    code = "import anyk, sys; assert not any('opentelemetry' in name for name in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_outcome_with_its_record_still_pickles():
    outcome = run()
    assert pickle.loads(pickle.dumps(outcome)).used == outcome.used


def test_streams_side_by_side_leave_the_users_spans_alone(spans):
    spans.clear()
    with anyk.Inline(8) as executor:
        first, second = (
            anyk.stream(anyk.FilledReplication(4, 8), np.sin, np.arange(4.0), executor)
            for _ in range(2)
        )
        next(first)
        assert not trace.get_current_span().get_span_context().is_valid
        next(second)
        first.close()
        second.close()
    assert not trace.get_current_span().get_span_context().is_valid
    assert len(spans.get_finished_spans()) == 2


def test_a_span_tells_the_type_of_an_error_and_not_its_text(spans):
    spans.clear()
    scheme = anyk.Lagrange(blocks=2, degree=2, workers=4)
    fixed = anyk.FixedPoint(fraction_bits=4, magnitude=8.0, degree=2, summands=1)
    larger = anyk.of_degree(lambda x: x**2 * 2**16, 2)
    with anyk.Inline(4) as executor, pytest.raises(anyk.InvalidArgument, match="the integer"):
        anyk.run(scheme, larger, [1.5, 2.5], executor, embedding=fixed)
    (span,) = spans.get_finished_spans()
    assert span.attributes["error.type"] == "InvalidArgument"
    assert not span.status.is_ok
    assert "integer" not in span.to_json()


@pytest.mark.parametrize("closed", [True, False])
def test_a_program_without_stderr_is_one_that_nobody_watches(monkeypatch, closed):
    stream = io.StringIO() if closed else None
    if stream is not None:
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    with anyk.Inline(1) as executor:
        assert anyk.run(anyk.Replication(1, 1), np.square, [3.0], executor).value == [9.0]
