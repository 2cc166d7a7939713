"""Faults that can be planted in the program, one at a time, to see that the runs find them.

A fault is planted inside the processes of a run, which end with it.
"""

from collections.abc import Callable
from enum import StrEnum

from newsletter.model.broadcast import Outcome, OutgoingChunk, Recipient
from newsletter.providers.base import UNRECORDED, Replies
from newsletter.providers.mime import CompiledMessage
from newsletter.providers.smtp import SmtpSession
from newsletter.providers.smtp_dialogue import Answer, ReplyMeaning
from newsletter.providers.smtp_standing import RelayStanding
from newsletter.store.ledger import broadcasts, deferrals, members, record
from newsletter.workflows.send import recall


class Fault(StrEnum):
    """A fault that the runs must find."""

    RESENT_WHEN_IN_DOUBT = "an SMTP email is sent again after an uncertain end"
    ZONE_REPEATED = "a zone whose email was sent is sent again on `resume`"
    HELD_MAIL_NOT_TAKEN_BACK = "email that the provider holds for someone who left is not taken back"
    BLAME_KEPT_PER_CHUNK = "refusals in a row are counted within a chunk only"
    EARLIER_MAIL_ACQUITS_US = "what was accepted before the refusals in a row counts as accepted since"
    KIND_FORGOTTEN = "people who have the issue get it as no other kind either"


def plant(fault: str) -> None:
    """Plant a fault in this process; an empty text plants none."""
    if fault:
        _PLANTS[Fault(fault)]()


def _resend_when_in_doubt() -> None:
    deliver = SmtpSession._deliver

    def deliver_twice(
        session: SmtpSession, message: CompiledMessage, sender: str, recipient: Recipient, replies: Replies
    ) -> Answer:
        answer = deliver(session, message, sender, recipient, replies)
        if answer.meaning is ReplyMeaning.UNCERTAIN:
            return deliver(session, message, sender, recipient, replies)
        return answer

    SmtpSession._deliver = deliver_twice


def _repeat_zones() -> None:
    broadcasts._LET_OVERDUE_GO = broadcasts._LET_OVERDUE_GO.rewritten(
        "UPDATE chunk SET due_at = '', state = 'ready' "
        "WHERE broadcast = :broadcast AND state IN ('ready', 'accepted') AND due_at <= :now AND due_at <> ''"
    )


def _leave_leavers_in() -> None:
    recall.leavers_in = lambda *_: ()


def _keep_blame_per_chunk() -> None:
    submit = SmtpSession.submit

    def submit_afresh(session: SmtpSession, chunk: OutgoingChunk, replies: Replies = UNRECORDED) -> Outcome:
        session._provider.standing = RelayStanding()
        return submit(session, chunk, replies)

    SmtpSession.submit = submit_afresh
    record.count_in_a_row = lambda *_, **__: 0


def _count_earlier_mail() -> None:
    RelayStanding._judge = lambda *_: None
    deferrals._most_accepted = lambda *_: 0


def _forget_kinds() -> None:
    members._EARLIER_BROADCASTS = members._EARLIER_BROADCASTS.rewritten(
        "SELECT id FROM broadcast WHERE issue = :issue AND :kind = :kind ORDER BY id"
    )


_PLANTS: dict[Fault, Callable[[], None]] = {
    Fault.RESENT_WHEN_IN_DOUBT: _resend_when_in_doubt,
    Fault.ZONE_REPEATED: _repeat_zones,
    Fault.HELD_MAIL_NOT_TAKEN_BACK: _leave_leavers_in,
    Fault.BLAME_KEPT_PER_CHUNK: _keep_blame_per_chunk,
    Fault.EARLIER_MAIL_ACQUITS_US: _count_earlier_mail,
    Fault.KIND_FORGOTTEN: _forget_kinds,
}
