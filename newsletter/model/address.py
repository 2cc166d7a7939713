"""E-mail addresses as the list keeps them, and when two of them are the same person."""

import re
import unicodedata

# Wide on purpose: what stands before an @, or before one that a link has encoded, however it is quoted or joined. No
# local part is as long as 300 characters (RFC 5321, section 4.5.3.1), and a bound keeps the search quick.
_OUTSIDE = r"\s<>()\[\],;:\"@"
_ADDRESSES = re.compile(rf"""(?:"[^"\r\n]{{0,300}}"|([^{_OUTSIDE}'])[^{_OUTSIDE}]{{0,300}}?)(@|%40)(?=[\w\[-])""")


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


def masked(text: str) -> str:
    """The text with every address in it as `r***@example.org`: for logs, and for what is kept of a server's words."""
    return _ADDRESSES.sub(r"\1***\2", text) if "@" in text or "%40" in text else text


def _ascii_domain(domain: str) -> str:
    import idna  # its tables are large, and few lists need them

    try:
        return idna.encode(domain, uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        return domain.casefold()
