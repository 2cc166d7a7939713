"""Findings in every format: as text, as JSON, for GitHub, and as SARIF."""

import json
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from newsletter import install_hint
from newsletter.checks.base import Circumstances
from newsletter.checks.registry import RULES, check_issue, named
from newsletter.cli.compose.findings import Format, Report, print_report, summarize_findings
from newsletter.config import load_config
from newsletter.model.finding import Finding, Means, NotRun, Place, Severity
from newsletter.workflows.compose.check import not_judged
from newsletter.workflows.compose.compose import compose_issue
from tests.cli.test_output import lines_of_terminal
from tests.workspaces import write_workspace

ERROR = Finding(
    rule="S6",
    severity=Severity.ERROR,
    place=Place(path="issues/2026-02/a letter, part 1.md", line=12),
    what="“TODO: 100% of it” is left",
    remedy="write it, or\ndelete it",
)
WARNING = replace(ERROR, rule="S16", severity=Severity.WARNING, place=Place(path="newsletter.toml"))
WAIVED = replace(ERROR, rule="E1", waived="the replay is announced on purpose")
ALL = (ERROR, WARNING, WAIVED)
NOT_RUN = (
    NotRun(rule="A6", why="done without browser"),
    NotRun(rule="S13", why="done without browser"),
    NotRun(rule="J1", why="SpamAssassin is not installed; install it"),
)


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)


def told(
    capsys: pytest.CaptureFixture[str], form: str, findings: Sequence[Finding] = ALL, root: Path | None = None
) -> str:
    print_report(Report(issue="2026-02", findings=findings, not_run=NOT_RUN, root=root), form=Format(form))
    return capsys.readouterr().out


def titled(rule_id: str) -> str:
    """The words of a check with its id after them, as they are shown within a sentence."""
    (title,) = (rule.title for rule in RULES if rule.id == rule_id)
    first = title[0] if title[1].isupper() else title[0].lower()
    return f"{first}{title[1:]} ({rule_id})"


def test_the_text_has_a_line_for_each_place_says_what_is_waived_and_what_was_not_judged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    finding = replace(ERROR, remedy="write it")
    assert told(capsys, "text", (finding, replace(finding, waived="it is meant"))).splitlines() == [
        "issues/2026-02/a letter, part 1.md:12: error “TODO: 100% of it” is left; write it [S6]",
        "issues/2026-02/a letter, part 1.md:12: overridden: “TODO: 100% of it” is left; reason: it is meant [S6]",
        f"Skipped: {titled('A6')}, {titled('S13')}. Done without browser.",
        f"Skipped: {titled('J1')}. SpamAssassin is not installed; install it.",
        "2026-02: 1 error, 1 overridden (3 checks skipped)",
    ]


def test_on_a_narrow_terminal_a_finding_goes_on_under_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    report = Report(issue="2026-02", findings=(replace(WARNING, what="the subject is short", remedy="say more in it"),))
    with lines_of_terminal() as shown:
        print_report(report, form=Format.TEXT)
    assert shown == [
        "newsletter.toml: warning the subject is short; say more in",
        "    it [S16]",
        "2026-02: 1 warning",
    ]


def test_on_a_terminal_what_is_waived_is_dim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm")
    with lines_of_terminal() as shown:
        print_report(Report(issue="2026-02", findings=(WARNING, replace(WAIVED, remedy=""))), form=Format.TEXT)
    assert "\x1b[33mwarning\x1b[0m" in shown[0]
    assert shown[-2].startswith("\x1b[2missues/2026-02/")


def test_a_summary_counts_what_is_waived_apart() -> None:
    assert summarize_findings(()) == "No problems found."
    assert summarize_findings((WAIVED,)) == "1 overridden"
    assert summarize_findings((ERROR, ERROR, *ALL)) == "3 errors, 1 warning, 1 overridden"


def left_out(root: Path, circumstances: Circumstances | None = None) -> list[str]:
    """The lines about the checks that were skipped, in a workspace without a list."""
    config = load_config(write_workspace(root))
    composed = compose_issue(config, root / "issues/2026-02")
    return not_judged(check_issue(composed.subject, circumstances).not_run)


def test_skipped_checks_are_named_by_their_reason_as_a_sentence(tmp_path: Path) -> None:
    a_while, no_list = sorted(left_out(tmp_path), key=len, reverse=True)
    assert all(f"{titled(rule)}, " in a_while for rule in ("A6", "D1"))  # D1 begins with an abbreviation
    assert a_while.endswith("). Only `newsletter check` runs the checks that take a while.")
    assert no_list == f"{titled('M1')}. There are no subscribers yet."


def test_a_package_that_is_missing_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "newsletter.checks.browser.examine", None)
    without = frozenset({Means.NETWORK, Means.SPAMASSASSIN})
    circumstances = Circumstances(memory_folder=tmp_path, now=datetime(2026, 2, 19, tzinfo=UTC), without=without)

    lines = left_out(tmp_path, circumstances)

    advice = f"Packages are missing; run `{install_hint('browser')}`."
    assert f"{titled('A6')}, {titled('S13')}. {advice}" in lines
    assert f"{titled('J1')}. The spamassassin checks are turned off by `without`." in lines


def test_a_script_gets_everything(capsys: pytest.CaptureFixture[str]) -> None:
    read = json.loads(told(capsys, "json"))
    assert read["issue"] == "2026-02"
    assert read["findings"][2] == {
        "rule": "E1",
        "severity": "error",
        "place": {"path": "issues/2026-02/a letter, part 1.md", "line": 12},
        "what": "“TODO: 100% of it” is left",
        "remedy": "write it, or\ndelete it",
        "waived": "the replay is announced on purpose",
        "fix": None,
    }
    assert read["not_run"][2] == {"rule": "J1", "why": "SpamAssassin is not installed; install it"}


def in_property(rule_id: str) -> str:
    return named(rule_id).replace(":", "%3A").replace(",", "%2C")


def test_github_gets_its_workflow_commands_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    error, warning, waived, first, *_, last = told(capsys, "github").splitlines()
    place = "file=issues/2026-02/a letter%2C part 1.md,line=12"
    assert error == f"::error {place},title={in_property('S6')}::“TODO: 100%25 of it” is left; write it, or%0Adelete it"
    assert warning.startswith(f"::warning file=newsletter.toml,title={in_property('S16')}::")
    title = in_property("E1")
    assert waived == f"::notice {place},title={title}::“TODO: 100%25 of it” is left; overridden: {WAIVED.waived}"
    assert first == f"::notice title={in_property('A6')}::skipped: done without browser"
    assert last == "2026-02: 1 error, 1 warning, 1 overridden"


@pytest.mark.parametrize("form", ["github", "sarif"])
def test_github_gets_places_from_the_top_of_the_repository(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, form: str
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert "letters/newsletter.toml" in told(capsys, form, (WARNING,), tmp_path / "letters")
    assert "letters/newsletter.toml" not in told(capsys, form, (WARNING,), Path("/elsewhere"))


def test_a_sarif_log_has_the_form_that_the_standard_asks_for(capsys: pytest.CaptureFixture[str]) -> None:
    log = json.loads(told(capsys, "sarif"))

    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "newsletter"
    assert [rule["id"] for rule in driver["rules"]] == [rule.id for rule in RULES]
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["fullDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] in {"error", "warning"}
    assert len(run["results"]) == len(ALL)
    for result in run["results"]:
        assert_result(result, driver["rules"])
    assert_invocation(run)
    error, warning, waived = run["results"]
    assert error["locations"][0]["physicalLocation"]["region"] == {"startLine": 12}
    assert "region" not in warning["locations"][0]["physicalLocation"]
    assert "suppressions" not in error
    assert waived["suppressions"] == [{"kind": "inSource", "status": "accepted", "justification": WAIVED.waived}]


def assert_result(result: dict[str, Any], rules: Sequence[dict[str, Any]]) -> None:
    """Sections 3.27, 3.28 and 3.4 of the standard: a rule of the tool, a level, a message, a relative URI."""
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert result["level"] in {"none", "note", "warning", "error"}
    assert result["message"]["text"]
    (location,) = result["locations"]
    artifact = location["physicalLocation"]["artifactLocation"]
    assert re.fullmatch(r"[A-Za-z0-9._~/%-]+", artifact["uri"])  # RFC 3986: what else stands in it is escaped
    assert not artifact["uri"].startswith("/")
    assert artifact["uriBaseId"] == "WORKSPACE"


def assert_invocation(run: dict[str, Any]) -> None:
    """Sections 3.20 and 3.58: what was not judged is a notification about its rule."""
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is True
    notifications = invocation["toolExecutionNotifications"]
    assert [each["associatedRule"]["id"] for each in notifications] == [each.rule for each in NOT_RUN]
    assert all(each["level"] == "note" and each["message"]["text"] for each in notifications)
    assert set(run["originalUriBaseIds"]) == {"WORKSPACE"}
