"""The mailbox provider of an address, as far as the domain shows it.

Any of these providers may host a person's own domain. The address does not show that, so such a domain counts as
`OTHER`.
"""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from importlib.resources import files
from typing import Self

from newsletter.model.address import person_of


class MailboxProvider(StrEnum):
    """The provider that stores a reader's email, and decides whether a newsletter reaches the inbox."""

    label: str  # the name that users know

    def __new__(cls, value: str, label: str = "") -> Self:
        """Return a member from its value and its label."""
        member = str.__new__(cls, value)
        member._value_, member.label = value, label
        return member

    GMAIL = "gmail", "Gmail"
    OUTLOOK = "outlook", "Outlook, Hotmail"  # Microsoft's mailboxes for consumers
    YAHOO = "yahoo", "Yahoo, AOL"  # including the domains that it runs for AOL, Verizon and AT&T
    ICLOUD = "icloud", "iCloud"  # Apple's mailboxes
    PROTON = "proton", "Proton Mail"
    GMX = "gmx", "GMX, WEB.DE"  # including WEB.DE and mail.com, which belong to the same company
    YANDEX = "yandex", "Yandex"
    MAIL_RU = "mail.ru", "Mail.ru"
    QQ = "qq", "QQ Mail"  # Tencent's mailboxes
    NETEASE = "netease", "NetEase"  # 163.com and 126.com
    OTHER = "other", "Other"  # the domain of a company, a school, a small provider or a person


def _provider_of_domain() -> Mapping[str, MailboxProvider]:
    """Return the provider of each domain in mailbox_domains.toml, which lists names and endings by provider."""
    told = tomllib.loads((files("newsletter") / "model" / "mailbox_domains.toml").read_text("utf-8"))
    return {
        f"{name}.{ending}": MailboxProvider(provider)
        for provider, family in told.items()
        for name, endings in family.items()
        for ending in endings.split()
    }


# The ASCII form of a domain, in lowercase → the provider of its mailboxes.
PROVIDER_OF_DOMAIN = _provider_of_domain()


def mailbox_provider_of(email: str) -> MailboxProvider:
    """Return the mailbox provider of an address, however the address is spelled."""
    return PROVIDER_OF_DOMAIN.get(person_of(email).rpartition("@")[2], MailboxProvider.OTHER)


class MailApp(StrEnum):
    """The email apps for which there are separate steps, in the order in which they are shown."""

    GMAIL_PHONE = "gmail-phone"
    GMAIL_DESKTOP = "gmail-desktop"
    APPLE_MAIL = "apple-mail"
    OUTLOOK = (
        "outlook"  # on phones, on the web, and new Outlook for Windows and Mac: all of them sort email the same way
    )
    YAHOO = "yahoo"  # and AOL Mail, which belongs to the same company
    OTHER = "other"  # steps that help in any app


# The apps that readers at a mailbox provider most likely use. Providers that are not listed count as `OTHER`.
APPS_OF_MAILBOX: Mapping[MailboxProvider, tuple[MailApp, ...]] = {
    MailboxProvider.GMAIL: (MailApp.GMAIL_PHONE, MailApp.GMAIL_DESKTOP),
    MailboxProvider.ICLOUD: (MailApp.APPLE_MAIL,),
    MailboxProvider.OUTLOOK: (MailApp.OUTLOOK,),
    MailboxProvider.YAHOO: (MailApp.YAHOO,),
    MailboxProvider.OTHER: (MailApp.OTHER,),
}
