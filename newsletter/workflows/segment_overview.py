"""What `segments` shows: how many people each segment has, how many are in two of them, and a few of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from math import comb

from newsletter.config import Config
from newsletter.model.audience import SegmentCount, SuppressionReason
from newsletter.model.segment import EVERYONE, All, Member, Segment
from newsletter.store.database import Database
from newsletter.store.segments import count_both, count_segment, count_suppressed, sample_segment
from newsletter.workflows.segments import find_segments

_FEW = 5  # segments, of which every two are compared
_SAMPLE, _LARGER_SAMPLE = 3, 5
_MANY_PEOPLE = 100_000  # it may take more than a second to count so many again and again


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedSegment:
    """A segment, how many people it has, and a few of them."""

    segment: Segment
    count: SegmentCount
    also_in_other: int | None  # how many of them are in the segment that all are compared with
    sample: tuple[Member, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """How many people are in both of two segments."""

    one: str
    other: str
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentsOverview:
    """Every segment, `everyone` first, and how many people are in any two of the rest, where these are few."""

    segments: tuple[CountedSegment, ...]
    overlaps: tuple[Overlap, ...]
    other: str | None  # the segment that all are compared with


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentPortrait:
    """One segment in full."""

    segment: Segment
    count: SegmentCount
    suppressed: tuple[tuple[SuppressionReason, int], ...]  # why people are not mailed, the most frequent first
    sample: tuple[Member, ...]


def is_large(database: Database) -> bool:
    """Whether the list is so large that counting takes a while."""
    return count_segment(database, All()).members > _MANY_PEOPLE


def steps_of_overview(config: Config, *, other: str | None) -> int:
    """How many counts an overview takes."""
    named = len(config.settings.segments)
    return named + 1 + (comb(named, 2) if _compares_all(named, other) else 0)


def overview_segments(
    config: Config, database: Database, *, other: str | None, now: datetime, on_counted: Callable[[int], None]
) -> SegmentsOverview:
    """Counts every segment; with `other`, also how many people of each are in that one.

    `on_counted` hears of each count. Raises InputError where there is no segment `other`, MistakesError with all that
    is wrong in the expressions.
    """
    names = (EVERYONE, *config.settings.segments)
    compared = find_segments(config, database, [other], now=now)[0] if other else None
    segments = find_segments(config, database, names, now=now)
    counted = []
    for segment in segments:
        counted.append(_counted(database, segment, compared))
        on_counted(1)
    overlaps = []
    if _compares_all(len(segments) - 1, other):
        for one, another in combinations(segments[1:], 2):
            people = count_both(database, one.condition, another.condition)
            overlaps.append(Overlap(one=one.name, other=another.name, people=people))
            on_counted(1)
    return SegmentsOverview(segments=tuple(counted), overlaps=tuple(overlaps), other=other)


def portray_segment(database: Database, segment: Segment) -> SegmentPortrait:
    """All that there is to say about one segment."""
    return SegmentPortrait(
        segment=segment,
        count=count_segment(database, segment.condition),
        suppressed=count_suppressed(database, segment.condition),
        sample=sample_segment(database, segment.condition, size=_LARGER_SAMPLE),
    )


def _counted(database: Database, segment: Segment, compared: Segment | None) -> CountedSegment:
    return CountedSegment(
        segment=segment,
        count=count_segment(database, segment.condition),
        also_in_other=count_both(database, segment.condition, compared.condition) if compared else None,
        sample=sample_segment(database, segment.condition, size=_SAMPLE),
    )


def _compares_all(named: int, other: str | None) -> bool:
    return other is None and named <= _FEW
