import itertools

import numpy as np
import pytest
import scipy.sparse

import anyk
from anyk.faults import Corrupt, Crash, Faulty
from anyk.work import WorkerTask
from anyk.works.products import SparseProduct

SMALL, LARGE, REALS = anyk.PrimeField(101), anyk.PrimeField(), anyk.Reals()
FORMATS = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")


def sparse(domain, shape=(13, 9), density=0.25, seed=0):
    rng = np.random.default_rng(seed)
    if domain is REALS:
        numbers = rng.standard_normal(shape)
    else:
        numbers = rng.integers(0, domain.modulus, shape)
    return scipy.sparse.csr_array(numbers * (rng.random(shape) < density))


def right_factor(domain, shape, seed=1):
    rng = np.random.default_rng(seed)
    if domain is REALS:
        return rng.standard_normal(shape)
    return rng.integers(0, domain.modulus, shape)


def product(domain, A, B):
    if domain is REALS:
        return A @ B
    flint = pytest.importorskip("flint")
    left, right = A.toarray(), B.reshape(len(B), -1)
    found = flint.nmod_mat(*left.shape, left.ravel().tolist(), domain.modulus) * flint.nmod_mat(
        *right.shape, right.ravel().tolist(), domain.modulus
    )
    numbers = np.array([[int(each) for each in row] for row in found.tolist()])
    return numbers.reshape(A.shape[0], *B.shape[1:])


def answers_of(encoded):
    task = WorkerTask(SparseProduct(), encoded.scheme.domain, (), len(encoded.parts))
    return np.stack([task(*share) for share in zip(*encoded.parts, strict=True)])


def check(scheme, A, B):
    """Every set of m answers, and none of fewer."""
    domain, shares = scheme.domain, scheme.workers * scheme.pieces
    encoded, truth = scheme.encode((A, B)), product(domain, A, B)
    answers = answers_of(encoded)
    for who in itertools.combinations(range(shares), scheme.enough):
        recovered = encoded.decode(answers[list(who)], who)
        if domain.exact:
            assert np.array_equal(recovered.value, truth)
            continue
        off = np.linalg.norm(recovered.value - truth) / np.linalg.norm(truth)
        assert off <= 3.0 * recovered.error_estimate < 1e-10
    for who in itertools.combinations(range(shares), scheme.enough - 1):
        with pytest.raises(anyk.NotEnoughAnswers):
            encoded.recovery(who)


@pytest.mark.parametrize("domain", [SMALL, LARGE, REALS], ids=repr)
@pytest.mark.parametrize(("m", "workers"), [(1, 1), (1, 4), (3, 5), (4, 4), (5, 8), (10, 12)])
def test_every_set_of_answers_gives_the_product_and_one_fewer_none(domain, m, workers):
    scheme = anyk.Sparse(partition=(m, 1, 1), workers=workers, domain=domain)
    check(scheme, sparse(domain), right_factor(domain, (9,)))


def test_with_pieces_any_answers_are_enough():
    scheme = anyk.Sparse(partition=(4, 1, 1), workers=3, pieces=2, domain=LARGE)
    check(scheme, sparse(LARGE), right_factor(LARGE, (9, 2)))


@pytest.mark.parametrize("domain", [SMALL, REALS], ids=repr)
@pytest.mark.parametrize("columns", [(), (1,), (4,)])
def test_any_format_of_scipy_and_a_dense_matrix_give_the_same_shares(domain, columns):
    A, B = sparse(domain), right_factor(domain, (9, *columns))
    scheme = anyk.Sparse(partition=(3, 1, 1), workers=5, domain=domain)
    dense = scheme.encode((A.toarray(), B))
    assert len(dense.parts) == 2
    right = answers_of(dense)
    for form in FORMATS:
        for matrix in (A.asformat(form), scipy.sparse.csr_matrix(A).asformat(form)):
            encoded = scheme.encode((matrix, B))
            assert len(encoded.parts) == 4
            assert np.allclose(answers_of(encoded), right, rtol=1e-12, atol=1e-12)
            assert encoded.decode(answers_of(encoded), range(5)).value.shape == (13, *columns)


def test_no_share_has_more_than_s_plus_1_blocks_nor_their_mean_more_than_it_must():
    for m, workers in ((5, 7), (9, 12), (17, 20), (3, 9)):
        for domain in (SMALL, REALS):
            scheme = anyk.Sparse(partition=(m, 1, 1), workers=workers, domain=domain)
            held = (scheme.encoder(None).data != 0).sum(axis=1)
            assert held.max() <= workers - m + 1
            assert held.sum() == m * (workers - m + 1)


def test_shares_have_the_entries_of_their_blocks_and_work_is_proportional_to_them():
    A = sparse(REALS, (200, 300), 0.01)
    scheme = anyk.Sparse(partition=(10, 1, 1), workers=12, domain=REALS)
    data, columns, starts = scheme.encode_left(A).parts
    each = np.add.reduceat(np.diff(A.indptr), np.arange(0, 200, 20))
    held = scheme.encoder(None).data != 0
    assert (starts[:, -1] <= held @ each).all()
    assert data.shape == columns.shape == (12, starts[:, -1].max())
    assert columns.dtype == starts.dtype == np.int32


def test_repeated_entries_are_added_and_the_matrix_is_not_written_in():
    entries, places = np.array([1, 2, 3]), (np.array([0, 0, 1]), np.array([1, 1, 0]))
    A = scipy.sparse.coo_array((entries, places), shape=(2, 2))
    raw = scipy.sparse.csr_array((entries, np.array([1, 1, 0]), np.array([0, 2, 3])), shape=(2, 2))
    scheme = anyk.Sparse(partition=(2, 1, 1), workers=3, domain=SMALL)
    for matrix in (A, raw):
        encoded = scheme.encode((matrix, np.array([1, 1])))
        assert encoded.decode(answers_of(encoded), range(3)).value.tolist() == [3, 3]
    assert raw.nnz == A.nnz == 3


def test_an_empty_matrix_has_a_product():
    scheme = anyk.Sparse(partition=(2, 1, 1), workers=3, domain=REALS)
    encoded = scheme.encode((scipy.sparse.csr_array((4, 4)), np.ones(4)))
    recovered = encoded.decode(answers_of(encoded), range(3))
    assert not recovered.value.any()


def test_liars_are_named_over_a_field_and_one_more_is_refused():
    A, B = sparse(LARGE), right_factor(LARGE, (9,))
    scheme = anyk.Sparse(partition=(3, 1, 1), workers=7, domain=LARGE, adversaries=2)
    encoded, rng = scheme.encode((A, B)), np.random.default_rng(3)
    honest, truth = answers_of(encoded), product(LARGE, A, B)
    for liars in itertools.combinations(range(7), 2):
        values = honest.copy()
        values[list(liars)] = rng.integers(0, LARGE.modulus, (2, honest.shape[1]))
        recovered = encoded.decode(values, range(7))
        assert recovered.suspects == liars
        assert np.array_equal(recovered.value, truth)
    for liars in itertools.combinations(range(7), 3):
        values = honest.copy()
        values[list(liars)] = rng.integers(0, LARGE.modulus, (3, honest.shape[1]))
        with pytest.raises(anyk.TooManyErrors):
            encoded.decode(values, range(7))


def test_estimates_hold_in_at_least_95_of_100_draws():
    rng, within, draws = np.random.default_rng(2026), 0, 1000
    schemes = [
        anyk.Sparse(partition=(m, 1, 1), workers=m + s, domain=REALS)
        for m, s in ((4, 1), (5, 2), (9, 3), (17, 3))
    ]
    for draw in range(draws):
        scheme = schemes[draw // 10 % len(schemes)]
        if draw % 10 == 0:
            A = scipy.sparse.random_array((40, 60), density=0.1, rng=rng, format="csr")
            A.data -= rng.random()
            left = scheme.encode_left(A)
        x = rng.standard_normal(60) * 10.0 ** rng.integers(-3, 4)
        encoded = scheme.encode_right(left, x)
        who = sorted(rng.choice(scheme.workers, scheme.enough, replace=False).tolist())
        recovered = encoded.decode(answers_of(encoded)[who], who)
        truth = A @ x
        off = np.linalg.norm(recovered.value - truth) / np.linalg.norm(truth)
        within += off <= recovered.error_estimate
    assert within >= 0.95 * draws


@pytest.mark.parametrize("domain", [LARGE, REALS], ids=repr)
def test_a_graph_stays_on_the_workers_while_vectors_come_and_go(domain):
    A = sparse(domain, (30, 30), 0.1)
    scheme = anyk.Sparse(partition=(4, 1, 1), workers=7, domain=domain, **liars(domain))
    lie = {2: Corrupt(modulus=LARGE.modulus)} if domain.exact else {}
    with (
        Faulty(anyk.Threads(7), {5: Crash(), **lie}) as executor,
        anyk.distribute(scheme, A, executor) as held,
    ):
        for seed in range(5):
            x = right_factor(domain, (30,), seed)
            outcome = held.matmul(x)
            assert set(outcome.suspects) <= set(lie)
            assert np.allclose(outcome.value, product(domain, A, x), rtol=1e-9, atol=1e-9)


def liars(domain):
    return {"adversaries": 1} if domain.exact else {}


def test_the_worst_amplification_is_stated_and_is_that_of_the_worst_recovery():
    scheme = anyk.Sparse(partition=(9, 1, 1), workers=12, domain=REALS)
    encoded = scheme.encode((np.ones((9, 2)), np.ones(2)))
    errors = [
        np.sqrt(np.sum(encoded.recovery(who).matrix ** 2) / 9)
        for who in itertools.combinations(range(12), 9)
    ]
    assert scheme.amplification == pytest.approx(max(errors), rel=1e-6)
    assert scheme.amplification < 150.0
    assert anyk.Sparse(partition=(9, 1, 1), workers=12).amplification == 1.0


def test_over_the_reals_no_more_shares_than_there_are_coefficients_for():
    with pytest.raises(anyk.Unachievable, match=r"201 shares; needed: at most rN = 200"):
        anyk.Sparse(partition=(75, 1, 1), workers=201, domain=REALS)
    assert anyk.Sparse(partition=(250, 1, 1), workers=300).guarantee.stragglers == 50


@pytest.mark.parametrize(
    ("A", "told"),
    [
        (scipy.sparse.coo_array(np.ones(3)), r"a sparse A of shape \(3,\)"),
        (scipy.sparse.csr_array((0, 3)), r"a sparse A of shape \(0, 3\)"),
        (scipy.sparse.csr_array(np.array([[np.nan, 1.0]])), "nan"),
        (scipy.sparse.csr_array(np.array([[1j]])), "complex128"),
        ([scipy.sparse.eye_array(3)], "which is sparse"),
    ],
)
def test_what_is_no_sparse_matrix_of_reals_is_refused(A, told):
    with pytest.raises(anyk.InvalidArgument, match=f"got .*{told}"):
        anyk.Sparse(partition=(2, 1, 1), workers=3, domain=REALS).encode_left(A)


def test_other_schemes_and_a_sparse_right_factor_say_who_takes_it():
    A = scipy.sparse.eye_array(4, format="csr")
    scheme = anyk.Sparse(partition=(2, 1, 1), workers=3, domain=REALS)
    fixed = anyk.FixedPoint(fraction_bits=8, magnitude=4.0, degree=2, summands=4)
    field = anyk.Sparse(partition=(2, 1, 1), workers=3)
    for call in (
        lambda: anyk.Polynomial(partition=(2, 1, 1), workers=3).encode_left(A),
        lambda: scheme.encode((A, A)),
        lambda: scheme.encode((A.toarray(), A)),
        lambda: anyk.Replication(2, 3, domain=REALS).encode(A),
        lambda: anyk.run(field, np.matmul, (A, np.ones(4)), anyk.Inline(3), embedding=fixed),
    ):
        with pytest.raises(anyk.InvalidArgument, match=r"sparse.*Pass \.toarray\(\)"):
            call()
