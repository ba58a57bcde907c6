"""One round: take clients' messages over HTTP, and print the weighted mean of their vectors.

    python server.py 1 3 aggregator-0@localhost:7101 aggregator-1@localhost:7102 ...

The arguments are the number of the round, after how many clients it is closed, and the aggregators.
Messages are sealed for the aggregators and signed by clients, so this end needs no secrets of its
own; put it behind the web server that you have, with TLS and its limits.
"""

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from anyk import aggregation

HERE = Path(__file__).parent
PATIENCE = 60.0  # seconds until the round is closed, however many clients came


class Collecting(BaseHTTPRequestHandler):
    """Takes one message of a client with each POST."""

    timeout = 10.0  # seconds for a read

    def do_POST(self) -> None:
        """Take it, if it is no longer than a message can be, and say why not."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > self.server.most:
            self.send_error(413)
            return
        why = self.server.take(self.rfile.read(int(length)))
        self.send_response(400 if why else 200)
        self.end_headers()
        self.wfile.write(why.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""


class Collector(ThreadingHTTPServer):
    """Gives messages to a round, one at a time."""

    daemon_threads = True

    def __init__(self, port: int, most: int, served: aggregation.Round, clients: int) -> None:
        super().__init__(("127.0.0.1", port), Collecting)
        self.most, self.round, self.left = most, served, clients
        self.lock, self.enough = threading.Lock(), threading.Event()

    def take(self, message: bytes) -> str:
        """Take a message; "" or why not."""
        with self.lock:
            if self.enough.is_set():
                return "the round is closed"
            why = self.round.receive(message)
            self.left -= not why
            if self.left <= 0:
                self.enough.set()
            return why


def main(number: int, clients: int, addresses: list[str], port: int = 7100) -> None:
    """Do one round."""
    party = HERE / "parties" / "server"
    plan, roster = (
        aggregation.read_plan(HERE / "plan.toml"),
        aggregation.Roster.load(party / "roster.json"),
    )
    with aggregation.RemoteParties(addresses, tls=party) as parties:
        server = aggregation.Server(plan, roster, parties, timeout=5.0)
        served = server.round(number)
        with Collector(port, server.most_message, served, clients) as collector:
            threading.Thread(target=collector.serve_forever, daemon=True).start()
            print(f"takes messages at http://127.0.0.1:{collector.server_port}", flush=True)
            collector.enough.wait(PATIENCE)
            with collector.lock:
                collector.enough.set()
            collector.shutdown()
        result = served.close()
    print("mean   ", result.mean.round(4).tolist())
    print("counted", ", ".join(result.counted))
    for name, why in {**result.left_out, **result.silent}.items():
        print("without", name, f"({why})")
    print("liars  ", ", ".join(result.liars) or "none")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
