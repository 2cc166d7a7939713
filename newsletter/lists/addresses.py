"""Decide whether text is an email address that mail can be sent to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
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
