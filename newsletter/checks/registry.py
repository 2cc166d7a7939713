"""Every rule that a mail is held to before it goes out, and the judging itself."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from string import digits

from newsletter.checks.base import Circumstances, Evidence, Fault, Probe, Probed, Rule, Subject, gather_evidence
from newsletter.checks.catalogue import accessibility, content, filters, headers, sender, structure
from newsletter.checks.probes import PROBES
from newsletter.errors import CannotRunError
from newsletter.model.finding import Finding, NotRun, Severity

_NOT_ASKED = "it takes a while: `newsletter check` judges it"
_NO_LIST = "there is no list yet"


def _in_order(rule: Rule) -> tuple[str, int]:
    family = rule.id.rstrip(digits)
    return family, int(rule.id.removeprefix(family))


RULES: tuple[Rule, ...] = tuple(
    sorted(
        (*accessibility.RULES, *content.RULES, *filters.RULES, *headers.RULES, *sender.RULES, *structure.RULES),
        key=_in_order,
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found, and which rules nobody judged."""

    findings: tuple[Finding, ...]  # errors first, then by place
    not_run: tuple[NotRun, ...]


def check_issue(
    subject: Subject,
    circumstances: Circumstances | None = None,
    *,
    on_probed: Callable[[str], None] = lambda _: None,
) -> Verdict:
    """Holds an issue to the rules; what several variants share is told once.

    Without `circumstances` no probe runs, and the rules that need one are told as not run. `on_probed` is called with
    the title of each probe that has ended.
    """
    evidence = gather_evidence(subject)
    faults: list[tuple[str, Fault]] = []
    not_run: list[NotRun] = []
    for asked in RULES:
        if asked.needs_audience and subject.known_fields is None:
            not_run.append(NotRun(rule=asked.id, why=_NO_LIST))
        elif asked.check is not None:
            faults += [(asked.id, fault) for fault in asked.check(evidence)]
    for probed in _probed(evidence, circumstances, on_probed):
        faults += probed.faults
        not_run += probed.not_run
    findings = {_finding(evidence, rule_id, fault) for rule_id, fault in faults}
    return Verdict(findings=tuple(sorted(findings, key=_order)), not_run=_sorted(not_run))


def rule(rule_id: str) -> Rule:
    """The rule of an id; KeyError where there is none."""
    return _BY_ID[rule_id]


def _probed(
    evidence: Evidence, circumstances: Circumstances | None, on_probed: Callable[[str], None]
) -> Iterable[Probed]:
    """What each probe found; they run side by side, since each of them waits for something outside."""
    if circumstances is None:
        yield from (_left_out(probe, _NOT_ASKED) for probe in PROBES)
        return
    wanted = [probe for probe in PROBES if probe.means not in circumstances.without]
    yield from (
        _left_out(probe, f"done without {probe.means}") for probe in PROBES if probe.means in circumstances.without
    )
    if not wanted:
        return
    with ThreadPoolExecutor(max_workers=len(wanted), thread_name_prefix="probe") as pool:
        running = {pool.submit(_examine, probe, evidence, circumstances): probe for probe in wanted}
        for ended in as_completed(running):
            on_probed(running[ended].title)
            yield ended.result()


def _examine(probe: Probe, evidence: Evidence, circumstances: Circumstances) -> Probed:
    try:
        return probe.examine(evidence, circumstances)
    except CannotRunError as err:
        return _left_out(probe, str(err))


def _left_out(probe: Probe, why: str) -> Probed:
    return Probed(not_run=tuple(NotRun(rule=rule_id, why=why) for rule_id in probe.rules))


def _finding(evidence: Evidence, rule_id: str, fault: Fault) -> Finding:
    """A fault under the name of its rule, as the workspace and the issue want it judged."""
    subject = evidence.subject
    wanted = subject.settings.checks.severity.get(rule_id)
    waived = {**subject.settings.checks.waive, **subject.issue.fields.waive}
    return Finding(
        rule=rule_id,
        severity=Severity(wanted) if wanted else fault.severity,
        place=fault.place,
        what=evidence.readable(fault.what),
        remedy=evidence.readable(fault.remedy),
        waived=waived.get(rule_id, ""),
    )


def _order(finding: Finding) -> tuple[bool, bool, str, int, str, str]:
    is_warning = finding.severity is Severity.WARNING
    return bool(finding.waived), is_warning, finding.place.path, finding.place.line or 0, finding.rule, finding.what


def _sorted(not_run: Iterable[NotRun]) -> tuple[NotRun, ...]:
    return tuple(sorted(not_run, key=lambda left_out: _in_order(_BY_ID[left_out.rule])))


_BY_ID = {known.id: known for known in RULES}
