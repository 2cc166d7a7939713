"""The mail apps for which there are steps that help a newsletter into the inbox."""

from collections.abc import Mapping
from enum import StrEnum

from newsletter.model.mailbox import MailboxProvider


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
