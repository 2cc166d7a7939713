"""Text as it may stand in a header of a mail: one line, ASCII, folded (RFC 5322, RFC 2047)."""

import re
from base64 import b64encode
from collections.abc import Sequence
from functools import lru_cache

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_PLAIN = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+"
_PLAIN_ADDRESS = re.compile(_PLAIN)
_PLAIN_ADDRESSES = re.compile(f"(?:{_PLAIN}\n)*")
_UNFIT_ADDRESS = re.compile(r'[\x00-\x20\x7f-\xa0\u2028\u2029<>()\[\],;:\\"]')
_PRINTABLE = re.compile(r"[ -~]*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")

LONGEST_LINE = 76  # where a line holds an encoded word (RFC 2047, section 2)
_WORD_BYTES = 39  # of UTF-8 in an encoded word, so that one fits behind `Subject: `
_SHORT = 60  # what fits on a line behind any header's name


def one_line(text: str) -> str:
    """The text with every run of line breaks and control characters as one space, and none around it."""
    return text.strip() if text.isprintable() else _CONTROL.sub(" ", text).strip()


def unstructured(name: str, text: str) -> bytes:
    """A whole header whose value is plain text, such as Subject, folded and closed with a line break."""
    value = one_line(text)
    lines = _fold(value, len(name) + 2) if _is_plain(value) else None
    folded = "\r\n ".join(lines or encoded_words(value))
    return f"{name}: {folded}\r\n".encode("ascii")


def phrase(text: str) -> str:
    """A display name: bare, quoted or in encoded words, as it needs; folded where it is long; nothing for no name."""
    value = one_line(text)
    if not value:
        return ""
    if len(value) > _SHORT or not _is_plain(value):
        return "\r\n ".join(encoded_words(value))
    if _ATOMS.fullmatch(value):
        return value
    escaped = value.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'


def mailbox(name: str, address: str) -> bytes:
    """`Name <address>`, or `<address>` where there is no name; the address must be fit for the wire."""
    shown = phrase(name)
    if not shown:
        return f"<{address}>".encode()
    separator = " " if len(shown) + len(address) < LONGEST_LINE - len("Reply-To:  <>") else "\r\n "
    return f"{shown}{separator}<{address}>".encode()


def encoded_words(text: str) -> list[str]:
    """The text as words of RFC 2047 that no line is too short for; readers join them without the space between."""
    encoded = text.encode("utf-8", "replace")
    words: list[str] = []
    start = 0
    while start < len(encoded):
        end = start + _WORD_BYTES
        while end < len(encoded) and encoded[end] & 0b1100_0000 == 0b1000_0000:
            end -= 1  # a character stays in one word
        words.append(f"=?utf-8?b?{b64encode(encoded[start:end]).decode('ascii')}?=")
        start = end
    return words


def are_plain_addresses(emails: Sequence[str]) -> bool:
    """Whether all of them may stand on the wire as they are; one look for all costs a third of a look at each."""
    together = "".join([f"{email}\n" for email in emails])
    return together.count("\n") == len(emails) and _PLAIN_ADDRESSES.fullmatch(together) is not None


def wire_address(email: str) -> str:
    """The address as it stands in commands and headers, with the domain in ASCII (RFC 5891).

    Raises ValueError where it could break out of a header or a command.
    """
    if _PLAIN_ADDRESS.fullmatch(email):
        return email
    local, at, domain = email.rpartition("@")
    if not (local and at and domain) or "@" in local or _UNFIT_ADDRESS.search(email):
        raise ValueError("it is not an e-mail address")
    return email if domain.isascii() else f"{local}@{_ascii_domain(domain)}"


@lru_cache(maxsize=1024)
def _ascii_domain(domain: str) -> str:
    import idna  # its tables are large, and few lists need them

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as err:
        raise ValueError(f"its domain cannot exist ({err})") from err


def _is_plain(value: str) -> bool:
    """Whether readers show these signs as they are: no encoding needed, and nothing that looks like one."""
    return _PRINTABLE.fullmatch(value) is not None and "=?" not in value and "  " not in value


def _fold(value: str, offset: int) -> list[str] | None:
    """The value on lines that are broken at spaces; None where a word is too long for that."""
    lines = [""]
    for word in value.split(" "):
        if len(word) > _SHORT:
            return None
        width = LONGEST_LINE - (offset if len(lines) == 1 else 1)
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return lines
