"""Coded computing: any k of n answers are enough.

A computation is spread over workers of which some are slow, some are wrong and some are curious,
and the right answer still comes back, on time, without showing the data.

Names are loaded when they are first used, so that `import anyk` costs next to nothing: `_PLACES`
says where each one is, and the imports below tell the same to type checkers (a test compares).
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from anyk import aggregation as aggregation
    from anyk import dask_array as dask_array
    from anyk import delays as delays
    from anyk import faults as faults
    from anyk import joblib as joblib
    from anyk import learn as learn
    from anyk import shuffle as shuffle
    from anyk import testing as testing
    from anyk.answers import Answer as Answer
    from anyk.answers import Outcome as Outcome
    from anyk.answers import Recovered as Recovered
    from anyk.answers import Status as Status
    from anyk.answers import Timing as Timing
    from anyk.audits.accountant import leakage_spent as leakage_spent
    from anyk.audits.attack import Audit as Audit
    from anyk.audits.attack import audit as audit
    from anyk.audits.disclosure import Disclosure as Disclosure
    from anyk.audits.disclosure import leakage as leakage
    from anyk.audits.disclosure import worst_coalition as worst_coalition
    from anyk.audits.guesses import Attack as Attack
    from anyk.codes.exact.extension import ExtensionField as ExtensionField
    from anyk.cutting.blocks import Blocks as Blocks
    from anyk.cutting.blocks import blocks as blocks
    from anyk.degrees.of_degree import of_degree as of_degree
    from anyk.domains.array import FieldArray as FieldArray
    from anyk.domains.base import AbstractDomain as AbstractDomain
    from anyk.domains.prime import PrimeField as PrimeField
    from anyk.domains.real import Complex as Complex
    from anyk.domains.real import Reals as Reals
    from anyk.domains.tensors import Torch as Torch
    from anyk.domains.values import Values as Values
    from anyk.errors import AnykError as AnykError
    from anyk.errors import DegreeTooHigh as DegreeTooHigh
    from anyk.errors import ExecutorError as ExecutorError
    from anyk.errors import FunctionRaised as FunctionRaised
    from anyk.errors import InvalidArgument as InvalidArgument
    from anyk.errors import NotAccurateEnough as NotAccurateEnough
    from anyk.errors import NotEnoughAnswers as NotEnoughAnswers
    from anyk.errors import NotPolynomial as NotPolynomial
    from anyk.errors import RecoveryError as RecoveryError
    from anyk.errors import TooManyErrors as TooManyErrors
    from anyk.errors import Unachievable as Unachievable
    from anyk.errors import WorkerTraceback as WorkerTraceback
    from anyk.errors import WouldWrap as WouldWrap
    from anyk.executors.core.base import AbstractExecutor as AbstractExecutor
    from anyk.executors.core.broadcast import Broadcast as Broadcast
    from anyk.executors.core.health import Condition as Condition
    from anyk.executors.core.health import WorkerHealth as WorkerHealth
    from anyk.executors.core.lateness import Lateness as Lateness
    from anyk.executors.core.quarantine import Quarantine as Quarantine
    from anyk.executors.core.task_id import TaskId as TaskId
    from anyk.executors.core.task_id import task_id as task_id
    from anyk.executors.engines.dask import Dask as Dask
    from anyk.executors.engines.futures import Futures as Futures
    from anyk.executors.engines.ray import Ray as Ray
    from anyk.executors.local.inline import Inline as Inline
    from anyk.executors.local.simulated import Simulated as Simulated
    from anyk.executors.local.threads import Threads as Threads
    from anyk.executors.processes.executor import Processes as Processes
    from anyk.executors.remote.executor import Remote as Remote
    from anyk.executors.remote.marks import task as task
    from anyk.executors.wrappers.paced import Paced as Paced
    from anyk.executors.wrappers.with_master import WithMaster as WithMaster
    from anyk.fixed_point.format import FixedPoint as FixedPoint
    from anyk.leak import Leak as Leak
    from anyk.planning.products import ProductPlan as ProductPlan
    from anyk.planning.shortlist import Candidate as Candidate
    from anyk.planning.shortlist import Shortlist as Shortlist
    from anyk.planning.shortlist import schemes_for as schemes_for
    from anyk.running.distributed import Distributed as Distributed
    from anyk.running.mapping.map import amap as amap
    from anyk.running.mapping.map import map as map  # noqa: A004 - what it is called everywhere
    from anyk.running.mapping.map import map_unordered as map_unordered
    from anyk.running.mapping.map import starmap as starmap
    from anyk.running.matmul import matmul as matmul
    from anyk.running.run import distribute as distribute
    from anyk.running.run import run as run
    from anyk.running.run import stream as stream
    from anyk.running.sequential import JobDone as JobDone
    from anyk.running.sequential import sequential as sequential
    from anyk.schemes.approximate.analog_lagrange.scheme import AnalogLagrange as AnalogLagrange
    from anyk.schemes.approximate.berrut.scheme import Berrut as Berrut
    from anyk.schemes.approximate.chebyshev_lagrange.scheme import (
        ChebyshevLagrange as ChebyshevLagrange,
    )
    from anyk.schemes.approximate.filled_replication.scheme import (
        FilledReplication as FilledReplication,
    )
    from anyk.schemes.approximate.spline.scheme import Spline as Spline
    from anyk.schemes.approximate.veiled_replication.scheme import (
        VeiledReplication as VeiledReplication,
    )
    from anyk.schemes.base import AbstractScheme as AbstractScheme
    from anyk.schemes.catalogue import CATALOGUE as CATALOGUE
    from anyk.schemes.encoded import Encoded as Encoded
    from anyk.schemes.encoder import Encoder as Encoder
    from anyk.schemes.maps.lagrange import Lagrange as Lagrange
    from anyk.schemes.maps.replication import Replication as Replication
    from anyk.schemes.maps.shamir import Shamir as Shamir
    from anyk.schemes.products.circulant import Circulant as Circulant
    from anyk.schemes.products.csa import CSA as CSA
    from anyk.schemes.products.entangled import Entangled as Entangled
    from anyk.schemes.products.folded_gram import FoldedGram as FoldedGram
    from anyk.schemes.products.gcsa import GCSA as GCSA
    from anyk.schemes.products.matdot import MatDot as MatDot
    from anyk.schemes.products.mds import MDS as MDS
    from anyk.schemes.products.ortho_matdot import OrthoMatDot as OrthoMatDot
    from anyk.schemes.products.ortho_polynomial import OrthoPolynomial as OrthoPolynomial
    from anyk.schemes.products.polydot import PolyDot as PolyDot
    from anyk.schemes.products.polynomial import Polynomial as Polynomial
    from anyk.schemes.products.residues import Residues as Residues
    from anyk.schemes.products.rotation import Rotation as Rotation
    from anyk.schemes.products.short_dot import ShortDot as ShortDot
    from anyk.schemes.products.sparse import Sparse as Sparse
    from anyk.schemes.products.uncoded import Uncoded as Uncoded
    from anyk.schemes.recovery import AbstractRecovery as AbstractRecovery
    from anyk.schemes.row import SchemeRow as SchemeRow
    from anyk.schemes.row import SchemeWords as SchemeWords
    from anyk.schemes.row import WrapperRow as WrapperRow
    from anyk.schemes.sums.batched_coupons import BatchedCoupons as BatchedCoupons
    from anyk.schemes.sums.cyclic_mds import CyclicMDS as CyclicMDS
    from anyk.schemes.sums.cyclic_repetition import CyclicRepetition as CyclicRepetition
    from anyk.schemes.sums.expander_repetition import ExpanderRepetition as ExpanderRepetition
    from anyk.schemes.sums.fractional_repetition import FractionalRepetition as FractionalRepetition
    from anyk.schemes.sums.frobenius import Frobenius as Frobenius
    from anyk.schemes.sums.harmonic import Harmonic as Harmonic
    from anyk.schemes.sums.partial_work import PartialWork as PartialWork
    from anyk.schemes.sums.sequential_gradient import SequentialGradient as SequentialGradient
    from anyk.schemes.sums.ye_abbe import YeAbbe as YeAbbe
    from anyk.schemes.wrappers.agreed import Agreed as Agreed
    from anyk.schemes.wrappers.summed import Summed as Summed
    from anyk.spec import Guarantee as Guarantee
    from anyk.spec import Map as Map
    from anyk.spec import MatMul as MatMul
    from anyk.spec import Sum as Sum
    from anyk.spec import Threat as Threat

__version__ = "0.4.0.dev0"

_PLACES: Final = {
    "AbstractDomain": "anyk.domains.base",
    "AbstractExecutor": "anyk.executors.core.base",
    "AbstractRecovery": "anyk.schemes.recovery",
    "AbstractScheme": "anyk.schemes.base",
    "Agreed": "anyk.schemes.wrappers.agreed",
    "AnalogLagrange": "anyk.schemes.approximate.analog_lagrange.scheme",
    "Answer": "anyk.answers",
    "AnykError": "anyk.errors",
    "Attack": "anyk.audits.guesses",
    "Audit": "anyk.audits.attack",
    "BatchedCoupons": "anyk.schemes.sums.batched_coupons",
    "Berrut": "anyk.schemes.approximate.berrut.scheme",
    "Blocks": "anyk.cutting.blocks",
    "Broadcast": "anyk.executors.core.broadcast",
    "CATALOGUE": "anyk.schemes.catalogue",
    "CSA": "anyk.schemes.products.csa",
    "Candidate": "anyk.planning.shortlist",
    "ChebyshevLagrange": "anyk.schemes.approximate.chebyshev_lagrange.scheme",
    "Circulant": "anyk.schemes.products.circulant",
    "Complex": "anyk.domains.real",
    "Condition": "anyk.executors.core.health",
    "CyclicMDS": "anyk.schemes.sums.cyclic_mds",
    "CyclicRepetition": "anyk.schemes.sums.cyclic_repetition",
    "Dask": "anyk.executors.engines.dask",
    "DegreeTooHigh": "anyk.errors",
    "Disclosure": "anyk.audits.disclosure",
    "Distributed": "anyk.running.distributed",
    "Encoded": "anyk.schemes.encoded",
    "Encoder": "anyk.schemes.encoder",
    "Entangled": "anyk.schemes.products.entangled",
    "ExecutorError": "anyk.errors",
    "ExpanderRepetition": "anyk.schemes.sums.expander_repetition",
    "ExtensionField": "anyk.codes.exact.extension",
    "FieldArray": "anyk.domains.array",
    "FilledReplication": "anyk.schemes.approximate.filled_replication.scheme",
    "FixedPoint": "anyk.fixed_point.format",
    "FoldedGram": "anyk.schemes.products.folded_gram",
    "FractionalRepetition": "anyk.schemes.sums.fractional_repetition",
    "Frobenius": "anyk.schemes.sums.frobenius",
    "FunctionRaised": "anyk.errors",
    "Futures": "anyk.executors.engines.futures",
    "GCSA": "anyk.schemes.products.gcsa",
    "Guarantee": "anyk.spec",
    "Harmonic": "anyk.schemes.sums.harmonic",
    "Inline": "anyk.executors.local.inline",
    "InvalidArgument": "anyk.errors",
    "JobDone": "anyk.running.sequential",
    "Lagrange": "anyk.schemes.maps.lagrange",
    "Lateness": "anyk.executors.core.lateness",
    "Leak": "anyk.leak",
    "MDS": "anyk.schemes.products.mds",
    "Map": "anyk.spec",
    "MatDot": "anyk.schemes.products.matdot",
    "MatMul": "anyk.spec",
    "NotAccurateEnough": "anyk.errors",
    "NotEnoughAnswers": "anyk.errors",
    "NotPolynomial": "anyk.errors",
    "OrthoMatDot": "anyk.schemes.products.ortho_matdot",
    "OrthoPolynomial": "anyk.schemes.products.ortho_polynomial",
    "Outcome": "anyk.answers",
    "Paced": "anyk.executors.wrappers.paced",
    "PartialWork": "anyk.schemes.sums.partial_work",
    "PolyDot": "anyk.schemes.products.polydot",
    "Polynomial": "anyk.schemes.products.polynomial",
    "PrimeField": "anyk.domains.prime",
    "Processes": "anyk.executors.processes.executor",
    "ProductPlan": "anyk.planning.products",
    "Quarantine": "anyk.executors.core.quarantine",
    "Ray": "anyk.executors.engines.ray",
    "Reals": "anyk.domains.real",
    "Recovered": "anyk.answers",
    "RecoveryError": "anyk.errors",
    "Remote": "anyk.executors.remote.executor",
    "Replication": "anyk.schemes.maps.replication",
    "Residues": "anyk.schemes.products.residues",
    "Rotation": "anyk.schemes.products.rotation",
    "SchemeRow": "anyk.schemes.row",
    "SchemeWords": "anyk.schemes.row",
    "SequentialGradient": "anyk.schemes.sums.sequential_gradient",
    "Shamir": "anyk.schemes.maps.shamir",
    "ShortDot": "anyk.schemes.products.short_dot",
    "Shortlist": "anyk.planning.shortlist",
    "Simulated": "anyk.executors.local.simulated",
    "Sparse": "anyk.schemes.products.sparse",
    "Spline": "anyk.schemes.approximate.spline.scheme",
    "Status": "anyk.answers",
    "Sum": "anyk.spec",
    "Summed": "anyk.schemes.wrappers.summed",
    "TaskId": "anyk.executors.core.task_id",
    "Threads": "anyk.executors.local.threads",
    "Threat": "anyk.spec",
    "Timing": "anyk.answers",
    "TooManyErrors": "anyk.errors",
    "Torch": "anyk.domains.tensors",
    "Unachievable": "anyk.errors",
    "Uncoded": "anyk.schemes.products.uncoded",
    "Values": "anyk.domains.values",
    "VeiledReplication": "anyk.schemes.approximate.veiled_replication.scheme",
    "WithMaster": "anyk.executors.wrappers.with_master",
    "WorkerHealth": "anyk.executors.core.health",
    "WorkerTraceback": "anyk.errors",
    "WouldWrap": "anyk.errors",
    "WrapperRow": "anyk.schemes.row",
    "YeAbbe": "anyk.schemes.sums.ye_abbe",
    "amap": "anyk.running.mapping.map",
    "audit": "anyk.audits.attack",
    "blocks": "anyk.cutting.blocks",
    "distribute": "anyk.running.run",
    "leakage": "anyk.audits.disclosure",
    "leakage_spent": "anyk.audits.accountant",
    "map": "anyk.running.mapping.map",
    "map_unordered": "anyk.running.mapping.map",
    "matmul": "anyk.running.matmul",
    "of_degree": "anyk.degrees.of_degree",
    "run": "anyk.running.run",
    "schemes_for": "anyk.planning.shortlist",
    "sequential": "anyk.running.sequential",
    "starmap": "anyk.running.mapping.map",
    "stream": "anyk.running.run",
    "task": "anyk.executors.remote.marks",
    "task_id": "anyk.executors.core.task_id",
    "worst_coalition": "anyk.audits.disclosure",
}
_NAMESPACES: Final = (
    "aggregation",
    "dask_array",
    "delays",
    "faults",
    "joblib",
    "learn",
    "shuffle",
    "testing",
)

if not TYPE_CHECKING:  # a type checker knows the names, and which there are not
    __all__ = [*_PLACES, "delays", "faults", "shuffle", "testing"]  # noqa: PLE0604 - not learn, which needs an extra

    def __getattr__(name: str) -> Any:
        """A public name, when it is first used."""
        if name in _NAMESPACES:
            return importlib.import_module(f"anyk.{name}")
        if name not in _PLACES:
            raise AttributeError(
                f"module 'anyk' has no attribute {name!r}", name=name, obj=sys.modules[__name__]
            )
        value = getattr(importlib.import_module(_PLACES[name]), name)
        globals()[name] = value  # from now on without this function
        return value

    def __dir__() -> list[str]:
        return sorted({*__all__, *_NAMESPACES, "__version__"})
