"""Proofs of a small broadcast, on each engine in turn, or as files for tests that need no database."""

from tests.store.conftest import database, engine, fresh_location, location  # noqa: F401 - fixtures
