"""Keep the addresses that must not be mailed."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TextIO

from newsletter.errors import InputError
from newsletter.lists.addresses import checked_address
from newsletter.lists.cells import require_one_line
from newsletter.lists.exports import write_suppressions, write_suppressions_json
from newsletter.lists.suppression_list import SuppressionTerms, read_suppressions
from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.settings.mistakes import suggestion
from newsletter.store.database import Database
from newsletter.store.suppressions import count_suppressions, list_suppressions, remove_suppression, suppressions_of
from newsletter.system.files import private_file

WRITERS: Mapping[str, Callable[[Iterable[Suppression], TextIO], int]] = {
    "csv": write_suppressions,
    "json": write_suppressions_json,
}
Topics = Mapping[str, str]  # of newsletter.toml: each name, and its title


def named_suppressions(
    emails: Sequence[str], terms: SuppressionTerms, *, topics: Topics, now: datetime
) -> tuple[Suppression, ...]:
    """Return the suppressions of addresses; raise InputError with all that are none, or for an unknown topic."""
    require_topic(terms.topic, topics)
    detail, reason = require_one_line("--because", terms.detail), terms.reason or SuppressionReason.UNSUBSCRIBED
    faults, suppressions = [], []
    for email in emails:
        try:
            address = checked_address(email.strip())
        except ValueError as err:
            faults.append(f"{err}; write it as name@example.org")
            continue
        suppressions.append(Suppression(email=address, reason=reason, created_at=now, topic=terms.topic, detail=detail))
    if faults:
        raise InputError("\n".join(faults))
    return tuple(suppressions)


def listed_suppressions(
    path: Path, terms: SuppressionTerms, *, topics: Topics, now: datetime, on_row: Callable[[int], None]
) -> Iterator[Suppression]:
    """Yield the suppressions of a file; raise InputError or MistakesError where it cannot be read or has a mistake."""
    require_topic(terms.topic, topics)
    require_one_line("--because", terms.detail)
    return read_suppressions(path, terms=terms, topics=topics, now=now, on_row=on_row)


def suppressed(
    database: Database, *, topic: str | None, reason: SuppressionReason | None, topics: Topics
) -> Iterator[Suppression]:
    """Yield who is not mailed, by address; `topic` and `reason` leave only theirs.

    Raise InputError where nobody can have left such a topic: it is not defined, and nobody has.
    """
    if topic and topic not in topics and not count_suppressions(database, topic=topic):
        require_topic(topic, topics)
    return list_suppressions(database, topic=topic, reason=reason)


def require_lift(database: Database, email: str, *, topic: str, topics: Topics) -> Suppression:
    """Return the suppression that `lift` would end; raise InputError where there is none such."""
    known = suppressions_of(database, email)
    for each in known:
        if each.topic == topic:
            return each
    if not known:
        require_topic(topic, topics)
        raise InputError(f"{email} is not suppressed; `newsletter suppressions list` shows who is")
    others = " and ".join(f"about {each.topic}" if each.topic else "from all mail" for each in known)
    remedy = "name the topic with --topic" if not topic else "leave --topic out, or name the right one"
    wanted = f"about {topic}" if topic else "from all mail"
    raise InputError(f"{email} is not suppressed {wanted}, but {others}; {remedy}")


def lift(database: Database, found: Suppression, *, because: str, now: datetime) -> tuple[Suppression, ...]:
    """Let somebody be mailed again, keep why, and return the suppressions of theirs that are left."""
    words = require_one_line("--because", because)
    if not words:
        raise InputError("say why with --because; it is kept")
    remove_suppression(database, found.email, topic=found.topic, because=words, now=now)
    return suppressions_of(database, found.email)


def export_to_file(suppressions: Iterable[Suppression], path: Path, *, form: str, overwrite: bool) -> int:
    """Write suppressions, in one of the forms of WRITERS, into a file that its owner alone can read; return how many.

    The file appears whole or not at all. Raise InputError where it cannot be written, or exists and is not to be
    overwritten.
    """
    with private_file(path, overwrite=overwrite) as file:
        return WRITERS[form](suppressions, file)


def require_topic(topic: str, topics: Topics) -> None:
    """Raise InputError where a topic is named that is not defined."""
    if not topic or topic in topics:
        return
    if not topics:
        raise InputError(f"there is no topic {topic}: none is defined; name topics in newsletter.toml under [topics]")
    raise InputError(f"there is no topic {topic}; {suggestion(topic, sorted(topics))}")
