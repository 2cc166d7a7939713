"""The results of the test of links, stored between runs. What only reads them needs no network."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct

from newsletter.system.files import write_whole

_FILE = "links.json"
_GOOD_FOR = timedelta(days=1)
_BAD_FOR = timedelta(minutes=10)


class LinkAnswer(Struct, frozen=True, kw_only=True):
    """The result of checking a link."""

    trouble: str  # what is wrong with it, or empty
    asked_at: datetime

    def holds_at(self, now: datetime) -> bool:
        """Return whether the result is still valid, so that no new request is needed."""
        return timedelta() <= now - self.asked_at < (_BAD_FOR if self.trouble else _GOOD_FOR)


def recall_links(folder: Path, now: datetime) -> dict[str, LinkAnswer]:
    """Return the stored results that are still valid, by address. A missing or damaged file counts as empty."""
    try:
        kept = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        answers = {
            url: LinkAnswer(trouble=str(trouble), asked_at=datetime.fromisoformat(asked_at))
            for url, (trouble, asked_at) in kept.items()
        }
        return {url: answer for url, answer in answers.items() if answer.holds_at(now)}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def keep_links(folder: Path, answers: Mapping[str, LinkAnswer]) -> None:
    """Store results, replacing the earlier ones. It is not an error if the folder cannot be written."""
    content = {url: (answer.trouble, answer.asked_at.isoformat()) for url, answer in answers.items()}
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / _FILE, json.dumps(content, ensure_ascii=False, indent=0).encode())
