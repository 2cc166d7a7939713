"""The segments of a workspace: `everyone`, those in `newsletter.toml`, and expressions given with `--where`."""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from datetime import datetime
from itertools import combinations
from math import comb

from msgspec import Struct
from msgspec.structs import replace

from newsletter.config import CONFIG_FILE, Config, line_of_key
from newsletter.content.loader import issue_names
from newsletter.errors import InputError, Mistake, MistakesError, StoreError
from newsletter.lists.column_words import sure_column
from newsletter.model.audience import SegmentCount, SuppressionReason
from newsletter.model.finding import Place
from newsletter.model.permission import pause_at
from newsletter.model.segment import AD_HOC, EVERYONE, All, KnownNames, Member, Segment
from newsletter.segments.expressions import parse_segment
from newsletter.segments.literals import Calendar
from newsletter.settings.mistakes import suggestion
from newsletter.store.database import Database
from newsletter.store.opening import open_database
from newsletter.store.segments import count_both, count_segment, count_suppressed, issues_sent, sample_segment
from newsletter.store.subscribers import known_fields, known_tags, load_subscribers
from newsletter.workflows.segment_notes import notes_on, unused_segments

_TABLE = "segments"
_WHERE = "--where"
_FEW = 5  # if there are no more segments than this, every pair is compared
_SAMPLE, _LARGER_SAMPLE = 3, 5
_MANY_PEOPLE = 100_000  # counting a larger list many times can take more than a second


def audience_fields(config: Config) -> tuple[str, ...] | StoreError | None:
    """Return the columns and attributes that the list has, or None while it is empty.

    Return the reason if this user, or this version, cannot read the list: an issue can be written without it.
    """
    if not config.has_database:
        return None
    try:
        with open_database(config.database) as database:
            return fields_of_list(database)
    except StoreError as err:
        return err


def fields_of_list(database: Database) -> tuple[str, ...] | None:
    """Return the columns and attributes that the list has, or None while it is empty."""
    return known_fields(database) if load_subscribers(database, after=0, size=1) else None


def require_segments(config: Config, database: Database, names: Iterable[str], *, now: datetime) -> tuple[Segment, ...]:
    """Return the segments with these names, parsed for the list as it is now.

    Raise InputError if one of them does not exist, or MistakesError with every mistake in their expressions.
    """
    segments, broken = _parsed(config, names, known_names(config, database), now=now)
    if broken:
        raise MistakesError(mistake for each in broken for mistake in each.mistakes)
    return segments


def segment_where(config: Config, database: Database, expression: str, *, now: datetime) -> Segment:
    """Return the unnamed segment that an expression describes.

    Raise MistakesError if the expression is wrong.
    """
    known = known_names(config, database)
    return parse_segment(AD_HOC, expression, known, _calendar(config, now), place=Place(path=_WHERE))


def meant_by(
    config: Config, database: Database, *, segment: str | None = None, where: str | None = None, now: datetime
) -> Segment:
    """Return the segment for an expression or a name, or everyone if neither is given.

    Raise InputError if there is no such segment, or MistakesError if the expression is wrong.
    """
    if where is not None:
        return segment_where(config, database, where, now=now)
    return require_segments(config, database, [segment or EVERYONE], now=now)[0]


def known_names(config: Config, database: Database | None) -> KnownNames:
    """Return the names that an expression may use. Fields and tags are unknown while the list is empty."""
    fields = fields_of_list(database) if database else None
    return KnownNames(
        fields=fields,
        tags=known_tags(database) if database and fields is not None else None,
        issues=tuple({*issue_names(config), *(issues_sent(database) if database else ())}),
        topics=tuple(config.settings.topics),
        field_of=sure_column,
    )


class BrokenSegment(Struct, frozen=True, kw_only=True):
    """A segment of `newsletter.toml` whose expression has mistakes."""

    name: str
    expression: str
    mistakes: tuple[Mistake, ...]


def broken_segments(config: Config, *, now: datetime) -> tuple[BrokenSegment, ...]:
    """Return the segments of `newsletter.toml` that have mistakes. Without the list, fewer mistakes can be found."""
    try:
        with open_database(config.database) if config.has_database else nullcontext() as database:
            known = known_names(config, database)
    except StoreError:
        known = known_names(config, None)
    return _parsed(config, config.settings.segments, known, now=now)[1]


def _parsed(
    config: Config, names: Iterable[str], known: KnownNames, *, now: datetime
) -> tuple[tuple[Segment, ...], tuple[BrokenSegment, ...]]:
    """Return the segments with these names, and those of them that have mistakes."""
    expressions, calendar = config.settings.segments, _calendar(config, now)
    segments: list[Segment] = []
    broken: list[BrokenSegment] = []
    for name in names:
        if name == EVERYONE:
            segments.append(Segment(name=EVERYONE, expression=EVERYONE, condition=All()))
            continue
        if name not in expressions:
            hint = suggestion(name, [EVERYONE, *expressions])
            raise InputError(f"there is no segment {name!r} in {CONFIG_FILE}; {hint}")
        place = Place(path=CONFIG_FILE, line=line_of_key(config, _TABLE, name))
        try:
            segments.append(parse_segment(name, expressions[name], known, calendar, place=place))
        except MistakesError as err:
            broken.append(BrokenSegment(name=name, expression=expressions[name], mistakes=err.mistakes))
    return tuple(segments), tuple(broken)


def _calendar(config: Config, now: datetime) -> Calendar:
    return Calendar(now=now, zone=config.settings.newsletter.timezone)


class CountedSegment(Struct, frozen=True, kw_only=True):
    """A segment with its size and a few sample members."""

    segment: Segment
    count: SegmentCount
    sample: tuple[Member, ...]
    also_in_other: int | None = None  # how many members are also in `SegmentsOverview.other`
    suppressed: tuple[tuple[SuppressionReason, int], ...] = ()  # blocked members by reason; set by `portray_segment`


class Overlap(Struct, frozen=True, kw_only=True):
    """The number of people who belong to both of two segments."""

    one: str
    other: str
    people: int


class SegmentsOverview(Struct, frozen=True, kw_only=True):
    """All segments, starting with `everyone`.

    If there are only a few other segments, `overlaps` contains the overlap of each pair of them.
    """

    segments: tuple[CountedSegment, ...]
    overlaps: tuple[Overlap, ...]
    other: str | None  # the segment that all segments are compared with
    broken: tuple[BrokenSegment, ...]  # the segments that cannot be counted
    notes: tuple[str, ...]  # what may be wrong with the others
    unused: tuple[str, ...]  # segments that no section names, and to which nothing was sent


def is_large(database: Database) -> bool:
    """Return whether the list is so large that counting takes noticeable time."""
    return count_segment(database, All()).members > _MANY_PEOPLE


def steps_of_overview(config: Config, database: Database, *, other: str | None, now: datetime) -> int:
    """Return the number of counts that an overview needs, for a progress bar. Segments with mistakes need none."""
    segments, _ = _parsed(config, config.settings.segments, known_names(config, database), now=now)
    named = len(segments)
    return named + 1 + (comb(named, 2) if _compares_all(named, other) else 0)


def overview_segments(
    config: Config, database: Database, *, other: str | None, now: datetime, on_counted: Callable[[int], None]
) -> SegmentsOverview:
    """Count the people in every segment. With `other`, also count how many of them are in that segment.

    `on_counted` is called with 1 after each count. Raise InputError if the `other` segment does not exist, or
    MistakesError with every mistake in its expression.
    """
    compared = require_segments(config, database, [other], now=now)[0] if other else None
    counted, known = [], known_names(config, database)
    segments, broken = _parsed(config, (EVERYONE, *config.settings.segments), known, now=now)
    for segment in segments:
        also = count_both(database, segment.condition, compared.condition) if compared else None
        counted.append(replace(_counted(database, segment, sample=_SAMPLE, now=now), also_in_other=also))
        on_counted(1)
    overlaps = []
    named = [each.segment for each in counted[1:]]
    for one, another in combinations(named, 2) if _compares_all(len(named), other) else ():
        people = count_both(database, one.condition, another.condition)
        overlaps.append(Overlap(one=one.name, other=another.name, people=people))
        on_counted(1)
    return SegmentsOverview(
        segments=tuple(counted),
        overlaps=tuple(overlaps),
        other=other,
        broken=broken,
        notes=notes_on(database, segments),
        unused=unused_segments(config, database, segments),
    )


def standing_at(member: Member, at: datetime) -> str:
    """Return `mailed`, or why a person gets no email at a time, such as a pause."""
    pause = pause_at(member.subscriber.record.paused_until, at) if member.is_mailed else ""
    return pause or member.standing


def portray_segment(database: Database, segment: Segment, *, now: datetime) -> CountedSegment:
    """Return one segment in detail, including the reasons why members are blocked, in order of frequency."""
    counted = _counted(database, segment, sample=_LARGER_SAMPLE, now=now)
    return replace(counted, suppressed=count_suppressed(database, segment.condition))


def _counted(database: Database, segment: Segment, *, sample: int, now: datetime) -> CountedSegment:
    condition = segment.condition
    people = sample_segment(database, condition, size=sample)
    return CountedSegment(segment=segment, count=count_segment(database, condition, at=now), sample=people)


def _compares_all(named: int, other: str | None) -> bool:
    return other is None and named <= _FEW
