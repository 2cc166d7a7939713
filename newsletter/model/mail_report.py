"""What an email in the newsletter's own mailbox reports: a bounce, a complaint, a request to leave."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class ReportKind(StrEnum):
    """The kind of a report."""

    HARD = "hard"  # the address accepts no email
    SOFT = "soft"  # the mailbox did not accept this email
    BLAMELESS = "blameless"  # refused because of the sender, the content or a server on the way; not about the person
    DELAYED = "delayed"  # not delivered yet; the server keeps trying
    DELIVERED = "delivered"
    COMPLAINT = "complaint"  # marked as spam
    UNSUBSCRIBE = "unsubscribe"  # the person asks to leave
    AUTOREPLY = "autoreply"  # such as an out-of-office note
    NOTE = "note"  # understood, and without effect, such as "this is not spam"
    UNCLEAR = "unclear"  # not understood


class TraceHint(StrEnum):
    """How a report names the person, in the order in which the hints are believed."""

    RETURN_PATH = "return path"  # the address at which the report arrived, or from which our email came
    MESSAGE_ID = "message id"  # the Message-ID of our email
    LINK = "link"  # the link or the address in our email with which the person can unsubscribe
    ADDRESS = "address"  # the recipient's address, which several emails may have had


class Trace(Struct, frozen=True, kw_only=True):
    """One hint at the delivery that a report is about. It is not verified."""

    hint: TraceHint
    subscriber: int = 0
    broadcast: int = 0
    secret: str = ""  # the code in a return path, the nonce in a Message-ID, or the token in a link
    address: str = ""  # with a return path: the purpose in it


class MailReport(Struct, frozen=True, kw_only=True):
    """One report in an email."""

    kind: ReportKind
    at: datetime
    cause: str = ""  # for bounces: the name of the cause in refusals.toml
    detail: str = ""  # the server's words, on one line, with addresses masked
    traces: tuple[Trace, ...] = ()  # the most reliable first
