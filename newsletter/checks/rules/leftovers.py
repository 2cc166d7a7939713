"""Check of leftovers: other tools' merge tags, and placeholders that should have been replaced before sending."""

import re
from collections.abc import Iterable, Iterator

from newsletter.checks.base import CheckContext, Problem, error, rule
from newsletter.checks.reading.document import MailDocument
from newsletter.checks.reading.merge_tags import merge_tags_in
from newsletter.model.finding import Place
from newsletter.model.slots import MERGE_TOKEN

# Only upper case, because "todo" is a Spanish word. TK Maxx is a shop.
_NOTE = re.compile(r"(?<![\w@/.-])(?:TKTK|TK(?!\s?Maxx)|TODO|FIXME|XXX+)(?![\w/-])")
# Text without these signs has no placeholder. This search takes a tenth of the time of the full patterns.
_SIGN_OF_PLACEHOLDER = re.compile(r"TK|TODO|FIXME|XXX|[Ll][Oo][Rr][Ee][Mm]|\[[Ii][Nn]")
_FILLER = re.compile(r"\blorem ipsum\b|\[insert [^\]\n]{1,60}\]", re.IGNORECASE)
_SHOUTABLE = frozenset({"TODO"})  # a word that a heading in capitals may contain in the languages below
_SHOUTING_LANGUAGES = frozenset({"ca", "es", "gl", "it", "pt"})


@rule("S6")
def check_leftovers(context: CheckContext) -> Iterable[Problem]:
    """Placeholders left in.

    The email must not contain merge tags from other tools, TODO, TK, XXX or lorem ipsum. These are notes to yourself,
    not to your readers.

    The check looks for merge tags in the whole email, and for placeholders only in the visible text. Each is reported
    at its lines in the user's files. If it is not in these files, it comes from the theme.
    """
    yield from _tags(context)
    yield from _placeholders(context)


def placeholders_in(text: str, language: str) -> Iterator[str]:
    """Yield the placeholders in a line of text.

    TODO does not count in a heading in capitals if it is a word in the language.
    """
    if not _SIGN_OF_PLACEHOLDER.search(text):
        return
    yield from (match[0] for match in _FILLER.finditer(text))
    for match in _NOTE.finditer(text):
        is_word = match[0] in _SHOUTABLE and language in _SHOUTING_LANGUAGES and _is_shouted(text)
        if not is_word or text[match.end() :].startswith(":"):
            yield match[0]


def _tags(context: CheckContext) -> Iterator[Problem]:
    written = [(source.text, source.place) for source in context.sources.texts]
    written += [(link.address, link.place) for link in context.sources.links]
    literal = {tag for code in _code_of(context) for tag in merge_tags_in(code)}
    told = set(literal)
    for text, place in written:
        for tag in merge_tags_in(text):
            if tag not in literal:
                told.add(tag)
                yield _tag(place, tag)
    for variant in context.subject.rendered.variants:
        for template in (variant.subject, variant.preheader, variant.html, variant.text):
            for part in template.parts:
                found = set(merge_tags_in(part)) - told
                yield from (_tag(context.issue_place, tag) for tag in sorted(found))
                if MERGE_TOKEN.search(part):
                    yield _tag(context.issue_place, "a merge field without a value")


def _code_of(context: CheckContext) -> Iterator[str]:
    """Yield the code in the texts of the issue, which shows any signs literally."""
    for section in context.subject.issue.sections:
        for prose in (section.prose, *(item.prose for item in section.items)):
            for block in prose.tokens:
                yield from (block.content,) if block.type in {"fence", "code_block"} else ()
                yield from (token.content for token in block.children or [] if token.type == "code_inline")


def _tag(place: Place, tag: str) -> Problem:
    remedy = 'delete it, or write a merge field such as {{ first_name | default("Friends") }}'
    return error(place, f"readers would see {tag}, which this program does not replace", remedy)


def _placeholders(context: CheckContext) -> Iterator[Problem]:
    told: set[str] = set()
    language = context.subject.issue.language.partition("-")[0]
    for source in context.sources.texts:
        for placeholder in placeholders_in(source.text, language):
            told.add(placeholder.casefold())
            yield _placeholder(source.place, placeholder)
    for document in context.documents:
        for line in _lines_that_may_hold_one(document):
            for placeholder in placeholders_in(line, language):
                if placeholder.casefold() not in told:
                    yield _placeholder(context.issue_place, placeholder)


def _lines_that_may_hold_one(document: MailDocument) -> Iterator[str]:
    shown = (document.title, *document.lines, *(image.alt or "" for image in document.images))
    if _SIGN_OF_PLACEHOLDER.search("\n".join(shown)):
        yield from shown
    if _SIGN_OF_PLACEHOLDER.search(document.text):
        yield from (line for line in document.text.splitlines() if not _is_shouted(line))


def _placeholder(place: Place, placeholder: str) -> Problem:
    return error(
        place, f"the placeholder {placeholder} is still in the email", "delete it, or write what readers should see"
    )


def _is_shouted(line: str) -> bool:
    """Return whether a line of several words is in capitals, like some headings in the plain text."""
    return line.isupper() and len(line.split()) > 1


RULES = (check_leftovers,)
