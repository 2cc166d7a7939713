"""Take in what came back, from files: bounces and complaints as email, and exports of SendGrid's activity."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path

from msgspec import Struct, field

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.mailbox.files import StoredMail, lines_of, mails_from, mails_in
from newsletter.mailbox.reports import reports_in
from newsletter.model.event import Event, EventType
from newsletter.model.mail_report import MailReport, ReportKind
from newsletter.providers.sendgrid.exports import events_in_export, is_export
from newsletter.store.database import Database
from newsletter.system.file_errors import explained
from newsletter.workflows.events.attribution import Attribution, Trust, attribute
from newsletter.workflows.events.ingest import Ingested, ingest

STDIN = Path("-")
_AT_ONCE = 500  # emails or rows whose events are saved together
_TO_READ = 200  # emails whose names are kept for a person to read


class Unread(Struct, frozen=True):
    """An email that a person should read."""

    name: str
    kind: ReportKind
    why: Trust
    detail: str


class MailTally(Struct, kw_only=True):
    """What was read, and what came of it."""

    emails: int = 0
    rows: int = 0  # events in exports
    kinds: Counter[ReportKind] = field(default_factory=Counter)  # of the reports whose person is known or not needed
    types: Counter[EventType] = field(default_factory=Counter)  # of the events in exports
    unread: list[Unread] = field(default_factory=list)  # at most the first few
    unclear: int = 0  # emails that were not understood
    nobody: int = 0  # reports that fit no delivery of this database, or several
    complaints_of_nobody: int = 0  # those of them that are complaints
    forged: int = 0  # reports whose sender does not know what our recipients know
    ingested: Ingested = Ingested()

    @property
    def is_complete(self) -> bool:
        """Whether everything was understood."""
        return not (self.unclear or self.nobody or self.forged)


class JudgedMail(Struct, frozen=True):
    """The events in one email."""

    events: tuple[Event, ...]
    is_understood: bool


def import_events(
    config: Config,
    database: Database,
    paths: Sequence[Path],
    *,
    now: datetime,
    is_dry_run: bool = False,
    on_read: Callable[[int], None] = lambda _: None,
) -> MailTally:
    """Take in the events in files and folders; `-` is standard input. `on_read` gets the number of items just read.

    With `is_dry_run`, nothing is written. Raise InputError if a file cannot be read.
    """
    tally = MailTally()
    for path in paths:
        events = _events_of(database, path, tally, now=now)
        while some := list(islice(events, _AT_ONCE)):
            found = [event for each in some for event in each]
            if not is_dry_run:
                tally.ingested += ingest(config, database, found, now=now)
            on_read(len(some))
    return tally


def judge_mail(database: Database, mail: StoredMail, tally: MailTally) -> JudgedMail:
    """Return the events in an email, and count them in the tally. Nothing is written."""
    tally.emails += 1
    events: list[Event] = []
    is_understood = True
    for report in reports_in(mail.content, received_at=mail.received_at):
        attribution = attribute(database, report)
        if attribution.event is not None:
            events.append(attribution.event)
        is_understood &= _count(tally, mail, report, attribution)
    return JudgedMail(tuple(events), is_understood)


def _count(tally: MailTally, mail: StoredMail, report: MailReport, attribution: Attribution) -> bool:
    """Count one report. Return whether it was understood and its person is known."""
    is_unclear = report.kind is ReportKind.UNCLEAR
    if not is_unclear and attribution.standing in {Trust.FOUND, Trust.NOT_NEEDED}:
        tally.kinds[report.kind] += 1
        return True
    tally.unclear += is_unclear
    tally.nobody += attribution.standing is Trust.NOBODY
    tally.forged += attribution.standing is Trust.FORGED
    tally.complaints_of_nobody += report.kind is ReportKind.COMPLAINT and attribution.standing is Trust.NOBODY
    if len(tally.unread) < _TO_READ:
        tally.unread.append(Unread(mail.name, report.kind, attribution.standing, report.detail))
    return False


def _events_of(database: Database, path: Path, tally: MailTally, *, now: datetime) -> Iterator[tuple[Event, ...]]:
    """Yield the events of each email or each row."""
    try:
        if path == STDIN:
            lines = lines_of(sys.stdin.buffer)
            first = next(lines, b"")
            yield from _of_lines(database, first, lines, tally, name="standard input", now=now)
        elif path.is_dir():
            yield from (judge_mail(database, mail, tally).events for mail in mails_in(path))
        else:
            with path.open("rb") as stream:
                first = stream.readline(_AT_ONCE * 100)
            if is_export(first):
                with path.open("rb") as stream:
                    yield from _of_export(lines_of(stream), tally, name=str(path))
            else:
                yield from (judge_mail(database, mail, tally).events for mail in mails_in(path))
    except OSError as err:
        raise InputError(str(explained(err, path, deed="read", elsewhere=""))) from err


def _of_lines(
    database: Database, first: bytes, rest: Iterator[bytes], tally: MailTally, *, name: str, now: datetime
) -> Iterator[tuple[Event, ...]]:
    lines = _with_first(first, rest)
    if is_export(first):
        yield from _of_export(lines, tally, name=name)
        return
    mails = mails_from(lines, name=name, received_at=now.replace(microsecond=0))
    yield from (judge_mail(database, mail, tally).events for mail in mails)


def _of_export(lines: Iterable[bytes], tally: MailTally, *, name: str) -> Iterator[tuple[Event, ...]]:
    for event in events_in_export(lines, name=name):
        tally.rows += 1
        tally.types[event.type] += 1
        yield (event,)


def _with_first(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest
