"""A function of higher degree than promised is refused, and so is one whose degree is not known."""

import pickle
import re
from dataclasses import replace

import numpy as np
import pytest

import anyk
from anyk.degrees.promised import Promised
from anyk.domains.extent import Extent
from anyk.faults import Delay, Faulty
from anyk.running.degrees import refused, workers_for

X = np.random.default_rng(0).integers(0, 1000, (3, 2))
ONE = anyk.Lagrange(blocks=3, degree=1, workers=12)
SCHEMES = [
    ONE,
    replace(ONE, colluders=1),
    replace(ONE, adversaries=1),
    replace(ONE, pieces=2),
    anyk.Shamir(blocks=3, degree=1, workers=12),
    anyk.Harmonic(blocks=3, degree=1),
    anyk.Summed(ONE),
    anyk.Summed(anyk.Shamir(blocks=3, degree=1, workers=12)),
]


def square(x):
    return x * x


def product(x, w):
    return x @ w


def squares_by_hand(x):
    return np.frompyfunc(lambda each: int(each) ** 2, 1, 1)(x.values)


def truth(scheme, values):
    return values.sum(axis=0) if isinstance(scheme.problem, anyk.Sum) else values


@pytest.fixture(params=["Inline", "Threads", "Simulated", "Processes"])
def executor(request):
    with getattr(anyk, request.param)(12) as made:
        yield made


@pytest.mark.parametrize("scheme", SCHEMES, ids=repr)
@pytest.mark.parametrize("degree", [2, 5])
def test_the_degree_is_told_and_what_it_takes_and_that_is_right(scheme, degree):
    with anyk.Inline(scheme.guarantee.workers) as executor:
        with pytest.raises(anyk.DegreeTooHigh) as caught:
            anyk.run(scheme, lambda x: x**degree + x, X, executor)
    error = caught.value
    assert (error.degree, error.promised) == (degree, 1)
    assert f"Make the scheme with degree={degree}, which takes " in str(error)
    workers = int(re.search(r"(?:at least|the) (\d+) workers", str(error))[1])
    better = changed(scheme, degree, workers)
    with anyk.Inline(workers) as executor:
        outcome = anyk.run(better, lambda x: x**degree + x, X, executor)
    values = X.astype(object) ** degree + X
    assert np.array_equal(outcome.value, truth(scheme, values) % (2**31 - 1))


def changed(scheme, degree, workers):
    if isinstance(scheme, anyk.Summed):
        return anyk.Summed(changed(scheme.scheme, degree, workers))
    if isinstance(scheme, anyk.Harmonic):
        return replace(scheme, degree=degree)
    return replace(scheme, degree=degree, workers=workers)


@pytest.mark.parametrize("scheme", SCHEMES[:3], ids=repr)
def test_on_every_executor(scheme, executor):
    with pytest.raises(anyk.DegreeTooHigh, match="something of degree 2 "):
        anyk.run(scheme, square, X, executor)
    assert np.array_equal(anyk.run(scheme, np.positive, X, executor).value, X)


def test_the_run_ends_at_once():
    with anyk.Simulated(12) as executor:
        hung = Faulty(executor, dict.fromkeys(range(4, 12), Delay(1000.0)))
        with pytest.raises(anyk.DegreeTooHigh):
            anyk.run(replace(ONE, adversaries=2), square, X, hung)
        assert executor.clock() < 1.0
        with pytest.raises(anyk.DegreeTooHigh):
            list(anyk.stream(ONE, square, X, hung))


def test_a_lone_liar_ends_no_run_that_can_succeed():
    text = f"DegreeTooHigh: {anyk.DegreeTooHigh(degree=2, promised=1)}"
    scheme = replace(ONE, adversaries=1)
    assert refused(scheme, [text]) is None
    assert refused(scheme, [text, "it died"]) is None
    assert refused(scheme, [text, text]).degree == 2
    assert refused(scheme, [text], lost=True).degree == 2
    lies = [text.replace("degree 2", f"degree {other}") for other in ("1", "-3", "x", "9" * 40)]
    assert refused(ONE, [*lies, "DegreeTooHigh", "DegreeTooHigh: \n"]) is None


def test_masked_weights_count(executor):
    A, W = np.arange(24).reshape(4, 2, 3), np.array([1, 2, 3])
    scheme = anyk.Lagrange(blocks=4, degree=1, workers=12, colluders=1)
    for degree in (1, 2):
        with anyk.distribute(replace(scheme, degree=degree), A, executor) as data:
            assert np.array_equal(data.run(product, W).value, A @ W)
            weights = data.encode(np.stack([W] * 4))
            if degree == 1:
                with pytest.raises(anyk.DegreeTooHigh, match="degree=2, which takes the 12 worker"):
                    data.run(product, weights)
            else:
                assert np.array_equal(data.run(product, weights).value, A @ W)


def test_schemes_without_room_tell_so():
    field = anyk.PrimeField(13)
    scheme = anyk.Lagrange(blocks=3, degree=1, workers=8, colluders=2, field=field)
    assert workers_for(scheme, 6) is None
    with anyk.Inline(8) as executor:
        with pytest.raises(anyk.DegreeTooHigh, match="Take a scheme for that degree"):
            anyk.run(scheme, lambda x: x**6, X % 13, executor)


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda x: np.argmax(x.values), r"anyk\.of_degree\(f, d\)"),
        (lambda x: x.values % 2, r"anyk\.of_degree\(f, d\)"),
        (lambda _: 7, "got int; needed: a FieldArray"),
        (lambda _: np.ones(2, int), "got ndarray; needed: a FieldArray"),
        (lambda x: x.field.array([1, 2]), "a FieldArray made of others' values"),
        (lambda x: [x, x[:1]], "arrays of one shape"),
        (lambda x: {"g": x}, "got dict"),
        (lambda _: None, "got NoneType"),
    ],
)
def test_what_has_no_degree_is_refused(function, told):
    with anyk.Inline(12) as executor, pytest.raises(anyk.NotEnoughAnswers, match=told):
        anyk.run(ONE, function, X, executor)


def test_a_list_of_arrays_is_stacked(executor):
    for function, expected in [
        (two, np.stack([X, 2 * X], axis=1)),
        (nested, np.stack([[[x, x + 1], [x * 0, x * 0 + 1]] for x in X])),
    ]:
        assert np.array_equal(anyk.run(ONE, function, X, executor).value, expected)


def two(x):
    return x, 2 * x


def nested(x):
    return [(x, x + 1), [np.zeros_like(x), np.ones_like(x)]]


def test_of_degree_is_believed(executor):
    scheme = replace(ONE, degree=2)
    function = anyk.of_degree(squares_by_hand, 2)
    assert np.array_equal(anyk.run(scheme, function, X, executor).value, X * X)
    again = pickle.loads(pickle.dumps(function))
    assert (again.degree, again.__name__, again(anyk.PrimeField().array([3]))) == (
        2, "squares_by_hand", 9
    )  # fmt: skip
    assert "of_degree(<function squares_by_hand" in repr(function)


def test_of_degree_above_the_promise_is_refused_before_anything_is_sent(monkeypatch):
    with anyk.Inline(12) as executor, anyk.distribute(ONE, X, executor) as data:
        monkeypatch.setattr(executor, "dispatch", lambda *_: pytest.fail("something was sent"))
        with pytest.raises(anyk.DegreeTooHigh, match="degree=2, which takes the 12 workers"):
            data.run(anyk.of_degree(squares_by_hand, 2))
    with pytest.raises(anyk.InvalidArgument, match="degree: got"):
        anyk.of_degree(square, -1)
    with pytest.raises(anyk.InvalidArgument, match="function: got"):
        anyk.of_degree("square", 1)


def test_of_degree_within_another_function_has_no_degree_and_says_what_to_do():
    inner = anyk.of_degree(squares_by_hand, 2)
    with anyk.Inline(12) as executor:
        with pytest.raises(anyk.NotEnoughAnswers, match=r"passed as anyk\.of_degree"):
            anyk.run(replace(ONE, degree=2), lambda x: inner(x), X, executor)


def test_where_any_function_will_do_nothing_is_asked():
    field = anyk.PrimeField()
    for scheme in (
        anyk.Replication(blocks=3, workers=3, domain=field),
        anyk.Replication(blocks=3, workers=9, adversaries=1, domain=field),
        anyk.CyclicRepetition(workers=3, stragglers=1, domain=field),
    ):
        with anyk.Inline(scheme.guarantee.workers) as executor:
            for function in (
                lambda x: x**5,
                lambda x: x.values % 2,
                lambda x: np.argmax(x.values),
                lambda x: [x, x],
                anyk.of_degree(squares_by_hand, 7),
                lambda _: 7,
            ):
                values = [np.asarray(FUNCTIONS(function, x, field)) for x in X]
                expected = truth(scheme, np.stack(values).astype(object)) % field.modulus
                assert np.array_equal(anyk.run(scheme, function, X, executor).value, expected)


def FUNCTIONS(function, x, field):
    result = function(field.array(x))
    if isinstance(result, list):
        result = np.stack(result)
    return result.values if isinstance(result, anyk.FieldArray) else result


def test_a_promise_is_of_the_function_alone():
    promised = Promised("gram", (Extent(1),), 2)
    assert pickle.loads(pickle.dumps(promised)) == promised
    with pytest.raises(TypeError, match="a name, and no function"):
        promised(anyk.PrimeField().array([1]))
