"""The command `anyk`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from anyk import __version__
from anyk.errors import AnykError

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
        anyk 0.1.0
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
        return _demo(arguments.seed, arguments.output)
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
        description="Two jobs on twelve worker processes, of which some sleep, die, lie or pry: "
        "uncoded, replicated and coded, with the same faults. Writes a picture of it.",
    )
    demo.add_argument(
        "--seed", type=_natural, default=0, help="makes data and faults repeatable (default: 0)"
    )
    demo.add_argument(
        "--output",
        type=Path,
        default=Path("anyk-demo.png"),
        metavar="FILE",
        help="where to write the picture, a PNG (default: anyk-demo.png)",
    )
    return parser


def _natural(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return number


def _demo(seed: int, output: Path) -> int:
    from anyk.demo.story import make_console, tell  # noqa: PLC0415 - its extras load here alone

    if output.is_dir() or not output.parent.is_dir():  # say so now, not after the run
        raise OSError(f"can't write a picture to {output}; pass another --output")
    tell(make_console(), seed=seed, output=output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
