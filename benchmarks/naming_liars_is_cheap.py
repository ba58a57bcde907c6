"""Naming two liars among 24 workers costs little more than recovery without liars.

Claim: at most 1.5 times, with answers of 1,000,000 numbers.

Run: python benchmarks/naming_liars_is_cheap.py [--tiny]
"""

import argparse

import numpy as np

import anyk
from anyk.bench.measure import compare, interval, table


def main() -> None:
    """Measure recovery with and without liars in one run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    tiny = parser.parse_args().tiny
    length, rounds = (20_000, 3) if tiny else (1_000_000, 11)

    scheme = anyk.Lagrange(blocks=9, degree=2, workers=24, adversaries=2, colluders=1)
    naive = anyk.Lagrange(blocks=9, degree=2, workers=24, colluders=1)
    field = scheme.field
    generator = np.random.default_rng(0)
    X = generator.integers(0, field.modulus, (9, length))
    encoded = scheme.encode(X)
    answers = field.power(encoded.shares, 2)
    lied = answers.copy()
    liars = (3, 17)
    lied[list(liars)] = generator.integers(0, field.modulus, (2, length))
    truth = field.power(X, 2)
    everyone = range(24)
    recovery = encoded.recovery(everyone)
    blind = anyk.Encoded(naive, encoded.shares, None).recovery(range(19))

    recovered = recovery.recover(lied)
    if recovered.suspects != liars or not np.array_equal(recovered.value, truth):
        raise SystemExit("wrong")
    seconds = compare(
        {
            "19 answers, nothing to check": lambda: blind.recover(answers[:19]),
            "24 answers, checked, no liars": lambda: recovery.recover(answers),
            "24 answers, two liars named": lambda: recovery.recover(lied),
        },
        rounds=rounds,
    )
    honest = seconds["24 answers, checked, no liars"]
    print(f"{scheme}\nanswers of {length:,} numbers; median (95 % interval)")
    rows = [
        [name, interval(1e3 * sample), interval(sample / honest)]
        for name, sample in seconds.items()
    ]
    print(table(["", "milliseconds", "times the checked one"], rows))
    print("\nclaim: at most 1.5 times in the last row")


if __name__ == "__main__":
    main()
