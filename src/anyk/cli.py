"""The command `anyk`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from anyk import __version__
from anyk.commands.aggregation import add_aggregator, add_committee, found, serve
from anyk.commands.numbers import natural, positive
from anyk.errors import AnykError, InvalidArgument
from anyk.wording import missing_extra

__all__ = ["main"]

_FAILED, _MISUSED, _INTERRUPTED = 1, 2, 130  # as shells have them


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: its arguments; those of the process by default.

    Returns:
        The exit code: 0, 1 where it failed, 2 where it was misused, 130 after Ctrl-C.

    Example:
        >>> from anyk.cli import main
        >>> main(["--version"])
        anyk 0.4.0.dev0
        0
    """
    parser = _parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as stop:  # argparse has printed what there is to say
        return _MISUSED if stop.code else 0
    if arguments.command is None:
        parser.print_help()
        return 0
    try:
        return _COMMANDS[arguments.command](arguments)
    except KeyboardInterrupt:
        print("\nanyk: stopped", file=sys.stderr)
        return _INTERRUPTED
    except (ImportError, OSError, AnykError) as error:
        print(f"anyk: {error}", file=sys.stderr)
        return _FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="anyk", description="Coded computing: any k of n answers are enough."
    )
    parser.add_argument("--version", action="version", version=f"anyk {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    demo = commands.add_parser(
        "demo",
        help="watch twelve workers, some of them bad, compute on handwritten digits (30 s)",
        description="Two jobs on twelve worker processes, of which some sleep, die, lie or look "
        "at the data: uncoded, replicated, and by anyk.map or a code, with the same faults. Writes "
        "a picture of it.",
    )
    demo.add_argument(
        "--seed", type=natural, default=0, help="makes data and faults repeatable (default: 0)"
    )
    demo.add_argument(
        "--output",
        type=Path,
        default=Path("anyk-demo.png"),
        metavar="FILE",
        help="where to write the picture, a PNG (default: anyk-demo.png)",
    )
    _add_reproduce(commands)
    _add_worker(commands)
    _add_certificates(commands)
    add_aggregator(commands)
    add_committee(commands)
    return parser


def _add_reproduce(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    reproduce = commands.add_parser(
        "reproduce",
        help="run a published experiment again; without a name it lists them",
        description="Runs a published experiment, prints its figures beside what the paper states "
        "and writes a picture. Exits with 1 if a claim fails. Without a name it lists them.",
    )
    reproduce.add_argument("name", nargs="?", help="of the experiment")
    reproduce.add_argument(
        "--tiny", action="store_true", help="a size of seconds, without downloads or a verdict"
    )
    reproduce.add_argument(
        "--batches", type=positive, metavar="N", help="trials a row (default: the experiment's)"
    )
    reproduce.add_argument(
        "--output",
        type=Path,
        metavar="PATH",
        help="where to write the picture, a PNG: a file or a directory (default: anyk-NAME.png)",
    )
    reproduce.add_argument(
        "--seed", type=natural, default=0, help="of data, stragglers and noise (default: 0)"
    )
    reproduce.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="where trained models are kept (default: anyk in the user's cache directory)",
    )
    reproduce.add_argument(
        "--fashion",
        type=Path,
        metavar="DIR",
        help="where Fashion-MNIST's four files are (default: where Debian's package puts them)",
    )


def _add_worker(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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


def _add_certificates(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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


def _demo(arguments: argparse.Namespace) -> int:
    from anyk.demo.story import make_console, tell  # noqa: PLC0415 - its extras load here alone

    output: Path = arguments.output
    if output.is_dir() or not output.parent.is_dir():  # say so now, not after the run
        raise OSError(f"can't write a picture to {output}; pass another --output")
    tell(make_console(), seed=arguments.seed, output=output)
    return 0


def _reproduce(arguments: argparse.Namespace) -> int:
    from anyk.bench.reproduce.catalogue import EXPERIMENTS, find  # noqa: PLC0415 - as above
    from anyk.bench.reproduce.experiment import Setting  # noqa: PLC0415 - as above
    from anyk.bench.reproduce.perform import perform, picture_path  # noqa: PLC0415 - as above

    if arguments.name is None:
        width = max(len(experiment.name) for experiment in EXPERIMENTS)
        for experiment in EXPERIMENTS:
            print(f"{experiment.name:<{width}}  {experiment.summary}")
        return 0
    try:
        experiment = find(arguments.name)
    except InvalidArgument as error:
        print(f"anyk: {error}", file=sys.stderr)
        return _MISUSED
    setting = Setting(
        tiny=arguments.tiny,
        batches=arguments.batches,
        seed=arguments.seed,
        cache=arguments.cache,
        fashion=arguments.fashion,
    )
    output = picture_path(experiment, arguments.output)  # say now, not after the run
    try:
        holds = perform(experiment, setting, output, write=print)
    except ModuleNotFoundError as error:
        raise missing_extra(f"{experiment.name} needs {error.name}", "reproduce") from error
    return 0 if holds else _FAILED


def _worker(arguments: argparse.Namespace) -> int:
    from anyk.executors.remote.budget import Budget  # noqa: PLC0415 - as above
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
        write=partial(print, flush=True),
    )
    return 0


def _certificates(arguments: argparse.Namespace) -> int:
    from anyk.connections.authority import ASKERS  # noqa: PLC0415 - as above
    from anyk.connections.certificates import (  # noqa: PLC0415 - as above
        make_certificates,
        renew_certificate,
        revoke_certificates,
    )

    place, days = arguments.directory, arguments.days
    if arguments.hosts and arguments.workers is None:
        why = "--hosts goes with --workers: a renewed certificate is good for the host that it had"
        print(f"anyk: {why}. Leave --hosts out.", file=sys.stderr)
        return _MISUSED
    if arguments.renew is not None:
        until = renew_certificate(place, arguments.renew, days=days)
        print(f"{place / arguments.renew}  has a new key and certificate, good until {until}.")
        print("Copy its files over those that the party has. Nothing needs to be started again.")
        return 0
    if arguments.revoke is not None:
        until = revoke_certificates(place, arguments.revoke, days=days)
        listed = next(each for each in place.glob("*/revoked.pem") if each.parent.name in ASKERS)
        print(f"{listed}  is the list, good until {until}: after that")
        print("nobody is believed. Copy it to every party, and write it again before:")
        print(f"anyk certificates {place} --revoke")
        return 0
    names = make_certificates(place, workers=arguments.workers, hosts=arguments.hosts, days=days)
    uses = {"master": "for the master: anyk.Remote(..., tls=THIS)"}
    uses |= dict.fromkeys(names, "for one worker: anyk worker --tls THIS ...")
    uses["authority"] = "for nobody: its key makes certificates"
    width = max(len(str(place / name)) for name in uses)
    for name, use in uses.items():
        print(f"{place / name!s:<{width}}  {use}")
    print(f"For a trial, and good for {days} days. Give each party its own directory.")
    return 0


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "demo": _demo,
    "reproduce": _reproduce,
    "worker": _worker,
    "certificates": _certificates,
    "aggregator": partial(serve, write=partial(print, flush=True)),
    "committee": partial(found, write=print),
}
