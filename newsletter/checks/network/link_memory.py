"""What links answered, kept between runs so that a second check is quick: a good answer a day, a bad one minutes."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from newsletter.system.files import write_whole

_FILE = "links.json"
_GOOD_FOR = timedelta(days=1)
_BAD_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkAnswer:
    """What a link answered."""

    trouble: str  # what is wrong with it; empty where it is fine
    asked_at: datetime

    def holds_at(self, now: datetime) -> bool:
        """Whether it need not be asked again yet."""
        return timedelta() <= now - self.asked_at < (_BAD_FOR if self.trouble else _GOOD_FOR)


def recall_links(folder: Path, now: datetime) -> dict[str, LinkAnswer]:
    """The answers that still hold, by address; none where nothing was kept, or it was damaged."""
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
    """Keeps answers in the place of those that were kept; a folder that cannot be written is no mistake."""
    content = {url: (answer.trouble, answer.asked_at.isoformat()) for url, answer in answers.items()}
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / _FILE, json.dumps(content, ensure_ascii=False, indent=0).encode())
