"""Placeholder until the engine is written."""

from newsletter.errors import StoreError
from newsletter.store.database import Database


def open_postgresql(url: str, *, wait_seconds: float) -> Database:
    """Opens the database of a URL."""
    raise StoreError(f"{url}: PostgreSQL is not supported yet ({wait_seconds})")
