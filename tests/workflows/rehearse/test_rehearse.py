"""A rehearsal says what the real run then does, and leaves no trace."""

import socket
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from newsletter.config import Config, load_config
from newsletter.errors import InputError
from newsletter.model.broadcast import Outcome, OutgoingChunk, Schedule
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import list_broadcasts
from newsletter.store.ledger.status import tally_of
from newsletter.store.ledger.tempo import PastClaim
from newsletter.store.scratch import forget_past, fork, scratch_copy
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.rehearse import rehearse as rehearse_module
from newsletter.workflows.rehearse.failures import Aftermath
from newsletter.workflows.rehearse.forecast import Rehearsal
from newsletter.workflows.rehearse.provider_models import MODELS
from newsletter.workflows.rehearse.rehearse import Wish, rehearse
from newsletter.workflows.rehearse.summary import facts_of, headline, left_by, then_after
from newsletter.workflows.rehearse.tempo import Tempo, tempo_of
from newsletter.workflows.rehearse.virtual_time import VirtualTime
from newsletter.workflows.segments import meant_by
from newsletter.workflows.send.awake import Awake
from newsletter.workflows.send.canary import CanaryWish
from newsletter.workflows.send.deliver import Listener, deliver
from newsletter.workflows.send.plan import Order, plan_broadcast, start_broadcast
from newsletter.workflows.send.schedule import read_schedule
from tests.postgresql import PostgresServer
from tests.store.builders import add, row
from tests.store.empty_file import open_test_database
from tests.workflows.send.carriers import ACCEPTED, Carrier
from tests.workspaces import CONFIG, ISSUE, write_workspace

NOW = datetime(2026, 2, 18, 9, 0, tzinfo=UTC)
ZONES = ("Asia/Tokyo", "Europe/Berlin", "America/Los_Angeles", "", "Not/AZone")
SMTP = '\n[provider]\nuse = "smtp"\n[provider.smtp]\nhost = "127.0.0.1"\nsecurity = "none"\nconcurrency = 3\n'
MAILBOX = '[mailbox]\nhost = "imap.example.org"\nusername = "news"\naddress = "*@bounces.example.org"\n'
SENDGRID = '\n[provider]\nuse = "sendgrid"\n'
PEOPLE = 650


@pytest.fixture(scope="module")
def workspaces(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Config]:
    """A function that returns a workspace with people in several zones, and with these settings."""
    root = write_workspace(tmp_path_factory.mktemp("rehearsed"))
    with open_test_database(load_config(root).database) as database:
        add(
            database,
            *(row(f"person{n}@example.org", timezone=ZONES[n % len(ZONES)]) for n in range(PEOPLE)),
        )

    def with_settings(settings: str) -> Config:
        (root / "newsletter.toml").write_text(CONFIG + settings)
        return load_config(root)

    return with_settings


def rehearsed(config: Config, *, at: str = "", canary: bool = False, **wish: Any) -> Rehearsal:
    """What a rehearsal for everyone says; a time is each subscriber's own."""
    schedule = read_schedule(at, zone="America/Los_Angeles", is_local_time=True, now=NOW) if at else None

    def order_in(database: Database) -> Order:
        order = order_of(config, database, schedule)
        return replace(order, canary=CanaryWish(is_wanted=canary))

    return rehearse(config, order_in, Wish(**{"with_failures": False, **wish}), now=NOW)


def order_of(config: Config, database: Database, schedule: Schedule | None = None) -> Order:
    segment = meant_by(config, database, segment="everyone", now=NOW)
    return Order(folder=require_issue(config, "2026-02"), segment=segment, schedule=schedule)


def bytes_below(root: Path) -> Mapping[str, str]:
    """A digest of each file in a folder."""
    return {str(path): sha256(path.read_bytes()).hexdigest() for path in root.rglob("*") if path.is_file()}


def test_nothing_is_written_and_no_socket_is_opened(
    workspaces: Callable[[str], Config], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = workspaces(SMTP)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(socket, "socket", lambda *_, **__: pytest.fail("a socket was opened"))
    before = bytes_below(config.root)
    found = rehearsed(config, with_failures=True)
    assert found.tally.accepted == PEOPLE
    assert bytes_below(config.root) == before
    assert not list(tmp_path.glob("newsletter-rehearsal-*"))


def test_a_list_in_use_is_not_touched_either(workspaces: Callable[[str], Config]) -> None:
    config = workspaces(SMTP)
    with open_test_database(config.database) as database, database.read():  # as the service has it open, with a WAL
        before = bytes_below(config.root)
        assert rehearsed(config).tally.accepted == PEOPLE
        assert bytes_below(config.root) == before


def test_the_same_seed_gives_the_same_rehearsal(workspaces: Callable[[str], Config]) -> None:
    config = workspaces(SMTP)
    first = rehearsed(config, seed=7, with_failures=True)
    assert rehearsed(config, seed=7, with_failures=True) == first
    assert rehearsed(config, seed=8).last != first.last


class Relay(Carrier):
    """A carrier that takes its time on a virtual clock, and knows nothing of the twin."""

    def __init__(self, time: VirtualTime, seconds: float, **fields: Any) -> None:
        super().__init__(**fields)
        self.time, self.seconds, self.ends = time, seconds, [NOW]

    def session(self) -> Any:
        return _Turn(self)

    def submit(self, chunk: OutgoingChunk, replies: object = None) -> Outcome:
        self.time.sleep(self.seconds * (len(chunk.recipients) if self.name == "smtp" else 1))
        self.handed.append(chunk)
        self.ends.append(self.time())
        return ACCEPTED


class _Turn:
    def __init__(self, relay: Relay) -> None:
        self._relay, self._turns = relay, relay.time.turns(relay.concurrency)

    def __enter__(self) -> Relay:
        self._turns.__enter__()
        return self._relay

    def __exit__(self, *_: object) -> None:
        self._turns.__exit__(None, None, None)


PACES = {
    "no limit": "",
    "a limit per minute": "[provider.smtp.pace]\nper_minute = 120\n",
    "hours": '[provider.smtp.pace]\nper_minute = 60\nhours = "00:30-01:05"\n',
    "warm-up": "[provider.smtp.pace.warm_up]\nstarts = 2026-02-18\nfirst_day = 100\ngrowth = 2.0\n",
}


@pytest.mark.parametrize("pace", PACES)
def test_the_real_run_ends_as_rehearsed(workspaces: Callable[[str], Config], tmp_path: Path, pace: str) -> None:
    """The real run knows nothing of the twin: a carrier takes its time on the clock of the test."""
    config = workspaces(SMTP + PACES[pace])
    found = rehearsed(config, seconds=0.5)
    time = VirtualTime(NOW)
    relay = Relay(time, 0.5, name="smtp", chunk_size=100, concurrency=3)
    copy = tmp_path / "newsletter.db"
    copy.write_bytes(Path(str(config.database)).read_bytes())
    with open_test_database(copy) as database:
        plan = plan_broadcast(config, database, order_of(config, database), provider=relay, now=NOW, is_preview=True)
        broadcast = start_broadcast(database, plan, relay, now=NOW)
        listener = Listener(on_settled=lambda _: None, on_wait=lambda *_: None)
        stop = time.new_event()
        deliver(config, database, broadcast, relay, ahead=None, listener=listener, stop=stop, clock=time)
        assert tally_of(database, broadcast.id) == found.tally
    real, forecast = max(relay.ends) - NOW, found.handed_over - NOW
    assert abs(real - forecast) <= real * 0.01
    assert len(relay.taken) == found.requests == PEOPLE
    if pace != "no limit":
        assert found.waits
        assert "set in [provider.smtp.pace]" in dict(facts_of(found, "UTC"))["waits"]


def test_everyone_gets_it_at_their_own_time(workspaces: Callable[[str], Config]) -> None:
    """A provider that holds email gets it an hour ahead. People without a known zone use the newsletter's."""
    found = rehearsed(workspaces(SENDGRID), at="2026-02-19 08:00")
    assert found.hours == {hour: PEOPLE if hour == 8 else 0 for hour in range(24)}
    assert [zone.zone for zone in found.zones] == ["Asia/Tokyo", "Europe/Berlin", "America/Los_Angeles"]
    assert [zone.people for zone in found.zones] == [130, 130, 390]
    assert all(zone.first == zone.last for zone in found.zones)
    assert found.last == datetime(2026, 2, 19, 8, 0, tzinfo=ZoneInfo("America/Los_Angeles"))
    assert timedelta(minutes=55) <= found.last - found.handed_over <= timedelta(hours=1)
    assert found.requests == 3


@pytest.mark.parametrize("awake", [Awake.SERVE, Awake.TIMER, Awake.HERE])
def test_without_a_provider_that_holds_email_it_begins_at_a_look(
    workspaces: Callable[[str], Config], awake: Awake
) -> None:
    found = rehearsed(workspaces(SMTP), at="2026-02-19 08:00", awake=awake, seconds=0.01)
    for zone in found.zones:
        assert (zone.first.hour, zone.first.minute) == (8, 0)
    assert found.tally.accepted == PEOPLE


def aftermath(found: Rehearsal) -> Mapping[str, Aftermath]:
    return {failure.stage: failure for failure in found.failures}


def test_each_failure_over_smtp_leaves_what_it_leaves(workspaces: Callable[[str], Config]) -> None:
    found = rehearsed(workspaces(SMTP), with_failures=True)
    left = aftermath(found)
    assert list(left) == ["creating", "created", "killed", "disk", "unreachable", "key", "answers"]
    assert (left["creating"].state, left["creating"].tally) == ("not created", None)
    for stage, failure in left.items():
        if stage != "creating":
            assert failure.tally is not None
            assert failure.tally.adds_up
            assert failure.tally.frozen == PEOPLE
            assert failure.tally.inflight == 0
            assert left_by(failure)
            assert then_after(failure, "UTC")
    tallies = {stage: failure.tally for stage, failure in left.items() if failure.tally}
    assert tallies["created"].waiting == PEOPLE
    assert tallies["killed"].unknown == 3, "one message for each connection"
    assert tallies["disk"].unknown == 0, "the replies were noted"
    assert tallies["unreachable"].accepted == PEOPLE
    ends = left["unreachable"].ends
    assert ends is not None
    assert found.last + timedelta(minutes=55) < ends < found.last + timedelta(minutes=75)
    assert (left["key"].state, tallies["key"].unknown) == ("paused", 0)
    assert "NEWSLETTER_SMTP_PASSWORD" in left["key"].reason
    assert left["answers"].state == "paused"
    assert 3 <= tallies["answers"].unknown < 20


def test_each_failure_over_sendgrid_leaves_what_it_leaves(workspaces: Callable[[str], Config]) -> None:
    found = rehearsed(workspaces(SENDGRID), at="2026-02-19 08:00", with_failures=True)
    left = aftermath(found)
    assert list(left)[:3] == ["creating", "created", "absent"]
    assert left["absent"].state == "paused"
    assert "6 hours late" in left["absent"].reason
    killed = left["killed"].tally
    assert killed is not None
    assert killed.unknown == 390, "no one knows whether the request arrived"
    assert left["key"].state == "paused"
    assert "SENDGRID_API_KEY" in left["key"].reason


def test_the_outbox_fails_only_with_this_machine(workspaces: Callable[[str], Config]) -> None:
    found = rehearsed(workspaces(""), with_failures=True)
    assert list(aftermath(found)) == ["creating", "created", "killed", "disk"]
    assert not (workspaces("").root / "outbox").exists()


def test_past_broadcasts_tell_how_fast_the_provider_is(workspaces: Callable[[str], Config], tmp_path: Path) -> None:
    """The speed is measured in the ledger, in which only the times of the claims are saved."""
    source = workspaces(SMTP)
    root = write_workspace(tmp_path, {"newsletter.toml": CONFIG + SMTP})
    (root / "newsletter.db").write_bytes(Path(str(source.database)).read_bytes())
    (root / "issues" / "2026-01").mkdir()
    for name in ("issue.yaml", "letter.md"):
        text = (root / "issues" / "2026-02" / name).read_text()
        (root / "issues" / "2026-01" / name).write_text(text.replace("2026-02-19", "2026-01-19") + "\n\n")
    config = load_config(root)
    assert "an assumption" in dict(facts_of(rehearsed(config), "UTC"))["speed"]
    time = VirtualTime(NOW - timedelta(days=30))
    relay = Relay(time, 0.25, name="smtp", chunk_size=20, concurrency=3)
    with open_test_database(config.database) as database:
        order = Order(
            folder=require_issue(config, "2026-01"),
            segment=meant_by(config, database, segment="everyone", now=time()),
        )
        plan = plan_broadcast(config, database, order, provider=relay, now=time(), is_preview=True)
        broadcast = start_broadcast(database, plan, relay, now=time())
        listener = Listener(on_settled=lambda _: None, on_wait=lambda *_: None)
        deliver(config, database, broadcast, relay, ahead=None, listener=listener, stop=time.new_event(), clock=time)
    found = rehearsed(config)
    assert found.tempo.broadcasts == (broadcast.id,)
    assert found.tempo.usual == pytest.approx(0.25, rel=0.01)
    assert "as measured in 1 broadcast (1)" in dict(facts_of(found, "UTC"))["speed"]


def test_limits_are_named_beside_what_is_used(workspaces: Callable[[str], Config]) -> None:
    found = rehearsed(workspaces(SMTP + PACES["a limit per minute"]), seconds=0.5)
    used = {use.span: (use.most, use.limit) for use in found.spans}
    most, limit = used["minute"]
    assert limit == 120
    assert 60 <= most <= 120
    assert used["day"] == (PEOPLE, None)
    assert "of the 120 that you allow" in dict(facts_of(found, "UTC"))["limits"]


def test_what_blocks_the_broadcast_does_not_stop_its_rehearsal(workspaces: Callable[[str], Config]) -> None:
    found = rehearsed(workspaces(SMTP + "[delivery]\nrequire_approval = true\n"))
    assert found.tally.accepted == PEOPLE
    assert len(found.blocking) == 1
    assert headline(found, "UTC").startswith("650 people get it. The last email arrives on Wednesday")


def test_a_provider_without_a_model_is_refused(
    workspaces: Callable[[str], Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(MODELS, "smtp")
    with pytest.raises(InputError, match="these providers can: outbox, sendgrid"):
        rehearsed(workspaces(SMTP))


def test_without_a_list_there_is_nothing_to_rehearse(tmp_path: Path) -> None:
    config = load_config(write_workspace(tmp_path))
    with pytest.raises(InputError, match="there is no list yet"):
        rehearsed(config)
    assert not config.has_database


@pytest.mark.parametrize(("late_seconds", "is_shared"), [(80.0, False), (75.0, True)])
def test_the_end_of_a_broadcast_shows_whether_the_provider_is_the_limit(late_seconds: float, is_shared: bool) -> None:
    """Fifteen batches over four connections: at the end one connection has nothing left to do."""
    end = NOW + timedelta(seconds=late_seconds)
    claims = [PastClaim(7, NOW + timedelta(seconds=20 * (place // 4)), 100, end) for place in range(15)]
    found = tempo_of("smtp", is_one_by_one=True, connections=4, claims=claims)
    assert found.usual == pytest.approx(0.2)
    assert (found.broadcasts, found.is_shared) == ((7,), is_shared)


def test_a_pause_is_no_answer() -> None:
    """What took hours in the past was a limit or the night, and says nothing about the provider."""
    moments = [NOW + timedelta(seconds=place, hours=5 * (place > 6)) for place in range(15)]
    claims = [PastClaim(1, at, 1000, NOW) for at in moments]
    found = tempo_of("sendgrid", is_one_by_one=False, connections=1, claims=claims)
    assert found.seconds == (1.0,) * 13
    assert not tempo_of("sendgrid", is_one_by_one=False, connections=4, claims=claims[:8]).broadcasts


VERSIONS = "subject.b: Another subject for everybody\nversions:\n  share: 20 %\n  wait: 2 hours\n  winner: {winner}\n"
CONSENTED = '\n[tracking]\nmode = "consented"\n'


@pytest.fixture
def with_versions(workspaces: Callable[[str], Config], tmp_path: Path) -> Callable[[str], Config]:
    """A function that returns a workspace whose issue has two versions, and says what decides."""
    source = workspaces(SMTP)

    def with_winner(winner: str) -> Config:
        issue = ISSUE + VERSIONS.format(winner=winner)
        files = {"newsletter.toml": CONFIG + SMTP + CONSENTED, "issues/2026-02/issue.yaml": issue}
        write_workspace(tmp_path, files)
        (tmp_path / "newsletter.db").write_bytes(Path(str(source.database)).read_bytes())
        return load_config(tmp_path)

    return with_winner


def test_the_rest_follows_the_first_wave_after_its_wait(with_versions: Callable[[str], Config]) -> None:
    config = with_versions("clicks")
    found = rehearsed(config, seed=3, seconds=0.1, awake=Awake.TIMER)
    assert found.tally.accepted == PEOPLE
    assert timedelta(hours=2) < found.last - NOW < timedelta(hours=2, minutes=10)
    assert max(point.people for point in found.timeline if point.at < NOW + timedelta(hours=1)) == 130
    assert any("its first part is watched" in wait.reason for wait in found.waits)
    assert rehearsed(config, seed=3, seconds=0.1, awake=Awake.TIMER) == found


@pytest.mark.parametrize("provider", [SMTP + MAILBOX, SENDGRID + '[provider.sendgrid]\nwebhook_keys = ["key"]\n'])
def test_the_rest_follows_a_canary_about_which_no_one_complains(
    workspaces: Callable[[str], Config], provider: str
) -> None:
    config = workspaces(provider + '[canary]\nwatch = "3h"\n')
    found = rehearsed(config, canary=True, awake=Awake.SERVE)
    assert found.tally.accepted == PEOPLE
    assert timedelta(hours=3) <= found.last - NOW < timedelta(hours=3, minutes=15)
    assert max(point.people for point in found.timeline if point.at < NOW + timedelta(hours=2)) == 100


def test_a_canary_about_which_nothing_can_come_back_waits_for_a_person(workspaces: Callable[[str], Config]) -> None:
    found = rehearsed(workspaces(SMTP + '[canary]\nwatch = "3h"\n'), canary=True, awake=Awake.SERVE)
    assert (found.state, found.tally.accepted, found.tally.waiting) == ("paused", 100, PEOPLE - 100)


def test_a_rehearsal_waits_for_no_person(with_versions: Callable[[str], Config]) -> None:
    found = rehearsed(with_versions("me"), with_failures=True)
    assert (found.state, found.tally.accepted, found.tally.waiting) == ("paused", 130, 520)
    assert headline(found, "UTC").startswith("It does not finish by itself: 130 people get it")


def test_a_list_in_postgresql_is_copied_into_a_file(tmp_path: Path, postgresql_server: PostgresServer) -> None:
    url = postgresql_server.fresh_database()
    settings = f'\n[database]\nurl = "{url}"\n'
    config = load_config(write_workspace(tmp_path, {"newsletter.toml": CONFIG + SMTP + settings}))
    with open_test_database(config.database, workspace=config.root) as database:
        add(database, *(row(f"person{n}@example.org", timezone="Asia/Tokyo") for n in range(250)))
        database.scrub()
    found = rehearsed(config, with_failures=True)
    assert found.tally.accepted == 250
    assert [zone.zone for zone in found.zones] == ["Asia/Tokyo"]
    with open_test_database(config.database, workspace=config.root) as database:
        assert list_broadcasts(database) == ()
    postgresql_server.drop_database(url)


def test_what_came_back_before_is_not_copied_again_and_again(workspaces: Callable[[str], Config]) -> None:
    """It may be most of the data, and each failure needs a copy of its own."""
    config = workspaces(SMTP)
    past = [
        (f"2025-01-01T00:{n // 60:02}:{n % 60:02}Z", b"d", "opened", 1, 1, 1, n, "x" * 500, "", 1, "", "")
        for n in range(2000)
    ]
    with scratch_copy(config.database, workspace=config.root) as database:
        with database.transaction() as connection:
            connection.load("event", past)
        with fork(database) as copy:
            before = copy.path.stat().st_size
        forget_past(database)
        with fork(database) as copy, copy.read() as connection:
            assert copy.path.stat().st_size < before / 2
            assert connection.execute("SELECT count(*) FROM event").fetchone() == (0,)
            assert connection.execute("SELECT count(*) FROM subscriber").fetchone() == (PEOPLE,)


@pytest.mark.parametrize(("is_shared", "seconds"), [(False, 250), (True, 650 / 3)])
def test_a_provider_that_is_the_limit_is_faster_for_the_last_batches(
    workspaces: Callable[[str], Config], monkeypatch: pytest.MonkeyPatch, is_shared: bool, seconds: float
) -> None:
    """Seven batches over three connections: in the third round, only one connection has something to do."""
    tempo = Tempo(seconds=(1.0,), unit="email", is_shared=is_shared)
    monkeypatch.setattr(rehearse_module, "tempo_of", lambda *_, **__: tempo)
    found = rehearsed(workspaces(SMTP))
    assert (found.handed_over - NOW).total_seconds() == pytest.approx(seconds, rel=0.01)


@pytest.mark.parametrize("left", ["newsletter.db-wal", "newsletter.db-wal newsletter.db-shm"])
def test_what_a_killed_program_left_beside_the_list_stays(tmp_path: Path, left: str) -> None:
    """A program that opened such a list to write to it would tidy up after the other one."""
    root = write_workspace(tmp_path / "killed", {"newsletter.toml": CONFIG + SMTP})
    with open_test_database(tmp_path / "newsletter.db") as database:
        add(database, *(row(f"person{n}@example.org") for n in range(20)))
        add(database, row("late@example.org"))
        for name in ("newsletter.db", *left.split()):
            (root / name).write_bytes((tmp_path / name).read_bytes())
    before = bytes_below(root)
    assert rehearsed(load_config(root)).tally.accepted == 21
    assert bytes_below(root) == before


def test_nothing_begins_before_the_grace_period_is_over(workspaces: Callable[[str], Config]) -> None:
    found = rehearsed(workspaces(SMTP + '[delivery]\ngrace = "5m"\n'), with_failures=True)
    assert NOW + timedelta(minutes=5) < found.first < NOW + timedelta(minutes=6)
    assert found.tally.accepted == PEOPLE
