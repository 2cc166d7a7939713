"""Who runs the mailbox behind an address, as far as its domain tells.

A domain of somebody's own may be hosted by any of them; its address does not say so, and it counts as `OTHER`.
"""

from collections.abc import Mapping
from enum import StrEnum
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


# A name, and the endings under which its provider gives addresses.
_OUTLOOK_FAMILY = {
    "outlook": "com at be cl cz de dk es fr hu ie in it jp kr lv my ph pt sa sg sk co.id co.il co.nz co.th com.ar "
    "com.au com.br com.gr com.tr com.vn",
    "hotmail": "com be ca ch cl cz de dk es fi fr gr hu it lt lv my nl no ph rs se sg sk co.id co.il co.in co.jp "
    "co.kr co.nz co.th co.uk co.za com.ar com.au com.br com.hk com.tr com.tw com.vn",
    "live": "com at be ca cl cn de dk fi fr hk ie in it jp nl no ru se co.kr co.uk co.za com.ar com.au com.mx com.my "
    "com.ph com.pt com.sg",
    **dict.fromkeys(("msn", "windowslive", "passport"), "com"),
}
_AMERICAN_NETWORKS = "netscape verizon att ameritech bellsouth flash nvbell pacbell prodigy sbcglobal snet swbell wans"
# Not yahoo.co.jp: that is a company of its own, with rules of its own.
_YAHOO_FAMILY = {
    "yahoo": "com at be bg ca ch cl cz de dk ee es fi fr gr hr hu ie in it lt lv nl no pl pt ro se sk co.id co.il "
    "co.in co.nz co.th co.uk co.za com.ar com.au com.br com.co com.hk com.mx com.my com.pe com.ph com.sg com.tr com.tw "
    "com.ve com.vn",
    "aol": "com at be ch co.nz co.uk com.ar com.au com.br com.mx cz de dk es fi fr it nl pl se tw",
    **dict.fromkeys(("ymail", "rocketmail", "myyahoo", "aim"), "com"),
    **dict.fromkeys(_AMERICAN_NETWORKS.split(), "net"),
}
_FAMILIES: Mapping[MailboxProvider, Mapping[str, str]] = {
    MailboxProvider.GMAIL: {"gmail": "com", "googlemail": "com"},
    MailboxProvider.OUTLOOK: _OUTLOOK_FAMILY,
    MailboxProvider.YAHOO: _YAHOO_FAMILY,
    MailboxProvider.ICLOUD: {"icloud": "com", "me": "com", "mac": "com", "privaterelay.appleid": "com"},
    MailboxProvider.PROTON: {"proton": "me", "protonmail": "com ch", "pm": "me"},
    MailboxProvider.GMX: {"gmx": "de net at ch com co.uk es eu fr info li org us", "web": "de", "mail": "com"},
    MailboxProvider.YANDEX: {"yandex": "ru com by kz ua com.tr", "ya": "ru"},
    MailboxProvider.MAIL_RU: {"mail": "ru", "inbox": "ru", "list": "ru", "bk": "ru", "internet": "ru"},
    MailboxProvider.QQ: {"qq": "com", "vip.qq": "com", "foxmail": "com"},
    MailboxProvider.NETEASE: {"163": "com", "vip.163": "com", "126": "com", "yeah": "net"},
}

# The ASCII form of a domain, in lower case → who runs its mailboxes.
PROVIDER_OF_DOMAIN: Mapping[str, MailboxProvider] = {
    f"{name}.{ending}": provider
    for provider, family in _FAMILIES.items()
    for name, endings in family.items()
    for ending in endings.split()
}


def mailbox_provider_of(email: str) -> MailboxProvider:
    """Return who runs the mailbox of an address, however it is spelled.

    The domain is what follows the first @, as the freeze reads it for a million people; the few quoted addresses that
    have two are among the others.
    """
    return PROVIDER_OF_DOMAIN.get(person_of(email).partition("@")[2], MailboxProvider.OTHER)


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
