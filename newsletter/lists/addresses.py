"""Decide whether text is a valid email address, and whether a person should check it first.

The tables of typos, role names and disposable mailboxes are written by hand. A match in them only causes a warning.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from itertools import takewhile

from email_validator import EmailNotValidError, validate_email
from msgspec import Struct

from newsletter.model.address import canonical_address, person_of
from newsletter.model.values import PLAIN_ADDRESS
from newsletter.settings.mistakes import within_sentence

_LONGEST_LOCAL_PART = 64  # RFC 5321, section 4.5.3.1
_LONGEST_SHOWN = 100
_LONGEST_ADDRESS = 254  # RFC 3696, erratum 1690

# Matches a whole column of plain addresses, one per line. One match is faster than PLAIN_ADDRESS for each address. As
# long as no line is longer than _SHORT, it accepts only addresses that PLAIN_ADDRESS accepts. It refuses a leading
# apostrophe, which may be a guard against formulas. Most lists are in lowercase, so that pattern is tried first.
_ALL_PLAIN = r"(?:(?!')[{0}0-9_'+-]++(?:\.[{0}0-9_'+-]++)*+@(?:[{0}0-9]++(?:-++[{0}0-9]++)*+\.)++[{0}]{{2,63}}\n)*+"
_ALL_SMALL = re.compile(_ALL_PLAIN.format("a-z"))
_ALL_IN_ANY_CASE = re.compile(_ALL_PLAIN.format("A-Za-z"))
_SHORT = 63  # characters: the longest allowed label of a domain, and less than the longest local part


class Addresses(Struct, frozen=True, kw_only=True):
    """A column of addresses, and the person to whom each address belongs."""

    emails: Sequence[str]
    persons: Sequence[str]


def checked_address(text: str) -> str:
    """Return the address with its domain in lowercase. Raise ValueError with the reason if it is not an address.

    A pattern recognizes nearly all valid addresses. Others are checked with email-validator, which is thirty times
    slower. Nothing is looked up on the network.
    """
    if PLAIN_ADDRESS.fullmatch(text) and len(text) <= _LONGEST_ADDRESS and text.index("@") <= _LONGEST_LOCAL_PART:
        return text if text.islower() else canonical_address(text)
    if not text:
        raise ValueError("the address is missing")
    try:
        checked = validate_email(text, check_deliverability=False, strict=True)
    except EmailNotValidError as err:
        shown = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
        fault = _fault(text) or within_sentence(str(err))
        raise ValueError(f"{shown!r} is not an email address: {fault}") from None
    # Plain ASCII stays as given; anything else is normalized to one form of Unicode (NFC).
    return canonical_address(text if text.isascii() else checked.normalized)


def _fault(text: str) -> str:
    """Return the first common fault that the text has, or an empty text if it has none of them."""
    local, at, domain = text.rpartition("@")
    faults = {
        "it has no @": not at,
        "there is nothing before the @": not local,
        "there is nothing after the @": not domain,
        "it contains a space": any(map(str.isspace, text)),
        "a quote is not closed": text.count('"') % 2 == 1,
        "it has more than one @": "@" in local and not local.startswith('"'),
        "the domain after the @ has no dot": "." not in domain,
        "it has two dots in a row": ".." in text,
        "it begins or ends with a dot, or has one next to the @": "." in {*local[:1], *local[-1:], *domain[:1]}
        or domain.endswith("."),
        f"it has more than {_LONGEST_LOCAL_PART} characters before the @": len(local) > _LONGEST_LOCAL_PART,
        f"it has more than {_LONGEST_ADDRESS} characters": len(text) > _LONGEST_ADDRESS,
    }
    return next((fault for fault, is_there in faults.items() if is_there), "")


def plain_addresses(cells: Sequence[str]) -> Addresses | None:
    """Return the column if all its addresses are plain, which is the usual case. Return None otherwise."""
    if max(map(len, cells), default=0) > _SHORT:
        return None
    lines = "\n".join([*cells, ""])
    if _ALL_SMALL.fullmatch(lines):
        return Addresses(emails=cells, persons=cells)
    if _ALL_IN_ANY_CASE.fullmatch(lines):
        return Addresses(emails=list(map(canonical_address, cells)), persons=lines.lower().split("\n")[:-1])
    return None


def checked_addresses(cells: Sequence[str]) -> tuple[Addresses, dict[int, str]]:
    """Return a column of addresses, and what is wrong with invalid cells, by place. Their addresses are empty."""
    plain = plain_addresses(cells)
    if plain is not None:
        return plain, {}
    emails, faults = [], {}
    for place, cell in enumerate(cells):
        try:
            emails.append(checked_address(cell))
        except ValueError as err:
            emails.append("")
            faults[place] = str(err)
    return Addresses(emails=emails, persons=list(map(person_of, emails))), faults


# The domains of large mailbox providers. These names are so long that a name with one wrong letter is probably a typo.
_MAILBOXES = ("gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "protonmail.com", "googlemail.com")
# Real domains that differ by one letter from one of these.
_NO_TYPOS = frozenset({"email.com", "mail.com", "ymail.com", "fmail.com", "zmail.com", "gmx.com", "rocketmail.com"})
# Typos that differ by more than one letter, or that are of other domains, by the intended domain.
_TYPOS_OF = {
    "gmail.com": "gmailcom.com gnail.con gmial.con",
    "hotmail.com": "hotmal.con hotmai.con",
    "yahoo.com": "yaho.con yahho.con",
    "outlook.com": "outlok.con",
    "icloud.com": "iclod.con",
    "aol.com": "aol.con aol.co",
    "gmx.de": "gmx.dee",
    "web.de": "web.dee",
    "orange.fr": "orange.fe",
    "wanadoo.fr": "wanadoo.fe",
    "comcast.net": "comcast.com comcast.nte",
    "verizon.net": "verizon.ney",
}
_TYPOS = {typo: meant for meant, typos in _TYPOS_OF.items() for typo in typos.split()}
_ROLE_NAMES = """
abuse admin administrator all billing bounce bounces contact customerservice daemon donotreply enquiries everyone help
hostmaster hr info inquiries jobs list mail mailer-daemon marketing media newsletter no-reply no_reply nobody noreply
office orders postmaster press privacy reception root sales security service spam subscribe support sysadmin team
unsubscribe usenet webmaster
"""
_ROLES = frozenset(_ROLE_NAMES.split())


def doubts_of(emails: Sequence[str]) -> Mapping[int, str]:
    """Return the reasons to doubt addresses, by their places."""
    parts = "\n".join(emails).lower().replace("@", "\n").split("\n")
    if len(parts) != 2 * len(emails):  # an address with a quoted local part
        parts = [part for email in emails for part in email.lower().rpartition("@")[::2]]
    locals_, domains = parts[::2], parts[1::2]
    doubtful = {domain: doubt for domain in set(domains) if (doubt := doubt_of_domain(domain))}
    if not doubtful and _ROLES.isdisjoint(locals_):
        return {}
    found = {}
    for place, (local, domain) in enumerate(zip(locals_, domains, strict=True)):
        doubts = [doubtful[domain]] if domain in doubtful else []
        if local in _ROLES:
            doubts.append(f"{local}@ is the address of a role, not of a person; ask the person for a personal address")
        if doubts:
            found[place] = "; ".join(doubts)
    return found


@lru_cache(maxsize=4096)
def doubt_of_domain(domain: str) -> str:
    """Return the reason to doubt a domain, given in lowercase, or an empty text."""
    if meant := _meant(domain):
        return f"{domain} looks like a typo for {meant}; ask the person, or correct the list"
    if domain in _throw_away():
        return f"{domain} provides disposable mailboxes; expect the address to stop working"
    return ""


def _meant(domain: str) -> str:
    """Return the domain that was probably intended, or an empty text if the domain does not look like a typo."""
    if domain in _MAILBOXES or domain in _NO_TYPOS:
        return ""
    return _TYPOS.get(domain) or next((known for known in _MAILBOXES if _is_a_slip(domain, known)), "")


def _is_a_slip(written: str, meant: str) -> bool:
    """Return whether the two names differ by one wrong, missing or extra letter, or by two swapped neighbors."""
    start = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(written, meant, strict=False))))
    rest, other = written[start:], meant[start:]
    is_swapped = rest[:2] == other[:2][::-1] and rest[2:] == other[2:]
    return rest[1:] == other[1:] or rest[1:] == other or rest == other[1:] or is_swapped


@cache
def _throw_away() -> frozenset[str]:
    text = (files("newsletter.lists") / "throw_away_domains.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))
