"""Whether everyone can read the mail: languages, roles, words for pictures, an outline of headings."""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from newsletter.checks.base import THEME_REMEDY, CheckContext, Problem, error, rule, warning
from newsletter.checks.reading.document import Heading
from newsletter.language.direction import direction_of_language
from newsletter.model.finding import Place

_LANGUAGE = re.compile(r"(?!und\b)[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_SCOPES = frozenset({"col", "row", "colgroup", "rowgroup"})
_LAYOUT_ROLES = frozenset({"presentation", "none"})
_SHAPES = frozenset({"img", "v:fill", "v:image", "v:oval", "v:rect", "v:roundrect"})
_FILE_NAME = re.compile(r"\S+\.(?:png|jpe?g|gif)|(?:img|dsc|image|screenshot)[\s_-]*\d+", re.IGNORECASE)


@rule("A1", source="Email Markup Consortium's accessibility report")
def check_languages(context: CheckContext) -> Iterable[Problem]:
    """The mail says its language and direction.

    A screen reader chooses its voice by them. Mail programs take out the page around a mail, so every block in it has
    to say them again.

    `lang` and `dir` on the html element and on every child of the body.
    """
    for document in context.documents:
        for tag in (document.root, *document.body_children):
            language = tag.attributes.get("lang", "")
            direction = tag.attributes.get("dir", "").lower()
            if not _LANGUAGE.fullmatch(language) or direction != direction_of_language(language):
                what = f"<{tag.name}> lacks the language of its text or its direction, so it is read out wrongly"
                yield error(context.issue_place, what, THEME_REMEDY)


@rule("A2", source="Email Markup Consortium's accessibility report")
def check_table_roles(context: CheckContext) -> Iterable[Problem]:
    """Tables that only arrange things say so.

    Without a role, a screen reader counts out rows and columns before each paragraph, in Outlook too.
    """
    for document in context.documents:
        tables = list(document.layout_roles)
        tables += [tag.attributes.get("role") for tag in document.outlook_tags if tag.name == "table"]
        bare = sum(role not in _LAYOUT_ROLES for role in tables)
        if bare:
            what = f'{bare} of {len(tables)} layout tables lack role="presentation", so cells are read out as data'
            yield error(context.issue_place, what, THEME_REMEDY)


@rule("A10", source="WCAG 2.2, success criterion 1.3.1")
def check_data_tables(context: CheckContext) -> Iterable[Problem]:
    """Tables of data have heads that screen readers announce.

    “Friday, 9:00, Galway” means something only under “Day, Time, Place”, and a screen reader says these words only if
    the head cells are marked as such.
    """
    for document in context.documents:
        for table in document.data_tables:
            place = context.text_place(table.words)
            if table.role in _LAYOUT_ROLES:
                what = f"the table of “{table.words}” has a role that hides its columns from screen readers"
                yield error(place, what, f'take role="{table.role}" from a table that holds data; {THEME_REMEDY}')
            if not table.heads:
                what = f"the table of “{table.words}” has no head cells, so its cells are read out without a meaning"
                yield error(place, what, "write a line of heads above its rows, as <th> in a template")
            elif not any(words for words, _ in table.heads):
                what = f"the table of “{table.words}” has empty head cells, so its cells are read out without a meaning"
                yield error(place, what, "write in its first line what each column holds")
            bare = [words for words, scope in table.heads if scope not in _SCOPES]
            if bare:
                what = f"the head cell “{bare[0]}” does not say whether it is the head of a column or of a row"
                yield error(context.text_place(bare[0]), what, f'write <th scope="col"> or "row"; {THEME_REMEDY}')


@rule("A3", source="WCAG 2.2, success criterion 1.1.1")
def check_picture_words(context: CheckContext) -> Iterable[Problem]:
    """Pictures are described.

    Some readers cannot see a picture, and many mail programs do not load it at first. The words stand in.

    Every picture has an `alt`; one in Markdown has words in it.
    """
    for picture in context.sources.pictures:
        if picture.alt is not None:
            yield from _words_of_picture(picture.path, picture.alt, picture.place)
    for document in context.documents:
        for image in document.images:
            if image.alt is None:
                place = context.picture_place(image.address)
                what = f"the picture {image.address} has no alt text, so its address is read out"
                yield error(place, what, f'give it alt="" where it only decorates, or words; {THEME_REMEDY}')
        bare = {tag.name for tag in document.outlook_tags if tag.name in _SHAPES and "alt" not in tag.attributes}
        for name in sorted(bare):
            what = f"<{name}>, which Outlook draws, has no alt text"
            yield error(context.issue_place, what, f'give it alt=""; {THEME_REMEDY}')


@rule("A5", source="Email Markup Consortium's accessibility report")
def check_outline(context: CheckContext) -> Iterable[Problem]:
    """The mail has a title and an outline of headings.

    Headings are how one skims a mail without seeing it: one on top, and no level left out below it.
    """
    for document in context.documents:
        if not document.title:
            place = context.subject.issue.source.at("title")
            yield error(place, "the HTML has no title", f"show `title` of issue.yaml in <title>; {THEME_REMEDY}")
        yield from _highest_headings(context, document.headings)
        yield from _skipped_levels(context, document.headings)


def _words_of_picture(path: str, alt: str, place: Place) -> Iterator[Problem]:
    if not alt.strip():
        what = f"the picture {path} has no words for those who cannot see it"
        yield error(place, what, 'describe it in the brackets: ![what it shows](…), or mark it: ![](… "decorative")')
    elif _FILE_NAME.fullmatch(alt.strip()):
        what = f"the picture {path} is described by the name of a file, {alt.strip()}"
        yield warning(place, what, "describe in the brackets what it shows")


def _highest_headings(context: CheckContext, headings: tuple[Heading, ...]) -> Iterator[Problem]:
    highest = [heading for heading in headings if heading.level == 1]
    if len(highest) == 1:
        return
    place = context.subject.issue.source.at("title")
    if not highest:
        yield error(place, "the HTML has no h1", f"show `title` of issue.yaml in an <h1>; {THEME_REMEDY}")
        return
    shown = ", ".join(f"“{heading.text}”" for heading in highest)
    what = f"the HTML has {len(highest)} headings of the highest level: {shown}"
    yield error(place, what, f"only the issue's title is an <h1>; {THEME_REMEDY}")


def _skipped_levels(context: CheckContext, headings: tuple[Heading, ...]) -> Iterator[Problem]:
    for above, heading in pairwise(headings):
        if heading.level > above.level + 1:
            place = context.text_place(heading.text)
            what = f"the heading “{heading.text}” is of level {heading.level} below one of level {above.level}"
            yield warning(place, what, "leave none out: write fewer # before it, or correct the template that sets it")


RULES = (check_languages, check_table_roles, check_picture_words, check_outline, check_data_tables)
