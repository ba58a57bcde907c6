"""All schemes, one row each: planner, conformance tests and the docs' table are made from it."""

from __future__ import annotations

from typing import Final

from anyk.schemes.approximate.analog_lagrange import scheme as analog_lagrange
from anyk.schemes.approximate.berrut import scheme as berrut
from anyk.schemes.approximate.chebyshev_lagrange import scheme as chebyshev_lagrange
from anyk.schemes.approximate.filled_replication import scheme as filled_replication
from anyk.schemes.approximate.spline import scheme as spline
from anyk.schemes.approximate.veiled_replication import scheme as veiled_replication
from anyk.schemes.maps import lagrange, replication, shamir
from anyk.schemes.products import (
    circulant,
    csa,
    entangled,
    folded_gram,
    gcsa,
    matdot,
    mds,
    ortho_matdot,
    ortho_polynomial,
    polydot,
    polynomial,
    residues,
    rotation,
    short_dot,
    sparse,
    uncoded,
)
from anyk.schemes.row import SchemeRow, WrapperRow
from anyk.schemes.sums import (
    batched_coupons,
    cyclic_mds,
    cyclic_repetition,
    expander_repetition,
    fractional_repetition,
    frobenius,
    harmonic,
    partial_work,
    ye_abbe,
)
from anyk.schemes.wrappers import agreed_row, summed

__all__ = ["CATALOGUE"]

CATALOGUE: Final[tuple[SchemeRow | WrapperRow, ...]] = (
    lagrange.ROW,
    shamir.ROW,
    replication.ROW,
    analog_lagrange.ROW,
    chebyshev_lagrange.ROW,
    filled_replication.ROW,
    veiled_replication.ROW,
    spline.ROW,
    berrut.ROW,
    harmonic.ROW,
    frobenius.ROW,
    cyclic_repetition.ROW,
    cyclic_mds.ROW,
    expander_repetition.ROW,
    fractional_repetition.ROW,
    partial_work.ROW,
    batched_coupons.ROW,
    ye_abbe.ROW,
    summed.ROW,
    agreed_row.ROW,
    uncoded.ROW,
    polynomial.ROW,
    mds.ROW,
    ortho_matdot.ROW,
    ortho_polynomial.ROW,
    rotation.ROW,
    circulant.ROW,
    residues.ROW,
    matdot.ROW,
    polydot.ROW,
    entangled.ROW,
    csa.ROW,
    gcsa.ROW,
    folded_gram.ROW,
    short_dot.ROW,
    sparse.ROW,
)
