"""What encoding and recovery cost beside the product itself, on one core.

Claim: for `Polynomial` with m = n = 4 on 17 workers and matrices of 4,000 x 4,000, encoding both
factors and recovering the product from 16 answers take at most 15 % of the product on one core,
over float64 (numpy's product) and modulo 2^31 - 1 (anyk's).

All sides are measured in one run, in CPU seconds of this process; set OMP_NUM_THREADS=1 to have the
product on one core, as it is not without. With all 17 answers recovery also looks for liars.

    OMP_NUM_THREADS=1 python benchmarks/encoding_products_is_cheap.py [--size 4000] [--tiny]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np

import anyk
from anyk.bench.measure import table

MOST = 0.15
DOMAINS = {"float64": anyk.Reals(), "2^31 - 1": anyk.PrimeField()}


def cpu(action: Callable[[], object], rounds: int) -> float:
    """The least CPU seconds of a few rounds."""
    best = np.inf
    for _ in range(rounds):
        start = time.process_time()
        action()
        best = min(best, time.process_time() - start)
    return float(best)


def row(name: str, size: int, rounds: int) -> list[object]:
    """What each step takes, and by how much of the product."""
    domain, rng = DOMAINS[name], np.random.default_rng(0)
    shape = (size, size)
    if domain.exact:
        A, B = (rng.integers(0, domain.modulus, shape) for _ in range(2))
    else:
        A, B = rng.normal(size=shape), rng.normal(size=shape)
    scheme = anyk.Polynomial((4, 1, 4), 17, domain)
    product = cpu(lambda: domain.matmul(A, B), 1 if domain.exact else rounds)
    encode = cpu(lambda: scheme.encode((A, B)), rounds)
    encoded = scheme.encode((A, B))
    answers = np.stack([domain.matmul(*share) for share in zip(*encoded.parts, strict=True)])
    few, every = tuple(range(1, 17)), tuple(range(17))
    recover = cpu(lambda: encoded.recovery(few).recover(answers[1:]), rounds)
    checked = cpu(lambda: encoded.recovery(every).recover(answers), rounds)
    if not np.allclose(encoded.decode(answers, every).value, domain.matmul(A, B)):
        raise SystemExit("another product")
    share = (encode + recover) / product
    seconds = [f"{each:.3f}" for each in (product, encode, recover, checked)]
    return [name, size, *seconds, f"{share:.3f}"]


def main() -> int:
    """Print a row for each domain."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=4000)
    parser.add_argument("--tiny", action="store_true", help="matrices of 200 x 200, no verdict")
    options = parser.parse_args()
    size = 200 if options.tiny else options.size
    rows = [row(name, size, 3) for name in DOMAINS]
    header = [
        "over",
        "size",
        "product s",
        "encode",
        "recover 16",
        "of 17",
        "(encode + 16) / product",
    ]
    print(table(header, rows))
    print(f"\nclaim: at most {MOST}")
    return 0 if options.tiny else int(any(float(each[-1]) > MOST for each in rows))


if __name__ == "__main__":
    sys.exit(main())
