"""Honest answers of rough, bounded, heavy-tailed functions: nobody is named, estimates hold."""

import numpy as np
import pytest

import anyk
from anyk.randomness.entropy import InsecureTestSource

SCHEMES = [
    anyk.VeiledReplication(4, 60, stragglers=6, adversaries=4, colluders=1, leakage=0.45),
    anyk.VeiledReplication(2, 30, stragglers=4, adversaries=2, colluders=1, leakage=1.0),
    anyk.Spline(10, 40, stragglers=4, adversaries=4),
]
MIXED = np.random.default_rng(1).normal(size=(10, 6)) / np.sqrt(10.0)


def within(recovered, truth):
    """Whether the error is at most the estimate."""
    off = np.sqrt(np.mean((recovered.value - truth) ** 2))
    size = np.sqrt(np.mean(recovered.value**2))
    return np.isinf(recovered.error_estimate) or off <= recovered.error_estimate * size


def softmax(x):
    powers = np.exp(3.0 * (x @ MIXED))
    return powers / powers.sum(axis=1, keepdims=True)


FUNCTIONS = {
    "softmax": softmax,
    "log-softmax": lambda x: np.log(softmax(x)),
    "classes": lambda x: np.eye(6)[(x @ MIXED).argmax(axis=1)],
    "class": lambda x: (x @ MIXED).argmax(axis=1)[:, None] * 1.0,
    "sign": np.sign,
    "one sign": lambda x: np.sign(x[:, :1]),
    "a rare event": lambda x: (x[:, :1] > 2.0) * 1.0,
    "cube": lambda x: x**3,
    "exponential": lambda x: np.exp(2.0 * x[:, :1]),
    "sort": lambda x: np.sort(x, axis=1),
    "ranks": lambda x: x.argsort(axis=1).argsort(axis=1) * 1.0,
    "largest": lambda x: x.max(axis=1, keepdims=True),
    "network": lambda x: np.maximum(x @ MIXED, 0.0) @ MIXED.T,
}


@pytest.mark.parametrize("scheme", SCHEMES, ids=["veils", "few veils", "curve"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_nobody_is_accused_and_the_estimate_holds(scheme, name):
    f, accused, held = FUNCTIONS[name], 0, 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(scheme.problem.blocks, 10))
        encoded = scheme.encode(X, source=InsecureTestSource(seed))
        answered = rng.permutation(scheme.workers)[: scheme.guarantee.threshold]
        recovered = encoded.decode(f(encoded.shares[answered]), answered)  # never TooManyErrors
        accused += bool(recovered.suspects)
        held += within(recovered, f(X))
    assert accused <= 1
    assert held >= 6


@pytest.mark.parametrize("scheme", SCHEMES, ids=["veils", "few veils", "curve"])
@pytest.mark.parametrize("name", ["network", "sort", "cube"])
def test_liars_far_outside_are_named(scheme, name):
    named = lied = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(scheme.problem.blocks, 10))
        encoded = scheme.encode(X, source=InsecureTestSource(seed))
        answered = rng.permutation(scheme.workers)[: scheme.guarantee.threshold]
        answers = FUNCTIONS[name](encoded.shares[answered])
        liars = rng.choice(answered.size, scheme.adversaries, replace=False)
        answers[liars] += 100.0 * answers.std() * rng.normal(size=(liars.size, answers.shape[1]))
        named += len(set(answered[liars]) & set(encoded.decode(answers, answered).suspects))
        lied += liars.size
    assert named >= 0.8 * lied


@pytest.mark.parametrize(
    ("scheme", "seeds"),
    [(SCHEMES[0], (18, 30, 103, 181, 328, 378)), (SCHEMES[1], (108, 364, 368, 381))],
    ids=["veils", "few veils"],
)
def test_nobody_is_accused_for_what_liars_with_like_noise_answer(scheme, seeds):
    for seed in seeds:  # an honest answer is judged by others with like noise, but by no liar's
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(scheme.problem.blocks, 10))
        encoded = scheme.encode(X, source=InsecureTestSource(seed))
        answered = rng.permutation(scheme.workers)[: scheme.guarantee.threshold]
        answers = FUNCTIONS["network"](encoded.shares[answered])
        liars = rng.choice(answered.size, scheme.adversaries, replace=False)
        answers[liars] += 100.0 * answers.std() * rng.normal(size=(liars.size, answers.shape[1]))
        named = set(encoded.decode(answers, answered).suspects)  # never TooManyErrors
        assert named <= set(answered[liars])


@pytest.mark.parametrize("scheme", SCHEMES, ids=["veils", "few veils", "curve"])
@pytest.mark.parametrize("name", ["softmax", "classes", "one sign", "exponential", "network"])
@pytest.mark.parametrize("lie", ["turned", "moved alike", "that of another"])
def test_whom_nobody_can_tell_is_in_the_estimate(scheme, name, lie):
    f, held = FUNCTIONS[name], 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(scheme.problem.blocks, 10))
        encoded = scheme.encode(X, source=InsecureTestSource(seed))
        answered = rng.permutation(scheme.workers)[: scheme.guarantee.threshold]
        answers = f(encoded.shares[answered])
        liars = rng.choice(answered.size, scheme.adversaries, replace=False)
        if lie == "turned":
            answers[liars] *= -1.0
        elif lie == "moved alike":
            answers[liars] += answers.std() * rng.normal(size=answers.shape[1])
        else:
            answers[liars] = answers[rng.integers(answered.size)]
        held += within(encoded.decode(answers, answered), f(X))
    assert held >= 5
