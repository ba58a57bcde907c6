"""Exact products modulo a prime cost a few float64 products of the same shape, and are exact.

Claims, by CPU time, of numpy's float64 product of the same shape in the same run, on one thread of
BLAS, from residues at rest to residues at rest (uint32):
(32 x 16) @ (16 x 10^6) modulo 2^31 - 1 at most 2.5 times, a prime of 24 bits 1.5 times;
(1000 x 1000) @ (1000 x 1000) at most 5 and 1.6 times;
X @ w and X^T v, 4000 x 2000, at most 3.6 and 4 times, with numba 1.3 times;
a worker's logistic gradient on 954 x 785 at most 6 times, with numba 2 times;
stacks (2000, 8, 8) and (10000, 3, 3) at most 50 times;
python-flint's nmod_mat beaten in each product of matrices, at least 4 times in the first.

The last table counts random products that were compared with Python's integers.

Run: python benchmarks/exact_kernel_near_float_speed.py [--tiny] [--products 1000000]
(needs anyk[bench]; without numba, nothing is compiled, and it says so)
"""

import argparse
import os
import platform
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import flint
import numpy as np

import anyk
from anyk.bench.measure import interval, table
from anyk.domains import compiled
from anyk.domains.compiled import calls
from anyk.domains.integers import is_prime
from anyk.domains.kernel import modular_matmul, modular_stack, stack, thin, tiny, wide
from anyk.domains.kernel import product as kernel_product
from anyk.power_sums import PowerSums

LARGE, SMALL = 2**31 - 1, 2**24 - 3
MATRICES = {  # the last three were used to tune nothing
    "(32x16)@(16x10^6)": (32, 16, 1_000_000),
    "1000^3": (1000, 1000, 1000),
    "(12x5)@(5x50000)": (12, 5, 50_000),
    "(12x5)@(5x500)": (12, 5, 500),
    "(47x29)@(29x200000)": (47, 29, 200_000),
    "(333x777)@(777x555)": (333, 777, 555),
    "(9x450)@(450x3500)": (9, 450, 3500),
}
VECTORS = {"4000x2000": (4000, 2000), "1237x3011": (1237, 3011), "954x785": (954, 785)}
STACKS = {
    "(2000,8,8)": ((2000, 8, 8), (2000, 8, 8)),
    "(10000,3,3)": ((10000, 3, 3), (10000, 3, 3)),
    "(150,5,40)@(150,40,21)": ((150, 5, 40), (150, 40, 21)),
    "(3000,6,7)@(7,9)": ((3000, 6, 7), (7, 9)),
}


def main() -> None:
    """Measure each setting in a process of its own, for BLAS reads its threads once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="sizes that run in seconds")
    parser.add_argument("--products", type=int, help="how many random products are compared")
    parser.add_argument("--part", help="of the run, in a process of its own")
    options = parser.parse_args()
    count = options.products or (1500 if options.tiny else 1_000_000)
    if options.part:
        part(options.part, tiny=options.tiny, count=count)
        return
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores; {_processor()}")
    settings = [("1", "0"), ("2", "0"), ("1", "1"), ("2", "1")]
    for threads, fast in settings[:1] if options.tiny else settings:
        _run("speed", options.tiny, count, threads, fast)
    for fast in "01":
        _run("exact", options.tiny, count, "1", fast)


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.partition(": ")[2] for line in lines if "model name" in line), "")


def _run(name: str, tiny: bool, count: int, threads: str, fast: str) -> None:  # noqa: FBT001
    if fast == "1" and find_spec("numba") is None:
        print("\nnumba is not installed: nothing is compiled")
        return
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
    command = [sys.executable, __file__, "--part", name, "--products", str(count)]
    subprocess.run(  # noqa: S603 - this file
        command + ["--tiny"] * tiny, env={**os.environ, **limits, "ANYK_FAST": fast}, check=True
    )


def part(name: str, *, tiny: bool, count: int) -> None:
    """What one process does."""
    if name == "exact":
        exact(count)
        return
    threads, fast = os.environ["OMP_NUM_THREADS"], os.environ["ANYK_FAST"]
    print(f"\n{threads} thread(s) of BLAS, {'numba' if fast == '1' else 'numpy alone'}")
    print("times float64's product: CPU, median (95 % interval); and wall clock, median")
    rounds = 3 if tiny else 9
    tables = [vectors, stacks] if fast == "1" else [matrices, vectors, stacks]
    for each in tables:
        each(rounds, tiny=tiny)


def _measured(name, sides, rounds):
    """One line for each side but the first, which is float64's; all are measured turn by turn."""
    cpu, wall = ({side: np.empty(rounds) for side in sides} for _ in range(2))
    for call in sides.values():
        call()
    for turn in range(rounds):
        for side, call in sides.items():
            start = time.process_time(), time.perf_counter()
            call()
            cpu[side][turn] = time.process_time() - start[0]
            wall[side][turn] = time.perf_counter() - start[1]
    base = next(iter(sides))
    for side in list(sides)[1:]:
        clock = interval(wall[side] / wall[base]).median
        ratio = interval(cpu[side] / cpu[base])
        yield [name, side, f"{1e3 * interval(cpu[side]).median:.3g}", str(ratio), f"{clock:.3g}"]


def _print(header, rows):

    print("\n" + table([header, "side", "ms CPU", "times float64, CPU", "wall"], rows), flush=True)


def matrices(rounds, *, tiny):
    """Products of two matrices, figure 1."""
    generator, lines = np.random.default_rng(0), []
    for modulus in (LARGE, SMALL):
        for name, shape in MATRICES.items():
            rows, inner, columns = (min(each, 300) for each in shape) if tiny else shape
            small = generator.integers(0, modulus, (rows, inner))
            big = generator.integers(0, modulus, (inner, columns))
            rest = small.astype(np.uint32), big.astype(np.uint32)
            floats = small.astype(float), big.astype(float)
            times = max(1, int(2e6 / (rows * inner * columns)))
            sides = {
                "float64": lambda floats=floats: floats[0] @ floats[1],
                "anyk": lambda rest=rest, p=modulus: modular_matmul(*rest, p, np.uint32),
                "anyk int64": lambda ints=(small, big), p=modulus: modular_matmul(*ints, p),
            }
            mats = [flint.nmod_mat(each.tolist(), modulus) for each in (small, big)]
            sides["python-flint"] = lambda mats=mats: mats[0] * mats[1]
            some = flint.nmod_mat(big[:, -50:].tolist(), modulus)
            if (mats[0] * some).tolist() != modular_matmul(*rest, modulus)[:, -50:].tolist():
                raise SystemExit("python-flint and anyk disagree")
            sides = {side: _often(call, times) for side, call in sides.items()}
            lines += _measured(f"{name} mod {modulus}", sides, rounds)
    _print("matrices", lines)


def _often(call, times):
    """Short calls, many in one: a clock of the processor's time has coarse ticks."""

    def repeated():
        for _ in range(times):
            call()

    return repeated


def vectors(rounds, *, tiny):
    """A matrix at rest and a vector, either way, and a worker's gradient; figure 2."""
    generator, lines = np.random.default_rng(0), []
    for modulus in (LARGE, SMALL):
        field = anyk.PrimeField(modulus)
        for name, shape in VECTORS.items():
            rows, columns = (min(each, 200) for each in shape) if tiny else shape
            drawn = [
                generator.integers(0, modulus, each) for each in ((rows, columns), columns, rows)
            ]
            matrix, w, v = (each.astype(float) for each in drawn)
            own = [field.present(field.at_rest(each)) for each in drawn]
            for what, (theirs, ours) in _of_a_matrix((matrix, w, v), own).items():
                times = max(1, 1_000_000 // (rows * columns))
                sides = {"float64": _often(theirs, times), "anyk": _often(ours, times)}
                lines += _measured(f"{what}, {name} mod {modulus}", sides, rounds)
    _print("vectors", lines)


def _of_a_matrix(floats, own):
    """What is measured of a matrix X and vectors w and v: in float64, and exact."""
    (matrix, w, v), (x, own_w, own_v) = floats, own
    gradient, weights = PowerSums((1,)), own_w.reshape(-1, 1, 1)
    return {
        "X @ w": (lambda: matrix @ w, lambda: x @ own_w),
        "X^T v": (lambda: matrix.T @ v, lambda: x.T @ own_v),
        "gradient": (lambda: matrix.T @ (matrix @ w), lambda: gradient(x, weights)),
    }


def stacks(rounds, *, tiny):
    """Stacks of small matrices, figure 3."""
    generator, lines = np.random.default_rng(0), []
    for modulus in (LARGE, SMALL):
        field = anyk.PrimeField(modulus)
        for name, shapes in STACKS.items():
            drawn = [generator.integers(0, modulus, shape) for shape in shapes]
            if tiny:
                drawn = [each[:100] if each.ndim > 2 else each for each in drawn]
            left, right = (each.astype(float) for each in drawn)
            own = [field.present(field.at_rest(each)) for each in drawn]
            sides = {
                "float64": lambda left=left, right=right: left @ right,
                "anyk": lambda own=own: own[0] @ own[1],
            }
            lines += _measured(f"{name} mod {modulus}", sides, rounds)
    _print("stacks", lines)


def exact(count):
    """Random products of all forms beside those of Python's integers, figure 7."""
    calls._LEAST = 1  # noqa: SLF001 - short products take the loops too
    reason = compiled.load()
    generator = np.random.default_rng(int.from_bytes(os.urandom(8)))
    tally = _watched(generator)
    primes, done = _primes(generator), 0
    while done < count:
        modulus, (left, right), dtype = _drawn(generator, primes)
        needed = np.matmul(left.astype(object), right.astype(object)) % modulus
        got = [modular_stack(left, right, modulus, dtype)]
        got.append(
            [modular_matmul(*pair, modulus, dtype) for pair in zip(left, right, strict=True)]
        )
        if any((np.asarray(each) != needed).any() for each in got):
            raise SystemExit(f"wrong: modulus {modulus}, shapes {left.shape}, {right.shape}")
        done += 2 * len(left)

    print(f"\n{done:,} random products, modulo primes from 2 to 2^31 - 1: all as Python's integers")
    if reason:
        print(f"(nothing compiled: {reason})")
    rows = [[form, f"{number:,}"] for form, number in sorted(tally.items())]
    print(table(["form (of a product, or of a group of a stack)", "times"], rows))


def _watched(generator):
    """A count of the forms that the kernel takes."""
    tally = Counter()

    def wide_name(form):
        cut = "halves" if form.halves else "moved" if form.shift else "whole"
        return f"{cut}, {'one sum' if form.single else 'several sums'}"

    limbs_form, multiply, groups = thin.limbs_form, wide.multiply, stack._write_groups  # noqa: SLF001

    def limbs(inner, *rest):
        form = limbs_form(inner, *rest)
        sums = "one sum" if form.depth >= inner else "several sums"
        tally[f"few rows: limbs {form.number}, {sums}"] += 1
        return form

    def whole(**options):
        tally[f"matrices: {wide_name(options['form'])}"] += 1
        return multiply(**options)

    def grouped(left, right, modulus, form, out):
        tally[f"stacks: {wide_name(form)}"] += 1
        return groups(left, right, modulus, form, out)

    made, write = {name: getattr(compiled, name) for name in ("product", "stack")}, tiny.write_tiny

    def asked(name, *operands):
        found = made[name](*operands)
        tally[f"compiled: {name}"] += found is not None
        return found

    def few(*operands):
        if generator.random() < 0.8:  # or no other form would have its share
            return False
        written = write(*operands)
        tally["a few numbers: uint64"] += written
        return written

    thin.limbs_form, wide.multiply, stack._write_groups = limbs, whole, grouped  # noqa: SLF001
    for name in made:
        setattr(compiled, name, partial(asked, name))
    kernel_product.write_tiny = stack.write_tiny = few
    return tally


def _primes(generator):
    """Some of each size, and those beside the ends of forms and types."""
    starts = [
        int(generator.integers(2 ** (bits - 1), 2**bits))
        for bits in range(2, 32)
        for _ in range(30)
    ]
    starts += [2**bits - 1 for bits in (8, 16, 21, 24, 25, 26, 31)] + [int(2**25.5)] * 2
    below = [
        next(each for each in range(max(start, 2), 1, -1) if is_prime(each)) for start in starts
    ]
    ends = [2**bits for bits in (8, 16, 21, 24, 25, 26)]
    above = [next(each for each in range(end, 2 * end) if is_prime(each)) for end in ends]
    return [2, 3, 5, 2**31 - 1, *below, *above]


def _drawn(generator, primes):
    """A prime, two stacks of matrices of residues, of some layout and type, and a type."""
    modulus = int(generator.choice(primes[:4] if generator.random() < 0.1 else primes))
    kind = generator.random()
    if kind < 0.1:  # a sum as long as one of a form is, one shorter, one longer; and several
        most = int(generator.choice([64, 85, 128, 170, 256, 1024, 2048, 4096]))
        rows = int(generator.choice([1, 2, 14])) if most <= 256 else int(generator.integers(1, 3))
        columns = int(generator.choice([rows, rows + 1, 65 if most <= 128 else 3]))
        shape, pairs = (rows, most + int(generator.integers(-1, 2)), columns), 2
    else:
        shape = tuple(
            int(2 ** generator.uniform(0, most)) for most in (3.8, 6.5 if kind < 0.3 else 4, 3.8)
        )
        pairs = int(generator.integers(1, 60))
    rows, inner, columns = shape
    corners = [0, 1, modulus - 1, modulus // 2, (modulus // 2 + 1) % modulus]
    corners.append(max(0, (modulus - 1) // 2**16 * 2**16 - 1))
    types = [each for each in ("i8", "u4", "u2", "u1") if np.iinfo(each).max >= modulus - 1]

    def operand(size):
        how = generator.random()
        if how < 0.3:
            values = np.full(size, generator.choice(corners))
        elif how < 0.6:
            values = generator.choice(corners, size)
        else:
            values = generator.integers(0, modulus, size)
        values = values.astype(generator.choice(types))
        return values.swapaxes(1, 2).copy().swapaxes(1, 2) if generator.random() < 0.3 else values

    operands = operand((pairs, rows, inner)), operand((pairs, inner, columns))
    return modulus, operands, np.dtype(generator.choice(types)).type


if __name__ == "__main__":
    main()
