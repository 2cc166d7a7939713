"""Keeps the identity of the events in a copied issue: one that is still to come is the same event in both issues.

Items that were taken from a feed or a calendar are not copied, unless they are events that are still to come.
"""

import re
from datetime import date
from pathlib import Path

from newsletter.config import Config
from newsletter.content.issue_folder import item_files
from newsletter.content.loader import load_standing
from newsletter.model.issue import Item
from newsletter.render.theme import Theme

_FENCE = re.compile(rb"\A---[ \t]*(?P<end>\r\n|\n|\r)")
_ID_LINE = re.compile(rb"^id:[^\r\n]*(?:\r\n|\n|\r)", re.MULTILINE)


def keep_ids(config: Config, original: Path, copy: Path, day: date) -> None:
    """Write the `id` of each event that is not over by a day into its file in a copied issue.

    The file of an event that is over is likely to become another event, so its `id` is deleted. If it was taken from a
    feed or a calendar, which has other items by now, the file is deleted. Files with mistakes stay as they are.
    """
    issue = load_standing(config, original, Theme(config.root).section_types)
    if issue is None:
        return
    for section in issue.sections:
        files = item_files(copy / section.name)
        for item in section.items:
            is_to_come = item.fields.last_day is not None and item.fields.last_day >= day
            if item.fields.origin and not is_to_come:
                for file in (copy / section.name).glob(f"{item.name}.*"):  # with its translations
                    file.unlink()
            elif (path := files.get(item.name)) is not None:
                before = path.read_bytes()
                after = _with_id(before, item, day)
                if after != before:
                    path.write_bytes(after)


def _with_id(text: bytes, item: Item, day: date) -> bytes:
    """Return an event's file with the line for its id, or without it if the event is over."""
    fence = _FENCE.match(text)
    if fence is None or item.fields.last_day is None:
        return text
    if item.fields.last_day < day:
        return text if item.fields.id is None else _ID_LINE.sub(b"", text, count=1)
    if item.fields.id is not None:
        return text
    return text[: fence.end()] + b"id: " + item.slug.encode() + fence["end"] + text[fence.end() :]
