"""What the audience looks like, counted by the database: nobody is loaded, and little memory is held at any size."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from newsletter.model.mailbox import PROVIDER_OF_DOMAIN, MailboxProvider
from newsletter.model.stats import (
    AudienceFacts,
    Breakdown,
    Engagement,
    Group,
    Mailboxes,
    MailboxGroup,
    TopicCount,
)
from newsletter.store.database import Database
from newsletter.store.queries import load_queries
from newsletter.system.moments import moment_of, text_of

_SQL = load_queries("stats")
_MOST_ZONES = 1000  # more than there are


@dataclass(frozen=True, slots=True, kw_only=True)
class Movements:
    """Who came and who went, by month as `2026-02`."""

    joined: Mapping[str, int]
    returned: Mapping[str, int]
    left: Mapping[str, Mapping[str, int]]  # month → reason → how many


def count_facts(database: Database) -> AudienceFacts:
    """Everybody on the list, and why some of them are not mailed; topics have no titles yet."""
    with database.read() as connection:
        people, consents, without_source, without_confirmation, on_stated_basis = _SQL.facts(connection)
        return AudienceFacts(
            people=people,
            suppressed=dict(_SQL.suppressed(connection)),
            without_consent=_SQL.count_without_consent(connection),
            consents=consents,
            consents_without_source=without_source,
            consents_without_confirmation=without_confirmation,
            on_stated_basis=on_stated_basis,
            topics=tuple(
                TopicCount(topic=topic, title=topic, people=count) for topic, count in _SQL.topics_left(connection)
            ),
        )


def count_movements(database: Database, *, since: datetime) -> Movements:
    """Who came and who went since then.

    Whoever was forgotten counts among those who left; when they joined is no longer known.
    """
    left: dict[str, dict[str, int]] = defaultdict(dict)
    with database.read() as connection:
        for month, reason, people in _SQL.left_list(connection, since=text_of(since)):
            left[month][reason] = people
        return Movements(
            joined=dict(_SQL.joined(connection, since=text_of(since))),
            returned=dict(_SQL.returned(connection, since=text_of(since))),
            left=left,
        )


def count_sources(database: Database, *, people: int, most: int) -> Breakdown:
    """The largest sources of consent among so many people, and how many of each have left."""
    with database.read() as connection:
        rows = list(_SQL.sources(connection, most=most + 1))
    groups = [Group(name=name, people=count, left=left) for name, count, left, _ in rows]
    return _breakdown(groups, people=people, kinds=rows[0][-1] if rows else 0, most=most)


def count_languages(database: Database, *, people: int, most: int) -> Breakdown:
    """The languages that most of so many people read."""
    with database.read() as connection:
        rows = list(_SQL.languages(connection, most=most + 1))
    groups = [Group(name=name, people=count) for name, count, _ in rows]
    return _breakdown(groups, people=people, kinds=rows[0][-1] if rows else 0, most=most)


def count_zones(database: Database, *, people: int, most: int) -> tuple[Breakdown, Breakdown]:
    """The time zones in which most of so many people live, and the regions of all zones, such as Europe."""
    with database.read() as connection:
        rows = list(_SQL.zones(connection, most=_MOST_ZONES))
    groups = [Group(name=name, people=count) for name, count, _ in rows]
    zones = _breakdown(groups, people=people, kinds=rows[0][-1] if rows else 0, most=most)
    in_region: Counter[str] = Counter()
    for group in groups:
        in_region[group.name.partition("/")[0]] += group.people
    regions = [Group(name=name, people=count) for name, count in in_region.items()]
    return zones, _breakdown(regions, people=people, kinds=len(regions), most=len(regions))


def count_mailboxes(database: Database, *, people: int, most: int) -> Mailboxes:
    """Who runs the mailboxes of so many people, and the largest domains of the others."""
    known = orjson.dumps(list(PROVIDER_OF_DOMAIN)).decode()
    with database.read() as connection:
        rows = list(_SQL.domains(connection, known=known, most=len(PROVIDER_OF_DOMAIN) + most))
    at: Counter[MailboxProvider] = Counter()
    others = []
    for domain, count, _ in rows:
        if provider := PROVIDER_OF_DOMAIN.get(domain):
            at[provider] += count
        else:
            others.append(Group(name=domain, people=count))
    elsewhere = people - at.total()
    known_domains = len(rows) - len(others)
    if elsewhere:
        at[MailboxProvider.OTHER] = elsewhere
    return Mailboxes(
        providers=tuple(MailboxGroup(provider=provider, people=count) for provider, count in at.most_common()),
        domains=_breakdown(others, people=elsewhere, kinds=(rows[0][-1] if rows else 0) - known_domains, most=most),
    )


def count_engagement(database: Database, *, days: int, now: datetime) -> Engagement:
    """What people did with what they were sent in so many days."""
    with database.read() as connection:
        received, clicked, opened = _SQL.engagement(connection, since=text_of(now - timedelta(days=days)))
        first = _SQL.first_reaction(connection)
    return Engagement(
        days=days,
        received=received,
        clicked=clicked,
        opened=opened,
        opens_known_since=moment_of(first) if first else None,
    )


def sent_issues(database: Database, *, most: int) -> tuple[datetime, ...]:
    """When each of the newest issues began to leave, the newest first."""
    with database.read() as connection:
        return tuple(moment_of(sent_at) for _, sent_at in _SQL.sent_issues(connection, most=most))


def _breakdown(groups: Sequence[Group], *, people: int, kinds: int, most: int) -> Breakdown:
    """The largest of the groups; `kinds` tells how many there are in all, with the one of which nothing is known."""
    known = sorted((group for group in groups if group.name), key=lambda group: (-group.people, group.name))
    unknown = sum(group.people for group in groups if not group.name)
    shown = tuple(known[:most])
    return Breakdown(
        groups=shown,
        unknown=unknown,
        further=kinds - len(shown) - (1 if unknown else 0),
        further_people=people - unknown - sum(group.people for group in shown),
    )
