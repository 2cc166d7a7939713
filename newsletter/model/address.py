"""Email addresses as the list stores them, and the rule that decides whether two belong to the same person."""

import re
import unicodedata

# Deliberately broad: anything before an @ or its encoded form in links, %40, with or without quotes. No local part is
# as long as 300 characters (RFC 5321, section 4.5.3.1), and the limit keeps the search fast.
_OUTSIDE = r"\s<>()\[\],;:\"@"
_ADDRESSES = re.compile(rf"""(?:"[^"\r\n]{{0,300}}"|([^{_OUTSIDE}'])[^{_OUTSIDE}]{{0,300}}?)(@|%40)(?=[\w\[-])""")


def canonical_address(email: str) -> str:
    """Return the address as given, with its domain in lowercase."""
    local, at, domain = email.rpartition("@")
    return f"{local}{at}{domain.lower()}"


def person_of(email: str) -> str:
    """Return the key that all spellings of one person's address share.

    Case is ignored, and domains are compared in the ASCII form of IDNA (RFC 5891). A mail server may treat local parts
    that differ only in case as different (RFC 5321, section 2.4), but no server in use does, and neither do people.
    Different letters are different mailboxes: `straße` and `strasse` are two people.
    """
    if email.isascii():
        return email.lower()
    local, at, domain = unicodedata.normalize("NFC", email).rpartition("@")
    return f"{_lowercase(local)}{at}{_ascii_domain(domain)}"


def broad_form(person: str) -> str:
    """Return the form of a person that does not keep letters such as `ß` and `ss` apart.

    Earlier versions told people apart by it, and the digests of forgotten people are still made from it.
    """
    if person.isascii():
        return person
    local, at, domain = person.rpartition("@")
    return f"{local.casefold()}{at}{domain}"


def masked(text: str) -> str:
    """Return the text with every address masked, for example as `r***@example.org`, for logs and saved messages."""
    return _ADDRESSES.sub(r"\1***\2", text) if "@" in text or "%40" in text else text


def _lowercase(text: str) -> str:
    """Return text in lowercase, letter for letter. Case folding would also turn `ß` into `ss`."""
    return text.lower().replace("ς", "σ")  # two small forms of one letter, and only one of them has a capital


def _ascii_domain(domain: str) -> str:
    import idna  # imported only when needed: its tables are large, and few lists need them

    try:
        return idna.encode(domain, uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        return _lowercase(domain)
