"""Memory that products keep for the next one: never in two hands, never more than is said."""

import threading
import tracemalloc

import numpy as np
import pytest

from anyk.domains.kernel import modular_stack, workspace
from anyk.domains.kernel.product import modular_matmul, write_product
from anyk.domains.kernel.workspace import borrowed

LARGEST = 2**31 - 1


@pytest.fixture(autouse=True)
def none_is_kept(monkeypatch):
    monkeypatch.setattr(workspace, "_free", [])


def test_a_workspace_comes_back_with_memory_for_what_was_asked_of_it():
    first = borrowed()
    first.array((1000, 10))
    first.give_back()
    again = borrowed()
    assert again is first
    arrays = [again.array((3, 5)), again.array((7,), np.uint32), again.array((999, 9))]
    assert len({id(each.base) for each in arrays}) == 1
    assert all(each.ctypes.data % 64 == 0 for each in arrays)
    for value, each in enumerate(arrays):
        each[...] = value
    assert all((each == value).all() for value, each in enumerate(arrays))  # none upon another
    beyond = again.array((10_000,))
    assert beyond.base is None


def test_one_in_use_is_nobody_elses():
    outer = borrowed()
    inner = borrowed()
    assert outer is not inner
    inner.give_back()
    outer.give_back()
    assert borrowed() is outer  # the last one given back, which is in cache
    seen = []
    thread = threading.Thread(target=lambda: seen.append(borrowed()))
    thread.start()
    thread.join()
    assert seen == [inner]
    assert borrowed() not in (outer, inner)


def test_kept_are_few_and_none_is_large():
    many = [borrowed() for _ in range(10)]
    for each in many:
        each.array((1 << 20,))  # 8 MB
        each.give_back()
    assert len(workspace._free) == workspace._KEPT
    assert all(each._memory.nbytes <= workspace._MOST + 64 for each in workspace._free)


def test_what_was_broken_off_is_kept_by_nobody(monkeypatch):
    small, big = np.full((6, 3), 5), np.full((3, 2000), LARGEST - 1)
    right = modular_matmul(small, big, LARGEST)

    def broken(*_, **__):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("anyk.domains.kernel.wide.reduce_into", broken)
        with pytest.raises(MemoryError):
            modular_matmul(small, big, LARGEST)
    assert workspace._free == []
    assert np.array_equal(modular_matmul(small, big, LARGEST), right)


@pytest.mark.parametrize("modulus", [LARGEST, 2**24 - 3, 2**25 - 39])
@pytest.mark.parametrize("shape", [(12, 4, 10_000), (12, 300, 3000), (3, 40, 9000)])
def test_the_second_product_takes_no_memory(modulus, shape):
    rows, inner, columns = shape
    random = np.random.default_rng(1)
    small, big = random.integers(0, modulus, (rows, inner)), random.integers(0, modulus, shape[1:])
    out = np.empty((rows, columns), np.uint32)
    write_product(small, big, modulus, out)
    tracemalloc.start()
    try:
        write_product(small, big, modulus, out)
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert taken < 2**17 + 3 * 16 * small.size


def test_no_product_is_memory_of_a_workspace():
    """What a caller holds is not written over by the next product."""
    random = np.random.default_rng(2)
    for shape in [(2, 3, 4), (12, 4, 3000), (2, 40, 100), (100, 40, 2)]:
        small = random.integers(0, LARGEST, shape[:2])
        big = random.integers(0, LARGEST, shape[1:])
        held = modular_matmul(small, big, LARGEST), modular_stack(small[None], big[None], LARGEST)
        kept = [each.copy() for each in held]
        modular_matmul(np.ones_like(small), np.ones_like(big), LARGEST)
        modular_stack(np.ones_like(small)[None], np.ones_like(big)[None], LARGEST)
        assert all(np.array_equal(*pair) for pair in zip(held, kept, strict=True))
