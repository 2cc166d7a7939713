"""Compose an issue: load it, render it and check it. Every workflow that needs an issue starts here."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from unicodedata import normalize

from msgspec import Struct
from msgspec.structs import replace

from newsletter.checks.base import Circumstances, Subject
from newsletter.checks.clients.readers import mistakes_in_clients
from newsletter.checks.registry import RULES, CheckResult, check_issue, mistakes_in_waivers
from newsletter.config import Config
from newsletter.content.loader import (
    ARCHIVE_FOLDER,
    ISSUE_FILE,
    ISSUES_FOLDER,
    PAGE_FILE,
    issue_headings,
    issue_names,
    load_issue,
)
from newsletter.errors import InputError, Mistake, MistakesError, StoreError
from newsletter.model.address import masked
from newsletter.model.finding import Finding, Means, NotRun, Place, Severity
from newsletter.model.issue import Issue, IssueHeading
from newsletter.model.ledger import ZoneCount
from newsletter.model.proof import ProvedChecks, ProvedFinding, ProvedSkip
from newsletter.model.rendered import RenderedIssue
from newsletter.render.memory import Memory
from newsletter.render.pipeline import render_issue
from newsletter.render.theme import Theme
from newsletter.settings.mistakes import suggestion
from newsletter.workflows.compose.carried_over import carried_over
from newsletter.workflows.compose.sample import sample_message

CONTENT_RULE = "C1"  # the check that reports mistakes in the files, which are found before there is an email to check
BUILD_FOLDER = "build"
_IS_PAST = f"is a past issue from another tool, which is only shown in the archive; name an issue in {ISSUES_FOLDER}/"
# The merge fields of the list, None if there is no list yet, or the reason why it cannot be read.
Fields = Iterable[str] | StoreError | None


class Probing(Struct, frozen=True, kw_only=True):
    """How to run the probes: the checks that need a browser, the network or a spam filter."""

    now: datetime
    without: frozenset[Means] = frozenset()  # the tools not to use, in addition to those in the settings
    are_pictures_hosted: bool = False  # whether the images of the email were just uploaded to the archive
    on_probed: Callable[[str], None] = lambda _: None  # called with the title of each finished probe


class Composed(Struct, frozen=True, kw_only=True, dict=True):
    """An issue as written and as rendered, with the findings of the checks.

    The checks take twice as long as rendering, so they run when their result is first asked for.
    """

    subject: Subject
    probed: CheckResult | None = None  # the result that includes the probes, if they have run

    @cached_property
    def _checked(self) -> CheckResult:
        return self.probed or check_issue(self.subject)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the checks found, errors first."""
        return self._checked.findings

    @property
    def not_run(self) -> tuple[NotRun, ...]:
        """The rules that were skipped."""
        return self._checked.not_run

    @property
    def notes(self) -> tuple[str, ...]:
        """What was noticed about this machine, not the issue."""
        return self._checked.notes

    @property
    def issue(self) -> Issue:
        """The issue as written."""
        return self.subject.issue

    @property
    def rendered(self) -> RenderedIssue:
        """The issue as rendered."""
        return self.subject.rendered

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that block a broadcast."""
        return tuple(finding for finding in self.findings if finding.blocks)

    @property
    def checks(self) -> ProvedChecks:
        """What the checks found, as it is recorded with a broadcast."""
        others = {each.rule for each in self.findings} | {each.rule for each in self.not_run}
        return ProvedChecks(
            passed=tuple(rule.id for rule in RULES if rule.id not in others),
            found=tuple(
                ProvedFinding(
                    rule=each.rule,
                    severity=each.severity.value,
                    what=masked(f"{each.place}: {each.what}"),
                    waived=masked(each.waived),
                )
                for each in self.findings
            ),
            skipped=tuple(ProvedSkip(rule=each.rule, why=masked(each.why)) for each in self.not_run),
        )


def require_issue(config: Config, name: str | None) -> Path:
    """Return the folder of an issue that is given by name (`2026-02`) or path. The default is the latest by date.

    Raise InputError if there is no such issue.
    """
    known = issue_names(config)
    if name is None:
        if not known:
            raise InputError(f"there is no issue in {ISSUES_FOLDER}/; create one: newsletter new 2026-03")
        return config.root / ISSUES_FOLDER / issue_headings(config)[-1].name
    folder = Path(name)
    with suppress(OSError):  # a name that is too long for a file
        if len(folder.parts) > 1 and (folder / ISSUE_FILE).is_file():
            if (folder / PAGE_FILE).is_file():
                raise InputError(f"{name} {_IS_PAST}")
            return folder.resolve()
    # File systems keep letters such as é in different spellings, and keyboards type only one of them.
    same = [each for each in known if normalize("NFC", each) == normalize("NFC", folder.name)]
    if not same:
        if (config.root / ARCHIVE_FOLDER / folder.name / ISSUE_FILE).is_file():
            raise InputError(f"{name} {_IS_PAST}")
        hint = suggestion(folder.name, known) if known else "create the first one: newsletter new 2026-03"
        raise InputError(f"there is no issue {name!r} in {ISSUES_FOLDER}/; {hint}")
    return config.root / ISSUES_FOLDER / (folder.name if folder.name in same else same[0])


def open_theme(config: Config) -> Theme:
    """Return the workspace's theme, with the results cached by earlier builds."""
    return Theme(config.root, Memory(config.root / BUILD_FOLDER / ".memory"))


def compose_issue(
    config: Config,
    folder: Path,
    *,
    at: datetime | None = None,
    known_fields: Fields = None,
    theme: Theme | None = None,
    subjects: Sequence[str] = (),
) -> Composed:
    """Load, render and check an issue. Dates are checked against `at`; the default is the issue's own date.

    The fullest variant is checked, and one variant for each value of an axis. Checks that need a browser, the network
    or a spam filter are reported as not run; `probe_issue` also runs those. A caller that composes repeatedly
    passes the same `theme` each time, so that its templates are compiled only once. `subjects` are other subjects than
    those of the issue, for a follow-up.

    Raise MistakesError with every mistake in the files or in a template. Raise InputError if an image or the MJML is
    wrong.
    """
    issue, rendered = render_folder(config, folder, theme=theme, subjects=subjects)
    return judge_rendered(config, issue, rendered, at=at, known_fields=known_fields)


def render_folder(
    config: Config, folder: Path, *, theme: Theme | None = None, subjects: Sequence[str] = ()
) -> tuple[Issue, RenderedIssue]:
    """Load and render an issue without checking it. Raise the same errors as `compose_issue`."""
    theme = theme or open_theme(config)
    issue = load_issue(config, folder, theme.section_types, subjects=subjects)
    if mistakes := (*mistakes_in_waivers(config, issue), *mistakes_in_clients(config)):
        raise MistakesError(mistakes)
    return issue, render_issue(issue, config, theme)


def judge_rendered(
    config: Config,
    issue: Issue,
    rendered: RenderedIssue,
    *,
    at: datetime | None = None,
    known_fields: Fields = None,
    arrivals: Iterable[ZoneCount] = (),
) -> Composed:
    """Check an issue that is already rendered. Every variant in `rendered` is checked.

    If it arrives at a different time in each time zone, these are the `arrivals`, and `at` is the last of them.
    """
    return Composed(subject=subject_of(config, issue, rendered, at=at, known_fields=known_fields, arrivals=arrivals))


def subject_of(
    config: Config,
    issue: Issue,
    rendered: RenderedIssue,
    *,
    at: datetime | None = None,
    known_fields: Fields = None,
    arrivals: Iterable[ZoneCount] = (),
) -> Subject:
    """Return the input for the checks: the issue, its rendered email, and a complete message of the fullest variant."""
    moment = at or issue.date_begins
    if isinstance(known_fields, StoreError):
        subject = subject_of(config, issue, rendered, at=at, arrivals=arrivals)
        return replace(subject, why_unknown=f"the list cannot be read: {known_fields}")
    earlier = _earlier(config, issue)
    return Subject(
        issue=issue,
        rendered=rendered,
        config=config,
        template_folders=config.theme_folders,
        message=sample_message(config, rendered.fullest, now=moment),
        message_for=lambda variant: sample_message(config, variant, now=moment),
        at=moment,
        known_fields=None if known_fields is None else frozenset(known_fields),
        earlier=earlier,
        carried_over=carried_over(config, issue, earlier),
        arrivals=tuple(arrivals),
    )


def _earlier(config: Config, issue: Issue) -> tuple[IssueHeading, ...]:
    """Return the other issues whose date is not after that of this one."""
    others = (heading for heading in issue_headings(config) if heading.name != issue.name)
    return tuple(heading for heading in others if heading.date is not None and heading.date <= issue.fields.date)


def probe_issue(config: Config, composed: Composed, probing: Probing) -> Composed:
    """Also run the checks that need a browser, the network or a spam filter, if available. This takes seconds."""
    without = probing.without | set(map(Means, config.settings.checks.without))
    answers = config.root / BUILD_FOLDER / ".answers"
    circumstances = Circumstances(
        memory_folder=answers, now=probing.now, without=without, are_pictures_hosted=probing.are_pictures_hosted
    )
    return Composed(
        subject=composed.subject, probed=check_issue(composed.subject, circumstances, on_probed=probing.on_probed)
    )


def findings_of(mistakes: Iterable[Mistake], severity: Severity = Severity.ERROR) -> tuple[Finding, ...]:
    """Return the mistakes in a user's files as findings of the check that covers the files.

    A finding is one line, so only the first line of each remedy is kept.
    """
    return tuple(
        Finding(
            rule=CONTENT_RULE,
            severity=severity,
            place=Place(path=mistake.path, line=mistake.line),
            what=mistake.what,
            remedy=mistake.remedy.partition("\n")[0],
            fix=mistake.fix,
        )
        for mistake in mistakes
    )
