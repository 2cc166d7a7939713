"""Who runs a mailbox, by its domain."""

import pytest

from newsletter.model.mailbox import PROVIDER_OF_DOMAIN, MailboxProvider, mailbox_provider_of


@pytest.mark.parametrize(
    ("email", "provider"),
    [
        ("ana@gmail.com", MailboxProvider.GMAIL),
        ("Ana.Lima@GoogleMail.COM", MailboxProvider.GMAIL),
        ("ana@hotmail.co.uk", MailboxProvider.OUTLOOK),
        ("ana@live.nl", MailboxProvider.OUTLOOK),
        ("ana@msn.com", MailboxProvider.OUTLOOK),
        ("ana@yahoo.com.br", MailboxProvider.YAHOO),
        ("ana@aol.com", MailboxProvider.YAHOO),
        ("ana@me.com", MailboxProvider.ICLOUD),
        ("ana@web.de", MailboxProvider.GMX),
        ("ana@mail.ru", MailboxProvider.MAIL_RU),
        ("ana@example.org", MailboxProvider.OTHER),
        ("gmail.com@example.org", MailboxProvider.OTHER),
        ("ana@news.gmail.com", MailboxProvider.OTHER),
        ("ana@notgmail.com", MailboxProvider.OTHER),
        ("ana@yahoo.co.jp", MailboxProvider.OTHER),
        ("no address", MailboxProvider.OTHER),
    ],
)
def test_provider_follows_from_the_domain(email: str, provider: MailboxProvider) -> None:
    assert mailbox_provider_of(email) is provider


def test_every_provider_has_a_name_and_domains() -> None:
    assert all(provider.label for provider in MailboxProvider)
    assert set(PROVIDER_OF_DOMAIN.values()) == set(MailboxProvider) - {MailboxProvider.OTHER}


def test_domains_are_written_as_the_list_compares_them() -> None:
    assert all(domain == domain.strip().lower() and domain.isascii() for domain in PROVIDER_OF_DOMAIN)
