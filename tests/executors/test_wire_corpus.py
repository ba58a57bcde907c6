"""Hostile requests that fuzzing has made: none is answered with a value, none hangs a worker."""

import importlib
import json
import math
import random
import re
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from anyk.connections.broken import BrokenAnswer
from anyk.executors.remote.frames import Channel
from anyk.executors.remote.offer import Offer
from anyk.executors.remote.session import Session

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
LONG = 30.0
KINDS = (
    "changed_bytes", "cut_off", "huge_header", "half_header", "huge_array", "too_many_arrays",
    "json_bomb", "domain_bomb", "promise_bomb", "odd_field", "missing_field", "not_offered",
    "pickled", "wrong_order", "bad_argument", "wrong_numbers", "wrong_slabs", "an_answer",
)  # fmt: skip


@pytest.fixture(scope="module")
def masters() -> Iterator[ModuleType]:
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("_fuzz_masters")
    sys.path.remove(str(BENCHMARKS))


def said(data: bytes) -> tuple[list[dict[str, Any]], str]:
    """What a worker answers to these bytes, and why it ends the session."""
    ours, theirs = socket.socketpair()
    ours.settimeout(LONG)
    why: list[str] = []

    def serve() -> None:
        try:
            Session(Channel(theirs), Offer("anyk.testing.tasks"), memory=1 << 24).serve()
        except BrokenAnswer as error:
            why.append(str(error))

    def send() -> None:
        try:
            ours.sendall(data)
            ours.shutdown(socket.SHUT_WR)
        except OSError:
            return

    threads = [threading.Thread(target=each, daemon=True) for each in (serve, send)]
    for thread in threads:
        thread.start()
    heard = bytearray()
    with ours:
        try:
            while got := ours.recv(1 << 16):
                heard += got
        except ConnectionError:
            pass
        for thread in threads:
            thread.join(LONG)
            assert not thread.is_alive()
    return list(answers(bytes(heard))), "".join(why)


def answers(heard: bytes) -> Iterator[dict[str, Any]]:
    while heard:
        (length,) = struct.unpack(">I", heard[:4])
        header = json.loads(heard[4 : 4 + length])
        yield header
        body = 0
        if header["failure"] is None:
            body = np.dtype(header["dtype"]).itemsize * math.prod(header["shape"])
        heard = heard[4 + length + body :]


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_requests_get_no_value(masters: ModuleType, kind: str, tmp_path: Path) -> None:
    bomb = tmp_path / "made"
    make = {each.__name__: each for each in masters.KINDS}[kind]
    for seed in range(12):
        heard, _ = said(masters.hold() + make(random.Random(seed), str(bomb)))  # noqa: S311 - inputs
        assert all(
            each.keys() == {"serial", "seconds", "failure", "dtype", "shape"} for each in heard
        )
        if kind != "changed_bytes":
            assert all(each["failure"] for each in heard)
    assert not bomb.exists()


def test_all_kinds_are_here(masters: ModuleType) -> None:
    assert {each.__name__ for each in masters.KINDS} == set(KINDS)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"arguments": ""}, "its arguments are no list"),
        ({"arguments": {"tuple": []}}, "its arguments are no list"),
        ({"arguments": None}, "its arguments are no list"),
        ({"arguments": [{"complex": ["1j"]}], "per_worker": [False]}, "in no known way"),
        ({"arguments": [{"complex": [1, 2]}], "per_worker": [False]}, "in no known way"),
        ({"arguments": [{"array": True}], "per_worker": [False]}, "in no known way"),
        ({"domain": {"field": 10**4000 + 1}}, "its domain is none"),
        ({"domain": {"ring": [2**61 - 1] * 900}}, "its domain is none"),
        ({"domain": {"field": True}}, "its domain is none"),
        ({"work": ["each_prime", "plain"]}, "its work is none"),
        ({"work": "plain"}, "its work is none"),
        ({"piece": True}, "no such piece"),
        ({"function": "gram\0"}, "no function"),
        ({"module": "os"}, "is of anyk.testing.tasks here"),
        ({"promise": {"inputs": [], "degree": 2.0, "result": None, "bounded": False}}, "promise"),
    ],
)
def test_a_request_that_is_almost_one_has_failed(
    masters: ModuleType, change: dict[str, Any], why: str
) -> None:
    (answer,), ended = said(masters.hold() + masters.run(**change))
    assert re.search(why, answer["failure"])
    assert not ended


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"[]", "without a key"),
        (b'{"key": true, "verb": "run"}', "without a key"),
        (b'{"key": 7, "verb": "run", "serial": 1e3, "arrays": []}', "serial"),
        (b'{"key": 7, "verb": "RUN", "arrays": []}', "unknown verb"),
        (b'{"key": 7, "verb": "run", "serial": 1}', "no list"),
        (b'{"key": 7, "verb": "run", "arrays": [["i8", [1]]]}', "does not travel"),
        (b'{"key": 7, "verb": "run", "arrays": [["<i8", [281474976710656]]]}', "is none"),
        (b'{"key": 7, "verb": "run", "arrays": [["<i8", [true]]]}', "is none"),
        (b'{"key": 7, "x": ' + b"9" * 5000 + b"}", "no JSON"),
        (b"[" * 30_000, "no JSON"),
        (b"[" * 33_000, "lists and objects"),
        (b"[1" + b",1" * 270_000 + b"]", "values"),
        (b'\xff\xfe{"key": 7}', "no JSON"),
    ],
)
def test_a_request_that_is_none_ends_the_session(text: bytes, why: str) -> None:
    heard, ended = said(struct.pack(">I", len(text)) + text)
    assert not heard
    assert re.search(why, ended)
