"""A limit on the time of what might hang."""

from __future__ import annotations

import contextlib
import faulthandler
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def alarm(seconds: int) -> Iterator[None]:
    """Raise TimeoutError in here after so many seconds; end the program where that does nothing."""

    def ring(*_: object) -> None:
        raise TimeoutError(f"it did not return in {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    faulthandler.dump_traceback_later(4 * seconds, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
