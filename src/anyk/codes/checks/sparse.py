"""What checks need of left factors that are sparse."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["column_norms", "with_data"]


def with_data(factor: Any, data: NDArray[Any]) -> Any:
    """A csr_array with other entries in the same places.

    Args:
        factor: where they are.
        data: the entries.
    """
    return type(factor)((data, factor.indices, factor.indptr), shape=factor.shape)


def column_norms(factor: Any) -> NDArray[np.float64]:
    """Of a csr_array, without underflow.

    Example:
        >>> import scipy.sparse
        >>> from anyk.codes.checks.sparse import column_norms
        >>> column_norms(scipy.sparse.csr_array(np.array([[3e-200, 0.0], [4e-200, 0.0]])))
        array([5.e-200, 0.e+000])
    """
    sizes = np.abs(factor.data)
    largest = np.zeros(factor.shape[1])
    np.maximum.at(largest, factor.indices, sizes)
    each = largest[factor.indices]
    scaled = sizes / np.where(each > 0.0, each, 1.0)
    squares = np.bincount(factor.indices, scaled**2, minlength=factor.shape[1])
    return np.asarray(largest * np.sqrt(squares))
