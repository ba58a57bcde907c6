"""What directories of keys are for, in lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

__all__ = ["say_uses"]


def say_uses(place: Path, uses: Mapping[str, str], days: int, write: Callable[[str], None]) -> None:
    """Say what each directory is for.

    Args:
        place: where they are.
        uses: by the name of each.
        days: that their certificates last.
        write: takes each line that is said.

    Example:
        >>> from pathlib import Path
        >>> from anyk.commands.uses import say_uses
        >>> say_uses(Path("keys"), {"a": "for one", "authority": "for nobody"}, 30, print)
        keys/a          for one
        keys/authority  for nobody
        For a trial, and good for 30 days. Give each party its own directory.
    """
    width = max(len(str(place / name)) for name in uses)
    for name, use in uses.items():
        write(f"{place / name!s:<{width}}  {use}")
    write(f"For a trial, and good for {days} days. Give each party its own directory.")
