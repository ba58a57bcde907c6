"""What masks must do: hide the blocks from T workers, as the encoder's matrices say they do."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.codes.exact.linear import rank
from anyk.domains.prime import PrimeField
from anyk.privacy.information import bits_learned, symbols_learned
from anyk.schemes.base import Encoded
from anyk.testing.expect import require, subsets

__all__ = ["check_masks", "check_privacy"]

_ROUNDING = 1e-9
_SAMPLE = 4096  # coordinates on which the noise is judged
_DOUBT = 7.0  # standard deviations: false alarms have a chance below 1e-11 each


def check_masks(encoded: Encoded, X: NDArray[Any]) -> None:
    """The shares are D·X + M·masks for some masks; over the reals, of variance 1, independent.

    Args:
        encoded: what `encode(X)` returned.
        X: the blocks.

    Raises:
        AssertionError: if they are not.
    """
    domain, encoder = encoded.scheme.domain, encoded.encoder
    rest = (encoded.shares - domain.matmul(encoder.data, X)).reshape(len(encoded.shares), -1)
    if isinstance(domain, PrimeField):
        noise = domain.reduce(rest)
        both = np.concatenate([encoder.masks, noise], axis=1)
        explained = rank(domain, both) == rank(domain, encoder.masks)
        require(explained, "the shares are not D·blocks + M·masks")
        return
    masks = np.linalg.lstsq(encoder.masks, rest)[0]
    left = np.abs(rest - encoder.masks @ masks).max()
    small = _ROUNDING * max(np.abs(encoded.shares).max(), np.abs(X).max())
    require(left <= small, f"the shares are not D·blocks + M·masks: {left:.2g} is left")
    _check_noise(encoded)


def _check_noise(encoded: Encoded) -> None:
    """The shares of zeros have the covariance M M^H, and the next coordinate's none with them."""
    scheme, masks = encoded.scheme, encoded.encoder.masks
    fresh = scheme.encode(np.zeros((encoded.encoder.data.shape[1], _SAMPLE)))
    noise, masks = fresh.shares, fresh.encoder.masks
    expected = masks @ masks.conj().T
    sizes = np.sqrt(np.abs(np.diag(expected)))
    scale = np.where(sizes > 0.0, sizes, 1.0)[:, None] * np.where(sizes > 0.0, sizes, 1.0)
    doubt = _DOUBT * math.sqrt(2.0 / _SAMPLE)
    seen = noise @ noise.conj().T / _SAMPLE
    wrong = float((np.abs(seen - expected) / scale).max())
    require(wrong <= doubt, f"the noise has not variance 1: its covariance is off by {wrong:.2g}")
    next_to = noise[:, 1:] @ noise[:, :-1].conj().T / _SAMPLE
    alike = float((np.abs(next_to) / scale).max())
    require(alike <= doubt, f"two coordinates have noise with correlation {alike:.2g}")


def check_privacy(encoded: Encoded, patterns: int, generator: np.random.Generator) -> None:
    """No T workers learn more than is promised; some more do, so that it is not vacuous.

    Args:
        encoded: of a scheme that promises privacy.
        patterns: how many coalitions to try where there are more.
        generator: where samples come from.

    Raises:
        AssertionError: if a coalition learns too much, or the promise covers more colluders.
    """
    if isinstance(encoded.scheme.domain, PrimeField):
        _check_symbols(encoded, encoded.scheme.domain, patterns, generator)
    else:
        _check_bits(encoded, patterns, generator)


def _check_bits(encoded: Encoded, patterns: int, generator: np.random.Generator) -> None:
    promise, encoder = encoded.scheme.guarantee, encoded.encoder
    leakage, deviation = promise.leakage, promise.data_std
    if leakage is None or deviation is None:
        raise AssertionError("colluders, but no leakage for data of any standard deviation")

    def learned(coalition: tuple[int, ...]) -> float:
        chosen = list(coalition)
        data, masks = encoder.data[chosen], encoder.masks[chosen]
        return bits_learned(data, masks, variance=deviation**2)

    everyone = tuple(range(promise.workers))
    for coalition in subsets(everyone, promise.colluders, patterns, generator):
        bits = learned(coalition)
        told = f"workers {coalition} learn {bits:.6g} bits"
        require(bits <= leakage * (1.0 + _ROUNDING), f"{told}; {leakage:.6g} are promised")
    if promise.colluders < promise.workers:
        require(learned(everyone) > leakage, "all workers together learn no more than is promised")


def _check_symbols(
    encoded: Encoded, field: PrimeField, patterns: int, generator: np.random.Generator
) -> None:
    scheme, encoder = encoded.scheme, encoded.encoder
    everyone, colluders = range(scheme.guarantee.workers), scheme.guarantee.colluders

    def learned(coalition: tuple[int, ...]) -> int:
        chosen = list(coalition)
        return symbols_learned(field, encoder.data[chosen], encoder.masks[chosen])

    for coalition in subsets(everyone, colluders, patterns, generator):
        symbols = learned(coalition)
        require(symbols == 0, f"workers {coalition} learn {symbols} symbols")
    if colluders < scheme.guarantee.workers:
        larger = subsets(everyone, colluders + 1, patterns, generator)
        if any(learned(who) for who in larger):
            return
        coalition = tuple(everyone)  # let go of all who are not needed to learn something
        for worker in everyone:
            rest = tuple(who for who in coalition if who != worker)
            coalition = rest if learned(rest) else coalition
        told = f"no {colluders + 1} workers learn anything, but {coalition} do"
        require(len(coalition) == colluders + 1, told)
