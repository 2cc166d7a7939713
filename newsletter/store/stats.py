"""What the audience looks like, counted by the database: nobody is loaded, and little memory is held at any size."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson
from msgspec import Struct

from newsletter.model.mailbox import PROVIDER_OF_DOMAIN, MailboxProvider
from newsletter.model.stats import AudienceFacts, Breakdown, Engagement, Group, Mailboxes, MailboxGroup, TopicCount
from newsletter.store.database import Database
from newsletter.store.queries import query_all, query_one, query_value
from newsletter.system.moments import text_of

_MOST_ZONES = 1000  # more than there are


class FactsRow(NamedTuple):
    """Everybody on the list, and on what ground they may be mailed."""

    people: int
    consents: int
    consents_without_source: int
    consents_without_confirmation: int
    on_stated_basis: int


class NamedCount(NamedTuple):
    """How many people have something in common: a reason, a topic, a month."""

    name: str
    people: int


class Departures(NamedTuple):
    """How many people left in a month, for one reason."""

    month: str
    reason: str
    people: int


class SourceRow(NamedTuple):
    """How many people said yes at one source, how many of them left since, and how many sources there are."""

    name: str
    people: int
    suppressed: int
    kinds: int


class KindRow(NamedTuple):
    """How many people share a language, a zone or a domain, and how many of these there are."""

    name: str
    people: int
    kinds: int


class EngagementRow(NamedTuple):
    """How many people were sent something, clicked something, and opened something without a click."""

    received: int
    clicked: int
    opened: int


_FACTS = query_value("stats", "facts", FactsRow)
_SUPPRESSED = query_all("stats", "suppressed", NamedCount)
_COUNT_WITHOUT_CONSENT = query_value("stats", "count_without_consent", int)
_TOPICS_LEFT = query_all("stats", "topics_left", NamedCount)
_JOINED = query_all("stats", "joined", NamedCount)
_RETURNED = query_all("stats", "returned", NamedCount)
_LEFT_LIST = query_all("stats", "left_list", Departures)
_SOURCES = query_all("stats", "sources", SourceRow)
_LANGUAGES = query_all("stats", "languages", KindRow)
_ZONES = query_all("stats", "zones", KindRow)
_DOMAINS = query_all("stats", "domains", KindRow)
_ENGAGEMENT = query_value("stats", "engagement", EngagementRow)
_FIRST_REACTION = query_one("stats", "first_reaction", datetime)
_SENT_ISSUES = query_all("stats", "sent_issues", datetime)


class Movements(Struct, frozen=True, kw_only=True):
    """Who came and who went, by month as `2026-02`."""

    joined: Mapping[str, int]
    returned: Mapping[str, int]
    left: Mapping[str, Mapping[str, int]]  # month → reason → how many


def count_facts(database: Database) -> AudienceFacts:
    """Count everybody on the list, and why some of them are not mailed; topics have no titles yet."""
    with database.read() as connection:
        return AudienceFacts(
            **_FACTS(connection)._asdict(),
            suppressed=dict(_SUPPRESSED(connection)),
            without_consent=_COUNT_WITHOUT_CONSENT(connection),
            topics=tuple(
                TopicCount(topic=topic, title=topic, people=people) for topic, people in _TOPICS_LEFT(connection)
            ),
        )


def count_movements(database: Database, *, since: datetime) -> Movements:
    """Count who came and who went since then.

    Whoever was forgotten counts among those who left; when they joined is no longer known.
    """
    left: dict[str, dict[str, int]] = defaultdict(dict)
    with database.read() as connection:
        for month, reason, people in _LEFT_LIST(connection, since=text_of(since)):
            left[month][reason] = people
        return Movements(
            joined=dict(_JOINED(connection, since=text_of(since))),
            returned=dict(_RETURNED(connection, since=text_of(since))),
            left=left,
        )


def count_sources(database: Database, *, people: int, most: int) -> Breakdown:
    """Count the largest sources of consent among so many people, and how many of each have left."""
    rows = _SOURCES.ask(database, most=most + 1)
    groups = [Group(name=row.name, people=row.people, left=row.suppressed) for row in rows]
    return _breakdown(groups, people=people, kinds=rows[0].kinds if rows else 0, most=most)


def count_languages(database: Database, *, people: int, most: int) -> Breakdown:
    """Count the languages that most of so many people read."""
    rows = _LANGUAGES.ask(database, most=most + 1)
    return _breakdown(_groups(rows), people=people, kinds=rows[0].kinds if rows else 0, most=most)


def count_zones(database: Database, *, people: int, most: int) -> tuple[Breakdown, Breakdown]:
    """Count the time zones in which most of so many people live, and the regions of all zones, such as Europe."""
    rows = _ZONES.ask(database, most=_MOST_ZONES)
    groups = _groups(rows)
    zones = _breakdown(groups, people=people, kinds=rows[0].kinds if rows else 0, most=most)
    in_region: Counter[str] = Counter()
    for group in groups:
        in_region[group.name.partition("/")[0]] += group.people
    regions = [Group(name=name, people=count) for name, count in in_region.items()]
    return zones, _breakdown(regions, people=people, kinds=len(regions), most=len(regions))


def count_mailboxes(database: Database, *, people: int, most: int) -> Mailboxes:
    """Count who runs the mailboxes of so many people, and the largest domains of the others."""
    known = orjson.dumps(list(PROVIDER_OF_DOMAIN)).decode()
    rows = _DOMAINS.ask(database, known=known, most=len(PROVIDER_OF_DOMAIN) + most)
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
        domains=_breakdown(others, people=elsewhere, kinds=(rows[0].kinds if rows else 0) - known_domains, most=most),
    )


def count_engagement(database: Database, *, days: int, now: datetime) -> Engagement:
    """Count what people did with what they were sent in so many days."""
    with database.read() as connection:
        row = _ENGAGEMENT(connection, since=text_of(now - timedelta(days=days)))
        first = _FIRST_REACTION(connection)
    return Engagement(days=days, opens_known_since=first, **row._asdict())


def sent_issues(database: Database, *, most: int) -> tuple[datetime, ...]:
    """Return when each of the newest issues began to leave, the newest first."""
    return _SENT_ISSUES.ask(database, most=most)


def _groups(rows: Sequence[KindRow]) -> list[Group]:
    return [Group(name=row.name, people=row.people) for row in rows]


def _breakdown(groups: Sequence[Group], *, people: int, kinds: int, most: int) -> Breakdown:
    """Return the largest groups; `kinds` is how many there are in all, with the one of which nothing is known."""
    known = sorted((group for group in groups if group.name), key=lambda group: (-group.people, group.name))
    unknown = sum(group.people for group in groups if not group.name)
    shown = tuple(known[:most])
    return Breakdown(
        groups=shown,
        unknown=unknown,
        further=kinds - len(shown) - (1 if unknown else 0),
        further_people=people - unknown - sum(group.people for group in shown),
    )
