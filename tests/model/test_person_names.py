"""Names that could deceive their readers are never merged, and unusual names are."""

import pytest

from newsletter.model.broadcast import Envelope
from newsletter.model.ledger import ClaimedDelivery
from newsletter.model.person_names import doubt_about_name, may_deceive, without_deceit
from newsletter.model.slot_sources import Column
from newsletter.model.slots import ChunkColumns, Escape, Slot
from newsletter.render.merge import Personalizer
from tests.store.builders import NOW

DECEITFUL = [
    "Win 5000 € at example.com",
    "https://example.com/prize",
    "www.example.com",
    "example.co.uk",
    "ana@example.org",
    "Call +353 91 123 4567",
    "+353 (91)1234567",
    "0911234567",
    "Bitcoin",
    "Click to claim",
    "Ваш приз: деньги",
    "恭喜中奖",
    "Press the button below to confirm your seat",
    "Ana\u202eevil",
    "A" * 101,
]
UNUSUAL = [
    "",
    "St.John",
    "J.R. Li",
    "Michael Winner",
    "Ana (she/her)",
    "Maria  da  Silva",
    "李伟",
    "Ana c/o Lima",
    "X Æ A-12",
    "Person123456",
]


@pytest.mark.parametrize("name", DECEITFUL)
def test_deceitful_name_is_doubted_and_the_default_merged_instead(name: str) -> None:
    column = Column("first_name", "Friends")

    assert doubt_about_name(name)
    assert column.column(ChunkColumns(fields={"first_name": (name, "Ana", "")}, links={})) == [
        "Friends",
        "Ana",
        "Friends",
    ]


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_name_is_merged(name: str) -> None:
    assert not doubt_about_name(name)
    assert list(without_deceit([name, "Ana"])) == [name, "Ana"]


@pytest.mark.parametrize("name", ["Ana Lima", "Person123456", "Louis 14", "李伟", "O'Brien-Smith", "Ana  Maria"])
def test_usual_names_need_no_closer_look(name: str) -> None:
    # Which matters for speed only: a closer look at everyone in a chunk takes a quarter of the time of sending it.
    assert not may_deceive([name] * 100)


def test_other_columns_may_hold_addresses() -> None:
    column = Column("profile_url")

    assert column.column(ChunkColumns(fields={"profile_url": ("https://example.org/ana",)}, links={}))[0].startswith(
        "http"
    )


def test_deceitful_name_does_not_stand_in_the_recipients_header() -> None:
    slots = (Slot(Column("first_name", "Friends"), Escape.TEXT),)
    envelope = Envelope(
        from_name="A",
        from_email="a@example.org",
        reply_to="",
        list_name="A",
        list_id="a.example.org",
        service_url="https://news.example.org",
    )
    claimed = ClaimedDelivery(
        subscriber=1,
        email="ana@example.org",
        first_name="Win at example.com",
        last_name="Lima",
        token="t",
        values=("Win at example.com",),
    )

    (recipient,) = Personalizer(slots, ("first_name",), envelope, made_at=NOW).recipients([claimed])

    assert (recipient.name, recipient.values) == ("Lima", ("Friends",))
