"""Checks of content: something to read for every reader, what the law requires, and merge fields."""

from collections.abc import Collection, Iterable
from pathlib import PurePath
from shlex import quote

from newsletter.checks.base import IN_TEMPLATES, CheckContext, Problem, error, rule, warning
from newsletter.checks.reading.document import normalized
from newsletter.checks.rules.addresses import UNSUBSCRIBE_TOKEN
from newsletter.config import CONFIG_FILE
from newsletter.language.words import language_name
from newsletter.model.finding import Place, Severity
from newsletter.model.issue import Section
from newsletter.model.issue_fields import FetchedItems, ListFields
from newsletter.model.slots import LINK_FIELDS
from newsletter.model.values import is_language
from newsletter.settings.mistakes import suggestion

_IN_FOOTER = f"show it in the footer {IN_TEMPLATES}"
_ALWAYS_FILLED = {*LINK_FIELDS, "email"}


@rule("C2", is_once=True)
def check_substance(context: CheckContext) -> Iterable[Problem]:
    """Nothing to read.

    At least one section must be for everyone, and no section may be empty. If every section is for a segment only,
    a reader in none of these segments gets only a header and a footer.
    """
    issue = context.subject.issue
    if all(section.only for section in issue.sections):
        segments = ", ".join(issue.only_segments)
        what = f"readers outside {segments} would get an empty email"
        remedy = f"delete `only:` from one of the sections, or send with --to {quote(issue.only_segments[0])}"
        yield error(issue.source.at("sections"), what, remedy)
    for section in issue.sections:
        if _is_empty(section):
            write = "write text in this file"
            if isinstance(section.fields, ListFields) and isinstance(section.fields.items, FetchedItems):
                write = f"run newsletter fetch {quote(issue.name)}"
            remedy = f"{write}, or delete the line {section.name} from `sections` in {issue.source.path}"
            yield warning(section.source.at(), f"the section {section.name} is empty", remedy)


@rule("C3", severity=Severity.WARNING, is_once=True)
def check_unused_files(context: CheckContext) -> Iterable[Problem]:
    """Files that no section shows.

    Every Markdown file in the issue's folder should belong to a section that `issue.yaml` lists. A section that was
    written but never listed reaches no reader, and nothing in the email shows that it is missing.
    """
    issue = context.subject.issue
    offered = context.subject.settings.languages.offered
    for name in issue.unused:
        if translation := _unused_translation(name, offered):
            yield warning(Place(path=str(PurePath(issue.source.path).parent / name)), *translation)
            continue
        *folders, file = PurePath(name).parts
        section = folders[0] if file == "index.md" and len(folders) == 1 else PurePath(file).stem
        remedy = "rename it so that it ends in .md, or delete it"
        if file.endswith(".md"):
            remedy = f"add {section} to `sections` in {issue.source.path}, or delete the file"
        if folders and section not in folders:
            remedy = "move its text to a section, or delete the file"
        what = f"the file {name} is in no section, so readers do not see it"
        yield warning(issue.source.at("sections"), what, remedy)


def _unused_translation(name: str, offered: Collection[str]) -> tuple[str, str] | None:
    """Return what is wrong with a translation that is not used, and what to do, or None if it is not a translation."""
    path = PurePath(name)
    original, _, code = path.stem.rpartition(".")
    if not (original and path.suffix == ".md" and is_language(code)):
        return None
    if code in offered:
        return (
            f"there is no {original}.md that this file translates",
            f"rename it after its original, as NAME.{code}.md",
        )
    what = f"this file is a translation into {language_name(code)}, which the newsletter does not offer"
    return what, f'add "{code}" to `offered` under [languages] in {CONFIG_FILE}, or delete the file'


def _is_empty(section: Section) -> bool:
    """Return whether the section would show nothing but a title."""
    written = section.fields.model_fields_set - {"title", "overline", "layout", "items"}
    return section.prose.is_empty and not section.items and not written


@rule("L1", source="CAN-SPAM, CASL", can_be_waived=False)
def check_postal_address(context: CheckContext) -> Iterable[Problem]:
    """Missing postal address.

    Your postal address must be in the HTML and in the plain text. The law requires every newsletter to say where its
    sender can be reached by post.

    Line breaks within the address make no difference.
    """
    identity = context.subject.settings.newsletter
    address = normalized(identity.said_in(context.subject.issue.language, "address").text)
    for document in context.documents:
        for part, words in (("HTML", document.words), ("plain text", document.text_words)):
            if f" {address} " not in f" {' '.join(words)} ":
                what = f"the postal address is missing from the {part}"
                place = context.config_place("newsletter", "address")
                yield error(place, what, _IN_FOOTER)


@rule("L2", source="CAN-SPAM, GDPR, Gmail's sender rules", can_be_waived=False)
def check_way_out(context: CheckContext) -> Iterable[Problem]:
    """Missing unsubscribe link.

    The HTML and the plain text must show a link to unsubscribe. Leaving must be as easy as joining. Readers who do not
    find the link mark the email as spam instead.
    """
    for document in context.documents:
        links = [link for link in document.links if link.address == UNSUBSCRIBE_TOKEN]
        if not any(link.is_visible and link.text for link in links):
            what = "the HTML has no visible unsubscribe link"
            yield error(context.issue_place, what, _IN_FOOTER)
        if UNSUBSCRIBE_TOKEN not in document.text:
            yield error(context.issue_place, "the plain text has no unsubscribe link", _IN_FOOTER)


@rule("M1", needs_audience=True)
def check_fields_exist(context: CheckContext) -> Iterable[Problem]:
    """Unknown merge fields.

    Each merge field must exist for at least one subscriber. A field that no subscriber has, often a misspelling, leaves
    a gap in every email.
    """
    known = context.subject.known_fields
    if known is None:
        return
    for use in context.subject.issue.merge_fields:
        if use.field.name not in known | LINK_FIELDS.keys():
            remedy = suggestion(use.field.name, sorted(known | LINK_FIELDS.keys()))
            yield error(use.place, f"no subscriber has the field {use.field.name!r}", remedy)


@rule("M2", severity=Severity.WARNING)
def check_defaults(context: CheckContext) -> Iterable[Problem]:
    """Merge fields without a default.

    Every merge field that a subscriber may lack needs a default. Not everyone gives a name, and “Dear ,” is worse than
    “Dear friends,”.
    """
    known = context.subject.known_fields
    for use in context.subject.issue.merge_fields:
        name = use.field.name
        may_lack = name not in _ALWAYS_FILLED and (known is None or name in known)
        if use.field.default is None and may_lack:
            what = f"readers without {name} would see a gap"
            yield warning(
                use.place,
                what,
                f'write {{{{ {name} | default("…") }}}}, and put the word for these readers in place of …',
            )


RULES = (check_substance, check_unused_files, check_postal_address, check_way_out, check_fields_exist, check_defaults)
