"""Who writes, and where readers find them: `[newsletter]`, `[service]` and `[archive]`."""

import re
from email.utils import parseaddr

from pydantic import Field, field_validator

from newsletter.model.values import EmailAddress, Language, Mailbox, OneLine, Slug, TimeZone, WebAddress
from newsletter.settings.part import Part


class Identity(Part):
    """`[newsletter]`: who writes, to whom answers go, what the law asks to be said."""

    name: OneLine = Field(description="the newsletter's name, as it stands above each issue")
    organisation: OneLine = Field(description="who publishes it")
    from_: Mailbox = Field(alias="from", description="the sender: Name <address>")
    reply_to: EmailAddress | None = None
    address: OneLine = Field(description="the postal address, required by law in every mail")
    website: WebAddress
    reason: OneLine = Field(description="one sentence: why a reader gets this mail")
    language: Language = "en"
    timezone: TimeZone
    list_id: Slug | None = Field(
        default=None, description="a dotted name that mail programs know the list by (RFC 2919)"
    )

    @property
    def from_name(self) -> str:
        """The sender's display name; the newsletter's name where the mailbox has none."""
        return parseaddr(self.from_)[0] or self.name

    @property
    def from_email(self) -> str:
        """The sender's bare address."""
        return parseaddr(self.from_)[1]


class Service(Part):
    """`[service]`: where the pages for subscribers are reached."""

    url: WebAddress = Field(description="unsubscribe links begin with it")

    @field_validator("url")
    @classmethod
    def _plain(cls, value: str) -> str:
        # What is made of these signs stands in HTML, text and headers as it is.
        if not re.fullmatch(r"[A-Za-z0-9:/._~%-]+", value):
            raise ValueError(f"{value!r} is more than a page's address; write it without ?, # and other signs")
        return value


class Archive(Part):
    """`[archive]`: where published issues and their pictures are hosted."""

    url: WebAddress
