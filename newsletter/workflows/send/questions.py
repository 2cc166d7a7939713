"""What a person reads before they confirm a test, an approval, a cancellation or a continuation, as names and values.

The terminal prints it, and the studio shows it.
"""

from collections.abc import Sequence
from datetime import datetime
from shlex import quote

from newsletter.config import Config
from newsletter.language.clock import say_moment, show_zoned
from newsletter.language.counts import count_of
from newsletter.model.broadcast import BroadcastState, label_of
from newsletter.model.ledger import HeldMail
from newsletter.model.waves import WaveState
from newsletter.workflows.compose.compose import Composed
from newsletter.workflows.compose.sample import sample_mail
from newsletter.workflows.send.account import Fact, canary_line, first_and_last
from newsletter.workflows.send.approve import ApprovalDraft
from newsletter.workflows.send.cancel import CancelPlan
from newsletter.workflows.send.status import BroadcastStatus

_NOT_WATCHED = "the others get it, whatever comes back"


def facts_of_test(composed: Composed, mailboxes: Sequence[str], *, through: str, problems: str) -> list[Fact]:
    """Return which issue is tested, who gets the emails, and how. `problems` are the findings in words."""
    return [
        ("issue", f"{composed.issue.name}  {composed.issue.shown_title}"),
        ("to", "\n".join(mailboxes)),
        ("through", through),
        ("problems", problems),
    ]


def approval_facts(config: Config, draft: ApprovalDraft, *, by: str, problems: str) -> list[Fact]:
    """Return the issue, subject, variants, content hash, problems, and earlier tests and approvals."""
    composed, zone = draft.composed, config.settings.newsletter.timezone
    mail = sample_mail(config, composed.rendered.fullest)
    variants = [
        f"with {variant.readership.sees}" if variant.readership.sees else "only what everyone sees"
        for variant in composed.rendered.variants
    ]
    return [
        ("issue", f"{composed.issue.name}  {composed.issue.shown_title}"),
        ("subject", mail.subject),
        ("preheader", mail.preheader),
        ("variants", "\n".join(variants) if len(variants) > 1 else ""),
        ("content", f"{draft.content_hash[:12]}, a fingerprint of the whole issue; any edit changes it"),
        ("problems", problems),
        ("tested", _tested(draft, zone)),
        ("approved", _approved(draft, zone)),
        ("by", by),
    ]


def _tested(draft: ApprovalDraft, zone: str) -> str:
    if draft.tested_at is None:
        command = f"newsletter test {quote(draft.composed.issue.name)}"
        return f"no test email of this content has been sent yet; send one with `{command}`"
    return f"a test email of this content was sent on {show_zoned(draft.tested_at, zone)}"


def _approved(draft: ApprovalDraft, zone: str) -> str:
    if draft.given:
        return "\n".join(f"this content, by {given.by} on {show_zoned(given.at, zone)}" for given in draft.given)
    if draft.last is None:
        return "not yet"
    last = draft.last
    if last.voided:
        return f"by {last.by} on {show_zoned(last.at, zone)}, but this approval is void: {last.voided}"
    return f"changed since {last.by} approved {last.content_hash[:12]} on {show_zoned(last.at, zone)}"


def cancel_facts(config: Config, plan: CancelPlan, *, now: datetime) -> list[Fact]:
    """Return which emails of a broadcast would be dropped, and which still reach people."""
    broadcast, tally = plan.broadcast, plan.tally

    def mails(title: str, mails: Sequence[HeldMail]) -> str:
        zone = config.settings.newsletter.timezone
        lines = [f"{mail.deliveries:,} until {say_moment(mail.until, zone, now=now)}" for mail in mails]
        return f"{title}\n{first_and_last(lines)}" if lines else ""

    under_way = f"{tally.inflight:,}, which are being sent now, or were being sent when a process stopped"
    return [
        ("broadcast", f"{broadcast.id}: {broadcast.title}, {label_of(broadcast.state)}"),
        ("waiting", f"{tally.waiting:,}, which will not be sent" if tally.waiting else ""),
        ("sending", under_way if tally.inflight else ""),
        ("held", mails(f"by {broadcast.provider}, which will be asked to drop them:", plan.held)),
        ("too late", mails("so close to their send time that they may still go out:", plan.too_late)),
        ("sent", f"{plan.gone:,}, which cannot be recalled" if plan.gone else ""),
    ]


def resume_facts(config: Config, found: BroadcastStatus, *, through: str, now: datetime) -> list[Fact]:
    """Return the state of a broadcast that is about to continue, and what is still to be sent."""
    broadcast, tally, due = found.broadcast, found.tally, found.next_due
    zone = config.settings.newsletter.timezone
    said = say_moment(due, zone, now=now) if due else ""
    is_late = due is not None and due <= now
    effect = "late emails are sent now" if is_late else "the emails are still sent at that time, not now"
    return [
        ("broadcast", f"{broadcast.id}: {broadcast.title}"),
        ("created", f"{show_zoned(broadcast.created_at, zone)}; past events and deadlines were checked at that time"),
        ("stopped", broadcast.reason),
        ("canary", canary_line(found, config.settings.newsletter.timezone, now)),
        ("then", _NOT_WATCHED if _ends_watching(found) else ""),
        ("time", f"{said}; {effect}" if said else ""),
        ("accepted", f"{tally.accepted:,}, not sent again"),
        ("unknown", f"{tally.unknown:,}, not sent again either" if tally.unknown else ""),
        ("to send", f"{tally.waiting:,}"),
        ("set aside", f"{tally.deferred:,}, tried again when it is time" if tally.deferred else ""),
        ("through", through),
    ]


def question_of_resume(found: BroadcastStatus, people: int) -> str:
    """Return what is asked before a broadcast continues, such as `send to 3 subscribers`, without a question mark."""
    others = "the other " if _ends_watching(found) and found.watch and people <= found.watch.rest else ""
    although = ", although it was held" if found.broadcast.state is BroadcastState.PAUSED and others else ""
    return f"send to {others}{count_of(people, 'subscriber')}{although}"


def _ends_watching(found: BroadcastStatus) -> bool:
    is_held = found.watch is not None and found.watch.state is WaveState.HELD
    return found.broadcast.state is BroadcastState.WATCHING or is_held


def people_to_resume(found: BroadcastStatus, *, now: datetime) -> int:
    """Return how many people a broadcast that continues may be sent to now, including those who were set aside."""
    at = found.broadcast.continues_at
    is_time = found.broadcast.state is BroadcastState.DONE and at is not None and at <= now
    return found.tally.waiting + (found.tally.deferred if is_time else 0)
