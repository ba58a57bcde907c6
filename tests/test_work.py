"""What a worker runs: functions that write in what they get, and return what is no number."""

import numpy as np
import pytest

import anyk
from anyk.work import Plain
from anyk.works.added import Added
from anyk.works.combined import Combined, CombinedInKind
from anyk.works.each_prime import EachPrime

X = np.arange(12.0).reshape(6, 2)
FIXED = anyk.FixedPoint(fraction_bits=20, magnitude=100.0, degree=2, coefficient=10)
WIDE = anyk.FixedPoint(fraction_bits=40, magnitude=100.0, coefficient=3)


def raising(x, factor):
    factor += 1  # in its own copy
    return x * x * factor


def within(x, options):
    options["factors"][0][:] += 1
    return x * x * options["factors"][0]


@pytest.mark.parametrize(
    ("function", "argument"),
    [(raising, np.array([1, 2])), (within, {"factors": [np.array([1, 2])]})],
)
def test_a_function_that_writes_in_an_argument_changes_it_for_no_other_call(function, argument):
    truth = X**2 * np.array([2, 3])
    with anyk.Threads(6) as executor:
        with anyk.distribute(anyk.CyclicRepetition(6, 2), X, executor) as data:
            assert np.allclose(data.run(function, argument).value, truth.sum(axis=0))
        scheme = anyk.Lagrange(2, 2, 6)
        with anyk.distribute(scheme, X[:2], executor, embedding=FIXED) as data:
            assert len(data.encoded.scheme.domain.primes) > 1
            assert np.array_equal(data.run(function, argument).value, truth[:2])


@pytest.mark.parametrize("wrap", [False, True])
def test_a_function_that_uses_its_memory_again_returns_what_it_returned(wrap):
    memory = np.zeros(2, dtype=np.int64)

    def tripled(x):
        memory[:] = 3 * x.values % x.field.modulus
        return x.field.array(memory) if wrap else memory

    with anyk.Inline(6) as executor:
        function = anyk.of_degree(tripled, 1)
        outcome = anyk.run(anyk.Lagrange(2, 2, 6), function, X[:2], executor, embedding=WIDE)
    assert np.array_equal(outcome.value, 3 * X[:2])


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (None, "got None"),
        ("text", "dtype <U4; needed: numbers"),
        ({"a": 1}, "got dict of dtype object; needed: numbers"),
        ([1, [2]], "one shape"),
        (np.ma.masked_array([1.0, 2.0], [True, False]), "masked"),
    ],
)
@pytest.mark.parametrize("domain", [anyk.Reals(), anyk.PrimeField()], ids=repr)
def test_what_is_no_number_is_said_to_be_none(domain, result, told):
    scheme = anyk.CyclicRepetition(6, 2, domain=domain)
    with anyk.Inline(6) as executor:
        outcome = anyk.run(scheme, lambda _: result, X, executor, on_failure="return")
    assert outcome.value is None
    assert all("answer: got" in why and told in why for why in outcome.failures.values())


def test_numbers_in_other_containers_are_added_up():
    def run(result):
        return anyk.run(anyk.CyclicRepetition(6, 2), lambda _: result, X, executor).value

    with anyk.Inline(6) as executor:
        assert np.isclose(run(7), 42.0)
        assert np.allclose(run([1, 2.5]), [6.0, 15.0])
        assert np.allclose(run(np.full(2, 200, np.uint8)), 1200.0)  # where uint8 would wrap
        assert run(np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("domain", [anyk.Reals(), anyk.PrimeField(101)], ids=repr)
def test_results_of_other_shapes_are_not_spread_over_each_other(domain):
    coefficients = np.ones(2, dtype=domain.dtype)
    blocks = domain.present(np.arange(4, dtype=domain.dtype).reshape(2, 2))
    work = Combined(lambda x: x if int(domain.accept(x)[0]) else x[:1])
    with pytest.raises(anyk.InvalidArgument, match=r"shape \(1,\) for one block and \(2,\)"):
        work([blocks, domain.present(coefficients)], [])


def test_the_last_call_has_the_arguments_themselves():
    met = []
    work = EachPrime(Plain(lambda x, y: met.append(y) or x), (False,))
    argument = np.zeros(1)
    work([(1, 2, 3)], [argument])
    assert [each is argument for each in met] == [False, False, True]


@pytest.mark.parametrize("kind", [Combined, CombinedInKind])
@pytest.mark.parametrize("domain", [anyk.Reals(), anyk.PrimeField(101)], ids=repr)
def test_blocks_that_only_fill_up_a_share_are_not_computed(kind, domain):
    if domain.exact and kind is CombinedInKind:
        return
    met = []
    blocks = domain.present(np.array([[1], [2], [3]], dtype=domain.dtype))
    weights = domain.present(np.array([2, 0, 5], dtype=domain.dtype))
    value = kind(lambda x: met.append(int(domain.accept(x)[0])) or x)([blocks, weights], [])
    assert domain.accept(value) == pytest.approx([17], rel=0.0 if kind is Combined else 4e-16)
    assert met == [1, 3]
    none = domain.present(np.zeros(3, dtype=domain.dtype))
    assert domain.accept(kind(lambda x: x)([blocks, none], [])).tolist() == [0]


@pytest.mark.parametrize("kind", [Added, CombinedInKind])
def test_single_precision_is_added_in_double_and_rounded_once(kind):
    blocks = np.array([[2.0**24], [1.0], [1.0]], dtype=np.float32)  # 2^24 + 1 is 2^24 there
    value = kind(lambda x: x)([blocks, np.ones(3)], [])
    assert value.dtype == np.float32
    assert value.tolist() == [2.0**24 + 2.0]
