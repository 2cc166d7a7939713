"""Personalization by chunk: everyone gets their own values, escaped for the places where they are used."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from newsletter.model.broadcast import Envelope
from newsletter.model.ledger import ClaimedDelivery
from newsletter.model.person_names import doubt_about_name
from newsletter.model.personal_links import Purpose, age_of, read_link
from newsletter.model.return_paths import ReturnPurpose, is_genuine, named_in
from newsletter.model.slot_sources import Column, OwnLink
from newsletter.model.slots import Escape, Link, Slot
from newsletter.render.merge import ESCAPES, Personalizer
from tests.store.builders import NOW

ENVELOPE = Envelope(
    from_name="Ana Lima",
    from_email="news@example.org",
    reply_to="",
    list_name="News",
    list_id="news.example.org",
    service_url="https://news.example.org",
)
ESCAPED = (Escape.HTML, Escape.URL, Escape.TEXT, Escape.HEADER)
SLOTS = (
    *(Slot(Column("first_name", "Friends & all"), escape) for escape in ESCAPED),
    Slot(OwnLink(Link.UNSUBSCRIBE), Escape.LINK),
    Slot(Column("country"), Escape.TEXT),
    Slot(OwnLink(Link.PREFERENCES), Escape.LINK),
)
FIELDS = ("country", "first_name")
DAY = timedelta(days=1)
MIDNIGHT = NOW.replace(hour=0)

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=8) | st.sampled_from(
    ["", "Ana", "João", "½", "<b>", "a b"]
)
names = texts.filter(lambda text: not doubt_about_name(text))
deliveries = st.lists(
    st.builds(
        ClaimedDelivery,
        st.integers(1, 9),
        st.just("ana@example.org"),
        names,
        names,
        st.just("token"),
        st.tuples(texts, names),
    ),
    max_size=5,
)


def test_the_fields_of_slots_are_those_that_the_ledger_must_read() -> None:
    assert Personalizer.fields_of(SLOTS) == FIELDS


@given(deliveries)
def test_everybody_gets_their_own_values_escaped_for_each_place(chunk: list[ClaimedDelivery]) -> None:
    people = Personalizer(SLOTS, FIELDS, ENVELOPE, made_at=NOW).recipients(chunk)

    assert len(people) == len(chunk)
    for person, delivery in zip(people, chunk, strict=True):
        country, first_name = delivery.values
        link = f"https://news.example.org/u/{delivery.subscriber}-token"
        assert person.values == (
            *(ESCAPES[escape](first_name or "Friends & all") for escape in ESCAPED),
            link,
            ESCAPES[Escape.TEXT](country),
            person.values[-1],
        )
        prefs = read_link(person.values[-1].removeprefix("https://news.example.org/p/"))
        assert prefs is not None
        about = str(delivery.subscriber)
        assert prefs.subscriber == delivery.subscriber
        assert age_of(prefs.secret, "token", Purpose.PREFERENCES, about, now=MIDNIGHT + DAY) == DAY
        assert (person.delivery, person.email, person.unsubscribe_url) == (delivery.subscriber, "ana@example.org", link)
        assert person.name == " ".join(name for name in (delivery.first_name, delivery.last_name) if name)


@given(deliveries)
def test_an_issue_without_merge_fields_needs_no_values(chunk: list[ClaimedDelivery]) -> None:
    bare = [delivery._replace(values=()) for delivery in chunk]

    people = Personalizer((), (), ENVELOPE, made_at=NOW).recipients(bare)

    assert [person.values for person in people] == [()] * len(chunk)


@given(deliveries)
def test_each_recipient_of_a_broadcast_has_addresses_in_the_mailbox_of_the_newsletter(
    chunk: list[ClaimedDelivery],
) -> None:
    envelope = replace(ENVELOPE, mailbox="bounces+*@example.org")

    people = Personalizer(SLOTS, FIELDS, envelope, made_at=NOW, broadcast=7).recipients(chunk)

    for person, delivery in zip(people, chunk, strict=True):
        for purpose, address in (
            (ReturnPurpose.BOUNCE, person.return_path),
            (ReturnPurpose.LEAVE, person.leave_address),
        ):
            named = named_in(address)
            assert named is not None
            assert named[:3] == (purpose, delivery.subscriber, 7)
            assert is_genuine(*named, token=delivery.token)


@pytest.mark.parametrize(("mailbox", "broadcast"), [("", 7), ("bounces@example.org", 7), ("*@example.org", 0)])
def test_without_a_star_or_a_broadcast_recipients_have_no_addresses_of_their_own(mailbox: str, broadcast: int) -> None:
    envelope = replace(ENVELOPE, mailbox=mailbox)

    (person,) = Personalizer((), (), envelope, made_at=NOW, broadcast=broadcast).recipients(
        [ClaimedDelivery(1, "ana@example.org", "", "", "token", ())]
    )

    assert (person.return_path, person.leave_address) == ("", "")
    assert person.list_unsubscribe == f"<{person.unsubscribe_url}>"
