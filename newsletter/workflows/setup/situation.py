"""The state of a workspace now: its settings, its list, the test emails sent, and what runs in the background.

Setup keeps no record of its own. What is done is read from these facts each time, so it can be left at any point.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from newsletter.checks.reading.starter import is_starter_address, placeholder_settings, sample_people
from newsletter.config import Config, load_config
from newsletter.content.loader import issue_headings
from newsletter.errors import Location
from newsletter.model.ledger import LastRun
from newsletter.providers.registry import with_known_provider
from newsletter.store.approvals import last_test
from newsletter.store.ledger.recall import last_run
from newsletter.store.opening import open_database
from newsletter.store.subscribers import count_subscribers, find_subscriber


class Situation(Struct, frozen=True, kw_only=True):
    """A workspace as setup finds it."""

    config: Config
    environ: Mapping[str, str]
    people: int  # on the list, apart from the starter's sample people
    sample_people: int
    tested_at: datetime | None  # when a provider last accepted a test email
    last_run: LastRun | None  # of a command that sends what is due: by a timer, the service or a worker
    newest_issue: str | None

    def own(self, *location: str) -> str:
        """Return the value of a key, or an empty text if it is missing or still the starter's placeholder."""
        value: object = self.config.settings
        for name in location:
            value = getattr(value, "from_" if name == "from" else name, None)
        text = str(value) if value is not None else ""
        return "" if is_placeholder(location, text) else text

    @property
    def sender(self) -> str:
        """The sender's address, or an empty text if it is a placeholder."""
        email = self.config.settings.newsletter.from_email
        return "" if is_starter_address(email) else email

    @property
    def sender_name(self) -> str:
        """The name of the sender, or an empty text if it is a placeholder."""
        name = self.config.settings.newsletter.from_name
        starter = placeholder_settings()["newsletter", "from"].partition(" <")[0]
        return "" if name == starter or is_placeholder(("newsletter", "name"), name) else name

    @property
    def testers(self) -> tuple[str, ...]:
        """The mailboxes in the group `reviewers`, without the starter's."""
        group = self.config.settings.reviewers.get("reviewers", ())
        return tuple(mailbox for mailbox in group if not is_starter_address(mailbox))

    @property
    def sends(self) -> bool:
        """Whether emails leave this machine."""
        return self.config.settings.provider.table_in_use.route is not None


def is_placeholder(location: Location, value: str) -> bool:
    """Return whether the value of a key is the one that every new workspace has."""
    return bool(value) and (placeholder_settings().get(location) == value or is_starter_address(value))


def look_at(root: Path, environ: Mapping[str, str]) -> Situation:
    """Return the situation of a workspace. Raise MistakesError if its settings have mistakes.

    An existing database is brought up to date, but none is created.
    """
    config = with_known_provider(load_config(root))
    people = samples = 0
    tested_at = ran = None
    if config.has_database:
        with open_database(config.database, workspace=root) as database:
            samples = sum(find_subscriber(database, email) is not None for email in sample_people())
            people = count_subscribers(database) - samples
            tested_at, ran = last_test(database), last_run(database)
    headings = issue_headings(config)
    return Situation(
        config=config,
        environ=environ,
        people=people,
        sample_people=samples,
        tested_at=tested_at,
        last_run=ran,
        newest_issue=headings[-1].name if headings else None,
    )
