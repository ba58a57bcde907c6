"""No attribute, report, repr, log, error or pickle holds a mask, a share or a block of the data."""

import io
import logging
import pickle
import subprocess
import sys

import numpy as np
import pytest
from noted import Noted

import anyk
import anyk.randomness.masked as masked_module
from anyk.executors.core.base import PerWorker
from anyk.executors.wrappers.wrapper import AbstractWrapper
from anyk.faults import Corrupt, Crash, Faulty
from anyk.learn import CodedLinearRegression, CodedLogisticRegression


class Spy(AbstractWrapper):
    """Notes everything that is sent to workers."""

    def __init__(self, executor):
        self.executor, self.sent, self.tasks = executor, [], []

    @property
    def within(self):
        return self.executor

    def place(self, parts, pieces=1):
        self.sent.extend(parts)
        return self.executor.place(parts, pieces)

    def calls(self, function):
        return self.within.calls(function)

    def dispatch(self, task, placement, arguments, without=()):
        self.tasks.append((repr(task), pickle.dumps(task)))
        self.sent.extend(np.asarray(a.rows) for a in arguments if isinstance(a, PerWorker))
        return self.executor.dispatch(task, placement, arguments, without)


@pytest.fixture
def masks(monkeypatch):
    """Every mask that is drawn."""
    drawn, draw = [], masked_module.uniform_masks

    def noted(*arguments):
        drawn.append(draw(*arguments))
        return drawn[-1]

    monkeypatch.setattr(masked_module, "uniform_masks", noted)
    return drawn


def secrets_of(X, spy, masks):
    """Runs of numbers that nobody else may hold, as the bytes and as the text they would be."""
    arrays = [X, *masks, *spy.sent]
    for array in arrays:
        row = np.ascontiguousarray(np.asarray(array).reshape(len(array), -1)[0])[:4]
        yield row.tobytes()
        yield ", ".join(map(str, row.tolist())).encode()
        yield str(int(row[-1])).encode() if abs(int(row[-1])) > 10**6 else row.tobytes()


@pytest.mark.parametrize("kind", [CodedLogisticRegression, CodedLinearRegression])
def test_nothing_holds_a_secret_after_fit(kind, masks, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    generator = np.random.default_rng(3)
    X, y = generator.standard_normal((30, 5)), np.arange(30) % 2
    faults = {2: Corrupt(seed=0, modulus=2**31 - 1), 5: Crash()}
    with anyk.Inline(11) as inner:
        spy = Spy(Faulty(inner, faults))
        model = kind(executor=spy, workers=11, adversaries=1, random_state=0)
        model.fit(X, y)
    rounds = 2 * model.n_iter_, 2 * model.n_iter_ + 1  # the last gradient may be the end
    assert len(masks) // 2 - 1 in rounds  # the data's, and fresh ones in each round, for 2 primes
    assert len({mask.tobytes() for mask in masks}) == len(masks)
    assert model.report_.liars.keys() == {2}
    shown = "\n".join(
        [repr(model), str(model.report_), repr(model.report_), caplog.text, *capfd.readouterr()]
    ).encode()
    fitted = {name: value for name, value in vars(model).items() if name != "executor"}
    held = shown + pickle.dumps(model) + pickle.dumps(fitted) + repr(fitted).encode()
    for secret in secrets_of(X, spy, masks):
        assert secret not in held


def test_random_state_makes_no_mask_again(masks):
    X, y = np.eye(8), np.arange(8) % 2
    for _ in range(2):
        CodedLogisticRegression(random_state=0).fit(X, y)
    assert len(masks) >= 12
    assert len({mask.tobytes() for mask in masks}) == len(masks)


def test_no_error_holds_a_secret(masks):
    generator = np.random.default_rng(3)
    X, y = generator.standard_normal((30, 5)), np.arange(30) % 2
    with anyk.Inline(8) as inner:
        spy = Spy(Faulty(inner, {1: Crash(), 2: Crash()}))
        with pytest.raises(anyk.NotEnoughAnswers) as caught:
            CodedLogisticRegression(executor=spy).fit(X, y)
    error = caught.value
    held = (str(error) + repr(vars(error)) + str(error.outcome)).encode() + pickle.dumps(error)
    for secret in secrets_of(X, spy, masks):
        assert secret not in held


def test_colluders_see_uniform_shares(masks):
    """The shares of two trainings on the same data have nothing in common."""
    X, y = np.ones((20, 2)), np.arange(20) % 2
    shares = []
    for _ in range(2):
        with anyk.Inline(8) as inner:
            spy = Spy(inner)
            CodedLogisticRegression(executor=spy, tol=1.0, scaling="none").fit(X, y)
        shares.append(np.concatenate([array.ravel() for array in spy.sent]))
    assert np.mean(shares[0] == shares[1]) < 0.01
    assert len(masks) >= 4


@pytest.mark.parametrize("kind", [CodedLogisticRegression, CodedLinearRegression])
@pytest.mark.parametrize("parameters", [{}, {"primes": 1}, {"scaling": "none"}, {"degree": 1}])
def test_what_workers_are_sent_in_clear_is_the_same_for_all_data(kind, parameters):
    """Tables of one shape: the work, numbers of primes and of rounds that it takes, and shapes."""
    if "degree" in parameters and kind is CodedLinearRegression:
        return
    generator = np.random.default_rng(0)
    y, sent = np.arange(40) % 2, []
    for X in (
        generator.standard_normal((40, 3)),
        generator.standard_cauchy((40, 3)) * 1e3,
        (generator.random((40, 3)) < 0.1) * 1e-3,
    ):
        with anyk.Inline(8) as inner:
            spy = Spy(inner)
            kind(executor=spy, tol=1e3, max_iter=1, **parameters).fit(X, y)
        sent.append((spy.tasks[:2], [array.shape for array in spy.sent[:3]]))
    assert sent[0] == sent[1] == sent[2]


def test_progress_is_shown_in_a_terminal_alone(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    X, y = np.eye(8), np.arange(8) % 2
    for verbose, shown in ((1, True), (0, False)):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        CodedLogisticRegression(verbose=verbose).fit(X, y)
        assert ("loss" in terminal.getvalue()) is shown


@pytest.mark.parametrize("degree", [None, 1])
def test_workers_need_not_have_the_extra(degree):
    with anyk.Inline(8) as inner:
        executor = Noted(inner)
        model = CodedLogisticRegression(executor=executor, degree=degree, tol=1e3, max_iter=2)
        model.fit(np.eye(4), [0, 1, 0, 1])
    tasks = [what[1] for what in executor.seen if what[0] == "dispatch"]
    assert tasks
    code = f"""
import pickle, sys
sys.modules['sklearn'] = None
for task in {tasks!r}:
    pickle.loads(task)
assert not [name for name in sys.modules if name.startswith('anyk.learn')]
"""
    subprocess.run([sys.executable, "-c", code], check=True)
