"""Who runs the mailbox behind an address, as far as its domain tells.

A domain of somebody's own may be hosted by any of them; its address does not say so, and it counts as `OTHER`.
"""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from importlib.resources import files
from typing import Self

from newsletter.model.address import person_of


class MailboxProvider(StrEnum):
    """Who keeps a reader's mail, and decides whether a newsletter reaches the inbox."""

    label: str  # its name, as its users know it

    def __new__(cls, value: str, label: str = "") -> Self:
        """Return a member, given in the code as its value and its label."""
        member = str.__new__(cls, value)
        member._value_, member.label = value, label
        return member

    GMAIL = "gmail", "Gmail"
    OUTLOOK = "outlook", "Outlook, Hotmail"  # Microsoft's, for private people
    YAHOO = "yahoo", "Yahoo, AOL"  # and what it runs for AOL, Verizon and AT&T
    ICLOUD = "icloud", "iCloud"  # Apple's
    PROTON = "proton", "Proton Mail"
    GMX = "gmx", "GMX, WEB.DE"  # and WEB.DE and mail.com, of the same house
    YANDEX = "yandex", "Yandex"
    MAIL_RU = "mail.ru", "Mail.ru"
    QQ = "qq", "QQ Mail"  # Tencent's
    NETEASE = "netease", "NetEase"  # 163.com and 126.com
    OTHER = "other", "Other"  # a company's, a school's, a small provider's, or one's own domain


def _provider_of_domain() -> Mapping[str, MailboxProvider]:
    """Return what mailbox_domains.toml says: by provider, a name and its endings."""
    told = tomllib.loads((files("newsletter") / "model" / "mailbox_domains.toml").read_text("utf-8"))
    return {
        f"{name}.{ending}": MailboxProvider(provider)
        for provider, family in told.items()
        for name, endings in family.items()
        for ending in endings.split()
    }


# The ASCII form of a domain, in lower case → who runs its mailboxes.
PROVIDER_OF_DOMAIN = _provider_of_domain()


def mailbox_provider_of(email: str) -> MailboxProvider:
    """Return who runs the mailbox of an address, however it is spelled."""
    return PROVIDER_OF_DOMAIN.get(person_of(email).rpartition("@")[2], MailboxProvider.OTHER)


class MailApp(StrEnum):
    """Where a reader reads mail, as far as the steps differ; in the order in which they are shown."""

    GMAIL_PHONE = "gmail-phone"
    GMAIL_DESKTOP = "gmail-desktop"
    APPLE_MAIL = "apple-mail"
    OUTLOOK = "outlook"  # on a phone, on the web, and the new one for Windows and Mac: all sort mail in the same way
    YAHOO = "yahoo"  # and AOL, which is the same house
    OTHER = "other"  # what helps anywhere


# The apps in which readers of a mailbox provider most likely read; everybody who has none of their own is at `OTHER`.
APPS_OF_MAILBOX: Mapping[MailboxProvider, tuple[MailApp, ...]] = {
    MailboxProvider.GMAIL: (MailApp.GMAIL_PHONE, MailApp.GMAIL_DESKTOP),
    MailboxProvider.ICLOUD: (MailApp.APPLE_MAIL,),
    MailboxProvider.OUTLOOK: (MailApp.OUTLOOK,),
    MailboxProvider.YAHOO: (MailApp.YAHOO,),
    MailboxProvider.OTHER: (MailApp.OTHER,),
}
