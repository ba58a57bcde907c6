"""A backend of joblib whose tasks survive late, dead and wrong workers.

Importing it lets joblib know it by the name "anyk". Needs joblib, which scikit-learn brings along.
"""

from __future__ import annotations

from anyk.wording import missing_extra

try:
    from joblib import register_parallel_backend  # type: ignore[import-untyped]
except ImportError as error:
    raise missing_extra("anyk.joblib is a backend of joblib", "learn") from error

from anyk.joblib.backend import AnykBackend

__all__ = ["AnykBackend"]

register_parallel_backend("anyk", AnykBackend)
