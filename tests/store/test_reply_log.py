"""The reply log: what it says after a kill, after a power failure, and when it is damaged."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import MachineError, StoreError
from newsletter.model.ledger import ClaimedChunk, ClaimedDelivery
from newsletter.store import reply_log
from newsletter.store.reply_log import LINE_BYTES, LeftLog, ReplyLog, Sending, boot_id, left_logs, name_of_log
from newsletter.store.reply_logs import ReplyLogs

PAGE_BYTES = 4096
SENDING = Sending(
    broadcast=1, mailing="b1-nonce", provider="smtp", chunk=7, attempt=2, runner="0123456789abcdef", boot=boot_id()
)


class Disk:
    """What is on disk of one file: its content when it was last written there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.content = b""

    def take(self, file: int) -> None:
        os.fsync(file)
        self.content = self.path.read_bytes()


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    """The disk under the log of `SENDING`, which keeps what is written through."""
    found = Disk(tmp_path / name_of_log(SENDING))
    monkeypatch.setattr(reply_log, "_to_disk", found.take)
    return found


def new_log(folder: Path, people: int = 5, *, ahead: int = 1, halt: Event | None = None) -> ReplyLog:
    path = folder / name_of_log(SENDING)
    return ReplyLog(path, SENDING, range(1, people + 1), ahead=ahead, halt=halt or Event())


def left_in(folder: Path) -> list[LeftLog]:
    """The logs in a folder as if their process had ended: those of a process that lives are locked."""
    with TemporaryDirectory() as name:
        copy = shutil.copytree(folder, Path(name) / "copy")
        return left_logs(copy, is_alive=lambda _runner: False)


def found_in(folder: Path) -> LeftLog:
    (log,) = left_in(folder)
    return log


def told(log: LeftLog, people: int = 5) -> dict[int, str]:
    """What a log says of each delivery, in a word."""
    replies = [log.reply_about(each) for each in range(1, people + 1)]
    return {each.delivery: each.meaning or ("begun" if each.was_begun else "not sent") for each in replies}


def after_another_start(path: Path) -> None:
    """The machine was started again since the log was written."""
    lines = path.read_bytes()
    fields = json.loads(lines[:LINE_BYTES])
    path.write_bytes(json.dumps({**fields, "boot": "another"}).encode().ljust(LINE_BYTES - 1) + lines[LINE_BYTES - 1 :])


def test_after_a_kill_only_the_message_under_way_is_in_doubt(tmp_path: Path) -> None:
    log = new_log(tmp_path, ahead=4)
    for delivery, meaning in ((1, "accepted"), (2, "address")):
        assert log.may_begin(delivery)
        log.note(delivery, meaning, "550 5.1.1 no such user")
    assert log.may_begin(3)

    left = found_in(tmp_path)

    assert told(left) == {1: "accepted", 2: "address", 3: "begun", 4: "not sent", 5: "not sent"}
    assert left.reply_about(2).words == "550 5.1.1 no such user"
    assert left.sending == SENDING


def test_after_a_power_failure_whoever_may_have_been_begun_is_in_doubt_and_nobody_else(tmp_path: Path) -> None:
    log = new_log(tmp_path, ahead=2)
    log.may_begin(1)
    log.note(1, "accepted", "")

    after_another_start(log.path)

    assert told(found_in(tmp_path)) == {1: "accepted", 2: "begun", 3: "not sent", 4: "not sent", 5: "not sent"}


def test_a_system_that_does_not_tell_its_start_counts_as_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reply_log, "_BOOT_ID", tmp_path / "none")
    assert boot_id() == ""
    path = tmp_path / name_of_log(SENDING)
    ReplyLog(path, Sending(**{**_fields(), "boot": ""}), range(1, 6), ahead=2, halt=Event()).may_begin(1)
    assert told(found_in(tmp_path)) == {1: "begun", 2: "begun", 3: "not sent", 4: "not sent", 5: "not sent"}


def _fields() -> dict[str, object]:
    return {name: getattr(SENDING, name) for name in SENDING.__struct_fields__}


@pytest.mark.parametrize("cut", [1, 100, LINE_BYTES, LINE_BYTES + 1, 3 * LINE_BYTES, 5 * LINE_BYTES])
def test_what_is_missing_at_the_end_is_in_doubt(tmp_path: Path, cut: int) -> None:
    log = new_log(tmp_path)
    log.may_begin(1)
    log.note(1, "accepted", "")
    content = log.path.read_bytes()

    log.path.write_bytes(content[:-cut])

    lost = range(5 - (cut - 1) // LINE_BYTES, 6)
    expected = {1: "accepted"} | dict.fromkeys(range(2, 6), "not sent") | dict.fromkeys(lost, "begun")
    assert told(found_in(tmp_path)) == expected


@pytest.mark.parametrize(
    "line", [b"\0" * LINE_BYTES, b"3 next".ljust(LINE_BYTES), b"x next".ljust(LINE_BYTES - 1) + b"\n"]
)
def test_a_damaged_line_is_in_doubt(tmp_path: Path, line: bytes) -> None:
    log = new_log(tmp_path)
    content = log.path.read_bytes()

    log.path.write_bytes(content[: 3 * LINE_BYTES] + line + content[4 * LINE_BYTES :])

    assert told(found_in(tmp_path)) == {1: "not sent", 2: "not sent", 3: "begun", 4: "not sent", 5: "not sent"}


def test_a_log_without_its_first_line_says_nothing(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    log.path.write_bytes(b"\0" * LINE_BYTES + log.path.read_bytes()[LINE_BYTES:])
    assert left_in(tmp_path) == []
    log.path.write_bytes(b"")
    assert left_in(tmp_path) == []


def test_the_log_of_a_runner_that_is_alive_is_left_alone(tmp_path: Path) -> None:
    new_log(tmp_path)
    assert left_logs(tmp_path, is_alive=lambda runner: runner == SENDING.runner) == []
    assert left_logs(tmp_path / "none", is_alive=lambda _runner: False) == []
    assert left_logs(None, is_alive=lambda _runner: False) == []


def test_the_log_of_a_process_that_lost_its_database_and_still_sends_is_left_alone(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    assert log.may_begin(1)
    assert left_logs(tmp_path, is_alive=lambda _runner: False) == []

    log.leave()
    (left,) = left_logs(tmp_path, is_alive=lambda _runner: False)
    assert told(left)[1] == "begun"


def test_logs_are_left_to_others_at_the_end_of_a_drain(tmp_path: Path) -> None:
    with ReplyLogs(tmp_path, mailing="b1-nonce", provider="smtp", runner="r", halt=Event()) as logs:
        logs.create(ClaimedChunk(broadcast=1, number=7, attempt=2, variant_key="", deliveries=()))
        assert left_logs(tmp_path, is_alive=lambda _runner: False) == []

    assert len(left_logs(tmp_path, is_alive=lambda _runner: False)) == 1


def test_long_words_in_any_script_stay_in_their_line(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    log.note(2, "policy", "550 " + "ü" * 600)
    log.note(3, "policy", "550 two\nlines")
    assert told(found_in(tmp_path)) == {1: "not sent", 2: "policy", 3: "policy", 4: "not sent", 5: "not sent"}
    assert found_in(tmp_path).reply_about(2).words.startswith("550 üü")
    assert found_in(tmp_path).reply_about(3).words == "550 two lines"


@pytest.mark.parametrize("reason", ["halted", "closed"])
def test_nothing_begins_after_the_end(tmp_path: Path, reason: str) -> None:
    halt = Event()
    log = new_log(tmp_path, halt=halt)
    assert log.may_begin(1)

    if reason == "halted":
        halt.set()
    else:
        log.close()

    assert not log.may_begin(2)
    assert told(found_in(tmp_path)) == {1: "begun", 2: "not sent", 3: "not sent", 4: "not sent", 5: "not sent"}


def test_a_reply_after_the_end_changes_nothing(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    log.may_begin(1)
    assert [reply.was_begun for reply in log.close()] == [True, False, False, False, False]
    log.note(1, "accepted", "")
    assert told(found_in(tmp_path))[1] == "begun"
    log.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_message_waits_for_the_disk_only_where_it_was_not_expected(disk: Disk, tmp_path: Path) -> None:
    log = new_log(tmp_path, people=9, ahead=4)
    written = []
    for delivery in range(1, 10):
        before = disk.content
        assert log.may_begin(delivery)
        log.note(delivery, "accepted", "")
        written += [delivery] if disk.content != before else []
    assert written == [5]  # twice as many are expected then


def test_a_log_that_is_short_lived_does_not_lower_what_is_expected_of_the_next(tmp_path: Path) -> None:
    """A fast relay uses up a log between two looks, so that each look sees only some of its pace."""
    log = new_log(tmp_path, people=9, ahead=8)
    log.may_begin(1)
    log.look()  # the log is new
    assert log.ahead == 8
    for delivery in range(2, 10):
        log.may_begin(delivery)
    log.look()
    assert log.ahead == 16
    log.look()  # it is used up
    assert log.ahead == 16


def test_a_slow_relay_has_one_message_in_doubt_after_a_power_failure(disk: Disk, tmp_path: Path) -> None:
    log = new_log(tmp_path, ahead=100)
    log.look()  # nothing has begun since
    for delivery in (1, 2, 3):
        log.may_begin(delivery)
        log.note(delivery, "accepted", "")
        log.look()
    log.path.write_bytes(disk.content)
    after_another_start(log.path)
    assert told(found_in(tmp_path)) == {**dict.fromkeys((1, 2, 3), "accepted"), 4: "begun", 5: "begun"}


def test_a_disk_that_fails_ends_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_file: int) -> None:
        raise OSError(5, "Input/output error")

    halt = Event()
    log = new_log(tmp_path, halt=halt)
    monkeypatch.setattr(reply_log, "_to_disk", fail)

    assert log.may_begin(1)
    assert not log.may_begin(2)
    assert halt.is_set()
    assert log.failure is not None
    assert told(found_in(tmp_path)) == {1: "begun", 2: "not sent", 3: "not sent", 4: "not sent", 5: "not sent"}


Step = tuple[str, int]
STEPS = st.lists(st.tuples(st.sampled_from(["next", "reply", "refuse", "look"]), st.integers(0, 99)), max_size=90)


@settings(max_examples=300, deadline=None)
@given(steps=STEPS, ahead=st.integers(1, 6), seed=st.integers())
def test_no_loss_of_power_makes_a_begun_message_unsent_or_an_unanswered_one_accepted(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step], ahead: int, seed: int
) -> None:
    """Every page of the file is lost or kept on its own, back to what was last written to disk."""
    folder, people, random = tmp_path_factory.mktemp("log"), 60, Random(seed)
    disk, restore = Disk(folder / name_of_log(SENDING)), reply_log._to_disk
    reply_log._to_disk = disk.take
    try:
        log = new_log(folder, people, ahead=ahead)
        begun, answered = 0, dict[int, str]()
        for what, _ in steps:
            if what == "look":
                log.look()
            elif what == "next" and begun < people and begun == len(answered):
                assert log.may_begin(begun + 1)
                begun += 1
            elif what in {"reply", "refuse"} and begun > len(answered):
                answered[begun] = "accepted" if what == "reply" else "address"
                log.note(begun, answered[begun], "")
    finally:
        reply_log._to_disk = restore
    newest = log.path.read_bytes()
    on_disk = disk.content or bytes(len(newest))
    pages = range(0, len(newest), PAGE_BYTES)
    log.path.write_bytes(b"".join(random.choice((on_disk, newest))[page : page + PAGE_BYTES] for page in pages))
    if not left_in(folder):
        return  # the first line is lost, and everyone is in doubt
    after_another_start(log.path)
    found = told(found_in(folder), people)
    for delivery, said in found.items():
        if said == "not sent":
            assert delivery > begun
        elif said != "begun":
            assert answered[delivery] == said


# The logs of a drain


def chunk(number: int = 7) -> ClaimedChunk:
    deliveries = tuple(ClaimedDelivery(each, f"p{each}@example.org", "", "", "", ()) for each in range(1, 6))
    return ClaimedChunk(broadcast=1, number=number, attempt=2, variant_key="1", deliveries=deliveries)


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[ReplyLogs]:
    with ReplyLogs(tmp_path / "replies", mailing="b1-nonce", provider="smtp", runner="r", halt=Event()) as running:
        yield running


def test_a_log_is_removed_once_its_result_is_kept(logs: ReplyLogs, tmp_path: Path) -> None:
    logs.create(chunk())
    log = logs.of(chunk())
    assert log is not None
    assert log.may_begin(1)
    assert (tmp_path / "replies").stat().st_mode & 0o077 == 0
    assert log.path.stat().st_mode & 0o077 == 0
    logs.settle(chunk())
    logs.__exit__()
    assert list((tmp_path / "replies").iterdir()) == []


def test_what_is_not_settled_stays(logs: ReplyLogs, tmp_path: Path) -> None:
    logs.create(chunk())
    logs.__exit__()
    assert [path.name for path in (tmp_path / "replies").iterdir()] == ["b1-nonce-7-2-r.log"]


def test_a_claim_that_failed_and_is_repeated_begins_its_log_anew(logs: ReplyLogs) -> None:
    logs.create(chunk())
    first = logs.of(chunk())
    assert first is not None
    first.note(1, "accepted", "")
    logs.create(chunk())
    again = logs.of(chunk())
    assert again is not None
    assert not any(reply.was_begun for reply in again.close())


def test_changes_reach_the_disk_on_their_own(logs: ReplyLogs, monkeypatch: pytest.MonkeyPatch) -> None:
    logs.create(chunk())
    log = logs.of(chunk())
    assert log is not None
    assert log.may_begin(1)
    written = Event()
    monkeypatch.setattr(reply_log, "_to_disk", lambda _file: written.set())
    log.note(1, "accepted", "")
    assert written.wait(10)


def test_where_no_log_can_be_made_nothing_is_claimed(tmp_path: Path) -> None:
    (tmp_path / "replies").write_text("in the way")
    logs = ReplyLogs(tmp_path / "replies", mailing="b1-nonce", provider="smtp", runner="r", halt=Event())
    with pytest.raises(StoreError, match="is a file, not a folder"):
        logs.create(chunk())


def test_a_log_that_did_not_reach_the_disk_is_said(logs: ReplyLogs, monkeypatch: pytest.MonkeyPatch) -> None:
    logs.create(chunk())
    log = logs.of(chunk())
    assert log is not None
    log.failure = OSError(28, "No space left on device")
    with pytest.raises(StoreError, match="the disk is full") as raised:
        logs.settle(chunk())
    assert not isinstance(raised.value, MachineError)  # its cause makes it exit code 4


def test_without_a_folder_no_logs_are_kept() -> None:
    with ReplyLogs(None, mailing="b1-nonce", provider="smtp", runner="r", halt=Event()) as logs:
        logs.create(chunk())
        assert logs.of(chunk()) is None
        logs.settle(chunk())


@pytest.mark.parametrize("begun", [0, 1])
def test_a_mark_that_could_not_be_made_lets_nothing_begin(tmp_path: Path, begun: int) -> None:
    halt = Event()
    log = new_log(tmp_path, people=9, halt=halt)
    assert all(log.may_begin(number + 1) for number in range(begun))
    reading = os.open(log.path, os.O_RDONLY)
    os.dup2(reading, log._file)  # every write fails from here on

    assert not log.may_begin(begun + 1)
    assert halt.is_set()
    assert log.failure is not None
    assert list(told(found_in(tmp_path), 9).values()) == ["begun"] * begun + ["not sent"] * (9 - begun)
    os.close(reading)
