"""Who no longer reads: counted by the very segment that is shown."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from newsletter.model.audience import SegmentCount, SuppressionReason
from newsletter.model.broadcast import Broadcast
from newsletter.model.event import EventType
from newsletter.model.stats import Candidates, LetterPurpose
from newsletter.store.database import Database
from newsletter.store.segments import count_segment
from newsletter.store.stats import count_engagement
from newsletter.store.suppressions import add_suppression
from newsletter.workflows.segments import meant_by
from newsletter.workflows.subscribers.stats import find_candidates
from tests.store.builders import NOW, add, react, row, send_at
from tests.store.empty_file import open_test_database
from tests.workspaces import CONFIG, write_workspace

DAY = timedelta(days=1)
LONG_AGO = NOW - 1000 * DAY


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(write_workspace(tmp_path))


@pytest.fixture
def database(config: Config) -> Iterator[Database]:
    with open_test_database(config.database, wait_seconds=1) as opened:
        yield opened


def send_every(database: Database, days: int, *, count: int) -> list[Broadcast]:
    """So many issues, the newest yesterday; the oldest first."""
    return [send_at(database, f"issue-{number}", NOW - DAY - number * days * DAY) for number in reversed(range(count))]


def found(config: Config, database: Database) -> dict[LetterPurpose, Candidates]:
    engagement = count_engagement(database, days=90, now=NOW)
    return {each.purpose: each for each in find_candidates(config, database, engagement, now=NOW)}


def test_the_silent_are_found_and_the_others_are_not(config: Config, database: Database) -> None:
    names = ("silent", "opener", "clicker", "returner", "gone")
    add(database, *(row(f"{name}@example.org", joined_at=LONG_AGO) for name in names))
    broadcasts = send_every(database, 25, count=9)
    add(database, row("newcomer@example.org", joined_at=NOW - 20 * DAY))
    react(database, broadcasts[0], "silent@example.org", EventType.OPENED, NOW - 200 * DAY)
    react(database, broadcasts[-2], "opener@example.org", EventType.OPENED, NOW - 20 * DAY)
    react(database, broadcasts[-2], "clicker@example.org", EventType.CLICKED, NOW - 20 * DAY)
    react(database, broadcasts[3], "returner@example.org", EventType.OPENED, NOW - 120 * DAY)
    add_suppression(database, "gone@example.org", SuppressionReason.UNSUBSCRIBED, now=NOW)

    by_purpose = found(config, database)

    re_engage, sunset = by_purpose[LetterPurpose.RE_ENGAGE], by_purpose[LetterPurpose.SUNSET]
    assert (re_engage.days, sunset.days) == (90, 180)
    assert re_engage.count == SegmentCount(members=3, suppressed=1)  # silent, returner, gone
    assert sunset.count == SegmentCount(members=2, suppressed=1)  # silent, gone


def test_the_count_is_that_of_the_segment_once_it_is_saved(config: Config, database: Database, tmp_path: Path) -> None:
    add(database, *(row(f"p{number}@example.org", joined_at=LONG_AGO) for number in range(7)))
    broadcasts = send_every(database, 40, count=8)
    for number in range(4):
        react(
            database,
            broadcasts[number],
            f"p{number}@example.org",
            EventType.OPENED,
            NOW - 250 * DAY + 60 * number * DAY,
        )
    by_purpose = found(config, database)

    saved = "".join(f"{each.purpose.value} = '{each.expression}'\n" for each in by_purpose.values())
    (tmp_path / "newsletter.toml").write_text(CONFIG.replace("[segments]\n", f"[segments]\n{saved}"), encoding="utf-8")
    again = load_config(tmp_path)

    for purpose, each in by_purpose.items():
        segment = meant_by(again, database, segment=purpose.value, now=NOW)
        assert each.count == count_segment(database, segment.condition)
        assert each.count is not None
        assert each.count.members > 0


def test_a_rare_newsletter_waits_for_its_issues(config: Config, database: Database) -> None:
    add(database, row("silent@example.org", joined_at=LONG_AGO))
    broadcasts = send_every(database, 100, count=6)
    react(database, broadcasts[0], "silent@example.org", EventType.OPENED, NOW - 600 * DAY)

    by_purpose = found(config, database)

    assert (by_purpose[LetterPurpose.RE_ENGAGE].days, by_purpose[LetterPurpose.SUNSET].days) == (202, 502)
    assert by_purpose[LetterPurpose.SUNSET].count == SegmentCount(members=1, suppressed=0)


def test_nobody_is_called_silent_before_enough_issues_went_out(config: Config, database: Database) -> None:
    add(database, row("ana@example.org", joined_at=LONG_AGO))
    broadcasts = send_every(database, 80, count=3)
    react(database, broadcasts[0], "ana@example.org", EventType.OPENED, NOW - 160 * DAY)
    add(database, row("bo@example.org", joined_at=LONG_AGO))

    sunset = found(config, database)[LetterPurpose.SUNSET]

    assert sunset.count is None
    assert sunset.because == "3 of the 6 issues needed have been sent"


def test_nobody_is_called_silent_where_no_opening_is_reported(config: Config, database: Database) -> None:
    add(database, row("ana@example.org", joined_at=LONG_AGO))
    send_every(database, 40, count=6)

    assert [each.count for each in found(config, database).values()] == [None, None]
    assert "no opens or clicks have been reported" in found(config, database)[LetterPurpose.RE_ENGAGE].because


def test_nobody_is_called_silent_for_longer_than_openings_are_known(config: Config, database: Database) -> None:
    add(database, row("ana@example.org", joined_at=LONG_AGO))
    broadcasts = send_every(database, 40, count=6)
    react(database, broadcasts[-3], "ana@example.org", EventType.OPENED, NOW - 75 * DAY)

    assert (
        found(config, database)[LetterPurpose.RE_ENGAGE].because
        == "opens have been reported only since 2025-12-06, and 90 days are needed"
    )
