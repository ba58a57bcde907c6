"""Lagrange with 4,096 workers and 1,000 blocks, from first to last, and liars at other sizes.

Claims: recovery from all answers, 50 liars among them, takes at most 2 s of CPU with the
preparation of its matrices, and names the liars; one liar beyond the limit is refused.

Every round takes another number of workers, so that nothing is prepared. Seconds are those of the
CPU, of one core where OMP_NUM_THREADS=1 is set.

Run: OMP_NUM_THREADS=1 python benchmarks/lagrange_at_four_thousand.py [--tiny]
"""

import argparse
import time

import numpy as np

import anyk
from anyk.bench.measure import interval, table

STEPS = (
    "encode",
    "recover, threshold answers",
    "recover, all answers",
    "recover, all answers, liars among them",
)
SIZES = [  # workers, blocks, liars, numbers a block
    (256, 64, 20, 100),
    (1024, 250, 50, 100),
    (4096, 1000, 50, 100),
    (4096, 1000, 200, 100),
    (10_000, 2400, 50, 100),
    (10_000, 2400, 1000, 100),
]


class Case:
    """Data, shares, answers and lies of one scheme."""

    def __init__(self, workers: int, blocks: int, lies: int, length: int, seed: int) -> None:
        generator = np.random.default_rng(seed)
        self.scheme = anyk.Lagrange(
            blocks=blocks, degree=3, workers=workers, adversaries=lies, colluders=1
        )
        field = self.scheme.field
        self.X = generator.integers(0, field.modulus, (blocks, length))
        self.truth = field.power(self.X, 3)
        self.order = generator.permutation(workers)
        self.lies = generator.integers(1, field.modulus, (lies + 1, length))
        self.liars = tuple(sorted(self.order[:lies].tolist()))

    def answers(self, encoded: anyk.Encoded, liars: int) -> np.ndarray:
        """Those of all workers, of which some lie."""
        field = self.scheme.field
        answers = field.power(encoded.shares, 3)
        some = self.order[:liars]
        answers[some] = field.reduce(answers[some] + self.lies[:liars])
        return answers

    def seconds(self, encoded: anyk.Encoded, answers: np.ndarray, who, suspects) -> float:
        """What a recovery takes, which must be right."""
        start = time.process_time()
        recovered = encoded.decode(answers, who)
        taken = time.process_time() - start
        if recovered.suspects != suspects or not np.array_equal(recovered.value, self.truth):
            raise SystemExit(f"{self.scheme}: wrong")
        return taken


def from_first_to_last(workers: int, blocks: int, lies: int, length: int, rounds: int) -> None:
    """Print what each step takes."""
    seconds: dict[str, list[float]] = {name: [] for name in STEPS}
    for turn in range(rounds):
        case = Case(workers - turn, blocks, lies, length, turn)
        start = time.process_time()
        encoded = case.scheme.encode(case.X)
        seconds[STEPS[0]].append(time.process_time() - start)
        answers, lied = case.answers(encoded, 0), case.answers(encoded, lies)
        least = case.order[-case.scheme.guarantee.threshold :].tolist()
        everyone = range(len(answers))
        for name, values, who, suspects in (
            (STEPS[1], answers[least], least, ()),
            (STEPS[2], answers, everyone, ()),
            (STEPS[3], lied, everyone, case.liars),
        ):
            seconds[name].append(case.seconds(encoded, values, who, suspects))
    print(f"{case.scheme}\n{case.scheme.guarantee}\nblocks of {length:,} numbers, {rounds} rounds")
    rows = [[name, interval(each)] for name, each in seconds.items()]
    print(table(["", "CPU seconds, median (95 % interval)"], rows))
    named = interval(seconds[STEPS[3]])
    print(f"\n{lies} liars named, recovery included: {named} s; claim: at most 2")


def at(workers: int, blocks: int, lies: int, length: int, rounds: int) -> list[object]:
    """Recovery with the most liars that are named; one more is refused."""
    honest, lied = [], []
    for turn in range(rounds):
        case = Case(workers - 2 * turn, blocks, lies, length, turn)
        encoded = case.scheme.encode(case.X)
        everyone = range(len(encoded.shares))
        again = Case(workers - 2 * turn - 1, blocks, lies, length, turn)
        other = again.scheme.encode(again.X)
        honest.append(again.seconds(other, again.answers(other, 0), everyone[:-1], ()))
        lied.append(case.seconds(encoded, case.answers(encoded, lies), everyone, case.liars))
        try:
            encoded.decode(case.answers(encoded, lies + 1), everyone)
        except anyk.TooManyErrors:
            continue
        raise SystemExit(f"{case.scheme}: {lies + 1} liars are not refused")
    return [workers, blocks, lies, length, interval(honest), interval(lied), "refused"]


def main() -> None:
    """Take the time of each step, then of recoveries at other sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    tiny = parser.parse_args().tiny
    from_first_to_last(*((160, 40, 5, 40) if tiny else (4096, 1000, 50, 1000)), 3 if tiny else 7)
    sizes, rounds = (SIZES[:1], 2) if tiny else (SIZES, 5)
    header = ["workers", "blocks", "liars", "numbers", "CPU s, all honest", "liars named"]
    print()
    print(table([*header, "one liar more"], [at(*size, rounds) for size in sizes]))


if __name__ == "__main__":
    main()
