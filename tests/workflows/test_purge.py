"""Old data is deleted when its time is over, and not a second earlier, and once a day."""

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from newsletter.model.review import ReviewPicture, ShownBlock, Snapshot
from newsletter.store.database import Database
from newsletter.store.reviews import add_remark as add_remark_on
from newsletter.store.reviews import add_review, pictures_of, remarks_of_issue, reviewers_of
from newsletter.store.service import keep_remark
from newsletter.system.log import LOGS_FOLDER
from newsletter.workflows.purge import purge, purge_daily
from tests.store.builders import NOW, add, row
from tests.store.conftest import database, engine, fresh_location, location  # noqa: F401 - each engine in turn
from tests.workspaces import CONFIG, write_workspace

RETENTION = "\n[retention]\nposts = 35\nlogs = 20\nremarks = 100\nsoft_bounces = 3\nproofs = 400\n"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(write_workspace(tmp_path / "workspace", {"newsletter.toml": CONFIG + RETENTION}))


def amounts(config: Config, database: Database, *, is_preview: bool = False) -> dict[str, int]:  # noqa: F811
    return {each.what: each.deleted for each in purge(config, database, now=NOW, is_preview=is_preview)}


def at(days: int, **more: float) -> str:
    return f"{(NOW - timedelta(days=days, **more)).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def insert(database: Database, sql: str, *moments: str) -> None:  # noqa: F811
    with database.transaction() as connection:
        for moment in moments:
            connection.execute(sql, {"at": moment})


def fill(config: Config, database: Database) -> None:  # noqa: F811
    """For each kind of data: one piece that is just old enough, and one that is kept for one more second."""
    insert(
        database,
        "INSERT INTO post (received_at, provider, digest, content, interpreted_at, failure) "
        "VALUES (:at, 'sendgrid', CAST(:at AS BLOB), CAST('x' AS BLOB), :at, '')"
        if "Sqlite" in type(database).__name__
        else "INSERT INTO post (received_at, provider, digest, content, interpreted_at, failure) "
        "VALUES (:at, 'sendgrid', convert_to(:at, 'UTF8'), convert_to('x', 'UTF8'), :at, '')",
        at(35),
        at(35, seconds=1),
    )
    add(database, row("ana@example.org"))
    insert(database, "INSERT INTO leaving_remark VALUES (1, :at, 'often', 'too many')", at(100), at(100, seconds=1))
    # Blocking after soft bounces looks back 14 days, whatever is set.
    insert(database, "INSERT INTO soft_bounce VALUES ('ana@example.org', :at, '')", at(15), at(15, seconds=1), at(4))
    insert(
        database,
        "INSERT INTO past_consent VALUES (1, :at, '2020-01-01T00:00:00Z', 'form', '', '')",
        at(400),
        at(400, seconds=1),
    )
    fill_requests(database)
    fill_reviews(database)
    logs = config.root / LOGS_FOLDER
    logs.mkdir()
    old, young = (NOW - timedelta(days=20, seconds=1)).isoformat(timespec="milliseconds"), NOW.isoformat()
    lines = [json.dumps({"at": moment, "what": "x"}) + "\n" for moment in (old, young)]
    (logs / "serve.log").write_text("".join(lines))
    (logs / "serve.log.1").write_text(lines[0] * 3)
    for name, age in (("report-20260101-000000-1.txt", 21), ("report-20260218-000000-1.txt", 1)):
        (logs / name).write_text("x")
        os.utime(logs / name, times=((NOW - timedelta(days=age)).timestamp(),) * 2)


def fill_reviews(database: Database) -> None:  # noqa: F811
    """A review that is just old enough, and one that is kept, each with an image and a remark."""
    shown = Snapshot(title="", language="en", variants=(), findings=(), changes=None)
    pictures = [ReviewPicture("a.png", "image/png", b"a")]
    for age in (timedelta(days=365, seconds=1), timedelta(days=365)):
        asked = add_review(database, "2026-02", "h", shown, pictures, [("Ana", "ana@example.org")], now=NOW - age)
        with database.transaction() as connection:
            add_remark_on(connection, asked[0], ShownBlock("letter.md", 1, "words"), "said", now=NOW - age)


def fill_requests(database: Database) -> None:  # noqa: F811
    """For each thing that people asked for: what is deleted, and what is kept because it is younger, used or proof."""
    signup = (
        "INSERT INTO signup (person, email, first_name, language, topics, wants_tracking, source, wording, asked_at, "
        "state, mailed_at) VALUES ('x', 'x', '', 'en', '', 0, 'join', '{wording}', {at}, '{state}', {mailed})"
    )
    mailed = signup.format(wording="w", at="'2020-01-01T00:00:00Z'", state="mailed", mailed=":at")
    insert(database, mailed, at(30), at(30, seconds=1))
    insert(database, mailed.replace("'mailed'", "'known'"), at(30, seconds=1))
    insert(database, mailed.replace("'mailed'", "'confirmed'").replace("'w'", "'used'"), at(900))  # it is proof
    waiting = signup.format(wording="w", at=":at", state="asked", mailed="''")
    insert(database, waiting, at(30), at(30, seconds=1))
    link = (
        "INSERT INTO link_request (subscriber, kind, person, email, token, asked_at, mailed_at) "
        "VALUES (1, 'data', 'x', 'x', 'x', {})"
    )
    insert(database, link.format("'2020-01-01T00:00:00Z', :at"), at(30), at(30, seconds=1))
    insert(database, link.format(":at, ''"), at(30), at(30, seconds=1))
    insert(database, "INSERT INTO signup_refusal VALUES (:at, 'bot', 3)", at(30), at(30, seconds=1))
    insert(database, "INSERT INTO former_token VALUES (1, :at, :at)", at(0), at(0, seconds=1))
    for version, age in (("used", 900), ("of the list", 900), ("of the past", 900), ("unused", 401), ("young", 399)):
        insert(database, f"INSERT INTO signup_wording VALUES ('{version}', 'en', 'words', :at)", at(age))
    insert(database, "UPDATE subscriber SET consent_wording = 'of the list' WHERE :at <> ''", at(0))
    past = "INSERT INTO past_consent VALUES (1, :at, '2021-01-01T00:00:00Z', 'form', 'of the past', '')"
    insert(database, past, at(1))
    # The choice of 500 days ago was replaced 401 days ago, and that one 399 days ago.
    insert(database, "INSERT INTO tracking_choice VALUES (1, :at, 1, '1 en')", at(500), at(401), at(399))


ALL = {
    "posts of your provider": 1,
    "reasons for leaving": 1,
    "soft bounces": 1,
    "replaced consents": 2,
    "sign-ups that were not confirmed": 3,
    "links that people asked for": 2,
    "counts of refused sign-ups": 1,
    "words of forms that no one agreed to": 1,
    "reviews and their comments": 1,
    "unsubscribe links of former addresses": 1,
    "lines of logs and reports": 5,
}


def test_a_preview_says_what_is_deleted_and_deletes_nothing(config: Config, database: Database) -> None:  # noqa: F811
    fill(config, database)
    assert amounts(config, database, is_preview=True) == ALL
    assert amounts(config, database, is_preview=True) == ALL
    assert amounts(config, database) == ALL
    assert amounts(config, database) == dict.fromkeys(ALL, 0)
    assert [path.name for path in sorted((config.root / LOGS_FOLDER).iterdir())] == [
        "report-20260218-000000-1.txt",
        "serve.log",
    ]


def test_all_that_belongs_to_a_review_goes_with_it(config: Config, database: Database) -> None:  # noqa: F811
    fill_reviews(database)
    purge(config, database, now=NOW)
    with database.read() as connection:
        kept = [each.review for each in remarks_of_issue(connection, "2026-02")]
        found = [[*pictures_of(connection, number), *reviewers_of(connection, number)] for number in (1, 2)]
    assert (kept, list(map(len, found))) == ([2], [0, 2])


def test_it_is_done_once_a_day(config: Config, database: Database) -> None:  # noqa: F811
    fill(config, database)
    said: list[str] = []

    def log(sentence: str, /, **_fields: object) -> None:
        said.append(sentence)

    purge_daily(config, database, now=NOW, log=log)
    assert said[0] == "posts of your provider older than 35 days were deleted"
    assert len(said) == len(ALL)
    add_remark(database)
    purge_daily(config, database, now=NOW + timedelta(hours=23), log=log)
    assert len(said) == len(ALL)
    purge_daily(config, database, now=NOW + timedelta(days=1), log=log)
    assert "reasons for leaving older than 100 days were deleted" in said[len(ALL) :]


def add_remark(database: Database) -> None:  # noqa: F811
    with database.transaction() as connection:
        keep_remark(connection, 1, reason="often", remark="", now=NOW - timedelta(days=300))
