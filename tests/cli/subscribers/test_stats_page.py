"""The page about the audience, as a terminal of 80 columns shows it."""

import io
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from newsletter.cli.output import display_width
from newsletter.cli.subscribers.stats_page import bar, can_draw, in_ascii, page_of, pasted, share
from newsletter.model.audience import SegmentCount
from newsletter.model.imports import PastImport
from newsletter.model.mailbox import MailboxProvider
from newsletter.model.stats import (
    AudienceFacts,
    AudienceStats,
    Breakdown,
    Candidates,
    Engagement,
    Group,
    Growth,
    LetterPurpose,
    Mailboxes,
    MailboxGroup,
    MonthlyGrowth,
    TopicCount,
)
from newsletter.workflows.subscribers.stats import silence_of

PAGE = Path(__file__).with_name("stats_page.txt")
JOINED = (120, 154, 208, 63, 201, 180, 181, 98, 98, 63, 211, 67)
LEFT = (41, 45, 18, 39, 22, 47, 40, 29, 44, 11, 11, 0)

STATS = AudienceStats(
    at=datetime(2026, 2, 19, 8, 0, tzinfo=UTC),
    facts=AudienceFacts(
        people=12_480,
        suppressed={"unsubscribed": 402, "bounced": 96, "complained": 20},
        without_consent=60,
        paused=31,
        consents=12_180,
        consents_without_source=12,
        consents_without_confirmation=5_310,
        on_stated_basis=240,
        topics=(TopicCount(topic="events", title="Events and courses", people=118),),
    ),
    growth=Growth(
        months=tuple(
            MonthlyGrowth(
                month=date(2025 + (month + 2) // 12, (month + 2) % 12 + 1, 1),
                joined=joined,
                returned=1 if month == 10 else 0,
                left={"unsubscribed": left - left // 4, "bounced": left // 4} if left else {},
            )
            for month, (joined, left) in enumerate(zip(JOINED, LEFT, strict=True))
        ),
        after=11_962,
    ),
    sources=Breakdown(
        groups=(
            Group(name="website form", people=8_004, left=301),
            Group(name="Conference on compassion in medicine, Lisbon 2024", people=2_100, left=190),
            Group(name="会議の申込書", people=40, left=0),
        ),
        unknown=12,
        further=7,
        further_people=2_324,
    ),
    imports=(
        PastImport(
            at=datetime(2026, 1, 3, tzinfo=UTC),
            file="members.csv",
            added=1_203,
            updated=30,
            blocked=0,
            unchanged=0,
            rejected=2,
            basis="members since 2019 who gave their address for this",
            tags=(),
        ),
    ),
    languages=Breakdown(
        groups=(
            Group(name="en", title="English", people=9_100),
            Group(name="pt-BR", title="Portuguese (Brazil)", people=2_000),
        ),
        unknown=1_380,
    ),
    zones=Breakdown(
        groups=(Group(name="America/Los_Angeles", people=5_000), Group(name="Europe/Lisbon", people=900)),
        unknown=580,
        further=91,
        further_people=6_000,
    ),
    regions=Breakdown(groups=(Group(name="America", people=8_900), Group(name="Europe", people=3_000)), unknown=580),
    mailboxes=Mailboxes(
        providers=(
            MailboxGroup(provider=MailboxProvider.GMAIL, people=7_020),
            MailboxGroup(provider=MailboxProvider.OTHER, people=3_400),
            MailboxGroup(provider=MailboxProvider.OUTLOOK, people=2_060),
        ),
        domains=Breakdown(groups=(Group(name="example.org", people=210), Group(name="example.net", people=95))),
    ),
    engagement=Engagement(
        days=90,
        received=11_800,
        clicked=1_900,
        opened=5_200,
        opens_known_since=datetime(2024, 5, 1, tzinfo=UTC),
    ),
    candidates=(
        Candidates(
            purpose=LetterPurpose.RE_ENGAGE,
            issues=3,
            days=90,
            expression=silence_of(90),
            count=SegmentCount(members=1_204, suppressed=100, without_consent=4),
        ),
        Candidates(
            purpose=LetterPurpose.SUNSET,
            issues=6,
            days=180,
            expression=silence_of(180),
            count=None,
            because="4 of the 6 issues that it takes have gone out",
        ),
    ),
)


@pytest.fixture(autouse=True)
def no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")


def test_the_page_reads_as_it_was_designed() -> None:
    """Where the page changes on purpose, write the new one into the file and look at it."""
    page = "\n".join(page_of(STATS, "Small Letter", width=80)) + "\n"

    assert page == PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [68, 72, 80])
@pytest.mark.parametrize("factor", [1, 1_000])
def test_no_line_is_wider_than_the_page(width: int, factor: int) -> None:
    stats = replace(
        STATS,
        growth=replace(
            STATS.growth,
            months=tuple(
                replace(each, joined=each.joined * factor, left={"unsubscribed": each.all_left * factor})
                for each in STATS.growth.months
            ),
        ),
        facts=replace(STATS.facts, people=12_480 * factor),
    )
    lines = page_of(stats, "A newsletter whose name is longer than any terminal has room to show at once", width=width)

    assert [line for line in lines if display_width(line) > width] == []


def test_the_page_in_ascii_keeps_its_columns() -> None:
    lines = page_of(replace(STATS, sources=Breakdown(groups=())), "Small Letter", width=80)

    assert all(len(in_ascii(line)) in {len(line), len(line) + line.count("→")} for line in lines)


def test_a_list_of_one_person_and_nothing_else_has_a_page() -> None:
    nothing = Breakdown(groups=())
    stats = replace(
        STATS,
        facts=AudienceFacts(
            people=1,
            suppressed={},
            without_consent=0,
            paused=0,
            consents=1,
            consents_without_source=1,
            consents_without_confirmation=0,
            on_stated_basis=0,
        ),
        growth=Growth(months=(MonthlyGrowth(month=date(2026, 2, 1), joined=1),), after=1),
        sources=nothing,
        imports=(),
        languages=nothing,
        zones=nothing,
        regions=nothing,
        mailboxes=Mailboxes(
            providers=(MailboxGroup(provider=MailboxProvider.OTHER, people=1),),
            domains=Breakdown(groups=(Group(name="example.org", people=1),)),
        ),
        engagement=Engagement(days=90, received=0, clicked=0, opened=0, opens_known_since=None),
    )
    page = "\n".join(page_of(stats, "Small Letter", width=80))

    assert "1 person on the list" in page
    assert "No source is on record for anyone." in page
    assert "No issue was sent in the last 90 days." in page
    assert "Growth since February 2026: 0 → 1 (+1)" in page


@pytest.mark.parametrize("days", [90, 1_234])
def test_the_segment_to_paste_is_the_expression_that_was_counted(days: int) -> None:
    each = replace(STATS.candidates[0], expression=silence_of(days), days=days)
    lines = pasted(each)

    assert tomllib.loads("\n".join(["[segments]", *lines])) == {"segments": {"re-engage": silence_of(days)}}
    assert max(map(len, lines)) <= 80


def test_silence_that_cannot_be_known_is_said_to_be_so() -> None:
    engagement = replace(STATS.engagement, opens_known_since=None)
    page = "\n".join(page_of(replace(STATS, engagement=engagement), "Small Letter", width=80))

    assert "11,800 people received an issue. No opens or clicks were reported." in page
    assert "sunset     unknown: 4 of the 6 issues" in page


def test_the_largest_fills_its_columns_and_nothing_is_nothing() -> None:
    assert bar(8, largest=8, columns=4) == "████"
    assert bar(5, largest=8, columns=4) == "██▌"
    assert bar(0, largest=8, columns=4) == ""
    assert bar(0, largest=0, columns=4) == ""


def test_whatever_is_not_nothing_shows() -> None:
    assert bar(1, largest=1_000_000, columns=4) == "▏"


def test_a_line_in_ascii_is_as_wide_and_stays_ascii() -> None:
    line = f"  Bokmål  12  {bar(5, largest=8, columns=4)}  −3 …"

    assert in_ascii(line) == "  Bokm?l  12  ###  -3 ."
    assert in_ascii(bar(1, largest=100, columns=4)) == "."


@pytest.mark.parametrize(
    ("encoding", "can"), [("utf-8", True), ("ascii", False), ("cp1252", False), ("latin-1", False)]
)
def test_a_stream_is_asked_whether_it_takes_bars(encoding: str, can: bool) -> None:
    with io.TextIOWrapper(io.BytesIO(), encoding=encoding) as stream:
        assert can_draw(stream) is can


@pytest.mark.parametrize(
    ("part", "words"),
    [(0, "0%"), (1, "<1%"), (49, "5%"), (500, "50%"), (999, ">99%"), (1000, "100%")],
)
def test_a_share_is_never_rounded_to_nothing_or_all(part: int, words: str) -> None:
    assert share(part, 1000) == words


def test_a_share_of_nobody_is_nothing() -> None:
    assert share(0, 0) == "0%"
