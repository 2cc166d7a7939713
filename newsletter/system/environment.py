"""The process's environment: what helper programs may see of it, its secrets, NEWSLETTER_KEY, and certificates.

The key is needed to erase people and to sign proofs. It comes only from the environment, never from a file or the
database.
"""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from newsletter.errors import InputError
from newsletter.model.address import masked

VARIABLE = "NEWSLETTER_KEY"
HOW_TO_MAKE_ONE = (
    "create a key with `openssl rand -hex 32` and keep it with your other secrets (docs/privacy.md, The key)"
)

# The locations of programs and libraries, the language and time zone, and the folder for temporary files.
_NEEDED = frozenset(
    {"LANG", "LD_LIBRARY_PATH", "LOCALAPPDATA", "PATH", "PROGRAMFILES", "PROGRAMFILES(X86)", "SYSTEMROOT", "TEMP"}
    | {"TMP", "TMPDIR", "TZ"}
)
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")  # the variables in which OpenSSL looks for certificates
_SECRET_NAME = re.compile("KEY|SECRET|TOKEN|PASS|CREDENTIAL|AUTH|COOKIE|DSN", re.IGNORECASE)
_SHORTEST_SECRET = 4  # characters; shorter values, such as 1 or yes, are switches
_OWN_SECRETS = ("SENDGRID_API_KEY", "NEWSLETTER_SMTP_PASSWORD", "NEWSLETTER_IMAP_PASSWORD", VARIABLE, "PGPASSWORD")
_SENDGRID_KEY = re.compile(r"\bSG\.[\w-]{16,}\.[\w-]{16,}")
_URL_LOGIN = re.compile(r"(?<=://)[^/\s@]+(?=@)")
_CONCEALED = "•••"
_SHORTEST_KEY = 32  # characters; as hexadecimal digits these are 128 bits, too many to guess
# What the secret is used for. Each use has a key of its own, so that none reveals another.
_FORGETTING, _SIGNING = b"forgotten", b"proofs"


def bare_surroundings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that helper programs (Chromium, SpamAssassin, resvg) need to start, and no secrets."""
    return {name: value for name, value in environ.items() if name.upper() in _NEEDED}


def harmless_surroundings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return all variables except secrets, for the user's own programs, such as their browser.

    The path of a file is not a secret, although a name such as `XAUTHORITY` looks like one.
    """
    return {name: value for name, value in environ.items() if not _SECRET_NAME.search(name) or _is_path(value)}


def _is_path(value: str) -> bool:
    with suppress(OSError, ValueError):  # longer than a path can be, or with a character that none has
        return Path(value).is_absolute() and Path(value).exists()
    return False


def conceal(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the text without secrets and with masked addresses, for logs and reports.

    A secret is the value of a variable whose name suggests one, such as `…_TOKEN`, as it is or as Python's `repr`
    writes it. The login in a URL is a secret too.
    """
    values = {value.strip() for name, value in environ.items() if _SECRET_NAME.search(name)}
    forms = {form for value in values if len(value) >= _SHORTEST_SECRET for form in (value, repr(value)[1:-1])}
    for form in sorted(forms, key=len, reverse=True):  # longest first, since a secret may be part of a longer one
        text = text.replace(form, _CONCEALED)
    return _URL_LOGIN.sub(_CONCEALED, masked(text))


def is_secret(text: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether a text contains a key of SendGrid, or is one of this program's secrets in the environment."""
    known = {environ.get(name, "").strip() for name in _OWN_SECRETS} - {""}
    return text.strip() in known or bool(_SENDGRID_KEY.search(text))


def forget_key(environ: Mapping[str, str] = os.environ) -> bytes | None:
    """Return the key by which erased people are recognized, or None if the secret is not in the environment.

    Raise InputError if the secret is too short. The message never contains it.
    """
    return _key_for(_FORGETTING, environ)


def proof_key(environ: Mapping[str, str] = os.environ) -> bytes | None:
    """Return the 32 bytes from which the key that signs proofs is made. Otherwise, do the same as `forget_key`."""
    return _key_for(_SIGNING, environ)


def _key_for(use: bytes, environ: Mapping[str, str]) -> bytes | None:
    secret = environ.get(VARIABLE, "").strip()
    if not secret:
        return None
    if len(secret) < _SHORTEST_KEY:
        raise InputError(f"{VARIABLE} is shorter than {_SHORTEST_KEY} characters; {HOW_TO_MAKE_ONE}")
    return blake2b(secret.encode("utf-8", "surrogateescape"), digest_size=32, person=use).digest()


def certificate_notes() -> tuple[str, ...]:
    """Return one note for each setting in the environment that names certificates which cannot be read."""
    return tuple(
        f"{name} is {os.environ[name]}, which cannot be read, so the system's certificates are used; correct it, or "
        f"run: unset {name}"
        for name in CERTIFICATES
        if is_stale(name)
    )


def is_stale(name: str) -> bool:
    """Return whether a variable names a file or folder that cannot be read."""
    path = os.environ.get(name, "")
    return bool(path) and not os.access(path, os.R_OK)
