"""Which addresses are doubtful, and which are not."""

import pytest

from newsletter.lists.addresses import doubt_of_domain, doubts_of


@pytest.mark.parametrize(
    ("domain", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gamil.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("gmal.com", "gmail.com"),
        ("hotnail.com", "hotmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("yaho.com", "yahoo.com"),
        ("yahooo.com", "yahoo.com"),
        ("outlok.com", "outlook.com"),
        ("iclod.com", "icloud.com"),
        ("aol.con", "aol.com"),
    ],
)
def test_typos_of_the_big_mailbox_providers_are_seen(domain: str, meant: str) -> None:
    assert f"typo for {meant}" in doubt_of_domain(domain)


@pytest.mark.parametrize(
    "domain",
    [
        "gmail.com",
        "googlemail.com",
        "ymail.com",
        "mail.com",
        "email.com",
        "gmx.com",
        "yahoo.fr",
        "yahoo.co.uk",
        "hotmail.de",
        "outlook.fr",
        "example.org",
        "",
    ],
)
def test_domains_that_are_meant_are_left_alone(domain: str) -> None:
    assert doubt_of_domain(domain) == ""


def test_doubts_stand_at_the_places_of_their_addresses() -> None:
    emails = ["ana@example.org", "No-Reply@gmial.com", '"a@b"@example.org', "", "x@yopmail.com"]

    doubts = doubts_of(emails)

    assert set(doubts) == {1, 4}
    assert "typo" in doubts[1]
    assert "role" in doubts[1]
