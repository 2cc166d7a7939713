"""What is stored for proofs: the checks of a broadcast, and the lines of its newest proof with their salts.

A page holds a number of lines that is a power of two, so that it is a whole subtree. Once a person is erased, their
salt is gone and the hash of their line stays.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, cast

from msgspec import json, msgpack

from newsletter.model.merkle import HASH_BYTES, path_of
from newsletter.model.proof import Opening, ProvedChecks
from newsletter.store.database import Connection
from newsletter.store.queries import change, query_all, query_one
from newsletter.system.moments import text_of

_PAGE = 4096  # lines; a power of two
_FASTEST = 1  # of the levels of zlib: a million lines would take three times as long at the default, to save a tenth


class ResultRow(NamedTuple):
    """What happened to the deliveries of a chunk, or of a settlement."""

    chunk: int | None
    settlement: int | None
    outcome: str
    reason: str
    at: str


class ConsentRow(NamedTuple):
    """A consent that a newer one has replaced."""

    subscriber: int
    consented_at: str
    source: str
    wording: str
    confirmed_at: str


class LineRow(NamedTuple):
    """A delivery, and the consent of its recipient."""

    subscriber: int
    chunk: int | None
    settlement: int | None
    email: str  # empty if the person has been removed from the list
    basis: str
    consented_at: str
    source: str
    wording: str
    confirmed_at: str


class PageOfLines(NamedTuple):
    """A page of the lines of a proof."""

    number: int
    leaves: bytes
    openings: bytes


class PageOfProof(NamedTuple):
    """What opens the lines of one page of one proof."""

    broadcast: int
    number: int
    openings: bytes


class StoredLine(NamedTuple):
    """One line of a proof."""

    number: int  # among all lines, from 0
    opening: Opening
    path: Sequence[bytes]  # from its leaf to the root of all lines


_KEEP_CHECKS = change("proofs", "keep_checks")
_FIND_CHECKS = query_one("proofs", "find_checks", str)
EXPRESSION_OF = query_one("proofs", "expression_of", str)
RESULTS = query_all("proofs", "results", ResultRow)
_REPLACED_CONSENTS = query_all("proofs", "replaced_consents", ConsentRow)
_LINES = query_all("proofs", "lines", LineRow)
_DROP = tuple(change("proofs", name) for name in ("drop_pages", "drop_bundle"))
_ADD_PAGE = change("proofs", "add_page")
_KEEP_BUNDLE = change("proofs", "keep_bundle")
_FIND_BUNDLE = query_one("proofs", "find_bundle", bytes)
_ROOTS = query_all("proofs", "roots", bytes)
_PAGE_WITH = query_one("proofs", "page_with", PageOfLines)
_PAGES_WITH = query_all("proofs", "pages_with", PageOfProof)
_SET_OPENINGS = change("proofs", "set_openings")


def keep_checks(connection: Connection, broadcast_id: int, checks: ProvedChecks) -> None:
    """Save what the checks found before a broadcast began."""
    _KEEP_CHECKS(connection, broadcast=broadcast_id, result=json.encode(checks).decode())


def find_checks(connection: Connection, broadcast_id: int) -> ProvedChecks | None:
    """Return what the checks found before a broadcast began, or None if that was not recorded."""
    found = _FIND_CHECKS(connection, broadcast=broadcast_id)
    return None if found is None else json.decode(found, type=ProvedChecks)


def replaced_consents(connection: Connection, *, since: datetime) -> dict[int, ConsentRow]:
    """Return the consent that was on record at a time, of the people whose consent has been replaced since then."""
    return {row.subscriber: row for row in _REPLACED_CONSENTS(connection, since=text_of(since))}


def line_pages(connection: Connection, broadcast_id: int) -> Iterator[list[LineRow]]:
    """Yield the deliveries of a broadcast in the order of the subscribers, in pages of _PAGE.

    Each is a plain tuple with the fields of `LineRow`, because there may be millions. They come from one query: without
    statistics, PostgreSQL would sort all that are left for each page.
    """
    sql = _LINES.sql.replace(":broadcast", str(int(broadcast_id)))  # a query with pages takes no parameters
    for page in connection.pages(sql, _PAGE):
        yield cast("list[LineRow]", page)


def drop_proof(connection: Connection, broadcast_id: int) -> None:
    """Delete the earlier proof of a broadcast, and its lines."""
    for drop in _DROP:
        drop(connection, broadcast=broadcast_id)


def keep_page(
    connection: Connection,
    broadcast_id: int,
    number: int,
    *,
    root: bytes,
    leaves: Iterable[bytes],
    openings: Sequence[Opening],
) -> None:
    """Save a page of lines."""
    _ADD_PAGE(
        connection,
        broadcast=broadcast_id,
        number=number,
        first_subscriber=openings[0].subscriber,
        last_subscriber=openings[-1].subscriber,
        root=root,
        leaves=b"".join(leaves),
        openings=_packed(openings),
    )


def keep_bundle(connection: Connection, broadcast_id: int, bundle: bytes) -> None:
    """Save the bundle of a proof, from which the same file can be written again."""
    _KEEP_BUNDLE(connection, broadcast=broadcast_id, bundle=zlib.compress(bundle))


def find_bundle(connection: Connection, broadcast_id: int) -> bytes | None:
    """Return the bundle of the newest proof of a broadcast, or None if there is none."""
    found = _FIND_BUNDLE(connection, broadcast=broadcast_id)
    return None if found is None else zlib.decompress(found)


def find_line(connection: Connection, broadcast_id: int, subscriber_id: int) -> StoredLine | None:
    """Return the line of a subscriber in the newest proof of a broadcast, or None if there is none."""
    page = _PAGE_WITH(connection, broadcast=broadcast_id, subscriber=subscriber_id)
    if page is None:
        return None
    for place, opening in enumerate(_unpacked(page.openings)):
        if opening.subscriber == subscriber_id:
            leaves = [page.leaves[at : at + HASH_BYTES] for at in range(0, len(page.leaves), HASH_BYTES)]
            roots = _ROOTS(connection, broadcast=broadcast_id)
            path = [*path_of(leaves, place), *path_of(roots, page.number)]
            return StoredLine(number=page.number * _PAGE + place, opening=opening, path=path)
    return None


def close_lines(connection: Connection, subscriber_id: int) -> None:
    """Delete what opens the lines of a person in all proofs. The proofs stay valid."""
    for page in _PAGES_WITH(connection, subscriber=subscriber_id):
        openings = _unpacked(page.openings)
        closed = [Opening(subscriber_id) if each.subscriber == subscriber_id else each for each in openings]
        if closed != openings:
            _SET_OPENINGS(connection, broadcast=page.broadcast, number=page.number, openings=_packed(closed))


def _packed(openings: Sequence[Opening]) -> bytes:
    return zlib.compress(msgpack.encode(openings), _FASTEST)


def _unpacked(openings: bytes) -> list[Opening]:
    return msgpack.decode(zlib.decompress(openings), type=list[Opening])
