"""Faults put into workers on purpose, around any executor."""

from anyk.faults.failures import AbstractFault, Crash, Delay, Die, Rubbish
from anyk.faults.faulty import Faulty
from anyk.faults.lies import Collude, Corrupt

__all__ = [
    "AbstractFault",
    "Collude",
    "Corrupt",
    "Crash",
    "Delay",
    "Die",
    "Faulty",
    "Rubbish",
]
