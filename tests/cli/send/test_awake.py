"""How long a terminal stays that sends a scheduled broadcast itself."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.store.ledger.broadcasts import finish_if_done, pause_broadcast
from newsletter.workflows.send.awake import is_unfinished
from tests.store.builders import add_people, freeze
from tests.store.empty_file import open_test_database

NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("continues_at", "stays"),
    [(None, False), (NOW + timedelta(hours=1), True), (NOW - timedelta(minutes=1), True)],
)
def test_a_pause_that_passes_does_not_end_it(tmp_path: Path, continues_at: datetime | None, stays: bool) -> None:
    with open_test_database(tmp_path / "newsletter.db") as database:
        add_people(database, 2)
        broadcast = freeze(database)
        assert is_unfinished(database, broadcast.id)
        pause_broadcast(database, broadcast.id, "the quota is used up", now=NOW, continues_at=continues_at)
        finish_if_done(database, broadcast.id, now=NOW)
        assert is_unfinished(database, broadcast.id) is stays
