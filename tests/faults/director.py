"""Carries out a plan: starts the processes, does to them what is planned, and acts as the people beside them would."""

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from newsletter.model.broadcast import Broadcast, BroadcastKind, BroadcastState
from newsletter.model.ledger import Resolution
from newsletter.store.ledger.broadcasts import list_broadcasts
from newsletter.store.ledger.recall import batches_of
from newsletter.store.ledger.resolve import unknown_chunks
from newsletter.workflows.send.recall import LIVE
from tests.faults import commands
from tests.faults.desk import CRASHED, Scene
from tests.faults.eventlog import EventLog
from tests.faults.plan import LAST_ROUND, Deed, Incident, Plan, Round, Sender, Way
from tests.faults.post import NO_VISIT, Post
from tests.faults.processes import Process, Processes
from tests.faults.promise import accounts_of, broken_promises
from tests.faults.seams import Death, Moment
from tests.faults.stores import Store
from tests.faults.story import Story
from tests.faults.timeline import RunClock
from tests.faults.transitions import TRANSITIONS, transitions_of

_PATIENCE_SECONDS = 60.0  # no process of a run takes longer
_AFTER_ALL_ZONES = timedelta(hours=30)  # by which the clock jumps once all goes well, if it jumps at all
_COMMANDS: dict[Way, Callable[..., int]] = {
    Way.SEND: commands.send,
    Way.RUN_DUE: commands.run_due,
    Way.WORKER: commands.work_queue,
}
BEFORE_HELD_MAIL = timedelta(minutes=15)  # late enough to gather those who left, and in time to recall it
_ALMOST_TIME = (timedelta(minutes=12), timedelta(minutes=7))  # the second is too late to recall anything
_ALL_TRIES = 6  # of people who were set aside; afterwards they are given up
UNFINISHED = frozenset(
    {BroadcastState.SCHEDULED, BroadcastState.RUNNING, BroadcastState.WATCHING, BroadcastState.PAUSED}
)


@dataclass(kw_only=True)
class Director:
    """The people of a run, who send, resume, cancel, decide, and pull plugs."""

    plan: Plan
    scene: Scene
    store: Store
    processes: Processes
    post: Post
    log: EventLog
    is_calm: threading.Event  # from then on all goes well
    senders: list[Process] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def people(self) -> list[str]:
        """Everyone who should get the issue."""
        return [f"p{number:03}-{self.plan.seed}@example.org" for number in range(self.plan.people)]

    def tell(self) -> None:
        """Sends the issue, as often as the plan says, until every broadcast has ended."""
        number = frozen = 0
        for kind in self.plan.kinds:
            if not self._freeze(kind):
                continue
            self._await_grace()
            last, frozen = number + LAST_ROUND, frozen + 1
            while (broadcast := self._newest()).state in UNFINISHED or self._is_open(broadcast) or self._watch(number):
                assert number < last, f"broadcast {broadcast.id} is still {broadcast.state}: {broadcast.reason}"
                if number >= len(self.plan.rounds):
                    self.is_calm.set()
                self._let_time_pass(number, broadcasts=frozen)
                self._round(broadcast.id, number)
                self._look_after(broadcast.id, number)
                number += 1
        self._finish_earlier()

    def _finish_earlier(self) -> None:
        """End what the timer took up again of earlier broadcasts, because people had been set aside."""
        self.is_calm.set()
        for broadcast in self._broadcasts():
            for _ in range(LAST_ROUND):
                if next(each for each in self._broadcasts() if each.id == broadcast.id).state not in UNFINISHED:
                    break
                self._command(commands.resume, broadcast=broadcast.id)
                self._round(broadcast.id, LAST_ROUND)

    def _let_time_pass(self, number: int, *, broadcasts: int) -> None:
        """Have the clock jump ahead to its time in a round."""
        calm = _AFTER_ALL_ZONES * broadcasts if self.is_calm.is_set() and self.plan.stride else timedelta()
        if self.plan.stride:
            self.clock = replace(self.clock, ahead=max(self.clock.ahead, self.plan.stride * number + calm))

    def _watch(self, number: int) -> bool:
        """Have the timer run when the broadcast that has ended needs it. Return whether it is open again."""
        broadcast, draw = self._newest(), Random(f"{self.plan.seed} watch after round {number}")
        with self.store.opened() as database:
            moments = {batch.due_at for batch in batches_of(database, broadcast.id) if batch.state in LIVE}
        was_calm = self.is_calm.is_set()
        self.is_calm.set()
        for moment in sorted(each for each in moments if each > self.clock.now()):
            held = [mail.email for mail in self.post.mails() if mail.leaves_at == moment and not mail.is_given_back]
            leavers = [self.people.index(email) for email in draw.sample(held, min(len(held), 2))]
            if leavers and draw.random() < 0.5:
                self._leave(leavers.pop())
            self.pass_time_until(moment - BEFORE_HELD_MAIL)
            self._run_timer(broadcast.id, draw)
            if leavers and draw.random() < 0.3:  # someone leaves too late to be taken out
                self._leave(leavers.pop())
                self.pass_time_until(moment - draw.choice(_ALMOST_TIME))
                self._run_timer(broadcast.id)  # to its end, because it says once who still gets their email
        for _ in range(draw.choice((0, 1, 1, _ALL_TRIES))):
            if (continues_at := self._newest().continues_at) is None:
                break
            self.pass_time_until(continues_at + timedelta(seconds=1))
            self._run_timer(broadcast.id, draw)
        if not was_calm:
            self.is_calm.clear()
        return self._newest().state in UNFINISHED

    def _run_timer(self, broadcast: int, draw: Random | None = None) -> None:
        """Run what is due, in a process of its own; with a draw, sometimes in one that dies, and then once more."""
        for death in (self._death(draw), None) if draw is not None and draw.random() < 0.3 else (None,):
            process = self.processes.start(commands.run_due, scene=self.scene, broadcast=broadcast, death=death)
            assert process.wait(_PATIENCE_SECONDS) != CRASHED, "the timer crashed"
        self.post.settle()

    def pass_time_until(self, moment: datetime) -> None:
        """Have the clock jump ahead, unless it is that time already."""
        self.clock = replace(self.clock, ahead=self.clock.ahead + max(moment - self.clock.now(), timedelta()))

    @property
    def clock(self) -> RunClock:
        """What all commands that start now take for the time."""
        return self.scene.clock

    @clock.setter
    def clock(self, clock: RunClock) -> None:
        self.scene = replace(self.scene, clock=clock)

    def end_all(self) -> None:
        """Ends what still runs."""
        for process in self.senders:
            process.kill()

    def judge(self, *broken: str) -> Story:
        """Holds the ledger against what the API took."""
        self.post.settle()
        with self.store.opened() as database:
            accounts = accounts_of(database, self.scene.issue)
            reached = transitions_of(database, self.scene.issue)
        found = broken_promises(accounts, self.post, self.log, self.plan, people=self.people)
        strange = (f"the table of transitions has no {each}" for each in sorted(reached - TRANSITIONS.keys()))
        return Story(
            plan=self.plan, accounts=accounts, broken=(*broken, *found, *strange), log=self.log, reached=reached
        )

    def _await_grace(self) -> None:
        """Have the timer run while the newest broadcast must still wait, then let that time pass."""
        if (until := self._newest().grace_until) is None:
            return
        draw = Random(f"{self.plan.seed} grace of broadcast {self._newest().id}")
        self._run_timer(self._newest().id, draw)
        if draw.random() < 0.2:
            self._command(commands.cancel, broadcast=self._newest().id)
        self.pass_time_until(until + timedelta(seconds=1))

    def _freeze(self, kind: BroadcastKind) -> bool:
        """Freeze the issue once, with as many attempts as it takes. Return False if no one is left to send it to."""
        before = len(self._broadcasts())
        for death in (*self.plan.freeze_deaths, None):
            status = self._command(
                commands.freeze,
                kind=kind,
                hold=self.plan.hold,
                is_local_time=self.plan.is_local_time,
                grace=self.plan.grace,
                death=death,
            )
            if status == 2:
                return False
            if len(self._broadcasts()) > before:
                return True
        raise AssertionError("nothing was frozen")

    def _round(self, broadcast: int, number: int) -> None:
        """Some processes send at the same time, until all of them have ended."""
        planned = self._planned(number)
        self.post.visit = self._visitor(broadcast, planned.incidents)
        for sender in planned.senders:
            self._send(broadcast, sender)
        while alive := [process for process in self.senders if process.is_alive]:
            alive[0].wait(_PATIENCE_SECONDS)
        assert CRASHED not in [process.status for process in self.senders], "a process crashed"
        self.senders.clear()
        self.post.settle()
        self.post.visit = NO_VISIT

    def _planned(self, number: int) -> Round:
        if number < len(self.plan.rounds):
            return self.plan.rounds[number]
        return Round(senders=(Sender(),))

    def _send(self, broadcast: int, sender: Sender) -> None:
        process = self.processes.start(
            _COMMANDS[sender.way],
            scene=replace(self.scene, most_bytes=sender.most_bytes),
            broadcast=broadcast,
            death=sender.death,
            unreachable=sender.unreachable,
        )
        with self._lock:
            self.senders.append(process)
        if sender.kill_after_seconds is not None:
            threading.Timer(sender.kill_after_seconds, self._kill, [process]).start()

    def _kill(self, process: Process) -> None:
        if process.is_alive:
            self.log.write("killed", of=process.pid)
            process.kill()

    def _look_after(self, broadcast: int, number: int) -> None:
        """What people do between two rounds: leave, resume, cancel, decide about what is unknown."""
        draw = Random(f"{self.plan.seed} after round {number}")
        if self.plan.hold and draw.random() < 0.5:  # someone leaves while the provider may hold their email
            self._leave(draw.randrange(self.plan.people))
        is_to_end = number + 2 >= LAST_ROUND
        if self._newest().state is BroadcastState.CANCELLING:
            self._finish_cancelling(broadcast)
            return
        if self.plan.hold and draw.random() < 0.3:
            self._run_timer(broadcast, draw)
        if self._newest().state is BroadcastState.DONE:
            self._decide(broadcast, draw, may_resend=not is_to_end)
            if self.plan.hold and not is_to_end and draw.random() < 0.5:  # what the provider holds can be taken back
                death = self._death(draw) if draw.random() < 0.4 else None
                self._command(commands.cancel, broadcast=broadcast, death=death)
            return
        self._command(commands.resume, broadcast=broadcast, death=self._death(draw) if draw.random() < 0.1 else None)
        if self._newest().state in UNFINISHED and not is_to_end and draw.random() < 0.06:
            self._command(
                commands.cancel, broadcast=broadcast, death=self._death(draw) if draw.random() < 0.5 else None
            )
        self._decide(broadcast, draw, may_resend=not is_to_end)

    def _finish_cancelling(self, broadcast: int) -> None:
        """Cancel again. The provider cancels few batches at a time, so some may have to be sent before others."""
        self._command(commands.cancel, broadcast=broadcast)
        while self.is_calm.is_set() and self._newest().state is BroadcastState.CANCELLING:
            with self.store.opened() as database:
                batches = [each.due_at for each in batches_of(database, broadcast) if each.state in LIVE]
            ahead = [moment for moment in batches if moment > self.clock.now()]
            assert ahead, "nothing is held, and the broadcast is still being canceled"
            self.pass_time_until(min(ahead) + timedelta(hours=1))
            self._command(commands.cancel, broadcast=broadcast)

    def _decide(self, broadcast: int, draw: Random, *, may_resend: bool) -> None:
        """Looks for evidence; leaves what is unknown then, or decides rightly: this person knows what was taken.

        A batch of which only some emails were taken is left unknown.
        """
        if draw.random() < 0.3:
            death = self._death(draw) if draw.random() < 0.2 else None
            self._command(commands.reconcile, broadcast=broadcast, death=death)
        with self.store.opened() as database:
            unknown = unknown_chunks(database, broadcast)
            (account,) = [each for each in accounts_of(database, self.scene.issue) if each.id == broadcast]
        taken = {mail.email for mail in self.post.mails() if mail.mailing == account.mailing}
        people: dict[int, set[str]] = defaultdict(set)
        for line in account.lines:
            people[line.chunk].add(line.email)
        decisions: dict[tuple[int, int], Resolution] = {}
        for chunk in unknown:
            if draw.random() < 0.5:
                continue
            if people[chunk.number] <= taken:
                decisions[chunk.number, chunk.attempt] = Resolution.ASSUME_SENT
            elif may_resend and not people[chunk.number] & taken:
                decisions[chunk.number, chunk.attempt] = Resolution.RESEND
        if decisions:
            death = self._death(draw) if draw.random() < 0.2 else None
            self._command(commands.resolve, broadcast=broadcast, decisions=decisions, death=death)

    def _visitor(self, broadcast: int, incidents: tuple[Incident, ...]) -> Callable[[int, bool], None]:
        """What happens while the requests of a round are handled."""
        before = self.post.requests
        left = {(incident.request, incident.is_after_queueing): incident for incident in incidents}

        def visit(request: int, is_queued: bool) -> None:
            with self._lock:
                incident = left.pop((request - before, is_queued), None)
            if incident is not None:
                self.log.write("incident", deed=incident.deed.name, request=request, is_queued=is_queued)
                self._deeds[incident.deed](broadcast, incident.number)

        return visit

    @property
    def _deeds(self) -> dict[Deed, Callable[[int, int], object]]:
        return {
            Deed.KILL_SENDER: lambda _, number: self._kill(self.senders[number % len(self.senders)]),
            Deed.KILL_ALL: lambda *_: [self._kill(process) for process in list(self.senders)],
            Deed.LEAVE: lambda _, number: self._leave(-number - 1),
            Deed.PAUSE: lambda broadcast, _: self._command(commands.pause, broadcast=broadcast),
            Deed.CANCEL: lambda broadcast, _: self._aside(commands.cancel, broadcast=broadcast),
            Deed.CANCEL_KILLED: lambda broadcast, number: self._aside(
                commands.cancel, broadcast=broadcast, death=self._death(Random(number))
            ),
            Deed.JOIN: lambda broadcast, _: self._send(broadcast, Sender()),
            Deed.RESUME: lambda broadcast, _: self._command(commands.resume, broadcast=broadcast),
            Deed.CUT_CONNECTIONS: lambda _, number: self._cut_off(self.senders[number % len(self.senders)]),
            Deed.RESTART_DATABASE: lambda *_: self._restart(),
        }

    def _aside(self, function: Callable[..., int], **arguments: object) -> None:
        """A command that runs beside the senders; the round waits for it."""
        process = self.processes.start(function, scene=self.scene, **arguments)
        with self._lock:
            self.senders.append(process)

    def _leave(self, number: int) -> None:
        """Have a person leave, in one way or another."""
        way = Random(f"{self.plan.seed} leaver {number}").choice(tuple(commands.Leaving))
        self._command(commands.leave, email=self.people[number], way=way)

    def _cut_off(self, process: Process) -> None:
        self.log.write("cut off", of=process.pid)
        self.store.cut_off(process.pid)

    def _restart(self) -> None:
        for process in list(self.senders):
            self.log.write("cut off", of=process.pid)
        self.store.restart()

    def _command(self, function: Callable[..., int], *, death: Death | None = None, **arguments: object) -> int:
        """Run a command to its end, in its own process if it may harm this one. Return its exit status."""
        if death is None and not self.scene.planted:
            with self.store.opened() as database:
                status = function(replace(self.scene, database=database), **arguments)
        else:
            dies = {"death": death} if death is not None else {}
            process = self.processes.start(function, scene=self.scene, **dies, **arguments)
            status = process.wait(_PATIENCE_SECONDS)
        assert status != CRASHED, "a command crashed"
        return status

    @staticmethod
    def _death(draw: Random) -> Death:
        moment = draw.choice((Moment.BEFORE_TRANSACTION, Moment.BEFORE_COMMIT, Moment.AFTER_COMMIT))
        return Death(moment=moment, number=draw.randint(1, 5))

    def _broadcasts(self) -> list[Broadcast]:
        with self.store.opened() as database:
            return [broadcast for broadcast in list_broadcasts(database) if broadcast.issue == self.scene.issue]

    def _newest(self) -> Broadcast:
        return self._broadcasts()[0]

    @staticmethod
    def _is_open(broadcast: Broadcast) -> bool:
        return broadcast.state is BroadcastState.CANCELLING
