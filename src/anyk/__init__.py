"""Coded computing: any k of n answers are enough.

A computation is spread over workers of which some are slow, some are wrong and some are curious,
and the right answer still comes back, on time, without showing the data.
"""

from __future__ import annotations

from anyk import testing
from anyk.answers import Answer, Outcome, Recovered, Status, Timing
from anyk.audit import Audit, audit
from anyk.disclosure import Disclosure, leakage, worst_coalition
from anyk.distributed import Distributed
from anyk.domains.array import FieldArray
from anyk.domains.prime import PrimeField
from anyk.domains.real import Complex, Reals
from anyk.errors import (
    AnykError,
    ExecutorError,
    InvalidArgument,
    NotAccurateEnough,
    NotEnoughAnswers,
    NotPolynomial,
    RecoveryError,
    TooManyErrors,
    Unachievable,
)
from anyk.executors.dask import Dask
from anyk.executors.futures import Futures
from anyk.executors.health import Condition, WorkerHealth
from anyk.executors.inline import Inline
from anyk.executors.master import WithMaster
from anyk.executors.processes import Processes
from anyk.executors.ray import Ray
from anyk.executors.remote import Remote
from anyk.executors.simulated import Simulated
from anyk.executors.threads import Threads
from anyk.planning.planner import Candidate, Shortlist, schemes_for
from anyk.privacy.embedding import FixedPoint
from anyk.run import distribute, run, stream
from anyk.schemes.analog_lagrange import AnalogLagrange
from anyk.schemes.base import AbstractRecovery, AbstractScheme, Encoded, Encoder
from anyk.schemes.berrut import Berrut
from anyk.schemes.harmonic import Harmonic
from anyk.schemes.lagrange import Lagrange
from anyk.schemes.replication import Replication
from anyk.schemes.shamir import Shamir
from anyk.schemes.spline import Spline
from anyk.schemes.summed import Summed
from anyk.spec import Guarantee, Map, MatMul, Sum, Threat

__version__ = "0.1.0"

__all__ = [
    "AbstractRecovery",
    "AbstractScheme",
    "AnalogLagrange",
    "Answer",
    "AnykError",
    "Audit",
    "Berrut",
    "Candidate",
    "Complex",
    "Condition",
    "Dask",
    "Disclosure",
    "Distributed",
    "Encoded",
    "Encoder",
    "ExecutorError",
    "FieldArray",
    "FixedPoint",
    "Futures",
    "Guarantee",
    "Harmonic",
    "Inline",
    "InvalidArgument",
    "Lagrange",
    "Map",
    "MatMul",
    "NotAccurateEnough",
    "NotEnoughAnswers",
    "NotPolynomial",
    "Outcome",
    "PrimeField",
    "Processes",
    "Ray",
    "Reals",
    "Recovered",
    "RecoveryError",
    "Remote",
    "Replication",
    "Shamir",
    "Shortlist",
    "Simulated",
    "Spline",
    "Status",
    "Sum",
    "Summed",
    "Threads",
    "Threat",
    "Timing",
    "TooManyErrors",
    "Unachievable",
    "WithMaster",
    "WorkerHealth",
    "audit",
    "distribute",
    "leakage",
    "run",
    "schemes_for",
    "stream",
    "testing",
    "worst_coalition",
]
