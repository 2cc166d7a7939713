"""How much a mail weighs: its HTML, its styles, its pictures."""

from collections.abc import Iterable

from newsletter.checks.base import Evidence, Fault, error, warning
from newsletter.checks.values import LONGEST_LETTERS, longest_values

HTML_LIMIT_BYTES = 102_000
HTML_NEAR_LIMIT_BYTES = 90_000
STYLE_LIMIT_BYTES = 16 * 1024
PICTURE_LIMIT_BYTES = 200_000
PICTURES_LIMIT_BYTES = 1_000_000


def check_html_size(evidence: Evidence) -> Iterable[Fault]:
    """The largest variant, with the longest plausible value in each slot."""
    settings = evidence.subject.settings
    size = max(
        len(variant.html.fill(longest_values(variant.slots, settings)).encode())
        for variant in evidence.subject.rendered.variants
    )
    if size <= HTML_NEAR_LIMIT_BYTES:
        return
    what = f"the HTML is {size:,} bytes long where merge fields hold {LONGEST_LETTERS} letters"
    remedy = "shorten the texts, or move a section to your website and link to it"
    place = evidence.subject.issue.source.at("sections")
    if size > HTML_LIMIT_BYTES:
        yield error(place, f"{what}, and Gmail cuts a mail off at {HTML_LIMIT_BYTES:,}", remedy)
    else:
        yield warning(place, f"{what}, close to the {HTML_LIMIT_BYTES:,} at which Gmail cuts a mail off", remedy)


def check_style_size(evidence: Evidence) -> Iterable[Fault]:
    """All style elements of a variant together."""
    size = max(sum(len(style.encode()) for style in document.styles) for document in evidence.documents)
    if size > STYLE_LIMIT_BYTES:
        what = f"the styles are {size:,} bytes long, and Gmail drops all of them above {STYLE_LIMIT_BYTES:,}"
        yield error(evidence.issue_place, what, "shorten the styles in the head of templates/email.mjml.j2")


def check_picture_sizes(evidence: Evidence) -> Iterable[Fault]:
    """Each picture, and all of them together."""
    pictures = evidence.subject.rendered.pictures
    for picture in pictures:
        if len(picture.content) > PICTURE_LIMIT_BYTES:
            place = evidence.sources.place_of_picture(picture.name) or evidence.issue_place
            what = f"the picture is {_kilobytes(len(picture.content))} large, {picture.width} × {picture.height} pixels"
            remedy = f"export it at most 1,200 pixels wide and below {_kilobytes(PICTURE_LIMIT_BYTES)}"
            yield warning(place, what, remedy)
    total = sum(len(picture.content) for picture in pictures)
    if total > PICTURES_LIMIT_BYTES:
        what = f"the pictures are {_kilobytes(total)} large together, slow to load on a phone"
        remedy = f"leave some out, or export them smaller: {_kilobytes(PICTURES_LIMIT_BYTES)} in all is enough"
        yield warning(evidence.issue_place, what, remedy)


def _kilobytes(size_bytes: int) -> str:
    return f"{-(-size_bytes // 1000):,} KB"
