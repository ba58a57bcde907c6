"""What a person sees of a run: the report, the chart, the notebook's cell."""

import numpy as np
import pytest
from matplotlib.image import imread

import anyk
from anyk.delays import Fixed
from anyk.faults import Corrupt, Crash, Die, Faulty
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


def run_of(workers, seconds, faults=None):
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=workers)
    delays = Fixed(seconds)
    simulated = anyk.Simulated(workers, delays=delays, generator=np.random.default_rng(0))
    with Faulty(simulated, faults or {}) as executor:
        return anyk.run(scheme, np.negative, np.arange(2), executor, on_failure="return")


def test_a_note_is_beside_its_bar_or_told_from_it():
    seconds = [1.0, 0.9, 0.1, 1.2]
    outcome = run_of(4, seconds, {1: Crash(), 2: Crash()})
    (axes,) = outcome.timeline().axes
    notes = {round(note.xy[1]): note for note in axes.texts if note.get_text() == "RuntimeError"}
    assert notes[1].get_color() == "white"  # on a bar that is nearly black
    assert notes[1].get_horizontalalignment() == "right"
    assert notes[2].get_horizontalalignment() == "left"
    assert notes[1].xy[0] == pytest.approx(0.9, abs=0.01)
    assert notes[2].xy[0] == pytest.approx(0.1, abs=0.01)


def test_title_and_verdict_do_not_meet_however_many_workers_there_are():
    for workers in (3, 70):
        figure = run_of(workers, [1.0] * workers).timeline()
        figure.canvas.draw()
        (axes,) = figure.axes
        title = axes.title if axes.title.get_text() else axes._left_title
        verdict = next(text for text in axes.texts if "exact after" in text.get_text())
        assert title.get_window_extent().y0 > verdict.get_window_extent().y1
        assert verdict.get_window_extent().y0 > axes.get_window_extent().y1


def test_thousands_of_workers_fit_on_a_page():
    figure = run_of(4000, [1.0] * 4000, dict.fromkeys(range(9), Crash())).timeline()
    (axes,) = figure.axes
    assert figure.get_figheight() < 15
    assert len(axes.patches) >= 4000
    assert len(axes.get_yticks()) < 100
    assert not any("RuntimeError" in text.get_text() for text in axes.texts)


def test_the_legend_names_what_there_is():
    told = {text.get_text() for text in run_of(3, [1.0, 1.0, 2.0]).timeline().texts}
    assert {"answered", "late"} <= told
    assert not {"lied", "failed", "not needed"} & told


def test_a_report_of_many_workers_is_short():
    faults = dict.fromkeys([0, 1, 2], Die())
    report = str(run_of(4000, np.linspace(1, 2, 4000), faults))
    assert "late      workers 5-3999" in report
    assert "failed    workers 0-2: " in report
    assert len(report) < 500
