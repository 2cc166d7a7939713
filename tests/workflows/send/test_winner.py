"""Versions are compared in a drawn part of a broadcast, and the rest gets the better or the chosen one."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from newsletter.config import Config, load_config
from newsletter.content.loader import load_issue
from newsletter.errors import InputError
from newsletter.model.broadcast import BroadcastState
from newsletter.model.event import BroadcastKey, CountedEvent, Event, EventType
from newsletter.model.ledger import VariantCount
from newsletter.model.readership import TRACKING, Readership, TrackingMode
from newsletter.store.database import Database
from newsletter.store.events import add_events, add_totals
from newsletter.store.ledger.broadcasts import require_broadcast, resume_broadcast
from newsletter.store.ledger.status import tally_of
from newsletter.store.ledger.variants import variant_counts
from newsletter.store.ledger.waves import drawn_of, watch_of
from newsletter.store.versions import chosen_version, version_for
from newsletter.workflows.compose.compose import render_folder, require_issue
from newsletter.workflows.compose.reader import find_reader
from newsletter.workflows.events.judge import judge_reactions
from newsletter.workflows.report.issue import report_on
from newsletter.workflows.report.words import told as told_by_report
from newsletter.workflows.send.account import next_steps, times_of
from newsletter.workflows.send.canary import CanaryWish
from newsletter.workflows.send.plan import Order, plan_broadcast, start_broadcast
from newsletter.workflows.send.plan_facts import TERMINAL_SEAT, plan_facts
from newsletter.workflows.send.status import status_of
from newsletter.workflows.send.versions import power_of, version_waves
from newsletter.workflows.send.winner import choose_winner, comparison_of, said_of
from tests.store.builders import EVERYONE, add, all_agree_to_tracking, row
from tests.store.empty_file import open_test_database
from tests.workflows.send.carriers import Carrier
from tests.workflows.send.scheduled import NOW, run_at
from tests.workspaces import CONFIG, ISSUE, write_workspace

PEOPLE, MINUTE, HOUR = 500, timedelta(minutes=1), timedelta(hours=1)
KEYS = "versions:\n  share: 40 %\n  wait: 4 hours\n"
CONSENTED = '\n[tracking]\nmode = "consented"\n'
TOTALS = '\n[tracking]\nmode = "totals"\n'


def workspace(root: Path, keys: str = KEYS, settings: str = CONSENTED) -> Config:
    issue = ISSUE.replace("sections:", f"subject.b: Another subject\n{keys}sections:")
    files = {"newsletter.toml": CONFIG + settings, "issues/2026-02/issue.yaml": issue}
    return load_config(write_workspace(root, files))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database with people of three mailbox providers who agree to tracking."""
    domains = ["gmail.com"] * 3 + ["outlook.com", "example.org"]
    with open_test_database(workspace(tmp_path).database) as opened:
        people = (row(f"p{number:04}@{domains[number % 5]}", language="") for number in range(PEOPLE))
        add(opened, *people)
        all_agree_to_tracking(opened)
        yield opened


def order(config: Config, version: str = "", *, is_canary: bool = False) -> Order:
    canary = CanaryWish(is_wanted=is_canary or None)
    return Order(folder=require_issue(config, "2026-02"), segment=EVERYONE, version=version, canary=canary)


def begin(config: Config, database: Database, carrier: Carrier, *, version: str = "", is_canary: bool = False) -> int:
    """Start a broadcast, and send its first wave."""
    plan = plan_broadcast(config, database, order(config, version, is_canary=is_canary), provider=carrier, now=NOW)
    number = start_broadcast(database, plan, carrier, now=NOW).id
    with database.transaction() as connection:  # as a crash leaves it, for the next run to continue
        connection.execute(
            "UPDATE broadcast SET due_at = :now WHERE id = :id", {"now": "2026-02-17T13:00:00Z", "id": number}
        )
    run_at(config, database, carrier, NOW)
    return number


def click(database: Database, number: int, version: str, people: int, *, at: datetime = NOW + MINUTE) -> None:
    """Let people who were drawn for a version click."""
    nonce = require_broadcast(database, number).nonce
    clickers = [each for each, drawn in drawn_of(database, number).items() if drawn == version][:people]
    add_events(
        database,
        [
            Event(at=at, type=EventType.CLICKED, broadcast=number, nonce=nonce, subscriber=each, url="u", url_offset=1)
            for each in clickers
        ],
    )


def subjects(carrier: Carrier) -> Counter[str]:
    return Counter(
        each.mailing.variant.subject.parts[0] for each in carrier.handed for _ in range(len(each.recipients))
    )


def facts(config: Config, database: Database, number: int, now: datetime) -> dict[str, str]:
    return dict(times_of(status_of(database, number), config.settings.newsletter.timezone, now))


def test_rest_gets_the_version_that_more_people_clicked(tmp_path: Path, database: Database) -> None:
    config, carrier = workspace(tmp_path), Carrier(chunk_size=100)
    number = begin(config, database, carrier)

    drawn = drawn_of(database, number)
    assert Counter(drawn.values()) == {"A": 100, "B": 100}
    assert subjects(carrier) == {"A small letter for everybody": 100, "Another subject": 100}
    assert require_broadcast(database, number).state is BroadcastState.WATCHING
    assert "A small" not in facts(config, database, number, NOW).get("variants", "")

    click(database, number, "A", 5)
    click(database, number, "B", 40)
    run_at(config, database, carrier, NOW + 2 * MINUTE)  # not judged yet
    assert len(carrier.taken) == 200
    run_at(config, database, carrier, NOW + 10 * MINUTE)

    assert subjects(carrier) == {"A small letter for everybody": 100, "Another subject": 400}
    assert Counter(carrier.taken) == Counter(range(1, PEOPLE + 1))
    assert require_broadcast(database, number).state is BroadcastState.DONE
    comparison = comparison_of(database, number)
    assert comparison is not None
    assert (comparison.chosen, comparison.reason) == (
        "B",
        "version B clearly has more clicks: A 5 of 100 readers, B 40 of 100 readers",
    )
    assert drawn_of(database, number) == drawn
    assert chosen_version(database, "2026-02") == "B"
    add(database, row("new@example.org"))
    later = plan_broadcast(config, database, order(config), provider=carrier, now=NOW + HOUR)
    assert "To send only that, add --version B" in later.notes[-1]
    told = facts(config, database, number, NOW + HOUR)
    assert told["variants"].splitlines() == [
        "100 see version A, and the link that stops tracking",
        "400 see version B, and the link that stops tracking",
    ]
    assert told["versions"].splitlines()[1].startswith("B: 100 emails, 40 of 100 opened (")
    table = told_by_report(report_on(database, "2026-02", now=NOW + HOUR), zone="UTC").tables[0]
    assert [line.label for line in table.lines] == ["A “A small letter for everybody”", "B “Another subject”"]
    assert [(each.name, each.count, each.of) for each in table.lines[1].measures] == [
        ("people", 100, None),
        ("opened", 40, 100),
        ("clicked", 40, 100),
    ]
    assert table.note.endswith(
        "If the versions were equally good, that would happen in at most one of 200 comparisons."
    )


def test_unclear_comparison_ends_as_planned(tmp_path: Path, database: Database) -> None:
    config, carrier = workspace(tmp_path, KEYS + "  unclear: B\n"), Carrier(chunk_size=100)
    number = begin(config, database, carrier)
    click(database, number, "A", 12)
    click(database, number, "B", 9)
    run_at(config, database, carrier, NOW + 4 * HOUR - MINUTE)
    assert require_broadcast(database, number).state is BroadcastState.WATCHING

    run_at(config, database, carrier, NOW + 4 * HOUR)
    comparison = comparison_of(database, number)
    assert comparison is not None
    assert comparison.reason == (
        "no version has clearly more clicks after 4 hours (A 12 of 100 readers, B 9 of 100 readers), so all others get "
        "version B, as planned"
    )
    assert subjects(carrier)["Another subject"] == 400
    assert said_of(comparison).endswith(
        "That does not show that the versions are equally good: so few people cannot tell."
    )


def test_director_decides_and_nothing_is_sent_until_then(tmp_path: Path, database: Database) -> None:
    config, carrier = workspace(tmp_path, KEYS + "  unclear: me\n"), Carrier(chunk_size=100)
    number = begin(config, database, carrier)
    run_at(config, database, carrier, NOW + 4 * HOUR)
    held = require_broadcast(database, number)

    assert held.state is BroadcastState.PAUSED
    assert held.reason.endswith(f"newsletter winner {number} VERSION")
    assert (f"newsletter winner {number} A", "to choose the version that all others get") in next_steps(
        status_of(database, number), NOW
    )
    with pytest.raises(InputError, match=f"none was chosen; .* newsletter winner {number} A"):
        resume_broadcast(database, number, now=NOW + 5 * HOUR)
    with pytest.raises(InputError, match="has no version 'C'; choose from A, B"):
        choose_winner(database, number, "C", now=NOW + 5 * HOUR)
    assert len(carrier.taken) == 200

    choose_winner(database, number, "B", now=NOW + 5 * HOUR)
    with pytest.raises(InputError, match="already get version B"):
        choose_winner(database, number, "A", now=NOW + 5 * HOUR)
    run_at(config, database, carrier, NOW + 5 * HOUR)
    assert subjects(carrier)["Another subject"] == 400
    assert tally_of(database, number).accepted == PEOPLE


def test_director_may_decide_before_the_end(tmp_path: Path, database: Database) -> None:
    config, carrier = workspace(tmp_path), Carrier(chunk_size=100)
    number = begin(config, database, carrier)
    waiting = comparison_of(database, number)
    assert waiting is not None
    assert said_of(waiting) == "It is not decided yet which version all others get."
    choose_winner(database, number, "A", now=NOW + MINUTE)
    chosen = comparison_of(database, number)
    assert chosen is not None
    assert said_of(chosen) == "Version A was chosen by a person. The figures do not show that it is better."
    run_at(config, database, carrier, NOW + MINUTE)
    assert subjects(carrier) == {"A small letter for everybody": 400, "Another subject": 100}


def test_those_who_get_the_versions_first_are_the_canary_too(tmp_path: Path, database: Database) -> None:
    config, carrier = workspace(tmp_path), Carrier(chunk_size=100)
    number = begin(config, database, carrier, is_canary=True)
    assert Counter(drawn_of(database, number).values()) == {"A": 100, "B": 100}
    click(database, number, "B", 40)
    run_at(config, database, carrier, NOW + 10 * MINUTE)
    assert require_broadcast(database, number).state is BroadcastState.WATCHING  # complaints come later than clicks

    run_at(config, database, carrier, NOW + 4 * HOUR)
    comparison = comparison_of(database, number)
    assert comparison is not None
    assert (comparison.chosen, comparison.is_clear) == ("B", True)
    assert subjects(carrier)["Another subject"] == 400


def test_totals_are_counted_by_version_and_only_a_person_decides(tmp_path: Path, database: Database) -> None:
    config, carrier = workspace(tmp_path, settings=TOTALS), Carrier(chunk_size=100)
    number = begin(config, database, carrier)
    mailed = BroadcastKey(number, require_broadcast(database, number).nonce)
    with database.read() as connection:
        links = connection.execute("SELECT target, version FROM tracked_link WHERE target LIKE '%small'", {}).fetchall()
    assert {tuple(each)[1] for each in links} == {"A", "B"}
    with database.transaction() as connection:
        add_totals(
            connection,
            {
                CountedEvent(mailed, EventType.CLICKED, "", "u", "A"): 3,
                CountedEvent(mailed, EventType.CLICKED, "agent", "u", "B"): 50,
                CountedEvent(mailed, EventType.OPENED, "proxy", "", "B"): 7,
            },
        )
    told = facts(config, database, number, NOW)
    assert told["versions"].splitlines() == [
        "A: 100 emails, 0 opens and 3 clicks, repetitions included",
        "B: 100 emails, 7 opens and 0 clicks, repetitions included",
    ]
    run_at(config, database, carrier, NOW + 4 * HOUR)
    assert require_broadcast(database, number).reason == (
        f"you decide about the version: newsletter winner {number} VERSION"
    )
    choose_winner(database, number, "B", now=NOW + 5 * HOUR)
    with database.transaction() as connection:
        add_totals(connection, {CountedEvent(mailed, EventType.OPENED, "", "", "B"): 900})
    assert "7 opens" in facts(config, database, number, NOW + 6 * HOUR)["versions"]


def test_reader_has_the_version_that_was_drawn_or_chosen(tmp_path: Path, database: Database) -> None:
    config, carrier = workspace(tmp_path), Carrier(chunk_size=100)
    number = begin(config, database, carrier)
    drawn = drawn_of(database, number)
    assert {version_for(database, "2026-02", each) for each in drawn if drawn[each] == "B"} == {"B"}
    (other, *_) = set(range(1, PEOPLE + 1)) - set(drawn)
    assert version_for(database, "2026-02", other) == ""

    choose_winner(database, number, "B", now=NOW + MINUTE)
    assert version_for(database, "2026-02", other) == "B"


def test_one_version_can_be_sent_alone(tmp_path: Path, database: Database) -> None:
    config, carrier = workspace(tmp_path), Carrier(chunk_size=100)
    number = begin(config, database, carrier, version="B")
    assert subjects(carrier) == {"Another subject": PEOPLE}
    assert watch_of(database, number) is None
    assert [each.readership.version for each in variant_counts(database, number)] == ["B"]
    with pytest.raises(InputError, match="has no version 'C'; choose from A, B"):
        plan_broadcast(config, database, order(config, "C"), provider=carrier, now=NOW)


def plan_lines(config: Config, database: Database) -> dict[str, str]:
    carrier = Carrier()
    plan = plan_broadcast(config, database, order(config), provider=carrier, now=NOW)
    return dict(plan_facts(config, plan, through="files", seat=TERMINAL_SEAT, now=NOW))


def test_plan_says_what_is_compared_and_whether_it_can_tell(tmp_path: Path, database: Database) -> None:
    told = plan_lines(workspace(tmp_path), database)
    assert told["variants"] == "500 see the link that stops tracking"
    assert told["versions"] == "B: subject “Another subject”"
    assert told["first"] == "100 get A, 100 get B, drawn at random"
    assert told["then"] == (
        "all others get the version with clearly more clicks, as soon as that is clear; "
        "if it is not after 4 hours, they get version A"
    )
    assert told["can tell"].startswith(
        "hardly: 100 people per version have agreed to tracking; a version with 50% more"
    )
    assert told["can tell"].endswith("per version would be enough, more than this segment has")

    told = plan_lines(workspace(tmp_path, KEYS + "  winner: me\n"), database)
    assert "can tell" not in told
    assert told["then"].startswith("you decide which version all others get: `newsletter winner`; after 4 hours")


@pytest.mark.parametrize(
    ("keys", "settings", "told"),
    [
        (
            "versions:\n  winner: opens\n",
            TOTALS,
            "issue.yaml:7: the winner cannot be decided by opens, because who opened it is not recorded",
        ),
        ("versions:\n  unclear: C\n", CONSENTED, "issue.yaml:7: the issue has no version C; write one of A, B, or me"),
    ],
)
def test_what_cannot_decide_is_refused_at_its_line(
    tmp_path: Path, database: Database, keys: str, settings: str, told: str
) -> None:
    config = workspace(tmp_path, keys, settings)
    with pytest.raises(InputError) as caught:
        plan_broadcast(config, database, order(config), provider=Carrier(), now=NOW)
    assert told in str(caught.value)


def test_archive_shows_version_a_and_then_the_chosen_one(tmp_path: Path, database: Database) -> None:
    archive = '\n[archive]\nurl = "https://letters.example.org"\nto = "site"\n'
    config, carrier = workspace(tmp_path, KEYS, CONSENTED + archive), Carrier(chunk_size=100)
    (tmp_path / "issues/2026-02/letter.b.md").write_text("Words of the other version.\n", encoding="utf-8")
    page = tmp_path / "site/2026-02/index.html"
    number = begin(config, database, carrier)
    assert "small letter" in page.read_text(encoding="utf-8")

    click(database, number, "B", 40)
    run_at(config, database, carrier, NOW + 10 * MINUTE)
    assert comparison_of(database, number).chosen == "B"  # type: ignore[union-attr]
    assert "Words of the other version" in page.read_text(encoding="utf-8")


def test_preview_of_a_subscriber_is_what_they_are_sent(tmp_path: Path, database: Database) -> None:
    config, carrier = workspace(tmp_path), Carrier(chunk_size=100)
    number = begin(config, database, carrier)
    choose_winner(database, number, "B", now=NOW + MINUTE)
    run_at(config, database, carrier, NOW + MINUTE)
    issue, rendered = render_folder(config, tmp_path / "issues/2026-02")
    sent = {each.email: chunk.mailing.variant.subject for chunk in carrier.handed for each in chunk.recipients}
    for email in list(sent)[::25]:
        found = find_reader(config, database, issue, email, now=NOW)
        assert found is not None
        assert rendered.variant_of(found.reader).subject == sent[email]


def readers(tracked: int, others: int = 0) -> list[VariantCount]:
    values = {TrackingMode.CONSENTED: tracked, TrackingMode.OFF: others}
    return [VariantCount(readership=Readership.of({TRACKING: mode}), deliveries=n) for mode, n in values.items() if n]


def test_plan_offers_the_smallest_share_that_can_tell(tmp_path: Path, database: Database) -> None:
    config = workspace(tmp_path, KEYS + "  winner: opens\n")
    plan = plan_broadcast(config, database, order(config), provider=Carrier(), now=NOW)
    waves = plan.request.waves
    assert waves is not None

    few = power_of(database, waves, readers(8_000, others=30_000))
    assert few is not None
    assert (few.known, few.is_assumed, few.is_enough) == (1_600, True, False)
    assert few.share is not None
    shares = dict.fromkeys("AB", few.share / 200)
    enough = power_of(database, replace(waves, shares=shares), readers(8_000, others=30_000))
    assert enough is not None
    assert enough.is_enough
    less = power_of(database, replace(waves, shares=dict.fromkeys("AB", (few.share - 2) / 200)), readers(8_000))
    assert less is not None
    assert not less.is_enough

    assert power_of(database, waves, readers(1_000)).share is None  # type: ignore[union-attr]
    assert power_of(database, replace(waves, winner="me"), readers(8_000)) is None


def test_plan_expects_what_earlier_issues_had_in_the_same_time(tmp_path: Path, database: Database) -> None:
    config, carrier = workspace(tmp_path), Carrier(chunk_size=100)
    number = begin(config, database, carrier, version="A")
    with database.transaction() as connection:  # the outbox sends nothing, so it does not count
        connection.execute("UPDATE broadcast SET provider = 'smtp' WHERE id = :id", {"id": number})
    nonce = require_broadcast(database, number).nonce
    clicked = {"type": EventType.CLICKED, "broadcast": number, "nonce": nonce, "url": "u", "url_offset": 1}
    moments = [*[HOUR] * 40, *[5 * HOUR] * 60]
    add_events(database, [Event(at=NOW + at, subscriber=who, **clicked) for who, at in enumerate(moments, start=1)])
    judge_reactions(database, now=NOW + 6 * HOUR)

    waves = version_waves(load_issue(config, tmp_path / "issues/2026-02"), TrackingMode.CONSENTED)
    assert waves is not None
    found = power_of(database, waves, readers(5_000))
    assert found is not None
    assert (found.is_assumed, found.rate) == (False, 40 / PEOPLE)
