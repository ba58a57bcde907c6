"""Delays and traces, faults, audits, checks of others' classes, measurements."""

import tempfile
from pathlib import Path

import numpy as np
from tried import tried

import anyk
from anyk import delays, faults
from anyk.bench.measure import interval
from anyk.bench.reproduce.catalogue import find
from anyk.bench.reproduce.estimate import bootstrap
from anyk.codes.agreement import Agreement
from anyk.codes.checks.keys import product_keys
from anyk.codes.curves.splines import smoothing_spline
from anyk.domains.ring import ResidueRing
from anyk.faults.lies import Lie

GENERATOR = np.random.default_rng(0)
ENCODED = anyk.Lagrange(2, 2, 8, colluders=1).encode([1, 2])
NOISY = anyk.VeiledReplication(2, 6, colluders=1, leakage=0.5).encode([1.0, 2.0])
PRODUCT = anyk.Polynomial((2, 1, 2), 6).encode((np.ones((2, 2), int), np.ones((2, 2), int)))
RING = ResidueRing((anyk.PrimeField(5), anyk.PrimeField(7)))
FIXED = delays.Fixed([0.1, 0.2])


def read(text):
    """What is read from a file with this text."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "trace.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return delays.read_trace(path)


def sampled(model, workers):
    return model.sample(GENERATOR, workers)


def closing(check, executor):
    try:
        check(executor)
    finally:
        executor.close()


ROWS = [
    tried(
        "Separate numbers by commas, with decimal points; write inf for a worker that never "
        "answered.",
        lambda: read("a,b\n0,5;1,5\n"),
        lambda: read("a,b\n0.5,1.5\n"),
        lambda: read("a,b\n0.5,inf\n"),
    ),
    tried(
        "Save it as CSV.",
        lambda: read(b"\x89PNG\r\n\x1a\n\xff\xfe"),
        lambda: read(b"0.5,1.5\n"),
    ),
    tried(
        "Name it, or leave it out: index=False.",
        lambda: read(",a,b\n7,0.5,1.5\n9,0.5,1.5\n"),
        lambda: read("c,a,b\n7,0.5,1.5\n9,0.5,1.5\n"),
        lambda: read("a,b\n0.5,1.5\n0.5,1.5\n"),
    ),
    tried(
        "Leave that column out, or turn it into the seconds that a worker took.",
        lambda: read("timestamp,a\n1700000000.5,1.5\n1700000001.5,1.5\n"),
        lambda: read("a\n1.5\n1.5\n"),
        lambda: read("b,a\n0.5,1.5\n0.5,1.5\n"),
    ),
    tried(
        "Name the columns so, and give each worker one line a round.",
        lambda: read("worker,seconds\n0,0.5\n1,1.5\n"),
        lambda: read("round,worker,seconds\n0,0,0.5\n0,1,1.5\n"),
    ),
    tried(
        "Name the workers in a header, or leave that row out.",
        lambda: read("0,1,2\n0.5,1.5,1.25\n"),
        lambda: read("a,b,c\n0,1,2\n0.5,1.5,1.25\n"),
        lambda: read("0.5,1.5,1.25\n"),
    ),
    tried(
        "Pass one row a round, one column a worker.",
        lambda: delays.Recorded([0.5, 1.5]),
        lambda: delays.Recorded([[0.5, 1.5]]),
    ),
    tried(
        "at least {}. Measure more workers, or use fewer.",
        lambda: sampled(delays.Recorded([[0.5, 1.5]]), 3),
        lambda least: sampled(delays.Recorded([[0.5] * least]), 3),
        lambda _: sampled(delays.Recorded([[0.5, 1.5]]), 2),
        less=lambda less: sampled(delays.Recorded([[0.5] * less]), 3),
    ),
    tried(
        "Pass np.random.default_rng().",
        lambda: FIXED.sample(0, 2),
        lambda: FIXED.sample(np.random.default_rng(), 2),
    ),
    tried(
        "Pass a number such as 0.5.",
        lambda: delays.Fixed([-1.0]),
        lambda: delays.Fixed([0.5]),
    ),
    tried(
        "Pass 0.1 for one worker in ten.",
        lambda: delays.Occasional(probability=10, seconds=1.0),
        lambda: delays.Occasional(probability=0.1, seconds=1.0),
    ),
    tried(
        "Pass one number a worker, or {3: 0.5}.",
        lambda: delays.Fixed(0.5),
        lambda: delays.Fixed([0.5, 0.5]),
        lambda: delays.Fixed({3: 0.5}),
    ),
    tried(
        "one for each of {} workers. Add delays, or pass a mapping of the workers that are late.",
        lambda: sampled(FIXED, 3),
        lambda workers: sampled(delays.Fixed([0.1] * workers), 3),
        lambda _: sampled(delays.Fixed({0: 0.1, 1: 0.2}), 3),
        less=lambda less: sampled(delays.Fixed([0.1] * less), 3),
    ),
    tried("Pass 0.5, say.", lambda: faults.Delay("soon"), lambda: faults.Delay(0.5)),
    tried("Pass 0.5, say.", lambda: faults.Delay(-1), lambda: faults.Delay(0.5)),
    tried('Pass "nan", say.', lambda: faults.Rubbish("no"), lambda: faults.Rubbish("nan")),
    tried("Pass 1.", lambda: Lie(seed=(0,), scale=-1.0), lambda: Lie(seed=(0,), scale=1.0)),
    *(
        tried(
            "Pass {3: Crash()}, say.",
            lambda given=given: faults.Faulty(anyk.Inline(4), given),
            lambda: faults.Faulty(anyk.Inline(4), {3: faults.Crash()}),
        )
        for given in ([faults.Crash()], {3: "crash"})
    ),
    tried(
        "workers below 4. Count workers from 0.",
        lambda: faults.Faulty(anyk.Inline(4), {4: faults.Crash()}),
        lambda: faults.Faulty(anyk.Inline(4), {4 - 1: faults.Crash()}),
    ),
    tried(
        "Pass what scheme.encode returned.",
        lambda: anyk.audit(ENCODED.shares, colluders=1),
        lambda: anyk.audit(ENCODED.scheme.encode([1, 2]), colluders=1, samples=100),
    ),
    tried(
        "Pass what scheme.encode returned.",
        lambda: anyk.worst_coalition(ENCODED.shares, colluders=1),
        lambda: anyk.worst_coalition(ENCODED.scheme.encode([1, 2]), colluders=1),
    ),
    tried(
        "Pass what scheme.encode returned.",
        lambda: anyk.leakage_spent(ENCODED.shares, colluders=1),
        lambda: anyk.leakage_spent(ENCODED.scheme.encode([1, 2]), colluders=1),
    ),
    tried(
        "Pass what scheme.encode returned.",
        lambda: anyk.leakage_spent(colluders=1),
        lambda: anyk.leakage_spent(ENCODED, colluders=1),
    ),
    tried(
        "Pass each as an argument of its own: anyk.leakage_spent(*encodings, ...).",
        lambda: anyk.leakage_spent([ENCODED], colluders=1),
        lambda: anyk.leakage_spent(*[ENCODED], colluders=1),
    ),
    tried(
        "Pass encodings of the same data, and add up the bits of others.",
        lambda: anyk.leakage_spent(ENCODED, NOISY, colluders=1),
        lambda: anyk.leakage_spent(NOISY, NOISY.scheme.encode([1.0, 2.0]), colluders=1),
        lambda: anyk.leakage(ENCODED, colluders=1) + anyk.leakage(NOISY, colluders=1),
    ),
    tried(
        "at most workers = {}. Lower it.",
        lambda: anyk.leakage_spent(ENCODED, colluders=9),
        lambda most: anyk.leakage_spent(ENCODED, colluders=most),
    ),
    tried(
        "Pass the distance of two blocks.",
        lambda: NOISY.guarantee.leak(1).epsilon(sensitivity=0.0),
        lambda: NOISY.guarantee.leak(1).epsilon(sensitivity=abs(1.0 - 2.0)),
    ),
    tried(
        "Pass 1e-6, say.",
        lambda: NOISY.guarantee.leak(1).epsilon(delta=2.0),
        lambda: NOISY.guarantee.leak(1).epsilon(delta=1e-6),
    ),
    tried(
        "Pass 0.999, say.",
        lambda: anyk.audit(ENCODED, colluders=1, confidence="high"),
        lambda: anyk.audit(ENCODED, colluders=1, confidence=0.999, samples=100),
    ),
    tried(
        "Pass 0.999, say.",
        lambda: anyk.audit(ENCODED, colluders=1, confidence=99.9),
        lambda: anyk.audit(ENCODED, colluders=1, confidence=0.999, samples=100),
    ),
    tried(
        "Pass the blocks, or all rows of them, that are to be told apart.",
        lambda: anyk.audit(ENCODED, data=[[1, 2]]),
        lambda: anyk.audit(ENCODED, data=[[1], [2]]),
    ),
    tried(
        "Pass what is to be recognised of each record, or leave labels out.",
        lambda: anyk.audit(ENCODED, data=[[1], [2]], labels=[1, 1]),
        lambda: anyk.audit(ENCODED, data=[[1], [2]], labels=[0, 1]),
        lambda: anyk.audit(ENCODED, data=[[1], [2]]),
    ),
    tried(
        "Give all records one shape, and each one label.",
        lambda: anyk.audit(ENCODED, data=[[1], [2, 3]]),
        lambda: anyk.audit(ENCODED, data=[[1], [2]], labels=[0, 1]),
    ),
    tried(
        "Pass data=X too, or leave labels out.",
        lambda: anyk.audit(ENCODED, labels=[0, 1]),
        lambda: anyk.audit(ENCODED, data=[[1], [2]], labels=[0, 1]),
        lambda: anyk.audit(ENCODED),
    ),
    tried(
        "Ask anyk.leakage instead, which looks at the matrices.",
        lambda: anyk.audit(PRODUCT, colluders=1),
        lambda: anyk.leakage(PRODUCT, colluders=1),
    ),
    tried(
        "Pass np.random.default_rng().",
        lambda: anyk.audit(NOISY, colluders=1, generator=0),
        lambda: anyk.audit(NOISY, colluders=1, generator=np.random.default_rng(), samples=100),
    ),
    tried(
        "Pass the standard deviation of the data.",
        lambda: anyk.worst_coalition(NOISY, colluders=1, data_std=-1.0),
        lambda: anyk.worst_coalition(NOISY, colluders=1, data_std=float(np.std([1.0, 2.0]))),
    ),
    tried(
        "at most workers = {}. Lower it.",
        lambda: anyk.worst_coalition(ENCODED, colluders=9),
        lambda most: anyk.worst_coalition(ENCODED, colluders=most),
    ),
    tried(
        "Pass the distance of two values of a block.",
        lambda: disclosed(NOISY).epsilon(sensitivity=0.0, delta=1e-6),
        lambda: disclosed(NOISY).epsilon(sensitivity=abs(1.0 - 2.0), delta=1e-6),
    ),
    *(
        tried(
            "Pass 1e-6, say.",
            lambda delta=delta: disclosed(NOISY).epsilon(sensitivity=1.0, delta=delta),
            lambda: disclosed(NOISY).epsilon(sensitivity=1.0, delta=1e-6),
        )
        for delta in (0.0, 2.0)
    ),
    tried(
        "Over a field, what is hidden is hidden perfectly: ask for the symbols.",
        lambda: disclosed(ENCODED).epsilon(sensitivity=1.0, delta=1e-6),
        lambda: disclosed(ENCODED).amount,
    ),
    tried("Measure first.", lambda: interval([]), lambda: interval([1.0])),
    tried(
        "Measure first.",
        lambda: bootstrap(lambda means: means[0][:, 0], []),
        lambda: bootstrap(lambda means: means[0][:, 0], [np.array([[2.0], [2.0]])]),
    ),
    tried(
        "`anyk reproduce` lists them with a line each.",
        lambda: find("letcc"),
        lambda: find("letcc-convergence"),
    ),
    tried(
        "Pass 0.0 for equal to the bit, or about 1e-4 for single precision.",
        lambda: Agreement(-1.0),
        lambda: Agreement(0.0),
        lambda: Agreement(1e-4),
    ),
    tried(
        "Sort them, and merge those that coincide.",
        lambda: smoothing_spline(np.array([1.0, 0.0, 1.0]), smoothing=0.0),
        lambda: smoothing_spline(np.unique([1.0, 0.0, 1.0]), smoothing=0.0),
    ),
    tried(
        "Lower smoothing, or use fewer or equispaced knots.",
        lambda: smoothing_spline(np.array([0.0, 1e-9, 1.0, 2.0]), smoothing=1e9),
        lambda: smoothing_spline(np.array([0.0, 1e-9, 1.0, 2.0]), smoothing=0.0),
        lambda: smoothing_spline(np.array([0.0, 1.0]), smoothing=1e9),
        lambda: smoothing_spline(np.array([0.0, 1.0, 2.0, 3.0]), smoothing=1e9),
    ),
    tried(
        "Pass anyk.PrimeField(), say.",
        lambda: anyk.testing.check_domain(7, generator=GENERATOR),
        lambda: anyk.testing.check_domain(anyk.PrimeField(), generator=GENERATOR),
    ),
    tried(
        "Pass np.random.default_rng().",
        lambda: anyk.testing.check_domain(anyk.PrimeField(), generator=0),
        lambda: anyk.testing.check_domain(anyk.PrimeField(), generator=np.random.default_rng()),
    ),
    tried(
        "Stack the left factors of all shares.",
        lambda: product_keys(anyk.Reals(), np.ones((2, 3))),
        lambda: product_keys(anyk.Reals(), np.ones((1, 2, 3))),
    ),
    tried(
        "Stack the right factors of all shares.",
        lambda: product_keys(anyk.Reals(), np.ones((2, 2, 3))).against(np.ones((3, 4))),
        lambda: product_keys(anyk.Reals(), np.ones((2, 2, 3))).against(np.ones((2, 3, 4))),
        lambda: product_keys(anyk.Reals(), np.ones((2, 2, 3))).against(np.ones((1, 3, 4))),
    ),
    tried(
        "Check each prime of a ring by itself.",
        lambda: product_keys(RING, np.ones((1, 2, 3), int)),
        lambda: [product_keys(field, np.ones((1, 2, 3), int)) for field in RING.fields],
    ),
    tried(
        "Make one: anyk.Threads(4).",
        lambda: anyk.testing.check_executor(anyk.Threads),
        lambda: anyk.testing.check_executor(anyk.Threads(4)),
    ),
    tried(
        "Make one, such as anyk.Replication(4, 8).",
        lambda: checked(anyk.Replication),
        lambda: checked(anyk.Replication(4, 8)),
    ),
    tried(
        "Pass np.random.default_rng().",
        lambda: checked(anyk.Replication(4, 8), generator=0),
        lambda: checked(anyk.Replication(4, 8), generator=np.random.default_rng()),
    ),
    tried(
        "Pass a function, or None.",
        lambda: checked(anyk.Replication(4, 8), function="sin"),
        lambda: checked(anyk.Replication(4, 8), function=np.sin),
        lambda: checked(anyk.Replication(4, 8), function=None),
    ),
    tried(
        "Pass a tuple.",
        lambda: checked(anyk.Replication(4, 8), shape=3),
        lambda: checked(anyk.Replication(4, 8), shape=(3,)),
    ),
    tried(
        "Pass three numbers.",
        lambda: checked(PRODUCT.scheme, shape=(3,)),
        lambda: checked(PRODUCT.scheme, shape=(2, 3, 2)),
    ),
]


def disclosed(encoded):
    return anyk.worst_coalition(encoded, colluders=1)


def checked(scheme, **named):
    given = {"generator": GENERATOR, "patterns": 1, "encodings": 16, **named}
    anyk.testing.check_scheme(scheme, **given)
