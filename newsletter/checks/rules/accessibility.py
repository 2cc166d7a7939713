"""Checks of accessibility: languages, table roles, alt text and the outline of headings."""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from newsletter.checks.base import IN_TEMPLATES, CheckContext, Problem, error, rule, warning
from newsletter.checks.reading.document import Heading, listed, normalized
from newsletter.checks.reading.sources import Passage
from newsletter.language.direction import direction_of_language
from newsletter.model.finding import Place

_LANGUAGE = re.compile(r"(?!und\b)[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_SCOPES = frozenset({"col", "row", "colgroup", "rowgroup"})
_LAYOUT_ROLES = frozenset({"presentation", "none"})
_SHAPES = frozenset({"img", "v:fill", "v:image", "v:oval", "v:rect", "v:roundrect"})
_FILE_NAME = re.compile(
    r"\S+\.(?:png|jpe?g|gif|webp|heic|tiff?|bmp|svg|avif)|(?:img|dscn?|pxl|dji|mvimg|image|bild|foto|photo|imagen|unnamed)[\s_-]*\d+(?:[\s_-]\d+)*"
    r"|(?:screenshot|screen shot|bildschirmfoto|capture d.écran|whatsapp image|captura de pantalla)\b.*\d.*",
    re.IGNORECASE,
)
_EMPTY_ALT_TEXTS = frozenset(map(normalized, listed("empty_alt_texts.txt")))


@rule("A1", source="Email Markup Consortium's accessibility report")
def check_languages(context: CheckContext) -> Iterable[Problem]:
    """Missing language or text direction.

    The email and every block in it must declare their language and text direction. Screen readers choose their voice
    by the language. Email apps remove the page around an email, so each block needs its own declaration.

    The check covers `lang` and `dir` of the html element and of every child of the body.
    """
    for document in context.documents:
        for tag in (document.root, *document.body_children):
            language = tag.attributes.get("lang", "")
            direction = tag.attributes.get("dir", "").lower()
            if not _LANGUAGE.fullmatch(language) or direction != direction_of_language(language):
                what = f"the language or text direction of <{tag.name}> is missing or wrong"
                what += ", so screen readers may misread it"
                yield error(context.issue_place, what, f'add lang="…" and dir="…" to it {IN_TEMPLATES}')


@rule("A2", source="Email Markup Consortium's accessibility report")
def check_table_roles(context: CheckContext) -> Iterable[Problem]:
    """Unmarked layout tables.

    Tables that only arrange the layout must be marked with a role, in the comments for Outlook too. Otherwise a
    screen reader announces rows and columns before each paragraph.
    """
    for document in context.documents:
        tables = list(document.layout_roles)
        tables += [tag.attributes.get("role") for tag in document.outlook_tags if tag.name == "table"]
        bare = sum(role not in _LAYOUT_ROLES for role in tables)
        if bare:
            what = f'{bare} of {len(tables)} layout tables lack role="presentation", so they are read aloud as data'
            yield error(context.issue_place, what, f'add role="presentation" {IN_TEMPLATES}')


@rule("A10", source="WCAG 2.2, success criterion 1.3.1")
def check_data_tables(context: CheckContext) -> Iterable[Problem]:
    """Tables without header cells.

    Every data table needs header cells with text, marked as headers of a column or of a row. “Friday, 9:00, Galway” is
    clear only under “Day, Time, Place”. Screen readers announce these words only if they are marked as headers.
    """
    for document in context.documents:
        for table in document.data_tables:
            place = context.text_place(table.words)
            if table.role in _LAYOUT_ROLES:
                what = f"the role of the table “{table.words}” hides its columns from screen readers"
                yield error(place, what, f'remove role="{table.role}" from this data table {IN_TEMPLATES}')
            if not table.heads:
                what = f"the table “{table.words}” has no header row, so screen readers cannot say what its cells mean"
                yield error(place, what, "add a first row with a title for each column (in a template, as <th>)")
            elif not any(words for words, _ in table.heads):
                what = f"the header row of the table “{table.words}” is empty"
                what += ", so screen readers cannot say what its cells mean"
                yield error(place, what, "write the title of each column in the first row")
            bare = [words for words, scope in table.heads if scope not in _SCOPES]
            if bare:
                what = f"the header cell “{bare[0]}” does not say whether it belongs to a column or a row"
                remedy = f'write <th scope="col"> or <th scope="row"> {IN_TEMPLATES}'
                yield error(context.text_place(bare[0]), what, remedy)


@rule("A3", source="WCAG 2.2, success criterion 1.1.1")
def check_picture_words(context: CheckContext) -> Iterable[Problem]:
    """Missing alt text.

    Every image needs alt text, which describes it in words. Some readers cannot see images, and many email apps do not
    load them at first. The alt text is read aloud or shown instead.

    Every image must have an `alt` attribute, which must not be empty for an image in Markdown, unless the
    image is marked as decorative.
    """
    for picture in context.sources.pictures:
        if picture.alt is not None:
            yield from _words_of_picture(picture.path, picture.alt, picture.place)
    for passage in context.sources.passages:
        if passage.key == "alt":
            yield from _words_of_key(passage)
    for document in context.documents:
        for image in document.images:
            if image.alt is None:
                place = context.picture_place(image.address)
                what = f"the image {image.address} has no alt text, so its address is read aloud"
                remedy = f'add alt="what it shows", or alt="" if it is only decoration {IN_TEMPLATES}'
                yield error(place, what, remedy)
        bare = {tag.name for tag in document.outlook_tags if tag.name in _SHAPES and "alt" not in tag.attributes}
        for name in sorted(bare):
            what = f"<{name}>, an image for Outlook, has no alt text"
            yield error(context.issue_place, what, f'add alt="" to it {IN_TEMPLATES}')


@rule("A5", source="Email Markup Consortium's accessibility report")
def check_outline(context: CheckContext) -> Iterable[Problem]:
    """Missing title or wrong heading levels.

    The email needs a title, one top-level heading, and no skipped levels below it. People who listen to an email skim
    it by jumping from heading to heading.
    """
    for document in context.documents:
        if not document.title:
            place = context.subject.issue.source.at("title")
            remedy = f"put the `title` from issue.yaml in <title> {IN_TEMPLATES}"
            yield error(place, "the email has no title", remedy)
        yield from _highest_headings(context, document.headings)
        yield from _skipped_levels(context, document.headings)


def _words_of_picture(path: str, alt: str, place: Place) -> Iterator[Problem]:
    if not alt.strip():
        what = f"the image {path} has no description for people who cannot see it"
        remedy = 'write one in the brackets: ![what it shows](…), or mark it as decoration: ![](… "decorative")'
        yield error(place, what, remedy)
    elif problem := _emptiness_of(alt.strip()):
        what = f"the description of the image {path} {problem}"
        yield warning(place, what, "describe the image in the brackets: ![what it shows](…)")


def _words_of_key(passage: Passage) -> Iterator[Problem]:
    if problem := _emptiness_of(passage.text.strip()):
        yield warning(passage.places[0], f"the description of the image {problem}", "write in `alt` what it shows")


def _emptiness_of(alt: str) -> str:
    """Return what is wrong with alt text that says nothing about an image, or an empty string."""
    if _FILE_NAME.fullmatch(alt):
        return f"is only a file name, {alt}"
    return f"is only “{alt}”, which does not say what it shows" if normalized(alt) in _EMPTY_ALT_TEXTS else ""


def _highest_headings(context: CheckContext, headings: tuple[Heading, ...]) -> Iterator[Problem]:
    highest = [heading for heading in headings if heading.level == 1]
    if len(highest) == 1:
        return
    place = context.subject.issue.source.at("title")
    if not highest:
        yield error(
            place, "the email has no top-level heading", f"put the `title` from issue.yaml in an <h1> {IN_TEMPLATES}"
        )
        return
    shown = ", ".join(f"“{heading.text}”" for heading in highest)
    what = f"the email has {len(highest)} top-level headings: {shown}"
    yield error(place, what, f"use <h1> only for the title of the issue {IN_TEMPLATES}")


def _skipped_levels(context: CheckContext, headings: tuple[Heading, ...]) -> Iterator[Problem]:
    for above, heading in pairwise(headings):
        if heading.level > above.level + 1:
            place = context.text_place(heading.text)
            what = f"the heading “{heading.text}” is level {heading.level}, but the one above it is level {above.level}"
            too_many = heading.level - above.level - 1
            remedy = f"remove {too_many} # from the start of the line, or fix the template that sets it"
            yield warning(place, what, remedy)


RULES = (check_languages, check_table_roles, check_picture_words, check_outline, check_data_tables)
