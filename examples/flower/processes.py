"""Flower in earnest, on one machine: a SuperLink, SuperNodes and aggregators, each a process.

    python examples/flower/processes.py

The app is the folder `averaging`, as `flwr run` sends it to the nodes. Each node has a directory
with its own keys, each aggregator another, and the server has none: it relays, and sees the mean.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from averaging.task import CLIENTS, PLAN, averaged

from anyk.aggregation import Trial

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
MOST = 1e-7  # of rounding to fractions of 30 bits, through two rounds


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def started(place, name, *command):
    """A process and its children, with a log, until the end of the block."""
    with (place / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def waited(port, seconds=60):
    """Until somebody listens."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.2)
    raise TimeoutError(f"nobody listens on port {port}")


def main():
    """Run it, and compare with plain federated averaging."""
    with tempfile.TemporaryDirectory() as files, contextlib.ExitStack() as stack:
        place, port = Path(files), free_port()
        os.environ |= {"FLWR_HOME": files, "FLWR_TELEMETRY_ENABLED": "0"}
        os.environ["PATH"] = os.pathsep.join([str(BIN), os.environ["PATH"]])
        (place / "config.toml").write_text(
            f'[superlink]\ndefault = "here"\n[superlink.here]\naddress = "127.0.0.1:{port}"\n'
            "insecure = true\n"  # between processes of one machine: it relays sealed messages
        )
        trial = stack.enter_context(Trial(PLAN, clients=CLIENTS))
        link = ("flower-superlink", "--insecure", "--host", "127.0.0.1", "--port", str(port))
        link += ("--disable-runtime-dependency-installation",)
        stack.enter_context(started(place, "link", *link))
        waited(port)
        for i in range(CLIENTS):
            config = f"partition-id={i} anyk-party='{trial.parties / f'client-{i}'}'"
            node = ("flower-supernode", "--insecure", "--superlink", f"127.0.0.1:{port}")
            node += ("--port", str(free_port()), "--node-config", config)
            stack.enter_context(started(place, f"node-{i}", *node))
        output = place / "model.npz"
        settings = f"aggregators='{' '.join(trial.addresses)}' server='{trial.server}' "
        settings += f"output='{output}'"
        command = ("flwr", "run", str(HERE), "here", "--stream", "--run-config", settings)
        done = subprocess.run(  # noqa: S603 - our own command
            command, capture_output=True, text=True, timeout=500, check=False
        )
        if not output.exists():
            print(done.stdout, done.stderr)
            for log in sorted(place.glob("*.log")):
                print(log.name, log.read_text()[-2000:])
            raise SystemExit("there is no model")
        with np.load(output) as model:
            plain = averaged()
            off = max(np.abs(model[key] - plain[key]).max() for key in plain)
    print(f"{CLIENTS} nodes, {PLAN.aggregators} aggregators, a SuperLink; largest difference to")
    print(f"plain federated averaging: {off:.1e}")
    return int(not off < MOST)


if __name__ == "__main__":
    sys.exit(main())
