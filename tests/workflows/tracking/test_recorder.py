"""What was noted after an answer is saved before the service ends."""

from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from newsletter.errors import StoreError
from newsletter.model.event import BroadcastKey, CountedEvent, EventType
from newsletter.store.database import Database
from newsletter.workflows.tracking import recorder
from newsletter.workflows.tracking.recorder import Recorder
from tests.store.builders import add_people, freeze
from tests.store.conftest import database, engine, fresh_location, location  # noqa: F401 - each engine in turn
from tests.workspaces import write_workspace


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(write_workspace(tmp_path / "workspace"))


@pytest.fixture
def click(database: Database) -> CountedEvent:  # noqa: F811
    """A click in a broadcast."""
    add_people(database, 3)
    broadcast = freeze(database)
    return CountedEvent(BroadcastKey(broadcast.id, broadcast.nonce), EventType.CLICKED, "", "https://example.org/")


def clicks(database: Database) -> int:  # noqa: F811
    with database.read() as connection:
        rows = connection.execute("SELECT events FROM event_total", {}).fetchall()
    return sum(int(str(events)) for (events,) in rows)


def test_what_nobody_has_saved_yet_is_saved_at_the_end(config: Config, database: Database, click: CountedEvent) -> None:  # noqa: F811
    with Recorder(config, database) as saving:
        saving.note(click)
        saving.note(click)
        before = clicks(database)

    assert (before, clicks(database)) == (0, 2)


@pytest.mark.parametrize(("failures", "saved"), [(1, 1), (2, 1), (3, 0)])
def test_at_the_end_a_database_that_is_busy_is_tried_again_and_a_loss_is_logged(
    config: Config,
    database: Database,  # noqa: F811
    click: CountedEvent,
    monkeypatch: pytest.MonkeyPatch,
    failures: int,
    saved: int,
) -> None:
    left, add_totals, logged = [failures], recorder.add_totals, []

    def busy(*arguments: object) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise StoreError("the database is locked")
        add_totals(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(recorder, "add_totals", busy)
    monkeypatch.setattr(recorder, "_SECONDS_BETWEEN", (0.0, 0.0, 0.0))
    with Recorder(config, database, log=lambda words, **fields: logged.append((words, fields))) as saving:
        saving.note(click)

    assert clicks(database) == saved
    assert [fields for _, fields in logged] == ([] if saved else [{"lost": 1}])
