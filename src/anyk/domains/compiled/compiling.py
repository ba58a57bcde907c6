"""When loops are compiled, and where from: what each of the `calls` asks.

**When.** numba is imported, never by `import anyk`, after 2**26 multiplications that it would have
made in this process: eight products of 4,000 x 2,000. That costs 0.6 s and 130 MB. Each loop is
compiled when it is first needed, in 0.3 to 1.2 s, and loaded from numba's cache in later processes,
in 0.01 s. While one thread compiles, the others take numpy's forms. The environment variable
`ANYK_FAST`, read when anyk is imported, says otherwise: 0 never, 1 from the first product on.

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
from threading import Lock
from typing import TYPE_CHECKING, Any, final

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LOOPS", "Loops"]

_SWITCH = "ANYK_FAST"
_OLDEST = (0, 61)  # the first for numpy 2.1
_PATIENCE = 1 << 26  # multiplications before numba is imported
_CALLED = ("reduced", "lowered", "settled", "joined", "four")  # by the loops
_KINDS = {
    **dict.fromkeys(("across", "across_split", "along", "along_split"), ((1, 2), True, 2)),
    "stacks": ((3, 3), False, 1),
    "times": ((1, 1), False, 1),
    "powers": ((1,), True, 1),
}
"""Of each loop: the axes of its operands, whether a number follows, and the axes of its result."""


@final
class Loops:
    """What this process has compiled, and whether it does.

    Args:
        switch: "0" for never, "1" for at once, anything else for when it is worth it.
    """

    def __init__(self, switch: str) -> None:
        self.closed = switch == "0"
        self.patience = 0 if switch == "1" else _PATIENCE
        self.reason = f"{_SWITCH}=0" if self.closed else ""
        self._lock = Lock()
        self._numba: Any = None
        self._made: dict[tuple[Any, ...], Any] = {}

    def loop(self, work: int, name: str, *types: np.dtype[Any]) -> Any:
        """A loop on arrays of these types, for so many multiplications; None if there is none."""
        if self.closed:
            return None
        made = self._made.get((name, *types))
        if made is not None:
            return made
        if self.patience > work:
            self.patience -= work
            return None
        self.patience = 0
        return self._make(name, *types)

    def _make(self, name: str, *types: np.dtype[Any]) -> Any:
        if not self._lock.acquire(blocking=False):
            return None  # another thread compiles
        try:
            if self._numba is None:
                self._numba = _imported()
            made = self._made[name, *types] = _compiled(self._numba, name, *types)
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
    from anyk.domains.compiled import loops  # noqa: PLC0415 - import anyk stays quick

    for name in _CALLED:
        import_module("numba.extending").register_jitable(getattr(loops, name))
    return numba


def _compiled(numba: Any, name: str, *dtypes: np.dtype[Any]) -> Any:
    """Compile one loop for these types, or load it from the cache."""
    from anyk.domains.compiled import loops  # noqa: PLC0415 - as above

    types = numba.types
    arrays, number, sums = _KINDS[name]
    operands = [
        types.Array(numba.from_dtype(dtype), axes, "C", readonly=True)
        for axes, dtype in zip(arrays, dtypes, strict=True)
    ] + [types.int64] * number
    prime, out = types.UniTuple(types.uint64, 5), types.Array(types.uint64, sums, "C")
    signature = types.void(*operands, prime, out)
    function = getattr(loops, name)
    try:
        loop = numba.njit(nogil=True, cache=True)(function)
        if _ours_alone(loop.stats.cache_path):
            loop.compile(signature)
            return loop
    except Exception:  # noqa: BLE001, S110 - no directory, a full disk, a damaged file
        pass
    loop = numba.njit(nogil=True)(function)
    loop.compile(signature)
    return loop


def _ours_alone(directory: str | os.PathLike[str]) -> bool:
    """Whether nobody else, but for root, can write in a directory or put another in its place."""
    from pathlib import Path  # noqa: PLC0415 - where loops are compiled alone

    Path(directory).stat()  # raises where links lead in a circle, or nowhere
    return _all_ours(Path(directory).absolute())


def _all_ours(within: Path) -> bool:
    """The same of all on the way there, links and where they lead among them."""
    for each in (within, *within.parents):
        if each.is_symlink() and not _all_ours(each.parent / each.readlink()):
            return False
        status = each.stat()
        shared = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if shared and (each == within or not status.st_mode & stat.S_ISVTX):
            return False
        if {status.st_uid, each.lstat().st_uid} - {0, os.geteuid()}:
            return False
    return True


LOOPS = Loops(os.environ.get(_SWITCH, ""))
os.register_at_fork(after_in_child=LOOPS.forked)
