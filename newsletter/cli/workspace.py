"""The workspace in which a command runs: its configuration, and its database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from newsletter.cli import output
from newsletter.config import Config, find_workspace, load_config
from newsletter.providers.registry import with_known_provider
from newsletter.store.database import Database
from newsletter.store.opening import open_database


def current_config() -> Config:
    """Return the configuration of the workspace in which the command runs."""
    return with_known_provider(load_config(find_workspace(Path.cwd())))


@contextmanager
def opened_database() -> Iterator[tuple[Config, Database]]:
    """Give the configuration of the workspace, and its database while the block lasts."""
    config = current_config()
    with open_database(config.database, on_copy=_say_copied) as database:
        yield config, database


def _say_copied(copy: str) -> None:
    output.note(f"The database was brought to this version of newsletter; a copy from before is {copy}.")
