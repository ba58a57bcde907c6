"""Polynomials by their coefficients, against Python's integers."""

import math

import numpy as np
import pytest

import anyk
from anyk.domains.coefficients import evaluate, monic, power_sums, powers, product
from anyk.domains.polynomials import lagrange_matrix, node_weights

PRIMES = (2, 7, 257, 2**31 - 1)
SIZES = (0, 1, 2, 5, 31, 32, 33, 65, 130)


def times(left, right, p):
    """The product of two polynomials, term by term."""
    whole = [0] * (len(left) + len(right) - 1)
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            whole[i + j] = (whole[i + j] + a * b) % p
    return whole


@pytest.mark.parametrize("p", PRIMES)
@pytest.mark.parametrize("size", SIZES)
def test_all_agree_with_python(p, size):
    field, generator = anyk.PrimeField(p), np.random.default_rng(size)
    some, others = generator.integers(0, p, size), generator.integers(0, p, max(1, size // 2))
    x, a, b = some.tolist(), some[::-1].tolist(), others.tolist()
    assert powers(field, some, 5).tolist() == [[pow(each, n, p) for each in x] for n in range(5)]
    values = [sum(c * pow(each, n, p) for n, c in enumerate(b)) % p for each in x]
    assert evaluate(field, others, some).tolist() == values
    roots = [1]
    for root in x:
        roots = times(roots, [-root, 1], p)
    assert monic(field, some).tolist() == roots
    if size:
        assert product(field, some[::-1], others).tolist() == times(a, b, p)
        assert product(field, others, some[::-1]).tolist() == times(a, b, p)


@pytest.mark.parametrize("p", PRIMES)
@pytest.mark.parametrize(
    ("points", "many", "columns"), [(1, 1, 1), (9, 4, 7), (20, 33, 1), (7, 50, 3)]
)
def test_power_sums_agree_with_python(p, points, many, columns):
    field, generator = anyk.PrimeField(p), np.random.default_rng(many)
    x, w = generator.integers(0, p, (2, points))
    y = generator.integers(0, p, (points, columns))
    right = [
        [
            sum(
                u * pow(z, row, p) * v
                for u, z, v in zip(w.tolist(), x.tolist(), column, strict=True)
            )
            % p
            for column in y.T.tolist()
        ]
        for row in range(many)
    ]
    assert power_sums(field, x, w, y, many).tolist() == right


def test_the_largest_residues_are_exact():
    field = anyk.PrimeField()
    p, largest = field.modulus, np.full(90, field.modulus - 1)
    assert product(field, largest, largest).tolist() == times([p - 1] * 90, [p - 1] * 90, p)
    assert evaluate(field, largest, largest[:2]).tolist() == [0, 0]  # 45 times 1 - 1
    assert monic(field, largest)[:2].tolist() == [1, 90]  # (x + 1)**90
    sums = power_sums(field, largest, largest, largest[:, None], 3)
    assert sums.ravel().tolist() == [90, p - 90, 90]


@pytest.mark.parametrize("spread", [1, 7 * 10**6])
def test_weights_and_interpolation_of_many_nodes(spread):
    """Points close together, whose differences are inverted beforehand, and far apart."""
    field, generator = anyk.PrimeField(), np.random.default_rng(5)
    points = generator.permutation(305) * spread
    nodes, targets = points[:300], np.concatenate([points[300:], points[7:8]])
    weights = node_weights(field, nodes)
    for at in (0, 150, 299):
        apart = [(int(nodes[at]) - each) % field.modulus for each in nodes.tolist()]
        del apart[at]
        assert int(weights[at]) * math.prod(apart) % field.modulus == 1
    matrix = lagrange_matrix(field, nodes, targets)
    coefficients = generator.integers(0, field.modulus, 300)
    values = evaluate(field, coefficients, np.concatenate([nodes, targets]))
    assert np.array_equal(field.matmul(matrix, values[:300]), values[300:])
    assert matrix[-1].tolist() == [0] * 7 + [1] + [0] * 292
    with pytest.raises(anyk.InvalidArgument, match="nodes"):
        node_weights(field, np.append(nodes, nodes[3]))
