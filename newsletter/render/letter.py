"""A short email that answers what someone did on the service's pages. It has no sections and no merge fields.

Nothing that anyone typed gets into it. The only thing that differs between readers is their own link.
"""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from msgspec import Struct

from newsletter.config import Config
from newsletter.language.direction import Direction, direction_of_language
from newsletter.model.readership import Readership
from newsletter.model.rendered import RenderedVariant
from newsletter.model.slot_sources import OwnLink
from newsletter.model.slots import Escape, Link, Slot, Template
from newsletter.render.plaintext import tidy, underline, wrap

_LETTERS = Path(__file__).parent / "letters"
# What stands for a link until the email is cut at it. No word of ours contains it.
_PLACES = {link: f"nl\x1a{link.value}\x1a" for link in Link}


class Letter(Struct, frozen=True, kw_only=True):
    """The words of a letter, in one language."""

    subject: str
    title: str
    opening: tuple[str, ...]
    button: str = ""  # on the button to the reader's link
    or_open: str = ""  # above the same link, written out
    closing: tuple[str, ...] = ()
    leave: str = ""  # on the link that unsubscribes, for people who are on the list


def letter_variant(
    config: Config, letter: Letter, *, language: str, readership: Readership, button: Link = Link.CONFIRM
) -> RenderedVariant:
    """Return a letter as the variant of a broadcast. `button` is the link to which the button leads."""
    identity, brand = config.settings.newsletter, config.settings.brand
    direction = direction_of_language(language)
    values = {
        "letter": letter,
        "language": language,
        "direction": direction.value,
        "start": "right" if direction is Direction.RIGHT_TO_LEFT else "left",
        "newsletter": identity.name,
        "organization": identity.said_in(language, "organization").text,
        "address": identity.said_in(language, "address").text,
        "brand": brand,
        "light": brand.light,
        "dark": brand.dark,
        "button_link": _PLACES[button],
        "leave_link": _PLACES[Link.UNSUBSCRIBE],
        "wrap": wrap,
        "underline": underline,
    }
    slots: dict[Slot, int] = {}
    html = _cut(_templates().get_template("letter.html.j2").render(values), slots)
    plain = _templates().get_template("letter.txt.j2").render(values)
    text = _cut(tidy(plain, direction=direction), slots)
    return RenderedVariant(
        readership=readership,
        language=language,
        subject=Template((letter.subject,)),
        preheader=Template((letter.opening[0],)),
        html=html,
        text=text,
        slots=tuple(slots),
        pictures=(),
    )


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(_LETTERS),
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _cut(text: str, slots: dict[Slot, int]) -> Template:
    """Return the text, cut at its links. `slots` numbers the slots in the order in which they first appear."""
    parts, numbers = [], []
    while found := [(text.index(place), link) for link, place in _PLACES.items() if place in text]:
        start, link = min(found)
        parts.append(text[:start])
        numbers.append(slots.setdefault(Slot(OwnLink(link), Escape.LINK), len(slots)))
        text = text[start + len(_PLACES[link]) :]
    return Template((*parts, text), tuple(numbers))
