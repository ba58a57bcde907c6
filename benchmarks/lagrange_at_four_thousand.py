"""Lagrange with 4,096 workers, 1,000 blocks, 1,000 numbers a block, from first to last.

Claims: encoding and recovery, with the preparation of their matrices, take at most 20 s together;
naming 50 liars takes at most 60 s more.

Run: python benchmarks/lagrange_at_four_thousand.py [--tiny]
"""

import argparse
import time

import numpy as np

import anyk
from anyk.bench.measure import interval, table


def main() -> None:
    """Take the time of each step, with new points in every round so that nothing is prepared."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    tiny = parser.parse_args().tiny
    blocks, workers, length, lies = (40, 160, 40, 5) if tiny else (1000, 4096, 1000, 50)
    rounds = 3 if tiny else 7

    generator = np.random.default_rng(0)
    names = (
        "encode",
        "recover, threshold answers",
        "recover, all answers",
        "recover, all answers, liars among them",
    )
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        scheme = anyk.Lagrange(
            blocks=blocks, degree=3, workers=workers - turn, adversaries=lies, colluders=1
        )
        field = scheme.field
        X = generator.integers(0, field.modulus, (blocks, length))
        truth = field.power(X, 3)
        start = time.perf_counter()
        encoded = scheme.encode(X)
        seconds[names[0]].append(time.perf_counter() - start)

        answers = field.power(encoded.shares, 3)
        lied = answers.copy()
        liars = sorted(generator.choice(len(lied), lies, replace=False).tolist())
        lied[liars] = generator.integers(0, field.modulus, (lies, length))
        least = generator.permutation(len(answers))[: scheme.guarantee.threshold].tolist()
        everyone = range(len(answers))
        for name, values, who, suspects in (
            (names[1], answers[least], least, ()),
            (names[2], answers, everyone, ()),
            (names[3], lied, everyone, tuple(liars)),
        ):
            start = time.perf_counter()
            recovered = encoded.decode(values, who)
            seconds[name].append(time.perf_counter() - start)
            if recovered.suspects != suspects or not np.array_equal(recovered.value, truth):
                raise SystemExit(f"{name}: wrong")
    print(f"{scheme}\n{scheme.guarantee}\nblocks of {length:,} numbers")
    print(
        table(
            ["", "seconds, median (95 % interval)"], [[n, interval(s)] for n, s in seconds.items()]
        )
    )
    first = np.array(seconds[names[0]]) + np.array(seconds[names[1]])
    print(f"\nencode and recover: {interval(first)} s; claim: at most 20")
    more = np.array(seconds[names[3]]) - np.array(seconds[names[2]])
    print(f"naming {lies} liars, more than without: {interval(more)} s; claim: at most 60")


if __name__ == "__main__":
    main()
