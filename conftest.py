"""What all tests start from, and what every doctest may use without importing it."""

import importlib.util
import os
import signal
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

os.environ.setdefault("ANYK_FAST", "0")  # before anyk is imported: numba where a test says so

import anyk

settings.register_profile("anyk", deadline=None)  # tests measure no time: machines are noisy
settings.load_profile("anyk")
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job's children ignore it
pytest.register_assert_rewrite("calls")  # what the tests of executors have in common
if importlib.util.find_spec("flwr") is None:  # an extra that the other tests do without
    collect_ignore_glob = ["src/anyk/aggregation/flower/*", "docs/flower.md"]


@pytest.fixture(scope="session")
def public_names() -> dict[str, Any]:
    """All that `from anyk import *` brings: in it a repr rebuilds its value."""
    return {name: getattr(anyk, name) for name in anyk.__all__}


@pytest.fixture(autouse=True)
def _names(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace["anyk"] = anyk
    doctest_namespace["np"] = np
