"""What a person sees of a run: the report, the chart, the notebook's cell."""

import numpy as np
import pytest
from matplotlib.image import imread

import anyk
from anyk.delays import Fixed
from anyk.faults import Corrupt, Crash, Die, Faulty
from anyk.timeline import Bar, Fate, Panel, Row, timeline_figure


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
    assert [worker for worker in range(12) if fates[worker] is Fate.SPARE] == [8, 9, 10, 11]
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
    with pytest.raises(ImportError, match=r"'\.\[demo\]'"):
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
    assert {"answered", "not needed"} <= told
    assert not {"lied", "failed", "late"} & told


def test_a_report_of_many_workers_is_short():
    faults = dict.fromkeys([0, 1, 2], Die())
    report = str(run_of(4000, np.linspace(1, 2, 4000), faults))
    assert "spare     workers 5-3999: not needed" in report
    assert "failed    workers 0-2: " in report
    assert len(report) < 500


def filled(late=()):
    scheme = anyk.FilledReplication(5, 5)
    delays = Fixed([100.0 if worker in late else 0.0 for worker in range(5)])
    with anyk.Simulated(5, delays=delays) as executor:
        return anyk.run(scheme, np.sin, np.arange(5) * 0.1, executor, deadline=0.1)


def test_the_report_tells_how_many_blocks_are_as_computed_and_the_worst_of_the_others():
    whole, partly = filled(), filled([2])
    assert "blocks    all 5 as computed\n" in str(whole)
    worst = int(np.argmax(partly.block_errors))
    told = f"the worst is block {worst}, about {partly.block_errors[worst]:.2g} of the value's size"
    assert f"blocks    4 of 5 as computed, 1 estimated; {told} off\n" in str(partly)
    assert "late      worker 2" in str(partly)
    assert "again" not in str(partly)
    few = filled([1, 2])
    assert "of whose error there is no evidence" in str(few)
    assert "blocks" not in str(run_of(3, [1.0, 1.0, 2.0]))  # of an exact value all is known


def test_notebook_and_timeline_show_what_is_known():
    outcome = filled([2])
    shown = outcome._repr_html_()
    assert shown.count('title="block ') == 5
    assert shown.count("as computed") == 4 + 1
    assert "4 of 5 blocks as computed" in [
        part for text in outcome.timeline().axes[0].texts for part in text.get_text().split(", ")
    ]


def test_a_notebook_shows_no_thousands_of_cells():
    known = np.ones(10_000, dtype=bool)
    outcome = anyk.Outcome(
        value=None, status=anyk.Status.APPROXIMATE, used=(), missing=(), known=known,
        block_errors=np.zeros(10_000),
    )  # fmt: skip
    assert "<span" not in outcome._repr_html_()


def test_one_reason_for_all_failures_is_advice_of_its_own():
    def broken(block):
        return block @ np.ones(9)

    with anyk.Inline(8) as executor, pytest.raises(anyk.NotEnoughAnswers) as caught:
        anyk.run(anyk.Replication(4, 8), broken, np.zeros((4, 3)), executor)
    advice = (
        "All that failed did so for the same reason: remove it first, as more workers may fail too."
    )
    assert str(caught.value).endswith(advice)
    assert str(caught.value.outcome).splitlines()[0] == advice
    several = run_of(4, [1.0] * 4, dict.fromkeys([0, 1, 2], Crash()))  # each has its own reason
    assert "wait longer, add workers" in str(several)


def test_a_report_says_each_thing_once():
    assert (
        str(filled()).splitlines()[0] == "Every block is as computed: nothing had to be estimated."
    )
    assert "error " not in str(filled())
    assert str(filled([2])).splitlines()[0].startswith("The value is approximate: ")
    assert str(run_of(3, [1.0, 1.0, 2.0])).splitlines()[0] == "The value is exact."


def test_short_runs_have_a_chart_in_short_units():
    for seconds, unit in ((2.0, "seconds"), (0.02, "milliseconds"), (2e-5, "microseconds")):
        (axes,) = run_of(3, [seconds] * 3).timeline().axes
        axes.figure.canvas.draw()
        assert axes.get_xlabel() == unit
        assert "2" in [label.get_text().rstrip("0") for label in axes.get_xticklabels()]
        assert not axes.xaxis.get_offset_text().get_text()


def test_long_titles_stay_in_their_panels():
    bars = [Bar(worker=who, end=1.0, fate=Fate.ANSWERED) for who in range(3)]
    title = "coded: " + "LongName" * 5 + ", any 9 of 12 workers are enough"
    panel = Panel(title=title, verdict=title, good=True, bars=bars, ready=1.0)
    figure = timeline_figure([Row(title="", panels=[panel] * 2)], title="", caption="")
    figure.canvas.draw()
    for axes, end in zip(figure.axes, (figure.axes[1].get_window_extent().x0, None), strict=True):
        for text in (axes._left_title, *axes.texts):
            assert text.get_window_extent().x1 < (end or figure.bbox.x1)
