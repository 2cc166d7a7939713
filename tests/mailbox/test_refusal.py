"""What a server's words and a status mean together."""

import pytest

from newsletter.mailbox.refusal import coded_lines, detail_of, judge


@pytest.mark.parametrize(
    ("words", "status", "kind", "cause"),
    [
        ("550 5.1.1 refused", "5.1.1", "hard", "no-such-address"),
        ("refused", "5.1.1", "hard", "no-such-address"),
        ("", "5.1.1 (bad destination)", "hard", "no-such-address"),
        # The server's own code counts if the status says nothing or is of the same class.
        ("452 4.2.2 refused", "5.0.0", "soft", "mailbox-full"),
        ("550 5.2.2 refused", "5.1.1", "soft", "mailbox-full"),
        # A status of another class that says something counts: the server that tried has given up.
        ("550 5.1.1 refused", "4.4.7", "soft", "unreachable"),
        # What is only for now says nothing about the address.
        ("450 4.1.1 unverified address", "4.1.1", "soft", "no-such-address"),
        # The phase decides who is meant.
        ("550 5.1.1 rejected (in reply to MAIL FROM command)", "5.1.1", "blameless", "sender"),
        ("550 no such account does not exist (in reply to RCPT TO command)", "", "hard", "no-such-address"),
        # The code of a reply is repeated on each of its lines.
        ("550-No such 550-user 550 here", "", "hard", "no-such-address"),
        ("550-5.0.0 No such 550-5.0.0 user 550 5.0.0 here", "", "hard", "no-such-address"),
        # Numbers in addresses and times are no codes.
        ("192.0.2.550 at 10:55:450 nothing", "", "soft", "policy"),
        ("554 5.4.6 loop", "5.4.6", "blameless", "misrouted"),
        ("550 5.2.3 too long", "5.2.3", "blameless", "too-large"),
    ],
)
def test_words_and_status_are_judged_together(words: str, status: str, kind: str, cause: str) -> None:
    found = judge(words, status=status)

    assert (found.kind, found.cause) == (kind, cause)


def test_lines_with_codes_are_found_with_what_follows_them() -> None:
    text = "Hello\n\n550 5.1.1 <ana@example.net>: no such\n    user\nGoodbye\nsee 10.0.0.1 and 5.1.1.1\n"

    assert coded_lines(text) == "550 5.1.1 <ana@example.net>: no such user"


def test_a_detail_is_one_short_line_without_addresses() -> None:
    found = detail_of("<ana@example.net>\x1b[31m\n" + "x" * 1000)

    assert found.startswith("<a***@example.net>")
    assert found.isprintable()
    assert len(found) < 420
