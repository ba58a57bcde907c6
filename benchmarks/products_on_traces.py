"""How long A @ x and A @ B take on workers with recorded delays, under every way to survive them.

Claim: coded pieces have at most half of early duplication's 99th percentile, at no more than 1.1
times its work, on traces on which the code's rate was not chosen (it was, on `load_0.250`); and a
decode error of at most 1e-11.

A worker's time in a trace is that of one share of the uncoded job, 1/N of it. A share of another
size takes its part of that (`rate`: a slow worker is slow all the time), or what exceeds the usual
computing time is a late start, after which all are equally fast (`start`). Both readings are
shown, as nobody recorded which is true. Each way gets the same draws, and pays for

- its computing, measured here for a share of its size, one thread;
- its messages: 1 ms each, and bytes at 1.25 GB/s through the master's one link, both directions,
  the answers one after the other (A is on the workers already, but for duplicates of shares, which
  are sent);
- encoding B and decoding, measured here.

Work is what workers had computed by the time of the value, by that of the uncoded job. The value of
each coded way is decoded and compared with numpy's, from the answers that come first in a draw.

    python benchmarks/products_on_traces.py --trace TRACE.npz [--tiny]

The trace is an .npz with arrays `load_0.500` and the like, rounds x workers, in seconds; without
one, delays are drawn from a model that says what it is.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import anyk
from anyk.bench.measure import table
from anyk.work import WorkerTask
from anyk.works.products import Product

LATENCY, BANDWIDTH = 1e-3, 1.25e9  # seconds a message, bytes a second
PIECES = 10
RATE = 1.2  # coded pieces by those that are needed
OURS, THEIRS = f"pieces {RATE}", "last tenth twice"
REALS = anyk.Reals()
CHOSEN_ON = "load_0.250"  # the trace on which the rate was chosen
MOST_LATE, MOST_WORK, MOST_ERROR = 0.5, 1.1, 1e-11
TRACES = ("load_0.500", "load_1.000", "cold_load_0.250", "cold_load_0.500", "cold_load_1.000")


@dataclass(frozen=True)
class Way:
    """One way to compute the product.

    Args:
        name: of it.
        enough: how many shares determine the product.
        pieces: how many a worker holds.
        load: of one share, by one of the uncoded job.
        compute: seconds for one share, measured.
        up, down: bytes to a worker, and of one answer.
        before, after: seconds to encode and to decode.
        error: of the decoded value.
    """

    name: str
    enough: int
    pieces: int
    load: float
    compute: float
    up: float
    down: float
    before: float
    after: float
    error: float


def seconds_of(action: Callable[[], object], rounds: int = 5) -> float:
    """The least of a few measurements."""
    best = np.inf
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - start)
    return float(best)


def measured(name: str, scheme, A, B, rng) -> Way:
    """A coded way, from running it."""
    left = scheme.encode_left(A)
    before = seconds_of(lambda: scheme.encode_right(left, B), 3)
    encoded = scheme.encode_right(left, B)
    *held, right = encoded.parts
    task = WorkerTask(Product(), scheme.domain, (), 2)
    promise, shares = encoded.guarantee, len(right)
    compute = seconds_of(lambda: task(held[0][0], right[0]))
    answered = tuple(np.sort(rng.choice(shares, promise.threshold, replace=False)))
    answers = np.stack([task(held[0][share], right[share]) for share in answered])
    recovery = encoded.recovery(answered)
    after = seconds_of(lambda: encoded.recovery(answered).recover(answers), 3)
    value = recovery.recover(answers).value
    truth = A @ B
    part = held[0][0].size * (right[0].size // right[0].shape[0])
    whole = A.size * (B.size // B.shape[0])
    return Way(
        name=name,
        enough=promise.threshold,
        pieces=promise.pieces,
        load=part / whole * promise.workers,
        compute=compute,
        up=right[0].nbytes * (1 if right.strides[0] == 0 else promise.pieces),
        down=answers[0].nbytes,
        before=before,
        after=after,
        error=float(np.linalg.norm(value - truth) / np.linalg.norm(truth)),
    )


def plain(A, B, workers: int) -> Way:
    """One share a worker, all of which are needed."""
    rows = -(-len(A) // workers)
    share = A[:rows]
    compute = seconds_of(lambda: share @ B)
    down = 8.0 * rows * (B.size // len(B))
    return Way("uncoded", workers, 1, 1.0, compute, B.nbytes, down, 0.0, 0.0, 0.0)


def blocks_of(rows: int, shares: int) -> int:
    """How many blocks to cut rows in, so that coded shares have about RATE times as many."""
    each, most = max(1, int(rows * RATE / shares)), -(-shares // RATE)
    return next(-(-rows // height) for height in (each, each + 1) if -(-rows // height) <= most)


def ways(A, B, workers: int, rng) -> list[Way]:
    """All coded ways for so many workers."""
    k, pieces = (blocks_of(len(A), shares) for shares in (workers, workers * PIECES))
    made = [
        measured(f"MDS {RATE}", anyk.MDS((k, 1, 1), workers, REALS), A, B, rng),
        measured(OURS, anyk.MDS((pieces, 1, 1), workers, REALS, pieces=PIECES), A, B, rng),
    ]
    if B.ndim == 1:
        return made
    m = max(each for each in range(1, k + 1) if k % each == 0 and each * each <= k)
    half = int(((k - 1) / 2) ** 0.5)  # 2 m n + 1 answers are enough of an entangled code with p = 2
    codes = {
        "Polynomial": anyk.Polynomial((k // m, 1, m), workers, REALS),
        "MatDot": anyk.MatDot((1, (k + 1) // 2, 1), workers, REALS),
        "Entangled": anyk.Entangled((half, 2, half), workers, REALS),
    }
    return [*made, *(measured(name, scheme, A, B, rng) for name, scheme in codes.items())]


@dataclass(frozen=True)
class Round:
    """Delays of one draw: when each worker begins, and its seconds for an uncoded share."""

    start: np.ndarray
    pace: np.ndarray


def coded(way: Way, draw: Round) -> tuple[float, float]:
    """Seconds to the value, and work."""
    workers = len(draw.start)
    sent = way.before + np.arange(1, workers + 1) * (way.up / BANDWIDTH)
    begin = sent + LATENCY + draw.start
    each = draw.pace * way.load + way.compute
    ends = begin[:, None] + each[:, None] * np.arange(1, way.pieces + 1)
    arrivals = np.sort(ends.ravel())[: way.enough] + LATENCY
    link = way.down / BANDWIDTH
    done = float(np.max(arrivals + link * np.arange(way.enough, 0, -1)))
    progress = np.clip((arrivals[-1] - LATENCY - begin) / each, 0, way.pieces)
    return done + way.after, float(progress.sum()) * way.load / workers


def duplicated(way: Way, draw: Round, again: Callable[[int], Round], rule: str, extra: float):
    """Seconds and work where shares that are late are sent to idle workers once more."""
    workers = len(draw.start)
    sent = np.arange(1, workers + 1) * (way.up / BANDWIDTH) + LATENCY
    ends = sent + draw.start + draw.pace + way.compute
    done = np.sort(ends)
    if rule == "early":  # the last tenth, as soon as nine tenths are there
        when = done[int(0.9 * workers) - 1]
    else:  # cubed's rule: three times the median, once half are there
        when = max(3 * np.median(done[: workers // 2]), done[workers // 2 - 1])
    late = np.flatnonzero(ends > when)
    finish = ends.copy()
    copies = again(len(late))
    resent = when + LATENCY + np.arange(1, len(late) + 1) * (way.up + extra) / BANDWIDTH
    other = resent + copies.start + copies.pace + way.compute
    finish[late] = np.minimum(finish[late], other)
    last = finish.max()
    work = np.clip((last - sent - draw.start) / (draw.pace + way.compute), 0, 1).sum()
    work += np.clip((last - resent - copies.start) / (copies.pace + way.compute), 0, 1).sum()
    return float(last) + LATENCY + workers * way.down / BANDWIDTH, float(work) / workers


def replicated(way: Way, draw: Round) -> tuple[float, float]:
    """Two copies of each of N/2 shares of twice the size, on workers far apart."""
    workers = len(draw.start)
    half = workers // 2
    sent = np.arange(1, workers + 1) * (way.up / BANDWIDTH) + LATENCY
    each = 2 * (draw.pace + way.compute)
    ends = sent + draw.start + each
    last = max(min(ends[i], ends[i + half]) for i in range(half))
    work = np.clip((last - sent - draw.start) / each, 0, 1).sum() * 2 / workers
    return float(last) + LATENCY + half * 2 * way.down / BANDWIDTH, float(work)


def draws(trace: np.ndarray, usual: float | None, workers: int, number: int, seed: int):
    """Draws of a round and its workers, and of as many more of the same round.

    `usual` are the seconds of computing where what exceeds them is a late start; None where a slow
    worker is slow all the time.
    """
    rng = np.random.default_rng(seed)
    for draw in range(number):
        row = trace[draw % len(trace)]
        order = rng.permutation(len(row))

        def of(places, row=row):
            seconds = row[places]
            if usual is None:
                return Round(np.zeros(len(seconds)), seconds)
            return Round(np.maximum(seconds - usual, 0.0), np.full(len(seconds), usual))

        yield (
            of(order[:workers]),
            lambda count, of=of, order=order: of(order[rng.integers(0, len(order), count)]),
        )


def percentiles(rounds: np.ndarray, sample: np.ndarray, rng) -> str:
    """The 99th, with its interval by a bootstrap over rounds and within them."""
    where = [np.flatnonzero(rounds == row) for row in range(rounds.max() + 1)]
    again = []
    for _ in range(200):
        chosen = rng.integers(len(where), size=len(where))
        places = np.concatenate([rng.choice(where[row], len(where[row])) for row in chosen])
        again.append(np.quantile(sample[places], 0.99))
    low, high = np.quantile(again, [0.025, 0.975])
    return f"{np.quantile(sample, 0.99):.2f} ({low:.2f} to {high:.2f})"


def traces(options) -> dict[str, np.ndarray]:
    """Rounds x workers in seconds, by name; `idle` is what takes no computing."""
    if options.trace is None:
        print("no --trace: 0.9 s + an exponential of mean 0.2 s, and one in fifty 10 s late\n")
        rng = np.random.default_rng(options.seed)
        late = 10.0 * (rng.random((30, 256)) < 0.02)
        return {"model": 0.9 + rng.exponential(0.2, (30, 256)) + late}
    with np.load(options.trace) as file:
        return {name: np.asarray(file[name], float) for name in file.files}


def sides(base: Way, coded_ways: list[Way], share: float, drawn) -> dict[str, np.ndarray]:
    """Seconds and work of every way in every draw, ndarrays (draws, 2)."""
    seen: dict[str, list[tuple[float, float]]] = {}
    for draw, again in drawn:
        results = {
            "uncoded": coded(base, draw),
            "two copies": replicated(base, draw),
            "cubed's rule": duplicated(base, draw, again, "cubed", share),
            THEIRS: duplicated(base, draw, again, "early", share),
            **{way.name: coded(way, draw) for way in coded_ways},
        }
        for name, result in results.items():
            seen.setdefault(name, []).append(result)
    return {name: np.array(results) for name, results in seen.items()}


def missed(told: str, seen: dict[str, np.ndarray]) -> list[str]:
    """What of the claim does not hold on a trace."""
    ours, theirs = seen[OURS], seen[THEIRS]
    late = np.quantile(ours[:, 0], 0.99) / np.quantile(theirs[:, 0], 0.99)
    work = ours[:, 1].mean() / theirs[:, 1].mean()
    if late <= MOST_LATE and work <= MOST_WORK:
        return []
    return [f"{told}: p99 {late:.2f} of early duplication's, at {work:.2f} times its work"]


def ways_table(workers: int, every: list[Way]) -> str:
    """What each way needs, and what it costs."""
    header = ["way", "needs", "of", "load", "compute ms", "encode ms", "decode ms", "error"]
    rows = [
        [
            way.name,
            way.enough,
            workers * way.pieces,
            f"{way.load * way.pieces:.2f}",
            *(
                f"{1e3 * seconds:.1f}"
                for seconds in (way.compute * way.pieces, way.before, way.after)
            ),
            f"{way.error:.1e}",
        ]
        for way in every
    ]
    return table(header, rows)


def job(A, B, workers: int, recorded: dict[str, np.ndarray], options) -> list[str]:
    """Print both tables of one job; what of the claim does not hold."""
    rng = np.random.default_rng(options.seed)
    base, coded_ways = plain(A, B, workers), ways(A, B, workers, rng)
    print(f"A {A.shape} @ B {B.shape}, N = {workers}; {options.draws} draws a trace")
    print(ways_table(workers, [base, *coded_ways]), "\n")
    idle = float(np.median(recorded.get("load_0.000", np.zeros(1))))
    names = [name for name in (CHOSEN_ON, *TRACES) if name in recorded] or list(recorded)
    rows, fails = [], []
    for name in names:
        trace = recorded[name]
        computing = max(float(np.median(trace)) - idle, 1e-3)
        for reading, usual in (("rate", None), ("start", computing)):
            drawn = draws(trace, usual, workers, options.draws, options.seed)
            seen = sides(base, coded_ways, A.nbytes / workers, drawn)
            rounds = np.arange(options.draws) % len(trace)
            for way, results in seen.items():
                took, work = results.T
                p50, p95 = np.quantile(took, [0.5, 0.95])
                tail = percentiles(rounds, took, rng)
                told = [f"{p50:.2f}", f"{p95:.2f}", tail, f"{work.mean():.2f}"]
                rows.append([name, reading, way, *told])
            if name != CHOSEN_ON:
                fails += missed(f"{B.ndim}-D, N = {workers}, {name}, {reading}", seen)
    print(table(["trace", "reading", "way", "p50 s", "p95 s", "p99 s", "work"], rows), "\n")
    off = [way for way in coded_ways if way.error > MOST_ERROR]
    return fails + [f"{way.name}: decode error {way.error:.1e}" for way in off]


def main() -> None:
    """Measure every way on every trace."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trace", help="an .npz of rounds x workers in seconds")
    parser.add_argument("--workers", type=int, nargs="+", default=[17, 40, 100])
    parser.add_argument("--draws", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tiny", action="store_true", help="small matrices, few draws, no verdict")
    options = parser.parse_args()
    size, columns = 4000, 400
    if options.tiny:
        size, columns, options.draws, options.workers = 240, 40, 60, [17]
    rng = np.random.default_rng(options.seed)
    A, recorded = rng.normal(size=(size, size)), traces(options)
    fails = [
        each
        for B in (rng.normal(size=size), rng.normal(size=(size, columns)))
        for workers in options.workers
        for each in job(A, B, workers, recorded, options)
    ]
    if options.tiny:
        return
    for text in fails:
        print(f"MISSED: {text}")
    raise SystemExit(1 if fails else 0)


if __name__ == "__main__":
    main()
