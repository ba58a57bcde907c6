"""`Identity`: the private keys of one party; `Member`: what others know of it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from anyk.checks import shown
from anyk.errors import InvalidArgument

__all__ = ["KEY_BYTES", "MOST_NAME", "SIGNATURE_BYTES", "Identity", "Member", "party_name"]

KEY_BYTES = 32
SIGNATURE_BYTES = 64
MOST_NAME = 64
"""Characters of the name of a party."""

_NAME = re.compile(rf"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{{0,{MOST_NAME - 1}}})", re.ASCII)
_PRIME = (1 << 255) - 19
_LOW = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    }
)
"""Coordinates of the points of order 1, 2, 4 and 8 on Curve25519 and its twist."""
_RAW = serialization.Encoding.Raw, serialization.PublicFormat.Raw


def party_name(argument: str, name: object) -> str:
    """Check the name of a party: letters, digits, `_`, `.` and `-`, at most 64 of them.

    Args:
        argument: its name, for the error.
        name: what came.

    Raises:
        InvalidArgument: if it is none.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidArgument(
            argument,
            given=shown(name),
            needed=f"a name of 1 to {MOST_NAME} letters, digits, _ . and -, no . or - in front",
            change="Give each party a short name in ASCII.",
        )
    return name


def _of_low_order(argument: str, key: bytes) -> bool:
    """Whether nothing can be sealed with a key, as any secret shared with it is 0."""
    return argument == "sealing" and int.from_bytes(key, "little") % (1 << 255) % _PRIME in _LOW


@final
@dataclass(frozen=True)
class Member:
    """What everybody knows of a party: its name and two public keys.

    Args:
        name: 1 to 64 letters, digits, `_`, `.` and `-`.
        signing: Ed25519 public key, 32 bytes: its signatures are checked with it.
        sealing: X25519 public key, 32 bytes: boxes for it are sealed with it.

    Raises:
        InvalidArgument: if one is none of these.
    """

    name: str
    signing: bytes
    sealing: bytes

    def __post_init__(self) -> None:
        party_name("name", self.name)
        for argument in ("signing", "sealing"):
            key = getattr(self, argument)
            if not isinstance(key, bytes) or len(key) != KEY_BYTES or _of_low_order(argument, key):
                raise InvalidArgument(
                    argument,
                    given=shown(key),
                    needed=f"a public key, {KEY_BYTES} bytes, and one that secrets follow from",
                    change="Take Identity.member, which has both.",
                )

    def signed(self, signature: bytes, message: bytes) -> bool:
        """Whether this party signed this message.

        Args:
            signature: 64 bytes; anything else is no signature.
            message: that it is of.
        """
        try:
            Ed25519PublicKey.from_public_bytes(self.signing).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@final
@dataclass(frozen=True, eq=False)
class Identity:
    """The private keys of one party: Ed25519 to sign, X25519 to open what was sealed for it.

    Its repr shows the name alone, and it does not pickle.

    Args:
        name: of the party, as it stands in the roster.
        signing: Ed25519 private key.
        opening: X25519 private key.

    Example:
        >>> from anyk import aggregation
        >>> identity = aggregation.Identity.generate("hospital-7")
        >>> identity, identity.member.name
        (Identity(name='hospital-7'), 'hospital-7')
    """

    name: str
    signing: Ed25519PrivateKey = field(repr=False)
    opening: X25519PrivateKey = field(repr=False)

    def __post_init__(self) -> None:
        party_name("name", self.name)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("an Identity holds private keys and does not pickle: save() it to a file")

    @classmethod
    def generate(cls, name: str) -> Identity:
        """Fresh keys, from the operating system's CSPRNG.

        Args:
            name: of the party.

        Raises:
            InvalidArgument: if the name can't be one.
        """
        return cls(name, Ed25519PrivateKey.generate(), X25519PrivateKey.generate())

    @property
    def member(self) -> Member:
        """What others may know, for the roster."""
        return Member(
            self.name,
            self.signing.public_key().public_bytes(*_RAW),
            self.opening.public_key().public_bytes(*_RAW),
        )

    def sign(self, message: bytes) -> bytes:
        """64 bytes that only this identity can make."""
        return self.signing.sign(message)

    def shared(self, public: bytes) -> bytes:
        """The secret that this identity shares with whoever has the other half of a key.

        Args:
            public: X25519 public key, 32 bytes.

        Raises:
            ValueError: if it is of a point of low order.
        """
        return self.opening.exchange(X25519PublicKey.from_public_bytes(public))

    def save(self, path: Path | str) -> None:
        """Write the keys to a new file that its owner alone may read.

        Args:
            path: where; a file that is there is not overwritten.

        Raises:
            FileExistsError: if there is a file.
        """
        text = f"{self.name} {self.signing.private_bytes_raw().hex()} "
        text += f"{self.opening.private_bytes_raw().hex()}\n"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)

    @classmethod
    def load(cls, path: Path | str) -> Identity:
        """Read what `save` wrote.

        Args:
            path: of the file.

        Raises:
            InvalidArgument: if it is no such file. The error does not show what is in it.
        """
        try:
            name, signing, opening = Path(path).read_text(encoding="ascii").split()
            keys = bytes.fromhex(signing), bytes.fromhex(opening)
            return cls(
                name,
                Ed25519PrivateKey.from_private_bytes(keys[0]),
                X25519PrivateKey.from_private_bytes(keys[1]),
            )
        except ValueError:  # also UnicodeDecodeError; its text may hold a part of a key
            pass
        raise InvalidArgument(
            "path",
            given=shown(str(path)),
            needed="a file that Identity.save wrote",
            change="Make one with Identity.generate(name).save(path).",
        )
