"""The stations of an issue, derived from what exists, in files and in PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from newsletter.model.broadcast import BroadcastKind, BroadcastState, Outcome, Verdict
from newsletter.store.approvals import remember_test
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import finish_if_done, pause_broadcast
from newsletter.store.ledger.cancel import begin_cancel, finish_cancel
from newsletter.store.ledger.deferrals import SET_ASIDE_AFTER
from newsletter.store.ledger.record import record_outcome
from newsletter.workflows.send.approve import approve_content, draft_approval
from newsletter.workflows.send.road import Draft, Road, Step, draft_of, road_of, shelf_states
from tests.postgresql import PostgresServer
from tests.store.builders import NOW, add_people, at, claim, freeze, record, send_all
from tests.store.empty_file import open_test_database
from tests.workspaces import CONFIG, write_workspace

STEPS = list(Step)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_workspace(tmp_path)


@pytest.fixture
def config(root: Path) -> Config:
    return load_config(root)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        with open_test_database(tmp_path / "newsletter.db") as opened:
            yield opened
        return
    server: PostgresServer = request.getfixturevalue("postgresql_server")
    url = server.fresh_database()
    with open_test_database(url, workspace=tmp_path) as opened:
        yield opened
    server.drop_database(url)


def road(config: Config, database: Database) -> Road:
    return road_of(config, database, draft_of(config, database, config.root / "issues/2026-02"))


def note(found: Road, step: Step) -> str:
    return found.stations[STEPS.index(step)].note


def passed(found: Road) -> list[Step]:
    return [station.step for station in found.stations if station.is_passed]


def test_the_stations_are_passed_one_after_the_other(config: Config, database: Database) -> None:
    folder, now = config.root / "issues/2026-02", datetime.now(UTC)
    add_people(database, 3)
    found = road(config, database)
    assert passed(found) == STEPS[:2]
    assert note(found, Step.TESTED) == "Optional. No test email of this content has been sent."
    assert note(found, Step.APPROVED) == "Optional. No one has approved it."
    assert found.next is not None
    assert found.next.step is Step.SCHEDULED

    remember_test(database, "2026-02", found.content_hash, copies=1, now=NOW)
    approve_content(database, draft_approval(config, database, folder, now=now), by="Ana Lima", now=NOW)
    found = road(config, database)
    assert passed(found) == STEPS[:4]
    assert note(found, Step.APPROVED) == "Ana Lima approved it on 2026-02-19 00:00 PST."

    broadcast = freeze(database)
    found = road(config, database)
    assert passed(found) == STEPS[:5]
    assert note(found, Step.SENT) == "0 of 3 sent."
    assert found.next is not None
    assert found.next.command == "newsletter status 1"

    send_all(database, broadcast)
    finish_if_done(database, broadcast.id, now=NOW)
    found = road(config, database)
    assert passed(found) == STEPS
    assert found.next is None
    assert note(found, Step.SENT) == "3 of 3 people accepted. The issue was edited since then."


def test_an_edit_voids_what_was_given_to_the_old_content(config: Config, database: Database) -> None:
    letter, folder = config.root / "issues/2026-02/letter.md", config.root / "issues/2026-02"
    found = road(config, database)
    remember_test(database, "2026-02", found.content_hash, copies=1, now=NOW)
    draft = draft_approval(config, database, folder, now=datetime.now(UTC))
    approve_content(database, draft, by="Ana Lima", now=NOW)
    letter.write_text(letter.read_text().replace("small letter", "quiet letter"))
    found = road(config, database)
    assert passed(found) == STEPS[:2]
    assert note(found, Step.APPROVED) == "Optional. It was changed after Ana Lima approved it on 2026-02-19 00:00 PST."


def test_what_newsletter_toml_requires_comes_next(root: Path, database: Database) -> None:
    (root / "newsletter.toml").write_text(f"{CONFIG}\n[delivery]\nrequire_approval = true\nrequire_test = true\n")
    found = road(load_config(root), database)
    assert found.next is not None
    assert (found.next.step, found.next.note) == (Step.TESTED, "No test email of this content has been sent.")
    assert found.next.command == "newsletter test 2026-02 --to reviewers"


def test_mistakes_in_the_files_come_first(config: Config, database: Database) -> None:
    letter = config.root / "issues/2026-02/letter.md"
    letter.write_text(letter.read_text().replace("greeting:", "greting:"))
    found = road(config, database)
    assert (passed(found), found.content_hash) == ([], "")
    assert found.next is not None
    assert (found.next.step, found.next.note) == (Step.COMPOSED, "1 error in its files.")
    assert [note(found, step) for step in (Step.TESTED, Step.APPROVED)] == ["", ""]


def test_errors_that_the_checks_find_come_next(config: Config, database: Database) -> None:
    letter = config.root / "issues/2026-02/letter.md"
    letter.write_text(letter.read_text().replace("https://www.example.org/small", "https://www.example.org/TODO"))
    issue = config.root / "issues/2026-02/issue.yaml"
    issue.write_text(issue.read_text().replace("subject: A small letter for everybody", "subject: Re: A small letter"))
    issue.write_text(issue.read_text().replace("subject: Re: A small letter", 'subject: "TODO"'))
    found = road(config, database)
    assert found.next is not None
    assert found.next.step is Step.CHECKED
    assert "blocks sending." in found.next.note or "block sending." in found.next.note


def test_a_broadcast_says_how_it_stands(config: Config, database: Database) -> None:
    add_people(database, 3)
    first = freeze(database, schedule=at(datetime(2026, 2, 20, 8, tzinfo=UTC)))
    found = road(config, database)
    assert note(found, Step.SCHEDULED).startswith("Broadcast 1 to everyone for Friday, February 20, 2026, 12:00 am PST")
    assert note(found, Step.SENT) == "It is waiting for its time."

    pause_broadcast(database, first.id, "the quota is used up; buy more, then resume", now=NOW)
    assert note(road(config, database), Step.SENT) == "Paused: the quota is used up."

    begin_cancel(database, first.id, now=NOW)
    assert note(road(config, database), Step.SENT) == "It is being canceled."

    finish_cancel(database, first.id, now=NOW)
    found = road(config, database)
    assert note(found, Step.SENT) == "Broadcast 1 was canceled; it reached no one."
    assert Step.SCHEDULED not in passed(found)

    second = freeze(database)
    assert [line.broadcast.id for line in road(config, database).broadcasts] == [second.id, first.id]
    assert note(road(config, database), Step.SENT) == "0 of 3 sent."


def test_a_correction_and_another_issue_are_not_on_the_road(config: Config, database: Database) -> None:
    add_people(database, 3)
    freeze(database, kind=BroadcastKind.CORRECTION)
    freeze(database, "2026-01")
    assert road(config, database).broadcasts == ()


def test_the_broadcast_under_way_counts_before_a_newer_one(config: Config, database: Database) -> None:
    add_people(database, 3)
    first = freeze(database)
    add_people(database, 2, prefix="newcomer")
    second = freeze(database)
    send_all(database, second)
    finish_if_done(database, second.id, now=NOW)
    found = road(config, database)
    assert [line.broadcast.state for line in found.broadcasts] == [BroadcastState.DONE, BroadcastState.RUNNING]
    assert note(found, Step.SCHEDULED) == f"Broadcast {first.id} to everyone."


def test_without_a_list_nothing_can_be_sent(config: Config) -> None:
    found = road_of(config, None, Draft(issue="2026-02", composed=None))
    assert note(found, Step.SCHEDULED) == "There is no list of subscribers yet."


def shelf(database: Database, content_hash: str = "") -> tuple[str, int]:
    found = shelf_states(database, {"2026-02": content_hash})["2026-02"]
    return found.words, found.people


def test_the_shelf_says_in_a_few_words_how_far_an_issue_is(database: Database) -> None:
    add_people(database, 3)
    assert shelf(database) == ("draft", 0)
    broadcast = freeze(database, schedule=at(NOW + timedelta(days=1)))
    assert shelf(database) == ("scheduled", 3)
    assert shelf_states(database, {"2026-02": ""})["2026-02"].at == NOW + timedelta(days=1)
    begin_cancel(database, broadcast.id, now=NOW)
    assert shelf(database) == ("canceling", 3)
    finish_cancel(database, broadcast.id, now=NOW)
    assert shelf(database) == ("draft", 0)  # it reached no one


def test_the_shelf_counts_who_was_set_aside_and_everyone_it_went_to(database: Database) -> None:
    add_people(database, 3)
    broadcast = freeze(database, chunk_size=1)
    assert shelf(database) == ("sending", 3)
    record(database, claim(database, broadcast))
    record(database, claim(database, broadcast))
    for number in range(SET_ASIDE_AFTER):
        chunk = claim(database, broadcast, now=NOW + timedelta(minutes=number))
        busy = {chunk.deliveries[0].subscriber: "450 4.2.1 mailbox busy"}
        record_outcome(
            database, chunk, Outcome(verdict=Verdict.READY, deferred=busy), now=NOW + timedelta(minutes=number)
        )
    finish_if_done(database, broadcast.id, now=NOW + timedelta(hours=1))
    assert shelf(database) == ("sent, 1 set aside", 3)
    add_people(database, 2, prefix="new")
    send_all(database, freeze(database))
    assert shelf(database)[1] == 5


def test_another_kind_of_email_about_an_issue_is_not_the_issue(database: Database) -> None:
    add_people(database, 3)
    send_all(database, freeze(database, kind=BroadcastKind.CORRECTION))
    assert shelf(database) == ("draft", 0)
