"""Settle unconfirmed emails by what the log of a mail server says: files with addresses or Message-IDs."""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from newsletter.errors import InputError, Mistake, MistakesError
from newsletter.model.address import masked, person_of
from newsletter.model.broadcast import Broadcast, ChunkState
from newsletter.model.ledger import Resolution
from newsletter.providers.headers import wire_address
from newsletter.store.database import Database
from newsletter.store.ledger.audit import audited_deliveries
from newsletter.store.ledger.broadcasts import require_broadcast
from newsletter.store.ledger.resolve import resolve_deliveries
from newsletter.system.file_errors import explained
from newsletter.workflows.send.resolve import decision_of

_NOBODY = 0  # the id of no subscriber
_ADDRESS = re.compile(r"<?([^\s<>@]+@[^\s<>@]+?)>?[;,]?")
_MESSAGE_ID = re.compile(r"\bb(\d{1,18})-[0-9a-f]+\.\d{1,18}@")  # of any broadcast
_IN_LOG = re.compile(r"\bto=<([^\s<>]+@[^\s<>]+)>")  # in a line of Postfix's or Exim's log


class NamedDeliveries(Struct, frozen=True, kw_only=True):
    """The unconfirmed emails that files name, by subscriber."""

    sent: frozenset[int]
    not_sent: frozenset[int]
    others: int  # how many lines are about other emails, for example those that are known to be accepted


def read_files(database: Database, broadcast_id: int, *, sent: Path | None, not_sent: Path | None) -> NamedDeliveries:
    """Return the unconfirmed emails that the files name. Each line contains an address or a Message-ID.

    Raise InputError if there is no such broadcast, if a file cannot be read, or if an email is in both. Raise
    MistakesError with every line that is neither an address nor contains a Message-ID of the broadcast.
    """
    broadcast = require_broadcast(database, broadcast_id)
    unknown = {
        delivery.subscriber: person_of(delivery.email)
        for delivery in audited_deliveries(database, broadcast_id, status=ChunkState.UNKNOWN.value)
    }
    by_person = {person: subscriber for subscriber, person in unknown.items() if person}
    lines = [_subscribers_in(path, broadcast, by_person) if path is not None else [] for path in (sent, not_sent)]
    named = [frozenset(found) & unknown.keys() for found in lines]
    if both := named[0] & named[1]:
        raise InputError(
            f"{sent} and {not_sent} both name {unknown[min(both)] or 'the same email'}; remove it from one of them"
        )
    others = sum(subscriber not in unknown for found in lines for subscriber in found)
    return NamedDeliveries(sent=named[0], not_sent=named[1], others=others)


def resolve_named(
    database: Database, broadcast_id: int, named: NamedDeliveries, *, because: str, now: datetime
) -> tuple[int, int]:
    """Settle the named emails. Return how many count as sent, and how many as not sent."""
    sent, not_sent = (
        resolve_deliveries(
            database, broadcast_id, named_so, resolution, detail=decision_of(resolution, because), now=now
        )
        for named_so, resolution in ((named.sent, Resolution.ASSUME_SENT), (named.not_sent, Resolution.RESEND))
    )
    return sent, not_sent


def message_ids_of(broadcast: Broadcast) -> str:
    """Return the Message-ID of each email of a broadcast, with `NUMBER` for the part that differs."""
    return f"<{broadcast.mailing_id}.NUMBER@{wire_address(broadcast.envelope.from_email).rpartition('@')[2]}>"


def _what_is_wrong(line: str, broadcast: Broadcast) -> str:
    """Return why a line names no email of a broadcast."""
    if other := _MESSAGE_ID.search(line):
        return f"this is an email of broadcast {other[1]}, not of broadcast {broadcast.id}"
    return f"{masked(line[:80])!r} is neither an address nor a Message-ID of broadcast {broadcast.id}"


def _subscribers_in(path: Path, broadcast: Broadcast, by_person: Mapping[str, int]) -> list[int]:
    """Return the subscriber that each line names, or _NOBODY if it is about another email."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as err:
        raise InputError(f"{path} is not UTF-8 text; save it in your text editor as UTF-8") from err
    except OSError as err:
        raise InputError(str(explained(err, path, deed="read", elsewhere=""))) from err
    message_id = re.compile(rf"\b{re.escape(broadcast.mailing_id)}\.(\d{{1,18}})@")
    found: list[int] = []
    mistakes: list[Mistake] = []
    for number, line in enumerate(map(str.strip, lines), 1):
        if match := message_id.search(line):
            found.append(int(match[1]))
        elif not _MESSAGE_ID.search(line) and (match := _ADDRESS.fullmatch(line) or _IN_LOG.search(line)):
            found.append(by_person.get(person_of(match[1]), _NOBODY))
        elif line:
            what = _what_is_wrong(line, broadcast)
            mistakes.append(
                Mistake(path=str(path), line=number, what=what, remedy="write one address or Message-ID per line")
            )
    if mistakes:
        raise MistakesError(mistakes)
    return found
