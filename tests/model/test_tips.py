"""Which steps a tips section shows to whom."""

import pytest

from newsletter.model.issue import Tips, cards_of
from newsletter.model.issue_fields import Card, TipsFields
from newsletter.model.mailbox import APPS_OF_MAILBOX, MailApp, MailboxProvider

TIPS = Tips.model_validate(
    {app.value: {"title": app.value, "looked_at": "2026-02-01", "steps": ["Do it."]} for app in MailApp}
)


def shown(fields: TipsFields, mailbox: MailboxProvider | None = None) -> list[str]:
    return [card.title for card in cards_of(fields, TIPS, mailbox)]


def test_all_shows_every_app() -> None:
    assert shown(TipsFields(show="all")) == [app.value for app in MailApp]


def test_apps_are_shown_in_the_order_in_which_they_are_named() -> None:
    assert shown(TipsFields(show="all", apps=(MailApp.YAHOO, MailApp.GMAIL_PHONE))) == ["yahoo", "gmail-phone"]


@pytest.mark.parametrize(
    ("mailbox", "apps"),
    [
        (MailboxProvider.GMAIL, ["gmail-phone", "gmail-desktop"]),
        (MailboxProvider.ICLOUD, ["apple-mail"]),
        (MailboxProvider.OUTLOOK, ["outlook"]),
        (MailboxProvider.YAHOO, ["yahoo"]),
        (MailboxProvider.OTHER, ["other"]),
    ],
)
def test_own_shows_the_apps_of_the_mailbox(mailbox: MailboxProvider, apps: list[str]) -> None:
    assert shown(TipsFields(show="own"), mailbox) == apps


def test_own_words_stand_for_themselves() -> None:
    fields = TipsFields(cards=(Card(title="Ours", steps=("One.",)),))
    assert shown(fields, MailboxProvider.GMAIL) == ["Ours"]
    assert shown(TipsFields()) == []


def test_every_app_is_some_mailboxs_and_everybody_has_one() -> None:
    assert {app for apps in APPS_OF_MAILBOX.values() for app in apps} == set(MailApp)
    assert MailboxProvider.OTHER in APPS_OF_MAILBOX
