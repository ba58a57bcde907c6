"""A hundred thousand workers: what one master does, what one code costs, and what a tree does.

Every figure on the page `docs/hundred-thousand-workers.md` is printed here:

1. one master: warm runs of N tiny tasks on Inline and on Simulated, and answers a second of CPU;
2. one code: CPU seconds to encode and decode K blocks of Lagrange's code, and the size of its
   decoding matrix;
3. a tree: R racks of n workers, a code within each rack (any k of n) and one across racks (any K of
   R), against one code over all (any kK of nR), against copies and against no code. Times are drawn
   from a model of delays; the part of masters is what the first table measured for an answer;
4. a small tree that runs: each worker of one `anyk.run` is a master of workers of its own.

Claims: the formula of answers that are enough is right for each pattern of a small tree; in the
model, a tree at the same rate takes at most 1.25 times as long as one code over all workers while
its masters take no time, and less when they do.

    python benchmarks/hundred_thousand_workers.py [--tiny]

It exits with 1 if a claim fails.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import anyk
from anyk.bench.measure import interval, table
from anyk.delays import AbstractDelays, Occasional, ShiftedExponential

BLOCK = 8  # numbers in a block
MOST_TIMES = 1.25
LARGE = 10_000  # workers, from where on a tree is worth it
ASKED = 1000  # workers up to which the shortlist is asked: it looks at matrices over the reals


@dataclass(frozen=True)
class Tree:
    """Racks of workers, a code within each, and one across them.

    Args:
        racks: R.
        across: K, how many racks are enough.
        workers: n, in each rack.
        within: k, how many of them are enough.
    """

    racks: int
    across: int
    workers: int
    within: int

    @property
    def all(self) -> int:
        """How many workers there are."""
        return self.racks * self.workers

    @property
    def survives(self) -> int:
        """How many workers may be late, whichever they are."""
        return (self.racks - self.across + 1) * (self.workers - self.within + 1) - 1

    def enough(self, answered: Any) -> Any:
        """Whether these answers are enough, bool ndarray (.., R, n)."""
        return (answered.sum(axis=-1) >= self.within).sum(axis=-1) >= self.across

    def seconds(self, drawn: Any, an_answer: float) -> Any:
        """When the value is there, of delays ndarray (rounds, R, n)."""
        inner = np.partition(drawn, self.within - 1, axis=-1)[..., self.within - 1]
        inner = inner + self.within * an_answer
        outer = np.partition(inner, self.across - 1, axis=-1)[..., self.across - 1]
        return outer + self.across * an_answer


def one_master(sizes: list[int], rounds: int) -> tuple[str, float]:
    """The first table, and CPU seconds of an answer among as many as there are."""
    rows, last = [], 0.0
    late = ShiftedExponential(shift=1.0, mean=1.0)
    for engine in ("Inline", "Simulated"):
        for workers in sizes:
            made: Any = (
                anyk.Inline(workers)
                if engine == "Inline"
                else anyk.Simulated(workers, delays=late, generator=np.random.default_rng(0))
            )
            X = np.ones((workers // 2, BLOCK))
            scheme, cpu = anyk.Replication(workers // 2, workers), []
            with made as executor, anyk.distribute(scheme, X, executor) as data:
                for _ in range(rounds + 1 if workers < LARGE else 2):
                    start = time.process_time()
                    data.run(np.negative, progress=False)
                    cpu.append(time.process_time() - start)
            took = interval(cpu[1:])
            answers = workers // 2 if engine == "Inline" else workers
            if engine == "Inline":
                last = took.median / answers
            rows.append([engine, f"{workers:,}", str(took), f"{answers / took.median:,.0f}"])
    return table(["one master", "workers", "CPU s a run", "answers / s"], rows), last


def one_code(sizes: list[int]) -> str:
    """The second table."""
    rows, rng = [], np.random.default_rng(0)
    for blocks in sizes:
        scheme = anyk.Lagrange(blocks=blocks, degree=1, workers=2 * blocks)
        X = rng.integers(scheme.field.modulus, size=(blocks, BLOCK))
        start = time.process_time()
        encoded = scheme.encode(X)
        between = time.process_time()
        chosen = sorted(rng.permutation(2 * blocks)[:blocks].tolist())
        value = encoded.recovery(chosen).recover(encoded.parts[0][chosen]).value
        end = time.process_time()
        if not np.array_equal(value, X):
            raise SystemExit("wrong")
        rows.append(
            [f"{blocks:,}", f"{2 * blocks:,}", f"{between - start:.2f}", f"{end - between:.2f}",
             f"{8 * blocks**2 / 2**20:,.0f}"]
        )  # fmt: skip
    head = ["K", "workers", "encode CPU s", "decode CPU s", "matrix MiB"]
    return table(head, rows)


def models() -> Iterator[tuple[str, AbstractDelays]]:
    """Of delays beyond the second that a task takes: an exponential tail, and a few that hang."""
    yield "1 s + Exp(1 s)", ShiftedExponential(shift=0.0, mean=1.0)
    yield "1 s, 2 % take 11 s", Occasional(probability=0.02, seconds=10.0)


def drawn(model: AbstractDelays, tree: Tree, rounds: int) -> Any:
    """Seconds of all workers, ndarray (rounds, R, n), of racks of which some are down."""
    rng = np.random.default_rng(1)
    shape = rounds, tree.racks, tree.workers
    seconds = np.stack([model.sample(rng, tree.all) for _ in range(rounds)]).reshape(shape)
    down = rng.random(shape[:2]) < 0.01  # a switch: all of a rack
    return np.where(down[..., None], np.inf, 1.0 + seconds)


def a_tree(tree: Tree, rounds: int, an_answer: float) -> tuple[str, list[str]]:
    """The third table, and what does not hold."""
    rows, broken = [], []
    enough = tree.across * tree.within
    load = tree.all / enough  # a worker computes so much more than without a code
    for name, model in models():
        seconds = drawn(model, tree, rounds)
        flat = seconds.reshape(rounds, -1)
        any_of_all = np.partition(flat, enough - 1, axis=1)[:, enough - 1] * load
        pairs = flat.reshape(rounds, 2, -1).min(axis=1).max(axis=1) * 2  # in racks apart
        ways = {
            "no code": (flat.max(axis=1), tree.all * an_answer),
            "two copies": (pairs, tree.all // 2 * an_answer),
            "one code": (any_of_all, enough * an_answer),
        }
        for way, (waits, masters) in ways.items():
            rows.append([name, way, told(waits), told(waits + masters)])
        free, paid = (tree.seconds(load * seconds, each) for each in (0.0, an_answer))
        rows.append([name, "a tree", told(free), told(paid)])
        times = np.median(free) / np.median(any_of_all)
        if tree.all < LARGE:
            continue
        if times > MOST_TIMES or np.median(paid) > np.median(any_of_all + enough * an_answer):
            broken.append(f"{name}: a tree takes {times:.2f} times as long as one code")
    head = ["delays", "way", "s, masters free", "s, masters paid"]
    return table(head, rows), broken


def told(seconds: Any) -> str:
    """A median, or how often it never comes."""
    never = np.isinf(seconds).mean()
    if never > 0.5:
        return f"never, in {never:.0%}"
    return f"{np.median(seconds):.2f}" + (f" (never in {never:.0%})" if never else "")


def formula_holds() -> bool:
    """Whether `survives` is right for each pattern of late workers in small trees."""
    for tree in (Tree(3, 2, 3, 2), Tree(3, 1, 3, 3), Tree(4, 3, 3, 1)):
        patterns = np.array([*itertools.product([False, True], repeat=tree.all)])
        late = tree.all - patterns.sum(axis=1)
        good = tree.enough(patterns.reshape(-1, tree.racks, tree.workers))
        if not good[late <= tree.survives].all() or good[late == tree.survives + 1].all():
            return False
    return True


def run_a_tree(tree: Tree) -> int:
    """How many answers of workers a small tree had when its value was there."""
    outer = anyk.Lagrange(blocks=tree.across, degree=1, workers=tree.racks)
    inner = anyk.Lagrange(blocks=tree.within, degree=1, workers=tree.workers)
    heard: list[int] = []

    def rack(block: Any) -> Any:
        """What the master of a rack does: it cuts its share, and has workers of its own."""
        with anyk.Inline(tree.workers) as executor:
            outcome = anyk.run(inner, doubled, block.values.reshape(tree.within, -1), executor)
        heard.append(len(outcome.used))
        return outcome.value.reshape(-1)

    X = np.arange(tree.across * tree.within * BLOCK).reshape(tree.across, -1)
    with anyk.Inline(tree.racks) as executor:
        outcome = anyk.run(outer, anyk.of_degree(rack, 1), X, executor)
    if not np.array_equal(outcome.value, 2 * X):
        raise SystemExit("wrong")
    return sum(heard)


def doubled(x: Any) -> Any:
    """A linear function."""
    return x + x


def planned(tree: Tree) -> str:
    """What `schemes_for` takes for one level each, and whether it takes all workers at once."""
    lines = []
    for what, blocks, workers in (
        ("in a rack", tree.within, tree.workers),
        ("across racks", tree.across, tree.racks),
        ("over all", tree.across * tree.within, tree.all),
    ):
        if workers > ASKED:
            lines.append(f"{what}: any {blocks:,} of {workers:,}: not asked, it takes too long")
            continue
        threat = anyk.Threat(workers=workers, stragglers=workers - blocks)
        start = time.process_time()
        found = [*anyk.schemes_for(anyk.Map(blocks=blocks, degree=1), threat)]
        took = time.process_time() - start
        names = ", ".join(type(each).__name__ for each in found) or "nothing"
        lines.append(
            f"{what}: any {blocks:,} of {workers:,}: {names} ({took:.2f} s of CPU to say so)"
        )
    return "\n".join(lines)


def main() -> None:
    """Print all tables, and say what does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    tiny = parser.parse_args().tiny
    sizes = [100, 1000] if tiny else [1000, 10_000, 100_000]
    tree = Tree(10, 9, 20, 16) if tiny else Tree(250, 240, 400, 360)
    rounds = 20 if tiny else 100
    first, an_answer = one_master(sizes, 2 if tiny else 3)
    print(first, flush=True)
    print(f"\n{one_code([50, 100] if tiny else [500, 1000, 2000, 4000])}", flush=True)
    third, broken = a_tree(tree, rounds, an_answer)
    print(
        f"\n{tree.racks} racks of {tree.workers}, any {tree.across} racks with any {tree.within} "
        f"workers each: {tree.all:,} workers, rate "
        f"{tree.across * tree.within / tree.all:.3f}; {tree.across * tree.within:,} answers are "
        f"enough, in the right places; any {tree.survives:,} workers may be late; 1 % of racks "
        f"are down; an answer takes its master {an_answer * 1e6:.0f} us\n"
    )
    print(third, flush=True)
    print(f"\n{planned(tree)}", flush=True)
    small = Tree(4, 3, 5, 4)
    print(
        f"\na tree that runs: {small.racks} masters of {small.workers} workers, "
        f"{run_a_tree(small)} answers of {small.all} for the value"
    )
    if not formula_holds():
        broken.append("the formula of answers that are enough")
    if broken:
        raise SystemExit("the claims do not hold: " + "; ".join(broken))


if __name__ == "__main__":
    sys.exit(main())
