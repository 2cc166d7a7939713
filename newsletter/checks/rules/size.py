"""Checks of size: the HTML, the styles and the images."""

from collections.abc import Iterable
from urllib.parse import quote

from newsletter.checks.base import IN_TEMPLATES, CheckContext, Problem, error, rule, warning
from newsletter.model.finding import Place, Severity
from newsletter.model.picture_files import LIGHT_BYTES
from newsletter.model.rendered import Picture
from newsletter.model.slot_sources import value_of_nobody
from newsletter.model.slots import Escape, Slot
from newsletter.model.tracking import with_tracking
from newsletter.settings.workspace import Settings

HTML_LIMIT_BYTES = 102_000
HTML_NEAR_LIMIT_BYTES = 90_000
STYLE_LIMIT_BYTES = 16 * 1024
PICTURES_LIMIT_BYTES = 1_000_000
FEWEST_PIXELS, MOST_PIXELS = 1.5, 2.5  # pixels of the image file per pixel shown
# The longest plausible value of a merge field, because the real ones are not known yet: 64 letters of two bytes each,
# or the field's default if that is longer. An unsubscribe link is at most 160 characters longer than the service's
# address.
LONGEST_LETTERS = 64
_UNSUBSCRIBE_PATH_LENGTH = 160
_SMALLEST_SHOWN = 16  # pixels; we never advise showing an image smaller than this


@rule("S3", source="Gmail's behavior, as caniemail records it")
def check_html_size(context: CheckContext) -> Iterable[Problem]:
    """HTML too large for Gmail.

    The HTML must be at most 102 KB, even with long values in all merge fields. Gmail clips a larger email and hides the
    rest, including the unsubscribe link.

    The largest variant is measured as it is sent, with the longest plausible value in each slot.
    """
    settings = context.subject.settings
    tracked = with_tracking(context.subject.rendered.variants, service_url=settings.service.url)
    size = max(
        len(variant.html.fill(tuple(longest_value(slot, settings) for slot in variant.slots)).encode())
        for variant in tracked.variants
    )
    if size <= HTML_NEAR_LIMIT_BYTES:
        return
    what = f"the HTML is {size:,} bytes if each merge field has {LONGEST_LETTERS} letters"
    remedy = "shorten the text of some sections, or move a section to your website and link to it"
    place = context.subject.issue.source.at("sections")
    if size > HTML_LIMIT_BYTES:
        yield error(place, f"{what}, and Gmail clips email at {HTML_LIMIT_BYTES:,} bytes", remedy)
    else:
        yield warning(place, f"{what}, close to the {HTML_LIMIT_BYTES:,} bytes at which Gmail clips email", remedy)


@rule("S4", source="Gmail's behavior, as caniemail records it")
def check_style_size(context: CheckContext) -> Iterable[Problem]:
    """Styles too large for Gmail.

    The styles in the head must be at most 16 KB. Gmail drops all of them if they are larger, and readers lose the
    layout for phones.

    All style elements of a variant count together.
    """
    size = max(sum(len(style.encode()) for style in document.styles) for document in context.documents)
    if size > STYLE_LIMIT_BYTES:
        what = f"the styles total {size:,} bytes, and Gmail drops all of them above {STYLE_LIMIT_BYTES:,} bytes"
        yield error(context.issue_place, what, "shorten the styles in the head of templates/email.mjml.j2")


@rule("S12", severity=Severity.WARNING)
def check_picture_sizes(context: CheckContext) -> Iterable[Problem]:
    """Heavy or blurred images.

    Each image should be at most 200 KB, and all images together at most 1 MB. Each needs a stated width, and its file
    should be 1.5 to 2.5 times as wide. Readers open email on phones, which often have a slow network but a sharp
    screen.
    """
    pictures = context.subject.rendered.pictures
    for picture in pictures:
        if len(picture.content) > LIGHT_BYTES:
            what = f"the image is {_kilobytes(len(picture.content))} ({picture.width} × {picture.height} pixels)"
            lighter = "remove frames or export a still image" if picture.content_type == "image/gif" else "crop it"
            remedy = f"in an image editor, {lighter}, until the file is at most {_kilobytes(LIGHT_BYTES)}"
            yield warning(context.picture_place(picture.name), what, remedy)
        yield from _pixels_of(picture, context)
    total = sum(len(picture.content) for picture in pictures)
    if total > PICTURES_LIMIT_BYTES:
        what = f"the images total {_kilobytes(total)}, which is slow to load on a phone"
        remedy = f"delete images, or export smaller ones, until they total {_kilobytes(PICTURES_LIMIT_BYTES)}"
        yield warning(context.issue_place, what, remedy)


def _pixels_of(picture: Picture, context: CheckContext) -> Iterable[Problem]:
    """Yield a problem if the HTML does not state the width of an image, or the image has too few or too many pixels."""
    stated = {
        tag.attributes.get("width", "")
        for document in context.documents
        for tag in document.tags
        if tag.name == "img" and picture.name in tag.attributes.get("src", "")
    }
    widths = [int(width) for width in stated if width.isdecimal() and int(width)]
    place = context.picture_place(picture.name)
    if len(widths) < len(stated):
        what = f"the image {picture.name} has no width in pixels, so Outlook shows it at the full size of its file"
        yield warning(place, what, f"give its <img> the width that picture() returns {IN_TEMPLATES}")
    if not widths:
        return
    if picture.width < FEWEST_PIXELS * max(widths):
        needed = max(2 * max(widths), picture.sharp_width)
        what = (
            f"the image is {picture.width} pixels wide but is shown {max(widths)} wide, so it looks blurred on a phone"
        )
        remedy = f"use an image that is at least {needed} pixels wide{_or_smaller(picture, place, context)}"
        yield warning(place, what, remedy)
    if picture.width > MOST_PIXELS * min(widths):
        what = f"the image is {picture.width} pixels wide but is shown {min(widths)} wide"
        what += ", so it loads slowly for no benefit"
        yield warning(place, what, f"write picture(…, width={min(widths)}) in the template {IN_TEMPLATES}")


def _or_smaller(picture: Picture, place: Place, context: CheckContext) -> str:
    """Return a second remedy for an image in Markdown, else an empty string. The theme sets the width of all others."""
    sections = context.subject.issue.sections
    texts = [section.prose for section in sections] + [item.prose for section in sections for item in section.items]
    is_in_text = any(shown.place == place for prose in texts for shown in prose.pictures)
    if not is_in_text or picture.width < 2 * _SMALLEST_SHOWN:
        return ""
    return f', or show it smaller: ![…](… "{picture.width // 2} px")'


def _kilobytes(size_bytes: int) -> str:
    return f"{-(-size_bytes // 1000):,} KB"


def longest_value(slot: Slot, settings: Settings) -> str:
    """Return the longest plausible value of a slot, escaped for its place."""
    link = f"{settings.service.url}/{'x' * _UNSUBSCRIBE_PATH_LENGTH}"
    value = value_of_nobody(slot.source, link=link)
    if slot.source.escape is Escape.LINK:
        return value
    longest = max("ä" * LONGEST_LETTERS, value, key=lambda text: len(text.encode()))
    return quote(longest, safe="") if slot.escape is Escape.URL else longest


RULES = (check_html_size, check_style_size, check_picture_sizes)
