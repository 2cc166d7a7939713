"""What is kept of a variant, and what its slots are filled with after it was read again."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from zoneinfo import ZoneInfo

import orjson
import pytest
from msgspec.structs import replace

from newsletter.model.ledger import VariantCount
from newsletter.model.slot_sources import SOURCES, Column, OwnLink
from newsletter.model.slots import ChunkColumns, Escape, Link, MergeField, Slot, SlotSource
from newsletter.render.merge import Personalizer
from newsletter.store.database import Database
from newsletter.store.ledger.freeze import freeze_broadcast
from newsletter.store.ledger.variants import load_variants, variant_counts
from tests.store.builders import ENVELOPE, NOW, add, claim, request, row, variant


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A source of the test's own: a moment by the clock of the reader's own zone, or by UTC."""

    moment: datetime
    fields: ClassVar[tuple[str, ...]] = ("timezone",)
    links: ClassVar[tuple[Link, ...]] = ()
    escape: ClassVar[Escape | None] = None
    is_shared: ClassVar[bool] = False
    filled: ClassVar[list[int]] = []  # how many values each call made

    @property
    def token(self) -> str:
        return MergeField("local_time").token

    @property
    def data(self) -> list[str | None]:
        return ["local time", self.moment.isoformat()]

    def column(self, chunk: ChunkColumns) -> Sequence[str]:
        zones = chunk.fields["timezone"]
        self.filled.append(len(zones))
        return [f"{self.moment.astimezone(ZoneInfo(zone or 'UTC')):%a & %H:%M}" for zone in zones]


def test_source_of_another_kind_is_kept_and_fills_a_chunk_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SOURCES, "local time", lambda text: LocalTime(datetime.fromisoformat(text)))
    monkeypatch.setattr(LocalTime, "filled", [])
    local_time: SlotSource = LocalTime(NOW)
    slots = (
        Slot(Column("first_name", "Friends"), Escape.HTML),
        Slot(local_time, Escape.HTML),
        Slot(OwnLink(Link.UNSUBSCRIBE), Escape.LINK),
    )
    add(
        database,
        row("ana@example.org", timezone="Asia/Tokyo"),
        row("bo@example.org", first_name="Bo", timezone="America/Denver"),
        row("cy@example.org"),
    )
    frozen = freeze_broadcast(database, request(), [replace(variant(), slots=slots)], chunk_size=10, now=NOW)

    (kept,) = load_variants(database, frozen.id).values()
    fields = Personalizer.fields_of(kept.slots)
    claimed = claim(database, frozen, fields)
    people = Personalizer(kept.slots, fields, ENVELOPE, made_at=NOW).recipients(claimed.deliveries)

    assert kept.slots == slots
    assert [person.values for person in people] == [
        ("Friends", "Thu &amp; 17:00", people[0].unsubscribe_url),
        ("Bo", "Thu &amp; 01:00", people[1].unsubscribe_url),
        ("Friends", "Thu &amp; 08:00", people[2].unsubscribe_url),
    ]
    assert LocalTime.filled == [3]


@pytest.mark.parametrize("mailbox", ["gmail", None])
def test_what_a_version_froze_that_knew_two_axes_by_name_is_still_sent(database: Database, mailbox: str | None) -> None:
    add(database, row("ana@example.org"))
    frozen = freeze_broadcast(database, request(), [replace(variant(), pictures=())], chunk_size=10, now=NOW)
    kept = {
        "segments": ["donors", "teachers"],
        "mailbox": mailbox,
        "language": "en",
        "subject": [["Hello"], []],
        "preheader": [["Dear ", ""], [0]],
        "html": [["<p>", "</p>"], [0]],
        "text": [["Leave: ", ""], [1]],
        "slots": [["first_name", "Friends", "html"], ["unsubscribe_url", None, "link"]],
        "pictures": [],
    }
    with database.transaction() as connection:
        content = zlib.compress(orjson.dumps(kept))
        connection.execute("UPDATE variant SET content = :content", {"content": content})

    (found,) = load_variants(database, frozen.id).values()
    (counted,) = variant_counts(database, frozen.id)

    assert found.slots == (
        Slot(Column("first_name", "Friends"), Escape.HTML),
        Slot(OwnLink(Link.UNSUBSCRIBE), Escape.LINK),
    )
    assert (found.text.parts, found.text.slots) == (("Leave: ", ""), (1,))
    assert (found.readership.segments, found.readership.mailbox) == ({"donors", "teachers"}, mailbox)
    assert counted == VariantCount(readership=found.readership, deliveries=1)
