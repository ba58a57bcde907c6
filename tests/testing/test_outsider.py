"""Somebody else's scheme and domain, in a module of their own, pass the public checks."""

import importlib
import textwrap

import numpy as np
import pytest

import anyk

MODULE = """
    from dataclasses import dataclass, field
    from enum import Enum

    import numpy as np

    import anyk
    from anyk.domains.base import AbstractDomain
    from anyk.schemes.base import AbstractScheme
    from anyk.schemes.encoded import Encoded


    @dataclass(frozen=True)
    class Points:
        first: int = 1


    @dataclass(frozen=True)
    class Copied(AbstractScheme):
        '''A correct scheme: Shamir's by another name.'''

        workers: int
        points: tuple[Points, ...] = (Points(),)

        @dataclass(frozen=True)
        class Shamir:
            '''A class within it, with the name of one of the library's.'''

        inner: Shamir = Shamir()

        @property
        def _same(self):
            return anyk.Shamir(blocks=2, degree=2, workers=self.workers)

        @property
        def problem(self):
            return self._same.problem

        @property
        def domain(self):
            return self._same.domain

        @property
        def guarantee(self):
            return self._same.guarantee

        def encode(self, X, **options):
            return Encoded(self, self._same.encode(X, **options).shares, None)

        def sufficient(self, answered):
            return self._same.sufficient(answered)

        def encoder(self, layout, operand=0):
            return self._same.encoder(layout, operand)

        def recovery(self, layout, answered):
            return self._same.recovery(layout, answered)


    @dataclass(frozen=True)
    class Single(AbstractDomain):
        '''A correct domain: the reals in single precision.'''

        exact = False
        dtype = np.dtype(np.float32)
        unit: np.float32 = np.float32(1.0)

        def validate(self, values, argument):
            array = anyk.Reals().validate(values, argument)
            return np.ascontiguousarray(array, dtype=np.float32)

        def present(self, values):
            return values

        def accept(self, result):
            return self.validate(result, "answer")

        def matmul(self, small, big):
            return np.tensordot(small, big, axes=1)


    @dataclass(frozen=True)
    class Coarse(Single):
        def matmul(self, small, big):
            return np.tensordot(small.astype(np.float16), big, axes=1).astype(np.float32)


    @dataclass(frozen=True, repr=False)
    class Nameless(Single):
        __repr__ = object.__repr__


    @dataclass(frozen=True)
    class Forgetful(Single):
        colour: str = "red"

        def __repr__(self):
            return "Forgetful()"


    def local():
        @dataclass(frozen=True)
        class Local(Single):
            pass

        return Local()
"""


@pytest.fixture
def theirs(tmp_path, monkeypatch):
    (tmp_path / "somebody_elses.py").write_text(textwrap.dedent(MODULE))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("somebody_elses")
    monkeypatch.delitem(importlib.sys.modules, "somebody_elses")


@pytest.fixture
def generator():
    return np.random.default_rng(7)


def test_a_scheme_passes(theirs, generator):
    anyk.testing.check_scheme(theirs.Copied(7), generator=generator)


def test_a_scheme_passes_within_one_of_ours(theirs, generator):
    anyk.testing.check_scheme(anyk.Summed(theirs.Copied(7)), generator=generator)


def test_a_domain_passes_alone_and_within_a_scheme(theirs, generator):
    anyk.testing.check_domain(theirs.Single(), generator=generator)
    scheme = anyk.Replication(blocks=2, workers=4, domain=theirs.Single())
    anyk.testing.check_scheme(scheme, generator=generator)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda module: module.Coarse(), "is wrong"),
        (lambda module: module.Nameless(), "repr .* does not rebuild"),
        (lambda module: module.Forgetful(colour="blue"), "repr .* rebuilds"),
        (lambda module: module.local(), "does not survive pickle"),
    ],
    ids=["coarse", "no repr", "a repr that leaves something out", "a class in a function"],
)
def test_a_faulty_domain_fails(make, message, theirs, generator):
    with pytest.raises(AssertionError, match=message):
        anyk.testing.check_domain(make(theirs), generator=generator)
