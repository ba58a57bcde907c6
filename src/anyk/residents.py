"""What is prepared of shares that stay on a worker, once and not for every call."""

from __future__ import annotations

import threading
import weakref
from typing import Any, Final, final

from numpy.typing import NDArray

from anyk.domains.base import AbstractDomain, Prepared

__all__ = ["RESIDENTS", "Residents"]

_Key = tuple[int, AbstractDomain]  # the piece, and what its numbers are


@final
class Residents:
    """What domains have prepared of shares, as long as the arrays of these are there.

    Example:
        >>> from anyk.residents import Residents
        >>> field, residents = anyk.PrimeField(7), Residents()
        >>> shares = field.at_rest(np.array([[1, 2], [3, 4]]))
        >>> residents.prepared(field, shares, 1), len(residents)
        ((), 1)
        >>> del shares
        >>> len(residents)
        0
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[int, tuple[weakref.ref[Any], dict[_Key, Prepared | None]]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def prepared(self, domain: AbstractDomain, part: NDArray[Any], piece: int) -> Prepared | None:
        """What the domain has prepared of one share, now or in a call before.

        Args:
            domain: of the numbers.
            part: of shares that stay, (shares, *shape), in which nobody writes.
            piece: which of them.
        """
        known = self._of(part)
        key = piece, domain
        if key not in known:
            known[key] = domain.prepared(part[piece, ...])
        return known[key]

    def _of(self, part: NDArray[Any]) -> dict[_Key, Prepared | None]:
        """What is known of an array; forgotten when it is gone."""
        place, known = id(part), self._known
        with self._lock:
            found = known.get(place)
            if found is None or found[0]() is not part:

                def forget(gone: weakref.ref[Any]) -> None:
                    if known.get(place, (None,))[0] is gone:
                        del known[place]

                found = known[place] = weakref.ref(part, forget), {}
            return found[1]


RESIDENTS: Final = Residents()
"""Of this process."""
