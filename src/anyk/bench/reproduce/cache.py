"""What took long is kept: trained weights and evaluations, in the user's cache directory."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

__all__ = ["Arrays", "Cache", "user_directory"]

Arrays = dict[str, NDArray[Any]]


def user_directory() -> Path:
    r"""Where this platform keeps what can be computed again, for anyk.

    Returns:
        ``$XDG_CACHE_HOME/anyk`` where that is set; else ~/Library/Caches/anyk on macOS,
        ``%LOCALAPPDATA%\anyk`` on Windows and ~/.cache/anyk elsewhere. It may not exist yet.
    """
    chosen = os.environ.get("XDG_CACHE_HOME")
    if chosen:
        return Path(chosen) / "anyk"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "anyk"
    local = os.environ.get("LOCALAPPDATA")
    if sys.platform == "win32" and local:
        return Path(local) / "anyk"
    return Path.home() / ".cache" / "anyk"


@final
@dataclass(frozen=True)
class Cache:
    """Arrays on disk, found by what produced them.

    Args:
        directory: where; made when first needed.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from anyk.bench.reproduce.cache import Cache
        >>> with tempfile.TemporaryDirectory() as place:
        ...     cache = Cache(Path(place))
        ...     first = cache.get("squares", {"of": 3}, lambda: {"x": np.arange(3) ** 2})
        ...     again = cache.get("squares", {"of": 3}, dict)
        >>> again["x"]
        array([0, 1, 4])
    """

    directory: Path

    def get(self, name: str, recipe: Mapping[str, object], make: Callable[[], Arrays]) -> Arrays:
        """The arrays of this recipe, made where they are not there yet.

        Args:
            name: what it is; begins the file's name.
            recipe: everything that the result depends on, as JSON can hold it.
            make: computes the arrays.

        Returns:
            The arrays by name.

        Raises:
            OSError: if the directory can't be written.
        """
        key = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:16]
        path = self.directory / f"{name}-{key}.npz"
        found = _read(path)
        if found is not None:
            return found
        arrays = make()
        _write(path, arrays)
        return arrays


def _read(path: Path) -> Arrays | None:
    """The arrays of a file; None where there is none that can be read."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:  # never code
            return {name: file[name] for name in file.files}
    except (FileNotFoundError, ValueError, BadZipFile, EOFError):
        return None


def _write(path: Path, arrays: Arrays) -> None:
    """Write a file whole or not at all, whoever else writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".npz")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        Path(partial).replace(path)
    finally:
        Path(partial).unlink(missing_ok=True)
