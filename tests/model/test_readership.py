"""How the readers who share a variant are named."""

import pytest

from newsletter.model.mailbox import MailboxProvider
from newsletter.model.readership import Readership

BOTH = frozenset({"teachers", "spanish"})


@pytest.mark.parametrize(
    ("readership", "names", "label", "sees"),
    [
        (Readership(), (), "", ""),
        (
            Readership(segments=BOTH),
            ("spanish", "teachers"),
            "spanish + teachers",
            "what is only for spanish and teachers",
        ),
        (Readership(mailbox=MailboxProvider.GMAIL), ("gmail",), "Gmail", "the steps for Gmail"),
        (
            Readership(mailbox=MailboxProvider.OTHER),
            ("other",),
            "other mailboxes",
            "the steps for other mailboxes",
        ),
        (
            Readership(segments=frozenset({"teachers"}), mailbox=MailboxProvider.YAHOO),
            ("teachers", "yahoo"),
            "teachers + Yahoo, AOL",
            "what is only for teachers, and the steps for Yahoo, AOL",
        ),
    ],
)
def test_readers_are_named_by_what_tells_them_apart(
    readership: Readership, names: tuple[str, ...], label: str, sees: str
) -> None:
    assert (readership.names, readership.label, readership.sees) == (names, label, sees)
