"""What remote workers run is a name from a closed table; whatever else is said is refused."""

import numpy as np
import pytest

import anyk
from anyk.domains.ring import ResidueRing
from anyk.executors.core.answer_header import BrokenAnswer
from anyk.executors.remote.request import make_request, needs_function, task_of
from anyk.testing.tasks import gram
from anyk.work import AbstractWork, Combined, EachPrime, Plain, Product, WorkerTask

RING = ResidueRing((anyk.PrimeField(5), anyk.PrimeField(7)))


def header_of(work, domain=anyk.Reals(), per_worker=(), arguments=()):  # noqa: B008 - frozen
    return make_request(WorkerTask(work, domain, per_worker), arguments, 1).header


@pytest.mark.parametrize(
    ("work", "domain", "words", "parts"),
    [
        (Plain("gram"), anyk.Reals(), ["plain"], 1),
        (Combined("gram"), anyk.Reals(), ["combined"], 2),
        (Product(), anyk.PrimeField(), ["product"], 2),
        (EachPrime(Plain("gram"), ()), RING, ["each_prime", "plain"], 1),
        (EachPrime(Combined("gram"), ()), RING, ["each_prime", "combined"], 2),
        (EachPrime(Product(), ()), RING, ["each_prime", "product"], 2),
    ],
)
def test_work_is_said_in_words_and_understood(work, domain, words, parts):
    header = header_of(work, domain)
    assert header["work"] == words
    assert (header["function"] == "gram") is needs_function(words)
    function = gram if needs_function(words) else None
    task = task_of(function, header, domain, parts)
    assert type(task.work) is type(work)
    assert task.work.users is function
    assert (task.domain, task.parts) == (domain, parts)


class Stranger(AbstractWork):
    @property
    def users(self):
        return "gram"

    def __call__(self, parts, arguments):
        return parts, arguments


@pytest.mark.parametrize("work", [Stranger(), EachPrime(Stranger(), ())])
def test_work_that_is_not_in_the_table_is_not_sent(work):
    with pytest.raises(anyk.InvalidArgument, match=r"plain, combined, product"):
        header_of(work)


@pytest.mark.parametrize(
    "words",
    [None, [], "plain", ["exec"], ["plain", "plain"], ["each_prime"], ["each_prime", "plain"], [7],
     [["plain"]], {"plain": 1}, ["product"], ["__class__"], ["plain"] * 3],
    ids=repr,
)  # fmt: skip
def test_words_that_nobody_would_say_are_refused(words):
    with pytest.raises(BrokenAnswer):
        task_of(np.sin, {"work": words, "per_worker": []}, anyk.Reals(), 1)


@pytest.mark.parametrize(
    "words", [["plain"], ["combined"], ["each_prime", "product"], ["each_prime"]]
)
def test_words_that_do_not_fit_the_domain_or_the_function_are_refused(words):
    with pytest.raises(BrokenAnswer):
        task_of(None, {"work": words, "per_worker": []}, anyk.Reals(), 1)
    with pytest.raises(BrokenAnswer):
        task_of(gram, {"work": ["plain"], "per_worker": []}, RING, 1)
    with pytest.raises(BrokenAnswer):
        task_of(gram, {"work": words, "per_worker": []}, None, 1)


@pytest.mark.parametrize("own", [None, [1], "no", [None], {}])
def test_arguments_of_which_nothing_is_said_are_refused(own):
    with pytest.raises(BrokenAnswer):
        task_of(gram, {"work": ["plain"], "per_worker": own}, anyk.Reals(), 1)
