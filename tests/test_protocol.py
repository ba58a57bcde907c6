"""The page on the protocol: names, limits and bytes are the code's; a worker made of it works."""

import inspect
import json
import re
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import anyk
from anyk.aggregation import RemoteParties
from anyk.aggregation.remote import letters, line
from anyk.aggregation.remote.limits import ServiceLimits
from anyk.aggregation.requests import KEEP, OFFER, SIGN, SUM
from anyk.connections import door, secure
from anyk.connections.certificates import make_certificates
from anyk.connections.stream import PlainStream
from anyk.degrees.promised import Promised
from anyk.executors.core import answer_header
from anyk.executors.core.answer_header import LARGEST_ANSWER, LONGEST_HEADER, parse_header
from anyk.executors.core.columns import UNKNOWN, Columns, Outline
from anyk.executors.core.raised import LONGEST_FAILURE
from anyk.executors.remote import frames, header_limits, link, promise
from anyk.executors.remote import request as requests
from anyk.executors.remote.frames import LONGEST_REQUEST, Channel
from anyk.executors.remote.promise import promise_in_words
from anyk.executors.remote.request import described, make_request
from anyk.executors.remote.slabs import fill_request
from anyk.work import Plain, WorkerTask

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
SHARE = np.arange(4, dtype=np.uint32).reshape(1, 2, 2)
HEX = re.compile(r"(?:[0-9a-f]{8,} ?)+")


def section(name: str) -> str:
    return re.split(r"^## ", PAGE, flags=re.MULTILINE)[headings().index(name) + 1].partition("\n")[
        2
    ]


def headings() -> list[str]:
    return re.findall(r"^## (.*)$", PAGE, re.MULTILINE)


def fields(text: str) -> list[str]:
    """The names in the first column of the table with fields."""
    table = text[text.index("| field ") :].partition("\n\n")[0]
    return re.findall(r"^\| `(\w+)` ", table, re.MULTILINE)


def sent(header: dict[str, Any], arrays: Any = ()) -> bytes:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Channel(ours).send(header, arrays, deadline=None)
        return theirs.recv(1 << 16)


def test_the_fields_of_a_request_are_those_that_are_sent() -> None:
    task = WorkerTask(Plain("gram"), anyk.PrimeField())
    header = make_request(task, (), 1).header
    real = {*header, "verb", "key", "serial", "piece", "arrays"}
    assert {*fields(section("Requests")), "verb", "key"} == real
    words = promise_in_words(Promised("gram", degree=2))
    for name in words:
        assert f"`{name}`" in section("Requests")


def test_the_fields_of_columns_are_those_that_are_sent() -> None:
    said = section("Requests").partition("The fields of `fill`")[2]
    outline = Outline((1, UNKNOWN), np.dtype(np.int64), axis=1)
    columns = Columns(7, (outline,), 0, (np.ones((1, 2), np.int64),))
    header = fill_request(columns, 41)[0]
    assert {*fields(said), "verb", "key", "serial", "arrays"} == {*header}
    assert header["outlines"] == [["<i8", [1, -1], 1]]


def test_the_fields_of_an_answer_are_those_that_are_taken() -> None:
    assert set(fields(section("Answers"))) == answer_header._KEYS


def test_verbs_works_and_domains_are_named() -> None:
    text = section("Requests")
    source = (ROOT / "src/anyk/executors/remote/session.py").read_text(encoding="utf-8")
    assert set(re.findall(r'verb == "(\w+)"', source)) == {"hold", "fill", "forget", "run"}
    verbs = re.findall(r"^\| `(hold|fill|forget|run)` ", text, re.MULTILINE)
    assert verbs == ["hold", "fill", "forget", "run"]
    assert re.findall(r"^- `(\w+)`:", text, re.MULTILINE) == [*requests._WORKS, "each_prime"]
    assert f'"{described(anyk.Reals())}"' in text
    assert f'"{described(anyk.Complex())}"' in text
    assert '{"field": p}' in text
    assert '{"ring": [p, ..]}' in text
    for kind in ("array", "scalar", "complex", "tuple", "dict"):
        assert f'`{{"{kind}": ' in text


def test_dtypes_are_those_that_travel() -> None:
    (listed,) = re.findall(r"^```\n(\|b1.*)\n```", PAGE, re.MULTILINE)
    assert listed.split() == list(frames._DTYPES)
    assert frames._MOST_AXES == 32


@pytest.mark.parametrize(
    ("number", "where", "words"),
    [
        (LONGEST_REQUEST, "Limits of a worker", "| bytes of a header | {} |"),
        (header_limits.MOST_CONTAINERS, "Limits of a worker", "within text too | {} |"),
        (header_limits.MOST_VALUES, "Limits of a worker", "within text too | {} |"),
        (header_limits.MOST_ARRAYS, "Limits of a worker", "| arrays after it | {} |"),
        (header_limits.MOST_PRIMES, "Requests", "at most {} different primes"),
        (promise._MOST_INPUTS, "Requests", "a list of at most {},"),
        (promise._MOST_BITS, "Requests", "numbers {} bits long"),
        (LONGEST_HEADER, "Answers", "a header of at most {} bytes"),
        (LONGEST_FAILURE, "Answers", "shows {} characters"),
        (secure.HANDSHAKE >> 10, "The connection", "at most {} KiB on the wire; "),
        (secure.EMPTY >> 10, "The connection", "2n + {} KiB"),
        (int(link._REACHING), "The connection", "{} s for the master"),
        (door.GREETING, "The connection", "{} s for the worker"),
        (frames.PROTOCOL, "The connection", "| ALPN | `{}`"),
        (2**31, "Requests", "p < 2^31"),
    ],
)
def test_limits_are_those_of_the_code(number: object, where: str, words: str) -> None:
    shown = f"{number:,}" if isinstance(number, int) else number
    assert words.format(shown) in section(where)


def test_largest_answers_are_as_stated() -> None:
    with anyk.Remote(["127.0.0.1:1"], tls=None) as executor:
        limits = executor.crew.links[0]._limits
    assert "(256 MiB)" in section("Answers")
    assert limits.answer == 256 << 20 <= LARGEST_ANSWER
    assert limits.patience == 600


def test_the_example_is_what_is_sent() -> None:
    text = section("An example")
    hold, run, answer = re.findall(r"^```\n(.*?)\n```", text, re.MULTILINE | re.DOTALL)
    real = {"verb": "hold", "key": 7, "arrays": [["<u4", [1, 2, 2]]]}
    assert bytes.fromhex(hold) == sent(real, [SHARE])
    task = WorkerTask(Plain("gram"), anyk.PrimeField())
    start = {"verb": "run", "serial": 41, "key": 7, "piece": 0}
    header = make_request(task, (), 1).header | start | {"arrays": []}
    assert json.loads(run) == header
    assert f"after its length, {len(run.encode()):08x}:" in text
    said, value = answer.split("\n")
    assert f"after its length, {len(said.encode()):08x}:" in text
    seconds, failure, dtype, shape = parse_header(said.encode(), 41)
    assert (seconds, failure) == (0.00025, None)
    assert task.domain.holds(dtype)
    assert task.domain.at_rest(SHARE) is SHARE
    gram = np.frombuffer(bytes.fromhex(value), dtype).reshape(shape)
    np.testing.assert_array_equal(gram, SHARE[0].T @ SHARE[0])


def test_a_worker_written_from_the_page_serves_a_master(tmp_path: Path) -> None:
    make_certificates(tmp_path / "c", workers=1)
    command = [sys.executable, str(ROOT / "examples/remote/another_worker.py")]
    with subprocess.Popen(
        [*command, str(tmp_path / "c" / "worker-0"), "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            address = f"worker-0@127.0.0.1:{int(process.stdout.readline())}"
            scheme = anyk.Lagrange(blocks=1, degree=2, workers=1)
            X = np.arange(12).reshape(1, 4, 3)
            with anyk.Remote([address], tls=tmp_path / "c" / "master", patience=30.0) as executor:
                for _ in range(2):
                    outcome = anyk.run(scheme, "gram", X, executor, deadline=30.0)
                    np.testing.assert_array_equal(outcome.value[0], X[0].T @ X[0])
                for p in (251, 65521):
                    outcome = anyk.run(
                        scheme.over(anyk.PrimeField(p)), "gram", X, executor, deadline=30.0
                    )
                    np.testing.assert_array_equal(outcome.value[0], X[0].T @ X[0] % p)
                failed = anyk.run(scheme, "other", X, executor, deadline=30.0, on_failure="return")
                assert "knows gram alone" in failed.failures[0]
        finally:
            process.kill()


def test_the_worker_of_the_page_is_the_one_that_is_tried() -> None:
    assert '--8<-- "examples/remote/another_worker.py"' in PAGE
    source = (ROOT / "examples/remote/another_worker.py").read_text(encoding="utf-8")
    assert not re.search(r"import (anyk|numpy)|from (anyk|numpy)", source)
    assert struct.calcsize(">I") == 4


def test_what_aggregators_speak_is_told() -> None:
    text = section("Aggregators")
    asked = dict(re.findall(r"^\| `(\w)` \| (\w+)", text, re.MULTILINE))
    assert [*asked] == [kind.decode() for kind in (OFFER, KEEP, SIGN, SUM)]
    assert f"`{letters.PROTOCOL}`" in text
    limits, said = ServiceLimits(), inspect.signature(RemoteParties).parameters
    assert f"`--idle-seconds` ({limits.idle_seconds} s)" in text
    assert f"`--seconds` ({limits.seconds} s)" in text
    assert f"`largest_answer` ({said['largest_answer'].default >> 20} MiB)" in text
    assert f"may take {line._REACHING:g} s" in text
    ours, theirs = (PlainStream(end) for end in socket.socketpair())
    letters.send(ours, b"abc", None)
    assert theirs.waiting(100) == bytes(7) + b"\3abc"
    ours.raw.close()
    theirs.raw.close()
