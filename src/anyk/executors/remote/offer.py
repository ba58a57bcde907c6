"""What a remote worker offers: the functions that one module of its own names for that."""

from __future__ import annotations

import importlib
import types
from collections.abc import Callable
from typing import Any, final

from anyk.connections.broken import BrokenAnswer
from anyk.errors import InvalidArgument
from anyk.executors.remote.marks import is_task

__all__ = ["Offer"]


@final
class Offer:
    """The functions of a module that its `__all__` names or `anyk.task` marks, and nothing else.

    Args:
        module: its name; it is imported.

    Raises:
        InvalidArgument: if it can't be imported, or names none.

    Example:
        >>> from anyk.executors.remote.offer import Offer
        >>> offer = Offer("anyk.testing.tasks")
        >>> offer.find("gram", None)(np.array([[1.0, 2.0]])).shape
        (2, 2)
    """

    def __init__(self, module: str) -> None:
        try:
            loaded = importlib.import_module(module)
        except Exception as error:
            raise InvalidArgument(
                "tasks",
                given=f"{module!r} ({type(error).__name__}: {error})",
                needed="a module that can be imported",
                change="Name it as in an import, without .py, where it can be.",
            ) from error
        self._functions = _offered(loaded)
        if not self._functions:
            own = ", ".join(_own(loaded)) or "none yet"
            raise InvalidArgument(
                "tasks",
                given=f"{module!r}, which offers no function",
                needed="a module that says which of its functions masters may run",
                change=f'List their names in its __all__ = [".."], or write @anyk.task above each. '
                f"It has: {own}.",
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the functions, sorted."""
        return tuple(sorted(self._functions))

    def find(self, name: object, module: object) -> Callable[..., Any]:
        """The function of this name.

        Args:
            name: as the master says it.
            module: in which the master found it; None where it knows the name alone.

        Raises:
            BrokenAnswer: if there is none, or it is another module's.
        """
        function = self._functions.get(name) if isinstance(name, str) else None
        if function is None:
            raise BrokenAnswer(f"no function {str(name)[:60]!r} here, but {', '.join(self.names)}")
        home = getattr(function, "__module__", None)
        if module is not None and module != home:
            raise BrokenAnswer(f"{name} is of {home} here, not of {str(module)[:60]}")
        return function


def _offered(module: types.ModuleType) -> dict[str, Callable[..., Any]]:
    """The functions that the module's `__all__` names, and those of its own that are marked."""
    chosen: dict[str, Any] = {
        name: getattr(module, name, None) for name in getattr(module, "__all__", ())
    }
    chosen |= {name: value for name, value in _own(module).items() if is_task(value)}
    return {name: value for name, value in chosen.items() if _is_function(value)}


def _own(module: types.ModuleType) -> dict[str, Any]:
    """The public functions that are written in the module itself."""
    return {
        name: value
        for name, value in sorted(vars(module).items())
        if not name.startswith("_")
        and _is_function(value)
        and getattr(value, "__module__", None) == module.__name__
    }


def _is_function(value: object) -> bool:
    return callable(value) and not isinstance(value, type)
