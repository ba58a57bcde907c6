"""Secure aggregation in an app of Flower: a mod for its clients, and a strategy for its server.

Needs Flower: `pip install '.[flower]'` in a checkout.
"""

from __future__ import annotations

from anyk.wording import missing_extra

try:
    import flwr as _flwr  # noqa: F401 - the error below is clearer
except ImportError as error:
    raise missing_extra("anyk.aggregation.flower works with Flower", "flower") from error

from anyk.aggregation.flower.mod import SecureMod
from anyk.aggregation.flower.rehearsal import rehearse
from anyk.aggregation.flower.strategy import SecureStrategy

__all__ = ["SecureMod", "SecureStrategy", "rehearse"]
