"""The environment: what helper programs get of it, what of it must never be shown, and the key that it holds.

With the key people are forgotten. It comes from the environment alone, never from a file or the database.
"""

import os
import re
from collections.abc import Mapping
from hashlib import blake2b

from newsletter.errors import InputError
from newsletter.model.address import masked

VARIABLE = "NEWSLETTER_KEY"
HOW_TO_MAKE_ONE = "`openssl rand -hex 32` makes one; keep it with your other secrets (docs/privacy.md, The key)"

# Where programs and their libraries are, which language they speak, and where they may put things down.
_NEEDED = frozenset(
    {"LANG", "LD_LIBRARY_PATH", "LOCALAPPDATA", "PATH", "PROGRAMFILES", "PROGRAMFILES(X86)", "SYSTEMROOT", "TEMP"}
    | {"TMP", "TMPDIR", "TZ"}
)
_SECRET_NAME = re.compile("KEY|SECRET|TOKEN|PASS|CREDENTIAL|AUTH|COOKIE|DSN", re.IGNORECASE)
_SHORTEST_SECRET = 4  # characters; shorter values, such as 1 or yes, are switches
_URL_LOGIN = re.compile(r"(?<=://)[^/\s@]+(?=@)")
_CONCEALED = "•••"
_SHORTEST_KEY = 32  # characters: of hexadecimal digits that is 128 bits, which nobody can try out
_USE = b"forgotten"  # so that the same secret may serve other uses, none of which tells about another


def bare_surroundings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that helper programs (Chromium, SpamAssassin, resvg) need to start, and no secrets."""
    return {name: value for name, value in environ.items() if name.upper() in _NEEDED}


def conceal(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the text without secrets and with masked addresses, for what is written into logs and reports.

    A secret is the value of a variable that is named like one, also in the form in which Python quotes it, and the
    login in a URL.
    """
    values = {value.strip() for name, value in environ.items() if _SECRET_NAME.search(name)}
    forms = {form for value in values if len(value) >= _SHORTEST_SECRET for form in (value, repr(value)[1:-1])}
    for form in sorted(forms, key=len, reverse=True):  # a secret may be part of a longer one
        text = text.replace(form, _CONCEALED)
    return _URL_LOGIN.sub(_CONCEALED, masked(text))


def forget_key(environ: Mapping[str, str] = os.environ) -> bytes | None:
    """Return the key that the environment holds, or None where it holds none.

    Raise InputError where it is too short to be one; the message never holds it.
    """
    secret = environ.get(VARIABLE, "").strip()
    if not secret:
        return None
    if len(secret) < _SHORTEST_KEY:
        needed = f"needs at least {_SHORTEST_KEY}; {HOW_TO_MAKE_ONE}"
        raise InputError(f"{VARIABLE} has {len(secret)} characters and {needed}")
    return blake2b(secret.encode("utf-8", "surrogateescape"), digest_size=32, person=_USE).digest()
