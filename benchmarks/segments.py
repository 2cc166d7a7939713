"""Counting segments on SQLite, compared with the fastest possible count: a bare query over one column.

The list is made once. It has people with a few languages and tags, some of them suppressed. Everyone received three
issues, and each person has three events. Each count returns the members, the suppressed, and those without consent, as
`newsletter segments` does. The floor is counted in between, so that a slow machine slows both.
"""

import json
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from statistics import median

from benchmarks import workload
from benchmarks.timing import run_job, show
from newsletter.__main__ import prepare_process
from newsletter.lists.exports import batches_of
from newsletter.model.columns import SubscriberRecord
from newsletter.model.event import Event, EventType
from newsletter.model.finding import Place
from newsletter.model.imports import ImportBatch
from newsletter.model.segment import Condition, KnownNames
from newsletter.segments.expressions import Calendar, parse_segment
from newsletter.store.database import Database
from newsletter.store.events import add_events
from newsletter.store.merge import merge_subscribers
from newsletter.store.opening import open_database
from newsletter.store.segments import count_segment
from newsletter.workflows.events.judge import judge_reactions

COUNTS = {  # an expression, and its target in milliseconds
    'language = "es"': 150,
    'tagged("teacher")': 150,
    'language = "es" and tagged("teacher")': 150,
    "joined >= 2024-06-01": 150,
    'opened("2026-01") and not clicked("2026-01")': 700,
    'opened("2026-01") or clicked("2026-01")': 700,
    "last_opened < 30 days ago": 700,
    "last_opened < 90 days ago": 700,
    'received("2026-01")': 700,
    'language = "es" and not received("2026-01")': 700,
    "last_received < 30 days ago": 700,
}
NOW = datetime(2026, 2, 1, tzinfo=UTC)
ISSUES = {name: NOW - timedelta(days=days) for name, days in {"2025-11": 74, "2025-12": 44, "2026-01": 13}.items()}
FLOOR = "SELECT count(*) FROM subscriber WHERE language = 'es'"
ROUNDS, SUPPRESSED_SHARE = 5, 0.02
_EVENTS_AT_ONCE = 100_000
_TYPES = 5 * [EventType.DELIVERED] + 4 * [EventType.OPENED] + [EventType.CLICKED]


def main() -> None:
    """Print the milliseconds of each count, and the ratio to the floor."""
    with tempfile.TemporaryDirectory() as folder:
        made = run_job("benchmarks.segments", "make", folder)
        found = run_job("benchmarks.segments", "count", folder)
    show(f"{len(ISSUES) * workload.MANY:,} events kept", f"{made['events_per_second']:,.0f} events/s")
    show("the floor: one bare count over one column", f"{found[FLOOR]:.0f} ms")
    for expression, target in COUNTS.items():
        spent = found[expression]
        verdict = "met" if spent <= target else "MISSED"
        show(expression, f"{spent:4.0f} ms, {spent / found[FLOOR]:4.1f} × the floor   target ≤ {target} ms   {verdict}")


def _make(path: Path) -> dict[str, float]:
    with open_database(path) as database:
        merge_subscribers(database, _batches(), now=NOW)
        with database.transaction() as connection:
            connection.execute("UPDATE subscriber SET tracking_consented_at = '2000-01-01T00:00:00Z'")
        _receive(database)
        began, kept = time.perf_counter(), 0
        events = _events()
        while some := list(islice(events, _EVENTS_AT_ONCE)):
            kept += add_events(database, some)
        spent = time.perf_counter() - began
        judge_reactions(database, now=NOW + timedelta(hours=1))
    return {"events_per_second": kept / spent}


def _batches() -> Iterator[ImportBatch]:
    people = (
        SubscriberRecord(
            email=workload.email(number),
            first_name=f"Person{number}",
            language=("en", "en", "es", "de", "")[number % 5],
            tags=((), ("teacher",), ("donor", "member"), ())[number * 31 % 7 % 4],
            joined_at=NOW - timedelta(days=number * 7919 % 2000),
            consented_at=NOW,
            consent_source="website form",
            attributes={"country": ("US", "CA", "MX")[number % 3]},
        )
        for number in range(workload.MANY)
    )
    return batches_of(people)


def _receive(database: Database) -> None:
    """Write broadcasts that everyone received, as a freeze and its drain leave them, and suppress some people."""
    size = workload.CHUNK_SIZE
    with database.transaction() as connection:
        connection.execute("UPDATE subscriber SET tracking_consented_at = '2000-01-01T00:00:00Z'", {})
        for number, (issue, sent_at) in enumerate(ISSUES.items(), start=1):
            values = {"issue": issue, "at": f"{sent_at:%Y-%m-%dT%H:%M:%SZ}", "size": size, "number": number}
            connection.execute(
                "INSERT INTO broadcast (issue, segment, expression, provider, state, reason, content_hash, nonce, "
                "envelope, waivers, frozen, created_at) VALUES (:issue, 'everyone', 'everyone', 'outbox', 'done', "
                "'', '', 'n', '{}', '[]', 0, :at)",
                values,
            )
            connection.execute(
                "INSERT INTO delivery SELECT :number, id, (id - 1) / :size + 1, NULL FROM subscriber ORDER BY id",
                values,
            )
            connection.execute(
                "INSERT INTO chunk (broadcast, number, variant, state, size, first_subscriber, changed_at) "
                "SELECT :number, chunk, 0, 'accepted', count(*), min(subscriber), :at FROM delivery "
                "WHERE broadcast = :number GROUP BY chunk",
                values,
            )
        connection.execute(
            "INSERT INTO suppression (person, topic, email, reason, detail, created_at) "
            "SELECT person, '', email, 'unsubscribed', '', joined_at FROM subscriber WHERE id % :each = 0",
            {"each": round(1 / SUPPRESSED_SHARE)},
        )


def _events() -> Iterator[Event]:
    """Return as many events for each issue as there are people, most of them soon after it, in random order."""
    numbers = random.Random(1)
    for broadcast, sent_at in enumerate(ISSUES.values(), start=1):
        for moment in sorted(numbers.expovariate(1 / 30_000) for _ in range(workload.MANY)):
            subscriber = numbers.randrange(workload.MANY) + 1
            yield Event(
                at=sent_at + timedelta(seconds=int(moment)),
                type=numbers.choice(_TYPES),
                broadcast=broadcast,
                nonce="n",
                chunk=(subscriber - 1) // workload.CHUNK_SIZE + 1,
                attempt=1,
                subscriber=subscriber,
                detail="",
            )


def _count(path: Path) -> dict[str, float]:
    conditions = {expression: _condition(expression) for expression in COUNTS}
    spent: dict[str, list[float]] = {name: [] for name in (FLOOR, *COUNTS)}
    with open_database(path) as database:
        for _ in range(ROUNDS):
            for expression, condition in conditions.items():
                began = time.perf_counter()
                _bare_count(path)
                spent[FLOOR].append(time.perf_counter() - began)
                began = time.perf_counter()
                count_segment(database, condition)
                spent[expression].append(time.perf_counter() - began)
    return {name: 1000 * median(seconds) for name, seconds in spent.items()}


def _bare_count(path: Path) -> None:
    connection = sqlite3.connect(path)
    try:
        connection.execute(FLOOR).fetchone()
    finally:
        connection.close()


def _condition(expression: str) -> Condition:
    known = KnownNames(fields=None, tags=None, issues=tuple(ISSUES), topics=())
    calendar = Calendar(now=NOW, zone="UTC")
    return parse_segment("benchmark", expression, known, calendar, place=Place(path="benchmark")).condition


if __name__ == "__main__":
    prepare_process()
    print(json.dumps({"make": _make, "count": _count}[sys.argv[1]](Path(sys.argv[2]) / "newsletter.db")))
