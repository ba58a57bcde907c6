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
from anyk.commands.remote import add_certificates, add_worker, certify, work
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
    except argparse.ArgumentError as error:
        print(f"anyk: {error}", file=sys.stderr)
        return _MISUSED
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
    add_worker(commands)
    add_certificates(commands)
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


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "demo": _demo,
    "reproduce": _reproduce,
    "worker": partial(work, write=partial(print, flush=True)),
    "certificates": partial(certify, write=print),
    "aggregator": partial(serve, write=partial(print, flush=True)),
    "committee": partial(found, write=print),
}
