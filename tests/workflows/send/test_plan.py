"""From a plan to a frozen broadcast, and back to one that was held back."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from threading import Barrier, Event

import pytest

from newsletter.config import Config, load_config
from newsletter.errors import FindingsError, InputError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import BroadcastState, DeliveryStatus, NextStep, Outcome, Verdict, Waiver
from newsletter.model.event import SoftBounce
from newsletter.model.ledger import SettledCount
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import list_broadcasts, require_broadcast
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.status import tally_of
from newsletter.store.ledger.variants import variant_counts
from newsletter.store.soft_bounces import add_soft_bounces
from newsletter.store.suppressions import add_suppression, find_suppression
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.segments import meant_by
from newsletter.workflows.send.approve import approve_content, draft_approval
from newsletter.workflows.send.deliver import deliver
from newsletter.workflows.send.drain import drain_broadcast
from newsletter.workflows.send.plan import (
    BroadcastPlan,
    Order,
    plan_broadcast,
    reopen_broadcast,
    require_unfinished,
    start_broadcast,
)
from tests.store.builders import add, add_people, row
from tests.store.empty_file import open_test_database
from tests.workflows.send.carriers import Carrier
from tests.workflows.send.scheduled import DEAF, THURSDAY, Holder, SetClock, freeze_at, plan_at
from tests.workspaces import CONFIG, ISSUE, write_workspace

NOW = datetime(2026, 2, 19, 16, 0, tzinfo=UTC)
HELD = Outcome(verdict=Verdict.READY, next_step=NextStep.PAUSE, reason="401 the key is wrong")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The smallest workspace."""
    return load_config(write_workspace(tmp_path))


@pytest.fixture
def database(config: Config) -> Iterator[Database]:
    """Its database, with teachers and others."""
    with open_test_database(config.database) as opened:
        add_people(opened, 6, tags=("teacher",), prefix="teacher")
        add_people(opened, 6)
        yield opened


def plan(
    config: Config,
    database: Database,
    segment: str = "everyone",
    *,
    issue: str = "2026-02",
    waivers: tuple[Waiver, ...] = (),
) -> BroadcastPlan:
    return plan_broadcast(
        config,
        database,
        Order(
            folder=require_issue(config, issue),
            segment=meant_by(config, database, segment=segment, now=NOW),
            waivers=waivers,
        ),
        now=NOW,
    )


def drain(database: Database, broadcast_id: int, carrier: Carrier) -> BroadcastState:
    broadcast = require_broadcast(database, broadcast_id)
    return drain_broadcast(database, broadcast, carrier, on_settled=lambda _: None, stop=Event()).state


def test_two_sends_at_the_same_moment_share_nobody(config: Config, database: Database) -> None:
    carrier = Carrier()
    plans = [plan(config, database, segment) for segment in ("everyone", "teachers", "everyone")]
    together = Barrier(len(plans))

    def send(made: BroadcastPlan) -> None:
        with open_test_database(database.path) as own:
            together.wait(10)
            try:
                broadcast = start_broadcast(own, made, carrier, now=NOW)
            except InputError:  # no one was left
                return
            drain(own, broadcast.id, carrier)

    with ThreadPoolExecutor(len(plans)) as senders:
        for sending in [senders.submit(send, made) for made in plans]:
            sending.result(timeout=20)

    assert Counter(carrier.taken) == Counter(range(1, 13))


def test_a_send_beside_a_paused_broadcast_leaves_its_people_to_it(config: Config, database: Database) -> None:
    carrier = Carrier([HELD])
    paused = start_broadcast(database, plan(config, database, "teachers"), carrier, now=NOW)
    drain(database, paused.id, carrier)
    second = Carrier()

    other = start_broadcast(database, plan(config, database), second, now=NOW)
    drain(database, other.id, second)
    reopen_broadcast(database, paused.id, now=NOW)
    drain(database, paused.id, second)

    assert Counter(second.taken) == Counter(range(1, 13))


def test_whoever_sends_again_is_shown_where_the_first_stands(config: Config, database: Database) -> None:
    carrier = Carrier()
    start_broadcast(database, plan(config, database), carrier, now=NOW)

    with pytest.raises(InputError, match=r"12 already in broadcast 1\), so nothing was sent; run `newsletter status`"):
        plan(config, database)


def sent_as_february(config: Config, database: Database, segment: str = "everyone") -> None:
    """The issue, sent to a segment, with its folder then copied as it is."""
    carrier = Carrier()
    drain(database, start_broadcast(database, plan(config, database, segment), carrier, now=NOW).id, carrier)
    copytree(config.root / "issues/2026-02", config.root / "issues/2026-12")


def test_the_same_content_under_another_name_blocks_sending(config: Config, database: Database) -> None:
    sent_as_february(config, database, "teachers")

    made = plan(config, database, issue="2026-12")

    (finding,) = made.blocking
    assert str(finding) == (
        "issues/2026-12: 6 of these people have this content from broadcast 1 as 2026-02; to reach only the others, "
        "name the folder 2026-02 and send that; to send it to all of them, add "
        '--waive R3 --because "why they get it twice" [R3]'
    )
    with pytest.raises(FindingsError, match="6 of these people"):
        start_broadcast(database, made, Carrier(), now=NOW)


def test_the_same_content_is_sent_again_for_a_stated_reason(config: Config, database: Database) -> None:
    sent_as_february(config, database)
    twice, carrier = Waiver(rule="R3", because="the first one had no pictures"), Carrier()

    made = plan(config, database, issue="2026-12", waivers=(twice,))
    broadcast = start_broadcast(database, made, carrier, now=NOW)

    assert (made.blocking, [finding.rule for finding in made.waived]) == ((), ["R3"])
    assert broadcast.waivers == (twice,)
    drain(database, broadcast.id, carrier)
    assert len(carrier.taken) == 12


def test_content_that_is_sent_after_the_plan_was_made_is_noticed_by_the_freeze(
    config: Config, database: Database
) -> None:
    copytree(config.root / "issues/2026-02", config.root / "issues/2026-12")
    early = plan(config, database, issue="2026-12", waivers=(Waiver(rule="R3", because="not needed yet"),))
    start_broadcast(database, plan(config, database, "teachers"), Carrier(), now=NOW)

    with pytest.raises(FindingsError, match="6 of these people have this content from broadcast 1 as 2026-02"):
        start_broadcast(database, early, Carrier(), now=NOW)
    assert [each.issue for each in list_broadcasts(database)] == ["2026-02"]


def test_one_edited_word_makes_it_another_content(config: Config, database: Database) -> None:
    sent_as_february(config, database)
    letter = config.root / "issues/2026-12/letter.md"
    letter.write_text(letter.read_text() + "\nOne more word.\n")

    assert plan(config, database, issue="2026-12").blocking == ()


def test_a_broadcast_goes_on_as_it_was_frozen(config: Config, database: Database) -> None:
    carrier = Carrier([HELD])
    broadcast = start_broadcast(database, plan(config, database), carrier, now=NOW)
    drain(database, broadcast.id, carrier)

    (config.root / "issues/2026-02/letter.md").unlink()
    (config.root / "newsletter.toml").write_text(CONFIG.replace("news.example.org", "elsewhere.example.net"))
    reopen_broadcast(database, broadcast.id, now=NOW)
    assert drain(database, broadcast.id, carrier) is BroadcastState.DONE

    before, *after = carrier.handed
    assert {chunk.mailing.envelope for chunk in after} == {before.mailing.envelope}
    assert after[0].mailing.variant == before.mailing.variant
    assert after[-1].recipients == before.recipients  # behind everyone who had not been tried
    assert after[-1].recipients[0].unsubscribe_url.startswith("https://news.example.org/u/")


def test_looking_at_a_paused_broadcast_leaves_it_paused_with_its_reason(config: Config, database: Database) -> None:
    carrier = Carrier([HELD])
    broadcast = start_broadcast(database, plan(config, database), carrier, now=NOW)
    drain(database, broadcast.id, carrier)

    assert require_unfinished(database, None, carrier, lead=timedelta(hours=71), now=NOW).id == broadcast.id

    (found,) = list_broadcasts(database)
    assert (found.state, found.reason) == (BroadcastState.PAUSED, "401 the key is wrong")


def test_a_broadcast_does_not_change_its_provider(config: Config, database: Database) -> None:
    carrier = Carrier([HELD])
    broadcast = start_broadcast(database, plan(config, database), carrier, now=NOW)

    with pytest.raises(InputError, match=r'started with outbox, but .* uses smtp; .*use = "outbox"'):
        require_unfinished(database, broadcast.id, Carrier(name="smtp"), lead=timedelta(hours=71), now=NOW)


def test_what_the_workspace_demands_holds_a_broadcast_back_unless_it_is_waived(
    config: Config, database: Database
) -> None:
    (config.root / "newsletter.toml").write_text(CONFIG + "\n[delivery]\nrequire_approval = true\n")
    demanding = load_config(config.root)
    held = plan(demanding, database)
    waiver = Waiver(rule="R1", because="Ana approved it by phone")
    waived = plan(demanding, database, waivers=(waiver,))

    with pytest.raises(FindingsError, match="no one has approved it"):
        start_broadcast(database, held, Carrier(), now=NOW)
    assert (waived.blocking, waived.request.waivers) == ((), (waiver,))
    assert start_broadcast(database, waived, Carrier(), now=NOW).waivers == (waiver,)


def test_whoever_left_what_an_issue_is_about_is_left_out(config: Config, database: Database) -> None:
    topics = {"newsletter.toml": CONFIG + '[topics]\nnews = "News"\nevents = "Events"\n'}
    write_workspace(config.root, {**topics, "issues/2026-02/issue.yaml": ISSUE + "topics: [events]\n"})
    for topic, number in (("events", 1), ("news", 2)):
        email = f"person{number:05}@example.org"
        add_suppression(database, email, SuppressionReason.UNSUBSCRIBED, topic=topic, now=NOW)

    made = plan(load_config(config.root), database)

    assert made.request.topics == ("events",)
    assert made.preview.excluded == (
        SettledCount(status=DeliveryStatus.EXCLUDED, reason="left the topic events", deliveries=1),
    )
    assert made.preview.recipients == 11


def test_plan_counts_those_without_a_consent_and_leaves_them_out(config: Config, database: Database) -> None:
    add(database, *(row(f"bought{number}@example.org", consented_at=None) for number in range(3)))

    made = plan(config, database)

    assert (made.without_consent, made.preview.recipients, made.blocking) == (3, 12, ())
    assert plan(config, database, "teachers").without_consent == 0


def test_consent_cannot_be_waived(config: Config, database: Database) -> None:
    with pytest.raises(InputError, match=r"L3: this check cannot be overridden; import the list again .* --basis"):
        plan(config, database, waivers=(Waiver(rule="L3", because="they will not mind"),))


def test_addresses_that_keep_bouncing_are_suppressed_before_a_freeze_and_not_by_a_plan(
    config: Config, database: Database
) -> None:
    dead = "dead@example.org"
    add(database, row(dead, consented_at=NOW - timedelta(days=300)))
    weekly = [SoftBounce(email=dead, at=NOW - timedelta(days=7 * week)) for week in range(5)]
    add_soft_bounces(database, weekly)

    made = plan(config, database)

    assert [found.email for found in made.worn_out] == [dead]
    assert find_suppression(database, dead) is None
    broadcast = start_broadcast(database, made, Carrier(), now=NOW)
    found = find_suppression(database, dead)
    assert found is not None
    assert (found.reason, found.detail) == (
        SuppressionReason.BOUNCED,
        "5 soft bounces from 2026-01-22 to 2026-02-19",
    )
    assert tally_of(database, broadcast.id).excluded == 1


def test_a_workspace_may_keep_mailing_addresses_that_bounce(config: Config, database: Database) -> None:
    add(database, row("dead@example.org", consented_at=NOW - timedelta(days=300)))
    add_soft_bounces(
        database, [SoftBounce(email="dead@example.org", at=NOW - timedelta(days=day)) for day in range(50)]
    )
    write_workspace(config.root, {"newsletter.toml": CONFIG + "[suppressions]\nsoft_bounces = 0\n"})

    assert plan(load_config(config.root), database).worn_out == ()


def test_an_approved_content_is_held_back_by_nothing(config: Config, database: Database) -> None:
    (config.root / "newsletter.toml").write_text(CONFIG + "\n[delivery]\nrequire_approval = true\n")
    demanding = load_config(config.root)
    folder = require_issue(demanding, "2026-02")
    approve_content(database, draft_approval(demanding, database, folder, now=NOW), by="Ana Lima", now=NOW)
    assert plan(demanding, database).blocking == ()


def test_a_pace_cuts_chunks_that_its_limits_let_through(config: Config, database: Database) -> None:
    (config.root / "newsletter.toml").write_text(CONFIG + "\n[provider.outbox.pace]\nper_minute = 4\n")
    carrier = Carrier()
    broadcast = start_broadcast(database, plan(load_config(config.root), database), carrier, now=NOW)
    drain(database, broadcast.id, carrier)
    assert [len(chunk.recipients) for chunk in carrier.handed] == [4, 4, 4]


def test_looking_at_an_interrupted_broadcast_changes_nothing_of_it(config: Config, database: Database) -> None:
    carrier = Carrier()
    broadcast = start_broadcast(database, plan(config, database), carrier, now=NOW)
    with database.runner() as runner:
        claim_chunk(database, broadcast.id, runner.id, (), now=NOW)

    require_unfinished(database, None, carrier, lead=timedelta(hours=71), now=NOW)
    assert (tally_of(database, broadcast.id).inflight, tally_of(database, broadcast.id).unknown) == (10, 0)
    reopen_broadcast(database, broadcast.id, now=NOW)
    assert (tally_of(database, broadcast.id).inflight, tally_of(database, broadcast.id).unknown) == (0, 10)


def test_a_schedule_that_the_provider_can_hold_goes_on_being_held(config: Config, database: Database) -> None:
    carrier = Carrier(scheduler=Holder())
    broadcast = freeze_at(config, database, carrier, at="2026-02-20 08:00", now=NOW)
    found = require_unfinished(database, broadcast.id, carrier, lead=timedelta(hours=71), now=NOW)
    reopened = reopen_broadcast(database, found.id, now=NOW)
    deliver(
        config,
        database,
        reopened,
        carrier,
        ahead=timedelta(hours=71),
        listener=DEAF,
        stop=Event(),
        clock=SetClock(NOW),
    )
    assert {chunk.hold_until for chunk in carrier.handed} == {NOW + timedelta(days=1)}


@pytest.mark.parametrize(("holder", "lead"), [(None, timedelta(hours=71)), (Holder(), timedelta(hours=3))])
def test_a_schedule_that_nobody_can_hold_yet_is_not_resumed(
    config: Config, database: Database, holder: Holder | None, lead: timedelta
) -> None:
    carrier = Carrier(scheduler=holder)
    broadcast = freeze_at(config, database, carrier, at="2026-02-20 08:00", now=NOW)
    with pytest.raises(InputError, match=r"scheduled for 2026-02-20 16:00 UTC; `newsletter run-due` sends it on time"):
        require_unfinished(database, broadcast.id, carrier, lead=lead, now=NOW)
    with pytest.raises(InputError, match="no unfinished broadcast"):
        require_unfinished(database, None, carrier, lead=lead, now=NOW)


@pytest.mark.parametrize("is_local_time", [False, True])
def test_a_yes_that_comes_after_the_time_sends_nothing(config: Config, database: Database, is_local_time: bool) -> None:
    carrier = Carrier()
    late = plan_at(config, database, carrier, is_local_time=is_local_time)
    with pytest.raises(InputError, match="has passed in the meantime, so nothing was sent"):
        start_broadcast(database, late, carrier, now=THURSDAY)
    assert list_broadcasts(database) == ()


@pytest.mark.parametrize(("at", "blocked"), [("2026-02-24 08:00", []), ("2026-02-26 08:00", ["E1"])])
def test_events_are_judged_by_the_time_at_which_the_mail_goes_out(
    config: Config, database: Database, at: str, blocked: list[str]
) -> None:
    workshop = "---\ntitle: A workshop\nstarts: 2026-02-25 08:00\nends: 2026-02-25 11:00\n---\nWords about it.\n"
    write_workspace(
        config.root,
        {
            "issues/2026-02/issue.yaml": f"{ISSUE}  - events\n",
            "issues/2026-02/events/index.md": "---\ntitle: Events\n---\n",
            "issues/2026-02/events/workshop.md": workshop,
        },
    )

    planned = plan_at(config, database, Carrier(), at=at)

    assert [finding.rule for finding in planned.blocking] == blocked


TEACHING = "---\ntype: text\ntitle: For teachers\n---\nOnly teachers read this line{extra}.\n"


def for_teachers(config: Config, extra: str = "") -> Config:
    """The same workspace, with a section that teachers alone see."""
    files = {
        "issues/2026-02/issue.yaml": ISSUE + "  - section: teaching\n    only: teachers\n",
        "issues/2026-02/teaching.md": TEACHING.format(extra=extra),
    }
    return load_config(write_workspace(config.root, files))


def test_variant_of_somebody_who_joins_after_the_plan_is_made_before_the_freeze(config: Config, tmp_path: Path) -> None:
    config = for_teachers(config)
    with open_test_database(tmp_path / "another.db") as database:
        add(database, row("ana@example.org"), row("cy@example.org", tags=("teacher",)))
        add_suppression(database, "cy@example.org", SuppressionReason.UNSUBSCRIBED, now=NOW)  # but the tag is known
        made = plan(config, database)
        add(database, row("bo@example.org", tags=("teacher",)))

        broadcast = start_broadcast(database, made, Carrier(), now=NOW)

        seen = {each.readership.segments: each.deliveries for each in variant_counts(database, broadcast.id)}
    assert [variant.readership.segments for variant in made.composed.rendered.variants] == [frozenset()]
    assert seen == {frozenset(): 1, frozenset({"teachers"}): 1}


def test_variant_of_somebody_who_joins_after_the_plan_is_checked_before_the_freeze(
    config: Config, tmp_path: Path
) -> None:
    config = for_teachers(config, ", with [a link](http://)")
    with open_test_database(tmp_path / "another.db") as database:
        add(database, row("ana@example.org"), row("cy@example.org", tags=("teacher",)))
        add_suppression(database, "cy@example.org", SuppressionReason.UNSUBSCRIBED, now=NOW)  # but the tag is known
        made = plan(config, database)
        assert made.blocking == ()
        add(database, row("bo@example.org", tags=("teacher",)))

        with pytest.raises(FindingsError, match="teaching"):
            start_broadcast(database, made, Carrier(), now=NOW)
        assert list_broadcasts(database) == ()


@pytest.mark.parametrize(
    "edited",
    [
        ("issues/2026-02/letter.md", "Another letter, which nobody has read yet.\n"),
        ("templates/text/sections/letter.txt.j2", "nothing of it\n"),
        ("issues/2026-02/letter.md", "![A field](images/none.png)\n"),
        ("issues/2026-02/issue.yaml", "title: [\n"),
    ],
)
def test_variant_of_somebody_who_joins_after_the_plan_is_not_made_of_an_issue_that_was_edited_meanwhile(
    config: Config, tmp_path: Path, edited: tuple[str, str]
) -> None:
    config = for_teachers(config)
    name, text = edited
    with open_test_database(tmp_path / "another.db") as database:
        add(database, row("ana@example.org"), row("cy@example.org", tags=("teacher",)))
        add_suppression(database, "cy@example.org", SuppressionReason.UNSUBSCRIBED, now=NOW)  # but the tag is known
        made = plan(config, database)
        add(database, row("bo@example.org", tags=("teacher",)))
        path = config.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

        with pytest.raises(InputError, match="edited in the meantime, so nothing was sent"):
            start_broadcast(database, made, Carrier(), now=NOW)
        assert list_broadcasts(database) == ()


def test_every_variant_that_somebody_gets_is_judged_and_no_other(config: Config, database: Database) -> None:
    config = for_teachers(config)

    everybody, teachers = plan(config, database), plan(config, database, "teachers")

    assert [len(each.composed.rendered.variants) for each in (everybody, teachers)] == [2, 1]
    assert everybody.request.content_hash == teachers.request.content_hash
