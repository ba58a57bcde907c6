"""How much each row counts in the loss, which the master alone computes."""

from __future__ import annotations

import contextlib
import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, final

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array
from sklearn.utils.class_weight import compute_class_weight

from anyk.checks import shown
from anyk.errors import InvalidArgument

__all__ = ["ClassWeight", "RowWeights", "check_weights", "with_classes"]

ClassWeight = Mapping[Any, float] | Literal["balanced"] | None

_LARGEST = 1e100  # of a penalty, where weights are next to nothing


def check_weights(sample_weight: Any, rows: int) -> NDArray[np.float64] | None:
    """The weights of rows as they are given to `fit`.

    Args:
        sample_weight: None for the same of all, which is 1; a number; or array-like (rows,).
        rows: how many there are.

    Returns:
        float64 ndarray (rows,), or None.

    Raises:
        InvalidArgument: if there is not one number a row, one is negative, or all are 0.

    Example:
        >>> from anyk.learn.row_weights import check_weights
        >>> check_weights([2, 0], 2)
        array([2., 0.])
    """
    if sample_weight is None:
        return None
    if isinstance(sample_weight, numbers.Real):
        sample_weight = np.full(rows, float(sample_weight))
    weights = np.asarray(
        check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
    )
    if weights.shape != (rows,):
        raise InvalidArgument(
            "sample_weight",
            given=f"the shape {weights.shape}",
            needed=f"({rows},)",
            change="Pass one number for each row.",
        )
    if weights.min() < 0 or not weights.any():
        raise InvalidArgument(
            "sample_weight",
            given="a negative number" if weights.any() else "zeros alone",
            needed="at least 0 for each row, and more for one",
            change="Pass 0 for rows that should not count.",
        )
    return weights


def with_classes(
    weights: NDArray[np.float64] | None,
    class_weight: ClassWeight,
    classes: NDArray[Any],
    labels: NDArray[np.intp],
) -> NDArray[np.float64] | None:
    """The weights of rows times those of their classes.

    Args:
        weights: float64 ndarray (rows,), or None for 1.
        class_weight: a number for each class, 1 where there is none; "balanced" for what makes
            all classes count the same; None for 1.
        classes: ndarray (classes,).
        labels: which class each row is of, ndarray (rows,).

    Raises:
        InvalidArgument: if the weight of a class is no number, or negative, or of no class; if
            fewer than two classes count.

    Example:
        >>> from anyk.learn.row_weights import with_classes
        >>> with_classes(None, "balanced", np.array([3, 5]), np.array([0, 0, 0, 1]))
        array([0.66666667, 0.66666667, 0.66666667, 2.        ])
    """
    counts = np.bincount(labels, weights=weights, minlength=len(classes))
    if isinstance(class_weight, str) and class_weight == "balanced":
        sizes = np.where(counts > 0, counts / counts.max(), 1.0)
        own = counts.sum() / counts.max() / np.count_nonzero(counts) / sizes
    elif class_weight is None:
        own = np.ones(len(classes))
    else:
        own = _by_label(class_weight, classes)
    if np.count_nonzero(counts * own) < 2:  # noqa: PLR2004 - a choice is between two
        raise InvalidArgument(
            "y",
            given="one class",
            needed="at least two classes that have some weight",
            change="Add rows of another class.",
        )
    if class_weight is None:
        return weights
    return np.asarray(own[labels] if weights is None else own[labels] * weights)


def _by_label(class_weight: Any, classes: NDArray[Any]) -> NDArray[np.float64]:
    """A number for each class."""
    own = np.array([np.nan])
    with contextlib.suppress(ValueError, TypeError):
        own = np.asarray(compute_class_weight(class_weight, classes=classes, y=classes))
    if not (np.isfinite(own) & (own >= 0)).all():
        raise InvalidArgument(
            "class_weight",
            given=shown(class_weight),
            needed="'balanced', None, or a finite number of at least 0 by label, of labels in y",
            change="Leave it out to count all rows the same.",
        )
    return own


@final
@dataclass(frozen=True, eq=False)
class RowWeights:
    """Weights of the rows, as parts of their mean.

    A row of weight 0 might as well not be there. As its share must be, another row stands in for
    it, so that nothing of it takes part in scaling or rounding.

    Args:
        relative: float64 ndarray (rows, 1) of mean 1; or 1.0, where all rows count the same.
        mean: of the weights as they came.
        stand_ins: which row to take in place of each; None where all have a weight.

    Example:
        >>> from anyk.learn.row_weights import RowWeights
        >>> rows = RowWeights.of(np.array([0.0, 3.0, 1.0]))
        >>> rows.relative.ravel(), rows.taken(np.array([np.inf, 5.0, 6.0]))
        (array([0.  , 2.25, 0.75]), array([5., 5., 6.]))
    """

    relative: NDArray[np.float64] | float
    mean: float
    stand_ins: NDArray[np.intp] | None

    @classmethod
    def of(cls, weights: NDArray[np.float64] | None) -> Self:
        """Those of checked weights.

        Args:
            weights: float64 ndarray (rows,), one of them above 0; None for 1.
        """
        if weights is None:
            return cls(1.0, 1.0, None)
        largest = weights.max()
        parts = weights / largest
        stand_ins = None
        if not parts.all():
            stand_ins = np.where(parts > 0, np.arange(len(parts)), np.argmax(parts))
        return cls((parts / parts.mean())[:, None], float(largest * parts.mean()), stand_ins)

    def taken(self, table: Any) -> Any:
        """The rows, and for those without weight another.

        Args:
            table: ndarray or sparse matrix (rows, ..).
        """
        return table if self.stand_ins is None else table[self.stand_ins]

    def penalty(self, penalty: float) -> float:
        """A penalty beside the sum of weighted losses, as one beside that of relative ones."""
        with np.errstate(divide="ignore", over="ignore"):
            return float(min(np.float64(penalty) / self.mean, _LARGEST))
