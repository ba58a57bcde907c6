"""What masks must be: fresh, from the source, uniform or normal, and independent of everything."""

from __future__ import annotations

import inspect

import numpy as np

from anyk.domains.prime import PrimeField
from anyk.randomness.entropy import InsecureTestSource
from anyk.schemes.base import AbstractScheme
from anyk.schemes.encoded import Encoded
from anyk.testing.expect import require
from anyk.testing.masks.draws import drawn, rows_of, shapes, unmasking
from anyk.testing.masks.gaussian import check_gaussian
from anyk.testing.masks.lattice import check_last_bits, check_on_grid
from anyk.testing.masks.repeats import check_relations, check_repeats
from anyk.testing.masks.uniform import check_uniform
from anyk.testing.trial import Trial, encoders, operands, together

__all__ = ["check_masks"]


def check_masks(
    made: Trial, encoded: Encoded, encodings: int, generator: np.random.Generator
) -> None:
    """The masks of many encodings are as good as they can be told to be.

    Args:
        made: data for a scheme whose shares have masks.
        encoded: what encoding them gave.
        encodings: how many to draw.
        generator: where further data come from.

    Raises:
        AssertionError: if shares are not D·blocks + M·masks, or lie beside a grid, or masks show
            something that honest ones show with a chance below 1e-9.
    """
    scheme, domain = encoded.scheme, encoded.scheme.domain
    for encoder, blocks, part in zip(encoders(encoded), made.blocks, encoded.parts, strict=True):
        shares = rows_of(encoder.untiled(domain.from_rest(part)))
        unmasking(domain, encoder)(shares, rows_of(blocks))
        if not domain.exact:
            check_on_grid(encoder, shares)
    draws = drawn(scheme, encodings, generator)
    whole = draws.masks.reshape(encodings, -1)
    require(len(np.unique(whole, axis=0)) == encodings, "two encodings have the same masks")
    if isinstance(domain, PrimeField):
        check_uniform(draws, domain, generator)
        check_repeats(draws, domain, generator)
        check_relations(draws, domain)
    else:
        check_gaussian(draws, generator)
        check_repeats(draws, None, generator)
        for noise in draws.noise:
            check_last_bits(noise)
    _check_source(scheme)


def _check_source(scheme: AbstractScheme) -> None:
    """Masks come from the source that is passed, and from nothing else."""
    usual = inspect.signature(scheme.encode).parameters.get("source")
    insecure = usual is not None and isinstance(usual.default, InsecureTestSource)
    require(not insecure, "unless another is passed, the source of masks is one for tests")
    blocks = [
        np.zeros((count, *shape), dtype=scheme.domain.dtype)
        for count, shape in zip(operands(scheme.problem), shapes(scheme.problem)[0], strict=True)
    ]
    X = together(scheme.problem, tuple(blocks))
    one, again, other = (
        scheme.encode(X, source=InsecureTestSource(seed)).parts for seed in (1, 1, 2)
    )
    require(all(map(np.array_equal, one, again)), "masks come from elsewhere than the source")
    require(not all(map(np.array_equal, one, other)), "masks do not come from the source")
