"""Advice that a test can't follow here, and why."""

DASK = "a Dask cluster is needed: tests/executors/test_dask.py"
DASK_ARRAY = "a Dask cluster is needed: tests/test_dask_array.py"
FLOWER = "Flower is needed, an extra: tests/test_flower.py"
RAY = "a Ray cluster is needed: tests/executors/test_ray.py"
ELSEWHERE = "the error is raised by who called this; the rows of this table try each of its texts"
CLOSED = "told of what somebody has closed meanwhile: tests/test_slabs.py"
NO_ADVICE = "told of one worker's answer, whose loss the scheme bears: nothing is to be done"

UNTRIED: dict[tuple[str, str], str] = {
    ("aggregation/flower/arrays.py", ""): FLOWER,
    ("aggregation/flower/mod.py", ""): FLOWER,
    ("aggregation/flower/strategy.py", ""): FLOWER,
    ("cutting/tables.py", "f'{_MAP}; or c"): "pandas is needed: tests/test_blocks.py",
    ("dask_array/product.py", ""): "a Dask cluster is needed: tests/test_dask_array.py",
    ("dask_array/shares.py", ""): "told of a share that a worker lost: tests/test_dask_array.py",
    ("domains/functions/refused.py", "f'{shown}: "): ELSEWHERE,
    ("domains/functions/moves.py", "Pass a list of arrays."): "numpy says it first",
    ("domains/functions/sums.py", "Sum parts, then the sums."): "32 GiB of numbers are needed",
    ("executors/core/crew_filling.py", "'the executor was closed"): CLOSED,
    ("running/slabs/filled.py", "error.change"): ELSEWHERE,
    ("running/slabs/clusters.py", ""): "clusters are needed: tests/executors/test_dask_slabs.py",
    ("running/slabs/maker.py", ""): "clusters are needed: tests/executors/test_dask_slabs.py",
    ("running/slabs/read.py", "f'{whole}"): ELSEWHERE,
    ("running/slabs/read.py", "Call X.compute_chunk_sizes"): "Dask is needed: tests/test_slabs.py",
    ("executors/engines/made.py", ""): "said by a task that no executor runs in this process",
    ("executors/engines/dask.py", ""): DASK,
    ("executors/engines/dask_calls.py", ""): DASK,
    ("executors/engines/dask_constants.py", ""): DASK,
    ("executors/engines/dask_frames.py", ""): DASK,
    ("executors/engines/dask_place.py", ""): DASK,
    ("executors/engines/dask_session.py", ""): DASK,
    ("executors/engines/futures_worker.py", "'it has no executor.'"): NO_ADVICE,
    ("executors/core/broadcast.py", "f\"this constant can't"): NO_ADVICE,
    ("executors/processes/calls.py", ""): NO_ADVICE,
    ("executors/engines/ray.py", ""): RAY,
    ("executors/engines/ray_calls.py", ""): RAY,
    ("executors/engines/ray_site.py", ""): RAY,
    ("executors/engines/ray_values.py", ""): RAY,
    ("executors/engines/ray_worker.py", ""): RAY,
    ("connections/trial.py", ""): "tells what a party of a trial said, which is its advice",
    ("running/degrees.py", "change"): ELSEWHERE,
    ("running/mapping/failed_items.py", ""): "made for who raises it; the rows of maps try each",
}
