"""Write a review as one HTML file that can be mailed: it loads nothing from anywhere and runs no scripts."""

import re
from datetime import datetime
from functools import cache
from pathlib import Path

from markupsafe import Markup
from msgspec import Struct

from newsletter.config import Config
from newsletter.language.catalogue import spoken
from newsletter.model.finding import Severity
from newsletter.model.rendered import data_address, with_picture_addresses
from newsletter.model.review import ReviewPicture, ShownVariant, Snapshot
from newsletter.web.public.pages import PICTURE_TYPES, page_in_a_file, style_sheet

_STYLE = Path(__file__).parent / "pages" / "review_file.css"
_NUMBERS = re.compile(r' data-block="[0-9]+"')
_LINE_PIXELS, _PICTURE_PIXELS = 27, 260  # about the height that a line of the text and an image take in the email


class ReviewFile(Struct, frozen=True, kw_only=True):
    """What goes into the file."""

    snapshot: Snapshot
    pictures: tuple[ReviewPicture, ...]
    content_hash: str
    made_at: datetime


def review_file(config: Config, review: ReviewFile) -> str:
    """Return the file as HTML, in the language of the newsletter."""
    identity, brand = config.settings.newsletter, config.settings.brand
    addresses = {each.name: data_address(each.content_type, each.content) for each in review.pictures}
    heights = max(_printed_pixels(each) for each in review.snapshot.variants)
    style = f"{style_sheet(config)}{_own_style()}:root{{--printed-height:{heights}px}}"
    return page_in_a_file(
        config,
        "review_file.html.j2",
        language=spoken([identity.language]),
        snapshot=review.snapshot,
        frames=[_framed(each, addresses) for each in review.snapshot.variants],
        style=Markup(style),  # noqa: S704 - our own style sheet, with the colors of the brand
        logo=_logo(config, brand.logo),
        dark_logo=_logo(config, brand.logo_dark),
        logo_width=brand.logo_width,
        answer_to=identity.reply_to or identity.from_email,
        errors=Severity.ERROR,
        content_hash=review.content_hash,
        made_at=review.made_at,
    )


def _framed(variant: ShownVariant, addresses: dict[str, str]) -> str:
    html = _NUMBERS.sub("", with_picture_addresses(variant.html, addresses))
    return re.sub(r"<head\b[^>]*>", r'\g<0><base target="_blank">', html, count=1)


def _printed_pixels(variant: ShownVariant) -> int:
    """Return about how high the email is on paper. A frame cannot say so without a script."""
    return 200 + _LINE_PIXELS * len(variant.text.splitlines()) + _PICTURE_PIXELS * variant.html.count("<img")


def _logo(config: Config, name: str | None) -> str:
    """Return the logo as a data address, or an empty string if there is none that browsers show."""
    path = config.root / name if name else None
    kind = PICTURE_TYPES.get(path.suffix.lower()) if path else None
    return data_address(kind, path.read_bytes()) if path and kind and path.is_file() else ""


@cache
def _own_style() -> str:
    return _STYLE.read_text(encoding="utf-8")
