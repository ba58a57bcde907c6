"""Workers, numbers and reasons in words: for errors and reports."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

__all__ = ["SAME_REASON", "by_reason", "fail_alike", "missing_extra", "numbered", "ranges"]

SAME_REASON: Final = (
    "All that failed did so for the same reason: remove it first, as more workers may fail too."
)


def missing_extra(what: str, extra: str) -> ImportError:
    """The error where a package is missing that one of the extras brings.

    Args:
        what: is done with which package.
        extra: its name in pyproject.toml.

    Example:
        >>> from anyk.wording import missing_extra
        >>> print(missing_extra("the table is drawn with rich", "demo"))
        the table is drawn with rich; in a checkout of anyk, install it with: pip install '.[demo]'
    """
    install = f"pip install '.[{extra}]'"
    return ImportError(f"{what}; in a checkout of anyk, install it with: {install}")


def ranges(workers: Iterable[int]) -> str:
    """Workers as a short text: ``[0, 1, 2, 5]`` becomes ``0-2, 5``.

    Example:
        >>> from anyk.wording import ranges
        >>> ranges([5, 0, 1, 2]), ranges([])
        ('0-2, 5', 'none')
    """
    runs: list[list[int]] = []
    for worker in sorted(workers):
        if runs and worker == runs[-1][1] + 1:
            runs[-1][1] = worker
        else:
            runs.append([worker, worker])
    texts = [f"{first}" if first == last else f"{first}-{last}" for first, last in runs]
    return ", ".join(texts) if texts else "none"


def by_reason(failures: Mapping[int, str]) -> dict[str, list[int]]:
    """Workers that failed alike, together: thousands often fail for one reason.

    Example:
        >>> from anyk.wording import by_reason
        >>> by_reason({1: "it died", 2: "ValueError: no", 4: "it died"})
        {'it died': [1, 4], 'ValueError: no': [2]}
    """
    alike: dict[str, list[int]] = {}
    for worker, reason in failures.items():
        alike.setdefault(reason, []).append(worker)
    return alike


def fail_alike(
    used: Collection[int], missing: Collection[int], failures: Mapping[int, str]
) -> bool:
    """Whether all failures have one reason: several, or all that are missing.

    They do where the function has a fault, and then more workers would fail as well.

    Args:
        used: workers whose answers are usable.
        missing: workers without a usable answer.
        failures: reason by worker, for those that failed rather than kept silent.

    Example:
        >>> from anyk.wording import fail_alike
        >>> fail_alike([], [0, 1, 2], {0: "ValueError: no", 1: "ValueError: no"})
        True
        >>> fail_alike([], [0, 1, 2], {1: "it died"})  # one of three tells little of the others
        False
    """
    alone = len(failures) == 1 and (len(missing) > 1 or bool(used))
    return not alone and len(set(failures.values())) == 1


def numbered(count: int, singular: str, plural: str = "") -> str:
    """A number of things, in words that agree with it.

    Args:
        count: how many.
        singular: the word for one.
        plural: the word for others; "" for that with an s.

    Example:
        >>> from anyk.wording import numbered
        >>> numbered(1, "liar"), numbered(0, "liar"), numbered(2, "copy", "copies")
        ('1 liar', '0 liars', '2 copies')
    """
    return f"{count} {singular if count == 1 else plural or f'{singular}s'}"
