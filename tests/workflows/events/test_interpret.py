"""What was saved is interpreted once, after a crash too, and no post keeps the others from it."""

import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.config import Config
from newsletter.errors import StoreError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import Broadcast, BroadcastState, Outcome, Verdict
from newsletter.providers.sendgrid.posts import Entry
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import require_broadcast
from newsletter.store.ledger.status import tally_of
from newsletter.store.notices import untold_notices
from newsletter.store.posts import add_post, count_waiting_posts, delete_posts
from newsletter.store.subscribers import events_of
from newsletter.store.suppressions import find_suppression
from newsletter.workflows.events.ingest import Ingested, count_soft_bounces
from newsletter.workflows.events.interpret import Interpreter, interpret_posts, settle_doubts
from newsletter.workflows.events.receive import keep_post
from tests.fakes.event_webhook import body_of
from tests.store.builders import NOW, add_people, agree_to_tracking, claim, forget, freeze, id_of, record
from tests.store.conftest import Location
from tests.store.empty_file import open_test_database

ANA, BO = "person00000@example.org", "person00001@example.org"
DAY = timedelta(days=1)
HOLD_THE_TURN = """
import sys
from pathlib import Path
from tests.store.empty_file import open_test_database

kind, location = sys.argv[1:]
with open_test_database(Path(location) if kind == "file" else location) as database, database.interpreting():
    print("holds", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def broadcast(database: Database) -> Broadcast:
    """A broadcast to two people."""
    add_people(database, 2)
    return freeze(database)


def entry(database: Database, broadcast: Broadcast, event: str, email: str = ANA, **more: object) -> Entry:
    return {
        "event": event,
        "email": email,
        "timestamp": int(NOW.timestamp()),
        "nl_broadcast": broadcast.mailing_id,
        "nl_chunk": "1",
        "nl_attempt": "1",
        "nl_delivery": str(id_of(database, email)),
        **more,
    }


def post(database: Database, *entries: object) -> bool:
    with database.transaction() as connection:
        return keep_post(body_of(*entries), now=NOW)(connection)


def posts(database: Database) -> list[tuple[object, ...]]:
    with database.read() as connection:
        return connection.execute("SELECT interpreted_at <> '', failure FROM post ORDER BY id", {}).fetchall()


def test_a_saved_post_is_interpreted_once(config: Config, database: Database, broadcast: Broadcast) -> None:
    post(database, entry(database, broadcast, "spamreport"), entry(database, broadcast, "delivered", BO))

    assert count_waiting_posts(database) == 1
    assert interpret_posts(config, database, now=NOW) == Ingested(added=2, suppressed=1)
    assert interpret_posts(config, database, now=NOW) is None

    found = find_suppression(database, ANA)
    assert found is not None
    assert found.reason is SuppressionReason.COMPLAINED


def test_no_post_is_interpreted_while_another_service_interprets(
    config: Config, database: Database, broadcast: Broadcast, location: Location
) -> None:
    post(database, entry(database, broadcast, "spamreport"))

    with open_test_database(location, wait_seconds=0.05) as other:
        with database.interpreting(), pytest.raises(StoreError, match="another program"):
            interpret_posts(config, other, now=NOW)
        assert (count_waiting_posts(database), find_suppression(database, ANA)) == (1, None)

        assert interpret_posts(config, other, now=NOW) == Ingested(added=1, suppressed=1)
        with database.interpreting():
            assert interpret_posts(config, other, now=NOW) is None


def test_the_turn_of_a_service_ends_with_an_error(
    config: Config, database: Database, broadcast: Broadcast, location: Location
) -> None:
    post(database, entry(database, broadcast, "spamreport"))

    with pytest.raises(ZeroDivisionError), database.interpreting():
        raise ZeroDivisionError
    with open_test_database(location, wait_seconds=0.05) as other:
        assert interpret_posts(config, other, now=NOW) == Ingested(added=1, suppressed=1)


def test_a_killed_service_ends_its_turn_and_posts_are_saved_all_the_while(
    config: Config, database: Database, broadcast: Broadcast, location: Location
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_THE_TURN, "file" if isinstance(location, Path) else "server", str(location)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as service:
        try:
            assert service.stdout is not None
            assert service.stdout.readline() == b"holds\n"
            assert post(database, entry(database, broadcast, "spamreport"))
            with open_test_database(location, wait_seconds=0.05) as other:
                with pytest.raises(StoreError, match="another program"):
                    interpret_posts(config, other, now=NOW)
                assert post(other, entry(other, broadcast, "delivered"))
        finally:
            service.kill()

    with open_test_database(location) as other:
        assert interpret_posts(config, other, now=NOW) == Ingested(added=2, suppressed=1)


def test_services_that_interpret_at_once_count_each_event_once(
    config: Config, database: Database, broadcast: Broadcast, location: Location
) -> None:
    agree_to_tracking(database, ANA)
    for number in range(20):
        post(database, entry(database, broadcast, "click", url=f"https://example.org/{number}"))
    with database.transaction() as connection:  # from now on, the clicks are only counted
        connection.execute("UPDATE subscriber SET tracking_consented_at = ''", {})
    at_once = threading.Barrier(2)

    def serve() -> None:
        with open_test_database(location) as own:
            at_once.wait()
            while interpret_posts(config, own, now=NOW):
                pass

    services = [threading.Thread(target=serve) for _ in range(2)]
    for each in services:
        each.start()
    for each in services:
        each.join()

    with database.read() as connection:
        assert connection.execute("SELECT type, events FROM event_total", {}).fetchall() == [("clicked", 20)]
    assert count_waiting_posts(database) == 0


def test_a_body_is_saved_once_and_a_repeated_event_is_kept_once(
    config: Config, database: Database, broadcast: Broadcast
) -> None:
    clicked = entry(database, broadcast, "click", url="https://example.org/a", sg_event_id="b25l")
    agree_to_tracking(database, ANA)
    assert post(database, clicked)
    assert not post(database, clicked)
    assert post(database, {**clicked, "sg_event_id": "b3RoZXI"})
    while interpret_posts(config, database, now=NOW):
        pass

    assert len(events_of(database, id_of(database, ANA))) == 1


def test_a_repeated_body_counts_once_in_the_totals(database: Database, broadcast: Broadcast) -> None:
    opened = entry(database, broadcast, "open")
    assert post(database, opened, opened)
    assert not post(database, opened, opened)

    with database.read() as connection:
        assert connection.execute("SELECT type, events FROM event_total", {}).fetchall() == [("opened", 2)]
    assert count_waiting_posts(database) == 0


def test_who_withdraws_before_a_click_is_interpreted_is_only_counted(
    config: Config, database: Database, broadcast: Broadcast
) -> None:
    agree_to_tracking(database, ANA)
    post(database, entry(database, broadcast, "click", url="https://example.org/a"))
    with database.transaction() as connection:
        connection.execute("UPDATE subscriber SET tracking_consented_at = ''", {})

    interpret_posts(config, database, now=NOW)

    assert events_of(database, id_of(database, ANA)) == ()


def test_whoever_is_erased_before_a_post_is_interpreted_stays_erased(
    config: Config, database: Database, broadcast: Broadcast
) -> None:
    post(database, entry(database, broadcast, "bounce", reason=f"550 5.1.1 no {ANA}"))
    forget(database, ANA)

    interpret_posts(config, database, now=NOW)

    assert find_suppression(database, ANA) is None


def test_a_late_report_finds_the_person_by_address(config: Config, database: Database, broadcast: Broadcast) -> None:
    post(database, {"event": "bounce", "email": ANA.upper(), "timestamp": 1_771_516_800, "reason": "550 5.1.1 unknown"})

    interpret_posts(config, database, now=NOW)

    found = find_suppression(database, ANA)
    assert found is not None
    assert found.reason is SuppressionReason.BOUNCED


def test_a_post_that_cannot_be_interpreted_is_set_aside(
    config: Config, database: Database, broadcast: Broadcast
) -> None:
    said: list[str] = []
    with database.transaction() as connection:
        add_post(connection, "sendgrid", [{"event": "open"}], digest=b"1", now=NOW)
        connection.execute("UPDATE post SET content = :rubbish", {"rubbish": b"rubbish"})
    with database.transaction() as connection:
        add_post(
            connection,
            "sendgrid",
            [{"event": "delivered", "timestamp": 10**6, "nl_broadcast": 7}],
            digest=b"2",
            now=NOW,
        )
    post(database, entry(database, broadcast, "spamreport"))

    def log(sentence: str, /, **_fields: object) -> None:
        said.append(sentence)

    while interpret_posts(config, database, now=NOW, log=log):
        pass

    assert [bool(failure) for _, failure in posts(database)] == [True, False, False]
    assert find_suppression(database, ANA) is not None
    assert len(said) == 1


def test_the_reviewers_are_told_when_the_account_is_suspended(
    config: Config, database: Database, broadcast: Broadcast
) -> None:
    for _ in range(2):
        post(database, {"event": "account_status_change", "type": "compliance_suspend", "timestamp": 1_771_516_800})
        interpret_posts(config, database, now=NOW)

    (notice,) = untold_notices(database)
    assert "compliance_suspend" in notice.what


@pytest.mark.parametrize(
    ("state", "is_paused"),
    [
        ("compliance_suspend", True),
        ("compliance_deactivate", True),
        ("something new", True),
        ("reactivated", False),
        ("compliance_activate", False),
    ],
)
def test_broadcasts_through_sendgrid_are_paused_unless_the_account_works(
    config: Config, database: Database, state: str, is_paused: bool
) -> None:
    add_people(database, 2)
    ours, other = (freeze(database, issue=name, provider=name) for name in ("sendgrid", "outbox"))
    post(database, {"event": "account_status_change", "type": state, "timestamp": 1_771_516_800})
    interpret_posts(config, database, now=NOW)

    found = require_broadcast(database, ours.id)
    assert (found.state is BroadcastState.PAUSED) is is_paused
    assert (state in found.reason) is is_paused
    assert require_broadcast(database, other.id).state is BroadcastState.RUNNING


def test_nobody_comes_back_by_an_event(config: Config, database: Database, broadcast: Broadcast) -> None:
    post(database, entry(database, broadcast, "group_unsubscribe"))
    interpret_posts(config, database, now=NOW)
    post(database, entry(database, broadcast, "group_resubscribe", timestamp=int((NOW + DAY).timestamp())))
    interpret_posts(config, database, now=NOW + DAY)

    assert find_suppression(database, ANA) is not None


def test_old_posts_are_deleted_unless_they_still_wait(config: Config, database: Database, broadcast: Broadcast) -> None:
    post(database, entry(database, broadcast, "delivered"))
    interpret_posts(config, database, now=NOW)
    post(database, entry(database, broadcast, "processed"))

    with database.transaction() as connection:
        assert delete_posts(connection, before=NOW) == 0
        assert delete_posts(connection, before=NOW + DAY) == 1
    assert count_waiting_posts(database) == 1


def test_posts_are_interpreted_soon_after_they_are_saved(
    config: Config, database: Database, broadcast: Broadcast
) -> None:
    is_done = threading.Event()

    def log(_sentence: str, /, **_fields: object) -> None:
        is_done.set()

    with Interpreter(config, database, clock=lambda: NOW, log=log, seconds_between=0.01):
        post(database, entry(database, broadcast, "spamreport"))
        with database.transaction() as connection:
            add_post(connection, "sendgrid", [{}], digest=b"last", now=NOW)
            connection.execute(
                "UPDATE post SET content = :rubbish WHERE digest = :last", {"rubbish": b"", "last": b"last"}
            )
        assert is_done.wait(30)

    assert find_suppression(database, ANA) is not None


def test_soft_bounces_of_posts_are_counted_now_and_then(
    config: Config, database: Database, broadcast: Broadcast
) -> None:
    for day in (1, 5, 9, 13, 16):
        full = {"type": "blocked", "reason": "452 4.2.2 full", "timestamp": int((NOW + day * DAY).timestamp())}
        post(database, entry(database, broadcast, "bounce", **full))
    while interpret_posts(config, database, now=NOW + 20 * DAY):
        pass
    assert find_suppression(database, ANA) is None

    assert count_soft_bounces(config, database, now=NOW + 20 * DAY) == 1

    assert find_suppression(database, ANA) is not None


def test_totals_of_another_databases_broadcast_are_not_counted(database: Database, broadcast: Broadcast) -> None:
    post(database, {**entry(database, broadcast, "open"), "nl_broadcast": f"b{broadcast.id}-another"})

    with database.read() as connection:
        assert connection.execute("SELECT * FROM event_total", {}).fetchall() == []


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_batch_that_comes_into_doubt_after_its_events_is_settled(
    config: Config, database: Database, is_ours: bool
) -> None:
    add_people(database, 2)
    broadcast = freeze(database)
    chunk = claim(database, broadcast)
    post(database, entry(database, broadcast, "processed", nl_attempt=str(chunk.attempt if is_ours else 9)))
    interpret_posts(config, database, now=NOW)
    record(database, chunk, Outcome(verdict=Verdict.UNKNOWN))

    assert settle_doubts(database, now=NOW) == int(is_ours)
    assert settle_doubts(database, now=NOW) == 0

    tally = tally_of(database, broadcast.id)
    assert (tally.accepted, tally.unknown) == ((2, 0) if is_ours else (0, 2))
