"""All rules that an email is checked against before it is sent, and the function that applies them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from string import digits

from msgspec import Struct
from msgspec.structs import replace

from newsletter import install_hint
from newsletter.checks import probes
from newsletter.checks.base import (
    CheckContext,
    Circumstances,
    Probe,
    Probed,
    Problem,
    Rule,
    Subject,
    parts_by_form,
    read_context,
)
from newsletter.checks.clients import report
from newsletter.checks.rules import (
    accessibility,
    addresses,
    colors,
    content,
    dates,
    event_clocks,
    event_fields,
    event_texts,
    garbled,
    headers,
    house_words,
    languages,
    leftovers,
    legibility,
    links,
    merge_addresses,
    message,
    size,
    structure,
    translations,
    unchanged,
    versions,
    written_dates,
)
from newsletter.config import Config, place_of_key
from newsletter.errors import CannotRunError, Fix, Mistake
from newsletter.model.finding import Finding, NotRun, Place, Severity
from newsletter.model.issue import Issue

_MOST_TRANSLATIONS = 64
_NOT_ASKED = "only `newsletter check` runs the checks that take a while"


def _place_in_list(rule_id: str) -> tuple[str, int]:
    """Return the sort key of a rule, which puts S10 after S9."""
    family = rule_id.rstrip(digits)
    return family, int(rule_id.removeprefix(family))


RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            *(accessibility.RULES + addresses.RULES + colors.RULES + content.RULES + dates.RULES + garbled.RULES),
            *(event_clocks.RULES + event_fields.RULES + event_texts.RULES + written_dates.RULES),
            *(headers.RULES + house_words.RULES),
            *(leftovers.RULES + legibility.RULES + links.RULES + message.RULES + size.RULES),
            *(structure.RULES + unchanged.RULES + report.RULES + probes.RULES),
            *(languages.RULES + merge_addresses.RULES + translations.RULES + versions.RULES),
        ),
        key=lambda rule: _place_in_list(rule.id),
    )
)


class CheckResult(Struct, frozen=True, kw_only=True):
    """The problems found, the rules that were skipped, and notes about this machine."""

    findings: tuple[Finding, ...]  # errors first, then by place
    not_run: tuple[NotRun, ...]
    notes: tuple[str, ...] = ()


def named(rule_id: str) -> str:
    """Return the title of a check with its id: `Missing alt text (A3)`."""
    title = next((rule.title for rule in RULES if rule.id == rule_id), "")
    return f"{title} ({rule_id})" if title else rule_id


def check_issue(
    subject: Subject, circumstances: Circumstances | None = None, *, on_probed: Callable[[str], None] = lambda _: None
) -> CheckResult:
    """Check an issue against all rules. A problem that several variants share is reported once.

    Without `circumstances` no probe runs, and the rules that need one are reported as skipped. `on_probed` is called
    with the title of each probe that has finished.
    """
    own, *translations = parts_by_form(subject)
    context = read_context(own, subject)
    asked = [each for each in RULES if not (each.needs_audience and subject.known_fields is None)]
    not_run = [NotRun(rule=each.id, why=subject.why_unknown) for each in RULES if each not in asked]
    problems = list(_problems(asked, context))
    for translation in translations:
        problems += _problems_in(translation, [each for each in asked if not each.is_once])
    if circumstances is not None and translations:
        context = read_context(subject)
    notes: list[str] = []
    for probed in _probed(context, circumstances, on_probed):
        problems += probed.problems
        not_run += probed.not_run
        notes += probed.notes
    findings = {_finding(context, rule_id, problem) for rule_id, problem in problems}
    not_run.sort(key=lambda left_out: _place_in_list(left_out.rule))
    return CheckResult(findings=tuple(sorted(findings, key=_order)), not_run=tuple(not_run), notes=tuple(notes))


def _problems(asked: Iterable[Rule], context: CheckContext) -> Iterator[tuple[str, Problem]]:
    for each in asked:
        if each.check is not None:
            yield from ((each.id, problem) for problem in each.check(context))


_Found = tuple[tuple[str, Problem], ...]
_in_translations: dict[tuple[object, ...], tuple[object, _Found]] = {}


def _problems_in(translation: Subject, asked: Sequence[Rule]) -> _Found:
    """Return the problems in one language. After an edit in another language, they are the same as before.

    The key has the identity of everything that was edited if it is another object, and the value keeps those objects.
    """
    rendered, issue = translation.rendered, translation.issue
    made_from = (*rendered.variants, *issue.sections, issue.fields, translation.config.settings)
    values = (translation.at, translation.known_fields, translation.earlier, translation.carried_over, len(asked))
    key = (*map(id, made_from), *values)
    if key not in _in_translations:
        if len(_in_translations) >= _MOST_TRANSLATIONS:
            _in_translations.clear()
        if translation.message_for is not None:
            translation = replace(translation, message=translation.message_for(rendered.fullest))
        _in_translations[key] = made_from, tuple(_problems(asked, read_context(translation)))
    return _in_translations[key][1]


def forget_translations() -> None:
    """Forget the problems that were found in the other languages, with the texts in which they were found."""
    _in_translations.clear()


def _probed(
    context: CheckContext, circumstances: Circumstances | None, on_probed: Callable[[str], None]
) -> Iterable[Probed]:
    """Yield the result of each probe. Probes run in parallel, because each waits for something outside this program."""
    if circumstances is None:
        yield from (_left_out(probe, _NOT_ASKED) for probe in probes.PROBES)
        return
    wanted = [probe for probe in probes.PROBES if probe.means not in circumstances.without]
    for probe in set(probes.PROBES) - set(wanted):
        yield _left_out(probe, f"the {probe.means} checks are turned off by `without`")
    if not wanted:
        return
    from newsletter.system.parallel import results_of  # loaded here because it loads TLS, which no build needs

    examining = [partial(_examine, probe, context, circumstances) for probe in wanted]
    for probe, probed in results_of(examining, threads=len(wanted)):
        on_probed(probe.title)
        yield probed


def _examine(probe: Probe, context: CheckContext, circumstances: Circumstances) -> tuple[Probe, Probed]:
    try:
        return probe, probe.examine(context, circumstances)
    except ModuleNotFoundError:
        return probe, _left_out(probe, f"packages are missing; run `{install_hint(probe.means)}`")
    except CannotRunError as err:
        return probe, _left_out(probe, str(err))


def _left_out(probe: Probe, why: str) -> Probed:
    return Probed(not_run=tuple(NotRun(rule=rule_id, why=why) for rule_id in probe.rules))


def _finding(context: CheckContext, rule_id: str, problem: Problem) -> Finding:
    """Return a problem as a finding, with the severity and the override that the workspace or the issue sets."""
    subject = context.subject
    wanted = subject.settings.checks.severity.get(rule_id)
    waived = {**subject.settings.checks.waive, **subject.issue.fields.waive}
    return Finding(
        rule=rule_id,
        severity=Severity(wanted) if wanted else problem.severity,
        place=problem.place,
        what=context.readable(problem.what),
        remedy=context.readable(problem.remedy),
        waived=waived.get(rule_id, ""),
        fix=problem.fix and Fix(old=context.readable(problem.fix.old), new=context.readable(problem.fix.new)),
    )


def _order(finding: Finding) -> tuple[bool, bool, str, int, str, str]:
    is_warning = finding.severity is Severity.WARNING
    return bool(finding.waived), is_warning, finding.place.path, finding.place.line or 0, finding.rule, finding.what


def mistakes_in_waivers(config: Config, issue: Issue) -> tuple[Mistake, ...]:
    """Return the mistakes in `[checks]` of the settings and in `waive` of an issue."""
    checks = config.settings.checks

    in_settings = partial(place_of_key, config, "checks")
    return (
        *_mistakes("waive", "overridden", checks.waive, partial(in_settings, "waive")),
        *_mistakes("severity", "given another severity", checks.severity, partial(in_settings, "severity")),
        *_mistakes("waive", "overridden", issue.fields.waive, partial(issue.source.at, "waive")),
    )


def _mistakes(key: str, effect: str, rules: Iterable[str], place_of: Callable[[str], Place]) -> Iterator[Mistake]:
    can_be_waived = {rule.id: rule.can_be_waived for rule in RULES}
    for rule in rules:
        place = place_of(rule)
        if rule not in can_be_waived:
            what = f"`{key}` names the check {rule!r}, which does not exist"
            remedy = "write a code that `newsletter check --list` shows, for example S16"
            yield Mistake(path=place.path, line=place.line, what=what, remedy=remedy)
        elif not can_be_waived[rule]:
            what = f"check {rule} cannot be {effect}, because the law requires it or nothing could be sent without it"
            yield Mistake(path=place.path, line=place.line, what=what, remedy="delete this line")
