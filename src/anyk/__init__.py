"""Coded computing: any k of n answers are enough.

A computation is spread over workers of which some are slow, some are wrong and some are curious,
and the right answer still comes back, on time, without showing the data.
"""

from __future__ import annotations

from anyk import testing
from anyk.answers import Answer, Outcome, Recovered, Status, Timing
from anyk.audits.attack import Audit, audit
from anyk.audits.disclosure import Disclosure, leakage, worst_coalition
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
from anyk.executors.core.health import Condition, WorkerHealth
from anyk.executors.engines.dask import Dask
from anyk.executors.engines.futures import Futures
from anyk.executors.engines.ray import Ray
from anyk.executors.local.inline import Inline
from anyk.executors.local.simulated import Simulated
from anyk.executors.local.threads import Threads
from anyk.executors.processes.executor import Processes
from anyk.executors.remote.executor import Remote
from anyk.executors.wrappers.with_master import WithMaster
from anyk.fixed_point.format import FixedPoint
from anyk.planning.shortlist import Candidate, Shortlist, schemes_for
from anyk.running.distributed import Distributed
from anyk.running.run import distribute, run, stream
from anyk.schemes.approximate.analog_lagrange.scheme import AnalogLagrange
from anyk.schemes.approximate.berrut.scheme import Berrut
from anyk.schemes.approximate.filled_replication.scheme import FilledReplication
from anyk.schemes.approximate.spline.scheme import Spline
from anyk.schemes.approximate.veiled_replication.scheme import VeiledReplication
from anyk.schemes.base import AbstractRecovery, AbstractScheme, Encoded, Encoder
from anyk.schemes.maps.lagrange import Lagrange
from anyk.schemes.maps.replication import Replication
from anyk.schemes.maps.shamir import Shamir
from anyk.schemes.sums.harmonic import Harmonic
from anyk.schemes.wrappers.summed import Summed
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
    "FilledReplication",
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
    "VeiledReplication",
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
