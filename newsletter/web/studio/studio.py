"""What every page of the studio works with."""

from collections.abc import Callable

from msgspec import Struct, field

from newsletter.config import Config, load_config
from newsletter.model.finding import Means
from newsletter.providers.registry import with_known_provider
from newsletter.store.database import Database
from newsletter.store.opening import open_database
from newsletter.web.studio.confirmations import Confirmations
from newsletter.web.studio.proofs import Proofs
from newsletter.web.studio.watch import Pulse
from newsletter.web.studio.whom import Lookups
from newsletter.workflows.compose.covers import Covers
from newsletter.workflows.outbox import OutboxShelf
from newsletter.workflows.send.courier import Courier


class Studio(Struct, frozen=True, kw_only=True):
    """The workspace as it is now, and what the studio remembers until it is stopped."""

    proofs: Proofs  # the issues, and what is composed of them
    lookups: Lookups  # the subscribers who were looked up
    token: str  # which every form contains; a new one for each start
    pulse: Pulse = field(default_factory=Pulse)  # notifies open pages of changes
    courier: Courier = field(default_factory=Courier)  # sends broadcasts while pages are shown
    confirmations: Confirmations = field(default_factory=Confirmations)  # what a person is asked before that
    covers: Covers = field(default_factory=Covers)  # of the issues, drawn in the background
    outbox: OutboxShelf = field(default_factory=OutboxShelf)  # what is known of the files in the outbox
    endings: list[Callable[[], None]] = field(default_factory=list)  # called when the studio is stopped
    without: frozenset[Means] = frozenset()  # the tools that the checks before a broadcast do not use

    @property
    def config(self) -> Config:
        """The settings as they were when they were last valid."""
        return self.proofs.config

    def read_config(self) -> Config:
        """Return the settings as they are in the file now, for what cannot be taken back once it is sent.

        Raise MistakesError if the file has mistakes: the settings before it may lack a rule that someone has just
        written there.
        """
        return with_known_provider(load_config(self.config.root))


def opened(config: Config) -> Database:
    """Open the database of the workspace, for the length of a `with` block."""
    return open_database(config.database, workspace=config.root)
