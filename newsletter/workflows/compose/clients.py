"""What the readers' mail programs make of an issue, and keeping the table that says so up to date."""

from pathlib import Path

import httpx

from newsletter.checks.base import read_context
from newsletter.checks.clients.published import read_published
from newsletter.checks.clients.readers import Readers, mistakes_in_clients, readers_of
from newsletter.checks.clients.report import ClientReport, report_clients
from newsletter.checks.clients.table import TABLE_FILE, Table, load_carried, load_table, written
from newsletter.config import Config
from newsletter.content.loader import load_issue
from newsletter.errors import InputError, MistakesError
from newsletter.render.pipeline import render_issue
from newsletter.system.files import write_shared
from newsletter.workflows.compose.compose import open_theme, subject_of

_LARGEST_BYTES = 20_000_000  # thirty times what caniemail publishes today
_TIMEOUT_SECONDS = 30


def known_readers(config: Config) -> Readers:
    """Return the readers by `[checks.clients]`, and the table that says what their mail programs do.

    Raise MistakesError where the settings name what the table does not know.
    """
    if mistakes := mistakes_in_clients(config):
        raise MistakesError(mistakes)
    return readers_of(load_table(config.root), config.settings.checks.clients)


def report_issue(config: Config, folder: Path) -> ClientReport:
    """Report which readers will not see what of an issue.

    Raise MistakesError with every mistake in its files, in a template or in the settings.
    """
    known_readers(config)
    theme = open_theme(config)
    issue = load_issue(config, folder, theme.section_types)
    rendered = render_issue(issue, config, theme)
    return report_clients(read_context(subject_of(config, issue, rendered)))


def refresh_table(config: Config, url: str) -> tuple[Table, Path | None]:
    """Fetch what caniemail publishes, and keep it in the workspace where it is newer than the table in use.

    Return the table that is used from now on, and the file where it was written if it is newer. Raise InputError where
    it cannot be fetched, or is not what is expected; then the table in use stays.
    """
    content = _fetched(url)
    try:
        table = read_published(content, url)
    except ValueError as err:
        raise InputError(f"{url}: it is not caniemail's table, version 1 ({err}); nothing was changed") from err
    try:
        at_hand = load_table(config.root)
    except InputError:
        at_hand = load_carried()  # the workspace's table is damaged, which a refresh puts right
    if at_hand.date >= table.date:
        return at_hand, None
    path = config.root / TABLE_FILE
    write_shared(path, written(table))
    return table, path


def _fetched(url: str) -> bytes:
    """Return the body of an answer, which is never larger than a table can be."""
    content = bytearray()
    try:
        with httpx.stream("GET", url, follow_redirects=True, timeout=_TIMEOUT_SECONDS) as answer:
            if answer.status_code != httpx.codes.OK:
                raise InputError(f"{url}: the answer is {answer.status_code}; try again later. Nothing was changed")
            for piece in answer.iter_bytes():
                content += piece
                if len(content) > _LARGEST_BYTES:
                    raise InputError(f"{url}: the answer is larger than {_LARGEST_BYTES // 10**6} MB; look at --from")
    except (httpx.HTTPError, httpx.InvalidURL) as err:
        why = f"it cannot be fetched ({str(err) or type(err).__name__})"
        raise InputError(f"{url}: {why}; nothing was changed, the table at hand serves on") from err
    return bytes(content)
