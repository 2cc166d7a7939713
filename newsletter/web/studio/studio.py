"""What every page of the studio works with."""

from msgspec import Struct, field

from newsletter.config import Config
from newsletter.web.studio.proofs import Proofs
from newsletter.web.studio.views import Lookups
from newsletter.web.studio.watch import Pulse


class Studio(Struct, frozen=True, kw_only=True):
    """The workspace as it is now, and what the studio remembers until it is stopped."""

    proofs: Proofs  # the issues, and what is composed of them
    lookups: Lookups  # the subscribers who were looked up
    token: str  # which every form contains; a new one for each start
    pulse: Pulse = field(default_factory=Pulse)  # notifies open pages of changes

    @property
    def config(self) -> Config:
        """The settings as they were when they were last valid."""
        return self.proofs.config
