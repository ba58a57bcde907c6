"""What extension fields advise, and the codes of sums over them and of slices."""

import numpy as np
from tried import tried

import anyk
from anyk.works.without_constant import WithoutConstant

TWO, SEVEN = anyk.PrimeField(2), anyk.PrimeField(7)
FOUR = anyk.ExtensionField(TWO, 2)
X = np.array([[0, 1], [1, 1], [1, 0]])


def summed(function, X, blocks=3, others=()):
    """The sum over so many blocks of GF(4), by Frobenius."""
    with anyk.Inline(2) as executor:
        with anyk.distribute(anyk.Frobenius(blocks=blocks, field=TWO), X, executor) as data:
            return data.run(function, *map(data.encode, others)).value


def filled(blocks):
    return np.concatenate([blocks, np.zeros_like(blocks[:1])])


ROWS = [
    *(
        tried(
            "Pass anyk.PrimeField(2), say.", lambda call=call: call(7), lambda call=call: call(TWO)
        )
        for call in (
            lambda field: anyk.ExtensionField(field, 8),
            lambda field: anyk.Frobenius(blocks=3, field=field),
        )
    ),
    tried(
        "Pass m + 1 coefficients.",
        lambda: anyk.ExtensionField(SEVEN, 1, 3),
        lambda: anyk.ExtensionField(SEVEN, 1, (3, 1)),
    ),
    tried(
        "Leave it out, and one is found.",
        lambda: anyk.ExtensionField(TWO, 2, (1, 0, 1)),
        lambda: anyk.ExtensionField(TWO, 2),
    ),
    tried(
        "Add axes of length 1 before the last.",
        lambda: FOUR.multiply(X, X[:2]),
        lambda: FOUR.multiply(X[:, None], X[None, :2]),
    ),
    tried(
        "Reshape it to (..., 2).",
        lambda: FOUR.frobenius(X.ravel()[:, None]),
        lambda: FOUR.frobenius(X.ravel()[:, None].reshape(-1, 2)),
    ),
    tried(
        "Append a block of zeros to X, and take blocks= one more",
        lambda: WithoutConstant(lambda x: x + 1)([TWO.array(X)], []),
        lambda: summed(lambda x: x + 1, filled(X), 4),
    ),
    tried(
        "Append a block of zeros to X and to them, and take blocks= one more.",
        lambda: summed(np.add, X, others=[X]),
        lambda: summed(np.add, filled(X), 4, others=[filled(X)]),
    ),
    tried(
        "Take {} workers, or lower stragglers or message.",
        lambda: anyk.YeAbbe(4, 2, 3),
        lambda least: anyk.YeAbbe(least, 2, 3),
        lambda _: anyk.YeAbbe(4, 1, 3),
        lambda _: anyk.YeAbbe(4, 2, 1),
        less=lambda less: anyk.YeAbbe(less, 2, 3),
    ),
    tried(
        "a modulus of at least {}: N, and 1024 to tell the shape of a result. Take a larger prime; "
        "2**31 - 1 is the default.",
        lambda: anyk.YeAbbe(4, 1, 2, SEVEN),
        lambda least: anyk.YeAbbe(4, 1, 2, anyk.PrimeField(least + 7)),
        lambda _: anyk.YeAbbe(4, 1, 2, anyk.PrimeField(2**31 - 1)),
    ),
]
