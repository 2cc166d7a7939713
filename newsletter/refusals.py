"""Judge why a server refused an email: whose fault it is, the cause, and what to do.

The table is `refusals.toml`. It serves the providers, whose relays refuse emails at once, and the reading of bounces,
which report the same refusals later. The keys of an entry in `refusals` are conditions, and all of them must hold:

- `codes`: the enhanced code, with the class `*` for both 4 and 5, the detail `*` for any, and `500-505` for a range.
  `vague` stands for the codes in `vague_codes`. An empty string means that there is none.
- `replies`: the reply code. `phases`: the phase of the dialogue.
- `words`: at least one of these phrases occurs. In a phrase, `*` stands for up to 40 characters.
- `not_words`: none of these phrases occurs.
"""

import re
import tomllib
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path

import msgspec
from msgspec import Struct

_TABLE = Path(__file__).with_suffix(".toml")
_ENHANCED = re.compile(r"\s*#?([245])\.(\d{1,3})\.(\d{1,3})\b")  # RFC 3463: class, subject, detail
_ENHANCED_LAST = re.compile(r"\(#([245])\.(\d{1,3})\.(\d{1,3})\)")  # qmail
_ANY, _VAGUE = "*", "vague"
_GAP = r".{0,40}?"
_SPAM = "spam"
_FOR_NOW, _SENDER_REFUSED, _RELAY_REFUSES, _RELAY_BUSY = "for-now", "sender", "login", "busy"


class Phase(StrEnum):
    """The phase of the dialogue in which a server refused an email."""

    OPENING = "opening"  # greeting, encryption, login
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CONTENT = "content"


class Whose(StrEnum):
    """The party that a refusal is about."""

    OURS = "ours"  # the sender, the account or the relay; no recipient is at fault
    THEIRS = "theirs"  # this recipient
    EITHER = "either"  # it cannot be told from the words; several in a row are ours


class Reaction(StrEnum):
    """What helps against a refusal that is ours."""

    PAUSE = "pause"  # a person must do something, or a long time must pass
    WAIT = "wait"  # the relay accepts email again soon
    FOLLOW = "follow"  # the relay accepts only so much in a given time; continue at that rate
    RETIRE = "retire"  # use one connection less


class Cause(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reason for which servers refuse email."""

    whose: Whose
    says: str  # the cause in words, to follow a server's message
    remedy: str  # what to do, as an imperative
    then: Reaction = Reaction.PAUSE  # what to do about the rest of the broadcast, if it is ours
    passes_after_minutes: int | None = None  # when to try again; None if it does not pass without a person
    address_is_gone: bool = False  # whether the address accepts no email from anyone
    is_about_the_message: bool = False  # whether every recipient is refused until the issue is changed
    name: str = ""


class _Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of the table, as it is written there."""

    cause: str
    codes: tuple[str, ...] = ()
    replies: tuple[int, ...] = ()
    phases: tuple[Phase, ...] = ()
    words: tuple[str, ...] = ()
    not_words: tuple[str, ...] = ()


class _RefusalTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole table, as it is written."""

    vague_codes: tuple[str, ...]
    causes: dict[str, Cause]
    refusals: tuple[_Entry, ...]


class _Rule(Struct, frozen=True, kw_only=True):
    """One entry of the table, ready to be compared with a refusal."""

    cause: Cause
    codes: re.Pattern[str] | None
    replies: frozenset[int]
    phases: frozenset[Phase]
    words: re.Pattern[str] | None
    not_words: re.Pattern[str] | None

    def fits(self, reply: int, enhanced: str, words: str, phase: Phase | None) -> bool:
        """Return whether all conditions of the entry hold."""
        if self.replies and reply not in self.replies:
            return False
        if self.phases and phase not in self.phases:
            return False
        if self.codes is not None and self.codes.fullmatch(enhanced) is None:
            return False
        if self.words is not None and self.words.search(words) is None:
            return False
        return self.not_words is None or self.not_words.search(words) is None


def enhanced_code_in(words: str) -> str:
    """Return the enhanced code in a server's words, such as `5.1.1`, or an empty string.

    It is at the beginning, after a `#` with Cisco's servers. qmail has it at the end, as `(#5.1.1)`.
    """
    match = _ENHANCED.match(words) or _ENHANCED_LAST.search(words)
    return ".".join(match.groups()) if match else ""


@lru_cache(maxsize=1024)  # a server that refuses many people mostly repeats itself
def cause_of(reply: int, words: str, *, enhanced: str = "", phase: Phase | None = None) -> Cause:
    """Return the cause of a refusal with this reply code (400 to 599) and these words.

    Without an `enhanced` code, the one in the words counts. The greeting, the login and the sender are
    refused before any recipient is named, so these refusals are always ours.
    """
    code = enhanced or enhanced_code_in(words)
    text = " ".join(words.lower().replace("’", "'").split())
    causes, rules = _rules()
    found = next((rule.cause for rule in rules if rule.fits(reply, code, text, phase)), causes[_FOR_NOW])
    if phase not in {Phase.OPENING, Phase.MAIL} or found.whose is Whose.OURS:
        return found
    if reply < 500:
        return causes[_RELAY_BUSY]
    return causes[_RELAY_REFUSES if phase is Phase.OPENING else _SENDER_REFUSED]


def named_cause(name: str) -> Cause:
    """Return the cause with this name in the table."""
    return _rules()[0][name]


@cache
def not_about_the_recipient() -> frozenset[str]:
    """Return the names of the causes that say nothing about the recipient's mailbox, however often they occur."""
    causes, _ = _rules()
    return frozenset(name for name, cause in causes.items() if cause.whose is Whose.OURS) | {_SPAM}


@cache
def _rules() -> tuple[dict[str, Cause], tuple[_Rule, ...]]:
    """Read the table. Return its causes by name, and its rules in order."""
    table = msgspec.convert(tomllib.loads(_TABLE.read_text(encoding="utf-8")), _RefusalTable)
    causes = {name: msgspec.structs.replace(cause, name=name) for name, cause in table.causes.items()}
    rules = (
        _Rule(
            cause=causes[entry.cause],
            codes=_any_code(_with_vague(entry.codes, table.vague_codes)),
            replies=frozenset(entry.replies),
            phases=frozenset(entry.phases),
            words=_any_phrase(entry.words),
            not_words=_any_phrase(entry.not_words),
        )
        for entry in table.refusals
    )
    return causes, tuple(rules)


def _with_vague(codes: Sequence[str], vague: Sequence[str]) -> Iterable[str]:
    return [each for code in codes for each in (vague if code == _VAGUE else (code,))]


def _any_code(codes: Iterable[str]) -> re.Pattern[str] | None:
    """Return a pattern that matches any of these codes as a whole, or None if there are none."""
    patterns = [_code_pattern(code) for code in codes]
    return re.compile("|".join(patterns)) if patterns else None


def _code_pattern(code: str) -> str:
    if not code:
        return ""
    class_, subject, detail = code.split(".")
    first, _, last = detail.partition("-")
    if last:
        details = f"(?:{'|'.join(map(str, range(int(first), int(last) + 1)))})"
    else:
        details = r"\d+" if detail == _ANY else detail
    return rf"{'[45]' if class_ == _ANY else class_}\.{subject}\.{details}"


def _any_phrase(phrases: Iterable[str]) -> re.Pattern[str] | None:
    """Return a pattern that finds any of these phrases as whole words, or None if there are none."""
    patterns = [_GAP.join(map(re.escape, phrase.split(_ANY))) for phrase in phrases]
    return re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})(?!\w)") if patterns else None
