"""What an issue says to whom: something for every reader, what the law asks, and a value for each merge field."""

from collections.abc import Iterable

from newsletter.checks.base import CheckContext, Problem, error, rule, warning
from newsletter.checks.reading.document import normalised
from newsletter.checks.rules.links import UNSUBSCRIBE_TOKEN
from newsletter.model.finding import Severity
from newsletter.model.issue import Section
from newsletter.model.slots import LINK_FIELDS
from newsletter.settings.mistakes import suggestion

_THEME = "show it in the footer; the built-in theme does"
_ALWAYS_FILLED = {*LINK_FIELDS, "email"}


@rule("C2")
def check_substance(context: CheckContext) -> Iterable[Problem]:
    """Every reader gets something to read.

    Sections can be for a segment alone. Whoever is in none of them would get a letterhead and a footer.

    A section that says nothing breaks this rule too.
    """
    issue = context.subject.issue
    if all(section.only for section in issue.sections):
        segments = ", ".join(issue.only_segments)
        what = f"whoever is not in {segments} would get a mail without a single section"
        yield error(issue.source.at("sections"), what, "add a section for everybody, or send to that segment alone")
    for section in issue.sections:
        if _is_empty(section):
            remedy = "write something, or take it out of `sections`"
            yield warning(section.source.at(), f"the section {section.name} says nothing", remedy)


def _is_empty(section: Section) -> bool:
    """Return whether nothing but a title would be shown."""
    written = section.fields.model_fields_set - {"title", "overline", "layout", "items"}
    return section.prose.is_empty and not section.items and not written


@rule("L1", source="CAN-SPAM, CASL", can_be_waived=False)
def check_postal_address(context: CheckContext) -> Iterable[Problem]:
    """The postal address is in both parts.

    A mail to a list must say where its sender can be reached by post.

    The address counts however it is broken into lines.
    """
    address = normalised(context.subject.settings.newsletter.address)
    for document in context.documents:
        for part, words in (("HTML", document.words), ("text part", document.text_words)):
            if f" {address} " not in f" {' '.join(words)} ":
                what = f"the postal address is missing from the {part}"
                place = context.config_place("newsletter", "address")
                yield error(place, what, f"`address` of [newsletter] must be readable in every mail; {_THEME}")


@rule("L2", source="CAN-SPAM, GDPR, Gmail's sender rules", can_be_waived=False)
def check_way_out(context: CheckContext) -> Iterable[Problem]:
    """Readers see a link to unsubscribe, in both parts.

    Leaving must be as easy as joining. Whoever does not find the link marks the mail as spam instead.
    """
    for document in context.documents:
        links = [link for link in document.links if link.address == UNSUBSCRIBE_TOKEN]
        if not any(link.is_visible and link.text for link in links):
            what = "the HTML has no unsubscribe link that readers see"
            yield error(context.issue_place, what, _THEME)
        if UNSUBSCRIBE_TOKEN not in document.text:
            yield error(context.issue_place, "the text part has no unsubscribe link", _THEME)


@rule("M1", needs_audience=True)
def check_fields_exist(context: CheckContext) -> Iterable[Problem]:
    """The audience has each merge field.

    A field that no subscriber has, often one with a slip in its name, leaves a gap in every mail.
    """
    known = context.subject.known_fields
    if known is None:
        return
    for use in context.subject.issue.merge_fields:
        if use.field.name not in known | LINK_FIELDS.keys():
            remedy = suggestion(use.field.name, sorted(known | LINK_FIELDS.keys()))
            yield error(use.place, f"no subscriber has the field {use.field.name}", remedy)


@rule("M2", severity=Severity.WARNING)
def check_defaults(context: CheckContext) -> Iterable[Problem]:
    """Merge fields have a default.

    Not everybody gives a name. “Dear ,” is worse than “Dear friends,”.
    """
    known = context.subject.known_fields
    for use in context.subject.issue.merge_fields:
        name = use.field.name
        may_lack = name not in _ALWAYS_FILLED and (known is None or name in known)
        if use.field.default is None and may_lack:
            what = f"some readers may lack {name} and would see a gap"
            yield warning(use.place, what, f'add a default: {{{{ {name} | default("…") }}}}')


RULES = (check_substance, check_postal_address, check_way_out, check_fields_exist, check_defaults)
