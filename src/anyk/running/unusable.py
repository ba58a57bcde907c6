"""Why an answer, looked at by itself, is of no use."""

from __future__ import annotations

from anyk.answers import Answer
from anyk.domains.base import AbstractDomain
from anyk.errors import InvalidArgument

__all__ = ["unusable"]


def unusable(answer: Answer, domain: AbstractDomain, shape: tuple[int, ...] | None) -> str | None:
    """Why an answer is of no use; None if it is.

    Args:
        answer: of a worker.
        domain: that it must be of.
        shape: that it must have; None where nothing is known of it.

    Example:
        >>> from anyk.running.unusable import unusable
        >>> answer = anyk.Answer(worker=0, value=np.ones(2), sent=0.0, answered=0.5, seconds=0.4)
        >>> unusable(answer, anyk.Reals(), (3,))
        'answer of shape (2,), not (3,)'
    """
    if answer.failure is not None or answer.value is None:
        return answer.failure
    if not domain.holds(answer.value.dtype):  # a WorkerTask returns no other
        return f"answer of dtype {answer.value.dtype}, which {domain!r} does not hold"
    if shape is not None and answer.value.shape != shape:
        return f"answer of shape {answer.value.shape}, not {shape}"
    try:
        domain.validate(answer.value, "answer")
    except InvalidArgument as error:
        return f"unusable answer: got {error.given}; needed: {error.needed}"
    return None
