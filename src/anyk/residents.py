"""What is prepared of shares that stay on a worker, once and not for every call."""

from __future__ import annotations

import threading
import weakref
from typing import Any, Final, final

from numpy.typing import NDArray

from anyk.domains.base import AbstractDomain, Prepared

__all__ = ["RESIDENTS", "Residents"]

_Known = dict[int, tuple[AbstractDomain, Prepared | None]]  # by piece, for the domain asked last


@final
class Residents:
    """What domains have prepared of shares, as long as the arrays of these are there.

    Of each share no more than one domain's, the one that asked last: whoever asks for many domains
    makes nothing grow.

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
        self._known: dict[int, tuple[weakref.ref[Any], _Known]] = {}

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
        found = known.get(piece)
        if found is None or found[0] != domain:
            found = known[piece] = domain, domain.prepared(part[piece, ...])
        return found[1]

    def _of(self, part: NDArray[Any]) -> _Known:
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
