"""Rounds in which anything goes wrong at random: the sum of who is counted, or an error."""

import numpy as np
import pytest

import anyk
from anyk import aggregation
from anyk.aggregation.boxes import boxes_of, open_box, read_header
from anyk.aggregation.pieces import read_piece

KINDS = (
    "fine", "silent", "dies at O", "dies at K", "dies at S", "dies at T", "lies", "flips a bit",
    "rubbish", "cuts",
)  # fmt: skip


def party_fault(kind, people, name, rng, spoilers):
    """What a party of this kind does to its answers."""
    if kind == "silent":
        return spoilers["silent"]
    if kind.startswith("dies"):
        return spoilers["silent_from"](kind[-1].encode())
    if kind == "lies":
        return people.lies(name, int(rng.integers(1, 1 << 30)))
    if kind == "rubbish":
        return spoilers["garbage"](rng.bytes(int(rng.integers(0, 200))))

    def spoil(_kind, _request, answer):
        if rng.random() < 0.5:
            return answer
        if kind == "cuts":
            return answer[: rng.integers(len(answer))]
        at = int(rng.integers(8 * len(answer)))
        spoiled = bytearray(answer)
        spoiled[at // 8] ^= 1 << at % 8
        return bytes(spoiled)

    return spoil


def sent(message, other, rng):
    """What of a client's message comes, as a list."""
    spoiled = bytearray(message)
    spoiled[rng.integers(len(message))] ^= 1 << int(rng.integers(8))
    ways = [[message]] * 6 + [
        [], [message, message], [bytes(spoiled)], [bytes(spoiled), message], [message[:-5]],
        [message, other], [rng.bytes(50), message],
    ]  # fmt: skip
    return ways[rng.integers(len(ways))]


@pytest.mark.parametrize("seed", range(6))
def test_a_round_gives_the_sum_of_who_is_counted_or_says_why_not(cast, committee, spoilers, seed):
    rng = np.random.default_rng(seed)
    people = cast(committee(aggregators=8, adversaries=1, stragglers=1, clients=6), 6)
    vectors = rng.integers(-1000, 1001, (6, 5))
    summed = 0
    for number in range(12):
        messages = [
            people.message(n, row, number) for n, row in zip(people.names, vectors, strict=True)
        ]
        others = [people.message(name, [0] * 5, number) for name in people.names]
        bad = rng.choice(people.party_names, int(rng.integers(0, 4)), replace=False)
        kinds = {name: KINDS[rng.integers(1, len(KINDS))] for name in bad}
        spoil = {n: party_fault(kind, people, n, rng, spoilers) for n, kind in kinds.items()}
        hold = int(rng.choice([0, 1000, 1 << 20]))
        served = people.round(people.parties(spoil=spoil), number, hold=hold)
        for message, other in zip(messages, others, strict=True):
            for each in sent(message, other, rng):
                served.receive(each)
        try:
            result = served.close()
        except anyk.RecoveryError:
            continue
        summed += 1
        counted = [people.names.index(name) for name in result.counted]
        assert (result.total == vectors[counted].sum(axis=0)).all(), kinds
        assert set(result.liars) <= set(kinds)
        assert set(result.silent) <= set(kinds)
    assert summed >= 6


def test_what_one_party_sees_of_a_vector_looks_the_same_whatever_it_is(cast):
    plan = aggregation.Committee(
        aggregators=5, length=20_000, clients=2, numbers=aggregation.Whole(1000), colluders=2
    )
    people = cast(plan, 2)
    modulus = plan.vectors.fields[0].modulus
    message = people.message("c0", np.full(20_000, 777))
    assert np.full(4, 777, "<u4").tobytes() not in message
    header = read_header(people.setting, message, round_number=1)
    boxes = boxes_of(people.setting, header, message)
    for place, name in enumerate(people.party_names):
        plain = open_box(people.setting, people.people[name], place, header, boxes[place])
        numbers = read_piece(people.setting, place, plain)[0] / modulus
        counts = np.bincount((numbers * 16).astype(int), minlength=16)
        expected = len(numbers) / 16
        assert ((counts - expected) ** 2 / expected).sum() < 60  # of 15: 2e-7
        assert len(set(numbers)) > 0.99 * len(numbers)


def test_no_secret_is_in_what_is_printed(cast, committee):
    people = cast(committee(numbers=aggregation.Whole(10**9)), 2)
    client = people.client("c0")
    message = client.contribute([987654321] * 5, round=1)
    party = people.party("sum-0")
    served = people.round({"sum-0": party})
    served.receive(message)
    printed = f"{client!r} {party!r} {served!r} {people.people['c0']!r}"
    assert "987654321" not in printed
    for identity in people.people.values():
        assert identity.signing.private_bytes_raw().hex() not in printed
