"""A canary: who gets it first and when, what stops the rest, and who lets it go on."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from newsletter.config import Config, load_config
from newsletter.errors import InputError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import Broadcast, BroadcastKind, BroadcastState
from newsletter.model.event import Event, EventType
from newsletter.model.ledger import Entry, FreezePreview, VariantCount
from newsletter.model.mailbox import MailboxProvider
from newsletter.model.readership import Readership
from newsletter.model.waves import Feedback, Waves, WaveState
from newsletter.store.database import Database
from newsletter.store.events import add_events
from newsletter.store.ledger.broadcasts import finish_if_done, require_broadcast, resume_broadcast
from newsletter.store.ledger.cancel import begin_cancel
from newsletter.store.ledger.feedback import came_back
from newsletter.store.ledger.journal import journal_of
from newsletter.store.ledger.recall import batches_of
from newsletter.store.ledger.status import tally_of
from newsletter.store.ledger.waves import drawn_of, watch_of
from newsletter.store.suppressions import add_suppression
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.send.account import next_steps, times_of
from newsletter.workflows.send.canary import CanaryWish, baselines, known_by, plan_canary, provisional, waves_with
from newsletter.workflows.send.canary_facts import canary_notes
from newsletter.workflows.send.due import Due
from newsletter.workflows.send.plan import BroadcastPlan, Order, plan_broadcast, reopen_broadcast, start_broadcast
from newsletter.workflows.send.plan_facts import TERMINAL_SEAT, notes_on_people, plan_facts
from newsletter.workflows.send.questions import question_of_resume, resume_facts
from newsletter.workflows.send.road import draft_of, road_of
from newsletter.workflows.send.run_due import look_at_due
from newsletter.workflows.send.schedule import read_schedule
from newsletter.workflows.send.status import status_of
from tests.store.builders import EVERYONE, add, event_of, freeze, row, send_all
from tests.store.empty_file import open_test_database
from tests.workflows.send.carriers import Carrier
from tests.workflows.send.scheduled import NOW, THURSDAY, Holder, run_at
from tests.workspaces import CONFIG, write_workspace

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PEOPLE, FIRST = 400, 100
WANTED = CanaryWish(is_wanted=True)
KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7"
    "dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The smallest workspace."""
    return load_config(write_workspace(tmp_path))


@pytest.fixture
def database(config: Config) -> Iterator[Database]:
    """Its database, with 400 people, half of them at Gmail."""
    with open_test_database(config.database) as opened:
        domains = ("gmail.com", "example.org")
        add(opened, *(row(f"p{number:03}@{domains[number % 2]}") for number in range(PEOPLE)))
        yield opened


def with_settings(config: Config, text: str) -> Config:
    (config.root / "newsletter.toml").write_text(f"{CONFIG}\n{text}\n", encoding="utf-8")
    return load_config(config.root)


def plan(
    config: Config,
    database: Database,
    wish: CanaryWish = WANTED,
    *,
    at: str | None = None,
    is_local_time: bool = False,
    carrier: Carrier | None = None,
) -> BroadcastPlan:
    zone = config.settings.newsletter.timezone
    schedule = None if at is None else read_schedule(at, zone=zone, is_local_time=is_local_time, now=NOW)
    folder = require_issue(config, "2026-02")
    order = Order(folder=folder, segment=EVERYONE, schedule=schedule, canary=wish)
    return plan_broadcast(config, database, order, provider=carrier or Carrier(), now=NOW)


def begin(config: Config, database: Database, carrier: Carrier | None = None, **asked: object) -> Broadcast:
    """A broadcast of which the first part was sent."""
    carrier = carrier or Carrier()
    made = plan(config, database, carrier=carrier, **asked)
    broadcast = start_broadcast(database, made, carrier, now=NOW)
    run_at(config, database, carrier, NOW)
    return require_broadcast(database, broadcast.id)


def report(database: Database, broadcast: Broadcast, type_: EventType, people: int, *, cause: str = "") -> None:
    """Events about some people of the first part who are not at Gmail."""
    some = sorted(each for each in drawn_of(database, broadcast.id) if each % 2 == 0)[:people]
    events = [
        Event(
            at=NOW + HOUR,
            type=type_,
            broadcast=broadcast.id,
            nonce=broadcast.nonce,
            chunk=1,
            attempt=1,
            subscriber=each,
            cause=cause,
        )
        for each in some
    ]
    assert add_events(database, events) == people


def state_of(database: Database, broadcast: Broadcast) -> tuple[BroadcastState, WaveState]:
    watch = watch_of(database, broadcast.id)
    assert watch is not None
    return require_broadcast(database, broadcast.id).state, watch.state


# ── Who gets it first ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_at_least_a_hundred_people_get_it_first(config: Config, database: Database) -> None:
    broadcast = begin(config, database)

    assert broadcast.state is BroadcastState.WATCHING
    assert (tally_of(database, broadcast.id).accepted, len(drawn_of(database, broadcast.id))) == (FIRST, FIRST)
    watch = watch_of(database, broadcast.id)
    assert watch is not None
    assert watch.sizes == {"gmail": (50, 150), "other": (50, 150)}


def test_without_a_wish_the_settings_decide(config: Config, database: Database) -> None:
    assert plan(config, database, CanaryWish()).canary is None
    small, large = (with_settings(config, f"[canary]\nabove = {number}") for number in (PEOPLE, PEOPLE - 1))

    assert plan(small, database, CanaryWish()).canary is None
    found = plan(large, database, CanaryWish())
    assert found.canary is not None
    assert found.request.waves is not None
    assert plan(large, database, CanaryWish(is_wanted=False)).request.waves is None


def test_the_plan_says_if_the_first_part_is_too_small_and_what_is_enough(config: Config, database: Database) -> None:
    made = plan(config, database, CanaryWish(people=150))

    assert made.canary is not None
    assert (made.canary.people, made.canary.known, made.canary.enough) == (150, 75, None)
    assert made.canary.is_too_small
    assert any("too small to be sure" in note for note in notes_on_people(made))


@pytest.mark.parametrize(
    ("gmail", "asked", "known", "power", "enough"),
    [
        (0.4, None, 3000, 0.98, 5000),  # 2 % of them, as the settings say
        (0.4, 1250, 750, 0.52, 2634),
        (0.4, 2634, 1580, 0.80, 2634),
        (0.4, 3000, 1800, 0.79, 3024),  # a few more people, and a higher limit
        (0.99, None, 50, 0.03, None),  # hardly anyone's complaints can be known
        (1.0, None, 0, 0.0, None),
    ],
)
def test_the_plan_of_a_large_broadcast_knows_what_its_canary_notices(
    config: Config, database: Database, gmail: float, asked: int | None, known: int, power: float, enough: int | None
) -> None:
    everyone = 250_000
    preview = FreezePreview(
        members=everyone,
        excluded=(),
        variants=(VariantCount(readership=Readership(), deliveries=everyone),),
        mailboxes={MailboxProvider.GMAIL: int(everyone * gmail), MailboxProvider.OTHER: round(everyone * (1 - gmail))},
    )
    request = replace(plan(config, database).request, waves=provisional(config))

    found = plan_canary(config, database, request, preview, CanaryWish(is_wanted=True, people=asked), now=NOW)

    assert found is not None
    assert (found.known, round(found.power, 2), found.enough) == (known, power, enough)
    assert found.is_too_small is (power < 0.8)
    notes = "\n".join(canary_notes(found))
    assert (f"--canary-size {enough}" in notes) is (found.is_too_small and enough is not None)


def test_people_who_compare_versions_are_the_first_part_of_a_canary(config: Config, database: Database) -> None:
    found = plan(config, database)
    compared = Waves(seed="s", shares={"A": 0.1, "B": 0.1}, axis="version", watch=4 * HOUR)
    preview = replace(found.preview, mailboxes={MailboxProvider.OTHER: PEOPLE})
    request = replace(found.request, waves=compared)

    made = plan_canary(config, database, request, preview, WANTED, now=NOW)

    assert made is not None
    assert (made.people, made.waves.shares, made.waves.watch) == (80, compared.shares, compared.watch)
    assert made.waves.is_canary
    assert waves_with(compared, None) is compared
    assert waves_with(provisional(config), None) is None


def test_more_than_half_of_the_people_is_refused(config: Config, database: Database) -> None:
    with pytest.raises(InputError, match="more than half of the 400 people"):
        plan(config, database, CanaryWish(people=201))


def test_the_first_part_leaves_so_early_that_the_others_get_it_in_time(config: Config, database: Database) -> None:
    made = plan(config, database, at="2026-02-19 08:00")

    assert made.canary is not None
    assert made.canary.waves.first_at == THURSDAY - DAY
    words = dict(plan_facts(config, made, through="x", seat=TERMINAL_SEAT, now=NOW))["canary"]
    assert words.startswith("100 people, drawn by lot at every mailbox provider, get it first Wednesday")
    assert "watched for 1 day; if all is well, the other 300 people follow" in words


def test_sending_hours_hold_for_the_first_part_too(config: Config, database: Database) -> None:
    paced = with_settings(config, '[canary]\nwatch = "3h"\n[provider.outbox.pace]\nhours = "07:00-20:00"')

    made = plan(paced, database, at="2026-02-19 08:00")

    assert made.canary is not None
    assert made.canary.waves.first_at == THURSDAY - HOUR  # at 5:00, no email is sent


def test_with_too_little_time_the_first_part_leaves_at_once(config: Config, database: Database) -> None:
    carrier = Carrier()
    made = plan(config, database, at="in 2 hours", carrier=carrier)
    broadcast = start_broadcast(database, made, carrier, now=NOW)
    run_at(config, database, carrier, NOW)

    assert tally_of(database, broadcast.id).accepted == FIRST
    run_at(config, database, carrier, NOW + 3 * HOUR)
    assert tally_of(database, broadcast.id).accepted == FIRST
    run_at(config, database, carrier, NOW + DAY)
    assert tally_of(database, broadcast.id).accepted == PEOPLE


# ── What follows ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_if_all_is_well_the_others_get_it_once_the_time_is_over(config: Config, database: Database) -> None:
    carrier = Carrier()
    broadcast = begin(config, database, carrier)

    (before,) = run_at(config, database, carrier, NOW + DAY - HOUR)
    run_at(config, database, carrier, NOW + DAY)

    assert (before.found.due, before.is_news) == (Due.WAIT, False)
    assert sorted(carrier.taken) == list(range(1, PEOPLE + 1))
    assert state_of(database, broadcast) == (BroadcastState.DONE, WaveState.REST)
    (released,) = [each for each in journal_of(database, broadcast.id) if each.entry is Entry.RELEASED]
    assert released.detail == "of the first 100, 0 marked it as spam, 0 bounced, 0 unsubscribed, 0 refused by a policy"


@pytest.mark.parametrize(
    ("type_", "people", "words"),
    [
        (EventType.COMPLAINED, 2, "2 of 50 marked it as spam, and 0.0 would be usual"),
        (EventType.BOUNCED, 8, "8 of 100 bounced, and 1.0 would be usual"),
        (EventType.BLOCKED, 4, "4 of 100 refused by a policy, and 0.2 would be usual"),
    ],
)
def test_too_many_reports_hold_it_at_once_and_the_reviewers_are_told(
    config: Config, database: Database, type_: EventType, people: int, words: str
) -> None:
    carrier = Carrier()
    broadcast = begin(config, database, carrier)
    report(database, broadcast, type_, people, cause="spam" if type_ is EventType.BLOCKED else "")

    run_at(config, database, carrier, NOW + 2 * HOUR)
    run_at(config, database, carrier, NOW + 3 * DAY)

    assert state_of(database, broadcast) == (BroadcastState.PAUSED, WaveState.HELD)
    assert require_broadcast(database, broadcast.id).reason == words
    assert tally_of(database, broadcast.id).accepted == FIRST
    (notice,) = carrier.notices
    assert words in "".join(notice.mailing.variant.text.parts)


def test_people_who_leave_on_our_own_pages_count_too(config: Config, database: Database) -> None:
    broadcast = begin(config, database)
    for each in sorted(drawn_of(database, broadcast.id))[:6]:
        add_suppression(database, email_of(database, each), SuppressionReason.UNSUBSCRIBED, now=NOW + HOUR)

    run_at(config, database, Carrier(), NOW + 2 * HOUR)

    assert state_of(database, broadcast) == (BroadcastState.PAUSED, WaveState.HELD)
    assert require_broadcast(database, broadcast.id).reason == "6 of 100 unsubscribed, and 0.5 would be usual"


def email_of(database: Database, subscriber: int) -> str:
    with database.read() as connection:
        ((email,),) = connection.execute("SELECT email FROM subscriber WHERE id = :id", {"id": subscriber}).fetchall()
    return str(email)


def test_a_few_reports_hold_nothing(config: Config, database: Database) -> None:
    broadcast = begin(config, database)
    report(database, broadcast, EventType.COMPLAINED, 1)
    report(database, broadcast, EventType.BOUNCED, 3)

    run_at(config, database, Carrier(), NOW + DAY)

    assert state_of(database, broadcast) == (BroadcastState.DONE, WaveState.REST)


def test_each_person_counts_once_for_each_kind(config: Config, database: Database) -> None:
    broadcast = begin(config, database)
    report(database, broadcast, EventType.COMPLAINED, 1)
    first = min(each for each in drawn_of(database, broadcast.id) if each % 2 == 0)
    add_suppression(database, email_of(database, first), SuppressionReason.COMPLAINED, now=NOW + HOUR)

    assert came_back(database, broadcast.id, now=NOW + DAY).counts == {
        Feedback.COMPLAINTS: 1,
        Feedback.BOUNCES: 0,
        Feedback.LEAVERS: 0,
        Feedback.REFUSALS: 0,
    }


def test_it_is_watched_while_the_others_get_it(config: Config, database: Database) -> None:
    slow = with_settings(config, "[provider.outbox.pace]\nper_hour = 100")
    carrier = Carrier()
    broadcast = begin(slow, database, carrier)
    run_at(slow, database, carrier, NOW + DAY)
    assert (tally_of(database, broadcast.id).accepted, state_of(database, broadcast)[1]) == (200, WaveState.REST)
    report(database, broadcast, EventType.COMPLAINED, 8)

    run_at(slow, database, carrier, NOW + DAY + 2 * HOUR)

    assert state_of(database, broadcast) == (BroadcastState.PAUSED, WaveState.HELD)
    assert tally_of(database, broadcast.id).accepted == 200


def test_what_a_provider_holds_is_recalled_if_it_is_held_later(config: Config, database: Database) -> None:
    holder = Holder()
    carrier = Carrier(scheduler=holder)
    made = plan(with_settings(config, '[canary]\nwatch = "1h"'), database, at="2026-02-19 08:00", carrier=carrier)
    broadcast = start_broadcast(database, made, carrier, now=NOW)
    held = with_settings(config, "[delivery]\nlead_minutes = 600")
    run_at(held, database, carrier, THURSDAY - 3 * HOUR)  # the first part, which is held until 7:00
    assert [batch.due_at for batch in batches_of(database, broadcast.id)] == [THURSDAY - HOUR]
    assert (tally_of(database, broadcast.id).accepted, tally_of(database, broadcast.id).waiting) == (FIRST, 300)
    begun = require_broadcast(database, broadcast.id)
    assert (begun.state, begun.continues_at) == (BroadcastState.WATCHING, THURSDAY)
    resume_broadcast(database, broadcast.id, now=THURSDAY - 3 * HOUR)
    with database.transaction() as connection:  # as if the time of watching were over
        connection.execute("UPDATE watch SET state = 'rest'", {})
    run_at(held, database, carrier, THURSDAY - 2 * HOUR)  # the others, which are held until 8:00
    assert tally_of(database, broadcast.id).accepted == PEOPLE
    report(database, broadcast, EventType.COMPLAINED, 8)

    run_at(held, database, carrier, THURSDAY - HOUR)

    assert state_of(database, broadcast) == (BroadcastState.PAUSED, WaveState.HELD)
    assert holder.cancelled == ["batch-2"]
    assert (tally_of(database, broadcast.id).accepted, tally_of(database, broadcast.id).waiting) == (FIRST, 300)
    run_at(held, database, carrier, THURSDAY)
    assert tally_of(database, broadcast.id).waiting == 300


def test_only_a_person_lets_a_held_broadcast_go_on(config: Config, database: Database) -> None:
    carrier = Carrier()
    broadcast = begin(config, database, carrier)
    report(database, broadcast, EventType.COMPLAINED, 5)
    run_at(config, database, carrier, NOW + HOUR)
    found = status_of(database, broadcast.id)
    assert question_of_resume(found, 300) == "send to the other 300 subscribers, although it was held"
    assert dict(resume_facts(config, found, through="x", now=NOW))["then"] == "the others get it, whatever comes back"

    reopen_broadcast(database, broadcast.id, now=NOW + HOUR)
    run_at(config, database, carrier, NOW + 2 * HOUR)

    assert state_of(database, broadcast) == (BroadcastState.DONE, WaveState.OVER)


def test_a_watched_broadcast_can_be_canceled(config: Config, database: Database) -> None:
    broadcast = begin(config, database)
    begin_cancel(database, broadcast.id, now=NOW)

    run_at(config, database, Carrier(), NOW + DAY)

    assert state_of(database, broadcast)[0] is BroadcastState.CANCELLED


# ── In doubt ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_released_long_after_the_time(config: Config, database: Database) -> None:
    broadcast = begin(config, database)

    run_at(config, database, Carrier(), NOW + DAY + 7 * HOUR)

    assert state_of(database, broadcast) == (BroadcastState.PAUSED, WaveState.HELD)
    assert "more than 6 hours ago" in require_broadcast(database, broadcast.id).reason


def test_too_few_accepted_emails_hold_it(config: Config, database: Database) -> None:
    carrier = Carrier()
    broadcast = start_broadcast(database, plan(config, database, at="2026-02-19 08:00"), carrier, now=NOW)
    for each in sorted(drawn_of(database, broadcast.id))[:60]:
        add_suppression(database, email_of(database, each), SuppressionReason.BOUNCED, now=NOW)
    run_at(config, database, carrier, THURSDAY - DAY)

    run_at(config, database, carrier, THURSDAY)

    assert state_of(database, broadcast) == (BroadcastState.PAUSED, WaveState.HELD)
    words = "only 40 of the first 100 emails were accepted, so too little is known"
    assert require_broadcast(database, broadcast.id).reason == words


def test_silence_of_a_provider_that_reports_everything_holds_it(config: Config, database: Database) -> None:
    broadcast = begin(config, database)
    reporting = with_settings(config, f'[provider]\nuse = "sendgrid"\n[provider.sendgrid]\nwebhook_keys = ["{KEY}"]')

    (found,) = [
        each
        for each in look_at_due(reporting, database, Carrier, now=NOW + DAY)
        if each.due in {Due.HOLD_BACK, Due.RELEASE}
    ]

    assert found.due is Due.HOLD_BACK
    assert "has reported nothing about the first 100 emails" in found.reason
    report(database, broadcast, EventType.UNSUBSCRIBED, 1)  # through our own page, which works without the provider
    assert Due.RELEASE not in [each.due for each in look_at_due(reporting, database, Carrier, now=NOW + DAY)]
    report(database, broadcast, EventType.DELIVERED, 1)
    due = [each.due for each in look_at_due(reporting, database, Carrier, now=NOW + DAY)]
    assert Due.RELEASE in due


@pytest.mark.parametrize(
    ("settings", "due"),
    [
        ('[provider]\nuse = "smtp"\n[provider.smtp]\nhost = "relay.example.org"', Due.HOLD_BACK),
        ('[provider]\nuse = "sendgrid"', Due.HOLD_BACK),
        (
            '[provider]\nuse = "smtp"\n[provider.smtp]\nhost = "relay.example.org"\n'
            '[mailbox]\nhost = "imap.example.org"\nusername = "bounces@example.org"\naddress = "bounces@example.org"',
            Due.RELEASE,
        ),
        ('[provider]\nuse = "outbox"', Due.RELEASE),
    ],
)
def test_without_a_way_for_anything_to_come_back_it_is_held(
    config: Config, database: Database, settings: str, due: Due
) -> None:
    begin(config, database)
    told = with_settings(config, settings)

    found = [
        each for each in look_at_due(told, database, Carrier, now=NOW + DAY) if each.due in {Due.HOLD_BACK, Due.RELEASE}
    ]

    assert [each.due for each in found] == [due]
    assert ("nothing tells this program of bounces and complaints" in found[0].reason) is (due is Due.HOLD_BACK)


def test_complaints_come_within_a_day() -> None:
    assert [round(known_by(span), 2) for span in (timedelta(minutes=5), HOUR, 4 * HOUR, DAY, 3 * DAY)] == [
        0.0,
        0.44,
        0.68,
        1.0,
        1.0,
    ]


# ── What people read ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_status_and_road_say_how_far_it_is(config: Config, database: Database) -> None:
    broadcast = begin(config, database)
    report(database, broadcast, EventType.BOUNCED, 1)
    found = status_of(database, broadcast.id)

    words = dict(times_of(found, "UTC", NOW))["canary"]

    assert words.splitlines()[0] == "100 people got it first; the other 300 people wait for what comes back about them"
    assert "0 of 50 marked it as spam (2 would be too many)" in words
    assert "1 of 100 bounced" in words
    assert found.needs_run(NOW)
    assert [command for command, _ in next_steps(found, NOW)][-2:] == ["newsletter resume 1", "newsletter cancel 1"]
    road = road_of(config, database, draft_of(config, database, require_issue(config, "2026-02")))
    assert road.stations[-1].note.startswith("100 people got it first and are watched until")


def test_earlier_issues_say_what_is_usual_if_they_had_more(config: Config, database: Database) -> None:
    earlier = freeze(database, "2026-01", chunk_size=1000, now=NOW - 30 * DAY)
    send_all(database, earlier)
    finish_if_done(database, earlier.id, now=NOW)
    events = [event_of(database, earlier, email_of(database, each), EventType.BOUNCED, NOW) for each in range(1, 25)]
    add_events(database, events)

    found = baselines(database, BroadcastKind.ISSUE, "outbox", now=NOW)

    assert 0.06 < found[Feedback.BOUNCES].usual < 0.1  # 24 of 400, and what is uncertain about it
    assert found[Feedback.BOUNCES].worse > 1.4 * found[Feedback.BOUNCES].usual
    assert found[Feedback.COMPLAINTS].usual == 0.0008  # 400 emails say nothing about complaints
    assert baselines(database, BroadcastKind.ISSUE, "smtp", now=NOW)[Feedback.BOUNCES].usual == 0.01
