"""What a master that has a certificate may say to a worker, and should not."""

from __future__ import annotations

import json
import pickle
import random
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from _fuzz_tls import mutated
from _hostile_worker import Bomb

__all__ = ["KINDS", "WAITING", "hold", "message", "run"]

KEY, SERIAL = 7, 41
SHARE = np.arange(4, dtype=np.uint32).tobytes()  # as residues travel
FIELD = 2**31 - 1
MOST = 1 << 22  # bytes of a header


def framed(text: bytes) -> bytes:
    """A header, and its length before it."""
    return struct.pack(">I", len(text)) + text


def message(header: dict[str, Any], body: bytes = b"") -> bytes:
    """A message."""
    return framed(json.dumps(header).encode()) + body


def hold(key: int = KEY, **change: object) -> bytes:
    """A share of one piece, as an honest master sends it, but for what is changed."""
    return message({"verb": "hold", "key": key, "arrays": [["<u4", [1, 2, 2]]]} | change, SHARE)


def asked(**change: object) -> dict[str, Any]:
    """The header of an honest request, but for what is changed."""
    return {
        "function": "gram", "module": None, "work": ["plain"], "promise": None,
        "domain": {"field": FIELD}, "per_worker": [], "arguments": [],
        "verb": "run", "serial": SERIAL, "key": KEY, "piece": 0, "arrays": [],
    } | change  # fmt: skip


def run(**change: object) -> bytes:
    """An honest request to run something, but for what is changed."""
    return message(asked(**change))


def changed_bytes(rng: random.Random, _: str) -> bytes:
    return mutated(hold() + run(), rng)


def cut_off(rng: random.Random, _: str) -> bytes:
    whole = hold() + run()
    return whole[: rng.randrange(1, len(whole))]


def huge_header(rng: random.Random, _: str) -> bytes:
    return struct.pack(">I", rng.choice([0xFFFFFFFF, 1 << 31, MOST + 1])) + rng.randbytes(100)


def half_header(rng: random.Random, _: str) -> bytes:
    return struct.pack(">I", MOST) + b"[" * rng.choice([0, 100, 50_000])


def huge_array(rng: random.Random, _: str) -> bytes:
    shapes: list[object] = [
        [1 << 47], [1 << 40], [1 << 47] * 32, [2**70], [1] * 33, [-1], [1.0], [True], [[1]], None,
        "1",
    ]  # fmt: skip
    shape = rng.choice(shapes)
    return rng.choice([hold, run])(arrays=[["<i8", shape]])


def too_many_arrays(rng: random.Random, _: str) -> bytes:
    return rng.choice([hold, run])(arrays=[["|u1", [0]]] * rng.choice([4097, 30_000]))


def json_bomb(rng: random.Random, _: str) -> bytes:
    deep = rng.choice([22, 900, 5000, 30_000, 1_000_000])
    texts: list[Callable[[], bytes]] = [
        lambda: b"[" * deep + b"]" * deep,
        lambda: b'{"a":' * deep + b"1" + b"}" * deep,
        lambda: b"[" + b"[]," * 1_000_000 + b"[]]",
        lambda: b"[" + b"1," * 1_900_000 + b"1]",
        lambda: json.dumps(asked(arguments=[[]] * 40_000)).encode(),
        lambda: json.dumps(asked(arguments=[0] * 300_000)).encode(),
        lambda: json.dumps(asked())[:-1].encode() + b', "x": ' + b"9" * 2_000_000 + b"}",
        lambda: json.dumps({str(each): each for each in range(140_000)}).encode(),
        lambda: b'"' + b"\\ud800" * 100_000 + b'"',
        lambda: b"\xff" * 1000,
        lambda: json.dumps(asked(arguments=_nested(deep % 1000))).encode(),
    ]
    return framed(rng.choice(texts)()[:MOST])


def _nested(depth: int) -> Any:
    said: Any = []
    for _ in range(max(depth, 25)):
        said = [said]
    return said


def domain_bomb(rng: random.Random, _: str) -> bytes:
    domains: list[object] = [
        {"ring": [FIELD] * 2000}, {"ring": [3, 3]}, {"ring": []}, {"ring": [4]}, {"ring": "57"},
        {"ring": [2**61 - 1] * 900}, {"ring": [10**4000 + 1]}, {"field": 2**89 - 1},
        {"field": 10**4299 + 1}, {"field": 4}, {"field": -7}, {"field": 0}, {"field": "7"},
        {"field": 7.0}, {"field": True}, {"field": None}, {"field": FIELD, "ring": [5]}, {}, [], 5,
        "os", {"reals": 1}, "real",
    ]  # fmt: skip
    return run(domain=rng.choice(domains))


def promise_bomb(rng: random.Random, _: str) -> bytes:
    fine = {"inputs": [[1, 0, None, 0]], "degree": 2, "result": None, "bounded": False}
    changes: list[dict[str, object]] = [
        {"degree": 1 << 32}, {"degree": -1}, {"degree": 1.5}, {"inputs": [[1, 0, None, 0]] * 300},
        {"inputs": [[1, 1 << 13, None, 0]]}, {"inputs": [[1, 0, 1 << 4097, 0]]}, {"inputs": None},
        {"inputs": [[1]]}, {"bounded": 1}, {"result": [0] * 5}, {"more": 1}, {"result": "x"},
    ]  # fmt: skip
    return run(promise=fine | rng.choice(changes))


def odd_field(rng: random.Random, _: str) -> bytes:
    odd: list[object] = [None, True, -1, 1.5, "x", "", [], {}, [[]], {"a": 1}, 2**64, 10**4000]
    name = rng.choice(list(asked()))
    allowed = {  # what says something that is fine
        "module": [None], "promise": [None], "per_worker": [[]], "arguments": [[]],
        "arrays": [[]], "serial": [-1, 2**64, 10**4000], "key": [],
        "domain": [], "work": [],
    }  # fmt: skip
    return run(**{name: rng.choice([each for each in odd if each not in allowed.get(name, [])])})


def missing_field(rng: random.Random, _: str) -> bytes:
    header = asked()
    names = [name for name in header if name not in {"module", "promise", "serial"}]
    del header[rng.choice(names)]
    return message(header)


def not_offered(rng: random.Random, _: str) -> bytes:
    names = [
        "hidden", "os", "Path", "Any", "__import__", "eval", "exec", "os.system", "gram.__call__",
        "__builtins__", "annotations", "gram\0", " gram", "Gram", "__all__", "__name__",
    ]  # fmt: skip
    if rng.random() < 0.2:
        return run(module=rng.choice(["os", "subprocess", "builtins", "anyk"]))
    return run(function=rng.choice(names))


def pickled(rng: random.Random, bomb: str) -> bytes:
    data = pickle.dumps(Bomb(bomb))
    return rng.choice([
        framed(data),
        hold(arrays=[["|O", [1]]]) + data,
        hold(arrays=[["|V8", [1]]]) + data,
        run(arguments=[{"pickle": data.decode("latin-1")}]),
        run(function=data.decode("latin-1")),
        run(arguments=[{"array": 0}], per_worker=[False], arrays=[["|O", [1]]]),
    ])  # fmt: skip


def wrong_order(rng: random.Random, _: str) -> bytes:
    return rng.choice([
        run(key=1234), run(piece=1), run(piece=-1), run(piece=2**63),
        message({"verb": "forget", "key": KEY}) + run(),
        hold(arrays=[]) + run(), hold(arrays=[["<i8", []]]) + bytes(8) + run(),
        message({"verb": "end", "key": KEY}), message({"verb": "hold", "key": KEY}),
        message({"key": KEY}), message({"verb": ["run"], "key": KEY}),
    ])  # fmt: skip


def bad_argument(rng: random.Random, _: str) -> bytes:
    said: list[object] = [
        {"array": 0}, {"array": -1}, {"array": True}, {"scalar": 5}, {"complex": [1, 2, 3]},
        {"complex": ["x"]}, {"tuple": {}}, {"dict": []}, {"a": 1, "b": 2}, {"set": [1]},
        {"complex": [10**400, 1]}, {},
    ]  # fmt: skip
    return run(arguments=[rng.choice(said)], per_worker=[False])


def wrong_numbers(rng: random.Random, _: str) -> bytes:
    """Booleans that are none, residues that are none, dtypes that do not fit."""
    return rng.choice([
        hold(arrays=[["|b1", [16]]]),
        message({"verb": "hold", "key": KEY, "arrays": [["<i8", [1, 2, 2]]]}, bytes(32)) + run(),
        hold(arrays=[["<f4", [1, 2, 2]]]) + run(),
        hold(arrays=[["<i4", [1, 2, 2]]]) + run(),
        hold(arrays=[["|u1", [4, 4]]]) + run(domain={"ring": [5, 7]}, work=["each_prime", "plain"]),
        framed(json.dumps({"verb": "hold", "key": KEY, "arrays": [["<u4", [1, 2, 2]]]}).encode())
        + np.full(4, rng.choice([FIELD, 2**31, 2**32 - 1]), np.uint32).tobytes() + run(),
    ])  # fmt: skip


def wrong_slabs(rng: random.Random, _: str) -> bytes:
    """Outlines, columns or an order of them that no shares have, or too many for the worker."""
    first = {
        "verb": "fill", "key": KEY, "serial": SERIAL, "start": 0, "last": False, "places": [0],
        "arrays": [["<i8", [1, 2]]], "outlines": [["<i8", [1, -1], 1]],
    }  # fmt: skip
    change: dict[str, object] = rng.choice([
        {"outlines": rng.choice([
            [], {}, [[]], [["<i8", [1, -1], 0]], [["<i8", [1, -1], True]], [["<i8", 1, 1]],
            [["<i8", [1, -2], 1]], [["<i8", [0, -1], 1]], [["|O", [1, -1], 1]],
            [["<i8", [1, 1], 1]], [["<i8", [1, 2], None]], [["<f8", [1, -1], 1]],
            [["<i8", [1, 1 << 40], 1]], [["<i8", [1, -1], 1], ["<i8", [2, -1], 1]],
            [["<i8", [1 << 30, -1], 1]], [["<i8", [-1, -1], 1]],
        ])},
        {"outlines": None}, {"start": 1}, {"start": True}, {"start": -1}, {"start": None},
        {"places": []}, {"places": [1]}, {"places": [0, 0]}, {"places": None}, {"last": True},
        {"arrays": [["<i8", [2, 1]]]}, {"arrays": [["<i8", [1, 0]]]}, {"arrays": [["<i8", [2]]]},
        {"arrays": [["<i8", [1, 1 << 30]]]}, {"arrays": 1},
    ])  # fmt: skip
    return message(first | change, bytes(16))


def an_answer(rng: random.Random, _: str) -> bytes:
    return message(
        {"serial": SERIAL, "seconds": 0.0, "failure": None, "dtype": "<i8", "shape": [2, 2]},
        rng.randbytes(32),
    )


Kind = Callable[[random.Random, str], bytes]

KINDS: tuple[Kind, ...] = (
    changed_bytes, cut_off, huge_header, half_header, huge_array, too_many_arrays, json_bomb,
    domain_bomb, promise_bomb, odd_field, missing_field, not_offered, pickled, wrong_order,
    bad_argument, wrong_numbers, wrong_slabs, an_answer,
)  # fmt: skip
"""Each gives the bytes of one or a few messages; but for `changed_bytes`, none may be answered
with a value."""

WAITING = {"changed_bytes", "cut_off", "half_header", "huge_array", "pickled", "wrong_numbers"}
"""After which a worker may wait for more."""
