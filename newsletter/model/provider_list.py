"""The lists on which a provider keeps the addresses that it does not mail."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ProviderList(StrEnum):
    """A list of a provider, by what put an address on it."""

    UNSUBSCRIBES = "unsubscribes"  # left all mail of the account
    BOUNCES = "bounces"  # no such mailbox
    INVALID_EMAILS = "invalid_emails"  # no such address or domain
    SPAM_REPORTS = "spam_reports"  # marked a mail as spam
    BLOCKS = "blocks"  # a mailbox that would not take a mail; it is still mailed


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAddress:
    """An address on a list of a provider."""

    on: ProviderList
    email: str
    created_at: datetime  # since when
    detail: str = ""  # what was said: a server's words
