"""The steps by which a newsletter gets into the inbox: what a theme's file `tips/LANGUAGE.yaml` holds."""

from pydantic import Field

from newsletter.model.issue_fields import Card, Day, Fields, TipsFields
from newsletter.model.mailbox import APPS_OF_MAILBOX, MailApp, MailboxProvider


class AppTips(Card):
    """The steps for one mail app."""

    looked_at: Day = Field(description="the day on which somebody last looked whether they still hold")


class Tips(Fields):
    """The steps for every mail app, in one language."""

    gmail_phone: AppTips = Field(alias=MailApp.GMAIL_PHONE.value)
    gmail_desktop: AppTips = Field(alias=MailApp.GMAIL_DESKTOP.value)
    apple_mail: AppTips = Field(alias=MailApp.APPLE_MAIL.value)
    outlook: AppTips = Field(alias=MailApp.OUTLOOK.value)
    yahoo: AppTips = Field(alias=MailApp.YAHOO.value)
    other: AppTips = Field(alias=MailApp.OTHER.value)

    def of(self, app: MailApp) -> AppTips:
        """The steps for an app."""
        return {
            MailApp.GMAIL_PHONE: self.gmail_phone,
            MailApp.GMAIL_DESKTOP: self.gmail_desktop,
            MailApp.APPLE_MAIL: self.apple_mail,
            MailApp.OUTLOOK: self.outlook,
            MailApp.YAHOO: self.yahoo,
            MailApp.OTHER: self.other,
        }[app]


def cards_of(fields: TipsFields, tips: Tips | None, mailbox: MailboxProvider | None) -> tuple[Card, ...]:
    """What a tips section shows to the readers at a mailbox provider: its own cards, or the theme's."""
    if fields.show is None or tips is None:
        return fields.cards
    own = APPS_OF_MAILBOX[mailbox or MailboxProvider.OTHER]
    apps = own if fields.shows_own else fields.apps or tuple(MailApp)
    return tuple(tips.of(app) for app in apps)
