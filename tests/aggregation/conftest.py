"""A cast of parties with keys of their own, and parties that are late, dead, lying or malicious."""

from dataclasses import dataclass, field

import numpy as np
import pytest

import anyk
from anyk import aggregation
from anyk.aggregation.remote.founding import found_committee
from anyk.aggregation.requests import SIGN, SUM, done, unwrap
from anyk.aggregation.setting import Setting
from anyk.aggregation.wire import MAGIC

KIND = len(MAGIC)


@dataclass
class Faulty(aggregation.AbstractParty):
    """A party that does its work, and then something else with the answer.

    Args:
        inner: the honest party.
        spoil: of the kind of a request, the request and the honest answer.
    """

    inner: aggregation.AbstractParty
    spoil: object

    def answer(self, request):
        return self.spoil(request[KIND : KIND + 1], request, self.inner.answer(request))


@dataclass
class Cast:
    """Everybody of a plan, in this process."""

    plan: object
    names: tuple
    people: dict = field(default_factory=dict)

    def __post_init__(self):
        masked = isinstance(self.plan, aggregation.LightSecAgg)
        helpers = () if masked else [f"sum-{at}" for at in range(self.plan.aggregators)]
        for name in (*self.names, *helpers):
            self.people[name] = aggregation.Identity.generate(name)
        self.roster = aggregation.Roster(
            clients=[self.people[name].member for name in self.names],
            aggregators=[self.people[name].member for name in helpers],
        )
        self.setting = Setting(self.plan, self.roster)
        self.party_names = [each.name for each in self.setting.parties]
        self.last = 0

    def client(self, name):
        kind = aggregation.MaskingClient if self.setting.plan.masked else aggregation.Client
        return kind(self.plan, self.people[name], self.roster)

    def message(self, name, vector, number=1, weight=1):
        return self.client(name).contribute(vector, round=number, weight=weight)

    def party(self, name, **more):
        return aggregation.Aggregator(self.plan, self.people[name], self.roster, **more)

    def parties(self, gone=(), spoil=None):
        """All of them but those who are gone, and with what some do to their answers."""
        there = {name: self.party(name) for name in self.party_names if name not in gone}
        for name, what in (spoil or {}).items():
            there[name] = Faulty(there[name], what)
        return there

    def round(self, parties, number=1, **more):
        transport = aggregation.LocalParties(parties)
        return aggregation.Server(self.plan, self.roster, transport, **more).round(number)

    def run(self, messages, parties=None, number=1, **more):
        served = self.round(self.parties() if parties is None else parties, number, **more)
        for message in messages:
            served.receive(message)
        return served.close()

    def lies(self, name, by=1):
        """What makes a party lie in its sum, by a signature of its own."""

        def spoil(kind, request, answer):
            if kind != SUM or answer[KIND + 1]:
                return answer
            reader = unwrap(answer, SUM)
            payload = bytearray(reader.raw(self.setting.sum_bytes))
            values = np.frombuffer(payload, "<u4").copy()
            modulus = self.setting.codes[0].field.modulus
            values[0] = (int(values[0]) + by) % modulus
            payload = values.tobytes()
            start = KIND + 1 + 32
            number = int.from_bytes(request[start : start + 8], "big")
            digest = request[start + 8 : start + 40]
            signed = self.setting.signed_sum(number, digest, payload)
            return done(SUM, payload + self.people[name].sign(signed))

        return spoil


def silent(_kind, _request, _answer):
    raise TimeoutError("no answer in time")


def silent_from(first):
    """Silent from one kind of request on: what an aggregator that dies is."""
    order = [b"O", b"K", SIGN, SUM]

    def spoil(kind, _request, answer):
        if order.index(kind) >= order.index(first):
            raise ConnectionError("it died")
        return answer

    return spoil


def garbage(what):
    return lambda _kind, _request, _answer: what


@pytest.fixture(scope="session")
def cast():
    """Makes a cast: of a plan, and clients by number."""

    def make(plan, clients=None):
        many = clients or plan.clients
        return Cast(plan, tuple(f"c{at}" for at in range(many)))

    return make


@pytest.fixture(scope="session")
def spoilers():
    """What parties may do to their answers."""
    return {"silent": silent, "silent_from": silent_from, "garbage": garbage}


@pytest.fixture(scope="session")
def committee():
    """Makes a small plan of integers."""

    def make(**more):
        given = {"aggregators": 6, "length": 5, "clients": 8, "colluders": 1, **more}
        return aggregation.Committee(**{"numbers": aggregation.Whole(1000), **given})

    return make


@pytest.fixture(scope="session")
def fixed():
    return anyk.FixedPoint(fraction_bits=16, magnitude=8.0)


@pytest.fixture(scope="session")
def papers(tmp_path_factory):
    """Directories of a server, three aggregators and two clients, by `anyk committee`."""
    directory = tmp_path_factory.mktemp("papers")
    found_committee(directory, aggregators=3, clients=2)
    return directory
