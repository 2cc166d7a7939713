"""The topics of a broadcast, and the exclusion of people who left all of them."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import orjson

from newsletter.store.database import Connection
from newsletter.store.queries import change, query_all


class TopicRow(NamedTuple):
    """A topic of a broadcast, and whether anyone left it."""

    topic: str
    is_left: bool


_ADD_TOPIC = change("topics", "add_topic")
_EXCLUDE_LEFT = change("topics", "exclude_left")
_TOPICS_OF = query_all("topics", "topics_of", TopicRow)


def keep_topics(connection: Connection, broadcast_id: int, topics: Collection[str]) -> None:
    """Save the topics of a new broadcast."""
    _ADD_TOPIC.for_each(connection, [{"broadcast": broadcast_id, "topic": topic} for topic in sorted(set(topics))])


def exclude_left(connection: Connection, topics: Collection[str], *, settlement: int) -> tuple[str, int]:
    """Exclude the people in the `member` table who left all of the topics. Return the reason and the number of people.

    If there are no topics, no one can have left them.
    """
    names = sorted(set(topics))
    if not names:
        return "", 0
    listed = orjson.dumps(names).decode()
    return _reason(names), _EXCLUDE_LEFT(connection, topics=listed, count=len(names), settlement=settlement)


def reason_of_leaving(connection: Connection, broadcast_id: int) -> str:
    """Return the reason for excluding people who left all topics of a broadcast, or an empty string if no one did.

    No one can have left all topics if the broadcast has none, or if it has one that no one left.
    """
    topics = _TOPICS_OF(connection, broadcast=broadcast_id)
    if not topics or not all(row.is_left for row in topics):
        return ""
    return _reason([row.topic for row in topics])


def _reason(topics: Sequence[str]) -> str:
    if len(topics) == 1:
        return f"left the topic {topics[0]}"
    return f"left the topics {', '.join(topics[:-1])} and {topics[-1]}"
