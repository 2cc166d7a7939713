"""What is taken in from files: the emails of the corpus, each about its own person, and exports of SendGrid."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from newsletter.mailbox.files import StoredMail, mails_in
from newsletter.mailbox.reports import reports_in
from newsletter.model.event import EventType
from newsletter.model.mail_report import ReportKind, TraceHint
from newsletter.model.return_paths import ReturnPurpose, return_path
from newsletter.store.database import Database
from newsletter.store.subscribers import events_of, export_subscribers
from newsletter.store.suppressions import find_suppression, list_suppressions
from newsletter.workflows.events.attribution import EVENT_TYPES, Trust, attribute
from newsletter.workflows.events.import_ import import_events
from tests.mailbox.corpus import EXPECTED, mail, mail_about
from tests.store.builders import freeze
from tests.store.conftest import Location
from tests.store.empty_file import open_test_database
from tests.workflows.events.worlds import NAMES, NOW, SENT_AT, broadcast_of, list_of_readers, send, write_corpus
from tests.workspaces import CONFIG, write_workspace


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(write_workspace(tmp_path / "workspace"))


@pytest.fixture
def database(location: Location) -> Iterator[Database]:
    """A list with one person for each email of the corpus, who all got one broadcast, on each engine in turn."""
    with open_test_database(location) as opened:
        list_of_readers(opened)
        yield opened


def test_the_corpus_reaches_the_right_people_and_only_them(config: Config, database: Database, tmp_path: Path) -> None:
    emails = write_corpus(database, tmp_path / "mails")

    tally = import_events(config, database, [tmp_path / "mails"], now=NOW)

    ids = {person.record.email: person.id for person in export_subscribers(database)}
    for name, expected in EXPECTED.items():
        type_ = EVENT_TYPES.get(ReportKind(expected.kind))
        if expected.cause == "no-such-domain":
            type_ = EventType.BLOCKED  # a name server may be out of order, so once is not enough
        events = events_of(database, ids[emails[name]])
        assert [event.type for event in events] == ([] if type_ is None else [type_]), name
    assert tally.emails == len(NAMES)
    assert (tally.unclear, tally.nobody, tally.forged) == (2, 0, 0)
    unread = [tmp_path / "mails" / f"a-person-{does}.eml" for does in ("forwards-a-bounce", "writes")]
    assert [each.name for each in tally.unread] == list(map(str, unread))


def test_hard_bounces_complaints_and_requests_block_and_nothing_else_does(
    config: Config, database: Database, tmp_path: Path
) -> None:
    emails = write_corpus(database, tmp_path / "mails")

    import_events(config, database, [tmp_path / "mails"], now=NOW)

    blocked = {found.email for found in list_suppressions(database)}
    ends = {"hard", "complaint", "unsubscribe"}
    meant = {name for name, each in EXPECTED.items() if each.kind in ends and each.cause != "no-such-domain"}
    assert {name for name in NAMES if emails[name] in blocked} == meant


def test_a_second_import_changes_nothing(config: Config, database: Database, tmp_path: Path) -> None:
    write_corpus(database, tmp_path / "mails")
    first = import_events(config, database, [tmp_path / "mails"], now=NOW)

    again = import_events(config, database, [tmp_path / "mails"], now=NOW)

    assert first.ingested.added == sum(ReportKind(each.kind) in EVENT_TYPES for each in EXPECTED.values())
    assert (again.ingested.added, again.ingested.suppressed) == (0, 0)


def test_a_dry_run_writes_nothing(config: Config, database: Database, tmp_path: Path) -> None:
    write_corpus(database, tmp_path / "mails")

    tally = import_events(config, database, [tmp_path / "mails"], now=NOW, is_dry_run=True)

    assert tally.kinds[ReportKind.HARD] > 10
    assert list(list_suppressions(database)) == []
    with database.read() as connection:
        assert connection.execute("SELECT count(*) FROM event", {}).fetchall() == [(0,)]


def test_nobody_is_blocked_by_an_email_about_another_list(config: Config, database: Database, tmp_path: Path) -> None:
    (tmp_path / "mails").mkdir()
    for name in NAMES:
        (tmp_path / "mails" / f"{name}.eml").write_bytes(mail(name))

    tally = import_events(config, database, [tmp_path / "mails"], now=NOW)

    assert list(list_suppressions(database)) == []
    assert tally.nobody == sum(ReportKind(each.kind) in EVENT_TYPES for each in EXPECTED.values())
    assert tally.complaints_of_nobody == sum(each.kind == "complaint" for each in EXPECTED.values())


@pytest.mark.parametrize("name", ["postfix-user-unknown", "leave-apple", "arf-yahoo"])
def test_a_wrong_code_discredits_the_whole_email(config: Config, database: Database, tmp_path: Path, name: str) -> None:
    number, nonce = broadcast_of(database)
    ana, bo = list(export_subscribers(database))[:2]
    for purpose in ReturnPurpose:
        assert return_path("*", purpose, ana.id, number, ana.token) != return_path(
            "*", purpose, ana.id, number, bo.token
        )
    forged = mail_about(name, broadcast=number, nonce=nonce, subscriber=ana.id, token=bo.token, email=ana.record.email)
    (tmp_path / "forged.eml").write_bytes(forged)

    tally = import_events(config, database, [tmp_path / "forged.eml"], now=NOW)

    assert tally.forged == 1
    assert find_suppression(database, ana.record.email) is None


@pytest.mark.parametrize("name", ["only-the-recipient", "exim-only-failed-recipients", "arf-yahoo", "postfix-expired"])
@pytest.mark.parametrize("knows", ["the address", "the Message-ID", "their own code"])
def test_where_emails_have_codes_what_others_know_blocks_no_one(
    database: Database, tmp_path: Path, name: str, knows: str
) -> None:
    more = {"newsletter.toml": CONFIG + '\n[mailbox]\naddress = "*@bounces.example.org"\n'}
    config = load_config(write_workspace(tmp_path / "with codes", more))
    number, nonce = broadcast_of(database)
    ana, bo = list(export_subscribers(database))[:2]
    said = mail_about(
        name, broadcast=number, nonce=nonce, subscriber=ana.id, token=ana.token, email=ana.record.email
    ).replace(ana.token.encode(), b"0" * 32)
    for purpose in ReturnPurpose:
        theirs, bos = (return_path("*", purpose, each.id, number, each.token).encode() for each in (ana, bo))
        said = said.replace(theirs, bos if knows == "their own code" else b"news")
    if knows == "the address":
        said = said.replace(nonce.encode(), b"0" * len(nonce))
    (tmp_path / "forged.eml").write_bytes(said)

    tally = import_events(config, database, [tmp_path / "forged.eml"], now=NOW)

    assert find_suppression(database, ana.record.email) is None
    assert not events_of(database, ana.id)
    assert tally.forged or knows == "their own code" or tally.nobody


def test_the_recipients_address_counts_only_if_one_delivery_fits(
    config: Config, database: Database, tmp_path: Path
) -> None:
    number, nonce = broadcast_of(database)
    ana = next(export_subscribers(database))
    content = mail_about(
        "only-the-recipient", broadcast=number, nonce=nonce, subscriber=ana.id, token=ana.token, email=ana.record.email
    )
    (report,) = reports_in(content, received_at=NOW)
    assert {trace.hint for trace in report.traces} == {TraceHint.ADDRESS}
    assert attribute(database, report, needs_code=False).standing is Trust.FOUND

    send(database, freeze(database, "2026-12", chunk_size=100, now=SENT_AT))

    assert attribute(database, report, needs_code=False).standing is Trust.NOBODY


@pytest.mark.parametrize("days", [-1, 11])
def test_an_address_alone_counts_only_soon_after_an_email_was_sent(database: Database, days: int) -> None:
    number, nonce = broadcast_of(database)
    ana = next(export_subscribers(database))
    content = mail_about(
        "only-the-recipient", broadcast=number, nonce=nonce, subscriber=ana.id, token=ana.token, email=ana.record.email
    ).replace(
        b"Date: Mon, 23 Nov", f"Date: Mon, {23 + days if days < 0 else 4} {'Nov' if days < 0 else 'Dec'}".encode()
    )
    (report,) = reports_in(content, received_at=datetime(2027, 1, 1, tzinfo=UTC))

    assert attribute(database, report, needs_code=False).standing is Trust.NOBODY


def test_a_person_who_was_removed_is_nobody(config: Config, database: Database, tmp_path: Path) -> None:
    emails = write_corpus(database, tmp_path / "mails")
    with database.transaction() as connection:
        connection.execute("DELETE FROM subscriber WHERE email = :email", {"email": emails["postfix-user-unknown"]})

    tally = import_events(config, database, [tmp_path / "mails/postfix-user-unknown.eml"], now=NOW)

    assert (tally.forged, tally.kinds[ReportKind.HARD]) == (0, 1)
    assert list(list_suppressions(database)) == []


def test_an_mbox_has_many_emails_and_a_line_that_only_looks_like_a_beginning(
    config: Config, database: Database, tmp_path: Path
) -> None:
    emails = write_corpus(database, tmp_path / "mails")
    names = ("qmail-no-mailbox", "arf-yahoo", "leave-apple")
    mbox = b"".join(
        b"From MAILER-DAEMON Mon Nov 23 08:00:09 2026\n" + (tmp_path / "mails" / f"{name}.eml").read_bytes() + b"\n"
        for name in names
    ).replace(b"Sorry, no mailbox", b">From here: no mailbox\nFrom there, too\nSorry, no mailbox")
    (tmp_path / "bounces.mbox").write_bytes(mbox)

    tally = import_events(config, database, [tmp_path / "bounces.mbox"], now=NOW)

    assert tally.emails == 3
    assert {found.email for found in list_suppressions(database)} == {emails[name] for name in names}


HEADER = (
    "processed,message_id,event,api_key_id,recv_message_id,credential_id,subject,from,email,asm_group_id,template_id,"
    "originating_ip,reason,outbound_ip,outbound_ip_type,mx,url,attempt,user_agent,type,is_unique,username,categories,"
    "unique_args\n"
)


def _export(database: Database, *, event: str, reason: str = "", kind: str = "") -> str:
    number, nonce = broadcast_of(database)
    ana = next(export_subscribers(database))
    args = {"nl_broadcast": f"b{number}-{nonce}", "nl_chunk": "1", "nl_attempt": "1", "nl_delivery": str(ana.id)}
    quoted = json.dumps(args).replace('"', '""')
    row = {"processed": "2026-11-23 08:00:05", "message_id": "m1", "event": event, "email": ana.record.email}
    row |= {"reason": f'"{reason}"', "type": kind, "unique_args": f'"{quoted}"'}
    return ",".join(row.get(name, "") for name in HEADER.strip().split(",")) + "\n"


@pytest.mark.parametrize(
    ("event", "kind", "expected"),
    [
        ("delivered", "", EventType.DELIVERED),
        ("bounce", "bounce", EventType.BOUNCED),
        ("bounce", "blocked", EventType.BLOCKED),
        ("block", "", EventType.BLOCKED),
        ("drop", "", EventType.DROPPED),
        ("spam report", "", EventType.COMPLAINED),
        ("defer", "", EventType.DEFERRED),
    ],
)
def test_a_csv_export_of_sendgrids_activity_is_read(
    config: Config, database: Database, tmp_path: Path, event: str, kind: str, expected: EventType
) -> None:
    row = _export(database, event=event, reason="550 5.1.1 unknown, user", kind=kind)
    stranger = _export(database, event="bounce").replace("nl_", "other_").replace("person", "stranger")
    (tmp_path / "activity.csv").write_text("\ufeff" + HEADER + row + stranger, encoding="utf-8")

    tally = import_events(config, database, [tmp_path / "activity.csv"], now=NOW)

    ana = next(export_subscribers(database))
    assert [found.type for found in events_of(database, ana.id)] == [expected]
    assert (tally.rows, tally.emails) == (2, 0)


@pytest.mark.parametrize("form", ["array", "lines", "object"])
def test_posts_of_the_webhook_saved_as_json_are_read(
    config: Config, database: Database, tmp_path: Path, form: str
) -> None:
    number, nonce = broadcast_of(database)
    ana = next(export_subscribers(database))
    entry = (
        f'{{"event":"delivered","timestamp":1795420805,"sg_event_id":"x","nl_broadcast":"b{number}-{nonce}",'
        f'"nl_chunk":"1","nl_attempt":"1","nl_delivery":"{ana.id}"}}'
    )
    text = {"array": f"[{entry},\n{{}},1]", "lines": f"{entry}\n\n[{entry}]\n", "object": f" {entry}"}[form]
    (tmp_path / "posts.json").write_text(text, encoding="utf-8")

    tally = import_events(config, database, [tmp_path / "posts.json"], now=NOW)

    assert tally.ingested.added == 1


def test_a_stored_mail_keeps_its_first_megabyte(tmp_path: Path) -> None:
    (tmp_path / "huge.eml").write_bytes(mail("postfix-user-unknown") + b"x" * 3_000_000)

    (found,) = mails_in(tmp_path)

    assert isinstance(found, StoredMail)
    assert len(found.content) < 1_100_000
    assert reports_in(found.content, received_at=NOW)[0].kind is ReportKind.HARD


def test_a_bounce_proves_nothing_about_the_others_of_an_unconfirmed_batch(
    config: Config, database: Database, tmp_path: Path
) -> None:
    write_corpus(database, tmp_path / "mails")
    with database.transaction() as connection:
        connection.execute("UPDATE chunk SET state = 'unknown'", {})

    tally = import_events(config, database, [tmp_path / "mails"], now=NOW)

    assert tally.kinds[ReportKind.HARD] > 10
    assert tally.ingested.settled == 0


def test_an_email_that_was_sent_later_is_not_meant(database: Database) -> None:
    number, nonce = broadcast_of(database)
    ana = next(export_subscribers(database))
    content = mail_about(
        "only-the-recipient", broadcast=number, nonce=nonce, subscriber=ana.id, token=ana.token, email=ana.record.email
    )
    with database.transaction() as connection:
        connection.execute("UPDATE chunk SET changed_at = '2026-11-24T08:00:00Z'", {})
    (report,) = reports_in(content, received_at=NOW)

    assert attribute(database, report, needs_code=False).standing is Trust.NOBODY
