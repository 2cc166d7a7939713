"""Invitations: each reviewer's own link, through every provider, with nothing else that belongs to someone."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.errors import ProviderError
from newsletter.model.personal_links import read_link
from newsletter.providers.registry import open_provider
from newsletter.store.reviews import snapshot_of
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.review.answer import ReviewStanding, visit_of
from newsletter.workflows.review.invite import Invitation, open_review, send_invitations
from newsletter.workflows.send.approve import draft_approval
from newsletter.workflows.send.reviewer_copies import reviewers
from tests.fakes.sendgrid_api import Answer, SendGridApi
from tests.providers.smtp_server import SmtpServer
from tests.providers.workspace import sendgrid_settings, smtp_settings
from tests.store.builders import NOW
from tests.store.empty_file import open_test_database
from tests.workspaces import CONFIG, ISSUE, write_workspace

KEY = "SG.test-key"
LINK = re.compile(r"https://news\.example\.org/r/([0-9]+-[0-9]{10}\.[\w-]{22})(?=\s)")
HOSTILE = """title: 'Tom & "Jerry" {newsletter} {{ first_name }}'"""


@pytest.fixture
def api() -> Iterator[SendGridApi]:
    """SendGrid's API on loopback."""
    with SendGridApi(api_key=KEY) as running:
        yield running


def invite(root: Path, settings: str, **files: str) -> list[Invitation]:
    config = load_config(write_workspace(root, {"newsletter.toml": f"{CONFIG}\n{settings}", **files}))
    with open_test_database(config.database) as database:
        draft = draft_approval(config, database, require_issue(config, "2026-02"), now=NOW)
        asked = open_review(config, database, draft, reviewers(config, ["reviewers"]), now=NOW)
        provider = open_provider(config, {"SENDGRID_API_KEY": KEY})
        return list(send_invitations(config, draft, asked, provider, now=NOW))


def standing(root: Path, link: str) -> tuple[str, ReviewStanding]:
    config = load_config(root)
    with open_test_database(config.database) as database, database.read() as connection:
        visit = visit_of(connection, read_link(link), now=NOW)
        assert visit is not None
        assert snapshot_of(connection, visit.review.id) is not None
    return visit.reviewer.email, visit.standing


def test_each_reviewer_gets_their_own_link_through_sendgrid(tmp_path: Path, api: SendGridApi) -> None:
    results = invite(tmp_path, sendgrid_settings(api.url))

    assert [(each.email, each.refused) for each in results] == [("ana@example.org", ""), ("noor@example.net", "")]
    for mail in api.accepted:
        (link,) = set(LINK.findall(mail.text))
        assert standing(tmp_path, link) == (mail.email, ReviewStanding.OPEN)
        assert mail.html.count(link) == 3, "on the button, and as a link that is written out"
        assert mail.subject == "Please review: A small letter"
        assert not {"list-unsubscribe", "list-unsubscribe-post"} & {name.lower() for name in mail.headers}
    assert len(api.accepted) == 2


def test_each_reviewer_gets_their_own_link_through_smtp(tmp_path: Path) -> None:
    with SmtpServer(smtputf8=True) as server:
        assert [each.refused for each in invite(tmp_path, smtp_settings(server.port))] == ["", ""]
        assert len({mail.content for mail in server.taken}) == 2
        assert all(b"Auto-Submitted: auto-generated" in mail.content for mail in server.taken)


def test_a_refused_reviewer_costs_the_others_nothing(tmp_path: Path, api: SendGridApi) -> None:
    api.script(Answer.error(400, "Does not contain a valid address.", of="personalizations.0.to.0.email"))
    results = invite(tmp_path, sendgrid_settings(api.url))
    assert [bool(each.refused) for each in results] == [True, False]
    assert [mail.email for mail in api.accepted] == ["noor@example.net"]


def test_a_provider_that_takes_nothing_is_told(tmp_path: Path, api: SendGridApi) -> None:
    api.script(Answer.error(401, "The provided authorization grant is invalid."))
    with pytest.raises(ProviderError):
        invite(tmp_path, sendgrid_settings(api.url))


def test_a_title_is_only_ever_text(tmp_path: Path, api: SendGridApi) -> None:
    issue = ISSUE.replace("title: A small letter", HOSTILE)
    invite(tmp_path, sendgrid_settings(api.url), **{"issues/2026-02/issue.yaml": issue})
    for mail in api.accepted:
        assert "Tom &amp; &#34;Jerry&#34; {newsletter} {{ first_name }}" in mail.html
        assert mail.subject == 'Please review: Tom & "Jerry" {newsletter} {{ first_name }}'
