"""What a coded shuffle sends, byte by byte, and where that saves time.

Claims: with values of one length, `anyk.shuffle` sends (1/r)(1 - r/K) of all that the maps make as
multicasts (resolvable designs 1/(r - 1) (1 - r/K)), and 1 - r/K as unicasts, to the byte; 10**6
records of 100 bytes are sorted as numpy sorts them; on one shared link the coded sort is faster
than the plain one; and on a switched network it is no faster than the same placement without a
code, whether the switch multicasts or not.

Networks are simulated from the bytes and messages that were counted:

- a shared link: all that is sent goes over it, one message after the other;
- the same without multicast: a message goes once to each node that wants it;
- a switch: each node has a link of its own to it, in both directions, and sends unicasts;
- a switch that multicasts: a node sends a message once, and it arrives at all that want it.

Seconds of computing are CPU seconds measured here, all nodes' together, by the number of nodes. The
last table is no simulation: processes of MPI on this machine, if there is an MPI.

    python benchmarks/coded_shuffle_counts_bytes.py [--tiny]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from anyk import shuffle
from anyk.bench.measure import interval, table
from anyk.shuffle.pieces import header_of

EQUAL = (
    shuffle.Coded(4, 2), shuffle.Coded(6, 3), shuffle.Coded(10, 5), shuffle.Coded(16, 1),
    shuffle.Coded(16, 3), shuffle.Coded(16, 5), shuffle.Resolvable(3, 4), shuffle.Resolvable(5, 4),
)  # fmt: skip
FASTER = shuffle.Coded(16, 3), shuffle.Coded(16, 5), shuffle.Resolvable(5, 4)
MEGA = 1e6
WIRELESS = 100e6 / 8, 1e-4  # bytes a second, seconds a message
ETHERNET = 1e9 / 8, 2e-5
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Sorted:
    """One sort.

    Args:
        plan: of it.
        done: its counts and seconds.
    """

    plan: shuffle.AbstractPlan
    done: shuffle.Shuffled

    @property
    def computing(self) -> float:
        """Seconds of computing, with all nodes side by side."""
        spent = self.done.seconds
        return (spent.map + spent.encode + spent.decode + spent.reduce) / len(self.plan.live)

    @property
    def on(self) -> dict[str, float]:
        """Seconds of sending, by network."""
        counts, nodes = self.done.counts, len(self.plan.live)
        once = counts.multicast + counts.headers_multicast + counts.notes
        each = counts.unicast + counts.headers_unicast + counts.notes * (nodes - 1)
        rate, message = WIRELESS
        fast, short = ETHERNET
        return {
            "shared link": once / rate + counts.messages * message,
            "shared, unicasts": each / rate + counts.deliveries * message,
            "switch": (each / fast + counts.deliveries * short) / nodes,
            "multicasting switch": max(
                (each / fast + counts.deliveries * short) / nodes,  # what a node receives
                (once / fast + counts.messages * short) / nodes,
            ),
        }


def named(plan: shuffle.AbstractPlan) -> str:
    """A plan in a table."""
    text = repr(plan.plan) if isinstance(plan, shuffle.Uncoded) else repr(plan)
    short = text.replace("nodes=", "").replace("copies=", "").replace("width=", "")
    return f"{short} uncoded" if isinstance(plan, shuffle.Uncoded) else short


def equal_values(plans) -> list[str]:
    """Print the loads of equal values; what differs from the formulas."""
    rows, fails = [], []
    for plan in plans:
        size = 60  # divided by 1 to 6 pieces
        value = bytes(size)
        counts = shuffle.map_reduce(
            plan, range(plan.files), lambda _, plan=plan, value=value: [value] * len(plan.live), len
        ).counts
        nodes, copies = len(plan.live), plan.copies
        pieces = copies - isinstance(plan, shuffle.Resolvable)
        formula = (1 - copies / nodes) / pieces, 1 - copies / nodes
        measured = float(counts.multicast_load), float(counts.unicast_load)
        rows.append([named(plan), nodes, copies, plan.files, len(plan.groups),
                     *(f"{each:.5f}" for pair in zip(measured, formula, strict=True)
                       for each in pair)])  # fmt: skip
        if not np.allclose(measured, formula, rtol=1e-12):
            fails.append(f"{plan}: loads {measured}, formulas {formula}")
    print(f"values of {size} bytes: sent, by all that the maps make")
    header = ["plan", "K", "r", "files", "groups", "multicast", "formula", "unicast", "formula"]
    print(table(header, rows), "\n")
    return fails


def sorts(plans, records) -> tuple[list[Sorted], list[str]]:
    """Sort by each plan, print every byte of it; what is not sorted."""
    order = np.argsort(records[:, :10].copy().view("S10")[:, 0], kind="stable")
    expected, rows, every, fails = records[order], [], [], []
    for plan in plans:
        done = shuffle.sort(records, plan, clock=time.process_time)
        if not np.array_equal(np.concatenate([*done.parts.values()]), expected):
            fails.append(f"{plan}: not as numpy sorts")
        every.append(Sorted(plan, done))
        counts = done.counts
        rows.append([
            named(plan), counts.messages,
            f"{counts.multicast / MEGA:.2f}", f"{float(counts.multicast_load):.4f}",
            f"{float(plan.multicast_load):.4f}",
            f"{counts.unicast / MEGA:.2f}", f"{float(counts.unicast_load):.4f}",
            f"{float(plan.unicast_load):.4f}",
            f"{counts.padding / MEGA:.2f}", f"{counts.headers_multicast / MEGA:.3f}",
            f"{counts.headers_unicast / MEGA:.3f}", f"{counts.notes / MEGA:.3f}",
        ])  # fmt: skip
    print(f"{len(records)} records of 100 bytes sorted, as numpy sorts them: {not fails}; MB")
    header = ["plan", "messages", "multicast", "load", "formula", "unicast", "load", "formula",
              "zeros in it", "headers", "as unicasts", "notes"]  # fmt: skip
    print(table(header, rows), "\n")
    return every, fails


def computing(every: list[Sorted]) -> None:
    """Print CPU seconds, and what digests are of them."""
    rows = []
    for each in every:
        spent, counts = each.done.seconds, each.done.counts
        values = max(1, counts.headers_multicast // 24)
        value, start, rounds = bytes(counts.wanted // values), time.process_time(), 200
        for _ in range(rounds):
            header_of(0, 0, value)
        digests = 2 * values * (time.process_time() - start) / rounds
        rows.append([named(each.plan), *(f"{seconds:.2f}" for seconds in (
            spent.map, spent.encode, spent.decode, spent.reduce, digests))])  # fmt: skip
    print("CPU seconds, all nodes together; digests are in encode and decode")
    print(table(["plan", "map", "encode", "decode", "reduce", "digests"], rows), "\n")


def networks(every: list[Sorted]) -> list[str]:
    """Print seconds on simulated networks; where the claims do not hold."""
    rows, fails = [], []
    plain = {len(each.plan.live): each for each in every if each.plan.redundancy == 1}
    for each in every:
        base, cells = plain[len(each.plan.live)], []
        for network, seconds in each.on.items():
            total, theirs = seconds + each.computing, base.on[network] + base.computing
            cells.append(f"{total:.2f} ({theirs / total:.2f}x)")
            if network == "shared link" and each.plan in FASTER and total >= theirs:
                fails.append(f"{each.plan}: {total:.2f} s on a shared link, plain {theirs:.2f}")
        rows.append([named(each.plan), f"{each.computing:.2f}", *cells])
    uncoded = {each.plan.plan: each for each in every if isinstance(each.plan, shuffle.Uncoded)}
    for each in every:
        same = uncoded.get(each.plan)
        fails += [
            f"{each.plan}: faster on a {network} than without a code"
            for network in ("shared, unicasts", "switch", "multicasting switch")
            if same and each.on[network] < same.on[network]
        ]
    print("seconds of computing and sending, simulated, and times faster than r = 1")
    print(
        f"shared link {8 * WIRELESS[0] / MEGA:.0f} Mbit/s, {1e3 * WIRELESS[1]} ms a message; "
        f"switch {8 * ETHERNET[0] / MEGA:.0f} Mbit/s a node, {1e3 * ETHERNET[1]} ms a message"
    )
    print(table(["plan", "computing", *every[0].on], rows), "\n")
    return fails


def formula(every: list[Sorted]) -> None:
    """Print r T_map + L T_shuffle beside what was counted, on the shared link."""
    plain = next(each for each in every if each.plan.redundancy == 1)
    nodes = len(plain.plan.live)
    maps = plain.done.seconds.map / nodes
    link = plain.done.counts.intermediate / WIRELESS[0]
    rows = []
    for each in every:
        if len(each.plan.live) == nodes:
            predicted = shuffle.predicted_seconds(each.plan, map_seconds=maps, shuffle_seconds=link)
            counted = each.done.seconds.map / nodes + each.on["shared link"]
            rows.append([named(each.plan), f"{predicted:.2f}", f"{counted:.2f}"])
    best = (link / maps) ** 0.5
    print(f"r T_map + L T_shuffle on the shared link, T_map {maps:.3f} s, T_shuffle {link:.2f} s;")
    print(f"the best r without headers, padding and messages would be {best:.1f}")
    print(table(["plan", "formula s", "counted s"], rows), "\n")


def on_mpi(nodes: int, copies: int, records: int, rounds: int) -> None:
    """Print how long processes of MPI on this machine took."""
    folder = str(Path(sys.executable).parent)
    mpiexec = shutil.which("mpiexec", path=folder)
    if mpiexec is None:
        print("no MPI beside Python: not measured")
        return
    allowed = [f"{a}_ALLOW_RUN_AS_ROOT{b}" for a in ("OMPI", "PRTE") for b in ("", "_CONFIRM")]
    environment = {
        **os.environ,
        "PATH": f"{folder}:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
        **dict.fromkeys(allowed, "1"),
    }
    program = [sys.executable, str(HERE / "_shuffle_on_mpi.py")]
    done = subprocess.run(  # noqa: S603 - our own program
        [mpiexec, "-n", str(nodes), *program, str(records), str(copies), str(rounds)],
        capture_output=True, text=True, check=False, env=environment, timeout=600,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    measured = json.loads(done.stdout)
    (_, uncoded, _) = measured.values()
    rows = [
        [
            name,
            *(str(interval([each[place] for each in took])) for place in (0, 1)),
            str(interval([each[0] / other[0] for each, other in zip(took, uncoded, strict=True)])),
        ]
        for name, took in measured.items()
    ]
    print(f"MPI, {nodes} processes on {os.cpu_count()} cores, {records} records, {rounds} rounds")
    print(table(["plan", "whole sort s", "sending, waiting s", "whole by uncoded"], rows), "\n")


def main() -> None:
    """Count and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--tiny", action="store_true", help="few records, no verdict on times")
    options = parser.parse_args()
    plans = [
        plan
        for coded in (shuffle.Coded(16, 3), shuffle.Coded(16, 5), shuffle.Resolvable(5, 4))
        for plan in (coded, shuffle.Uncoded(coded))
    ]
    plans[:0] = [shuffle.Coded(16, 1)]
    plans[5:5] = [shuffle.Coded(20, 1), shuffle.Coded(20, 5)]
    equal, nodes, copies = EQUAL, 6, 3
    if options.tiny:
        options.records, options.rounds, nodes, copies = 20_000, 2, 4, 2
        plans = [shuffle.Coded(6, 1), shuffle.Coded(6, 2), shuffle.Uncoded(shuffle.Coded(6, 2))]
        equal = EQUAL[:3]
    records = np.random.default_rng(0).integers(0, 256, (options.records, 100), dtype=np.uint8)
    fails = equal_values(equal)
    every, unsorted = sorts(plans, records)
    computing(every)
    slower = networks(every)
    formula(every)
    on_mpi(nodes, copies, options.records // 4, options.rounds)
    fails += unsorted if options.tiny else [*unsorted, *slower]
    for text in fails:
        print(f"MISSED: {text}")
    raise SystemExit(1 if fails else 0)


if __name__ == "__main__":
    main()
