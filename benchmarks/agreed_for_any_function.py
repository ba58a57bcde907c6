"""Late, lying and curious workers at once, for any function: `Agreed` around three schemes.

K = 4 images at a time on N = 60 workers, of whom S = 6 random ones never answer and A = 4 random
others lie; around `VeiledReplication` no worker learns more than 0.45 bits a pixel (T = 1). The
functions: what a digits network answers as probabilities, exp of its scores, their signs, the
largest as a unit vector, the scores sorted, and the votes of 20 trees; and four more, on which
nothing was tried before: the scores, eigenvalues of the image, quantiles of its pixels, and the
floor of the scores. The attacks:

own          each liar adds a random vector of its own, three times as large as the answers
constant     all answer one and the same vector
shift        all add the same vector to their true answer, so that two with one share agree
minus        all answer -f(share): a lie that depends on the share, and two with one share agree
small        all add the same vector of 1 % of their answer's norm
when paired  all know who holds what, and shift where all of a group are liars, and only there
late too     as shift, and two of the four are among the late

Every batch has a function and an attack in turn, the same for all rows. Printed are the liars who
lied and what became of them: named, without effect as their share was lost or believed as others
answered it, or believed; how many honest workers were named; in how many batches a wrong share was
believed, and the mean number of them beside what is expected if all liars lie alike. Then the error
(root mean square over the function's values) beside that of the scheme within on as many workers
who are all honest (S late ones), and on N workers of whom the decoder is told who lies; for the
decoder of that scheme with `adversaries` (today's), how often it raises, and accuses the honest.

    python benchmarks/agreed_for_any_function.py [--tiny] [--batches 2000] [--located 100]

Last come the liars that are named by one, two, three and four runs together (`liars_in`), the same
A workers lying by shifts in all of them.

Milliseconds are the median processor time of the master for one batch, encoding and decoding.
Intervals are 95 %: Wilson's for shares, bootstrap over batches for ratios. It exits with 1 if an
honest worker is named by `Agreed`, or more wrong shares are believed than the expectation allows
with its interval.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

import anyk
from anyk.bench.measure import share, table
from anyk.codes.agreement import Agreement
from anyk.codes.locators.votes import judge
from anyk.demo.digits import held_out, taught
from anyk.demo.network import logits
from anyk.schemes.wrappers.grouping import expected_wrong

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]
Make = Callable[[int, int, int], anyk.AbstractScheme]

BLOCKS, WORKERS, LATE, LIARS, BITS = 4, 60, 6, 4, 0.45
ATTACKS = ("own", "constant", "shift", "minus", "small", "when paired", "late too")
ROWS = (  # copies, agree, workers
    (2, 2, 60),
    (3, 3, 60),
    (3, 2, 60),
    (2, 2, 120),
    (3, 3, 180),
)


def functions(trees: int) -> dict[str, Function]:
    """Those of the goal, and those held out."""
    images, labels = taught()
    forest = RandomForestClassifier(trees, max_depth=8, random_state=0).fit(images, labels)

    def softmax(x: Floats) -> Floats:
        powers = np.exp(logits(x) - logits(x).max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)

    def votes(x: Floats) -> Floats:
        single = np.ascontiguousarray(x, dtype=np.float32)
        each = [tree.tree_.predict(single).reshape(len(x), -1) for tree in forest.estimators_]
        return np.mean([one / one.sum(axis=1, keepdims=True) for one in each], axis=0)

    def eigenvalues(x: Floats) -> Floats:
        square = x.reshape(-1, 8, 8)
        return np.linalg.eigvalsh(square + square.transpose(0, 2, 1))

    return {
        "softmax": softmax,
        "exp": lambda x: np.exp(logits(x) / 10.0),
        "sign": lambda x: np.sign(logits(x)),
        "argmax": lambda x: np.eye(10)[logits(x).argmax(axis=-1)],
        "sort": lambda x: np.sort(logits(x), axis=-1),
        "votes": votes,
        "scores": logits,
        "eigenvalues": eigenvalues,
        "quantiles": lambda x: np.quantile(x, np.linspace(0.1, 0.9, 9), axis=-1).T,
        "floor": lambda x: np.floor(logits(x)),
    }


def inner(std: float) -> dict[str, Make]:
    """The schemes within, for N workers, S late ones and A liars that they are to find."""

    def veiled(workers: int, late: int, liars: int) -> anyk.AbstractScheme:
        return anyk.VeiledReplication(
            BLOCKS,
            workers,
            stragglers=late,
            adversaries=liars,
            colluders=1,
            leakage=BITS,
            data_std=std,
        )

    return {
        "VeiledReplication": veiled,
        "Spline": lambda n, s, a: anyk.Spline(BLOCKS, n, stragglers=s, adversaries=a),
        "Berrut": lambda n, s, a: anyk.Berrut(BLOCKS, n, stragglers=s, adversaries=a),
    }


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """What happens in one batch, whatever the scheme."""

    number: int
    name: str
    attack: str
    f: Function
    X: Floats

    @property
    def rng(self) -> np.random.Generator:
        """The same for all schemes."""
        return np.random.default_rng([2026, self.number])

    def threat(self, workers: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Who is late, and who lies."""
        order = self.rng.permutation(workers)
        first = LATE - 2 if self.attack == "late too" else LATE
        return order[:LATE], order[first : first + LIARS]

    def lies(self, honest: Floats, liars: NDArray[np.intp], groups: NDArray[np.intp]) -> Floats:
        """The answers, some of them lies."""
        rng, answers = self.rng, honest.copy()
        rng.permutation(len(honest))
        size = 3.0 * float(np.sqrt(np.mean(honest**2)))
        common = rng.standard_normal(honest.shape[1:])
        if self.attack == "own":
            answers[liars] += size * rng.standard_normal((len(liars), *honest.shape[1:]))
        elif self.attack == "constant":
            answers[liars] = size * common
        elif self.attack == "minus":
            answers[liars] *= -1.0
        elif self.attack == "small":
            norms = np.linalg.norm(honest[liars], axis=1, keepdims=True)
            answers[liars] += 0.01 * np.maximum(norms, 1e-3) * common / np.linalg.norm(common)
        elif self.attack == "when paired":
            alone = [who for who in liars if {*np.flatnonzero(groups == groups[who])} <= {*liars}]
            answers[alone] += size * common
        else:
            answers[liars] += size * common
        return answers


@dataclass(kw_only=True)
class Tally:
    """What became of the liars, and the errors by function."""

    lied: int = 0
    named: int = 0
    accused: int = 0
    raised: int = 0
    wrong: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    errors: dict[str, list[float]] = field(default_factory=dict)

    def note(self, batch: Batch, value: Floats) -> None:
        """Count the error of a value."""
        self.errors.setdefault(batch.name, [])
        self.errors[batch.name].append(float(np.mean((value - batch.f(batch.X)) ** 2)))


def agreed(scheme: anyk.Agreed, batch: Batch, tally: Tally) -> None:
    """One batch by `Agreed`."""
    start = time.process_time()
    encoded = scheme.encode(batch.X)
    spent = time.process_time() - start
    workers, groups = len(encoded.shares), encoded.layout.groups
    within = np.unique(groups, return_index=True)[1]
    honest = batch.f(encoded.shares[within])[groups]  # equal shares have equal answers
    late, liars = batch.threat(workers)
    answers = batch.lies(honest, liars, groups)
    heard = np.setdiff1d(np.arange(workers), late)
    lied = {who for who in liars if who in heard and not np.array_equal(answers[who], honest[who])}
    start = time.process_time()
    recovered = encoded.decode(answers[heard], heard.tolist())
    tally.seconds.append(spent + time.process_time() - start)
    verdict = judge(
        groups[heard],
        answers[heard],
        Agreement(),
        adversaries=scheme.adversaries,
        agree=scheme.agree or scheme.copies,
    )
    tally.wrong.append(sum(heard[each.row] in lied for each in verdict.believed))
    tally.lied += len(lied)
    tally.named += len(lied & {*recovered.suspects})
    tally.accused += len({*recovered.suspects} - lied)
    tally.note(batch, recovered.value)


def alone(make: Make, batch: Batch, tallies: dict[str, Tally], *, located: bool) -> None:
    """One batch by the scheme within: honest workers, told who lies, and its own locator."""
    late, liars = batch.threat(WORKERS)
    encoded = make(WORKERS, LATE, 0).encode(batch.X)
    honest = batch.f(encoded.shares)
    answers = batch.lies(honest, liars, np.arange(WORKERS))
    heard = np.setdiff1d(np.arange(WORKERS), late)
    for name, who in (("honest", heard), ("told", np.setdiff1d(heard, liars))):
        start = time.process_time()
        tallies[name].note(batch, encoded.decode(honest[who], who.tolist()).value)
        tallies[name].seconds.append(time.process_time() - start)
    if not located:
        return
    tally, finding = tallies["located"], make(WORKERS, LATE, LIARS).encode(batch.X)
    honest = batch.f(finding.shares)
    answers = batch.lies(honest, liars, np.arange(WORKERS))
    start = time.process_time()
    tally.wrong.append(0)
    try:
        recovered = finding.decode(answers[heard], heard.tolist())
    except anyk.TooManyErrors:
        tally.raised += 1
        return
    tally.seconds.append(time.process_time() - start)
    lied = {who for who in liars if who in heard and not np.array_equal(answers[who], honest[who])}
    tally.accused += bool({*recovered.suspects} - lied)
    tally.note(batch, recovered.value)


def ratio(ours: list[float], theirs: list[float]) -> str:
    """The quotient of root mean squares, and its interval."""
    pairs = np.sqrt([np.mean(ours), np.mean(theirs)])
    rng, count = np.random.default_rng(0), min(len(ours), len(theirs))
    picks = rng.integers(count, size=(1000, count))
    both = [np.array(each[:count])[picks].mean(axis=1) for each in (ours, theirs)]
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = np.nanquantile(np.sqrt(both[0] / both[1]), [0.025, 0.975])
        return f"{pairs[0] / pairs[1]:.2f} ({low:.2f} to {high:.2f})"


def measured(make: Make, todo: list[Batch], located: int) -> tuple[dict[str, Tally], list[str]]:
    """All batches of one scheme within, by all decoders."""
    tallies = {name: Tally() for name in ("honest", "told", "located")}
    rows = {}
    for copies, agree, workers in ROWS:
        lost = LIARS + LATE // (copies - agree + 1)
        scheme = anyk.Agreed(
            make(workers // copies, lost, 0), copies=copies, agree=agree, adversaries=LIARS
        )
        rows[f"q = {copies}, a = {agree}, N = {workers}"] = scheme
    tallies |= {name: Tally() for name in rows}
    for batch in todo:
        for name, scheme in rows.items():
            agreed(scheme, batch, tallies[name])
        alone(make, batch, tallies, located=batch.number < located)
    return tallies, [*rows]


def expectation(row: tuple[int, int, int]) -> float:
    """How many wrong shares a batch, if all liars lie alike."""
    copies, agree, workers = row
    return expected_wrong(workers, workers // copies, liars=LIARS, late=LATE, agree=agree)


def report(name: str, tallies: dict[str, Tally], rows: list[str], todo: list[Batch]) -> bool:
    """Print both tables of one scheme within; whether the claim holds."""
    alike = np.array([batch.attack != "own" for batch in todo])
    holds, lines = True, []
    for row, numbers in zip(rows, ROWS, strict=True):
        tally, expected = tallies[row], expectation(numbers)
        wrong = np.array(tally.wrong)
        mean = float(wrong[alike].mean())
        half = 1.96 * np.sqrt(max(expected, mean) / alike.sum())
        holds &= tally.accused == 0 and mean - half <= expected
        lines.append(
            (
                row,
                tally.lied,
                f"{tally.named / max(tally.lied, 1):.1%}",
                tally.accused,
                share(int((wrong > 0).sum()), len(wrong), digits=2),
                f"{mean:.4f} ({max(mean - half, 0.0):.4f} to {mean + half:.4f})",
                f"{expected:.4f}",
                f"{1e3 * np.median(tally.seconds):.1f}",
            )
        )
    header = ("", "lied", "named", "honest named", "batches with a wrong share")
    print(f"\n{name}, {len(todo)} batches\n")
    print(table((*header, "wrong shares a batch, lies alike", "expected", "ms"), lines))
    found, tried = tallies["located"], len(tallies["located"].wrong)
    if tried:
        rates = [share(each, tried, digits=2) for each in (found.raised, found.accused)]
        print(
            f"\nits own locator, {tried} batches: raises in {rates[0]}, names honest workers "
            f"in {rates[1]}, "
            f"{1e3 * np.median(found.seconds or [np.nan]):.1f} ms; the decoder that is told "
            f"{1e3 * np.median(tallies['told'].seconds):.1f} ms"
        )
    for other, words in (("honest", "as many workers, all honest"), ("told", "told who lies")):
        print(f"\nerror / error of {name} on N = {WORKERS}, {words}:\n")
        each = tallies[other].errors
        body = [
            (
                function,
                f"{np.sqrt(np.mean(each[function])):.3g}",
                *(ratio(tallies[row].errors[function], each[function]) for row in rows),
            )
            for function in each
        ]
        print(table(("", f"RMSE, {other}", *rows), body))
    return holds


def together(trials: int) -> None:
    """Print how many liars are named by several runs, each with other groups and late workers."""
    print("\nliars named by runs together, the same four in each, signs of images:\n")
    images, runs, lines = held_out()[0], 4, []
    for copies, agree, workers in ROWS[:3]:
        lost = LIARS + LATE // (copies - agree + 1)
        inner_scheme = anyk.Spline(BLOCKS, workers // copies, stragglers=lost)
        scheme = anyk.Agreed(inner_scheme, copies=copies, agree=agree, adversaries=LIARS)
        named, accused = np.zeros(runs), 0
        for trial in range(trials):
            rng = np.random.default_rng([11, trial])
            liars = {*rng.choice(workers, LIARS, replace=False).tolist()}
            outcomes: list[anyk.Recovered] = []
            for run in range(runs):
                encoded = scheme.encode(images[rng.choice(len(images), BLOCKS, replace=False)])
                answers = np.sign(encoded.shares - 0.5)
                answers[[*liars]] += rng.normal(size=answers.shape[1:])
                heard = np.sort(rng.permutation(workers)[LATE:])
                outcomes.append(encoded.decode(answers[heard], heard.tolist()))
                told = {*scheme.liars_in(outcomes)}
                named[run] += len(told & liars)
                accused += len(told - liars)
        shares = (share(each, LIARS * trials, digits=2) for each in named)
        lines.append((f"q = {copies}, a = {agree}, N = {workers}", *shares, accused))
    print(table(("", "1 run", "2 runs", "3 runs", "4 runs", "honest named"), lines))


def main() -> int:
    """Print the tables, and say whether the claim holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=2000, help="for each scheme within")
    parser.add_argument("--located", type=int, default=100, help="of which today's decoder has")
    parser.add_argument("--scheme", help="one scheme within alone")
    parser.add_argument("--tiny", action="store_true", help="a few seconds, and no verdict")
    options = parser.parse_args()
    count, located = (20, 2) if options.tiny else (options.batches, options.located)
    images, _ = held_out()
    std = float(np.sqrt(np.mean(np.var(images, axis=0))))
    named = functions(3 if options.tiny else 20)
    names = [*named]
    todo = []
    for number in range(count):
        function, attack = names[number % len(names)], ATTACKS[number // len(names) % len(ATTACKS)]
        few = np.random.default_rng([7, number]).choice(len(images), BLOCKS, replace=False)
        todo.append(
            Batch(number=number, name=function, attack=attack, f=named[function], X=images[few])
        )
    print(f"K={BLOCKS}, S={LATE}, A={LIARS}; pixels of standard deviation {std:.3f}")
    holds = True
    for name, make in inner(std).items():
        if options.scheme in (None, name):
            holds &= report(name, *measured(make, todo, located), todo)
    if options.scheme is None:
        together(5 if options.tiny else 200)
    print("\nclaimed: no honest worker is named, and no more wrong shares pass than expected")
    return 0 if options.tiny or holds else 1


if __name__ == "__main__":
    sys.exit(main())
