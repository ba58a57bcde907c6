"""What a remote worker offers: the public functions of one module of its own."""

from __future__ import annotations

import importlib
import types
from collections.abc import Callable
from typing import Any, final

from anyk.errors import InvalidArgument
from anyk.executors.core.answer_header import BrokenAnswer

__all__ = ["Offer"]


@final
class Offer:
    """The functions that a module exports: those in its `__all__`, or its own public ones.

    Args:
        module: its name; it is imported.

    Raises:
        InvalidArgument: if it can't be imported, or exports no function.

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
                change="Name it as in an import, from the directory in which it can be.",
            ) from error
        self._functions = _exported(loaded)
        if not self._functions:
            raise InvalidArgument(
                "tasks",
                given=f"{module!r}, which exports no function",
                needed="a module with public functions",
                change="List their names in its __all__.",
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


def _exported(module: types.ModuleType) -> dict[str, Callable[..., Any]]:
    listed = getattr(module, "__all__", None)
    if listed is not None:
        chosen = {name: getattr(module, name, None) for name in listed}
    else:
        chosen = {
            name: value
            for name, value in vars(module).items()
            if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
        }
    return {
        name: value
        for name, value in chosen.items()
        if callable(value) and not isinstance(value, type)
    }
