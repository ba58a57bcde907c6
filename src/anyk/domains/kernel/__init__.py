"""The hot kernel: exact products of matrices modulo a number below 2**31, by float64 BLAS.

BLAS makes no rounding error where no sum of absolute values of terms is above 2**53, in whatever
order it adds them. So residues are taken as small as may be, and sums as long as they stay exact
(`form`): an operand is centred, |a| <= p // 2, and one of the two is cut where that is needed.

Reference: Dumas, Giorgi, Pernet: Dense linear algebra over word-size prime fields: the FFLAS and
FFPACK packages (ACM TOMS 2008), section 2, for reductions delayed within the mantissa.
"""

from anyk.domains.kernel.product import modular_matmul
from anyk.domains.kernel.stack import modular_stack

__all__ = ["modular_matmul", "modular_stack"]
