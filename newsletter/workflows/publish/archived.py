"""List the issues of a workspace with what the archive shows of each."""

from collections.abc import Iterator
from datetime import date
from enum import StrEnum

from msgspec import Struct

from newsletter.config import Config
from newsletter.content.imported_pages import ImportedIssue, imported_folders, read_imported
from newsletter.content.loader import issue_headings
from newsletter.model.issue_fields import Visibility
from newsletter.store.database import Database
from newsletter.workflows.publish.contents import wanted_visibility_of
from newsletter.workflows.publish.publish import published_issues
from newsletter.workflows.publish.visible import issues_sent, visibility_of


class ArchiveState(StrEnum):
    """What the archive shows of an issue."""

    PUBLIC = "public"  # it is published, and in the list
    UNLISTED = "only with its address"  # it is published
    WAITING = "not published yet"
    AFTER_SENDING = "when it is sent"
    NONE = "no page"


class ArchivedIssue(Struct, frozen=True, kw_only=True):
    """An issue, and what the archive shows of it."""

    name: str
    title: str
    day: date | None
    state: ArchiveState

    @property
    def has_page(self) -> bool:
        """Whether readers find it at its address."""
        return self.state in {ArchiveState.PUBLIC, ArchiveState.UNLISTED}


def archived_issues(config: Config, database: Database | None) -> tuple[ArchivedIssue, ...]:
    """Return all issues, also those of other tools, the newest first."""
    found = [*_own(config, database), *_past(config)]
    return tuple(sorted(found, key=lambda each: (each.day or date.max, each.name), reverse=True))


def _own(config: Config, database: Database | None) -> Iterator[ArchivedIssue]:
    published, sent = published_issues(config), issues_sent(database) if database is not None else frozenset()
    for heading in issue_headings(config):
        wanted = wanted_visibility_of(config, heading.name)
        seen = visibility_of(wanted, is_sent=heading.name in sent)
        is_later = seen is Visibility.NONE and wanted is Visibility.AFTER_SENDING
        state = ArchiveState.AFTER_SENDING if is_later else _state(seen, is_published=heading.name in published)
        title = heading.title if "mfq" not in heading.title else ""
        yield ArchivedIssue(name=heading.name, title=title or heading.name, day=heading.date, state=state)


def _past(config: Config) -> Iterator[ArchivedIssue]:
    published = published_issues(config)
    for folder in imported_folders(config):
        issue = read_imported(config, folder)
        if isinstance(issue, ImportedIssue):
            seen = Visibility.PUBLIC if issue.fields.visibility is Visibility.AFTER_SENDING else issue.fields.visibility
            state = _state(seen, is_published=issue.name in published)
            title = issue.fields.title or issue.fields.subject
            yield ArchivedIssue(name=issue.name, title=title, day=issue.day, state=state)


def _state(seen: Visibility, *, is_published: bool) -> ArchiveState:
    if seen is Visibility.NONE:
        return ArchiveState.NONE
    if not is_published:
        return ArchiveState.WAITING
    return ArchiveState.UNLISTED if seen is Visibility.UNLISTED else ArchiveState.PUBLIC
