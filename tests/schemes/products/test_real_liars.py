"""Liars among products over the reals and complex numbers, told by the other answers."""

import itertools

import numpy as np
import pytest

import anyk
from anyk.faults import Corrupt, Faulty

R, C = anyk.Reals(), anyk.Complex()
SCHEMES = [
    anyk.MDS((3, 1, 1), 8, R, adversaries=2),
    anyk.MDS((4, 1, 1), 7, C, adversaries=1),
    anyk.MDS((5, 1, 1), 5, R, adversaries=1, pieces=2),
    anyk.Polynomial((2, 1, 2), 8, R, adversaries=2),
    anyk.Polynomial((2, 1, 2), 9, C, adversaries=2),
    anyk.Polynomial((2, 1, 1), 7, R, adversaries=1, detects=2),
    anyk.OrthoPolynomial((2, 1, 2), 8, adversaries=1),
    anyk.OrthoMatDot((1, 2, 1), 8, adversaries=2),
    anyk.Rotation((6, 1, 1), 8, adversaries=1),
    anyk.Rotation((4, 1, 4), 9, adversaries=1),
    anyk.Circulant((12, 1, 1), 7, adversaries=1),
]
KINDS = ["random", "a millionth", "another product", "sign", "swap", "zero", "huge", "alike"]


def factors(scheme, rng, hard=0):
    """Random ones, or such as make trouble: of all scales, positive, cancelling, whole, empty."""
    m, p, n = scheme.partition
    rows, inner, columns = 2 * m - 1, 3 * p + 1, 2 * n - 1
    A, B = rng.normal(size=(rows, inner)), rng.normal(size=(inner, columns))
    if hard == 1:
        A *= 10.0 ** rng.uniform(-6, 6, (rows, 1))
    elif hard == 2:
        A, B = np.abs(A), np.abs(B)
    elif hard == 3:
        B[-1] = -(A[0, :-1] @ B[:-1]) / A[0, -1]
    elif hard == 4:
        A, B = np.round(4 * A), np.round(4 * B)
    elif hard == 5:
        A[: len(A) // m] = 0.0
        A *= 10.0 ** rng.uniform(-12, 12)
    return A.astype(scheme.domain.dtype), B.astype(scheme.domain.dtype)


def answers(encoded, single=()):
    """Of honest workers, of whom some compute in single precision."""
    rows, pieces = [], encoded.guarantee.pieces
    for share, (a, b) in enumerate(zip(*encoded.parts, strict=True)):
        if share // pieces in single:
            kind = np.complex64 if a.dtype.kind == "c" else np.float32
            rows.append((a.astype(kind) @ b.astype(kind)).astype(a.dtype))
        else:
            rows.append(a @ b)
    return np.stack(rows)


def spoiled(kind, encoded, values, liars, *, X, rng):
    """The answers, with lies in all that these workers told."""
    pieces = encoded.guarantee.pieces
    rows = [share for share in range(len(values)) if share // pieces in liars]
    values, size = values.copy(), np.sqrt(np.mean(np.abs(values) ** 2))
    shape = values[rows].shape
    if kind == "random":
        values[rows] += size * rng.normal(size=shape)
    elif kind == "a millionth":
        values[rows] *= 1.0 + 1e-6 * rng.normal(size=shape)
    elif kind == "another product":
        other = encoded.scheme.encode((X[0] + rng.normal(size=X[0].shape), X[1]))
        values[rows] = answers(other)[rows]
    elif kind == "swap":
        values[rows] = values[np.roll(rows, pieces) if len(liars) > 1 else np.array(rows) - pieces]
    elif kind == "alike":
        values[rows] += size * rng.normal(size=shape[1:])
    else:
        values[rows] *= {"sign": -1.0, "zero": 0.0, "huge": 1e12}[kind]
    return values


def off(value, truth):
    size = np.linalg.norm(value)
    return np.linalg.norm(value - truth) / size if size else np.linalg.norm(truth)


def some(scheme, rng, least):
    """Shares that were answered, at least so many; all, where a worker has several."""
    shares = scheme.workers * scheme.pieces
    if scheme.pieces > 1:
        return np.arange(shares)
    return np.sort(rng.permutation(shares)[: int(rng.integers(least, shares + 1))])


@pytest.mark.parametrize("scheme", SCHEMES, ids=repr)
def test_it_keeps_its_guarantee(scheme):
    anyk.testing.check_scheme(scheme, generator=np.random.default_rng(0), patterns=10)


@pytest.mark.parametrize("scheme", SCHEMES, ids=repr)
def test_every_set_of_liars_is_named_and_the_value_is_within_the_estimate(scheme):
    rng = np.random.default_rng(1)
    for size in range(1, scheme.adversaries + 1):
        for liars in itertools.combinations(range(scheme.workers), size):
            for kind in KINDS:
                A, B = factors(scheme, rng)
                encoded = scheme.encode((A, B))
                values = spoiled(kind, encoded, answers(encoded), liars, X=(A, B), rng=rng)
                who = some(scheme, rng, scheme.guarantee.threshold)
                lying = tuple(w for w in liars if w in who // scheme.pieces)
                recovered = encoded.decode(values[who], who.tolist())
                assert recovered.suspects == lying
                assert off(recovered.value, A @ B) <= recovered.error_estimate < 1e-9


@pytest.mark.parametrize("scheme", SCHEMES, ids=repr)
def test_honest_workers_are_not_accused_of_any_matrices_on_any_hosts(scheme):
    rng = np.random.default_rng(2)
    for trial in range(60):
        A, B = factors(scheme, rng, hard=trial % 6)
        encoded = scheme.encode((A, B))
        single = rng.permutation(scheme.workers)[: int(rng.integers(scheme.workers + 1))]
        values = answers(encoded, single if trial % 4 else ())
        who = some(scheme, rng, scheme.guarantee.least)
        recovered = encoded.decode(values[who], who.tolist())
        assert recovered.suspects == ()
        assert off(recovered.value, A @ B) <= recovered.error_estimate


@pytest.mark.parametrize("scheme", SCHEMES, ids=repr)
def test_the_most_cunning_lies_stay_within_the_estimate(scheme):
    """Liars tell what their syndromes show least, about as large as rounding."""
    rng = np.random.default_rng(3)
    moved = 0
    for _ in range(80):
        A, B = factors(scheme, rng)
        encoded = scheme.encode((A, B))
        who = some(scheme, rng, scheme.guarantee.threshold)
        recovery, values = encoded.recovery(who.tolist()), answers(encoded)[who]
        liars = rng.permutation(np.unique(who // scheme.pieces))[: scheme.adversaries]
        terms = scheme.build().rows(tuple(who.tolist()))
        rows = np.flatnonzero(
            np.repeat(np.isin(who // scheme.pieces, liars), len(terms) // len(who))
        )
        check = np.linalg.qr(terms, mode="complete")[0][:, terms.shape[1] :].conj().T
        direction = np.linalg.svd(check[:, rows])[2][-1].conj()
        size = 10.0 ** rng.uniform(-17, -8) * np.sqrt(np.mean(np.abs(values) ** 2))
        clean = off(recovery.recover(values).value, A @ B)
        apart = recovery._split(values.copy())
        lie = size * rng.normal(size=apart.shape[1:])
        apart[rows] += direction.reshape(-1, *[1] * lie.ndim) * lie
        code = scheme.build()
        high, wide = code.left.tiles[0], code.right.tiles[1]
        together = apart.reshape(len(who), high, wide, *lie.shape).swapaxes(2, 3)
        recovered = recovery.recover(together.reshape(values.shape))
        assert set(recovered.suspects) <= set(liars.tolist())
        error = off(recovered.value, A @ B)
        assert error <= recovered.error_estimate
        moved += error > 2.0 * clean
    assert moved > 5  # some went unnoticed, and mattered


@pytest.mark.parametrize("scheme", SCHEMES, ids=repr)
def test_one_liar_too_many_raises_or_is_in_the_estimate(scheme):
    rng = np.random.default_rng(4)
    for liars in itertools.combinations(range(scheme.workers), scheme.adversaries + 1):
        for kind in ("random", "a millionth"):
            A, B = factors(scheme, rng)
            encoded = scheme.encode((A, B))
            values = spoiled(kind, encoded, answers(encoded), liars, X=(A, B), rng=rng)
            everyone = range(len(values))
            try:
                recovered = encoded.decode(values, everyone)
            except anyk.TooManyErrors:
                continue
            assert kind == "a millionth"
            assert off(recovered.value, A @ B) <= recovered.error_estimate


@pytest.mark.parametrize("adversaries", [1, 2])
def test_early_it_is_certain_whoever_answers_and_whoever_lies(adversaries):
    rng = np.random.default_rng(5)
    scheme = anyk.MDS((3, 1, 1), 4 + 2 * adversaries, R, adversaries=adversaries)
    promise, early = scheme.guarantee, 0
    assert (promise.least, promise.threshold) == (3 + adversaries, 3 + 2 * adversaries)
    A, B = factors(scheme, rng)
    encoded = scheme.encode((A, B))
    for liars in [*itertools.combinations(range(scheme.workers), adversaries)][::adversaries]:
        values = spoiled("random", encoded, answers(encoded), liars, X=(A, B), rng=rng)
        for count in range(promise.least, promise.threshold + 1):
            for who in itertools.combinations(range(scheme.workers), count):
                lying = tuple(sorted({*liars} & {*who}))
                try:
                    recovered = encoded.decode(values[list(who)], who)
                except anyk.TooManyErrors as error:
                    told = error.more
                    recovered = None
                if recovered is None:
                    assert count < promise.least + len(lying)
                    assert told == promise.threshold - count
                    continue
                assert recovered.suspects == lying
                assert off(recovered.value, A @ B) <= recovered.error_estimate < 1e-9
                early += count < promise.threshold
    assert early > 20


@pytest.mark.parametrize("lie", [1e-6, 1e30])
def test_a_lie_in_one_number_of_many_is_named(lie):
    rng = np.random.default_rng(6)
    scheme = anyk.MDS((4, 1, 1), 8, R, adversaries=1)
    A, B = rng.normal(size=(4 * 200, 3)), rng.normal(size=(3, 500))
    encoded = scheme.encode((A, B))
    values = answers(encoded)
    size = np.linalg.norm(values[5])
    values[5, 17, 340] += lie * size
    recovered = encoded.decode(values, range(8))
    assert recovered.suspects == (5,)
    assert off(recovered.value, A @ B) <= recovered.error_estimate < 1e-13


def test_answers_that_all_but_cancel_are_no_lies():
    """A x is nearly 0: what is left is rounding, which the factors' sizes foretell."""
    rng = np.random.default_rng(7)
    scheme = anyk.MDS((4, 1, 1), 8, R, adversaries=2)
    for _ in range(50):
        x = rng.normal(size=300)
        A = rng.normal(size=(40, 300))
        A -= np.outer(A @ x, x) / (x @ x)
        encoded = scheme.encode((A, x))
        recovered = encoded.decode(answers(encoded), range(8))
        assert recovered.suspects == ()
        assert np.linalg.norm(recovered.value) < 1e-10
        assert recovered.error_estimate > 0.1


def test_whole_numbers_that_single_precision_holds_are_exact():
    rng = np.random.default_rng(8)
    scheme = anyk.MDS((3, 1, 1), 8, R, adversaries=1)
    A, B = rng.integers(-99, 99, (9, 5)), rng.integers(-99, 99, (5, 4))
    encoded = scheme.encode((A, B))
    values = answers(encoded)
    values[1] += 1.0  # as whole as the others
    recovered = encoded.decode(values, range(8))
    assert recovered.suspects == (1,)


def test_numbers_of_single_precision_that_are_whole_by_accident_are_rounded():
    """Of a number near 300,000 single precision holds five binary digits behind the point."""
    rng = np.random.default_rng(10)
    scheme = anyk.Rotation((2, 1, 2), 7, adversaries=1)
    whole = 0
    for _ in range(300):
        A, B = rng.uniform(2e5, 5e5, (2, 1)), rng.uniform(-2.0, 2.0, (1, 2))
        encoded = scheme.encode((A, B))
        exact = int(rng.integers(7))
        values = answers(encoded, [worker for worker in range(7) if worker != exact])
        whole += (values == np.round(values)).any(axis=(1, 2)).sum()
        assert encoded.decode(values, range(7)).suspects == ()
    assert whole > 100


def test_in_a_run_with_a_liar():
    rng = np.random.default_rng(9)
    A, B = rng.normal(size=(12, 20)), rng.normal(size=(20, 6))
    scheme = anyk.Polynomial((2, 1, 2), 7, R, adversaries=1)
    with Faulty(anyk.Inline(7), {2: Corrupt()}) as executor:
        outcome = anyk.run(scheme, np.matmul, (A, B), executor)
    assert outcome.status is anyk.Status.APPROXIMATE
    assert outcome.suspects == (2,)
    assert off(outcome.value, A @ B) <= outcome.error_estimate < 1e-12


@pytest.mark.parametrize(
    ("scheme", "draws"),
    [
        (anyk.MDS((12, 1, 1), 24, R, adversaries=4), 60),  # 4,845 sets: all are weighed
        (anyk.MDS((16, 1, 1), 32, R, adversaries=6), 12),  # 376,740 sets
    ],
    ids=str,
)
def test_lies_that_look_like_those_of_others_accuse_nobody_else_among_many_sets(scheme, draws):
    rng, most, blocks = np.random.default_rng(9), scheme.adversaries, scheme.partition[0]
    A, B = rng.normal(size=(blocks, 7)), rng.normal(size=(7, 3))
    encoded = scheme.encode((A, B))
    honest = np.stack([left @ right for left, right in zip(*encoded.parts, strict=True)])
    for _ in range(draws):
        who = rng.permutation(scheme.workers)[: scheme.guarantee.threshold]
        some, liars = who[: 2 * most], who[:most]
        basis = np.linalg.qr(encoded.encoder.data[who], mode="complete")[0]
        # errors of all of these of which least is seen
        alike = np.linalg.svd(basis[: len(some), blocks:].T)[2][-1, :most]
        lie = alike / np.linalg.norm(alike) * 10.0 ** rng.uniform(-12.5, -11.0)
        values = honest.copy()
        values[liars] += 2.6 * lie[:, None, None] * rng.normal(size=honest.shape[1:])
        try:
            recovered = encoded.decode(values[who], who)
        except anyk.TooManyErrors:
            continue
        assert set(recovered.suspects) <= set(liars.tolist())
        assert np.allclose(recovered.value, A @ B, rtol=0.0, atol=1e-8)
    values = honest.copy()
    values[:most] *= 1 + 1e-7
    assert encoded.decode(values, range(scheme.workers)).suspects == tuple(range(most))


@pytest.mark.parametrize(
    "scheme",
    [
        anyk.MDS((3, 1, 1), 7, anyk.Reals(), adversaries=1, verified="single"),
        anyk.Polynomial((2, 1, 2), 7, anyk.Complex(), adversaries=1, verified="single"),
        anyk.OrthoMatDot((1, 3, 1), 4, adversaries=1, pieces=2, verified="single"),
        anyk.Rotation((4, 1, 2), 6, adversaries=1, verified="single"),
    ],
    ids=repr,
)
def test_checked_answers_of_single_precision_are_in_the_estimate(scheme):
    rng = np.random.default_rng(3)
    short = np.complex64 if isinstance(scheme.domain, anyk.Complex) else np.float32
    within = 0
    for draw in range(40):
        A, B = rng.standard_normal((9, 8)), rng.standard_normal((8, 5))
        encoded, truth = scheme.encode((A, B)), A @ B
        who = rng.permutation(len(encoded.parts[0]))[: encoded.guarantee.threshold - scheme.pieces]
        values = _products(encoded, who)
        for at in rng.permutation(len(who))[: draw % (len(who) + 1)]:
            left, right = (part[who[at]].astype(short) for part in encoded.parts)
            values[at] = left @ right
        recovered = encoded.decode(values, tuple(map(int, who)))
        assert recovered.suspects == ()
        off = np.linalg.norm(recovered.value - truth) / np.linalg.norm(truth)
        within += off <= recovered.error_estimate + 1e-13
        assert off <= 3.0 * recovered.error_estimate + 1e-13
    assert within >= 37


@pytest.mark.parametrize("detects", [None, 2])
@pytest.mark.parametrize("lie", [1e-320, 1.0, 1e3, 1e300])
def test_who_lies_about_zeros_is_named(detects, lie):
    scheme = anyk.MDS((4, 1, 1), 9, R, adversaries=1, detects=detects)
    rng = np.random.default_rng(4)
    encoded = scheme.encode((rng.standard_normal((7, 5)), np.zeros((5, 3))))
    values = _products(encoded, range(8))
    values[2] += lie
    recovered = encoded.decode(values, tuple(range(8)))
    assert recovered.suspects == (2,)
    assert not recovered.value.any()


def _products(encoded, who):
    left, right = encoded.parts
    return np.stack([left[share] @ right[share] for share in who])
