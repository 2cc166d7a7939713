"""What was meant to be replaced before the mail goes out: merge tags, and notes to oneself."""

import re
from collections.abc import Iterable, Iterator

from newsletter.checks.base import CheckContext, Problem, error, rule
from newsletter.checks.reading.document import MailDocument
from newsletter.model.finding import Place
from newsletter.model.slots import MERGE_TOKEN

_TAG = re.compile(
    r"""\{\{[^{}]{0,40}(?:\}\})?        # two braces, as this program and SendGrid write a field
    | %7B%7B                         # the same inside an address
    | (?-i:\*?\|[A-Z][A-Z0-9_:]+\|\*?)  # Mailchimp's, whose asterisks Markdown takes for emphasis
    | (?<!\w)%%[A-Z][\w-]{1,40}%%       # Salesforce's
    | (?-i:(?<!\w)%[A-Z][A-Z0-9_-]{2,40}%)  # ActiveCampaign's
    | (?-i:\[(?:FIRST_?NAME|LAST_?NAME|FNAME|LNAME|NAME|EMAIL)\])  # what many write by hand
    | <%\s*\w[^<>]{0,40}%>            # other senders'
    | \{%[^{}]{0,40}%\}               # control flow of a template
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Upper case alone: "todo" is a Spanish word. TK Maxx is a shop.
_NOTE = re.compile(r"(?<![\w@/.-])(?:TKTK|TK(?!\s?Maxx)|TODO|FIXME|XXX+)(?![\w/-])")
# A text without any of these holds neither: to look for them costs a tenth of what the patterns cost.
_SIGN_OF_TAG = re.compile(r"\{[{%]|%7[Bb]|<%|\|[A-Za-z]|%%|%[A-Z]{2}|\[[A-Z]{2}")
_SIGN_OF_PLACEHOLDER = re.compile(r"TK|TODO|FIXME|XXX|[Ll][Oo][Rr][Ee][Mm]|\[[Ii][Nn]")
_FILLER = re.compile(r"\blorem ipsum\b|\[insert [^\]\n]{1,60}\]", re.IGNORECASE)
_SHOUTABLE = frozenset({"TODO"})  # a word of these languages, which a heading in capitals may hold
_SHOUTING_LANGUAGES = frozenset({"ca", "es", "gl", "it", "pt"})


@rule("S6")
def check_leftovers(context: CheckContext) -> Iterable[Problem]:
    """Nothing is left to be filled in.

    Merge tags of another program, TODO, TK, XXX and lorem ipsum are notes to oneself, not to readers.

    Merge tags anywhere in the mail, placeholders in what readers see.

    Each is told at its lines in the user's files; one that stands there nowhere comes from the theme.
    """
    yield from _tags(context)
    yield from _placeholders(context)


def placeholders_in(text: str, language: str) -> Iterator[str]:
    """The placeholders in a line of text; TODO is none in a heading in capitals, where it is a word of the language."""
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
    told: set[str] = set()
    for text, place in written:
        for tag in _tags_in(text):
            told.add(tag)
            yield _tag(place, tag)
    for variant in context.subject.rendered.variants:
        for template in (variant.subject, variant.preheader, variant.html, variant.text):
            for part in template.parts:
                found = set(_tags_in(part)) - told
                yield from (_tag(context.issue_place, tag) for tag in sorted(found))
                if MERGE_TOKEN.search(part):
                    yield _tag(context.issue_place, "a merge field that no value replaces")


def _tags_in(text: str) -> Iterator[str]:
    if _SIGN_OF_TAG.search(text):
        yield from (match[0].strip() for match in _TAG.finditer(text))


def _tag(place: Place, tag: str) -> Problem:
    remedy = 'delete it, or write a merge field such as {{ first_name | default("Friends") }}'
    return error(place, f"{tag} would reach readers as it is", remedy)


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
    return error(place, f"the placeholder {placeholder} is still there", "replace it by what readers should see")


def _is_shouted(line: str) -> bool:
    """Return whether a line of several words is in capitals, as the text part sets some headings."""
    return line.isupper() and len(line.split()) > 1


RULES = (check_leftovers,)
