"""What masks must be: fresh, from the source, uniform or normal, and independent of everything."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.domains.prime import PrimeField
from anyk.randomness.entropy import InsecureTestSource
from anyk.schemes.base import AbstractScheme
from anyk.testing.expect import require
from anyk.testing.masks.draws import COORDINATES, drawn, unmasking
from anyk.testing.masks.gaussian import check_gaussian
from anyk.testing.masks.repeats import check_relations, check_repeats
from anyk.testing.masks.uniform import check_uniform

__all__ = ["check_masks"]


def check_masks(
    scheme: AbstractScheme, X: NDArray[Any], encodings: int, generator: np.random.Generator
) -> None:
    """The masks of many encodings are as good as they can be told to be.

    Args:
        scheme: one whose shares have masks.
        X: the blocks, of any shape, ndarray (K, *shape).
        encodings: how many to draw.
        generator: where further data come from.

    Raises:
        AssertionError: if shares are not D·blocks + M·masks, or masks show something that honest
            ones show with a chance below 1e-9.
    """
    encoded = scheme.encode(X)
    shares = encoded.shares.reshape(len(encoded.shares), -1)
    unmasking(scheme.domain, encoded.encoder)(shares, X.reshape(len(X), -1))
    draws = drawn(scheme, encodings, generator)
    whole = draws.masks.reshape(encodings, -1)
    require(len(np.unique(whole, axis=0)) == encodings, "two encodings have the same masks")
    if isinstance(scheme.domain, PrimeField):
        check_uniform(draws, scheme.domain, generator)
        check_repeats(draws, scheme.domain)
        check_relations(draws, scheme.domain)
    else:
        check_gaussian(draws, generator)
        check_repeats(draws, None)
    _check_source(scheme, len(X))


def _check_source(scheme: AbstractScheme, blocks: int) -> None:
    """Masks come from the source that is passed, and from nothing else."""
    usual = inspect.signature(scheme.encode).parameters.get("source")
    insecure = usual is not None and isinstance(usual.default, InsecureTestSource)
    require(not insecure, "unless another is passed, the source of masks is one for tests")
    X = np.zeros((blocks, COORDINATES), dtype=scheme.domain.dtype)
    one, again, other = (
        scheme.encode(X, source=InsecureTestSource(seed)).shares for seed in (1, 1, 2)
    )
    require(np.array_equal(one, again), "masks come from elsewhere than the source")
    require(not np.array_equal(one, other), "masks do not come from the source")
