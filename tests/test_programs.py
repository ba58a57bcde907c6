"""A few hundred random polynomial programs: right, or refused, and the honest ones not refused."""

import numpy as np
import programs
import pytest

import anyk


@pytest.mark.parametrize("group", range(4))
def test_nothing_is_wrong_and_what_is_honest_is_computed(group):
    counts, wrong = programs.survey(120, 10**9 + 1000 * group)
    assert not wrong
    honest = {verdict: 0 for _, verdict in counts}
    for (kind, verdict), number in counts.items():
        honest[verdict] += number * kind.startswith("honest")
    assert honest["right"] > 0.9 * sum(honest.values())
    assert sum(n for (kind, _), n in counts.items() if kind.startswith("understated")) > 20


def test_the_judge_knows_a_wrong_value():
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=3)
    program = programs.Program((("plus a number", (0,), 1),), (1,), 1, real=False)
    data = [np.array([[1], [2]])]
    expected = programs.truth(program, scheme, data)
    outcome = programs.run(scheme, program, data, None, stay=False)
    assert programs.judge(outcome, expected, None)
    assert not programs.judge(outcome, expected + 1, None)
    fixed = anyk.FixedPoint(fraction_bits=3, magnitude=4.0)
    reals = programs.Program(program.steps, (1,), 1, real=True)
    outcome = programs.run(scheme, reals, [data[0] / 3], fixed, stay=True)
    grid = programs.truth(reals, scheme, [fixed.quantise(data[0] / 3)])
    exact = programs.truth(reals, scheme, [data[0] / 3])
    assert programs.judge(outcome, exact, grid)
    assert not programs.judge(outcome, exact, exact)
    assert not programs.judge(outcome, exact + programs.Fraction(1, 8), None)
