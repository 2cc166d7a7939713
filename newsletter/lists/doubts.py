"""Addresses that are possible, and that somebody should look at all the same: typos, roles, throw-away mailboxes.

The tables are written by hand: what people mistype, and the best-known throw-away services. They only ever warn.
"""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from itertools import takewhile

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
