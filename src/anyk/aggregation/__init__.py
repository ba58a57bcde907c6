"""Secure aggregation: clients hold vectors, and a server learns their sum alone.

A protocol, not a scheme: state machines that take bytes and give bytes, for any transport.
"""

from anyk.aggregation.aggregator import Aggregator
from anyk.aggregation.client import Client
from anyk.aggregation.committee import Committee
from anyk.aggregation.identity import Identity, Member
from anyk.aggregation.journal import AbstractJournal, FileJournal, MemoryJournal
from anyk.aggregation.light_sec_agg import LightSecAgg
from anyk.aggregation.masking_client import MaskingClient
from anyk.aggregation.noise import Noise
from anyk.aggregation.one_process import aggregate
from anyk.aggregation.parties import AbstractParties, AbstractParty, LocalParties
from anyk.aggregation.plan import AbstractPlan
from anyk.aggregation.plan_file import plan_text, read_plan
from anyk.aggregation.remote.parties import RemoteParties
from anyk.aggregation.remote.trial import Trial
from anyk.aggregation.result import Aggregated
from anyk.aggregation.roster import Roster
from anyk.aggregation.round import Round
from anyk.aggregation.server import Server
from anyk.aggregation.vectors import Whole

__all__ = [
    "AbstractJournal",
    "AbstractParties",
    "AbstractParty",
    "AbstractPlan",
    "Aggregated",
    "Aggregator",
    "Client",
    "Committee",
    "FileJournal",
    "Identity",
    "LightSecAgg",
    "LocalParties",
    "MaskingClient",
    "Member",
    "MemoryJournal",
    "Noise",
    "RemoteParties",
    "Roster",
    "Round",
    "Server",
    "Trial",
    "Whole",
    "aggregate",
    "plan_text",
    "read_plan",
]
