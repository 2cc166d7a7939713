"""Report which email apps cannot show parts of an issue, and update the table of what each app supports."""

from http import HTTPStatus
from pathlib import Path
from urllib.parse import urljoin

from newsletter import __version__
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
from newsletter.system.http_exchange import UnansweredError, ask
from newsletter.system.stream import TimeLimit
from newsletter.workflows.compose.compose import open_theme, subject_of

_LARGEST_BYTES = 20_000_000  # about thirty times the size of the file that caniemail publishes
_TIMEOUT_SECONDS = 30  # for the whole download
_MOST_REDIRECTS = 5
_MOVED = frozenset({301, 302, 303, 307, 308})
_HEADERS = {"User-Agent": f"newsletter/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}


def known_readers(config: Config) -> Readers:
    """Return the email apps in `[checks.clients]`, and the table of what each one supports.

    Raise MistakesError if the settings name an app that is not in the table.
    """
    if mistakes := mistakes_in_clients(config):
        raise MistakesError(mistakes)
    return readers_of(load_table(config.root), config.settings.checks.clients)


def report_issue(config: Config, folder: Path) -> ClientReport:
    """Report which features of an issue the readers' email apps cannot show.

    Raise MistakesError with every mistake in the issue's files, in a template or in the settings.
    """
    known_readers(config)
    theme = open_theme(config)
    issue = load_issue(config, folder, theme.section_types)
    rendered = render_issue(issue, config, theme)
    return report_clients(read_context(subject_of(config, issue, rendered)))


def refresh_table(config: Config, url: str) -> tuple[Table, Path | None]:
    """Fetch the table that caniemail publishes, and save it in the workspace if it is newer than the current one.

    A table in the workspace that cannot be read is always replaced: by the fetched table, or by the one that comes with
    this package if that is newer. Return the table to use from now on, and the path of the saved file, or None if
    nothing was saved. Raise InputError if the table cannot be fetched or has an unexpected format; the current table is
    then kept.
    """
    content = _fetched(url)
    try:
        table = read_published(content, url)
    except ValueError as err:
        raise InputError(f"{url}: this is not version 1 of caniemail's table ({err}); nothing was changed") from err
    try:
        current = load_table(config.root)
    except MistakesError:  # the workspace's table is damaged; the refresh replaces it
        table = max(table, load_carried(), key=lambda known: known.date)
    else:
        if current.date >= table.date:
            return current, None
    path = config.root / TABLE_FILE
    write_shared(path, written(table))
    return table, path


def _fetched(url: str) -> bytes:
    """Download a URL and return its content, following redirects. Raise InputError if it cannot be fetched."""
    deadline, current = TimeLimit(_TIMEOUT_SECONDS), url
    try:
        for _ in range(_MOST_REDIRECTS + 1):
            answer = ask("GET", current, deadline=deadline, headers=_HEADERS, most_body_bytes=_LARGEST_BYTES)
            if answer.status not in _MOVED:
                break
            current = urljoin(current, answer.header("Location") or "")
        else:
            raise ValueError("too many redirects")
    except (UnansweredError, ValueError) as err:
        why = f"the table cannot be fetched ({err})"
        raise InputError(f"{url}: {why}; nothing was changed, and the current table is still used") from err
    if answer.status != HTTPStatus.OK:
        raise InputError(f"{url}: the server returned {answer.status}; nothing was changed, so try again later")
    return answer.body
