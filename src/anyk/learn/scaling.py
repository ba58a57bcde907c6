"""Features on the same scale, so that few bits hold them; the model is scaled back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self, final, get_args

import numpy as np
from numpy.typing import NDArray

from anyk.errors import InvalidArgument
from anyk.spec import shown

__all__ = ["Scaling", "ScalingKind"]

ScalingKind = Literal["standard", "unit", "none"]
_CLIP = 4.0  # standard deviations


@final
@dataclass(frozen=True, eq=False)
class Scaling:
    """x becomes (x - shift) / scale, at most `limit` in absolute value.

    Args:
        shift: ndarray (features,).
        scale: ndarray (features,), positive.
        limit: where values are clipped.

    Example:
        >>> from anyk.learn.scaling import Scaling
        >>> Scaling.of(np.array([[1.0, 5.0], [3.0, 5.0]]), "unit").design(
        ...     np.array([[2.0, 5.0]]), intercept=True)
        array([[0.5, 0. , 1. ]])
    """

    shift: NDArray[np.float64]
    scale: NDArray[np.float64]
    limit: float

    @classmethod
    def of(cls, X: NDArray[np.float64], kind: ScalingKind) -> Self:
        """The scaling that suits these data.

        Args:
            X: float64 ndarray (rows, features).
            kind: "standard" for mean 0 and deviation 1, clipped at 4 deviations; "unit" for 0 to 1;
                "none" to leave features as they are.

        Raises:
            InvalidArgument: if there is no such kind.
        """
        zeros, ones = np.zeros(X.shape[1]), np.ones(X.shape[1])
        if kind == "standard":
            mean, deviation = X.mean(axis=0), X.std(axis=0)
            # a constant column may have a deviation by rounding alone
            constant = deviation <= 1e-12 * np.abs(mean)
            return cls(mean, np.where(constant, 1.0, deviation), _CLIP)
        if kind == "unit":
            low, span = X.min(axis=0), np.ptp(X, axis=0)
            return cls(low, np.where(span > 0, span, 1.0), np.inf)
        if kind == "none":
            return cls(zeros, ones, np.inf)
        raise InvalidArgument(
            "scaling",
            given=shown(kind),
            needed=f"one of {', '.join(map(repr, get_args(ScalingKind)))}",
            change="Leave it out to get the default.",
        )

    def design(self, X: NDArray[np.float64], *, intercept: bool) -> NDArray[np.float64]:
        """The scaled features, and a column of ones if there is an intercept.

        Args:
            X: float64 ndarray (rows, features).
            intercept: whether to add the column.

        Returns:
            float64 ndarray (rows, features or one more).
        """
        out = np.empty((len(X), X.shape[1] + intercept))
        scaled = out[:, : X.shape[1]]
        np.subtract(X, self.shift, out=scaled)
        scaled /= self.scale
        if np.isfinite(self.limit):
            np.clip(scaled, -self.limit, self.limit, out=scaled)
        out[:, X.shape[1] :] = 1.0
        return out

    def unscaled(self, weights: NDArray[Any], *, intercept: bool) -> tuple[NDArray[Any], Any]:
        """Coefficients and intercepts for features as they came.

        Args:
            weights: ndarray (columns of the design, outputs).
            intercept: whether the last column was that of ones.

        Returns:
            ndarray (outputs, features) and ndarray (outputs,).
        """
        coefficients = (weights[: len(self.scale)] / self.scale[:, None]).T
        offset = (
            weights[-1] - coefficients @ self.shift if intercept else np.zeros(len(coefficients))
        )
        return coefficients, offset
