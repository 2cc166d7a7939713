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
    """The suppressions of addresses; raises InputError with all that are none, or where there is no such topic."""
    require_topic(terms.topic, topics)
    detail = require_one_line("--because", terms.detail)
    faults, suppressions = [], []
    for email in emails:
        try:
            address = checked_address(email.strip())
        except ValueError as err:
            faults.append(f"{err}; write it as name@example.org")
            continue
        suppressions.append(
            Suppression(
                email=address,
                reason=terms.reason or SuppressionReason.UNSUBSCRIBED,
                created_at=now,
                topic=terms.topic,
                detail=detail,
            )
        )
    if faults:
        raise InputError("\n".join(faults))
    return tuple(suppressions)


def listed_suppressions(
    path: Path, terms: SuppressionTerms, *, topics: Topics, now: datetime, on_row: Callable[[int], None]
) -> Iterator[Suppression]:
    """The suppressions of a file; raises InputError or MistakesError where it cannot be read or holds a mistake."""
    require_topic(terms.topic, topics)
    require_one_line("--because", terms.detail)
    return read_suppressions(path, terms=terms, topics=topics, now=now, on_row=on_row)


def suppressed(
    database: Database, *, topic: str | None, reason: SuppressionReason | None, topics: Topics
) -> Iterator[Suppression]:
    """Who is not mailed, by address; `topic` and `reason` leave only theirs.

    Raises InputError where nobody can have left such a topic: it is not defined, and nobody has.
    """
    if topic and topic not in topics and not count_suppressions(database, topic=topic):
        require_topic(topic, topics)
    return list_suppressions(database, topic=topic, reason=reason)


def find_lift(database: Database, email: str, *, topic: str, topics: Topics) -> Suppression:
    """The suppression that `lift` would end; raises InputError where there is none such."""
    known = suppressions_of(database, email)
    found = next((each for each in known if each.topic == topic), None)
    if found is not None:
        return found
    if topic and not known:
        require_topic(topic, topics)
    if not known:
        raise InputError(f"{email} is not suppressed; `newsletter suppressions list` shows who is")
    others = " and ".join(f"about {each.topic}" if each.topic else "from all mail" for each in known)
    remedy = "name the topic with --topic" if not topic else "leave --topic out, or name the right one"
    wanted = f"about {topic}" if topic else "from all mail"
    raise InputError(f"{email} is not suppressed {wanted}, but {others}; {remedy}")


def lift(database: Database, found: Suppression, *, because: str, now: datetime) -> tuple[Suppression, ...]:
    """Lets somebody be mailed again, and keeps why; the suppressions of theirs that are left."""
    words = require_one_line("--because", because)
    if not words:
        raise InputError("say why with --because; it is kept")
    remove_suppression(database, found.email, topic=found.topic, because=words, now=now)
    return suppressions_of(database, found.email)


def export_to_file(suppressions: Iterable[Suppression], path: Path, *, form: str, overwrite: bool) -> int:
    """Writes suppressions, in one of the forms of WRITERS, into a file that its owner alone can read; how many.

    The file appears whole or not at all. Raises InputError where it cannot be written, or exists and is not to be
    overwritten.
    """
    with private_file(path, overwrite=overwrite) as file:
        return WRITERS[form](suppressions, file)


def require_topic(topic: str, topics: Topics) -> None:
    """Raises InputError where a topic is named that is not defined."""
    if not topic or topic in topics:
        return
    if not topics:
        raise InputError(f"there is no topic {topic}: none is defined; name topics in newsletter.toml under [topics]")
    raise InputError(f"there is no topic {topic}; {suggestion(topic, sorted(topics))}")
