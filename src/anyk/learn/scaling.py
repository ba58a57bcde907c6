"""Features on the same scale, so that few bits hold them; the model is scaled back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self, final, get_args

import numpy as np
from numpy.typing import NDArray

from anyk.checks import shown
from anyk.errors import InvalidArgument
from anyk.learn.columns import column_blocks

__all__ = ["Scaling", "ScalingKind", "moments", "stretched"]

ScalingKind = Literal["standard", "unit", "none"]
_MOST_TIMES = 2.0**250  # what one scale is of another, for weights that are all there is, or 0
_SMALLEST = 2.0**-960  # a scale whose coefficients float64 surely holds


def moments(
    values: NDArray[np.float64],
    weights: NDArray[np.float64] | float = 1.0,
    *,
    centred: bool = True,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean and the deviation from it of each column, whatever the size of its numbers.

    Args:
        values: float64 ndarray (rows, columns).
        weights: how much each row counts, float64 ndarray (rows, 1) of mean 1; or 1.0.
        centred: whether the mean is taken; otherwise it is 0.

    Returns:
        float64 ndarrays (columns,): means, and root mean squares of what differs from them.

    Example:
        >>> from anyk.learn.scaling import moments
        >>> moments(np.array([[1e-200], [3e-200]]))
        (array([2.e-200]), array([1.e-200]))
    """
    # in units of a power of two, which round nothing, squares neither overflow nor vanish
    unit = np.ldexp(1.0, np.frexp(np.abs(values).max(axis=0))[1] - 1)
    own = values / unit
    middle = (weights * own).mean(axis=0) if centred else np.zeros(values.shape[1])
    own -= middle
    return middle * unit, np.sqrt(np.mean(weights * own**2, axis=0)) * unit


@final
@dataclass(frozen=True, eq=False)
class Scaling:
    """x becomes (x - shift) / scale, in training as in prediction.

    Args:
        shift: ndarray (features,).
        scale: ndarray (features,), positive.

    Example:
        >>> from anyk.learn.scaling import Scaling
        >>> Scaling.of(np.array([[1.0, 5.0], [3.0, 5.0]]), "unit").design(np.array([[2.0, 5.0]]))
        array([[0.5, 0. ]])
    """

    shift: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        X: Any,
        kind: ScalingKind,
        weights: NDArray[np.float64] | float = 1.0,
        *,
        centred: bool = True,
    ) -> Self:
        """The scaling that suits these data.

        Args:
            X: float64 ndarray or sparse matrix (rows, features).
            kind: "standard" for mean 0 and deviation 1; "unit" for 0 to 1; "none" to leave features
                as they are.
            weights: how much each row counts in mean and deviation, float64 ndarray (rows, 1) of
                mean 1; or 1.0.
            centred: whether values may be shifted: not where there is no intercept to shift back.
                Then "standard" is for a root mean square of 1, and "unit" for at most 1.

        Raises:
            InvalidArgument: if there is no such kind, or a feature varies too little or too much.
        """
        if kind not in get_args(ScalingKind):
            raise InvalidArgument(
                "scaling",
                given=shown(kind),
                needed=f"one of {', '.join(map(repr, get_args(ScalingKind)))}",
                change="Leave it out to get the default.",
            )
        shift, scale = np.zeros(X.shape[1]), np.ones(X.shape[1])
        for columns, block in column_blocks(X) if kind != "none" else ():
            measure = _standard if kind == "standard" else _unit
            shift[columns], scale[columns] = measure(block, weights, centred=centred)
        return cls(shift, _large_enough(scale))

    def design(self, X: Any) -> NDArray[np.float64]:
        """The scaled features.

        Args:
            X: float64 ndarray or sparse matrix (rows, features).

        Returns:
            float64 ndarray (rows, features).
        """
        scaled = np.empty(X.shape)
        for columns, block in column_blocks(X):
            np.subtract(block, self.shift[columns], out=scaled[:, columns])
        scaled /= self.scale
        return scaled

    def unscaled(
        self, weights: NDArray[np.float64], offsets: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Coefficients and intercepts for features as they came.

        Args:
            weights: ndarray (features, outputs), of scaled features.
            offsets: ndarray (outputs,).

        Returns:
            ndarray (outputs, features) and ndarray (outputs,).
        """
        coefficients = (weights / self.scale[:, None]).T
        return coefficients, offsets - coefficients @ self.shift


def stretched(own: Scaling, penalised: Scaling, penalty: float) -> NDArray[np.float64]:
    """The penalty on weights of features scaled in one way, where it is on those of another.

    Args:
        own: how features are scaled.
        penalised: how they would be for the weights that the penalty is on.
        penalty: on each of these.

    Returns:
        float64 ndarray (features, 1).

    Example:
        >>> from anyk.learn.scaling import Scaling, stretched
        >>> X = np.array([[0.0, 0.0], [2.0, 20.0]])
        >>> stretched(Scaling.of(X, "standard"), Scaling.of(X, "none"), 1.0).ravel()
        array([1.  , 0.01])
    """
    ratio = np.clip(penalised.scale / own.scale, 1 / _MOST_TIMES, _MOST_TIMES)
    return np.asarray(penalty * ratio[:, None] ** 2)


def _standard(
    X: NDArray[np.float64], weights: NDArray[np.float64] | float, *, centred: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean, deviation = moments(X, weights, centred=centred)
    # a constant column may have a deviation by rounding alone
    return mean, np.where(deviation <= 1e-12 * np.abs(mean), 1.0, deviation)


def _unit(
    X: NDArray[np.float64], _weights: NDArray[np.float64] | float, *, centred: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    low = X.min(axis=0) if centred else np.zeros(X.shape[1])
    span = np.ptp(X, axis=0) if centred else np.abs(X).max(axis=0)
    return low, np.where(span > 0, span, 1.0)


def _large_enough(scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """The scale of each feature, if the coefficients of all of them are numbers."""
    bad = np.flatnonzero(~((scale >= _SMALLEST) & np.isfinite(scale)))
    if len(bad):
        raise InvalidArgument(
            "X",
            given=f"feature {bad[0]}, which varies by {scale[bad[0]]:.3g}",
            needed=f"between {_SMALLEST:.3g} and the largest float64, or no variation",
            change="Take other units.",
        )
    return scale
