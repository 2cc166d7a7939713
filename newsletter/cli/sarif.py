"""Findings as a SARIF log, which code-scanning services read: https://docs.oasis-open.org/sarif/sarif/v2.1.0/."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from newsletter import __version__
from newsletter.checks.registry import RULES
from newsletter.model.finding import Finding, NotRun

_INDEXES = {rule.id: index for index, rule in enumerate(RULES)}
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"


def sarif_log(findings: Sequence[Finding], not_run: Sequence[NotRun]) -> Mapping[str, Any]:
    """One run: every rule, every finding with its place, and a notification for each rule that nobody judged."""
    driver = {
        "name": "newsletter",
        "version": __version__,
        "rules": [
            {
                "id": rule.id,
                "shortDescription": {"text": rule.title},
                "fullDescription": {"text": rule.why},
                "help": {"text": f"Asked for by: {rule.source}"},
                "defaultConfiguration": {"level": rule.severity.value},
            }
            for rule in RULES
        ],
    }
    invocation = {
        "executionSuccessful": True,
        "toolExecutionNotifications": [
            {"associatedRule": {"id": each.rule}, "level": "note", "message": {"text": f"not judged: {each.why}"}}
            for each in not_run
        ],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "originalUriBaseIds": {
            "WORKSPACE": {"description": {"text": "the folder with newsletter.toml, or the repository that holds it"}}
        },
        "results": [_result(finding) for finding in findings],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(finding: Finding) -> Mapping[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": quote(finding.place.path), "uriBaseId": "WORKSPACE"}}
    if finding.place.line:
        location["region"] = {"startLine": finding.place.line}
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": _INDEXES[finding.rule],
        "level": finding.severity.value,
        "message": {"text": f"{finding.what}; {finding.remedy}"},
        "locations": [{"physicalLocation": location}],
    }
    if finding.waived:
        result["suppressions"] = [{"kind": "inSource", "status": "accepted", "justification": finding.waived}]
    return result
