"""The welcome email: an issue that people get once, when they have joined."""

from collections.abc import Iterator

import pytest

from newsletter.config import load_config
from newsletter.model.broadcast import BroadcastKind
from newsletter.store.ledger.broadcasts import list_broadcasts
from newsletter.store.ledger.status import tally_of
from tests.providers.smtp_server import SmtpServer
from tests.providers.workspace import smtp_settings
from tests.web.public.conftest import ServedPages
from tests.web.public.joining import NEW, Joining, body_of
from tests.workspaces import CONFIG, ISSUE, LETTER

CLEO = "cleo@example.org"
WELCOME = ISSUE.replace("A small letter for everybody", "Welcome to the small letter")


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    """The relay that takes the email."""
    with SmtpServer() as server:
        yield server


@pytest.fixture
def settings(relay: SmtpServer) -> str:
    """A workspace with a welcome issue."""
    return CONFIG + '\n[signup]\nwelcome = "welcome"\n' + smtp_settings(relay.port, more="concurrency = 1")


@pytest.fixture
def joining(served: ServedPages, relay: SmtpServer) -> Joining:
    folder = served.config.root / "issues" / "welcome"
    folder.mkdir()
    (folder / "issue.yaml").write_text(WELCOME, encoding="utf-8")
    (folder / "letter.md").write_text(LETTER, encoding="utf-8")
    return Joining(served, relay)


def subjects(joining: Joining, address: str) -> list[str]:
    return [str(mail["Subject"]) for mail in joining.mails_to(address)]


def test_people_who_have_joined_get_the_welcome_email_once(joining: Joining) -> None:
    joining.join(NEW, {"first_name": "Nia"})
    assert len(subjects(joining, NEW)) == 1
    joining.run()
    joining.run()

    (_, mail) = joining.mails_to(NEW)
    assert str(mail["Subject"]) == "Welcome to the small letter"
    assert "Dear Nia," in body_of(mail, "plain")
    link = joining.pages.link(NEW)
    assert mail["List-Unsubscribe"] == f"<https://news.example.org{link}>"
    assert mail["Auto-Submitted"] is None
    joining.pages.ask("POST", link, b"List-Unsubscribe=One-Click")
    joining.pages.later(days=40)
    joining.join(NEW)
    joining.run()
    assert len(subjects(joining, NEW)) == 3  # asked twice, but welcomed once


def test_all_welcome_emails_of_one_content_are_in_one_broadcast(joining: Joining) -> None:
    for address in (NEW, CLEO):
        joining.join(address)
        joining.run()

    (found,) = [each for each in list_broadcasts(joining.pages.database) if each.kind is BroadcastKind.WELCOME]
    tally = tally_of(joining.pages.database, found.id)
    assert (found.issue, tally.frozen, tally.accepted, tally.adds_up) == ("welcome", 2, 2, True)


def test_an_edited_welcome_issue_reaches_only_people_who_have_none(joining: Joining) -> None:
    joining.join(NEW)
    joining.run()
    (joining.pages.config.root / "issues/welcome/letter.md").write_text("Hello, and welcome.\n", encoding="utf-8")
    joining.join(CLEO)
    joining.run()
    joining.run()

    assert len(subjects(joining, NEW)) == 2
    assert "Hello, and welcome." in body_of(joining.mails_to(CLEO)[-1], "plain")


def test_someone_who_leaves_at_once_gets_no_welcome_email(joining: Joining) -> None:
    joining.join(NEW)
    joining.pages.ask("POST", joining.pages.link(NEW), b"List-Unsubscribe=One-Click")
    joining.run()

    assert len(subjects(joining, NEW)) == 1


def test_a_broken_welcome_issue_waits_until_it_is_corrected(joining: Joining) -> None:
    letter = joining.pages.config.root / "issues/welcome/letter.md"
    letter.write_text("{{ nothing", encoding="utf-8")
    joining.join(NEW)
    joining.run()
    assert len(subjects(joining, NEW)) == 1
    assert any("issues/welcome/letter.md:1" in words for words in joining.logged)

    letter.write_text(LETTER, encoding="utf-8")
    joining.run()
    assert len(subjects(joining, NEW)) == 2


def test_a_welcome_issue_that_must_be_approved_waits_for_that(joining: Joining) -> None:
    toml = joining.pages.config.root / "newsletter.toml"
    text = toml.read_text(encoding="utf-8").replace("[signup]", "[delivery]\nrequire_approval = true\n\n[signup]")
    toml.write_text(text, encoding="utf-8")
    joining.pages.config = load_config(joining.pages.config.root)
    joining.join(NEW)
    joining.run()

    assert len(subjects(joining, NEW)) == 1
    assert any("newsletter approve welcome" in words for words in joining.logged)
