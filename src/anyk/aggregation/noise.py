"""Noise for differential privacy that clients add together: no one of them knows the sum of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from anyk.checks import positive, settle

__all__ = ["Noise"]


@final
@dataclass(frozen=True, kw_only=True)
class Noise:
    """Discrete Gaussian noise, distributed among clients, and the norm that it hides.

    Args:
        std: of the sum, at least, in the units of the vectors: each client adds std / sqrt(honest).
        norm: largest Euclidean norm of a client's vector. A larger one is refused at the client:
            clipping it is the caller's own choice, beforehand.
        honest: how many clients of a sum add their noise, at least: those who collude with the
            server may add none.
    """

    std: float
    norm: float
    honest: int

    def __post_init__(self) -> None:
        for name in ("std", "norm"):
            size = positive(name, getattr(self, name), change="Give it in units of the vectors.")
            object.__setattr__(self, name, size)
        settle(self, honest=1)
