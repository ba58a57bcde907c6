"""The example by hand: what its README says to do, with ports that are free."""

import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from anyk.cli import main
from anyk.connections.trial import Listeners

HERE = Path(__file__).parents[2] / "examples" / "aggregation"
LONG = 60.0
SERVE = """
import sys
from server import main
main(int(sys.argv[1]), 3, sys.argv[2:], port=0)
"""


def commands(program):
    """The lines of the README that begin with this, without it."""
    blocks = re.findall(r"```sh\n(.*?)```", (HERE / "README.md").read_text(), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line.removeprefix(program).split() for line in lines if line.startswith(program)]


@pytest.fixture
def place(tmp_path):
    for name in ("plan.toml", "server.py", "client.py"):
        shutil.copy(HERE / name, tmp_path)
    return tmp_path


def served(place, number, addresses):
    """What the server prints about a round of the three clients."""
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(number), *addresses],
        cwd=place, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        port = int(server.stdout.readline().rpartition(":")[2])
        send = runpy.run_path(str(place / "client.py"))["main"]
        for name, _, weight, *vector in commands("python client.py"):
            send(name, number, int(weight), [float(each) for each in vector], port=port)
        return server.communicate(timeout=LONG)[0]
    finally:
        server.kill()
        server.communicate()


def test_four_aggregators_by_hand(place, monkeypatch):
    monkeypatch.chdir(place)
    (founding,) = commands("anyk committee")
    assert main(["committee", *founding]) == 0
    lines = {
        Path(each[3]).name: ["aggregator", "--listen", "127.0.0.1:0", *each[2:]]
        for each in commands("anyk aggregator")
    }
    listeners = Listeners(place)
    try:
        addresses = listeners.start_all(lines, place)
        assert len(addresses) == 4
        first = served(place, 1, addresses)
        listeners.processes[0].kill()
        second = served(place, 2, addresses)
    finally:
        listeners.end()
    for told in (first, second):
        assert "mean    [1.25, 1.5, 0.5]" in told
        assert "counted client-0, client-1, client-2" in told
    assert "without aggregator-0" not in first
    assert "without aggregator-0" in second
