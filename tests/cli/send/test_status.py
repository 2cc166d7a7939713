"""The next command that is suggested for each state of a broadcast."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from newsletter.cli.send.audit import IdentityPart
from newsletter.cli.send.status import print_heading
from newsletter.model.broadcast import Broadcast, BroadcastState, ChunkState, DeliveryStatus, Envelope, Tally, label_of
from newsletter.model.ledger import ChunkSummary, Entry, HeldMail
from newsletter.statistics.intervals import Proportion
from newsletter.workflows.send.account import identity, next_steps, parts
from newsletter.workflows.send.alarms import Troubles
from newsletter.workflows.send.status import BroadcastStatus

NOW = datetime(2026, 2, 19, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
RESUME, CANCEL, RESOLVE = "newsletter resume 3", "newsletter cancel 3", "newsletter resolve 3"
RUN_DUE, SEND = "newsletter run-due", "newsletter send 2026-02 --to everyone"
AUDIT = "newsletter audit 3"


def status(state: BroadcastState, **changes: object) -> BroadcastStatus:
    """A broadcast in a state; `changes` are counts of its tally, or fields of its status."""
    broadcast = Broadcast(
        id=3,
        issue="2026-02",
        segment="everyone",
        provider="sendgrid",
        state=state,
        reason="",
        content_hash="abc",
        nonce="n",
        envelope=Envelope(from_name="", from_email="", reply_to="", list_name="", list_id="", service_url=""),
        waivers=(),
        created_at=NOW,
        finished_at=None,
    )
    nothing = Tally(
        frozen=9, waiting=0, inflight=0, accepted=0, rejected=0, unknown=0, invalid=0, excluded=0, cancelled=0
    )
    counts = {name: count for name, count in changes.items() if isinstance(count, int) and not isinstance(count, bool)}
    bare = BroadcastStatus(
        broadcast=replace(broadcast, continues_at=changes.pop("continues_at", None)),
        tally=replace(nothing, **counts),
        settled=(),
        chunks=(),
        variants=(),
        unknown=(),
        next_due=None,
        zones=(),
        held=(),
        is_at_work=False,
        last_run=None,
        troubles=Troubles(bounces=Proportion(0, 0), complaints=Proportion(0, 0), left=0),
    )
    return replace(bare, **{name: value for name, value in changes.items() if name not in counts})


HELD = (HeldMail(until=NOW + HOUR, deliveries=9),)


@pytest.mark.parametrize(
    ("found", "commands"),
    [
        (status(BroadcastState.DONE, accepted=9), [AUDIT]),
        (status(BroadcastState.DONE, unknown=9), [RESOLVE]),
        (status(BroadcastState.DONE, accepted=8, deferred=1, continues_at=NOW + HOUR), [RUN_DUE, CANCEL]),
        (status(BroadcastState.DONE, accepted=9, held=HELD), [CANCEL]),
        (status(BroadcastState.CANCELLED, cancelled=9), []),
        (status(BroadcastState.CANCELLED, unknown=9), [RESOLVE]),
        (status(BroadcastState.CANCELLING, cancelled=9), [CANCEL]),
        (status(BroadcastState.STOPPED, rejected=9), [SEND]),
        (status(BroadcastState.PAUSED, waiting=9), [RESUME, CANCEL]),
        (status(BroadcastState.PAUSED, waiting=6, unknown=3), [RESOLVE, RESUME, CANCEL]),
        (status(BroadcastState.SCHEDULED, waiting=9, next_due=NOW + HOUR), [RUN_DUE, CANCEL]),
        (status(BroadcastState.RUNNING, waiting=9), [RESUME]),
        (status(BroadcastState.RUNNING, waiting=6, inflight=3, is_at_work=True), []),
        (status(BroadcastState.RUNNING, waiting=6, inflight=3), [RESUME]),
        (status(BroadcastState.RUNNING, waiting=9, next_due=NOW + HOUR), [RUN_DUE]),
        (status(BroadcastState.RUNNING, waiting=9, next_due=NOW - HOUR), [RESUME]),
        (status(BroadcastState.RUNNING, waiting=6, accepted=3, next_due=NOW + HOUR, held=HELD), [RUN_DUE, CANCEL]),
    ],
)
def test_the_commands_that_make_sense_are_named(found: BroadcastStatus, commands: list[str]) -> None:
    assert [command for command, _ in next_steps(found, NOW)] == commands


def test_mail_that_has_left_cannot_be_taken_back() -> None:
    steps = next_steps(status(BroadcastState.DONE, accepted=9, held=HELD), NOW + HOUR)
    assert [command for command, _ in steps] == [AUDIT]


def test_a_person_reads_labels_and_never_a_stored_word(capsys: pytest.CaptureFixture[str]) -> None:
    found = status(BroadcastState.CANCELLING, inflight=2, unknown=3, cancelled=4)
    chunks = [ChunkSummary(state=state, reason="a reason", chunks=1, deliveries=1) for state in ChunkState]

    print_heading(found.broadcast, found.tally)

    shown = capsys.readouterr().out
    assert shown.splitlines()[0].endswith(", canceling")
    assert "4 canceled + 3 unconfirmed + 2 being sent = 9 total" in shown
    shown_names = ["being sent", "accepted", "rejected", "unconfirmed", "canceled", "set aside"]
    assert [name for name, _ in parts([], chunks)] == shown_names
    labels = [label_of(word) for kind in (BroadcastState, ChunkState, DeliveryStatus, Entry) for word in kind]
    assert not {"cancelled", "cancelling", "inflight", "unknown", "ready", "frozen", "waived"} & set(labels)


def test_the_people_in_a_state_are_listed_by_its_label() -> None:
    tally = Tally(
        frozen=9,
        waiting=1,
        inflight=1,
        accepted=1,
        rejected=1,
        unknown=1,
        invalid=1,
        excluded=1,
        cancelled=1,
        deferred=1,
    )
    assert {part.stored for part in IdentityPart} == set(tally.__struct_fields__) - {"frozen"}
    for part in IdentityPart:
        assert part == label_of(part.stored).replace(" ", "-")
        assert f"1 {label_of(part.stored)}" in identity(tally)
