"""A model of 100 MB that every call needs: sent once by `broadcast`, or with each call.

Claims: the second and later calls with a constant of `Processes(8).broadcast` take at most 1.1
times those of a function that makes its model in a global of each worker, and the model is sent
once a worker. Both hold on shares, `distribute(...).run`, and on items, `anyk.map`. Beside them
stands the model as an argument, which is sent with each call.

Run: python benchmarks/model_stays_on_workers.py [--tiny]
"""

import argparse
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
from _model_tasks import make, predict, predict_by_global

import anyk
from anyk.bench.measure import compare, interval, table
from anyk.executors.processes.pipe import Pipe

WORKERS = 8


@contextmanager
def counted() -> Iterator[Callable[[], int]]:
    """How many bytes were sent to worker processes since this was last asked."""
    total, lock = [0], threading.Lock()
    plain = {name: getattr(Pipe, name) for name in ("send", "push")}

    def counting(name: str) -> Callable[..., None]:
        def send(pipe: Pipe, *buffers: bytes) -> None:
            with lock:
                total[0] += sum(memoryview(each).nbytes for each in buffers)
            plain[name](pipe, *buffers)

        return send

    def since() -> int:
        with lock:
            many, total[0] = total[0], 0
        return many

    for name in plain:
        setattr(Pipe, name, counting(name))
    try:
        yield since
    finally:
        for name, send in plain.items():
            setattr(Pipe, name, send)


def main() -> None:
    """Measure the sides turn by turn, then count the bytes of one more call of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    parser.add_argument("--rounds", type=int, default=21)
    options = parser.parse_args()
    layers, rounds = (1, 1) if options.tiny else (13, options.rounds)

    model, X = make(layers), np.ones((WORKERS, 16))
    scheme, quiet = anyk.Replication(blocks=WORKERS, workers=WORKERS), {"progress": False}
    by_global = partial(predict_by_global, layers=layers)
    with (
        counted() as since,
        anyk.Processes(WORKERS) as executor,
        anyk.distribute(scheme, X, executor) as data,
        executor.broadcast(model) as constant,
    ):
        run, items = partial(data.run, **quiet), list(X)
        call = partial(anyk.map, executor=executor, **quiet)
        run(predict, constant)
        first = since()
        sides = {
            "run, in a global of the worker": lambda: run(by_global),
            "run, broadcast": lambda: run(predict, constant),
            "map, in a global of the worker": lambda: call(by_global, items),
            "map, broadcast": lambda: call(predict, items, kwargs={"model": constant}),
        }
        slow = {
            "run, as an argument": lambda: run(predict, model),
            "map, as an argument": lambda: call(predict, items, kwargs={"model": model}),
        }
        seconds = compare(sides, rounds=rounds) | compare(slow, rounds=min(3, rounds))
        sent = {}
        for name, side in (sides | slow).items():
            since()
            side()
            sent[name] = since()
    size = sum(layer.nbytes for layer in model) / 1e6
    print(f"a model of {size:.0f} MB, {WORKERS} processes; median (95 % interval), {rounds} rounds")
    print(f"sent until the first call with the constant was over: {first / 1e6:.1f} MB\n")
    rows = []
    for name, each in sorted(seconds.items()):
        own = seconds[f"{name.partition(',')[0]}, in a global of the worker"][: len(each)]
        rows.append([name, interval(1e3 * each), interval(each / own), f"{sent[name] / 1e6:.3f}"])
    print(table(["", "milliseconds", "beside a global", "MB sent a call"], rows))
    print("\nclaim: broadcast at most 1.1 beside a global")


if __name__ == "__main__":
    main()
