"""How much a mail weighs: its HTML, its styles, its pictures."""

from collections.abc import Iterable
from urllib.parse import quote

from newsletter.checks.base import THEME_REMEDY, CheckContext, Problem, error, rule, warning
from newsletter.model.finding import Place, Severity
from newsletter.model.picture_files import LIGHT_BYTES
from newsletter.model.rendered import Picture
from newsletter.model.slots import Escape, Slot, value_of_nobody
from newsletter.settings.workspace import Settings

HTML_LIMIT_BYTES = 102_000
HTML_NEAR_LIMIT_BYTES = 90_000
STYLE_LIMIT_BYTES = 16 * 1024
PICTURES_LIMIT_BYTES = 1_000_000
FEWEST_PIXELS, MOST_PIXELS = 1.5, 2.5  # of a picture's file for each pixel that is shown
# The longest value that is plausible, before anybody's is known: so many letters of two bytes each, or the field's
# default where that is longer; an unsubscribe link is so much longer than the service's address.
LONGEST_LETTERS = 64
_UNSUBSCRIBE_PATH_LENGTH = 160
_SMALLEST_SHOWN = 16  # pixels: what is smaller than that is no picture to be shown smaller still


@rule("S3", source="Gmail's behaviour, as caniemail records it")
def check_html_size(context: CheckContext) -> Iterable[Problem]:
    """The HTML is small enough to be shown whole.

    Gmail cuts a mail off at about 102 KB and hides what follows, the unsubscribe link first. It is measured with long
    values in all merge fields.

    The largest variant, with the longest plausible value in each slot.
    """
    settings = context.subject.settings
    size = max(
        len(variant.html.fill(tuple(longest_value(slot, settings) for slot in variant.slots)).encode())
        for variant in context.subject.rendered.variants
    )
    if size <= HTML_NEAR_LIMIT_BYTES:
        return
    what = f"the HTML is {size:,} bytes long where merge fields hold {LONGEST_LETTERS} letters"
    remedy = "shorten the texts, or move a section to your website and link to it"
    place = context.subject.issue.source.at("sections")
    if size > HTML_LIMIT_BYTES:
        yield error(place, f"{what}, and Gmail cuts a mail off at {HTML_LIMIT_BYTES:,}", remedy)
    else:
        yield warning(place, f"{what}, close to the {HTML_LIMIT_BYTES:,} at which Gmail cuts a mail off", remedy)


@rule("S4", source="Gmail's behaviour, as caniemail records it")
def check_style_size(context: CheckContext) -> Iterable[Problem]:
    """The styles are at most 16 KB.

    Gmail drops all styles in the head when they are longer, and the mail loses its phone layout.

    All style elements of a variant together.
    """
    size = max(sum(len(style.encode()) for style in document.styles) for document in context.documents)
    if size > STYLE_LIMIT_BYTES:
        what = f"the styles are {size:,} bytes long, and Gmail drops all of them above {STYLE_LIMIT_BYTES:,}"
        yield error(context.issue_place, what, "shorten the styles in the head of templates/email.mjml.j2")


@rule("S12", severity=Severity.WARNING)
def check_picture_sizes(context: CheckContext) -> Iterable[Problem]:
    """Pictures are light and sharp.

    Readers open mail on phones, often on a slow network: 200 KB a picture and 1 MB in all load in time. Their screens
    are fine: a picture has 1.5 to 2.5 pixels for each one that is shown, and says how wide it is.
    """
    pictures = context.subject.rendered.pictures
    for picture in pictures:
        if len(picture.content) > LIGHT_BYTES:
            what = f"the picture is {_kilobytes(len(picture.content))} large, {picture.width} × {picture.height} pixels"
            lighter = "leave out frames, or show a still" if picture.content_type == "image/gif" else "crop it"
            remedy = f"{lighter}, so that it stays below {_kilobytes(LIGHT_BYTES)}"
            yield warning(context.picture_place(picture.name), what, remedy)
        yield from _pixels_of(picture, context)
    total = sum(len(picture.content) for picture in pictures)
    if total > PICTURES_LIMIT_BYTES:
        what = f"the pictures are {_kilobytes(total)} large together, slow to load on a phone"
        remedy = f"leave some out: {_kilobytes(PICTURES_LIMIT_BYTES)} in all is enough"
        yield warning(context.issue_place, what, remedy)


def _pixels_of(picture: Picture, context: CheckContext) -> Iterable[Problem]:
    """Return whether the HTML says how wide a picture is shown, and whether it has the pixels for that."""
    stated = {
        tag.attributes.get("width", "")
        for document in context.documents
        for tag in document.tags
        if tag.name == "img" and picture.name in tag.attributes.get("src", "")
    }
    widths = [int(width) for width in stated if width.isdecimal() and int(width)]
    place = context.picture_place(picture.name)
    if len(widths) < len(stated):
        what = f"{picture.name} has no width in pixels, and Outlook shows it as large as its file"
        yield warning(place, what, f"give its <img> the width that picture() returns; {THEME_REMEDY}")
    if not widths:
        return
    if picture.width < FEWEST_PIXELS * max(widths):
        needed = max(2 * max(widths), picture.sharp_width)
        what = f"the picture has {picture.width} pixels for a width of {max(widths)}, and looks blurred on a phone"
        remedy = f"take one that is {needed} pixels wide or more{_or_smaller(picture, place, context)}"
        yield warning(place, what, remedy)
    if picture.width > MOST_PIXELS * min(widths):
        what = f"the picture has {picture.width} pixels for a width of {min(widths)}, which are loaded in vain"
        yield warning(place, what, f"ask for it in its width, picture(…, width={min(widths)}); {THEME_REMEDY}")


def _or_smaller(picture: Picture, place: Place, context: CheckContext) -> str:
    """Return what else can be done in Markdown; elsewhere the theme says how wide a picture is."""
    sections = context.subject.issue.sections
    texts = [section.prose for section in sections] + [item.prose for section in sections for item in section.items]
    is_in_text = any(shown.place == place for prose in texts for shown in prose.pictures)
    if not is_in_text or picture.width < 2 * _SMALLEST_SHOWN:
        return ""
    return f', or show it smaller: ![…](… "{picture.width // 2} px")'


def _kilobytes(size_bytes: int) -> str:
    return f"{-(-size_bytes // 1000):,} KB"


def longest_value(slot: Slot, settings: Settings) -> str:
    """Return the longest value that is plausible in a slot, written as its place asks."""
    link = f"{settings.service.url}/{'x' * _UNSUBSCRIBE_PATH_LENGTH}"
    value = value_of_nobody(slot.source, link=link)
    if slot.source.escape is Escape.LINK:
        return value
    longest = max("ä" * LONGEST_LETTERS, value, key=lambda text: len(text.encode()))
    return quote(longest, safe="") if slot.escape is Escape.URL else longest


RULES = (check_html_size, check_style_size, check_picture_sizes)
