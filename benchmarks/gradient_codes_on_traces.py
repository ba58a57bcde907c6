"""How long a sum over all data takes on workers with recorded delays, by each gradient code.

Claims: at equal load `PartialWork` has a p50 at least 1.5 times below that of `CyclicRepetition`,
and takes no longer than M-SGC (`SequentialGradient`) over 300 rounds; also on traces, and under the
other reading of them, on which nothing was chosen. (The chunks of `PartialWork` and the numbers of
M-SGC are chosen on `load_0.250`. Beside these, M-SGC has the numbers of its paper, and such as are
best on the first rounds of the very course: by hindsight.)

A worker's time in a trace is that of one share of the uncoded job, 1/N of it. A share of another
size takes its part of that (`rate`: a slow worker is slow all the time), or what exceeds the usual
computing time is a late start, after which all are equally fast (`start`). Both readings are
shown, as nobody recorded which is true. A load of c is c shares. The data lie on the workers; but
for duplicates, they are sent nothing but 1 ms ahead. Each answer is a gradient of `--numbers`
doubles, 1 ms on its way, and passes the master's one link of 1.25 GB/s after those before it. Who
is sent that a chunk is known skips it from 1 ms after that time on. Decoding is not counted.

A course is 300 rounds of a trace, in order and again, workers drawn anew whenever it begins again;
all ways have the same ones. In a round all begin free, also those who were late before, as in the
paper that recorded the traces. When answers are enough is said by the schemes' own tallies.

    python benchmarks/gradient_codes_on_traces.py --trace TRACE.npz [--tiny]

The trace is an .npz with arrays `load_0.500` and the like, rounds x workers, in seconds; without
one, delays are drawn from a model that says what it is.
"""

from __future__ import annotations

import argparse
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import product

import numpy as np

import anyk
from anyk.bench.measure import table
from anyk.schemes.tally import AbstractTally, BlockTally, CountTally

LATENCY, BANDWIDTH = 1e-3, 1.25e9  # seconds a message, bytes a second
ROUNDS = 300
CHOSEN_ON = "load_0.250"
TRACES = ("load_0.500", "load_1.000", "cold_load_0.250", "cold_load_0.500", "cold_load_1.000")
SHOWN = "load_0.500"
FASTER = 1.5
PUBLISHED = 27 / 256  # late workers of M-SGC, in its paper: W = 2, B = 1, twice the first answer
OURS, THEIRS, ANCHOR = "PartialWork", "CyclicRepetition", "M-SGC"


@dataclass(frozen=True)
class Round:
    """When each worker begins, its seconds for an uncoded share, and others of the same round."""

    start: np.ndarray
    pace: np.ndarray
    others: tuple[np.ndarray, np.ndarray] = field(repr=False)


@dataclass(frozen=True)
class Took:
    """What a round took: seconds, answers, work (1.0 is the uncoded job's), bytes a worker sent."""

    seconds: float
    answers: int
    work: float
    sent: float


Way = Callable[[Round], Took]


def link(ends: np.ndarray, size: float) -> np.ndarray:
    """When answers that are sent at these times, in increasing order, have passed the link."""
    down = size / BANDWIDTH
    places = np.arange(len(ends))
    return np.maximum.accumulate(ends + LATENCY - down * places) + down * (places + 1)


def done_work(draw: Round, load: float, until: float) -> float:
    """How much has been computed by then, where each worker has so much."""
    return float(np.clip((until - LATENCY - draw.start) / draw.pace, 0.0, load).sum())


@dataclass(frozen=True)
class Coded:
    """A code of one answer a worker, or of several that are computed in order.

    Args:
        load: of a worker, in shares.
        pieces: how many answers it has.
        size: bytes of each.
        tally: makes what tells when answers are enough.
    """

    load: float
    pieces: int
    size: float
    tally: Callable[[], AbstractTally]

    def __call__(self, draw: Round) -> Took:
        """What a round takes."""
        each = draw.pace * self.load / self.pieces
        ends = LATENCY + draw.start[:, None] + each[:, None] * np.arange(1, self.pieces + 1)
        order = np.argsort(ends, axis=None, kind="stable")
        arrivals = link(ends.ravel()[order], self.size)
        tally, workers = self.tally(), len(draw.start)
        for place, share in enumerate(order.tolist()):
            tally.add(share)
            if tally.enough:
                last = float(arrivals[place])
                work = done_work(draw, self.load, last) / workers
                return Took(last, place + 1, work, (place + 1) * self.size / workers)
        return Took(np.inf, len(order), self.load, self.pieces * self.size)


@dataclass(frozen=True)
class Skipping:
    """`PartialWork` as it runs: chunks that are known are skipped, and late ones are sent again.

    Args:
        scheme: which.
        size: bytes of an answer.
        again: whether a chunk that nobody has answered when its workers are late, by the measure of
            executors, is computed by an idle worker too.
    """

    scheme: anyk.PartialWork
    size: float
    again: bool = True

    def __call__(self, draw: Round) -> Took:
        """What a round takes."""
        scheme, promise = self.scheme, self.scheme.guarantee
        workers, pieces = promise.workers, promise.pieces
        held = np.empty(workers * pieces, dtype=int)
        for chunk, shares in enumerate(scheme.replicas(None).blocks):
            held[shares] = chunk
        chunk_of = held.tolist()
        each = (draw.pace * promise.load / scheme.problem.blocks * workers / pieces).tolist()
        events = [(LATENCY + begin + each[n], n, 0) for n, begin in enumerate(draw.start.tolist())]
        heapify(events)
        tally, known, heard = scheme.tally(None), {}, set()
        settled, free, answers = np.inf, 0.0, 0
        while events:
            end, n, piece = heappop(events)
            free = max(free, end + LATENCY) + self.size / BANDWIDTH
            answers += 1
            tally.add(n * pieces + piece)
            known.setdefault(chunk_of[n * pieces + piece], free)
            heard.add(n)
            if 2 * len(heard) > workers and np.isinf(settled):
                settled = free
            if tally.enough:
                last, again = free, 0
                if self.again:
                    finished = [
                        max(known[chunk_of[who * pieces + own]] for own in range(pieces))
                        for who in range(workers)
                    ]
                    last, again = self._sent_again(draw, known, finished)
                begun = sum(
                    min(1.0, max(0.0, 1.0 - (at - last) / each[who])) for at, who, _ in events
                )
                work = (answers + again + begun) * promise.load / pieces / scheme.problem.blocks
                return Took(last, answers, work, answers * self.size / workers)
            piece += 1
            while (
                piece < pieces
                and max(known.get(chunk_of[n * pieces + piece], np.inf), settled) + LATENCY <= end
            ):
                piece += 1
            if piece < pieces:
                heappush(events, (end + each[n], n, piece))
        raise AssertionError("all answers are enough")

    def _sent_again(
        self, draw: Round, known: dict[int, float], finished: list[float]
    ) -> tuple[float, int]:
        """When all chunks are known, if those that are late are sent again, and how many are."""
        limit = anyk.Lateness().after(sorted(finished)[: len(finished) // 2 + 1], len(finished))
        late = sorted((when, chunk) for chunk, when in known.items() if when > limit)
        if len(late) > len(finished) // 2:
            return max(known.values()), 0
        start, pace = (each[: len(late)] for each in draw.others)
        chunk = pace * self.scheme.workers / self.scheme.problem.blocks
        ends = limit + 3 * LATENCY + start + chunk + self.size / BANDWIDTH
        first = np.minimum([when for when, _ in late], ends)
        in_time = max(when for when in known.values() if when <= limit)
        return float(max([in_time, *first])), len(late)


def duplicated(rule: str, size: float) -> Way:
    """Shares that are late are sent to idle workers once more; their data travel too."""

    def way(draw: Round) -> Took:
        workers = len(draw.start)
        ends = LATENCY + draw.start + draw.pace
        done = np.sort(ends)
        if rule == "early":  # the last tenth, as soon as nine tenths are there
            when = done[int(0.9 * workers) - 1]
        else:  # three times the median, once half are there
            when = max(3 * np.median(done[: workers // 2]), done[workers // 2 - 1])
        late = np.flatnonzero(ends > when)
        start, pace = (each[: len(late)] for each in draw.others)
        other = when + 2 * LATENCY + start + pace
        finish = ends.copy()
        finish[late] = np.minimum(finish[late], other)
        last = float(link(np.sort(finish), size)[-1])
        work = done_work(draw, 1.0, last)
        work += float(np.clip((last - other + pace) / pace, 0.0, 1.0).sum())
        return Took(last, workers, work / workers, size)

    return way


def counted(needed: int) -> Callable[[], AbstractTally]:
    """Any so many shares."""
    return lambda: CountTally(needed)


def of_scheme(scheme: anyk.AbstractScheme, size: float) -> Coded:
    """A scheme for sums, by its own tally."""
    promise = scheme.guarantee
    load = promise.load / scheme.problem.blocks * promise.workers
    return Coded(load, promise.pieces, size, lambda: scheme.tally(None))


def coupons(workers: int, copies: int, size: float) -> Way:
    """Batches drawn anew in each round; without all of them it fails, and takes forever."""
    batches, rng = -(-workers // copies), np.random.default_rng(0)

    def way(draw: Round) -> Took:
        drawn = rng.integers(0, batches, workers).tolist()
        if len(set(drawn)) < batches:
            return Took(np.inf, workers, float(copies), size)
        scheme = anyk.BatchedCoupons(workers, workers, batches, drawn=tuple(drawn))
        return of_scheme(scheme, size)(draw)

    return way


def in_order(scheme: anyk.PartialWork, size: float, order: str) -> Coded:
    """The chunks of `PartialWork` in another order within each worker; nothing is skipped."""
    workers, pieces = scheme.workers, scheme.guarantee.pieces
    held = np.empty(workers * pieces, dtype=int)
    for chunk, shares in enumerate(scheme.replicas(None).blocks):
        held[shares] = chunk
    rows = held.reshape(workers, pieces)
    rng = np.random.default_rng(0)
    rows = np.sort(rows, axis=1) if order == "sorted" else rng.permuted(rows, axis=1)
    told = rows.ravel().tolist()
    load = scheme.guarantee.load / scheme.problem.blocks * workers
    return Coded(load, pieces, size, lambda: BlockTally(scheme.problem.blocks, 1, told))


def ways(workers: int, copies: int, size: float, chunks: int) -> dict[str, Way]:
    """Every way, by its name; those after the first few have a load of `copies`."""
    late = copies - 1
    partial = anyk.PartialWork(workers, late, blocks=chunks * workers)
    made: dict[str, Way] = {
        "uncoded": Coded(1.0, 1, size, counted(workers)),
        "last tenth twice": duplicated("early", size),
        "3 medians twice": duplicated("cubed", size),
        f"without {late}, inexact": Coded(1.0, 1, size, counted(workers - late)),
        "FractionalRepetition": of_scheme(anyk.FractionalRepetition(workers, workers, late), size),
        THEIRS: of_scheme(anyk.CyclicRepetition(workers, late), size),
        "CyclicMDS": of_scheme(anyk.CyclicMDS(workers, late), size),
        "YeAbbe, half messages": of_scheme(anyk.YeAbbe(workers, late - 1, 2), size / 2),
        "BatchedCoupons": coupons(workers, copies, size),
        OURS: Skipping(partial, size),
        "  nothing sent again": Skipping(partial, size, again=False),
        "  nothing skipped": of_scheme(partial, size),
        "  random order": in_order(partial, size, "random"),
        "  sorted order": in_order(partial, size, "sorted"),
    }
    if copies == 2:
        expander = anyk.ExpanderRepetition(workers, workers, stragglers=workers // 10)
        made["Expander, a tenth late, inexact"] = of_scheme(expander, size)
    return made


def course_of(
    plan: anyk.SequentialGradient, patience: float, size: float, rounds: list[Round]
) -> list[Took]:
    """M-SGC: a round waits for so many times its first answer, and then for whom it must."""
    course, found = plan.course(), []
    for draw in rounds:
        course.begin()
        messages = len(course.active)
        ends = LATENCY + draw.start + draw.pace * plan.load * messages / plan.parts
        order = np.argsort(ends, kind="stable")
        arrivals = link(ends[order], size * messages)
        heard = int(np.searchsorted(arrivals, patience * arrivals[0], side="right"))
        heard += bisect_left(
            range(len(order) - heard),
            1,
            key=lambda more: course.bearable(order[heard + more :].tolist()),
        )
        last = patience * arrivals[0] if heard < len(order) else 0.0
        last = float(max(last, arrivals[heard - 1]))
        course.close(order[heard:].tolist())
        work = done_work(draw, plan.load, last) / plan.workers
        found.append(Took(last, heard, work, heard * messages * size / plan.workers))
    return found


def rounds_of(
    trace: np.ndarray, usual: float | None, workers: int, number: int, seed: int
) -> Iterator[Round]:
    """One course: the rounds of a trace in order, with the same workers until it begins again.

    `usual` are the seconds of computing where what exceeds them is a late start; None where a slow
    worker is slow all the time.
    """
    rng = np.random.default_rng(seed)

    def read(seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if usual is None:
            return np.zeros(len(seconds)), seconds
        return np.maximum(seconds - usual, 0.0), np.full(len(seconds), usual)

    for number_of in range(number):
        row = trace[number_of % len(trace)]
        if number_of % len(trace) == 0:
            order = rng.permutation(len(row))
        again = rng.permutation(len(row))[:workers]
        yield Round(*read(row[order[:workers]]), others=read(row[again]))


def traces(options: argparse.Namespace) -> dict[str, np.ndarray]:
    """Rounds x workers in seconds, by name; `load_0.000` is what takes no computing."""
    if options.trace is None:
        print("no --trace: 0.9 s + an exponential of mean 0.2 s, and one in fifty 10 s late\n")
        rng = np.random.default_rng(options.seed)
        late = 10.0 * (rng.random((30, 256)) < 0.02)
        return {"model": 0.9 + rng.exponential(0.2, (30, 256)) + late}
    with np.load(options.trace) as file:
        return {name: np.asarray(file[name], float) for name in file.files}


def plans(workers: int, copies: int, *, tiny: bool) -> Iterator[anyk.SequentialGradient]:
    """Those that M-SGC chooses from: of at most this load."""
    shares = (1 / 256, 1 / 64, 1 / 32, 1 / 16, 0.1, 0.15, 0.2, 0.3, 0.5)
    late = sorted({max(1, round(share * workers)) for share in shares})
    windows = (2, 3) if tiny else (2, 3, 5, 10, 20)
    for S, W, B in product(late, windows, (1, 2)):
        if B < W and workers > S:
            plan = anyk.SequentialGradient(workers, S, W, B)
            if plan.load <= copies:
                yield plan


def seconds(took: list[Took]) -> float:
    """Of a whole course."""
    return sum(each.seconds for each in took)


def planned(
    workers: int, copies: int, size: float, courses: list[list[Round]], *, tiny: bool
) -> tuple[anyk.SequentialGradient, float]:
    """Plan and patience of M-SGC: the fastest on these rounds."""
    return min(
        product(plans(workers, copies, tiny=tiny), (1.0, 1.5, 2.0, 3.0)),
        key=lambda each: sum(seconds(course_of(*each, size, course)) for course in courses),
    )


def chunked(workers: int, copies: int, size: float, courses: list[list[Round]]) -> int:
    """How many times N chunks `PartialWork` has: the fastest on these rounds."""

    def took(chunks: int) -> float:
        way = Skipping(anyk.PartialWork(workers, copies - 1, blocks=chunks * workers), size)
        return sum(seconds([way(draw) for draw in course]) for course in courses)

    return min((1, 2, 4, 8), key=took)


def told(name: str, took: list[Took], rng: np.random.Generator) -> list[str]:
    """A row of the table."""
    found = np.array([each.seconds for each in took])
    fails = int(np.isinf(found).sum())
    again = np.quantile(rng.choice(found, (200, len(found))), 0.99, axis=1, method="lower")
    low, high = np.quantile(again, [0.025, 0.975], method="lower")
    p50, p99 = np.quantile(found, [0.5, 0.99], method="lower")
    mean = [float(np.mean([getattr(each, part) for each in took])) for part in ("answers", "work")]
    sent = float(np.mean([each.sent for each in took]))
    return [
        name,
        f"{p50:.2f}",
        f"{found.mean():.2f}",
        f"{p99:.2f} ({low:.2f} to {high:.2f})",
        f"{mean[0]:.0f}",
        f"{mean[1]:.2f}",
        f"{sent / 1e3:.0f}",
        f"{found.sum():.0f}" if not fails else f"{fails} of {len(found)} fail",
    ]


def readings(trace: np.ndarray, idle: float) -> list[tuple[str, float | None]]:
    """Both, with the usual seconds of computing."""
    return [("rate", None), ("start", max(float(np.median(trace)) - idle, 1e-3))]


def job(workers: int, copies: int, recorded: dict[str, np.ndarray], options) -> list[str]:
    """Print the table of one load; what of the claims does not hold."""
    size, number = 8.0 * options.numbers, options.rounds
    idle = float(np.median(recorded.get("load_0.000", np.zeros(1))))
    names = [name for name in TRACES if name in recorded] or list(recorded)
    tuned = recorded.get(CHOSEN_ON, recorded[names[0]])
    few = 10 if options.tiny else 30
    courses = [list(rounds_of(tuned, usual, workers, few, 1)) for _, usual in readings(tuned, idle)]
    chunks = chunked(workers, copies, size, courses)
    plan, patience = planned(workers, copies, size, courses, tiny=options.tiny)
    published = anyk.SequentialGradient(workers, round(PUBLISHED * workers), 2, 1)
    print(
        f"N = {workers}, load {copies}, gradients of {options.numbers} numbers; {number} rounds. "
        f"Chosen on {CHOSEN_ON}: {chunks} N chunks; S = {plan.stragglers}, W = {plan.window}, "
        f"B = {plan.burst} (load {plan.load:.2f}, {plan.delay} rounds of delay), "
        f"{patience} times the first answer"
    )
    rng, rows, fails = np.random.default_rng(options.seed), [], []
    for name in names:
        for reading, usual in readings(recorded[name], idle):
            course = list(rounds_of(recorded[name], usual, workers, number, options.seed))
            every = ways(workers, copies, size, chunks)
            if name != SHOWN and len(names) > 1:
                every = {each: every[each] for each in (THEIRS, OURS)}
            took = {each: [way(draw) for draw in course] for each, way in every.items()}
            took[ANCHOR] = course_of(plan, patience, size, course)
            took[f"{ANCHOR}, as published"] = course_of(published, 2.0, size, course)
            best = planned(workers, copies, size, [course[: 2 * few]], tiny=options.tiny)
            took[f"{ANCHOR}, by hindsight"] = course_of(*best, size, course)
            shown = [told(each, found, rng) for each, found in took.items()]
            rows += [[name, reading, *each] for each in shown]
            middle = {
                each: np.median([one.seconds for one in found]) for each, found in took.items()
            }
            setting = f"N = {workers}, load {copies}, {name}, {reading}"
            faster = middle[THEIRS] / middle[OURS]
            whole = seconds(took[ANCHOR]) / seconds(took[OURS])
            least = min(seconds(each) for who, each in took.items() if who.startswith(ANCHOR))
            least /= seconds(took[OURS])
            print(f"{setting}: p50 {faster:.2f} times below {THEIRS}'s; {ANCHOR} takes "
                  f"{whole:.2f} times as long over {number} rounds, and {least:.2f} by hindsight "
                  "or as published")  # fmt: skip
            if faster < FASTER:
                fails.append(f"{setting}: p50 {faster:.2f} times below {THEIRS}'s")
            if whole < 1.0:
                fails.append(f"{setting}: {ANCHOR} takes {whole:.2f} times as long")
    header = ["trace", "reading", "way", "p50 s", "mean s", "p99 s", "answers", "work"]
    header += ["kB a worker", "all s"]
    print(table(header, rows), "\n")
    return fails


def main() -> None:
    """Compare every way on every trace."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trace", help="an .npz of rounds x workers in seconds")
    parser.add_argument("--workers", type=int, nargs="+", default=[40, 256])
    parser.add_argument("--loads", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--numbers", type=int, default=10_000, help="of a gradient")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tiny", action="store_true", help="few workers and rounds, no verdict")
    options = parser.parse_args()
    if options.tiny:
        options.workers, options.rounds = [16], 40
    recorded = traces(options)
    fails = [
        each
        for workers in options.workers
        for copies in options.loads
        for each in job(workers, copies, recorded, options)
    ]
    if options.tiny:
        return
    for text in fails:
        print(f"MISSED: {text}")
    raise SystemExit(1 if fails else 0)


if __name__ == "__main__":
    main()
