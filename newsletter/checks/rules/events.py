"""Whether what an issue announces still lies ahead when it is read."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from newsletter.checks.base import Evidence, Fault, error
from newsletter.language.clock import show_minute
from newsletter.model.finding import Place
from newsletter.model.issue import Item


def check_dates(evidence: Evidence) -> Iterable[Fault]:
    """No event is over and no deadline is past at the moment at which the issue is judged."""
    for section in evidence.subject.issue.sections:
        for item in section.items:
            yield from _dates_of(item, evidence.subject.at)


def _dates_of(item: Item, at: datetime) -> Iterator[Fault]:
    ends, deadline = item.ends_at(), item.deadline_at()
    delivery = show_minute(at.astimezone(item.zone))
    if ends is not None and ends <= at:
        last = item.fields.starts if item.fields.ends is None else item.fields.ends
        over = show_minute(last) if isinstance(last, datetime) else last
        what = f"“{item.fields.title}” was over on {over}, and the mail goes out on {delivery}"
        yield error(_place_of_end(item), what, "correct its dates, or delete its file")
    elif item.fields.deadline is not None and deadline is not None and deadline <= at:
        what = f"“{item.fields.deadline.label} {item.fields.deadline.date}” is past: the mail goes out on {delivery}"
        yield error(item.source.at("deadline", "date"), what, "correct the date, or delete the deadline")


def _place_of_end(item: Item) -> Place:
    return item.source.at("starts" if item.fields.ends is None else "ends")
