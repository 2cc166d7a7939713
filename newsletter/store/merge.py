"""Merges the rows of a list into the audience: all of them, or none."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import lru_cache

import orjson

from newsletter.model.address import person_of
from newsletter.model.audience import ImportReport, ImportRow, RejectedRow
from newsletter.store.database import Connection, Database
from newsletter.store.moments import text_of
from newsletter.store.queries import load_queries
from newsletter.store.subscribers import digest_of

_SQL = load_queries("merge")
_PROGRESS_STEP = 5000
_TOKEN_BYTES = 16
_TOKENS_AT_ONCE = 256


def merge_subscribers(
    database: Database,
    rows: Iterable[ImportRow | RejectedRow],
    *,
    now: datetime,
    on_progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Adds and updates subscribers, in one transaction that a failure or an exception of `rows` undoes.

    What a row leaves empty is kept, tags are added, attributes are merged by name. Of several rows of one person the
    first counts; the others are rejected with its line. `on_progress` is told now and then how many rows were read.
    """
    with database.transaction() as connection:
        _SQL.create_incoming(connection)
        staging = _Staging(rows, dict(_SQL.former_subscribers(connection)), on_progress or (lambda _: None))
        connection.load("incoming", staging.staged())
        _SQL.index_incoming(connection)
        rejected = [*staging.rejected, *_reject_repeated(connection)]
        taken = staging.count - len(rejected)
        stamp = text_of(now)
        updated = _SQL.update_known(connection, now=stamp)
        added = _SQL.add_returning(connection, now=stamp) + _SQL.add_new(connection, now=stamp)
        _SQL.add_tags(connection)
        _SQL.add_attribute_name(connection, [{"name": name} for name in sorted(staging.attributes)])
        _SQL.forget_former(connection)
        suppressed = _SQL.count_suppressed(connection)
        _SQL.drop_incoming(connection)
    return ImportReport(
        added=added,
        updated=updated,
        unchanged=taken - added - updated,
        rejected=tuple(sorted(rejected, key=lambda row: row.line)),
        suppressed=suppressed,
    )


class _Staging:
    """Turns rows into parameters one by one, and keeps account of them on the way."""

    def __init__(
        self, rows: Iterable[ImportRow | RejectedRow], former: dict[bytes, int], on_progress: Callable[[int], None]
    ) -> None:
        self.count = 0
        self.rejected: list[RejectedRow] = []
        self.attributes: set[str] = set()
        self._rows = rows
        self._former = former
        self._on_progress = on_progress
        self._tokens = _unguessable_tokens()

    def staged(self) -> Iterator[tuple[object, ...]]:
        """The rows of the table `incoming`."""
        for row in self._rows:
            self.count += 1
            if self.count % _PROGRESS_STEP == 0:
                self._on_progress(self.count)
            if isinstance(row, RejectedRow):
                self.rejected.append(row)
                continue
            person = person_of(row.email)
            attributes = "{}"
            if row.attributes:
                self.attributes.update(row.attributes)
                attributes = orjson.dumps(dict(row.attributes)).decode()
            yield (
                row.line,
                person,
                self._former.get(digest_of(person)) if self._former else None,
                row.email,
                row.first_name,
                row.last_name,
                row.language,
                row.timezone,
                text_of(row.consented_at) if row.consented_at else "",
                row.consent_source,
                attributes,
                _tags_text(row.tags),
                next(self._tokens),
            )


def _reject_repeated(connection: Connection) -> list[RejectedRow]:
    repeated = [
        RejectedRow(line=line, email=email, reason=f"the address stands already on line {first_line}")
        for line, email, first_line in _SQL.repeated_rows(connection)
    ]
    _SQL.drop_row(connection, [{"line": row.line} for row in repeated])
    return repeated


def _unguessable_tokens() -> Iterator[str]:
    """Random numbers of 128 bits; drawn many at a time, for each draw is a call of the system."""
    while True:
        drawn = secrets.token_hex(_TOKEN_BYTES * _TOKENS_AT_ONCE)
        for start in range(0, len(drawn), 2 * _TOKEN_BYTES):
            yield drawn[start : start + 2 * _TOKEN_BYTES]


@lru_cache(maxsize=4096)
def _tags_text(tags: tuple[str, ...]) -> str:
    return orjson.dumps(tags).decode()
