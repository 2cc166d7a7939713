"""Checks of the versions of an issue that are compared: that they differ, and in which languages."""

from collections.abc import Iterable

from newsletter.checks.base import CheckContext, Problem, error, rule, warning
from newsletter.model.finding import Place, Severity
from newsletter.model.issue import Issue
from newsletter.model.readership import VERSION, VERSIONS


@rule("V1", is_once=True)
def check_difference(context: CheckContext) -> Iterable[Problem]:
    """Versions of an issue that are the same.

    If readers of two versions get the same email, nothing can be learned from comparing them.
    """
    rendered, issue = context.subject.rendered, context.whole.issue
    names = (VERSIONS[0], *issue.versions)
    seen: dict[tuple[str, ...], str] = {}
    judged = [variant.readership for variant in rendered.judged if variant.readership.version in {"", VERSIONS[0]}]
    for name in names if issue.versions else ():
        emails = tuple(rendered.variant_for(each.having(VERSION, name)).content_hash for each in judged)
        if other := seen.get(emails):
            what = f"version {name} is the same as version {other}"
            yield error(_place_of(issue, name), what, "write something else in it, or delete it")
        seen.setdefault(emails, name)


@rule("V2", severity=Severity.WARNING, is_once=True)
def check_languages(context: CheckContext) -> Iterable[Problem]:
    """Versions of an issue that are not written in each of its languages.

    Readers of the other languages get the words of version A. They are part of the comparison, and make any difference
    between the versions look smaller.
    """
    for gap in context.whole.issue.untranslated_versions:
        yield warning(gap.place, gap.what, gap.remedy)


def _place_of(issue: Issue, name: str) -> Place:
    """Return where a version is written: the file of its first own section, or its first key in `issue.yaml`."""
    version = issue.in_version(name)
    own = {path for section in issue.sections for path in section.paths}
    files = sorted(path for section in version.sections for path in section.paths - own)
    if files:
        return Place(path=files[0])
    keys = (key for key in ("subject", "preheader", "title") if version.source.at(key) != issue.source.at(key))
    return next((version.source.at(key) for key in keys), Place(path=issue.source.path))


RULES = (check_difference, check_languages)
