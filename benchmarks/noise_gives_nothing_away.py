"""No last bit of a share tells what its noise hides: three distinguishers that see through floats.

Each distinguisher is an event of one share, for a number x of the data and its neighbour x + 1/16:

- radius: pairs of normal numbers by Box and Muller lie on circles, of which a 52-bit uniform number
  leaves some; the event is that a pair lies on one of them for x, and on none for the neighbour;
- last bits: a float sum of x and noise has fewer last bits near 0 than noise alone;
- gaps: a float product of a normal number and the noise's size misses some floats; the event is
  that the neighbour would need noise that is missed.

They are tried on noise of floats as it was (Box and Muller's, x + p z in float64), where each must
find what the stated (epsilon, delta) excludes, and on the shares of the schemes, where none may. A
fourth one learns from half of the shares which of 4096 classes of last bits speak for x, and is
tried on the other half. And pixels are looked for by the circles, 17 values each, two at a time.

    python benchmarks/noise_gives_nothing_away.py [--tiny] [--samples 100000000] [--only Berrut]

It exits with 1 if a distinguisher finds nothing in floats, or something in the shares.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import scipy
from numpy.typing import NDArray
from rich.progress import track

import anyk
from anyk.bench.measure import table
from anyk.randomness.entropy import SystemSource, keystream

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]

DELTA, STEP = 1e-6, 1.0 / 16.0
PROMISED: dict[str, Any] = {"colluders": 1, "leakage": 0.1, "data_std": 0.3}
BATCH = 1 << 17
DOUBT = 1e-9  # that an interval misses, of each of two
CLASSES = 4096
LEVELS = np.arange(17) / 16.0
FAR, PAIRS = 4.5, 200  # noise radius, from which on circles are far apart; pairs looked at


@dataclass(frozen=True, kw_only=True)
class Shares:
    """What one worker sees: x times `weight`, under noise of standard deviation `size`."""

    weight: float
    size: float
    step: float
    epsilon: float
    draw: Callable[[Floats], Floats]


def floats(numbers: int) -> Shares:
    """Noise of floats: pairs by Box and Muller's transform of 52-bit uniforms, x + p z."""
    scheme = anyk.VeiledReplication(1, 12, **PROMISED)
    encoded = scheme.encode(np.zeros((1, numbers)))
    size = float(np.linalg.norm(encoded.encoder.masks, axis=1).min())  # of who learns most

    def draw(x: Floats) -> Floats:
        words = next(keystream(SystemSource(), 2 * x.size)).view(np.uint64)
        uniform = ((words >> np.uint64(12)) + 0.5) * 2.0**-52
        radius, angle = np.sqrt(-2.0 * np.log(uniform[0::2])), 2.0 * np.pi * uniform[1::2]
        return x + size * np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])

    step = float(encoded.encoder.grid.steps[0])
    return Shares(weight=1.0, size=size, step=step, epsilon=stated(encoded), draw=draw)


def shares_of(scheme: Any, numbers: int) -> Shares:
    """The share of the first worker, its real part."""
    encoded = scheme.encode(np.zeros((1, numbers)))
    encoder = encoded.encoder
    size = float(np.linalg.norm(encoder.masks[0]))
    return Shares(
        weight=float(encoder.data[0, 0].real),
        size=size * (math.sqrt(0.5) if np.iscomplexobj(encoder.masks) else 1.0),
        step=float(encoder.grid.steps[0]),
        epsilon=stated(encoded),
        draw=lambda x: np.ascontiguousarray(scheme.encode(x[None]).shares[0].real),
    )


def stated(encoded: Any) -> float:
    """The epsilon that anyk states for one number that differs by 1/16, at delta = 1e-6."""
    worst = anyk.worst_coalition(encoded, colluders=1)
    return float(worst.epsilon(sensitivity=STEP, delta=DELTA))


def circles(square: Floats) -> tuple[Floats, Floats]:
    """How far exp(-r^2/2) is from the uniforms of 52 bits, and how far rounding may bring it."""
    uniform = np.exp(-0.5 * square)
    place = uniform * 2.0**52 - 0.5
    return np.abs(place - np.rint(place)), 1.5 * uniform * square + 2e-6


def halves(shares: Floats) -> tuple[Floats, Floats]:
    """The numbers of all pairs: cosines and sines, where floats are drawn."""
    return shares[: shares.size // 2], shares[shares.size // 2 :]


def by_radius(seen: Shares, shares: Floats, x: float) -> Bools:
    """Pairs, of which the second number is known to be x: on a circle for x alone?"""
    first, second = halves(shares)
    other = ((second - seen.weight * x) / seen.size) ** 2
    here, may = circles(((first - seen.weight * x) / seen.size) ** 2 + other)
    there, might = circles(((first - seen.weight * (x + STEP)) / seen.size) ** 2 + other)
    event: Bools = (may < 0.05) & (here <= may) & (there > 5.0 * might)
    return event


def by_last_bits(seen: Shares, shares: Floats, x: float) -> Bools:
    """Near 0, bits that a sum with the neighbour, 1/16 or so, would have rounded away."""
    moved = seen.weight * (x + STEP)
    coarse = np.spacing(0.5 * abs(moved))
    event: Bools = (np.abs(shares) < 0.25 * abs(moved)) & (np.fmod(shares, coarse) != 0.0)
    return event


def by_gaps(seen: Shares, shares: Floats, x: float) -> Bools:
    """Between 0 and half of the neighbour, where the difference is exact: noise that is missed?"""
    moved = seen.weight * (x + STEP)
    noise = shares - moved
    near = noise / seen.size
    made = np.zeros(shares.shape, dtype=np.bool_)
    for normal in (near, np.nextafter(near, np.inf), np.nextafter(near, -np.inf)):
        made |= normal * seen.size == noise
    event: Bools = (shares * np.sign(moved) > 0.0) & (np.abs(shares) < 0.4 * abs(moved)) & ~made
    return event


ATTACKS: dict[str, tuple[float, Callable[[Shares, Floats, float], Bools]]] = {
    "radius": (0.5, by_radius),
    "last bits": (0.0, by_last_bits),
    "gaps": (15.0 / 16.0, by_gaps),
}


def batches(samples: int, told: str) -> Iterator[int]:
    """Numbers of shares to draw at a time."""
    whole = max(1, -(-samples // BATCH))
    for _ in track(range(whole), description=told, disable=not sys.stdout.isatty()):
        yield BATCH


def drawn(seen: Shares, x: float, number: int, *, alone: bool) -> Floats:
    """Shares of x, in pairs where only the first is not known: the second is always x."""
    given = np.full(number, x)
    if not alone:
        given[: number // 2] += STEP
    return seen.draw(given)


def tried(attack: str, seen: Shares, samples: int) -> list[Any]:
    """How often the event comes under x, and under its neighbour."""
    x, event = ATTACKS[attack]
    found, trials = np.zeros(2, dtype=np.int64), 0
    for number in batches(samples, attack):
        if attack == "radius":
            pair = [drawn(seen, x, number, alone=alone) for alone in (True, False)]
        else:
            pair = [seen.draw(np.full(number, each)) for each in (x, x + STEP)]
        events = [event(seen, each, x) for each in pair]
        found += [int(each.sum()) for each in events]
        trials += events[0].size
    return judged(seen, found, trials)


def learned(seen: Shares, samples: int) -> list[Any]:
    """By the classes of last bits that half of the shares say speak for x."""
    counts = np.zeros((2, 2, CLASSES), dtype=np.int64)
    for turn, number in enumerate(batches(samples, "classes")):
        for which, x in enumerate((0.3, 0.3 + STEP)):
            halves_of = np.array_split(seen.draw(np.full(number, x)), 2)
            for half, shares in enumerate(halves_of):
                whole = np.floor(shares / max(seen.step, seen.size * 2.0**-44))
                classes = (np.fmod(whole, CLASSES) + CLASSES).astype(np.int64) % CLASSES
                counts[(half + turn) % 2, which] += np.bincount(classes, minlength=CLASSES)
    chosen = counts[0, 0] > counts[0, 1]
    return judged(seen, counts[1][:, chosen].sum(axis=1), int(counts[1, 0].sum()))


def judged(seen: Shares, found: NDArray[Any], trials: int) -> list[Any]:
    """Chances under x and its neighbour, what is stated, and whether they are beyond that."""
    low = scipy.stats.beta.ppf(DOUBT, found[0], trials - found[0] + 1) if found[0] else 0.0
    high = scipy.stats.beta.ppf(1.0 - DOUBT, found[1] + 1, trials - found[1])
    allowed = math.exp(seen.epsilon) * high + DELTA
    chances = [f"{each / trials:.2e}" for each in found]
    return [trials, *chances, f"{allowed:.2e}", bool(low > allowed)]


def pixels(seen: Shares, samples: int) -> str:
    """Of far pairs of pixels, how many are found by the circles, both and exactly."""
    rng, right, tried_ = np.random.default_rng(0), 0, 0
    for number in batches(samples, "pixels"):
        x = rng.choice(LEVELS, size=number)
        pairs = np.stack(halves(seen.draw(x)), axis=1)
        truth = np.stack(halves(x), axis=1)
        middle = (pairs - 0.5 * seen.weight) / seen.size
        for place in np.flatnonzero(np.hypot(*middle.T) > FAR):
            squares = ((pairs[place, :, None] - seen.weight * LEVELS) / seen.size) ** 2
            off, may = circles(squares[0][:, None] + squares[1])
            left = np.argwhere(off <= may)
            right += len(left) == 1 and bool((LEVELS[left[0]] == truth[place]).all())
            tried_ += 1
        if tried_ >= PAIRS:
            break
    return f"{right} of {tried_}"


def main() -> int:
    """Print, for floats and for each scheme, what each distinguisher finds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    parser.add_argument("--samples", type=int, default=10**8, help="of each of x and its neighbour")
    parser.add_argument("--only", default="", help="floats, or a scheme; all by default")
    options = parser.parse_args()
    samples = 10**6 if options.tiny else options.samples
    numbers = BATCH
    schemes = (
        anyk.VeiledReplication(1, 12, **PROMISED),
        anyk.Berrut(1, 2, **PROMISED),
        anyk.AnalogLagrange(blocks=1, degree=1, workers=2, **PROMISED),
    )
    all_seen = {"floats": floats(numbers)}
    all_seen |= {type(scheme).__name__: shares_of(scheme, numbers) for scheme in schemes}
    all_seen = {name: seen for name, seen in all_seen.items() if options.only in {"", name}}
    rows, bad = [], 0
    for name, seen in all_seen.items():
        for attack in ATTACKS:
            result = tried(attack, seen, samples if name != "floats" else min(samples, 10**7))
            rows.append([name, attack, f"{seen.epsilon:.3f}", *result])
            bad += result[-1] != (name == "floats")
        if name != "floats":
            result = learned(seen, samples)
            rows.append([name, "classes", f"{seen.epsilon:.3f}", *result])
            bad += result[-1]
    heads = [
        "shares",
        "event",
        "epsilon",
        "samples",
        "under x",
        "under x + 1/16",
        "allowed",
        "beyond",
    ]
    print(f"how often an event comes, and e^epsilon times the other chance plus {DELTA:g}")
    print(table(heads, rows))
    found = [[name, pixels(seen, samples)] for name, seen in all_seen.items()]
    print("pairs of pixels found exactly, where the noise of both is far out")
    print(table(["shares", "found"], found))
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
