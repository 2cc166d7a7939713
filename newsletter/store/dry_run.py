"""Carry out a change as a dry run: do everything, and then roll it back, so that its report is exact."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

from newsletter.store.database import Connection


class _DryRunIsOverError(Exception):
    """Raised to roll back the transaction of a dry run."""


@contextmanager
def unless_dry_run(transaction: AbstractContextManager[Connection], *, is_dry_run: bool) -> Iterator[Connection]:
    """Yield the connection of a transaction, which is rolled back at the end if this is a dry run."""
    with suppress(_DryRunIsOverError), transaction as connection:
        yield connection
        if is_dry_run:
            raise _DryRunIsOverError
