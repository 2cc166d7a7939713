"""The segments of a workspace: `everyone`, and those that `newsletter.toml` names; and those that somebody types."""

from collections.abc import Iterable
from datetime import datetime

from newsletter.audience.segments import Calendar, parse_segment
from newsletter.config import CONFIG_FILE, Config, line_of_key
from newsletter.errors import InputError, Mistake, MistakesError
from newsletter.model.finding import Place
from newsletter.model.mistakes import suggestion
from newsletter.model.segment import AD_HOC, EVERYONE, All, KnownNames, Segment
from newsletter.store.database import Database
from newsletter.store.opening import open_database
from newsletter.store.segments import issues_sent
from newsletter.store.subscribers import known_fields, known_tags, load_subscribers
from newsletter.workflows.compose import issue_names

_TABLE = "segments"
_WHERE = "--where"


def audience_fields(config: Config) -> tuple[str, ...] | None:
    """The columns and attributes that the list has; None where there is nobody on it yet."""
    if not config.has_database:
        return None
    with open_database(config.database) as database:
        return fields_of_list(database)


def fields_of_list(database: Database) -> tuple[str, ...] | None:
    """The columns and attributes that the list has; None where there is nobody on it yet."""
    return known_fields(database) if load_subscribers(database, after=0, size=1) else None


def find_segment(config: Config, database: Database, name: str, *, now: datetime) -> Segment:
    """The segment of this name, as the list stands.

    Raises InputError where there is none, MistakesError where its expression is wrong.
    """
    (segment,) = find_segments(config, database, [name], now=now)
    return segment


def find_segments(config: Config, database: Database, names: Iterable[str], *, now: datetime) -> tuple[Segment, ...]:
    """The segments of these names, as the list stands.

    Raises InputError where one of them does not exist, MistakesError with all that is wrong in their expressions.
    """
    return _parsed(config, names, known_names(config, database), now=now)


def segment_where(config: Config, database: Database, expression: str, *, now: datetime) -> Segment:
    """The segment that an expression means, which has no name of its own.

    Raises MistakesError where the expression is wrong.
    """
    known = known_names(config, database)
    return parse_segment(AD_HOC, expression, known, _calendar(config, now), place=Place(path=_WHERE))


def meant_by(config: Config, database: Database, *, segment: str | None, where: str | None, now: datetime) -> Segment:
    """Whom an expression or a segment's name means; everybody, where neither is given.

    Raises InputError where there is no such segment, MistakesError where the expression is wrong.
    """
    if where is not None:
        return segment_where(config, database, where, now=now)
    return find_segment(config, database, segment or EVERYONE, now=now)


def mistakes_in_segments(config: Config, *, now: datetime) -> tuple[Mistake, ...]:
    """What is wrong in the segments of `newsletter.toml`, as far as it can be known: there may be no list yet."""
    try:
        if config.has_database:
            with open_database(config.database) as database:
                find_segments(config, database, config.settings.segments, now=now)
        else:
            _parsed(config, config.settings.segments, known_names(config, None), now=now)
    except MistakesError as err:
        return err.mistakes
    return ()


def known_names(config: Config, database: Database | None) -> KnownNames:
    """The names that an expression may use; while nobody is on the list, nobody can know its fields and tags."""
    fields = fields_of_list(database) if database else None
    return KnownNames(
        fields=fields,
        tags=known_tags(database) if database and fields is not None else None,
        issues=tuple({*issue_names(config), *(issues_sent(database) if database else ())}),
        topics=tuple(config.settings.topics),
    )


def _parsed(config: Config, names: Iterable[str], known: KnownNames, *, now: datetime) -> tuple[Segment, ...]:
    expressions, calendar = config.settings.segments, _calendar(config, now)
    segments: list[Segment] = []
    mistakes: list[Mistake] = []
    for name in names:
        if name == EVERYONE:
            segments.append(Segment(name=EVERYONE, expression=EVERYONE, condition=All()))
            continue
        if name not in expressions:
            hint = suggestion(name, [EVERYONE, *expressions])
            raise InputError(f"there is no segment {name} in {CONFIG_FILE}; {hint}")
        place = Place(path=CONFIG_FILE, line=line_of_key(config, _TABLE, name))
        try:
            segments.append(parse_segment(name, expressions[name], known, calendar, place=place))
        except MistakesError as err:
            mistakes += err.mistakes
    if mistakes:
        raise MistakesError(mistakes)
    return tuple(segments)


def _calendar(config: Config, now: datetime) -> Calendar:
    return Calendar(now=now, zone=config.settings.newsletter.timezone)
