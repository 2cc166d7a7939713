"""Web addresses in running text: where one ends, and whether two lead to the same place."""

import re
from typing import Final
from urllib.parse import unquote, urlsplit

import idna

_LATIN = r"\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u036f\u1e00-\u1eff"
_SOLID = rf"A-Za-z0-9/#$%+=@\-{_LATIN}"
# Scripts that put spaces between words. Their letters belong to an address if they begin one of its parts.
_SPACED_SCRIPTS = (
    r"[\u0370-\u037d\u037f-\u0386\u0388-\u03ff\u1f00-\u1fff]++|[\u0400-\u052f]++|[\u0531-\u0556\u0561-\u0587]++"
    r"|[\u05d0-\u05ea]++|[\u0620-\u0669\u066e-\u06d3]++|[\u0900-\u0963\u0966-\u096f]++|[\u10a0-\u10fa]++"
)
_INSIDE = rf"[{_SOLID}]|&amp;|(?<=[/.=?#&_~+:@-])(?:{_SPACED_SCRIPTS})"
# Signs that end an address, unless more of it follows.
_SOFT = r"(?:[.,:;!?'_~|]|&(?!\#?[A-Za-z0-9]{1,31};)|\*(?!\*))"
# `Compassion_(Buddhism)`: brackets belong to an address in pairs. The limit keeps a text of brackets fast.
_PAIRS = rf"\((?:{_INSIDE}|{_SOFT}){{0,200}}+\)|\[(?:{_INSIDE}|{_SOFT}){{0,200}}+\]"
_MORE = rf"(?:{_INSIDE}|{_PAIRS}|{_SOFT}++(?={_INSIDE}|[(\[]))*+"
# A label of a host is in one script, so that a word glued to a host without a path is not taken for part of it.
_LABEL = rf"(?:[A-Za-z0-9\-{_LATIN}]++|[^\W\d_A-Za-z{_LATIN}]++)"
_HOST = rf"(?:[\w.~+%-]{{1,64}}+(?::[\w.~+%-]{{0,64}}+)?@)?{_LABEL}(?:\.{_LABEL})*+(?::\d{{1,5}}+)?"

# An address that begins with http:// or https://. It ends before a closing quote, a dash, an invisible character, a
# letter of another script, and a bracket or a punctuation mark that belongs to the sentence.
WEB_ADDRESS: Final = re.compile(rf"(?<![A-Za-z0-9+.-])https?://{_HOST}(?:[/?#]{_MORE})?", re.IGNORECASE)


def comparable_address(address: str) -> str:
    """Return an address in a form that is equal for all spellings of it.

    The scheme, `www.`, percent signs, the letters of an international host and a slash at the end make no difference.
    """
    address = address.strip().removeprefix("mailto:").removeprefix("tel:")
    web = re.sub(r"\Ahttps?://", "", address, flags=re.IGNORECASE)
    host, rest = _parted(web)
    return f"{ascii_host(host).removeprefix('www.')}{unquote(rest).rstrip('/')}"


def _parted(web: str) -> tuple[str, str]:
    end = next((match.start() for match in re.finditer(r"[/?#]", web)), len(web))
    return web[:end], web[end:]


def ascii_host(host: str) -> str:
    """Return a host in lowercase, with an international name in the form that DNS uses (xn--…)."""
    host = host.casefold()
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        return host


def host_of_address(address: str) -> str:
    """Return the host of an address in its DNS form, or an empty string if there is none."""
    try:
        return ascii_host(urlsplit(address).hostname or "")
    except ValueError:
        return ""
