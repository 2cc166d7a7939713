"""A short email that answers what someone did on the service's pages, or corrects what an issue told about an event.

It has no sections and no merge fields. Nothing that subscribers typed gets into it. What differs between readers is
their own link and, in a correction, their local time.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from msgspec import Struct

from newsletter.config import Config
from newsletter.language.direction import Direction, direction_of_language, direction_of_text
from newsletter.model.readership import Readership
from newsletter.model.rendered import RenderedVariant
from newsletter.model.slot_sources import OwnLink
from newsletter.model.slots import Escape, Link, Slot, SlotSource, Template
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
    sources: tuple[SlotSource, ...] = ()  # of the slots whose tokens stand in the texts above
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
        "run": lambda text: direction_of_text(text, Direction.LEFT_TO_RIGHT).value,  # few apps know `<bdi>`
        "wrap": wrap,
        "underline": underline,
    }
    slots: dict[Slot, int] = {}
    html = _cut(_templates().get_template("letter.html.j2").render(values), slots, letter.sources, Escape.HTML)
    plain = _templates().get_template("letter.txt.j2").render(values)
    text = _cut(tidy(plain, direction=direction), slots, letter.sources, Escape.TEXT)
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


def _cut(text: str, slots: dict[Slot, int], sources: Iterable[SlotSource], escape: Escape) -> Template:
    """Return the text, cut at its links and tokens. `slots` numbers the slots in the order in which they first appear.

    `escape` is how values of the sources are escaped in this text.
    """
    places = {place: Slot(OwnLink(link), Escape.LINK) for link, place in _PLACES.items()}
    places |= {source.token: Slot(source, escape) for source in sources}
    parts, numbers = [], []
    while found := [(text.index(place), place) for place in places if place in text]:
        start, place = min(found)
        parts.append(text[:start])
        numbers.append(slots.setdefault(places[place], len(slots)))
        text = text[start + len(place) :]
    return Template((*parts, text), tuple(numbers))
