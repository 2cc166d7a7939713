"""A tracked workspace, and issues that were sent to a simulated audience."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from newsletter.config import Config, load_config
from newsletter.model.broadcast import Broadcast
from newsletter.store.database import Database
from newsletter.store.report import targets_of
from newsletter.system.moments import text_of
from newsletter.workflows.events.ingest import ingest
from tests.store.builders import add, row
from tests.store.conftest import database, engine, fresh_location, location  # noqa: F401
from tests.store.empty_file import open_test_database
from tests.workflows.report.audience import Person, Simulation, people
from tests.workflows.tracking.broadcasts import send
from tests.workspaces import CONFIG, write_workspace

SENT_AT = datetime(2026, 2, 19, 8, tzinfo=UTC)
LATER = SENT_AT + timedelta(days=60)  # when everything has been reported


@dataclass(frozen=True, slots=True)
class World:
    """An issue that was sent to simulated people, and what they did."""

    config: Config
    database: Database
    broadcast: Broadcast
    recipients: list[Person]
    simulation: Simulation


def send_to_audience(config: Config, opened: Database, *, count: int, seed: int) -> World:
    """Send the only issue to invented people, and take in what they and machines do, in a random order."""
    recipients = people(count, seed)
    add(opened, *(row(each.email, language=each.language, tags=()) for each in recipients))
    with opened.transaction() as connection:
        connection.execute_each(
            "UPDATE subscriber SET tracking_consented_at = '2000-01-01T00:00:00Z' WHERE id = :id",
            [{"id": each.id} for each in recipients if each.agrees],
        )
    broadcast, _ = send(config, opened, now=SENT_AT)
    with opened.transaction() as connection:
        connection.execute("UPDATE chunk SET changed_at = :at", {"at": text_of(SENT_AT)})
    # A scanner is known by following several links at once, and the small issue has only a few.
    more = (f"https://www.example.org/{number}" for number in range(6))
    links = (*dict.fromkeys(targets_of(opened, [broadcast.id]).values()), *more)
    simulation = Simulation(broadcast, links, sent_at=SENT_AT, seed=seed)
    events = simulation.events(recipients)
    while some := list(islice(events, 5000)):
        ingest(config, opened, some, now=SENT_AT + timedelta(days=1), tidies=False)
    return World(config, opened, broadcast, recipients, simulation)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    root = tmp_path_factory.mktemp("workspace")
    tracking = '[tracking]\nmode = "consented"\n'
    return load_config(write_workspace(root, {"newsletter.toml": f"{CONFIG}\n{tracking}"}))


@pytest.fixture(scope="module")
def audience(config: Config) -> Iterator[Callable[[int], World]]:
    """Send the issue to this many people, once per module."""
    with open_test_database(config.database) as opened:
        made: list[World] = []

        def of(count: int) -> World:
            if not made:
                made.append(send_to_audience(config, opened, count=count, seed=18))
            return made[0]

        yield of
