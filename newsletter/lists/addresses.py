"""Decide whether text is an email address that mail can be sent to, and whether somebody should look at it first.

The tables of typos, roles and throw-away mailboxes are written by hand. They only ever warn.
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

_LONGEST_LOCAL_PART = 64  # RFC 5321, section 4.5.3.1
_LONGEST_SHOWN = 100
_LONGEST_ADDRESS = 254  # RFC 3696, erratum 1690

# Whole columns of plain addresses, one a line: sooner done than PLAIN_ADDRESS for each, and they take nothing that it
# refuses, as long as no line is longer than _SHORT. An apostrophe in front may be a guard against formulas. Most lists
# are in small letters.
_ALL_PLAIN = r"(?:(?!')[{0}0-9_'+-]++(?:\.[{0}0-9_'+-]++)*+@(?:[{0}0-9]++(?:-++[{0}0-9]++)*+\.)++[{0}]{{2,63}}\n)*+"
_ALL_SMALL = re.compile(_ALL_PLAIN.format("a-z"))
_ALL_IN_ANY_CASE = re.compile(_ALL_PLAIN.format("A-Za-z"))
_SHORT = 63  # letters; the longest label of a domain, and less than the longest local part


class Addresses(Struct, frozen=True, kw_only=True):
    """A column of addresses, and to which person each belongs."""

    emails: Sequence[str]
    persons: Sequence[str]


def checked_address(text: str) -> str:
    """Return the address with its domain in lowercase; raise ValueError with the reason where it is none.

    A pattern passes what nearly every mailbox looks like; the rest is for email-validator, thirty times slower, to
    decide. Nothing is looked up on the network.
    """
    if PLAIN_ADDRESS.fullmatch(text) and len(text) <= _LONGEST_ADDRESS and text.index("@") <= _LONGEST_LOCAL_PART:
        return text if text.islower() else canonical_address(text)
    if not text:
        raise ValueError("there is no address")
    try:
        checked = validate_email(text, check_deliverability=False, strict=True)
    except EmailNotValidError as err:
        shown = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
        raise ValueError(f"{shown!r} is not an e-mail address: {_fault(text) or _in_our_spelling(str(err))}") from None
    # What is plain ASCII stays as given; anything else in the one form that Unicode has for it.
    return canonical_address(text if text.isascii() else checked.normalized)


def _fault(text: str) -> str:
    """Return what is usually wrong with such an address; empty where it is something else."""
    local, at, domain = text.rpartition("@")
    faults = {
        "it has no @": not at,
        "nothing stands before the @": not local,
        "nothing stands after the @": not domain,
        "it holds a space": any(map(str.isspace, text)),
        "a quote is not closed": text.count('"') % 2 == 1,
        "it has more than one @": "@" in local and not local.startswith('"'),
        "the domain after the @ has no dot": "." not in domain,
        "two dots follow each other": ".." in text,
        "it begins or ends with a dot, or one stands beside the @": "." in {*local[:1], *local[-1:], *domain[:1]}
        or domain.endswith("."),
        f"more than {_LONGEST_LOCAL_PART} characters stand before the @": len(local) > _LONGEST_LOCAL_PART,
        f"it has more than {_LONGEST_ADDRESS} characters": len(text) > _LONGEST_ADDRESS,
    }
    return next((fault for fault, is_there in faults.items() if is_there), "")


def _in_our_spelling(message: str) -> str:
    """Return what email-validator says, as our messages begin, and with their spelling of e-mail."""
    said = re.sub(r"\bemail\b", "e-mail", message.rstrip("."), flags=re.IGNORECASE)
    return f"{said[:1].lower()}{said[1:]}"


def plain_addresses(cells: Sequence[str]) -> Addresses | None:
    """Return a column whose addresses are all as plain as nearly all are; None where one is not."""
    if max(map(len, cells), default=0) > _SHORT:
        return None
    lines = "\n".join([*cells, ""])
    if _ALL_SMALL.fullmatch(lines):
        return Addresses(emails=cells, persons=cells)
    if _ALL_IN_ANY_CASE.fullmatch(lines):
        return Addresses(emails=list(map(canonical_address, cells)), persons=lines.lower().split("\n")[:-1])
    return None


def checked_addresses(cells: Sequence[str]) -> tuple[Addresses, dict[int, str]]:
    """Return a column of addresses, empty where a cell is none, and what is wrong with each of those by its place."""
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


# The big mailbox providers whose name is long enough that a letter amiss is more likely a typo than another domain.
_MAILBOXES = ("gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "protonmail.com", "googlemail.com")
# Domains a letter away from one of those that are somebody's own.
_NO_TYPOS = frozenset({"email.com", "mail.com", "ymail.com", "fmail.com", "zmail.com", "gmx.com", "rocketmail.com"})
# Typos further away, or of other domains, by what is meant.
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
    """Return what is doubtful about addresses, by their places."""
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
            doubts.append(f"{local}@ is read by a role, not by a person; ask for a person's own address")
        if doubts:
            found[place] = "; ".join(doubts)
    return found


@lru_cache(maxsize=4096)
def doubt_of_domain(domain: str) -> str:
    """Return what is doubtful about a domain in lowercase; empty where nothing is."""
    if meant := _meant(domain):
        return f"{domain} looks like a typo for {meant}; ask the person, or correct the list"
    if domain in _throw_away():
        return f"{domain} gives throw-away mailboxes; expect it to stop working"
    return ""


def _meant(domain: str) -> str:
    """Return the domain that a likely typo stands for; empty where it is none."""
    if domain in _MAILBOXES or domain in _NO_TYPOS:
        return ""
    return _TYPOS.get(domain) or next((known for known in _MAILBOXES if _is_a_slip(domain, known)), "")


def _is_a_slip(written: str, meant: str) -> bool:
    """Return whether one letter is wrong, missing or extra, or two neighbors are swapped."""
    start = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(written, meant, strict=False))))
    rest, other = written[start:], meant[start:]
    is_swapped = rest[:2] == other[:2][::-1] and rest[2:] == other[2:]
    return rest[1:] == other[1:] or rest[1:] == other or rest == other[1:] or is_swapped


@cache
def _throw_away() -> frozenset[str]:
    text = (files("newsletter.lists") / "throw_away_domains.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))
