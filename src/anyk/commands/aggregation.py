"""`anyk committee` and `anyk aggregator`: their options, and what they do."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from anyk.commands.numbers import natural, positive
from anyk.commands.uses import say_uses

__all__ = ["add_aggregator", "add_committee", "found", "serve"]


def add_committee(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The options of `anyk committee`."""
    committee = commands.add_parser(
        "committee",
        help="make certificates, identities and a roster for a trial of aggregators",
        description="Makes what the parties of anyk.aggregation need to know each other: a "
        "directory for each, which is for that party alone, with the roster of all. For a trial: "
        "whoever makes all of it could be everybody.",
    )
    committee.add_argument("directory", type=Path, metavar="DIR", help="where they are written")
    committee.add_argument(
        "--aggregators", type=positive, required=True, metavar="M", help="how many there are"
    )
    committee.add_argument(
        "--clients", type=positive, required=True, metavar="N", help="how many there are"
    )
    committee.add_argument(
        "--hosts",
        nargs="+",
        default=[],
        metavar="HOST",
        help="the name or address of each aggregator's machine, which its certificate is good for "
        "beside aggregator-0, aggregator-1, ... (default: none)",
    )
    committee.add_argument(
        "--days",
        type=positive,
        default=30,
        metavar="N",
        help="that certificates last (default: 30)",
    )


def add_aggregator(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The options of `anyk aggregator`."""
    aggregator = commands.add_parser(
        "aggregator",
        help="add pieces of clients' vectors for a server elsewhere, as anyk.aggregation needs it",
        description="Listens for a server, takes the pieces that clients sealed for this "
        "aggregator, signs one set of clients a round, and gives the sum of their pieces when "
        "enough aggregators have signed the same.",
    )
    aggregator.add_argument(
        "--listen", required=True, metavar="HOST:PORT", help="where; port 0 takes any that is free"
    )
    aggregator.add_argument(
        "--party",
        type=Path,
        required=True,
        metavar="DIR",
        help="with authority.pem, certificate.pem, key.pem, identity and roster.json of this "
        "aggregator",
    )
    aggregator.add_argument(
        "--plan", type=Path, required=True, metavar="FILE", help="in TOML, the same for all parties"
    )
    aggregator.add_argument(
        "--journal",
        type=Path,
        metavar="FILE",
        help="of the rounds that it signed; it must outlive the process (default: DIR/signed)",
    )
    aggregator.add_argument(
        "--least-clients",
        type=positive,
        metavar="N",
        help="sign no set of fewer clients (default: the plan's)",
    )
    aggregator.add_argument(
        "--rounds",
        type=positive,
        default=8,
        metavar="N",
        help="rounds of which pieces are held at once; the oldest makes room (default: 8)",
    )
    aggregator.add_argument(
        "--server",
        default="server",
        metavar="NAME",
        help="that the server's certificate is for (default: server)",
    )
    aggregator.add_argument(
        "--memory",
        type=positive,
        default=1024,
        metavar="MIB",
        help="that requests on their way may take (default: 1024)",
    )
    aggregator.add_argument(
        "--sessions",
        type=positive,
        default=4,
        metavar="N",
        help="connections of the server at once (default: 4)",
    )
    aggregator.add_argument(
        "--seconds",
        type=positive,
        default=600,
        metavar="S",
        help="that one request may take to come, and its answer to go (default: 600)",
    )
    aggregator.add_argument(
        "--idle-seconds",
        type=natural,
        default=3600,
        metavar="S",
        help="that the server may let pass before its next request (default: 3600; 0: no limit)",
    )


def found(arguments: argparse.Namespace, write: Callable[[str], None]) -> int:
    """Be `anyk committee`.

    Args:
        arguments: the options.
        write: takes each line that is said.
    """
    from anyk.aggregation.remote.founding import found_committee  # noqa: PLC0415 - takes a while

    place, days = arguments.directory, arguments.days
    names = found_committee(
        place,
        aggregators=arguments.aggregators,
        clients=arguments.clients,
        hosts=arguments.hosts,
        days=days,
    )
    first, last = names[arguments.aggregators], names[-1]
    uses = {
        "server": "for the server: anyk.aggregation.RemoteParties(..., tls=THIS)",
        **dict.fromkeys(
            names[: arguments.aggregators],
            "for one aggregator: anyk aggregator --party THIS --plan FILE ...",
        ),
        first if first == last else f"{first} .. {last}": "for one client each",
        "authority": "for nobody: its key makes certificates",
    }
    say_uses(place, uses, days, write)
    return 0


def serve(arguments: argparse.Namespace, write: Callable[[str], None]) -> int:
    """Be `anyk aggregator`.

    Args:
        arguments: the options.
        write: takes each line that is said.
    """
    from anyk.aggregation.remote.command import serve_aggregator  # noqa: PLC0415 - takes a while
    from anyk.aggregation.remote.limits import ServiceLimits  # noqa: PLC0415 - as above

    serve_aggregator(
        arguments.listen,
        arguments.party,
        arguments.plan,
        journal=arguments.journal,
        least_clients=arguments.least_clients,
        rounds=arguments.rounds,
        server=arguments.server,
        limits=ServiceLimits(
            memory=arguments.memory,
            sessions=arguments.sessions,
            seconds=arguments.seconds,
            idle_seconds=arguments.idle_seconds,
        ),
        write=write,
    )
    return 0
