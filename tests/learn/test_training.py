"""Training on workers that are late, die, lie, or are too many of these."""

from functools import partial

import numpy as np
import pytest
from sklearn.datasets import load_digits

import anyk
from anyk.executors.wrappers.wrapper import AbstractWrapper
from anyk.faults import Collude, Corrupt, Crash, Delay, Die, Faulty
from anyk.learn import CodedLinearRegression, CodedLogisticRegression
from anyk.learn.report import Roll
from anyk.learn.setting import largest_code

MODULUS = 2**31 - 1
LIE = Corrupt(seed=1, modulus=MODULUS)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    chosen = (y == 3) | (y == 7)
    return X[chosen], y[chosen]


class From(AbstractWrapper):
    """Workers that are well at first, and bad from some dispatch on."""

    def __init__(self, executor, first, faults):
        self.well, self.bad, self.left = executor, Faulty(executor, faults), first

    @property
    def within(self):
        return self.well

    def calls(self, function):
        return self.within.calls(function)

    def dispatch(self, task, placement, arguments, without=()):
        self.left -= 1
        chosen = self.well if self.left >= 0 else self.bad
        return chosen.dispatch(task, placement, arguments, without)


def trained(digits, executor, **parameters):
    parameters = {"workers": 10, "adversaries": 1, "random_state": 0} | parameters
    return CodedLogisticRegression(executor=executor, verbose=0, **parameters).fit(*digits)


@pytest.mark.parametrize("kind", [CodedLogisticRegression, CodedLinearRegression])
@pytest.mark.parametrize("blank", [False, True])
def test_with_a_fixed_number_of_rounds_the_model_stays_at_its_best(digits, kind, blank):
    """Long after the loss has come to rest, where gradients are the rounding alone, or 0."""
    X, y = digits
    X, y = (np.zeros((30, 3)), np.arange(30) % 2) if blank else (X[:, 10:40], y)
    early = kind(verbose=0, random_state=0, max_iter=200).fit(X, y)
    fixed = kind(verbose=0, random_state=0, max_iter=60, tol=None).fit(X, y)
    assert early.n_iter_ < 60 == fixed.n_iter_
    assert fixed.report_.notes == ()
    assert fixed.loss_[-1] <= early.loss_[-1] + 1e-5 * early.loss_[0]


@pytest.fixture(scope="module")
def honest(digits):
    with anyk.Inline(10) as executor:
        return trained(digits, executor)


def test_an_honest_training_names_nobody(honest, digits):
    assert honest.report_.liars == {}
    assert honest.report_.failed == {}
    assert honest.score(*digits) > 0.97
    assert honest.report_.scheme.guarantee.adversaries == 1


@pytest.mark.parametrize("make", [anyk.Inline, partial(anyk.Simulated, compute=0.01)])
def test_a_liar_and_a_death_in_the_middle_change_no_bit_and_are_named(digits, honest, make):
    with make(10) as inner:
        executor = From(inner, 3, {4: LIE, 7: Die()})
        model = trained(digits, executor)
    np.testing.assert_array_equal(model.coef_, honest.coef_)
    np.testing.assert_array_equal(model.intercept_, honest.intercept_)
    assert model.loss_ == honest.loss_
    assert list(model.report_.liars) == [4]
    assert list(model.report_.failed) == [7]
    assert model.report_.liars[4] >= 3
    first, why = model.report_.failed[7]
    assert first >= 3
    assert "died" in why
    assert "lied      worker 4" in str(model.report_)
    assert "failed    worker 7" in str(model.report_)


def test_a_process_that_dies_and_one_that_lies(digits, honest):
    with anyk.Processes(6) as inner:
        executor = From(inner, 2, {4: LIE, 5: Die()})
        model = trained(digits, executor, workers=6)
    np.testing.assert_array_equal(model.coef_, honest.coef_)  # however many blocks there are
    assert list(model.report_.liars) == [4]
    report = model.report_  # the end of a process may not be waited for
    assert 5 in {*report.failed, *report.silent, *report.spare}


def test_stragglers_are_not_waited_for_and_are_named(digits, honest):
    with anyk.Simulated(10, compute=0.01) as inner:
        model = trained(digits, From(inner, 4, {2: Delay(3600.0)}))
    np.testing.assert_array_equal(model.coef_, honest.coef_)
    assert model.report_.silent == {}  # as 8 of 10 answers were enough, nobody was late
    assert model.report_.spare == {2: 4, 9: 0}
    rounds = model.report_.worker_seconds / 0.01
    assert round(rounds) in (2 * model.n_iter_, 2 * model.n_iter_ + 1)  # the last gradient may do
    assert rounds == pytest.approx(round(rounds))
    assert "spare     worker 2 was not needed, from round 4" in str(model.report_)


def test_who_is_late_is_told_from_who_is_not_needed():
    roll = Roll(workers=4)
    for round_number in range(6):
        late = (2,) if round_number == 3 else ()
        heard = (0, 1, 2) if round_number < 2 else (0, 1)
        outcome = anyk.Outcome(
            value=None, status=anyk.Status.EXACT, used=heard, missing=(), late=late
        )
        roll.note(outcome, 0.0, 0)
    assert roll.silent == {2: 2}
    assert roll.spare == {3: 0}


def test_one_failure_too_many_raises(digits):
    crashes = {worker: Crash() for worker in range(3)}  # as nobody lies, two might
    with anyk.Inline(10) as inner, pytest.raises(anyk.NotEnoughAnswers) as caught:
        trained(digits, From(inner, 3, crashes))
    assert caught.value.failures.keys() == crashes.keys()


def test_one_liar_too_many_raises(digits):
    lies = {worker: Corrupt(seed=worker, modulus=MODULUS) for worker in range(2)}
    with anyk.Inline(10) as inner, pytest.raises(anyk.TooManyErrors):
        trained(digits, From(inner, 3, lies))


def test_a_lie_is_noticed_even_without_spare_answers(digits):
    with anyk.Inline(10) as inner, pytest.raises(anyk.TooManyErrors):
        trained(digits, Faulty(inner, {0: LIE}), workers=7, stragglers=0, adversaries=0)


def plain_gradient(block, w):
    x, y = block[:, :-1], block[:, -1]
    return x.T @ (1 / (1 + np.exp(-x @ w)) - y) / len(x)


def test_without_the_code_a_liar_spoils_the_training(digits):
    X, y = digits
    X, y = X[:356] / 16, (y[:356] == 7).astype(float)
    blocks = np.dstack([X.reshape(4, 89, -1), y.reshape(4, 89, 1)])
    losses = {}
    for name, faults in {"honest": {}, "one liar": {1: Collude(seed=1, scale=3.0)}}.items():
        with (
            anyk.Inline(4) as inner,
            anyk.distribute(anyk.Replication(4, 4), blocks, Faulty(inner, faults)) as data,
        ):
            w = np.zeros(X.shape[1])
            for _ in range(25):
                w -= 0.3 * data.run(plain_gradient, w).value.mean(axis=0)
        z = X @ w
        losses[name] = np.mean(np.logaddexp(0, z) - y * z)
    assert losses["honest"] < 0.2
    assert losses["one liar"] > np.log(2)


def test_only_the_rounding_is_repeated(digits):
    with anyk.Inline(10) as executor:
        one, same = (trained(digits, executor, tol=1.0) for _ in range(2))
        other = trained(digits, executor, tol=1.0, random_state=1)
        free = trained(digits, executor, tol=1.0, random_state=None)
    np.testing.assert_array_equal(one.coef_, same.coef_)
    assert not np.array_equal(one.coef_, other.coef_)
    assert not np.array_equal(one.coef_, free.coef_)


@pytest.mark.parametrize(
    ("threat", "degree", "blocks"),
    [
        ({"workers": 40, "colluders": 1}, 1, 13),
        ({"workers": 40, "colluders": 7}, 1, 7),
        ({"workers": 40}, 1, 14),
        ({"workers": 40, "colluders": 1, "stragglers": 1}, 1, 12),
        ({"workers": 40, "colluders": 1, "adversaries": 3, "stragglers": 3}, 1, 10),
        ({"workers": 40, "colluders": 1}, 3, 5),
    ],
)
def test_the_code_has_as_many_blocks_as_the_threat_allows(threat, degree, blocks):
    scheme = largest_code(anyk.Threat(**threat), degree=2 * degree + 1, rows=10**4)
    assert scheme.blocks == blocks
    assert scheme.guarantee.stragglers >= threat.get("stragglers", 0)
    assert largest_code(anyk.Threat(**threat), degree=2 * degree + 1, rows=2).blocks == 2
    with pytest.raises(anyk.Unachievable):
        anyk.Lagrange(
            blocks + 1, 2 * degree + 1, 40 - threat.get("stragglers", 0),
            threat.get("adversaries", 0), threat.get("colluders", 0),
        )  # fmt: skip


def test_a_threat_without_a_code_is_refused_with_the_inequality():
    with pytest.raises(anyk.Unachievable, match=r"2\*2 \+ 2\*1 \+ 1 \+ 1 = 8 <= 7. Add 1"):
        CodedLinearRegression(workers=7, adversaries=1, colluders=2).fit(np.eye(3), [1, 2, 3])
    with anyk.Threads(2) as executor, pytest.raises(anyk.InvalidArgument, match="8 workers"):
        CodedLinearRegression(executor=executor).fit(np.eye(3), [1, 2, 3])
