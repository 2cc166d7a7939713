"""A broadcast through a real Postfix, with processes that are killed and a Postfix that is started again meanwhile.

Postfix passes everything on to a server of the test. It writes the number of its queue into each email, so the same
person with two numbers was handed over twice by us.
"""

import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from newsletter.model.broadcast import ChunkState
from tests.faults import commands
from tests.faults.director import Director
from tests.faults.plan import QUIET
from tests.faults.post import NO_VISIT, TakenMail
from tests.faults.postfix import Postfix
from tests.faults.processes import Process, Processes
from tests.faults.run import directed
from tests.faults.runs import IS_LONG
from tests.faults.smtp_relay import Answer, Dialogue, SmtpRelay
from tests.faults.stores import SqliteStore
from tests.faults.story import Story

MOST_UNKNOWN_A_KILL = int(os.environ.get("FAULT_UNKNOWN_A_KILL", "4"))  # an email for each of four connections
CONNECTIONS = 4
PATIENCE_SECONDS = 120.0
QUEUE_NUMBER = re.compile(rb"\(Postfix\) with ESMTP id (\w+)\s+for <([^>]+)>")
MESSAGE_ID = re.compile(rb"^Message-ID: <([^.>]+)\.", re.MULTILINE | re.IGNORECASE)


class Ending:
    """What happens in the middle of a broadcast."""

    KILL = "kill"
    RESTART = "restart"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How many people there are, and what happens, one thing after the other."""

    people: int
    endings: tuple[str, ...]

    @property
    def step(self) -> int:
        """After how many more emails the next thing happens."""
        return self.people // (len(self.endings) * 3)


_KILLS = (Ending.KILL,) * 4
LONG = Run(people=5000, endings=(*_KILLS[:2], Ending.RESTART, *_KILLS, Ending.RESTART, *_KILLS[:2]))
SHORT = Run(people=600, endings=(Ending.KILL, Ending.RESTART, Ending.KILL))
RUN = LONG if IS_LONG else SHORT


class Sink(SmtpRelay):
    """Takes what Postfix passes on. To the run it is the post, since nothing but Postfix brings it anything."""

    name = "smtp"
    refused: frozenset[str] | None = None
    refused_in_a_row: list[list[str]] | None = None

    def __init__(self) -> None:
        super().__init__()
        self.visit = NO_VISIT
        self.relay_port = 0
        self._taken: dict[tuple[bytes, bytes], TakenMail] = {}  # by the number in the queue and the recipient
        self._more = threading.Condition()

    @property
    def settings(self) -> Mapping[str, Any]:
        """The relay's table in the settings: Postfix, not this server."""
        return {"host": "127.0.0.1", "port": self.relay_port, "security": "none", "timeout_seconds": 20}

    elsewhere = settings

    def on_content(self, dialogue: Dialogue) -> Answer:
        """Take an email. What Postfix itself brings twice has the same number."""
        received, message_id = QUEUE_NUMBER.search(dialogue.content), MESSAGE_ID.search(dialogue.content)
        assert received is not None
        assert message_id is not None
        mail = TakenMail(email=received[2].decode(), mailing=message_id[1].decode())
        with self._more:
            self._taken[received[1], received[2]] = mail
            self._more.notify_all()
        return super().on_content(dialogue)

    def mails(self) -> list[TakenMail]:
        """Every email that Postfix took."""
        with self._more:
            return list(self._taken.values())

    def settle(self) -> None:
        """Postfix keeps its connections open; its queue says whether it has passed everything on."""

    def await_more(self, more: int, sending: Process) -> None:
        """Wait for some more emails, or until the process that sends has ended."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self._more:
            enough = len(self._taken) + more
            while len(self._taken) < enough and sending.is_alive and time.monotonic() < deadline:
                self._more.wait(0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How the run ended."""

    story: Story
    kills: int
    restarts: int

    @property
    def unknown(self) -> int:
        """How many people are in doubt."""
        return sum(line.state == ChunkState.UNKNOWN for account in self.story.accounts for line in account.lines)

    def __str__(self) -> str:
        return (
            f"{self.story.plan.people} people, {self.kills} kills, {self.restarts} restarts: {self.unknown} unknown, "
            f"{len(self.story.broken)} promises broken"
        )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, processes: Processes) -> Told:
    """The run, carried out once."""
    with staged(tmp_path_factory.mktemp("postfix"), processes) as (director, postfix, sink):
        sending = start_sending(director)
        for ending in RUN.endings:
            sending = sending_after(director, postfix, sink, ending, sending)
        while sending.wait(PATIENCE_SECONDS) == 0 and not is_done(director):
            sending = start_sending(director)
        postfix.await_empty_queue(PATIENCE_SECONDS)
        story = director.judge()
    ended = Told(story=story, kills=RUN.endings.count(Ending.KILL), restarts=RUN.endings.count(Ending.RESTART))
    print(ended)  # noqa: T201 - pytest shows it with -rP
    return ended


@contextmanager
def staged(folder: Path, processes: Processes) -> Iterator[tuple[Director, Postfix, Sink]]:
    """A frozen broadcast, and a Postfix to send it through."""
    plan = replace(
        QUIET, timeout_seconds=20, people=RUN.people, chunk_size=100, concurrency=CONNECTIONS, provider="smtp"
    )
    sink = Sink()
    with sink, Postfix(to_port=sink.port) as postfix:
        sink.relay_port = postfix.port
        with directed(plan, SqliteStore(folder / "newsletter.db"), processes, folder, given=sink) as director:
            assert processes.start(commands.freeze, scene=director.scene).wait(PATIENCE_SECONDS) == 0
            yield director, postfix, sink


def sending_after(director: Director, postfix: Postfix, sink: Sink, ending: str, sending: Process) -> Process:
    """Send some more, then end the process that sends, or Postfix, and start it again. Return what sends then."""
    if not sending.is_alive:  # it has paused the broadcast
        sending = start_sending(director)
    sink.await_more(RUN.step, sending)
    if ending == Ending.RESTART:
        director.log.write("restart of Postfix")
        postfix.stop()
        postfix.start()
        return sending
    director.log.write("killed", of=sending.pid)
    sending.kill()
    sending.wait(PATIENCE_SECONDS)
    return start_sending(director)


def start_sending(director: Director) -> Process:
    director.processes.start(commands.resume, scene=director.scene, broadcast=1).wait(PATIENCE_SECONDS)
    return director.processes.start(commands.send, scene=director.scene, broadcast=1)


def is_done(director: Director) -> bool:
    return director.log.events("sent")[-1].facts["state"] == "done"


def test_nobody_is_mailed_twice_and_nobody_is_lost(told: Told) -> None:
    assert not told.story.broken, told.story.told("tests/faults/test_postfix.py")


def test_a_kill_leaves_in_doubt_only_what_was_in_flight(told: Told) -> None:
    endings = told.kills + told.restarts  # a restart breaks every connection
    assert told.unknown <= endings * MOST_UNKNOWN_A_KILL, str(told)
