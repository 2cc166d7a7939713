"""E-mail addresses as the list keeps them, and when two of them are the same person."""

import unicodedata

import idna


def canonical_address(email: str) -> str:
    """The address as given, with its domain in lower case."""
    local, at, domain = email.rpartition("@")
    return f"{local}{at}{domain.lower()}"


def person_of(email: str) -> str:
    """The key that two spellings of one person's address share.

    Addresses are compared without regard to case, and their domains in the ASCII form of IDNA (RFC 5891). Mail
    servers may tell local parts apart by case (RFC 5321, section 2.4); none in use does, and people do not.
    """
    if email.isascii():
        return email.lower()
    local, at, domain = unicodedata.normalize("NFC", email).rpartition("@")
    return f"{local.casefold()}{at}{_ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        return domain.casefold()
