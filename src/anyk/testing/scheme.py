"""What every scheme must do: keep its own guarantee."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.checks import GENERATOR, count, instance
from anyk.domains.balanced import balanced_integers
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.real import Complex, Reals
from anyk.errors import InvalidArgument
from anyk.randomness.entropy import InsecureTestSource
from anyk.schemes.base import AbstractScheme
from anyk.schemes.encoded import Encoded
from anyk.spec import MatMul
from anyk.testing.expect import check_value, expect, require
from anyk.testing.masking import check_privacy
from anyk.testing.masks.quality import check_masks
from anyk.testing.recoveries import TIMES, check_recoveries
from anyk.testing.trial import Trial, encoders, product, trial

__all__ = ["check_scheme"]

_CLOSE = 1e-9
_ROUNDINGS = 64.0  # of a coarser type, between two ways of computing the same
_ORDERS = 3  # in which answers come
_OTHER = PrimeField((1 << 31) - 19)


def check_scheme(
    scheme: AbstractScheme,
    *,
    generator: np.random.Generator,
    function: Callable[[Any], Any] | None = None,
    shape: tuple[int, ...] | None = None,
    patterns: int = 200,
    encodings: int = 1024,
) -> None:
    """Check a scheme against its own guarantee.

    Every set of as many answers as the threshold says, and of all but S workers', must give the
    value and the names of any A liars, who lie in all their answers; as many as `least` says must
    give it where nobody lies, and as many more as e < A workers have where e of them lie; up to A
    liars, who tell the answers of another value together, must not be believed, whoever has
    answered. One answer too few and one liar too many must raise (exact schemes); any T workers
    must learn nothing and some T + 1 something (private schemes over a field), or no more bits than
    promised and all workers more (over the reals); shares must be what the encoder's matrices say,
    of both factors of a product, and answers where it is these that are combined; shares told one
    by one must be sufficient when they are all together; bad input must be refused.

    Masks are recovered from the shares of many encodings, of fresh data, of the same data and of
    zeros, with 64 coordinates. They must come from the `source` alone and be uniform and
    independent (over the reals: normal, of variance 1): each mask, coordinate and encoding, pairs
    of masks, of coordinates and of encodings, masks and data. No run of them may come again, also
    times a number plus a number, and none be a combination of others. Over the reals shares must
    lie on the grid that their encoder names, and noise must reach their last bits; in single
    precision they must be such shares, rounded. With 1024
    encodings, a bias of 5 % in one bit, a correlation of 10 %, masks used twice, and a generator of
    65,536 seeds are noticed with a chance above 99.9 %. Nobody can tell a good generator that is
    not secure from a secure one by its numbers: passing proves no security.

    A correct scheme fails with a chance below 1e-9, by bounds that hold for any number of
    encodings (but for an error estimate that is exceeded).

    Args:
        scheme: what to check; your own may stand in any module.
        generator: where data, lies and samples come from.
        function: f, applied to a block; by default x**degree where the scheme has a degree, else
            x**2 over a field, and sin over the reals; always the product for products.
        shape: of a block, (2,) by default; for a product (rows, inner, columns) of a block of A
            and one of B, (2, 3, 2) by default. Blocks of a factor are numbered row by row, those
            of the product, in R, column by column.
        patterns: how many sets of a kind to try where there are more.
        encodings: how many are drawn to judge masks, at least 16; with fewer, less is noticed.

    Raises:
        AssertionError: if the scheme breaks its guarantee.
        InvalidArgument: if an argument can't be used.

    Example:
        >>> scheme = anyk.Lagrange(blocks=2, degree=2, workers=8, adversaries=1, colluders=1)
        >>> anyk.testing.check_scheme(scheme, generator=np.random.default_rng(0))
    """
    instance("scheme", scheme, AbstractScheme, change="Make one, such as anyk.Replication(4, 8).")
    instance("generator", generator, np.random.Generator, change=GENERATOR)
    if function is not None:
        instance("function", function, Callable, change="Pass a function, or None.")
    count("patterns", patterns, least=1)
    count("encodings", encodings, least=16)
    check_value(scheme)
    made = trial(scheme, function, shape, generator)
    encoded = scheme.encode(made.X)
    _check_encoder(made, encoded)
    if _masked(encoded):
        wide = _in_doubles(made)
        if wide is not made:
            _check_rounded(made, wide)
        check_masks(wide, wide.scheme.encode(wide.X), encodings, generator)
    _check_input(made, encoded)
    check_recoveries(made, encoded, patterns, generator)
    _check_tally(encoded, generator)
    _check_uneven(made)
    if scheme.guarantee.colluders:
        check_privacy(encoded, patterns, generator)
    _check_over(scheme)


def _masked(encoded: Encoded) -> bool:
    """Whether there are masks to judge, or should be."""
    return any(encoder.masks.shape[1] for encoder in encoders(encoded))


def _in_doubles(made: Trial) -> Trial:
    """The same in double precision, where the scheme says in its domain that it has another."""
    scheme: Any = made.scheme
    wide = {np.float32: Reals(), np.complex64: Complex()}.get(scheme.domain.dtype.type)
    if wide is None or not any(each.name == "domain" for each in dataclasses.fields(scheme)):
        return made
    return dataclasses.replace(made, scheme=dataclasses.replace(scheme, domain=wide))


def _check_rounded(made: Trial, wide: Trial) -> None:
    """Shares in single precision are those in double precision, rounded: they tell no more."""
    for seed in range(_ORDERS):
        parts, right = (
            each.scheme.encode(made.X, source=InsecureTestSource(seed)).parts
            for each in (made, wide)
        )
        same = (np.array_equal(a, b.astype(a.dtype)) for a, b in zip(parts, right, strict=True))
        require(all(same), "shares are not those in double precision, rounded")


def _check_encoder(made: Trial, encoded: Encoded) -> None:
    promise, each = encoded.guarantee, encoders(encoded)
    total = promise.workers * promise.pieces
    for part in encoded.parts:
        require(len(part) == total, f"there are not N r = {total} shares")
    for encoder, blocks in zip(each, made.blocks, strict=True):
        rows = total * encoder.tiles[0] * encoder.tiles[1]
        columns = len(blocks) * (encoder.slices or 1)
        require(encoder.data.shape == (rows, columns), "D is not N r x K")
        require(len(encoder.masks) == rows, "M has not N r rows")
    if each[0].of_outputs:
        for function in (made.function, _itself):
            of = Trial(scheme=made.scheme, blocks=made.blocks, function=function)
            told = "the answers are not D·outputs"
            outputs, answers, domain = of.outputs, of.answers(encoded), encoded.scheme.domain
            if each[0].slices is not None:
                outputs, answers = of.sliced(each[0].slices), of.of_slices(answers)
                domain = domain if domain.exact else Complex()
            _check_product(encoded, each[0].data, outputs, answers, told, domain=domain)
        return
    parts, moduli = encoded.parts, each[0].moduli
    if moduli is not None:
        told = "the first part is not the moduli"
        require(np.array_equal(parts[0], np.array(moduli)[:, None]), told)
        parts = parts[1:]
    require(len(parts) == len(each), f"a share has {len(encoded.parts)} parts")
    for encoder, blocks, part in zip(each, made.blocks, parts, strict=True):
        if not encoder.masks.shape[1]:  # check_masks compares the others
            told = "the shares are not D·blocks"
            own = encoder.untiled(part)
            _check_product(encoded, encoder.data, blocks, own, told, moduli=moduli)


def _eps(domain: AbstractDomain) -> float:
    return float(np.finfo(domain.dtype).eps)


def _itself(block: Any) -> Any:
    return block


def _check_product(
    encoded: Encoded,
    D: NDArray[Any],
    blocks: NDArray[Any],
    made: NDArray[Any],
    told: str,
    *,
    moduli: tuple[int, ...] | None = None,
    domain: AbstractDomain | None = None,
) -> None:
    usual = encoded.scheme.domain
    domain = usual if domain is None else domain
    right = domain.matmul(D, blocks)
    if moduli is not None:
        each = [balanced_integers(row, own) for row, own in zip(right, moduli, strict=True)]
        right = np.stack(each)
    size = (np.abs(D) @ np.abs(blocks).reshape(len(blocks), -1)).max()
    close = 0.0 if domain.exact else max(_CLOSE, _ROUNDINGS * _eps(usual))
    same = right.shape == made.shape and (
        np.array_equal(right, made)
        if domain.exact
        else np.allclose(right, made, rtol=close, atol=close * size)
    )
    require(same, told)


def _check_tally(encoded: Encoded, generator: np.random.Generator) -> None:
    """Shares told one by one are sufficient when they are all together, and not when one leaves."""
    scheme, total = encoded.scheme, len(encoded.parts[0])
    for _ in range(_ORDERS):
        order = generator.permutation(total).tolist()
        tally = scheme.tally(encoded.layout)
        for place, share in enumerate(order):
            require(tally.enough == scheme.sufficient(order[:place]), "tally is not sufficient()")
            tally.add(share)
        for place, share in enumerate(order):
            require(tally.enough == scheme.sufficient(order[place:]), "tally does not forget")
            tally.remove(share)


def _check_input(made: Trial, encoded: Encoded) -> None:
    scheme, X = made.scheme, made.X
    for bad, what in _bad_input(made):
        expect(InvalidArgument, what, lambda bad=bad: scheme.encode(bad))  # type: ignore[misc]
    kept = X if isinstance(X, tuple) else (X,)
    before = [each.copy() for each in kept]
    scheme.encode(X)
    unchanged = all(map(np.array_equal, kept, before))
    require(unchanged, "encode writes in its input")
    total = len(encoded.parts[0])
    for wrong in ([0, 0], [total], [-1]):
        expect(InvalidArgument, f"answered {wrong}", lambda who=wrong: encoded.recovery(who))  # type: ignore[misc]
    recovery, answers = encoded.recovery(range(total)), made.answers(encoded)
    expect(InvalidArgument, "a row too few", lambda: recovery.recover(answers[1:]))


def _bad_input(made: Trial) -> list[tuple[Any, str]]:
    """What encode must refuse, and what is wrong with it."""
    X = made.X
    problem = made.scheme.problem
    if isinstance(problem, MatMul) and problem.gram:
        return [
            ((X, X.T), "two factors"),
            (X[0], "a row"),
            (X[:0], "no rows"),
            (np.full(X.shape, np.nan), "NaN"),
            (X.astype(str), "text"),
        ]
    if isinstance(problem, MatMul):
        A, B = X
        return [
            (A, "one factor"),
            ((A, B, B), "three factors"),
            ((A[..., :-1], B), "factors that do not fit"),
            ((A[:0], B), "no rows"),
            ((A, np.full(B.shape, np.nan)), "NaN"),
            ((A.astype(str), B), "text"),
        ]
    bad = [
        (np.concatenate([X, X[:1]]), "one block too many"),
        (X[:0], "no blocks"),
        (X.reshape(len(X), -1)[:, :0], "empty blocks"),
        (X.astype(str), "text"),
    ]
    nan = [(np.full(X.shape, np.nan), "NaN")]
    return bad + nan if made.scheme.domain.finite else bad


def _check_uneven(made: Trial) -> None:
    """Factors that can't be cut evenly are refused, or multiplied as they are."""
    scheme, problem = made.scheme, made.scheme.problem
    if not isinstance(problem, MatMul):
        return
    A, *others = (
        np.pad(each, [(0, 0)] * (each.ndim - 2) + [(0, 1), (0, 1)], mode="wrap")
        for each in ((made.X,) if problem.gram else made.X)
    )
    B = A.T if problem.gram else others[0]
    try:
        encoded = scheme.encode(A if problem.gram else (A, B))
    except InvalidArgument:
        return
    answers = made.answers(encoded)
    recovered = encoded.decode(answers, range(len(answers)))
    truth = product(scheme.domain, A, B)
    close = _CLOSE if scheme.domain.exact else max(_CLOSE, _ROUNDINGS * _eps(scheme.domain))
    off = recovered.value.shape != truth.shape or not (
        np.array_equal(recovered.value, truth)
        if scheme.domain.exact
        else np.linalg.norm(recovered.value - truth)
        <= TIMES * (recovered.error_estimate or close) * np.linalg.norm(recovered.value)
    )
    require(not off, f"factors of shapes {A.shape} and {B.shape}: a wrong value")


def _check_over(scheme: AbstractScheme) -> None:
    """Over another field, where a scheme can be made so, it promises the same."""
    if not isinstance(scheme.domain, PrimeField):
        return
    try:
        other = scheme.over(_OTHER)
    except InvalidArgument:
        return
    told = f"over({_OTHER!r}) is {other!r}"
    require(other.domain == _OTHER and other.guarantee == scheme.guarantee, told)
