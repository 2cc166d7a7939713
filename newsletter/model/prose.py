"""Parsed Markdown: the prose of a section, and a line of it in a key."""

from markdown_it.token import Token
from msgspec import Struct

from newsletter.model.finding import Place
from newsletter.model.picture_files import read_picture_title


class ProseLink(Struct, frozen=True, kw_only=True):
    """A link in prose."""

    text: str
    url: str
    place: Place


class ProsePicture(Struct, frozen=True, kw_only=True):
    """An image in prose. `path` is relative to the issue's folder, and `title` is the text as written."""

    path: str
    alt: str
    title: str
    place: Place

    @property
    def is_decorative(self) -> bool:
        """Whether it is marked as decorative, so that it needs no description."""
        return read_picture_title(self.title).is_decorative


class Prose(Struct, frozen=True, kw_only=True):
    """Parsed Markdown: its tokens, and its links and images with their lines."""

    tokens: tuple[Token, ...]  # the `map` of each begins with its line of the file
    links: tuple[ProseLink, ...] = ()
    pictures: tuple[ProsePicture, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is no text."""
        return not self.tokens


class ProseLine(str):
    """The words of a key that reads Markdown. `prose` also has its emphasis and links."""

    __slots__ = ("prose",)
    prose: Prose

    def __new__(cls, words: str, prose: Prose) -> "ProseLine":
        """Return the words together with the prose that they come from."""
        line = super().__new__(cls, words)
        line.prose = prose
        return line

    def __repr__(self) -> str:
        """Return a text that also changes with the emphasis and the links."""
        return f"ProseLine({super().__repr__()}, {self.prose!r})"
