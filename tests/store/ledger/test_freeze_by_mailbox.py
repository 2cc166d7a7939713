"""Freezing a broadcast that differs by mailbox provider: everyone gets the variant for their address."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.model.address import person_of
from newsletter.model.ledger import VariantCount
from newsletter.model.mailbox import APPS_OF_MAILBOX, PROVIDER_OF_DOMAIN, MailboxProvider, mailbox_provider_of
from newsletter.model.readership import Readership
from newsletter.model.segment import OneOf, Tagged
from newsletter.store.database import Database
from newsletter.store.ledger.freeze import preview_freeze
from newsletter.store.ledger.status import tally_of
from newsletter.store.ledger.variants import load_variants, variant_counts
from tests.store.builders import (
    NOW,
    add,
    add_people,
    by_own_clock,
    claim,
    freeze,
    readership,
    request,
    row,
    segment,
    variant,
)

TEACHERS = segment("teachers", Tagged("teacher"))
DOMAINS = [*PROVIDER_OF_DOMAIN, "example.org", "gmail.com.example.org", "mail.gmail.com", "bücher.example"]


def got(database: Database, **asked: object) -> dict[str, Readership]:
    """Who gets which variant, by address."""
    broadcast = freeze(database, by_mailbox=True, **asked)  # type: ignore[arg-type]
    variants, found = load_variants(database, broadcast.id), dict[str, Readership]()
    while tally_of(database, broadcast.id).waiting:
        chunk = claim(database, broadcast, now=NOW)
        found |= {delivery.email: variants[chunk.variant_key].readership for delivery in chunk.deliveries}
    return found


def mailboxes(found: dict[str, Readership]) -> dict[str, MailboxProvider | None]:
    return {email: readership.mailbox for email, readership in found.items()}


def test_everybody_gets_the_variant_of_their_mailbox(database: Database) -> None:
    expected = {
        "ana@gmail.com": MailboxProvider.GMAIL,
        "ana@googlemail.com": MailboxProvider.GMAIL,
        "ana@icloud.com": MailboxProvider.ICLOUD,
        "ana@privaterelay.appleid.com": MailboxProvider.ICLOUD,
        "ana@hotmail.co.uk": MailboxProvider.OUTLOOK,
        "ana@ymail.com": MailboxProvider.YAHOO,
        "ana@example.org": MailboxProvider.OTHER,
        "ana@notgmail.com": MailboxProvider.OTHER,
        "ana@gmail.com.example.org": MailboxProvider.OTHER,
        "ana@proton.me": MailboxProvider.OTHER,
    }
    add(database, *map(row, expected))

    assert mailboxes(got(database)) == expected


def test_the_spelling_of_an_address_makes_no_difference(database: Database) -> None:
    expected = {
        "Ana.Lima@GMail.COM": MailboxProvider.GMAIL,
        "BO@Yahoo.Com": MailboxProvider.YAHOO,
        "dé@gmail.com": MailboxProvider.GMAIL,
        "ed@\N{FULLWIDTH LATIN SMALL LETTER G}mail.com": MailboxProvider.GMAIL,  # the same domain in IDNA
        "cy@BÜCHER.example": MailboxProvider.OTHER,
    }
    add(database, *map(row, expected))

    assert mailboxes(got(database)) == expected


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(domains=st.lists(st.sampled_from(DOMAINS), min_size=1, max_size=30))
def test_the_database_tells_mailboxes_apart_as_the_model_does(database: Database, domains: list[str]) -> None:
    emails = [f"person{number}@{domain}" for number, domain in enumerate(domains)]
    add(database, *map(row, emails))
    preview = preview_freeze(
        database, request(by_mailbox=True, to=segment("these", OneOf("email", tuple(map(person_of, emails))))), now=NOW
    )

    counted = {count.readership.mailbox: count.deliveries for count in preview.variants}
    expected: dict[MailboxProvider | None, int] = {}
    for email in emails:
        mailbox = mailbox_provider_of(email)
        mailbox = mailbox if mailbox in APPS_OF_MAILBOX else MailboxProvider.OTHER
        expected[mailbox] = expected.get(mailbox, 0) + 1
    assert counted == expected


def test_mailbox_and_segments_together_decide(database: Database) -> None:
    add(
        database,
        row("ana@gmail.com", tags=("teacher",)),
        row("bo@gmail.com"),
        row("cy@example.org", tags=("teacher",)),
        row("di@example.org"),
    )
    only = (TEACHERS,)

    assert got(database, only=only) == {
        "ana@gmail.com": readership("teachers", only=only, mailbox=MailboxProvider.GMAIL),
        "bo@gmail.com": readership(only=only, mailbox=MailboxProvider.GMAIL),
        "cy@example.org": readership("teachers", only=only, mailbox=MailboxProvider.OTHER),
        "di@example.org": readership(only=only, mailbox=MailboxProvider.OTHER),
    }


def test_time_zones_and_mailboxes_part_people_together(database: Database) -> None:
    add(
        database,
        row("ana@gmail.com", timezone="Asia/Tokyo"),
        row("bo@gmail.com", timezone="Europe/Paris"),
        row("cy@yahoo.com", timezone="Asia/Tokyo"),
        row("di@example.org"),
    )
    preview = preview_freeze(database, request(by_mailbox=True, only=(TEACHERS,), schedule=by_own_clock(20)), now=NOW)

    assert [(zone.zone, zone.deliveries) for zone in preview.zones] == [
        ("Asia/Tokyo", 2),
        ("Europe/Paris", 1),
        ("Europe/London", 1),
    ]
    assert {count.readership.mailbox: count.deliveries for count in preview.variants} == {
        MailboxProvider.GMAIL: 2,
        MailboxProvider.YAHOO: 1,
        MailboxProvider.OTHER: 1,
    }


def test_what_was_frozen_names_its_mailbox(database: Database) -> None:
    add(database, row("ana@gmail.com"), row("bo@gmail.com"), row("cy@example.org"))

    broadcast = freeze(database, by_mailbox=True)

    others, gmail = readership(mailbox=MailboxProvider.OTHER), readership(mailbox=MailboxProvider.GMAIL)
    assert list(load_variants(database, broadcast.id).values()) == [variant(gmail), variant(others)]
    assert variant_counts(database, broadcast.id) == (
        VariantCount(readership=gmail, deliveries=2),
        VariantCount(readership=others, deliveries=1),
    )


def test_a_broadcast_that_all_share_has_one_variant_for_everybody(database: Database) -> None:
    add_people(database, 3)

    broadcast = freeze(database)

    assert variant_counts(database, broadcast.id) == (VariantCount(readership=readership(), deliveries=3),)
