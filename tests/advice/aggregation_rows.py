"""Secure aggregation: plans, keys, rosters, vectors and rounds that do not go."""

import dataclasses
import tempfile
from pathlib import Path

from tried import tried

import anyk
from anyk import aggregation
from anyk.aggregation.opening import opened
from anyk.aggregation.setting import Setting
from anyk.randomness.discrete_gaussian import discrete_gaussian
from anyk.randomness.entropy import SystemSource

FIXED = anyk.FixedPoint(fraction_bits=8, magnitude=4.0)
WHOLE = aggregation.Whole(1000)
NOISE = aggregation.Noise(std=1.0, norm=2.0, honest=2)
PEOPLE = [aggregation.Identity.generate(name) for name in ("a", "b", "c", "d", "e")]
MEMBERS = [each.member for each in PEOPLE]
FOLDER = tempfile.TemporaryDirectory(prefix="anyk-rows-")  # it goes with this module
PLACE = Path(FOLDER.name)


def committee(**given):
    plain = {"aggregators": 3, "length": 2, "clients": 4, "numbers": WHOLE}
    return aggregation.Committee(**{**plain, **given})


def masked(**given):
    plain = {"clients": 5, "length": 2, "numbers": WHOLE}
    return aggregation.LightSecAgg(**{**plain, **given})


PLAN, MASKED = committee(), masked()
ROSTER = aggregation.Roster(clients=MEMBERS[:2], aggregators=MEMBERS[2:])
ALL = aggregation.Roster(clients=MEMBERS)


def client():
    return aggregation.Client(PLAN, PEOPLE[0], ROSTER)


def again():
    """A round that was used."""
    own = client()
    own.contribute([1, 2], round=3)
    return own


def masking(*, prepared=False):
    own = aggregation.MaskingClient(MASKED, PEOPLE[0], ALL)
    if prepared:
        own.prepare(round=1)
    return own


def aggregator(journal=None):
    return aggregation.Aggregator(PLAN, PEOPLE[2], ROSTER, journal=journal)


def journal(text=None, name="signed", use=lambda it: it.signed(1)):
    path = PLACE / name
    if text is not None:
        path.write_text(text)
    with aggregation.FileJournal(path) as opened_journal:
        return use(opened_journal)


def key_file(write):
    path = PLACE / "key"
    path.unlink(missing_ok=True)
    write(path)
    return aggregation.Identity.load(path)


def roster_file():
    ROSTER.save(PLACE / "roster")
    return aggregation.Roster.load(PLACE / "roster")


def one_round(*, senders=2, gone=0, plan=PLAN):
    parties = {each.name: aggregation.Aggregator(plan, each, ROSTER) for each in PEOPLE[2 + gone :]}
    served = aggregation.Server(plan, ROSTER, aggregation.LocalParties(parties)).round(1)
    for each in PEOPLE[:senders]:
        message = aggregation.Client(plan, each, ROSTER).contribute([1, 2], round=1)
        served.receive(message)
    return served.close()


def contradiction(adversaries=0, aggregators=4):
    """Sums of which one is wrong, or all parties' right ones."""
    plan = committee(aggregators=aggregators, blocks=1, adversaries=adversaries)
    people = [aggregation.Identity.generate(f"p{at}").member for at in range(aggregators)]
    roster = aggregation.Roster(clients=MEMBERS, aggregators=people)
    setting = Setting(plan, roster)
    rows = {at: anyk.PrimeField().constant([[2, 2]]) for at in range(aggregators)}
    rows[1][0, 0] = 3
    return opened(setting, rows, [], 2)


def noisy(vector):
    plan = committee(least_clients=2, numbers=FIXED, noise=NOISE)
    own = aggregation.Client(plan, PEOPLE[0], ROSTER)
    return own.contribute(vector, round=1)


ROWS = [
    tried(
        "Pass FileJournal(path).",
        lambda: aggregator(journal="a path"),
        lambda: journal(name="fresh", use=aggregator),
    ),
    tried(
        "Pass a Committee; LightSecAgg has MaskingClient.",
        lambda: aggregation.Client(MASKED, PEOPLE[0], ALL),
        client,
        masking,
    ),
    tried(
        "Send the same bytes again if they were lost; number each round anew.",
        lambda: again().contribute([1, 2], round=3),
        lambda: again().contribute([1, 2], round=4),
    ),
    tried(
        "Add aggregators, or lower blocks, colluders, adversaries or stragglers.",
        lambda: committee(blocks=3),
        lambda: committee(blocks=3, aggregators=4),
        lambda: committee(blocks=2),
    ),
    tried(
        "Give both the same aggregators.",
        lambda: aggregation.Client(committee(aggregators=4), PEOPLE[0], ROSTER),
        client,
    ),
    tried(
        "Give each party a short name in ASCII.",
        lambda: aggregation.Identity.generate("Zoë"),
        lambda: aggregation.Identity.generate("zoe"),
    ),
    tried(
        "Make one with Identity.generate(name).save(path).",
        lambda: key_file(lambda path: path.write_text("no key")),
        lambda: key_file(aggregation.Identity.generate("x").save),
    ),
    tried(
        "Take Identity.member, which has both.",
        lambda: aggregation.Member("a", b"", b""),
        lambda: aggregation.Identity.generate("a").member,
    ),
    tried(
        "Name another file; never delete a journal while its keys are in use.",
        lambda: journal("no journal\n"),
        lambda: journal(name="another"),
    ),
    tried(
        "Add clients, or lower colluders, adversaries or dropouts.",
        lambda: masked(dropouts=4),
        lambda: masked(dropouts=4, clients=13),
        lambda: masked(dropouts=1),
    ),
    tried(
        "Give both the same clients.",
        lambda: aggregation.MaskingClient(masked(clients=4), PEOPLE[0], ALL),
        masking,
    ),
    tried(
        "Pass a LightSecAgg; a Committee has Client.",
        lambda: aggregation.MaskingClient(PLAN, PEOPLE[0], ROSTER),
        masking,
        client,
    ),
    tried(
        "Call prepare(round=) first; send the same bytes again if they were lost.",
        lambda: masking().contribute([1, 2], round=1),
        lambda: masking(prepared=True).contribute([1, 2], round=1),
    ),
    tried(
        "Clip its norm beforehand, if that is what you mean.",
        lambda: noisy([3.0, 3.0]),
        lambda: noisy([2**0.5, 2**0.5]),
    ),
    tried(
        "Give it in units of the vectors.",
        lambda: aggregation.Noise(std=0.0, norm=1.0, honest=1),
        lambda: aggregation.Noise(std=0.1, norm=1.0, honest=1),
    ),
    tried(
        "Take more fraction_bits where it is too fine, or fewer.",
        lambda: dataclasses.replace(NOISE, std=1e-3).share(FIXED),
        lambda: dataclasses.replace(NOISE, std=1e-3).share(
            anyk.FixedPoint(fraction_bits=12, magnitude=4.0)
        ),
        lambda: dataclasses.replace(NOISE, std=2.0**30).share(
            anyk.FixedPoint(fraction_bits=2, magnitude=4.0)
        ),
    ),
    tried(
        "Pass aggregation.Committee(..).",
        lambda: aggregation.aggregate("a plan", {}),
        lambda: aggregation.aggregate(PLAN, [[1, 2], [3, 4]]),
    ),
    tried(
        "Leave out the vectors of clients that send nothing.",
        lambda: aggregation.aggregate(PLAN, {"a": [1, 2], "b": [3, 4], "c": [1, 1]}, gone=["c"]),
        lambda: aggregation.aggregate(PLAN, {"a": [1, 2], "b": [3, 4]}),
    ),
    tried(
        "Pass a list of names.",
        lambda: aggregation.aggregate(PLAN, [[1, 2], [3, 4]], gone=3),
        lambda: aggregation.aggregate(
            committee(aggregators=5, stragglers=1), [[1, 2], [3, 4]], gone=["aggregator-1"]
        ),
    ),
    tried(
        "Pass those of the plan.",
        lambda: NOISE.epsilon(delta=1e-6, length=2, numbers=anyk.PrimeField()),
        lambda: NOISE.epsilon(delta=1e-6, length=2, numbers=committee(numbers=FIXED).numbers),
    ),
    tried(
        "Give each client a weight, by name if vectors have names.",
        lambda: aggregation.aggregate(committee(most_weight=9), {"a": [1, 2], "b": [3, 4]}, [1, 2]),
        lambda: aggregation.aggregate(
            committee(most_weight=9), {"a": [1, 2], "b": [3, 4]}, {"a": 1, "b": 2}
        ),
        lambda: aggregation.aggregate(committee(most_weight=9), [[1, 2], [3, 4]], [1, 2]),
    ),
    tried(
        "Make the plan with clients= of as many.",
        lambda: aggregation.aggregate(committee(clients=2), [[1, 2], [3, 4], [5, 6]]),
        lambda: aggregation.aggregate(committee(clients=3), [[1, 2], [3, 4], [5, 6]]),
    ),
    tried(
        "Pass a dict or a list.",
        lambda: aggregation.aggregate(PLAN, 3),
        lambda: aggregation.aggregate(PLAN, {"a": [1, 2], "b": [3, 4]}),
        lambda: aggregation.aggregate(PLAN, [[1, 2], [3, 4]]),
    ),
    tried(
        "Raise adversaries (each liar costs two parties), or replace parties.",
        contradiction,
        lambda: contradiction(adversaries=1, aggregators=6),
    ),
    tried(
        "Pass aggregation.Noise(std=, norm=, honest=).",
        lambda: committee(noise=1.0),
        lambda: committee(numbers=FIXED, noise=NOISE),
    ),
    tried(
        "Lower it, or add clients.",
        lambda: committee(least_clients=5),
        lambda: committee(least_clients=4),
        lambda: committee(least_clients=5, clients=5),
    ),
    tried(
        "Raise least_clients, by as many as may collude too; or lower honest.",
        lambda: committee(numbers=FIXED, noise=NOISE, least_clients=1),
        lambda: committee(numbers=FIXED, noise=NOISE, least_clients=3),
        lambda: committee(
            numbers=FIXED, noise=dataclasses.replace(NOISE, honest=1), least_clients=1
        ),
    ),
    tried(
        "Leave most_weight out.",
        lambda: committee(numbers=FIXED, noise=NOISE, most_weight=3),
        lambda: committee(numbers=FIXED, noise=NOISE),
    ),
    tried(
        "Add {} aggregators, or lower how many of them collude, lie or are silent.",
        lambda: committee(aggregators=4, colluders=1, stragglers=2, blocks=1),
        lambda more: committee(aggregators=4 + more, colluders=1, stragglers=2, blocks=1),
        lambda _: committee(aggregators=4, colluders=1, stragglers=1, blocks=1),
        less=lambda more: committee(aggregators=4 + more, colluders=1, stragglers=2, blocks=1),
    ),
    tried(
        "Generate an Identity for each.",
        lambda: aggregation.Roster(clients=[MEMBERS[0], MEMBERS[0]]),
        lambda: aggregation.Roster(clients=[MEMBERS[0], aggregation.Identity.generate("z").member]),
    ),
    tried("Write it with Roster.save.", lambda: aggregation.Roster.parse("x"), roster_file),
    tried(
        "Pass Identity.member of each.",
        lambda: aggregation.Roster(clients=["a"]),
        lambda: aggregation.Roster(clients=[PEOPLE[0].member]),
    ),
    tried(
        "Open another round when they are there again, or plan for more who are silent.",
        lambda: one_round(gone=1),
        one_round,
        lambda: aggregation.aggregate(
            committee(aggregators=5, stragglers=1, blocks=1), [[1, 2]] * 2, gone=["aggregator-1"]
        ),
    ),
    tried(
        "Wait for more of them, or lower least_clients of the plan.",
        lambda: one_round(senders=1),
        one_round,
        lambda: one_round(senders=1, plan=committee(least_clients=1)),
    ),
    tried(
        "Pass LocalParties({name: party}).",
        lambda: aggregation.Server(PLAN, ROSTER, {}),
        lambda: aggregation.Server(PLAN, ROSTER, aggregation.LocalParties({"c": aggregator()})),
    ),
    tried(
        "Pass aggregation.Committee(..) or aggregation.LightSecAgg(..).",
        lambda: aggregation.Aggregator(None, PEOPLE[2], ROSTER),
        aggregator,
        lambda: aggregation.Aggregator(MASKED, PEOPLE[2], ALL),
    ),
    tried(
        "Pass aggregation.Roster(..).",
        lambda: aggregation.Aggregator(PLAN, PEOPLE[2], MEMBERS),
        aggregator,
    ),
    tried(
        "Pass Identity.load(path).",
        lambda: aggregation.Aggregator(PLAN, MEMBERS[2], ROSTER),
        aggregator,
        lambda: key_file(aggregation.Identity.generate("x").save),
    ),
    tried(
        "Put Identity.member in the roster that everybody has.",
        lambda: aggregation.Client(PLAN, PEOPLE[2], ROSTER),
        client,
    ),
    tried(
        "Pass anyk.FixedPoint(fraction_bits=16, magnitude=8.0) for reals.",
        lambda: committee(numbers=float),
        lambda: committee(numbers=anyk.FixedPoint(fraction_bits=16, magnitude=8.0)),
    ),
    tried(
        "Residues have no size: leave weights and noise out, or take one of these.",
        lambda: committee(numbers=anyk.PrimeField(101), most_weight=3),
        lambda: committee(numbers=anyk.PrimeField(101)),
        lambda: committee(numbers=FIXED, most_weight=3),
        lambda: committee(numbers=WHOLE, most_weight=3),
    ),
    tried(
        "Leave degree, summands, coefficient, factors and primes out: a sum has degree 1, and the "
        "plan counts the clients.",
        lambda: committee(numbers=dataclasses.replace(FIXED, degree=2)),
        lambda: committee(numbers=FIXED),
    ),
    tried(
        "Lower fraction_bits, magnitude, most_weight or clients.",
        lambda: committee(numbers=aggregation.Whole(2**59), most_weight=2),
        lambda: committee(numbers=aggregation.Whole(2**57), most_weight=2),
        lambda: committee(numbers=aggregation.Whole(2**58), most_weight=1),
        lambda: committee(numbers=aggregation.Whole(2**57), most_weight=2, clients=3),
        lambda: committee(numbers=anyk.FixedPoint(fraction_bits=50, magnitude=4.0)),
    ),
    tried(
        "Make the plan with length= of what clients hold.",
        lambda: client().contribute([1, 2, 3], round=1),
        lambda: committee(length=3).vectors.integers([1, 2, 3]),
    ),
    tried(
        "Raise magnitude, for all clients.",
        lambda: client().contribute([1, 1001], round=1),
        lambda: committee(numbers=aggregation.Whole(1001)).vectors.integers([1, 1001]),
    ),
    tried(
        "Give the plan most_weight=, the largest weight of a client.",
        lambda: client().contribute([1, 2], round=1, weight=5),
        lambda: committee(most_weight=5).vectors.integers([1, 2], 5),
    ),
    tried(
        "Leave it out.",
        lambda: committee(quorum=1),
        committee,
    ),
    tried(
        "Take another scale, or finer numbers.",
        lambda: discrete_gaussian(SystemSource(), 0.1, (3,)),
        lambda: discrete_gaussian(SystemSource(), 0.1 * 2**8, (3,)),
    ),
]
