"""Find the place in the user's files of each block of the email, and mark the blocks for pages that show it.

Only the copy that a page shows is marked. The email itself carries no trace of the files.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from html import escape, unescape

from msgspec import Struct
from msgspec.structs import replace

from newsletter.checks.reading.appearance import INLINE_TAGS
from newsletter.checks.reading.document import normalized
from newsletter.checks.reading.sources import Sources, index_sources
from newsletter.model.finding import Place
from newsletter.model.rendered import RenderedVariant
from newsletter.model.slots import MERGE_TOKEN, Template
from newsletter.workflows.compose.compose import Composed

PLACE_ATTRIBUTE, BLOCK_ATTRIBUTE = "data-place", "data-block"
# Comments contain what only Outlook reads, and style sheets contain no words.
_PIECE = re.compile(
    r"""<!--.*?-->|<style\b.*?</style>|<(?P<end>/?)(?P<name>[A-Za-z][\w:-]*+)[^"'>]*+(?:(?:"[^"]*+"|'[^']*+')[^"'>]*+)*+>""",
    re.DOTALL | re.IGNORECASE,
)
_SOURCE = re.compile(r"""\ssrc=(?:"([^"]*)"|'([^']*)')""")
_ALT = re.compile(r"""\salt=(?:"([^"]*)"|'([^']*)')""")
_VOID = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})


class Block(Struct, frozen=True, kw_only=True):
    """An image or a run of text of the email, and its place. Its number is its position in the email."""

    place: Place
    words: str  # with merge fields as written, and without local times; the alt text of an image


class PlacedVariant(Struct, frozen=True, kw_only=True):
    """A variant whose HTML has two more attributes on each block: its place, `path:line`, and its number."""

    variant: RenderedVariant
    blocks: tuple[Block, ...]


class _Piece(Struct, kw_only=True):
    """An element that contains words of its own, or an image."""

    at: int  # the end of the name of its start tag, where attributes can be added
    around: tuple[int, ...]  # the positions of the elements around it, outermost first, and its own
    words: str = ""
    place: Place | None = None


def place_blocks(composed: Composed, variant: RenderedVariant) -> PlacedVariant:
    """Return a variant of the issue with each of its blocks marked with its place.

    A block that the theme makes from several keys, such as a date, has the place of the nearest block around it. What
    comes only from the theme is not marked.
    """
    form = composed.issue.in_version(variant.readership.version).in_language(variant.readership.language)
    sources = index_sources((form,), composed.subject.config, composed.rendered.pictures)
    html = variant.html.fill(tuple(slot.source.token for slot in variant.slots))
    pieces = _placed(list(_pieces(html, sources)), sources)
    blocks: list[Block] = []
    edits: list[tuple[int, str]] = []
    for piece in pieces:
        if piece.place is not None:
            place, number = escape(str(piece.place)), len(blocks)
            edits.append((piece.at, f' {PLACE_ATTRIBUTE}="{place}" {BLOCK_ATTRIBUTE}="{number}"'))
            blocks.append(Block(place=piece.place, words=MERGE_TOKEN.sub("", composed.issue.readable(piece.words))))
    html_template = _with_insertions(variant.html, [len(slot.source.token) for slot in variant.slots], edits)
    return PlacedVariant(variant=replace(variant, html=html_template), blocks=tuple(blocks))


def _pieces(html: str, sources: Sources) -> Iterator[_Piece]:
    """Yield each innermost block with words, and each image, in the order of their start tags."""
    found: list[_Piece] = []
    opened: list[tuple[str, _Piece]] = []  # the elements around the current position that are not inline
    body = html.find("<body")
    ended = body
    for match in _PIECE.finditer(html, body):
        if opened:
            opened[-1][1].words += html[ended : match.start()]
        ended, name = match.end(), (match["name"] or "").lower()
        if name == "img":
            found.append(_picture(match, opened, sources))
        elif name == "br" and opened:
            opened[-1][1].words += " "
        elif name in _VOID or name in INLINE_TAGS or not name:
            continue
        elif match["end"]:
            # An end tag closes what is still open inside it. One without a start tag closes nothing.
            depth = next((at for at in range(len(opened) - 1, -1, -1) if opened[at][0] == name), len(opened))
            del opened[depth:]
        else:
            around = (*(opened[-1][1].around if opened else ()), match.start())
            piece = _Piece(at=match.end("name"), around=around)
            opened.append((name, piece))
            found.append(piece)
    for piece in found:
        piece.words = " ".join(unescape(piece.words).split())
        if normalized(piece.words) or piece.place is not None:
            yield piece


def _picture(match: re.Match[str], opened: Sequence[tuple[str, _Piece]], sources: Sources) -> _Piece:
    around = opened[-1][1].around if opened else ()
    place = sources.place_of_picture(_value(_SOURCE, match[0]))
    return _Piece(at=match.end("name"), around=(*around, match.start()), words=_value(_ALT, match[0]), place=place)


def _value(attribute: re.Pattern[str], tag: str) -> str:
    found = attribute.search(tag)
    return unescape(found[1] or found[2] or "") if found else ""


def _placed(pieces: list[_Piece], sources: Sources) -> list[_Piece]:
    """Give each piece its place: where its words are written, or else that of its nearest neighbor."""
    finder = _Finder(sources)
    for piece in pieces:
        piece.place = piece.place or finder.place_of(piece.words)
        if piece.place is not None:
            finder.path = piece.place.path
    befores, afters = _last_placed(pieces), list(reversed(_last_placed(pieces[::-1])))
    for piece, before, after in zip(pieces, befores, afters, strict=True):
        if piece.place is None and before is not None and after is not None:
            piece.place = _inherited(piece, before, after)
    return pieces


def _last_placed(pieces: Iterable[_Piece]) -> list[_Piece | None]:
    """Return, for each piece, the last one up to it that has a place."""
    found: list[_Piece | None] = []
    last = None
    for piece in pieces:
        last = piece if piece.place is not None else last
        found.append(last)
    return found


def _inherited(piece: _Piece, before: _Piece, after: _Piece) -> Place | None:
    """Return the place of the neighbor that shares the closer element with a piece. If both do, they must agree."""
    places = before.place, after.place
    closer = _shared(piece, before) - _shared(piece, after)
    if closer == 0:
        return places[0] if places[0] and places[1] and places[0].path == places[1].path else None
    return places[0] if closer > 0 else places[1]


def _shared(one: _Piece, other: _Piece) -> int:
    """Return how many elements are around both."""
    pairs = zip(one.around, other.around, strict=False)
    return next((depth for depth, (a, b) in enumerate(pairs) if a != b), min(len(one.around), len(other.around)))


class _Finder:
    """Finds where words are written. Of several places, it prefers a new one in the file of the block before."""

    def __init__(self, sources: Sources) -> None:
        self.path = ""  # of the block before
        written = [(normalized(each.whole), each.places[0]) for each in sources.passages if each.places]
        order = {path: number for number, path in enumerate(dict.fromkeys(place.path for _, place in written))}
        # The sources list the keys of all files before the Markdown. In the email, each file follows as a whole.
        self._written = sorted(written, key=lambda each: (order[each[1].path], each[1].line or 0))
        self._padded = [f" {words} " for words, _ in self._written]
        self._numbers: dict[str, list[int]] = {}
        for number, (words, _) in enumerate(self._written):
            self._numbers.setdefault(words, []).append(number)
        self._used: set[int] = set()
        self._last = 0

    def place_of(self, text: str) -> Place | None:
        """Return the place of a passage with these words, or that contains them, or that they contain."""
        wanted = normalized(text)
        if not wanted:
            return None
        whole = self._numbers.get(wanted) or self._containing(wanted)
        numbers = whole or self._contained(wanted)
        if not numbers:
            return None
        self._last = number = min(numbers, key=self._preference)
        if whole:
            self._used.add(number)
        return self._written[number][1]

    def _containing(self, wanted: str) -> list[int]:
        padded = f" {wanted} "
        return [number for number, words in enumerate(self._padded) if padded in words]

    def _contained(self, wanted: str) -> list[int]:
        padded = f" {wanted} "
        inside = [(len(words), at) for at, words in enumerate(self._padded) if words in padded and words.strip()]
        longest = max(inside, default=(0, 0))[0]
        return [number for length, number in inside if length == longest]

    def _preference(self, number: int) -> tuple[bool, bool, bool, int]:
        is_elsewhere = self._written[number][1].path != self.path
        return number in self._used, is_elsewhere, number < self._last, abs(number - self._last)


def _with_insertions(template: Template, lengths: Sequence[int], edits: Sequence[tuple[int, str]]) -> Template:
    """Return the template with texts inserted. Their positions are those in the HTML with a token in each slot."""
    parts: list[str] = []
    begins, waiting = 0, deque(edits)
    gaps = [*(lengths[slot] for slot in template.slots), 0]
    for part, gap in zip(template.parts, gaps, strict=True):
        pieces: list[str] = []
        ends, done = begins + len(part), 0
        while waiting and waiting[0][0] <= ends:
            at, text = waiting.popleft()
            pieces += (part[done : at - begins], text)
            done = at - begins
        parts.append("".join((*pieces, part[done:])))
        begins = ends + gap
    return Template(tuple(parts), template.slots)
