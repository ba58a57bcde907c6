"""The compiled loops beside Python's integers and numpy's forms; and where they do not compute."""

import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anyk
from anyk.domains import compiled
from anyk.domains.compiled import calls, compiling, loops
from anyk.domains.kernel import modular_matmul, tiny

numba = pytest.importorskip("numba")

LARGEST = 2**31 - 1
TYPES = [np.uint8, np.uint16, np.uint32, np.int64]
# by the type that holds them; one sum of 1024 products up to 2**27, two sums from there
MODULI = [2, 3, 251, 257, 65521, 65537, 2**24 - 3, 2**25 - 39, 2**27 - 39, 2**27 + 29, LARGEST]
BLOCK = loops.BLOCK


SHARED = compiling.Loops("1")


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Compiled at once, and however few the numbers; once for all tests."""
    monkeypatch.setattr(calls, "_LEAST", 1)
    monkeypatch.setattr(calls, "_MANY", 1)
    monkeypatch.setattr(tiny, "_TINY", 0)
    monkeypatch.setattr(calls, "LOOPS", SHARED)
    assert not compiled.load()


def by_numpy(small, big, modulus):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calls, "LOOPS", compiling.Loops("0"))
        return modular_matmul(small, big, modulus)


def exact(small, big, modulus):
    return (small.astype(object) @ big.astype(object) % modulus).astype(np.int64)


def fitting(modulus):
    return [each for each in TYPES if modulus - 1 <= np.iinfo(each).max]


@settings(max_examples=150, deadline=None)
@given(
    modulus=st.sampled_from(MODULI),
    shape=st.tuples(
        st.integers(1, 4), st.sampled_from([1, 2, 3, 4, 5, 17, 66, 300]), st.integers(1, 70)
    ),
    kind=st.tuples(*[st.integers(0, 3)] * 3),
    layout=st.sampled_from(["rows", "columns", "part", "part of columns", "repeated", "read-only"]),
    drawing=st.tuples(st.integers(0, 2**32), st.floats(0, 1)),
)
def test_products_are_those_of_pythons_integers(modulus, shape, kind, layout, drawing):
    (rows, inner, columns), (seed, ends), types = shape, drawing, fitting(modulus)
    random = np.random.default_rng(seed)

    def drawn(shape, kind):
        some = random.choice([0, 1 % modulus, modulus // 2, modulus - 1], shape)
        values = np.where(random.random(shape) < ends, some, random.integers(0, modulus, shape))
        return values.astype(types[kind % len(types)])

    small, big = drawn((rows, inner), kind[0]), drawn((inner, columns), kind[1])
    dtype = types[kind[2] % len(types)]
    if layout == "columns":
        big = np.asfortranarray(big)
    elif layout.startswith("part"):
        whole = drawn((inner + 2, columns + 3), kind[1])
        whole = np.asfortranarray(whole) if layout.endswith("columns") else whole
        whole[1:-1, 2:-1] = big
        big = whole[1:-1, 2:-1]
    elif layout == "repeated":
        big = np.broadcast_to(big[:1], big.shape)
    elif layout == "read-only":
        small.flags.writeable = big.flags.writeable = False
    product = compiled.product(small, big, modulus, dtype)
    assert product.dtype == dtype
    assert product.flags.writeable
    assert np.array_equal(product, exact(small, big, modulus))
    assert np.array_equal(product, by_numpy(small, big, modulus))
    turned = modular_matmul(big.T, small.T, modulus)  # few columns, and as the kernel calls them
    assert np.array_equal(turned, product.T)


@pytest.mark.parametrize("modulus", MODULI)
@pytest.mark.parametrize("rows", [1, 3])
def test_sums_of_the_largest_terms_are_exact(modulus, rows):
    """At the ends of a block, of a sum's depth, and of the columns at a time."""
    depth = int(calls._prime(modulus)[2])
    for inner in {BLOCK - 1, BLOCK, BLOCK + 1, 4 * BLOCK + 3, *(depth + off for off in (-1, 0, 5))}:
        if not 1 <= inner <= 10**5:
            continue
        small = np.full((rows, inner), modulus - 1, np.uint32)
        big = np.full((inner, 3), modulus - 1, np.uint32)
        small[0, 0], big[0, 1] = 1 % modulus, modulus // 2
        right = exact(small, big, modulus)
        for each in (big, np.asfortranarray(big), big.astype(np.int64)):
            assert np.array_equal(compiled.product(small, each, modulus), right)
    wide = loops._WIDE + 1
    small = np.full((rows, 9), modulus - 1, np.uint32)
    big = np.random.default_rng(1).integers(0, modulus, (9, wide)).astype(np.uint32)
    assert np.array_equal(compiled.product(small, big, modulus), exact(small, big, modulus))


def test_a_million_products_are_those_of_the_kernel():
    random = np.random.default_rng(2)
    for modulus in (LARGEST, 2**25 - 39):
        small, big = (random.integers(0, modulus, shape) for shape in ((4, 1000), (1000, 257)))
        for each in (big, np.asfortranarray(big)):
            product = compiled.product(small, each.astype(np.uint32), modulus)
            assert np.array_equal(product, by_numpy(small, big, modulus))


@pytest.mark.parametrize("name", ["along", "across"])
def test_beyond_the_depth_one_sum_is_wrong(name, monkeypatch):
    """The bound is no caution: with two sums' prime, one sum overflows."""
    small, big = np.full((1, BLOCK), LARGEST - 1), np.full((BLOCK, 8), LARGEST - 1)
    big = big if name == "across" else np.asfortranarray(big)
    right = exact(small, big, LARGEST)
    assert np.array_equal(compiled.product(small, big, LARGEST), right)
    word, inverse, _, *others = calls._prime(LARGEST)
    monkeypatch.setattr(calls, "_prime", lambda _: (word, inverse, np.uint64(BLOCK), *others))
    assert not np.array_equal(compiled.product(small, big, LARGEST), right)


@pytest.mark.parametrize("modulus", [*MODULI, 4, 2**30, 2**30 + 3])
def test_numbers_below_2_to_the_64_are_reduced(modulus):
    prime = calls._prime(modulus)
    random = np.random.default_rng(3)
    near = [
        quotient * modulus + off
        for quotient in (0, 1, 2, modulus, 2**32, (2**64 - 1) // modulus)
        for off in (-1, 0, 1)
    ]
    numbers = [each for each in (*near, 2**64 - 1, 2**63, 2**62) if 0 <= each < 2**64]
    numbers += [int(each) for each in random.integers(0, 2**64, 1000, dtype=np.uint64)]
    reduced = loops.reduced(np.array(numbers, np.uint64), prime)
    assert reduced.tolist() == [each % modulus for each in numbers]
    below = 4 ** modulus.bit_length()
    products = [each for each in numbers if each < below] + [each % below for each in numbers]
    products += [below - 1, below - 2, (modulus - 1) ** 2]
    lowered = loops.lowered(np.array(products, np.uint64), prime)
    assert lowered.tolist() == [each % modulus for each in products]


def test_bounds_of_the_sums():
    for modulus in MODULI:
        depth = int(calls._prime(modulus)[2])
        assert modulus - 1 + depth * (modulus - 1) ** 2 < 2**64
        assert depth == calls._LONGEST or (depth + 1) * (modulus - 1) ** 2 >= 2**64 - modulus
    assert 4 * (LARGEST - 1) ** 2 < 2**64
    assert calls._LONGEST * (2**32 - 1) < 2**64
    assert (LARGEST - 1) * (LARGEST + 1) + LARGEST - 1 < 2**64


@pytest.mark.parametrize("modulus", [2, 251, 65521, LARGEST])
def test_stacks_are_those_of_pythons_integers(modulus):
    random = np.random.default_rng(4)
    for shape in ((3, 1, 1, 1), (1, 2, 3, 4), (50, 8, 8, 8), (7, 1, 40, 2), (2, 33, 5, 17)):
        pairs, rows, inner, columns = shape
        left = random.integers(0, modulus, (pairs, rows, inner))
        right = random.integers(0, modulus, (pairs, inner, columns))
        left[0], right[0] = modulus - 1, modulus - 1
        for one in fitting(modulus):
            product = compiled.stack(left.astype(one), right, modulus, one)
            assert product.dtype == one
            assert np.array_equal(product, exact(left, right, modulus))
            turned = right.astype(one).swapaxes(1, 2)
            product = compiled.stack(left.astype(one), turned.copy().swapaxes(1, 2), modulus)
            assert np.array_equal(product, exact(left, right, modulus))


@pytest.mark.parametrize("modulus", MODULI)
def test_elements_are_those_of_pythons_integers(modulus):
    random = np.random.default_rng(5)
    left, right = random.integers(0, modulus, (2, 11, 120))
    left[0], right[:2] = modulus - 1, modulus - 1
    one, other = left.astype(object), right.astype(object)
    types = fitting(modulus)[-2:]
    for kind in types:
        own = left.astype(kind)
        for each in (own, own.T, own[::-1, ::2]):
            right_own = np.array([[modulus - 1]]).astype(types[0])
            product = compiled.times(each, right_own, modulus)
            assert np.array_equal(product, each.astype(object) * (modulus - 1) % modulus)
            assert np.array_equal(compiled.times(right_own, each, modulus), product)
            for exponent in (0, 1, 2, 5, 1000):
                powers = compiled.power(each, exponent, modulus)
                assert powers.dtype == np.int64
                assert np.array_equal(powers, each.astype(object) ** exponent % modulus)
        product = compiled.times(own, right, modulus)
        assert product.dtype == np.int64
        assert product.flags.writeable
        assert np.array_equal(product, one * other % modulus)


@pytest.mark.parametrize("modulus", [2, 251, 65521, LARGEST])
def test_arrays_of_field_elements_are_the_same_with_the_loops_and_without(modulus, monkeypatch):
    field = anyk.PrimeField(modulus)
    random = np.random.default_rng(7)
    drawn = [random.integers(0, modulus, shape) for shape in ((12, 30), (12, 30), (30,), (1, 1, 1))]
    memory = [field.at_rest(each) for each in drawn]

    def every():
        x, y, row, one = (field.present(each) for each in memory)
        kept = field.constant(drawn[0])
        units = np.where(kept == 0, 1, kept)
        return [
            *(each.values for each in (x * y, x.T * y.T, x * row, x * one, one * row, row * one)),
            *(each.values for each in (x + y, x - 5, -x, x[::2, ::3] * y[::2, ::3], x**3, x**0)),
            *(each.values for each in (x * 3, x[0, 0] * y[1, 1], x * x[0, 0], (x * y).sum(axis=0))),
            field.inverse(units),
            field.power(units.T, -2),
        ]

    quick = every()
    monkeypatch.setattr(calls, "LOOPS", compiling.Loops("0"))
    for one, other in zip(quick, every(), strict=True):
        assert one.dtype == other.dtype == np.int64
        assert one.shape == other.shape
        assert np.array_equal(one, other)
    assert np.array_equal(quick[0], drawn[0].astype(object) * drawn[1] % modulus)


def test_what_the_loops_do_not_take():
    row, big = np.ones((1, 6), np.int64), np.ones((6, 8), np.uint32)
    assert compiled.product(row, big, 101) is not None
    assert compiled.product(np.ones((5, 6), np.int64), big, 101) is None
    assert compiled.product(np.ones((0, 6), np.int64), big, 101) is None
    assert compiled.product(row[:, :0], big[:0], 101) is None
    unaligned = np.frombuffer(b"\1" + bytes(6 * 8 * 4), np.uint8)[1:].view(np.uint32).reshape(6, 8)
    for other in (big[::-1], np.repeat(big, 2, 1)[:, ::2], big.astype(">u4"), big.astype(float),
                  unaligned):  # fmt: skip
        assert compiled.product(row, other, 101) is None
    assert compiled.stack(np.ones((2, 2, 2)), np.ones((2, 2, 2)), 101) is None
    assert compiled.stack(np.ones((2, 2, 0), int), np.ones((2, 0, 2), int), 101) is None
    assert compiled.times(big, big[:1], 101) is None
    assert compiled.times(big, big[:1, :1, None], 101) is None
    assert compiled.times(big[:1], big, 101) is None
    assert compiled.times(big, big.astype(float), 101) is None
    assert compiled.times(big[:0], big[:0], 101) is None
    assert compiled.power(big, 2**32, 101) is None
    assert compiled.power(big.astype(object), 2, 101) is None


def test_small_products_are_left_to_numpy(monkeypatch):
    monkeypatch.setattr(calls, "_LEAST", 100)
    monkeypatch.setattr(calls, "_MANY", 100)
    assert compiled.power(np.arange(99), 2, 101) is None
    assert compiled.power(np.arange(100), 2, 101) is not None
    assert compiled.product(np.ones((1, 9), np.int64), np.ones((9, 11), np.int64), 101) is None
    assert (
        compiled.product(np.ones((1, 10), np.int64), np.ones((10, 10), np.int64), 101) is not None
    )


ROW, BIG = np.full((1, 50), 100), np.full((50, 20), 100)


@pytest.fixture
def fresh(monkeypatch):
    def make(switch="1"):
        made = compiling.Loops(switch)
        monkeypatch.setattr(calls, "LOOPS", made)
        return made

    return make


def test_the_switch_turns_them_off(fresh):
    made = fresh("0")
    assert compiled.product(ROW, BIG, 101) is None
    assert compiled.load() == made.reason == "ANYK_FAST=0"


def test_numba_is_imported_after_as_many_multiplications_as_it_is_worth(fresh, monkeypatch):
    monkeypatch.setattr(compiling, "_PATIENCE", 3 * BIG.size)
    made = fresh("")
    assert [compiled.product(ROW, BIG, 101) is None for _ in range(4)] == [True, True, False, False]
    assert not made.closed


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("find_spec", lambda _: None, "numba is not installed"),
        ("import_module", lambda _: SimpleNamespace(__version__="0.60.1"), "0.60.1 is too old"),
        ("import_module", lambda _: 1 / 0, "ZeroDivisionError"),
        ("_compiled", lambda *_: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_without_numba_or_where_it_is_broken_products_are_the_same(
    name, value, reason, fresh, monkeypatch
):
    monkeypatch.setattr(compiling, name, value)
    made = fresh()
    assert compiled.product(ROW, BIG, 101) is None
    assert made.closed
    assert reason in made.reason
    assert reason in compiled.load()
    assert np.array_equal(modular_matmul(ROW, BIG, 101), exact(ROW, BIG, 101))


def test_where_numba_does_not_compile_it_is_left_alone(fresh, monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    fresh()
    assert compiled.product(ROW, BIG, 101) is None
    assert "NUMBA_DISABLE_JIT" in compiled.load()


def test_while_one_thread_compiles_the_others_take_numpys_form(fresh, monkeypatch):
    begun, go_on, made = threading.Event(), threading.Event(), []
    compile_it = compiling._compiled

    def slowly(*arguments):
        begun.set()
        assert go_on.wait(60)
        return compile_it(*arguments)

    monkeypatch.setattr(compiling, "_compiled", slowly)
    fresh()
    thread = threading.Thread(target=lambda: made.append(compiled.product(ROW, BIG, 101)))
    thread.start()
    assert begun.wait(60)
    assert compiled.product(ROW, BIG, 101) is None
    go_on.set()
    thread.join()
    assert np.array_equal(made[0], exact(ROW, BIG, 101))
    assert np.array_equal(compiled.product(ROW, BIG, 101), made[0])


def test_a_child_forked_while_another_thread_compiled_does_not_wait_for_it(fresh):
    made = fresh()
    made.forked()
    assert not made.closed
    assert made._lock.acquire(timeout=1)
    made.forked()
    assert made.closed
    assert made._lock.acquire(timeout=1)


def test_they_work_after_a_fork_and_are_not_imported_with_anyk():
    code = """
import os, sys
import numpy as np
import anyk
from anyk.domains.compiled.compiling import LOOPS
from anyk.domains.kernel import modular_matmul
assert "numba" not in sys.modules
row, big = np.ones((1, 100), np.uint8), np.full((100, 100), 2, np.uint8)
assert (modular_matmul(row, big, 101) == 200 % 101).all()
assert LOOPS._made
child = os.fork()
if not child:
    fine = (modular_matmul(row, big, 101) == 200 % 101).all()
    fine = fine and (modular_matmul(row, big.astype(np.int64), 101) == 200 % 101).all()
    os._exit(0 if fine and len(LOOPS._made) == 2 else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
    environment = os.environ | {"ANYK_FAST": "1"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=120)


@pytest.mark.parametrize("modulus", [65521, LARGEST])
@pytest.mark.parametrize(
    ("columns", "name"), [(1, "along"), (3, "along"), (15, "along"), (16, "across")]
)
@pytest.mark.parametrize("rows", [1, 4])
def test_a_matrix_of_few_columns_is_multiplied_column_by_column(modulus, columns, name, rows):
    """Loops over so few columns take longer by far than a copy of them."""
    random, taken = np.random.default_rng(columns), []
    small, big = (
        random.integers(0, modulus, (rows, 3000)),
        random.integers(0, modulus, (3000, columns)),
    )

    class Told:
        closed = False

        def loop(self, work, name, *types):
            taken.append(name.removesuffix("_split"))
            return SHARED.loop(work, name, *types)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "LOOPS", Told())
        made = compiled.product(small, big, modulus)
    assert taken == [name]
    assert np.array_equal(made, exact(small, big, modulus))


def cached(directory, monkeypatch):
    """What a loop leaves in a cache there, and whether it computes."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(directory))
    loop = compiling._compiled(compiling._imported(), "powers", np.dtype(np.int64))
    values, out = np.array([100, 3]), np.empty(2, np.uint64)
    loop(calls._fixed(values, values.dtype), 3, calls._prime(101), out)
    assert out.tolist() == [100, 27]
    return sorted(directory.rglob("*.nb*"))


def test_code_is_cached_where_no_one_else_may_write(tmp_path, monkeypatch):
    own, shared = tmp_path / "own", tmp_path / "shared"
    own.mkdir(mode=0o700)
    shared.mkdir()
    shared.chmod(0o777)
    files = cached(own, monkeypatch)
    assert files
    assert not cached(shared, monkeypatch)
    files[0].write_bytes(b"damaged")
    files[-1].write_bytes(b"damaged")
    assert cached(own, monkeypatch)


def test_a_directory_is_ours_alone_if_all_above_it_is(tmp_path, monkeypatch):
    below = tmp_path / "above" / "below"
    below.mkdir(parents=True)
    for mode, fine in ((0o755, True), (0o775, False), (0o757, False), (0o1777, False)):
        below.chmod(mode)
        assert compiling._ours_alone(below) is fine
    below.chmod(0o700)
    for mode, fine in ((0o777, False), (0o1777, True), (0o700, True)):
        below.parent.chmod(mode)
        assert compiling._ours_alone(below) is fine
    elsewhere = tmp_path / "link"
    elsewhere.symlink_to(below)
    assert compiling._ours_alone(elsewhere)
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    led = open_to_all / "link"  # to what is ours, until somebody leads it elsewhere
    led.symlink_to(below)
    twice = tmp_path / "twice"
    twice.symlink_to(led)
    for mode, fine in ((0o777, False), (0o700, True)):
        open_to_all.chmod(mode)
        assert compiling._ours_alone(led) is fine
        assert compiling._ours_alone(twice) is fine
    if not os.geteuid():
        os.chown(led, 12345, -1, follow_symlinks=False)
        assert not compiling._ours_alone(twice)
    led.unlink()
    led.symlink_to(twice)
    with pytest.raises(OSError, match="link"):
        compiling._ours_alone(twice)
    owner = below.stat().st_uid
    if owner:
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    else:
        os.chown(below, 12345, -1)
    assert not compiling._ours_alone(below)
