"""What is said of a segment that is valid, and probably not what was meant."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from newsletter.model.event import EventType
from newsletter.store.database import Database
from newsletter.workflows.segment_notes import notes_on, unused_segments
from newsletter.workflows.segments import require_segments, segment_where
from tests.store.builders import EVERYONE, add, freeze, react, row, send_all
from tests.store.empty_file import open_test_database
from tests.workspaces import CONFIG, ISSUE, write_workspace

NOW = datetime(2026, 2, 19, 16, 0, tzinfo=UTC)
NO_OPENS = "No opens have been recorded yet. So everyone counts as never having opened an issue."
NO_CLICKS = "No clicks have been recorded yet. So everyone counts as never having clicked a link."

IN_SCORE = "No subscriber has these values in score"
ADDRESSES = "No subscriber has these addresses"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    segments = "[segments]\nspanish = 'language = \"es\"'\nmembers = 'tagged(\"member\")'"
    return load_config(write_workspace(tmp_path, {"newsletter.toml": CONFIG.replace("[segments]", segments)}))


@pytest.fixture
def database(config: Config) -> Iterator[Database]:
    with open_test_database(config.database) as opened:
        yield opened


@pytest.fixture
def people(database: Database) -> None:
    add(
        database,
        row("Ana@example.org", language="es", tags=("member", "teacher"), attributes={"country": "US", "score": "05"}),
        row("bo@example.org", language="pt-BR", tags=("membership",), attributes={"country": "Canada"}),
    )


def notes(config: Config, database: Database, *expressions: str) -> tuple[str, ...]:
    return notes_on(database, [segment_where(config, database, each, now=NOW) for each in expressions])


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("expression", "note"),
    [
        ('language = "ES"', ""),
        ('language = "de"', "No subscriber has the value 'de' in language."),
        ('country != "us"', "No subscriber has the value 'us' in country. Did you mean 'US'?"),
        (
            'not country in ("US", "Cannada")',
            "No subscriber has the value 'Cannada' in country. Did you mean 'Canada'?",
        ),
        ('country = ""', ""),
        ('country < "B"', ""),
        ("score = 5", ""),
        ("score != 6", "No subscriber has the number 6 in score."),
        ("score < 3", ""),
        ("score = 1234567", "No subscriber has the number 1234567 in score."),
        ("score = -0", "No subscriber has the number -0 in score."),
        ("score = 0.00001", "No subscriber has the number 0.00001 in score."),
        (f"score in ({', '.join(map(str, range(5, 205)))})", f"{IN_SCORE}: 6, 7, 8 and 196 more."),
        ("score in (1, 2, 3, 4, 5, 6)", f"{IN_SCORE}: 1, 2, 3, 4 and 6."),
        ('score in (1, 2) and score != "x" or score = 7', f"{IN_SCORE}: 'x', 1, 2 and 7."),
        ('country in ("us", "UK")', "No subscriber has these values in country: 'us' (did you mean 'US'?) and 'UK'."),
        ('email in ("x@example.org", "y@example.org")', f"{ADDRESSES}: 'x@example.org' and 'y@example.org'."),
        ('country in ("US""CA")', "No subscriber has the value 'US\"CA' in country. Is a comma missing?"),
        ("country in ('US''CA')", "No subscriber has the value 'US'CA' in country. Is a comma missing?"),
        ("country in ('St. John''s')", "No subscriber has the value 'St. John's' in country."),
        ('country = "US""CA"', "No subscriber has the value 'US\"CA' in country."),
        ('email = "ANA@Example.org"', ""),
        ('email in ("bo@example.org", "cy@example.org")', "No subscriber has the address 'cy@example.org'."),
        ('tagged("Member")', ""),
        ("opened()", NO_OPENS),
        ("last_clicked < 90 days ago", NO_CLICKS),
        ('everyone or (joined > yesterday and not clicked("2026-02"))', NO_CLICKS),
        ("received() or last_received < 3 days ago", ""),
    ],
)
def test_what_no_subscriber_has_is_said(config: Config, database: Database, expression: str, note: str) -> None:
    assert notes(config, database, expression) == ((note,) if note else ())


@pytest.mark.usefixtures("people")
def test_tag_that_no_subscriber_has_any_more_is_said_with_one_that_is_alike(config: Config, database: Database) -> None:
    add(database, row("cy@example.org", tags=("memberr", "membe", "choir")))
    with database.transaction() as connection:
        connection.execute("UPDATE subscriber SET tags = '' WHERE person = 'cy@example.org'", {})

    assert notes(config, database, 'tagged("membe")') == ("No subscriber has the tag 'membe'. Did you mean 'member'?",)
    assert notes(config, database, 'tagged("choir")') == ("No subscriber has the tag 'choir'.",)


@pytest.mark.usefixtures("people")
def test_each_note_is_given_once(config: Config, database: Database) -> None:
    found = notes(config, database, 'language = "de" or opened()', 'language != "de" and last_opened < 9 days ago')

    assert found == ("No subscriber has the value 'de' in language.", NO_OPENS)


@pytest.mark.usefixtures("people")
def test_opens_that_were_recorded_are_not_missed(config: Config, database: Database) -> None:
    broadcast = freeze(database, "2026-02")
    send_all(database, broadcast)
    react(database, broadcast, "Ana@example.org", EventType.OPENED, NOW)

    known = "Opens are known only of people who agreed to tracking: "
    assert notes(config, database, "opened() or last_opened > 9 days ago") == (
        f"{known}1 of the 2 people on the list.",
    )
    assert notes(config, database, 'opened("2026-02")') == (f"{known}0 of the 2 people who received 2026-02.",)
    assert notes(config, database, "clicked()") == (NO_CLICKS,)


def test_nothing_is_said_while_the_list_is_empty(config: Config, database: Database) -> None:
    assert notes(config, database, 'language = "de" or tagged("x") or opened()') == ()


@pytest.mark.usefixtures("people")
def test_segment_is_used_by_a_section_of_any_issue_or_by_a_broadcast(config: Config, database: Database) -> None:
    def unused() -> tuple[str, ...]:
        return unused_segments(config, database, [EVERYONE, *segments])

    segments = require_segments(config, database, config.settings.segments, now=NOW)
    assert unused() == ("spanish", "members", "teachers")

    # A mistake elsewhere in the issue does not hide that it names the segment.
    only = ISSUE.replace("  - letter", "  - section: letter\n    only: members").replace("2026-02-19", "soon")
    (config.root / "issues" / "2026-01").mkdir()
    (config.root / "issues" / "2026-01" / "issue.yaml").write_text(only)
    assert unused() == ("spanish", "teachers")

    freeze(database, to=segments[0])
    assert unused() == ("teachers",)
