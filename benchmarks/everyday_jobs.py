"""Everyday jobs by `anyk.map`: on which engines they run, with the values and types of a loop.

Each job of `_everyday_tasks.py` is computed by a loop, then by `anyk.map` on each engine, and both
are compared through and through: types, dtypes, indices, values to the last bit, NaN at the same
places. Functions and classes travel as those of a script or a notebook do. Ends in an error where a
job does not run, or where what came is not the same, unless the table says so with a reason.

`--write` writes the table into docs/everyday-jobs.md; without it, the page must have the table.

Run: python benchmarks/everyday_jobs.py [--tiny] [--engines threads processes dask ray] [--write]
"""

import argparse
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import _everyday_tasks
import cloudpickle
import numpy as np
from _engines import engine
from _everyday_tasks import JOBS, Job

import anyk

PAGE = Path(__file__).parents[1] / "docs" / "everyday-jobs.md"
ENGINES = {"threads": "Threads", "processes": "Processes", "dask": "Dask", "ray": "Ray"}
BEGIN, END = "<!-- jobs -->", "<!-- /jobs -->"
WORKERS = 3
CANNOT = {  # by engine and job, why it can't; told in the table
    ("dask", "a pool of processes in the task"): (
        "its workers are daemons, unless dask's `distributed.worker.daemon` is false"
    ),
}

cloudpickle.register_pickle_by_value(_everyday_tasks)  # as if it were the script itself


def difference(one: Any, other: Any, at: str = "value") -> str | None:
    """Where two values differ, in type or in value; None where they don't."""
    if type(one) is not type(other):
        return f"{at}: {type(one).__qualname__} against {type(other).__qualname__}"
    parts = _parts(one), _parts(other)
    if parts[0] is not None and parts[1] is not None:
        if parts[0].keys() != parts[1].keys():
            return f"{at}: {list(parts[0])} against {list(parts[1])}"
        found = (difference(parts[0][key], parts[1][key], f"{at}.{key}") for key in parts[0])
        return next((each for each in found if each is not None), None)
    return None if _same(one, other) else f"{at}: {one!r:.60} against {other!r:.60}"


def _parts(value: Any) -> dict[Any, Any] | None:
    """What a value consists of, by name; None for one that is compared as a whole."""
    if is_dataclass(value):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    for kind in type(value).__mro__:
        if kind in PARTS:
            return PARTS[kind](value)
    package = type(value).__module__.partition(".")[0]
    return PACKAGES[package](value) if package in PACKAGES else None


def _array(value: np.ndarray) -> dict[str, Any]:
    """Of an array: what it is, and what is in it, to the last bit."""
    told: dict[str, Any] = {"dtype": repr(value.dtype), "shape": value.shape}
    names = value.dtype.names
    if names is not None:
        return told | {name: value[name] for name in names}
    if value.dtype == object:
        return told | {"items": value.ravel().tolist()}
    return told | {"bits": np.ascontiguousarray(value).tobytes()}


PARTS: dict[type, Callable[[Any], dict[Any, Any]]] = {
    np.ma.MaskedArray: lambda value: {
        "data": value.data, "mask": np.ma.getmaskarray(value), "fill": value.fill_value,
    },
    np.ndarray: _array,
    dict: lambda value: {repr(key): (key, each) for key, each in value.items()},
    list: lambda value: dict(enumerate(value)),
    tuple: lambda value: dict(enumerate(value)),
    BaseException: lambda value: {"arguments": value.args},
}  # fmt: skip
PACKAGES: dict[str, Callable[[Any], dict[Any, Any]]] = {
    "torch": lambda value: {"dtype": str(value.dtype), "array": value.detach().numpy()},
    "scipy": lambda value: {"format": value.format, "array": value.toarray()},
    "PIL": lambda value: {"mode": value.mode, "size": value.size, "pixels": value.tobytes()},
}


def _same(one: Any, other: Any) -> bool:
    kind = type(one).__module__.partition(".")[0]
    if kind == "pandas":
        import pandas as pd  # noqa: PLC0415 - its jobs alone need it

        name = {"DataFrame": "frame", "Series": "series", "Categorical": "categorical"}
        named = name.get(type(one).__name__, "index")
        getattr(pd.testing, f"assert_{named}_equal", pd.testing.assert_extension_array_equal)(
            one, other, check_exact=True
        )
        return True
    if isinstance(one, (float, complex)):
        return repr(one) == repr(other)  # NaN, and the sign of 0.0
    return bool(one == other)


def run(job: Job, executor: anyk.AbstractExecutor) -> str | None:
    """What goes wrong when an engine does a job; None if nothing does."""
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        folder = Path(place)
        function, items, options = job.made(folder)
        shared = options.pop("broadcast", {})
        drawn = list(items)
        loop = [function(item, **shared, **options.get("kwargs", {})) for item in drawn]
        if shared:
            handles = {
                name: stack.enter_context(executor.broadcast(each)) for name, each in shared.items()
            }
            options["kwargs"] = handles
        try:
            given = iter(drawn) if isinstance(items, Iterator) else drawn
            value = anyk.map(function, given, executor, progress=False, **options).value
            return difference(loop, value)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            return f"{type(error).__name__}: {error}"


@contextmanager
def employed(name: str) -> Iterator[anyk.AbstractExecutor]:
    """The workers of an engine, in processes of their own where it has some."""
    if name == "dask":
        from dask.distributed import Client, LocalCluster  # noqa: PLC0415 - an extra

        cluster = {"n_workers": WORKERS, "threads_per_worker": 1, "dashboard_address": ":0"}
        with LocalCluster(**cluster) as local, Client(local) as client, anyk.Dask(client) as made:
            yield made
    elif name == "ray":
        import ray  # noqa: PLC0415 - an extra

        ray.init(address="local", num_cpus=WORKERS, include_dashboard=False, log_to_driver=False)
        try:
            with anyk.Ray(WORKERS) as made:
                yield made
        finally:
            ray.shutdown()
    else:
        with engine(name, WORKERS) as made:
            yield made


def table(rows: dict[str, dict[str, str]], engines: list[str]) -> str:
    """The table in Markdown: a row a job, a column an engine."""
    lines = [f"| job | {' | '.join(ENGINES[name] for name in engines)} |"]
    lines += ["|---" * (1 + len(engines)) + "|"]
    lines += [
        f"| {name} | {' | '.join(cells[each] for each in engines)} |"
        for name, cells in rows.items()
    ]
    return "\n".join(lines)


def with_table(text: str, made: str) -> str:
    """A page's text with this table in it."""
    return re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n\n{made}\n\n{END}", text, flags=re.DOTALL)


def main() -> None:
    """Run the jobs, and write or compare the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="the same: all jobs are tiny")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--jobs", default="", help="those alone whose names have this in them")
    parser.add_argument("--write", action="store_true", help=f"write the table into {PAGE.name}")
    arguments = parser.parse_args()
    jobs = [each for each in JOBS if arguments.jobs in each.name]
    rows: dict[str, dict[str, str]] = {each.name: {} for each in jobs}
    wrong = []
    for name in arguments.engines:
        started = time.perf_counter()
        with employed(name) as executor:
            for each in jobs:
                problem = run(each, executor)
                reason = CANNOT.get((name, each.name))
                rows[each.name][name] = "✓" if problem is None else f"no: {reason}"
                if (problem is None) != (reason is None):
                    wrong.append(f"{ENGINES[name]}: {each.name}: {problem}")
        ran = sum(cells[name] == "✓" for cells in rows.values())
        seconds = time.perf_counter() - started
        print(f"{ENGINES[name]:<10} {ran} of {len(jobs)} as a loop, {seconds:.1f} s", flush=True)
    made = table(rows, arguments.engines)
    whole = not arguments.jobs and arguments.engines == list(ENGINES)
    page = PAGE.read_text(encoding="utf-8")
    if arguments.write and not wrong:  # the page says what was run, and nothing else
        PAGE.write_text(with_table(page, made), encoding="utf-8")
    elif whole and made not in page:
        wrong.append(f"docs/{PAGE.name} has another table: --write")
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
