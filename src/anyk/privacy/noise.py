"""How much Gaussian noise keeps what a coalition learns below a number of bits."""

from __future__ import annotations

import math
from typing import Any

import scipy  # its submodules load when first used: import anyk stays quick
from numpy.typing import NDArray

from anyk.checks import positive
from anyk.errors import InvalidArgument, Unachievable
from anyk.privacy.coalitions import most_bits_learned, rows_of
from anyk.privacy.information import bits_learned

__all__ = ["noise_for", "settle_noise", "settled_noise"]

_PLENTY = 1e-6  # variance of the data, in that of the noise, to start from
_CLOSE = 1e-4  # of the leakage asked for
_ROUNDING = 5e-5  # below the leakage asked for, so that rounding never leads beyond it
_FEW = 1000  # coalitions, where the likely one is looked for
_STEPS = 100
_STRIDE = 3.0


def settle_noise(scheme: Any) -> None:
    """Make the noise's parameters floats: leakage or sigma, one of them, where there are colluders.

    Args:
        scheme: a frozen value with the fields colluders, leakage, sigma and data_std, in its
            `__post_init__`.

    Raises:
        InvalidArgument: if a number is not positive, both or none are given, or one is given
            without colluders.
    """
    for name in ("leakage", "sigma", "data_std"):
        value = getattr(scheme, name)
        if value is not None or name == "data_std":
            number = positive(name, value, change="Pass a positive number.", squared=True)
            object.__setattr__(scheme, name, number)
    given = [name for name in ("leakage", "sigma") if getattr(scheme, name) is not None]
    if scheme.colluders and len(given) != 1:
        raise InvalidArgument(
            "leakage",
            given=" and ".join(f"{name}={getattr(scheme, name)}" for name in given) or "None",
            needed="leakage or sigma, one of them",
            change="Ask for leakage=0.1 bits, say.",
        )
    if given and not scheme.colluders:
        raise InvalidArgument(
            given[0],
            given=str(getattr(scheme, given[0])),
            needed="None without colluders",
            change="Pass colluders=1.",
        )


def settled_noise(
    scheme: Any, data: NDArray[Any], masks: NDArray[Any], *, pieces: int = 1
) -> tuple[float, float | None]:
    """The noise's standard deviation, and what the T workers learn who learn most.

    Args:
        scheme: as for `settle_noise`.
        data: D, ndarray (N r, K), real or complex.
        masks: M, ndarray (N r, T r); its columns are independent noise of the same standard
            deviation, whose sum has that returned.
        pieces: r, how many rows one worker sees.

    Returns:
        sigma, as given or as the leakage needs it, and bits a coordinate; 0 and None without
        colluders.

    Raises:
        Unachievable: if no noise hides the data.
    """
    if not scheme.colluders:
        return 0.0, None
    masks, variance = masks / math.sqrt(masks.shape[1]), scheme.data_std**2
    most, asked = scheme.colluders, scheme.leakage
    if asked is not None:
        return noise_for(data, masks, most, variance=variance, leakage=asked, pieces=pieces)
    sigma = float(scheme.sigma)
    worst = most_bits_learned(data, sigma * masks, most, variance=variance, pieces=pieces)
    return sigma, worst.bound


def noise_for(
    data: NDArray[Any],
    masks: NDArray[Any],
    colluders: int,
    *,
    variance: float,
    leakage: float,
    pieces: int = 1,
) -> tuple[float, float]:
    """The standard deviation of noise with which no coalition learns more than `leakage` bits.

    The worst coalition at some noise sets the next: that with which it learns `leakage` exactly,
    until no other learns more. Where there are too many to try, a bound for them takes its place:
    what a coalition learns is concave in x, the ratio of variances of data and noise, and 0 at 0,
    so that from g(x) <= L the step to x L / g(x) never leads beyond L.

    Args:
        data: D, ndarray (N r, K), real or complex.
        masks: M, ndarray (N r, masks); its columns multiply noise of the standard deviation sought.
        colluders: T, from 1 to N.
        variance: of each coordinate of each block.
        leakage: L, bits a coordinate.
        pieces: r, how many rows one worker sees.

    Returns:
        sigma, and the bits that the worst coalition learns with it: `leakage` to one part in ten
        thousand, and no more.

    Raises:
        Unachievable: if a coalition's shares lack noise, so that no sigma hides the data.

    Example:
        >>> from anyk.privacy.noise import noise_for
        >>> one = np.ones((1, 1))
        >>> sigma, bits = noise_for(one, one, 1, variance=3.0, leakage=1.0)
        >>> round(sigma, 3), round(bits, 3)
        (1.0, 1.0)
    """
    ratio, aim = _PLENTY, leakage * (1.0 - _ROUNDING)
    likely = most_bits_learned(data, masks, colluders, variance=ratio, sets=_FEW, pieces=pieces)
    if 0.0 < likely.found < math.inf:  # a full search takes time: start where it may end
        who = rows_of(likely.coalition, pieces)
        ratio = _ratio_for(data[who], masks[who], aim, ratio)
    for _ in range(_STEPS):
        worst = most_bits_learned(data, masks, colluders, variance=ratio, pieces=pieces)
        if math.isinf(worst.bound):
            raise Unachievable(
                "leakage",
                given=f"{leakage:.3g}",
                needed=f"noise in all that workers {worst.coalition} put together",
                change="Lower colluders or workers: some shares are too much alike.",
            )
        if (1.0 - _CLOSE) * leakage <= worst.bound <= leakage or not worst.bound:
            break
        if worst.exact:
            who = rows_of(worst.coalition, pieces)
            ratio = _ratio_for(data[who], masks[who], aim, ratio)
        else:
            ratio *= aim / worst.bound / (2.0 if worst.bound > leakage else 1.0)
    return math.sqrt(variance / ratio), worst.bound


def _ratio_for(data: NDArray[Any], masks: NDArray[Any], bits: float, start: float) -> float:
    """The ratio of variances, data to noise, at which these workers learn so many bits."""

    def excess(log_ratio: float) -> float:
        return bits_learned(data, masks, variance=math.exp(log_ratio)) / bits - 1.0

    low = high = math.log(start)
    while excess(low) > 0.0:
        low -= _STRIDE
    while excess(high) < 0.0:
        high += _STRIDE
    if low == high:
        return start
    return math.exp(scipy.optimize.brentq(excess, low, high, xtol=_CLOSE / 8.0))
