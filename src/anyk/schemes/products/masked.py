"""What schemes for products have in common that can mask both factors."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from anyk.schemes.products.base import AbstractProduct

__all__ = ["AbstractMasked"]


@dataclass(frozen=True)
class AbstractMasked(AbstractProduct):
    """A scheme for A @ B whose shares may be masked: perfectly over a field, else by noise.

    Args:
        leakage: over the complex numbers, bits a coordinate that T workers may learn of a factor.
        sigma: standard deviation of the masks' sum, instead of a leakage.
        data_std: that of the entries, for which the leakage is stated.
        tolerance: relative error that is still acceptable.
    """

    _: KW_ONLY
    leakage: float | None = None
    sigma: float | None = None
    data_std: float = 1.0
    tolerance: float = 1e-3

    @property
    def beside(self) -> int:
        """The point 0, where masks vanish."""
        return 1 if self.colluders else 0
