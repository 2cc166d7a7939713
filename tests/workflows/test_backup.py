"""A backup taken while a broadcast is being sent, restored after it went on: no one gets the issue twice."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from newsletter.errors import InputError, StoreError
from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.model.ledger import Resolution
from newsletter.providers.base import Provider
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import resume_broadcast
from newsletter.store.ledger.resolve import resolve_chunk, unknown_chunks
from newsletter.store.ledger.status import tally_of
from newsletter.workflows.backup import RestoredWorkspace, backup_workspace, holds_data, restore_workspace
from newsletter.workflows.send.drain import drain_broadcast
from tests.fakes.sendgrid_api import SendGridApi
from tests.providers.workspace import opened, sendgrid_settings
from tests.store.builders import NOW, add_people, freeze
from tests.store.conftest import database, engine, fresh_location, location  # noqa: F401 - each engine in turn
from tests.store.empty_file import open_test_database

KEY = "SG.test-key"


@pytest.fixture
def api() -> Iterator[SendGridApi]:
    """SendGrid's API on loopback."""
    with SendGridApi(api_key=KEY) as running:
        yield running


@pytest.fixture
def provider(tmp_path: Path, api: SendGridApi) -> Provider:
    return opened(tmp_path, sendgrid_settings(api.url, more="concurrency = 1"), {"SENDGRID_API_KEY": KEY})


def ignore(_share: float) -> None:
    """Hears progress."""


def restored(database: Database, file: Path) -> RestoredWorkspace:  # noqa: F811
    return restore_workspace(database, file, root=file.parent, key=None, now=NOW, on_progress=ignore)


def send_and_back_up(database: Database, broadcast: Broadcast, provider: Provider, file: Path) -> Broadcast:  # noqa: F811
    """Sends all, and makes a backup once the first chunk was taken."""
    settled: list[int] = []

    def settle(number: int) -> None:
        if not settled:
            backup_workspace(database, file, now=NOW, on_progress=ignore)
        settled.append(number)

    return drain_broadcast(database, broadcast, provider, on_settled=settle, stop=Event())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup.db"


def test_nobody_gets_an_issue_twice_after_a_restore(
    database: Database,  # noqa: F811
    provider: Provider,
    api: SendGridApi,
    file: Path,
) -> None:
    add_people(database, 30)
    broadcast = freeze(database, provider="sendgrid")
    ended = send_and_back_up(database, broadcast, provider, file)
    assert (ended.state, len(api.accepted)) == (BroadcastState.DONE, 30)

    done = restored(database, file)

    assert sum(each.people for each in done.restored.open) == tally_of(database, broadcast.id).unknown >= 10
    resumed = resume_broadcast(database, broadcast.id, now=NOW)
    drain_broadcast(database, resumed, provider, on_settled=lambda _: None, stop=Event())
    with pytest.raises(InputError, match="30 already in broadcast 1"):
        freeze(database, provider="sendgrid")
    assert set(Counter(mail.email for mail in api.accepted).values()) == {1}
    assert tally_of(database, broadcast.id).adds_up


def test_what_surely_did_not_leave_can_be_sent_by_a_person(
    database: Database,  # noqa: F811
    provider: Provider,
    api: SendGridApi,
    file: Path,
) -> None:
    add_people(database, 20)
    broadcast = freeze(database, provider="sendgrid")
    backup_workspace(database, file, now=NOW, on_progress=ignore)
    restored(database, file)

    for chunk in unknown_chunks(database, broadcast.id):
        resolve_chunk(database, 1, chunk.number, chunk.attempt, Resolution.RESEND, detail="looked", now=NOW)
    resumed = resume_broadcast(database, broadcast.id, now=NOW)
    drain_broadcast(database, resumed, provider, on_settled=lambda _: None, stop=Event())

    assert Counter(mail.email for mail in api.accepted) == {f"person{number:05}@example.org": 1 for number in range(20)}


def test_the_data_that_a_restore_replaces_are_kept_beside(database: Database, file: Path) -> None:  # noqa: F811
    add_people(database, 3)
    backup_workspace(database, file, now=NOW, on_progress=ignore)
    add_people(database, 2, prefix="late")

    asides = [restored(database, file).aside for _ in range(2)]

    names = ["newsletter-before-restore-20260219.db", "newsletter-before-restore-20260219-1.db"]
    assert [aside and aside.name for aside in asides] == names
    with open_test_database(file.with_name("other.db")) as other:
        assert asides[0] is not None
        assert restored(other, asides[0]).aside is None
        assert holds_data(other)
        with other.read() as connection:
            assert connection.execute("SELECT count(*) FROM subscriber", {}).fetchone() == (5,)


def test_a_restore_that_fails_leaves_no_backup_beside(database: Database, file: Path) -> None:  # noqa: F811
    add_people(database, 3)

    with pytest.raises(StoreError, match="there is no file "):
        restored(database, file)

    assert not list(file.parent.glob("newsletter-before-restore-*"))
