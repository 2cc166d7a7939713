"""Take in the bounces and complaints in the newsletter's own mailbox, and move what was read to other folders."""

from collections.abc import Callable, Mapping
from datetime import datetime

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.language.counts import count_of
from newsletter.mailbox.imap import opened_mailbox
from newsletter.model.event import Event
from newsletter.providers.base import require_secret
from newsletter.settings.mailbox import MailboxSettings
from newsletter.store.database import Database
from newsletter.workflows.events.import_ import MailTally, judge_mail
from newsletter.workflows.events.ingest import ingest
from newsletter.workflows.events.interpret import tell_reviewers

PASSWORD = "NEWSLETTER_IMAP_PASSWORD"  # noqa: S105 - the name of the variable


def require_mailbox(config: Config) -> MailboxSettings:
    """Return the settings of the mailbox. Raise InputError if there are none, or no server is named."""
    settings = config.settings.mailbox
    if settings is None or settings.host is None:
        missing = "there is no [mailbox]" if settings is None else "[mailbox] has no host"
        raise InputError(
            f"newsletter.toml: {missing}; add the IMAP server to it (docs/bounces.md), or import email from files with "
            "`newsletter events import`"
        )
    return settings


def pull_events(
    config: Config,
    database: Database,
    environ: Mapping[str, str],
    *,
    now: datetime,
    is_dry_run: bool = False,
    on_open: Callable[[int], None] = lambda _: None,
    on_read: Callable[[int], None] = lambda _: None,
    is_enough: Callable[[], bool] = lambda: False,
) -> MailTally:
    """Take in all emails in the folder. `on_open` gets their number, and `on_read` the number just read.
    When `is_enough` returns true, the rest is left for the next time.

    An email is moved only after its events are saved, so one that was read before a crash is read again. That changes
    nothing. What was not understood, or fits no delivery, goes to a folder for a person to read. With `is_dry_run`,
    nothing is saved or moved. Raise InputError if no mailbox is set, and ProviderError if it cannot be read.
    """
    settings, tally = require_mailbox(config), MailTally()
    password = require_secret(environ, PASSWORD, "the password of the mailbox", in_ascii=False)
    with opened_mailbox(settings, password) as mailbox:
        on_open(mailbox.open_folder())
        if not is_dry_run:
            mailbox.make_folders()
        for mails in mailbox.batches(moves=not is_dry_run):
            judged = [(mail, judge_mail(config, database, mail, tally)) for mail in mails]
            if not is_dry_run:
                events: list[Event] = [event for _, each in judged for event in each.events]
                tally.ingested += ingest(config, database, events, now=now)
                mailbox.move([mail for mail, each in judged if each.is_understood], settings.processed)
                mailbox.move([mail for mail, each in judged if not each.is_understood], settings.unclear)
            on_read(len(mails))
            if is_enough():
                break
    if tally.complaints_of_nobody and not is_dry_run:
        # Someone wants no more email, and still gets it.
        count = count_of(tally.complaints_of_nobody, "complaint")
        told = f"{count} in the mailbox cannot be traced to a person; read the folder {settings.unclear}"
        tell_reviewers(database, told, now=now)
    return tally
