"""A task as a remote worker is told it: the name of a function, a domain in words, arguments."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import shown
from anyk.connections.broken import BrokenAnswer
from anyk.degrees.promised import Promised
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.real import Complex, Reals
from anyk.domains.ring import ResidueRing
from anyk.domains.tensors import Torch
from anyk.domains.values import Values
from anyk.domains.whole import Integers
from anyk.errors import InvalidArgument
from anyk.executors.core.base import PerWorker
from anyk.executors.core.run_task import Task
from anyk.executors.remote.arguments import pack, sendable
from anyk.executors.remote.frames import LONGEST_REQUEST
from anyk.executors.remote.header_limits import MOST_ARRAYS, MOST_PRIMES, excess
from anyk.executors.remote.promise import promise_in_words, promised_function
from anyk.work import AbstractWork, Plain, WorkerTask
from anyk.works.added import Added
from anyk.works.combined import Combined, CombinedInKind
from anyk.works.each_prime import EachPrime
from anyk.works.mini_tasks import MiniTasks
from anyk.works.products import Product, ProductModulo, SparseProduct
from anyk.works.slices import CombinedSlices
from anyk.works.without_constant import WithoutConstant

__all__ = [
    "NOT_HELD",
    "Request",
    "described",
    "domain_of",
    "make_request",
    "needs_function",
    "task_of",
]

NOT_HELD = "no such share here"
"""How a worker's failure begins where the share must be sent again."""


_WORKS: dict[str, type[AbstractWork]] = {
    "plain": Plain,
    "added": Added,
    "combined": Combined,
    "combined_in_kind": CombinedInKind,
    "mini_tasks": MiniTasks,
    "product": Product,
    "product_modulo": ProductModulo,
    "sparse_product": SparseProduct,
    "without_constant": WithoutConstant,
    "combined_slices": CombinedSlices,
}
_PLAIN_DOMAINS: dict[str, AbstractDomain] = {
    "reals": Reals(),
    "singles": Reals(dtype=np.float32),
    "complex": Complex(),
    "complex_singles": Complex(dtype=np.complex64),
    "integers": Integers(),
    "values": Values(),
    "finite_values": Values(finite=True),
}
_EACH_PRIME = "each_prime"
_NO_FUNCTION = {"product", "product_modulo", "sparse_product"}


@final
@dataclass(frozen=True, eq=False, repr=False)
class Request:
    """What the workers are asked, each with rows of its own.

    Args:
        header: what all of them are told.
        arrays: of the arguments that all of them receive.
        rows: of each argument that is per worker, what each receives.
        domain: what the answers are made of; None where nothing is known of them.
    """

    header: dict[str, Any]
    arrays: tuple[NDArray[Any], ...]
    rows: tuple[tuple[NDArray[Any], ...], ...]
    domain: AbstractDomain | None

    def arrays_of(self, worker: int) -> list[NDArray[Any]]:
        """All arrays that go to one worker."""
        return [*self.arrays, *(each[worker] for each in self.rows)]


def make_request(task: Task | WorkerTask | str, arguments: Sequence[Any], workers: int) -> Request:
    """A task and its arguments, in words.

    Args:
        task: a function of the workers, of which the name alone travels, or a `WorkerTask` of one.
        arguments: for every worker; of a `PerWorker` one, each its row.
        workers: how many are asked.

    Raises:
        InvalidArgument: if the function has no name, or an argument can't be said in words.

    Example:
        >>> from anyk.executors.remote.request import make_request
        >>> make_request("gram", [0.5, np.ones(2)], workers=3).header["arguments"]
        [0.5, {'array': 0}]
    """
    domain: AbstractDomain | None = None
    function: Any = task
    per_worker: tuple[bool, ...] = (False,) * len(arguments)
    work = None
    if isinstance(task, WorkerTask):
        function, domain, per_worker = task.work.users, task.domain, task.per_worker
        work = _words(task.work)
    promise = None
    if isinstance(function, Promised):
        promise, function = promise_in_words(function), function.function
    name, module = _named(function) if needs_function(work) else (None, None)
    common: list[NDArray[Any]] = []
    said = [None if isinstance(each, PerWorker) else pack(each, common) for each in arguments]
    rows: list[tuple[NDArray[Any], ...]] = []
    for place, argument in enumerate(arguments):
        if isinstance(argument, PerWorker):
            said[place] = {"array": len(common) + len(rows)}
            rows.append(
                tuple(
                    sendable(np.asarray(argument.rows[worker]), "arguments")
                    for worker in range(workers)
                )
            )
    header = {
        "function": name,
        "module": module,
        "work": work,
        "promise": promise,
        "domain": None if domain is None else described(domain),
        "per_worker": list(per_worker),
        "arguments": said,
    }
    _check_length(header, len(common) + len(rows))
    return Request(header, tuple(common), tuple(rows), domain)


def _check_length(header: dict[str, Any], arrays: int) -> None:
    try:
        text = json.dumps(header).encode()
    except (ValueError, RecursionError) as error:
        raise _too_much(f"what JSON can't say ({error})") from error
    if len(text) > LONGEST_REQUEST // 2:  # a worker's serial, key and arrays come with it
        raise _too_much(f"{len(text)} bytes of them as JSON")
    much = excess(text, share=2)
    if much is not None:
        raise _too_much(much)
    if arrays > MOST_ARRAYS:
        raise InvalidArgument(
            "arguments",
            given=f"{arrays} arrays",
            needed=f"at most {MOST_ARRAYS}",
            change="Pass fewer and larger ones: np.concatenate(..).",
        )


def _too_much(given: str) -> InvalidArgument:
    return InvalidArgument(
        "arguments",
        given=given,
        needed=f"at most {LONGEST_REQUEST // 2} bytes of plain values",
        change="Pass arrays: they travel as raw bytes.",
    )


def _named(function: Any) -> tuple[str, str | None]:
    """The name by which workers know a function, and the module in which it must be."""
    if isinstance(function, str):
        if function.isidentifier():
            return function, None
    else:
        name = getattr(function, "__name__", None)
        module = getattr(function, "__module__", None)
        if isinstance(name, str) and name.isidentifier() and isinstance(module, str):
            return name, module
    raise InvalidArgument(
        "function",
        given=shown(function),
        needed="the name of a function of the workers' module, or that function itself",
        change='Pass its name, such as "gram": no code is sent to remote workers.',
    )


def described(domain: AbstractDomain) -> Any:
    """A domain in words.

    Raises:
        InvalidArgument: if there are none for it.

    Example:
        >>> from anyk.executors.remote.request import described
        >>> described(anyk.PrimeField(101)), described(anyk.Reals())
        ({'field': 101}, 'reals')
    """
    if isinstance(domain, PrimeField):
        return {"field": domain.modulus}
    if isinstance(domain, ResidueRing):
        return {"ring": list(domain.primes)}
    if isinstance(domain, Torch):
        return {"tensors": described(domain.of)}
    for word, plain in _PLAIN_DOMAINS.items():
        if domain == plain:
            return word
    raise InvalidArgument(
        "scheme",
        given=f"one over {domain!r}",
        needed="one over a prime field, the integers, the reals, the complex numbers or any",
        change="Remote workers know no other domains; use anyk.Processes.",
    )


def domain_of(said: Any) -> AbstractDomain | None:
    """The domain that `described` said; None for none.

    Raises:
        BrokenAnswer: if it would never say that.

    Example:
        >>> from anyk.executors.remote.request import domain_of
        >>> domain_of({"ring": [5, 7]}).modulus
        35
    """
    if said is None:
        return None
    try:
        if isinstance(said, str):
            return _PLAIN_DOMAINS[said]
        ((kind, modulus),) = said.items()
        if kind == "tensors":
            return Torch(_PLAIN_DOMAINS[modulus])
        if kind == "field":
            return PrimeField(modulus)
        if kind == "ring" and len(modulus) <= MOST_PRIMES:
            return ResidueRing(tuple(PrimeField(prime) for prime in modulus))
    except Exception as error:
        raise BrokenAnswer("its domain is none") from error
    raise BrokenAnswer("its domain is none")


def _words(work: AbstractWork) -> list[str]:
    """A work as names from the table, the outermost first.

    Raises:
        InvalidArgument: if it is none of the table.
    """
    if isinstance(work, EachPrime):
        return [_EACH_PRIME, *_words(work.work)]
    for name, kind in _WORKS.items():
        if type(work) is kind:
            return [name]
    raise InvalidArgument(
        "scheme",
        given=f"one whose workers run {shown(work)}",
        needed=f"work that remote workers know: {', '.join(_WORKS)}",
        change="No code is sent to remote workers; use anyk.Processes.",
    )


def needs_function(words: Any) -> bool:
    """Whether a request with these words for its work names a function of the worker's."""
    return not (isinstance(words, list) and words and str(words[-1]) in _NO_FUNCTION)


def task_of(
    function: Callable[..., Any] | None,
    header: dict[str, Any],
    domain: AbstractDomain | None,
    parts: int,
) -> Task:
    """What a worker runs for a request: its own function, or a product, in the request's domain.

    Args:
        function: of the worker's, where the request names one.
        header: of the request.
        domain: of the request.
        parts: how many arrays its share has.

    Raises:
        BrokenAnswer: if the header says no work, or not of each argument whether it is a share.
    """
    own = header.get("per_worker")
    if not isinstance(own, list) or not all(type(each) is bool for each in own):
        raise BrokenAnswer("what its arguments are is not said")
    words = header.get("work")
    if domain is None and words is None and function is not None:
        return function
    if domain is None:
        raise BrokenAnswer("its work has no domain")
    if header.get("promise") is not None and function is not None:
        function = promised_function(function, header["promise"])
    return WorkerTask(_work_of(words, function, tuple(own), domain), domain, tuple(own), parts)


def _work_of(
    words: Any,
    function: Callable[..., Any] | None,
    per_worker: tuple[bool, ...],
    domain: AbstractDomain,
) -> AbstractWork:
    """The work that `_words` said."""
    if not isinstance(words, list) or not words:
        raise BrokenAnswer("its work is none")
    *outer, name = words
    if outer != [_EACH_PRIME] * isinstance(domain, ResidueRing) or not isinstance(name, str):
        raise BrokenAnswer("its work is none")
    kind = _WORKS.get(name)
    alone = name in _NO_FUNCTION
    if kind is None or (function is None) != alone:
        raise BrokenAnswer("its work is none")
    if name == "product_modulo" and not isinstance(domain, Integers):
        raise BrokenAnswer("its work is none of this domain")
    work: AbstractWork = kind() if alone else kind(function)  # type: ignore[call-arg]
    return EachPrime(work, per_worker) if outer else work
