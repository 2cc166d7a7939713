"""Read bounces that are not in the standard form: older servers, and carriers that write them in plain words.

`flufl.bounce` knows where many of them name the recipient. What they say is judged by the same table as a reply.
"""

import logging
import re
from email.parser import BytesParser

from flufl.bounce import all_failures
from msgspec import Struct

from newsletter.mailbox.received import ReceivedMail
from newsletter.mailbox.refusal import BounceReason, coded_lines, detail_of, judge
from newsletter.model.mail_report import ReportKind

_SENDERS = re.compile(
    r"(?:mailer[-_]?daemon|postmaster|mail[-_]?daemon|mailer|mail[-_]?delivery[-\w]*)@.*", re.IGNORECASE
)
_NULL = re.compile(r"<?\s*(?:mailer-daemon)?\s*>?", re.IGNORECASE)
_SUBJECTS = re.compile(
    r"undeliver|failure notice|returned mail|delivery (?:status|failure|has failed|report)|mail delivery|not delivered|"
    r"non (?:remis|recapitabile|distribu)|nicht zugestellt|unzustellbar|no se puede entregar|niet bezorgd|"
    r"配信不能|配信エラー|送信エラー|エラーメール|未配信",
    re.IGNORECASE,
)
_COPY = re.compile(
    r"^-{2,}[ ]*(?:below this line|this is a copy|original message|the header|message header|returned message)"
    r"|^original message headers?:|^-----original message-----",
    re.IGNORECASE | re.MULTILINE,
)
_WARNING = re.compile(
    r"\bwarning\b.{0,200}\b(?:not been delivered|could not send|delayed)|will (?:keep|continue) trying|still trying",
    re.IGNORECASE | re.DOTALL,
)
# Its detectors log each error of theirs with a traceback, although we go on without them.
logging.getLogger("flufl.bounce").addHandler(logging.NullHandler())
_LONGEST_SCAN, _LONGEST_TEXT = 100_000, 4_000
_FALLBACKS = frozenset({"policy", "unclear", "for-now"})  # the causes of words that say nothing


class PlainBounce(Struct, frozen=True):
    """A bounce without a delivery report."""

    addresses: tuple[str, ...]  # those that failed, in lowercase; possibly none
    refusal: BounceReason


def plain_bounce_in(mail: ReceivedMail, content: bytes) -> PlainBounce | None:
    """Return the bounce, or None if the email is not one. `content` is the email as it was received."""
    failed = mail.header.addresses("x-failed-recipients")
    if not failed and not _is_from_a_server(mail):
        return None
    temporary, permanent = ((), ()) if failed else _scanned(content)
    addresses = (*failed, *permanent, *temporary)
    text = _own_words(mail)
    words = coded_lines(text)
    refusal = judge(words or text)
    if not words and refusal.cause in _FALLBACKS:
        if not addresses and not _SUBJECTS.search(mail.header.first("subject")):
            return None
        refusal = BounceReason(ReportKind.SOFT, "not-delivered", detail_of(text))
    if _WARNING.search(text) or (temporary and not permanent and not words):
        refusal = BounceReason(ReportKind.DELAYED, "", refusal.detail)
    return PlainBounce(tuple(dict.fromkeys(addresses)), refusal)


def _is_from_a_server(mail: ReceivedMail) -> bool:
    """Return whether a mail server wrote the email, not a person: by its sender, or because it has none (`<>`)."""
    paths = mail.header.all("return-path")
    return bool(_SENDERS.fullmatch(mail.sender)) or any(_NULL.fullmatch(path) for path in paths)


def _own_words(mail: ReceivedMail) -> str:
    """Return the text up to the copy of the returned email."""
    text = mail.text[: 10 * _LONGEST_TEXT]
    copy = _COPY.search(text)
    return (text[: copy.start()] if copy else text)[:_LONGEST_TEXT]


def _scanned(content: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the addresses that `flufl.bounce` finds: those that failed for now, and those that failed for good."""
    try:
        temporary, permanent = all_failures(BytesParser().parsebytes(content[:_LONGEST_SCAN]))
    except Exception:  # on odd input, its detectors raise whatever `email` and `re` raise
        return (), ()
    return _lowercase(temporary), _lowercase(permanent)


def _lowercase(addresses: frozenset[bytes] | set[bytes]) -> tuple[str, ...]:
    return tuple(sorted(address.decode("utf-8", "replace").lower() for address in addresses if b"@" in address))
