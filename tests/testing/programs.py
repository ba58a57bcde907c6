"""Random polynomial programs under random codes: right to the bound, or refused.

    PYTHONPATH=src python tests/testing/programs.py 20000 7

A program is a list of steps on arrays, written once and run twice: by workers on FieldArrays, and
here on Python's integers and fractions, which is the truth. Some runs understate what they need on
purpose: the scheme's degree, the numbers that `FixedPoint` declares, its magnitude.
"""

import collections
import itertools
import sys
import traceback
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

import anyk

MOST = 64  # entries of an array
DEGREE = 6
MODULUS = 2**31 - 1
SHAPES = [(), (3,), (2, 2), (2, 3), (3, 3), (4,), (1, 4)]


def array(value):
    """What numpy makes a bare number, as an array again."""
    return value if isinstance(value, anyk.FieldArray) else np.asarray(value, dtype=object)


def fractions(values):
    """Exact numbers, of Python's."""
    values = np.asarray(values)
    exact = np.empty(values.shape, dtype=object)
    exact.flat = [Fraction(each) for each in values.ravel().tolist()]
    return exact


# What takes other names on objects


def det(x):
    """By Leibniz's formula on objects."""
    if isinstance(x, anyk.FieldArray):
        return np.linalg.det(x)
    size, result = x.shape[-1], 0
    for order in itertools.permutations(range(size)):
        swaps = sum(order[i] > order[j] for i in range(size) for j in range(i + 1, size))
        term = (-1) ** swaps
        for row, column in enumerate(order):
            term = term * x[..., row, column]
        result = result + term
    return np.asarray(result)


def vander(x):
    if isinstance(x, anyk.FieldArray):
        return np.vander(x, 4)
    return np.stack([x**power for power in (3, 2, 1, 0)], axis=-1)


def written(x, seed):
    """In-place operators, and an element that is written over."""
    x = x.copy()
    x += seed % 7
    x *= 2
    x[0] = seed % 5
    return x


def written_over(x, y):
    x = x.copy()
    x[-1] = y
    return x


# Constants: integers, and fractions of few bits where the numbers are reals


def number(x, value):
    return value if isinstance(x, anyk.FieldArray) else Fraction(value)


def some(x, shape, seed, *, real):
    drawn = np.random.default_rng(seed).integers(-9, 10, shape)
    values = drawn / 4 if real and seed % 2 else drawn
    return values if isinstance(x, anyk.FieldArray) else fractions(values)


def mask(x, seed):
    return np.random.default_rng(seed).integers(0, 2, x.shape).astype(bool)


# Steps: the degree of the result, from those of the operands, and what is done. Where the degree
# is 0, it is the operand's times the length of its last axis.


def product(*degrees):
    return sum(degrees)


STEPS = {
    "negative": (max, lambda x: -x),
    "square": (lambda d: 2 * d, np.square),
    "power": (lambda d: 3 * d, lambda x: x**3),
    "power 0": (lambda _: 0, lambda x: x**0),
    "all": (max, np.sum),
    "sum of rows": (max, lambda x: x.sum(axis=-1, keepdims=True)),
    "turned": (max, lambda x: x.T),
    "flat": (max, lambda x: x.reshape(-1)),
    "pairs": (max, lambda x: x.reshape(-1, 2)),
    "first": (max, lambda x: x[0]),
    "every other": (max, lambda x: x[..., ::2]),
    "cumsum": (max, lambda x: np.cumsum(x, axis=0)),
    "diff": (max, np.diff),
    "product": (None, lambda x: np.prod(x, axis=-1)),
    "cumprod": (None, lambda x: np.cumprod(x, axis=-1)),
    "determinant": (None, det),
    "trace": (max, np.trace),
    "diagonal": (max, np.diagonal),
    "flip": (max, np.flip),
    "pad": (max, lambda x: np.pad(x, 1)),
    "tile": (max, lambda x: np.tile(x, 2)),
    "repeat": (max, lambda x: np.repeat(x, 2)),
    "triangle": (max, np.tril),
    "quarter turn": (max, np.rot90),
    "taken": (max, lambda x: np.take(x, [0, -1], axis=0)),
    "without": (max, lambda x: np.delete(x, 0, axis=0)),
    "like zeros": (max, lambda x: np.zeros_like(x) + x),
    "from ones": (max, lambda x: np.ones_like(x) - x),
    "twice at": (lambda d: 2 * d, lambda x: np.linalg.matrix_power(x, 2)),
    "gram": (lambda d: 2 * d, lambda x: x @ x.T),
    "vander": (lambda d: 3 * d, vander),
    "einsum one": (max, lambda x: np.einsum("ij->j", x)),
    "plus": (max, lambda x, y: x + y),
    "less": (max, lambda x, y: x - y),
    "times": (product, lambda x, y: x * y),
    "at": (product, lambda x, y: x @ y),
    "dot": (product, np.dot),
    "outer": (product, np.outer),
    "inner": (product, np.inner),
    "vdot": (product, np.vdot),
    "vecdot": (product, np.vecdot),
    "matvec": (product, np.matvec),
    "vecmat": (product, np.vecmat),
    "kron": (product, np.kron),
    "convolve": (product, np.convolve),
    "correlate": (product, np.correlate),
    "cross": (product, np.cross),
    "tensordot": (product, lambda x, y: np.tensordot(x, y, 1)),
    "einsum": (product, lambda x, y: np.einsum("ij,kj->ik", x, y)),
    "einsum all": (product, lambda x, y: np.einsum("ij,ij", x, y)),
    "einsum rows": (product, lambda x, y: np.einsum("ij,ij->i", x, y)),
    "einsum three": (lambda d, e: 2 * d + e, lambda x, y: np.einsum("i,i,i->i", x, y, x)),
    "chain": (lambda d, e: 2 * d + e, lambda x, y: np.linalg.multi_dot([x, y, x])),
    "all sums": (max, np.add.outer),
    "all products": (product, np.multiply.outer),
    "horner": (lambda d, e: d + 2 * e, lambda x, y: np.polyval([x, 1, x], y)),
    "stack": (max, lambda x, y: np.stack([x, y])),
    "join": (max, lambda x, y: np.concatenate([x, y])),
    "columns": (max, lambda x, y: np.column_stack([x, y])),
    "rows": (max, lambda x, y: np.vstack([x, y])),
    "append": (max, np.append),
    "insert": (max, lambda x, y: np.insert(x, 0, y)),
    "block": (max, lambda x, y: np.block([[x, y], [y, x]])),
    "written over": (max, written_over),
}
"""Of one or two arrays."""
SEEDED = {
    "plus a number": lambda x, s, _: x + s % 19,
    "from a number": lambda x, s, _: -(s % 19) - x,
    "times a number": lambda x, s, _: x * (s % 19 - 9),
    "large": lambda x, s, _: x * (2 ** (s % 40) + s),
    "times a fraction": lambda x, s, r: x * number(x, 0.75 if r else s),
    "many bits": lambda x, s, r: x * number(x, s / 1024 if r else s),
    "plus constants": lambda x, s, r: x + some(x, x.shape, s, real=r),
    "times constants": lambda x, s, r: some(x, x.shape, s, real=r) * x,
    "at constants": lambda x, s, r: x @ some(x, (x.shape[-1], 2), s, real=r),
    "constants at": lambda x, s, r: some(x, (3, x.shape[0]), s, real=r) @ x,
    "sum": lambda x, s, _: x.sum(axis=s % x.ndim if x.ndim else None),
    "roll": lambda x, s, _: np.roll(x, s % 3),
    "split": lambda x, s, _: np.array_split(x, 2)[s % 2],
    "where": lambda x, s, _: np.where(mask(x, s), x, s % 5),
    "written in": lambda x, s, _: written(x, s),
}
"""Of one array, a seed, and whether the numbers are reals: of its degree."""
NAMES = [*STEPS, *SEEDED]
PAIRS = {name for name, (_, step) in STEPS.items() if name in [*STEPS][[*STEPS].index("plus") :]}


@dataclass(frozen=True)
class Program:
    """Steps (name, places of operands, seed), and which results are returned."""

    steps: tuple
    returned: tuple
    degree: int
    real: bool

    def __call__(self, *inputs):
        pool = list(inputs)
        for name, places, seed in self.steps:
            pool.append(step(name, [pool[place] for place in places], seed, real=self.real))
        if len(self.returned) == 1:
            return pool[self.returned[0]]
        return [pool[place] for place in self.returned]


def step(name, operands, seed, *, real):
    if name in SEEDED:
        return array(SEEDED[name](*operands, seed, real))
    return array(STEPS[name][1](*operands))


def degree_of(name, operands, degrees):
    if name in SEEDED:
        return degrees[0]
    rule = STEPS[name][0]
    if rule is None:
        return degrees[0] * operands[0].shape[-1]
    return max(degrees) if rule is max else rule(*degrees)


def allowed(name, operands):
    """Not where numpy and FieldArray differ on what they refuse, or numpy warns."""
    first, last = operands[0], operands[-1]
    if name == "determinant":
        return first.ndim == 2 and first.shape[-1] <= 3
    if name == "cross":
        return all(each.shape[-1:] == (3,) for each in operands)
    if name == "written over":
        return first.ndim > 0 and last.shape == first.shape[1:]
    if name in ("all", "product", "cumprod", "vander", "cumsum", "convolve", "correlate"):
        return all(each.ndim for each in operands)
    return name != "written in" or first.ndim


def write(rng, inputs, *, real, length):
    """A program of some steps on inputs of these shapes, of degree up to 6."""
    pool = [np.ones(shape, dtype=object) for shape in inputs]
    degrees, steps = [1] * len(inputs), []
    for _ in range(60):
        if len(steps) == length:
            break
        name, seed = NAMES[rng.integers(len(NAMES))], int(rng.integers(1000))
        places = [int(rng.integers(len(pool))) for _ in range(2 if name in PAIRS else 1)]
        if rng.integers(2):  # more often what came last
            places[0] = len(pool) - 1
        operands = [pool[place] for place in places]
        if not allowed(name, operands):
            continue
        try:
            result = step(name, operands, seed, real=real)
        except (ValueError, IndexError, TypeError, NotImplementedError):  # no such shapes
            continue
        degree = degree_of(name, operands, [degrees[place] for place in places])
        if degree <= DEGREE and 1 <= result.size <= MOST and result.ndim <= 4:
            steps.append((name, tuple(places), seed))
            pool.append(result)
            degrees.append(degree)
    last = len(pool) - 1
    same = [i for i in range(len(pool)) if pool[i].shape == pool[last].shape]
    returned = (last, int(rng.choice(same))) if rng.integers(8) == 0 else (last,)
    return Program(tuple(steps), returned, max(degrees[i] for i in returned), real)


def scheme_of(rng, degree, blocks):
    degree = max(1, degree)
    kind = rng.integers(4)
    adversaries, detects, colluders, more = (int(each) for each in rng.integers(0, 2, 4))
    threat = {"adversaries": adversaries, "detects": max(adversaries, detects)}
    spare = adversaries + threat["detects"] + 1
    if kind == 0:
        return anyk.Harmonic(blocks=blocks, degree=degree)
    if kind == 1:
        workers = (degree + spare) * blocks
        return anyk.Shamir(blocks=blocks, degree=degree, workers=workers, **threat)
    pieces = 1 + more
    needed = (blocks + pieces * colluders - 1) * degree + pieces * spare
    workers = -(-needed // pieces) + 1
    inner = anyk.Lagrange(blocks, degree, workers, colluders=colluders, pieces=pieces, **threat)
    return inner if kind == 2 else anyk.Summed(inner)


def truth(program, scheme, data):
    """What the function gives without any code."""
    results = [program(*(fractions(each[k]) for each in data)) for k in range(len(data[0]))]
    results = [np.stack(each) if isinstance(each, list) else each for each in results]
    values = array(np.stack(results))
    if isinstance(scheme.problem, anyk.Sum):
        values = array(values.sum(axis=0))
    return values if program.real else array(values % MODULUS)


def judge(outcome, expected, rounded):
    """Whether a value is right: equal; of reals, what rounded inputs give, and within the bound."""
    value = np.asarray(outcome.value)
    if value.shape != expected.shape:
        return False
    if outcome.quantisation_error is None:
        return all(int(v) == e for v, e in zip(value.flat, expected.flat, strict=True))
    pairs = zip(value.flat, expected.flat, strict=True)
    if not all(abs(Fraction(float(v)) - e) <= outcome.quantisation_error for v, e in pairs):
        return False
    return rounded is None or all(
        float(v) == float(e) for v, e in zip(value.flat, rounded.flat, strict=True)
    )


def understated(rng, embedding, what, degree):
    if what in ("declared", "all"):
        embedding = replace(
            embedding,
            degree=[None, int(rng.integers(1, max(2, degree + 1)))][rng.integers(2)],
            summands=[None, int(rng.integers(1, 9))][rng.integers(2)],
            coefficient=[None, int(rng.integers(1, 9))][rng.integers(2)],
        )
    if what in ("magnitude", "all"):
        embedding = replace(embedding, magnitude=embedding.magnitude / 2)
    return embedding


def reals(rng, shapes, blocks):
    """Data, and a format that holds them."""
    magnitude = float(2.0 ** rng.integers(-3, 8) * rng.uniform(0.5, 1.0))
    embedding = anyk.FixedPoint(
        fraction_bits=int(rng.choice([5, 8, 13, 20, 30])),
        magnitude=magnitude,
        rounding="stochastic" if rng.integers(4) == 0 else "nearest",
    )
    data = [rng.uniform(-magnitude, magnitude, (blocks, *each)) for each in shapes]
    if rng.integers(3) == 0:
        data = [np.sign(each) * magnitude for each in data]
    return data, embedding


def case(seed):
    """One program under one scheme: which kind of run, what came of it, and what was said."""
    rng = np.random.default_rng(seed)
    blocks, several = int(rng.integers(1, 5)), bool(rng.integers(4) == 0)
    shapes = [SHAPES[rng.integers(len(SHAPES))] for _ in range(1 + several)]
    program = write(rng, shapes, real=bool(rng.integers(2)), length=int(rng.integers(1, 7)))
    what = rng.choice(["", "", "", "", "degree", "declared", "magnitude", "all"])
    promised = program.degree + int(rng.integers(5) == 0)
    if what in ("degree", "all"):
        promised = int(rng.integers(0, max(1, program.degree)))
    scheme = scheme_of(rng, promised, blocks)
    embedding = rounded = None
    if program.real:
        data, embedding = reals(rng, shapes, blocks)
        if embedding.rounding == "nearest" and what not in ("magnitude", "all"):
            rounded = truth(program, scheme, [embedding.quantise(each) for each in data])
        embedding = understated(rng, embedding, what, promised)
    else:
        high = int(rng.choice([10, 1000, MODULUS]))
        data = [rng.integers(0, high, (blocks, *each)) for each in shapes]
    expected = truth(program, scheme, data)
    stay = several or rng.integers(3) == 0
    kind = f"{'understated' if what else 'honest'} {'distribute' if stay else 'run'}"
    try:
        outcome = run(scheme, program, data, embedding, stay=stay)
    except anyk.AnykError as error:
        return kind, f"refused: {type(error).__name__}", str(error)
    except Exception:  # noqa: BLE001 - what must not happen is counted
        return kind, "CRASHED", traceback.format_exc()
    return kind, "right" if judge(outcome, expected, rounded) else "WRONG", repr(program)


def run(scheme, program, data, embedding, *, stay):
    with anyk.Inline(scheme.guarantee.workers) as executor:
        if not stay:
            return anyk.run(scheme, program, data[0], executor, embedding=embedding, progress=False)
        with anyk.distribute(scheme, data[0], executor, embedding=embedding) as held:
            others = [held.encode(each) for each in data[1:]]
            return held.run(program, *others, progress=False)


def survey(number, start):
    """How many of these programs are right and how many refused; and what is neither."""
    counts, wrong = collections.Counter(), []
    for seed in range(start, start + number):
        kind, verdict, text = case(seed)
        counts[kind, verdict] += 1
        if verdict in ("WRONG", "CRASHED"):
            wrong.append((seed, verdict, text))
    return counts, wrong


def main():
    number, group = (int(given) for given in [*sys.argv[1:], "1000", "0"][:2])
    counts, wrong = survey(number, group * 10**6)
    lines = [f"seed {seed}: {verdict}\n{text}" for seed, verdict, text in wrong]
    lines += [f"{kind:24s} {verdict:30s} {n}" for (kind, verdict), n in sorted(counts.items())]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
