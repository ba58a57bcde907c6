"""Residues lie and travel in one, two or four bytes, and a share that stays is prepared once.

Claims: on the pipe of Processes no residue takes more than 1 % above 1, 2 or 4 bytes, in either
direction; the memory of a share and of what is kept of it is at most 1.5 times that of its residues
in int64. The gradient X^T(X w - y) on a resident share is measured beside the same with a copy of
the share in each call, as functions had it before, and beside float64's own.

Run: python benchmarks/residues_at_rest.py [--tiny]
"""

import argparse

import numpy as np

import anyk
from anyk.bench.measure import compare, interval, table
from anyk.domains.ring import ResidueRing
from anyk.executors.core.run_task import run
from anyk.executors.processes.pipe import Pipe
from anyk.residents import RESIDENTS
from anyk.work import Plain, WorkerTask
from anyk.works.each_prime import EachPrime

PRIMES = (251, 65521, 2**25 - 39, 2**31 - 1)
WORKERS = 3


def same(x):
    """An answer as large as the share."""
    return x


def gradient(x, w, y):
    """Of least squares, but for a factor."""
    return x.T @ (x @ w - y)


def on_the_pipe(numbers: int) -> list[list[str]]:
    """Bytes a residue that really went and came, of all messages, by prime."""
    counted = {"sent": 0, "received": 0}
    send, receive = Pipe._send_some, Pipe.receive  # noqa: SLF001 - what really goes

    def sending(pipe: Pipe) -> int:
        many = send(pipe)
        counted["sent"] += many
        return many

    def receiving(pipe: Pipe, size: int) -> memoryview:
        counted["received"] += size
        return receive(pipe, size)

    Pipe._send_some, Pipe.receive = sending, receiving  # noqa: SLF001 - as above
    rows = []
    with anyk.Processes(WORKERS) as executor:
        for p in PRIMES:
            scheme = anyk.Lagrange(WORKERS, 1, WORKERS, field=anyk.PrimeField(p))
            X = np.arange(WORKERS * numbers).reshape(WORKERS, numbers) % p
            counted.update(sent=0, received=0)
            with anyk.distribute(scheme, X, executor) as data:
                if not np.array_equal(data.run(same, progress=False).value, X):
                    raise SystemExit("a wrong value")
            each = [counted[way] / (WORKERS * numbers) for way in ("sent", "received")]
            least = scheme.domain.rest.itemsize
            if not all(least <= size <= 1.01 * least for size in each):
                raise SystemExit(f"{each} bytes a residue modulo {p}")
            rows.append([str(p), *(f"{size:.3f}" for size in each), "8"])
    Pipe._send_some, Pipe.receive = send, receive  # noqa: SLF001 - as above
    return rows


def resident(rows: int, columns: int, rounds: int, calls: int) -> list[list[str]]:
    """Milliseconds of a gradient, on a share that is lent, or copied in each call."""
    generator = np.random.default_rng(0)
    found = []
    prime, ring = (
        anyk.PrimeField(),
        ResidueRing(tuple(map(anyk.PrimeField, (2**24 - 3, 2**24 - 17)))),
    )
    floats = [generator.normal(size=shape) for shape in ((rows, columns), (columns,), (rows,))]
    for name, domain in (("2^31 - 1", prime), ("2^24 - 3 and 2^24 - 17", ring)):
        whole = [
            generator.integers(0, 2**20, shape) for shape in ((rows, columns), (columns,), (rows,))
        ]
        X, w, y = (domain.at_rest(domain.constant(each)) for each in whole)
        several = domain is ring
        work = EachPrime(Plain(gradient), (True, True)) if several else Plain(gradient)
        task = WorkerTask(work, domain, (True, True))
        shares, own = X[None], {0: w, 1: y}

        def copied(*inputs, task=task):
            return task(*inputs)

        def many(task, shares=shares, own=own):
            for _ in range(calls):
                reply = run(task, (shares,), 0, [None, None], own, fresh=True)
            return reply.value

        if not np.array_equal(many(task), many(copied)):
            raise SystemExit("a lent share has another gradient than a copy")
        seconds = compare(
            {
                "float64": lambda: [gradient(*floats) for _ in range(calls)],
                "lent": lambda many=many, task=task: many(task),
                "copied": lambda many=many, copied=copied: many(copied),
            },
            rounds=rounds,
        )
        prepared = RESIDENTS.prepared(domain, shares, 0)
        kept = (X.nbytes + sum(each.nbytes for each in prepared)) / (8 * X.size)
        if kept > 1.5:
            raise SystemExit(f"{kept} times the memory of residues in int64")
        scale = 1e3 / calls
        found.append([
            name, interval(scale * seconds["float64"]), interval(scale * seconds["lent"]),
            interval(scale * seconds["copied"]), interval(seconds["lent"] / seconds["float64"]),
            interval(seconds["copied"] / seconds["lent"]), f"{kept:.2f}",
        ])  # fmt: skip
    return found


def main() -> None:
    """Count bytes, then measure gradients, and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    tiny = parser.parse_args().tiny
    print("bytes a residue on the pipe of Processes, headers and functions counted")
    head = ["p", "to workers", "from workers", "in int64"]
    print(table(head, on_the_pipe(10**6 if tiny else 10**7)))
    rows, columns, rounds = (400, 200, 3) if tiny else (4000, 2000, 9)
    print(f"\na gradient on a share of {rows} x {columns}, one of 25 in a row, in milliseconds;")
    print("and the memory of the share and what is kept of it, in that of int64 residues")
    head = [
        "primes", "float64", "lent", "copied", "lent / float64", "copied / lent", "memory",
    ]  # fmt: skip
    print(table(head, resident(rows, columns, rounds, calls=25)))


if __name__ == "__main__":
    main()
