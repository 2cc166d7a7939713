"""What a dead process left behind, on both engines: settled from its reply log, and otherwise unknown."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Event

import pytest

from newsletter.model.broadcast import Broadcast, BroadcastState, Tally
from newsletter.model.ledger import ClaimedChunk, Resolution
from newsletter.providers.smtp_dialogue import Answer, meaning_of
from newsletter.providers.smtp_fates import mark_of
from newsletter.refusals import Phase, cause_of
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import finish_if_done, require_broadcast
from newsletter.store.ledger.cancel import begin_cancel
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.record import adopt_orphans, record_outcome
from newsletter.store.ledger.resolve import resolve_chunk
from newsletter.store.ledger.status import chunk_summaries, settled_counts, tally_of, unknown_deliveries
from newsletter.store.reply_logs import ReplyLogs
from newsletter.store.suppressions import list_suppressions
from newsletter.workflows.send.recover import recover
from tests.postgresql import PostgresServer
from tests.store.builders import ACCEPTED, NOW, add_people, freeze
from tests.store.empty_file import open_test_database

PEOPLE = 6
Mark = tuple[str, str] | None  # the meaning and the words of a reply; None: begun
Opener = Callable[[], Database]


@pytest.fixture(params=["sqlite", "postgresql"])
def reopened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens the database, as another process of the same machine does."""
    if request.param == "sqlite":
        yield lambda: open_test_database(tmp_path / "newsletter.db")
        return
    server: PostgresServer = request.getfixturevalue("postgresql_server")
    url = server.fresh_database()
    yield lambda: open_test_database(url, workspace=tmp_path)
    server.drop_database(url)


@pytest.fixture
def database(reopened: Opener) -> Iterator[Database]:
    with reopened() as opened:
        add_people(opened, PEOPLE)
        yield opened


def frozen(database: Database, provider: str = "smtp") -> Broadcast:
    return freeze(database, chunk_size=PEOPLE, provider=provider)


def die_while_sending(database: Database, broadcast: Broadcast, marks: Mapping[int, Mark]) -> ClaimedChunk:
    """Claims a chunk as a process does, notes the replies to its messages (by place), and is gone."""
    with database.runner() as runner:
        return claim_and_note(database, broadcast, marks, runner.id)


def claim_and_note(database: Database, broadcast: Broadcast, marks: Mapping[int, Mark], runner: str) -> ClaimedChunk:
    with ReplyLogs(
        database.replies, mailing=broadcast.mailing_id, provider=broadcast.provider, runner=runner, halt=Event()
    ) as logs:
        chunk = claim_chunk(database, broadcast.id, runner, (), now=NOW, on_claim=logs.create)
        assert isinstance(chunk, ClaimedChunk)
        log = logs.of(chunk)
        if log is not None:
            for place, mark in marks.items():
                delivery = chunk.deliveries[place].subscriber
                assert log.may_begin(delivery)
                if mark is not None:
                    log.note(delivery, *mark)
        return chunk


def refusal(code: int, words: str, phase: Phase = Phase.RCPT) -> Mark:
    """What is noted about a message that the relay refused."""
    answer = Answer(meaning_of(phase, code, words), f"{code} {words}", phase, cause_of(code, words, phase=phase))
    return mark_of(answer), answer.words


def tally(database: Database, broadcast: Broadcast) -> Tally:
    found = tally_of(database, broadcast.id)
    assert found.adds_up
    return found


def logs_in(database: Database) -> list[str]:
    assert database.replies is not None
    return sorted(path.name for path in database.replies.iterdir())


def test_what_was_claimed_and_not_begun_is_ready_again(database: Database) -> None:
    broadcast = frozen(database)
    die_while_sending(database, broadcast, {})
    assert recover(database, broadcast.id, now=NOW) == 1
    assert tally(database, broadcast).waiting == PEOPLE
    assert logs_in(database) == []


def test_each_message_is_settled_by_its_own_reply(database: Database) -> None:
    broadcast = frozen(database)
    marks: dict[int, Mark] = {
        0: refusal(550, "5.1.1 no such user"),
        1: ("accepted", "2.0.0 queued"),
        2: refusal(450, "4.2.1 later"),
        3: ("lost/opening/", "connection refused"),
        4: None,
    }
    chunk = die_while_sending(database, broadcast, marks)

    recover(database, broadcast.id, now=NOW)

    found = tally(database, broadcast)
    assert (found.accepted, found.invalid, found.waiting, found.unknown) == (1, 1, 3, 1)
    (unknown,) = unknown_deliveries(database, broadcast.id)
    assert unknown.email == chunk.deliveries[4].email
    assert unknown.reason == "the program ended while this email was being sent"
    (refused,) = settled_counts(database, broadcast.id)
    assert refused.reason == "550 5.1.1 no such user"
    assert [each.email for each in list_suppressions(database)] == [chunk.deliveries[0].email]
    (accepted,) = (each for each in chunk_summaries(database, broadcast.id) if each.state == "accepted")
    assert accepted.reason == ""


def test_a_refusal_of_everyone_pauses_as_it_does_while_the_process_lives(database: Database) -> None:
    broadcast = frozen(database)
    die_while_sending(database, broadcast, {0: refusal(530, "5.7.0 log in first", Phase.OPENING)})
    recover(database, broadcast.id, now=NOW)
    assert require_broadcast(database, broadcast.id).state is BroadcastState.PAUSED
    assert tally(database, broadcast).waiting == PEOPLE


def test_a_word_that_no_reply_has_is_in_doubt(database: Database) -> None:
    broadcast = frozen(database)
    die_while_sending(database, broadcast, {0: ("accep", ""), 1: ("accepted", "")})
    recover(database, broadcast.id, now=NOW)
    found = tally(database, broadcast)
    assert (found.unknown, found.accepted, found.waiting) == (1, 1, PEOPLE - 2)


def test_files_of_the_outbox_are_settled_too(database: Database) -> None:
    broadcast = frozen(database, "outbox")
    die_while_sending(database, broadcast, {0: ("saved", ""), 1: None})
    recover(database, broadcast.id, now=NOW)
    found = tally(database, broadcast)
    assert (found.accepted, found.unknown, found.waiting) == (1, 1, PEOPLE - 2)


def test_recovering_again_changes_nothing(database: Database, reopened: Opener) -> None:
    broadcast = frozen(database)
    die_while_sending(database, broadcast, {0: ("accepted", ""), 1: None})
    assert database.replies is not None
    (name,) = logs_in(database)
    content = (database.replies / name).read_bytes()
    recover(database, broadcast.id, now=NOW)
    before = tally(database, broadcast)

    (database.replies / name).write_bytes(content)  # as a process sees it that has read the log at the same time
    with reopened() as other:
        assert recover(other, broadcast.id, now=NOW) == 0

    assert tally(database, broadcast) == before


def test_a_process_that_is_alive_keeps_its_chunk(database: Database, reopened: Opener) -> None:
    broadcast = frozen(database)
    with reopened() as other, other.runner() as runner:
        claim_and_note(other, broadcast, {0: ("accepted", "")}, runner.id)
        assert recover(database, broadcast.id, now=NOW) == 0
        assert tally(database, broadcast).inflight == PEOPLE
    assert recover(database, broadcast.id, now=NOW) == 1
    assert tally(database, broadcast).accepted == 1


def test_the_log_settles_what_another_machine_had_to_call_unknown(database: Database) -> None:
    broadcast = frozen(database)
    die_while_sending(database, broadcast, {0: ("accepted", ""), 1: None})
    adopt_orphans(database, broadcast.id, now=NOW)  # all that a machine without the log can do
    finish_if_done(database, broadcast.id, now=NOW)
    assert tally(database, broadcast).unknown == PEOPLE

    recover(database, broadcast.id, now=NOW)

    found = tally(database, broadcast)
    assert (found.accepted, found.unknown, found.waiting) == (1, 1, PEOPLE - 2)
    assert require_broadcast(database, broadcast.id).state is BroadcastState.PAUSED


def test_a_person_who_decided_before_the_log_came_by_is_heard_but_nobody_gets_it_twice(database: Database) -> None:
    broadcast = frozen(database)
    chunk = die_while_sending(database, broadcast, {0: ("accepted", ""), 1: ("accepted", "")})
    adopt_orphans(database, broadcast.id, now=NOW)
    number, attempt = chunk.number, chunk.attempt
    assert resolve_chunk(database, broadcast.id, number, attempt, Resolution.RESEND, detail="resend", now=NOW)

    recover(database, broadcast.id, now=NOW)

    assert (tally(database, broadcast).accepted, tally(database, broadcast).waiting) == (2, PEOPLE - 2)


def test_a_log_of_an_earlier_attempt_changes_nothing(database: Database) -> None:
    broadcast = frozen(database)
    chunk = die_while_sending(database, broadcast, {0: ("accepted", "")})
    adopt_orphans(database, broadcast.id, now=NOW)
    resolve_chunk(database, broadcast.id, chunk.number, chunk.attempt, Resolution.RESEND, detail="resend", now=NOW)
    again = claim_chunk(database, broadcast.id, "0" * 16, (), now=NOW)
    assert isinstance(again, ClaimedChunk)

    recover(database, broadcast.id, now=NOW)

    assert tally(database, broadcast).unknown == PEOPLE
    assert logs_in(database) == []


def test_what_is_unknown_since_a_restore_stays_unknown(database: Database) -> None:
    broadcast = frozen(database)
    die_while_sending(database, broadcast, {0: ("accepted", "")})
    with database.transaction() as connection:
        connection.execute("UPDATE chunk SET state = 'unknown', reason = 'restored from a backup'")
    recover(database, broadcast.id, now=NOW)
    assert tally(database, broadcast).unknown == PEOPLE


def test_the_log_of_another_database_is_left_alone(database: Database) -> None:
    broadcast = frozen(database)
    die_while_sending(database, broadcast, {0: ("accepted", "")})
    with database.transaction() as connection:
        connection.execute("UPDATE broadcast SET nonce = 'another'")
    recover(database, broadcast.id, now=NOW)
    assert tally(database, broadcast).unknown == PEOPLE
    assert len(logs_in(database)) == 1


def test_a_missing_log_proves_nothing(database: Database) -> None:
    broadcast = frozen(database)
    die_while_sending(database, broadcast, {0: ("accepted", "")})
    assert database.replies is not None
    for path in database.replies.iterdir():
        path.unlink()
    recover(database, broadcast.id, now=NOW)
    assert tally(database, broadcast).unknown == PEOPLE


def test_what_was_never_begun_is_canceled_with_its_broadcast(database: Database) -> None:
    broadcast = frozen(database)
    die_while_sending(database, broadcast, {0: ("accepted", ""), 1: None})
    begin_cancel(database, broadcast.id, now=NOW)
    recover(database, broadcast.id, now=NOW)
    found = tally(database, broadcast)
    assert (found.accepted, found.unknown, found.cancelled) == (1, 1, PEOPLE - 2)


def test_a_person_removed_meanwhile_is_settled_as_well(database: Database) -> None:
    broadcast = frozen(database)
    chunk = die_while_sending(database, broadcast, {0: ("accepted", ""), 1: ("accepted", ""), 2: None})
    with database.transaction() as connection:
        connection.execute("DELETE FROM subscriber WHERE id = :id", {"id": chunk.deliveries[0].subscriber})
    recover(database, broadcast.id, now=NOW)
    found = tally(database, broadcast)
    assert (found.accepted, found.unknown, found.waiting) == (2, 1, PEOPLE - 3)


def test_an_outcome_that_was_kept_before_the_log_was_removed_stands(database: Database) -> None:
    broadcast = frozen(database)
    with database.runner() as runner:
        chunk = claim_and_note(database, broadcast, {0: ("accepted", "")}, runner.id)
        record_outcome(database, chunk, ACCEPTED, now=NOW)
    recover(database, broadcast.id, now=NOW)
    assert tally(database, broadcast).accepted == PEOPLE
    assert logs_in(database) == []
