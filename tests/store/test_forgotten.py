"""Erasing people: what is erased, what is kept, and how they are recognized again."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from msgspec.structs import replace

from newsletter.errors import InputError
from newsletter.lists.exports import batch_of
from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.model.broadcast import DeliveryStatus, Outcome, Verdict, Waiver
from newsletter.model.columns import SubscriberRecord
from newsletter.model.edit import Edit
from newsletter.model.event import EventType
from newsletter.model.imports import ImportReport, ImportTerms, LeavingRow
from newsletter.model.ledger import Entry
from newsletter.model.segment import Compare, Operator
from newsletter.store.database import Connection, Database
from newsletter.store.editing import edit_people
from newsletter.store.erasing import NOT_SEARCHED, count_mentions, searched_columns
from newsletter.store.events import add_events
from newsletter.store.forgotten import (
    clear_forgotten,
    count_digests,
    count_forgotten,
    digest_of,
    forget_person,
    forgotten_since,
    name_of_forgotten,
)
from newsletter.store.ledger import journal
from newsletter.store.ledger.audit import find_delivery
from newsletter.store.ledger.broadcasts import require_broadcast
from newsletter.store.ledger.status import settled_counts, tally_of
from newsletter.store.merge import merge_subscribers, past_imports
from newsletter.store.subscribers import events_of, find_subscriber, known_tags, past_consents, soft_bounces_of
from newsletter.store.suppressions import (
    add_suppression,
    find_suppression,
    past_suppressions,
    preview_suppressions,
    remove_suppression,
    suppressions_of,
)
from newsletter.store.undo import undo_last_import
from tests.store.builders import (
    KEY,
    NOW,
    add,
    add_people,
    claim,
    event_of,
    forget,
    freeze,
    id_of,
    record,
    row,
    segment,
    send_all,
)
from tests.store.query_world import seed

ANA = "Ana.Lima@example.org"
OTHER_KEY = b"another key of as many bytes too"
DAY = timedelta(days=1)


def texts_of(database: Database) -> str:
    """All that our tables hold, as one text."""
    tables = (
        "subscriber, past_consent, suppression, past_suppression, soft_bounce, forgotten, event, reaction, broadcast, "
        "journal, chunk, settlement, delivery, import, attribute, tag"
    )
    with database.read() as connection:
        return "\n".join(
            str(found) for table in tables.split(", ") for found in connection.execute(f"SELECT * FROM {table}", {})
        )


def add_everywhere(database: Database) -> int:
    """Ana in every table that can hold an address; her id."""
    add(database, row("a.lima@example.org"), row(ANA, consented_at=NOW - 9 * DAY, attributes={"city": "Lisbon"}))
    add(database, row(ANA, consented_at=NOW - DAY, consent_source="phone"))
    add_suppression(database, ANA, SuppressionReason.UNSUBSCRIBED, topic="events", detail=f"by {ANA}", now=NOW)
    add_suppression(database, ANA, SuppressionReason.UNSUBSCRIBED, now=NOW)
    remove_suppression(database, ANA, because=f"{ANA} wrote", now=NOW)
    broadcast = freeze(database, to=segment(f'email = "{ANA}"', Compare("email", Operator.EQUAL, ANA.lower())))
    ana = id_of(database, ANA)
    record(
        database,
        claim(database, broadcast),
        Outcome(verdict=Verdict.ACCEPTED, invalid={ana: f"550 no <{ANA}>"}, reason=f"no {ANA.lower()}"),
    )
    bounced = event_of(database, broadcast, ANA, EventType.BOUNCED, NOW, detail=f"no such user {ANA}")
    add_events(database, [bounced])
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO soft_bounce (person, at, detail) VALUES (:person, '2026-02-19T08:00:00Z', :detail)",
            {"person": ANA.lower(), "detail": f"{ANA} is full"},
        )
        connection.execute(
            "UPDATE journal SET detail = :detail WHERE number = 1", {"detail": f"for {ANA}, not a.lima@example.org"}
        )
    return ana


def test_no_table_holds_the_address_afterwards(database: Database) -> None:
    ana = add_everywhere(database)
    assert texts_of(database).lower().count("ana.lima@example.org") >= 12

    assert forget(database, "ANA.LIMA@Example.org")

    assert "ana.lima" not in texts_of(database).lower()
    assert "Lisbon" not in texts_of(database)
    assert find_subscriber(database, ANA) is None
    assert suppressions_of(database, ANA) == past_suppressions(database, ANA) == soft_bounces_of(database, ANA) == ()
    assert past_consents(database, ana) == ()
    assert [(event.type, event.detail) for event in events_of(database, ana)] == [(EventType.BOUNCED, "")]


def test_other_people_stay_as_they_are(database: Database) -> None:
    add_everywhere(database)

    forget(database, ANA)

    assert find_subscriber(database, "a.lima@example.org") is not None
    assert "not a.lima@example.org" in texts_of(database)


def test_what_the_ledger_counts_stays(database: Database) -> None:
    add_people(database, 4)
    add(database, row(ANA))
    broadcast = freeze(database, chunk_size=2)
    chunk = claim(database, broadcast)
    first, second = (delivery.subscriber for delivery in chunk.deliveries)
    record(database, chunk, Outcome(verdict=Verdict.ACCEPTED, invalid={first: "550 no"}))
    before, settled = tally_of(database, broadcast.id), settled_counts(database, broadcast.id)

    forget(database, "person00000@example.org")
    forget(database, ANA)

    assert tally_of(database, broadcast.id) == before
    assert before.adds_up
    assert settled_counts(database, broadcast.id) == settled
    assert (settled[0].status, settled[0].deliveries) == (DeliveryStatus.INVALID, 1)
    assert first != second


def test_reasons_of_two_people_stay_apart_and_add_up(database: Database) -> None:
    add_people(database, 3)
    broadcast = freeze(database)
    chunk = claim(database, broadcast)
    emails = [delivery.email for delivery in chunk.deliveries]
    invalid = {delivery.subscriber: f"no <{delivery.email}>" for delivery in chunk.deliveries}
    record(database, chunk, Outcome(verdict=Verdict.ACCEPTED, invalid=invalid))

    for email in emails:
        forget(database, email)

    found = settled_counts(database, broadcast.id)
    assert sum(count.deliveries for count in found) == 3
    assert "@" not in "".join(count.reason for count in found)
    assert tally_of(database, broadcast.id).adds_up


def test_words_of_people_lose_the_address_too(database: Database) -> None:
    add(database, row(ANA))
    broadcast = freeze(database)
    with database.transaction() as connection:
        connection.execute(
            "UPDATE broadcast SET reason = :reason, waivers = :waivers",
            {"reason": f"asked by {ANA}.", "waivers": f'[{{"rule":"L3","because":"{ANA} knows"}}]'},
        )

    forget(database, ANA)

    found = require_broadcast(database, broadcast.id)
    assert found.reason.startswith("asked by an erased person (")
    assert found.waivers == (Waiver(rule="L3", because=found.waivers[0].because),)
    assert ANA not in found.waivers[0].because


def test_mail_that_was_to_leave_does_not(database: Database) -> None:
    add_people(database, 2)
    broadcast = freeze(database)

    forget(database, "person00000@example.org")

    assert send_all(database, broadcast) == ["person00001@example.org"]
    assert tally_of(database, broadcast.id).adds_up


def test_nothing_happens_where_nothing_is_known(database: Database) -> None:
    assert not forget(database, ANA)
    assert forgotten_since(database, ANA, key=KEY) is None


def test_digest_of_an_earlier_version_still_holds_for_an_address_with_a_sharp_s(database: Database) -> None:
    add(database, row("strasse@example.org"))  # the form that earlier versions made of straße@example.org

    assert forget(database, "strasse@example.org")

    assert forgotten_since(database, "Straße@example.org", key=KEY) == NOW


def test_somebody_who_was_only_suppressed_is_forgotten_with_the_reason(database: Database) -> None:
    add_suppression(database, ANA, SuppressionReason.MANUAL, now=NOW)

    assert forget(database, ANA)

    assert forgotten_since(database, ANA, key=KEY) == NOW
    assert reject(database, row(ANA, consented_at=NOW + DAY)).rejected == 1


def merge(database: Database, *people: SubscriberRecord, key: bytes | None = KEY) -> ImportReport:
    return merge_subscribers(database, [batch_of(people)], key=key, now=NOW + 2 * DAY)


def reject(database: Database, person: SubscriberRecord) -> ImportReport:
    report = merge(database, person)
    assert find_subscriber(database, person.email) is None
    return report


def test_no_old_list_brings_them_back(database: Database) -> None:
    add(database, row(ANA))
    forget(database, ANA)

    report = reject(database, row(ANA, consented_at=NOW - DAY))

    assert "asked to be erased" in report.rejected_rows[0].reason


def test_a_new_consent_brings_them_back_under_their_old_number(database: Database) -> None:
    add(database, row(ANA))
    ana = id_of(database, ANA)
    broadcast = freeze(database)
    send_all(database, broadcast)
    forget(database, ANA)

    assert merge(database, row(ANA, consented_at=NOW + DAY)).revived == 1

    assert id_of(database, ANA) == ana
    assert forgotten_since(database, ANA, key=KEY) is None
    with pytest.raises(InputError, match="1 already in broadcast 1"):
        freeze(database)


def test_whoever_came_back_can_be_forgotten_again(database: Database) -> None:
    add(database, row(ANA))
    ana = id_of(database, ANA)
    forget(database, ANA)
    merge(database, row(ANA, consented_at=NOW + DAY))

    assert forget(database, ANA)

    assert find_subscriber(database, ANA) is None
    merge(database, row(ANA, consented_at=NOW + 2 * DAY))
    assert id_of(database, ANA) == ana


def suppress_from_before(database: Database, email: str, reason: SuppressionReason) -> None:
    """A suppression of an erased person, as earlier versions saved it without asking for the key."""
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO suppression (person, topic, email, reason, detail, created_at) "
            "VALUES (:person, '', :email, :reason, '', '2026-02-19T08:00:00Z')",
            {"person": email.lower(), "email": email, "reason": reason.value},
        )


def test_a_suppression_added_since_goes_when_they_are_forgotten_again_and_they_keep_their_number(
    database: Database,
) -> None:
    add(database, row(ANA))
    ana = id_of(database, ANA)
    forget(database, ANA)
    suppress_from_before(database, ANA, SuppressionReason.COMPLAINED)

    assert forget(database, ANA)

    assert suppressions_of(database, ANA) == ()
    merge(database, row(ANA, consented_at=NOW + DAY))
    assert id_of(database, ANA) == ana


def test_another_key_is_refused(database: Database) -> None:
    add(database, row(ANA), row("bo@example.org"))
    forget(database, ANA)

    with pytest.raises(InputError, match="not the key"):
        forget_person(database, "bo@example.org", key=OTHER_KEY, now=NOW)
    with pytest.raises(InputError, match="not the key"):
        merge(database, row("cy@example.org"), key=OTHER_KEY)
    with pytest.raises(InputError, match="NEWSLETTER_KEY"):
        merge(database, row("cy@example.org"), key=None)
    assert find_subscriber(database, "bo@example.org") is not None
    assert find_subscriber(database, "cy@example.org") is None


def test_another_key_may_be_taken_once_nobody_is_forgotten_any_more(database: Database) -> None:
    add(database, row(ANA))
    forget(database, ANA)
    merge(database, row(ANA, consented_at=NOW + DAY))
    merge(database, row("bo@example.org"))  # the import with which she returned can no longer be undone

    assert forget_person(database, ANA, key=OTHER_KEY, now=NOW)

    assert forgotten_since(database, ANA, key=OTHER_KEY) == NOW


def come_back(database: Database) -> None:
    """Erase Ana, who is the only one, and let her return with an import."""
    add(database, row(ANA))
    forget(database, ANA)
    assert merge(database, row(ANA, consented_at=NOW + DAY)).revived == 1


def test_the_key_holds_as_long_as_an_undo_would_erase_someone_again(database: Database) -> None:
    come_back(database)
    add_suppression(database, "bo@example.org", SuppressionReason.MANUAL, now=NOW)

    with pytest.raises(InputError, match="not the key"):
        forget_person(database, "bo@example.org", key=OTHER_KEY, now=NOW)

    undo_last_import(database, shown=0, now=NOW + 3 * DAY)
    assert forgotten_since(database, ANA, key=KEY) == NOW


def test_where_the_key_is_lost_no_undo_brings_a_digest_back(database: Database) -> None:
    come_back(database)
    assert (count_forgotten(database), count_digests(database)) == (0, 1)

    assert clear_forgotten(database) == 1

    undo_last_import(database, shown=0, now=NOW + 3 * DAY)
    assert count_digests(database) == 0
    add_suppression(database, "bo@example.org", SuppressionReason.MANUAL, now=NOW)
    assert forget_person(database, "bo@example.org", key=OTHER_KEY, now=NOW)
    assert forgotten_since(database, ANA, key=OTHER_KEY) is None


@pytest.mark.parametrize("given_up", [False, True])
def test_both_are_so_for_someone_who_was_never_on_the_list(database: Database, given_up: bool) -> None:
    add_suppression(database, ANA, SuppressionReason.UNSUBSCRIBED, now=NOW)
    forget(database, ANA)
    assert merge(database, row(ANA, consented_at=NOW + DAY)).revived == 1
    if given_up:
        clear_forgotten(database)

    undo_last_import(database, shown=0, now=NOW + 3 * DAY)

    assert find_subscriber(database, ANA) is None
    assert count_digests(database) == int(not given_up)


TEXTS = (f"wife of {ANA}", f"write to <{ANA.upper()}>", "see mailto:ana.lima%40example.org", "ana.lima@example.org,x")


@pytest.mark.parametrize("text", TEXTS)
def test_no_text_that_is_stored_later_has_the_address(database: Database, text: str) -> None:
    add(database, row("bo@example.org", first_name="Bo"), row(ANA))
    forget(database, ANA)
    tag = "friend of ana.lima@example.org"

    cells, attributes = {"first_name": text}, {"note": text}
    edit = Edit(cells=cells, attributes=attributes, added_tags=frozenset({tag}))
    edit_people(database, ["bo@example.org"], edit, key=KEY, shown=0, now=NOW)
    add_suppression(database, "zoe@example.org", SuppressionReason.MANUAL, detail=text, key=KEY, now=NOW)
    add_suppression(database, "cy@example.org", SuppressionReason.MANUAL, key=KEY, now=NOW)
    remove_suppression(database, "cy@example.org", because=text, key=KEY, now=NOW)
    listed = row("di@example.org", last_name=text, consent_wording=text, tags=(tag,), attributes={"note": text})
    left = LeavingRow(
        line=9,
        email="bo@example.org",
        person="bo@example.org",
        reason=SuppressionReason.UNSUBSCRIBED,
        told=f"Remarks is {text!r}",
    )
    batch = batch_of([listed])
    batch = replace(batch, leaving=(left,), tag_names=(tag,))
    merge_subscribers(database, [batch], key=KEY, now=NOW + DAY)

    stored = texts_of(database).lower()
    assert "ana.lima" not in stored
    assert stored.count("an erased person (") >= 9
    with database.read() as connection:
        assert count_mentions(connection, ANA) == 0


@pytest.mark.parametrize("key", [None, OTHER_KEY])
def test_no_text_with_an_address_is_stored_without_the_key(database: Database, key: bytes | None) -> None:
    add(database, row("bo@example.org"), row(ANA))
    forget(database, ANA)
    add_suppression(database, "cy@example.org", SuppressionReason.MANUAL, key=KEY, now=NOW)
    before = texts_of(database)
    edit = Edit(added_tags=frozenset({"friend of x@example.org"}))

    with pytest.raises(InputError, match="NEWSLETTER_KEY"):
        edit_people(database, ["bo@example.org"], edit, key=key, shown=0, now=NOW)
    with pytest.raises(InputError, match="NEWSLETTER_KEY"):
        remove_suppression(database, "cy@example.org", because="x@example.org asked", key=key, now=NOW)

    assert texts_of(database) == before
    assert remove_suppression(database, "cy@example.org", because="she asked", now=NOW)


@pytest.mark.parametrize("email", ["ana+x@example.org", "mü@example.org", "o'hara@example.org"])
@pytest.mark.parametrize("form", ["mailto:{}?subject=x", "{}", "to={}&x=1"])
@pytest.mark.parametrize("safe", ["", "@", "@+"])
def test_forms_of_an_address_in_links_are_erased(database: Database, email: str, form: str, safe: str) -> None:
    add(database, row(email), row("bo@example.org", attributes={"note": form.format(quote(email, safe=safe))}))

    forget(database, email)

    found = find_subscriber(database, "bo@example.org")
    assert found is not None
    assert found.record.attributes["note"].startswith(form.partition("{")[0] + "an erased person (")


def test_where_the_key_is_lost_the_digests_can_be_given_up(database: Database) -> None:
    add(database, row(ANA), row("bo@example.org"))
    forget(database, ANA)
    forget(database, "bo@example.org")

    assert count_forgotten(database) == 2
    assert clear_forgotten(database) == 2

    assert forgotten_since(database, ANA, key=KEY) is None
    assert merge(database, row(ANA), key=None).added == 1
    assert clear_forgotten(database) == 0


def test_a_digest_tells_nothing_without_the_key(database: Database) -> None:
    add(database, row(ANA))
    forget(database, ANA)

    with database.read() as connection:
        ((digest,),) = connection.execute("SELECT digest FROM forgotten", {}).fetchall()
    assert bytes(digest) == digest_of(ANA.lower(), KEY)
    assert bytes(digest) != digest_of(ANA.lower(), OTHER_KEY)
    assert len(bytes(digest)) == 16


def test_the_journal_masks_addresses(database: Database) -> None:
    add_people(database, 1)
    broadcast = freeze(database)
    with database.transaction() as connection:
        journal.write(connection, broadcast.id, Entry.PAUSED, f"<{ANA}> was refused", now=NOW)

    assert journal.journal_of(database, broadcast.id)[-1].detail == "<A***@example.org> was refused"


def test_the_delivery_of_somebody_forgotten_is_not_found_with_another_key(database: Database) -> None:
    add(database, row(ANA))
    broadcast = freeze(database)
    forget(database, ANA)

    assert find_delivery(database, broadcast.id, ANA) is None
    with pytest.raises(InputError, match="not the key"):
        find_delivery(database, broadcast.id, ANA, key=OTHER_KEY)


def test_whoever_was_put_away_by_hand_and_is_forgotten_twice_does_not_return(database: Database) -> None:
    add(database, row(ANA))
    add_suppression(database, ANA, SuppressionReason.MANUAL, now=NOW - DAY)
    assert forget(database, ANA)
    suppress_from_before(database, ANA, SuppressionReason.UNSUBSCRIBED)
    assert forget(database, ANA)

    report = merge_subscribers(
        database,
        [batch_of([row(ANA, consented_at=NOW + DAY, consent_source="form")])],
        key=KEY,
        now=NOW + 2 * DAY,
    )

    assert (report.added, report.rejected) == (0, 1)


def test_capitals_beyond_ascii_hide_no_address_in_the_words_of_the_ledger(database: Database) -> None:
    add(database, row("Émile@example.org"), row("bo@example.org"))
    freeze(database, to=segment('email != "ÉMILE@example.org"', Compare("email", Operator.UNEQUAL, "x")))

    assert forget(database, "émile@example.org")

    assert "mile@example.org" not in texts_of(database).lower()


# --- other people's texts


def all_texts(connection: Connection) -> str:
    """All that the columns of text of all tables hold."""
    return "\n".join(
        str(row)
        for table, names in connection.text_columns().items()
        for row in connection.execute(f"SELECT {', '.join(names)} FROM {table}", {}).fetchall()
    )


def test_a_column_of_text_is_searched_or_there_is_a_reason_why_not(database: Database) -> None:
    with database.read() as connection:
        columns = {(table, name) for table, names in connection.text_columns().items() for name in names}
    assert columns >= set(NOT_SEARCHED)
    assert all(NOT_SEARCHED.values())


def test_every_text_loses_the_address_in_each_form(database: Database) -> None:
    forms = ["by ana.lima@EXAMPLE.org", "ana.lima%40example.org.", "list_ana.lima@example.org.csv"]
    with database.transaction() as connection:
        seed(connection)
        connection.execute("DELETE FROM forgotten_key", {})
        planted = list(searched_columns(connection))
        assert {column.table for column in planted} >= {"import", "tag", "approval", "broadcast", "past_suppression"}
        for column in planted:
            texts = connection.execute(f"SELECT DISTINCT {column.name} FROM {column.table}", {}).fetchall()
            assert texts, column
            for number, (text,) in enumerate(texts):
                connection.execute(
                    f"UPDATE {column.table} SET {column.name} = :new WHERE {column.name} = :old",
                    {"old": text, "new": f"{text} {forms[number % len(forms)]}"},
                )
        assert count_mentions(connection, ANA) >= len(planted)

    assert forget(database, ANA)

    with database.read() as connection:
        assert "ana.lima" not in all_texts(connection).lower()
        assert count_mentions(connection, ANA) == 0


def test_an_address_is_gone_from_files_bases_and_tags(database: Database) -> None:
    zelda, name = "zelda@example.org", name_of_forgotten(digest_of("zelda@example.org", KEY))
    terms = ImportTerms(file=f"{zelda}.csv", basis=f"told by {zelda}", tags=("vip", zelda))
    merge_subscribers(
        database,
        [batch_of([SubscriberRecord(email=email) for email in ("bo@example.org", zelda)])],
        terms=terms,
        now=NOW,
    )

    assert forget(database, "Zelda@Example.org")

    (past,) = past_imports(database)
    assert (past.file, past.basis) == (f"{name}.csv", f"told by {name}")
    assert set(past.tags) == {"vip", name}
    bo = find_subscriber(database, "bo@example.org")
    assert bo is not None
    assert (set(bo.record.tags), bo.record.consent_basis) == ({"vip", name}, f"told by {name}")
    assert {*known_tags(database)} == {"vip", name}


def test_names_of_tags_stay_different(database: Database) -> None:
    tags = ("ana@example.org", "ana%40example.org")
    merge_subscribers(
        database, [batch_of([row("bo@example.org")])], terms=ImportTerms(file="l.csv", tags=tags), now=NOW
    )

    assert forget(database, "ana@example.org")

    assert len(known_tags(database)) == 2
    assert "@" not in "".join(known_tags(database))


def test_a_longer_address_stays_if_its_person_is_known_here(database: Database) -> None:
    add(database, row("di.ana@example.org"), row("ana@example.org.uk"), row("ana@example.org"))
    note = "di.ana@example.org and ana@example.org.uk asked for ana@example.org. and x-ana@example.org"
    add_suppression(database, "bo@example.org", SuppressionReason.UNSUBSCRIBED, detail=note, now=NOW)

    assert forget(database, "ana@example.org")

    (kept,) = suppressions_of(database, "bo@example.org")
    name = name_of_forgotten(digest_of("ana@example.org", KEY))
    assert kept.detail == f"di.ana@example.org and ana@example.org.uk asked for {name}. and x-{name}"


def test_somebody_who_is_only_named_in_texts_can_be_forgotten(database: Database) -> None:
    add(database, row("bo@example.org", attributes={"friend": ANA}))

    assert forget(database, ANA)

    bo = find_subscriber(database, "bo@example.org")
    assert bo is not None
    assert bo.record.attributes["friend"].startswith("an erased person (")
    assert forgotten_since(database, ANA, key=KEY) == NOW
    assert not forget(database, "cy@example.org")


# --- nothing is written down again


def test_no_address_is_suppressed_without_the_key_once_somebody_was_forgotten(database: Database) -> None:
    add(database, row(ANA))
    forget(database, ANA)

    for email in (ANA, "bo@example.org"):
        with pytest.raises(InputError, match="set NEWSLETTER_KEY"):
            add_suppression(database, email, SuppressionReason.MANUAL, now=NOW)
        with pytest.raises(InputError, match="not the key"):
            add_suppression(database, email, SuppressionReason.MANUAL, key=OTHER_KEY, now=NOW)
        assert find_suppression(database, email) is None


def test_with_the_key_forgotten_people_are_counted_and_not_suppressed(database: Database) -> None:
    add(database, row(ANA))
    forget(database, ANA)
    named = [
        Suppression(email=email, reason=SuppressionReason.MANUAL, created_at=NOW) for email in (ANA, "bo@example.org")
    ]

    preview = preview_suppressions(database, named, key=KEY)

    assert (preview.named, preview.new, preview.forgotten) == (1, 1, 1)
    assert not add_suppression(database, ANA, SuppressionReason.MANUAL, key=KEY, now=NOW)
    assert find_suppression(database, ANA) is None


@pytest.mark.parametrize("file", [f"{ANA}.csv", f"members_{ANA}-2026.csv", "a list.csv"])
def test_what_is_said_of_a_whole_list_names_nobody_who_was_forgotten(database: Database, file: str) -> None:
    add(database, row(ANA))
    forget(database, ANA)
    terms = ImportTerms(file=file, basis=f"told by {ANA}.", tags=(ANA.lower(),))

    merge_subscribers(database, [batch_of([row("bo@example.org")])], terms=terms, key=KEY, now=NOW)

    assert "ana.lima" not in texts_of(database).lower()
    assert past_imports(database)[0].file == file.replace(ANA, name_of_forgotten(digest_of(ANA.lower(), KEY)))


def test_a_report_about_somebody_forgotten_is_counted_without_its_text(database: Database) -> None:
    add(database, row(ANA), row("bo@example.org"))
    broadcast = freeze(database)
    send_all(database, broadcast)
    late = [
        event_of(database, broadcast, email, EventType.BOUNCED, NOW + DAY, detail=f"no {email}")
        for email in (ANA, "bo@example.org")
    ]
    ana, bo = (event.subscriber for event in late)
    forget(database, ANA)

    assert add_events(database, late) == 2

    assert [event.detail for event in events_of(database, ana)] == [""]
    assert [event.detail for event in events_of(database, bo)] == ["no bo@example.org"]
