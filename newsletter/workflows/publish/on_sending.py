"""What sending needs of the archive: the images of the email before it is checked, and the issue's page.

Links to a page that does not exist yet would be in the first emails, so the page is published before they leave. A
failure never stops the sending: it is said, and the next look tries again.

The modules that make pages are imported when one is needed, because most sending needs none, and they take 10 MiB.
"""

from collections.abc import Callable
from datetime import datetime

from newsletter.config import Config
from newsletter.content.loader import ISSUE_FILE, ISSUES_FOLDER
from newsletter.errors import NewsletterError
from newsletter.model.issue_fields import Visibility
from newsletter.model.rendered import RenderedIssue
from newsletter.model.site_addresses import picture_path
from newsletter.model.site_files import SiteFile
from newsletter.store.database import Database
from newsletter.workflows.publish.visible import issues_sent


def host_pictures(config: Config, rendered: RenderedIssue) -> None:
    """Upload the images of an issue's email that are missing in the archive, if the program knows where to.

    Raise NewsletterError if that fails.
    """
    archive = config.settings.archive
    if archive is not None and archive.to is not None and rendered.pictures:
        from newsletter.workflows.publish.publish import destination_of

        files = [SiteFile(picture_path(picture.name), picture.content) for picture in rendered.pictures]
        destination_of(config).put_pictures(files)


def publish_sent(config: Config, database: Database, *, now: datetime, say: Callable[[str], None]) -> None:
    """Publish the archive if an issue that is being sent, or was sent, has no page yet. `say` receives what failed.

    Nothing is removed without asking a person.
    """
    _publish(config, database, is_needed=_are_pages_missing, now=now, say=say)


def publish_again(config: Config, database: Database, *, now: datetime, say: Callable[[str], None]) -> None:
    """Publish the archive because an issue shows something else now, if the program knows where to.

    These are the new facts of an event, or the chosen version. `say` receives what failed.

    Nothing is removed without asking a person.
    """
    _publish(config, database, is_needed=lambda config, _database: _has_place(config), now=now, say=say)


def _publish(
    config: Config,
    database: Database,
    *,
    is_needed: Callable[[Config, Database], bool],
    now: datetime,
    say: Callable[[str], None],
) -> None:
    try:
        if not is_needed(config, database):
            return
        from newsletter.workflows.publish import publish

        edition, destination = publish.make_edition(config, database, now=now), publish.destination_of(config)
        if removed := publish.pages_removed(publish.plan_edition(edition, destination)):
            say(
                f"The archive was not published, because {len(removed)} of its files would be removed. "
                "Look at the changes, and confirm them: newsletter publish"
            )
            return
        publish.publish_edition(config, edition, destination, lambda _done, _total: None)
    except (NewsletterError, OSError) as err:
        say(f"The archive was not published, and emails are sent without waiting for it: {err}")


def _are_pages_missing(config: Config, database: Database) -> bool:
    if not _has_place(config):
        return False
    from newsletter.workflows.publish.contents import wanted_visibility_of
    from newsletter.workflows.publish.publish import published_issues

    # Only the issues in this workspace: a worker on another computer may have none.
    folder = config.root / ISSUES_FOLDER
    missing = [
        name for name in issues_sent(database) - published_issues(config) if (folder / name / ISSUE_FILE).is_file()
    ]
    return any(wanted_visibility_of(config, name) is not Visibility.NONE for name in missing)


def _has_place(config: Config) -> bool:
    archive = config.settings.archive
    return archive is not None and archive.to is not None
