"""What `[mailbox]` may contain."""

from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.errors import MistakesError
from newsletter.workflows.compose.sample import envelope_of
from tests.workspaces import CONFIG, write_workspace


@pytest.mark.parametrize(
    ("lines", "mistake"),
    [
        ("", "mailbox › address"),
        ('address = "bounces"', "is not an email address"),
        ('address = "*@*.example.org"', "is not an email address"),
        ('address = "**@example.org"', "has a `*` in the wrong place; write one before the @"),
        ('address = "the-bounces-of-the-newsletter-*@example.org"', "before the @ is too long; write a shorter one"),
        ('address = "*@example.org"\nhost = "imap.example.org"', "no `username`; add a line `username`"),
        (
            'address = "*@example.org"\nhost = "imap.example.org"\nusername = "u"\nsecurity = "none"',
            'unencrypted; write security = "tls" or "starttls"',
        ),
        ('address = "*@example.org"\nunclear = "inbox"', "must be three different folders; change one of them"),
        ('address = "*@example.org"\npassword = "x"', "unknown key 'mailbox › password'"),
    ],
)
def test_a_mailbox_that_cannot_work_is_told(tmp_path: Path, lines: str, mistake: str) -> None:
    root = write_workspace(tmp_path, {"newsletter.toml": f"{CONFIG}\n[mailbox]\n{lines}\n"})

    with pytest.raises(MistakesError) as caught:
        load_config(root)

    assert mistake in str(caught.value)
    assert str(caught.value).startswith("newsletter.toml:")


@pytest.mark.parametrize(
    ("lines", "port", "sent_from"),
    [
        ('address = "*@bounces.example.org"', 993, "news@example.org"),
        ('address = "bounces+*@example.org"\nsecurity = "starttls"', 143, "news@example.org"),
        ('address = "bounces@example.org"\nport = 1993', 1993, "bounces@example.org"),
    ],
)
def test_an_address_may_name_the_recipient_or_not(tmp_path: Path, lines: str, port: int, sent_from: str) -> None:
    config = load_config(write_workspace(tmp_path, {"newsletter.toml": f"{CONFIG}\n[mailbox]\n{lines}\n"}))

    assert config.settings.mailbox is not None
    assert config.settings.mailbox.imap_port == port
    assert envelope_of(config).sent_from == sent_from
