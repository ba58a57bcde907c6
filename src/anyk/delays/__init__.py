"""How late workers are: models, and traces of measured delays."""

from anyk.delays.models import AbstractDelays, Fixed, NoDelay, Occasional, ShiftedExponential
from anyk.delays.trace_files import read_trace, write_trace
from anyk.delays.traces import Recorded

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
