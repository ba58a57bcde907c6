"""Conformance: what every domain, scheme and executor must do, as checks that anyone can run.

Each check raises AssertionError with the offending pattern in its message. Where the patterns of
stragglers, liars and colluders are few, all are tried; otherwise a sample of `patterns` of them.
"""

from anyk.executors.remote.trial import Trial
from anyk.testing.domain import check_domain
from anyk.testing.executor import check_executor
from anyk.testing.scheme import check_scheme

__all__ = ["Trial", "check_domain", "check_executor", "check_scheme"]
