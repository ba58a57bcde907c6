"""What schemes must do that ask others where answers contradict each other: name the liars."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.errors import TooManyErrors
from anyk.schemes.encoded import Encoded
from anyk.testing.expect import require, subsets
from anyk.testing.lies import lies
from anyk.testing.trial import Trial

__all__ = ["check_asked"]


def check_asked(
    made: Trial, encoded: Encoded, patterns: int, generator: np.random.Generator
) -> None:
    """Any A liars are named, and the value is right, if others compute what is asked for.

    S workers are late and answer nothing. Liars tell each share what all of them tell of it, or
    each something else.

    Args:
        made: the data, and the right value.
        encoded: what encoding the data gave.
        patterns: how many sets of a kind to try where there are more.
        generator: where lies and samples come from.

    Raises:
        AssertionError: if a liar is not named, or the value is wrong.
    """
    promise = encoded.guarantee
    answers = made.answers(encoded)
    for liars in subsets(range(promise.workers), promise.adversaries, patterns, generator):
        late = generator.permutation(promise.workers)[: promise.stragglers].tolist()
        rows = range(len(answers))
        one = lies(encoded.scheme, answers, rows, generator)
        for told in (dict.fromkeys(liars, one), _each(encoded, answers, liars, generator)):
            recovered, asked = _asked(encoded, answers, told, late)
            what = f"late {late}, liars {liars}"
            near = np.allclose(recovered.value, made.truth, rtol=1e-9, atol=1e-9)
            require(near, f"{what}: a wrong value")
            require(set(recovered.suspects) <= {*liars}, f"{what}: named {recovered.suspects}")
            heard = {*liars}.difference(late)
            require(heard == {*recovered.suspects}, f"{what}: named {recovered.suspects} alone")
            limit = promise.adversaries * promise.workers
            require(asked <= limit, f"{what}: {asked} more answers were asked for")


def _each(
    encoded: Encoded, answers: NDArray[Any], liars: tuple[int, ...], generator: np.random.Generator
) -> dict[int, NDArray[Any]]:
    """What each liar tells of each share, each something else."""
    rows = range(len(answers))
    return {who: lies(encoded.scheme, answers, rows, generator) for who in liars}


def _asked(
    encoded: Encoded, answers: NDArray[Any], told: dict[int, NDArray[Any]], late: list[int]
) -> tuple[Recovered, int]:
    """What is recovered when all who are not late have answered whatever they were asked."""
    replicas = encoded.scheme.replicas(encoded.layout)
    require(replicas is not None, "it asks others, and has no replicas")
    copies = [] if replicas is None else replicas.blocks
    workers = range(encoded.guarantee.workers)
    heard = [(who, who) for who in workers if who not in late]
    asked = 0
    while True:
        values = np.stack([told.get(who, answers)[share] for share, who in heard])
        shares, authors = zip(*heard, strict=True)
        try:
            return encoded.recovery(shares, authors).recover(values), asked
        except TooManyErrors as error:
            if not error.again:
                raise AssertionError(f"late {late}, liars {sorted(told)}: {error}") from error
            for share in error.again:
                (block,) = (block for block in copies if share in block)
                barred = {who for other, who in heard if other in block}.union(block, late)
                free = [who for who in workers if who not in barred]
                require(free, f"late {late}, liars {sorted(told)}: nobody is left to be asked")
                heard.append((share, free[0]))
                asked += 1
