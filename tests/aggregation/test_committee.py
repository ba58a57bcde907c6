"""Committees: exact whoever is gone, liars are named, numbers out of range are refused."""

import itertools

import numpy as np
import pytest

import anyk
from anyk import aggregation

RNG = np.random.default_rng(7)


def vectors(many, length, most=1000):
    return RNG.integers(-most, most + 1, (many, length))


def test_every_set_of_clients_is_summed_exactly(cast, committee):
    plan = committee(aggregators=3, length=3, clients=8, least_clients=1)
    people = cast(plan)
    data = vectors(8, 3)
    messages = [people.message(name, row) for name, row in zip(people.names, data, strict=True)]
    for members in range(1, 1 << 8):  # benchmarks/aggregation_at_scale.py has all sets of 10
        chosen = [at for at in range(8) if members >> at & 1]
        result = people.run([messages[at] for at in chosen])
        assert (result.total == data[chosen].sum(axis=0)).all()
        assert result.counted == tuple(sorted(people.names[at] for at in chosen))
        assert not result.left_out
        assert not result.silent


def test_every_pattern_of_silent_and_lying_aggregators_gives_the_sum_and_names(
    cast, committee, spoilers
):
    plan = committee(aggregators=7, colluders=1, adversaries=1, stragglers=1)
    assert (plan.blocks, plan.quorum) == (3, 5)
    people = cast(plan, 3)
    data = vectors(3, 5)
    messages = [people.message(name, row) for name, row in zip(people.names, data, strict=True)]
    everybody = people.party_names
    for quiet, liar in itertools.product([None, *everybody], repeat=2):
        if quiet is not None and quiet == liar:
            continue
        spoil = {} if quiet is None else {quiet: spoilers["silent"]}
        spoil |= {} if liar is None else {liar: people.lies(liar)}
        result = people.run(messages, people.parties(spoil=spoil))
        assert (result.total == data.sum(axis=0)).all()
        assert result.liars == (() if liar is None else (liar,))
        assert set(result.silent) == (set() if quiet is None else {quiet})


@pytest.mark.parametrize("first", [b"O", b"K", b"S", b"T"])
def test_an_aggregator_may_die_at_any_moment(cast, committee, spoilers, first):
    people = cast(committee(stragglers=1, aggregators=6), 3)
    data = vectors(3, 5)
    messages = [people.message(name, row) for name, row in zip(people.names, data, strict=True)]
    parties = people.parties(spoil={"sum-2": spoilers["silent_from"](first)})
    result = people.run(messages, parties)
    assert (result.total == data.sum(axis=0)).all()
    assert result.silent == {"sum-2": "ConnectionError: it died"}


@pytest.mark.parametrize("rubbish", [b"", b"x" * 10, b"anyk\x01O\x00", None, b"anyk\x01T\x00" * 99])
def test_an_aggregator_that_answers_garbage_is_left_out(cast, committee, spoilers, rubbish):
    people = cast(committee(stragglers=1), 3)
    data = vectors(3, 5)
    messages = [people.message(name, row) for name, row in zip(people.names, data, strict=True)]
    result = people.run(messages, people.parties(spoil={"sum-1": spoilers["garbage"](rubbish)}))
    assert (result.total == data.sum(axis=0)).all()
    assert set(result.silent) == {"sum-1"}


def test_more_liars_than_promised_are_noticed(cast, committee):
    people = cast(committee(aggregators=7, adversaries=1, stragglers=1), 3)
    messages = [
        people.message(name, row) for name, row in zip(people.names, vectors(3, 5), strict=True)
    ]
    spoil = {name: people.lies(name, by) for name, by in (("sum-1", 5), ("sum-4", 77))}
    with pytest.raises(anyk.TooManyErrors, match=r"0-6 contradict .* at most 1 liar\. Raise adv"):
        people.run(messages, people.parties(spoil=spoil))


def test_without_spare_sums_a_lie_is_not_noticed(cast):
    plan = aggregation.Committee(
        aggregators=3, length=2, clients=3, numbers=aggregation.Whole(9), blocks=2
    )
    people = cast(plan)
    messages = [people.message(name, [1, 2]) for name in people.names]
    result = people.run(messages, people.parties(spoil={"sum-2": people.lies("sum-2", 1)}))
    assert not result.liars  # A = 0 promises none
    assert result.total.tolist() != [3, 6]


def test_too_few_aggregators_are_told_by_name(cast, committee):
    people = cast(committee(stragglers=1), 3)
    messages = [
        people.message(name, row) for name, row in zip(people.names, vectors(3, 5), strict=True)
    ]
    with pytest.raises(
        anyk.NotEnoughAnswers,
        match=r"3 of 6 aggregators answered; needed: 4 signatures on one set of clients\. Missing: "
        r"0-2\. Left out: sum-0: ConnectionError: .*; sum-1: .*",
    ):
        people.run(messages, people.parties(gone=("sum-0", "sum-1", "sum-2")))


def test_too_few_sums_are_told_by_name(cast, committee, spoilers):
    people = cast(committee(stragglers=1, blocks=4), 3)
    messages = [
        people.message(name, row) for name, row in zip(people.names, vectors(3, 5), strict=True)
    ]
    spoil = {name: spoilers["silent_from"](b"T") for name in ("sum-0", "sum-5")}
    with pytest.raises(
        anyk.NotEnoughAnswers, match=r"4 of 6 aggregators answered; needed: 5 sums\. Missing: 0, 5"
    ):
        people.run(messages, people.parties(spoil=spoil))


def test_weights_are_summed_with_the_vectors(cast, committee, fixed):
    people = cast(committee(numbers=fixed, most_weight=500, length=4), 4)
    data, weights = RNG.uniform(-8, 8, (4, 4)), [1, 500, 33, 7]
    messages = [
        people.message(name, row, weight=weight)
        for name, row, weight in zip(people.names, data, weights, strict=True)
    ]
    result = people.run(messages)
    rounded = np.floor(data * 2**16 + 0.5) / 2**16
    assert result.weight == 541
    assert np.allclose(result.value, np.average(rounded, axis=0, weights=weights), rtol=1e-15)
    for weight in (0, 501, -1):
        with pytest.raises(anyk.InvalidArgument, match="weight: got"):
            people.message("c0", data[0], weight=weight)


def test_large_sums_take_a_second_prime(cast, committee):
    plan = committee(numbers=aggregation.Whole(2**55), clients=8, stragglers=1, adversaries=0)
    assert len(plan.vectors.fields) == 2
    people = cast(plan)
    data = RNG.integers(-(2**55), 2**55 + 1, (8, 5))
    messages = [people.message(name, row) for name, row in zip(people.names, data, strict=True)]
    result = people.run(messages, people.parties(gone=("sum-4",)))
    assert (result.total == data.sum(axis=0)).all()


@pytest.mark.parametrize(
    ("most", "primes"),
    [
        ((2**24 - 4) // 2, [2**24 - 3]),
        ((2**24 - 2) // 2, [2**31 - 1]),
        ((2**31 - 2) // 2, [2**31 - 1]),
        (2**31 // 2, [2**24 - 3, 2**24 - 17]),
        (((2**24 - 3) * (2**24 - 17) - 1) // 2, [2**24 - 3, 2**24 - 17]),
        (((2**24 - 3) * (2**24 - 17) + 1) // 2, [2**31 - 1, 2**31 - 19]),
    ],
)
def test_sums_as_large_as_the_primes_hold_are_exact(cast, committee, most, primes):
    plan = committee(numbers=aggregation.Whole(most), clients=1, least_clients=1)
    assert [field.modulus for field in plan.vectors.fields] == primes
    people = cast(plan)
    data = [most, -most, most - 1, 1 - most, 0]
    assert people.run([people.message("c0", data)]).total.tolist() == data


def test_a_liar_is_named_in_each_of_two_primes(cast, committee):
    plan = committee(numbers=aggregation.Whole(2**50), aggregators=7, adversaries=1)
    people = cast(plan, 3)
    data = RNG.integers(-(2**50), 2**50 + 1, (3, 5))
    messages = [people.message(name, row) for name, row in zip(people.names, data, strict=True)]
    result = people.run(messages, people.parties(spoil={"sum-0": people.lies("sum-0")}))
    assert (result.total == data.sum(axis=0)).all()
    assert result.liars == ("sum-0",)


def test_sums_that_no_two_primes_hold_are_refused(committee):
    with pytest.raises(anyk.Unachievable, match=r"numbers: got sums of integers up to 2\^63\.0"):
        committee(numbers=aggregation.Whole(2**60))


@pytest.mark.parametrize("modulus", [101, 2**31 - 1])
def test_residues_are_summed_modulo_p(cast, committee, modulus):
    people = cast(committee(numbers=anyk.PrimeField(modulus), stragglers=2), 8)
    data = RNG.integers(0, modulus, (8, 5))
    messages = [people.message(name, row) for name, row in zip(people.names, data, strict=True)]
    assert (people.run(messages).total == data.sum(axis=0) % modulus).all()


@pytest.mark.parametrize(
    ("vector", "says"),
    [
        ([0.0, 8.5, 0.0], r"got 8\.5 at index \(1,\); needed: at most magnitude=8\.0"),
        ([0.0, 0.0, -9.0], r"got -9\.0 at index \(2,\)"),
        ([0.0, np.nan, 0.0], r"got nan at index \(1,\)"),
        ([np.inf, 0.0, 0.0], r"got inf at index \(0,\)"),
        ([1.0, 2.0], "got 2 numbers; needed: 3"),
    ],
)
def test_what_is_out_of_range_is_refused_at_the_client(cast, committee, fixed, vector, says):
    client = cast(committee(numbers=fixed, length=3), 2).client("c0")
    with pytest.raises(anyk.InvalidArgument, match=says):
        client.contribute(vector, round=1)
    client.contribute([8.0, -8.0, 0.0], round=1)  # the limit itself is in range


def test_integers_out_of_range_are_refused(cast, committee):
    client = cast(committee(length=3), 2).client("c0")
    with pytest.raises(anyk.InvalidArgument, match=r"got -1001 at index \(2,\); needed: at most"):
        client.contribute([0, 0, -1001], round=1)
    with pytest.raises(anyk.InvalidArgument, match="vector"):
        client.contribute([0, 0, 2**70], round=1)


def test_a_client_that_goes_beyond_the_range_is_noticed_where_the_sum_shows_it(cast, committee):
    people = cast(committee(length=2, clients=3, numbers=aggregation.Whole(10)), 3)
    wide = aggregation.Client(people.plan, people.people["c0"], people.roster)
    assert wide._setting.context == people.setting.context  # which each keeps from now on
    object.__setattr__(people.plan.numbers, "magnitude", 10**6)  # what the client runs is its own
    bad = wide.contribute([10**6, 0], round=1)
    object.__setattr__(people.plan.numbers, "magnitude", 10)
    with pytest.raises(anyk.RecoveryError, match="a client sent numbers out of range"):
        people.run([people.message("c1", [1, 1]), bad])


@pytest.mark.parametrize(
    ("length", "blocks"), [(1, 1), (2, 2), (8, 8), (9, 5), (10, 5), (17, 6), (100_000, 8)]
)
def test_blocks_are_the_fewest_that_make_pieces_as_short(length, blocks):
    plan = aggregation.Committee(
        aggregators=15, length=length, clients=5, numbers=aggregation.Whole(9),
        colluders=3, adversaries=1, stragglers=2,
    )  # fmt: skip
    assert plan.blocks == blocks
    assert plan.piece == -(-length // 8)


def test_the_example_of_the_docstring_has_as_many_as_it_needs(committee):
    with pytest.raises(anyk.Unachievable, match=r"1 \+ 2 \+ 2\*1 \+ 2 = 7 <= 6"):
        committee(colluders=2, adversaries=1, stragglers=2)
    with pytest.raises(anyk.Unachievable, match="a quorum of 4 among those"):
        committee(aggregators=5, colluders=1, adversaries=1, stragglers=1)
    with pytest.raises(anyk.InvalidArgument, match=r"quorum: got 3; needed: .* = 4"):
        committee(quorum=3)
    assert committee(quorum=5).quorum == 5
