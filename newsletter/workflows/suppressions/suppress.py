"""Add, list, remove and export blocked addresses (suppressions)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TextIO

from newsletter.errors import InputError
from newsletter.lists.addresses import checked_address
from newsletter.lists.cells import require_one_line
from newsletter.lists.exports import write_suppressions, write_suppressions_json
from newsletter.lists.suppression_list import read_suppressions
from newsletter.lists.suppression_rows import SuppressionTerms
from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.settings.mistakes import suggestion
from newsletter.store.database import Database
from newsletter.store.suppressions import count_suppressions, list_suppressions, remove_suppression, suppressions_of
from newsletter.system.files import private_file

WRITERS: Mapping[str, Callable[[Iterable[Suppression], TextIO], int]] = {
    "csv": write_suppressions,
    "json": write_suppressions_json,
}
Topics = Mapping[str, str]  # topic name → title, from newsletter.toml


def named_suppressions(
    emails: Sequence[str], terms: SuppressionTerms, *, topics: Topics, now: datetime
) -> tuple[Suppression, ...]:
    """Return suppressions for addresses. Raise InputError with every invalid address, or if the topic is unknown."""
    require_topic(terms.topic, topics)
    detail, reason = require_one_line("--because", terms.detail), terms.reason or SuppressionReason.UNSUBSCRIBED
    faults, suppressions = [], []
    for email in emails:
        try:
            address = checked_address(email.strip())
        except ValueError as err:
            faults.append(f"{err}; write an address such as name@example.org")
            continue
        suppressions.append(Suppression(email=address, reason=reason, created_at=now, topic=terms.topic, detail=detail))
    if faults:
        raise InputError("\n".join(faults))
    return tuple(suppressions)


def listed_suppressions(
    path: Path,
    terms: SuppressionTerms,
    *,
    topics: Topics,
    mapping: Mapping[str, str] = MappingProxyType({}),
    now: datetime,
    on_row: Callable[[int], None],
    on_skipped: Callable[[tuple[str, ...]], None] = lambda _: None,
) -> Iterator[Suppression]:
    """Yield the suppressions in a file, as `read_suppressions` does, and raise the same errors."""
    require_topic(terms.topic, topics)
    require_one_line("--because", terms.detail)
    return read_suppressions(
        path, terms=terms, topics=topics, mapping=mapping, now=now, on_row=on_row, on_skipped=on_skipped
    )


def suppressed(
    database: Database, *, topic: str | None, reason: SuppressionReason | None, topics: Topics
) -> Iterator[Suppression]:
    """Yield the suppressions, ordered by address, optionally only those of one topic or one reason.

    Raise InputError if the topic is not defined and has no suppressions.
    """
    if topic and topic not in topics and not count_suppressions(database, topic=topic):
        require_topic(topic, topics)
    return list_suppressions(database, topic=topic, reason=reason)


def require_lift(database: Database, email: str, *, topic: str, topics: Topics) -> Suppression:
    """Return the suppression that `lift` would remove. Raise InputError if there is none."""
    known = suppressions_of(database, email)
    for each in known:
        if each.topic == topic:
            return each
    if not known:
        require_topic(topic, topics)
        raise InputError(f"{email!r} is not a blocked address; to see them all, run `newsletter suppressions list`")
    others = " and ".join(f"for the topic {each.topic}" if each.topic else "for all email" for each in known)
    given = [f"--topic {each.topic}" if each.topic else "no --topic" for each in known]
    remedy = f"run the command again with {' or '.join(given)}"
    wanted = f"for the topic {topic}" if topic else "for all email"
    raise InputError(f"{email!r} is not blocked {wanted}, but {others}; {remedy}")


def lift(
    database: Database, found: Suppression, *, because: str, key: bytes | None = None, now: datetime
) -> tuple[Suppression, ...]:
    """Remove a suppression and save the reason. Return the suppressions that remain for the address.

    `key` is the key with which people were erased: their addresses are not saved, not even in a reason.
    """
    words = require_one_line("--because", because)
    if not words:
        raise InputError('the reason is missing; add it, for example --because "asked by phone to get it again"')
    remove_suppression(database, found.email, topic=found.topic, because=words, key=key, now=now)
    return suppressions_of(database, found.email)


def export_to_file(suppressions: Iterable[Suppression], path: Path, *, form: str, overwrite: bool) -> int:
    """Write suppressions to a file that only its owner can read. Return the number written.

    `form` is a key of WRITERS. The file is written completely or not at all. Raise InputError if it cannot be written,
    or if it exists and `overwrite` is False.
    """
    with private_file(path, overwrite=overwrite) as file:
        return WRITERS[form](suppressions, file)


def require_topic(topic: str, topics: Topics) -> None:
    """Raise InputError if a topic is given but not defined."""
    if not topic or topic in topics:
        return
    if not topics:
        raise InputError(f"there is no topic {topic!r}; add it to newsletter.toml under [topics], or leave out --topic")
    raise InputError(f"there is no topic {topic!r} in newsletter.toml; {suggestion(topic, sorted(topics))}")
