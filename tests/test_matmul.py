"""`anyk.matmul`: as numpy has it, whatever the factors; or an error, and never a wrapped value."""

import concurrent.futures
import contextlib
import itertools
import re
import warnings

import numpy as np
import pytest
import scipy.sparse

import anyk
from anyk import faults
from anyk.planning.costs import CLUSTER, Size
from anyk.planning.products import Wanted, plan_product

RNG = np.random.default_rng(7)
SHAPES = [
    ((3,), (3,)), ((3,), (3, 4)), ((5, 3), (3,)), ((5, 3), (3, 4)), ((1, 1), (1, 1)),
    ((1, 7), (7, 1)), ((2, 5, 3), (3,)), ((2, 5, 3), (3, 4)), ((5, 3), (2, 3, 4)),
    ((3,), (2, 3, 4)), ((2, 5, 3), (2, 3, 4)), ((4, 1, 5, 3), (2, 3, 4)),
    ((1, 1, 5, 3), (2, 1, 3, 4)), ((1, 5, 3), (1, 3, 4)), ((1, 5, 3), (3,)), ((3,), (1, 3, 4)),
]  # fmt: skip
KINDS = [
    bool, np.int8, np.uint8, np.int32, np.int64, np.uint64, np.float16, np.float32, np.float64,
    np.complex64, np.complex128,
]  # fmt: skip
THREATS = [{}, {"stragglers": 1}, {"stragglers": 1, "adversaries": 1}, {"pieces": 2}]


WANTED = Wanted(threat=anyk.Threat(workers=12, stragglers=2), domain=anyk.Reals())
FEW_OF_ONE = anyk.MDS((2, 1, 1), 6, anyk.Reals())
THIN = anyk.Sparse((4, 1, 1), 6, domain=anyk.Reals())
FEW = anyk.Polynomial((2, 1, 2), 4, domain=anyk.Reals())


def drawn(shape, kind):
    """Numbers that every kind has room for, and their products."""
    whole = RNG.integers(0, 2, shape) if kind is bool else RNG.integers(0, 5, shape)
    return whole.astype(kind)


def product(a, b, workers=8, **named):
    with anyk.Inline(workers) as executor:
        return anyk.matmul(a, b, executor, progress=False, **named)


@pytest.mark.parametrize("threat", THREATS, ids=str)
@pytest.mark.parametrize(("left", "right"), SHAPES)
@pytest.mark.parametrize("kind", [np.int64, np.float64, np.complex128])
def test_shapes_are_numpys(left, right, kind, threat):
    a, b = drawn(left, kind), drawn(right, kind)
    value = product(a, b, **threat).value
    right = np.matmul(a, b)
    assert value.shape == np.shape(right)
    assert value.dtype == right.dtype
    if kind is np.int64:
        assert np.array_equal(value, right)
    else:
        np.testing.assert_allclose(value, right, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("threat", THREATS, ids=str)
@pytest.mark.parametrize(("first", "second"), [*itertools.product(KINDS, KINDS)])
def test_dtypes_are_numpys_but_integers_do_not_wrap(first, second, threat):
    a, b = drawn((4, 6), first), drawn((6, 5), second)
    value = product(a, b, **threat).value
    wanted = np.result_type(first, second)
    if wanted.kind in "iu" or {first, second} == {np.int64, np.uint64}:
        wanted = np.dtype(np.int64)
    whole = all(np.dtype(kind).kind in "biu" for kind in (first, second))
    assert value.dtype == (np.dtype(np.int64) if whole and wanted.kind == "f" else wanted)
    right = np.matmul(a, b) if wanted.kind == "b" else np.matmul(a.astype(complex), b)
    assert np.abs(value.astype(complex) - right).max() <= 1e-3 * np.abs(right).max()


@pytest.mark.parametrize("extreme", [127, -128])
def test_integers_that_numpy_wraps_are_exact(extreme):
    a, b = np.full((2, 9), extreme, np.int8), np.full((9, 2), extreme, np.int8)
    assert (product(a, b, stragglers=1).value == 9 * extreme**2).all()
    assert (a @ b != 9 * extreme**2).any()


@pytest.mark.parametrize("bits", [*range(28, 33), *range(50, 56), 60, 61, 62])
@pytest.mark.parametrize("threat", THREATS, ids=str)
def test_integers_of_any_size_are_exact_up_to_int64(bits, threat):
    inner, left = 4, bits // 2
    size = 1 << (bits - left - 2)
    a = RNG.integers(-(1 << left), 1 << left, (5, inner)) | 1
    b = RNG.integers(-size, size, (inner, 3)) | 1
    value = product(a, b, **threat).value
    assert value.dtype == np.int64
    assert (value == a.astype(object) @ b.astype(object)).all()


@pytest.mark.parametrize("named", [{}, {"scheme": anyk.Residues(8)}, {"colluders": 1}])
def test_integers_beyond_int64_are_refused_and_never_wrapped(named):
    a = np.array([[1 << 40, 1]])
    with pytest.raises(anyk.AnykError):
        product(a, a.T, **named)
    assert product([[1 << 31, -1]], [[1 << 31], [1]]).value == (1 << 62) - 1


def test_colluders_see_masked_factors_and_floats_are_rounded_as_the_bound_says():
    a, b = RNG.normal(size=(20, 30)) * 1e6, RNG.normal(size=(30, 10)) * 1e-7
    outcome = product(a, b, colluders=2)
    assert outcome.plan.scheme.guarantee.colluders == 2
    assert np.abs(outcome.value - a @ b).max() <= outcome.quantisation_error
    assert outcome.quantisation_error < 1e-8
    whole = RNG.integers(-9, 9, (6, 5))
    exact = product(whole, whole.T, colluders=1)
    assert (exact.value == whole @ whole.T).all()
    assert exact.quantisation_error is None


def test_single_precision_is_computed_in_double_and_rounded_once():
    a = (RNG.normal(size=(30, 4000)) + 1e3).astype(np.float32)
    b = RNG.normal(size=(4000, 2)).astype(np.float32)
    outcome = product(a, b, stragglers=2, scheme=None)
    right = a.astype(float) @ b.astype(float)
    assert outcome.value.dtype == np.float32
    assert np.abs(outcome.value - right).max() <= 1e-7 * np.abs(right).max()
    assert outcome.error_estimate is None or outcome.error_estimate > 1e-8


class Frame:
    """A table that numpy reads by `__array__` alone, as pandas' and torch's are."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return self.values


def test_whatever_numpy_reads_is_multiplied():
    torch = pytest.importorskip("torch")
    a, b = RNG.normal(size=(6, 5)), RNG.normal(size=(5, 3))
    for left in (
        a.tolist(),
        Frame(a),
        torch.tensor(a),
        scipy.sparse.csr_array(a),
        np.asfortranarray(a),
    ):
        np.testing.assert_allclose(product(left, b, stragglers=1).value, a @ b, rtol=1e-12)
    right = scipy.sparse.coo_matrix(b)
    np.testing.assert_allclose(product(a, right, stragglers=1).value, a @ b, rtol=1e-12)


@pytest.mark.parametrize(
    "odd",
    [
        None, "a", ["a"], [None], object(), np.array([[1, None]]), np.ones((0, 3)), 3,
        [[1], [1, 2]],
        [[np.nan, 1.0, 2.0]], [[np.inf, 1.0, 2.0]], np.array([[1 << 70, 1, 2]], dtype=object),
        np.ma.array([[1.0, 2.0, 3.0]], mask=[[0, 1, 0]]), np.array([["2020"] * 3], "M8[D]"),
        np.ones((2, 3), np.longdouble), np.ones((2, 4)), np.ones((2, 2, 2)),
    ],
)  # fmt: skip
def test_what_is_no_factor_is_refused_before_anything_is_sent(odd):
    heard = []
    with anyk.Inline(4) as executor, pytest.raises(anyk.InvalidArgument):
        anyk.matmul(odd, np.ones((3, 2)), executor, on_answer=heard.append)
    assert not heard


def test_limits_and_listeners_are_those_of_run():
    a = RNG.normal(size=(8, 4))
    heard = []
    with faults.Faulty(anyk.Inline(4), {0: faults.Crash(), 1: faults.Crash()}) as executor:
        outcome = anyk.matmul(
            a, a.T, executor, scheme=FEW, on_failure="return",
            on_answer=heard.append, progress=False,
        )  # fmt: skip
        assert not outcome.status.ok
        assert outcome.plan is not None
        assert heard
        with pytest.raises(anyk.NotEnoughAnswers) as caught:
            anyk.matmul(a, a.T, executor, scheme=FEW, progress=False)
    assert caught.value.outcome.plan is not None


def test_a_liar_is_named_whatever_the_numbers():
    for kind in (np.int64, np.float64, np.complex128):
        a, b = drawn((40, 30), kind), drawn((30, 20), kind)
        lie = faults.Corrupt(scale=50.0) if kind is np.float64 else faults.Collude(scale=50.0)
        with faults.Faulty(anyk.Inline(8), {0: lie}) as executor:
            outcome = anyk.matmul(a, b, executor, adversaries=1, stragglers=1, progress=False)
        assert outcome.suspects == (0,)
        np.testing.assert_allclose(outcome.value, a @ b, rtol=1e-9)


@pytest.mark.parametrize("pieces", [1, 2, 4])
@pytest.mark.parametrize("adversaries", [0, 1])
@pytest.mark.parametrize("stragglers", [0, 1, 3])
@pytest.mark.parametrize("kind", [np.int64, np.float64])
def test_what_is_chosen_survives_what_is_asked(stragglers, adversaries, pieces, kind):
    a, b = drawn((24, 24), kind), drawn((24, 24), kind)
    crashed = dict.fromkeys(range(stragglers), faults.Crash())
    with faults.Faulty(anyk.Inline(8), crashed) as executor:
        outcome = anyk.matmul(
            a, b, executor, stragglers=stragglers, adversaries=adversaries, pieces=pieces,
            progress=False,
        )  # fmt: skip
    promise = outcome.plan.scheme.guarantee
    assert promise.stragglers >= stragglers
    assert promise.adversaries >= adversaries
    assert promise.pieces == pieces
    np.testing.assert_allclose(outcome.value, a @ b, rtol=1e-9)


@pytest.mark.parametrize(
    ("size", "threat", "chosen"),
    [
        (Size(4000, 4000, 1), {"stragglers": 2}, "MDS"),
        (Size(4000, 1000, 4000), {"stragglers": 2}, "Polynomial"),
        (Size(4000, 4000, 4000), {"stragglers": 2}, "Entangled"),
        (Size(50, 100_000, 50), {"stragglers": 2}, "MatDot"),
        (Size(4000, 4000, 4000), {}, "Uncoded"),
    ],
)
def test_shapes_decide_which_scheme_is_cheapest(size, threat, chosen):
    wanted = Wanted(threat=anyk.Threat(workers=12, **threat), domain=anyk.Reals())
    plan = plan_product(size, wanted, CLUSTER)
    assert type(plan.scheme).__name__ == chosen


def test_a_plan_says_what_it_chose_and_why_not_the_others():
    outcome = product(RNG.normal(size=(300, 200)), RNG.normal(size=(200, 300)), stragglers=2)
    told = str(outcome.plan)
    assert "are enough" in told.splitlines()[0]
    assert "one core alone" in told.splitlines()[1]
    for name in ("Uncoded", "MDS", "Polynomial", "MatDot", "Entangled"):
        assert name in told
    assert f"plan      {told.splitlines()[0]}" in str(outcome)
    given = product([[1, 2]], [3, 4], scheme=anyk.Polynomial((1, 1, 1), 3)).plan
    assert "as it was given" in str(given)


def test_more_workers_than_rows_and_many_workers_are_no_trouble():
    a = RNG.normal(size=(3, 5))
    for workers in (1, 2, 40, 200):
        np.testing.assert_allclose(product(a, a.T, workers).value, a @ a.T, rtol=1e-12)


def test_neither_factor_is_written_in():
    a, b = RNG.normal(size=(6, 4)), RNG.normal(size=(4, 5))
    before = a.copy(), b.copy()
    product(a, b, stragglers=1).value[:] = 0
    assert (a == before[0]).all()
    assert (b == before[1]).all()


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e300])
def test_floats_of_any_size_are_hidden_and_come_back(scale):
    a, b = RNG.normal(size=(5, 4)) * scale, RNG.normal(size=(4, 3)) / scale
    outcome = product(a, b, colluders=1)
    assert np.abs(outcome.value - a @ b).max() <= outcome.quantisation_error < 1e-9
    with pytest.raises(anyk.InvalidArgument, match="holds"):
        product([[1e300]], [1e300], colluders=1)
    assert product([[1e-300]], [1e-300], colluders=1).value == 0.0
    outcome = product([[1e300, 0.0]], [[0.0], [1e300]], colluders=1)
    assert abs(outcome.value[0, 0]) <= outcome.quantisation_error


@pytest.mark.parametrize("kind", [bool, np.int64, np.float32, np.float64, np.complex128])
@pytest.mark.parametrize("named", [{}, {"stragglers": 2}, {"adversaries": 1}, {"colluders": 1}])
def test_zeros_are_multiplied_too(kind, named):
    a, b = np.zeros((5, 4), kind), np.zeros((4, 3), kind)
    if kind is np.complex128 and "colluders" in named:
        with pytest.raises(anyk.InvalidArgument, match="complex"):
            product(a, b, **named)
        return
    assert not product(a, b, **named).value.any()


def test_workers_in_quarantine_are_not_counted_on():
    with anyk.Inline(8) as executor:
        for worker in (1, 4):
            executor.quarantine.put(worker, "its memory fails")
        a = RNG.normal(size=(40, 30))
        outcome = anyk.matmul(a, a.T, executor, stragglers=1, progress=False)
    assert outcome.plan.scheme.guarantee.stragglers >= 3
    np.testing.assert_allclose(outcome.value, a @ a.T)


def test_products_are_computed_at_once_by_several_threads():
    a = RNG.normal(size=(40, 30))
    with anyk.Threads(6) as executor, concurrent.futures.ThreadPoolExecutor(4) as pool:
        waiting = [
            pool.submit(anyk.matmul, a, x, executor, stragglers=1, progress=False)
            for x in RNG.normal(size=(20, 30))
        ]
        values = [each.result().value for each in waiting]
    assert len(values) == 20
    assert all(value.shape == (40,) for value in values)


def test_on_a_simulated_executor_time_is_virtual():
    late = anyk.delays.Fixed({0: 100.0})
    with anyk.Simulated(6, delays=late, generator=np.random.default_rng(0)) as executor:
        outcome = anyk.matmul(np.eye(50), np.eye(50), executor, stragglers=1, progress=False)
    assert outcome.elapsed < 50.0
    assert np.allclose(outcome.value, np.eye(50))


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.complex64])
@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e-20])
def test_what_a_short_type_loses_is_in_the_estimates(kind, scale):
    if kind is np.float16 and scale < 1e-10:
        return
    a, b = (RNG.normal(size=shape) * scale for shape in ((9, 5), (5, 4)))
    a, b = a.astype(kind), b.astype(kind)
    wide = np.complex128 if kind is np.complex64 else np.float64
    truth = a.astype(wide) @ b.astype(wide)
    with anyk.Threads(4) as executor:
        scheme = anyk.MDS((2, 1, 1), 4, anyk.Complex())
        rounded = anyk.matmul(a, b, executor, scheme=scheme)
        off = np.linalg.norm(rounded.value - truth) / np.linalg.norm(truth)
        assert off <= 1.01 * rounded.error_estimate
        if kind is not np.complex64:
            hidden = anyk.matmul(a, b, executor, colluders=1)
            assert np.abs(hidden.value - truth).max() <= hidden.quantisation_error


def test_large_integers_times_zero_are_refused_in_words():
    a, zero = np.array([[2**63]], dtype=np.uint64), np.zeros((1, 1), dtype=np.uint64)
    with anyk.Threads(4) as executor, pytest.raises(anyk.Unachievable, match="may reach 2"):
        anyk.matmul(np.stack([a, a]), np.stack([zero, zero]), executor)


@pytest.mark.parametrize("bits", [10, 31])
def test_checked_residues_are_thought_of_and_name_liars(bits):
    a, b = np.array([[1 << bits, -3], [5, 1]]), np.array([[1 << (bits - 1), 2], [7, -1]])
    with faults.Faulty(anyk.Inline(8), {0: faults.Collude(scale=50.0)}) as executor:
        outcome = anyk.matmul(
            a, b, executor, stragglers=1, adversaries=1, verified=True, progress=False
        )
    assert (outcome.value == a.astype(object) @ b.astype(object)).all()
    assert "Residues (1, 1, 1), checked" in str(outcome.plan)
    if bits > 30:
        assert outcome.suspects == (0,)


def plans(kind):
    """Plans for many threats, with what was asked."""
    a, b = drawn((8, 6), kind), drawn((6, 8), kind)
    for late, liars, pieces in itertools.product(range(6), range(2), (1, 2)):
        asked = {"stragglers": late, "adversaries": liars, "pieces": pieces}
        with contextlib.suppress(anyk.Unachievable):
            yield late, product(a, b, 6, **asked).plan


@pytest.mark.parametrize("kind", [np.int64, np.float64])
def test_no_scheme_is_said_to_survive_less_than_it_does(kind):
    said = 0
    for late, plan in plans(kind):
        for _, why in plan.others:
            if found := re.search(r"S <= (\d+), that is (\d+)", why):
                spare, asked = map(int, found.groups())
                assert asked == late > spare, why
                said += 1
    assert said > 3


def test_reasons_are_the_inequality_that_fails():
    a = drawn((8, 6), np.float64)
    told = dict(product(a, a.T, 6, stragglers=2).plan.others)
    assert told["Entangled"].endswith("S <= 1, that is 2 <= 1, even cut as (2, 2, 1)")
    assert "too few rows" in dict(product(a[:1], a[0], 6).plan.others)["Entangled"]
    told = dict(product(a, a.T, 6, adversaries=1, verified=True).plan.others)
    assert "compares copies" in told["Uncoded"]
    stacks = np.ones((2, 3, 3), dtype=int)
    assert "stack" in dict(product(stacks, stacks, 6).plan.others)["Residues"]
    with pytest.raises(anyk.Unachievable, match=r"3 <= 1. Take 3 workers, or lower the entries."):
        product([[1 << 31]], [[1 << 30]], 1)


def test_times_in_a_plan_are_as_people_write_them():
    told = [str(plan_product(Size(side, side, side), WANTED, CLUSTER)) for side in (10, 900, 4000)]
    assert not re.search(r"\de[+-]?\d", " ".join(told))
    assert re.search(r"about [\d.]+ s:", told[-1])


@pytest.mark.parametrize("kind", [bool, np.int64, np.float16, np.float32, np.float64])
@pytest.mark.parametrize("named", [{}, {"adversaries": 1}], ids=str)
def test_real_factors_on_a_complex_scheme_warn_of_nothing(kind, named):
    a, b = drawn((9, 5), kind), drawn((5, 4), kind)
    truth = a.astype(float) @ b.astype(float)
    scheme = anyk.MDS((2, 1, 1), 6, anyk.Complex(), **named)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = product(a, b, 6, scheme=scheme)
    assert outcome.value.dtype.kind == "f"
    off = np.linalg.norm(outcome.value - truth) / np.linalg.norm(truth)
    assert off <= 1.01 * outcome.error_estimate < 1e-2


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "dia", "lil"])
@pytest.mark.parametrize("kind", [bool, np.int64, np.float32, np.float64])
def test_a_sparse_factor_stays_sparse_with_a_scheme_for_it(form, kind, monkeypatch):
    a = scipy.sparse.eye_array(9, 7, format=form, dtype=kind)
    dense = a.toarray()

    def filled(*_, **__):
        message = "it was filled with zeros"
        raise AssertionError(message)

    monkeypatch.setattr(type(a), "toarray", filled)
    for b in (np.ones(7), drawn((7, 3), kind), RNG.normal(size=(2, 7, 3))):
        np.testing.assert_allclose(
            product(a, b, 6, scheme=THIN).value, np.matmul(dense, b), atol=1e-6
        )


def test_a_sparse_factor_that_has_no_room_when_filled_is_multiplied_with_a_scheme_for_it():
    a = scipy.sparse.random_array((1 << 17, 1 << 16), density=1e-6, rng=1)
    x = RNG.normal(size=1 << 16)
    np.testing.assert_allclose(product(a, x, 6, scheme=THIN).value, a @ x, atol=1e-9)
    assert not product(a * 0.0, x, 6, scheme=THIN).value.any()
    with pytest.raises(anyk.InvalidArgument, match=r"scheme=anyk.Sparse.*anyk.distribute"):
        product(a, x, 6)


def test_data_on_workers_are_no_factors_and_no_operands():
    a, x = RNG.normal(size=(6, 5)), np.ones(5)
    with anyk.Inline(6) as executor, anyk.distribute(FEW_OF_ONE, a, executor) as data:
        for odd in ((data, x), (a, data)):
            with pytest.raises(anyk.InvalidArgument, match=r"\.matmul\(b\)"):
                anyk.matmul(*odd, executor)
        for multiply in (lambda: data @ x, lambda: x @ data, lambda: np.matmul(data, x)):
            with pytest.raises(TypeError, match="Distributed"):
                multiply()


@pytest.mark.parametrize("scale", [1.0, 1e6, 1e-9])
def test_a_scheme_for_a_matrix_and_its_transpose_takes_both_factors(scale):
    scheme = anyk.FoldedGram((2, 1, 2), 7)
    whole = RNG.integers(-90, 90, (5, 400))
    exact = product(whole, whole.T, 7, scheme=scheme)
    assert exact.value.dtype == np.int64
    assert (exact.value == whole @ whole.T).all()
    for a in (RNG.normal(size=(5, 400)) * scale, np.full((3, 400), -scale)):
        outcome = product(a, a.T, 7, scheme=scheme)
        assert np.abs(outcome.value - a @ a.T).max() <= outcome.quantisation_error
        assert outcome.quantisation_error < 1e-8 * np.abs(outcome.value).max()
    for other in (whole.T + 1, whole[:3].T):
        with pytest.raises(anyk.InvalidArgument, match=r"Pass a\.T"):
            product(whole, other, 7, scheme=scheme)


def test_what_makes_the_room_of_integers_small_is_said():
    large = [[1 << 28]]
    for named, where in (
        ({"colluders": 1}, r"at most 2\^53 with colluders"),
        ({"scheme": anyk.Polynomial((1, 1, 1), 6)}, r"at most 2\^53 with Polynomial"),
    ):
        with pytest.raises(anyk.Unachievable, match=where):
            product(large, large, 6, **named)
    with pytest.raises(anyk.Unachievable, match=r"at most 2\^53 in stacks"):
        product([large, large], [large, large], 6)
