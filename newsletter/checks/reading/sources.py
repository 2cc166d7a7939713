"""The places in the user's files where texts, links and images of the email are written."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace
from pydantic import BaseModel

from newsletter.checks.reading.document import normalized
from newsletter.config import Config, place_of_key
from newsletter.errors import Location
from newsletter.model.finding import Place
from newsletter.model.issue import Issue, Item, Section, Source
from newsletter.model.issue_fields import Phrase, PictureName
from newsletter.model.picture_files import plain_stem
from newsletter.model.prose import Prose, ProseLine
from newsletter.model.rendered import Picture
from newsletter.model.values import LinkAddress

# Keys whose values are settings, which readers never see.
_UNSEEN_KEYS = frozenset({"apps", "items", "language", "layout", "repeats", "sections", "show", "timezone"})
_IN_CODE = "\N{OBJECT REPLACEMENT CHARACTER}"  # stands for each sign of a code span in a `Passage`
_CONTENT_HASH = re.compile(r"-[0-9a-f]{12}(?=\.[a-z]+$)")  # the part of a rendered image's name before its suffix


class SourceText(Struct, frozen=True, kw_only=True):
    """Text that readers see, and its place in the files."""

    text: str
    place: Place
    goes_on: bool = False  # whether its paragraph continues in the next `SourceText`
    key: str = ""  # the key of the settings that it is the value of; empty in prose
    said: str = ""  # the same text with stand-ins for its code spans, which show any words literally


class Passage(Struct, frozen=True, kw_only=True, eq=False):
    """A paragraph or a value of a key, line by line, with the place of each line. Instances are compared by identity.

    Those of files that have not changed are the same objects as in the build before.
    """

    text: str  # with stand-ins for the code spans, which show any words literally
    whole: str  # with the code spans, so that each position is the same in both
    places: tuple[Place, ...]
    key: str = ""

    def place_at(self, position: int) -> Place:
        """Return the place of the line that contains a position of the text."""
        return self.places[self.text.count("\n", 0, position)]


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
    file: Path | None = None


class Sources(Struct, frozen=True, kw_only=True):
    """All texts, links and images of an issue as they are written."""

    texts: tuple[SourceText, ...]
    links: tuple[SourceLink, ...]
    pictures: tuple[SourcePicture, ...]
    passages: tuple[Passage, ...] = ()  # the same texts, one per paragraph, except those in another language
    borrowed: tuple[Passage, ...] = ()  # those of sections that are not translated into the issue's language
    link_places: Mapping[tuple[str, str | None], tuple[Place, ...]] = {}  # by address, and normalized text or None
    originals: Mapping[str, Path] = {}  # the file that each rendered image was made from, by the image's name

    def holds(self, text: str) -> bool:
        """Return whether the text is written in the files, alone or as part of a paragraph."""
        wanted = normalized(text)
        return any(f" {wanted} " in f" {normalized(passage.whole)} " for passage in (*self.passages, *self.borrowed))

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
        return next(iter(self.places_of_link(address, text)), None)

    def places_of_link(self, address: str, text: str) -> tuple[Place, ...]:
        """Return every place of a link with this address and text, or of all links to the address if none has it."""
        exact = self.link_places.get((address, normalized(text)))
        return exact or self.link_places.get((address, None), ())

    def place_of_picture(self, address: str) -> Place | None:
        """Return where the file of a rendered image is named, given the image's name or its address in the email."""
        name = re.split(r"[/:]", address)[-1].partition("@")[0]
        if original := self.originals.get(name):
            return next((picture.place for picture in self.pictures if picture.file == original), None)
        stem = Path(_CONTENT_HASH.sub("", name)).stem
        return next((picture.place for picture in self.pictures if plain_stem(picture.path) == stem), None)


def index_sources(issues: Sequence[Issue], config: Config, rendered: Iterable[Picture] = ()) -> Sources:
    """Return the texts, links and images in an issue's files and in the settings that appear in every email.

    `issues` is the issue in each of the languages that are checked together. With the `rendered` images, each of them
    is found at the file that it was made from.
    """
    written: list[Sources] = []
    borrowed: dict[Passage, None] = {}
    for issue in issues:
        parts = [_of_part(part) for part in _parts(issue)]
        written += [_of_record(issue.fields, issue.source), *(part.keys for part in parts)]
        written += [*(part.prose for part in parts), _of_settings(config, issue.language)]
        elsewhere = [_of_part(part) for section in issue.borrowed for part in (section, *section.items)]
        borrowed |= dict.fromkeys(passage for part in elsewhere for passage in part.keys.passages + part.prose.passages)
    files = {name: picture.path for name, picture in issues[0].pictures.items()}
    links = tuple(link for each in written for link in each.links)
    return Sources(
        texts=tuple(text for each in written for text in each.texts),
        links=links,
        link_places=_places_of(links),
        pictures=tuple(
            picture if picture.file else replace(picture, file=files.get(picture.path))
            for each in written
            for picture in each.pictures
        ),
        passages=tuple(passage for each in written for passage in each.passages if passage not in borrowed),
        borrowed=tuple(borrowed),
        originals={picture.name: Path(picture.original) for picture in rendered if picture.original},
    )


def _places_of(links: Iterable[SourceLink]) -> dict[tuple[str, str | None], tuple[Place, ...]]:
    """Return the places of the links with each address and text, and of all those with each address, each once."""
    found: defaultdict[tuple[str, str | None], dict[Place, None]] = defaultdict(dict)
    for link in links:
        for text in (normalized(link.text), None):
            found[link.address, text][link.place] = None
    return {key: tuple(places) for key, places in found.items()}


class _PartSources(Struct, frozen=True, kw_only=True):
    """What the keys and the prose of a section or an item contain."""

    keys: Sources
    prose: Sources


@lru_cache(maxsize=256)
def _of_part(part: Section | Item) -> _PartSources:
    pictures = [(each, None if each.is_decorative else each.alt) for each in part.prose.pictures]
    prose = _sources(
        tuple(_prose_texts(part.prose, part.source.path)),
        tuple(SourceLink(text=link.text, address=link.url, place=link.place) for link in part.prose.links),
        tuple(SourcePicture(path=each.path, alt=alt, place=each.place) for each, alt in pictures),
    )
    return _PartSources(keys=_of_record(part.fields, part.source), prose=prose)


def _of_record(record: BaseModel, source: Source) -> Sources:
    texts: list[SourceText] = []
    links: list[SourceLink] = []
    pictures: list[SourcePicture] = []
    for location, value, beside in _leaves(record, ()):
        place = source.at(*location)
        match value:
            case LinkAddress():
                links += [SourceLink(text=text, address=value, place=place) for text in beside or ("",)]
            case PictureName():
                pictures.append(SourcePicture(path=value, alt=None, place=place))
            case ProseLine():
                texts.append(SourceText(text=value, place=place, key=_key_of(location), said=value))
                links += [SourceLink(text=link.text, address=link.url, place=place) for link in value.prose.links]
            case _:
                texts.append(SourceText(text=value, place=place, key=_key_of(location), said=value))
    return _sources(tuple(texts), tuple(links), tuple(pictures))


def _sources(
    texts: tuple[SourceText, ...], links: tuple[SourceLink, ...], pictures: tuple[SourcePicture, ...]
) -> Sources:
    """Return texts, links and images with their passages. The texts must contain whole paragraphs."""
    return Sources(texts=texts, links=links, pictures=pictures, passages=tuple(_passages(texts)))


def _key_of(location: Location) -> str:
    """Return the name of a key. A text in a list has the key of the list."""
    return str(next((step for step in reversed(location) if isinstance(step, str)), ""))


def _passages(texts: Iterable[SourceText]) -> Iterator[Passage]:
    lines: list[SourceText] = []
    for text in texts:
        lines.append(text)
        if not text.goes_on:
            said = "\n".join(line.said.replace("\n", " ") for line in lines)
            whole = "\n".join(line.text.replace("\n", " ") for line in lines)
            yield Passage(text=said, whole=whole, places=tuple(line.place for line in lines), key=text.key)
            lines = []


def _of_settings(config: Config, language: str) -> Sources:
    identity, brand = config.settings.newsletter, config.settings.brand
    names = ("name", "organization", "address", "reason")
    logos = {"logo": brand.logo, "logo_dark": brand.logo_dark}

    def at(*keys: str | int) -> Place:
        return place_of_key(config, *keys)

    def place_of_word(name: str, phrase: Phrase) -> Place:
        is_own = phrase.text == getattr(identity, name)
        return at("newsletter", name) if is_own else at("newsletter", "wording", phrase.language, name)

    said = {name: identity.said_in(language, name) for name in names}
    return _sources(
        tuple(
            SourceText(text=phrase.text, place=place_of_word(name, phrase), key=name, said=phrase.text)
            for name, phrase in said.items()
        ),
        (
            SourceLink(text=identity.name, address=identity.website, place=at("newsletter", "website")),
            *(
                SourceLink(text=link.name, address=link.url, place=at("brand", "social", index, "url"))
                for index, link in enumerate(brand.social)
            ),
        ),
        tuple(
            SourcePicture(path=path, alt=None, place=at("brand", key), file=config.root / path)
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
        said: list[str] = []
        for token in block.children:
            if words and token.map and token.map[0] != line:
                place = Place(path=path, line=line)
                yield SourceText(text="".join(words), place=place, goes_on=True, said="".join(said))
                words, said = [], []
            line = token.map[0] if token.map else line
            words.append(" " if token.type in {"softbreak", "hardbreak"} else token.content)
            said.append(_IN_CODE * len(token.content) if token.type == "code_inline" else words[-1])
        yield SourceText(text="".join(words), place=Place(path=path, line=line), said="".join(said))
