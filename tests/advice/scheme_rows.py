"""What the constructors of schemes advise, and what encode, decode and recovery do."""

import numpy as np
import scipy.sparse
from tried import tried

import anyk
from anyk.privacy.noise import noise_for
from anyk.schemes.certainty import Certainty
from anyk.schemes.wrappers.embedded import Embedded
from anyk.work import WorkerTask

FIELD, SEVEN = anyk.PrimeField(), anyk.PrimeField(7)
SCHEME = anyk.Lagrange(2, 1, 4)
ENCODED = SCHEME.encode([5, 6])
PARTS = anyk.Polynomial((2, 1, 2), 6).encode((np.ones((2, 2), int), np.ones((2, 2), int)))
FIXED = anyk.FixedPoint(fraction_bits=8, magnitude=4.0)
COARSE = anyk.FixedPoint(fraction_bits=4, magnitude=4.0)
A, B = np.ones((2, 3), dtype=int), np.ones((3, 2), dtype=int)
CODE = anyk.Polynomial((2, 1, 2), 6)
GRAM = anyk.FoldedGram((2, 1, 2), 3)
NOISE = {"colluders": 1, "leakage": 0.5}


def embedded(scheme=SCHEME, embedding=FIXED):
    return Embedded(scheme, embedding)


def product(factors=(A / 4, B / 4), degree=2, **named):
    """A product of reals, with these numbers declared."""
    embedding = anyk.FixedPoint(fraction_bits=8, magnitude=4.0, degree=degree, **named)
    with anyk.Inline(6) as executor:
        return anyk.run(CODE, np.matmul, factors, executor, embedding=embedding).value


SPARSE = scipy.sparse.csr_array(np.array([[0, 0, 5], [2, 0, 0]]))


def held(A):
    """Shares of a sparse matrix."""
    return anyk.Sparse((2, 1, 1), 3).encode_left(A)


def work_of(left, right):
    """What a worker makes of the first of them, and another factor."""
    task = WorkerTask(left.scheme.work(np.matmul), FIELD, (True,), len(left.parts))
    return task(*(part[0] for part in left.parts), FIELD.at_rest(right))


LARGE = np.array([[1.0, 2.0], [1e30, -3.0]])


def veiled(data_std, X=LARGE):
    """Shares of data that are larger than was said, or not."""
    scheme = anyk.VeiledReplication(2, 8, colluders=1, leakage=0.5, data_std=data_std)
    return scheme.encode(X)


def noisy(encoder):
    """Shares of zeros by the encoder alone."""
    return encoder.shares(np.zeros((2, 3)))


BARE = anyk.Encoder(data=np.array([[1.0, -1.0]]), masks=np.array([[5.0]]))


ROWS = [
    tried("Pass data_std=, the standard deviation", lambda: veiled(1.0), lambda: veiled(5e29)),
    tried("Take encoder.on_grid()", lambda: noisy(BARE), lambda: noisy(BARE.on_grid())),
    *(
        tried(
            "Pass anyk.PrimeField(2**31 - 1).",
            lambda call=call: call(7),
            lambda call=call: call(FIELD),
        )
        for call in (
            lambda field: anyk.Lagrange(2, 1, 4, field=field),
            lambda field: anyk.Shamir(blocks=2, degree=1, field=field),
            lambda field: anyk.Harmonic(blocks=2, degree=2, field=field),
            lambda field: FIXED.ring(field),
        )
    ),
    tried(
        "Pass anyk.Values() or a field.",
        lambda: anyk.Replication(2, 4, domain=float),
        lambda: anyk.Replication(2, 4, domain=anyk.Values()),
        lambda: anyk.Replication(2, 4, domain=FIELD),
    ),
    tried(
        "Leave it out; Replication alone takes NaN and Inf.",
        lambda: anyk.CyclicRepetition(4, 1, domain=float),
        lambda: anyk.CyclicRepetition(4, 1),
    ),
    *(
        tried(
            "at least adversaries = {}, as liars who are named are noticed. Raise it, or leave it "
            "out.",
            lambda make=make: make(detects=1),
            lambda least, make=make: make(detects=least),
            lambda _, make=make: make(),
            less=lambda less, make=make: make(detects=less),
        )
        for make in (
            lambda **named: anyk.Replication(1, 9, adversaries=2, **named),
            lambda **named: anyk.PartialWork(9, 0, adversaries=2, **named),
            lambda **named: Certainty(dimension=1, adversaries=2, **named),
        )
    ),
    tried(
        "Take anyk.FractionalRepetition or anyk.CyclicRepetition.",
        lambda: anyk.ExpanderRepetition(6, 9, domain=FIELD),
        lambda: anyk.FractionalRepetition(6, 9, 2, domain=FIELD),
        lambda: anyk.CyclicRepetition(9, 2, domain=FIELD),
    ),
    tried(
        "Cut the data in more blocks.",
        lambda: anyk.ExpanderRepetition(4, 7),
        lambda: anyk.ExpanderRepetition(5, 7),
    ),
    tried(
        "Add {} workers, or lower blocks.",
        lambda: anyk.ExpanderRepetition(12, 4),
        lambda more: anyk.ExpanderRepetition(12, 4 + more),
        lambda _: anyk.ExpanderRepetition(8, 4),
        less=lambda more: anyk.ExpanderRepetition(12, 4 + more),
    ),
    tried(
        "Take anyk.CyclicRepetition, of which any k answers determine the others too.",
        lambda: anyk.CyclicMDS(6, 2, domain=FIELD),
        lambda: anyk.CyclicRepetition(6, 2, domain=FIELD),
    ),
    tried(
        "Take {}, or lower burst.",
        lambda: anyk.SequentialGradient(4, 1, 2, 3),
        lambda window: anyk.SequentialGradient(4, 1, window, 3),
        lambda _: anyk.SequentialGradient(4, 1, 2, 1),
        less=lambda window: anyk.SequentialGradient(4, 1, window, 3),
    ),
    tried(
        "a multiple of workers = 4, as all compute as many. Take {}.",
        lambda: anyk.PartialWork(4, 1, blocks=6),
        lambda more: anyk.PartialWork(4, 1, blocks=more),
        less=lambda less: anyk.PartialWork(4, 1, blocks=less),
    ),
    tried(
        "a modulus of at least K + T + N = {}. Take a larger prime; 2**31 - 1 is the default.",
        lambda: anyk.Lagrange(2, 1, 5, field=anyk.PrimeField(5)),
        lambda least: anyk.Lagrange(2, 1, 5, field=anyk.PrimeField(least)),
        lambda _: anyk.Lagrange(2, 1, 5),
    ),
    tried(
        "a modulus above ceil(N/K) = {}. Take a larger prime; 2**31 - 1 is the default.",
        lambda: anyk.Shamir(blocks=1, degree=1, workers=4, field=anyk.PrimeField(3)),
        lambda bound: anyk.Shamir(blocks=1, degree=1, workers=4, field=anyk.PrimeField(bound + 1)),
        lambda _: anyk.Shamir(blocks=1, degree=1, workers=4),
    ),
    tried(
        "at most blocks = {}. Lower it.",
        lambda: anyk.BatchedCoupons(2, 9, 3),
        lambda most: anyk.BatchedCoupons(2, 9, most),
    ),
    tried(
        "from 0 to 1. Leave it out: encode draws them.",
        lambda: anyk.BatchedCoupons(2, 40, 2, drawn=[0, 2]),
        lambda: anyk.BatchedCoupons(2, 40, 2).encode([5, 6]),
    ),
    tried(
        "Encode again, for another draw; anyk.FractionalRepetition never misses one.",
        lambda: anyk.BatchedCoupons(2, 3, 2, drawn=[1, 1, 1]),
        lambda: anyk.BatchedCoupons(2, 40, 2).encode([5, 6]),
        lambda: anyk.FractionalRepetition(2, 3, 0).encode([5, 6]),
    ),
    tried(
        "Take encoded.scheme, of what encode returns.",
        lambda: anyk.BatchedCoupons(2, 40, 2).tally(None),
        lambda: anyk.BatchedCoupons(2, 40, 2).encode([5, 6]).scheme.tally(None),
    ),
    tried(
        "a modulus of at least N = {}. Take a larger prime; 2**31 - 1 is the default.",
        lambda: anyk.CyclicRepetition(7, 1, domain=anyk.PrimeField(5)),
        lambda least: anyk.CyclicRepetition(7, 1, domain=anyk.PrimeField(least)),
        lambda _: anyk.CyclicRepetition(7, 1, domain=FIELD),
    ),
    tried(
        "a modulus of at least rN = {}. Take a larger prime; 2**31 - 1 is the default.",
        lambda: anyk.Polynomial((2, 1, 2), 7, domain=anyk.PrimeField(5)),
        lambda least: anyk.Polynomial((2, 1, 2), 7, domain=anyk.PrimeField(least)),
        lambda _: anyk.Polynomial((2, 1, 2), 7),
    ),
    tried(
        "Pass domain=anyk.PrimeField() or anyk.Reals() or anyk.Complex().",
        lambda: anyk.Polynomial((2, 1, 2), 6, domain=7),
        lambda: anyk.Polynomial((2, 1, 2), 6, domain=FIELD),
        lambda: anyk.Polynomial((2, 1, 2), 6, domain=anyk.Reals()),
        lambda: anyk.Polynomial((2, 1, 2), 6, domain=anyk.Complex()),
    ),
    tried(
        "blocks are turned in pairs. Pass (4, 1, 2).",
        lambda: anyk.Rotation((3, 1, 2), 6),
        lambda: anyk.Rotation((4, 1, 2), 6),
    ),
    tried(
        "Pass domain=anyk.PrimeField() or anyk.Complex().",
        lambda: anyk.PolyDot((2, 2, 1), 20, domain=7),
        lambda: anyk.PolyDot((2, 2, 1), 20, domain=FIELD),
        lambda: anyk.PolyDot((2, 2, 1), 20, domain=anyk.Complex()),
    ),
    *(
        tried(
            "for Entangled. Leave it out.",
            lambda named=named: anyk.Entangled((2, 1, 2), 6, **named),
            lambda: anyk.Entangled((2, 1, 2), 6),
        )
        for named in ({"colluders": 1}, {"verified": True, "detects": 1})
    ),
    tried(
        "Pass True: each answer is checked when it comes.",
        lambda: anyk.Polynomial((2, 1, 2), 6, adversaries=1, verified="yes"),
        lambda: anyk.Polynomial((2, 1, 2), 6, adversaries=1, verified=True),
    ),
    tried(
        "needed: None, as masks over a field hide all. Leave it out.",
        lambda: anyk.MatDot((1, 2, 1), 7, colluders=1, leakage=0.1),
        lambda: anyk.MatDot((1, 2, 1), 7, colluders=1),
    ),
    tried(
        "needed: None. Leave it out.",
        lambda: anyk.MatDot((1, 2, 1), 7, sigma=3.0),
        lambda: anyk.MatDot((1, 2, 1), 7),
    ),
    tried(
        "a modulus of at least rN and more = {}. Take a larger prime; 2**31 - 1 is the default.",
        lambda: anyk.MatDot((1, 2, 1), 7, domain=SEVEN, colluders=1),
        lambda least: anyk.MatDot((1, 2, 1), 7, domain=anyk.PrimeField(least + 3), colluders=1),
        lambda _: anyk.MatDot((1, 2, 1), 7, colluders=1),
    ),
    tried(
        "Lower sigma (leak more), or raise tolerance.",
        lambda: masked(sigma=1e8),
        lambda: masked(sigma=1e4),
        lambda: masked(sigma=1e8, tolerance=10.0),
    ),
    tried(
        "Lower sigma (leak more), or raise tolerance.",
        lambda: masked(leakage=1e-8, tolerance=1e-9),
        lambda: masked(leakage=0.1),
    ),
    tried(
        "Pass ({}, {}, {}).",
        lambda: anyk.Polynomial((2, 2, 2), 6),
        lambda *fits: anyk.Polynomial(fits, 6),
    ),
    *(
        tried(
            "Take {} workers or fewer, or one over a field.",
            lambda make=make: make(workers=201, domain=anyk.Reals()),
            lambda most, make=make: make(workers=most, domain=anyk.Reals()),
            lambda _, make=make: make(workers=201, domain=FIELD),
        )
        for make in (
            lambda **named: anyk.Sparse((3, 1, 1), **named),
            lambda **named: anyk.ShortDot((3, 1, 1), threshold=50, **named),
        )
    ),
    tried(
        "needed: at least m = 3, as 3 blocks of the product are unknown. Pass {} or more.",
        lambda: anyk.ShortDot((3, 1, 1), 6, threshold=2),
        lambda least: anyk.ShortDot((3, 1, 1), 6, threshold=least),
        less=lambda less: anyk.ShortDot((3, 1, 1), 6, threshold=less),
    ),
    tried(
        "Reshape it.",
        lambda: held(scipy.sparse.coo_array(np.ones(4, int))),
        lambda: held(scipy.sparse.coo_array(np.ones(4, int)).reshape(2, 2)),
    ),
    tried(
        "Encode the factors with one scheme, and multiply those.",
        lambda: work_of(held(SPARSE), np.ones(2, int)),
        lambda: work_of(held(SPARSE), np.ones(3, int)),
    ),
    tried(
        "Pass {}, {}, {} or {}.",
        lambda: anyk.CSA((1, 1, 1), 8, batch=6, groups=4),
        *(
            lambda *fits, place=place: anyk.CSA((1, 1, 1), 12, batch=6, groups=fits[place])
            for place in range(4)
        ),
    ),
    tried(
        "a modulus of at least rN and more = {}. Take a larger prime; 2**31 - 1 is the default.",
        lambda: anyk.FoldedGram((2, 1, 2), 4, domain=anyk.PrimeField(7)),
        lambda least: anyk.FoldedGram((2, 1, 2), 4, domain=anyk.PrimeField(least)),
        lambda _: anyk.FoldedGram((2, 1, 2), 4),
    ),
    tried(
        "Pass A alone to scheme.encode, or to anyk.distribute.",
        lambda: GRAM.encode_right(GRAM.encode_left(A), 2 * B),
        lambda: GRAM.encode(A),
        lambda: anyk.distribute(GRAM, A, anyk.Inline(3)),
    ),
    tried(
        "Leave factors out.",
        lambda: embedded(GRAM, anyk.FixedPoint(fraction_bits=8, magnitude=4.0, factors=(COARSE,))),
        lambda: embedded(GRAM),
    ),
    tried(
        "Pass a positive number.",
        lambda: anyk.AnalogLagrange(2, 1, 6, tolerance=0.0),
        lambda: anyk.AnalogLagrange(2, 1, 6, tolerance=1e-3),
    ),
    tried(
        "Take 1.5.",
        lambda: anyk.AnalogLagrange(2, 1, 6, radius=1.0),
        lambda: anyk.AnalogLagrange(2, 1, 6, radius=1.5),
    ),
    tried(
        "Pass stragglers={} or less: answers far apart on the circle are better.",
        lambda: analog(degree=2, stragglers=5),
        lambda most: analog(degree=2, stragglers=most),
        less=lambda _: analog(degree=2, stragglers=5),
    ),
    tried(
        "Pass a positive number.",
        lambda: anyk.Berrut(2, 8, colluders=1, leakage=-0.5),
        lambda: anyk.Berrut(2, 8, colluders=1, leakage=0.5),
    ),
    tried(
        "Ask for leakage=0.1 bits, say.",
        lambda: anyk.Berrut(2, 8, colluders=1),
        lambda: anyk.Berrut(2, 8, colluders=1, leakage=0.1),
    ),
    tried(
        "None without colluders. Pass colluders=1.",
        lambda: anyk.Berrut(2, 8, leakage=0.5),
        lambda: anyk.Berrut(2, 8, leakage=0.5, colluders=1),
    ),
    tried(
        "Lower colluders.",
        lambda: anyk.Berrut(2, 8, colluders=9, leakage=0.5),
        lambda: anyk.Berrut(2, 8, colluders=2, leakage=0.5),
    ),
    tried(
        "Pass None, or the largest absolute value of an honest answer's numbers.",
        lambda: anyk.Spline(4, 20, adversaries=1, bound=-1.0),
        lambda: anyk.Spline(4, 20, adversaries=1, bound=None),
        lambda: anyk.Spline(4, 20, adversaries=1, bound=1.0),
    ),
    tried(
        "adversaries of at least 1, whose lies it bounds. Pass adversaries=1, or leave it out.",
        lambda: anyk.Spline(4, 20, bound=1.0),
        lambda: anyk.Spline(4, 20, bound=1.0, adversaries=1),
        lambda: anyk.Spline(4, 20, bound=None),
    ),
    tried(
        "Pass 0.0 to interpolate.",
        lambda: anyk.FilledReplication(4, 20, smoothing=-1.0),
        lambda: anyk.FilledReplication(4, 20, smoothing=0.0),
    ),
    tried(
        "Pass that of the data's numbers.",
        lambda: anyk.VeiledReplication(2, 6, **NOISE, data_std=0.0),
        lambda: anyk.VeiledReplication(2, 6, **NOISE, data_std=float(np.std([1.0, 2.0]))),
    ),
    tried(
        "Pass the bits a coordinate that colluders may learn, such as 0.3.",
        lambda: anyk.VeiledReplication(2, 6, colluders=1, leakage=0.0),
        lambda: anyk.VeiledReplication(2, 6, colluders=1, leakage=0.3),
    ),
    tried(
        "Make one, such as anyk.Lagrange.",
        lambda: embedded(anyk.Lagrange),
        lambda: embedded(anyk.Lagrange(2, 1, 4)),
    ),
    tried(
        "Pass anyk.FixedPoint(...).",
        lambda: embedded(embedding=8),
        lambda: embedded(embedding=anyk.FixedPoint(fraction_bits=8, magnitude=4.0)),
    ),
    tried(
        "Leave the embedding out: these data need none.",
        lambda: embedded(anyk.Replication(2, 4)),
        lambda: anyk.Replication(2, 4).encode([0.5, 1.5]),
    ),
    *(
        tried(
            "Pass anyk.Lagrange(...), anyk.Shamir(...) or anyk.Replication(...).",
            lambda given=given: anyk.Summed(given),
            lambda: anyk.Summed(anyk.Lagrange(2, 1, 4)),
            lambda: anyk.Summed(anyk.Shamir(blocks=2, degree=1)),
            lambda: anyk.Summed(anyk.Replication(2, 4)),
        )
        for given in (anyk.Lagrange, anyk.Spline(2, 8))
    ),
    tried(
        "Pass embedding= to anyk.distribute too.",
        lambda: SCHEME.encode_argument([1, 2], FIXED),
        lambda: embedded().encode_argument([1, 2], FIXED),
    ),
    tried(
        "Pass anyk.FixedPoint(...).",
        lambda: embedded().encode_argument([1, 2], 8),
        lambda: embedded().encode_argument([1, 2], anyk.FixedPoint(fraction_bits=8, magnitude=4.0)),
    ),
    tried(
        "Name it in factors= of the embedding that the data were distributed with.",
        lambda: embedded().encode_argument([1, 2], COARSE),
        lambda: embedded(
            embedding=anyk.FixedPoint(fraction_bits=8, magnitude=4.0, factors=(COARSE,))
        ).encode_argument([1, 2], COARSE),
    ),
    tried(
        "Leave degree and summands out.",
        lambda: product(degree=1),
        lambda: product(degree=None),
    ),
    tried(
        "Pass summands={}, or leave it out.",
        lambda: product(summands=2),
        lambda inner: product(summands=inner),
        lambda _: product(),
        less=lambda less: product(summands=less),
    ),
    tried("Pass (A, B).", lambda: product(3), lambda: product(summands=3)),
    tried("Take .parts.", lambda: PARTS.shares, lambda: PARTS.parts),
    tried(
        "Pass a list, in the order of the values.",
        lambda: ENCODED.decode(ENCODED.shares[:2], {0, 1}),
        lambda: ENCODED.decode(ENCODED.shares[:2], [0, 1]),
    ),
    *(
        tried(
            "distinct indices of workers from 0 to {}. Name each once.",
            lambda given=given: ENCODED.recovery(given),
            lambda last: ENCODED.recovery([0, last]),
        )
        for given in ([0, 0], [0, 4])
    ),
    tried(
        "Cut X to {} rows or fill it up to {}. Reshape X to ({}, ...)",
        lambda: SCHEME.encode(np.arange(7)),
        lambda rows, _, blocks: SCHEME.encode(np.arange(rows).reshape(blocks, -1)),
        lambda _, rows, blocks: SCHEME.encode(np.arange(rows).reshape(blocks, -1)),
    ),
    tried(
        "Reshape X to ({}, ...), or make the scheme with another blocks=.",
        lambda: SCHEME.encode([1, 2, 3, 4, 5, 6]),
        lambda blocks: SCHEME.encode(np.reshape([1, 2, 3, 4, 5, 6], (blocks, -1))),
        lambda _: anyk.Lagrange(6, 1, 6).encode([1, 2, 3, 4, 5, 6]),
    ),
    tried(
        "Stack the answers along the first axis, in the order of `answered`.",
        lambda: ENCODED.decode(ENCODED.shares[:3], [0, 1]),
        lambda: ENCODED.decode(np.stack([ENCODED.shares[each] for each in (0, 1)]), [0, 1]),
    ),
    tried("Pass X = (A, B).", lambda: CODE.encode(3), lambda: CODE.encode((A, B))),
    tried(
        "Pass two matrices that fit.",
        lambda: CODE.encode((A, A)),
        lambda: CODE.encode((A, B)),
    ),
    tried(
        "Reshape it, or make the scheme for it.",
        lambda: CODE.encode((A, B[:, 0])),
        lambda: CODE.encode((A, B[:, 0].reshape(3, 1))),
        lambda: anyk.Polynomial((2, 1, 1), 6).encode((A, B[:, 0])),
    ),
    tried(
        "needed: N - S >= min(K, 2), that is",
        lambda: anyk.Spline(2, 4, stragglers=3),
        lambda: anyk.Spline(2, 5, stragglers=3),
        lambda: anyk.Spline(2, 4, stragglers=2),
    ),
    tried(
        "Pass a list of indices.",
        lambda: ENCODED.recovery(2),
        lambda: ENCODED.recovery([0, 1]),
    ),
]


def short(says, make, workers, **lowered):
    """Too few workers: what the advice adds or takes, and each parameter that it lowers."""
    added = says.startswith("Add")
    start = workers if added else 0
    return tried(
        says,
        lambda: make(workers=workers),
        lambda number: make(workers=start + number),
        *(
            lambda _, name=name, value=value: make(workers=workers, **{name: value})
            for name, value in lowered.items()
        ),
        less=lambda number: make(workers=start + number),
    )


def of(kind, **usual):
    return lambda **named: kind(**{**usual, **named})


ROWS += [
    short(
        "Add {} worker, or lower blocks, degree, adversaries or colluders.",
        of(anyk.Lagrange, blocks=2, degree=2, adversaries=1, colluders=1),
        6,
        blocks=1,
        degree=1,
        adversaries=0,
        colluders=0,
    ),
    short(
        "Add {} workers, or lower detects.",
        of(anyk.Lagrange, blocks=2, degree=1, detects=6),
        4,
        detects=0,
    ),
    short(
        "Take {} workers, or lower blocks, degree, adversaries or colluders.",
        of(anyk.Shamir, blocks=2, degree=2, adversaries=1, colluders=2),
        12,
        blocks=1,
        degree=1,
        adversaries=0,
        colluders=1,
    ),
    short(
        "Take {} workers, or lower blocks or adversaries.",
        of(anyk.Replication, blocks=2, adversaries=1),
        5,
        blocks=1,
        adversaries=0,
    ),
    short(
        "Take {} workers, or lower blocks or adversaries.",
        of(anyk.Replication, blocks=2, adversaries=1, reactive=True),
        3,
        blocks=1,
        adversaries=0,
    ),
    short(
        "Take {} workers, or lower adversaries.",
        of(anyk.Replication, blocks=1, adversaries=1, reactive=True),
        2,
        adversaries=0,
    ),
    short(
        "Take {} workers, or lower stragglers or adversaries.",
        of(anyk.FractionalRepetition, blocks=4, stragglers=2, adversaries=2),
        5,
        stragglers=0,
        adversaries=1,
    ),
    short(
        "Take {} workers, or lower stragglers, adversaries or detects.",
        of(anyk.FractionalRepetition, blocks=4, stragglers=1, adversaries=1, detects=2),
        4,
        stragglers=0,
        detects=1,
    ),
    short(
        "Take {} workers, or lower batches.",
        of(anyk.BatchedCoupons, blocks=4, batches=3),
        2,
        batches=2,
    ),
    short(
        "Take {} workers, or lower blocks, adversaries or detects.",
        of(anyk.Replication, blocks=2, adversaries=1, detects=2),
        7,
        blocks=1,
        adversaries=0,
        detects=1,
    ),
    short(
        "Add {} worker, or lower blocks, degree, stragglers or adversaries.",
        of(anyk.AnalogLagrange, blocks=2, degree=2, stragglers=1, adversaries=1),
        5,
        blocks=1,
        degree=1,
        stragglers=0,
        adversaries=0,
    ),
    short(
        "Add {} workers, or lower stragglers.",
        of(anyk.Berrut, blocks=2, stragglers=5),
        5,
        stragglers=0,
    ),
    short(
        "Add {} workers, or lower stragglers or adversaries.",
        of(anyk.Berrut, blocks=2, stragglers=4, adversaries=1),
        7,
        stragglers=0,
        adversaries=0,
    ),
    short(
        "Add {} worker, or lower blocks or adversaries.",
        of(anyk.Spline, blocks=2, adversaries=2, stragglers=0),
        5,
        adversaries=0,
    ),
    short(
        "Add {} workers, or lower stragglers.",
        of(anyk.FilledReplication, blocks=2, stragglers=5),
        4,
        stragglers=0,
    ),
    short(
        "Add {} workers, or lower blocks.",
        of(anyk.VeiledReplication, blocks=4, stragglers=0, **NOISE),
        2,
        blocks=1,
    ),
    short(
        "Add {} worker, or lower blocks, degree or stragglers.",
        of(anyk.ChebyshevLagrange, blocks=3, degree=2, stragglers=2),
        6,
        blocks=2,
        degree=1,
        stragglers=1,
    ),
    short(
        "Take {} workers, or lower stragglers.",
        of(anyk.CyclicRepetition, stragglers=4),
        3,
        stragglers=0,
    ),
    short(
        "Take {} workers, or lower stragglers or detects.",
        of(anyk.CyclicRepetition, stragglers=2, detects=2),
        4,
        stragglers=1,
        detects=1,
    ),
    short(
        "Take {} workers, or lower stragglers, adversaries or detects.",
        of(anyk.PartialWork, stragglers=2, adversaries=1, detects=2),
        5,
        stragglers=0,
        adversaries=0,
        detects=1,
    ),
    short(
        "Take {} workers, or lower adversaries.",
        of(anyk.Polynomial, partition=(2, 1, 2), adversaries=1),
        4,
        adversaries=0,
    ),
    short(
        "Take {} workers, or lower detects.",
        of(anyk.Polynomial, partition=(2, 1, 2), detects=2),
        5,
        detects=0,
    ),
    short(
        "Take {} workers, or lower colluders.",
        of(anyk.CSA, partition=(1, 1, 1), batch=4, groups=2, colluders=1),
        6,
        colluders=0,
    ),
    short("Take {} workers.", of(anyk.Polynomial, partition=(3, 1, 2), pieces=2), 2),
    tried(
        "Allow 0.16 bits, or take {} workers.",
        lambda: anyk.VeiledReplication(1, 2, colluders=1, leakage=0.01, stragglers=0),
        lambda workers: anyk.VeiledReplication(1, workers, colluders=1, leakage=0.01, stragglers=0),
        lambda _: anyk.VeiledReplication(1, 2, colluders=1, leakage=0.16, stragglers=0),
    ),
    tried(
        "Lower sigma (leak more), radius, degree or blocks, or raise tolerance.",
        lambda: analog(),
        lambda: analog(leakage=1.0),
        lambda: analog(degree=1),
        lambda: analog(tolerance=1e-3),
    ),
    tried(
        'Pass "path", or None to keep the given order.',
        lambda: anyk.Spline(4, 20, ordering="given"),
        lambda: anyk.Spline(4, 20, ordering="path"),
        lambda: anyk.Spline(4, 20, ordering=None),
    ),
    tried(
        "Nothing to compute: leave the call out.",
        lambda: SCHEME.encode(np.zeros((2, 0), int)),
        lambda: None,
    ),
    tried(
        "Nothing to multiply: leave the call out.",
        lambda: CODE.encode((np.zeros((2, 0), int), np.zeros((0, 2), int))),
        lambda: None,
    ),
    tried(
        "Lower fraction_bits, or the degree of the function.",
        lambda: deep(1000),
        lambda: deep(8),
        lambda: deep(1000, degree=1),
    ),
    tried(
        "Lower colluders or workers: some shares are too much alike.",
        lambda: noise(colluders=2),
        lambda: noise(colluders=1),
        lambda: noise(colluders=1, workers=1),
    ),
    # copies that agree
    tried(
        "Make one, such as anyk.Spline(4, 20).",
        lambda: anyk.Agreed(anyk.Spline),
        lambda: anyk.Agreed(anyk.Spline(4, 20)),
    ),
    tried(
        "at most copies={}, as no more workers answer on a share. Lower it, or take more copies.",
        lambda: agreed(copies=2, agree=3),
        lambda most: agreed(copies=2, agree=most),
        lambda _: agreed(copies=3, agree=3),
    ),
    tried(
        "are equal or differ. Leave it out.",
        lambda: anyk.Agreed(anyk.Lagrange(2, 1, 6), rtol=0.1),
        lambda: anyk.Agreed(anyk.Lagrange(2, 1, 6)),
    ),
    tried(
        "Take {} workers, or fewer copies.",
        lambda: agreed(copies=3, workers=40),
        lambda workers: agreed(copies=3, workers=workers),
        lambda _: agreed(copies=2, workers=40),
        less=lambda workers: agreed(copies=3, workers=workers),
    ),
    tried(
        "Let the scheme within survive more stragglers, or lower adversaries.",
        lambda: anyk.Agreed(anyk.Spline(4, 20, stragglers=2), adversaries=3),
        lambda: anyk.Agreed(anyk.Spline(4, 20, stragglers=3), adversaries=3),
        lambda: anyk.Agreed(anyk.Spline(4, 20, stragglers=2), adversaries=2),
    ),
    *(
        tried(
            "Pass a list of outcomes.",
            lambda given=given: agreed().liars_in(given),
            lambda: agreed().liars_in([RECOVERED]),
        )
        for given in (3, [3])
    ),
]


def analog(**named):
    usual = {
        "blocks": 2,
        "degree": 3,
        "workers": 12,
        "colluders": 2,
        "leakage": 1e-3,
        "tolerance": 1e-9,
    }
    return anyk.AnalogLagrange(**{**usual, **named})


def masked(**named):
    return anyk.MatDot((1, 2, 1), 7, domain=anyk.Complex(), colluders=1, **named)


def noise(colluders, workers=2):
    """Noise for two shares that differ by the data alone."""
    data, masks = np.array([[1.0], [2.0]])[:workers], np.ones((workers, 1))
    return noise_for(data, masks, colluders, variance=1.0, leakage=0.5)


def agreed(**named):
    return anyk.Agreed(anyk.Spline(4, 20, stragglers=4), **named)


def deep(bits, degree=2):
    with anyk.Inline(6) as executor:
        embedding = anyk.FixedPoint(fraction_bits=bits, magnitude=2.0**-bits * 4)
        return anyk.run(
            anyk.Lagrange(2, 2, 6), lambda x: x**degree, np.zeros(2), executor, embedding=embedding
        )


RECOVERED = agreed().encode(np.zeros(4)).decode(np.zeros(40), range(40))
