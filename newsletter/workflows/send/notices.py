"""Email the reviewers when a broadcast needs a person: it was paused or stopped, something failed, or too much bounced.

The email goes through the same provider and the same steps as a test email. At most one is sent an hour; what happens
in between is in the next one. If it is not accepted, that is logged and shown in `status`, and nothing else follows.
"""

import html
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from email.utils import parseaddr
from shlex import quote

from newsletter.config import Config
from newsletter.errors import NewsletterError
from newsletter.language.clock import say_time
from newsletter.model.broadcast import Broadcast, BroadcastState, Mailing, OutgoingChunk, label_of
from newsletter.model.notice import Notice
from newsletter.model.readership import Readership
from newsletter.model.rendered import RenderedVariant
from newsletter.model.segment import AD_HOC
from newsletter.model.slots import Template
from newsletter.providers.base import Provider
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import require_broadcast
from newsletter.store.ledger.status import in_words, tally_of
from newsletter.store.notices import keep_result, notices_to_tell
from newsletter.system.log import Log
from newsletter.workflows.compose.sample import envelope_of, recipient_of, sample_reader
from newsletter.workflows.send.alarms import next_step, note_alarms
from newsletter.workflows.send.reviewer_copies import hand_over_copies, reviewers

_BETWEEN = timedelta(hours=1)
_NO_REVIEWERS = "there are no [reviewers] in newsletter.toml"


def tell_reviewers(
    config: Config, database: Database, opened: Callable[[], Provider], *, now: datetime, log: Log
) -> None:
    """Email the reviewers what they have not been told, unless they were emailed within the last hour."""
    note_alarms(database, now=now)
    notices = notices_to_tell(database, not_after=now - _BETWEEN, now=now)
    if not notices:
        return
    failure = ""
    try:
        _send(config, database, notices, opened)
    except NewsletterError as err:
        failure = str(err)
    keep_result(database, notices, failure, now=now)
    if failure:
        log(f"the reviewers could not be told about {_names(notices)}: {failure}")
    else:
        log(f"the reviewers were told about {_names(notices)}")


def _send(config: Config, database: Database, notices: Sequence[Notice], opened: Callable[[], Provider]) -> None:
    """Send one email about all notices. Raise an error of the newsletter if any of the reviewers did not get it."""
    mailboxes = reviewers(config, list(config.settings.reviewers))
    if not mailboxes:
        raise NewsletterError(_NO_REVIEWERS)
    variant = _variant(*_words(config, database, notices))
    mailing = Mailing(
        broadcast=f"notice-{secrets.token_hex(8)}",
        category="notice",
        envelope=envelope_of(config),
        variant_key="notice",
        variant=variant,
        nonce=secrets.token_hex(8),
    )
    readers = [
        sample_reader(config, {"email": parseaddr(each)[1]}, id=place) for place, each in enumerate(mailboxes, 1)
    ]
    recipients = tuple(recipient_of(config, variant, reader) for reader in readers)
    with opened().session() as session:
        refused = hand_over_copies(session, OutgoingChunk(mailing=mailing, number=1, attempt=1, recipients=recipients))
    if refused:
        raise NewsletterError("; ".join(sorted(set(refused.values()))))


def _words(config: Config, database: Database, notices: Sequence[Notice]) -> tuple[str, str]:
    """Return the subject and the text."""
    paragraphs = [_paragraph(config, database, notice) for notice in notices]
    subject = paragraphs[0].partition("\n")[0] if len(notices) == 1 else f"{_names(notices)} need you"
    closing = "You get this email because you are a reviewer of this newsletter. No subscriber has received it."
    return f"{subject[0].upper()}{subject[1:]}", "\n\n".join([*paragraphs, closing])


def _paragraph(config: Config, database: Database, notice: Notice) -> str:
    broadcast = require_broadcast(database, notice.broadcast)
    is_failure = notice.is_alarm or broadcast.state not in {BroadcastState.PAUSED, BroadcastState.STOPPED}
    state = "needs you" if is_failure else f"is {label_of(broadcast.state)}"
    when = say_time(notice.at, config.settings.newsletter.timezone)
    lines = [
        f"Broadcast {broadcast.id} ({broadcast.title}) {state}",
        f"When: {when}",
        f"Why: {notice.what}",
        f"So far: {in_words(tally_of(database, broadcast.id))}",
        "What to do, on the computer that sends this newsletter:",
        *(
            f"  newsletter {command}: {effect}"
            for command, effect in (
                [next_step(broadcast)] if notice.is_alarm else _steps(broadcast, is_failure=is_failure)
            )
        ),
    ]
    if broadcast.state is BroadcastState.PAUSED and broadcast.continues_at is not None:
        continues_at = say_time(broadcast.continues_at, config.settings.newsletter.timezone)
        lines.insert(3, f"Next: it continues at {continues_at}, by the service, a timer or a worker")
    return "\n".join(lines)


def _steps(broadcast: Broadcast, *, is_failure: bool) -> list[tuple[str, str]]:
    look = (f"status {broadcast.id}", "see the details")
    if broadcast.state is BroadcastState.STOPPED:
        recipients = "--where '…'" if broadcast.segment == AD_HOC else f"--to {quote(broadcast.segment)}"
        return [
            look,
            (f"send {quote(broadcast.issue)} {recipients}", "send it to the others once the issue is corrected"),
        ]
    if is_failure:
        return [
            look,
            ("doctor", "find out why"),
            (f"cancel {broadcast.id}", "do not send it; otherwise it is tried again"),
        ]
    return [look, (f"resume {broadcast.id}", "send it now"), (f"cancel {broadcast.id}", "do not send it")]


def _variant(subject: str, text: str) -> RenderedVariant:
    """Return the email as the rendering of an issue without slots or images."""
    paragraphs = "".join(f"<p>{html.escape(each).replace(chr(10), '<br>')}</p>" for each in text.split("\n\n"))
    head = f'<!doctype html><html lang="en"><head><title>{html.escape(subject)}</title></head>'
    page = f"{head}<body>{paragraphs}</body></html>"
    return RenderedVariant(
        readership=Readership(()),
        language="en",
        subject=_fixed(subject),
        preheader=_fixed(""),
        html=_fixed(page),
        text=_fixed(f"{text}\n"),
        slots=(),
        pictures=(),
    )


def _fixed(text: str) -> Template:
    return Template(parts=(text,), slots=())


def _names(notices: Sequence[Notice]) -> str:
    numbers = [str(number) for number in dict.fromkeys(notice.broadcast for notice in notices)]
    if len(numbers) == 1:
        return f"broadcast {numbers[0]}"
    return f"broadcasts {', '.join(numbers[:-1])} and {numbers[-1]}"
