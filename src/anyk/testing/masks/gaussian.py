"""Whether the noise of many encodings over the reals is normal, of variance 1, and independent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import scipy  # its submodules load when first used: import anyk stays quick
from numpy.typing import NDArray

from anyk.testing.masks.chance import (
    correlation,
    judge,
    mean,
    multinomial,
    spectrum,
    tally,
    variance,
)
from anyk.testing.masks.draws import Draws
from anyk.testing.masks.pairs import pairs

__all__ = ["check_gaussian"]

Floats: TypeAlias = NDArray[np.float64]

_BINS = 64
_COARSE = 8
_TAILS = 12  # the last class on either side has a chance of 2^-12
_WIDEST = 256  # columns of a matrix whose spectrum is judged


def check_gaussian(draws: Draws, generator: np.random.Generator) -> None:
    """Variance, correlation and distribution of noise: of each, of coordinates, of encodings.

    Mean and variance; correlations of pairs, and the spectrum of all noises, of the next
    encoding's and of the data at once, where any combination that is too small stands out; and
    chi-square tests of the distribution, its tails, and pairs of classes.

    Args:
        draws: the noise.
        generator: chooses among many pairs.

    Raises:
        AssertionError: if something is seen that honest noise shows too seldom.
    """
    masks = draws.masks
    each = masks.swapaxes(0, 1).reshape(masks.shape[1], -1)
    encodings = masks.reshape(len(masks), -1)
    samples = (
        ("a noise", each, _BINS),
        ("the noise of a coordinate", np.ascontiguousarray(encodings.T), _COARSE),
        ("the noise of one encoding", encodings, _COARSE),
    )
    judge([(f"{what} has not variance 1", variance(values)) for what, values, _ in samples])
    two = [(told, (one.ravel(), other.ravel())) for told, one, other in pairs(draws, generator)]
    judge(
        [
            *((f"{told} have a correlation", correlation(*each)) for told, each in two),
            *_spectra(draws),
        ]
    )
    judge([(f"{what} has not mean 0", mean(values)) for what, values, _ in samples])
    judge(
        [
            *((f"{what} is not normal", _normal(values, bins)) for what, values, bins in samples),
            *((f"{told} are not independent", _joint(*each)) for told, each in two),
        ]
    )


def _spectra(draws: Draws) -> Iterator[tuple[str, float]]:
    """Of all noises at once, with those of the next encoding and the data; and of coordinates."""
    masks, fresh = draws.masks, len(draws.data)
    count = masks.shape[1]
    together = np.concatenate([masks[: fresh - 1 : 2], masks[1:fresh:2], draws.data[:-1:2]], axis=1)
    rows = together.swapaxes(1, 2).reshape(-1, together.shape[1])
    yield "noises, consecutive encodings and data have a correlation", spectrum(rows)
    for one in range(min(count, _WIDEST // masks.shape[2])):
        yield f"coordinates of noise {one} have a correlation", spectrum(masks[:, one])


def _normal(values: Floats, bins: int) -> Floats:
    """The chi-square test of a normal distribution, sample by sample, ndarray (tests, n)."""
    inner = np.arange(1, bins) / bins
    small = (
        [2.0**-power for power in range(bins.bit_length(), _TAILS + 1)] if bins > _COARSE else []
    )
    edges = np.sort([*inner, *small, *(1.0 - np.array(small))])
    classes = np.searchsorted(edges, _upper(values))
    chances = np.diff([0.0, *edges, 1.0])
    return multinomial(tally(classes, len(chances)), chances)


def _joint(first: Floats, second: Floats) -> Floats:
    """The chi-square test of two classes at once."""
    classes = [
        np.minimum((_upper(each) * _COARSE).astype(int), _COARSE - 1) for each in (first, second)
    ]
    joint = classes[0] * _COARSE + classes[1]
    return multinomial(tally(joint[None], _COARSE**2), np.full(_COARSE**2, _COARSE**-2.0))


def _upper(values: Floats) -> Floats:
    """Uniform numbers in [0, 1] out of normal ones."""
    return np.asarray(scipy.special.ndtr(values))
