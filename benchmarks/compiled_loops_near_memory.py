"""With numba, products bound by memory cost what float64's own cost, and elements far less.

Claims: X @ w and X^T v of 4,000 x 2,000 modulo 2**31 - 1 at most 1.3 times numpy's float64, on one
thread each, from uint32 and from int64; a worker's logistic gradient, X^T (X w) of 954 x 785, at
most 2 times; x * y and x**5 of 10**6 elements at most 0.5 and 0.3 times what they cost without. All
are equal to numpy's forms. What a first call costs is said, with and without numba's cache.

Run: OMP_NUM_THREADS=1 python benchmarks/compiled_loops_near_memory.py [--tiny]  (needs anyk[fast])
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

import anyk
from anyk.bench.measure import interval, table
from anyk.domains import compiled
from anyk.power_sums import PowerSums

FIRST = """
import os, pathlib, time
import numpy as np
from anyk.domains.kernel import modular_matmul
memory = pathlib.Path("/proc/self/statm")  # pages; of Linux
pages = lambda: int(memory.read_text().split()[1]) if memory.exists() else 0
size = lambda: pages() * os.sysconf("SC_PAGE_SIZE") / 2**20
row, big, before = np.ones((1, 64), np.int64), np.ones((64, 64), np.uint32), size()
start = time.process_time()
modular_matmul(row, big, 2**31 - 1)
print(time.process_time() - start, size() - before)
"""


def cpu_seconds(sides, rounds):
    """CPU seconds of each side, turn by turn."""
    taken = {name: np.empty(rounds) for name in sides}
    for call in sides.values():
        call()
    for turn in range(rounds):
        for name, call in sides.items():
            start = time.process_time()
            call()
            taken[name][turn] = time.process_time() - start
    return taken


def first_calls():
    """CPU seconds and MB of a first product: nothing cached, and in a later process."""
    with tempfile.TemporaryDirectory() as cache:
        changed = {"ANYK_FAST": "1", "NUMBA_CACHE_DIR": cache}
        for what in ("nothing cached", "from the cache"):
            done = subprocess.run(  # noqa: S603 - our own interpreter
                [sys.executable, "-c", FIRST],
                check=True,
                capture_output=True,
                text=True,
                env=os.environ | changed,
            )
            seconds, megabytes = map(float, done.stdout.split())
            print(f"first product, {what}: {seconds:.2f} s of CPU, {megabytes:.0f} MB")


def products(field, shape, rounds):
    """X @ w, X^T v and X^T (X w) beside numpy's, of residues in each type."""
    generator = np.random.default_rng(0)
    x = generator.integers(0, field.modulus, shape)
    w, v = (generator.integers(0, field.modulus, size) for size in shape[::-1])
    floats, w_floats, v_floats = (each.astype(float) for each in (x, w, v))
    there = PowerSums(powers=(1,))
    weights, other = field.array(w[:, None, None]), field.array(v)
    rows = []
    for kind in (field.at_rest(x).dtype, x.dtype):
        own = x.astype(kind)
        share = anyk.domains.array.FieldArray.of_residues(own, field)
        sides = {
            "float64 X @ w": lambda: floats @ w_floats,
            "X @ w": lambda share=share: share @ weights[:, 0, 0],
            "float64 X^T v": lambda: floats.T @ v_floats,
            "X^T v": lambda share=share: share.T @ other,
            "float64 X^T (X w)": lambda: floats.T @ (floats @ w_floats),
            "X^T (X w)": lambda share=share: there(share, weights),
        }
        seconds = cpu_seconds(sides, rounds)
        for name in ("X @ w", "X^T v", "X^T (X w)"):
            ours, theirs = seconds[name], seconds[f"float64 {name}"]
            label = f"{name}, {shape[0]} x {shape[1]}, p = {field.modulus}, {kind}"
            rows.append([label, *map(interval, (1e3 * ours, 1e3 * theirs, ours / theirs))])
    return rows


def elements(field, size, rounds):
    """Products and powers of elements, with the loops and as numpy makes them."""
    generator = np.random.default_rng(1)
    x, y = generator.integers(0, field.modulus, (2, size))
    modulus = field.modulus

    def reduced(values):
        return values - values // modulus * modulus

    def fifth():
        square = reduced(x * x)
        return reduced(reduced(square * square) * x)

    sides = {
        "x * y": lambda: compiled.times(x, y, modulus),
        "numpy x * y": lambda: reduced(x * y),
        "x**5": lambda: compiled.power(x, 5, modulus),
        "numpy x**5": fifth,
    }
    for name in ("x * y", "x**5"):
        if not np.array_equal(sides[name](), sides[f"numpy {name}"]()):
            raise SystemExit("the loops and numpy disagree")
    seconds = cpu_seconds(sides, rounds)
    return [
        [f"{name}, {size} elements", *map(interval, (1e3 * ours, 1e3 * theirs, ours / theirs))]
        for name in ("x * y", "x**5")
        for ours, theirs in [(seconds[name], seconds[f"numpy {name}"])]
    ]


def main() -> None:
    """Measure all sides in one run, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    tiny = parser.parse_args().tiny
    reason = compiled.load()
    if reason:
        print(f"nothing is compiled: {reason}")
        return
    rounds = 5 if tiny else 25
    shapes = [(500, 300)] if tiny else [(4000, 2000), (954, 785)]
    if not tiny:
        first_calls()
    rows = [
        row
        for modulus in (2**31 - 1, 2**25 - 39)
        for shape in shapes
        for row in products(anyk.PrimeField(modulus), shape, rounds)
    ]
    rows += elements(anyk.PrimeField(), 10**5 if tiny else 10**6, rounds)
    print("milliseconds of CPU; median (95 % interval)")
    print(table(["", "compiled", "numpy", "ratio"], rows))


if __name__ == "__main__":
    main()
