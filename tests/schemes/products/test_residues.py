"""Redundant residues: every answering set, every liar, python-flint's products, rounding once."""

import itertools
import math
import pickle
from dataclasses import replace
from fractions import Fraction

import flint
import numpy as np
import pytest

import anyk
from anyk.codes.exact.chinese import ChineseCode
from anyk.domains.balanced import LARGEST_MODULUS, balanced_integers
from anyk.domains.whole import Integers
from anyk.faults import Collude, Corrupt, Crash, Faulty
from anyk.schemes.products.whole_factors import WholeFactor


def answers_of(encoded):
    work = encoded.scheme.work(np.matmul)
    return np.stack([work(parts, []) for parts in zip(*encoded.parts, strict=True)])


def exact(A, B):
    return np.asarray(A).astype(object) @ np.asarray(B).astype(object)


def drawn(bits, rng, shape=(3, 4, 2)):
    rows, inner, columns = shape
    high = 1 << bits
    return rng.integers(-high, high, (rows, inner)), rng.integers(-high, high, (inner, columns))


@pytest.mark.parametrize("workers", range(3, 13))
def test_any_k_answers_give_the_product_and_fewer_none(workers):
    A, B = drawn(30, np.random.default_rng(workers))
    scheme = anyk.Residues(workers)
    encoded = scheme.encode((A, B))
    values = answers_of(encoded)
    assert scheme.guarantee.threshold == 3
    for who in itertools.combinations(range(workers), 3):
        recovered = encoded.decode(values[list(who)], who)
        assert recovered.value.dtype == np.int64
        assert np.array_equal(recovered.value, exact(A, B))
        assert recovered.suspects == ()
    for who in itertools.combinations(range(workers), 2):
        with pytest.raises(anyk.NotEnoughAnswers):
            encoded.recovery(who)


@pytest.mark.parametrize(
    ("bits", "threshold", "dtype"), [(21, 1, int), (44, 2, int), (67, 3, object), (116, 6, object)]
)
def test_integers_of_all_sizes(bits, threshold, dtype):
    rng = np.random.default_rng(bits)
    size = (bits - 3) // 2
    A, B = (
        np.array([[int(rng.integers(-(1 << 62), 1 << 62)) % (2 << size) - (1 << size)
                   for _ in range(4)] for _ in range(4)], dtype=object)
        for _ in range(2)
    )  # fmt: skip
    scheme = anyk.Residues(threshold + 3, bits)
    assert scheme.guarantee.threshold == threshold
    encoded = scheme.encode((A, B))
    values = answers_of(encoded)
    for who in itertools.combinations(range(threshold + 3), threshold):
        value = encoded.decode(values[list(who)], who).value
        assert value.dtype == dtype
        assert np.array_equal(value, A @ B)


def lies_of(kind, honest, others, moduli, rng):
    """What liars tell: anything, something near, another product together, no residues at all."""
    half = moduli[:, None, None] // 2
    if kind == "anything":
        return rng.integers(-half, half, honest.shape)
    if kind == "one entry":
        near = honest.copy()
        near[:, 0, 0] = balanced_integers(near[:, 0, 0] + 1, moduli)
        return near
    if kind == "together":
        return others
    return honest + 2 * half + 1  # the same residues, not nearest to zero


KINDS = ["anything", "one entry", "together", "no residues"]


@pytest.mark.parametrize("kind", KINDS)
def test_all_liars_are_named_up_to_the_promise(kind):
    rng = np.random.default_rng(KINDS.index(kind))
    A, B = drawn(30, rng)
    scheme = anyk.Residues(7, adversaries=2)
    encoded, promise = scheme.encode((A, B)), scheme.guarantee
    assert (promise.least, promise.threshold) == (5, 7)
    honest, others = answers_of(encoded), answers_of(scheme.encode((A, B + 1)))
    told = lies_of(kind, honest, others, np.array(scheme.primes), rng)
    for many in range(3):
        for heard in itertools.combinations(range(7), promise.least + many):
            for liars in itertools.combinations(heard, many):
                values = honest.copy()
                values[list(liars)] = told[list(liars)]
                recovered = encoded.decode(values[list(heard)], heard)
                assert recovered.suspects == liars
                assert np.array_equal(recovered.value, exact(A, B))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("adversaries", "detects", "workers"), [(0, 3, 7), (1, 3, 8), (2, 2, 8)])
def test_beyond_the_promise_nothing_is_wrong_in_silence(kind, adversaries, detects, workers):
    rng = np.random.default_rng(workers + adversaries)
    A, B = drawn(29, rng)
    scheme = anyk.Residues(workers, adversaries=adversaries, detects=detects)
    encoded, promise = scheme.encode((A, B)), scheme.guarantee
    honest, others = answers_of(encoded), answers_of(scheme.encode((A, B + 1)))
    told = lies_of(kind, honest, others, np.array(scheme.primes), rng)
    refused = 0
    for heard in itertools.combinations(range(workers), promise.least):
        for many in range(1, detects + 1):
            for liars in itertools.combinations(heard, many):
                values = honest.copy()
                values[list(liars)] = told[list(liars)]
                try:
                    recovered = encoded.decode(values[list(heard)], heard)
                except anyk.TooManyErrors:
                    refused += 1
                    continue
                assert recovered.suspects == liars
                assert np.array_equal(recovered.value, exact(A, B))
    assert refused


def test_a_liar_more_than_is_named_is_noticed_where_chance_does_not_help_it():
    rng = np.random.default_rng(4)
    A, B = drawn(29, rng)
    encoded = anyk.Residues(7, adversaries=2).encode((A, B))
    honest = answers_of(encoded)
    for liars in itertools.combinations(range(7), 3):
        values = honest.copy()
        values[list(liars)] = rng.integers(-(1 << 21), 1 << 21, (3, *honest.shape[1:]))
        with pytest.raises(anyk.TooManyErrors):
            encoded.decode(values, range(7))


def test_different_liars_in_different_entries_are_all_named():
    A, B = drawn(25, np.random.default_rng(5), (120, 3, 100))  # several pieces of columns
    encoded = anyk.Residues(13, adversaries=5).encode((A, B))
    values = answers_of(encoded)
    for liar, (row, column) in {3: (0, 0), 0: (119, 99), 7: (60, 50), 12: (119, 99)}.items():
        values[liar, row, column] ^= 1
    recovered = encoded.decode(values, range(13))
    assert recovered.suspects == (0, 3, 7, 12)
    assert np.array_equal(recovered.value, exact(A, B))


def test_products_agree_with_flint():
    rng = np.random.default_rng(6)
    for _ in range(200):
        rows, inner, columns = rng.integers(1, 9, 3).tolist()
        size = int(rng.integers(1, 31))
        A, B = drawn(size, rng, (rows, inner, columns))
        scheme = anyk.Residues(6, adversaries=1)
        encoded = scheme.encode((A, B))
        values = answers_of(encoded)
        values[int(rng.integers(6))] = 7
        who = sorted(rng.choice(6, 5, replace=False).tolist())
        product = flint.fmpz_mat(A.tolist()) * flint.fmpz_mat(B.tolist())
        right = [[int(product[i, j]) for j in range(columns)] for i in range(rows)]
        assert encoded.decode(values[who], who).value.tolist() == right


def test_a_long_inner_dimension_does_not_overflow():
    most = LARGEST_MODULUS // 2
    A = np.where(np.arange(70_000) % 3, most, -most)[None]  # the largest residues there are
    encoded = anyk.Residues(4).encode((A, A.T.copy()))
    values = answers_of(encoded)
    assert encoded.decode(values[:3], range(3)).value.item() == 70_000 * most**2


FLOATS = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "spread": lambda rng, shape: np.ldexp(rng.standard_normal(shape), rng.integers(-60, 60, shape)),
    "far": lambda rng, shape: np.ldexp(rng.standard_normal(shape), rng.integers(-500, 500, shape)),
    "cancelling": lambda rng, shape: rng.choice([1e16, 1.0, -1e16, 3.0, 0.0], shape),
    "ties": lambda rng, shape: rng.integers(-(2**27), 2**27, shape).astype(float),
    "tiny": lambda rng, shape: np.ldexp(rng.standard_normal(shape), -1060),
    "smallest": lambda rng, shape: rng.integers(-5, 5, shape) * 5e-324,
    "half": lambda rng, shape: np.ldexp(rng.standard_normal(shape), -537),
    "float32": lambda rng, shape: rng.standard_normal(shape).astype(np.float32),
    "integers": lambda rng, shape: rng.integers(-(2**40), 2**40, shape),
}


def nearest(A, B):
    """The product of fractions, each entry divided once: Python rounds that correctly."""
    rows = [[Fraction(number) for number in row] for row in A.tolist()]
    columns = [[Fraction(number) for number in column] for column in np.atleast_2d(B.T).tolist()]
    sums = [
        [sum(map(Fraction.__mul__, row, column), Fraction(0)) for column in columns] for row in rows
    ]
    value = np.array([[each.numerator / each.denominator for each in row] for row in sums])
    return value if B.ndim > 1 else value[:, 0]


def bits_of(A, B):
    """How many bits a product needs, as the error says it."""
    try:
        anyk.Residues(1, 1).encode((A, B))
    except anyk.InvalidArgument as error:
        return int(str(error).partition("Pass bits=")[2].partition(",")[0])
    return 1


def test_products_of_floats_are_rounded_once():
    rng = np.random.default_rng(7)
    for _ in range(200):
        left, right = rng.choice([*FLOATS], 2)
        rows, inner, columns = rng.integers(1, 7, 3).tolist()
        A = FLOATS[left](rng, (rows, inner))
        B = FLOATS[right](rng, (inner, columns) if rng.random() < 0.7 else (inner,))
        if left == right == "integers":
            A = A / 4.0
        bits = bits_of(A, B)
        scheme = anyk.Residues(bits // 22 + 4, bits, detects=1)
        encoded = scheme.encode((A, B))
        recovered = encoded.decode(answers_of(encoded), range(scheme.workers))
        assert recovered.value.dtype == np.float64
        assert np.array_equal(recovered.value, nearest(A, B)), (left, right)


def test_what_cancels_in_numpy_does_not_here():
    A, x = np.array([[1e16, 1.0, -1e16], [1e300, 2.0, 1e-5]]), np.array([1.0, 1.0, 1.0])
    with anyk.Inline(100) as executor:
        value = anyk.run(anyk.Residues(100, 1300), np.matmul, (A[:1], x), executor).value
        assert value.tolist() == [1.0]
        value = anyk.run(anyk.Residues(100, 1300), np.matmul, (A[1:], x), executor).value
        assert value.tolist() == [1e300]


def test_a_factor_stays_on_the_workers_and_liars_and_dead_do_not_matter():
    rng = np.random.default_rng(8)
    A = rng.integers(-(2**25), 2**25, (30, 20))
    scheme = anyk.Residues(7, adversaries=1)
    faults = {1: Crash(), 4: Corrupt(modulus=1000), 5: Crash()}
    with (
        Faulty(anyk.Threads(7), faults) as executor,
        anyk.distribute(scheme, A, executor) as data,
    ):
        for x in (rng.integers(-(2**25), 2**25, 20), rng.integers(-(2**25), 2**25, (20, 3))):
            outcome = data.matmul(x)
            assert outcome.value.dtype == np.int64
            assert np.array_equal(outcome.value, exact(A, x))
            assert set(outcome.suspects) <= {4}
        halves = data.matmul(rng.integers(-99, 99, 20) / 2)
        assert halves.value.dtype == np.float64


def test_colluding_liars_are_waited_out():
    rng = np.random.default_rng(9)
    A, B = drawn(20, rng)
    scheme = anyk.Residues(8, adversaries=2)
    with Faulty(anyk.Threads(8), {0: Collude(), 5: Collude()}) as executor:
        outcome = anyk.run(scheme, np.matmul, (A, B), executor)
    assert np.array_equal(outcome.value, exact(A, B))
    assert set(outcome.suspects) <= {0, 5}


def test_answers_of_another_shape_are_no_product():
    encoded = anyk.Residues(4).encode(drawn(3, np.random.default_rng(0)))
    with pytest.raises(anyk.InvalidArgument, match="answers of shape"):
        encoded.decode(answers_of(encoded)[:, :2], range(4))


def test_the_share_is_the_factor_modulo_a_prime():
    scheme = anyk.Residues(5, 64)
    moduli, left, right = scheme.encode(([[2**40, -5]], [[2**22], [3]])).parts
    assert moduli.ravel().tolist() == list(scheme.primes)
    assert all(prime < 2**23 and math.gcd(prime, 6) == 1 for prime in scheme.primes)
    for prime, own in zip(scheme.primes, left, strict=True):
        assert np.array_equal(own, balanced_integers(np.array([[2**40, -5]], object), prime))
        assert np.abs(own).max() <= prime // 2
    assert np.abs(right).max() <= LARGEST_MODULUS // 2


def test_a_scheme_is_a_value():
    scheme = anyk.Residues(9, 116, 1, detects=2)
    assert pickle.loads(pickle.dumps(scheme)) == scheme
    assert eval(repr(scheme), {"Residues": anyk.Residues}) == scheme
    assert scheme.domain == Integers()
    anyk.testing.check_domain(scheme.domain, generator=np.random.default_rng(0))


ONES = np.ones((2, 2), dtype=int)


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (lambda: anyk.Residues(2), "k [+] 2A <= N, that is 3 .* Take 3 workers, or lower bits"),
        (lambda: anyk.Residues(6, adversaries=2), "Take 7 workers"),
        (lambda: anyk.Residues(5, 116), "Take 6 workers"),
        (lambda: anyk.Residues(3, adversaries=1, pieces=2), "Take 4 workers"),
        (lambda: anyk.Residues(5, 10_000), "at most 8192"),
        (lambda: anyk.Residues(1 << 20), "16384 primes"),
        (lambda: anyk.Residues(5, adversaries=1 << 30), "16384 primes"),
        (lambda: anyk.Residues(5, adversaries=2, detects=1), "detects"),
        (lambda: anyk.Residues(5, adversaries=1, detects=1, verified=True), "detects"),
        (lambda: anyk.Residues(5, verified="single"), "verified"),
        (lambda: anyk.Residues(4, adversaries=2, verified=True), "k [+] A <= N, that is 3 [+] 2"),
        (lambda: anyk.Residues(3).work(np.add), "numpy.matmul alone"),
        (lambda: anyk.Residues(3).work(np.matmul, (True,)), "further arguments"),
        (lambda: anyk.Residues(3).encode(ONES), "two factors"),
        (lambda: anyk.Residues(3).encode((ONES, np.ones((3, 2)))), "B of shape"),
        (lambda: anyk.Residues(3).encode((ONES, np.ones((2, 0)))), "B of shape"),
        (lambda: anyk.Residues(3).encode((ONES[:0], ONES)), "A of shape"),
        (lambda: anyk.Residues(3).encode((ONES * 2**40, ONES * 2**30)), "needed: at least 72"),
        (lambda: anyk.Residues(3).encode((ONES * np.inf, ONES)), "finite"),
        (lambda: anyk.Residues(3).encode((ONES * np.nan, ONES)), "finite"),
        (lambda: anyk.Residues(3).encode((ONES * 1j, ONES)), "integers"),
        (lambda: anyk.Residues(3).encode((ONES.astype(str), ONES)), "integers"),
        (lambda: anyk.Residues(3).encode((ONES * 1e200, ONES * 1e200)), "largest float64"),
        (lambda: anyk.Residues(3).encode(([[1 << 9000]], [[1]])), "at most 8192 bits"),
        (lambda: anyk.Residues(3).encode((ONES.astype(np.longdouble), ONES)), "float64"),
    ],
)
def test_what_makes_no_sense_is_refused(build, told):
    with pytest.raises(anyk.InvalidArgument, match=told):
        build()


def test_answers_that_are_checked_name_any_number_of_liars():
    rng = np.random.default_rng(10)
    A, B = drawn(29, rng)
    scheme = anyk.Residues(6, adversaries=3, verified=True)
    assert scheme.guarantee.threshold == 6
    assert scheme.guarantee.waited_for == 3
    encoded = scheme.encode((A, B))
    honest, others = answers_of(encoded), answers_of(scheme.encode((A, B + 1)))
    for kind in KINDS:
        told = lies_of(kind, honest, others, np.array(scheme.primes), rng)
        for many in range(4):
            for liars in itertools.combinations(range(6), many):
                values = honest.copy()
                values[list(liars)] = told[list(liars)]
                recovered = encoded.decode(values, range(6))
                assert recovered.suspects == liars
                assert np.array_equal(recovered.value, exact(A, B))
        for liars in itertools.combinations(range(6), 4):
            values = honest.copy()
            values[list(liars)] = told[list(liars)]
            with pytest.raises(anyk.TooManyErrors):
                encoded.decode(values, range(6))
    assert encoded.check.escapes < 2**-61
    assert not encoded.check.passes(0, honest[0][:2])
    assert "rows" not in repr(encoded.check)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(encoded.check.keys)


def test_liars_are_out_at_once_where_a_factor_stays_on_the_workers():
    rng = np.random.default_rng(11)
    A = rng.integers(-(2**25), 2**25, (30, 20))
    scheme = anyk.Residues(5, adversaries=2, verified=True)
    faults = {0: Corrupt(entries=1), 3: Collude()}
    with (
        Faulty(anyk.Threads(5), faults) as executor,
        anyk.distribute(scheme, A, executor) as data,
    ):
        x = rng.standard_normal(20).astype(np.float16)
        outcome = data.matmul(x)
        assert np.array_equal(outcome.value, nearest(A, x))
        assert set(outcome.suspects) <= {0, 3}


@pytest.mark.parametrize(
    ("flaw", "told"), [("modulo", "not D·blocks"), ("primes", "not the moduli")]
)
def test_conformance_notices_shares_that_are_not_what_is_said(flaw, told, monkeypatch):
    if flaw == "modulo":
        monkeypatch.setattr(WholeFactor, "modulo", lambda self, primes: modulo(self, primes) + 1)
    else:
        monkeypatch.setattr(anyk.Residues, "primes", property(lambda self: primes(self)[::-1]))
        monkeypatch.setattr(
            anyk.Residues,
            "encoder",
            lambda self, layout, operand=0: replace(
                encoder(self, layout, operand), moduli=primes(self)
            ),
        )
    with pytest.raises(AssertionError, match=told):
        anyk.testing.check_scheme(anyk.Residues(4), generator=np.random.default_rng(0))


modulo, encoder, primes = WholeFactor.modulo, anyk.Residues.encoder, anyk.Residues.primes.fget


def test_conformance_notices_a_locator_that_names_too_few(monkeypatch):
    monkeypatch.setattr(ChineseCode, "_errors", lambda *_: None)
    with pytest.raises(AssertionError, match="liars"):
        anyk.testing.check_scheme(
            anyk.Residues(5, adversaries=1), generator=np.random.default_rng(0)
        )


@pytest.mark.parametrize(
    "A",
    [
        np.array([[2**64 - 1, 5]], dtype=np.uint64),
        np.array([[-(2**63), 2**63 - 1]]),
        np.array([[-128, 127]], dtype=np.int8),
        np.array([[True, False]]),
        np.array([[2**100, -(2**100)]], dtype=object),
        [[2**63, -1]],
        [[2**53 + 1, -(2**53) - 1]],
        np.array([[65504.0, 2.0**-24]], dtype=np.float16),
        np.array([[3.4e38, 1e-45]], dtype=np.float32),
        np.array([[0.0, -0.0]]),
        [[0.5, 2]],
    ],
    ids=repr,
)
def test_numbers_of_all_kinds(A):
    B = np.array([[3, -1], [2, 7]])
    bits = bits_of(A, B)
    scheme = anyk.Residues(bits // 22 + 4, bits, detects=1)
    encoded = scheme.encode((A, B))
    value = encoded.decode(answers_of(encoded), range(scheme.workers)).value
    whole = np.asarray(A, dtype=object)
    if all(isinstance(each, (int, np.integer, np.bool_)) for each in whole.flat):
        assert value.dtype == (np.int64 if bits <= 63 else object)
        right = [[sum(int(a) * int(b) for a, b in zip(row, column, strict=True)) for column in B.T]
                 for row in whole]  # fmt: skip
        assert value.tolist() == right
    else:
        assert np.array_equal(value, nearest(np.asarray(A), B))
