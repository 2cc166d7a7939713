"""Statistics of the audience. The database does the counting, so memory use is small for a list of any size."""

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

_MOST_ZONES = 1000  # more time zones than exist


class FactsRow(NamedTuple):
    """The number of people on the list, and how many of them have each proof of consent or basis."""

    people: int
    consents: int
    consents_without_source: int
    consents_without_confirmation: int
    on_stated_basis: int


class NamedCount(NamedTuple):
    """The number of people who share a reason, a topic or a month."""

    name: str
    people: int


class Departures(NamedTuple):
    """The number of people who left in one month for one reason."""

    month: str
    reason: str
    people: int


class SourceRow(NamedTuple):
    """The people who consented at one source, how many of them left, and the number of all sources."""

    name: str
    people: int
    suppressed: int
    kinds: int


class KindRow(NamedTuple):
    """The number of people who share a language, a zone or a domain, and the number of all such values."""

    name: str
    people: int
    kinds: int


class EngagementRow(NamedTuple):
    """How many people were sent an issue, how many clicked, and how many opened it without clicking."""

    received: int
    clicked: int
    opened: int


_FACTS = query_value("stats", "facts", FactsRow)
_SUPPRESSED = query_all("stats", "suppressed", NamedCount)
_COUNT_WITHOUT_CONSENT = query_value("stats", "count_without_consent", int)
_COUNT_PAUSED = query_value("stats", "count_paused", int)
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
    """The number of people who joined, returned and left, by month (for example `2026-02`)."""

    joined: Mapping[str, int]
    returned: Mapping[str, int]
    left: Mapping[str, Mapping[str, int]]  # month → reason → number of people


def count_facts(database: Database, *, now: datetime) -> AudienceFacts:
    """Count the people on the list and, by reason, those who are not emailed. Each topic's name serves as its title."""
    with database.read() as connection:
        return AudienceFacts(
            **_FACTS(connection)._asdict(),
            suppressed=dict(_SUPPRESSED(connection)),
            without_consent=_COUNT_WITHOUT_CONSENT(connection),
            paused=_COUNT_PAUSED(connection, at=text_of(now)),
            topics=tuple(
                TopicCount(topic=topic, title=topic, people=people) for topic, people in _TOPICS_LEFT(connection)
            ),
        )


def count_movements(database: Database, *, since: datetime) -> Movements:
    """Count the people who joined, returned and left since a time.

    Erased people count as having left. The dates on which they joined are no longer known.
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
    """Count the people from the `most` largest sources of consent, and how many of them have left.

    `people` is the size of the list.
    """
    rows = _SOURCES.ask(database, most=most + 1)
    groups = [Group(name=row.name, people=row.people, left=row.suppressed) for row in rows]
    return _breakdown(groups, people=people, kinds=rows[0].kinds if rows else 0, most=most)


def count_languages(database: Database, *, people: int, most: int) -> Breakdown:
    """Count the people with each of the `most` most common languages. `people` is the size of the list."""
    rows = _LANGUAGES.ask(database, most=most + 1)
    return _breakdown(_groups(rows), people=people, kinds=rows[0].kinds if rows else 0, most=most)


def count_zones(database: Database, *, people: int, most: int) -> tuple[Breakdown, Breakdown]:
    """Count the people in each of the `most` most common time zones, and in each region, such as Europe.

    `people` is the size of the list.
    """
    rows = _ZONES.ask(database, most=_MOST_ZONES)
    groups = _groups(rows)
    zones = _breakdown(groups, people=people, kinds=rows[0].kinds if rows else 0, most=most)
    in_region: Counter[str] = Counter()
    for group in groups:
        in_region[group.name.partition("/")[0]] += group.people
    regions = [Group(name=name, people=count) for name, count in in_region.items()]
    return zones, _breakdown(regions, people=people, kinds=len(regions), most=len(regions))


def count_mailboxes(database: Database, *, people: int, most: int) -> Mailboxes:
    """Count the people at each mailbox provider, and at the `most` largest domains that belong to no known provider.

    `people` is the size of the list.
    """
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
    """Count how many people were sent an issue in the last `days` days, and how many clicked or opened it."""
    with database.read() as connection:
        row = _ENGAGEMENT(connection, since=text_of(now - timedelta(days=days)))
        first = _FIRST_REACTION(connection)
    return Engagement(days=days, opens_known_since=first, **row._asdict())


def sent_issues(database: Database, *, most: int) -> tuple[datetime, ...]:
    """Return when the first email of each of the newest issues was accepted, newest issue first."""
    return _SENT_ISSUES.ask(database, most=most)


def _groups(rows: Sequence[KindRow]) -> list[Group]:
    return [Group(name=row.name, people=row.people) for row in rows]


def _breakdown(groups: Sequence[Group], *, people: int, kinds: int, most: int) -> Breakdown:
    """Return the largest groups. `kinds` is the number of all groups, including the one without a value."""
    known = sorted((group for group in groups if group.name), key=lambda group: (-group.people, group.name))
    unknown = sum(group.people for group in groups if not group.name)
    shown = tuple(known[:most])
    return Breakdown(
        groups=shown,
        unknown=unknown,
        further=kinds - len(shown) - (1 if unknown else 0),
        further_people=people - unknown - sum(group.people for group in shown),
    )
