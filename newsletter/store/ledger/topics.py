"""What a broadcast is about, and that whoever left all of it does not get it."""

from collections.abc import Collection, Sequence

import orjson

from newsletter.store.database import Connection
from newsletter.store.queries import load_queries

_SQL = load_queries("topics")


def keep_topics(connection: Connection, broadcast_id: int, topics: Collection[str]) -> None:
    """Keeps what a new broadcast is about."""
    _SQL.add_topic(connection, [{"broadcast": broadcast_id, "topic": topic} for topic in sorted(set(topics))])


def exclude_left(connection: Connection, topics: Collection[str], *, settlement: int) -> tuple[str, int]:
    """Excludes those in the table `member` who left all of the topics: with which reason, and how many.

    Where there are no topics, nobody can have left them.
    """
    names = sorted(set(topics))
    if not names:
        return "", 0
    listed = orjson.dumps(names).decode()
    return _reason(names), _SQL.exclude_left(connection, topics=listed, count=len(names), settlement=settlement)


def reason_of_leaving(connection: Connection, broadcast_id: int) -> str:
    """Why somebody is excluded who left all topics of a broadcast; empty where nobody can have done so."""
    topics = list(_SQL.topics_of(connection, broadcast=broadcast_id))
    if not topics or not all(is_left for _, is_left in topics):
        return ""
    return _reason([topic for topic, _ in topics])


def _reason(topics: Sequence[str]) -> str:
    if len(topics) == 1:
        return f"left the topic {topics[0]}"
    return f"left the topics {', '.join(topics[:-1])} and {topics[-1]}"
