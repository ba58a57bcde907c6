"""What more than T workers learn, and what it costs: veils without a cliff.

Copies of K = 4 blocks on N = 60 workers; no worker may learn more than 0.45 bits a coordinate
(T = 1). Compared are shapes of the noise that copies share: points x and -x at two distances,
where two workers who average their shares see a block; noise of each copy's own, where nothing
cancels; both mixed; simplices, and the shape that `VeiledReplication` chooses. Of each, what the
worst 1, 2, 3 and 4 workers learn (exact), and the error of ten functions, by that of x and -x,
with six random answers missing; the decoder is the same for all. None of these functions was
looked at when shapes and decoder were chosen.

    python benchmarks/no_cliff_beyond_t.py [--tiny] [--batches 40] [--picture PATH]

It exits with 1 if, of the shape chosen, two workers learn more than 4 times what one does, or the
geometric mean of errors is more than 1.5 times that of x and -x; or if for T = 2 or 3 any of
T + 1 to T + 3 workers learn more than twice (T + j) / T times what T do.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import anyk
from anyk.bench.reproduce.picture import INK, LETCC, OURS, QUIET, Picture, draw, tidy
from anyk.privacy.veils import Veil, simplices, thinnest
from anyk.randomness.entropy import SystemSource
from anyk.schemes.approximate.veiled_replication.layout import VeiledLayout
from anyk.schemes.approximate.veiled_replication.recovery import VeiledRecovery

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

BLOCKS, WORKERS, LATE, BITS, MOST = 4, 60, 6, 0.45, 4
STEEPEST, WORSE = 4.0, 1.5
OWN = (0.1, 0.2, 0.3, 0.45, 0.6)


def functions() -> dict[str, tuple[int, Callable[[Floats], Floats]]]:
    """Dimension of a block, and what is computed of it."""
    rng = np.random.default_rng(2026)
    first, second, third = (
        rng.normal(size=(a, b)) / a**0.5 for a, b in ((30, 40), (40, 40), (40, 8))
    )
    kernel = rng.normal(size=(3, 3)) / 3.0

    def leaky(x: Floats) -> Floats:
        return np.where(x > 0.0, x, 0.1 * x)

    def convolved(x: Floats) -> Floats:
        windows = np.lib.stride_tricks.sliding_window_view(x.reshape(-1, 8, 8), (3, 3), axis=(1, 2))
        return np.maximum(np.einsum("nabij,ij->nab", windows, kernel), 0.0)

    def mixed(x: Floats) -> Floats:
        logits = x.reshape(-1, 5, 6)
        weights = np.exp(logits - logits.max(axis=2, keepdims=True))
        return weights / weights.sum(axis=2, keepdims=True)

    def correlated(x: Floats) -> Floats:
        a, b = x[:, :20] + 1.0, x[:, 20:] - x[:, :20]
        return (np.sum(a * b, axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1))[
            :, None
        ]

    return {
        "leaky network": (30, lambda x: leaky(leaky(x @ first) @ second) @ third),
        "deep tanh": (30, lambda x: np.tanh(np.tanh(x @ first) @ second) @ third),
        "convolution": (64, convolved),
        "softmax rows": (30, mixed),
        "correlation": (40, correlated),
        "quadratic form": (30, lambda x: ((x @ first) ** 2 - 1.0)[:, :10]),
        "range": (12, lambda x: np.ptp(x, axis=1)[:, None]),
        "log-sum-exp": (16, lambda x: np.log(np.exp(x).sum(axis=1))[:, None]),
        "saturating": (12, lambda x: x / (1.0 + np.abs(x))),
        "running sum": (20, lambda x: np.maximum(np.cumsum(x, axis=1), 0.0)),
    }


def placed(shape: Veil) -> tuple[VeiledLayout, list[float]]:
    """A layout as thin as T = 1 allows, and bits that the worst 1, 2, .. learn."""
    veils = -(-WORKERS // BLOCKS // len(shape.points))
    factor = thinnest(
        shape, colluders=1, blocks=BLOCKS, veils=veils, variance=1.0, bits=BITS * (1.0 - 1e-9)
    )
    told = shape.told(BLOCKS, veils, factor**-2.0).tolist()
    layout = VeiledLayout(
        blocks=BLOCKS,
        workers=WORKERS,
        points=factor * shape.points,
        data_std=1.0,
        bits=told[1],
        beyond=tuple(told[2:]),
    )
    return layout, told[1:]


def shapes() -> dict[str, Veil]:
    """What is compared, the first with a cliff."""
    line = ((1.0, 0.0), (1.2, 0.0))
    mixed = {
        f"x and -x, own noise {own}": simplices(2, shells=line, own=own, most=MOST) for own in OWN
    }
    turned = ((1.0, 0.0), (1.4, 0.2))
    return {
        "x and -x": simplices(2, shells=line, most=MOST),
        "own noise alone": Veil(points=np.ones((1, 1)), most=MOST),
        **mixed,
        **{f"two simplices of {m}": simplices(m, shells=turned, most=MOST) for m in (5, 6, 7)},
    }


def errors(layout: VeiledLayout, batches: int) -> Floats:
    """The median relative error of each function."""
    found = []
    for at, (size, f) in enumerate(functions().values()):
        rng, rows = np.random.default_rng([7, at]), []
        for _ in range(batches):
            X = rng.normal(size=(BLOCKS, size))
            shares = layout.shares(X, SystemSource())
            who = rng.permutation(WORKERS)[: WORKERS - LATE]
            truth = f(X)
            value = VeiledRecovery(layout=layout, workers=tuple(who.tolist())).recover(
                f(shares[who])
            )
            off = np.asarray(value.value) - truth
            rows.append(math.sqrt(float(np.mean(off**2) / np.mean(truth**2))))
        found.append(float(np.median(rows)))
    return np.array(found)


def picture(rows: dict[str, tuple[list[float], Floats]], chosen: str) -> Picture:
    """Error against what two workers learn, and curves of what more of them do."""

    def paint(figure: Figure) -> None:
        price, curve = figure.subplots(1, 2)
        figure.subplots_adjust(left=0.08, right=0.97, top=0.8, bottom=0.22, wspace=0.25)
        for name, (told, ratios) in rows.items():
            color = LETCC if name == "own noise alone" else QUIET if "-x" in name else OURS
            fill = color if name == chosen or color != OURS else "none"
            pair = min(told[1] / told[0], 20.0)
            error = np.exp(np.mean(np.log(ratios)))
            price.plot(pair, error, "o", color=color, markerfacecolor=fill, markersize=6)
        price.axvline(STEEPEST, color=INK, linewidth=0.8, linestyle=":")
        price.set_ylim(bottom=0.0)
        what = "bits of the worst two / bits of one"
        tidy(price, "error / error of x and -x", x=what, y="")
        shown = (("x and -x, own noise 0.3", QUIET), ("own noise alone", LETCC), (chosen, OURS))
        for name, color in shown:
            told = rows[name][0]
            curve.plot(range(1, MOST + 1), told, "o-", color=color, label=name)
        curve.set_xticks(range(1, MOST + 1))
        curve.legend(fontsize=7, frameon=False)
        tidy(curve, "bits a coordinate", x="workers who put together what they hold", y="")

    return Picture(
        title="No cliff beyond T",
        caption=f"K = {BLOCKS}, N = {WORKERS}, T = 1, {BITS} bits. Hollow: other simplices. Grey: "
        f"x and -x with more and more own noise;\nwithout any, at 20, two see all. Dotted: the "
        f"most that is allowed, {STEEPEST:g} times.",
        size=(8.0, 3.6),
        paint=paint,
    )


def main() -> int:
    """Print the tables, and say whether the claim holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=40, help="batches a function and shape")
    parser.add_argument("--picture", type=Path, help="a PNG to write")
    parser.add_argument("--tiny", action="store_true", help="a few seconds, and no verdict")
    options = parser.parse_args()
    batches = 1 if options.tiny else options.batches
    chosen = anyk.VeiledReplication(BLOCKS, WORKERS, stragglers=LATE, colluders=1, leakage=BITS)
    layout = chosen.encode(np.zeros(BLOCKS)).layout
    layouts = {name: placed(shape) for name, shape in shapes().items()}
    layouts["chosen"] = (layout, [chosen.guarantee.leakage or 0.0, *chosen.guarantee.beyond])
    rows: dict[str, tuple[list[float], Floats]] = {}
    base = errors(layouts["x and -x"][0], batches)
    print(f"K={BLOCKS}, N={WORKERS}, S={LATE}, T=1, {BITS} bits; {batches} batches a function\n")
    print(f"{'noise':<24}{'bits of 2, 3, 4 by that of 1':>30}{'error, mean':>13}{'largest':>9}")
    for name, (each, told) in layouts.items():
        ratios = errors(each, batches) / base
        rows[name] = told, ratios
        curve = "  ".join(f"{bits / told[0]:6.2f}" for bits in told[1:])
        mean = math.exp(float(np.mean(np.log(ratios))))
        print(f"{name:<24}{curve:>30}{mean:>13.2f}{ratios.max():>9.2f}")
    told, ratios = rows["chosen"]
    print(
        "\nchosen, by function: "
        + ", ".join(f"{name} {ratio:.2f}" for name, ratio in zip(functions(), ratios, strict=True))
    )
    holds = told[1] <= STEEPEST * told[0] and float(np.mean(np.log(ratios))) <= math.log(WORSE)
    for colluders in (2, 3):
        promise = anyk.VeiledReplication(
            BLOCKS, WORKERS, stragglers=LATE, colluders=colluders, leakage=BITS
        ).guarantee
        curve = [bits / BITS for bits in promise.beyond]
        words = ", ".join(f"{times:.2f}" for times in curve)
        print(f"T={colluders}: T + 1, T + 2, T + 3 learn {words} times what T do")
        holds &= all(x <= 2.0 * (colluders + j) / colluders for j, x in enumerate(curve, start=1))
    if options.picture:
        draw(picture(rows, "chosen"), options.picture)
    print(f"\nclaimed: two workers at most {STEEPEST:g} times one, errors at most {WORSE} times")
    return 0 if holds or options.tiny else 1


if __name__ == "__main__":
    sys.exit(main())
