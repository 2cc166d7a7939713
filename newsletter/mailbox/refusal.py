"""What a bounce says about its recipient: the kind of the report and the cause, by the table `refusals.toml`.

The table is the one by which a relay's answers are judged while email is sent. A bounce reports the same answers later,
mostly of the recipient's own server.
"""

import re

from msgspec import Struct

from newsletter.model.address import masked
from newsletter.model.mail_report import ReportKind
from newsletter.refusals import Cause, Phase, cause_of, enhanced_code_in, named_cause, not_about_the_recipient

_REPLY = re.compile(r"(?<![\w.:])(?P<code>[45]\d\d)[ -](?P<rest>.*)")
_STATUS = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])")
_CODED = re.compile(r"(?<![\w.:-])(?:[45]\d\d[ -]|#?[45]\.\d{1,3}\.\d{1,3}(?![\d.]))")
_MOST_LINES = 4
_PHASES = (
    (re.compile(r"in reply to rcpt|after rcpt to", re.IGNORECASE), Phase.RCPT),
    (re.compile(r"in reply to (?:end of )?data|after end of data|after data", re.IGNORECASE), Phase.CONTENT),
    (re.compile(r"in reply to mail from|after mail from", re.IGNORECASE), Phase.MAIL),
)
_SOME_REPLY = {"4": 450, "5": 550}  # where a report has a status and no reply code
_VAGUE = ".0.0"
_LONGEST_WORDS, _LONGEST_DETAIL = 2_000, 400

# Causes that say that an address accepts no email from anyone.
_HARD = frozenset({"no-such-address", "disabled", "new-owner", "no-such-domain"})


class _Exception(Struct, frozen=True):
    """What a bounce means other than the table says. `said` is found in the status, the server's name and its words."""

    said: re.Pattern[str]
    cause: str


_EXCEPTIONS = (
    # A mailbox that takes no large email. While a broadcast is sent, the same code is about one recipient.
    _Exception(re.compile(r"^[45]\.2\.3 "), "too-large"),
    # Exchange Online knows the addresses of its domains, and says this of those that do not exist.
    _Exception(re.compile(r"^5\.4\.1 .*recipient address rejected: access denied"), "no-such-address"),
    # Japanese carriers call a person's own filter an unknown user too: docomo with 5.2.0, au without an address.
    _Exception(re.compile(r"^5\.2\.0 .*docomo\.ne\.jp .*unknown user"), "filtered"),
    _Exception(re.compile(r"\.(?:ezweb|au)\.(?:ne\.jp|com) .*550 : user unknown"), "filtered"),
)


class BounceReason(Struct, frozen=True):
    """A refusal as a bounce reports it."""

    kind: ReportKind
    cause: str
    detail: str


def judge(words: str, *, status: str = "", host: str = "") -> BounceReason:
    """Return what a server's words and a status (RFC 3463) mean. Either may be empty. `host` is the remote server."""
    text = " ".join(words[:_LONGEST_WORDS].split())
    reply, rest = _reply_in(text)
    enhanced = _status_of(reply, enhanced_code_in(rest) or _first_status(rest), status)
    code = reply if reply and enhanced[:1] in {"", str(reply)[0]} else _SOME_REPLY.get(enhanced[:1], reply or 550)
    cause = _exception(text, enhanced, host) or cause_of(code, rest, enhanced=enhanced, phase=_phase_of(text))
    return BounceReason(_kind_of(cause, code), cause.name, detail_of(text or f"status {status}"))


def coded_lines(text: str) -> str:
    """Return the first lines of a text that contain a reply code or a status, for reports that have no field for it.

    A server's reply can span several lines, so the line after each is taken too.
    """
    lines = text.splitlines()
    coded = [number for number, line in enumerate(lines) if _CODED.search(line)][:_MOST_LINES]
    chosen = sorted({near for number in coded for near in (number, number + 1) if near < len(lines)})
    return " ".join(lines[number].strip() for number in chosen)


def detail_of(words: str) -> str:
    """Return a server's words on one short line, with every address masked."""
    line = masked("".join(sign if sign.isprintable() else " " for sign in words)).strip()
    return line if len(line) <= _LONGEST_DETAIL else f"{line[:_LONGEST_DETAIL]}…"


def _kind_of(cause: Cause, code: int) -> ReportKind:
    if cause.name in not_about_the_recipient():
        return ReportKind.BLAMELESS
    return ReportKind.HARD if cause.name in _HARD and code >= 500 else ReportKind.SOFT


def _reply_in(text: str) -> tuple[int, str]:
    """Return the reply code and the words after it, without the codes that repeat at each line of a reply."""
    match = _REPLY.search(text)
    if match is None:
        return 0, text
    code = match["code"]
    rest = re.sub(rf"(?<=\s){code}-", "", match["rest"])
    enhanced = enhanced_code_in(rest)
    return int(code), rest if not enhanced else rest[:10] + rest[10:].replace(f" {enhanced} ", " ")


def _first_status(text: str) -> str:
    match = _STATUS.search(text)
    return match[0] if match and match[0][0] in "45" else ""


def _status_of(reply: int, said: str, status: str) -> str:
    """Return the enhanced code that counts: the server's own, unless the report's differs in class and says more."""
    match = _STATUS.search(status)
    reported = match[0] if match and match[0][0] in "45" else ""
    own = said[:1] or str(reply or "")[:1]
    if not reported:
        return said
    if own and own != reported[0]:
        return said if reported.endswith(_VAGUE) else reported
    return said or reported


def _phase_of(text: str) -> Phase | None:
    return next((phase for words, phase in _PHASES if words.search(text)), None)


def _exception(text: str, enhanced: str, host: str) -> Cause | None:
    said = f"{enhanced or '-'} {host} {text}".lower()
    return next((named_cause(each.cause) for each in _EXCEPTIONS if each.said.search(said)), None)
