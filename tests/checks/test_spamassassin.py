"""What SpamAssassin says: the program itself, with the rules that it brings."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.checks.base import CheckContext, Circumstances, read_context
from newsletter.checks.spamassassin import GOOD_SCORE, examine, rules_set_off
from newsletter.config import load_config
from newsletter.errors import CannotRunError
from newsletter.model.finding import Severity
from newsletter.workflows.compose.compose import compose_issue, subject_of
from tests.checks.conftest import ISSUE, Workspace
from tests.kitchen_sink import ISSUES, WORKSPACE
from tests.render.conftest import REPOSITORY

CIRCUMSTANCES = Circumstances(memory_folder=Path("unused"), now=datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def spamassassin() -> None:
    """Leaves a test out where SpamAssassin is not installed, but not where all of them have to run."""
    if shutil.which("spamassassin"):
        return
    reason = "no SpamAssassin on this machine; install it with `apt-get install spamassassin`"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def evidence_of(root: Path, name: str) -> CheckContext:
    config = load_config(root)
    composed = compose_issue(config, root / "issues" / name)
    return read_context(subject_of(config, composed.issue, composed.rendered))


@pytest.mark.usefixtures("spamassassin")
@pytest.mark.parametrize(("root", "name"), [(REPOSITORY, "2026-02"), *((WORKSPACE, name) for name in ISSUES)])
def test_the_theme_makes_mail_that_it_has_nothing_against(root: Path, name: str) -> None:
    context = evidence_of(root, name)
    score = sum(rule.score for rule in rules_set_off(context.subject.message))
    assert score <= GOOD_SCORE


@pytest.mark.usefixtures("spamassassin")
def test_what_it_counts_is_told_with_its_points_at_the_line_that_set_it_off(workspace: Workspace) -> None:
    workspace.edit("letter", "the days grow longer", "Viagra is guaranteed! The days grow longer")
    workspace.edit("letter", "A book", "A [book](https://bit.ly/book)")
    workspace.edit("issue", "A letter for the first days of March", '"RE: A LETTER FOR YOU AND YOUR FRIENDS"')

    faults = [fault for _, fault in examine(read_context(workspace.subject()), CIRCUMSTANCES).problems]

    places = {fault.what.split(":")[0].split(" for ")[1]: str(fault.place) for fault in faults}
    assert places["DRUGS_ERECTILE"] == f"{ISSUE}/letter.md:9"
    assert places["SUBJ_ALL_CAPS"] == f"{ISSUE}/issue.yaml:1"
    assert places["GB_FAKE_RF_SHORT"] == f"{ISSUE}/issue.yaml:1"
    assert {fault.severity for fault in faults} == {Severity.ERROR}
    told = {fault.what for fault in faults}
    assert any("points for DRUGS_ERECTILE: Refers to an erectile drug, at “Viagra”" in what for what in told), told


@pytest.mark.usefixtures("spamassassin")
def test_up_to_two_points_are_a_warning(workspace: Workspace) -> None:
    workspace.edit("letter", "the days grow longer", "Viagra, and the days grow longer")

    faults = [fault for _, fault in examine(read_context(workspace.subject()), CIRCUMSTANCES).problems]

    assert [(fault.severity, str(fault.place)) for fault in faults] == [(Severity.WARNING, f"{ISSUE}/letter.md:9")]


@pytest.mark.usefixtures("spamassassin")
def test_a_mail_of_another_year_has_no_more_points(workspace: Workspace) -> None:
    subject = workspace.subject(at=datetime(2035, 3, 1, tzinfo=UTC))
    assert sum(rule.score for rule in rules_set_off(subject.message)) <= 0


@pytest.mark.usefixtures("spamassassin")
def test_what_somebody_allowed_for_themselves_does_not_count(workspace: Workspace, keep_home_clean: Path) -> None:
    workspace.edit("letter", "the days grow longer", "Viagra, and the days grow longer")
    own = keep_home_clean / ".spamassassin"
    own.mkdir()
    (own / "user_prefs").write_text("score DRUGS_ERECTILE 0\n")
    try:
        assert "DRUGS_ERECTILE" in {rule.name for rule in rules_set_off(workspace.subject().message)}
    finally:
        shutil.rmtree(own)


def test_without_it_the_rule_is_not_judged_and_says_what_to_install(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = read_context(workspace.subject())
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(CannotRunError, match="apt-get install spamassassin"):
        examine(context, CIRCUMSTANCES)


def test_a_filter_that_fails_is_told_with_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "spamassassin"
    program.write_text("#!/bin/sh\necho 'config: no rules were found' >&2\nexit 2\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(CannotRunError, match="SpamAssassin failed \\(config: no rules were found\\)"):
        rules_set_off(b"Subject: Hello\r\n\r\nHello\r\n")


@pytest.mark.usefixtures("spamassassin")
def test_words_that_are_only_near_those_of_spam_are_not_told(workspace: Workspace) -> None:
    workspace.edit("letter", "the days grow longer", "we guarantee nothing but free time, via agreement, on a long day")
    assert examine(read_context(workspace.subject()), CIRCUMSTANCES).problems == ()
