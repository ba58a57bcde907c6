"""One client: one message, and it may be gone.

    python client.py client-0 1 20 1.5 -2.0 3.25

The arguments are its name, the number of the round, its weight and its vector.
"""

import sys
import urllib.error
import urllib.request
from pathlib import Path

from anyk import aggregation

HERE = Path(__file__).parent


def main(name: str, number: int, weight: int, vector: list[float], port: int = 7100) -> None:
    """Send it."""
    party = HERE / "parties" / name
    client = aggregation.Client(
        aggregation.read_plan(HERE / "plan.toml"),
        aggregation.Identity.load(party / "identity"),
        aggregation.Roster.load(party / "roster.json"),
    )
    message = client.contribute(vector, round=number, weight=weight)
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}", message, timeout=30).close()
    except urllib.error.HTTPError as refused:
        raise SystemExit(f"{name} was refused: {refused.read().decode()}") from None
    print(f"{name} sent {len(message)} bytes")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), [float(each) for each in sys.argv[4:]])
