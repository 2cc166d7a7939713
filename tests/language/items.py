"""Events made in a line."""

from typing import Any
from zoneinfo import ZoneInfo

from newsletter.model.issue import Item, Source
from newsletter.model.issue_fields import EventFields
from newsletter.model.prose import Prose


def item(**fields: Any) -> Item:
    """An event with these fields, in Los Angeles unless `timezone` says otherwise."""
    valid = EventFields.model_validate({"title": "An event", **fields})
    return Item(
        name="event",
        uid="2026-02-event@example.org",
        fields=valid,
        prose=Prose(tokens=()),
        digest="",
        source=Source(path="event.md"),
        zone=ZoneInfo(valid.timezone or "America/Los_Angeles"),
    )
