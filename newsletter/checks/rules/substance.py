"""Whether every reader gets something to read."""

from collections.abc import Iterable

from newsletter.checks.base import Evidence, Fault, error, warning
from newsletter.model.issue import Section


def check_substance(evidence: Evidence) -> Iterable[Fault]:
    """No variant is without a section, and no section says nothing."""
    issue = evidence.subject.issue
    if all(section.only for section in issue.sections):
        segments = ", ".join(issue.only_segments)
        what = f"whoever is not in {segments} would get a mail without a single section"
        yield error(issue.source.at("sections"), what, "add a section for everybody, or send to that segment alone")
    for section in issue.sections:
        if _is_empty(section):
            remedy = "write something, or take it out of `sections`"
            yield warning(section.source.at(), f"the section {section.name} says nothing", remedy)


def _is_empty(section: Section) -> bool:
    """Whether nothing but a title would be shown."""
    written = section.fields.model_fields_set - {"title", "overline", "layout", "items"}
    return section.prose.is_empty and not section.items and not written
