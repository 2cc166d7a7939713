"""Take in what came back, from files: bounces and complaints as email, and exports of SendGrid's activity."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

import orjson
from msgspec import Struct, field

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.mailbox.files import StoredMail, lines_of, mails_from, mails_in, time_of
from newsletter.mailbox.reports import reports_in
from newsletter.model.event import Event
from newsletter.model.mail_report import MailReport, ReportKind
from newsletter.providers.sendgrid.client import text_of
from newsletter.providers.sendgrid.exports import entries_in_export, is_export
from newsletter.providers.sendgrid.posts import Entry
from newsletter.store.database import Database
from newsletter.system.file_errors import explained
from newsletter.workflows.events.attribution import Attribution, Trust, attribute
from newsletter.workflows.events.ingest import Ingested, ingest
from newsletter.workflows.events.interpret import interpret_posts
from newsletter.workflows.events.receive import keep_post

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
    types: Counter[str] = field(default_factory=Counter)  # of the events in exports, in SendGrid's words
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
    reading = _Reading(config, database, tally, now=now, is_dry_run=is_dry_run, on_read=on_read)
    for path in paths:
        try:
            reading.take_in(path)
        except OSError as err:
            raise InputError(str(explained(err, path, deed="read", elsewhere=""))) from err
    return tally


def judge_mail(config: Config, database: Database, mail: StoredMail, tally: MailTally) -> JudgedMail:
    """Return the events in an email, and count them in the tally. Nothing is written."""
    mailbox = config.settings.mailbox
    needs_code = mailbox is not None and "*" in mailbox.address
    tally.emails += 1
    events: list[Event] = []
    is_understood = True
    for report in reports_in(mail.content, received_at=mail.received_at):
        attribution = attribute(database, report, needs_code=needs_code)
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


class _Reading:
    """Takes in one file or folder after the other."""

    def __init__(
        self,
        config: Config,
        database: Database,
        tally: MailTally,
        *,
        now: datetime,
        is_dry_run: bool,
        on_read: Callable[[int], None],
    ) -> None:
        self._config, self._database, self._tally = config, database, tally
        self._now, self._is_dry_run, self._on_read = now, is_dry_run, on_read

    def take_in(self, path: Path) -> None:
        """Take in a file, a folder, or standard input."""
        if path == STDIN:
            self._take_in_lines(lines_of(sys.stdin.buffer), "standard input", self._now.replace(microsecond=0))
        elif path.is_dir():
            self._take_in_mails(mails_in(path))
        else:
            with path.open("rb") as stream:
                self._take_in_lines(lines_of(stream), str(path), time_of(path))

    def _take_in_lines(self, lines: Iterator[bytes], name: str, received_at: datetime) -> None:
        first = list(islice(lines, 1))
        lines = chain(first, lines)
        if first and is_export(first[0]):
            self._take_in_entries(entries_in_export(lines, name=name))
        else:
            self._take_in_mails(mails_from(lines, name=name, received_at=received_at))

    def _take_in_mails(self, mails: Iterator[StoredMail]) -> None:
        while some := list(islice(mails, _AT_ONCE)):
            judged = [judge_mail(self._config, self._database, mail, self._tally) for mail in some]
            events = [event for each in judged for event in each.events]
            if not self._is_dry_run:
                self._tally.ingested += ingest(self._config, self._database, events, now=self._now)
            self._on_read(len(some))

    def _take_in_entries(self, entries: Iterator[Entry]) -> None:
        """Take in the events of an export as if the webhook had posted them, so that as little is saved of people."""
        while some := list(islice(entries, _AT_ONCE)):
            self._tally.rows += len(some)
            self._tally.types.update(text_of(entry, "event") or "unknown" for entry in some)
            if not self._is_dry_run:
                with self._database.transaction() as connection:
                    keep_post(orjson.dumps(some), now=self._now)(connection)
                while came := interpret_posts(self._config, self._database, now=self._now):
                    self._tally.ingested += came
            self._on_read(len(some))
