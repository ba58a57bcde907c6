"""The published scheme at its best: both lambdas chosen on data that are not reported."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from anyk.errors import InvalidArgument

__all__ = ["DECODER", "ENCODER", "tune"]

ENCODER = (0.0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
"""Values of the encoder's lambda that are tried."""

DECODER = (0.0, *(10.0 ** (power / 2) for power in range(-24, 1)))
"""Values of the decoder's lambda that are tried: 0, and two a decade from 1e-12 to 1."""


def tune(
    prepare: Callable[[float], Callable[[float], float]],
    *,
    encoder: Sequence[float] = ENCODER,
    decoder: Sequence[float] = DECODER,
) -> tuple[float, float]:
    """The pair of lambdas with the smallest error, by trying every pair.

    Args:
        prepare: of the encoder's lambda; encodes, and returns the error for a decoder's lambda. A
            lambda that the scheme refuses is passed over.
        encoder: lambdas to try.
        decoder: lambdas to try, 0 among them.

    Returns:
        The encoder's lambda and the decoder's; of equal errors the first.

    Example:
        >>> from anyk.bench.reproduce.tuning import tune
        >>> tune(lambda e: lambda d: (e - 2) ** 2 + d, encoder=(0, 2), decoder=(0, 1))
        (2, 0)
    """
    best, least = (encoder[0], decoder[0]), math.inf
    for outer in encoder:
        score = prepare(outer)
        for inner in decoder:
            try:
                error = score(inner)
            except InvalidArgument:  # knots too close for so much smoothing
                continue
            if error < least:
                best, least = (outer, inner), error
    return best
