"""The environment: what of it helper programs are handed, and what of it must never be shown."""

import os
import re
from collections.abc import Mapping

from newsletter.model.address import masked

# Where programs and their libraries are, which language they speak, and where they may put things down.
_NEEDED = frozenset(
    {"LANG", "LD_LIBRARY_PATH", "LOCALAPPDATA", "PATH", "PROGRAMFILES", "PROGRAMFILES(X86)", "SYSTEMROOT", "TEMP"}
    | {"TMP", "TMPDIR", "TZ"}
)
_SECRET_NAME = re.compile("KEY|SECRET|TOKEN|PASS|CREDENTIAL|AUTH|COOKIE|DSN", re.IGNORECASE)
_SHORTEST_SECRET = 4  # characters; shorter values, such as 1 or yes, are switches
_URL_LOGIN = re.compile(r"(?<=://)[^/\s@]+(?=@)")
_CONCEALED = "•••"


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
