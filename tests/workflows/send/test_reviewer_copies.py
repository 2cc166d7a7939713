"""Test emails: every reviewer gets every variant, and the report says what is true."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.errors import ProviderError
from newsletter.model.broadcast import NextStep, Outcome, Verdict
from newsletter.providers.base import Provider
from newsletter.providers.registry import open_provider
from newsletter.store import approvals
from newsletter.workflows.compose.compose import compose_issue, require_issue
from newsletter.workflows.send.reviewer_copies import TestCopy, reviewers, send_test_copies
from tests.fakes.sendgrid_api import Answer, SendGridApi
from tests.store.empty_file import open_test_database
from tests.workflows.send.carriers import ACCEPTED, Carrier
from tests.workspaces import CONFIG, ISSUE, LETTER, write_workspace

NOW = datetime(2026, 2, 18, 16, 0, tzinfo=UTC)
KEY = "SG.test-key"
BAD_ADDRESS = Answer.error(400, "Does not contain a valid address.", of="personalizations.0.to.0.email")


@pytest.fixture
def api() -> Iterator[SendGridApi]:
    """SendGrid's API on loopback."""
    with SendGridApi(api_key=KEY) as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path, api: SendGridApi) -> Path:
    """A workspace that sends through it."""
    provider = f'\n[provider]\nuse = "sendgrid"\n[provider.sendgrid]\napi_url = "{api.url}"\n'
    return write_workspace(tmp_path, {"newsletter.toml": CONFIG + provider})


def send(root: Path, *, provider: Provider | None = None, issue: str = "2026-02") -> tuple[TestCopy, ...]:
    config = load_config(root)
    with open_test_database(config.database) as database:
        return send_test_copies(
            config,
            database,
            compose_issue(config, require_issue(config, issue)),
            reviewers(config, ["reviewers"]),
            provider or open_provider(config, {"SENDGRID_API_KEY": KEY}),
            now=NOW,
            on_sent=lambda _: None,
        )


def remembered(root: Path) -> datetime | None:
    """When the issue was tested as it is now."""
    config = load_config(root)
    content_hash = compose_issue(config, require_issue(config, "2026-02")).rendered.content_hash
    with open_test_database(config.database) as database:
        return approvals.tested_at(database, "2026-02", content_hash)


def test_every_reviewer_gets_a_marked_copy(workspace: Path, api: SendGridApi) -> None:
    copies = send(workspace)

    assert [(copy.email, copy.refused) for copy in copies] == [("ana@example.org", ""), ("noor@example.net", "")]
    assert [(mail.email, mail.subject) for mail in api.accepted] == [
        ("ana@example.org", "[TEST] A small letter for everybody"),
        ("noor@example.net", "[TEST] A small letter for everybody"),
    ]


def test_a_refused_reviewer_costs_the_others_nothing(workspace: Path, api: SendGridApi) -> None:
    api.script(BAD_ADDRESS)

    copies = send(workspace)

    assert [(copy.email, copy.refused) for copy in copies] == [
        ("ana@example.org", "Does not contain a valid address."),
        ("noor@example.net", ""),
    ]
    assert [mail.email for mail in api.accepted] == ["noor@example.net"]


def test_where_all_are_refused_nobody_counts_as_reached(workspace: Path, api: SendGridApi) -> None:
    api.script(BAD_ADDRESS, BAD_ADDRESS)

    assert all(copy.refused for copy in send(workspace))
    assert not api.accepted
    assert remembered(workspace) is None


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(verdict=Verdict.UNKNOWN, reason="no answer", invalid={1: "refused"}),
        Outcome(verdict=Verdict.REJECTED, next_step=NextStep.STOP, reason="no answer", invalid={1: "refused"}),
        Outcome(verdict=Verdict.READY, next_step=NextStep.WAIT, reason="no answer", invalid={1: "refused"}),
        Outcome(verdict=Verdict.READY, reason="no answer", uncertain={1: "no answer"}),
        Outcome(verdict=Verdict.ACCEPTED, reason="no answer", unsent=frozenset({2})),
        Outcome(verdict=Verdict.READY, reason="no answer"),
    ],
)
def test_what_was_not_taken_is_never_reported_as_taken(workspace: Path, outcome: Outcome) -> None:
    carrier = Carrier([outcome])

    with pytest.raises(ProviderError, match="no answer"):
        send(workspace, provider=carrier)
    assert len(carrier.handed) == 1
    assert remembered(workspace) is None


def test_a_test_is_remembered_for_exactly_this_content(workspace: Path) -> None:
    send(workspace)
    assert remembered(workspace) == NOW

    write_workspace(workspace, {"issues/2026-02/letter.md": LETTER.replace("small letter", "brief letter")})

    assert remembered(workspace) is None


def test_a_copy_that_was_taken_is_remembered_though_a_later_one_failed(workspace: Path) -> None:
    carrier = Carrier([ACCEPTED, Outcome(verdict=Verdict.UNKNOWN, reason="no answer")], chunk_size=1)

    with pytest.raises(ProviderError, match="no answer"):
        send(workspace, provider=carrier)
    assert remembered(workspace) == NOW


def test_an_issue_of_any_name_can_be_tested(workspace: Path, api: SendGridApi) -> None:
    write_workspace(workspace, {"issues/März/issue.yaml": ISSUE, "issues/März/letter.md": LETTER})
    (workspace / "newsletter.toml").write_text(CONFIG, encoding="utf-8")  # into files, which have message ids

    send(workspace, issue="März")

    assert len(list((workspace / "outbox").rglob("*.eml"))) == 2
