"""Powers of a rotation in place of points on the unit circle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["rotations", "turns"]


def turns(count: int) -> int:
    """q, in how many steps of one rotation the circle is gone round: the least odd q >= N.

    Args:
        count: N.

    Example:
        >>> from anyk.codes.analog.rotation import turns
        >>> turns(30), turns(31)
        (31, 31)
    """
    return count + 1 - count % 2


def rotations(exponents: NDArray[np.intp], steps: int) -> NDArray[np.float64]:
    """R^e of the rotation R by 2 pi / q, [[cos, -sin], [sin, cos]].

    Args:
        exponents: e, intp ndarray (rows, columns).
        steps: q.

    Returns:
        float64 ndarray (2 rows, 2 columns): R^e in the place of each e. R is unitarily diagonal
        with exp(i 2 pi / q) and its conjugate, so the matrix is unitarily two of exponentials.

    References:
        Ramamoorthy and Tang: Numerically stable coded matrix computations via circulant and
        rotation matrix embeddings (IEEE TIT 2022), section III.

    Example:
        >>> from anyk.codes.analog.rotation import rotations
        >>> rotations(np.array([[0, 1]]), 4).round(6) + 0.0
        array([[ 1.,  0.,  0., -1.],
               [ 0.,  1.,  1.,  0.]])
    """
    turned = 2.0 * np.pi / steps * (exponents % steps)
    rows, columns = exponents.shape
    matrix = np.empty((rows, 2, columns, 2))
    matrix[:, 0, :, 0] = matrix[:, 1, :, 1] = np.cos(turned)
    matrix[:, 1, :, 0] = np.sin(turned)
    matrix[:, 0, :, 1] = -matrix[:, 1, :, 0]
    return matrix.reshape(2 * rows, 2 * columns)
