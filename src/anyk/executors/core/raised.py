"""What a function raised on a worker: in words, as a traceback, and as the exception itself."""

from __future__ import annotations

from typing import Final, final

__all__ = [
    "LONGEST_FAILURE",
    "LONGEST_TRACEBACK",
    "Raised",
    "describe",
    "printable",
    "traceback_of",
    "unreadable",
    "unsendable",
    "with_source",
]

LONGEST_FAILURE: Final = 300
"""Characters in which a worker says why it failed, at most."""

LONGEST_TRACEBACK: Final = 8000
"""Characters of a traceback that come back, at most: what is over is cut out of the middle."""

_PACKAGE: Final = __file__.rpartition("/executors/")[0]
_CALLERS: Final = tuple(
    f"{_PACKAGE}/{each}" for each in ("degrees/", "executors/", "faults/", "work.py")
)
"""Files whose frames are of no interest, where a traceback begins with them."""


@final
class Raised:
    """What a function raised.

    Args:
        reason: the exception in words, in at most `LONGEST_FAILURE` characters.
        traceback: where it was raised, as Python prints it; "" where that is not known.
        error: the exception; None where it could not be sent.
    """

    def __init__(
        self, reason: str, traceback: str = "", error: BaseException | None = None
    ) -> None:
        self.reason, self.traceback, self.error = reason, traceback, error


def describe(error: BaseException) -> str:
    """Why a worker failed, in at most `LONGEST_FAILURE` characters that can be printed."""
    try:
        text = f"{type(error).__name__}: {error}".removesuffix(": ")
    except BaseException:  # noqa: BLE001 - a message that can't be printed is a failure like another
        text = f"{type(error).__name__}, which can't be printed"
    return printable(text[:LONGEST_FAILURE])


def unsendable(value: object, error: BaseException) -> Raised:
    """A result that can't be sent to the master is what went wrong.

    Args:
        value: what the function returned.
        error: what was raised when it was to be sent.

    Example:
        >>> from anyk.executors.core.raised import unsendable
        >>> unsendable(iter([]), TypeError("no")).reason
        "returned a list_iterator, which can't be sent back (TypeError: no)"
    """
    told = f"returned a {type(value).__name__}, which can't be sent back ({describe(error)})"
    return Raised(told[:LONGEST_FAILURE])


def unreadable(error: BaseException) -> Raised:
    """A result that came, and can't be unpickled here, is what went wrong.

    Args:
        error: what was raised when it was unpickled.
    """
    return Raised(f"returned what can't be unpickled here ({describe(error)})"[:LONGEST_FAILURE])


def printable(text: str) -> str:
    """Text from a worker, on one line and without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def traceback_of(error: BaseException) -> str:
    """Where an exception was raised, in at most `LONGEST_TRACEBACK` characters.

    It begins with the function that was called: what called it is left out.

    Example:
        >>> from anyk.executors.core.raised import traceback_of
        >>> try:
        ...     int("x")
        ... except ValueError as error:
        ...     print(traceback_of(error).splitlines()[-1])
        ValueError: invalid literal for int() with base 10: 'x'
    """
    import traceback  # noqa: PLC0415 - failures alone

    try:
        first = error.__traceback__
        while first is not None and first.tb_frame.f_code.co_filename.startswith(_CALLERS):
            first = first.tb_next
        lines = traceback.format_exception(type(error), error, first)
        text = "".join(lines).rstrip()
    except BaseException:  # noqa: BLE001 - what can't be printed has failed all the same
        return describe(error)
    text = "".join(each if each.isprintable() or each == "\n" else " " for each in text)
    if len(text) <= LONGEST_TRACEBACK:
        return text
    half = LONGEST_TRACEBACK // 2
    return f"{text[: half - 20]}\n ... cut here ...\n{text[-half + 20 :]}"


def with_source(text: str) -> str:
    """A traceback from a trusted worker, with the lines of code that only this process knows.

    Those are of notebooks and interactive sessions, which lie in no file.

    Args:
        text: from `traceback_of`.

    Example:
        >>> from anyk.executors.core.raised import with_source
        >>> with_source('  File "of no file", line 3, in f')
        '  File "of no file", line 3, in f'
    """
    import linecache  # noqa: PLC0415 - import anyk stays quick
    import re  # noqa: PLC0415 - as above

    place_of = re.compile(r'  File "([^"]+)", line ([0-9]+), in .*').fullmatch
    lines = text.split("\n")
    told: list[str] = []
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        told.append(line)
        place = place_of(line)
        if place is not None and not after.startswith("    "):
            source = linecache.getline(place[1], int(place[2])).strip()
            told += [f"    {source}"] if source else []
    return "\n".join(told)
