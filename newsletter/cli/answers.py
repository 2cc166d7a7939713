"""Whether one address got an issue: in a sentence, with what it rests on, and for scripts."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime

from newsletter.cli import output
from newsletter.cli.audits import delivery_data, request_data, times
from newsletter.cli.statuses import iso
from newsletter.language.clock import show_utc, show_utc_from
from newsletter.model.broadcast import ChunkState, DeliveryStatus
from newsletter.workflows.send.audit import PersonAudit

_SENTENCES: Mapping[str, str] = {
    ChunkState.ACCEPTED: "Yes: {provider} took the mail to {who} on {when}.",
    ChunkState.UNKNOWN: "Nobody knows: {provider} may or may not have taken the mail to {who} on {when}; {reason}.",
    ChunkState.READY: "Not yet: the mail to {who} is waiting.",
    ChunkState.INFLIGHT: "Not known yet: the mail to {who} is being handed over since {when}.",
    ChunkState.REJECTED: "No: {provider} refused the mail itself on {when}; {reason}.",
    ChunkState.CANCELLED: "No: the mail to {who} was cancelled on {when}; {reason}.",
    DeliveryStatus.EXCLUDED: "No: {who} was left out on {when}: {reason}.",
    DeliveryStatus.INVALID: "No: {provider} refused the address {who} on {when}: {reason}.",
}


def show_person(person: PersonAudit, *, as_json: bool) -> None:
    """Whether somebody got the issue, when, and by which request."""
    now = datetime.now(UTC)
    if as_json:
        output.show_json(_data(person, now))
        return
    output.say(_answer(person, now))
    broadcast = person.broadcast
    facts = [
        ("broadcast", f"{broadcast.id}: {broadcast.issue} to {broadcast.segment}"),
        ("frozen", show_utc(broadcast.created_at)),
        *_delivery_facts(person, now),
        ("on the list", _membership(person)),
        *([("never mailed", person.never_mailed)] if person.never_mailed else []),
        *[
            ("elsewhere", f"broadcast {past.broadcast} of this issue: {past.status} on {show_utc(past.at)}")
            for past in person.elsewhere
        ],
    ]
    output.show_facts(facts)
    if person.may_be_forgotten:
        output.note("Whether they were forgotten can be told where NEWSLETTER_KEY is set in the environment.")
    if person.delivery is not None and person.delivery.status == ChunkState.UNKNOWN:
        output.show_next(f"newsletter resolve {broadcast.id}", "looks for evidence, and asks")


def _answer(person: PersonAudit, now: datetime) -> str:
    delivery, provider = person.delivery, person.broadcast.provider
    if delivery is None:
        unless = ", unless they were forgotten since" if person.may_be_forgotten else ""
        return f"No: broadcast {person.broadcast.id} was not meant for {person.email}{unless}."
    when = show_utc(delivery.at)
    held_until = person.request.hold_until if person.request else None
    if delivery.status == ChunkState.ACCEPTED and held_until is not None and held_until > now:
        return f"Not yet: {provider} took the mail on {when} and holds it until {show_utc_from(held_until, now)}."
    if delivery.status == ChunkState.ACCEPTED and delivery.reason and not delivery.message_id:  # resolved later
        sure = "Probably" if person.is_assumed else "Yes"
        return f"{sure}: the mail to {person.email} counts as taken by {provider} since {when}; {delivery.reason}."
    reason = delivery.reason or "no reason is on record"
    return _SENTENCES[delivery.status].format(who=person.email, provider=provider, when=when, reason=reason)


def _delivery_facts(person: PersonAudit, now: datetime) -> list[tuple[str, str]]:
    delivery, request = person.delivery, person.request
    facts = []
    if delivery is not None and delivery.due_at is not None:
        zone = f" ({delivery.zone})" if delivery.zone else ""
        facts.append(("due", f"{show_utc_from(delivery.due_at, now)}{zone}"))
    if request is not None:
        others = f", of {output.count_of(request.deliveries, 'delivery')}" if request.deliveries > 1 else ""
        handed_over = f"handed over {times(request.attempt)}" if request.attempt else "never handed over"
        facts.append(("request", f"chunk {request.number}{others}, {handed_over}"))
    if delivery is not None and delivery.message_id:
        facts.append(("message id", delivery.message_id))
    return facts


def _membership(person: PersonAudit) -> str:
    since, frozen_at = person.on_list_since, person.broadcast.created_at
    if since is None:
        return "forgotten since" if person.delivery else "no"
    told = f"since {show_utc(since)}"
    if person.delivery is not None:
        return told
    if since > frozen_at:
        return f"{told}, after it was frozen"
    return f"{told}, and not in {person.broadcast.segment} when it was frozen"


def _data(person: PersonAudit, now: datetime) -> dict[str, object]:
    return {
        "broadcast": person.broadcast.id,
        "email": person.email,
        "answer": _answer(person, now),
        "delivery": delivery_data(person.delivery) if person.delivery else None,
        "request": request_data(person.request) if person.request else None,
        "on_list_since": iso(person.on_list_since),
        "never_mailed": person.never_mailed,
        "elsewhere": [{**asdict(past), "at": iso(past.at)} for past in person.elsewhere],
    }
