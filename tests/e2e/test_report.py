"""What SendGrid posts to the service is in the report, right to the unit, as a director reads it."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from time import monotonic, sleep

from newsletter.config import load_config
from newsletter.store.database import Database
from newsletter.store.opening import open_database
from newsletter.store.posts import count_waiting_posts
from newsletter.system.moments import text_of
from tests.e2e.program import run
from tests.e2e.test_webhook import SETTINGS, post, service
from tests.fakes.event_webhook import EventWebhook, body_of
from tests.store.builders import add_people, agree_to_tracking, id_of
from tests.workflows.tracking.broadcasts import send
from tests.workspaces import write_workspace

SENT_AT = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
PEOPLE = 90
# By the number of a person:
DELIVERED, BOUNCED, REFUSED = range(80), range(80, 84), range(84, 86)  # the others are not heard of
AGREED = range(50)
OPENED, CLICKED, SCANNED, ONLY_LOADED = range(40), range(5, 17), range(40, 43), range(43, 48)
COMPLAINED, LEFT = range(60, 63), range(63, 68)
PHONE = {"useragent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/18.6 Safari/604.1"}
URL = "https://example.org/a"

Entry = dict[str, object]


def entry(person: int, event: str, seconds: int, **more: object) -> tuple[int, Entry]:
    moment = int((SENT_AT + timedelta(seconds=seconds)).timestamp())
    return person, {"event": event, "timestamp": moment, **more}


def arrivals() -> Iterator[tuple[int, Entry]]:
    """Where the emails go."""
    for person in range(PEOPLE):
        yield entry(person, "processed", 1)
    for person in DELIVERED:
        yield entry(person, "delivered", 5 + person, response="250 2.0.0 OK")
    for person in BOUNCED:
        yield entry(person, "bounce", 9, type="bounce", status="5.1.1", reason="550 5.1.1 no such user here")
    for person in REFUSED:
        yield entry(person, "bounce", 9, type="blocked", status="4.2.2", reason="452 4.2.2 mailbox full")


def answers() -> Iterator[tuple[int, Entry]]:
    """What people and machines do with them."""
    for person in [*OPENED, 70, 71]:  # the last two did not agree to tracking
        yield entry(person, "open", 600 + person, **PHONE)
        yield entry(person, "open", 1200 + person, **PHONE)
    for person in [*CLICKED, 72]:
        yield entry(person, "click", 660 + person, url=URL, **PHONE)
    for person in SCANNED:
        yield entry(person, "open", 290, **PHONE)
        for number in range(3):
            where = {"index": number, "type": "html"}
            yield entry(person, "click", 300, url=f"https://example.org/{number}", url_offset=where, **PHONE)
    for person in ONLY_LOADED:
        yield entry(person, "open", 20, sg_machine_open=True, useragent="Mozilla/5.0")
    for person in COMPLAINED:
        yield entry(person, "spamreport", 1800)
    for person in LEFT:
        yield entry(person, "unsubscribe", 1900)


def posts(database: Database, mailing: str) -> list[bytes]:
    """The bodies: in a random order, a tenth of the entries again under another id, and a post a second time."""
    numbers = Random(18)
    about = {"nl_broadcast": mailing, "nl_chunk": "1", "nl_attempt": "1"}
    told = [
        {**each, **about, "nl_delivery": str(id_of(database, f"person{person:05}@example.org"))}
        for person, each in [*arrivals(), *answers()]
    ]
    told += [{**each, "sg_event_id": "again"} for each in numbers.sample(told, len(told) // 10)]
    numbers.shuffle(told)
    bodies = [body_of(*told[start : start + 23]) for start in range(0, len(told), 23)]
    return [*bodies, bodies[0]]


def forged(port: int, body: bytes) -> int:
    """The status of a post that is signed with another key."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    headers = dict(EventWebhook().headers(body, at=datetime.now(UTC)))
    connection.request("POST", "/events/sendgrid", body, headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_report_has_the_figures_that_sendgrid_posted(tmp_path: Path) -> None:
    settings = f'{SETTINGS}\n[tracking]\nmode = "consented"\n'
    folder = write_workspace(tmp_path / "workspace", {"newsletter.toml": settings})
    config = load_config(folder)
    with open_database(config.database) as database:
        add_people(database, PEOPLE)
        for number in AGREED:
            agree_to_tracking(database, f"person{number:05}@example.org")
        broadcast, _ = send(config, database, now=SENT_AT)
        with database.transaction() as connection:
            connection.execute("UPDATE chunk SET changed_at = :at", {"at": text_of(SENT_AT)})
        bodies = posts(database, broadcast.mailing_id)
        with service(folder) as (port, _process):
            assert all(post(port, body) for body in bodies)
            untrue = [{**each, "event": "spamreport"} for each in json.loads(bodies[0])]
            assert forged(port, body_of(*untrue)) in {401, 403}
            deadline = monotonic() + 60
            while count_waiting_posts(database):
                assert monotonic() < deadline
                sleep(0.05)

    tables = json.loads(run(folder, "report", "2026-02", "--json").stdout)["tables"]
    figures = {
        (table["table"], line["label"]): (found["count"], found["of"])
        for table in tables
        if table["table"] in {"emails", "reading"}
        for line in table["lines"]
        if (found := line.get("emails") or line.get("people")) and not found.get("is_estimate")
    }
    assert figures == {
        ("emails", "delivered"): (len(DELIVERED), PEOPLE),
        ("emails", "bounced"): (len(BOUNCED), PEOPLE),
        ("emails", "refused for now, and not delivered since"): (len(REFUSED), PEOPLE),
        ("emails", "accepted, and nothing heard since"): (PEOPLE - 86, PEOPLE),
        ("emails", "marked as spam"): (len(COMPLAINED), len(DELIVERED)),
        ("emails", "left"): (len(LEFT), PEOPLE),
        ("reading", "let us know what they open"): (len(AGREED), PEOPLE),
        ("reading", "opened"): (len(OPENED), len(AGREED)),
        ("reading", "clicked"): (len(CLICKED), len(AGREED)),
        ("reading", "may have opened"): (len(SCANNED) + len(ONLY_LOADED), len(AGREED)),
    }
    printed = re.sub(r"\s+", " ", run(folder, "report", "2026-02").stdout)
    for line in ("delivered 80 ·", "bounced 4 ·", "marked as spam 3 ·", "left 5 ·", "opened 40 ·", "clicked 12 ·"):
        assert f" {line} " in printed
