"""Broadcasts that left traces in the newsletter folder, but are not in the database.

Someone who starts over with an empty database, or with an old copy of one, would send an issue to the same people
again.
"""

import json
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from newsletter.config import Config
from newsletter.language.counts import count_of
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import list_broadcasts
from newsletter.system.log import LOGS_FOLDER

_MAILING = re.compile(r"b(\d+)-\w+")  # `mailing_id_of` makes it


def lost_records(config: Config, known: Collection[str]) -> tuple[str, str] | None:
    """Return what is wrong and what to do, or None. `known` are the mailing ids of the broadcasts in the database."""
    traces = list(dict.fromkeys((*_in_outbox(config, known), *_in_logs(config, known))))
    if not traces:
        return None
    more = f" and {len(traces) - 1} more" if len(traces) > 1 else ""
    what = (
        f"{traces[0]}{more} shows that {count_of(len(traces), 'broadcast')} may be missing from the database, so the "
        "same people could get an issue twice"
    )
    remedy = "if the database is new or an old copy, restore the latest one with `newsletter restore` before you send"
    return what, f"{remedy}; if nothing is missing, delete what is left of the old broadcasts"


def notes_on_lost_records(config: Config, database: Database) -> tuple[str, ...]:
    """Return what `lost_records` finds as a note, if it finds anything."""
    lost = lost_records(config, {each.mailing_id for each in list_broadcasts(database)})
    return ("; ".join(lost),) if lost else ()


def _in_outbox(config: Config, known: Collection[str]) -> Iterator[str]:
    folder = config.root / config.settings.provider.outbox.folder
    with suppress(OSError):
        for path in sorted(folder.iterdir()):
            if _MAILING.fullmatch(path.name) and path.name not in known:
                yield f"{config.shown(path)}/"


def _in_logs(config: Config, known: Collection[str]) -> Iterator[str]:
    """Yield one trace for each broadcast with a number that the database does not have."""
    newest = max((int(match[1]) for each in known if (match := _MAILING.fullmatch(each))), default=0)
    lost: dict[int, Path] = {}
    for path in sorted((config.root / LOGS_FOLDER).glob("*.log*")):
        with suppress(OSError), path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                number = _broadcast_in(line)
                if number > newest:
                    lost.setdefault(number, path)
    yield from (f"{config.shown(path)} (broadcast {number})" for number, path in sorted(lost.items()))


def _broadcast_in(line: str) -> int:
    with suppress(ValueError, AttributeError):
        number = json.loads(line).get("broadcast")
        return number if isinstance(number, int) else 0
    return 0
