"""Make the links of a finished email report who follows them, and add the picture that shows opens.

This is done when a broadcast is created. Until then, every check, preview and test email has the real addresses.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from html import unescape

from msgspec import Struct
from msgspec.structs import replace

from newsletter.model.readership import TrackingMode
from newsletter.model.rendered import RenderedVariant
from newsletter.model.slot_sources import TrackingCode
from newsletter.model.slots import Escape, Slot, Template
from newsletter.model.tracked_address import MOST_LINKS, MOST_NUMBERS, PICTURES, LinkTarget

LINK_PATH, PICTURE_PATH = "c", "o"
CANARY = ""  # the target of the link that no person sees; those who follow it get to the newsletter's website
# A link's tag in which the whole address is written out. A merge field would cut the text within the tag, so personal
# links do not match.
_LINK = re.compile(r"""(<a\b[^<>]*?\shref=")(https?://[^"<>\s]+)(?="[^<>]*>)""", re.IGNORECASE)
_UNTRACKED = re.compile(r"""\sclicktracking=["']?off""", re.IGNORECASE)  # on links that must stay as they are
_BODY_ENDS = "</body>"
_PICTURE = '<img src="', '" width="1" height="1" alt="" style="display:block;width:1px;height:1px;border:0">'
# Programs that follow all links follow this one too. It has no text, and screen readers do not announce it.
_CANARY = '<a href="', '" aria-hidden="true" tabindex="-1"></a>'
_Piece = str | int  # text, or the index of a slot


class Tracked(Struct, frozen=True, kw_only=True):
    """The variants of a broadcast with tracking, and where their links lead."""

    variants: tuple[RenderedVariant, ...]
    mode: TrackingMode
    links: Mapping[int, LinkTarget]  # by number, with the pictures


def with_tracking(variants: Iterable[RenderedVariant], *, service_url: str) -> Tracked:
    """Return the variants, each with the tracking that its readership says. Those without it are unchanged."""
    variants = tuple(variants)
    numbers: dict[LinkTarget, int] = {}  # for all variants
    pictures: dict[int, str] = {}  # number → the version in which it is
    modes = {variant.readership.tracking for variant in variants} - {TrackingMode.OFF}
    return Tracked(
        variants=tuple(
            variant
            if variant.readership.tracking is TrackingMode.OFF
            else _Tracker(variant, service_url, numbers, pictures).tracked()
            for variant in variants
        ),
        mode=next(iter(modes), TrackingMode.OFF),
        links={
            **{picture: LinkTarget("", version) for picture, version in sorted(pictures.items())},
            **{number: target for target, number in numbers.items()},
        },
    )


class _Tracker:
    """Changes one variant. `numbers` and `pictures` are those of the broadcast so far, and get the new ones."""

    def __init__(
        self, variant: RenderedVariant, service_url: str, numbers: dict[LinkTarget, int], pictures: dict[int, str]
    ) -> None:
        self._variant = variant
        self._mode = variant.readership.tracking
        self._version = variant.readership.version if self._mode is TrackingMode.TOTALS else ""
        self._service_url = service_url
        self._numbers = numbers
        pictures[PICTURES[self._version]] = self._version
        self._own: set[int] = set()  # the links of this variant
        self._slots = {slot: index for index, slot in enumerate(variant.slots)}

    def tracked(self) -> RenderedVariant:
        """Return the variant with tracking. The text part is unchanged: long addresses would make it hard to read."""
        html = self._variant.html
        pieces: list[_Piece] = []
        for place, part in enumerate(html.parts):
            pieces += self._ended(part) if place == len(html.parts) - 1 else self._linked(part)
            pieces += html.slots[place : place + 1]
        return replace(self._variant, html=_template(pieces), slots=tuple(self._slots))

    def _ended(self, part: str) -> Iterator[_Piece]:
        """Yield the last part of the email, with the picture and the link that no person sees at its end."""
        at = part.rfind(_BODY_ENDS)
        at = len(part) if at == -1 else at
        yield from self._linked(part[:at])
        if self._mode is TrackingMode.CONSENTED:
            yield from self._around(_CANARY, LINK_PATH, self._number_of(LinkTarget(CANARY)))
        yield from self._around(_PICTURE, PICTURE_PATH, PICTURES[self._version])
        yield part[at:]

    def _linked(self, part: str) -> Iterator[_Piece]:
        last = 0
        for link in _LINK.finditer(part):
            target = LinkTarget(unescape(link[2]), self._version)
            tag = part[link.start() : part.index(">", link.end())]
            if _UNTRACKED.search(tag) or target.address.startswith(self._service_url) or self._is_one_too_many(target):
                continue
            yield part[last : link.start(2)]
            yield from self._around(("", ""), LINK_PATH, self._number_of(target))
            last = link.end()
        yield part[last:]

    def _around(self, markup: tuple[str, str], path: str, number: int) -> Iterator[_Piece]:
        source = TrackingCode(number, is_for_all=self._mode is TrackingMode.TOTALS)
        yield f"{markup[0]}{self._service_url}/{path}/"
        yield self._slots.setdefault(Slot(source, Escape.LINK), len(self._slots))
        yield markup[1]

    def _number_of(self, target: LinkTarget) -> int:
        number = self._numbers.setdefault(target, len(self._numbers) + 1)
        self._own.add(number)
        return number

    def _is_one_too_many(self, target: LinkTarget) -> bool:
        if target not in self._numbers and len(self._numbers) >= MOST_NUMBERS:
            return True
        return len(self._own) >= MOST_LINKS and self._numbers.get(target) not in self._own


def _template(pieces: Iterable[_Piece]) -> Template:
    """Return the pieces as a template, with neighboring texts joined."""
    parts, slots = [""], []
    for piece in pieces:
        if isinstance(piece, int):
            slots.append(piece)
            parts.append("")
        else:
            parts[-1] += piece
    return Template(tuple(parts), tuple(slots))
