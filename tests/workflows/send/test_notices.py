"""The reviewers get an email if a scheduled broadcast needs a person: once, and at most once an hour."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from newsletter.model.broadcast import BroadcastState, NextStep, Outcome, OutgoingChunk, Verdict
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import require_broadcast, resume_broadcast
from newsletter.system.log import no_log
from newsletter.workflows.send.notices import tell_reviewers
from newsletter.workflows.send.status import status_of
from tests.store.builders import add_people, freeze
from tests.store.empty_file import open_test_database
from tests.workflows.send.carriers import UNKNOWN, Carrier
from tests.workflows.send.scheduled import THURSDAY, freeze_at, run_at
from tests.workspaces import CONFIG, write_workspace

HOUR = timedelta(hours=1)
WITHOUT = CONFIG[: CONFIG.index("[reviewers]")]
REVIEWERS = '\n[reviewers]\nteam = ["Ana <ana@example.org>"]\nboard = ["ana@example.org", "bo@example.org"]\n'
PAUSED = Outcome(verdict=Verdict.READY, next_step=NextStep.PAUSE, reason="401 the key is wrong for cy@example.net")
STOPPED = Outcome(verdict=Verdict.REJECTED, next_step=NextStep.STOP, reason="the message is refused")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A workspace with reviewers."""
    return load_config(write_workspace(tmp_path, {"newsletter.toml": WITHOUT + REVIEWERS}))


@pytest.fixture
def database(config: Config) -> Iterator[Database]:
    """Its database, with three people."""
    with open_test_database(config.database) as opened:
        add_people(opened, 3)
        yield opened


def text_of(chunk: OutgoingChunk) -> str:
    variant = chunk.mailing.variant
    return "\n".join(["".join(variant.subject.parts), "".join(variant.text.parts)])


def test_a_pause_at_night_is_told_to_each_reviewer_once(config: Config, database: Database) -> None:
    broadcast = freeze_at(config, database, Carrier())
    carrier = Carrier([PAUSED])

    for minutes in (0, 5, 70, 200):
        run_at(config, database, carrier, THURSDAY + timedelta(minutes=minutes))

    (notice,) = carrier.notices
    assert [each.email for each in notice.recipients] == ["ana@example.org", "bo@example.org"]
    told = text_of(notice)
    assert told.startswith("Broadcast 1 (2026-02 to everyone) is paused\n")
    assert "Why: 401 the key is wrong" in told
    assert "cy@example.net" not in told
    assert "So far: 3 waiting" in told
    assert "newsletter resume 1: send it now" in told
    assert status_of(database, broadcast.id).notices == ()


@pytest.mark.parametrize(
    ("outcome", "after", "words"),
    [
        (STOPPED, timedelta(), ["is stopped", "the message is refused", "newsletter send 2026-02 --to everyone"]),
        (None, timedelta(hours=7), ["is paused", "more than 6 hours late", "newsletter cancel 1: do not send it"]),
    ],
)
def test_what_is_stopped_or_held_back_is_told_with_what_to_do(
    config: Config, database: Database, outcome: Outcome | None, after: timedelta, words: list[str]
) -> None:
    freeze_at(config, database, Carrier())
    carrier = Carrier([outcome] if outcome else [])

    run_at(config, database, carrier, THURSDAY + after)

    (notice,) = carrier.notices
    assert all(each in text_of(notice) for each in words), text_of(notice)


def test_a_pause_that_ends_without_a_person_is_told_with_the_time(config: Config, database: Database) -> None:
    freeze_at(config, database, Carrier())
    full = Outcome(verdict=Verdict.READY, next_step=NextStep.PAUSE, reason="450 quota", retry_after_seconds=1800)
    carrier = Carrier([full])

    run_at(config, database, carrier, THURSDAY)
    run_at(config, database, carrier, THURSDAY + timedelta(minutes=30))

    (notice,) = carrier.notices
    assert "8:30 am" in text_of(notice).partition("Next: it continues at ")[2].partition("\n")[0]
    assert require_broadcast(database, 1).state is BroadcastState.DONE


def test_the_same_pause_that_passes_is_told_once_a_day(config: Config, database: Database) -> None:
    freeze_at(config, database, Carrier())
    full = Outcome(verdict=Verdict.READY, next_step=NextStep.PAUSE, reason="450 quota", retry_after_seconds=3600)
    other = Outcome(verdict=Verdict.READY, next_step=NextStep.PAUSE, reason="452 busy", retry_after_seconds=3600)
    carrier = Carrier([full, full, full, other, full])

    for hours in range(5):
        run_at(config, database, carrier, THURSDAY + hours * HOUR)

    assert ["450 quota" in text_of(each) for each in carrier.notices] == [True, False]


def test_at_most_one_email_an_hour_tells_all_that_happened(config: Config, database: Database) -> None:
    first = freeze_at(config, database, Carrier())
    carrier = Carrier([PAUSED])
    run_at(config, database, carrier, THURSDAY)
    resume_broadcast(database, first.id, now=THURSDAY)
    carrier.script = [PAUSED]

    sent: list[datetime] = []
    for minutes in range(5, 180, 5):
        now = THURSDAY + timedelta(minutes=minutes)
        before = len(carrier.notices)
        run_at(config, database, carrier, now)
        sent += [now] * (len(carrier.notices) - before)

    assert sent == [THURSDAY + HOUR]


def test_what_a_person_has_settled_meanwhile_is_not_told(config: Config, database: Database) -> None:
    broadcast = freeze_at(config, database, Carrier())
    refusing = Carrier([PAUSED], on_notice=[UNKNOWN])
    run_at(config, database, refusing, THURSDAY)
    resume_broadcast(database, broadcast.id, now=THURSDAY)
    carrier = Carrier()
    run_at(config, database, carrier, THURSDAY + 2 * HOUR)

    assert require_broadcast(database, broadcast.id).state is BroadcastState.DONE
    assert carrier.notices == []


@pytest.mark.parametrize("outcome", [UNKNOWN, PAUSED, STOPPED])
def test_an_email_that_fails_is_shown_tried_again_in_an_hour_and_never_a_loop(
    config: Config, database: Database, outcome: Outcome
) -> None:
    broadcast = freeze_at(config, database, Carrier())
    carrier = Carrier([PAUSED], on_notice=[outcome, outcome])

    for minutes in range(0, 65, 5):
        run_at(config, database, carrier, THURSDAY + timedelta(minutes=minutes))

    assert len(carrier.notices) == 2
    (untold,) = status_of(database, broadcast.id).notices
    assert "not all test emails were accepted" in untold.failure
    run_at(config, database, carrier, THURSDAY + 2 * HOUR)
    assert len(carrier.notices) == 3
    assert status_of(database, broadcast.id).notices == ()


def test_without_reviewers_status_says_that_no_one_was_told(tmp_path: Path) -> None:
    config, carrier = load_config(write_workspace(tmp_path, {"newsletter.toml": WITHOUT})), Carrier([PAUSED])
    with open_test_database(config.database) as database:
        add_people(database, 3)
        broadcast = freeze_at(config, database, Carrier())
        run_at(config, database, carrier, THURSDAY)
        (untold,) = status_of(database, broadcast.id).notices

    assert "there are no [reviewers]" in untold.failure
    assert carrier.notices == []


def test_a_broadcast_that_a_person_sends_at_once_is_not_told(config: Config, database: Database) -> None:
    freeze(database)
    carrier = Carrier()

    tell_reviewers(config, database, lambda: carrier, now=THURSDAY, log=no_log)

    assert carrier.notices == []


def test_a_provider_that_cannot_be_used_is_told_once_a_day(config: Config, database: Database) -> None:
    freeze_at(config, database, Carrier())
    other = load_config(
        write_workspace(
            config.root,
            {"newsletter.toml": f'{WITHOUT}{REVIEWERS}[provider]\nuse = "smtp"\n[provider.smtp]\nhost = "x.example"\n'},
        )
    )
    carrier = Carrier()

    for minutes in range(0, 180, 5):
        run_at(other, database, carrier, THURSDAY + timedelta(minutes=minutes))

    (notice,) = carrier.notices
    assert "Broadcast 1 (2026-02 to everyone) needs you" in text_of(notice)
    assert "newsletter doctor: find out why" in text_of(notice)
