"""One person as an issue sees them: everything that their mail may depend on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from newsletter.model.mailbox import MailboxProvider, mailbox_provider_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A subscriber, a reviewer or a person made up for a preview.

    `fields` has a text for each column and attribute that is known of them; what is missing or empty gets the default
    that the issue gives. `segments` are those of the segments asked about that they belong to.
    """

    email: str
    id: int = 0  # the subscriber's; 0 for somebody who is not on the list
    token: str = ""  # the unguessable part of their own links
    fields: Mapping[str, str] = field(default_factory=dict)
    segments: frozenset[str] = frozenset()

    @property
    def mailbox(self) -> MailboxProvider:
        """Who runs their mailbox, as far as the address tells."""
        return mailbox_provider_of(self.email)

    @property
    def language(self) -> str:
        """The language on record; empty where none is."""
        return self.fields.get("language", "")

    @property
    def timezone(self) -> str:
        """The time zone on record; empty where none is."""
        return self.fields.get("timezone", "")
