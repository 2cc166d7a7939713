"""`newsletter audit`: the full record of a broadcast, and whether one address received it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

import typer
from msgspec.structs import asdict

from newsletter.cli import output
from newsletter.cli.options import AsJson, BroadcastNumber, Force
from newsletter.cli.send.status import NOBODY_NOW, print_heading, standing_data
from newsletter.cli.workspace import opened_database
from newsletter.errors import InputError
from newsletter.language.clock import show_zoned, show_zoned_from
from newsletter.model.broadcast import ChunkState, DeliveryStatus, label_of
from newsletter.model.ledger import AuditedDelivery, AuditedRequest, RequestGroup
from newsletter.settings.mistakes import suggestion
from newsletter.system.environment import forget_key
from newsletter.workflows.send.account import parts, waived
from newsletter.workflows.send.audit import (
    BroadcastAudit,
    PersonAudit,
    audit_broadcast,
    audit_person,
    list_deliveries,
    part_of,
    write_deliveries,
)


def _request_columns(zone: str) -> dict[str, Callable[[AuditedRequest], str]]:
    return {
        "batch": lambda request: str(request.number),
        "people": lambda request: f"{request.deliveries:,}",
        "state": lambda request: label_of(request.state),
        "when": lambda request: show_zoned(request.at, zone, seconds=True),
        "sent": lambda request: _times(request.attempt),
        "time zone": lambda request: request.zone,
        "due": lambda request: show_zoned(request.due_at, zone) if request.due_at != request.hold_until else "",
        "held until": lambda request: show_zoned(request.hold_until, zone),
        "message id": lambda request: request.message_id,
    }


def _group_columns(zone: str) -> dict[str, Callable[[RequestGroup], str]]:
    return {
        "batches": lambda group: f"{group.requests:,}",
        "people": lambda group: f"{group.deliveries:,}",
        "state": lambda group: label_of(group.state),
        "from": lambda group: show_zoned(group.first_at, zone, seconds=True),
        "to": lambda group: show_zoned(group.last_at, zone, seconds=True),
    }


_SENTENCES: Mapping[str, str] = {
    ChunkState.ACCEPTED: "Yes. {provider} accepted the email to {who} on {when}.",
    ChunkState.UNKNOWN: "Unconfirmed. {provider} may or may not have accepted the email to {who} on {when}: {reason}.",
    ChunkState.READY: "Not yet. The email to {who} is waiting.",
    ChunkState.INFLIGHT: "In progress. The email to {who} has been on its way to {provider} since {when}.",
    ChunkState.REJECTED: "No. {provider} rejected the email to {who} on {when}: {reason}.",
    ChunkState.DEFERRED: "Not yet. {provider} refused the email to {who} on {when}, and it was set aside: {reason}.",
    ChunkState.CANCELLED: "No. The email to {who} was canceled on {when}: {reason}.",
    DeliveryStatus.EXCLUDED: "No. {who} was left out on {when}: {reason}.",
    DeliveryStatus.INVALID: "No. {provider} rejected the address {who} on {when}: {reason}.",
}


class IdentityPart(StrEnum):
    """The states whose numbers add up to the total, by their labels. `--list` lists the people in one state."""

    ACCEPTED = "accepted"
    EXCLUDED = "excluded"
    INVALID = "invalid"
    CANCELLED = "canceled"
    UNKNOWN = "unconfirmed"
    REJECTED = "rejected"
    DEFERRED = "set-aside"
    WAITING = "waiting"
    INFLIGHT = "being-sent"

    @property
    def stored(self) -> str:
        """The name of the state in the database, in JSON and in CSV."""
        return self.name.lower()

    @classmethod
    def named(cls, name: str) -> Self:
        """Return the state with this label or stored name. Raise InputError if there is none."""
        for part in cls:
            if name.strip().lower() in {part.value, part.stored}:
                return part
        raise InputError(f"--list: there is no state {name!r}; {suggestion(name, list(cls))}")


_PARTS = f"List everyone in one state: {', '.join(list(IdentityPart)[:-1])} or {IdentityPart.INFLIGHT}."


def audit(
    broadcast: BroadcastNumber,
    address: Annotated[
        str | None, typer.Argument(metavar="EMAIL", help="Show only whether the issue was sent to this address.")
    ] = None,
    state: Annotated[
        str, typer.Option("--list", metavar="STATE", help=_PARTS, autocompletion=lambda: list(IdentityPart))
    ] = "",
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Save the list of people to this CSV file.")
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Show the full record of a broadcast and the people behind each number.

    With an address, shows whether that person was sent the issue, when, and in which batch.

    Exits with status 1 if the numbers do not add up, which would be a bug.
    """
    if address is not None and (state or csv_file):
        raise InputError("an address cannot be combined with --list or --csv; give only one of them")
    if address is not None and "@" not in address:
        raise InputError(
            f"{address!r} is not an address; write an address, or use --list STATE to list everyone in a state"
        )
    part = IdentityPart.named(state).stored if state else None
    with opened_database() as (config, database):
        zone = config.settings.newsletter.timezone
        if address is not None:
            _print_person(audit_person(database, broadcast, address, key=forget_key()), zone, as_json=as_json)
            return
        if csv_file is not None:
            count = write_deliveries(database, broadcast, csv_file, part=part, overwrite=force)
            output.note(f"Saved {output.people_of(count)} to {csv_file}, which only you can read.")
            return
        if part is not None:
            deliveries = list_deliveries(database, broadcast, part=part)  # printed as they are read
            if as_json:
                output.print_json_items(map(_delivery_data, deliveries))
            else:
                output.print_lines(_line(delivery, zone) for delivery in deliveries)
            return
        account = audit_broadcast(database, broadcast, every_request=as_json)
        _print_account(account, zone, as_json=as_json)
        if not account.tally.adds_up:
            raise typer.Exit(1)


def _print_account(account: BroadcastAudit, zone: str, *, as_json: bool) -> None:
    """Print the sum, the reasons, the overridden checks, the requests and the history."""
    if as_json:
        output.print_json(_account_data(account))
        return
    broadcast = account.broadcast
    print_heading(broadcast, account.tally)
    due = "in each subscriber's own time zone" if broadcast.is_local_time else show_zoned(broadcast.due_at, zone)
    output.print_facts(
        [
            ("content", broadcast.content_hash[:12]),
            ("due", due),
            *(("approved", f"by {each.by} on {show_zoned(each.at, zone)}") for each in account.approvals),
            ("tested", f"on {show_zoned(account.tested_at, zone)}" if account.tested_at else ""),
            *parts(account.settled, account.chunks),
            *waived(broadcast),
        ]
    )
    output.say()
    if account.requests:
        output.print_columns(_request_columns(zone), account.requests)
    else:
        output.print_columns(_group_columns(zone), account.groups)
    if account.journal:
        output.say()
        rows = [
            (show_zoned(entry.at, zone, seconds=True), label_of(entry.entry), entry.detail) for entry in account.journal
        ]
        output.print_table(("when", "what", ""), rows)
    output.print_next(f"newsletter audit {broadcast.id} --csv FILE", "to save the full list to a file")


def _times(attempt: int) -> str:
    """Return how often a request was sent, in words."""
    return {0: "never", 1: "once", 2: "twice"}.get(attempt, f"{attempt} times")


def _delivery_data(delivery: AuditedDelivery) -> dict[str, object]:
    """Return a delivery as data for JSON."""
    return {**asdict(delivery), "status": part_of(delivery)}


def _line(delivery: AuditedDelivery, zone: str) -> str:
    who = delivery.email or f"{NOBODY_NOW} ({delivery.subscriber})"
    request = "" if delivery.chunk is None else f"batch {delivery.chunk}"
    details = [show_zoned(delivery.at, zone), request, delivery.message_id, delivery.reason]
    return f"{who:<36}  {'  '.join(detail for detail in details if detail)}"


def _account_data(account: BroadcastAudit) -> dict[str, object]:
    return {
        **standing_data(account.broadcast, account.tally),
        "content_hash": account.broadcast.content_hash,
        "approvals": [{"by": each.by, "at": each.at} for each in account.approvals],
        "tested_at": account.tested_at,
        "settled": account.settled,
        "chunks": account.chunks,
        "requests": account.requests,
        "journal": account.journal,
    }


def _print_person(person: PersonAudit, zone: str, *, as_json: bool) -> None:
    """Print whether a person was sent the issue, when, and in which batch."""
    now = datetime.now(UTC)
    if as_json:
        output.print_json(_person_data(person, now))
        return
    output.say(_answer(person, now, zone))
    broadcast = person.broadcast
    told = "broadcast {} of this issue: {} on {}"
    past = [told.format(each.broadcast, label_of(each.status), show_zoned(each.at, zone)) for each in person.elsewhere]
    output.print_facts(
        [
            ("broadcast", f"{broadcast.id}: {broadcast.title}"),
            ("created", show_zoned(broadcast.created_at, zone)),
            *_delivery_facts(person, now, zone),
            ("on the list", _membership(person, zone)),
            ("blocked", person.never_mailed),
            *(("also in", words) for words in past),
        ]
    )
    if person.may_be_forgotten:
        output.note("Set NEWSLETTER_KEY in the environment to see whether this person was erased.")
    if person.delivery is not None and person.delivery.status == ChunkState.UNKNOWN:
        output.print_next(f"newsletter resolve {broadcast.id}", "to look for evidence, then decide")


def _answer(person: PersonAudit, now: datetime, zone: str) -> str:
    delivery, provider = person.delivery, person.broadcast.provider
    if delivery is None:
        unless = ", unless they have been erased since then" if person.may_be_forgotten else ""
        return f"No. {person.email} was not a recipient of broadcast {person.broadcast.id}{unless}."
    when = show_zoned(delivery.at, zone)
    held_until = person.request.hold_until if person.request else None
    if delivery.status == ChunkState.ACCEPTED and held_until is not None and held_until > now:
        until = show_zoned_from(held_until, zone, now)
        return f"Not yet. {provider} accepted the email on {when} and is holding it until {until}."
    if delivery.status == ChunkState.ACCEPTED and delivery.reason and not delivery.message_id:  # resolved later
        sure = "Probably" if person.is_assumed else "Yes"
        counted = f"The email to {person.email} has counted as accepted by {provider} since {when}"
        return f"{sure}. {counted}: {delivery.reason}."
    reason = delivery.reason or "no reason is on record"
    return _SENTENCES[delivery.status].format(who=person.email, provider=provider, when=when, reason=reason)


def _delivery_facts(person: PersonAudit, now: datetime, zone: str) -> list[tuple[str, str]]:
    delivery, request, facts = person.delivery, person.request, []
    if delivery is not None and delivery.due_at is not None:
        own = f" ({delivery.zone})" if delivery.zone else ""
        facts.append(("due", f"{show_zoned_from(delivery.due_at, zone, now)}{own}"))
    if request is not None:
        others = f" of {output.count_of(request.deliveries, 'email')}" if request.deliveries > 1 else ""
        sent = f"sent {_times(request.attempt)}" if request.attempt else "never sent"
        facts.append(("request", f"batch {request.number}{others}, {sent}"))
    return [*facts, ("message id", delivery.message_id if delivery else "")]


def _membership(person: PersonAudit, zone: str) -> str:
    since, frozen_at = person.on_list_since, person.broadcast.created_at
    if since is None:
        return "no; erased since then" if person.delivery else "no"
    told = f"since {show_zoned(since, zone)}"
    if person.delivery is not None:
        return told
    if since > frozen_at:
        return f"{told}, after the list of recipients was finalized"
    return f"{told}, but not in {person.broadcast.segment} when the list of recipients was finalized"


def _person_data(person: PersonAudit, now: datetime) -> dict[str, object]:
    return {
        "broadcast": person.broadcast.id,
        "email": person.email,
        "answer": _answer(person, now, "UTC"),
        "delivery": _delivery_data(person.delivery) if person.delivery else None,
        "request": person.request,
        "on_list_since": person.on_list_since,
        "never_mailed": person.never_mailed,
        "elsewhere": person.elsewhere,
    }
