"""What T parties and the server see, by rank: of all vectors their sum, and nothing else."""

import itertools

import numpy as np
import pytest

import anyk
from anyk import aggregation
from anyk.aggregation.pieces import blocks_of_mask, pieces_of, read_piece
from anyk.aggregation.sum_code import SumCode
from anyk.codes.exact.linear import rank
from anyk.randomness.entropy import SystemSource

FIELD = anyk.PrimeField()


def shares(code):
    """Pieces of all parties, of blocks and of the drawn first T pieces: (M, K + T)."""
    first = np.eye(code.colluders, code.blocks + code.colluders, code.blocks, dtype=np.int64)
    return np.concatenate([first, code.generator])


def leaked(code, clients, coalition, sets, weights=None):
    """How many combinations of the clients' blocks a view determines, and those of the sums.

    The view is the pieces of the coalition of each client, and the sums of the pieces of all
    parties over each set of clients; and of each client's check values, which have a column of
    their own, those of all parties.

    Args:
        code: of the pieces.
        clients: how many.
        coalition: places of parties.
        sets: of clients, whose sums come out at all parties.
        weights: of the check values, (checks, L), where they are seen too.
    """
    share, length = shares(code), 1 if weights is None else weights.shape[1]
    checks = 0 if weights is None else len(weights)
    each = code.blocks + code.colluders
    size = each * (length + checks)  # unknowns of one client, by column
    rows = []

    def row(client, party, column, factor=1):
        out = np.zeros(clients * size, dtype=np.int64)
        start = client * size + column * each
        out[start : start + each] = FIELD.reduce(share[party] * factor)
        return out

    for client, party in itertools.product(range(clients), coalition):
        rows += [row(client, party, column) for column in range(length + checks)]
    for chosen, party, column in itertools.product(sets, range(code.parties), range(length)):
        rows.append(FIELD.reduce(sum(row(client, party, column) for client in chosen)))
    if weights is not None:
        for client, party, check in itertools.product(
            range(clients), range(code.parties), range(checks)
        ):
            parts = [row(client, party, at, int(weights[check, at])) for at in range(length)]
            parts.append(row(client, party, length + check))
            rows.append(FIELD.reduce(sum(parts)))
    view = np.stack(rows)
    data = np.zeros(clients * size, dtype=bool)
    for client, column in itertools.product(range(clients), range(length)):
        start = client * size + column * each
        data[start : start + code.blocks] = True
    learnt = rank(FIELD, view) - rank(FIELD, view[:, ~data])
    wanted = np.zeros((len(sets) * length * code.blocks, view.shape[1]), dtype=np.int64)
    for at, (chosen, column, block) in enumerate(
        itertools.product(sets, range(length), range(code.blocks))
    ):
        for client in chosen:
            wanted[at, client * size + column * each + block] = 1
    known = rank(FIELD, np.concatenate([view, wanted])) == rank(FIELD, view)
    return learnt, rank(FIELD, wanted), known


CODES = [(1, 4, 1), (2, 5, 2), (3, 6, 2), (2, 7, 3)]  # K, M, T


def code_of(blocks, parties, colluders):
    return SumCode(blocks=blocks, parties=parties, colluders=colluders, adversaries=0, field=FIELD)


@pytest.mark.parametrize(("blocks", "parties", "colluders"), CODES)
def test_t_parties_and_the_server_learn_the_sum_alone(blocks, parties, colluders):
    code = code_of(blocks, parties, colluders)
    for coalition in itertools.combinations(range(parties), colluders):
        learnt, of_sum, known = leaked(code, 3, coalition, [(0, 1, 2)])
        assert (learnt, of_sum, known) == (blocks, blocks, True)
        assert leaked(code, 3, coalition, [(0, 2)])[0] == blocks  # the client left out: nothing
        assert leaked(code, 3, coalition, [])[0] == 0  # no sum, nothing at all


@pytest.mark.parametrize(("blocks", "parties", "colluders"), CODES)
def test_one_more_party_learns_something(blocks, parties, colluders):
    code = code_of(blocks, parties, colluders)
    for coalition in itertools.combinations(range(parties), colluders + 1):
        assert leaked(code, 3, coalition, [(0, 1, 2)])[0] > blocks
        assert leaked(code, 3, coalition, [])[0] == 3  # one number of each client


@pytest.mark.parametrize(("blocks", "parties", "colluders"), CODES)
def test_sums_over_two_sets_tell_their_difference(blocks, parties, colluders):
    code = code_of(blocks, parties, colluders)
    coalition = tuple(range(colluders))
    assert leaked(code, 3, coalition, [(0, 1, 2), (0, 1)])[0] == 2 * blocks


@pytest.mark.parametrize(("blocks", "parties", "colluders"), CODES[:3])
def test_check_values_add_nothing_to_what_is_learnt(blocks, parties, colluders):
    code = code_of(blocks, parties, colluders)
    weights = np.random.default_rng(1).integers(1, FIELD.modulus, (2, 2))
    for coalition in itertools.combinations(range(parties), colluders):
        learnt, of_sum, known = leaked(code, 2, coalition, [(0, 1)], weights)
        assert (learnt, of_sum, known) == (2 * blocks, 2 * blocks, True)


def test_without_numbers_of_their_own_check_values_would_tell():
    code = code_of(2, 5, 2)
    share = shares(code)
    # one combination of a client's numbers at all parties is a word of the code: K blocks of it
    assert rank(FIELD, share) - rank(FIELD, share[:, code.blocks :]) == code.blocks


@pytest.mark.parametrize(("blocks", "parties", "colluders"), CODES)
def test_a_drawn_mask_is_uniform_for_t_parties(blocks, parties, colluders):
    """LightSecAgg: the mask of a client, given T pieces, is determined by nothing they hold."""
    code = code_of(blocks, parties, colluders)
    many = blocks + colluders
    blocks_of, rest = code.drawn(np.eye(many, dtype=np.int64))
    pieces = np.concatenate([np.eye(many, dtype=np.int64), rest])
    for coalition in itertools.combinations(range(parties), colluders):
        both = np.concatenate([pieces[list(coalition)], blocks_of])
        assert rank(FIELD, both) == many  # independent, of as many uniform numbers
    for coalition in itertools.combinations(range(parties), colluders + 1):
        both = np.concatenate([pieces[list(coalition)], blocks_of])
        assert rank(FIELD, both) < len(both)


def test_pieces_of_the_drawn_kind_are_those_of_the_code():
    code = code_of(3, 7, 2)
    drawn = np.random.default_rng(2).integers(0, FIELD.modulus, (5, 4))
    blocks, rest = code.drawn(drawn)
    pieces = np.concatenate([drawn, rest])
    assert (code.rest(np.concatenate([blocks, drawn[:2]])) == pieces[2:]).all()
    for chosen in itertools.combinations(range(7), 5):
        decoded, liars = code.decode(pieces[list(chosen)], list(chosen))
        assert (decoded == blocks).all()
        assert not liars


@pytest.mark.parametrize(("blocks", "parties", "colluders"), CODES)
@pytest.mark.parametrize("more", [0, 1])
def test_masked_vectors_pieces_and_sums_of_masks_tell_the_sum_alone(
    blocks, parties, colluders, more
):
    """LightSecAgg: all uploads, T (or T + 1) clients' pieces, and all sums over one set."""
    code = code_of(blocks, parties, colluders)
    many, clients = blocks + colluders, 3
    masks, rest = code.drawn(np.eye(many, dtype=np.int64))
    pieces = np.concatenate([np.eye(many, dtype=np.int64), rest])
    own = blocks + many  # unknowns of a client: its blocks, and what it drew
    for coalition in itertools.combinations(range(parties), colluders + more):
        rows = []
        for client in range(clients):
            for at in range(blocks):  # x + z
                row = np.zeros((clients, own), dtype=np.int64)
                row[client, at], row[client, blocks:] = 1, masks[at]
                rows.append(row.ravel())
            for party in coalition:
                row = np.zeros((clients, own), dtype=np.int64)
                row[client, blocks:] = pieces[party]
                rows.append(row.ravel())
        for party in range(parties):
            row = np.zeros((clients, own), dtype=np.int64)
            row[:2, blocks:] = pieces[party]  # client 2 is gone
            rows.append(row.ravel())
        view = np.stack(rows)
        data = np.tile(np.arange(own) < blocks, clients)
        learnt = rank(FIELD, view) - rank(FIELD, view[:, ~data])
        assert learnt == blocks if not more else learnt > blocks


@pytest.mark.parametrize("masked", [False, True])
def test_masks_are_drawn_anew_for_each_vector_and_each_prime(cast, masked):
    most = aggregation.Whole(10**9)  # whose sums take two primes
    plan = aggregation.LightSecAgg(clients=6, length=7, numbers=most, colluders=2, dropouts=1)
    if not masked:
        plan = aggregation.Committee(
            aggregators=6, length=7, clients=6, numbers=most, colluders=2, blocks=3
        )
    setting = cast(plan).setting
    assert len(setting.codes) == 2
    seen, drawn = set(), set()
    for _ in range(2):
        if masked:
            masks, pieces = blocks_of_mask(setting, SystemSource())
            drawn.update(mask.tobytes() for mask in masks)
        else:
            pieces = pieces_of(setting, np.arange(7), SystemSource())
        rows = [read_piece(setting, place, piece) for place, piece in enumerate(pieces)]
        for at, code in enumerate(setting.codes):
            seen.update(row[at].tobytes() for row in rows)
            blocks, _ = code.decode(np.stack([row[at] for row in rows]).astype(np.int64), range(6))
            drawn.add(blocks[:, plan.piece :].tobytes())  # what hides the check values
    assert len(seen) == 2 * 2 * 6
    assert len(drawn) == (8 if masked else 4)
