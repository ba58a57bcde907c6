"""What remote workers run is a name from a closed table; whatever else is said is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest

import anyk
from anyk.connections.broken import BrokenAnswer
from anyk.degrees.promised import Promised
from anyk.domains.extent import Extent
from anyk.domains.ring import ResidueRing
from anyk.domains.whole import Integers
from anyk.executors.remote.request import make_request, needs_function, task_of
from anyk.testing.tasks import gram
from anyk.work import AbstractWork, Plain, WorkerTask
from anyk.works.added import Added
from anyk.works.combined import Combined, CombinedInKind
from anyk.works.each_prime import EachPrime
from anyk.works.products import Product, ProductModulo, SparseProduct
from anyk.works.slices import CombinedSlices
from anyk.works.without_constant import WithoutConstant

RING = ResidueRing((anyk.PrimeField(5), anyk.PrimeField(7)))


def header_of(work, domain=anyk.Reals(), per_worker=(), arguments=()):  # noqa: B008 - frozen
    return make_request(WorkerTask(work, domain, per_worker), arguments, 1).header


@pytest.mark.parametrize(
    ("work", "domain", "words", "parts"),
    [
        (Plain("gram"), anyk.Reals(), ["plain"], 1),
        (Added("gram"), anyk.Values(), ["added"], 2),
        (Combined("gram"), anyk.Reals(), ["combined"], 2),
        (Plain("gram"), anyk.Values(), ["plain"], 1),
        (CombinedInKind("gram"), anyk.Values(finite=True), ["combined_in_kind"], 2),
        (Product(), anyk.PrimeField(), ["product"], 2),
        (ProductModulo(), Integers(), ["product_modulo"], 3),
        (SparseProduct(), anyk.Reals(), ["sparse_product"], 4),
        (SparseProduct(), anyk.PrimeField(), ["sparse_product"], 3),
        (CombinedSlices("gram"), anyk.Values(finite=True), ["combined_slices"], 2),
        (WithoutConstant("gram"), anyk.PrimeField(2), ["without_constant"], 1),
        (EachPrime(Plain("gram"), ()), RING, ["each_prime", "plain"], 1),
        (EachPrime(Added("gram"), ()), RING, ["each_prime", "added"], 2),
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
    with pytest.raises(
        anyk.InvalidArgument,
        match="plain, added, combined, combined_in_kind, mini_tasks, product, product_modulo, ",
    ):
        header_of(work)


@pytest.mark.parametrize(
    "words",
    [None, [], "plain", ["exec"], ["plain", "plain"], ["each_prime"], ["each_prime", "plain"], [7],
     [["plain"]], {"plain": 1}, ["product"], ["sparse_product"],
     ["__class__"], ["plain"] * 3],
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


@pytest.mark.parametrize("domain", [anyk.Reals(), anyk.PrimeField(), RING])
def test_residues_of_no_integers_are_not_multiplied(domain):
    for words in (["product_modulo"], ["each_prime", "product_modulo"]):
        with pytest.raises(BrokenAnswer):
            task_of(None, {"work": words, "per_worker": []}, domain, 3)


@pytest.mark.parametrize("own", [None, [1], "no", [None], {}])
def test_arguments_of_which_nothing_is_said_are_refused(own):
    with pytest.raises(BrokenAnswer):
        task_of(gram, {"work": ["plain"], "per_worker": own}, anyk.Reals(), 1)


PROMISE = {
    "inputs": [[1, 0, None, 0], None],
    "degree": 2,
    "result": [2, 40, 1 << 90, 7],
    "bounded": True,
}


def test_a_promise_is_said_in_words_and_understood():
    field = anyk.PrimeField()
    extents = (Extent(1, 20, 1 << 40, 1), None)
    for promised in (
        Promised("gram", extents, 2, Extent(2, 40, 1 << 90, 7), bounded=True),
        Promised("gram", (Extent(1),), 1),
        Promised("gram"),
    ):
        header = json.loads(json.dumps(header_of(Plain(promised), field)))
        assert header["function"] == "gram"
        understood = task_of(gram, header, field, 1).work.users
        assert understood == replace(promised, function=gram)


@pytest.mark.parametrize(
    "change",
    [{"inputs": None}, {"inputs": [1]}, {"inputs": [[1, 0, None]]}, {"inputs": [[1, 0, None, -1]]},
     {"inputs": [[1.0, 0, None, 0]]}, {"inputs": [[True, 0, None, 0]]}, {"inputs": [None] * 257},
     {"inputs": [[1, 1 << 13, None, 0]]}, {"degree": "2"}, {"degree": -1}, {"degree": 1 << 40},
     {"result": [1, 2, "3", 4]}, {"result": [0, 0, 1 << 4097, 0]}, {"bounded": 1},
     {"bounded": None}, {"other": 1}],
    ids=repr,
)  # fmt: skip
def test_promises_that_nobody_would_make_are_refused(change):
    header = {"work": ["plain"], "per_worker": [], "promise": {**PROMISE, **change}}
    with pytest.raises(BrokenAnswer):
        task_of(gram, header, anyk.PrimeField(), 1)


@pytest.mark.parametrize("promise", [[], 1, "degree", {}, {"degree": 2}])
def test_what_is_no_promise_is_refused(promise):
    header = {"work": ["plain"], "per_worker": [], "promise": promise}
    with pytest.raises(BrokenAnswer):
        task_of(gram, header, anyk.PrimeField(), 1)
