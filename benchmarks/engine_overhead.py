"""Coding on somebody else's engine costs little beside the engine's own submit-and-gather.

Claim: 20 tasks of 50 ms through `anyk.run` on Dask, and on Ray, take at most 1.25 times what the
engine's own submit-and-gather takes on the same 20 workers. Both sides of a row wait for all 20
answers in one (uncoded), and anyk for any 15 of 20 in the other (coded).

Run: python benchmarks/engine_overhead.py [--tiny]
"""

import argparse
import time
from contextlib import contextmanager

import numpy as np

import anyk
from anyk.bench.measure import compare, interval, table

WORKERS = 20
TASK = 0.05
CLAIM = 1.25


def work(share):
    """Take 50 ms, as a task that computes on a machine of its own would."""
    time.sleep(TASK)
    return share * share


@contextmanager
def on_dask(workers):
    """An executor on a cluster of processes, and the engine's own way."""
    from distributed import Client, LocalCluster  # noqa: PLC0415 - one engine at a time

    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            memory_limit=0,
            silence_logs=50,
        ) as cluster,
        Client(cluster) as client,
        anyk.Dask(client) as executor,
    ):
        yield executor, lambda blocks: client.gather(client.map(work, blocks, pure=False))


@contextmanager
def on_ray(workers):
    """An executor of actors, and the engine's own way: as many actors, called and awaited."""
    import ray  # noqa: PLC0415 - one engine at a time

    ray.init(
        address="local",
        num_cpus=2 * workers,
        include_dashboard=False,
        object_store_memory=100 << 20,
        log_to_driver=False,
        logging_level="ERROR",
    )

    @ray.remote(num_cpus=1)
    class Worker:
        def work(self, share):
            return work(share)

    actors = [Worker.remote() for _ in range(workers)]
    try:
        with anyk.Ray(workers) as executor:
            yield (
                executor,
                lambda blocks: ray.get(
                    [actor.work.remote(block) for actor, block in zip(actors, blocks, strict=True)]
                ),
            )
    finally:
        ray.shutdown()


ENGINES = {"Dask": on_dask, "Ray": on_ray}


def measure(engine, workers, rounds):
    """Print a table of one engine; its two ratios, round by round."""
    coded = anyk.Lagrange(blocks=2 * workers // 5, degree=2, workers=workers)
    uncoded = anyk.Replication(workers, workers)
    X = np.arange(workers * 1000.0).reshape(workers, 1000)
    residues = np.arange(coded.blocks * 1000).reshape(coded.blocks, 1000)
    with ENGINES[engine](workers) as (executor, own):
        seconds = compare(
            {
                f"{engine}'s own, all {workers}": lambda: own(list(X)),
                f"anyk.run, uncoded, all {workers}": lambda: anyk.run(uncoded, work, X, executor),
                f"anyk.run, any {coded.guarantee.threshold} of {workers}": lambda: anyk.run(
                    coded, work, residues, executor
                ),
            },
            rounds=rounds,
        )
    print(table(["", "milliseconds"], [[k, interval(1e3 * v)] for k, v in seconds.items()]))
    theirs, all_of_them, some = seconds.values()
    return all_of_them / theirs, some / theirs


def main() -> None:
    """Measure each engine beside itself."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    parser.add_argument("--engine", choices=ENGINES, help="this one alone")
    parsed = parser.parse_args()
    workers, rounds = (4, 3) if parsed.tiny else (WORKERS, 31)
    broken = False
    for engine in [parsed.engine] if parsed.engine else ENGINES:
        print(
            f"a task of {1e3 * TASK:.0f} ms on {workers} {engine} workers; median (95 % interval)"
        )
        ratios = measure(engine, workers, rounds)
        for name, ratio in zip(("uncoded", "coded"), ratios, strict=True):
            print(f"anyk, {name} / {engine}'s own: {interval(ratio)}; claim: at most {CLAIM}")
            broken = broken or float(np.median(ratio)) > CLAIM
        print()
    if broken and not parsed.tiny:
        raise SystemExit("the claim does not hold")


if __name__ == "__main__":
    main()
