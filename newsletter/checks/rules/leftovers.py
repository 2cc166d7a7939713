"""Check of leftovers: other tools' merge tags, and placeholders that should have been replaced before sending."""

from collections.abc import Collection, Iterable, Iterator

from newsletter.checks.base import CheckContext, Problem, error, remembered, rule, warning
from newsletter.checks.reading.document import MailDocument, normalized
from newsletter.checks.reading.merge_tags import merge_tags_in
from newsletter.checks.reading.placeholders import (
    Placeholder,
    draft_mark_in,
    is_only_placeholder,
    placeholders_in,
)
from newsletter.model.finding import Place
from newsletter.model.issue import Item, Section
from newsletter.model.slots import MERGE_TOKEN

_DRAFT_KEYS = frozenset({"subject", "preheader", "title"})
_WRITE = "delete it, or write what readers should see"
_NAMING_KEYS = frozenset({"subject", "preheader", "title", "subtitle", "overline", "name", "label", "alt", "badge"})


@rule("S6")
def check_leftovers(context: CheckContext) -> Iterable[Problem]:
    """Placeholders left in.

    The email must not contain merge tags from other tools, or what people write where a text is missing. Examples are
    TODO, TBC, xxx, [Name], “insert link here”, “(add photo)”, “Replace this text”, and a subject that begins with
    DRAFT. These are notes to yourself, not to your readers.

    The check looks for merge tags in the whole email, and for placeholders only in the visible text. Each is reported
    at its lines in the user's files. If it is not in these files, it comes from the theme.
    """
    told: set[str] = set()
    yield from _tags(context, told)
    yield from _placeholders(context, told)


def _tags(context: CheckContext, told: set[str]) -> Iterator[Problem]:
    """Yield the merge tags of other tools, and add each of them to `told`."""
    written = [(source.text, source.place) for source in context.sources.texts]
    written += [(link.address, link.place) for link in context.sources.links]
    literal = {tag for code in _code_of(context) for tag in merge_tags_in(code)}
    told |= literal
    for text, place in written:
        for tag in merge_tags_in(text):
            if tag not in literal:
                told.add(tag)
                yield _tag(place, tag)
    for variant in context.subject.rendered.variants:
        for template in (variant.subject, variant.preheader, variant.html, variant.text):
            for part in template.parts:
                found = set(merge_tags_in(part)) - told
                told |= found
                yield from (_tag(context.issue_place, tag) for tag in sorted(found))
                if MERGE_TOKEN.search(part):
                    yield _tag(context.issue_place, "a merge field without a value")


def _code_of(context: CheckContext) -> Iterator[str]:
    """Yield the code in the texts of the issue, which shows any signs literally."""
    for section in context.subject.issue.sections:
        parts: list[Section | Item] = [section, *section.items]
        for part in parts:
            yield from _code_in(part)


@remembered
def _code_in(part: Section | Item) -> Iterator[str]:
    for block in part.prose.tokens:
        yield from (block.content,) if block.type in {"fence", "code_block"} else ()
        yield from (token.content for token in block.children or [] if token.type == "code_inline")


def _tag(place: Place, tag: str) -> Problem:
    remedy = 'delete it, or write a merge field such as {{ first_name | default("Friends") }}'
    return error(place, f"readers would see {tag}, which this program does not replace", remedy)


def _placeholders(context: CheckContext, tags: Collection[str]) -> Iterator[Problem]:
    told: set[str] = set()
    language = context.subject.issue.language.partition("-")[0]
    for passage in context.sources.passages:
        for found in placeholders_in(passage.text, language):
            told.add(normalized(found.words))
            if not any(found.words in tag for tag in tags):
                yield _placeholder(passage.place_at(found.position), found)
        if passage.key in _DRAFT_KEYS and (mark := draft_mark_in(passage.text)):
            what = f"“{mark}” says that this is not the finished text"
            yield error(passage.places[0], what, f"delete “{mark}”")
        elif passage.key in _NAMING_KEYS and is_only_placeholder(passage.text):
            yield error(passage.places[0], _still_there(passage.text), _WRITE)
    for line in dict.fromkeys(line for document in context.documents for line in _lines(document)):
        for found in placeholders_in(line, language):
            is_told = normalized(found.words) in told or any(found.words in tag for tag in tags)
            if not is_told and not context.sources.holds(line):
                yield _placeholder(context.issue_place, found)


def _lines(document: MailDocument) -> list[str]:
    alternatives = [image.alt or "" for image in document.images]
    of_text = [line for line in document.text.splitlines() if not _is_shouted(line)]
    return [document.title, *document.lines, *alternatives, *of_text]


def _placeholder(place: Place, found: Placeholder) -> Problem:
    tell = warning if found.may_be_meant else error
    return tell(place, _still_there(found.words), _WRITE)


def _still_there(words: str) -> str:
    return f"the placeholder {words} is still in the email"


def _is_shouted(line: str) -> bool:
    """Return whether a line of several words is in capitals, like some headings in the plain text."""
    return line.isupper() and len(line.split()) > 1


RULES = (check_leftovers,)
