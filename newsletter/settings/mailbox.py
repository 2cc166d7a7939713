"""The newsletter's own mailbox, to which undeliverable email comes back: `[mailbox]`."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from newsletter.errors import FaultError, FieldError
from newsletter.model.return_paths import LONGEST_NAME
from newsletter.model.values import EmailAddress, Fields, OneLine
from newsletter.settings.provider import LOOPBACK

_LONGEST_LOCAL = 63  # RFC 5321 allows 64 characters before the @; Outlook.com takes one fewer
_USUAL_PORTS = {"tls": 993, "starttls": 143, "none": 143}


class MailboxSettings(Fields):
    """`[mailbox]`: where bounces come back. The password comes from NEWSLETTER_IMAP_PASSWORD."""

    address: EmailAddress = Field(
        description="with a `*` that stands for the recipient, for example *@bounces.example.org"
    )
    host: OneLine | None = Field(default=None, description="the IMAP server; default: the email is imported from files")
    port: int | None = Field(default=None, ge=1, le=65535, description="default: 993, or 143 without `tls`")
    security: Literal["tls", "starttls", "none"] = "tls"
    username: OneLine | None = None
    folder: OneLine = Field(default="INBOX", description="the folder that is read")
    processed: OneLine = Field(default="Newsletter processed", description="the folder for what was understood")
    unclear: OneLine = Field(default="Newsletter unclear", description="the folder for what a person should read")
    timeout_seconds: float = Field(default=60, gt=0, description="the longest wait for an answer")

    @field_validator("address")
    @classmethod
    def _can_name_deliveries(cls, value: str) -> str:
        local, _, domain = value.rpartition("@")
        if value.count("*") > 1 or "*" in domain:
            raise FaultError(
                f"{value!r} has a `*` in the wrong place", "write one before the @, for example *@bounces.example.org"
            )
        if "*" in local and len(local) - 1 + LONGEST_NAME > _LONGEST_LOCAL:
            raise FaultError(f"the part of {value!r} before the @ is too long", "write a shorter one, for example b+*")
        return value

    @model_validator(mode="after")
    def _can_log_in(self) -> "MailboxSettings":
        if self.host is not None and self.username is None:
            raise FieldError("username", "the mailbox has a `host`, but no `username`", "add a line `username`")
        if self.security == "none" and self.host is not None and self.host not in LOOPBACK:
            remedy = 'write security = "tls" or "starttls"'
            raise FieldError("security", "the password would cross the network unencrypted", remedy)
        names = {"folder": self.folder, "processed": self.processed, "unclear": self.unclear}
        if len({name.lower() for name in names.values()}) < len(names):
            what = "`folder`, `processed` and `unclear` must be three different folders"
            raise FieldError("processed", what, "change one of them")
        return self

    @property
    def imap_port(self) -> int:
        """The port of the IMAP server."""
        return self.port or _USUAL_PORTS[self.security]
