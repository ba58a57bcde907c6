"""What a worker runs: the user's function, between the arrays of a scheme and those of the wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

from numpy.typing import NDArray

from anyk.domains.base import AbstractDomain

__all__ = ["WorkerTask"]


@final
@dataclass(frozen=True)
class WorkerTask:
    """What a worker runs: the user's function, on arrays of the scheme's domain.

    Args:
        function: f, called with one block and the other arguments; or its name, where workers
            have functions of their own.
        domain: what presents the share to f and accepts its result.
        dealt: which of the other arguments are shares too.
    """

    function: Callable[..., Any] | str
    domain: AbstractDomain
    dealt: tuple[bool, ...]

    def __call__(self, share: NDArray[Any], *arguments: Any) -> NDArray[Any]:
        """The function's answer on one share, as an ndarray of the domain."""
        if isinstance(self.function, str):
            raise TypeError(f"{self.function!r} is a name, and no function")
        presented = [
            self.domain.present(argument) if is_share else argument
            for argument, is_share in zip(arguments, self.dealt, strict=True)
        ]
        return self.domain.accept(self.function(self.domain.present(share), *presented))
