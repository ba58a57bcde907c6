"""`verified=True`: a liar costs one worker, and is named when its answer comes."""

import itertools
import pickle
from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np
import pytest

import anyk
from anyk.faults import Corrupt, Crash, Faulty
from anyk.schemes.encoder import Encoder
from anyk.schemes.products.base import AbstractProduct, Can
from anyk.schemes.products.code import ProductCode
from anyk.schemes.wrappers.embedded import Embedded

P = 2**31 - 1
REALS = anyk.Reals()
RNG = np.random.default_rng(0)
A, B = RNG.integers(0, P, (7, 5)), RNG.integers(0, P, (5, 6))
WHOLE = (A.astype(object) @ B.astype(object)) % P


@final
@dataclass(frozen=True)
class Lines(AbstractProduct):
    """A x and A B over floats: rows of blocks of A, combined by powers of points on [-1, 1]."""

    domain: anyk.Reals | anyk.Complex = REALS
    can: ClassVar = Can(
        cuts=(True, False, False), domains=(anyk.Reals, anyk.Complex), adversaries=False
    )

    @property
    def enough(self):
        return self.partition[0]

    @property
    def letters(self):
        return "m"

    def build(self):
        n, m = self.workers * self.pieces, self.partition[0]
        rows = np.vander(np.cos(np.pi * (2 * np.arange(n) + 1) / (2 * n)), m).astype(
            self.domain.dtype
        )
        none = np.zeros((n, 0), rows.dtype)
        return ProductCode(
            left=Encoder(data=rows, masks=none),
            right=Encoder(data=np.ones((n, 1), rows.dtype), masks=none),
            terms=rows,
            wanted=np.eye(m, dtype=rows.dtype),
        )


def answers_of(encoded):
    return np.stack(
        [encoded.scheme.domain.matmul(*two) for two in zip(*encoded.parts, strict=True)]
    )


def test_a_liar_costs_one_worker_instead_of_two():
    for liars in range(4):
        plain = anyk.Polynomial((2, 1, 2), 4 + 2 * liars, adversaries=liars)
        checked = anyk.Polynomial((2, 1, 2), 4 + liars, adversaries=liars, verified=True)
        assert plain.guarantee.threshold == 4 + 2 * liars
        assert checked.guarantee.threshold == 4 + liars
        with pytest.raises(anyk.Unachievable):
            anyk.Polynomial((2, 1, 2), 3 + liars, adversaries=liars, verified=True)


def test_every_set_of_liars_is_named_and_one_more_is_refused():
    scheme = anyk.Polynomial((2, 1, 2), 6, adversaries=2, verified=True)
    encoded = scheme.encode((A, B))
    honest = answers_of(encoded)
    for number in range(4):
        for liars in itertools.combinations(range(6), number):
            told = honest.copy()
            told[list(liars)] = (told[list(liars)] + 1) % P
            if number > 2:
                with pytest.raises(anyk.TooManyErrors):
                    encoded.decode(told, range(6))
                continue
            recovered = encoded.decode(told, range(6))
            assert recovered.suspects == liars
            assert np.array_equal(recovered.value, WHOLE)


@pytest.mark.parametrize("pieces", [1, 2])
def test_a_run_names_liars_before_the_value_and_bears_the_lost(pieces):
    scheme = anyk.Polynomial((2, 1, 2), 7, adversaries=2, pieces=pieces, verified=True)
    faults = {0: Corrupt(seed=1), 2: Corrupt(seed=1), 4: Crash()}
    with Faulty(anyk.Threads(7), faults) as executor:
        outcome = anyk.run(scheme, np.matmul, (A, B), executor)
    assert np.array_equal(outcome.value, WHOLE)
    assert set(outcome.suspects) <= {0, 2}
    assert not {0, 2} & set(outcome.used)


def test_a_factor_that_stays_is_checked_against_each_other_factor():
    scheme = anyk.Polynomial((3, 1, 1), 5, adversaries=1, verified=True)
    with (
        Faulty(anyk.Inline(5), {1: Corrupt(seed=3)}) as executor,
        anyk.distribute(scheme, A, executor) as held,
    ):
        for _ in range(3):
            x = RNG.integers(0, P, 5)
            outcome = held.matmul(x)
            assert np.array_equal(outcome.value, (A.astype(object) @ x.astype(object)) % P)
            assert set(outcome.suspects) <= {1}


def test_reals_over_several_primes_are_checked_modulo_each():
    fixed = anyk.FixedPoint(fraction_bits=24, magnitude=4.0, degree=2, summands=3)
    scheme = anyk.Polynomial((2, 1, 1), 4, adversaries=1, verified=True)
    X, Y = RNG.normal(size=(4, 3)).clip(-3, 3), RNG.normal(size=(3, 2)).clip(-3, 3)
    encoded = Embedded(scheme, fixed).encode((X, Y))
    ring = encoded.scheme.domain
    assert len(ring.primes) > 1
    answers = ring.join(
        [
            np.stack([field.matmul(a, b) for a, b in zip(*parts, strict=True)])
            for place, field in enumerate(ring.fields)
            for parts in [[ring.part(part, place) for part in encoded.parts]]
        ]
    )
    for share, place in itertools.product(range(4), range(len(ring.primes))):
        told = answers.copy()
        told[share, 0, 0, place] = (told[share, 0, 0, place] + 1) % ring.primes[place]
        assert encoded.check.passes(share, answers[share])
        assert not encoded.check.passes(share, told[share])
        recovered = encoded.decode(told, range(4))
        assert recovered.suspects == (share,)
        assert np.abs(recovered.value - X @ Y).max() < 1e-5
    with Faulty(anyk.Inline(4), {2: Corrupt(seed=5)}) as executor:
        outcome = anyk.run(scheme, np.matmul, (X, Y), executor, embedding=fixed)
    assert np.abs(outcome.value - X @ Y).max() < 1e-5
    assert set(outcome.suspects) <= {2}


@pytest.mark.parametrize("domain", [anyk.Reals(), anyk.Complex()])
@pytest.mark.parametrize("columns", [None, 3, 60])
def test_in_floating_point_liars_are_named_too(domain, columns):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(40, 30)).astype(domain.dtype)
    Y = rng.normal(size=(30, columns) if columns else 30).astype(domain.dtype)
    scheme = Lines((3, 1, 1), 5, domain, adversaries=2, verified=True)
    encoded = scheme.encode((X, Y))
    answers = answers_of(encoded)
    for share in range(5):
        assert encoded.check.passes(share, answers[share])
    told = answers.copy()
    told[0] = 2.0 * told[0]
    told[3].flat[0] += 1e-6
    recovered = encoded.decode(told, range(5))
    assert recovered.suspects == (0, 3)
    assert np.abs(recovered.value - X @ Y).max() < 1e-10
    assert encoded.check.smallest_lie < 1e-11


def test_the_smallest_lie_is_in_the_guarantee():
    exact = anyk.Polynomial((2, 1, 2), 6, adversaries=1, verified=True).guarantee
    assert exact.smallest_lie == 0.0
    assert "each answer is checked when it comes: a lie is found" in str(exact)
    assert anyk.Polynomial((2, 1, 2), 6, adversaries=1).guarantee.smallest_lie is None
    double = Lines((2, 1, 1), 6, adversaries=1, verified=True).guarantee
    single = Lines((2, 1, 1), 6, adversaries=1, verified="single").guarantee
    assert 0.0 < double.smallest_lie < 1e-11 < single.smallest_lie < 1e-3
    assert "a lie above 4e-12 of a column is found" in str(double)
    assert "a lie above 8e-04 of a column is found" in str(single)


def test_hosts_of_single_precision_are_liars_unless_it_is_said_that_they_are_not():
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(40, 30)), rng.normal(size=30)
    for verified, honest in ((True, False), ("single", True)):
        encoded = Lines((3, 1, 1), 5, adversaries=2, verified=verified).encode((X, y))
        told = encoded.parts[0][1].astype(np.float32) @ encoded.parts[1][1].astype(np.float32)
        assert encoded.check.passes(1, told.astype(float)) == honest
        assert not encoded.check.passes(1, 1.01 * told.astype(float))


def test_what_is_neither_true_nor_false_is_refused():
    for given in ("double", 1, None, "yes"):
        with pytest.raises(anyk.InvalidArgument, match=r"True, False or \"single\""):
            Lines((2, 1, 1), 6, adversaries=1, verified=given)
    with pytest.raises(anyk.InvalidArgument, match="True or False"):
        anyk.Polynomial((2, 1, 2), 6, adversaries=1, verified="single")


def test_no_key_is_in_what_workers_receive():
    encoded = anyk.Polynomial((2, 1, 2), 6, adversaries=1, verified=True).encode((A, B))
    pickle.dumps(encoded.parts)
    assert "[" not in repr(encoded.check)
    with pytest.raises(TypeError, match="what no worker may know"):
        pickle.dumps(encoded)


def verified_examples():
    """Every example of every scheme for products, with one liar and a check."""
    for row in anyk.CATALOGUE:
        if issubclass(row.scheme, AbstractProduct):
            for example in row.examples():
                told = {"adversaries": 1, "verified": True, "detects": None}
                try:
                    yield replace(example, workers=example.workers + 2, **told)
                except anyk.Unachievable:  # over a field too small for more workers
                    continue


@pytest.mark.parametrize("scheme", list(verified_examples()), ids=repr)
def test_every_scheme_for_products_names_a_liar_by_its_check(scheme):
    rng = np.random.default_rng(6)
    m, p, n = scheme.partition
    batch = (scheme.batch,) if scheme.batch > 1 else ()

    def factor(*shape):
        if scheme.domain.exact:
            return rng.integers(0, scheme.domain.modulus, (*batch, *shape))
        return rng.normal(size=(*batch, *shape)).astype(scheme.domain.dtype)

    X, Y = factor(4 * m + 1, 3 * p + 1), factor(3 * p + 1, 2 * n + 1)
    encoded = scheme.encode(X if scheme.gram else (X, Y))
    answers = answers_of(encoded)
    assert all(encoded.check.passes(share, each) for share, each in enumerate(answers))
    liar = scheme.workers - 1
    told = answers[liar * scheme.pieces]
    told.flat[0] += 1
    if scheme.domain.exact:
        told.flat[0] %= scheme.domain.modulus
    assert encoded.decode(answers, range(len(answers))).suspects == (liar,)


@pytest.mark.parametrize("pieces", [1, 2])
def test_an_answer_of_a_wrong_shape_is_a_fault_and_no_lie(pieces):
    scheme = anyk.MDS((4, 1, 1), 6, adversaries=1, verified=True, pieces=pieces)
    A = np.arange(24).reshape(8, 3)
    for kind in ("shape", "empty"):
        executor = anyk.faults.Faulty(anyk.Inline(6), {1: anyk.faults.Rubbish(kind)})
        with executor, anyk.distribute(scheme, A, executor) as held:
            outcome = held.matmul([1, 2, 3])
        assert np.array_equal(outcome.value, A @ [1, 2, 3])
        assert outcome.suspects == ()
        assert "answer of shape" in outcome.failures[1]
