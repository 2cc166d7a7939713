"""Reports with five million events in the database: eight issues to an audience of 250,000.

The events are in the database as they are once they were judged, which `newsletter serve` does every minute. The time
is that of counting, words and tables together: first when no earlier issue was counted before, then as usual. The
memory is what the report adds to the process, as the system counts it.
"""

import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import workload
from benchmarks.timing import run_job, show
from newsletter.__main__ import prepare_process
from newsletter.store.database import Connection, Row
from newsletter.store.ledger.variants import save_variant
from newsletter.store.opening import open_database
from newsletter.system.moments import text_of
from newsletter.workflows.report.issue import report_on
from newsletter.workflows.report.words import told
from tests.store.builders import variant

PEOPLE, ISSUES = workload.MANY // 4, 8
TARGET_SECONDS, TARGET_MIB = 2.0, 200
_LINKS = tuple(f"https://example.org/{number}" for number in range(40))


def main() -> None:
    """Print the time and memory of a report."""
    with tempfile.TemporaryDirectory() as name:
        run_job("benchmarks.report", "make", name)
        first, found = (run_job("benchmarks.report", "report", name) for _ in range(2))
    met = found["work_seconds"] <= TARGET_SECONDS
    title = f"report with {found['events']:,.0f} events, {ISSUES} issues to {PEOPLE:,} people, processor time"
    show(title, f"{found['work_seconds']:.2f} s   target ≤ {TARGET_SECONDS:.0f} s   {'met' if met else 'MISSED'}")
    show("the first, which also counts the earlier issues", f"{first['work_seconds']:.2f} s")
    met = found["mib"] <= TARGET_MIB
    show("memory of the report", f"{found['mib']:.0f} MiB   target ≤ {TARGET_MIB} MiB   {'met' if met else 'MISSED'}")


def _sent_at(issue: int) -> datetime:
    return datetime(2026, 1, 5, 16, tzinfo=UTC) + timedelta(days=28 * issue)


def _make_job(folder: str) -> dict[str, float]:
    """Fill a database with tracked broadcasts to everyone. Four of ten people let us know what they open."""
    path = Path(folder) / "newsletter.db"
    workload.add_people(path, PEOPLE)
    with open_database(path) as database:
        with database.transaction() as connection:
            agree = "UPDATE subscriber SET tracking_consented_at = '2026-01-01T00:00:00Z' WHERE id % 10 < 4"
            connection.execute(agree, {})
            for issue in range(1, ISSUES + 1):
                _add_issue(connection, issue)
        for issue in range(1, ISSUES + 1):
            with database.transaction() as connection:
                connection.insert_new("event", sorted(_events(issue), key=lambda row: (row[0], row[1])))
        with database.transaction() as connection:
            connection.execute(
                "INSERT INTO reaction (broadcast, type, subscriber, last_at, first_at) "
                "SELECT broadcast, type, subscriber, max(at), min(at) FROM event "
                "WHERE type IN ('opened', 'clicked') AND verdict = '' GROUP BY 1, 2, 3",
                {},
            )
    return {}


def _add_issue(connection: Connection, issue: int) -> None:
    named = {"issue": issue, "name": f"issue-{issue}", "sent_at": text_of(_sent_at(issue))}
    connection.execute(
        "INSERT INTO broadcast (id, issue, segment, expression, provider, state, reason, content_hash, nonce, "
        "envelope, waivers, frozen, created_at, tracking) VALUES (:issue, :name, 'everyone', 'everyone', 'sendgrid', "
        "'done', '', :name, 'n', :envelope, '[]', :people, :sent_at, 'consented')",
        {**named, "people": PEOPLE, "envelope": workload.NO_ENVELOPE},
    )
    save_variant(connection, broadcast_id=issue, number=0, variant=variant())
    connection.execute_each(
        "INSERT INTO chunk (broadcast, number, variant, state, size, first_subscriber, changed_at) "
        "VALUES (:issue, :number, 0, 'accepted', :size, :first, :sent_at)",
        [
            {**named, "number": 1 + place // 1000, "size": min(1000, PEOPLE - place), "first": place + 1}
            for place in range(0, PEOPLE, 1000)
        ],
    )
    connection.execute_each(
        "INSERT INTO tracked_link (broadcast, number, target) VALUES (:issue, :number, :target)",
        [{"issue": issue, "number": number, "target": target} for number, target in enumerate(_LINKS, 1)],
    )
    connection.execute(
        "INSERT INTO delivery (broadcast, subscriber, chunk, edition, is_delivered) SELECT :issue, id, "
        "(id - 1) / 1000 + 1, :issue, CASE WHEN id % 80 = 0 THEN 0 ELSE 1 END FROM subscriber",
        {"issue": issue},
    )


def _events(issue: int) -> Iterator[Row]:
    """Yield the rows of about 2.5 events for each person."""
    numbers = random.Random(issue)
    moments = [text_of(_sent_at(issue) + timedelta(seconds=30 * step)) for step in range(20_000)]
    number = issue << 40

    def row(type_: str, person: int, *, url: str = "", cause: str = "", verdict: str = "") -> Row:
        nonlocal number
        number += 1
        at, digest = numbers.choice(moments), number.to_bytes(16, "big")
        return (at, digest, type_, issue, (person - 1) // 1000 + 1, 1, person, "", url, -1, cause, verdict)

    for person in range(1, PEOPLE + 1):
        yield row("processed", person)
        if person % 80 == 0:
            yield row("bounced", person, cause="no-such-address")
            continue
        yield row("delivered", person)
        if person % 10 < 4 and (person + issue) % 2:
            yield from (row("opened", person) for _ in range(2))
            yield from (row("opened", person, verdict="privacy") for _ in range(person % 3 == 0))
            if person % 5 == 1:
                yield from (row("clicked", person, url=url) for url in numbers.sample(_LINKS, 2))
        if person % 2000 == 7:
            yield row("complained", person)


def _report_job(folder: str) -> dict[str, float]:
    now = _sent_at(ISSUES) + timedelta(days=20)
    with open_database(Path(folder) / "newsletter.db") as database:
        figures = workload.measure(lambda: told(report_on(database, f"issue-{ISSUES}", now=now), zone="UTC"))
        with database.read() as connection:
            ((events,),) = connection.execute("SELECT count(*) FROM event", {}).fetchall()
    return {**figures, "events": float(str(events))}


JOBS: Mapping[str, Callable[..., dict[str, float]]] = {"make": _make_job, "report": _report_job}

if __name__ == "__main__":
    prepare_process()
    print(json.dumps(JOBS[sys.argv[1]](*sys.argv[2:])))
