"""A schedule as it is typed, and what is said of it before anything is frozen."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from newsletter.config import Config, load_config
from newsletter.errors import InputError
from newsletter.model.broadcast import Schedule
from newsletter.store.database import Database
from newsletter.workflows.send.schedule import SchedulePlan, Travel, read_schedule
from tests.store.builders import add, row
from tests.store.empty_file import open_test_database
from tests.workflows.send.carriers import Carrier
from tests.workflows.send.scheduled import NOW, THURSDAY, Holder, plan_at
from tests.workspaces import CONFIG, ISSUE, write_workspace

ZONE = "America/Los_Angeles"
PEOPLE = {"": 3, "Asia/Tokyo": 2, "Europe/Paris": 4, "America/New_York": 1}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The smallest workspace."""
    return load_config(write_workspace(tmp_path))


@pytest.fixture
def database(config: Config) -> Iterator[Database]:
    """Its database, with people in several zones."""
    with open_test_database(config.database) as opened:
        rows = [
            row(f"p{number}@{zone.replace('/', '.').lower() or 'nowhere'}.example.org", timezone=zone)
            for zone, count in PEOPLE.items()
            for number in range(count)
        ]
        add(opened, *(replace(each, email=each.email.replace("_", "-")) for each in rows))
        yield opened


def read(text: str, *, is_local_time: bool = False, now: datetime = NOW) -> Schedule:
    return read_schedule(text, zone=ZONE, is_local_time=is_local_time, now=now)


def planned(
    config: Config,
    database: Database,
    carrier: Carrier,
    at: str = "2026-02-19 08:00",
    *,
    is_local_time: bool = False,
    now: datetime = NOW,
) -> SchedulePlan:
    made = plan_at(config, database, carrier, at=at, is_local_time=is_local_time, now=now).schedule
    assert made is not None
    return made


def test_a_past_time_is_refused_with_how_it_was_read() -> None:
    with pytest.raises(InputError) as refused:
        read("today 04:00")
    assert str(refused.value).startswith("--at 'today 04:00' is in the past (Tuesday, February 17, 2026, 4:00 am PST")
    assert "1 hour ago)" in str(refused.value)


def test_in_the_hour_that_comes_twice_the_second_time_can_still_be_chosen() -> None:
    now = datetime(2026, 11, 1, 8, 45, tzinfo=UTC)  # 1:45 am, for the first time

    schedule = read("today 01:30", now=now)

    assert schedule.moment_in(ZONE) == datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
    with pytest.raises(InputError, match="is in the past"):
        read("today 01:30", now=datetime(2026, 11, 1, 9, 31, tzinfo=UTC))


def test_the_second_time_of_one_zone_is_no_earlier_time_where_the_hour_is_skipped() -> None:
    second = Schedule(
        wall_time=datetime.fromisoformat("2026-03-08T02:30").replace(fold=1), zone=ZONE, is_local_time=True
    )
    assert second.moment_in(ZONE) == datetime(2026, 3, 8, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize("typed", ["tomorrow 08:00 Europe/Paris", "tomorrow 08:00+01:00", "in 2 hours"])
def test_one_moment_for_everybody_does_not_go_with_local_time(typed: str) -> None:
    with pytest.raises(InputError, match="sets one time for everyone, but --local-time"):
        read(typed, is_local_time=True)


def test_local_time_may_be_past_where_the_newsletter_is_but_not_everywhere() -> None:
    assert read("2026-02-17 04:30", is_local_time=True).is_local_time
    with pytest.raises(InputError, match="is in the past"):
        read("2026-02-17 00:30", is_local_time=True)


@pytest.mark.parametrize(
    ("holder", "at", "travel", "begins"),
    [
        (None, "2026-02-19 08:00", Travel.ON_TIME, THURSDAY),
        (Holder(), "2026-02-19 08:00", Travel.HELD, THURSDAY - timedelta(hours=1)),
        (Holder(), "2026-02-21 08:00", Travel.HELD, THURSDAY + timedelta(days=2, hours=-1)),
        (Holder(), "2026-02-17 05:59", Travel.HELD, NOW),
    ],
)
def test_a_plan_says_how_mail_gets_to_its_time(
    config: Config, database: Database, holder: Holder | None, at: str, travel: Travel, begins: datetime
) -> None:
    plan = planned(config, database, Carrier(scheduler=holder), at)
    assert (plan.travel, plan.begins) == (travel, begins)
    assert plan.leaves_at_once(NOW) == (begins == NOW)


def test_local_time_is_planned_zone_by_zone(config: Config, database: Database) -> None:
    plan = planned(config, database, Carrier(), is_local_time=True)
    assert [(zone.zone, zone.deliveries) for zone in plan.zones] == [
        ("Asia/Tokyo", 2),
        ("Europe/Paris", 4),
        ("America/New_York", 1),
        (ZONE, 3),
    ]
    assert (plan.first, plan.last) == (datetime(2026, 2, 18, 23, 0, tzinfo=UTC), THURSDAY)
    assert (plan.zone_at(plan.first), plan.zone_at(plan.last)) == ("Asia/Tokyo", ZONE)
    assert (plan.past, plan.zoneless) == ((), 3)


def test_zones_whose_time_is_past_are_named_before_anything_is_sent(config: Config, database: Database) -> None:
    plan = planned(config, database, Carrier(), is_local_time=True, now=datetime(2026, 2, 19, 8, 0, tzinfo=UTC))
    assert [zone.zone for zone in plan.past] == ["Asia/Tokyo", "Europe/Paris"]
    assert plan.first == datetime(2026, 2, 19, 13, 0, tzinfo=UTC)
    assert plan.leaves_at_once(datetime(2026, 2, 19, 8, 0, tzinfo=UTC))


def test_a_time_that_is_past_for_everybody_is_refused(config: Config, database: Database) -> None:
    with pytest.raises(InputError, match="passed in every recipient's time zone"):
        planned(config, database, Carrier(), is_local_time=True, now=THURSDAY + timedelta(hours=1))


def with_hours(config: Config) -> Config:
    (config.root / "newsletter.toml").write_text(CONFIG + '\n[provider.outbox.pace]\nhours = "09:00-17:00"\n')
    return load_config(config.root)


def test_a_time_outside_the_sending_hours_is_refused_with_the_next_that_fits(
    config: Config, database: Database
) -> None:
    with pytest.raises(InputError) as refused:
        planned(with_hours(config), database, Carrier())
    assert "emails are sent only from 09:00 to 17:00, as set in [provider.outbox.pace]" in str(refused.value)
    assert str(refused.value).endswith('the next possible time is --at "2026-02-19 09:00"')


def test_local_time_beside_sending_hours_says_how_many_get_it_later(config: Config, database: Database) -> None:
    (note,) = planned(with_hours(config), database, Carrier(), "2026-02-19 09:00", is_local_time=True).notes
    assert note.startswith("5 get it later than scheduled: emails are sent only from 09:00 to 17:00")


def test_clocks_that_skip_the_time_are_pointed_out_for_each_zone(config: Config, database: Database) -> None:
    notes = planned(config, database, Carrier(), "2026-03-08 02:30", is_local_time=True).notes
    assert [note.split(" skip ")[0] for note in notes] == [
        "clocks in America/New_York",
        "clocks in America/Los_Angeles",
    ]


TALK = """---
title: A talk
starts: 2026-02-19 09:00
ends: 2026-02-19 10:00
timezone: Europe/London
---

Come.
"""


def test_local_time_judges_events_by_the_last_arrival_and_names_the_people(config: Config, database: Database) -> None:
    files = {
        "issue.yaml": f"{ISSUE}  - events\n",
        "events/index.md": "---\ntitle: Events\n---\n",
        "events/talk.md": TALK,
    }
    write_workspace(config.root, {f"issues/2026-02/{name}": text for name, text in files.items()})

    at_home = plan_at(config, database, Carrier(), at="2026-02-19 01:00")  # 9:00 am in London
    by_their_clocks = plan_at(config, database, Carrier(), at="2026-02-19 01:30", is_local_time=True)
    too_late = plan_at(config, database, Carrier(), at="2026-02-19 08:00", is_local_time=True)

    assert [finding.rule for finding in at_home.blocking] == []
    assert [finding.rule for finding in by_their_clocks.blocking] == []  # 9:30 in London for the last
    (finding,) = too_late.blocking
    assert finding.what == (
        "“A talk” ends on 2026-02-19 10:00, before the email is sent to 4 people in America/Los_Angeles and "
        "America/New_York, the last of them on 2026-02-19 16:00"
    )
