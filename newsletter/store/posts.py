"""What providers posted: saved before it is answered, and interpreted afterwards."""

import zlib
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import orjson

from newsletter.store.database import Connection, Database
from newsletter.store.queries import change, query_all, query_value
from newsletter.system.moments import text_of

_LARGEST_BATCH = 500_000  # bytes, compressed
_FAST = 1  # the level of compression; higher ones save little of such repetitive texts


class Post(NamedTuple):
    """A saved post."""

    id: int
    content: bytes

    @property
    def entries(self) -> tuple[Mapping[str, object], ...]:
        """What was posted. It is read only now, so that damage in one post keeps no other from being read."""
        return tuple(orjson.loads(zlib.decompress(self.content)))


class PersonOfId(NamedTuple):
    """A person on the list."""

    id: int
    person: str


_ADD = change("posts", "add")
_WAITING = query_all("posts", "waiting", Post)
_COUNT_WAITING = query_value("posts", "count_waiting", int)
_SET_INTERPRETED = change("posts", "set_interpreted")
_DELETE = change("posts", "delete")
_PERSONS = query_all("posts", "persons", PersonOfId)
_IDS = query_all("posts", "ids", PersonOfId)


def add_post(
    connection: Connection,
    provider: str,
    entries: Collection[Mapping[str, object]],
    *,
    digest: bytes,
    now: datetime,
) -> bool:
    """Save a post in an open transaction. Return False if the same body, by its digest, has been saved before."""
    content = zlib.compress(orjson.dumps(entries), _FAST)
    done = "" if entries else text_of(now)  # there is nothing to interpret
    row = {"provider": provider, "digest": digest, "content": content, "received_at": text_of(now)}
    return bool(_ADD(connection, **row, interpreted_at=done))


def waiting_posts(database: Database, *, most: int) -> tuple[Post, ...]:
    """Return the oldest posts that are still to be interpreted, at most `most` and not too large together."""
    posts: list[Post] = []
    size = 0
    for post in _WAITING.ask(database, most=most):
        size += len(post.content)
        if posts and size > _LARGEST_BATCH:
            break
        posts.append(post)
    return tuple(posts)


def count_waiting_posts(database: Database) -> int:
    """Return the number of posts that are still to be interpreted."""
    return _COUNT_WAITING.ask(database)


def set_interpreted(database: Database, posts: Iterable[Post], *, failure: str = "", now: datetime) -> None:
    """Save that posts were interpreted, or why they cannot be. They are not interpreted again."""
    numbers = orjson.dumps([post.id for post in posts]).decode()
    with database.transaction() as connection:
        _SET_INTERPRETED(connection, posts=numbers, now=text_of(now), failure=failure)


def delete_posts(connection: Connection, *, before: datetime) -> int:
    """Delete the interpreted posts that were received before a moment. Return their number."""
    return _DELETE(connection, before=text_of(before))


def persons_of(connection: Connection, subscribers: Collection[int]) -> dict[int, str]:
    """Return the person behind each of these numbers, if they are on the list."""
    return dict(_PERSONS(connection, subscribers=_json(subscribers))) if subscribers else {}


def ids_of(connection: Connection, persons: Collection[str]) -> dict[str, int]:
    """Return the number of each of these people who is on the list."""
    return {person: number for number, person in _IDS(connection, persons=_json(persons))} if persons else {}


def _json(values: Iterable[object]) -> str:
    return orjson.dumps(list(values)).decode()
