"""One set of clients a round: two sums never come out, and what is not of the set stays out."""

import itertools

import numpy as np
import pytest

import anyk
from anyk import aggregation
from anyk.aggregation.boxes import boxes_of, read_header
from anyk.aggregation.requests import SIGN, SUM, keep, offer, sums, unwrap
from anyk.aggregation.wire import Garbled


@pytest.fixture
def small(cast, committee):
    """Six aggregators, one colluder, five clients, and a message of each."""
    people = cast(committee(least_clients=2), 5)
    messages = [people.message(name, [at] * 5) for at, name in enumerate(people.names)]
    return people, messages


def boxed(people, messages, number=1):
    """Header and boxes of each message."""
    pairs = []
    for message in messages:
        header = read_header(people.setting, message, round_number=number)
        pairs.append((header, boxes_of(people.setting, header, message)))
    return pairs


def hold(people, party, pairs, number=1):
    """Offer boxes to one party, have it add them; the digest of the set."""
    place = people.party_names.index(party.name)
    offered = [(header, boxes[place]) for header, boxes in pairs]
    unwrap(party.answer(offer(people.setting, number, offered)), b"O")
    clients = [header.client for header, _ in pairs]
    unwrap(party.answer(keep(people.setting, number, clients, drop=True)), b"K")
    return people.setting.set_digest(number, [(each.client, each.digest) for each, _ in pairs])


def sign(people, party, digest, number=1):
    answer = party.answer(people.setting.start(SIGN, number) + digest)
    return unwrap(answer, SIGN).raw(64)


def ask_sum(people, party, digest, signatures, number=1):
    answer = party.answer(sums(people.setting, number, digest, signatures))
    return unwrap(answer, SUM).raw(people.setting.sum_bytes)


def two_sets(people, messages, colluders):
    """The attack: half of the honest parties see one set and half another; colluders sign both.

    Returns:
        For each set how many sums of honest parties come out.
    """
    pairs = boxed(people, messages)
    honest = [name for name in people.party_names if name not in colluders]
    came = []
    halves = (honest[::2], pairs), (honest[1::2], pairs[:-1])
    signed = []
    for names, chosen in halves:
        digest = people.setting.set_digest(1, [(each.client, each.digest) for each, _ in chosen])
        message = people.setting.signed_set(1, digest)
        signatures = {
            people.party_names.index(n): people.people[n].sign(message) for n in colluders
        }
        parties = {name: people.party(name) for name in names}
        for name, party in parties.items():
            assert hold(people, party, chosen) == digest
            signatures[people.party_names.index(name)] = sign(people, party, digest)
        signed.append((digest, signatures, parties))
    for digest, signatures, parties in signed:
        out = 0
        for party in parties.values():
            try:
                ask_sum(people, party, digest, signatures)
            except Garbled:
                continue
            out += 1
        came.append(out)
    return came


@pytest.mark.parametrize(
    ("parties", "colluders", "adversaries"),
    [(4, 1, 0), (5, 1, 0), (6, 1, 0), (7, 1, 0), (6, 1, 1), (7, 1, 1), (7, 2, 1)],
)
def test_two_sets_never_both_have_a_sum(cast, committee, parties, colluders, adversaries):
    plan = committee(aggregators=parties, blocks=1, colluders=colluders, adversaries=adversaries)
    people = cast(plan, 3)
    messages = [people.message(name, [1] * 5) for name in people.names]
    for twice in itertools.islice(
        itertools.combinations(people.party_names, colluders + adversaries), 6
    ):  # all that may be dishonest sign both
        assert 0 in two_sets(people, messages, twice)


@pytest.mark.parametrize("seed", range(8))
def test_no_order_of_questions_gives_sums_of_two_sets(cast, committee, seed):
    """A server that asks at random, with all the signatures that it can have."""
    rng = np.random.default_rng(seed)
    people = cast(committee(aggregators=5, blocks=1), 4)
    messages = [people.message(name, [1] * 5) for name in people.names]
    pairs = boxed(people, messages)
    chosen = [pairs, pairs[:-1], pairs[1:]]
    digests = [people.setting.set_digest(1, [(h.client, h.digest) for h, _ in c]) for c in chosen]
    signatures = [
        {0: people.people["sum-0"].sign(people.setting.signed_set(1, digest))} for digest in digests
    ]
    parties = {at: people.party(f"sum-{at}") for at in range(1, 5)}
    came = set()
    for _ in range(40):
        at, which = int(rng.integers(1, 5)), int(rng.integers(3))
        try:
            match rng.integers(3):
                case 0:
                    hold(people, parties[at], chosen[which])
                case 1:
                    signatures[which][at] = sign(people, parties[at], digests[which])
                case _:
                    ask_sum(people, parties[at], digests[which], signatures[which])
                    came.add(which)
        except Garbled:
            continue
    assert len(came) <= 1


def test_with_a_lower_quorum_a_server_gets_two_sums_and_the_vector_of_one_client(
    monkeypatch, cast, committee
):
    assert committee(aggregators=5, blocks=1).quorum == 4
    monkeypatch.setattr("anyk.aggregation.plan.quorum_of", lambda *_: 3)
    plan = committee(aggregators=5, blocks=1, length=2)
    people = cast(plan, 3)
    vectors = [[5, 6], [7, 8], [41, 42]]
    messages = [people.message(n, row) for n, row in zip(people.names, vectors, strict=True)]
    assert two_sets(people, messages, ["sum-0"]) == [2, 2]
    # two sums of each set are as many as decode it: K + T = 2; their difference is one client's
    totals = []
    for chosen in (messages, messages[:-1]):
        pairs = boxed(people, chosen)
        rows = []
        for name in ("sum-1", "sum-2"):
            party = people.party(name)
            digest = hold(people, party, pairs)
            signatures = {
                at: people.people[people.party_names[at]].sign(people.setting.signed_set(1, digest))
                for at in (0, 1, 2)
            }
            sign(people, party, digest)
            rows.append(np.frombuffer(ask_sum(people, party, digest, signatures), "<u4"))
        blocks, _ = people.setting.codes[0].decode(np.stack(rows).astype(np.int64), [1, 2])
        totals.append(blocks.ravel())
    assert (totals[0] - totals[1]).tolist() == [41, 42]


def test_an_aggregator_signs_one_set_a_round_also_after_a_restart(small, tmp_path):
    people, messages = small
    pairs = boxed(people, messages)
    path = tmp_path / "signed"
    other = people.setting.set_digest(1, [(h.client, h.digest) for h, _ in pairs[:-1]])
    with aggregation.FileJournal(path) as journal:
        party = people.party("sum-0", journal=journal)
        digest = hold(people, party, pairs)
        first = sign(people, party, digest)
        assert sign(people, party, digest) == first
        with pytest.raises(Garbled, match="another set of this round is signed"):
            sign(people, party, other)
    with aggregation.FileJournal(path) as journal:
        party = people.party("sum-0", journal=journal)
        assert hold(people, party, pairs[:-1]) == other
        with pytest.raises(Garbled, match="another set of this round is signed"):
            sign(people, party, other)
    with aggregation.FileJournal(path) as journal:
        again = people.party("sum-0", journal=journal)
        hold(people, again, pairs)
        assert sign(people, again, digest) == first  # the same set may be had again
    forgets = people.party("sum-0")  # the same keys without a journal: this is what it is for
    sign(people, forgets, hold(people, forgets, pairs[:-1]))


def test_a_set_that_is_not_held_is_not_signed(small):
    people, messages = small
    pairs = boxed(people, messages)
    party = people.party("sum-0")
    hold(people, party, pairs[:3])
    for chosen in (pairs, pairs[:2], pairs[1:4]):
        other = people.setting.set_digest(1, [(h.client, h.digest) for h, _ in chosen])
        with pytest.raises(Garbled, match="its own set is another one, of 3 clients"):
            sign(people, party, other)


def test_no_more_boxes_are_held_than_the_plan_says(monkeypatch, small):
    people, messages = small
    monkeypatch.setattr(aggregation.Committee, "most_held", 2)
    party, pairs = people.party("sum-0"), boxed(people, messages)
    offered = [(header, boxes[0]) for header, boxes in pairs]
    unwrap(party.answer(offer(people.setting, 1, offered[:2])), b"O")
    answer = party.answer(offer(people.setting, 1, offered[2:4]))
    assert answer.count(b"too many boxes are held") == 2


def test_no_sum_without_signatures_that_count(small):
    people, messages = small
    pairs = boxed(people, messages)
    party = people.party("sum-0")
    digest = hold(people, party, pairs)
    message = people.setting.signed_set(1, digest)
    right = {at: people.people[name].sign(message) for at, name in enumerate(people.party_names)}
    with pytest.raises(Garbled, match="it did not sign this set"):
        ask_sum(people, party, digest, right)
    sign(people, party, digest)
    few = dict(list(right.items())[: people.plan.quorum - 1])
    stranger = {**few, people.plan.quorum - 1: right[0]}  # a signature of somebody else
    for signatures in ({}, few, stranger):
        with pytest.raises(Garbled, match=r"\d parties signed this set, and 4 are needed"):
            ask_sum(people, party, digest, signatures)
    twice = sums(people.setting, 1, digest, few) + b"\0\0" + right[0]
    with pytest.raises(Garbled):
        unwrap(party.answer(twice), SUM)
    assert len(ask_sum(people, party, digest, right)) == people.setting.sum_bytes


def test_a_set_below_the_least_is_not_signed(small):
    people, messages = small
    party = people.party("sum-0", least_clients=4)
    with pytest.raises(Garbled, match="a set of 3 clients is below 4"):
        sign(people, party, hold(people, party, boxed(people, messages[:3])))
    served = people.round(people.parties())
    served.receive(messages[0])
    with pytest.raises(anyk.NotEnoughAnswers, match=r"1 of 5 clients .*2 clients, as no party"):
        served.close()
    assert served.receive(messages[3]) == ""  # the round is open, and more may come
    assert served.close().total.tolist() == [3] * 5


def test_what_comes_after_the_set_is_signed_is_late(small):
    people, messages = small
    pairs = boxed(people, messages)
    party = people.party("sum-0")
    digest = hold(people, party, pairs[:4])
    sign(people, party, digest)
    header, boxes = pairs[4]
    answer = unwrap(party.answer(offer(people.setting, 1, [(header, boxes[0])])), b"O")
    assert answer.number(1) == 1
    assert answer.text(300) == "it is late: the set of this round is signed"
    again = unwrap(party.answer(offer(people.setting, 1, [(pairs[0][0], pairs[0][1][0])])), b"O")
    assert again.number(1) == 0  # what was taken is taken
    with pytest.raises(Garbled, match="it is late"):
        hold(people, party, pairs[4:])
    fresh = people.party("sum-1")
    hold(people, fresh, pairs[:4])
    with pytest.raises(Garbled, match="no piece is held"):
        unwrap(fresh.answer(keep(people.setting, 1, [4], drop=True)), b"K")
    served = people.round(people.parties())
    for message in messages[:4]:
        assert served.receive(message) == ""
    served.close()
    assert served.receive(messages[4]) == "the round is closed"


def test_a_replay_in_another_round_is_refused(small):
    people, messages = small
    served = people.round(people.parties(), number=2)
    assert served.receive(messages[0]) == "it is of round 1"
    party = people.party("sum-0")
    header, boxes = boxed(people, messages[:1])[0]
    answer = unwrap(party.answer(offer(people.setting, 2, [(header, boxes[0])])), b"O")
    assert (answer.number(1), answer.text(300)) == (1, "it is of round 1")


def test_two_rounds_at_once_do_not_mix(small):
    people, messages = small
    parties = people.parties()
    first, second = people.round(parties, 1), people.round(parties, 2)
    others = [people.message(name, [10 * at] * 5, 2) for at, name in enumerate(people.names)]
    for one, two in zip(messages, others, strict=True):
        assert (first.receive(one), second.receive(two)) == ("", "")
        first.relay()
        second.relay()
    assert second.close().total.tolist() == [100] * 5
    assert first.close().total.tolist() == [10] * 5


def test_the_oldest_of_nine_rounds_is_forgotten(small):
    people, _ = small
    party = people.party("sum-0")
    digests = {}
    for number in range(1, 10):
        messages = [people.message(name, [1] * 5, number) for name in people.names[:2]]
        digests[number] = hold(people, party, boxed(people, messages, number), number)
    with pytest.raises(Garbled, match="nothing is held of this round"):
        sign(people, party, digests[1], 1)
    sign(people, party, digests[9], 9)


def test_no_sum_has_more_clients_than_its_numbers_have_room_for(cast, committee):
    most = (2**31 - 1) // 6 - 1  # three of these fit a prime, with a sign, and four do not
    people = cast(committee(clients=3, numbers=aggregation.Whole(most)), 5)
    assert len(people.setting.codes) == 1
    messages = [people.message(name, [most] * 5) for name in people.names]
    served = people.round(people.parties())
    full = "the sum has as many clients as the plan allows"
    said = [served.receive(message) for message in [*messages, messages[0], messages[4]]]
    assert said == ["", "", "", full, full, "", full]
    result = served.close()
    assert result.total.tolist() == [3 * most] * 5
    assert result.left_out == {"c3": full, "c4": full}
    party, pairs = people.party("sum-2"), boxed(people, messages)
    for lot in (pairs[:2], pairs[2:]):
        digest = hold(people, party, lot)
    digest = people.setting.set_digest(1, [(each.client, each.digest) for each, _ in pairs])
    with pytest.raises(Garbled, match="a set of 5 clients is above 3"):
        sign(people, party, digest)


@pytest.mark.parametrize(
    ("kind", "given"),
    [(aggregation.Committee, {"aggregators": 4}), (aggregation.LightSecAgg, {"colluders": 1})],
)
def test_equal_plans_are_one_plan_however_their_numbers_are_given(kind, given):
    names = ("length", "clients", "most_weight", "least_clients", *given)
    values = (6, 4, 3, 2, *given.values())
    plain = kind(**dict(zip(names, values, strict=True)), numbers=aggregation.Whole(9))
    array = kind(
        **dict(zip(names, np.array(values), strict=True)), numbers=aggregation.Whole(np.int64(9))
    )
    roster = aggregation.Roster(clients=[aggregation.Identity.generate("ann").member])
    assert plain == array
    assert plain.context(roster) == array.context(roster)
    if kind is aggregation.Committee:
        assert aggregation.plan_text(plain) == aggregation.plan_text(array)


def test_the_same_message_twice_counts_once(small):
    people, messages = small
    assert people.run([*messages, messages[0], messages[4]]).total.tolist() == [10] * 5


def test_two_messages_of_one_client_are_both_left_out_while_they_are_held(small):
    people, messages = small
    other = people.message("c4", [900] * 5)
    for sent in ([*messages, other], [other, *messages], [*messages, other, messages[4], other]):
        result = people.run(sent)
        assert result.total.tolist() == [6] * 5
        assert result.left_out == {"c4": "it sent two different messages"}


def test_a_second_message_after_the_first_is_relayed_is_told_and_does_not_count(small):
    people, messages = small
    served = people.round(people.parties(), hold=0)
    other = people.message("c4", [900] * 5)
    assert [served.receive(each) for each in messages] == [""] * 5
    assert served.receive(other) == "it sent two different messages"
    result = served.close()
    assert result.total.tolist() == [10] * 5
    assert result.left_out == {"c4": "it sent two different messages; the first one counts"}
    party = people.party("sum-0")
    hold(people, party, boxed(people, messages))
    header, boxes = boxed(people, [other])[0]
    answer = unwrap(party.answer(offer(people.setting, 1, [(header, boxes[0])])), b"O")
    assert (answer.number(1), answer.text(99)) == (
        1,
        "its client sent another message in this round",
    )


def test_a_client_repeats_no_round(small):
    people, _ = small
    client = people.client("c0")
    client.contribute([1] * 5, round=3)
    for number in (3, 2):
        with pytest.raises(anyk.InvalidArgument, match=f"round: got {number}; needed: more than 3"):
            client.contribute([1] * 5, round=number)
    client.contribute([1] * 5, round=4)


def test_a_client_that_is_not_in_the_roster_is_none(small, cast):
    people, _ = small
    stranger = aggregation.Identity.generate("c9")
    with pytest.raises(anyk.InvalidArgument, match="one of the clients of the roster"):
        aggregation.Client(people.plan, stranger, people.roster)
    posing = aggregation.Identity.generate("c4")
    invented = (*people.roster.clients[:4], posing.member)
    roster = aggregation.Roster(clients=invented, aggregators=people.roster.aggregators)
    forger = aggregation.Client(people.plan, posing, roster)
    forger._setting.__dict__["context"] = people.setting.context
    message = forger.contribute([900] * 5, round=1)
    served = people.round(people.parties())
    assert served.receive(message) == "its client did not sign it"
    party = people.party("sum-0")
    head = message[: people.setting.most_header - 62]  # a name of two letters
    request = people.setting.start(b"O", 1) + b"\0\0\0\1" + len(head).to_bytes(4, "big") + head
    request += bytes(people.setting.box_sizes[0])
    answer = unwrap(party.answer(request), b"O")
    assert (answer.number(1), answer.text(99)) == (1, "its client did not sign it")
    elsewhere = cast(people.plan, 5)  # same names, other keys: another roster
    assert served.receive(elsewhere.message("c0", [1] * 5)) == "it is of another plan or roster"


def test_another_plan_is_told_from_this_one(small, committee):
    people, _ = small
    other = committee(least_clients=2, numbers=aggregation.Whole(1001))
    message = aggregation.Client(other, people.people["c0"], people.roster).contribute(
        [1] * 5, round=1
    )
    assert people.round(people.parties()).receive(message) == "it is of another plan or roster"


def test_boxes_that_are_swapped_or_of_another_message_do_not_open(small):
    people, messages = small
    header, boxes = boxed(people, messages[:1])[0]
    other = boxed(people, [people.message("c0", [9] * 5)])[0][1]
    party = people.party("sum-2")
    for box in (boxes[3], other[2]):
        answer = unwrap(party.answer(offer(people.setting, 1, [(header, box)])), b"O")
        assert answer.number(1) == 1
        assert answer.text(99) == "its box is not the one that its client signed"


@pytest.mark.parametrize("cut", [0, 1, 5, 40, 60, 200, 400, -1, -30])
def test_a_message_that_is_cut_short_or_too_long_is_refused_and_may_come_whole(small, cut):
    people, messages = small
    served = people.round(people.parties())
    assert served.receive(messages[0][:cut]) != ""
    assert served.receive(messages[0] + b"x") == "it is too long"
    assert served.receive(messages[0]) == ""


def test_every_bit_of_a_message_counts(small):
    people, messages = small
    served = people.round(people.parties())
    rng = np.random.default_rng(3)
    for at in rng.integers(0, 8 * len(messages[0]), 300):
        spoiled = bytearray(messages[0])
        spoiled[at // 8] ^= 1 << (at % 8)
        assert served.receive(bytes(spoiled)) != ""
    assert served.receive(messages[0]) == ""


def test_no_request_makes_a_party_raise_or_sign(small):
    people, messages = small
    party = people.party("sum-0")
    pairs = boxed(people, messages)
    digest = hold(people, party, pairs)
    setting, rng = people.setting, np.random.default_rng(5)
    good = [
        offer(setting, 1, [(header, boxes[0]) for header, boxes in pairs]),
        keep(setting, 1, [0, 1], drop=True),
        setting.start(SIGN, 1) + digest,
        sums(setting, 1, digest, {0: bytes(64)}),
    ]
    other = people.party("sum-0")
    for request, _ in itertools.product(good, range(60)):
        spoiled = bytearray(request)
        for at in rng.integers(0, len(spoiled), 3):
            spoiled[at] = rng.integers(256)
        answer = other.answer(bytes(spoiled[: rng.integers(1, len(spoiled) + 1)]))
        assert answer.startswith(b"anyk\x01")
    assert other._journal.signed(1) is None
    for huge in (
        b"\0" * 10**7,
        setting.start(b"O", 1) + b"\xff" * 4,
        setting.start(b"K", 1) + b"\1" * 5,
    ):
        with pytest.raises(Garbled, match="it refused"):
            unwrap(party.answer(huge), huge[5:6] if huge[0] else b"?")
