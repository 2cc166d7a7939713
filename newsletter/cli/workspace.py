"""The workspace in which a command runs: its configuration and its database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from newsletter.cli import output
from newsletter.config import Config, find_workspace, load_config
from newsletter.providers.registry import with_known_provider
from newsletter.store.database import Database
from newsletter.store.opening import open_database
from newsletter.system.environment import certificate_notes


def current_config(*, prints_notes: bool = True) -> Config:
    """Return the configuration of the workspace around the current folder."""
    config = with_known_provider(load_config(find_workspace(Path.cwd())))
    for text in (*config.notes, *certificate_notes()) if prints_notes else ():
        output.note(text)
    return config


@contextmanager
def opened_database(*, prints_notes: bool = True) -> Iterator[tuple[Config, Database]]:
    """Yield the configuration of the workspace and its database, which is open until the block ends."""
    config = current_config(prints_notes=prints_notes)
    with open_database(config.database, workspace=config.root, on_copy=_say_copied) as database:
        yield config, database


def _say_copied(copy: str) -> None:
    output.note(f"The database was updated for this version of newsletter. A copy of the old database is in {copy}.")
