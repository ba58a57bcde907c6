"""`anyk worker` and `anyk certificates`: their options, and what they do."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from anyk.commands.numbers import natural, positive
from anyk.commands.uses import say_uses

__all__ = ["add_certificates", "add_worker", "certify", "work"]


def add_worker(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The options of `anyk worker`."""
    worker = commands.add_parser(
        "worker",
        help="serve the functions of a module to a master elsewhere, as anyk.Remote needs it",
        description="Listens for a master, holds the shares that it sends and runs functions of a "
        "module on them. It takes numbers and the names of functions, and no code.",
    )
    worker.add_argument(
        "--listen", required=True, metavar="HOST:PORT", help="where; port 0 takes any that is free"
    )
    worker.add_argument(
        "--tasks",
        required=True,
        metavar="MODULE",
        help="serves what its __all__ names or @anyk.task marks",
    )
    way = worker.add_mutually_exclusive_group(required=True)
    way.add_argument(
        "--tls",
        type=Path,
        metavar="DIR",
        help="with authority.pem, certificate.pem and key.pem of this worker",
    )
    way.add_argument(
        "--no-tls", action="store_true", help="serve this machine alone, and anybody on it"
    )
    worker.add_argument(
        "--master",
        default="master",
        metavar="NAME",
        help="that the master's certificate is for (default: master)",
    )
    worker.add_argument(
        "--memory",
        type=positive,
        default=1024,
        metavar="MIB",
        help="that one master's shares and arguments may take (default: 1024)",
    )
    worker.add_argument(
        "--sessions",
        type=positive,
        default=4,
        metavar="N",
        help="masters to serve at once (default: 4)",
    )
    worker.add_argument(
        "--task-memory",
        type=natural,
        metavar="MIB",
        help="that tasks may take beside them (default: 4 times --memory; 0: no limit)",
    )
    worker.add_argument(
        "--task-seconds",
        type=natural,
        default=600,
        metavar="S",
        help="that a task may take (default: 600; 0: no limit)",
    )
    worker.add_argument(
        "--idle-seconds",
        type=natural,
        default=3600,
        metavar="S",
        help="that a master may let pass before its next request (default: 3600; 0: no limit)",
    )


def add_certificates(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The options of `anyk certificates`."""
    certificates = commands.add_parser(
        "certificates",
        help="make, renew and revoke certificates for a trial of remote workers",
        description="Makes an authority, and certificates and keys for a master and some workers, "
        "each in a directory that is for that party alone; later renews or revokes them. For a "
        "trial: for real use, take an authority that you have, and lay out its files in the same "
        "way.",
    )
    certificates.add_argument("directory", type=Path, metavar="DIR", help="where they are written")
    what = certificates.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--workers", type=positive, metavar="N", help="make new ones, for so many workers"
    )
    what.add_argument(
        "--renew", metavar="NAME", help="a new key and certificate for one party, such as worker-0"
    )
    what.add_argument(
        "--revoke",
        nargs="*",
        metavar="NAME",
        help="believe no certificate of these parties that was made so far; without a name, write "
        "the list of revoked ones again before it runs out",
    )
    certificates.add_argument(
        "--hosts",
        nargs="+",
        default=[],
        metavar="HOST",
        help="with --workers: the name or address of each worker's machine, which its certificate "
        "is good for beside worker-0, worker-1, ... (default: none)",
    )
    certificates.add_argument(
        "--days",
        type=positive,
        default=30,
        metavar="N",
        help="that certificates, or the list of revoked ones, last (default: 30)",
    )


def work(arguments: argparse.Namespace, write: Callable[[str], None]) -> int:
    """Be `anyk worker`.

    Args:
        arguments: the options.
        write: takes each line that is said.
    """
    from anyk.executors.remote.budget import Budget  # noqa: PLC0415 - takes a while
    from anyk.executors.remote.command import serve_worker  # noqa: PLC0415 - as above

    serve_worker(
        arguments.listen,
        arguments.tasks,
        arguments.tls,
        master=arguments.master,
        budget=Budget(
            memory=arguments.memory,
            task_memory=arguments.task_memory,
            task_seconds=arguments.task_seconds,
            idle_seconds=arguments.idle_seconds,
        ),
        sessions=arguments.sessions,
        write=write,
    )
    return 0


def certify(arguments: argparse.Namespace, write: Callable[[str], None]) -> int:
    """Be `anyk certificates`.

    Args:
        arguments: the options.
        write: takes each line that is said.

    Raises:
        argparse.ArgumentError: if two options do not go together.
    """
    from anyk.connections.authority import ASKERS  # noqa: PLC0415 - takes a while
    from anyk.connections.certificates import (  # noqa: PLC0415 - as above
        make_certificates,
        renew_certificate,
        revoke_certificates,
    )

    place, days = arguments.directory, arguments.days
    if arguments.hosts and arguments.workers is None:
        why = "--hosts goes with --workers: a renewed certificate is good for the host that it had"
        raise argparse.ArgumentError(None, f"{why}. Leave --hosts out.")
    if arguments.renew is not None:
        until = renew_certificate(place, arguments.renew, days=days)
        write(f"{place / arguments.renew}  has a new key and certificate, good until {until}.")
        write("Copy its files over those that the party has. Nothing needs to be started again.")
        return 0
    if arguments.revoke is not None:
        until = revoke_certificates(place, arguments.revoke, days=days)
        listed = next(each for each in place.glob("*/revoked.pem") if each.parent.name in ASKERS)
        write(f"{listed}  is the list, good until {until}: after that")
        write("nobody is believed. Copy it to every party, and write it again before:")
        write(f"anyk certificates {place} --revoke")
        return 0
    names = make_certificates(place, workers=arguments.workers, hosts=arguments.hosts, days=days)
    uses = {"master": "for the master: anyk.Remote(..., tls=THIS)"}
    uses |= dict.fromkeys(names, "for one worker: anyk worker --tls THIS ...")
    uses["authority"] = "for nobody: its key makes certificates"
    say_uses(place, uses, days, write)
    return 0
