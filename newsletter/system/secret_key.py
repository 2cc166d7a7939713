"""The key with which people are forgotten: from the environment alone, never in a file or in the database."""

import os
from collections.abc import Mapping
from hashlib import blake2b

from newsletter.errors import InputError

VARIABLE = "NEWSLETTER_KEY"
HOW_TO_MAKE_ONE = (
    "`openssl rand -hex 32` makes one; keep it where you keep your other secrets (docs/privacy.md, The key)"
)

_SHORTEST = 32  # characters: of hexadecimal digits that is 128 bits, which nobody can try out
_USE = b"forgotten"  # so that the same secret may serve other uses, none of which tells about another


def forget_key(environ: Mapping[str, str] = os.environ) -> bytes | None:
    """The key that the environment holds; None where it holds none.

    Raises InputError where it is too short to be one; the message never holds it.
    """
    secret = environ.get(VARIABLE, "").strip()
    if not secret:
        return None
    if len(secret) < _SHORTEST:
        raise InputError(f"{VARIABLE} has {len(secret)} characters and needs at least {_SHORTEST}; {HOW_TO_MAKE_ONE}")
    return blake2b(secret.encode("utf-8", "surrogateescape"), digest_size=32, person=_USE).digest()
