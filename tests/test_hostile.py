"""What a hostile or unlucky user passes, and what functions do on workers."""

import asyncio
import functools
import threading
from unittest import mock

import numpy as np
import pytest

import anyk
from anyk.faults import Crash, Delay, Faulty, Rubbish

LAGRANGE = anyk.Lagrange(blocks=2, degree=2, workers=5)
FILLED = anyk.FilledReplication(2, 6)
COPIES = anyk.Replication(2, 4)
X = np.arange(6).reshape(2, 3)


class Odd:
    """Raises where numpy reads it."""

    def __array__(self, *_args, **_kwargs):
        raise RuntimeError("odd")


class Stopped(BaseException):
    """Is no Exception."""


def raises(error, _):
    raise error


MASKED = np.ma.array(X, mask=X == 3)


@pytest.mark.parametrize("scheme", [LAGRANGE, FILLED, COPIES], ids=lambda s: type(s).__name__)
@pytest.mark.parametrize(
    "data",
    [MASKED, [MASKED[0], MASKED[1]], Odd(), (i for i in range(2)), [[1], [1, 2]], None, "ab",
     {1, 2}, np.array(3), np.zeros((2, 0)), np.zeros((3, 2)), [None, 2],
     np.array([1, 2], np.longdouble) * np.longdouble("1e4000"), np.zeros(2, "M8[s]"),
     np.zeros(2, [("a", int)]), [[2**70], [10**5000]], mock.Mock()],
    ids=lambda data: type(data).__name__,
)  # fmt: skip
def test_data_that_can_not_be_used_are_refused(scheme, data):
    with anyk.Inline(6) as executor, pytest.raises(anyk.InvalidArgument, match=r"^X: got"):
        anyk.run(scheme, np.square, data, executor)


@pytest.mark.parametrize(
    ("scheme", "data"),
    [(LAGRANGE, [np.nan, 1.0]), (LAGRANGE, [1j, 2]), (FILLED, [np.nan, 1.0]),
     (FILLED, [1.0, np.inf]), (COPIES, X.astype(np.longdouble))],
)  # fmt: skip
def test_numbers_that_a_scheme_can_not_keep_are_refused(scheme, data):
    with anyk.Inline(6) as executor, pytest.raises(anyk.InvalidArgument, match=r"^X: got"):
        anyk.run(scheme, np.square, data, executor)


@pytest.mark.parametrize(
    "data",
    [np.asfortranarray(X), X[::-1, ::-1], X.astype("i1"), X.astype(">i8"), X.astype("f2"),
     X.astype(np.uint64), X.astype(bool), np.broadcast_to(X[0], (2, 3)), X.tolist(),
     np.ma.array(X), X.view(np.matrix)],
    ids=lambda data: str(getattr(data, "dtype", "list")),
)  # fmt: skip
@pytest.mark.parametrize("scheme", [LAGRANGE, COPIES], ids=lambda s: type(s).__name__)
def test_any_layout_of_numbers_will_do(scheme, data):
    kept = np.array(data)
    with anyk.Inline(6) as executor:
        value = anyk.run(scheme, np.square, data, executor).value
    assert np.array_equal(value, kept.astype(int) ** 2)
    assert np.array_equal(np.array(data), kept)


@pytest.mark.parametrize(
    ("argument", "change"),
    [("scheme", anyk.Lagrange), ("scheme", None), ("executor", anyk.Threads), ("executor", X),
     ("function", 3), ("function", None), ("deadline", "5"), ("deadline", np.ones(2)),
     ("deadline", 10**400), ("deadline", 10**5000), ("deadline", 1j), ("tolerance", [1]),
     ("on_failure", ["raise"]), ("on_answer", 3)],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else value,
)  # fmt: skip
def test_an_argument_that_can_not_be_used_is_named(argument, change):
    with anyk.Inline(6) as executor:
        arguments = {"scheme": FILLED, "function": np.sin, "X": X, "executor": executor}
        with pytest.raises(anyk.InvalidArgument, match=rf"^{argument}: got .*; needed: ") as caught:
            anyk.run(**(arguments | {argument: change}))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "build",
    [
        lambda: anyk.Lagrange(blocks=2, degree=1, workers=3, field=7),
        lambda: anyk.Lagrange(blocks=2, degree=1, workers=3, field=anyk.PrimeField),
        lambda: anyk.Replication(2, 4, domain="reals"),
        lambda: LAGRANGE.encode(X).recovery([0.5, 1, 2]),
        lambda: LAGRANGE.encode(X).recovery("012"),
        lambda: LAGRANGE.encode(X).recovery(3),
        lambda: Faulty(anyk.Inline(2), {0: 3}),
        lambda: Faulty(anyk.Inline(2), [Crash()]),
        lambda: Delay("a"),
    ],
)
def test_what_makes_no_sense_is_refused(build):
    with pytest.raises(anyk.InvalidArgument, match=r"got .*; needed: "):
        build()


@pytest.mark.parametrize("engine", ["Inline", "Threads", "Simulated"])
@pytest.mark.parametrize(
    "error",
    [asyncio.CancelledError("late"), GeneratorExit(), SystemExit(3), Stopped("base")],
    ids=repr,
)  # fmt: skip
def test_whatever_a_function_raises_is_a_failed_answer(engine, error):
    with getattr(anyk, engine)(4) as executor:
        with pytest.raises(anyk.NotEnoughAnswers, match=type(error).__name__):
            anyk.run(COPIES, functools.partial(raises, error), X, executor)
        assert np.array_equal(anyk.run(COPIES, np.square, X, executor).value, X**2)


def test_ctrl_c_is_the_users():
    with anyk.Inline(4) as executor, pytest.raises(KeyboardInterrupt):
        anyk.run(COPIES, functools.partial(raises, KeyboardInterrupt()), X, executor)


@pytest.mark.parametrize("engine", ["Inline", "Simulated"])
def test_a_function_may_use_its_memory_again(engine):
    memory = np.empty(3)
    with getattr(anyk, engine)(4) as executor:
        outcome = anyk.run(COPIES, lambda x: np.square(x, out=memory), X, executor)
    assert np.array_equal(outcome.value, X**2)


def test_a_function_of_many_shapes_gives_no_approximation():
    with anyk.Inline(6) as executor:
        with pytest.raises(anyk.NotEnoughAnswers, match="one shape"):
            anyk.run(FILLED, lambda x: np.ones(abs(int(4 * x[0]))), X + 0.5, executor)


def test_the_largest_numbers_of_a_liar_do_not_hide_it():
    scheme = anyk.Replication(2, 6, adversaries=1)
    with anyk.Inline(6) as executor:
        for liar in range(6):
            faulty = Faulty(executor, {liar: Rubbish("huge")})
            outcome = anyk.run(scheme, np.square, X, faulty)
            assert np.array_equal(outcome.value, X**2)
            assert outcome.suspects == ((liar,) if liar in outcome.used else ())


def test_an_endless_function_object_is_refused_by_processes_at_once():
    with anyk.Processes(1) as executor:
        with pytest.raises(anyk.InvalidArgument, match=r"^function: got <Mock"):
            anyk.run(anyk.Replication(1, 1), mock.Mock(lock=threading.Lock()), [1.0], executor)


def test_an_answer_of_forty_dimensions_comes_back_from_a_process():
    many = np.ones((1, *(1,) * 40))
    with anyk.Processes(1) as executor:
        assert anyk.run(anyk.Replication(1, 1), np.square, many, executor).value.shape == many.shape
