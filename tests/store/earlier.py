"""A database as earlier versions left it: made by their migrations, and filled with SQL of that time."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import orjson
from msgspec.structs import asdict

import newsletter.store
from newsletter.model.address import person_of
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import BroadcastState
from newsletter.model.ledger import BatchState
from newsletter.model.segment import Tagged
from newsletter.store.approvals import approvals_of
from newsletter.store.database import Database
from newsletter.store.ledger.cancel import begin_cancel, finish_cancel
from newsletter.store.ledger.recall import batches_of, settle_recall
from newsletter.store.ledger.status import tally_of
from newsletter.store.segments import count_segment
from newsletter.store.subscribers import find_subscriber, known_fields, known_tags
from newsletter.store.suppressions import add_suppression, find_suppression, past_suppressions, suppressions_of
from tests.store.builders import ENVELOPE, NOW, add, freeze, id_of, row, send_all

_MIGRATIONS = Path(newsletter.store.__file__).parent / "sql" / "migrations"
_STAMP = "2026-01-02T03:04:05Z"

_ENVELOPE = orjson.dumps(asdict(ENVELOPE)).decode()

PEOPLE = f"""
INSERT INTO subscriber (id, person, email, first_name, last_name, language, timezone, consented_at, consent_source,
    attributes, token, created_at, updated_at)
VALUES
    (1, 'ana@example.org', 'Ana@example.org', 'Ana', 'Lima', 'es', 'Europe/Madrid', '2025-05-06T07:08:09Z', 'form',
        '{{"country": "ES"}}', 'a-token', '{_STAMP}', '2026-01-09T00:00:00Z'),
    (2, 'bo@example.org', 'bo@example.org', '', '', '', '', '', '', '{{}}', 'b-token', '{_STAMP}', '{_STAMP}'),
    (3, 'cy@example.org', 'cy@example.org', '', '', '', '', '{_STAMP}', '', '{{}}', 'c-token', '{_STAMP}', '{_STAMP}'),
    (9, 'gone@example.org', 'gone@example.org', '', '', '', '', '', '', '{{}}', 'd-token', '{_STAMP}', '{_STAMP}');
INSERT INTO tag (subscriber, tag) VALUES (1, 'teacher'), (1, 'member'), (3, 'teacher');
DELETE FROM subscriber WHERE id = 9;
INSERT INTO attribute (name) VALUES ('country');
INSERT INTO suppression (person, email, reason, created_at)
VALUES ('cy@example.org', 'cy@example.org', 'unsubscribed', '{_STAMP}'),
    ('stranger@example.org', 'Stranger@example.org', 'bounced', '{_STAMP}');
INSERT INTO broadcast (id, issue, segment, expression, provider, state, reason, content_hash, nonce, envelope, waivers,
    frozen, created_at)
VALUES (1, '2026-01', 'everyone', 'everyone', 'outbox', 'done', '', 'jan', 'n1', '{_ENVELOPE}', '[]', 2, '{_STAMP}');
INSERT INTO approval (issue, content_hash, approved_by, approved_at) VALUES ('2026-01', 'jan', 'Ana Lima', '{_STAMP}');
INSERT INTO chunk (broadcast, number, variant, state, size, first_subscriber, changed_at)
VALUES (1, 1, 0, 'accepted', 2, 1, '{_STAMP}');
INSERT INTO delivery (broadcast, subscriber, chunk) VALUES (1, 1, 1), (1, 2, 1);
INSERT INTO event (at, id, type, broadcast, chunk, attempt, subscriber, detail)
VALUES ('2026-01-03T00:00:00Z', 'e1', 'opened', 1, 1, 1, 1, ''),
    ('2026-01-04T00:00:00Z', 'e2', 'opened', 1, 1, 1, 1, ''),
    ('2026-01-05T00:00:00Z', 'e3', 'clicked', 1, 1, 1, 1, 'https://example.org/a'),
    ('2026-01-05T00:00:00Z', 'e4', 'blocked', 1, 1, 1, 2, '452 full');
"""


# With the keys of earlier versions, in which `ß` was `ss`.
SHARP_S = f"""
INSERT INTO subscriber (id, person, email, first_name, last_name, language, timezone, consented_at, consent_source,
    attributes, token, created_at, updated_at)
VALUES
    (10, 'strasse@example.org', 'Straße@example.org', '', '', '', '', '{_STAMP}', '', '{{}}', 'e-token', '{_STAMP}',
        '{_STAMP}'),
    (11, 'grösse@example.org', 'GRÖẞE@example.org', '', '', '', '', '{_STAMP}', '', '{{}}', 'f-token', '{_STAMP}',
        '{_STAMP}');
INSERT INTO suppression (person, email, reason, created_at)
VALUES ('strasse@example.org', 'strasse@example.org', 'unsubscribed', '{_STAMP}'),
    ('weiss@example.org', 'weiß@example.org', 'unsubscribed', '{_STAMP}');
"""

# A broadcast whose email SendGrid held for two time zones, in one batch, and one that was being canceled.
HELD = f"""
INSERT INTO broadcast (id, issue, segment, expression, provider, state, reason, content_hash, nonce, envelope, waivers,
    frozen, created_at, due_at, is_local_time, batch_id)
VALUES (2, '2026-02', 'everyone', 'everyone', 'sendgrid', 'done', '', 'abc', 'n2', '{_ENVELOPE}', '[]', 3, '{_STAMP}',
        '2030-01-01T08:00:00Z', 1, 'old'),
    (3, '2026-03', 'everyone', 'everyone', 'sendgrid', 'cancelling', '', 'abc', 'n3', '{_ENVELOPE}', '[]', 1,
        '{_STAMP}', '2030-01-01T08:00:00Z', 0, 'cancelling'),
    (4, '2026-04', 'everyone', 'everyone', 'sendgrid', 'scheduled', '', 'abc', 'n4', '{_ENVELOPE}', '[]', 1,
        '{_STAMP}', '2030-01-01T08:00:00Z', 0, 'unused');
INSERT INTO chunk (broadcast, number, variant, state, size, first_subscriber, changed_at, due_at, hold_until)
VALUES (2, 1, 0, 'accepted', 1, 1, '{_STAMP}', '2030-01-01T08:00:00Z', '2030-01-01T08:00:00Z'),
    (2, 2, 0, 'accepted', 1, 2, '{_STAMP}', '2030-01-01T17:00:00Z', '2030-01-01T17:00:00Z'),
    (2, 3, 0, 'accepted', 1, 3, '{_STAMP}', '', ''),
    (3, 1, 0, 'accepted', 1, 1, '{_STAMP}', '2030-01-01T08:00:00Z', '2030-01-01T08:00:00Z'),
    (4, 1, 0, 'ready', 1, 1, '{_STAMP}', '2030-01-01T08:00:00Z', '');
INSERT INTO delivery (broadcast, subscriber, chunk) VALUES (2, 1, 1), (2, 2, 2), (2, 3, 3), (3, 1, 1), (4, 1, 1);
"""


# Ana is in three more broadcasts of January: one was canceled, one is unknown, and one was accepted.
AGAIN = f"""
INSERT INTO broadcast (id, issue, segment, expression, provider, state, reason, content_hash, nonce, envelope, waivers,
    frozen, created_at)
SELECT b.id + n.more, issue, segment, expression, provider, state, reason, content_hash, 'n' || n.more, envelope,
    waivers, 1, created_at
FROM broadcast AS b, (SELECT 10 AS more UNION SELECT 11 UNION SELECT 12) AS n;
INSERT INTO chunk (broadcast, number, variant, state, size, first_subscriber, changed_at)
VALUES (11, 1, 0, 'cancelled', 1, 1, '{_STAMP}'), (12, 1, 0, 'unknown', 1, 1, '{_STAMP}'),
    (13, 1, 0, 'accepted', 1, 1, '{_STAMP}');
INSERT INTO delivery (broadcast, subscriber, chunk) VALUES (11, 1, 1), (12, 1, 1), (13, 1, 1);
"""


def migrations(engine: str) -> list[str]:
    """The scripts of an engine, the oldest first."""
    return [path.read_text(encoding="utf-8") for path in sorted((_MIGRATIONS / engine).glob("*.sql"))]


def assert_all_arrived(database: Database) -> None:
    """Asserts that all of PEOPLE is there and works in the schema of today."""
    ana, cy = find_subscriber(database, "ANA@example.org"), find_subscriber(database, "cy@example.org")
    assert ana is not None
    assert cy is not None
    record = ana.record
    assert (ana.id, record.email, record.first_name, record.last_name) == (1, "Ana@example.org", "Ana", "Lima")
    assert (record.language, record.timezone, record.tags) == ("es", "Europe/Madrid", ("member", "teacher"))
    assert (record.attributes, ana.token) == ({"country": "ES"}, "a-token")
    assert (f"{record.consented_at:%Y-%m-%d %H:%M:%S}", record.consent_source) == ("2025-05-06 07:08:09", "form")
    assert (record.consent_wording, record.consent_confirmed_at, record.consent_basis) == ("", None, "")
    assert (f"{ana.joined_at:%Y-%m-%d}", f"{ana.updated_at:%Y-%m-%d}") == ("2026-01-02", "2026-01-09")
    assert (cy.id, cy.record.tags, cy.token) == (3, ("teacher",), "c-token")
    assert known_tags(database) == ("member", "teacher")
    assert "country" in known_fields(database)
    assert count_segment(database, Tagged("teacher")).members == 2

    (left,) = suppressions_of(database, "cy@example.org")
    assert (left.reason, left.topic, left.detail) == (SuppressionReason.UNSUBSCRIBED, "", "")
    assert f"{left.created_at:%Y-%m-%dT%H:%M:%SZ}" == _STAMP
    stranger = find_suppression(database, "stranger@example.org")
    assert stranger is not None
    assert (stranger.email, stranger.reason) == ("Stranger@example.org", SuppressionReason.BOUNCED)
    assert add_suppression(database, "cy@example.org", SuppressionReason.UNSUBSCRIBED, topic="events", now=NOW)

    with database.read() as connection:
        reactions = connection.execute("SELECT type, subscriber, last_at FROM reaction ORDER BY type").fetchall()
        events = connection.execute("SELECT type, subscriber, detail, url FROM event ORDER BY at, type").fetchall()
    assert reactions == [("clicked", 1, "2026-01-05T00:00:00Z"), ("opened", 1, "2026-01-04T00:00:00Z")]
    assert events == [
        ("opened", 1, "", ""),
        ("opened", 1, "", ""),
        ("blocked", 2, "452 full", ""),
        ("clicked", 1, "", "https://example.org/a"),
    ]
    assert tally_of(database, 1).adds_up
    (given,) = approvals_of(database, "2026-01", "jan")  # void for a new broadcast, and still told of that one
    assert (given.by, given.voided) == ("Ana Lima", "this version looks at the content in another way")

    add(database, row("new@example.org"))
    assert id_of(database, "new@example.org") > 9, "an id was given twice"
    # Bo never said yes, as far as is on record.
    assert send_all(database, freeze(database, "2026-02")) == ["Ana@example.org", "new@example.org"]


def assert_each_has_one_place(database: Database) -> None:
    """Asserts that of the deliveries of an issue to one person, the first that may have reached them has the place."""
    with database.read() as connection:
        places = connection.execute(
            "SELECT broadcast, subscriber, edition FROM delivery ORDER BY broadcast, subscriber"
        )
        assert places.fetchall() == [(1, 1, 1), (1, 2, 1), (11, 1, None), (12, 1, None), (13, 1, None)]
    add(database, row("new@example.org"))
    assert send_all(database, freeze(database, "2026-01")) == ["new@example.org"]


def assert_sharp_s_is_kept(database: Database) -> None:
    """Asserts that people with an `ß` are found by it, and that no one who may have left is emailed again."""
    for email in ("straße@example.org", "größe@example.org"):
        assert find_subscriber(database, email) is not None
    assert find_subscriber(database, "strasse@example.org") is None
    for email in ("straße@example.org", "strasse@example.org", "weiß@example.org", "weiss@example.org"):
        assert find_suppression(database, email) is not None
    assert find_suppression(database, "größe@example.org") is None


# Letters that `person_of` keeps apart from others. Earlier versions used case folding, which does not.
LETTERS = "ßևΐΰﬁſŉᏸ"


def old_key(name: str, letter: str) -> str:
    return f"{name}{letter.casefold()}@example.org"


def leave_under_old_keys(execute: Callable[[str, dict[str, str]], object]) -> None:
    """Write people into the schema before the keys changed: on the list, blocked, or both, in different spellings."""
    for letter in LETTERS:
        for name in ("left", "blocked", "back"):
            person = {
                "email": f"{name}{letter}@example.org",
                "old": f"{name}{letter.casefold()}@example.org",
                "at": _STAMP,
            }
            spelled = {**person, "email": f"{name.upper()}{letter}@example.org"}
            if name != "blocked":
                execute(
                    "INSERT INTO subscriber (person, email, first_name, last_name, language, timezone, tags, "
                    "joined_at, consented_at, consent_source, consent_wording, consent_confirmed_at, consent_basis, "
                    "attributes, token, updated_at) "
                    "VALUES (:old, :email, '', '', '', '', '', :at, :at, 'form', '', '', '', '{}', :email, :at)",
                    person,
                )
            if name != "back":
                execute(
                    "INSERT INTO suppression (person, topic, email, reason, detail, created_at) "
                    "VALUES (:old, '', :email, 'unsubscribed', '', :at)",
                    spelled if name == "left" else person,
                )
                continue
            execute(
                "INSERT INTO past_suppression (person, topic, reason, created_at, lifted_at, because) "
                "VALUES (:old, '', 'unsubscribed', :at, :at, 'she asked')",
                person,
            )
            execute("INSERT INTO soft_bounce (person, at, detail) VALUES (:old, :at, '')", person)


def assert_old_keys_count(database: Database) -> None:
    """Asserts that everyone is found by their address, and no one is emailed who left under an old key."""
    for letter in LETTERS:
        for email in (f"left{letter}@example.org", f"back{letter}@example.org"):
            assert find_subscriber(database, email) is not None, email
        for email in (
            f"left{letter}@example.org",
            f"blocked{letter}@example.org",
            f"left{letter.casefold()}@example.org",
        ):
            assert find_suppression(database, email) is not None, email
        assert find_suppression(database, f"back{letter}@example.org") is None
        assert len(past_suppressions(database, f"back{letter}@example.org")) == 1
        with database.read() as connection:
            person = {"person": person_of(f"back{letter}@example.org")}
            bounces = connection.execute("SELECT at FROM soft_bounce WHERE person = :person", person).fetchall()
        assert bounces == [(_STAMP,)]


def assert_held_can_be_recalled(database: Database) -> None:
    """Asserts that what SendGrid holds since before can be canceled, until ten minutes before the first time."""
    (old,), (cancelling,), unused = (batches_of(database, number) for number in (2, 3, 4))
    assert (old.id, old.state, cancelling.state, unused) == ("old", BatchState.OPEN, BatchState.RECALLING, ())
    assert f"{old.due_at:%H:%M} {old.recall_ends_at:%H:%M}" == "17:00 07:50"
    now = old.recall_ends_at - timedelta(minutes=1)
    begin_cancel(database, 2, now=now)
    assert settle_recall(database, "old", confirmed_at=now, now=now) == 2
    assert finish_cancel(database, 2, now=now).state is BroadcastState.CANCELLED
    counts = tally_of(database, 2)
    assert (counts.cancelled, counts.accepted, counts.adds_up) == (2, 1, True)
