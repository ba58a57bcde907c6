"""What runs a call of joblib's: a thread that hands its jobs to workers, and brings results."""

from __future__ import annotations

import threading
from typing import Any, final

from anyk.executors.core.base import AbstractExecutor
from anyk.joblib.parcels import Parcel, run_parcel
from anyk.joblib.submitted import Job, Submitted
from anyk.running.mapping.call import MapCall
from anyk.running.mapping.options import MapSettings

__all__ = ["Driver"]


@final
class Driver:
    """Jobs on the workers of an executor, as `anyk.map` computes items, until it is closed.

    Args:
        executor: the workers.
        settings: how often a job is computed.
        most: how many jobs may be out at a time, not counting second copies.

    Example:
        >>> from anyk.joblib.driver import Driver
        >>> from anyk.joblib.parcels import packed
        >>> from anyk.joblib.submitted import Job
        >>> from anyk.running.mapping.options import MapSettings
        >>> done = []
        >>> driver = Driver(anyk.Threads(2), MapSettings(on_failure="return"), most=2)
        >>> driver.submit(Job(done.append), packed(list, {}))
        >>> while not done:
        ...     pass
        >>> driver.close()
        >>> done[0].result()
        []
    """

    def __init__(self, executor: AbstractExecutor, settings: MapSettings, most: int) -> None:
        self._submitted = Submitted(most)
        self._call = MapCall(run_parcel, self._submitted, executor, settings)
        self._thread = threading.Thread(target=self._drive, name="anyk joblib", daemon=True)
        self._thread.start()

    def submit(self, job: Job, parcel: Parcel) -> None:
        """Compute a job; from any thread. Returns at once."""
        self._submitted.add(job, parcel)
        self._call.wake()

    def close(self) -> None:
        """Give up what is left, and end the thread. Harmless when called twice."""
        self._submitted.close(RuntimeError("the call of joblib that this job is of is over"))
        self._call.wake()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _drive(self) -> None:
        submitted: Any = self._submitted
        try:
            for item in self._call.items(lambda: submitted.closed):
                submitted.over(item)
        except BaseException as error:  # noqa: BLE001 - joblib raises it where it is waited for
            submitted.close(error)
        submitted.fail()
