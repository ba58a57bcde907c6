"""What a person sees of a run: the report, the chart, the notebook's cell."""

import numpy as np
import pytest
from matplotlib.image import imread

import anyk
from anyk.executors.faults import Corrupt, Crash, Faulty
from anyk.planning.delays import Fixed
from anyk.timeline import Fate


@pytest.fixture(scope="module")
def outcome():
    scheme = anyk.Lagrange(blocks=3, degree=2, workers=12, adversaries=1)
    delays = Fixed([0.1 * (worker + 1) for worker in range(12)])
    faults = {1: Crash(), 4: Corrupt(modulus=2**31 - 1)}
    with Faulty(
        anyk.Simulated(12, delays=delays, generator=np.random.default_rng(0)), faults
    ) as executor:
        return anyk.run(scheme, np.square, np.arange(6).reshape(3, 2), executor)


def test_each_worker_has_one_fate(outcome):
    fates = [outcome.fate(worker) for worker in range(12)]
    assert fates[1] is Fate.FAILED
    assert fates[4] is Fate.LIED
    assert [worker for worker in range(12) if fates[worker] is Fate.LATE] == [8, 9, 10, 11]
    assert fates.count(Fate.ANSWERED) == 6


def test_the_chart_has_a_bar_for_each_worker_in_the_colour_of_its_fate(outcome, tmp_path):
    figure = outcome.timeline(tmp_path / "run.png")
    assert imread(tmp_path / "run.png").shape[1] > 800
    (axes,) = figure.axes
    lengths = {}
    for bar in axes.patches:
        worker = round(bar.get_y() + bar.get_height() / 2)
        lengths.setdefault(worker, (bar.get_width(), bar.get_facecolor()))
    assert sorted(lengths) == list(range(12))
    assert lengths[5][0] == pytest.approx(0.6, abs=0.01)
    assert lengths[9][0] == pytest.approx(outcome.elapsed)
    colours = {worker: colour for worker, (_, colour) in lengths.items()}
    assert len({colours[worker] for worker in (0, 1, 4, 8)}) == 4
    assert colours[0] == colours[7]
    assert any("RuntimeError" in text.get_text() for text in axes.texts)


def test_a_notebook_shows_report_and_chart(outcome):
    shown = outcome._repr_html_()
    assert "int64 array of shape (3, 2)" in shown
    assert "data:image/png;base64," in shown


def test_a_notebook_believes_no_worker(outcome):
    told = {1: "<script>alert(1)</script>"}
    evil = anyk.Outcome(value=None, status=outcome.status, used=(0,), missing=(1,), failures=told)
    assert "<script>" not in evil._repr_html_()
    assert "&lt;script&gt;" in evil._repr_html_()


def test_without_matplotlib_a_notebook_shows_the_report(outcome, monkeypatch):
    monkeypatch.setattr("anyk.timeline.find_spec", lambda _: None)
    assert "<img" not in outcome._repr_html_()
    with pytest.raises(ImportError, match=r"anyk\[demo\]"):
        outcome.timeline()
