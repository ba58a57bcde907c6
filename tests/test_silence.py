"""Nothing wrong is returned in silence: ways that once led there."""

from itertools import pairwise

import numpy as np
import pytest

import anyk
from anyk.running.collection import Collection

FIELD = anyk.PrimeField(101)


def test_the_matrices_of_later_encodings_cannot_be_written_in():
    scheme = anyk.Lagrange(blocks=1, degree=1, workers=3, colluders=1)
    encoder = scheme.encode([0]).encoder
    for matrix in (encoder.masks, encoder.data):
        with pytest.raises(ValueError, match="read-only"):
            matrix[...] = 0
    assert scheme.encode([0]).encoder.masks.all()


def test_a_small_number_beside_a_large_one_is_voted_on_too():
    encoded = anyk.Replication(1, 3, adversaries=1).encode([[1e12, 1.0]])
    answers = encoded.shares.copy()
    answers[0, 1] = 700.0
    recovered = encoded.decode(answers, range(3))
    assert recovered.value.tolist() == [[1e12, 1.0]]
    assert recovered.suspects == (0,)
    assert recovered.error_estimate is None


def test_replicas_equal_but_for_rounding_are_approximate():
    encoded = anyk.Replication(1, 3, adversaries=1).encode([1.0])
    recovered = encoded.decode(np.array([1.0, 1.0 + 1e-14, 1.0 + 2e-14]), range(3))
    assert recovered.suspects == ()
    assert recovered.value == [1.0 + 1e-14]
    assert recovered.error_estimate == pytest.approx(1e-14, rel=0.03)


@pytest.mark.parametrize(
    ("scheme", "function", "data"),
    [
        (anyk.Spline(2, 2), np.cos, [-1.0, 1.0]),
        (anyk.Berrut(2, 2), np.cos, [-1.0, 1.0]),
        (anyk.Spline(3, 3), np.sin, [-3.0, 0.0, 3.0]),
    ],
)
def test_answers_that_agree_by_symmetry_are_no_evidence(scheme, function, data):
    with anyk.Inline(scheme.workers) as executor:
        guess = anyk.run(scheme, function, data, executor, tolerance=np.inf)
        assert np.isinf(guess.error_estimate)
        with pytest.raises(anyk.NotAccurateEnough, match="nothing in the answers tells"):
            anyk.run(scheme, function, data, executor)
        with pytest.raises(anyk.NotAccurateEnough):
            anyk.run(scheme, function, data, executor, tolerance=1e-6)


@pytest.mark.parametrize("make", [anyk.FilledReplication, anyk.Spline, anyk.Berrut])
@pytest.mark.parametrize("size", [1e-320, 1e-200, 1e200, 1e308])
def test_tiny_and_huge_numbers_neither_overflow_nor_vanish(make, size):
    X = np.linspace(0.1, 0.9, 5)[:, None] * size
    encoded = make(5, 30).encode(X)
    recovered = encoded.decode(encoded.shares, range(30))
    assert np.isfinite(recovered.value).all()
    np.testing.assert_allclose(recovered.value, X, rtol=0.05)
    assert 0 < recovered.error_estimate < 1


def test_integers_that_float64_would_round_are_refused():
    scheme = anyk.Spline(2, 4)
    with pytest.raises(anyk.InvalidArgument, match="53 bits"):
        scheme.encode([2**60 + 1, 1])
    with anyk.Inline(4) as executor, pytest.raises(anyk.NotEnoughAnswers, match="53 bits"):
        anyk.run(scheme, lambda _: np.array([2**60 + 1]), [1.0, 2.0], executor)


def test_copies_of_integers_are_not_rounded():
    scheme = anyk.Replication(1, 3, adversaries=1)
    with anyk.Inline(3) as executor:
        outcome = anyk.run(scheme, lambda x: x + 1, [2**60 + 1], executor)
    assert outcome.value.tolist() == [2**60 + 2]


@pytest.mark.parametrize(
    "operation",
    [
        lambda x: np.take(FIELD.array(np.arange(7)), x),
        lambda x: np.take(x, indices=x),
        lambda x: np.tile([1], x),
        lambda x: np.add.reduce(x, initial=10),
        lambda x: np.add.reduce(x, where=[True, False]),
        lambda x: np.sum(x, dtype="i1"),
        lambda x: np.concatenate([x], dtype="i1", casting="unsafe"),
        lambda x: np.power(np.array([2, 3]), x),
        lambda x: x / 2,
        lambda x: x // 2,
        lambda x: x % 2,
        abs,
        lambda x: x**2.0,
        lambda x: x ** "a",
    ],
)
def test_what_is_not_polynomial_or_changes_numbers_on_the_way_is_refused(operation):
    with pytest.raises(anyk.AnykError):
        operation(FIELD.array([1, 2]))


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"])
def test_integers_of_any_width_mix_with_a_field(dtype):
    field = anyk.PrimeField()
    product = field.array([1, field.modulus - 1]) * np.array([100, 100], dtype=dtype)
    assert product.values.tolist() == [100, field.modulus - 100]
    assert field.accept(np.array([7], dtype=dtype)).tolist() == [7]


def test_shares_inside_something_else_are_not_sent_to_everybody():
    scheme = anyk.Lagrange(blocks=2, degree=2, workers=6, colluders=1)
    with anyk.Inline(6) as executor, anyk.distribute(scheme, [1, 2], executor) as data:
        for wrapped in ([scheme.encode([3, 4])], {"w": scheme.encode([3, 4])}):
            with pytest.raises(anyk.InvalidArgument, match="every worker would get all shares"):
                data.run(np.multiply, wrapped)


def test_a_set_of_workers_has_no_order():
    with pytest.raises(anyk.InvalidArgument, match="no order"):
        anyk.Replication(2, 4).encode([1.0, 2.0]).recovery({3, 0})


def test_a_task_that_waits_for_its_own_threads_fails_instead_of_hanging():
    scheme = anyk.Replication(1, 1)
    with anyk.Threads(2) as executor:
        with pytest.raises(anyk.NotEnoughAnswers, match="one of its own"):
            anyk.run(
                scheme, lambda x: anyk.run(scheme, abs, x[None], executor).value, [1.0], executor
            )


def test_a_failure_cannot_forge_the_report():
    class RudeError(Exception):
        def __str__(self):
            return "\x1b[2J\nworker 9: fine"

    class MuteError(Exception):
        def __str__(self):
            raise SystemExit

    def fail(error):
        def function(_):
            raise error

        return function

    for error in (RudeError(), MuteError()):
        with anyk.Threads(1) as executor:
            outcome = anyk.run(
                anyk.Replication(1, 1), fail(error), [1.0], executor, on_failure="return"
            )
        report = str(outcome)
        assert "\x1b" not in report
        assert not any(line.startswith("worker 9") for line in report.splitlines())


def test_on_answer_cannot_change_the_answers():
    def spoil(answer):
        answer.value[...] = 0

    with anyk.Inline(1) as executor, pytest.raises(ValueError, match="read-only"):
        anyk.run(anyk.Replication(1, 1), np.square, [3.0], executor, on_answer=spoil)


def test_after_the_deadline_nothing_more_is_decoded(monkeypatch):
    scheme = anyk.FilledReplication(2, 30, stragglers=20)
    decoded = []
    judge = Collection._judge
    monkeypatch.setattr(
        Collection,
        "_judge",
        lambda self, tolerance, guess: (
            decoded.append((self.executor.clock(), len(self.usable.shares)))
            or judge(self, tolerance, guess=guess)
        ),
    )
    with anyk.Simulated(30, compute=1.0) as executor:
        outcome = anyk.run(
            scheme, np.sin, [0.1, 3.0], executor, deadline=1.0, tolerance=1e-15,
            on_failure="return",
        )  # fmt: skip
    assert len(outcome.used) == 30
    assert all(before < after for (_, before), (_, after) in pairwise(decoded))


def test_counts_are_plain_integers():
    for value in (
        anyk.Berrut(np.int64(2), np.int64(6)),
        anyk.Spline(np.int64(2), np.int64(6)),
        anyk.Map(blocks=np.int64(2)),
        anyk.Threat(workers=np.int64(3)),
    ):
        assert "np." not in repr(value)
