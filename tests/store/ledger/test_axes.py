"""What the freeze assigns to every subscriber is what the axes say of the same subscriber as a reader."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from newsletter.errors import InputError
from newsletter.model.axes import (
    Axis,
    Case,
    Cases,
    Chosen,
    InSegment,
    Key,
    Lookup,
    language_axis,
    mailbox_axis,
    only_axis,
    readership_of,
    tracking_axis,
)
from newsletter.model.ledger import FreezeRequest
from newsletter.model.readership import LANGUAGE, ONLY, SHOWN, TRACKING, Readership, TrackingMode
from newsletter.model.segment import EVERYONE, All, And, Compare, Not, OneOf, Operator, Or, Segment, Tagged
from newsletter.store.database import Database
from newsletter.store.ledger.freeze import freeze_broadcast, preview_freeze
from newsletter.store.ledger.status import tally_of
from newsletter.store.ledger.variants import load_variants
from newsletter.store.readers import reader_of
from tests.store.builders import ENVELOPE, NOW, add, agree_to_tracking, by_own_clock, claim, row, segment, variants
from tests.store.worlds import clear

SEGMENTS = (
    segment("teachers", Tagged("teacher")),
    segment("spanish", Compare("language", Operator.EQUAL, "es")),
    segment("givers", Or((Compare("gifts", Operator.MORE, "9"), And((Tagged("donor"), Not(Tagged("teacher"))))))),
    segment("abroad", Not(OneOf("country", ("US", "")))),
)
EXAMPLES = int(os.environ.get("AXES_EXAMPLES", "25"))  # for long runs
DOMAINS = (
    "gmail.com",
    "GoogleMail.com",
    "hotmail.co.uk",
    "yahoo.fr",
    "icloud.com",
    "privaterelay.appleid.com",
    "proton.me",
    "example.org",
    "gmail.com.example.org",
    "bücher.example",
    "ｇmail.com",
)

# Two axes of the test's own: one of four values, which some of the list state; and one that reads axes before it.
CONTINENT = Axis(
    name="continent",
    values=("elsewhere", "america", "asia", "europe"),
    plainest="elsewhere",
    fullest="elsewhere",
    value_of=lambda reader, _: {"America": "america", "Asia": "asia", "Europe": "europe"}.get(
        reader.timezone.partition("/")[0], "elsewhere"
    ),
    rule=Lookup(
        Key.TIMEZONE,
        {"America/Denver": "america", "Asia/Tokyo": "asia", "Europe/Paris": "europe", "Europe/London": "europe"},
        otherwise="elsewhere",
    ),
)
GREETING = Axis(
    name="greeting",
    values=("plain", "warm", "formal"),
    plainest="plain",
    fullest="warm",
    value_of=lambda reader, before: (
        "formal"
        if before["continent"] == "asia" and before[f"{ONLY}teachers"] == SHOWN
        else "warm"
        if before["continent"] == "europe" or reader.fields.get("first_name") == "Ana"
        else "plain"
    ),
    rule=Cases(
        (
            Case((Chosen("continent", "asia"), InSegment("teachers")), "formal"),
            Case((Chosen("continent", "europe"),), "warm"),
            Case((Compare("first_name", Operator.EQUAL, "Ana"),), "warm"),
        ),
        otherwise="plain",
    ),
)
ECHO = Axis(  # reads one that reads others
    name="echo",
    values=("no", "yes"),
    plainest="no",
    fullest="yes",
    value_of=lambda _, before: "yes" if before["greeting"] == "warm" else "no",
    rule=Cases((Case((Chosen("greeting", "warm"),), "yes"),), otherwise="no"),
)
BARRED = {"es": frozenset({"teachers"}), "pt": frozenset({"teachers", "spanish"})}
LANGUAGES = language_axis(("en", "es", "pt", "pt-BR", "he", "zh-Hant", "zh-Hans"), BARRED, {"ca": ("es", "pt")})
SECOND = Axis(  # reads the language
    name="second",
    values=("no", "yes"),
    plainest="no",
    fullest="yes",
    value_of=lambda _, before: "yes" if before[LANGUAGE] == "es" else "no",
    rule=Cases((Case((Chosen(LANGUAGE, "es"),), "yes"),), otherwise="no"),
)
TRACKED, COUNTED = tracking_axis(TrackingMode.CONSENTED), tracking_axis(TrackingMode.TOTALS)

people = st.fixed_dictionaries(
    {
        "domain": st.sampled_from(DOMAINS),
        "language": st.sampled_from(("", "en-GB", "es", "es-MX", "ca", "pt-BR", "pt-PT", "iw", "zh-TW", "zh", "?")),
        "timezone": st.sampled_from(("", "America/Denver", "Asia/Tokyo", "Europe/Paris", "Europe/London", "Mars/Base")),
        "first_name": st.sampled_from(("", "Ana", "Bo")),
        "tags": st.sets(st.sampled_from(("teacher", "donor"))).map(lambda tags: tuple(sorted(tags))),
        "attributes": st.dictionaries(
            st.sampled_from(("gifts", "country")), st.sampled_from(("7", "95", "US", "1e3", "ES")), max_size=2
        ),
        "tracking_consented_at": st.sampled_from((None, NOW)),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The axes of one freeze, and whether people get it by their own clocks too."""

    only: Sequence[Segment]
    own: Sequence[Axis]
    by_mailbox: bool
    is_local_time: bool

    @property
    def axes(self) -> tuple[Axis, ...]:
        by_mailbox = [mailbox_axis()] if self.by_mailbox else []
        return (*(only_axis(each.name) for each in self.only), *by_mailbox, *self.own)


ways = st.builds(
    Way,
    only=st.lists(st.sampled_from(SEGMENTS), unique=True).map(tuple),
    own=st.just(()),
    by_mailbox=st.booleans(),
    is_local_time=st.booleans(),
) | st.builds(
    Way,
    only=st.just(SEGMENTS[:2]),
    own=st.sampled_from(
        ((CONTINENT,), (CONTINENT, GREETING), (CONTINENT, GREETING, ECHO), (TRACKED,), (COUNTED,), (LANGUAGES, SECOND))
    ),
    by_mailbox=st.booleans(),
    is_local_time=st.booleans(),
)


def request_of(way: Way) -> FreezeRequest:
    return FreezeRequest(
        issue="2026-02",
        segment=Segment(name=EVERYONE, expression=EVERYONE, condition=All()),
        axes=way.axes,
        only={each.name: each.condition for each in way.only},
        provider="outbox",
        content_hash="abc",
        envelope=ENVELOPE,
        schedule=by_own_clock(1) if way.is_local_time else None,
    )


def require_agreement(database: Database, way: Way) -> None:
    """Freeze for everyone, and compare what each person was assigned with what the axes say."""
    request = request_of(way)
    counted = {count.readership: count.deliveries for count in preview_freeze(database, request, now=NOW).variants}
    broadcast = freeze_broadcast(database, request, variants(way.axes), chunk_size=100, now=NOW)
    kept, assigned = load_variants(database, broadcast.id), dict[str, Readership]()
    while tally_of(database, broadcast.id).waiting:
        chunk = claim(database, broadcast)
        assigned |= {delivery.email: kept[chunk.variant_key].readership for delivery in chunk.deliveries}

    said: dict[str, Readership] = {}
    for email in assigned:
        reader = reader_of(database, email, way.only)
        assert reader is not None
        said[email] = readership_of(reader, way.axes)
    assert assigned == said
    assert counted == {readership: list(said.values()).count(readership) for readership in set(said.values())}


@settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(audience=st.lists(people, min_size=1, max_size=12), way=ways)
def test_freeze_assigns_what_the_axes_say(database: Database, audience: list[dict[str, object]], way: Way) -> None:
    clear(database)
    add(
        database,
        *(
            row(f"person{number}@{person['domain']}", **{name: person[name] for name in person if name != "domain"})  # type: ignore[arg-type]
            for number, person in enumerate(audience)
        ),
    )
    require_agreement(database, way)


@pytest.mark.parametrize("mode", [TrackingMode.CONSENTED, TrackingMode.TOTALS])
def test_only_those_who_agreed_are_tracked_by_person(database: Database, mode: TrackingMode) -> None:
    add(database, row("ana@example.org"), row("bo@example.org"))
    agree_to_tracking(database, "ana@example.org")
    way = Way(only=(), own=(tracking_axis(mode),), by_mailbox=False, is_local_time=False)

    counted = {
        count.readership.value(TRACKING): count.deliveries
        for count in preview_freeze(database, request_of(way), now=NOW).variants
    }

    assert counted == ({"off": 1, "consented": 1} if mode is TrackingMode.CONSENTED else {"totals": 2})
    require_agreement(database, way)


def test_axis_that_is_wrong_for_one_person_in_a_thousand_is_found(database: Database) -> None:
    add(database, *(row(f"person{number:04}@example.org", timezone="Asia/Tokyo") for number in range(1000)))
    wrong = Axis(
        name="continent",
        values=CONTINENT.values,
        plainest="elsewhere",
        fullest="elsewhere",
        value_of=CONTINENT.value_of,
        rule=Cases(
            (
                Case((Compare("email", Operator.EQUAL, "person0417@example.org"),), "europe"),
                Case((Compare("timezone", Operator.EQUAL, "Asia/Tokyo"),), "asia"),
            ),
            otherwise="elsewhere",
        ),
    )
    with pytest.raises(AssertionError, match="person0417"):
        require_agreement(database, Way(only=(), own=(wrong,), by_mailbox=False, is_local_time=False))


def test_address_with_two_at_signs_is_told_by_the_same_one_everywhere(database: Database) -> None:
    add(database, row('"ana@home"@gmail.com'), row("bo@gmail.com"))
    require_agreement(database, Way(only=(), own=(), by_mailbox=True, is_local_time=False))


def test_more_segments_than_a_computer_can_count_are_refused(database: Database) -> None:
    add(database, row("ana@example.org"))
    many = tuple(segment(f"s{number}", Tagged(f"t{number}")) for number in range(64))
    with pytest.raises(InputError, match="for too many segments; use `only:`"):
        preview_freeze(database, request_of(Way(only=many, own=(), by_mailbox=False, is_local_time=False)), now=NOW)


def test_forty_segments_are_no_limit(database: Database) -> None:
    add(database, row("ana@example.org", tags=("t3", "t39")), row("bo@example.org"))
    many = tuple(segment(f"s{number}", Tagged(f"t{number}")) for number in range(40))
    preview = preview_freeze(database, request_of(Way(only=many, own=(), by_mailbox=True, is_local_time=True)), now=NOW)
    assert sorted(count.readership.segments for count in preview.variants) == [frozenset(), frozenset({"s3", "s39"})]


def test_numbers_beyond_32_bits_are_counted(database: Database) -> None:
    add(database, row("ana@example.org", tags=("teacher",)))
    many = tuple(segment(f"s{number}", Tagged("teacher")) for number in range(28))
    first, last = (replace(GREETING, name=name, rule=Cases((), otherwise="formal")) for name in ("first", "last"))
    asked = request_of(Way(only=many, own=(), by_mailbox=False, is_local_time=False))
    asked = replace(asked, axes=(first, *(only_axis(each.name) for each in many), last))

    (counted,) = preview_freeze(database, asked, now=NOW).variants

    assert counted.readership.segments == {each.name for each in many}
    assert (counted.readership.value("first"), counted.readership.value("last")) == ("formal", "formal")
