"""LightSecAgg: masked vectors, and one sum of pieces of masks from each client that is there."""

import itertools

import numpy as np
import pytest

import anyk
from anyk import aggregation

RNG = np.random.default_rng(11)


@pytest.fixture(scope="session")
def plan():
    return aggregation.LightSecAgg(
        clients=8, length=6, numbers=aggregation.Whole(1000), colluders=2, dropouts=2
    )


def start(people, vectors, number=1, weights=None):
    """Clients that prepared and contributed, and all their messages."""
    clients = {name: people.client(name) for name in people.names}
    prepared = [client.prepare(round=number) for client in clients.values()]
    weights = weights or [1] * len(vectors)
    rows = zip(clients.values(), vectors, weights, strict=True)
    uploads = [client.contribute(row, round=number, weight=own) for client, row, own in rows]
    return clients, prepared, uploads


def test_every_pattern_of_dropouts_gives_the_sum(cast, plan):
    assert (plan.needed, plan.code.blocks, plan.quorum) == (6, 4, 6)
    people = cast(plan)
    vectors = RNG.integers(-1000, 1001, (8, 6))
    clients, prepared, uploads = start(people, vectors)
    number = 1
    gone_sets = [each for many in range(3) for each in itertools.combinations(range(8), many)]
    for gone, early in itertools.product(gone_sets, (False, True)):
        # after they sent their vector, or before: prepared, and never heard of again
        parties = {
            name: aggregation.Aggregator(plan, people.people[name], people.roster)
            for at, name in enumerate(clients)
            if at not in gone
        }
        served = people.round(parties, number)
        sent = [each for at, each in enumerate(uploads) if not (early and at in gone)]
        for message in [*prepared, *sent]:
            assert served.receive(message) == ""
        result = served.close()
        counted = [at for at in range(8) if not (early and at in gone)]
        assert (result.total == vectors[counted].sum(axis=0)).all()
        assert len(result.silent) == len(gone)
        assert len(result.left_out) == (len(gone) if early else 0)


def test_one_more_dropout_is_too_many(cast, plan):
    people = cast(plan)
    clients, prepared, uploads = start(people, np.ones((8, 6), int))
    for name in ("c1", "c2", "c5"):
        del clients[name]
    with pytest.raises(
        anyk.NotEnoughAnswers,
        match=r"5 of 8 clients answered; needed: 6 signatures.*Missing: 1-2, 5",
    ):
        people.run([*prepared, *uploads], clients)


def test_a_client_that_lies_about_its_sum_of_pieces_is_named(cast):
    plan = aggregation.LightSecAgg(
        clients=8, length=6, numbers=aggregation.Whole(1000), colluders=1, dropouts=1, adversaries=1
    )
    people = cast(plan)
    vectors = RNG.integers(-1000, 1001, (8, 6))
    clients, prepared, uploads = start(people, vectors)
    liar, quiet = "c7", "c0"
    parties = people.parties(gone=(quiet,), spoil={liar: people.lies(liar)})
    result = people.run([*prepared, *uploads], parties)
    assert (result.total == vectors.sum(axis=0)).all()
    assert result.liars == (liar,)
    assert len(clients) == 8


def test_weights_floats_and_two_primes(cast):
    plan = aggregation.LightSecAgg(
        clients=6, length=3, numbers=anyk.FixedPoint(fraction_bits=30, magnitude=2.0),
        colluders=1, dropouts=1, most_weight=50,
    )  # fmt: skip
    assert len(plan.vectors.fields) == 2
    people = cast(plan)
    vectors, weights = RNG.uniform(-2, 2, (6, 3)), [1, 50, 3, 4, 9, 20]
    clients, prepared, uploads = start(people, vectors, weights=weights)
    del clients["c3"]
    result = people.run([*prepared, *uploads], clients)
    assert result.weight == 87
    assert np.allclose(result.value, np.average(vectors, axis=0, weights=weights), atol=2e-9)


def test_a_mask_hides_one_vector(cast, plan):
    people = cast(plan)
    client = people.client("c0")
    with pytest.raises(anyk.InvalidArgument, match="a round that is prepared"):
        client.contribute([1] * 6, round=1)
    client.prepare(round=1)
    with pytest.raises(anyk.InvalidArgument, match="got 1001 at index"):
        client.contribute([1001] * 6, round=1)
    client.contribute([1] * 6, round=1)
    with pytest.raises(anyk.InvalidArgument, match="of which the mask is not used yet"):
        client.contribute([2] * 6, round=1)
    with pytest.raises(anyk.InvalidArgument, match="more than 1"):
        client.prepare(round=1)


def test_who_sends_two_vectors_or_that_of_another_mask_is_left_out(cast, plan):
    people = cast(plan)
    clients, prepared, uploads = start(people, np.ones((8, 6), int))
    other = people.client("c0")
    other.prepare(round=1)
    wrong = other.contribute([5] * 6, round=1)
    served = people.round(clients)
    for message in [*prepared, wrong, *uploads[1:]]:
        assert served.receive(message) == ""
    result = served.close()
    assert result.total.tolist() == [7] * 6
    assert result.left_out == {"c0": "its masked vector belongs to another mask"}
    again = people.parties()
    served = people.round(again)
    said = [served.receive(message) for message in [*prepared, *uploads, wrong, uploads[0]]]
    assert said == [""] * 16 + ["it sent two different messages"] * 2
    result = served.close()
    assert result.total.tolist() == [7] * 6
    assert result.left_out == {"c0": "it sent two different messages"}


def test_who_sends_pieces_of_two_masks_is_left_out(cast, plan):
    people = cast(plan)
    clients, prepared, uploads = start(people, np.ones((8, 6), int))
    served = people.round(clients, hold=0)
    assert [served.receive(message) for message in prepared] == [""] * 8
    assert served.receive(people.client("c0").prepare(round=1)) == "it sent two different messages"
    for message in uploads:
        served.receive(message)
    result = served.close()
    assert result.total.tolist() == [7] * 6
    assert result.left_out == {"c0": "it sent two different messages"}


def test_thousands_of_clients_are_named_in_one_header():
    identity = aggregation.Identity.generate("c0")
    others = [aggregation.Member(f"c{at}", RNG.bytes(32), RNG.bytes(32)) for at in range(1, 2100)]
    plan = aggregation.LightSecAgg(
        clients=2100, length=2, colluders=1, needed=2, numbers=aggregation.Whole(9)
    )
    roster = aggregation.Roster(clients=[identity.member, *others])
    client = aggregation.MaskingClient(plan, identity, roster)
    served = aggregation.Server(plan, roster, aggregation.LocalParties({"c0": client})).round(1)
    message = client.prepare(round=1)
    assert len(message) > 1 << 16
    assert served.receive(message) == ""
    with pytest.raises(anyk.NotEnoughAnswers) as caught:
        served.close()
    assert "c0: it sent no masked vector" in str(caught.value)  # its box was opened, and is right


def test_a_round_with_too_few_vectors_stays_open(cast, plan):
    people = cast(plan)
    clients, prepared, uploads = start(people, np.ones((8, 6), int))
    served = people.round(clients)
    for message in [*prepared[:7], uploads[0], uploads[7]]:
        assert served.receive(message) == ""
    says = r"1 of 8 clients .*Left out: c1: it sent no masked vector; .*; c7: it sent no pieces"
    with pytest.raises(anyk.NotEnoughAnswers, match=says):
        served.close()
    for message in [prepared[7], uploads[4]]:
        assert served.receive(message) == ""
    result = served.close()
    assert result.counted == ("c0", "c4", "c7")
    assert result.total.tolist() == [3] * 6


def test_vectors_without_masks_and_spoiled_ones_are_left_out(cast, plan):
    people = cast(plan)
    clients, prepared, uploads = start(people, np.ones((8, 6), int))
    served = people.round(clients)
    for message in [*prepared[1:], *uploads]:
        assert served.receive(message) == ""
    spoiled = bytearray(uploads[0])
    spoiled[-1] ^= 1
    assert served.receive(bytes(spoiled)) == "its client did not sign it"
    assert served.receive(uploads[0][:-1]) == "it is cut short"
    result = served.close()
    assert result.total.tolist() == [7] * 6
    assert result.left_out == {"c0": "it sent no pieces of its mask"}


def test_most_pieces_travel_as_seeds(cast, plan):
    people = cast(plan)
    sizes = people.setting.box_sizes
    assert sizes[:6] == (64,) * 6
    wide = aggregation.LightSecAgg(
        clients=20, length=100_000, numbers=aggregation.Whole(1000), colluders=6, dropouts=6
    )
    people = cast(wide)
    offline = len(people.client("c0").prepare(round=1))
    assert offline < 6 * 4 * (100_000 / 8 + 10) + 20 * 200


def test_rounds_may_be_prepared_long_before(cast, plan):
    people = cast(plan)
    clients = {name: people.client(name) for name in people.names}
    rounds = {number: people.round(clients, number) for number in (1, 2, 3)}
    for number, served in rounds.items():
        for client in clients.values():
            assert served.receive(client.prepare(round=number)) == ""
        served.relay()
    for number in (3, 1, 2):
        for client in clients.values():
            rounds[number].receive(client.contribute([number] * 6, round=number))
        assert rounds[number].close().total.tolist() == [8 * number] * 6


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"dropouts": 6}, r"T < U and U \+ 2A <= N - D"),
        ({"needed": 2}, r"T < U"),
        ({"needed": 7}, r"7 \+ 2\*0 <= 8 - 2"),
        ({"dropouts": 3, "needed": 4}, "a quorum of 6 among those"),
        ({"quorum": 5}, "quorum: got 5"),
        ({"least_clients": 9}, "least_clients: got 9"),
    ],
)
def test_promises_that_do_not_fit_are_refused(given, says):
    full = {"clients": 8, "length": 6, "numbers": aggregation.Whole(9), "colluders": 2,
            "dropouts": 2, **given}  # fmt: skip
    with pytest.raises(anyk.InvalidArgument, match=says):
        aggregation.LightSecAgg(**full)
