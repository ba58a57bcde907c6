"""Answers on sparse shares that are checked when they come."""

import numpy as np
import pytest
import scipy.sparse

import anyk
from anyk.codes.checks.field import FieldKeys
from anyk.codes.checks.floats import FloatKeys
from anyk.faults import Corrupt, Faulty
from anyk.randomness.entropy import InsecureTestSource
from anyk.work import WorkerTask
from anyk.works.products import SparseProduct

LARGE, REALS = anyk.PrimeField(), anyk.Reals()


def sparse(domain, shape, density=0.1, seed=0):
    rng = np.random.default_rng(seed)
    A = scipy.sparse.random_array(shape, density=density, rng=rng, format="csr")
    if domain is REALS:
        A.data = rng.standard_normal(A.nnz)
        return A
    numbers = rng.integers(0, domain.modulus, A.nnz)
    return scipy.sparse.csr_array((numbers, A.indices, A.indptr), shape=A.shape)


def factor(domain, shape, seed=1):
    rng = np.random.default_rng(seed)
    if domain is REALS:
        return rng.standard_normal(shape)
    return rng.integers(0, domain.modulus, shape)


def answers_of(encoded):
    task = WorkerTask(SparseProduct(), encoded.scheme.domain, (), len(encoded.parts))
    return np.stack([task(*share) for share in zip(*encoded.parts, strict=True)])


@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e200])
def test_keys_of_sparse_factors_are_those_of_dense_ones(scale):
    A = scale * sparse(REALS, (20, 30))
    sparse_keys = FloatKeys.of((A,), source=InsecureTestSource(1))
    dense_keys = FloatKeys.of(A.toarray()[None], source=InsecureTestSource(1))
    assert sparse_keys.exponents == dense_keys.exponents
    assert np.allclose(sparse_keys.secrets[0][1], dense_keys.secrets[0][1], rtol=1e-12, atol=1e-12)
    assert np.allclose(sparse_keys.norms, dense_keys.norms, rtol=1e-12)
    assert sparse_keys.smallest_lie == dense_keys.smallest_lie
    for field in (anyk.PrimeField(2), anyk.PrimeField(101), LARGE):
        A = sparse(field, (20, 30))
        keys = FieldKeys.of(field, (A,), source=InsecureTestSource(1))
        other = FieldKeys.of(field, A.toarray()[None], source=InsecureTestSource(1))
        assert np.array_equal(keys.keys, other.keys)


@pytest.mark.parametrize("domain", [anyk.PrimeField(101), LARGE, REALS], ids=repr)
@pytest.mark.parametrize("columns", [(), (60,)])
def test_honest_answers_pass_and_lies_do_not(domain, columns):
    scheme = anyk.Sparse((4, 1, 1), 7, domain=domain, adversaries=1, verified=True)
    rng = np.random.default_rng(5)
    for seed in range(10):
        left = scheme.encode_left(sparse(domain, (40, 50), seed=seed))
        encoded = scheme.encode_right(left, factor(domain, (50, *columns), seed))
        answers = answers_of(encoded)
        for share, honest in enumerate(answers):
            assert encoded.check.passes(share, honest)
            lie = honest.copy()
            place = tuple(rng.integers(0, size) for size in lie.shape)
            lie[place] = lie[place] + 1e-6 if domain is REALS else (lie[place] + 1) % domain.modulus
            assert not encoded.check.passes(share, lie)


def test_a_sparse_share_without_entries_is_checked_too():
    scheme = anyk.Sparse((2, 1, 1), 4, domain=REALS, adversaries=1, verified=True)
    encoded = scheme.encode((scipy.sparse.csr_array((6, 5)), np.ones(5)))
    assert encoded.check.passes(0, np.zeros(3))
    assert not encoded.check.passes(0, np.full(3, 1e-9))


@pytest.mark.parametrize("domain", [LARGE, REALS], ids=repr)
def test_a_liar_costs_one_worker_and_is_named(domain):
    A = sparse(domain, (40, 40))
    scheme = anyk.Sparse((5, 1, 1), 7, domain=domain, adversaries=2, verified=True)
    assert scheme.guarantee.threshold == 7
    lies = {1: Corrupt(modulus=LARGE.modulus), 4: Corrupt(modulus=LARGE.modulus)}
    if domain is REALS:
        lies = {1: Corrupt(), 4: Corrupt()}
    with Faulty(anyk.Inline(7), lies) as executor, anyk.distribute(scheme, A, executor) as held:
        x = factor(domain, (40,))
        outcome = held.matmul(x)
        truth = A @ x if domain is REALS else A.toarray().astype(object) @ x % domain.modulus
        assert np.allclose(outcome.value.astype(float), np.asarray(truth, float), rtol=1e-9)
        assert outcome.suspects == (1, 4)
