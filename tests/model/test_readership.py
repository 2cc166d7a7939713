"""How the readers who share a variant are named."""

import pytest

from newsletter.model.mailbox import MailboxProvider
from newsletter.model.readership import HIDDEN, LANGUAGE, MAILBOX, ONLY, SHOWN, Readership

TEACHERS = (f"{ONLY}teachers", SHOWN)
SPANISH = (f"{ONLY}spanish", SHOWN)
NO_DONORS = (f"{ONLY}donors", HIDDEN)
ENGLISH = (LANGUAGE, "en")


def at(provider: MailboxProvider) -> tuple[str, str]:
    return MAILBOX, provider.value


@pytest.mark.parametrize(
    ("values", "names", "label", "sees"),
    [
        ((), (), "", ""),
        ((NO_DONORS,), (), "", ""),
        ((NO_DONORS, ENGLISH), ("en",), "English", "the email in English"),
        (
            (TEACHERS, SPANISH, NO_DONORS),
            ("spanish", "teachers"),
            "spanish + teachers",
            "what is only for spanish and teachers",
        ),
        ((NO_DONORS, at(MailboxProvider.GMAIL)), ("gmail",), "Gmail", "the steps for Gmail"),
        ((at(MailboxProvider.OTHER),), ("other",), "other mailboxes", "the steps for other mailboxes"),
        (
            (TEACHERS, at(MailboxProvider.YAHOO), ENGLISH),
            ("en", "teachers", "yahoo"),
            "English + teachers + Yahoo, AOL",
            "the email in English, and what is only for teachers, and the steps for Yahoo, AOL",
        ),
    ],
)
def test_readers_are_named_by_what_tells_them_apart(
    values: tuple[tuple[str, str], ...], names: tuple[str, ...], label: str, sees: str
) -> None:
    readership = Readership(values)
    assert (readership.names, readership.label, readership.sees) == (names, label, sees)


def test_one_value_is_replaced_and_the_order_stays() -> None:
    readership = Readership((TEACHERS, ENGLISH))
    assert readership.having(LANGUAGE, "de").values == (TEACHERS, (LANGUAGE, "de"))
    assert readership.having(MAILBOX, "gmail") == readership
    assert (readership.value(LANGUAGE), readership.value(MAILBOX)) == ("en", None)
