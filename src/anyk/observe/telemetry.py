"""What a run tells those who operate it: logs under `anyk`, and OpenTelemetry spans."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from anyk.answers import Outcome

__all__ = ["watched_run"]

_LOG = logging.getLogger("anyk.run")
logging.getLogger("anyk").addHandler(logging.NullHandler())  # silent until the user asks


@contextmanager
def watched_run(scheme: str, executor: str, workers: int) -> Iterator[Callable[[Outcome], None]]:
    """Log one run, in a span of its own where OpenTelemetry is loaded.

    The log has one record a run, with fields for machines in its attributes: INFO, or WARNING
    where workers lied or there is no value. The span `anyk.run` has the same fields, or the type of
    an error. Neither holds data, shares or what workers said: worker numbers, counts and times
    alone.

    Args:
        scheme: name of its class.
        executor: name of its class.
        workers: N.

    Yields:
        What to call with the outcome.

    Example:
        >>> from anyk.observe.telemetry import watched_run
        >>> with watched_run("Lagrange", "Inline", 4) as note:
        ...     pass
    """
    known = {"anyk.scheme": scheme, "anyk.executor": executor, "anyk.workers": workers}
    trace: Any = sys.modules.get("opentelemetry.trace")  # loaded by who wants spans, not by us
    if trace is None:
        yield lambda outcome: _log(known | _fields(outcome), outcome)
        return
    # not the current span: a stream gives the thread back to its caller, and may end in another
    span = trace.get_tracer("anyk").start_span("anyk.run", attributes=known)

    def note(outcome: Outcome) -> None:
        fields = _fields(outcome)
        span.set_attributes({name: value for name, value in fields.items() if value is not None})
        _log(known | fields, outcome)

    try:
        yield note
    except Exception as error:
        span.set_attribute("error.type", type(error).__name__)  # its text may tell of data
        span.set_status(trace.StatusCode.ERROR)
        raise
    finally:
        span.end()


def _fields(outcome: Outcome) -> dict[str, Any]:
    return {
        "anyk.status": outcome.status.name,
        "anyk.used": list(outcome.used),
        "anyk.missing": list(outcome.missing),
        "anyk.failed": sorted(outcome.failures),
        "anyk.suspects": list(outcome.suspects),
        "anyk.error_estimate": outcome.error_estimate,
        "anyk.elapsed": outcome.elapsed,
    }


def _log(fields: dict[str, Any], outcome: Outcome) -> None:
    level = logging.WARNING if outcome.suspects or outcome.value is None else logging.INFO
    _LOG.log(
        level,
        "%s on %s: %s, %d of %d answers after %.3g s; failed %s; lied %s",
        fields["anyk.scheme"],
        fields["anyk.executor"],
        outcome.status.name,
        len(outcome.used),
        fields["anyk.workers"],
        outcome.elapsed,
        fields["anyk.failed"],
        list(outcome.suspects),
        extra={"anyk": fields},
    )
