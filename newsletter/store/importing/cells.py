"""What a row of a list changes of what is on record about a person."""

from typing import NamedTuple

import orjson

from newsletter.model.audience import tags_in, tags_text


class Cells(NamedTuple):
    """What is on record of a person, or what a row says of them; all texts as the database keeps them."""

    email: str
    first_name: str
    last_name: str
    language: str
    timezone: str
    tags: str
    joined_at: str
    consented_at: str
    consent_source: str
    consent_wording: str
    consent_confirmed_at: str
    consent_basis: str
    attributes: str


def merged(known: Cells, row: Cells) -> Cells:
    """What is on record after a row.

    An empty cell says nothing. Tags are added, attributes merged by name; of two moments of joining the earlier holds.
    A consent is taken as a whole: a newer one replaces the older with all that belongs to it, the same one (of the
    same moment) is completed or corrected, and an older one says nothing. A basis says nothing about somebody whose
    consent is on record.
    """
    source, wording, confirmed_at = known.consent_source, known.consent_wording, known.consent_confirmed_at
    if row.consented_at > known.consented_at:
        source, wording, confirmed_at = row.consent_source, row.consent_wording, row.consent_confirmed_at
    elif row.consented_at == known.consented_at:
        source = row.consent_source or source
        wording = row.consent_wording or wording
        confirmed_at = row.consent_confirmed_at or confirmed_at
    return Cells(
        email=row.email,
        first_name=row.first_name or known.first_name,
        last_name=row.last_name or known.last_name,
        language=row.language or known.language,
        timezone=row.timezone or known.timezone,
        tags=_both_tags(known.tags, row.tags),
        joined_at=min(known.joined_at, row.joined_at or known.joined_at),
        consented_at=max(known.consented_at, row.consented_at),
        consent_source=source,
        consent_wording=wording,
        consent_confirmed_at=confirmed_at,
        consent_basis=known.consent_basis if known.consented_at else row.consent_basis or known.consent_basis,
        attributes=_both_attributes(known.attributes, row.attributes),
    )


def _both_tags(known: str, row: str) -> str:
    if not row or row == known:
        return known
    return tags_text((*tags_in(known), *tags_in(row)))


def _both_attributes(known: str, row: str) -> str:
    """The text of the known ones where the row says nothing new, so that it stays as it is written."""
    if not row or row == known:
        return known
    before = orjson.loads(known)
    after = {**before, **orjson.loads(row)}
    return known if after == before else orjson.dumps(after).decode()
