"""The places in the user's files where texts, links and images of the email are written."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from pydantic import BaseModel

from newsletter.checks.reading.document import normalized
from newsletter.config import Config, place_of_key
from newsletter.errors import Location
from newsletter.model.finding import Place
from newsletter.model.issue import Issue, Item, Section
from newsletter.model.issue_fields import PictureName
from newsletter.model.prose import Prose, ProseLine
from newsletter.model.values import LinkAddress

# Keys whose values are settings, which readers never see.
_UNSEEN_KEYS = frozenset({"apps", "items", "language", "layout", "repeats", "sections", "show", "timezone"})
_CONTENT_HASH = re.compile(r"-[0-9a-f]{12}(?=\.[a-z]+$)")  # the part of a rendered image's name before its suffix


class SourceText(Struct, frozen=True, kw_only=True):
    """Text that readers see, and its place in the files."""

    text: str
    place: Place
    goes_on: bool = False  # whether its paragraph continues in the next `SourceText`


class SourceLink(Struct, frozen=True, kw_only=True):
    """A link, and where its address is written."""

    text: str
    address: str
    place: Place


class SourcePicture(Struct, frozen=True, kw_only=True):
    """An image, and where its file is named. `alt` is None if the image needs no alt text."""

    path: str
    alt: str | None
    place: Place


class Sources(Struct, frozen=True, kw_only=True):
    """All texts, links and images of an issue as they are written."""

    texts: tuple[SourceText, ...]
    links: tuple[SourceLink, ...]
    pictures: tuple[SourcePicture, ...]

    def place_of_text(self, text: str) -> Place | None:
        """Return where the text, or its first line, is written, or None if the theme or the program wrote it."""
        wanted = normalized(text)
        if not wanted:
            return None
        written = [(f" {normalized(source.text)} ", source.place) for source in self.texts]
        found = [place for words, place in written if f" {wanted} " == words]
        found += [place for words, place in written if f" {wanted} " in words]
        begins = [each for each in written if each[0].strip() and f" {wanted} ".startswith(each[0])]
        found += [place for _, place in sorted(begins, key=lambda each: -len(each[0]))]
        return next(iter(found), None)

    def place_of_link(self, address: str, text: str) -> Place | None:
        """Return where a link is written. Of several links to the address, prefer the one with the same text."""
        same = [link for link in self.links if link.address == address]
        wanted = normalized(text)
        exact = (link.place for link in same if normalized(link.text) == wanted)
        return next(exact, same[0].place if same else None)

    def place_of_picture(self, address: str) -> Place | None:
        """Return where the file of a rendered image is named, given the image's name or its address in the email."""
        name = re.split(r"[/:]", address)[-1].partition("@")[0]
        stem = Path(_CONTENT_HASH.sub("", name)).stem
        return next((picture.place for picture in self.pictures if _plain_stem(picture.path) == stem), None)


def index_sources(issue: Issue, config: Config) -> Sources:
    """Return the texts, links and images in an issue's files and in the settings that appear in every email."""
    texts: list[SourceText] = []
    links: list[SourceLink] = []
    pictures: list[SourcePicture] = []
    parts = list(_parts(issue))
    for model, source in [(issue.fields, issue.source), *((part.fields, part.source) for part in parts)]:
        for location, value, beside in _leaves(model, ()):
            place = source.at(*location)
            match value:
                case LinkAddress():
                    links += [SourceLink(text=text, address=value, place=place) for text in beside or ("",)]
                case PictureName():
                    pictures.append(SourcePicture(path=value, alt=None, place=place))
                case ProseLine():
                    texts.append(SourceText(text=value, place=place))
                    links += [SourceLink(text=link.text, address=link.url, place=place) for link in value.prose.links]
                case _:
                    texts.append(SourceText(text=value, place=place))
    for part in parts:
        texts += _prose_texts(part.prose, part.source.path)
        links += [SourceLink(text=link.text, address=link.url, place=link.place) for link in part.prose.links]
        shown = [(each, None if each.is_decorative else each.alt) for each in part.prose.pictures]
        pictures += [SourcePicture(path=each.path, alt=alt, place=each.place) for each, alt in shown]
    own = _of_settings(config)
    return Sources(texts=(*texts, *own.texts), links=(*links, *own.links), pictures=(*pictures, *own.pictures))


def _of_settings(config: Config) -> Sources:
    identity, brand = config.settings.newsletter, config.settings.brand
    names = ("name", "organization", "address", "reason")
    logos = {"logo": brand.logo, "logo_dark": brand.logo_dark}

    def at(*keys: str | int) -> Place:
        return place_of_key(config, *keys)

    return Sources(
        texts=tuple(SourceText(text=getattr(identity, name), place=at("newsletter", name)) for name in names),
        links=(
            SourceLink(text=identity.name, address=identity.website, place=at("newsletter", "website")),
            *(
                SourceLink(text=link.name, address=link.url, place=at("brand", "social", index, "url"))
                for index, link in enumerate(brand.social)
            ),
        ),
        pictures=tuple(
            SourcePicture(path=path, alt=None, place=at("brand", key))
            for key, path in logos.items()
            if path is not None
        ),
    )


def _parts(issue: Issue) -> Iterator[Section | Item]:
    for section in issue.sections:
        yield section
        yield from section.items


def _leaves(
    value: object, location: Location, beside: Sequence[str] = ()
) -> Iterator[tuple[Location, str, Sequence[str]]]:
    """Yield every string in a front matter record, with the keys that lead to it and the visible strings next to it.

    The type of a string shows whether it is visible text, the address of a link, or the name of an image.
    """
    if isinstance(value, BaseModel):
        fields = {name: getattr(value, name) for name in type(value).model_fields if name not in _UNSEEN_KEYS}
        words = [
            text
            for text in fields.values()
            if isinstance(text, str) and not isinstance(text, LinkAddress | PictureName)
        ]
        for name, field in fields.items():
            yield from _leaves(field, (*location, name), words)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _leaves(item, (*location, index), beside)
    elif isinstance(value, str):
        yield location, value, beside


def _prose_texts(prose: Prose, path: str) -> Iterator[SourceText]:
    for block in prose.tokens:
        if block.type != "inline" or block.children is None:
            continue
        line = block.map[0] if block.map else None
        words: list[str] = []
        for token in block.children:
            if words and token.map and token.map[0] != line:
                yield SourceText(text="".join(words), place=Place(path=path, line=line), goes_on=True)
                words = []
            line = token.map[0] if token.map else line
            words.append(" " if token.type in {"softbreak", "hardbreak"} else token.content)
        yield SourceText(text="".join(words), place=Place(path=path, line=line))


def _plain_stem(path: str) -> str:
    """Return a file's stem as in a rendered image's name, with dashes for all but ASCII letters and digits."""
    return "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in Path(path).stem)
