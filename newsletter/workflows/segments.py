"""The segments of a workspace: `everyone`, and those that `newsletter.toml` names."""

from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.audience.segments import parse_segment
from newsletter.config import CONFIG_FILE, Config
from newsletter.errors import InputError
from newsletter.model.audience import SegmentCount
from newsletter.model.mistakes import suggestion
from newsletter.model.segment import EVERYONE, All, Segment
from newsletter.store.database import Database
from newsletter.store.opening import open_database
from newsletter.store.segments import count_segment
from newsletter.store.subscribers import known_fields, load_subscribers


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedSegment:
    """A segment and how many people it has."""

    segment: Segment
    count: SegmentCount


def audience_fields(config: Config) -> tuple[str, ...] | None:
    """The columns and attributes that the list has; None where there is nobody on it yet."""
    if not config.has_database:
        return None
    with open_database(config.database) as database:
        return fields_of_list(database)


def fields_of_list(database: Database) -> tuple[str, ...] | None:
    """The columns and attributes that the list has; None where there is nobody on it yet."""
    return known_fields(database) if load_subscribers(database, after=0, size=1) else None


def find_segment(config: Config, database: Database, name: str) -> Segment:
    """The segment of this name, as the list stands.

    Raises InputError where there is none, or where its expression is wrong.
    """
    return find_segment_among(config, name, known_fields(database))


def find_segment_among(config: Config, name: str, fields: Sequence[str]) -> Segment:
    """The segment of this name, over these columns and attributes.

    Raises InputError where there is none, or where its expression is wrong.
    """
    if name == EVERYONE:
        return Segment(name=EVERYONE, expression=EVERYONE, condition=All())
    expressions = config.settings.segments
    if name not in expressions:
        hint = suggestion(name, [EVERYONE, *expressions])
        raise InputError(f"there is no segment {name} in {CONFIG_FILE}; {hint}")
    return parse_segment(name, expressions[name], fields)


def count_segments(config: Config, database: Database) -> tuple[CountedSegment, ...]:
    """Every segment with its count, `everyone` first."""
    segments = [find_segment(config, database, name) for name in (EVERYONE, *config.settings.segments)]
    return tuple(
        CountedSegment(segment=segment, count=count_segment(database, segment.condition)) for segment in segments
    )
