"""How late workers are: models, and traces of measured delays."""

from anyk.delays.models import AbstractDelays, Fixed, NoDelay, Occasional, ShiftedExponential
from anyk.delays.traces import Recorded, read_trace, write_trace

__all__ = [
    "AbstractDelays",
    "Fixed",
    "NoDelay",
    "Occasional",
    "Recorded",
    "ShiftedExponential",
    "read_trace",
    "write_trace",
]
