"""Corrections: exactly those who were told something else get one, and no one gets it twice."""

import os
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest

from newsletter.config import Config, load_config
from newsletter.errors import InputError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import Broadcast, BroadcastKind
from newsletter.model.ledger import ClaimedChunk
from newsletter.store.database import Database
from newsletter.store.ledger import told as ledger
from newsletter.store.ledger.cancel import begin_cancel, finish_cancel
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.told import clocks_of
from newsletter.store.ledger.variants import load_variants
from newsletter.store.suppressions import add_suppression
from newsletter.system.zone_database import ZoneDatabases
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.segments import meant_by
from newsletter.workflows.send.correct import plan_correction
from newsletter.workflows.send.mailings import Mailings
from newsletter.workflows.send.plan import Order, plan_broadcast, start_broadcast
from newsletter.workflows.send.told import changed_events, notes_on_old_times, say_changed_clocks
from tests.old_zones import zone_before, zones_before
from tests.postgresql import PostgresServer
from tests.store.builders import add, record, row
from tests.store.empty_file import open_test_database
from tests.workflows.send.carriers import Carrier
from tests.workspaces import ISSUE, write_workspace

NOW = datetime(2026, 10, 1, 16, tzinfo=UTC)
READERS = int(os.environ.get("NEWSLETTER_CORRECTION_READERS", "1500"))
DAY = "2026-12-09"
EVENT = (
    f"---\ntitle: A talk\nstarts: {DAY} 08:00\nends: {DAY} 09:00\ntimezone: America/Vancouver\nlocation: Online\n---\n"
)
ISSUE_WITH_EVENT = ISSUE.replace("2026-02-19", "2026-10-01") + "  - events\n"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    files = {
        "issues/2026-02/issue.yaml": ISSUE_WITH_EVENT,
        "issues/2026-02/events/index.md": "---\ntitle: Events\n---\n",
        "issues/2026-02/events/talk.md": EVENT,
    }
    return load_config(write_workspace(tmp_path, files))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, config: Config) -> Iterator[Database]:
    location: Path | str = config.database
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgresql_server")
        location = server.fresh_database()
    with open_test_database(location) as opened:
        yield opened


def rewrite(config: Config, old: str, new: str) -> None:
    path = config.root / "issues/2026-02/events/talk.md"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def move(config: Config, place: str) -> None:
    """Has the talk take place elsewhere."""
    path = config.root / "issues/2026-02/events/talk.md"
    path.write_text(re.sub("^location: .*$", f"location: {place}", path.read_text(), flags=re.MULTILINE))


def send(config: Config, database: Database, to: str = "everyone") -> Broadcast:
    """Sends the issue; all is accepted."""
    segment = meant_by(config, database, segment=None, where=to, now=NOW)
    order = Order(folder=require_issue(config, "2026-02"), segment=segment)
    plan = plan_broadcast(config, database, order, now=NOW)
    return sent(database, start_broadcast(database, plan, Carrier(), now=NOW))[0]


def sent(database: Database, broadcast: Broadcast, *, most: int | None = None) -> tuple[Broadcast, dict[str, str]]:
    """Sends a broadcast, or as many of its chunks; returns the text that each person got, in one line."""
    mailings = Mailings(broadcast, load_variants(database, broadcast.id), clocks_of(database, broadcast.id))
    texts: dict[str, str] = {}
    for _ in count() if most is None else range(most):
        chunk = claim_chunk(database, broadcast.id, "", mailings.fields, now=NOW)
        if not isinstance(chunk, ClaimedChunk):
            break
        outgoing = mailings.outgoing(chunk)
        template = outgoing.mailing.variant.text
        texts |= {each.email: " ".join(template.fill(each.values).split()) for each in outgoing.recipients}
        record(database, chunk)
    return broadcast, texts


def correct(config: Config, database: Database) -> dict[str, str]:
    """Corrects the talk; returns the text that each person got, or nothing if no one needs it."""
    planned = plan_correction(config, database, require_issue(config, "2026-02"), "talk", now=NOW)
    if planned is None:
        return {}
    assert not planned.broadcast.blocking, planned.broadcast.blocking
    broadcast, texts = sent(database, start_broadcast(database, planned.broadcast, Carrier(), now=NOW))
    assert broadcast.kind is BroadcastKind.CORRECTION
    return texts


def before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "ZONE_DATABASES", ZoneDatabases(system="2025b", package="2025b"))


def after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "ZONE_DATABASES", ZoneDatabases(system="2025b", package="2026f"))


def people(count: int) -> dict[str, str]:
    """People all over the world, and some whose zone is not known."""
    draw, zones = random.Random(7), sorted(available_timezones() - {"Factory", "localtime"})
    usual = ["", "Mars/Base", "America/Vancouver", "America/Los_Angeles", "America/Winnipeg", "Europe/Berlin"]
    return {f"p{n}@example.org": draw.choice(usual if n % 2 else zones) for n in range(count)}


def test_a_change_of_clocks_is_corrected_for_exactly_those_who_were_told_another_hour(
    config: Config, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zones = people(READERS)
    add(database, *(row(email, timezone=zone) for email, zone in zones.items()))
    before(monkeypatch)
    with zones_before(tmp_path / "zones"):
        send(config, database)
    after(monkeypatch)

    (changed,) = changed_events(database, now=NOW)
    texts = correct(config, database)

    expected = {email for email, zone in zones.items() if was_told_another_hour(zone)}
    assert texts.keys() == expected
    assert 0 < len(expected) < READERS
    assert changed.people == len(expected)
    assert not correct(config, database)
    assert not list(changed_events(database, now=NOW))


def was_told_another_hour(zone: str) -> bool:
    """Judge from the two rules alone, without any code of the program."""
    wall = datetime.fromisoformat(f"{DAY} 08:00")
    then = wall.replace(tzinfo=zone_before("America/Vancouver")).astimezone(UTC)
    now = wall.replace(tzinfo=ZoneInfo("America/Vancouver")).astimezone(UTC)
    assert (then.hour, now.hour) == (16, 15)
    if zone in {"", "Mars/Base"}:
        return True  # they read "8:00 am PT", which is 16:00 in UTC
    old = zone_before(zone) if zone in {"America/Vancouver", "America/Winnipeg"} else ZoneInfo(zone)
    return then.astimezone(old).replace(tzinfo=None) != now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def test_the_readers_zone_changed_its_clocks(
    config: Config, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewrite(config, "America/Vancouver", "Europe/Berlin")
    zones = {"w@example.org": "America/Winnipeg", "b@example.org": "Europe/Berlin", "n@example.org": ""}
    add(database, *(row(email, timezone=zone) for email, zone in zones.items()))
    before(monkeypatch)
    with zones_before(tmp_path / "zones"):
        send(config, database)
    after(monkeypatch)

    texts = correct(config, database)

    assert texts.keys() == {"w@example.org"}
    assert "1:00–2:00 am (Winnipeg)" in texts["w@example.org"]
    assert "2:00–3:00 am (Winnipeg)" in texts["w@example.org"]


def test_a_moved_event_is_corrected_with_the_old_and_the_new_time(config: Config, database: Database) -> None:
    add(database, row("b@example.org", timezone="Europe/Berlin"), row("n@example.org"))
    send(config, database)
    assert not correct(config, database)

    rewrite(config, "09:00", "10:00")
    rewrite(config, "08:00", "09:00")
    texts = correct(config, database)

    assert texts.keys() == {"b@example.org", "n@example.org"}
    assert "16:00–17:00 (Berlin)" in texts["b@example.org"]
    assert "17:00–18:00 (Berlin)" in texts["b@example.org"]
    assert "Berlin" not in texts["n@example.org"]
    assert not correct(config, database)


def test_a_moved_place_is_corrected_and_a_new_title_is_not(config: Config, database: Database) -> None:
    add(database, row("b@example.org", timezone="Europe/Berlin"))
    send(config, database)
    rewrite(config, "A talk", "A long talk")
    assert not correct(config, database)
    rewrite(config, "Online", "Hall 2")
    (text,) = correct(config, database).values()
    assert "Online" in text
    assert "Hall 2" in text


def test_a_canceled_event_is_corrected(config: Config, database: Database) -> None:
    add(database, row("b@example.org", timezone="Europe/Berlin", language="en"))
    send(config, database)
    rewrite(config, "location: Online", "location: Online\nstatus: canceled")
    (text,) = correct(config, database).values()
    assert "Now: Canceled · Wednesday, December 9, 2026" in text


def test_who_was_told_right_later_or_left_is_left_out(config: Config, database: Database) -> None:
    add(database, *(row(f"{name}@example.org", timezone="Europe/Berlin") for name in ("a", "b", "c")))
    send(config, database, to='email != "c@example.org"')
    rewrite(config, "09:00", "10:00")
    rewrite(config, "08:00", "09:00")
    send(config, database, to='email = "c@example.org"')
    add_suppression(database, "b@example.org", SuppressionReason.UNSUBSCRIBED, now=NOW)
    assert correct(config, database).keys() == {"a@example.org"}


def test_a_second_change_is_corrected_again(config: Config, database: Database) -> None:
    add(database, row("a@example.org", timezone="Europe/Berlin"))
    send(config, database)
    last = "Online"
    for place in ("Hall 2", "Hall 3", "Hall 2", "Online", "Hall 2", "Hall 3"):
        move(config, place)
        (text,) = correct(config, database).values()
        assert last in text.partition("Now: ")[0]
        assert place in text.partition("Now: ")[2]
        assert correct(config, database) == {}
        last = place


def test_clocks_that_change_back_are_corrected_again(
    config: Config, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(database, row("w@example.org", timezone="America/Winnipeg"))
    rewrite(config, "America/Vancouver", "Europe/Berlin")
    send(config, database)
    move(config, "Hall 2")
    assert correct(config, database).keys() == {"w@example.org"}
    before(monkeypatch)
    with zones_before(tmp_path / "zones"):
        assert "1:00–2:00 am (Winnipeg)" in correct(config, database)["w@example.org"]
        assert correct(config, database) == {}
    after(monkeypatch)
    assert "2:00–3:00 am (Winnipeg)" in correct(config, database)["w@example.org"]
    assert correct(config, database) == {}


PEOPLE = tuple(f"{name}@example.org" for name in "abcd")
WALKS = int(os.environ.get("NEWSLETTER_CORRECTION_WALKS", "3"))


@pytest.mark.parametrize("seed", range(WALKS))
def test_walks_of_an_event_over_three_places_leave_no_one_wrong_and_tell_no_one_twice(
    config: Config, database: Database, seed: int
) -> None:
    draw, place = random.Random(seed), "Hall A"
    add(database, *(row(email, timezone="Europe/Berlin") for email in PEOPLE))
    move(config, place)
    told: dict[str, str] = {}
    got: set[str] = set()
    for _ in range(12):
        match draw.choice(("move", "send", "correct", "correct", "interrupted", "canceled", "twice")):
            case "move":
                place = draw.choice([each for each in ("Hall A", "Hall B", "Hall C") if each != place])
                move(config, place)
            case "send":
                if to := {email for email in PEOPLE if draw.random() < 0.4} - got:
                    send(config, database, to=" or ".join(f'email = "{email}"' for email in sorted(to)))
                    told |= dict.fromkeys(to, place)
                    got |= to
            case how:
                wrong = {email for email, last in told.items() if last != place}
                assert corrected(config, database, how, draw.randrange(max(len(wrong), 1))) == wrong
                told |= dict.fromkeys(wrong, place)
                assert correct(config, database) == {}


def corrected(config: Config, database: Database, how: str, part: int) -> set[str]:
    """Corrects the talk in one of several ways. Returns who got a correction, each once."""
    planned = plan_correction(config, database, require_issue(config, "2026-02"), "talk", now=NOW)
    if planned is None:
        return set()
    again = plan_correction(config, database, require_issue(config, "2026-02"), "talk", now=NOW)
    broadcast = start_broadcast(database, planned.broadcast, Carrier(chunk_size=1), now=NOW)
    if how == "twice":
        assert again is not None
        with pytest.raises(InputError, match="started in the meantime"):
            start_broadcast(database, again.broadcast, Carrier(), now=NOW)
    _, texts = sent(database, broadcast, most=part if how in {"interrupted", "canceled"} else None)
    assert correct(config, database) == {}  # what is still to be sent counts as told
    if how == "canceled":
        begin_cancel(database, broadcast.id, now=NOW)
        finish_cancel(database, broadcast.id, now=NOW)
        rest = correct(config, database)
    else:
        _, rest = sent(database, broadcast)
    assert not texts.keys() & rest.keys()
    return {*texts, *rest}


def test_the_zone_that_counts_is_the_one_when_it_was_sent(config: Config, database: Database) -> None:
    add(database, row("a@example.org", timezone="Europe/Berlin"))
    send(config, database)
    with database.transaction() as connection:
        connection.execute("UPDATE subscriber SET timezone = 'Asia/Tokyo'", {})
    assert not correct(config, database)


def test_an_event_that_is_over_or_unknown_is_refused(config: Config, database: Database) -> None:
    add(database, row("a@example.org"))
    send(config, database)
    folder = require_issue(config, "2026-02")
    with pytest.raises(InputError, match="its events are: 2026-02-talk"):
        plan_correction(config, database, folder, "walk", now=NOW)
    with pytest.raises(InputError, match="is over"):
        plan_correction(config, database, folder, "talk", now=NOW + timedelta(days=365))


def test_changed_clocks_are_said_once_per_version_and_nothing_is_sent(
    config: Config, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(database, row("a@example.org", timezone="Europe/Berlin"))
    before(monkeypatch)
    with zones_before(tmp_path / "zones"):
        send(config, database)
    said: list[str] = []
    say_changed_clocks(database, now=NOW, log=said.append)
    assert not said
    after(monkeypatch)
    for _ in range(2):
        say_changed_clocks(database, now=NOW, log=said.append)
    assert len(said) == 1
    assert said[0].startswith("1 person was told another time of “A talk” (2026-02)")
    assert "newsletter correct 2026-02 2026-02-talk --dry-run" in said[0]


def test_a_scheduled_broadcast_with_an_old_time_is_noted(
    config: Config, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(database, row("a@example.org", timezone="Europe/Berlin"))
    before(monkeypatch)
    with zones_before(tmp_path / "zones"):
        send(config, database)
    with database.transaction() as connection:
        connection.execute("UPDATE broadcast SET state = 'scheduled'", {})
    (note,) = notes_on_old_times(database, now=NOW)
    assert "is scheduled with an old time of “A talk”" in note
