"""Dask's side of the last task: the engine's own ways beside `anyk.map`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from _last_task_ray import ITEMS, LATE, WORKERS, Job, work

import anyk


@contextmanager
def last_task_sides() -> Iterator[dict[str, Job]]:
    """Each way to do the job, ours first, on the same ten workers of one thread each.

    A worker that dies is started again by Dask. What Dask had given it is computed again by itself.
    """
    from distributed import Client, LocalCluster, as_completed  # noqa: PLC0415 - an extra

    with (
        LocalCluster(
            n_workers=WORKERS,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            memory_limit=0,
            silence_logs=50,
        ) as cluster,
        Client(cluster) as client,
        anyk.Dask(client) as executor,
    ):

        def ours(folder: Path, trouble: bool) -> list[int]:  # noqa: FBT001 - as a job has it
            call = partial(work, folder, trouble)
            return anyk.map(call, range(ITEMS), executor, progress=False).value

        def plain(folder: Path, trouble: bool) -> list[int]:  # noqa: FBT001 - as above
            return client.gather(
                client.map(partial(work, folder, trouble), range(ITEMS), pure=False)
            )

        def resubmitted(folder: Path, trouble: bool) -> list[int]:  # noqa: FBT001 - as above
            call = partial(work, folder, trouble)
            futures = client.map(call, range(ITEMS), pure=False)
            item_of = dict(zip(futures, range(ITEMS), strict=True))
            done: dict[int, int] = {}
            coming = as_completed(list(futures))
            again = False
            for future in coming:
                done.setdefault(item_of[future], future.result())
                if len(done) == ITEMS:
                    break
                if not again and ITEMS - len(done) <= LATE * ITEMS:
                    again = True
                    for item in sorted(set(range(ITEMS)) - set(done)):
                        more = client.submit(call, item, pure=False)
                        item_of[more] = item
                        coming.add(more)
            client.cancel([future for future in item_of if not future.done()])
            return [done[item] for item in range(ITEMS)]

        yield {
            "anyk.map": ours,
            "gather of client.map, which Dask retries": plain,
            "as_completed, the last tenth resubmitted": resubmitted,
        }
