"""The base of gradient codes, by one of a few lines: shares of different sizes, a rank below K."""

from dataclasses import dataclass

import numpy as np
import pytest

import anyk
from anyk.checks import indices_of
from anyk.domains.base import AbstractDomain
from anyk.schemes.base import missing_answers
from anyk.schemes.certainty import Certainty
from anyk.schemes.sums.code import GradientCode
from anyk.schemes.sums.gradient import AS_GIVEN, AbstractGradientCode, gradient_domain
from anyk.schemes.sums.gradient_recovery import GradientRecovery
from anyk.schemes.tally import asked
from anyk.spec import Guarantee, Sum

B = [[1, 1, 1, 0], [0, 0, 0, 1], [1, 1, 1, 1], [2, 2, 2, 1]]  # any two rows add up to ones


@dataclass(frozen=True)
class Few(AbstractGradientCode):
    """Four workers, four blocks, of which three are always together."""

    domain: AbstractDomain = AS_GIVEN

    def __post_init__(self):
        object.__setattr__(self, "domain", gradient_domain(self.domain))

    @property
    def problem(self):
        return Sum(blocks=4)

    @property
    def guarantee(self):
        return Guarantee(workers=4, threshold=2, stragglers=2, adversaries=0, colluders=0,
                         exact=self.domain.exact, leakage=None, load=4.0)  # fmt: skip

    def build(self):
        dtype = np.int64 if self.domain.exact else np.float64
        return GradientCode(np.array(B, dtype=dtype), 2)

    def sufficient(self, answered):
        return len(set(indices_of("answered", answered))) > 1

    def tally(self, layout):  # noqa: ARG002
        return asked(self.sufficient)

    def recovery(self, layout, answered):  # noqa: ARG002
        if not self.sufficient(answered):
            raise missing_answers(self, answered, "2 answers")
        certainty = Certainty(dimension=2, adversaries=0)
        return GradientRecovery(
            code=self.code, domain=self.domain, certainty=certainty, shares=answered
        )


@pytest.mark.parametrize("domain", [anyk.PrimeField(), anyk.PrimeField(13), anyk.Reals(),
                                    anyk.Complex(), AS_GIVEN], ids=repr)  # fmt: skip
def test_a_code_of_a_few_lines_keeps_its_promise(domain):
    anyk.testing.check_scheme(Few(domain), generator=np.random.default_rng(0))


def test_shares_are_filled_up_and_what_fills_them_is_not_computed():
    calls = []
    encoded = Few().encode(np.arange(4.0))
    assert [part.shape for part in encoded.parts] == [(4, 4), (4, 4)]
    with anyk.Inline(4) as executor:
        anyk.run(Few(), lambda x: calls.append(float(x)) or x, np.arange(4.0), executor)
    assert calls[:4] == [0.0, 1.0, 2.0, 3.0]  # of the two workers who are asked first


def test_a_contradiction_over_a_field_has_no_sum():
    encoded = Few(anyk.PrimeField()).encode(np.arange(4))
    answers = np.array([[3], [3], [6], [9]])
    assert encoded.decode(answers, range(4)).value.tolist() == [6]
    answers[2] += 1
    with pytest.raises(anyk.TooManyErrors):
        encoded.decode(answers, range(4))
    assert Few().amplification > 1.0
    assert Few(anyk.PrimeField()).amplification == 1.0
