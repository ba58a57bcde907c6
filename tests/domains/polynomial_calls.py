"""All that is polynomial in numpy, as functions of two arrays, and what they are exactly."""

import itertools

import numpy as np

MASK = np.array([[True, False, True], [False, True, True], [True, True, False]])
WHOLE = np.array([[1, -2, 3], [0, 5, -1], [2, 2, 7]])


def determinant(a):
    """By the sum over all permutations, of objects."""
    size = a.shape[-1]
    total = a[..., 0, 0][()] * 0
    for order in itertools.permutations(range(size)):
        sign = (-1) ** sum(order[i] > order[j] for i in range(size) for j in range(i + 1, size))
        term = a[..., 0, 0][()] * 0 + sign
        for row, column in enumerate(order):
            term = term * a[..., row, column][()]
        total = total + term
    return total


def det(a):
    return determinant(a) if isinstance(a, np.ndarray) else np.linalg.det(a)


def written(x, y):
    """In-place code: views and the array itself are written in."""
    x, y = x.copy(), y.copy()
    x += y
    x[0] = y[1] * y[2]
    row = x[1]
    row *= 2
    x[MASK] = 1
    y[:] = x
    y -= 1
    x[0, 1] = y[1, 1] * y[0, 2]
    x.T[2] += y[0]
    return np.stack([x, y])


def recurrence(x, y):
    """Filled from zeros, one entry after the other."""
    out = np.zeros_like(x)
    for i in range(3):
        out[i] = x[i] * y[2 - i] + 3
    return out


def horner(x, _):
    out = np.zeros_like(x)
    for each in (1, -2, 3):
        out = out * x + each
    return out


def cumulative_with_ints(x, y):
    return np.cumprod(x, axis=1)[:, ::-1] + np.cumsum(y, axis=0) * 2


def lowest_first(x, _):
    """numpy makes floats of the coefficients, which Python's large integers do not survive."""
    if isinstance(x, np.ndarray):
        return np.polyval([3, 2, 1], x)
    return np.polynomial.polynomial.polyval(x, [1, 2, 3])


EXPRESSIONS = """
x.T
x.mT
x[1, ::-1]
x[MASK]
y[[2, 0, 2]]
x[:, None]
x.ravel()
x.flatten()
x.copy()
x[None].squeeze()
x.swapaxes(0, 1)
x.take([0, 2], axis=1)
x.repeat(2, axis=0)
x.diagonal(1)
np.copy(x)
np.pad(x, 1)
np.pad(x, ((1, 0), (2, 1)), constant_values=3)
np.pad(x, 1, mode="edge")
np.pad(x, 1, "wrap")
np.split(x, 3)[1]
np.array_split(x, 2)[0]
np.hsplit(x, [1])[1]
np.vsplit(x, 3)[2]
np.block([[x, y], [WHOLE, x]])
np.append(x, y)
np.append(x, WHOLE, axis=0)
np.insert(x, 1, 7, axis=0)
np.insert(x, 1, y[0], axis=1)
np.delete(x, 1, axis=0)
np.where(MASK, x, y)
np.where(MASK, 5, y)
np.select([MASK, ~MASK.T], [x, y], default=2)
np.compress([True, False, True], x, axis=0)
np.stack([x, WHOLE, y])
np.concatenate([x, y], axis=1)
np.hstack((x, y))
np.vstack([x, [1, 2, 3]])
np.dstack([x, y])
np.column_stack([x[0], y[1]])
np.concatenate(x)
np.rot90(x)
np.fliplr(x)
np.flipud(x)
np.rollaxis(x, 1)
np.roll(x, 1, 0)
np.tile(x, (2, 1))
np.matrix_transpose(x)
np.permute_dims(x, (1, 0))
np.take_along_axis(x, np.array([[0], [1], [2]]), 1)
np.tril(x)
np.triu(x, 1)
np.diag(x[0])
np.diagflat(x[0], 1)
np.full_like(x, 3)
np.zeros_like(x) + y
np.ones_like(x) * y
np.ones_like(x)
np.unstack(x)[1]
np.atleast_3d(x)
np.broadcast_arrays(x, y[0])[1]
np.resize(x, (2, 2))
np.stack([row + 1 for row in x])
x + list(y)
x + y
x - y
-x
x + 1
5 - x
WHOLE - x
np.add(WHOLE, y)
x + WHOLE.astype(np.uint8) % 3
x * MASK + True
x + y[0]
x.sum()
x.sum(axis=0, keepdims=True)
np.sum(x, axis=(0, 1))
x.cumsum()
np.cumsum(x, axis=1)
x.trace()
np.trace(x, 1)
np.diff(x)
np.diff(x, 2, axis=0)
np.diff(x, prepend=0, append=y)
np.ediff1d(x)
np.linalg.trace(x)
np.add.reduce(x)
np.add.accumulate(x)
np.add.outer(x[0], y)
np.subtract.outer(WHOLE[0], y)
x[:0].sum(axis=0)
x * y
3 * x
WHOLE @ x
x @ WHOLE
x * 0 + y
(x * 0 + 1) * y
np.square(x)
x ** 3
x ** 0
np.power(x, 2)
x @ y
np.stack([x, y]) @ x
x[0] @ y[0]
np.stack([x, y])[:, None] @ np.stack([y, x, y])[None]
x[0] @ np.stack([x, y])
x * y + x
x * x + x + 1
x * x - y * 3 - 2
(x @ x.T - 1) ** 2
x.dot(y)
np.dot(x, y[0])
np.dot(x[0, 0], y)
np.dot(np.stack([x, y]), np.stack([y, x]))
np.inner(x, y)
np.inner(x[0, 0], y)
np.outer(x, y)
np.vdot(x, y)
np.vecdot(x, y)
np.vecdot(x, y, axis=0)
np.tensordot(x, y)
np.tensordot(x, y, 1)
np.tensordot(x[0], y, 0)
np.tensordot(x, y, axes=([1, 0], [0, 1]))
np.kron(x, y)
np.kron(x[0], y)
np.kron(WHOLE, y)
np.cross(x, y)
np.cross(x, y, axis=0)
np.linalg.cross(x, y)
np.linalg.outer(x[0], y[0])
np.convolve(x[0], y.ravel())
np.convolve(x[0], y.ravel(), "same")
np.convolve(x.ravel(), y[0], "valid")
np.convolve([1, -1], x[0])
np.correlate(x.ravel(), y[0])
np.correlate(x[0], y.ravel(), "full")
np.correlate(x.ravel(), y[0, :2], "same")
np.correlate(x[0], y.ravel(), "same")
x.prod()
x.prod(axis=1, keepdims=True)
np.prod(x, axis=0)
np.cumprod(x, axis=0)
x[0].cumprod()
np.multiply.reduce(x)
np.multiply.outer(x, y[0])
np.multiply.accumulate(x)
np.linalg.matrix_power(x, 3)
np.linalg.matrix_power(x, 0)
np.linalg.multi_dot([x, y, x])
np.linalg.multi_dot([x, WHOLE, y[0]])
np.polyval([1, -2, 3], x)
np.polyval(y[0], x)
np.polyval(x[0], 2)
lowest_first(x, y)
np.poly1d([1, 2, 3])(x)
det(x)
det(x[:1, :1])
det(x[:2, :2])
det(np.stack([x, y]))
np.vander(x[0], 3)
np.vander(x[0], increasing=True)
written(x, y)
recurrence(x, y)
horner(x, y)
cumulative_with_ints(x, y)
np.stack([x * y, x, WHOLE])
np.block([[x * y], [x]])
np.where(MASK, x * x, y)
(x * x).sum(axis=0) - 2 * y.sum()
np.matvec(x, y[0])
np.vecmat(y[0], x)
np.einsum("ii->i", x)
np.einsum("ji", x)
np.einsum("ii", x)
np.einsum("ij->j", x)
np.einsum("ij,jk,kl->il", x, y, x)
np.einsum("ij,jk,kl->il", WHOLE, x, WHOLE)
np.einsum("ij,ik,il,im->jklm", x, y, x, WHOLE)
np.einsum(x, [0, 1], y, [1, 2], [2, 0])
np.einsum(x, [0, 1], y, [1, 2])
np.einsum("ij,ij->i", x, y[:1])
np.einsum("ij,jk->ik", x, y, optimize=True)
np.einsum("ij,jk->ik", x, y)
np.einsum("ij,jk", x, y)
np.einsum("ij,ij->", x, y)
np.einsum("ij,ij->ij", x, y)
np.einsum("ij,kl->ijkl", x, y)
np.einsum("ij,jk->kij", x, y)
np.einsum("ii,jj->ij", x, y)
np.einsum("ij,kj->ik", x, y)
np.einsum("ij,ik->jk", x, y)
np.einsum("ii,ij->j", x, y)
np.einsum("i...,...j->ij...", x, y)
np.einsum("...i,...i->...", x, y)
np.einsum("ij,ji", x, y)
np.einsum("ab,cb->ac", x, y)
np.einsum("ij,kl->", x, y)
np.einsum("ij,jj->i", x, y)
np.einsum("...,...->...", x, y)
np.einsum("ij,k...->i...", x, y)
np.einsum("i j , j k -> i k", x, y)
"""
CALLS = {
    text: eval(f"lambda x, y: {text}", globals())  # our own texts, which read best in rows
    for text in EXPRESSIONS.strip().splitlines()
}
