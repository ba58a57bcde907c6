"""The public check of schemes whose workers combine outputs, multiply, or hold several shares."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

import anyk
from anyk.domains.polynomials import lagrange_matrix
from anyk.randomness.entropy import SystemSource
from anyk.randomness.gaussian import UNIT, normals
from anyk.randomness.masks import uniform_masks
from anyk.schemes.base import AbstractRecovery, AbstractScheme, Encoder, rows_of
from anyk.schemes.certainty import Certainty
from anyk.schemes.encoded import Encoded
from anyk.schemes.products.grid import Grid, cut_left, cut_right, factors_of
from anyk.works.products import Product

FIELD = anyk.PrimeField(10007)


def check(scheme, **options):
    anyk.testing.check_scheme(scheme, generator=np.random.default_rng(5), patterns=20, **options)


@dataclass(frozen=True)
class Hidden(AbstractScheme):
    """A + xR and B + xS at three points: their product has the value A @ B at 0."""

    domain: Any = FIELD
    flaw: str = ""

    problem = anyk.MatMul(partition=(1, 1, 1))

    @property
    def guarantee(self):
        exact = self.domain.exact
        return anyk.Guarantee(
            workers=4, threshold=3, stragglers=1, adversaries=0, colluders=1, exact=exact,
            leakage=0.0 if exact else 0.5, load=1.0, data_std=None if exact else 1.0,
        )  # fmt: skip

    @property
    def _points(self):
        return np.arange(1, 5).astype(self.domain.dtype)

    def _mask(self, shape, source):
        if self.domain.exact:
            return uniform_masks(self.domain, (1, *shape), source)
        return normals(source, (1, *shape)) * UNIT

    def encode(self, X, *, source=SystemSource()):
        A, B = factors_of(X)
        a = cut_left(self.domain, self.problem, A)
        b, grid = cut_right(self.domain, self.problem, B, np.shape(A))
        first, second = (self._mask(each.shape[1:], source) for each in (a, b))
        if self.flaw == "one mask for both":
            second = np.resize(first, second.shape)
        elif self.flaw == "the other factor":
            first = np.resize(b[0], a.shape)
        elif self.flaw == "B bare":
            second = second * 0
        parts = tuple(self._encode(data, mask) for data, mask in ((a, first), (b, second)))
        return Encoded(self, parts, grid)

    def _encode(self, data, mask):
        encoder = self.encoder(None)
        both = np.concatenate([encoder.data, encoder.masks], axis=1)
        shares = self.domain.matmul(both, np.concatenate([data, mask]))
        if self.domain.exact:
            return shares
        steps = encoder.grid.steps.reshape(-1, *[1] * (shares.ndim - 1))
        return np.rint(shares / steps) * steps

    def work(self, function, per_worker=()):  # noqa: ARG002 - the product alone
        return Product()

    def sufficient(self, answered):
        return len(set(answered)) >= 3

    def encoder(self, layout, operand=0):  # noqa: ARG002 - both alike
        points = self._points
        encoder = Encoder(data=np.ones((4, 1), points.dtype), masks=points[:, None])
        return encoder if self.domain.exact else encoder.on_grid(finest=True)

    def recovery(self, layout, answered):
        if len(answered) < 3:
            raise anyk.NotEnoughAnswers(answered=answered, missing=[], needed="three answers")
        return AtZero(self, layout, answered)


@dataclass(frozen=True)
class AtZero(AbstractRecovery):
    scheme: Hidden
    grid: Grid
    workers: tuple[int, ...]

    @property
    def answered(self):
        return self.workers

    def _row(self, places):
        """What takes the answers at three places to the value at 0."""
        domain, row = self.scheme.domain, np.zeros((1, len(self.workers)), self.scheme.domain.dtype)
        points = self.scheme._points[[self.workers[place] for place in places]]
        if domain.exact:
            row[:, places] = lagrange_matrix(domain, points, np.zeros(1, dtype=np.int64))
        else:
            row[:, places] = np.linalg.inv(np.vander(points, increasing=True))[:1]
        return row

    @property
    def matrix(self):
        return self._row([0, 1, 2])

    def recover(self, values):
        domain, rows = self.scheme.domain, rows_of(values, self.workers, self.scheme.domain)
        value = domain.matmul(self.matrix, rows)
        other = domain.matmul(self._row([-3, -2, -1]), rows)
        if domain.exact and not np.array_equal(value, other):
            raise anyk.TooManyErrors(answered=self.workers, adversaries=0)
        estimate = None if domain.exact else 1e-9
        return anyk.Recovered(value=self.grid.together(value), error_estimate=estimate)


@pytest.mark.parametrize("domain", [FIELD, anyk.PrimeField(), anyk.PrimeField(11), anyk.Reals()])
def test_a_private_product_passes(domain):
    check(Hidden(domain))
    check(Hidden(domain), shape=(1, 4, 2), encodings=16)


@pytest.mark.parametrize("domain", [FIELD, anyk.Reals()], ids=repr)
@pytest.mark.parametrize("flaw", ["one mask for both", "B bare", "the other factor"])
def test_a_private_product_with_poor_masks_is_noticed(flaw, domain):
    with pytest.raises(AssertionError, match=r"masks|noise|the chance"):
        check(Hidden(domain, flaw))


@pytest.mark.parametrize("domain", [FIELD, anyk.Reals()], ids=repr)
def test_a_product_that_leaks_is_noticed(domain, monkeypatch):
    false = replace(Hidden(domain).guarantee, colluders=2)
    monkeypatch.setattr(Hidden, "guarantee", false)
    with pytest.raises(AssertionError, match=r"workers \(0, 1\) learn"):
        check(Hidden(domain))


GRADIENT = anyk.CyclicRepetition(5, 2, domain=FIELD)
PRODUCT = anyk.Polynomial(partition=(2, 1, 3), workers=9, adversaries=1, domain=FIELD)
PIECES = anyk.Lagrange(blocks=2, degree=2, workers=7, adversaries=1, colluders=1, pieces=2)


@pytest.mark.parametrize(
    "scheme",
    [
        anyk.Lagrange(blocks=3, degree=2, workers=5, pieces=2),
        anyk.Lagrange(blocks=3, degree=2, workers=9, adversaries=1, colluders=1, pieces=2),
        anyk.CyclicRepetition(workers=6, stragglers=3, domain=anyk.PrimeField(13)),
        anyk.CyclicRepetition(workers=5, stragglers=0, domain=anyk.PrimeField()),
        anyk.Polynomial(partition=(2, 1, 3), workers=9),
        anyk.Polynomial(partition=(2, 1, 2), workers=8, adversaries=2),
        anyk.Polynomial(partition=(2, 1, 2), workers=6, adversaries=1, domain=anyk.PrimeField(13)),
        anyk.Polynomial(partition=(3, 1, 2), workers=6, adversaries=1, pieces=2),
    ],
    ids=repr,
)
def test_a_correct_scheme_passes(scheme):
    check(scheme)


def swapped(encoded):
    """Shares 0 and 1 in each other's place."""
    order = [1, 0, *range(2, len(encoded.parts[0]))]
    return Encoded(encoded.scheme, tuple(part[order] for part in encoded.parts), encoded.layout)


@pytest.mark.parametrize(
    ("scheme", "message"),
    [
        (GRADIENT, "answers are not D·outputs"),
        (replace(GRADIENT, domain=anyk.Reals()), "answers are not D·outputs"),
        (PRODUCT, "shares are not D·blocks"),
        (PIECES, "shares are not D·blocks"),
    ],
)
def test_shares_that_are_not_what_the_matrices_say_are_noticed(scheme, message, monkeypatch):
    encode = type(scheme).encode
    monkeypatch.setattr(type(scheme), "encode", lambda *given: swapped(encode(*given)))
    with pytest.raises(AssertionError, match=message):
        check(scheme)


@pytest.mark.parametrize("part", [0, 1])
def test_a_wrong_encoder_of_either_factor_is_noticed(part, monkeypatch):
    encoder = anyk.Polynomial.encoder

    def wrong(self, layout, operand=0):
        right = encoder(self, layout, operand)
        return replace(right, data=right.data[:, ::-1].copy()) if operand == part else right

    encoded = PRODUCT.encode((np.ones((2, 2), int), np.ones((2, 3), int)))
    monkeypatch.setattr(anyk.Polynomial, "encode", lambda *_, **__: encoded)
    monkeypatch.setattr(anyk.Polynomial, "encoder", wrong)
    with pytest.raises(AssertionError, match="shares are not D·blocks"):
        check(PRODUCT)


@pytest.mark.parametrize(
    ("scheme", "claim", "message"),
    [
        (GRADIENT, {"threshold": 2, "stragglers": 3, "least": None}, "not sufficient"),
        (GRADIENT, {"adversaries": 1}, "named"),
        (GRADIENT, {"colluders": 1, "leakage": 0.0}, "in the clear"),
        (PRODUCT, {"threshold": 7, "stragglers": 2}, "liars .*1 more answer would tell"),
        (PRODUCT, {"least": 6}, "not sufficient"),
        (PRODUCT, {"adversaries": 2}, "contradict each other|more wrong answers|named"),
        (PRODUCT, {"colluders": 1, "leakage": 0.0}, "learn 1 symbols"),
        (PIECES, {"threshold": 10, "stragglers": 2}, "liars .*more answer"),
        (PIECES, {"least": 6}, "not sufficient"),
        (PIECES, {"adversaries": 2}, "contradict each other|more wrong answers"),
        (PIECES, {"colluders": 2}, "learn"),
        (PIECES, {"colluders": 0, "leakage": None, "adversaries": 0}, "expected TooManyErrors"),
    ],
)
def test_a_promise_that_is_not_kept_is_noticed(scheme, claim, message, monkeypatch):
    false = replace(scheme.guarantee, **claim)
    monkeypatch.setattr(type(scheme), "guarantee", property(lambda _self: false))
    with pytest.raises(AssertionError, match=message):
        check(scheme)


@pytest.mark.parametrize(
    "scheme",
    [
        anyk.Lagrange(blocks=2, degree=2, workers=9, adversaries=2),
        anyk.Lagrange(blocks=2, degree=1, workers=5, adversaries=1, pieces=2),
        anyk.Summed(anyk.Lagrange(blocks=2, degree=2, workers=9, adversaries=2)),
    ],
    ids=repr,
)
def test_a_value_that_is_believed_one_answer_too_early_is_noticed(scheme, monkeypatch):
    check(scheme)
    margin = Certainty.margin
    monkeypatch.setattr(Certainty, "margin", lambda self, shares: margin(self, shares) + 1)
    with pytest.raises(AssertionError, match="a value that is not certain"):
        check(scheme)


def test_masks_for_one_share_of_each_colluder_are_too_few(monkeypatch):
    field = anyk.PrimeField(10009)  # of this test alone: matrices are remembered by scheme
    points = np.arange(1, 4), np.arange(4, 14)
    monkeypatch.setattr("anyk.schemes.maps.lagrange._points", lambda _: points)
    monkeypatch.setattr(anyk.Lagrange, "_masks", property(lambda self: self.colluders))
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=5, colluders=1, pieces=2, field=field)
    with pytest.raises(AssertionError, match="learn 1 symbols"):
        check(scheme)


def test_a_wrong_product_is_noticed(monkeypatch):
    monkeypatch.setattr(Grid, "together", lambda _self, blocks: blocks.reshape(4, -1))
    with pytest.raises(AssertionError, match=r"shape \(4, 9\)|a wrong value"):
        check(PRODUCT)


def test_rows_that_are_lost_where_a_factor_can_not_be_cut_evenly_are_noticed(monkeypatch):
    encode = anyk.Polynomial.encode

    def careless(self, X, **_):
        try:
            A, B = X
            m, _, n = self.partition
            X = A[: len(A) // m * m], B[:, : B.shape[1] // n * n]
        except (ValueError, IndexError, TypeError):
            pass
        return encode(self, X)

    monkeypatch.setattr(anyk.Polynomial, "encode", careless)
    with pytest.raises(AssertionError, match="factors of shapes"):
        check(PRODUCT)


def test_work_that_is_none_or_can_not_be_sent_is_noticed(monkeypatch):
    monkeypatch.setattr(anyk.Lagrange, "work", lambda _self, function, *_: function)
    with pytest.raises(AssertionError, match="no work"):
        check(PIECES)


def test_another_field_must_keep_the_promise(monkeypatch):
    monkeypatch.setattr(
        anyk.Lagrange, "over", lambda self, field: replace(self, field=field, adversaries=0)
    )
    with pytest.raises(AssertionError, match="over"):
        check(PIECES)
