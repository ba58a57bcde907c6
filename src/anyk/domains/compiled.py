"""Compiled loops for products that are bound by memory, where numba is installed.

Each function gives what the forms in numpy give, bit for bit, or None where it does not compute:
then the caller takes those. `compiled_loops` says why they are exact.

**When.** numba is imported when the products that it would have made in this process are as many
as its import is worth, never by `import anyk`; each loop is compiled when it is first needed (0.5
to 1 s), and loaded from numba's cache in later processes (0.01 s, after 0.5 s for numba itself).
While one thread compiles, the others take numpy's forms. The environment variable `ANYK_FAST`,
read when anyk is imported, says otherwise: 0 never, 1 from the first product on.

**Where from.** What numba caches is machine code, and whoever can write it runs as us. It is used
where the directory that numba chose (`NUMBA_CACHE_DIR`, beside the module, or in the user's cache)
and all above it belong to us or to root and none else may write there; elsewhere each process
compiles for itself. A process that was forked while another thread compiled takes numpy's forms.
"""

from __future__ import annotations

import os
import stat
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.domains import compiled_loops

__all__ = ["load", "product", "stack"]

_SWITCH = "ANYK_FAST"
_OLDEST = (0, 61)  # the first for numpy 2.1
_PATIENCE = 1 << 24  # multiplications: where they cost 2 ns more than compiled, what a start costs
_LEAST = 1 << 12  # of them in one call, below which it costs more than it gains
_FEW = 4  # rows of the small operand
_LONGEST = 1 << 32  # terms of a sum
_TYPES = tuple(np.dtype(each) for each in (np.int64, np.uint32, np.uint16, np.uint8))
_UINT32 = np.dtype(np.uint32)
_CALLED = ("reduced", "settled", "joined", "four")  # by the loops


@final
class _Loops:
    """What this process has compiled, and whether it does."""

    def __init__(self, switch: str) -> None:
        self.closed = switch == "0"
        self.patience = 0 if switch == "1" else _PATIENCE
        self.reason = f"{_SWITCH}=0" if self.closed else ""
        self._lock = Lock()
        self._numba: Any = None
        self._made: dict[tuple[str, np.dtype[Any]], Any] = {}

    def loop(self, name: str, dtype: np.dtype[Any], work: int) -> Any:
        """A loop on memory of this type, for a call of so many multiplications; None if not."""
        if self.closed or work < _LEAST:
            return None
        made = self._made.get((name, dtype))
        if made is not None:
            return made
        if self.patience > work:
            self.patience -= work
            return None
        self.patience = 0
        return self._make(name, dtype)

    def _make(self, name: str, dtype: np.dtype[Any]) -> Any:
        if not self._lock.acquire(blocking=False):
            return None  # another thread compiles
        try:
            if self._numba is None:
                self._numba = _imported()
            made = self._made[name, dtype] = _compiled(self._numba, name, dtype)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with numba, numpy is not
            self.close(f"{type(error).__name__}: {error}")
            return None
        finally:
            self._lock.release()
        return made

    def close(self, reason: str) -> None:
        """Compute no more."""
        self.closed, self.reason = True, reason
        self._made = {}

    def forked(self) -> None:
        """In a child: a lock that another thread of the parent held is never released."""
        if self._lock.locked():
            self._lock = Lock()
            self.close("forked while another thread compiled")


def _imported() -> Any:
    """Import numba, and have it know what the loops call.

    Raises:
        ImportError: if it is missing, too old, or set not to compile.
    """
    if find_spec("numba") is None:
        raise ImportError("numba is not installed")
    numba = import_module("numba")
    version = tuple(int(part) for part in numba.__version__.split(".")[:2])
    if version < _OLDEST:
        raise ImportError(f"numba {numba.__version__} is too old")
    if numba.config.DISABLE_JIT:
        raise ImportError("NUMBA_DISABLE_JIT is set")
    for name in _CALLED:
        import_module("numba.extending").register_jitable(getattr(compiled_loops, name))
    return numba


def _compiled(numba: Any, name: str, dtype: np.dtype[Any]) -> Any:
    """Compile one loop for one type, or load it from the cache."""
    types = numba.types
    word, number = types.uint64, numba.from_dtype(dtype)
    prime = types.UniTuple(word, 3)
    if name == "stacks":
        matrices = types.Array(number, 3, "C", readonly=True)
        signature = types.void(matrices, matrices, prime, types.Array(word, 1, "C"))
    else:
        memory = types.Array(number, 1, "C", readonly=True)
        factors = types.Array(types.uint32, 2, "C", readonly=True)
        signature = types.void(memory, types.int64, factors, prime, types.Array(word, 2, "C"))
    function = getattr(compiled_loops, name)
    try:
        loop = numba.njit(nogil=True, cache=True)(function)
        if _ours_alone(Path(loop.stats.cache_path)):
            loop.compile(signature)
            return loop
    except Exception:  # noqa: BLE001, S110 - no directory, a full disk, a damaged file
        pass
    loop = numba.njit(nogil=True)(function)
    loop.compile(signature)
    return loop


def _ours_alone(directory: Path) -> bool:
    """Whether nobody else, but for root, can write in a directory or put another in its place."""
    within = directory.resolve()
    for each in (within, *within.parents):
        status = each.stat()
        shared = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if shared and (each == within or not status.st_mode & stat.S_ISVTX):
            return False
        if status.st_uid not in {0, os.geteuid()}:
            return False
    return True


_LOOPS = _Loops(os.environ.get(_SWITCH, ""))
os.register_at_fork(after_in_child=_LOOPS.forked)


def load() -> str:
    """From now on in this process, compile at once what is needed.

    Returns:
        Why it can't: that numba is missing, say; "" where it can.

    Example:
        >>> from anyk.domains import compiled
        >>> reason = compiled.load()
    """
    if not _LOOPS.closed:
        _LOOPS.patience = 0
        _LOOPS.loop("across", _UINT32, _LEAST)
    return _LOOPS.reason


def product(
    small: NDArray[Any], big: NDArray[Any], modulus: int, dtype: Any = np.int64
) -> NDArray[Any] | None:
    """Exact product of a few rows and a matrix of residues.

    Args:
        small: (rows, inner) of residues in [0, p); int64, uint32, uint16 or uint8.
        big: (inner, columns) of such; one of its axes lies in memory number by number.
        modulus: p < 2**31.
        dtype: of the product.

    Returns:
        ndarray (rows, columns) of residues; None where the form in numpy is to be taken: of more
        than four rows, of few numbers, or where nothing is compiled.

    Example:
        >>> from anyk.domains import compiled
        >>> big = np.ones((2000, 1000), dtype=np.uint32)
        >>> out = compiled.product(np.full((1, 2000), 2), big, 101)
        >>> out is None or out[0, :3].tolist() == [61, 61, 61]
        True
    """
    (rows, inner), columns = small.shape, big.shape[1]
    if _LOOPS.closed or rows > _FEW or not rows * inner * columns or inner >= _LONGEST:
        return None
    prime = _prime(modulus)
    name = "" if prime[2] >= compiled_loops.BLOCK else "_split"
    if _in_a_row(big):
        name, memory = "across" + name, big
    elif _in_a_row(big.T):
        name, memory = "along" + name, big.T
    else:
        return None
    loop = _LOOPS.loop(name, big.dtype, rows * inner * columns)
    if loop is None:
        return None
    step = memory.strides[0] // big.itemsize if len(memory) > 1 else 0
    out = np.empty((rows + rows * name.endswith("split"), columns), np.uint64)
    loop(_flat(memory, step), step, _fixed(small, _UINT32), prime, out)
    return _typed(out[:rows], dtype)


def stack(
    left: NDArray[Any], right: NDArray[Any], modulus: int, dtype: Any = np.int64
) -> NDArray[Any] | None:
    """Exact products of pairs of matrices of residues.

    Args:
        left: (pairs, rows, inner) of residues in [0, p); int64, uint32, uint16 or uint8.
        right: (pairs, inner, columns) of such.
        modulus: p < 2**31.
        dtype: of the products.

    Returns:
        ndarray (pairs, rows, columns) of residues; None where the form in numpy is to be taken.
    """
    (pairs, rows, inner), columns = left.shape, right.shape[2]
    work = pairs * rows * inner * columns
    same = left.dtype if left.dtype == right.dtype else _UINT32
    if not work or inner >= _LONGEST or not {left.dtype, right.dtype} <= {*_TYPES}:
        return None
    loop = _LOOPS.loop("stacks", same, work)
    if loop is None:
        return None
    out = np.empty(pairs * rows * columns, np.uint64)
    loop(_fixed(left, same), _fixed(right, same), _prime(modulus), out)
    return _typed(out.reshape(pairs, rows, columns), dtype)


def _in_a_row(matrix: NDArray[Any]) -> bool:
    """Whether each row lies in memory number by number, one row after the other or apart."""
    size, (step, each) = matrix.itemsize, matrix.strides
    return (
        matrix.dtype in _TYPES
        and matrix.flags.aligned
        and (each == size or matrix.shape[1] == 1)
        and (len(matrix) == 1 or (step >= 0 and step % size == 0))
    )


def _flat(matrix: NDArray[Any], step: int) -> NDArray[Any]:
    """The memory of the rows, and of what lies between them, as one row that can't be written."""
    if matrix.flags.c_contiguous:
        flat = matrix.reshape(-1)
    else:
        length = (len(matrix) - 1) * step + matrix.shape[1]
        flat = np.lib.stride_tricks.as_strided(matrix, (length,), (matrix.itemsize,))
    flat.flags.writeable = False
    return flat


def _fixed(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """The same in one piece of memory, that can't be written: the kind that loops are made for."""
    fixed = np.require(values, dtype, ("C", "A")).view()
    fixed.flags.writeable = False
    return fixed


def _prime(modulus: int) -> tuple[np.uint64, np.uint64, np.uint64]:
    """What the loops compute with: p, 2**64 // p, and how many products one sum holds."""
    depth = min(((1 << 64) - modulus) // (modulus - 1) ** 2, _LONGEST)
    return np.uint64(modulus), np.uint64((1 << 64) // modulus), np.uint64(depth)


def _typed(words: NDArray[np.uint64], dtype: Any) -> NDArray[Any]:
    return words.view(np.int64) if dtype is np.int64 else words.astype(dtype)
