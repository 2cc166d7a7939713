"""Count what came of broadcasts: what arrived, what bounced, who left, and what people opened and clicked.

Everything is counted in the database, and only counts leave it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson

from newsletter.model.mailbox import PROVIDER_OF_DOMAIN
from newsletter.store.database import Connection, Database, Row
from newsletter.store.queries import change, query_all, query_one, query_value
from newsletter.system.moments import text_of

_LAST = 2**62  # more than there are people
_MAILBOXES: Sequence[Row] = [(domain, provider.value) for domain, provider in PROVIDER_OF_DOMAIN.items()]


class ReachRow(NamedTuple):
    """The emails to one group of recipients: how many were accepted and delivered, and whose opens can be known."""

    broadcast: int
    variant: int
    language: str
    mailbox: str  # empty if they are no longer on the list
    accepted: int
    delivered: int
    known: int


class ReactionRow(NamedTuple):
    """How many people of a group opened or clicked."""

    broadcast: int
    variant: int
    language: str
    mailbox: str
    type: str
    hour: str  # of the first time, as in `2026-02-19T16`
    people: int


class TroubleRow(NamedTuple):
    """How many people of a group have the same troubles with the email. Causes are empty unless they occurred."""

    broadcast: int
    variant: int
    language: str
    mailbox: str
    is_delivered: bool
    bounced: str  # the cause, with a leading `=`; empty if the email did not bounce
    blocked: str
    is_dropped: bool
    is_deferred: bool
    is_complaint: bool
    people: int


class LeaverRow(NamedTuple):
    """How many people of a group left in an hour."""

    broadcast: int
    variant: int
    language: str
    mailbox: str
    hour: str  # as in `2026-02-19T16`
    people: int


class LinkRow(NamedTuple):
    """How many people clicked a link, and how often."""

    url: str
    people: int
    clicks: int


class SectionRow(NamedTuple):
    """How many people clicked in a section."""

    section: int
    people: int


class MachineRow(NamedTuple):
    """How often machines opened or clicked that were recognized in the same way."""

    is_click: bool
    judged: str  # a MachineVerdict
    events: int


class TotalRow(NamedTuple):
    """How often something was opened or clicked by readers who are not told apart."""

    is_click: bool
    url: str
    judged: str  # a MachineVerdict
    events: int


class SentRow(NamedTuple):
    """When a broadcast was sent."""

    broadcast: int
    first_at: datetime
    last_at: datetime


class TargetRow(NamedTuple):
    """Where a tracked link leads."""

    broadcast: int
    number: int
    target: str


class WarningRow(NamedTuple):
    """How many people complained about a broadcast, and to how many it bounced."""

    broadcast: int
    complaints: int
    bounces: int


class Counted(NamedTuple):
    """What was counted of the recipients of some broadcasts, in a part of the list."""

    reach: list[ReachRow]
    reactions: list[ReactionRow]
    troubles: list[TroubleRow]


class Followed(NamedTuple):
    """What was counted of the events of some broadcasts."""

    links: tuple[LinkRow, ...]
    machines: tuple[MachineRow, ...]
    totals: tuple[TotalRow, ...]
    only_machines: int


_CREATE_MAILBOX = change("report", "create_mailbox")
_GROUPS = query_all("report", "groups", ReachRow)
_REACTIONS = query_all("report", "reactions", ReactionRow)
_TROUBLES = query_all("report", "troubles", TroubleRow)
_LEAVERS = query_all("report", "leavers", LeaverRow)
_LINKS = query_all("report", "links", LinkRow)
_SECTIONS = query_all("report", "sections", SectionRow)
_MACHINES = query_all("report", "machines", MachineRow)
_ONLY_MACHINES = query_value("report", "only_machines", int)
_TOTALS = query_all("report", "totals", TotalRow)
_SENT_BETWEEN = query_all("report", "sent_between", SentRow)
_TARGETS = query_all("report", "targets", TargetRow)
_STATE_OF = query_value("report", "state_of", str)
_KEPT = query_one("report", "kept", str)
_KEEP = change("report", "keep")
_WARNINGS = query_all("report", "warnings", WarningRow)
_MAY_COMPLAIN = query_value("report", "may_complain", int)


def count_recipients(database: Database, broadcasts: Iterable[int]) -> Counted:
    """Count the outcome of the emails of these broadcasts, by groups of recipients."""
    where = {"broadcasts": _json(broadcasts), "after": 0, "until": _LAST}
    with database.read() as connection:
        _know_mailboxes(connection)
        return Counted(_GROUPS(connection, **where), _REACTIONS(connection, **where), _TROUBLES(connection, **where))


def _know_mailboxes(connection: Connection) -> None:
    """Make the table of mailbox providers, which disappears with the transaction."""
    _CREATE_MAILBOX(connection)
    connection.insert_new("mailbox", _MAILBOXES)


def count_reactions(database: Database, broadcasts: Iterable[int], *, settled: datetime) -> Followed:
    """Count what people opened and clicked of these broadcasts. Links count up to a time: these clicks are judged."""
    numbers, until = _json(broadcasts), text_of(settled)
    with database.read() as connection:
        return Followed(
            links=tuple(_LINKS(connection, broadcasts=numbers, settled=until)),
            machines=tuple(_MACHINES(connection, broadcasts=numbers, settled=until)),
            totals=tuple(_TOTALS(connection, broadcasts=numbers)),
            only_machines=_ONLY_MACHINES(connection, broadcasts=numbers),
        )


def count_sections(
    database: Database, broadcasts: Iterable[int], section_of: Mapping[str, int], *, settled: datetime
) -> tuple[SectionRow, ...]:
    """Count the people who clicked in each section. `section_of` has the section of each link, by its address."""
    sections = orjson.dumps([f"{section}={url}" for url, section in section_of.items()]).decode()
    return _SECTIONS.ask(database, broadcasts=_json(broadcasts), sections=sections, settled=text_of(settled))


def count_leavers(
    database: Database, broadcasts: Iterable[int], *, since: datetime, until: datetime
) -> tuple[LeaverRow, ...]:
    """Count the recipients of these broadcasts who left between two times."""
    with database.read() as connection:
        _know_mailboxes(connection)
        found = _LEAVERS(connection, broadcasts=_json(broadcasts), since=text_of(since), until=text_of(until))
    return tuple(found)


def sent_between(database: Database, broadcasts: Iterable[int]) -> dict[int, SentRow]:
    """Return when each of these broadcasts was sent. Those of which nothing was accepted are left out."""
    return {row.broadcast: row for row in _SENT_BETWEEN.ask(database, broadcasts=_json(broadcasts))}


def targets_of(database: Database, broadcasts: Iterable[int]) -> dict[tuple[int, int], str]:
    """Return where each tracked link leads, by its broadcast and number."""
    return {(row.broadcast, row.number): row.target for row in _TARGETS.ask(database, broadcasts=_json(broadcasts))}


def warnings_of(database: Database, broadcasts: Iterable[int]) -> dict[int, WarningRow]:
    """Return how many people complained, and how many emails bounced. Broadcasts without either are left out."""
    return {row.broadcast: row for row in _WARNINGS.ask(database, broadcasts=_json(broadcasts))}


def may_complain(database: Database, broadcast: int) -> int:
    """Return how many recipients of a broadcast have a mailbox that reports complaints."""
    return _MAY_COMPLAIN.ask(database, broadcast=broadcast)


def kept_content(
    database: Database,
    issue: str,
    broadcasts: Iterable[int],
    *,
    since: datetime,
    now: datetime,
    count: Callable[[], str],
) -> str:
    """Return what `count` returned for these broadcasts of an issue, if that still holds and is from after a time.

    Otherwise, count now, and save it.
    """
    state = _STATE_OF.ask(database, broadcasts=_json(broadcasts))
    found = _KEPT.ask(database, issue=issue, state=state, since=text_of(since))
    if found is not None:
        return found
    content = count()
    with database.transaction() as connection:
        _KEEP(connection, issue=issue, state=state, now=text_of(now), content=content)
    return content


def _json(numbers: Iterable[int]) -> str:
    return orjson.dumps(sorted(numbers)).decode()
