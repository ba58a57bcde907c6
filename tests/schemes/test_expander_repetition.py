"""`ExpanderRepetition`: every set of answers, what it tells, and whether the estimate holds."""

import itertools

import numpy as np
import pytest

import anyk
from anyk.codes.analog.expander import expander, gap
from anyk.faults import Crash, Faulty
from anyk.work import WorkerTask

UNTUNED = {  # functions that nothing was chosen by
    "tanh": np.tanh,
    "cube": lambda x: x**3,
    "log": lambda x: np.log1p(np.abs(x)),
    "floor": lambda x: np.floor(2.0 * x),
    "logistic": lambda x: 1.0 / (1.0 + np.exp(-4.0 * x)),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "gradient": lambda x: (np.tanh(x @ np.ones(3)) - 0.3) * x,
}


def answers_of(scheme, encoded, function):
    task = WorkerTask(scheme.work(function), scheme.domain, (), len(encoded.parts))
    return np.stack([task(*share) for share in zip(*encoded.parts, strict=True)])


def off(value, truth):
    return np.linalg.norm(value - truth) / np.linalg.norm(value)


def parts_of(blocks, edges):
    """The sides of each connected part; None where it has a circle of an odd number of edges."""
    beside = {block: [] for block in range(blocks)}
    for one, other in edges:
        beside[one].append(other)
        beside[other].append(one)
    sides, parts = {}, []
    for block in range(blocks):
        if block in sides:
            continue
        sides[block], left, odd, counts = 0, [block], False, [0, 0]
        while left:
            here = left.pop()
            counts[sides[here]] += 1
            for other in beside[here]:
                if other not in sides:
                    sides[other] = 1 - sides[here]
                    left.append(other)
                odd = odd or sides[other] == sides[here]
        parts.append(None if odd else counts)
    return parts


@pytest.mark.parametrize(("blocks", "workers"), [(3, 3), (5, 7), (6, 9)])
def test_the_sum_is_known_where_the_graph_that_is_left_says_so(blocks, workers):
    scheme = anyk.ExpanderRepetition(blocks, workers, stragglers=workers - 2)
    X = np.random.default_rng(blocks).standard_normal((blocks, 2))
    encoded, truth = scheme.encode(X), np.exp(X).sum(axis=0)
    answers, graph = answers_of(scheme, encoded, np.exp), expander(blocks, workers)
    seen = set()
    for size in range(2, workers + 1):
        for who in itertools.combinations(range(workers), size):
            found = encoded.decode(answers[list(who)], who)
            parts = parts_of(blocks, graph[list(who)])
            told = all(part is None or part[0] == part[1] for part in parts)
            assert found.known.tolist() == [told]
            seen.add(told)
            if told:
                assert off(found.value, truth) <= found.error_estimate < 1e-12
                assert found.block_errors.tolist() == [0.0]
            else:
                assert found.error_estimate > 1e-3
                assert found.block_errors[0] == found.error_estimate
    assert seen == {True, False}
    with pytest.raises(anyk.NotEnoughAnswers):
        encoded.recovery((0,))


@pytest.mark.parametrize("name", UNTUNED)
def test_the_estimate_keeps_its_word_on_functions_it_was_not_tuned_on(name):
    """Of 300 sums that are not known, 95 % within twice the estimate: 99 % of such counts are above
    276."""
    function, rng = UNTUNED[name], np.random.default_rng(len(name))
    within, ratios = 0, []
    scheme = anyk.ExpanderRepetition(20, 40, stragglers=22)
    while len(ratios) < 300:
        X = np.sort(rng.standard_normal((20, 3)), axis=0)  # blocks in order, as rows often are
        who = np.sort(rng.permutation(40)[:18]).tolist()
        encoded = scheme.encode(X)
        found = encoded.decode(answers_of(scheme, encoded, function)[who], who)
        if found.known[0]:
            continue
        truth = np.sum([function(x) for x in X], axis=0)
        ratios.append(off(found.value, truth) / found.error_estimate)
        within += ratios[-1] <= 2.0
    assert within >= 276
    assert np.sqrt(np.mean(np.square(ratios))) > 0.2  # nor is it many times too large


def test_the_prediction_has_no_bias():
    scheme, rng = anyk.ExpanderRepetition(10, 15, stragglers=8), np.random.default_rng(3)
    who = (0, 2, 3, 7, 8, 11, 14)
    recovery = scheme.encode(np.zeros((10, 1))).recovery(who)
    assert np.isclose((recovery.matrix @ scheme.code.matrix[list(who)]).sum(), 10.0)
    f = 5.0 + rng.standard_normal((10, 4000))
    found = recovery.recover(scheme.code.matrix[list(who)] @ f)
    errors = found.value - f.sum(axis=0)
    assert abs(errors.mean()) < 4.0 * errors.std() / np.sqrt(4000)
    assert 0.8 < found.error_estimate * np.linalg.norm(found.value) / np.linalg.norm(errors) < 1.3


def test_answers_that_do_not_vary_are_no_proof():
    scheme = anyk.ExpanderRepetition(8, 12, stragglers=8)
    encoded = scheme.encode(np.arange(8.0))
    for constant in (1.0, 1e200, 1e-200):
        found = encoded.decode(np.full(4, 2.0 * constant), range(4))
        assert np.isclose(found.value, 8.0 * constant)
        assert 0.1 < found.error_estimate < 10.0
    assert encoded.decode(np.zeros(4), range(4)).error_estimate == np.inf


def test_a_lie_that_others_contradict_is_in_the_estimate():
    scheme = anyk.ExpanderRepetition(6, 15, stragglers=0)
    X = np.random.default_rng(0).standard_normal((6, 2))
    encoded = scheme.encode(X)
    answers, truth = answers_of(scheme, encoded, np.exp), np.exp(X).sum(axis=0)
    for liar in range(15):
        told = answers.copy()
        told[liar] += 3.0
        found = encoded.decode(told, range(15))
        assert not found.known[0]
        assert off(found.value, truth) <= found.error_estimate


@pytest.mark.parametrize("kind", [np.float32, np.complex64, np.complex128, np.int16])
def test_sums_are_of_the_type_of_the_results(kind):
    X = np.arange(30).reshape(10, 3).astype(kind)
    with Faulty(anyk.Inline(15), dict.fromkeys((1, 4, 9), Crash())) as executor:
        outcome = anyk.run(anyk.ExpanderRepetition(10, 15, stragglers=3), np.square, X, executor)
    wanted = kind if kind is not np.int16 else np.float64
    assert outcome.value.dtype == wanted
    close = 2.0 * outcome.error_estimate
    assert off(outcome.value, np.square(X.astype(np.complex128)).sum(axis=0)) <= close


def test_the_graph_is_even_simple_and_an_expander():
    for blocks, workers in ((3, 3), (7, 9), (20, 40), (40, 60), (9, 36)):
        graph = expander(blocks, workers)
        counts = np.bincount(graph.ravel(), minlength=blocks)
        assert len(np.unique(graph, axis=0)) == workers
        assert (graph[:, 0] < graph[:, 1]).all()
        assert counts.max() - counts.min() <= 2
    assert gap(20, expander(20, 40)) > 0.2  # 1 - 2 sqrt(3)/4 = 0.13 is what random graphs reach
    circle = np.array([[n, (n + 1) % 20] for n in range(20)])
    assert gap(20, circle) < 1e-9


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: anyk.ExpanderRepetition(4, 7), r"N <= K \(K - 1\)/2, that is 7 <= 6"),
        (lambda: anyk.ExpanderRepetition(9, 4), r"K/2 <= N, that is 9/2 <= 4.*Add 1 worker, or"),
        (lambda: anyk.ExpanderRepetition(2, 1), "blocks: got 2"),
        (lambda: anyk.ExpanderRepetition(6, 9, stragglers=8), "N - S >= "),
        (lambda: anyk.ExpanderRepetition(6, 9, domain=anyk.PrimeField()), "residues have no"),
    ],
)
def test_what_makes_no_sense_is_refused(build, message):
    with pytest.raises(anyk.InvalidArgument, match=message):
        build()
