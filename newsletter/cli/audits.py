"""The account of a broadcast, on the screen and for scripts."""

from collections.abc import Callable, Iterable
from dataclasses import asdict

from newsletter.cli import output
from newsletter.cli.statuses import (
    broadcast_data,
    chunks_data,
    iso,
    parts,
    settled_data,
    show_heading,
    state_word,
    tally_data,
    waived,
)
from newsletter.language.clock import show_minute, show_second, show_utc
from newsletter.model.broadcast import Broadcast
from newsletter.model.ledger import AuditedDelivery, AuditedRequest, RequestGroup
from newsletter.workflows.send.audit import BroadcastAudit, part_of

GONE = "somebody who left the list"

_REQUEST_COLUMNS: dict[str, Callable[[AuditedRequest], str]] = {
    "chunk": lambda request: str(request.number),
    "people": lambda request: f"{request.deliveries:,}",
    "state": lambda request: state_word(request.state),
    "when (UTC)": lambda request: show_second(request.at),
    "handed over": lambda request: times(request.attempt),
    "time zone": lambda request: request.zone,
    "due (UTC)": lambda request: (
        show_minute(request.due_at) if request.due_at and request.due_at != request.hold_until else ""
    ),
    "held until (UTC)": lambda request: show_minute(request.hold_until) if request.hold_until else "",
    "message id": lambda request: request.message_id,
}
_GROUP_COLUMNS: dict[str, Callable[[RequestGroup], str]] = {
    "chunks": lambda group: f"{group.requests:,}",
    "people": lambda group: f"{group.deliveries:,}",
    "state": lambda group: state_word(group.state),
    "from (UTC)": lambda group: show_second(group.first_at),
    "to (UTC)": lambda group: show_second(group.last_at),
}


def show_account(account: BroadcastAudit, *, as_json: bool) -> None:
    """The identity, the reasons, the waivers, the requests and the journal."""
    if as_json:
        output.show_json(_account_data(account))
        return
    broadcast = account.broadcast
    show_heading(broadcast, account.tally)
    output.show_facts(
        [
            ("content", broadcast.content_hash[:12]),
            *([("due", _due(broadcast))] if broadcast.due_at else []),
            *[("approved", f"by {each.by} on {show_utc(each.at)}") for each in account.approvals],
            *([("tested", f"on {show_utc(account.tested_at)}")] if account.tested_at else []),
            *parts(account.settled, account.chunks),
            *waived(broadcast),
        ]
    )
    output.say()
    if account.requests:
        output.show_columns(_REQUEST_COLUMNS, account.requests)
    else:
        output.show_columns(_GROUP_COLUMNS, account.groups)
    if account.journal:
        output.say()
        rows = [(show_second(entry.at), entry.entry.value, entry.detail) for entry in account.journal]
        output.show_table(("when (UTC)", "what", ""), rows)
    output.show_next(f"newsletter audit {broadcast.id} --csv FILE", "to have everybody in a file")


def show_deliveries(deliveries: Iterable[AuditedDelivery], *, as_json: bool) -> None:
    """A line a person, as they are read."""
    if as_json:
        output.show_json_items(delivery_data(delivery) for delivery in deliveries)
    else:
        output.show_lines(_line(delivery) for delivery in deliveries)


def times(attempt: int) -> str:
    """How often something was handed over, in words."""
    return {0: "never", 1: "once", 2: "twice"}.get(attempt, f"{attempt} times")


def delivery_data(delivery: AuditedDelivery) -> dict[str, object]:
    """A delivery for a script."""
    return {**asdict(delivery), "status": part_of(delivery), "at": iso(delivery.at), "due_at": iso(delivery.due_at)}


def request_data(request: AuditedRequest) -> dict[str, object]:
    """A request for a script."""
    return {
        **asdict(request),
        "state": request.state.value,
        "at": iso(request.at),
        "due_at": iso(request.due_at),
        "hold_until": iso(request.hold_until),
    }


def _due(broadcast: Broadcast) -> str:
    if broadcast.due_at is None or broadcast.is_local_time:
        return "by everybody's own clock"
    return show_utc(broadcast.due_at)


def _line(delivery: AuditedDelivery) -> str:
    who = delivery.email or f"{GONE} ({delivery.subscriber})"
    request = "" if delivery.chunk is None else f"chunk {delivery.chunk}"
    details = [show_minute(delivery.at), request, delivery.message_id, delivery.reason]
    return f"{who:<36}  {'  '.join(detail for detail in details if detail)}"


def _account_data(account: BroadcastAudit) -> dict[str, object]:
    return {
        **broadcast_data(account.broadcast),
        "content_hash": account.broadcast.content_hash,
        **tally_data(account.tally),
        "approvals": [{"by": each.by, "at": iso(each.at)} for each in account.approvals],
        "tested_at": iso(account.tested_at),
        "settled": settled_data(account.settled),
        "chunks": chunks_data(account.chunks),
        "requests": [request_data(request) for request in account.requests],
        "journal": [
            {"at": iso(entry.at), "entry": entry.entry.value, "detail": entry.detail} for entry in account.journal
        ],
    }
